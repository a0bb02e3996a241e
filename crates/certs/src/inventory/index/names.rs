//! The names of certificates: all of them packed one behind the other, for who asks for a part, and a
//! hash of each, for who asks for a whole one.
//!
//! Hashes lie in no order of time: to put those of each new certificate where they belong would be to
//! read and write a page for every name. So they are put there when many have come, sorted; until then
//! the packs of those few are gone through. Whether a certificate really has the name is seen where its
//! record is read.

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use ravelin_pki::Fingerprint;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::values::{signed, unsigned};
use crate::journal::event::Issued;

/// Packs the names of the certificate that entry `sequence` issued.
pub(super) fn add(
    connection: &Connection,
    sequence: u64,
    leaf: &Issued,
) -> Result<(), rusqlite::Error> {
    let last: Option<(i64, u64)> = connection
        .prepare_cached("SELECT first, length(texts) FROM packed ORDER BY first DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, unsigned(row, 1)?)))
        .optional()?;
    let mut packed = Vec::new();
    match last {
        Some((first, length)) if length < PACK as u64 && fits(first, sequence) => {
            pack(first, sequence, leaf, &mut packed);
            connection
                .prepare_cached(
                    "UPDATE packed SET texts = CAST(texts || ?2 AS BLOB) WHERE first = ?1",
                )?
                .execute(params![first, packed])?;
        }
        _ => {
            let first = signed(sequence)?;
            pack(first, sequence, leaf, &mut packed);
            put_pack(connection, first, &packed)?;
        }
    }
    Ok(())
}

/// As [`add`], for many certificates that go in at once.
#[derive(Default)]
pub(super) struct Packer {
    first: i64,
    packed: Vec<u8>,
}

impl Packer {
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        sequence: u64,
        leaf: &Issued,
    ) -> Result<(), rusqlite::Error> {
        if self.packed.len() >= PACK || !fits(self.first, sequence) {
            self.finish(connection)?;
        }
        if self.packed.is_empty() {
            self.first = signed(sequence)?;
        }
        pack(self.first, sequence, leaf, &mut self.packed);
        Ok(())
    }

    pub(super) fn finish(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        if !self.packed.is_empty() {
            put_pack(connection, self.first, &self.packed)?;
            self.packed.clear();
        }
        Ok(())
    }
}

fn put_pack(connection: &Connection, first: i64, packed: &[u8]) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO packed (first, texts) VALUES (?1, ?2)")?
        .execute(params![first, packed])?;
    Ok(())
}

/// What a certificate can be found by: its names, and the subject where there is one.
pub(crate) fn texts(leaf: &Issued) -> impl Iterator<Item = &str> {
    let subject = Some(leaf.subject.as_str()).filter(|subject| !subject.is_empty());
    leaf.names.iter().map(String::as_str).chain(subject)
}

/// Whether the names of so many certificates are only packed that it is time to sort them in.
pub(super) fn are_to_be_sorted(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached("SELECT sequence - named >= max(?1, named / ?2) FROM built")?
        .query_row([signed(UNSORTED)?, SORTED_PER_UNSORTED], |row| row.get(0))
}

/// Puts the hashes of the names that are only packed into their table, in its order: each page of it is
/// written once at most, however many they are.
pub(super) fn sort_in(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    transaction.execute_batch(
        "DROP TABLE IF EXISTS temp.unsorted;
         CREATE TEMP TABLE unsorted (hash INTEGER, certificate INTEGER);",
    )?;
    let mut insert = transaction.prepare("INSERT INTO temp.unsorted VALUES (?1, ?2)")?;
    let after = named(transaction)?;
    for_each_packed(transaction, after, |sequence, packed| {
        for text in packed.split(|octet| *octet == TEXT).skip(1) {
            insert.execute(params![hash_of_lower_case(text), signed(sequence)?])?;
        }
        Ok(())
    })?;
    drop(insert);
    transaction.execute_batch(
        "INSERT OR IGNORE INTO named (hash, certificate)
         SELECT hash, certificate FROM temp.unsorted ORDER BY hash, certificate;
         DROP TABLE temp.unsorted;
         UPDATE built SET named = sequence;",
    )
}

/// The last entry whose names are in their table. Those of later ones are only packed.
pub(crate) fn named(connection: &Connection) -> Result<u64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT named FROM built")?
        .query_row([], |row| unsigned(row, 0))
}

/// The first 8 octets of the SHA-256, as nobody can choose names that are alike in it; ASCII letters
/// of either case are.
pub(crate) fn hash(text: &str) -> i64 {
    hash_of_lower_case(text.to_ascii_lowercase().as_bytes())
}

fn hash_of_lower_case(text: &[u8]) -> i64 {
    let digest = Fingerprint::of(text);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    i64::from_be_bytes(first)
}

