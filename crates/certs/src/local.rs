//! The local CA: a root that this machine may trust, an intermediate, and the leaves it issues.
//!
//! | object | what it holds |
//! |---|---|
//! | `ca/root.pem` | the root's certificate; may be copied to other machines |
//! | `ca/root.key` | its private key; may be moved away, and is then missed every few years |
//! | `ca/intermediate.pem` | the intermediate's private key and certificate |
//! | `leaves/NAME-HASH.pem` | a leaf's private key and chain, one file a set of names |
//!
//! Each is written at once, and those that need each other in an order that leaves a store which
//! works after a crash between them. A root is never replaced: someone may trust it. All others are
//! made anew when they are missing, damaged or old.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ravelin_pki::{
    Authority, AuthorityError, Certificate, Fingerprint, HostName, Leaf, NameConstraints,
    PrivateKey, pem,
};

use crate::store::{Object, ObjectName, Store, StoreError};
use crate::trust::TrustedRoot;

mod error;

pub use error::LocalError;

/// The local CA of a store.
#[derive(Debug)]
pub struct LocalAuthority {
    store: Box<dyn Store>,
    root: Certificate,
    created: bool,
    /// Kept because a start with thousands of sites asks for it thousands of times.
    intermediate: Mutex<Option<Arc<Authority>>>,
}

/// The root of a store by itself: what is needed to show it, or to take it out of trust stores, when
/// it is expired or its key is lost, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRoot {
    /// The root.
    pub certificate: Certificate,
    /// Where it is kept: the path of a file.
    pub location: String,
}

impl LocalRoot {
    /// Loads the root, and makes none: `None` where there is none.
    ///
    /// # Errors
    ///
    /// The root is damaged, or the store fails.
    pub fn load(store: &dyn Store) -> Result<Option<Self>, LocalError> {
        let root = load_root(store)?;
        Ok(root.map(|certificate| Self {
            certificate,
            location: store.location(&object(ROOT)),
        }))
    }

    /// The root as the trust stores take it.
    #[must_use]
    pub fn trusted(&self) -> TrustedRoot<'_> {
        TrustedRoot {
            certificate: &self.certificate,
            file: Path::new(&self.location),
        }
    }
}

