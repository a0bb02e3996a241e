//! The root of a local CA: loaded, or made once.

use std::time::SystemTime;

use ravelin_pki::authority::self_signed;
use ravelin_pki::{Certificate, DistinguishedName, Oid, PublicKey, Signer as _, Template, pem};

use super::key;
use super::{LEASE, LEASE_PATIENCE, LocalError, Plan, ROOT, object, record};
use crate::store::{FileStore, Store};
use crate::token::Tokens;

pub(super) fn load(store: &dyn Store) -> Result<Option<Certificate>, LocalError> {
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
/// between both leaves, and is used for the certificate then, where it is of the kind that is asked.
pub(super) fn make(
    store: &FileStore,
    plan: &Plan,
    tokens: &Tokens,
    now: SystemTime,
) -> Result<(Certificate, bool), LocalError> {
    let _lease = store.lease(&object(LEASE), LEASE_PATIENCE)?;
    if let Some(root) = load(store)? {
        return Ok((root, false));
    }
    // Of an import that was killed: it holds keys. What cannot be swept now is by the next one.
    let _ = store.sweep();
    let key = key::for_new_root(store, plan, tokens)?;
    let common_name = match &plan.name {
        Some(name) => name.clone(),
        None => name_of(plan, key.public_key()),
    };
    let mut template = Template::ca(ca_subject(plan, &common_name), plan.path_length);
    template.name_constraints.clone_from(&plan.constraints);
    let root = self_signed(&template, key, plan.root_life, now)?;
    let certificate = root.certificate().clone();
    record::append(store, &[record::made(&certificate)], now)?;
    store.put_if_unchanged(&object(ROOT), certificate.to_pem().as_bytes(), None)?;
    Ok((certificate, true))
}

/// The common name of a root that was given none.
pub(super) fn name_of(plan: &Plan, key: &PublicKey) -> String {
    if plan.organization == Plan::default().organization {
        return common_name(key);
    }
    let organization: String = plan.organization.chars().take(40).collect();
    let digits = key.fingerprint().short();
    format!("{organization} root CA {digits}")
}

/// The subject of a root or an intermediate.
pub(super) fn ca_subject(plan: &Plan, common_name: &str) -> DistinguishedName {
    // RFC 5280, appendix A.1, ub-common-name.
    let common_name: String = common_name.chars().take(64).collect();
    DistinguishedName::of(&[
        (Oid::ORGANIZATION, plan.organization.as_str()),
        (Oid::COMMON_NAME, &common_name),
    ])
}

/// "Ravelin local CA HOST 1a2b3c4d": people tell machines apart by the host, verifiers and trust
/// stores tell roots apart by the digits, which are of the key.
fn common_name(key: &PublicKey) -> String {
    let host: String = host_name()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .take(36)
        .collect();
    format!("Ravelin local CA {host} {}", key.fingerprint().short())
}

#[cfg(unix)]
fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

/// What Windows calls itself; "this machine" where nothing says.
#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "this-machine".to_owned())
}
