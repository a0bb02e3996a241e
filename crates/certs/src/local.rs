//! The local CA: a root that this machine may trust, an intermediate, and the leaves it issues.
//!
//! | object | what it holds |
//! |---|---|
//! | `ca/root.pem` | the root's certificate; may be copied to other machines |
//! | `ca/root.key` | its private key; may be moved away, and is then missed every few years. Or, of one in a PKCS#11 token, its URI: see [`crate::token`] |
//! | `ca/intermediate.pem` | private key, or its URI, and certificate of the intermediate for servers |
//! | `ca/intermediate-PURPOSE.pem` | those of the intermediate for another purpose, where one was needed |
//! | `ca/retired-DIGITS.pem` | those that were replaced: what they issued is revoked with their keys |
//! | `ca/cross.pem` | the new root, signed by the one before, while both are trusted |
//! | `ca/former-root-DIGITS.pem`, `.key` | roots that were replaced |
//! | `ca/next-root.pem`, `.key` | the root that is to come, while a rollover is under way |
//! | `ca/policy.toml` | what is issued, where that is not [`Policy::builtin`] |
//! | `ca/journal.jsonl` | everything that was issued and done: see [`crate::journal`] |
//! | `leaves/NAME-HASH.pem` | a leaf's private key and chain, one file a set of names |
//!
//! Each is written at once, and those that need each other in an order that leaves a store which
//! works after a crash between them. A root is never replaced: someone may trust it. All others are
//! made anew when they are missing, damaged or old.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use ravelin_pki::authority::leaf_template;
use ravelin_pki::{
    Authority, AuthorityError, Certificate, GeneralName, HostName, Leaf, PublicKey, Template,
};

use crate::journal::Journal;
use crate::names::{sorted, stem};
use crate::policy::{Grant, Policy};
use crate::store::{FileStore, Object, ObjectName, Store, StoreError};
use crate::token::Tokens;
use crate::trust::TrustedRoot;

mod error;
mod export;
mod intermediate;
mod issuers;
mod key;
mod plan;
mod record;
mod revocation;
mod rollover;
mod root;

pub use error::LocalError;
pub use export::{ExportError, exported_root};
use intermediate::Purposes;
pub use issuers::issuer_id;
pub use key::AuthorityKey;
pub use plan::Plan;
pub use record::Asked;
pub use rollover::{NewRoot, Rollover};

/// The local CA of a store.
#[derive(Debug)]
pub struct LocalAuthority {
    store: FileStore,
    tokens: Tokens,
    root: Certificate,
    created: bool,
    /// Kept because a start with thousands of sites asks for one thousands of times.
    intermediates: Mutex<HashMap<Purposes, Arc<Authority<AuthorityKey>>>>,
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
        let root = root::load(store)?;
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
    /// addresses ([`ravelin_pki::NameConstraints::local`]) and to `extra_names`.
    ///
    /// # Errors
    ///
    /// The root is damaged or expired, or was made without one of `extra_names`; or the store
    /// fails. Nothing that somebody may trust is ever replaced.
    pub fn open(
        store: &FileStore,
        extra_names: &[HostName],
        now: SystemTime,
    ) -> Result<Self, LocalError> {
        Self::open_with_tokens(store, extra_names, &Tokens::default(), now)
    }

    /// As [`Self::open`], for a CA with keys in tokens whose PINs `tokens` knows to ask for. Nobody
    /// is asked before something is to be signed.
    ///
    /// # Errors
    ///
    /// As of [`Self::open`]; or a token is not there, or its PIN is wrong.
    pub fn open_with_tokens(
        store: &FileStore,
        extra_names: &[HostName],
        tokens: &Tokens,
        now: SystemTime,
    ) -> Result<Self, LocalError> {
        let (root, created) = match root::load(store)? {
            Some(root) => (root, false),
            None => root::make(store, &Plan::local(extra_names), tokens, now)?,
        };
        let authority = Self::of(store, tokens, root, created);
        for name in extra_names {
            authority.check_permitted(name)?;
        }
        authority.intermediate(&Purposes::server(), now)?;
        Ok(authority)
    }

