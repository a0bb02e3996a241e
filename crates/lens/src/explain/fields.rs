//! What fields are, and what their octets mean.

use std::time::SystemTime;

use ravelin_wire::dissect::{Content, Field};
use ravelin_wire::reader::{Code, Meaning};
use ravelin_wire::registry::{CodePoint, ExtensionType, Judgement};
use time::OffsetDateTime;

use super::catalogue::{Catalogue, fill, grouped};
use super::{FieldWords, Language};

impl Language {
    /// What a field of a dissected message says. `parent` is the group that it stands in, and `bytes` all
    /// that was dissected.
    #[must_use]
    pub fn field(self, parent: Option<&Field>, field: &Field, bytes: &[u8]) -> FieldWords {
        let words = self.catalogue();
        let what = what(words, parent, field.name);
        match &field.content {
            Content::Group { label: None, .. } => FieldWords {
                what,
                value: None,
                note: None,
                judgement: None,
            },
            Content::Group {
                label: Some(code), ..
            } => FieldWords {
                what,
                value: Some(code_name(words, *code)),
                note: extension(words, *code).map(str::to_owned),
                judgement: Some(code.registry.judgement(code.code)),
            },
            Content::Leaf(meaning) => {
                let (value, note, judgement) = meaning_words(words, field, meaning, bytes);
                FieldWords {
                    what,
                    value,
                    note,
                    judgement,
                }
            }
        }
    }

    /// What an extension is for.
    #[must_use]
    pub fn extension(self, extension_type: ExtensionType) -> &'static str {
        let code = Code::new::<ExtensionType>(extension_type.code());
        extension(self.catalogue(), code).unwrap_or_default()
    }
}

/// A day, as 2026-11-29.
pub(super) fn date(time: SystemTime) -> String {
    OffsetDateTime::from(time).date().to_string()
}

/// What a field is, by what it stands in where the name alone says too little.
fn what(words: &Catalogue, parent: Option<&Field>, name: &str) -> &'static str {
    let find = |key: &str| {
        let mut fields = words.fields.iter();
        fields
            .find(|(known, _)| *known == key)
            .map(|(_, text)| *text)
    };
    let label = parent.and_then(|parent| match &parent.content {
        Content::Group {
            label: Some(code), ..
        } => code.registry.get(code.code),
        _ => None,
    });
    label
        .and_then(|label| find(&format!("{}.{name}", label.name)))
        .or_else(|| parent.and_then(|parent| find(&format!("{}.{name}", parent.name))))
        .or_else(|| find(name))
        .unwrap_or(words.values.field_unknown)
}

fn extension(words: &Catalogue, code: Code) -> Option<&'static str> {
    if code.registry.name != ExtensionType::REGISTRY.name {
        return None;
    }
    if code.registry.is_grease(code.code) {
        return Some(words.values.extension_grease);
    }
    let mut extensions = words.extensions.iter();
    let known = extensions.find(|(known, _)| u64::from(*known) == code.code);
    Some(known.map_or(words.values.extension_unknown, |(_, text)| *text))
}

/// The name of a code point and its number.
fn code_name(words: &Catalogue, code: Code) -> String {
    let digits = code.registry.octets * 2;
    let number = format!("0x{:0digits$x}", code.code);
    let values = &words.values;
    match code.registry.get(code.code) {
        Some(known) => fill(values.code, &[("name", known.name), ("number", &number)]),
        None if code.registry.is_grease(code.code) => fill(values.grease, &[("number", &number)]),
        None => fill(values.unassigned_code, &[("number", &number)]),
    }
}

fn meaning_words(
    words: &Catalogue,
    field: &Field,
    meaning: &Meaning,
    bytes: &[u8],
) -> (Option<String>, Option<String>, Option<Judgement>) {
    let values = &words.values;
    match meaning {
        Meaning::Length(length) => (Some(words.counts.following.of(*length as u64)), None, None),
        Meaning::Number(number) => (Some(number_words(words, field.name, *number)), None, None),
        Meaning::Code(code) => {
            let reference = code.registry.get(code.code).map(|known| known.reference);
            let note = match (extension(words, *code), reference) {
                (Some(extension), Some(reference)) => Some(format!("{extension} ({reference})")),
                (Some(extension), None) => Some(extension.to_owned()),
                (None, reference) => reference.map(str::to_owned),
            };
            (
                Some(code_name(words, *code)),
                note,
                Some(code.registry.judgement(code.code)),
            )
        }
        Meaning::Text => {
            let text = bytes.get(field.range.clone()).unwrap_or_default();
            (Some(words.quoted(text)), None, None)
        }
        Meaning::Opaque => (None, None, None),
        Meaning::Wrong(error) => {
            let problem = super::findings::problem(words, error);
            (
                Some(fill(values.wrong, &[("problem", &problem)])),
                None,
                None,
            )
        }
        Meaning::Unread => (Some(values.unread.to_owned()), None, None),
    }
}

/// A number with its unit.
fn number_words(words: &Catalogue, name: &str, number: u64) -> String {
    match name {
        "ticket_lifetime" | "ticket_lifetime_hint" | "valid_time" => words.lifetime(number),
        "max_early_data_size"
        | "record_size_limit"
        | "uncompressed_length"
        | "payload_length"
        | "certificate_length"
        | "cipher_spec_length"
        | "cipher_specs_length"
        | "session_id_length"
        | "challenge_length"
        | "connection_id_length"
        | "maximum_name_length" => words.counts.octets.of(number),
        // Of a certificate's timestamp (RFC 6962, section 3.2).
        "timestamp" => {
            let seconds = i64::try_from(number / 1000).unwrap_or(i64::MAX);
            match OffsetDateTime::from_unix_timestamp(seconds) {
                Ok(time) => fill(
                    words.values.milliseconds_since_1970,
                    &[
                        ("number", &number.to_string()),
                        ("date", &time.date().to_string()),
                    ],
                ),
                Err(_) => number.to_string(),
            }
        }
        _ => fill(words.values.number, &[("number", &grouped(number))]),
    }
}
