//! Steps with their fields, and records.

use ravelin_wire::dissect::{self, Content};
use ravelin_wire::reader::{Code, Meaning};
use ravelin_wire::registry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Side, View, hex, micros};
use crate::ledger::{QuantityId, Secrets};
use crate::story::{self, SeenRecord, Story, What};

/// A message, or what else was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Which it is, from 0.
    pub number: usize,
    /// Who said it.
    pub side: Side,
    /// When its last octet was seen, in microseconds from the first step.
    pub at_us: u64,
    /// What the RFC calls it: `ClientHello`, say.
    pub title: String,
    /// Which keys protected it.
    pub epoch: Epoch,
    /// How many octets it has.
    pub octets: usize,
    /// Its octets in hexadecimal, header and all; of application data only the beginning, and null where it
    /// is left out as a secret.
    pub hex: Option<String>,
    /// The first of the records that carried it, from 0.
    pub first_record: usize,
    /// How many records carried it.
    pub record_count: usize,
    /// Who says what, in a sentence or two.
    pub says: String,
    /// Why it exists.
    pub why: String,
    /// What an attacker could do without it.
    pub without: String,
    /// The tree of its fields.
    pub fields: Field,
    /// The quantities that it made possible, by their numbers.
    pub derived: Vec<usize>,
}

/// A range of octets with a name: a group of fields, or a single one. The fields of a group cover it without
/// a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// What the RFC calls it.
    pub name: String,
    /// Where it begins, in octets from the beginning of the step.
    pub start: usize,
    /// Where it ends: the first octet behind it.
    pub end: usize,
    /// What it is, in plain words.
    pub what: String,
    /// What it says, where that is more than octets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// What more there is to say: what an extension is for, where a code point is defined.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// The code point that it is; of a group, which of its kind it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<CodePoint>,
    /// The number that it is, or the length.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u64>,
    /// Whether it is wrong, or was not read since something before it is.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub wrong: bool,
    /// The fields of a group, in the order of their octets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<Field>,
}

/// A code point of a registry of IANA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodePoint {
    /// The registry.
    pub registry: String,
    /// The number on the wire.
    pub code: u64,
    /// Its name; null where nothing is known of it.
    pub name: Option<String>,
    /// Where it is defined.
    pub reference: Option<String>,
    /// What to think of it: `recommended`, `special` (for some uses), `legacy`, `broken`, `grease` (says
    /// nothing on purpose) or `unknown`.
    pub judgement: String,
}

/// Which keys protect something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Epoch {
    /// None.
    Clear,
    /// Those of 0-RTT data.
    EarlyData,
    /// Those of the handshake of TLS 1.3.
    Handshake,
    /// Those of application data, which were changed so many times. Before TLS 1.3, those after the change of
    /// ciphers.
    Application(u32),
}

/// A record, as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Who sent it.
    pub side: Side,
    /// When its last octet was seen, in microseconds from the first step.
    pub at_us: u64,
    /// Where it begins, in octets from the first of its side.
    pub offset: u64,
    /// How many octets it has, header and all.
    pub octets: usize,
    /// Its octets in hexadecimal, as they were on the wire; of application data only the beginning.
    pub hex: String,
    /// What it says it carries.
    pub content_type: CodePoint,
    /// Which keys protected it.
    pub epoch: Epoch,
    /// How it was decrypted; null where it was in clear or could not be.
    pub opening: Option<Opening>,
}

/// How a record was decrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opening {
    /// The quantity that is the key of the cipher.
    pub key: Option<usize>,
    /// The quantity that nonces are made of, or the first initialization vector.
    pub iv: Option<usize>,
    /// The quantity that is the key of the MAC, of suites without AEAD.
    pub mac_key: Option<usize>,
    /// The number of the record, from 0 under its keys.
    pub sequence: u64,
    /// The nonce or the initialization vector, in hexadecimal; null where it is left out as a secret.
    pub nonce: Option<String>,
    /// What was authenticated with it, in hexadecimal.
    pub additional_data: String,
    /// What it really carries.
    pub content_type: CodePoint,
    /// How many octets of that it has.
    pub content_octets: usize,
    /// How many octets hide its length.
    pub padding: usize,
}

