//! The intermediates of a local CA: one for each set of purposes, made when it is first needed.
//!
//! Each may issue for its purposes alone: the key that signs for servers is of no use for forging
//! programs, and the other way round.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use ravelin_pki::{
    Authority, AuthorityError, Certificate, Oid, Purpose, Signer as _, Template, pem,
};

use super::issuers::addresses;
use super::key::{AuthorityKey, INTERMEDIATE_LABEL, load_root_key};
use super::root::ca_subject;
use super::{
    LEASE, LEASE_PATIENCE, LocalAuthority, LocalError, Plan, ROOT_KEY, is_fresh, object, record,
};
use crate::store::{Object, ObjectName, Store};
use crate::token::Tokens;

/// What an intermediate is for: purposes, each once, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Purposes(Vec<&'static str>);

impl Purposes {
    /// That of all who serve.
    pub(super) fn server() -> Self {
        Self(vec!["server"])
    }

    /// Those of a certificate.
    ///
    /// # Errors
    ///
    /// One is of a kind that no local CA issues for.
    pub(super) fn of(oids: &[Oid]) -> Result<Self, LocalError> {
        let name = |oid: &Oid| {
            let known = Purpose::NAMES
                .into_iter()
                .find(|(_, purpose)| purpose.oid() == *oid);
            known
                .map(|(name, _)| name)
                .ok_or_else(|| LocalError::Purpose {
                    purpose: oid.name_or_dots(),
                })
        };
        let mut names = oids.iter().map(name).collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        names.dedup();
        Ok(Self(names))
    }

    fn oids(&self) -> Vec<Oid> {
        let named = |name: &&str| {
            let known = Purpose::NAMES.into_iter().find(|(other, _)| other == name);
            known.map(|(_, purpose)| purpose.oid())
        };
        self.0.iter().filter_map(named).collect()
    }

    /// `ca/intermediate.pem` for servers, `ca/intermediate-client-server.pem` for others.
    fn object(&self) -> ObjectName {
        let name = match self.0.as_slice() {
            ["server"] => "ca/intermediate.pem".to_owned(),
            names => format!("ca/intermediate-{}.pem", names.join("-")),
        };
        name.parse()
            .unwrap_or_else(|_| unreachable!("purposes have plain names"))
    }
}

impl LocalAuthority {
    /// The intermediate: the one in memory, the one in the store, or a new one.
    pub(super) fn intermediate(
        &self,
        purposes: &Purposes,
        now: SystemTime,
    ) -> Result<Arc<Authority<AuthorityKey>>, LocalError> {
        let mut cached = self
            .intermediates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(intermediate) = cached.get(purposes)
            && self.is_current(intermediate, now)
        {
            return Ok(Arc::clone(intermediate));
        }
        let intermediate = Arc::new(self.load_or_make_intermediate(purposes, now)?);
        cached.insert(purposes.clone(), Arc::clone(&intermediate));
        Ok(intermediate)
    }