/// Certificates that seem to have just that name; `None` where there are more than `most`.
pub(crate) fn with_name(
    connection: &Connection,
    name: &str,
    most: usize,
) -> Result<Option<Vec<u64>>, rusqlite::Error> {
    let after = named(connection)?;
    let mut statement =
        connection.prepare_cached("SELECT certificate FROM named WHERE hash = ?1 LIMIT ?2")?;
    let limit = signed(most as u64)?.saturating_add(1);
    let rows = statement.query_map(params![hash(name), limit], |row| unsigned(row, 0))?;
    let mut found = rows.collect::<Result<Vec<_>, _>>()?;
    let mut begun = vec![TEXT];
    begun.extend(name.bytes().map(|octet| octet.to_ascii_lowercase()));
    let all = find_packed(connection, after, &begun, most, &mut found)?;
    Ok(Some(found).filter(|_| all))
}

/// Certificates that have `part` in a name or the subject; `None` where there are more than `most`.
pub(crate) fn with_part(
    connection: &Connection,
    part: &str,
    most: usize,
) -> Result<Option<Vec<u64>>, rusqlite::Error> {
    let mut found = Vec::new();
    let part = part.to_ascii_lowercase();
    let all = find_packed(connection, 0, part.as_bytes(), most, &mut found)?;
    Ok(Some(found).filter(|_| all))
}

/// Adds the certificates of entries after `after` that have `part` in their packed texts; `false` where
/// that makes them more than `most`.
fn find_packed(
    connection: &Connection,
    after: u64,
    part: &[u8],
    most: usize,
    found: &mut Vec<u64>,
) -> Result<bool, rusqlite::Error> {
    let finder = Finder::new(part);
    let mut statement = connection.prepare_cached(PACKED_AFTER)?;
    let mut rows = statement.query([first_after(after)?])?;
    while found.len() <= most
        && let Some(row) = rows.next()?
    {
        let packed = row.get_ref(1)?.as_bytes()?;
        let mut from = 0;
        while let Some(at) = packed.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            let begin = memrchr(CERTIFICATE, &packed[..at]).unwrap_or(0);
            let distance = packed.get(begin + 1).copied().unwrap_or(DISTANCE);
            let sequence = unsigned(row, 0)? + u64::from(distance.saturating_sub(DISTANCE));
            if sequence > after {
                found.push(sequence);
            }
            // On to the next certificate.
            from = memchr(CERTIFICATE, &packed[at..]).map_or(packed.len(), |next| at + next);
        }
    }
    Ok(found.len() <= most)
}

/// The packs that have certificates of entries after one: of that in which it is, too.
const PACKED_AFTER: &str = "SELECT first, texts FROM packed WHERE first > ?1";

fn first_after(after: u64) -> Result<i64, rusqlite::Error> {
    signed(after.saturating_sub(DISTANCES))
}

/// Hands over the packed texts of each certificate of an entry after `after`, as [`pack`] makes them.
pub(crate) fn for_each_packed(
    connection: &Connection,
    after: u64,
    mut take: impl FnMut(u64, &[u8]) -> Result<(), rusqlite::Error>,
) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare_cached(PACKED_AFTER)?;
    let mut rows = statement.query([first_after(after)?])?;
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(1)?.as_bytes()?;
        for one in packed.split(|octet| *octet == CERTIFICATE).skip(1) {
            let distance = one
                .first()
                .map_or(0, |octet| octet.saturating_sub(DISTANCE));
            let sequence = unsigned(row, 0)? + u64::from(distance);
            if sequence > after {
                take(sequence, one.get(1..).unwrap_or_default())?;
            }
        }
    }
    Ok(())
}

/// What [`for_each_packed`] tells of a certificate with these texts.
pub(crate) fn packed_texts(leaf: &Issued) -> Vec<u8> {
    let mut packed = Vec::new();
    for text in texts(leaf) {
        packed.push(TEXT);
        packed.extend(text.bytes().map(|octet| octet.to_ascii_lowercase()));
    }
    packed
}

/// A certificate in a pack: how far its number is from the pack's first, and its texts. None of the
/// octets between the texts can be in what is searched for, which is UTF-8.
fn pack(first: i64, sequence: u64, leaf: &Issued, to: &mut Vec<u8>) {
    let distance = sequence.saturating_sub(first.unsigned_abs());
    to.push(CERTIFICATE);
    to.push(DISTANCE | (distance as u8 & (DISTANCES as u8 - 1)));
    to.extend(packed_texts(leaf));
}

fn fits(first: i64, sequence: u64) -> bool {
    u64::try_from(first)
        .ok()
        .and_then(|first| sequence.checked_sub(first))
        .is_some_and(|distance| distance < DISTANCES)
}