impl LocalAuthority {
    /// Loads the local CA, or makes it if there is none. A new root is confined to local names and
    /// addresses ([`NameConstraints::local`]) and to `extra_names`.
    ///
    /// # Errors
    ///
    /// The root is damaged or expired, or was made without one of `extra_names`; or the store
    /// fails. Nothing that somebody may trust is ever replaced.
    pub fn open<S: Store + Clone + 'static>(
        store: &S,
        extra_names: &[HostName],
        now: SystemTime,
    ) -> Result<Self, LocalError> {
        let store: Box<dyn Store> = Box::new(store.clone());
        let (root, created) = match load_root(&*store)? {
            Some(root) => (root, false),
            None => make_root(&*store, extra_names, now)?,
        };
        let authority = Self {
            store,
            root,
            created,
            intermediate: Mutex::new(None),
        };
        for name in extra_names {
            authority.check_permitted(name)?;
        }
        authority.intermediate(now)?;
        Ok(authority)
    }

    /// A leaf for `names`, in whatever order: the one that is kept, or a new one where there is none
    /// or two thirds of its life are gone, unless the new one could not live longer.
    ///
    /// # Errors
    ///
    /// A name is outside what the root may certify, or the store fails: [`Self::kept_leaf`] may do
    /// then.
    pub fn leaf(&self, names: &[HostName], now: SystemTime) -> Result<Leaf, LocalError> {
        for name in names {
            self.check_permitted(name)?;
        }
        let intermediate = self.intermediate(now)?;
        let object_name = leaf_name(names)?;
        // When another process was faster, its leaf is taken. Two that never agree, as their clocks
        // are years apart, must not keep each other busy for ever.
        let mut tries = 0;
        loop {
            tries += 1;
            let kept = self.store.get(&object_name)?;
            if let Some(leaf) = kept.as_ref().and_then(read_leaf)
                && is_current(&leaf, names, &intermediate, now)
            {
                return Ok(leaf);
            }
            let leaf = intermediate.leaf(names, now)?;
            let text = leaf.key_pem() + &leaf.chain_pem();
            let version = kept.map(|object| object.version);
            match self
                .store
                .put_if_unchanged(&object_name, text.as_bytes(), version.as_ref())
            {
                Ok(_) => return Ok(leaf),
                Err(StoreError::Changed { .. }) if tries < 5 => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The leaf for `names` that is kept, whether its time to be renewed has come or not, where it is
    /// valid.
    #[must_use]
    pub fn kept_leaf(&self, names: &[HostName], now: SystemTime) -> Option<Leaf> {
        let object = self.store.get(&leaf_name(names).ok()?).ok()??;
        let leaf = read_leaf(&object)?;
        let issuer = Certificate::from_der(leaf.chain.get(1)?).ok()?;
        let good = leaf.certificate().is_valid_at(now)
            && leaf.certificate().is_signed_by(&issuer)
            && self.is_ours(&issuer, now)
            && sorted(leaf.names()) == sorted(names);
        good.then_some(leaf)
    }

    /// The root in PEM, for trust stores.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.root.to_pem()
    }

    /// The root.
    #[must_use]
    pub fn root_certificate(&self) -> &Certificate {
        &self.root
    }

    /// Where the root is kept: the path of a file.
    #[must_use]
    pub fn root_location(&self) -> String {
        self.store.location(&object(ROOT))
    }

    /// Whether the root was made just now, so that nobody can trust it yet.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    fn check_permitted(&self, name: &HostName) -> Result<(), LocalError> {
        match self.root.name_constraints() {
            Some(permitted) if !permitted.permits(name) => Err(LocalError::NotPermitted {
                name: name.clone(),
                permitted: Box::new(permitted.clone()),
                location: self.root_location(),
            }),
            _ => Ok(()),
        }
    }

    /// The intermediate: the one in memory, the one in the store, or a new one.
    fn intermediate(&self, now: SystemTime) -> Result<Arc<Authority>, LocalError> {
        let mut cached = self
            .intermediate
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(intermediate) = &*cached
            && self.is_current(intermediate, now)
        {
            return Ok(Arc::clone(intermediate));
        }
        let intermediate = Arc::new(self.load_or_make_intermediate(now)?);
        *cached = Some(Arc::clone(&intermediate));
        Ok(intermediate)
    }

    fn load_or_make_intermediate(&self, now: SystemTime) -> Result<Authority, LocalError> {
        let name = object(INTERMEDIATE);
        let load = || -> Result<_, LocalError> {
            let kept = self.store.get(&name)?;
            let authority = kept.as_ref().and_then(read_authority);
            Ok((
                kept,
                authority.filter(|a| self.is_ours(a.certificate(), now)),
            ))
        };
        let (_, usable) = load()?;
        let usable = match usable {
            Some(usable) if self.is_current(&usable, now) => return Ok(usable),
            usable => usable,
        };
        if !self.root.is_valid_at(now) {
            return Err(LocalError::RootNotValid {
                location: self.root_location(),
                expired: now > self.root.not_after(),
            });
        }
        let make = || -> Result<Authority, LocalError> {
            let _lease = self.store.lease(&object(LEASE), LEASE_PATIENCE)?;
            let (kept, usable) = load()?;
            // Another process may have made it while the lease was waited for.
            if let Some(usable) = usable.filter(|usable| self.is_current(usable, now)) {
                return Ok(usable);
            }
            self.make_intermediate(&name, kept.as_ref(), now)
        };
        // With the root's key out of reach, or a store that cannot be written, an old one serves to
        // its end.
        make().or_else(|error| usable.ok_or(error))
    }

    fn make_intermediate(
        &self,
        name: &ObjectName,
        kept: Option<&Object>,
        now: SystemTime,
    ) -> Result<Authority, LocalError> {
        let root_key = load_root_key(&*self.store)?.ok_or_else(|| LocalError::RootKeyMissing {
            location: self.store.location(&object(ROOT_KEY)),
        })?;
        let root = Authority::new(self.root.clone(), root_key).map_err(|_| {
            LocalError::RootKeyMismatch {
                key: self.store.location(&object(ROOT_KEY)),
                root: self.root_location(),
            }
        })?;
        let key = PrivateKey::generate().map_err(AuthorityError::Key)?;
        let common_name = format!(
            "Ravelin local intermediate {}",
            key.public_fingerprint().short()
        );
        let intermediate = root.intermediate(&common_name, key, now)?;
        let text = intermediate.key().to_pem().map_err(AuthorityError::Key)?
            + &intermediate.certificate().to_pem();
        let version = kept.map(|object| &object.version);
        self.store
            .put_if_unchanged(name, text.as_bytes(), version)?;
        Ok(intermediate)
    }

    fn is_current(&self, intermediate: &Authority, now: SystemTime) -> bool {
        self.root.is_valid_at(now) && is_fresh(intermediate.certificate(), &self.root, now)
    }

    /// Whether an intermediate is one that this root signed, and can sign now. The constraints are
    /// compared too: a root may have been made anew with its old key for other names.
    fn is_ours(&self, intermediate: &Certificate, now: SystemTime) -> bool {
        intermediate.is_valid_at(now)
            && intermediate.name_constraints() == self.root.name_constraints()
            && intermediate.is_signed_by(&self.root)
    }
}

const ROOT: &str = "ca/root.pem";
const ROOT_KEY: &str = "ca/root.key";
const INTERMEDIATE: &str = "ca/intermediate.pem";
const LEASE: &str = "local-ca";

/// Making a CA takes milliseconds; only a slow or hanging disk takes longer.
const LEASE_PATIENCE: Duration = Duration::from_secs(30);

