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
pub(super) fn made(certificate: &Certificate) -> Event {
    Event::AuthorityMade(AuthorityNoted::new(certificate))
}

/// A certificate was signed.
pub(super) fn issued(
    certificate: &Certificate,
    issuer: &Certificate,
    profile: &str,
    asked: Option<&Asked>,
) -> Event {
    let mut event = Issued::new(certificate, issuer.public_key(), profile);
    if let Some(asked) = asked {
        event.requester.clone_from(&asked.by);
        event.request = asked.request;
    }
    event.into()
}

/// Writes events down that belong together: the journal is opened and synced once, and has all of
/// them or none.
pub(super) fn append(
    store: &FileStore,
    events: &[Event],
    now: SystemTime,
) -> Result<(), LocalError> {
    Journal::open(store)?.append(events, now)?;
    Ok(())
}