/// From so many entries on, names are sorted in. To go through the packs of so many takes a fraction of a
/// millisecond; the more there are, the more of them go into each page that is written.
const UNSORTED: u64 = 16_384;

/// Where the table has grown large, as many again as a sixteenth of it wait: it is then written no more
/// than sixteen times over, however large it grows. A search goes through the packs of those that wait.
const SORTED_PER_UNSORTED: i64 = 16;

/// Octets from which on a pack takes no more certificates: each that is added writes it once more.
const PACK: usize = 4096;

/// How far the numbers of a pack's certificates may be apart: as many as there are octets that only
/// go on with a character of UTF-8.
const DISTANCES: u64 = 64;

/// Octets that UTF-8 has nowhere, or, the last, not where a character begins.
const CERTIFICATE: u8 = 0xff;
const TEXT: u8 = 0xfe;
const DISTANCE: u8 = 0x80;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use ravelin_pki::SerialNumber;

    use super::super::tables::TABLES;
    use super::super::{Built, set_built};
    use super::*;

    fn leaf(names: &[&str], subject: &str) -> Issued {
        Issued {
            issuer: Fingerprint::of(b""),
            serial: SerialNumber::from_der_content(&[1]),
            subject: subject.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            not_before: UNIX_EPOCH,
            not_after: UNIX_EPOCH,
            profile: String::new(),
            requester: None,
            request: None,
            certificate: Vec::new().into(),
        }
    }

    #[test]
    fn a_part_is_found_in_the_names_of_the_certificates_that_have_it_and_nowhere_between() {
        let all = [
            (1, leaf(&["a.test", "B\u{fc}ro.test"], "CN=Ada")),
            (2, leaf(&[], "")),
            (64, leaf(&["x\0y", "test"], "")),
            // Too far for the pack of the first.
            (70, leaf(&["?", "\u{80}"], "")),
            (300, leaf(&["last", &"long".repeat(2000)], "")),
            (301, leaf(&["last"], "")),
        ];
        let one_by_one = Connection::open_in_memory().unwrap();
        let at_once = Connection::open_in_memory().unwrap();
        let mut packer = Packer::default();
        for connection in [&one_by_one, &at_once] {
            connection.execute_batch(TABLES).unwrap();
        }
        for (sequence, leaf) in &all {
            add(&one_by_one, *sequence, leaf).unwrap();
            packer.add(&at_once, *sequence, leaf).unwrap();
        }
        packer.finish(&at_once).unwrap();
        for connection in [&one_by_one, &at_once] {
            let with = |part: &str| with_part(connection, part, 9).unwrap().unwrap();
            assert_eq!(with("TEST"), [1, 64]);
            assert_eq!(with("\u{fc}ro"), [1]);
            assert_eq!(with("cn=ada"), [1]);
            assert_eq!(with("x\0y"), [64]);
            assert_eq!(
                with("\u{80}"),
                [70],
                "which has the octet of a distance in it"
            );
            assert_eq!(with("last"), [300, 301]);
            assert_eq!(with("longlong"), [300]);
            assert_eq!(with("ytest"), [0; 0], "no name goes on with the next");
            assert_eq!(with("\u{1}"), [0; 0]);
            assert_eq!(with_part(connection, "t", 2).unwrap(), None, "too many");
            let mut told = Vec::new();
            for_each_packed(connection, 0, |sequence, texts| {
                told.push((sequence, texts.to_vec()));
                Ok(())
            })
            .unwrap();
            let expected = all.iter().map(|(at, leaf)| (*at, packed_texts(leaf)));
            assert_eq!(told, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn whole_names_are_found_whether_they_are_sorted_in_or_only_packed() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        let empty = Built::NOTHING;
        for sorted_every in [1, 2, 3, 100, 1000] {
            let transaction = connection.transaction().unwrap();
            set_built(&transaction, empty).unwrap();
            for sequence in 1..=200 {
                // One that others have too, and one that goes on as another begins.
                let own = format!("Host-{sequence}.test");
                let leaf = leaf(&["all.test", &own, &own], "");
                add(&transaction, sequence, &leaf).unwrap();
                set_built(&transaction, Built { sequence, ..empty }).unwrap();
                if sequence % sorted_every == 0 {
                    sort_in(&transaction).unwrap();
                    assert_eq!(named(&transaction).unwrap(), sequence);
                }
                let with = |name: &str, most| with_name(&transaction, name, most).unwrap();
                assert_eq!(with(&own, 1), Some(vec![sequence]));
                assert_eq!(with("host-201.test", 1), Some(vec![]));
                let all = usize::try_from(sequence).unwrap();
                let found = with("ALL.test", all).map(|found| found.len());
                assert_eq!(found, Some(all));
                assert_eq!(with("all.test", all - 1), None, "too many");
            }
            transaction.rollback().unwrap();
        }
    }
}