fn load_root(store: &dyn Store) -> Result<Option<Certificate>, LocalError> {
    let name = object(ROOT);
    let Some(object) = store.get(&name)? else {
        return Ok(None);
    };
    let damaged = |reason, source| LocalError::RootDamaged {
        location: store.location(&name),
        reason,
        source,
    };
    let ders = pem::certificates(&object.bytes)
        .map_err(|error| damaged("its file cannot be read", Some(error)))?;
    let [der] = ders.as_slice() else {
        return Err(damaged("there is more than one certificate in it", None));
    };
    let root = Certificate::from_der(der)
        .map_err(|_| damaged("it cannot be read as a certificate", None))?;
    if !root.may_sign_certificates() {
        return Err(damaged("it is not the certificate of a CA", None));
    }
    if !root.is_signed_by(&root) {
        return Err(damaged("its signature is wrong", None));
    }
    Ok(Some(root))
}

/// Makes the root: first its key, then its certificate. A key without a certificate is what a crash
/// between both leaves, and is used for the certificate then.
fn make_root(
    store: &dyn Store,
    extra_names: &[HostName],
    now: SystemTime,
) -> Result<(Certificate, bool), LocalError> {
    let _lease = store.lease(&object(LEASE), LEASE_PATIENCE)?;
    if let Some(root) = load_root(store)? {
        return Ok((root, false));
    }
    let key = if let Some(key) = load_root_key(store)? {
        key
    } else {
        let key = PrivateKey::generate().map_err(AuthorityError::Key)?;
        let text = key.to_pem().map_err(AuthorityError::Key)?;
        store.put_if_unchanged(&object(ROOT_KEY), text.as_bytes(), None)?;
        key
    };
    let constraints = extra_names
        .iter()
        .fold(NameConstraints::local(), NameConstraints::and);
    let common_name = root_common_name(&key);
    let root = Authority::root(&common_name, key, &constraints, now)?;
    let certificate = root.certificate().clone();
    store.put_if_unchanged(&object(ROOT), certificate.to_pem().as_bytes(), None)?;
    Ok((certificate, true))
}

/// "Ravelin local CA HOST 1a2b3c4d": people tell machines apart by the host, verifiers and trust
/// stores tell roots apart by the digits, which are of the key.
fn root_common_name(key: &PrivateKey) -> String {
    let uname = rustix::system::uname();
    let host: String = uname
        .nodename()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .take(36)
        .collect();
    format!(
        "Ravelin local CA {host} {}",
        key.public_fingerprint().short()
    )
}

fn load_root_key(store: &dyn Store) -> Result<Option<PrivateKey>, LocalError> {
    let name = object(ROOT_KEY);
    store
        .get(&name)?
        .map(|object| PrivateKey::from_pem(&object.bytes))
        .transpose()
        .map_err(|source| LocalError::RootKeyDamaged {
            location: store.location(&name),
            source,
        })
}

/// A damaged intermediate reads as none: it is made anew.
fn read_authority(object: &Object) -> Option<Authority> {
    let key = PrivateKey::from_pem(&object.bytes).ok()?;
    let certificates = pem::certificates(&object.bytes).ok()?;
    let certificate = Certificate::from_der(certificates.first()?).ok()?;
    Authority::new(certificate, key).ok()
}

/// A damaged leaf reads as none: it is made anew.
fn read_leaf(object: &Object) -> Option<Leaf> {
    Leaf::from_pem(&object.bytes, &object.bytes).ok()
}

fn is_current(leaf: &Leaf, names: &[HostName], intermediate: &Authority, now: SystemTime) -> bool {
    is_fresh(leaf.certificate(), intermediate.certificate(), now)
        && leaf.chain.get(1) == Some(intermediate.certificate().der())
        && leaf.certificate().is_signed_by(intermediate.certificate())
        && sorted(leaf.names()) == sorted(names)
}

/// Whether it is not yet time to make a certificate anew; nor is it when a new one would end with
/// its issuer just as this one does.
fn is_fresh(certificate: &Certificate, issuer: &Certificate, now: SystemTime) -> bool {
    certificate.is_valid_at(now)
        && (now < certificate.renew_at() || certificate.not_after() >= issuer.not_after())
}

/// `leaves/localhost-1a2b3c4d5e6f7a8b.pem`: a name for people, the digits for the set of names, in
/// whatever order they are given.
fn leaf_name(names: &[HostName]) -> Result<ObjectName, LocalError> {
    let sorted = sorted(names);
    let plain = sorted.iter().find(|name| !name.is_wildcard());
    let shown = plain.or(sorted.first()).ok_or(AuthorityError::NoNames)?;
    let readable: String = shown
        .to_string()
        .chars()
        .map(|c| match c {
            '*' => '_',
            ':' => '-',
            c => c,
        })
        .take(100)
        .collect();
    let all: Vec<String> = sorted.iter().map(ToString::to_string).collect();
    let digits = Fingerprint::of(all.join("\n").as_bytes()).to_string();
    Ok(format!("leaves/{readable}-{}.pem", &digits[..16]).parse()?)
}

fn sorted(names: &[HostName]) -> Vec<&HostName> {
    let mut names: Vec<_> = names.iter().collect();
    names.sort();
    names.dedup();
    names
}

fn object(name: &'static str) -> ObjectName {
    name.parse()
        .unwrap_or_else(|_| unreachable!("the names above are sound"))
}