    fn load_or_make_intermediate(
        &self,
        purposes: &Purposes,
        now: SystemTime,
    ) -> Result<Authority<AuthorityKey>, LocalError> {
        let name = purposes.object();
        let load = || -> Result<_, LocalError> {
            let kept = self.store.get(&name)?;
            let read = |file: &Object| read_authority(file, &self.tokens);
            let authority = kept.as_ref().and_then(read);
            let ours = |a: &Authority<AuthorityKey>| {
                self.is_ours(a.certificate(), now)
                    && a.certificate().extended_key_usage() == Some(purposes.oids().as_slice())
            };
            Ok((kept, authority.filter(ours)))
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
        let make = || -> Result<Authority<AuthorityKey>, LocalError> {
            let _lease = self.store.lease(&object(LEASE), LEASE_PATIENCE)?;
            let (kept, usable) = load()?;
            // Another process may have made it while the lease was waited for.
            if let Some(usable) = usable.filter(|usable| self.is_current(usable, now)) {
                return Ok(usable);
            }
            self.make_intermediate(purposes, kept.as_ref(), now)
        };
        // With the root's key out of reach, or a store that cannot be written, an old one serves to
        // its end.
        make().or_else(|error| usable.ok_or(error))
    }

    fn make_intermediate(
        &self,
        purposes: &Purposes,
        kept: Option<&Object>,
        now: SystemTime,
    ) -> Result<Authority<AuthorityKey>, LocalError> {
        let location = || self.store.location(&object(ROOT_KEY));
        let root_key = load_root_key(&self.store, &self.tokens, self.root.public_key())?
            .ok_or_else(|| LocalError::RootKeyMissing {
                location: location(),
            })?;
        root_key.ready(location)?;
        let root = Authority::new(self.root.clone(), root_key).map_err(|_| {
            LocalError::RootKeyMismatch {
                key: location(),
                root: self.root_location(),
            }
        })?;
        let policy = &self.policy()?.authority;
        let token = policy.token.as_ref();
        let key = AuthorityKey::generate(token, &self.tokens, INTERMEDIATE_LABEL, policy.key_type)?;
        let digits = key.public_key().fingerprint().short();
        let (plan, common_name) = self.intermediate_name(purposes, &digits);
        let mut template = Template::ca(ca_subject(&plan, &common_name), Some(0));
        template.purposes = purposes.oids();
        // It carries the constraints of its issuer itself: verifiers need not heed what a root says
        // about itself (RFC 5280, section 6.1.1 (d), takes but its name and key), whereas they must
        // heed an intermediate. The root carries them as well, so that no unconfined intermediate
        // can be made with its key where they do look.
        template.name_constraints = self.root.name_constraints().cloned();
        template.crls = addresses(&policy.crls, &self.root);
        template.ca_issuers = addresses(&policy.issuers, &self.root);
        let der = root.issue(&template, key.public_key(), policy.intermediate_life, now)?;
        let certificate = Certificate::from_der(&der).map_err(AuthorityError::ReadBack)?;
        let issued = record::issued(&certificate, &self.root, "intermediate", None);
        record::append(&self.store, &[issued, record::made(&certificate)], now)?;
        let intermediate = Authority::new(certificate, key)?;
        let text = intermediate.key().to_text().map_err(AuthorityError::Key)?
            + &intermediate.certificate().to_pem();
        if let Some(kept) = kept {
            self.retire(kept, now)?;
        }
        let version = kept.map(|object| &object.version);
        self.store
            .put_if_unchanged(&purposes.object(), text.as_bytes(), version)?;
        Ok(intermediate)
    }

    /// "Ravelin local intermediate 1a2b3c4d", or, below a root that was given a name, that name and
    /// what it is for.
    fn intermediate_name(&self, purposes: &Purposes, digits: &str) -> (Plan, String) {
        let organization = self.root.subject_name().get(&Oid::ORGANIZATION);
        let plan = Plan {
            organization: organization.unwrap_or_default().to_owned(),
            ..Plan::default()
        };
        let name = if plan.organization == Plan::default().organization {
            match purposes.0.as_slice() {
                ["server"] => format!("Ravelin local intermediate {digits}"),
                names => format!(
                    "Ravelin local {} intermediate {digits}",
                    names.join(" and ")
                ),
            }
        } else {
            let organization: String = plan.organization.chars().take(30).collect();
            format!("{organization} {} CA {digits}", purposes.0.join(" and "))
        };
        (plan, name)
    }

    /// Sees to it that an intermediate can sign.
    pub(super) fn ready(
        &self,
        intermediate: &Authority<AuthorityKey>,
        purposes: &Purposes,
    ) -> Result<(), LocalError> {
        let location = || self.store.location(&purposes.object());
        intermediate.key().ready(location)
    }

    fn is_current(&self, intermediate: &Authority<AuthorityKey>, now: SystemTime) -> bool {
        self.root.is_valid_at(now) && is_fresh(intermediate.certificate(), &self.root, now)
    }

    /// Whether an intermediate is one that this root signed, and can sign now. The constraints are
    /// compared too: a root may have been made anew with its old key for other names.
    pub(super) fn is_ours(&self, intermediate: &Certificate, now: SystemTime) -> bool {
        intermediate.is_valid_at(now)
            && intermediate.name_constraints() == self.root.name_constraints()
            && intermediate.is_signed_by(&self.root)
    }
}

/// A damaged intermediate reads as none: it is made anew.
pub(super) fn read_authority(object: &Object, tokens: &Tokens) -> Option<Authority<AuthorityKey>> {
    let certificates = pem::certificates(&object.bytes).ok()?;
    let certificate = Certificate::from_der(certificates.first()?).ok()?;
    let key = AuthorityKey::read(&object.bytes, tokens, certificate.public_key()).ok()?;
    Authority::new(certificate, key).ok()
}
