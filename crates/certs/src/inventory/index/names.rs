//! The names of certificates: a hash of each, for who asks for a whole one, and all of them packed
//! one behind the other, for who asks for a part.
//!
//! Whether a certificate really has the name is seen where its record is read.

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use ravelin_pki::Fingerprint;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::values::{signed, unsigned};
use crate::journal::event::Issued;

/// Puts the names of the certificate that entry `sequence` issued into the tables.
pub(super) fn add(
    connection: &Connection,
    sequence: u64,
    leaf: &Issued,
) -> Result<(), rusqlite::Error> {
    let mut named = connection
        .prepare_cached("INSERT OR IGNORE INTO named (hash, certificate) VALUES (?1, ?2)")?;
    for text in texts(leaf) {
        named.execute(params![hash(text), signed(sequence)?])?;
    }
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

/// The first 8 octets of the SHA-256, as nobody can choose names that are alike in it; ASCII letters
/// of either case are.
pub(crate) fn hash(text: &str) -> i64 {
    let digest = Fingerprint::of(text.to_ascii_lowercase().as_bytes());
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
    let mut statement =
        connection.prepare_cached("SELECT certificate FROM named WHERE hash = ?1 LIMIT ?2")?;
    let limit = signed(most as u64)?.saturating_add(1);
    let rows = statement.query_map(params![hash(name), limit], |row| unsigned(row, 0))?;
    let found = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(found).filter(|found| found.len() <= most))
}

/// Certificates that have `part` in a name or the subject; `None` where there are more than `most`.
pub(crate) fn with_part(
    connection: &Connection,
    part: &str,
    most: usize,
) -> Result<Option<Vec<u64>>, rusqlite::Error> {
    let part = part.to_ascii_lowercase();
    let finder = Finder::new(&part);
    let mut found = Vec::new();
    let mut statement = connection.prepare_cached("SELECT first, texts FROM packed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(1)?.as_bytes()?;
        let mut from = 0;
        while let Some(at) = packed.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            let begin = memrchr(CERTIFICATE, &packed[..at]).unwrap_or(0);
            let distance = packed.get(begin + 1).copied().unwrap_or(DISTANCE);
            found.push(unsigned(row, 0)? + u64::from(distance.saturating_sub(DISTANCE)));
            if found.len() > most {
                return Ok(None);
            }
            // On to the next certificate.
            from = memchr(CERTIFICATE, &packed[at..]).map_or(packed.len(), |next| at + next);
        }
    }
    Ok(Some(found))
}

/// Hands over the packed texts of each certificate, as [`pack`] makes them.
pub(crate) fn for_each_packed(
    connection: &Connection,
    mut take: impl FnMut(u64, &[u8]),
) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare("SELECT first, texts FROM packed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(1)?.as_bytes()?;
        for one in packed.split(|octet| *octet == CERTIFICATE).skip(1) {
            let distance = one
                .first()
                .map_or(0, |octet| octet.saturating_sub(DISTANCE));
            take(
                unsigned(row, 0)? + u64::from(distance),
                one.get(1..).unwrap_or_default(),
            );
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
            for_each_packed(connection, |sequence, texts| {
                told.push((sequence, texts.to_vec()));
            })
            .unwrap();
            let expected = all.iter().map(|(at, leaf)| (*at, packed_texts(leaf)));
            assert_eq!(told, expected.collect::<Vec<_>>());
        }
    }
}
