//! Why the journal cannot be written or read, and what the user can do about it.

use std::path::{Path, PathBuf};

use ravelin_pki::{CertificateError, Fingerprint, RevocationReason, SerialNumber};

use super::entry::LINE_MAX;
use crate::inventory::InventoryError;
use crate::store::{StoreError, shell_word};

/// Why the journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The journal is not as it was written.
    #[error("line {line} of the journal \"{}\" is damaged", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The number of the line; the first is 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
    /// The event cannot happen now; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such entry.
    #[error("the journal \"{}\" has no entry {sequence} for a certificate", path.display())]
    NoEntry {
        /// The journal.
        path: PathBuf,
        /// The number that was asked for.
        sequence: u64,
    },
    /// The journal cannot be written or read. Where it was written, it is as it was.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its index fails.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Why an event is not written.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Each serial number of an issuer is given once (RFC 5280, section 4.1.2.2).
    #[error("the serial number \"{serial}\" was given by the issuer \"{}\" before", issuer.short())]
    SerialTwice {
        /// The number.
        serial: SerialNumber,
        /// The issuer.
        issuer: Fingerprint,
    },
    /// It is revoked already, and for more than a hold.
    #[error("the certificate \"{serial}\" was revoked before, with the reason \"{reason}\"")]
    RevokedBefore {
        /// Its serial number.
        serial: SerialNumber,
        /// Why it was.
        reason: RevocationReason,
    },
    /// That is how a delta CRL tells of a revocation that was undone.
    #[error(
        "\"{}\" is not a reason to revoke a certificate",
        RevocationReason::RemoveFromCrl
    )]
    NotAReason,
    /// A revocation that cannot be taken back: only a hold can (RFC 5280, section 5.3.1).
    #[error("the revocation of \"{serial}\" cannot be undone: its reason is \"{reason}\"")]
    NotOnHold {
        /// Its serial number.
        serial: SerialNumber,
        /// Why it was revoked.
        reason: RevocationReason,
    },
    /// There is no revocation to take back.
    #[error("the certificate \"{serial}\" is not revoked")]
    NotRevoked {
        /// Its serial number.
        serial: SerialNumber,
    },
    /// The numbers of an issuer's CRLs grow (RFC 5280, section 5.2.3).
    #[error("the CRL number {number} is not greater than the issuer's last, {last}")]
    CrlNumber {
        /// The number.
        number: u64,
        /// The greatest so far.
        last: u64,
    },
    /// A negative number, or one with octets that DER leaves out.
    #[error("the serial number \"{0}\" is negative or not in its shortest form")]
    Serial(SerialNumber),
    /// It is longer than what is read back.
    #[error("the event takes {octets} bytes, and a line of the journal {LINE_MAX} at most")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// It has a time or a text that JSON or SQLite cannot keep.
    #[error("the event cannot be written down")]
    Form(#[source] serde_json::Error),
    /// A time that lies beyond what is kept.
    #[error("the event has a time beyond the year 9999")]
    Time,
    /// A number beyond what is kept.
    #[error("the number {0} is greater than 2^63")]
    Number(u64),
}

/// What is wrong with a line of the journal.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is no entry.
    #[error("it is not an entry")]
    Form(#[source] serde_json::Error),
    /// It is longer than any entry.
    #[error("it is longer than {LINE_MAX} bytes")]
    TooLong,
    /// A line was lost or put in.
    #[error("it says that it is number {found}")]
    Sequence {
        /// What it says.
        found: u64,
    },
    /// This line, or the one before, was changed.
    #[error("the line before it is not the one that it was written after")]
    Chain,
    /// It says what cannot have happened.
    #[error("it tells what cannot have happened")]
    Impossible(#[source] Refusal),
    /// Its certificate cannot be read.
    #[error("its certificate cannot be read")]
    Certificate(#[source] CertificateError),
    /// The record does not say what the certificate says.
    #[error("its {field} is not that of its certificate")]
    Field {
        /// The name of the field in the journal.
        field: &'static str,
    },
    /// The inventory says otherwise.
    #[error("the inventory does not have it as it is")]
    Inventory,
    /// The inventory has a certificate or a revocation that no line tells of.
    #[error("the inventory's {what} are not those of the journal")]
    InventoryRows {
        /// What it has too much or too little of.
        what: &'static str,
    },
    /// SQLite cannot read the inventory, or finds it damaged.
    #[error("the inventory is damaged")]
    InventoryDamaged(#[source] Option<rusqlite::Error>),
    /// The inventory was made when the journal was another one.
    #[error(
        "it, or one before it, is not the line that the inventory had seen: its hash was {seen}"
    )]
    Rewritten {
        /// The hash of the line then.
        seen: Fingerprint,
    },
    /// The line was there, and is not.
    #[error("it is missing, and was there: its hash was {seen}")]
    Missing {
        /// The hash of the line then.
        seen: Fingerprint,
    },
}

impl JournalError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { path, .. } => Some(format!(
                "\"ravelin ca audit\" shows all that is wrong; put {} back from a backup",
                shell_word(path)
            )),
            Self::Refused(Refusal::RevokedBefore { .. }) => {
                Some("nothing is left to do: it is on the next CRL".to_owned())
            }
            Self::Refused(Refusal::NotOnHold { .. }) => Some("issue a new certificate".to_owned()),
            Self::Refused(_) | Self::NoEntry { .. } => None,
            Self::Store(error) => error.hint(),
            Self::Inventory(error) => error.hint(),
        }
    }

    pub(crate) fn damaged(path: &Path, line: u64, fault: Fault) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            line,
            fault,
        }
    }
}
