//! Reads a whole journal and tells all that is wrong with it: gaps, changed lines, certificates that
//! are not what their entries say, events that cannot have happened, an inventory that says
//! otherwise.
//!
//! Nothing is mended here. Whoever can write the file can write it anew with hashes that fit: only a
//! [`Head`] that was noted elsewhere tells of that, and of an end that was cut off. The inventory
//! remembers those that it has seen, and so does the caller of [`audit`] if it can.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use ravelin_pki::Fingerprint;

mod comparison;
mod model;

use super::entry::Entry;
use super::error::{Fault, JournalError};
use super::event::Event;
use super::lines::{Lines, Piece};
use super::{Head, failed_to_read, inventory_name, journal_name};
use crate::inventory::index::{self, Built, Index};
use crate::store::FileStore;
use comparison::Comparison;
use model::Model;

/// What an audit found.
#[derive(Debug)]
#[non_exhaustive]
pub struct AuditReport {
    /// The journal.
    pub path: PathBuf,
    /// Its last entry: to note elsewhere, and to compare the next audit with.
    pub head: Head,
    /// Certificates that were issued.
    pub certificates: u64,
    /// Certificates that are revoked.
    pub revoked: u64,
    /// Entries of a kind that this version does not know.
    pub unknown: u64,
    /// Bytes behind the last line, of an entry that was being written when its process died.
    /// Nobody was told of it, and the next entry takes its place.
    pub unfinished: u64,
    /// The number of the last entry that the inventory has; `None` where there is no inventory. The
    /// next question to it brings it up to the journal.
    pub inventory: Option<u64>,
    /// What is wrong, in the order of the lines; the first [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more_findings: u64,
}

/// Something that is wrong.
#[derive(Debug)]
pub struct Finding {
    /// The number of the line; `None` where it is about no line.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

/// How many findings are told one by one.
pub const FINDINGS_MAX: usize = 1000;

impl AuditReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, line: Option<u64>, fault: Fault) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { line, fault });
        } else {
            self.more_findings += 1;
        }
    }
}

/// Audits the journal of a store, as it is at this moment; others may go on writing. `expected` is a
/// head that was noted before: the journal must still have that entry.
///
/// # Errors
///
/// The files cannot be read. What is wrong in them is in the report.
pub fn audit(store: &FileStore, expected: Option<&Head>) -> Result<AuditReport, JournalError> {
    let journal = store.append_file(&journal_name()?);
    let mut report = AuditReport {
        path: journal.path().to_owned(),
        head: Built::NOTHING.head(),
        certificates: 0,
        revoked: 0,
        unknown: 0,
        unfinished: 0,
        inventory: None,
        findings: Vec::new(),
        more_findings: 0,
    };
    // One moment of both files. From then on only lines are added, behind the ones looked at.
    let lock = journal.read()?.map(|_| journal.lock()).transpose()?;
    let read = journal.read()?;
    let inventory = store.path(&inventory_name()?);
    let connection = Index::open_as_it_is(&inventory).and_then(|connection| {
        let built = connection.as_ref().map(index::built).transpose()?;
        Ok(connection.zip(built))
    });
    drop(lock);
    let connection = connection.unwrap_or_else(|error| {
        report.add(None, Fault::InventoryDamaged(Some(error)));
        None
    });
    let mut witnesses = Witnesses::default();
    witnesses
        .0
        .extend(expected.map(|head| (head.sequence, vec![head.hash])));
    let mut comparison = None;
    if let Some((connection, built)) = &connection {
        report.inventory = Some(built.sequence);
        witnesses.note(built.sequence, built.head);
        match index::doubts(connection) {
            Ok(doubts) => doubts
                .into_iter()
                .for_each(|(sequence, head)| witnesses.note(sequence, head)),
            Err(error) => report.add(None, Fault::InventoryDamaged(Some(error))),
        }
        match Comparison::new(connection, *built) {
            Ok(begun) => comparison = Some(begun),
            Err(error) => report.add(None, Fault::InventoryDamaged(Some(error))),
        }
    }
    if let Some((file, length)) = read {
        read_lines(file, length, &mut report, &mut witnesses, comparison)
            .map_err(failed_to_read(journal.path()))?;
    }
    // What is left was in the journal once, behind its end.
    for (sequence, hashes) in witnesses.0 {
        for seen in hashes {
            if sequence > 0 {
                report.add(Some(sequence), Fault::Missing { seen });
            }
        }
    }
    Ok(report)
}

