//! Records: opened where their keys are known, and told.

use std::time::SystemTime;

use ravelin_wire::alert::Alert;
use ravelin_wire::handshake::Joiner;
use ravelin_wire::record::{self, Record};
use ravelin_wire::registry::{AlertDescription, AlertLevel, ContentType, HandshakeType};

use super::keys::{Seal, Unsealed};
use super::{Connection, Phase, Place};
use crate::knowledge::Knowledge;
use crate::ledger::{By, Side};
use crate::protection::Opened;
use crate::story::{
    EarlyData, End, Epoch, FaultKind, Missing, Opening, Refutation, Sealed, Verdict, What,
};

/// The fewest octets that an encrypted record has: as many may be missing as fit into a gap.
const LEAST_RECORD_OCTETS: u64 = 22;

/// How many missing records are reckoned with: each is a try.
const MOST_MISSING_RECORDS: u64 = 256;

/// The message that ends 0-RTT data: its type, and the length of nothing (RFC 8446, section 4.5).
const END_OF_EARLY_DATA: [u8; 4] = [HandshakeType::END_OF_EARLY_DATA.0, 0, 0, 0];

impl<K: Knowledge> Connection<K> {
    /// Tells a record, which `bytes` begin with.
    pub(super) fn record(&mut self, side: Side, at: SystemTime, record: &Record<'_>, bytes: &[u8]) {
        self.story.traffic[side as usize].records += 1;
        if self.story.steps.len() >= self.limits.steps {
            return;
        }
        let offset = self.streams[side as usize].offset;
        let limit = record::MAX_FRAGMENT_OCTETS;
        if record.fragment.len() > limit {
            let octets = record.fragment.len();
            self.fault(side, None, FaultKind::RecordTooLong { octets, limit });
        }
        let bytes = bytes.get(..record.octets()).unwrap_or_default();
        if !self.is_protected(side, record) {
            let place = self.keep(side, at, record, bytes, Epoch::Clear, None);
            let content = Content {
                carries: record.content_type,
                octets: record.fragment,
                epoch: Epoch::Clear,
                place,
                clear_at: Some(record::HEADER_OCTETS),
            };
            if content.octets.is_empty() && content.carries != ContentType::APPLICATION_DATA {
                self.fault(side, None, FaultKind::EmptyRecord(content.carries));
                return;
            }
            self.content(side, at, &content);
            return;
        }
        if self.limits.data_octets == 0 && self.skip_data(side, at, record, bytes) {
            return;
        }
        match self.open(side, record) {
            Ok(unsealed) => self.opened(side, at, record, bytes, unsealed),
            Err(sealed) => {
                let epoch = self.guards[side as usize].epoch;
                let place = self.keep(side, at, record, bytes, epoch, None);
                self.sealed(side, at, sealed, bytes, record.octets(), place);
                self.streams[side as usize].offset = offset;
            }
        }
    }

    /// Tells octets of messages that no record carries.
    pub(super) fn bare(&mut self, side: Side, at: SystemTime, octets: &[u8]) {
        let epoch = match self.guards[side as usize].epoch {
            // Who tells of them opened what protected them.
            epoch @ (Epoch::Handshake | Epoch::Application(_)) => epoch,
            _ => Epoch::Clear,
        };
        let content = Content {
            carries: ContentType::HANDSHAKE,
            octets,
            epoch,
            place: self.place(side),
            clear_at: Some(0),
        };
        self.messages_of(side, at, &content);
    }

    /// Whether keys protect a record.
    fn is_protected(&self, side: Side, record: &Record<'_>) -> bool {
        let is_data = record.content_type == ContentType::APPLICATION_DATA;
        match self.guards[side as usize].epoch {
            Epoch::Application(_) if !self.agreed.is_tls13() => true,
            // In TLS 1.3 what is protected says that it is data. Nothing is ever sent in clear so: the keys
            // of what is are not known.
            _ => is_data,
        }
    }

