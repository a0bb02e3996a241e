//! Which certificate of a heap signed which, and the order that follows from it.
//!
//! Whether a chain may be trusted is another question, which [`crate::verify`] answers.

use std::collections::{HashMap, HashSet};

use crate::certificate::Certificate;

/// Who signed a certificate, among others that lie beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// Itself: a root, or one for a single machine.
    Itself,
    /// The one at this place.
    At(usize),
    /// One that has the right name, and whose key did not make the signature, is at this place.
    Impostor(usize),
    /// None of them.
    Missing,
}

/// Finds the issuer of each certificate among all of them, by name and signature.
///
/// The work is bounded: of certificates of one name, the first eight different ones are tried.
#[must_use]
pub fn issuers(certificates: &[&Certificate]) -> Vec<Issuer> {
    let mut by_subject: HashMap<String, Vec<usize>> = HashMap::new();
    let mut seen = HashSet::new();
    for (index, certificate) in certificates.iter().enumerate() {
        if seen.insert(certificate.der().as_ref()) {
            let same = by_subject.entry(folded(certificate.subject())).or_default();
            if same.len() < MAX_CANDIDATES {
                same.push(index);
            }
        }
    }
    certificates
        .iter()
        .map(|certificate| {
            if certificate.is_self_issued() && certificate.is_signed_by(certificate) {
                return Issuer::Itself;
            }
            let none = Vec::new();
            let candidates = by_subject
                .get(&folded(certificate.issuer()))
                .unwrap_or(&none);
            let others = || {
                candidates
                    .iter()
                    .copied()
                    .filter(|index| certificates[*index].der() != certificate.der())
            };
            let signed = others().find(|index| certificate.is_signed_by(certificates[*index]));
            match (signed, others().next()) {
                (Some(index), _) => Issuer::At(index),
                (None, Some(index)) => Issuer::Impostor(index),
                (None, None) => Issuer::Missing,
            }
        })
        .collect()
}

/// The places of certificates in the order that servers send them in (RFC 8446, section 4.4.2): one
/// that signed no other, then its issuer, and so on; then the next such one. Doubled ones are left out.
/// `first` comes first, with its issuers.
#[must_use]
pub fn ordered(certificates: &[&Certificate], first: Option<usize>) -> Vec<usize> {
    let issuers = issuers(certificates);
    let mut signs = vec![false; certificates.len()];
    for issuer in &issuers {
        if let Issuer::At(index) = issuer {
            signs[*index] = true;
        }
    }
    // Those that sign others come last, for circles of them, which no leaf leads to.
    let leaves = (0..certificates.len()).filter(|index| !signs[*index]);
    let starts = first.into_iter().chain(leaves).chain(0..certificates.len());
    let mut order = Vec::with_capacity(certificates.len());
    let mut taken = HashSet::new();
    for start in starts {
        let mut next = Some(start);
        while let Some(index) = next
            && taken.insert(certificates[index].der().as_ref())
        {
            order.push(index);
            next = match issuers[index] {
                Issuer::At(issuer) => Some(issuer),
                _ => None,
            };
        }
    }
    order
}

/// A name for looking up, near enough to how names are compared: [`Certificate::is_signed_by`] has the
/// last word.
fn folded(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// Signatures of certificates of one name that are tried for each certificate.
const MAX_CANDIDATES: usize = 8;