    /// Loads the CA of a store: `None` where there is none.
    ///
    /// # Errors
    ///
    /// The root is damaged, or the store fails.
    pub fn load(store: &FileStore) -> Result<Option<Self>, LocalError> {
        Self::load_with_tokens(store, &Tokens::default())
    }

    /// As [`Self::load`], for a CA with keys in tokens whose PINs `tokens` knows to ask for.
    ///
    /// # Errors
    ///
    /// As of [`Self::load`].
    pub fn load_with_tokens(
        store: &FileStore,
        tokens: &Tokens,
    ) -> Result<Option<Self>, LocalError> {
        let root = root::load(store)?;
        Ok(root.map(|root| Self::of(store, tokens, root, false)))
    }

    /// Makes the CA of a store as planned, with its intermediate for servers. The text of a policy
    /// is written beside it, where there is none yet.
    ///
    /// # Errors
    ///
    /// There is one already, or the store fails.
    pub fn init(
        store: &FileStore,
        plan: &Plan,
        policy: &str,
        now: SystemTime,
    ) -> Result<Self, LocalError> {
        Self::init_with_tokens(store, plan, policy, &Tokens::default(), now)
    }

    /// As [`Self::init`], with keys in tokens whose PINs `tokens` knows to ask for.
    ///
    /// # Errors
    ///
    /// As of [`Self::init`]; or a token is not there, or its PIN is wrong.
    pub fn init_with_tokens(
        store: &FileStore,
        plan: &Plan,
        policy: &str,
        tokens: &Tokens,
        now: SystemTime,
    ) -> Result<Self, LocalError> {
        let already = || LocalError::AlreadyThere {
            location: store.location(&object(ROOT)),
        };
        if root::load(store)?.is_some() {
            return Err(already());
        }
        // Before the root: a crash between them must not leave a CA without its policy, as there is
        // no second try once there is a root.
        let name = object(POLICY);
        if store.get(&name)?.is_none() {
            store.put_if_unchanged(&name, policy.as_bytes(), None)?;
        }
        let (root, created) = root::make(store, plan, tokens, now)?;
        if !created {
            return Err(already());
        }
        let authority = Self::of(store, tokens, root, created);
        authority.intermediate(&Purposes::server(), now)?;
        Ok(authority)
    }

    fn of(store: &FileStore, tokens: &Tokens, root: Certificate, created: bool) -> Self {
        Self {
            store: store.clone(),
            tokens: tokens.clone(),
            root,
            created,
            intermediates: Mutex::default(),
        }
    }

    /// Issues a certificate for a key as the policy granted it. It is in the journal, and on the
    /// disk there, when this returns. Nothing else is kept of it.
    ///
    /// # Errors
    ///
    /// A name or purpose is outside what this CA may certify, or the store fails.
    pub fn issue(
        &self,
        grant: &Grant,
        key: &PublicKey,
        asked: &Asked,
        now: SystemTime,
    ) -> Result<Vec<Certificate>, LocalError> {
        let purposes = Purposes::of(&grant.template.purposes)?;
        for name in grant.template.names.iter().filter_map(GeneralName::host) {
            self.check_permitted(&name)?;
        }
        let intermediate = self.intermediate(&purposes, now)?;
        let template = issuers::with_addresses(grant.template.clone(), intermediate.certificate());
        self.ready(&intermediate, &purposes)?;
        let der = intermediate.issue(&template, key, grant.life, now)?;
        let certificate = Certificate::from_der(&der).map_err(AuthorityError::ReadBack)?;
        let issuer = intermediate.certificate();
        let profile = &grant.profile;
        let event = record::issued(&certificate, issuer, profile, Some(asked));
        record::append(&self.store, &[event], now)?;
        let mut chain = vec![certificate, issuer.clone()];
        chain.extend(self.cross(now));
        Ok(chain)
    }