    fn open(&mut self, side: Side, record: &Record<'_>) -> Result<Unsealed, Sealed> {
        if self.guards[side as usize].epoch == Epoch::EarlyData {
            self.try_early_data(record);
        }
        let guard = &mut self.guards[side as usize];
        let sequence = guard.keys().map(|keys| keys.protection.sequence());
        let had_opened = guard.keys().map_or(0, |keys| keys.opened);
        let epoch = guard.epoch;
        let opened = guard.open(record);
        // What ends 0-RTT data that could not be decrypted always says the same.
        if epoch == Epoch::EarlyData
            && guard.epoch == Epoch::Handshake
            && self.story.agreement.early_data == EarlyData::Accepted
        {
            self.transcript.add("end_of_early_data", &END_OF_EARLY_DATA);
        }
        match &opened {
            Ok(_) => {
                let guard = &self.guards[side as usize];
                if let Some(keys) = guard.keys()
                    && keys.opened == 1
                {
                    let ids = [keys.secret, keys.key, keys.iv, keys.mac_key];
                    for id in ids.into_iter().flatten() {
                        self.story.ledger.confirm(id, By::Decryption);
                    }
                }
                self.check_records(side, Verdict::Confirmed);
            }
            // Whether that is read says nothing of what follows.
            Err(_)
                if self.guards[side as usize].epoch == Epoch::EarlyData && sequence.is_none() => {}
            Err(Sealed::WrongKeys { .. }) => {
                if let Some(sequence) = sequence {
                    let step = Some(self.story.steps.len());
                    self.fault(side, step, FaultKind::Undecryptable { sequence });
                }
                let verdict = if had_opened == 0 {
                    Verdict::NotDerivable(Missing::Keys)
                } else {
                    Verdict::Refuted(Refutation::Differs)
                };
                self.check_records(side, verdict);
            }
            Err(Sealed::NoKeys) => {
                self.check_records(side, Verdict::NotDerivable(Missing::Keys));
            }
            Err(Sealed::UnknownCipher) => {
                self.check_records(side, Verdict::NotDerivable(Missing::Algorithm));
            }
            Err(Sealed::Lost) => {
                self.check_records(side, Verdict::NotDerivable(Missing::Transcript));
            }
        }
        opened
    }

    /// Application data of TLS 1.2 and before that nobody wants to see is counted, and not opened.
    fn skip_data(&mut self, side: Side, at: SystemTime, record: &Record<'_>, bytes: &[u8]) -> bool {
        if self.agreed.is_tls13() || record.content_type != ContentType::APPLICATION_DATA {
            return false;
        }
        let guard = &mut self.guards[side as usize];
        let Seal::Open(keys) = &mut guard.seal else {
            return false;
        };
        // What is not an AEAD may need each record for the next; the first tells whether the keys are right.
        if !keys.protection.is_aead() || keys.opened == 0 {
            return false;
        }
        keys.protection.skip(1);
        let epoch = guard.epoch;
        let place = self.keep(side, at, record, bytes, epoch, None);
        self.run(side, at, What::ApplicationData, &[], 0, epoch, place);
        true
    }

    fn opened(
        &mut self,
        side: Side,
        at: SystemTime,
        record: &Record<'_>,
        bytes: &[u8],
        Unsealed { opened, sequence }: Unsealed,
    ) {
        let Opened {
            content,
            content_type,
            padding,
            nonce,
            additional_data,
        } = opened;
        let guard = &self.guards[side as usize];
        let epoch = guard.epoch;
        let keys = guard.keys();
        let opening = Opening {
            key: keys.and_then(|keys| keys.key),
            iv: keys.and_then(|keys| keys.iv),
            mac_key: keys.and_then(|keys| keys.mac_key),
            sequence,
            nonce,
            additional_data,
            content_type,
            content_octets: content.len(),
            padding,
        };
        let place = self.keep(side, at, record, bytes, epoch, Some(opening));
        if content.is_empty() && content_type != ContentType::APPLICATION_DATA {
            self.fault(side, None, FaultKind::EmptyRecord(content_type));
            return;
        }
        let content = Content {
            carries: content_type,
            octets: &content,
            epoch,
            place,
            clear_at: None,
        };
        self.content(side, at, &content);
    }

    fn sealed(
        &mut self,
        side: Side,
        at: SystemTime,
        sealed: Sealed,
        bytes: &[u8],
        octets: usize,
        place: Place,
    ) {
        let guard = &self.guards[side as usize];
        let epoch = guard.epoch;
        // Where nothing was seen that keys could follow of, the beginning is missing.
        let sealed = match (&guard.seal, &self.hello) {
            (Seal::Clear, None) => Sealed::Lost,
            _ => sealed,
        };
        // Rejected 0-RTT data is no part of the handshake; all else may have been.
        if epoch != Epoch::EarlyData && self.story.agreement.complete.is_none() {
            self.transcript.miss();
        }
        self.run(side, at, What::Sealed(sealed), bytes, octets, epoch, place);
    }

    /// Tells what a record carries.
    fn content(&mut self, side: Side, at: SystemTime, content: &Content<'_>) {
        let Content {
            carries: content_type,
            octets,
            epoch,
            place,
            ..
        } = *content;
        if content_type == ContentType::HANDSHAKE {
            self.messages_of(side, at, content);
            return;
        }
        if self.streams[side as usize].joiner.pending() > 0 {
            self.fault(side, None, FaultKind::Interleaved(content_type));
        }
        if content_type == ContentType::APPLICATION_DATA {
            self.story.traffic[side as usize].data_octets += octets.len() as u64;
            let what = What::ApplicationData;
            self.run(side, at, what, octets, octets.len(), epoch, place);
            return;
        }
        let what = match content_type {
            ContentType::CHANGE_CIPHER_SPEC => What::ChangeCipherSpec,
            ContentType::ALERT => What::Alert,
            ContentType::HEARTBEAT => What::Heartbeat,
            other => What::Other(other),
        };
        let step = self.push_step(side, at, what, epoch, octets, octets.len(), place);
        match what {
            What::Alert => match Alert::decode(octets) {
                Ok(alert) => self.alert(side, alert),
                Err(error) => {
                    let offset = content.offset_of(error.at);
                    self.fault_at(side, offset, Some(step), FaultKind::Malformed(error));
                }
            },
            What::ChangeCipherSpec => {
                let (_, change) = record::ChangeCipherSpec::dissect(octets);
                if let Err(error) = change {
                    let offset = content.offset_of(error.at);
                    self.fault_at(side, offset, Some(step), FaultKind::Malformed(error));
                }
                self.change_cipher(side);
            }
            _ => {}
        }
        self.settle(step);
    }

