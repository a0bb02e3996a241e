//! All that sign for a local CA: its root, its intermediates, and those that were replaced and whose
//! certificates may still have to be revoked.

use std::time::SystemTime;

use ravelin_pki::{Authority, Certificate, Fingerprint, Template, pem};

use super::intermediate::read_authority;
use super::key::{AuthorityKey, load_root_key};
use super::rollover::former_roots;
use super::{LocalAuthority, LocalError};
use crate::store::{Object, ObjectName, Store};

impl LocalAuthority {
    /// Every authority whose key is there: the root's, unless it was moved away, then those of the
    /// intermediates, in the order of their names in the store. Damaged ones are left out.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub fn issuers(&self) -> Result<Vec<Authority<AuthorityKey>>, LocalError> {
        let mut issuers = Vec::new();
        if let Some(key) = load_root_key(&self.store, &self.tokens, self.root.public_key())?
            && let Ok(root) = Authority::new(self.root.clone(), key)
        {
            issuers.push(root);
        }
        for (root, name) in former_roots(&self.store)? {
            let key: ObjectName = name.as_str().replace(".pem", ".key").parse()?;
            let key = self.store.get(&key)?;
            let key = key.and_then(|object| {
                AuthorityKey::read(&object.bytes, &self.tokens, root.public_key()).ok()
            });
            issuers.extend(key.and_then(|key| Authority::new(root, key).ok()));
        }
        for prefix in ["ca/intermediate", RETIRED] {
            for name in self.store.list(prefix)? {
                let object = self.store.get(&name)?;
                issuers.extend(
                    object
                        .as_ref()
                        .and_then(|object| read_authority(object, &self.tokens)),
                );
            }
        }
        Ok(issuers)
    }

    /// The certificates of all issuers, the root's first, whether their keys are there or not.
    pub fn issuer_certificates(&self) -> Result<Vec<Certificate>, LocalError> {
        let mut certificates = vec![self.root.clone()];
        certificates.extend(former_roots(&self.store)?.into_iter().map(|(root, _)| root));
        for prefix in ["ca/intermediate", RETIRED] {
            for name in self.store.list(prefix)? {
                let object = self.store.get(&name)?;
                certificates.extend(object.and_then(|object| {
                    let ders = pem::certificates(&object.bytes).ok()?;
                    Certificate::from_der(ders.first()?).ok()
                }));
            }
        }
        Ok(certificates)
    }

    /// Keeps an intermediate that is about to be replaced: what it issued can only be revoked with
    /// its key.
    pub(super) fn retire(&self, kept: &Object, now: SystemTime) -> Result<(), LocalError> {
        let Some(old) = read_authority(kept, &self.tokens) else {
            return Ok(());
        };
        if !old.certificate().is_valid_at(now) {
            return Ok(());
        }
        let digits = old.certificate().public_key().fingerprint().short();
        let name: ObjectName = format!("{RETIRED}-{digits}.pem").parse()?;
        let there = self.store.get(&name)?.map(|object| object.version);
        self.store
            .put_if_unchanged(&name, &kept.bytes, there.as_ref())?;
        Ok(())
    }
}

/// By what addresses name an issuer: the first 16 digits of its key's SHA-256.
#[must_use]
pub fn issuer_id(key: &Fingerprint) -> String {
    key.to_string()[..16].to_owned()
}

/// Addresses of a policy for what `issuer` issues: `{issuer}` in them stands for its digits.
pub(super) fn addresses(templates: &[String], issuer: &Certificate) -> Vec<String> {
    let id = issuer_id(&issuer.public_key().fingerprint());
    let filled = templates
        .iter()
        .map(|address| address.replace("{issuer}", &id));
    filled.collect()
}

/// The template with its addresses filled in for what `issuer` issues.
pub(super) fn with_addresses(mut template: Template, issuer: &Certificate) -> Template {
    for list in [
        &mut template.crls,
        &mut template.ocsp,
        &mut template.ca_issuers,
    ] {
        *list = addresses(list, issuer);
    }
    template
}

const RETIRED: &str = "ca/retired";