    /// The journal of this CA, and what can be asked of its inventory.
    ///
    /// # Errors
    ///
    /// It is damaged, or the store fails.
    pub fn journal(&self) -> Result<Journal, LocalError> {
        Ok(Journal::open(&self.store)?)
    }

    /// The policy of this CA: its file `ca/policy.toml`, else [`Policy::builtin`].
    ///
    /// # Errors
    ///
    /// The file is wrong or cannot be read.
    pub fn policy(&self) -> Result<Policy, LocalError> {
        load_policy(&self.store)
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
        let intermediate = self.intermediate(&Purposes::server(), now)?;
        let object_name = leaf_name(names)?;
        let cross = self.cross(now).map(|cross| cross.der().clone());
        // When another process was faster, its leaf is taken. Two that never agree, as their clocks
        // are years apart, must not keep each other busy for ever.
        let mut tries = 0;
        loop {
            tries += 1;
            let kept = self.store.get(&object_name)?;
            if let Some(leaf) = kept.as_ref().and_then(read_leaf)
                && is_current(&leaf, names, &intermediate, now)
                && leaf.chain.get(2) == cross.as_ref()
            {
                return Ok(leaf);
            }
            self.ready(&intermediate, &Purposes::server())?;
            let mut leaf = intermediate.leaf_of(&self.template_of(names, &intermediate)?, now)?;
            leaf.chain.extend(cross.clone());
            let issuer = intermediate.certificate();
            let event = record::issued(leaf.certificate(), issuer, "server", None);
            record::append(&self.store, &[event], now)?;
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

    /// What a leaf says: where its status can be asked, as all that this CA issues, and whether it is
    /// stapled, as the policy's certificates for servers.
    fn template_of(
        &self,
        names: &[HostName],
        issuer: &Authority<AuthorityKey>,
    ) -> Result<Template, LocalError> {
        let policy = self.policy()?;
        let mut template = leaf_template(names);
        template.crls = policy.authority.crls;
        template.ocsp = policy.authority.ocsp;
        template.ca_issuers = policy.authority.issuers;
        template.must_staple = policy
            .templates
            .iter()
            .any(|of| of.name == "server" && of.must_staple);
        Ok(issuers::with_addresses(template, issuer.certificate()))
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
}

/// The policy of the CA in a store: its file `ca/policy.toml`, else [`Policy::builtin`].
///
/// # Errors
///
/// The file is wrong or cannot be read.
pub fn load_policy(store: &FileStore) -> Result<Policy, LocalError> {
    let name = object(POLICY);
    let Some(file) = store.get(&name)? else {
        return Ok(Policy::builtin());
    };
    Policy::from_toml(&String::from_utf8_lossy(&file.bytes)).map_err(|source| LocalError::Policy {
        location: store.location(&name),
        source,
    })
}

const ROOT: &str = "ca/root.pem";
const ROOT_KEY: &str = "ca/root.key";
const POLICY: &str = "ca/policy.toml";
const LEASE: &str = "local-ca";

/// Making a CA takes milliseconds, or seconds with an RSA key; only a slow or hanging disk takes
/// longer.
const LEASE_PATIENCE: Duration = Duration::from_secs(30);

/// A damaged leaf reads as none: it is made anew.
fn read_leaf(object: &Object) -> Option<Leaf> {
    Leaf::from_pem(&object.bytes, &object.bytes).ok()
}

fn is_current(
    leaf: &Leaf,
    names: &[HostName],
    intermediate: &Authority<AuthorityKey>,
    now: SystemTime,
) -> bool {
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

/// `leaves/localhost-1a2b3c4d5e6f7a8b.pem`.
fn leaf_name(names: &[HostName]) -> Result<ObjectName, LocalError> {
    let stem = stem(names).ok_or(AuthorityError::NoNames)?;
    Ok(format!("leaves/{stem}.pem").parse()?)
}

fn object(name: &'static str) -> ObjectName {
    name.parse()
        .unwrap_or_else(|_| unreachable!("the names above are sound"))
}