impl View {
    pub(super) fn steps(self, story: &Story) -> Vec<Step> {
        let start = story.steps.first().map(|step| step.at);
        let steps = story.steps.iter().enumerate();
        steps
            .map(|(number, step)| {
                let words = self.language.step(story, number);
                let is_secret =
                    step.what == What::ApplicationData && self.secrets == Secrets::Hidden;
                let (tree, _) = step.dissect();
                Step {
                    number,
                    side: step.side.into(),
                    at_us: start.map_or(0, |start| micros(start, step.at)),
                    title: words.title,
                    epoch: step.epoch.into(),
                    octets: step.octets,
                    hex: (!is_secret).then(|| hex(&step.bytes)),
                    first_record: step.records.start,
                    record_count: step.records.len(),
                    says: words.says,
                    why: words.why.to_owned(),
                    without: words.without.to_owned(),
                    fields: self.field(None, &tree, &step.bytes),
                    derived: step.derived.iter().map(|id| id.number()).collect(),
                }
            })
            .collect()
    }

    fn field(self, parent: Option<&dissect::Field>, field: &dissect::Field, bytes: &[u8]) -> Field {
        let words = self.language.field(parent, field, bytes);
        let (code, number, wrong) = match &field.content {
            Content::Group { label, .. } => (*label, None, false),
            Content::Leaf(Meaning::Code(code)) => (Some(*code), None, false),
            Content::Leaf(Meaning::Number(number)) => (None, Some(*number), false),
            Content::Leaf(Meaning::Length(length)) => (None, Some(*length as u64), false),
            Content::Leaf(Meaning::Wrong(_) | Meaning::Unread) => (None, None, true),
            Content::Leaf(_) => (None, None, false),
        };
        Field {
            name: field.name.to_owned(),
            start: field.range.start,
            end: field.range.end,
            what: words.what.to_owned(),
            value: words.value,
            note: words.note,
            code: code.map(CodePoint::from),
            number,
            wrong,
            fields: field
                .fields()
                .iter()
                .map(|below| self.field(Some(field), below, bytes))
                .collect(),
        }
    }

    pub(super) fn records(self, story: &Story) -> Vec<Record> {
        let start = story.steps.first().map(|step| step.at);
        let record = |record: &SeenRecord| Record {
            side: record.side.into(),
            at_us: start.map_or(0, |start| micros(start, record.at)),
            offset: record.offset,
            octets: record.octets,
            hex: hex(&record.bytes),
            content_type: CodePoint::of(record.content_type),
            epoch: record.epoch.into(),
            opening: record.opening.as_ref().map(|opening| self.opening(opening)),
        };
        story.records.iter().map(record).collect()
    }

    fn opening(self, opening: &story::Opening) -> Opening {
        Opening {
            key: opening.key.map(QuantityId::number),
            iv: opening.iv.map(QuantityId::number),
            mac_key: opening.mac_key.map(QuantityId::number),
            sequence: opening.sequence,
            nonce: (self.secrets == Secrets::Shown).then(|| hex(&opening.nonce)),
            additional_data: hex(&opening.additional_data),
            content_type: CodePoint::of(opening.content_type),
            content_octets: opening.content_octets,
            padding: opening.padding,
        }
    }
}

impl CodePoint {
    pub(super) fn of<C: registry::CodePoint>(code: C) -> Self {
        Self::from(Code::new::<C>(code.code()))
    }
}

impl From<Code> for CodePoint {
    fn from(code: Code) -> Self {
        let known = code.registry.get(code.code);
        Self {
            registry: code.registry.name.to_owned(),
            code: code.code,
            name: known.map(|known| known.name.to_owned()),
            reference: known.map(|known| known.reference.to_owned()),
            judgement: code.registry.judgement(code.code).word().to_owned(),
        }
    }
}

impl From<story::Epoch> for Epoch {
    fn from(epoch: story::Epoch) -> Self {
        match epoch {
            story::Epoch::Clear => Self::Clear,
            story::Epoch::EarlyData => Self::EarlyData,
            story::Epoch::Handshake => Self::Handshake,
            story::Epoch::Application(changes) => Self::Application(changes),
        }
    }
}