fn read_lines(
    file: File,
    length: u64,
    report: &mut AuditReport,
    witnesses: &mut Witnesses,
    mut comparison: Option<Comparison<'_>>,
) -> std::io::Result<()> {
    let mut lines = Lines::new(file, 0, length);
    let mut model = Model::default();
    let mut at = Built::NOTHING;
    let mut number = 0;
    loop {
        number += 1;
        match lines.next()? {
            Piece::End => break,
            Piece::Tail(tail) => {
                report.unfinished = tail.len() as u64;
                break;
            }
            Piece::TooLong => {
                report.add(Some(number), Fault::TooLong);
                lines.skip_rest_of_line()?;
                at.sequence += 1;
            }
            Piece::Line(line, start) => {
                let entry = check_place(&mut at, line, start, number, report);
                witnesses.ask(&at, number, report);
                if let Some(entry) = entry {
                    check_entry(&entry, &at, number, &mut model, comparison.as_mut(), report);
                }
            }
        }
        if let Some(comparison) = &mut comparison {
            comparison.passed(at.sequence, &model);
        }
    }
    report.head = at.head();
    report.certificates = model.certificates();
    report.revoked = model.revoked();
    // An inventory of another journal has been told as that.
    let is_of_another = |finding: &Finding| matches!(finding.fault, Fault::Rewritten { .. });
    if let Some(comparison) = comparison
        && comparison.built().sequence <= at.sequence
        && !report.findings.iter().any(is_of_another)
    {
        comparison.finish(&model, |fault| report.add(None, fault));
    }
    Ok(())
}

/// Whether the line belongs here. From one that does not, the count goes on.
fn check_place(
    at: &mut Built,
    line: &[u8],
    start: u64,
    number: u64,
    report: &mut AuditReport,
) -> Option<Entry> {
    let entry = Entry::from_line(line.strip_suffix(b"\n").unwrap_or(line));
    let entry = entry
        .map_err(|error| report.add(Some(number), Fault::Form(error)))
        .ok();
    if let Some(entry) = &entry {
        if entry.sequence != at.sequence + 1 {
            let found = entry.sequence;
            report.add(Some(number), Fault::Sequence { found });
        }
        if entry.previous != at.head {
            report.add(Some(number), Fault::Chain);
        }
    }
    *at = Built {
        // A number beyond reason must not stop the count.
        sequence: entry
            .as_ref()
            .map_or(at.sequence.saturating_add(1), |entry| {
                entry.sequence.min(u64::MAX - 1)
            }),
        head: Fingerprint::of(line),
        start,
        end: start + line.len() as u64,
    };
    entry
}

/// Whether the entry tells what can have happened, and the inventory agrees.
fn check_entry(
    entry: &Entry,
    at: &Built,
    number: u64,
    model: &mut Model,
    comparison: Option<&mut Comparison<'_>>,
    report: &mut AuditReport,
) {
    if matches!(entry.event, Event::Other(_)) {
        report.unknown += 1;
    }
    model.take(entry, |fault| report.add(Some(number), fault));
    if let Some(comparison) = comparison {
        comparison.take(entry, at, |fault| report.add(Some(number), fault));
    }
}

/// Entries that were seen before, by their numbers, and the hashes that their lines had.
#[derive(Default)]
struct Witnesses(BTreeMap<u64, Vec<Fingerprint>>);

impl Witnesses {
    fn note(&mut self, sequence: u64, head: Fingerprint) {
        let seen = self.0.entry(sequence).or_default();
        if !seen.contains(&head) {
            seen.push(head);
        }
    }

    fn ask(&mut self, at: &Built, number: u64, report: &mut AuditReport) {
        for seen in self.0.remove(&at.sequence).unwrap_or_default() {
            if seen != at.head {
                report.add(Some(number), Fault::Rewritten { seen });
            }
        }
    }
}
