//! What the local CA does, written into its journal before anyone gets it.

use std::time::SystemTime;

use ravelin_pki::{Certificate, Fingerprint};

use super::LocalError;
use crate::journal::Journal;
use crate::journal::event::{AuthorityNoted, Event, Issued};
use crate::store::FileStore;

/// Who asked for a certificate, and with which request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Who, in words: `ravelin cert new by ada`.
    pub by: Option<String>,
    /// The SHA-256 of the request in DER.
    pub request: Option<Fingerprint>,
}

/// An authority was made.
pub(super) fn made(
    store: &FileStore,
    certificate: &Certificate,
    now: SystemTime,
) -> Result<(), LocalError> {
    let noted = AuthorityNoted::new(certificate);
    Journal::open(store)?.append(&[Event::AuthorityMade(noted)], now)?;
    Ok(())
}

/// A certificate was signed.
pub(super) fn issued(
    store: &FileStore,
    certificate: &Certificate,
    issuer: &Certificate,
    profile: &str,
    asked: Option<&Asked>,
    now: SystemTime,
) -> Result<(), LocalError> {
    let mut event = Issued::new(certificate, issuer.public_key(), profile);
    if let Some(asked) = asked {
        event.requester.clone_from(&asked.by);
        event.request = asked.request;
    }
    Journal::open(store)?.append(&[event.into()], now)?;
    Ok(())
}
