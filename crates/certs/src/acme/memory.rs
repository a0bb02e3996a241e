//! What is to be remembered of a certificate besides itself, from one start to the next: what failed, so that a program
//! that is started again and again does not use up a CA's limits, and when the CA suggests to renew.

use std::time::{Duration, SystemTime};

use ravelin_pki::Certificate;
use serde::{Deserialize, Serialize};

use super::renewal::Window;
use crate::store::{FileStore, ObjectName, Store as _, StoreError};

/// `NAME-HASH.json`. Times are in seconds since 1970. One that cannot be read is as none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Since the last success.
    pub(super) failed: Option<Failed>,
    /// When the certificate came.
    pub(super) came_at: Option<u64>,
    pub(super) suggested: Option<Suggested>,
}

/// What failed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// How often in a row.
    pub count: u32,
    /// Before when nothing is tried again, in seconds since 1970.
    pub until: u64,
    /// Why, in words.
    pub why: String,
    /// Whether it is the CA that wants it so.
    pub is_bidden: bool,
    /// How it was tried: another way may be tried at once.
    pub way: String,
}

impl Failed {
    /// Before when nothing is tried again.
    #[must_use]
    pub fn until(&self) -> SystemTime {
        time(self.until)
    }
}

/// What a CA suggested (RFC 9773).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Suggested {
    /// For which certificate.
    pub(super) certificate: String,
    /// When it is to be asked again.
    pub(super) again: u64,
    /// From when to when; none where it suggests nothing.
    pub(super) window: Option<(u64, u64)>,
}

impl Memory {
    pub(super) fn read(store: &FileStore, name: &ObjectName) -> Result<Self, StoreError> {
        let object = store.get(name)?;
        let memory = object.and_then(|object| serde_json::from_slice(&object.bytes).ok());
        Ok(memory.unwrap_or_default())
    }

    /// Who writes has the lease of the certificate.
    pub(super) fn write(&self, store: &FileStore, name: &ObjectName) -> Result<(), StoreError> {
        let before = store.get(name)?.map(|object| object.version);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        store.put_if_unchanged(name, &text, before.as_ref())?;
        Ok(())
    }

    /// What was suggested for this certificate.
    pub(super) fn suggested_for(&self, certificate: &Certificate) -> Option<&Suggested> {
        let fingerprint = certificate.fingerprint_sha256().to_string();
        let suggested = self.suggested.as_ref();
        suggested.filter(|suggested| suggested.certificate == fingerprint)
    }
}

impl Suggested {
    pub(super) fn window(&self) -> Option<Window> {
        self.window.map(|(start, end)| Window {
            start: time(start),
            end: time(end),
        })
    }
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// A file may say anything: later than the year 2500 is as good as never.
pub(super) fn time(seconds: u64) -> SystemTime {
    let most = seconds.min(u64::from(u32::MAX) * 4);
    SystemTime::UNIX_EPOCH + Duration::from_secs(most)
}
