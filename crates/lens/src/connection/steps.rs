//! What becomes of what was read: the steps, records, checks and faults of the story.

use std::ops::Range;
use std::time::SystemTime;

use ravelin_wire::handshake::Agreed;
use ravelin_wire::record::Record;
use ravelin_wire::registry::ContentType;

use super::proofs::CertificateKind;
use super::{Connection, Place, Stream};
use crate::digest::Octets;
use crate::knowledge::Knowledge;
use crate::ledger::{QuantityId, Side};
use crate::story::{
    Check, Claim, Epoch, Fault, FaultKind, Opening, SeenRecord, Step, Verdict, What,
};

impl<K: Knowledge> Connection<K> {
    /// Keeps a record, if it is one of those that are kept, and says where it is.
    pub(super) fn keep(
        &mut self,
        side: Side,
        at: SystemTime,
        record: &Record<'_>,
        bytes: &[u8],
        epoch: Epoch,
        opening: Option<Opening>,
    ) -> Place {
        let place = self.place(side);
        if place.record >= self.limits.records {
            return place;
        }
        let is_data = match &opening {
            Some(opening) => opening.content_type == ContentType::APPLICATION_DATA,
            None => record.content_type == ContentType::APPLICATION_DATA,
        };
        let bytes = match (self.limits.keep_bytes, is_data) {
            (false, _) => &[],
            (true, true) => self.streams[side as usize].within(1, bytes),
            (true, false) => bytes,
        };
        self.story.records.push(SeenRecord {
            side,
            at,
            offset: place.offset,
            bytes: bytes.to_vec(),
            octets: record.octets(),
            content_type: record.content_type,
            epoch,
            opening,
        });
        place
    }

    pub(super) fn place(&self, side: Side) -> Place {
        Place {
            record: self.story.records.len(),
            offset: self.streams[side as usize].offset,
        }
    }

    /// Tells what can be one of many: it goes on with the step before, where that is of its kind.
    #[allow(clippy::too_many_arguments, reason = "the parts of a step")]
    pub(super) fn run(
        &mut self,
        side: Side,
        at: SystemTime,
        what: What,
        bytes: &[u8],
        octets: usize,
        epoch: Epoch,
        place: Place,
    ) {
        let bytes = self.streams[side as usize].within(0, bytes);
        let end = self.story.records.len();
        let told = self.told;
        if let Some(step) = self.story.steps.last_mut()
            && (step.side, step.what, step.epoch) == (side, what, epoch)
        {
            step.bytes.extend_from_slice(bytes);
            step.octets += octets;
            step.at = at;
            step.records.end = end;
            step.derived.extend(self.story.ledger.since(told));
            self.told = self.story.ledger.len();
            return;
        }
        if self.story.steps.len() < self.limits.steps {
            let step = self.push_step(side, at, what, epoch, bytes, octets, place);
            self.settle(step);
        }
    }

    /// Tells a message of SSL 2, which is no record.
    pub(super) fn step(
        &mut self,
        side: Side,
        at: SystemTime,
        what: What,
        bytes: &[u8],
        octets: usize,
    ) -> usize {
        let place = self.place(side);
        let step = self.push_step(side, at, what, Epoch::Clear, bytes, octets, place);
        self.settle(step);
        step
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a step")]
    pub(super) fn push_step(
        &mut self,
        side: Side,
        at: SystemTime,
        what: What,
        epoch: Epoch,
        bytes: &[u8],
        octets: usize,
        began: Place,
    ) -> usize {
        self.story.steps.push(Step {
            side,
            at,
            what,
            epoch,
            bytes: Octets::new(bytes.to_vec()),
            octets,
            agreed: self.agreed_with(side),
            records: Range {
                start: began.record.min(self.story.records.len()),
                end: self.story.records.len(),
            },
            derived: Vec::new(),
        });
        self.story.steps.len() - 1
    }

    /// How messages of `side` are to be read.
    pub(super) fn agreed_with(&self, side: Side) -> Agreed {
        let CertificateKind(certificate_type) = self.identities[side as usize].kind;
        Agreed {
            certificate_type,
            ..self.agreed
        }
    }

    /// Notes what a step made possible.
    pub(super) fn settle(&mut self, step: usize) {
        if let Some(step) = self.story.steps.get_mut(step) {
            step.derived.extend(self.story.ledger.since(self.told));
        }
        self.told = self.story.ledger.len();
    }

    pub(super) fn check_records(&mut self, side: Side, verdict: Verdict) {
        let guard = &mut self.guards[side as usize];
        match guard.check {
            Some(check) => {
                let Some(check) = self.story.checks.get_mut(check) else {
                    return;
                };
                // What was refuted stays so; what could not be told of some is not told of all.
                match (&check.verdict, &verdict) {
                    (Verdict::Confirmed, _) | (_, Verdict::Refuted(_)) => check.verdict = verdict,
                    _ => {}
                }
            }
            None => {
                guard.check = Some(self.story.checks.len());
                let keys = guard.keys();
                let inputs = keys.map_or_else(Vec::new, |keys| {
                    let ids = [keys.key, keys.iv, keys.mac_key];
                    ids.into_iter().flatten().collect()
                });
                self.story.checks.push(Check {
                    claim: Claim::Records(side),
                    verdict,
                    step: self.story.steps.len(),
                    inputs,
                });
            }
        }
    }

    pub(super) fn check(
        &mut self,
        step: usize,
        claim: Claim,
        verdict: Verdict,
        inputs: Vec<QuantityId>,
    ) {
        self.story.checks.push(Check {
            claim,
            verdict,
            step,
            inputs,
        });
    }

    pub(super) fn fault(&mut self, side: Side, step: Option<usize>, what: FaultKind) {
        let offset = self.streams[side as usize].offset;
        self.fault_at(side, offset, step, what);
    }

    pub(super) fn fault_at(
        &mut self,
        side: Side,
        offset: u64,
        step: Option<usize>,
        what: FaultKind,
    ) {
        if self.story.faults.len() < self.limits.steps {
            self.story.faults.push(Fault {
                side,
                offset,
                step,
                what,
            });
        }
    }
}

impl Stream {
    /// As much of `bytes` as there is room for: of what was decrypted, 0, or of what was on the wire, 1.
    fn within<'b>(&mut self, which: usize, bytes: &'b [u8]) -> &'b [u8] {
        let room = &mut self.room[which];
        let kept = bytes.get(..*room).unwrap_or(bytes);
        *room -= kept.len();
        kept
    }
}
