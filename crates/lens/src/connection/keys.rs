//! What protects the records of one side, and what may.

use std::fmt;

use ravelin_wire::record::Record;

use crate::ledger::QuantityId;
use crate::protection::{Opened, Protection};
use crate::schedule::tls13::TrafficKeys;
use crate::story::{Epoch, Sealed};

/// What protects the records of one side.
#[derive(Debug)]
pub(super) struct Guard {
    /// Which keys.
    pub(super) epoch: Epoch,
    pub(super) seal: Seal,
    /// Keys that follow at a moment that is not seen for certain: 0-RTT data that the server may or may not
    /// have taken, or messages that could not be decrypted.
    pub(super) next: Option<Box<Keys>>,
    /// Which of the story's checks is over these records.
    pub(super) check: Option<usize>,
    /// How many records may be missing before the next.
    pub(super) gap: u64,
}

#[derive(Debug)]
pub(super) enum Seal {
    Clear,
    Open(Box<Keys>),
    Sealed(Sealed),
}

/// Keys, and which quantities of the ledger they are.
pub(super) struct Keys {
    pub(super) epoch: Epoch,
    pub(super) protection: Protection,
    pub(super) secret: Option<QuantityId>,
    pub(super) key: Option<QuantityId>,
    pub(super) iv: Option<QuantityId>,
    pub(super) mac_key: Option<QuantityId>,
    /// How many records were opened with them.
    pub(super) opened: u64,
}

impl Keys {
    /// Those of TLS 1.3, which opened nothing yet.
    pub(super) fn of_traffic(epoch: Epoch, protection: Protection, keys: TrafficKeys) -> Self {
        Self {
            epoch,
            protection,
            secret: Some(keys.secret),
            key: Some(keys.key),
            iv: Some(keys.iv),
            mac_key: None,
            opened: 0,
        }
    }
}

/// A record that was opened.
pub(super) struct Unsealed {
    pub(super) opened: Opened,
    pub(super) sequence: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            epoch: Epoch::Clear,
            seal: Seal::Clear,
            next: None,
            check: None,
            gap: 0,
        }
    }
}

impl Guard {
    /// From now on these keys, or none that are known.
    pub(super) fn change(&mut self, epoch: Epoch, keys: Result<Keys, Sealed>) {
        self.epoch = epoch;
        self.next = None;
        self.gap = 0;
        self.seal = match keys {
            Ok(keys) => Seal::Open(Box::new(keys)),
            Err(sealed) => Seal::Sealed(sealed),
        };
    }

    /// The keys that may follow take the place of those that there are.
    pub(super) fn go_on(&mut self) -> bool {
        let Some(next) = self.next.take() else {
            return false;
        };
        self.epoch = next.epoch;
        self.seal = Seal::Open(next);
        true
    }

    /// The keys in use.
    pub(super) fn keys(&self) -> Option<&Keys> {
        match &self.seal {
            Seal::Open(keys) => Some(keys),
            _ => None,
        }
    }

    /// Opens a record with the keys in use, or with those that may follow.
    pub(super) fn open(&mut self, record: &Record<'_>) -> Result<Unsealed, Sealed> {
        let gap = std::mem::take(&mut self.gap);
        if let Seal::Open(keys) = &mut self.seal
            && let Some(unsealed) = keys.open(record, gap)
        {
            return Ok(unsealed);
        }
        if let Some(next) = &mut self.next
            && let Some(unsealed) = next.open(record, gap)
        {
            self.go_on();
            return Ok(unsealed);
        }
        let sealed = match &self.seal {
            Seal::Open(_) if gap > 0 => Sealed::Lost,
            Seal::Open(keys) => Sealed::WrongKeys { after: keys.opened },
            Seal::Sealed(sealed) => return Err(*sealed),
            Seal::Clear => return Err(Sealed::NoKeys),
        };
        self.seal = Seal::Sealed(sealed);
        Err(sealed)
    }
}

impl Keys {
    /// Opens a record, before which up to `gap` may be missing.
    fn open(&mut self, record: &Record<'_>, gap: u64) -> Option<Unsealed> {
        for _ in 0..=gap {
            let sequence = self.protection.sequence();
            if let Ok(opened) = self.protection.open(record) {
                self.opened += 1;
                return Some(Unsealed { opened, sequence });
            }
            if gap > 0 {
                self.protection.skip(1);
            }
        }
        None
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("epoch", &self.epoch)
            .field("opened", &self.opened)
            .finish_non_exhaustive()
    }
}