    fn alert(&mut self, side: Side, alert: Alert) {
        let end = &mut self.story.end[side as usize];
        if !matches!(end, End::Open | End::Said) {
            return;
        }
        let is_tls13 = matches!(self.phase, Phase::Tls13(_));
        if alert.description == AlertDescription::CLOSE_NOTIFY {
            *end = End::Said;
        } else if alert.level == AlertLevel::FATAL
            || is_tls13 && alert.description != AlertDescription::USER_CANCELED
        {
            *end = End::Alert(alert);
        }
    }

    /// Joins messages, and tells those that are whole.
    fn messages_of(&mut self, side: Side, at: SystemTime, content: &Content<'_>) {
        let stream = &mut self.streams[side as usize];
        if stream.unreadable {
            let what = What::Other(ContentType::HANDSHAKE);
            let (octets, place) = (content.octets, content.place);
            self.run(side, at, what, octets, octets.len(), content.epoch, place);
            return;
        }
        let limit = self.limits.message_octets;
        let mut joiner = std::mem::replace(&mut stream.joiner, Joiner::new(0));
        let before = joiner.pending();
        if before == 0 {
            stream.began = Place {
                offset: content.offset_of(0),
                ..content.place
            };
        }
        joiner.push(content.octets);
        let mut taken = 0;
        while self.story.steps.len() < self.limits.steps {
            let began = self.streams[side as usize].began;
            match joiner.next_message() {
                Ok(Some(message)) => {
                    taken += message.bytes.len();
                    let epoch = self.guards[side as usize].epoch;
                    self.message(side, at, message.bytes, content, began);
                    self.streams[side as usize].began = Place {
                        offset: content.offset_of(taken - before),
                        ..content.place
                    };
                    // What follows is of other keys, and must not be in the record of these.
                    if joiner.pending() > 0 && self.guards[side as usize].epoch != epoch {
                        let what = FaultKind::Interleaved(ContentType::HANDSHAKE);
                        self.fault(side, None, what);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let what = FaultKind::MessageTooLong {
                        octets: error.octets,
                        limit: error.limit,
                    };
                    self.fault_at(side, began.offset, None, what);
                    self.streams[side as usize].unreadable = true;
                    self.transcript.miss();
                    joiner = Joiner::new(limit);
                    break;
                }
            }
        }
        self.streams[side as usize].joiner = joiner;
    }

    /// So many octets are missing in what `side` sent: finds the next record again where that can be.
    pub(super) fn gap(&mut self, side: Side, at: SystemTime, octets: u64) {
        let stream = &mut self.streams[side as usize];
        let begun = stream.buffer.len() as u64;
        let missing = match Record::next(&stream.buffer) {
            record::Next::Incomplete { missing } if begun >= record::HEADER_OCTETS as u64 => {
                missing as u64
            }
            _ => 0,
        };
        stream.buffer = Vec::new();
        stream.joiner = Joiner::new(self.limits.message_octets);
        stream.offset += begun + octets;
        // Where the gap ends within the record, its rest is of no use. Else a record begins behind it, if luck
        // will have it: whoever lost segments often lost whole records.
        stream.skip = missing.saturating_sub(octets);
        let guard = &mut self.guards[side as usize];
        let records = 1 + octets / LEAST_RECORD_OCTETS;
        guard.gap = (guard.gap + records).min(MOST_MISSING_RECORDS);
        if self.story.agreement.complete.is_none() {
            self.transcript.miss();
        }
        let epoch = guard.epoch;
        let place = self.place(side);
        let what = What::Sealed(Sealed::Lost);
        self.run(side, at, what, &[], octets as usize, epoch, place);
    }
}

/// What a record carries, in clear.
pub(super) struct Content<'r> {
    pub(super) carries: ContentType,
    pub(super) octets: &'r [u8],
    pub(super) epoch: Epoch,
    /// Where the record is, or what else carries it.
    pub(super) place: Place,
    /// How far behind its beginning the octets are, where it was in clear, so that each of them has a place on
    /// the wire.
    pub(super) clear_at: Option<usize>,
}

impl Content<'_> {
    /// Where an octet of it is on the wire; of what was encrypted, where the record is.
    pub(super) fn offset_of(&self, at: usize) -> u64 {
        let within = self.clear_at.map_or(0, |begin| begin + at);
        self.place.offset + within as u64
    }
}
