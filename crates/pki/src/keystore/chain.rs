//! Which certificate belongs to which key, and which to that one's chain: PKCS#12 keeps them all in one
//! heap.

use std::cell::Cell;
use std::collections::HashMap;

use rustls_pki_types::CertificateDer;

use crate::der::{DerError, Reader, Tag};

/// The names in a certificate, as they are written.
struct Names {
    issuer: Vec<u8>,
    subject: Vec<u8>,
}

/// The certificates of a file, by what their issuers call them.
pub(super) struct Heap<'c> {
    certificates: &'c [CertificateDer<'static>],
    names: Vec<Option<Names>>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    /// How many signatures may still be looked at.
    checks: Cell<usize>,
}

impl<'c> Heap<'c> {
    pub(super) fn new(certificates: &'c [CertificateDer<'static>]) -> Self {
        let names: Vec<Option<Names>> = certificates.iter().map(|der| names(der).ok()).collect();
        let mut by_subject: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, names) in names.iter().enumerate() {
            if let Some(names) = names {
                by_subject
                    .entry(names.subject.clone())
                    .or_default()
                    .push(index);
            }
        }
        Self {
            certificates,
            names,
            by_subject,
            checks: Cell::new(MAX_CHECKS),
        }
    }

    /// The places of the certificates from `leaf` up to its root, or as far as they are there.
    pub(super) fn chain(&self, leaf: usize) -> Vec<usize> {
        let mut chain = vec![leaf];
        let mut last = leaf;
        while let Some(names) = &self.names[last]
            && names.issuer != names.subject
            && chain.len() < MAX_CHAIN
        {
            let none = Vec::new();
            let candidates = self.by_subject.get(&names.issuer).unwrap_or(&none);
            let unused = || {
                let unused = candidates.iter().filter(|index| !chain.contains(index));
                unused.copied().take(MAX_CANDIDATES)
            };
            // Several of one name are rare: a CA that was renewed with a new key.
            let signer =
                unused().find(|issuer| candidates.len() == 1 || self.signed(last, *issuer));
            let Some(issuer) = signer.or_else(|| unused().next()) else {
                break;
            };
            chain.push(issuer);
            last = issuer;
        }
        chain
    }

    fn signed(&self, certificate: usize, issuer: usize) -> bool {
        let Some(left) = self.checks.get().checked_sub(1) else {
            return false;
        };
        self.checks.set(left);
        let read = |index: usize| crate::Certificate::from_der(&self.certificates[index]);
        match (read(certificate), read(issuer)) {
            (Ok(certificate), Ok(issuer)) => certificate.is_signed_by(&issuer),
            _ => false,
        }
    }
}

/// Reads just the names (RFC 5280, section 4.1): a keystore is not refused because one of a hundred
/// certificates has an odd extension.
fn names(der: &[u8]) -> Result<Names, DerError> {
    let mut certificate = Reader::only(der, Tag::SEQUENCE)?.reader();
    let mut body = certificate.sequence()?;
    body.optional(Tag::context_constructed(0))?;
    body.expect(Tag::INTEGER)?;
    body.expect(Tag::SEQUENCE)?;
    let issuer = body.expect(Tag::SEQUENCE)?.whole.to_vec();
    body.expect(Tag::SEQUENCE)?;
    let subject = body.expect(Tag::SEQUENCE)?.whole.to_vec();
    Ok(Names { issuer, subject })
}

/// Longer chains are not seen, and would only be a way to cost time.
const MAX_CHAIN: usize = 16;

/// How many of one name are tried.
const MAX_CANDIDATES: usize = 8;

/// How many signatures are looked at for a whole file: each takes up to a millisecond.
const MAX_CHECKS: usize = 1_000;
