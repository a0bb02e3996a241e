//! What the journal tells, kept in memory while it is read, by rules of its own: an inventory that is
//! wrong must not hide what is wrong in the journal.

use std::collections::{HashMap, HashSet};

use ravelin_pki::{Certificate, Fingerprint, RevocationReason, SerialNumber};

use crate::inventory::Revocation;
use crate::journal::entry::Entry;
use crate::journal::error::{Fault, Refusal};
use crate::journal::event::{Event, Issued};
use crate::journal::form::seconds;

/// An issuer and a serial number, as a digest: a million of them are to fit in memory.
pub(super) type Key = [u8; 16];

#[derive(Debug, Default)]
pub(super) struct Model {
    issued: HashSet<Key>,
    pub(super) revoked: HashMap<Key, Revocation>,
    pub(super) crls: HashMap<Fingerprint, Vec<(u64, Fingerprint)>>,
}

impl Model {
    pub(super) fn certificates(&self) -> u64 {
        self.issued.len() as u64
    }

    pub(super) fn revoked(&self) -> u64 {
        self.revoked.len() as u64
    }

    pub(super) fn has_issued(&self, key: &Key) -> bool {
        self.issued.contains(key)
    }

    /// Takes an entry in, and tells what is wrong with it.
    pub(super) fn take(&mut self, entry: &Entry, mut fault: impl FnMut(Fault)) {
        match &entry.event {
            Event::Issued(issued) => {
                check_certificate(issued, &mut fault);
                let key = key(&issued.issuer, &issued.serial);
                if !self.issued.insert(key) || self.revoked.contains_key(&key) {
                    fault(Fault::Impossible(Refusal::SerialTwice {
                        serial: issued.serial.clone(),
                        issuer: issued.issuer,
                    }));
                }
            }
            Event::Revoked(revoked) => {
                if revoked.reason == RevocationReason::RemoveFromCrl {
                    fault(Fault::Impossible(Refusal::NotAReason));
                }
                let key = key(&revoked.issuer, &revoked.serial);
                let before = self.revoked.insert(
                    key,
                    Revocation {
                        at: revoked.at,
                        reason: revoked.reason,
                    },
                );
                if let Some(before) = before
                    && (before.reason != RevocationReason::CertificateHold
                        || revoked.reason == RevocationReason::CertificateHold)
                {
                    fault(Fault::Impossible(Refusal::RevokedBefore {
                        serial: revoked.serial.clone(),
                        reason: before.reason,
                    }));
                }
            }
            Event::RevocationUndone(undone) => {
                let serial = || undone.serial.clone();
                match self.revoked.remove(&key(&undone.issuer, &undone.serial)) {
                    Some(before) if before.reason == RevocationReason::CertificateHold => {}
                    Some(Revocation { reason, .. }) => {
                        let serial = serial();
                        fault(Fault::Impossible(Refusal::NotOnHold { serial, reason }));
                    }
                    None => fault(Fault::Impossible(Refusal::NotRevoked { serial: serial() })),
                }
            }
            Event::CrlIssued(crl) => {
                let list = self.crls.entry(crl.issuer).or_default();
                if let Some((last, _)) = list.last()
                    && crl.number <= *last
                {
                    fault(Fault::Impossible(Refusal::CrlNumber {
                        number: crl.number,
                        last: *last,
                    }));
                }
                list.push((crl.number, crl.fingerprint));
            }
            _ => {}
        }
    }
}

pub(super) fn key(issuer: &Fingerprint, serial: &SerialNumber) -> Key {
    let mut bytes = issuer.as_bytes().to_vec();
    bytes.extend_from_slice(serial.der_content());
    let mut key = Key::default();
    key.copy_from_slice(&Fingerprint::of(&bytes).as_bytes()[..16]);
    key
}

/// Whether the certificate is one, and what the entry says of it is what it says.
fn check_certificate(issued: &Issued, fault: &mut impl FnMut(Fault)) {
    let certificate = match Certificate::from_der(&issued.certificate) {
        Ok(certificate) => certificate,
        Err(error) => return fault(Fault::Certificate(error)),
    };
    let names = certificate.alternative_names();
    let same_names = names
        .iter()
        .map(ToString::to_string)
        .eq(issued.names.iter().cloned());
    let fields = [
        ("serial", *certificate.serial_number() == issued.serial),
        ("subject", certificate.subject() == issued.subject),
        ("names", same_names),
        (
            "not_before",
            seconds(certificate.not_before()) == seconds(issued.not_before),
        ),
        (
            "not_after",
            seconds(certificate.not_after()) == seconds(issued.not_after),
        ),
    ];
    for (field, same) in fields {
        if !same {
            fault(Fault::Field { field });
        }
    }
}
