//! Who may come in, and how often.

use std::num::NonZeroU32;
use std::sync::Arc;

use argon2::{Params, PasswordHash};
use ravelin_server::site::{BasicAuth, RateLimit};

use super::super::fault::Fault;
use super::super::placed::Key;
use super::super::raw;
use super::{Check, value};

/// The names and hashes of those who may come in.
pub(super) fn auth(key: &Key<raw::Auth>, check: &mut Check<'_>) -> Option<Arc<BasicAuth>> {
    let raw = key.value()?;
    let realm = match raw.realm.given() {
        Some(at) => {
            if !is_realm(&at.value) {
                check.problems.add(&at.place, Fault::Realm);
            }
            at.value.clone()
        }
        None => DEFAULT_REALM.to_owned(),
    };
    let mut users = Vec::new();
    for (name, hash) in raw.users.value().into_iter().flat_map(|named| &named.0) {
        if !is_user_name(&name.value) {
            let fault = Fault::UserName(name.value.clone());
            check.problems.add(&name.place, fault);
        }
        if !is_argon2(&hash.value) {
            let fault = Fault::Password(name.value.clone());
            check.problems.add(&hash.place, fault);
        }
        users.push((name.value.clone(), hash.value.clone()));
    }
    Some(Arc::new(BasicAuth { realm, users }))
}

/// How often one address may come.
pub(super) fn rate_limit(key: &Key<raw::RateLimit>, check: &mut Check<'_>) -> Option<RateLimit> {
    let raw = key.value()?;
    let per = value::time(&raw.per, std::time::Duration::from_secs(1), check);
    let requests = NonZeroU32::new(raw.requests.copied_or(1))?;
    let burst = NonZeroU32::new(raw.burst.copied_or(requests.get()))?;
    Some(RateLimit {
        requests,
        per,
        burst,
    })
}

/// The realm goes into a quoted string of a header (RFC 9110, section 11.5).
fn is_realm(text: &str) -> bool {
    text.bytes()
        .all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\')
}

/// RFC 7617, section 2: the first colon ends the name.
fn is_user_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c == ':' || c.is_control())
}

fn is_argon2(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| {
        argon2::Algorithm::try_from(hash.algorithm).is_ok()
            && hash.salt.is_some()
            && hash.hash.is_some()
            && Params::try_from(&hash).is_ok()
    })
}

const DEFAULT_REALM: &str = "Restricted";
