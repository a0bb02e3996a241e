//! What is worth telling of the certificates that were given, though nothing fails because of it.

use super::title;
use super::verdict::{Remark, Verdict};
use crate::certificate::Certificate;

/// Remarks on a chain as it was given: the leaf, and what came with it.
pub(super) fn of(chain: &[Certificate], verdict: &Verdict<'_>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let first = &chain[0];
    if first.is_ca()
        && let Some(place) = chain.iter().position(|other| !other.is_ca())
    {
        remarks.push(Remark::LeafNotFirst {
            first: title(first),
            leaf: title(&chain[place]),
            place: place + 1,
        });
        return remarks;
    }
    let path = verdict.best();
    let place_in_path = |certificate: &Certificate| {
        let mut path = path.certificates.iter();
        path.position(|other| other.der() == certificate.der())
    };
    let places: Vec<usize> = chain.iter().filter_map(place_in_path).collect();
    if !places.is_sorted() {
        remarks.push(Remark::WrongOrder);
    }
    if path.holds() {
        let numbered = chain.iter().enumerate();
        let unused = numbered.filter(|(_, certificate)| place_in_path(certificate).is_none());
        remarks.extend(unused.map(|(place, certificate)| Remark::NotNeeded {
            title: title(certificate),
            place: place + 1,
        }));
    }
    remarks
}
