//! Whether the inventory has just what the journal tells, as far as it has got with it.

use std::collections::{BTreeSet, HashMap};

use ravelin_pki::Fingerprint;
use rusqlite::{Connection, Row};

use super::model::{Key, Model, key};
use crate::inventory::Revocation;
use crate::inventory::index::{self, Built, Place};
use crate::journal::entry::Entry;
use crate::journal::error::Fault;
use crate::journal::event::{Event, Issued};
use crate::journal::form::seconds;

pub(super) struct Comparison<'a> {
    connection: &'a Connection,
    built: Built,
    /// The last entry whose names are to be in their table.
    named: u64,
    certificates: u64,
    /// The sum of a digest of all that names are found by: whatever its order, it is the same only if
    /// they are.
    names: u64,
    /// Revocations and CRLs as they were when the inventory was built so far.
    then: Option<(HashMap<Key, Revocation>, BTreeSet<Crl>)>,
}

type Crl = ([u8; 32], u64, [u8; 32]);

impl<'a> Comparison<'a> {
    pub(super) fn new(connection: &'a Connection, built: Built) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            connection,
            built,
            named: index::named(connection)?,
            certificates: 0,
            names: 0,
            then: None,
        })
    }

    pub(super) fn built(&self) -> Built {
        self.built
    }

    /// Looks up what an entry tells.
    pub(super) fn take(&mut self, entry: &Entry, at: &Built, mut fault: impl FnMut(Fault)) {
        let Event::Issued(issued) = &entry.event else {
            return;
        };
        if entry.sequence > self.built.sequence {
            return;
        }
        self.certificates += 1;
        let mut add = |octets: &[u8]| {
            self.names = self.names.wrapping_add(digest(octets, entry.sequence));
        };
        if entry.sequence <= self.named {
            let hashes: BTreeSet<i64> = index::texts(issued).map(index::hash).collect();
            for hash in &hashes {
                add(&hash.to_be_bytes());
            }
        }
        add(&index::packed_texts(issued));
        match self.has(entry, issued, at) {
            Ok(true) => {}
            Ok(false) => fault(Fault::Inventory),
            Err(error) => fault(Fault::InventoryDamaged(Some(error))),
        }
    }

    /// Tells that the journal has been read up to `sequence`.
    pub(super) fn passed(&mut self, sequence: u64, model: &Model) {
        if sequence == self.built.sequence {
            self.then = Some((model.revoked.clone(), crls(model)));
        }
    }

    /// Compares what is left when the journal has been read.
    pub(super) fn finish(self, model: &Model, mut fault: impl FnMut(Fault)) {
        match self.differences(model) {
            Ok(differences) => differences
                .into_iter()
                .for_each(|what| fault(Fault::InventoryRows { what })),
            Err(error) => fault(Fault::InventoryDamaged(Some(error))),
        }
        let sound = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map(|text: String| text == "ok");
        match sound {
            Ok(true) => {}
            Ok(false) => fault(Fault::InventoryDamaged(None)),
            Err(error) => fault(Fault::InventoryDamaged(Some(error))),
        }
    }

    fn has(&self, entry: &Entry, issued: &Issued, at: &Built) -> Result<bool, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.key, c.serial, c.not_before, c.not_after, c.issued_at, c.fingerprint,
                 c.subject, c.names, c.profile, c.requester, c.request, c.start, c.length, c.place
             FROM certificates c JOIN issuers i ON i.id = c.issuer WHERE c.sequence = ?1",
        )?;
        let mut rows = statement.query([index::signed(entry.sequence)?])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let names: Vec<String> =
            serde_json::from_str(row.get_ref(7)?.as_str()?).unwrap_or_default();
        let request: Option<[u8; 32]> = row.get(10)?;
        Ok(index::fingerprint(row, 0)? == issued.issuer
            && index::serial(row, 1)? == issued.serial
            && row.get::<_, Option<i64>>(2)? == seconds(issued.not_before)
            && row.get::<_, Option<i64>>(3)? == seconds(issued.not_after)
            && Place::of_row(row, 13)?.is_of(issued.not_after)
            && row.get::<_, Option<i64>>(4)? == seconds(entry.time)
            && index::fingerprint(row, 5)? == Fingerprint::of(&issued.certificate)
            && row.get_ref(6)?.as_str()? == issued.subject
            && names == issued.names
            && row.get_ref(8)?.as_str()? == issued.profile
            && row.get_ref(9)?.as_str_or_null()? == issued.requester.as_deref()
            && request.as_ref() == issued.request.as_ref().map(Fingerprint::as_bytes)
            && index::unsigned(row, 11)? == at.start
            && index::unsigned(row, 12)? == at.end - at.start)
    }

    fn differences(&self, model: &Model) -> Result<Vec<&'static str>, rusqlite::Error> {
        let count: i64 =
            self.connection
                .query_row("SELECT count(*) FROM certificates", [], |row| row.get(0))?;
        let mut names: u64 = 0;
        let mut add = |sequence, octets: &[u8]| {
            names = names.wrapping_add(digest(octets, sequence));
        };
        let mut statement = self
            .connection
            .prepare("SELECT hash, certificate FROM named")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let hash: i64 = row.get(0)?;
            add(index::unsigned(row, 1)?, &hash.to_be_bytes());
        }
        index::for_each_packed(self.connection, 0, |sequence, packed| {
            add(sequence, packed);
            Ok(())
        })?;
        // Nothing was revoked before the first entry.
        let (revoked, lists) = self.then.clone().unwrap_or_default();
        let issued: HashMap<Key, Revocation> = revoked
            .iter()
            .filter(|(key, _)| model.has_issued(key))
            .map(|(key, revocation)| (*key, *revocation))
            .collect();
        let kept = self.revocations(
            "SELECT i.key, r.serial, r.at, r.reason
             FROM revocations r JOIN issuers i ON i.id = r.issuer",
        )?;
        let marked = self.revocations(
            "SELECT i.key, c.serial, c.revoked_at, c.reason
             FROM certificates c JOIN issuers i ON i.id = c.issuer
             WHERE c.revoked_at IS NOT NULL",
        )?;
        let mut statement = self.connection.prepare(
            "SELECT i.key, l.number, l.fingerprint
             FROM crls l JOIN issuers i ON i.id = l.issuer",
        )?;
        let kept_lists = statement
            .query_map([], |row| {
                Ok((row.get(0)?, index::unsigned(row, 1)?, row.get(2)?))
            })?
            .collect::<Result<BTreeSet<Crl>, _>>()?;
        Ok([
            (
                "certificates",
                u64::try_from(count) == Ok(self.certificates),
            ),
            ("names", names == self.names),
            ("revocations", kept == revoked && marked == issued),
            ("CRLs", kept_lists == lists),
        ]
        .into_iter()
        .filter_map(|(what, same)| (!same).then_some(what))
        .collect())
    }

    fn revocations(&self, question: &str) -> Result<HashMap<Key, Revocation>, rusqlite::Error> {
        let mut statement = self.connection.prepare(question)?;
        let rows = statement.query_map([], |row: &Row<'_>| {
            Ok((
                key(&index::fingerprint(row, 0)?, &index::serial(row, 1)?),
                Revocation {
                    at: index::moment(row, 2)?,
                    reason: index::reason(row, 3)?,
                },
            ))
        })?;
        rows.collect()
    }
}

fn crls(model: &Model) -> BTreeSet<Crl> {
    let lists = model.crls.iter().flat_map(|(issuer, lists)| {
        let of = |(number, fingerprint): &(u64, Fingerprint)| {
            (*issuer.as_bytes(), *number, *fingerprint.as_bytes())
        };
        lists.iter().map(of)
    });
    lists.collect()
}

fn digest(octets: &[u8], sequence: u64) -> u64 {
    let bytes = [&sequence.to_be_bytes(), octets].concat();
    let mut first = [0; 8];
    first.copy_from_slice(&Fingerprint::of(&bytes).as_bytes()[..8]);
    u64::from_be_bytes(first)
}
