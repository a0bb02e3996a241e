//! Whatever byte of a journal is changed, an audit finds it.

use std::cell::RefCell;
use std::fs;

use proptest::prelude::*;
use ravelin_certs::journal::{Journal, audit};
use ravelin_pki::RevocationReason;

use super::{Place, crl, event, now, revoke};

/// A journal, and its inventory, of which a copy is made for each try.
fn journal() -> (Place, Vec<u8>) {
    let place = Place::new();
    let mut journal = place.journal();
    for name in ["a.localhost", "b.localhost", "c.localhost"] {
        let leaf = place.issue(name);
        let revoked = revoke(&leaf.serial, RevocationReason::Superseded);
        journal.append(&[event(&leaf), revoked], now()).unwrap();
    }
    // The last line is covered by the inventory alone.
    journal
        .append(&[crl(1), event(&place.issue("d.localhost"))], now())
        .unwrap();
    drop(journal);
    let bytes = fs::read(place.path()).unwrap();
    (place, bytes)
}

/// Whether something is wrong, for one who asks at once, and for one who asks after the journal was
/// used.
fn is_found(place: &Place) -> (bool, bool) {
    let wrong = || !audit(&place.store, None).unwrap().is_clean();
    let at_once = wrong();
    let later = Journal::open(&place.store).is_err() || wrong();
    (at_once, later)
}

#[test]
fn a_changed_byte_is_found() {
    let (place, bytes) = journal();
    let database = fs::read(place.database()).unwrap();
    assert_eq!(is_found(&place), (false, false));
    let place = RefCell::new(place);
    proptest!(ProptestConfig::with_cases(256), |(at in 0..bytes.len(), change in 1..=255u8)| {
        let place = place.borrow_mut();
        let mut changed = bytes.clone();
        changed[at] ^= change;
        fs::write(place.path(), &changed).unwrap();
        fs::write(place.database(), &database).unwrap();
        prop_assert_eq!(is_found(&place), (true, true), "byte {}", at);
    });
}

#[test]
fn lines_taken_out_put_in_and_changed_about_are_found() {
    let (place, bytes) = journal();
    let database = fs::read(place.database()).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let mut tries: Vec<Vec<&[u8]>> = Vec::new();
    for at in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        let mut swapped = lines.clone();
        swapped.swap(at, (at + 1) % lines.len());
        tries.extend([without, twice, swapped, lines[..at].to_vec()]);
    }
    for changed in tries {
        fs::write(place.path(), changed.concat()).unwrap();
        fs::write(place.database(), &database).unwrap();
        assert_eq!(is_found(&place), (true, true), "{} lines", changed.len());
    }
}
