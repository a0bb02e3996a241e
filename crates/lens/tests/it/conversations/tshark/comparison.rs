//! What tshark found in a record or a message, held against our tree of the same octets.

use std::collections::BTreeSet;
use std::ops::Range;

use ravelin_wire::dissect::{Content, Field};
use ravelin_wire::reader::Meaning;

use super::names::{self, NAMES};
use super::pdml::Element;

/// What was compared, and what differed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) records: usize,
    pub(super) messages: usize,
    pub(super) fields: usize,
    pub(super) code_points: usize,
    pub(super) numbers: usize,
    pub(super) differences: BTreeSet<String>,
}

impl Tally {
    pub(super) fn differs(&mut self, what: String) {
        self.differences.insert(what);
    }
}

/// A range of our tree under each of the names that it can be asked for by: a group by its own, a leaf by that
/// of its group and its own, what stands behind a length by the name of the group and `[]`.
struct Span<'f> {
    name: String,
    range: Range<usize>,
    field: &'f Field,
    is_leaf: bool,
}

/// The octets of a record or a message, what we make of them, and where tshark counts from.
pub(super) struct Subject<'o> {
    octets: &'o [u8],
    spans: Vec<Span<'o>>,
    base: usize,
}

impl<'o> Subject<'o> {
    pub(super) fn new(octets: &'o [u8], tree: &'o Field, base: usize) -> Self {
        let mut spans = Vec::new();
        list(tree, "", &mut spans);
        Self {
            octets,
            spans,
            base,
        }
    }

    /// Compares a field of tshark, and those below it unless they belong to another judge.
    pub(super) fn compare(&self, theirs: &Element, tally: &mut Tally) {
        let name = names::of(theirs);
        if names::is_elsewhere(&name) {
            return;
        }
        let size: usize = theirs.number("size").unwrap_or_default();
        if size > 0 && !names::is_finer(&name) {
            self.compare_one(theirs, &name, size, tally);
        }
        if !names::is_of_another_layer(&name) {
            for below in &theirs.elements {
                self.compare(below, tally);
            }
        }
    }

    fn compare_one(&self, theirs: &Element, name: &str, size: usize, tally: &mut Tally) {
        let position: usize = theirs.number("pos").unwrap_or_default();
        let Some(start) = position.checked_sub(self.base) else {
            tally.differs(format!("{name} lies before its message"));
            return;
        };
        let range = start..start + size;
        let here: Vec<_> = self.spans.iter().filter(|it| it.range == range).collect();
        let known = NAMES.iter().find(|(theirs, _)| *theirs == name);
        let ours = |span: &&&Span<'_>| known.is_some_and(|(_, ours)| ours.contains(&&*span.name));
        let Some(span) = here.iter().find(ours) else {
            let here: Vec<_> = here.iter().map(|span| &span.name).collect();
            let shown = theirs.attribute("showname");
            let shown = shown.get(..60).unwrap_or(shown);
            tally.differs(format!("{name} ({shown}, octets {range:?}): ours {here:?}"));
            return;
        };
        tally.fields += 1;
        let value = theirs.attribute("value");
        let octets = self.octets.get(range).unwrap_or_default();
        if !value.is_empty() && value != hex(octets) {
            tally.differs(format!("{name}: theirs {value}, ours {}", hex(octets)));
        }
        if span.is_leaf {
            compare_meaning(span, theirs, name, octets, tally);
        }
    }
}

fn compare_meaning(
    span: &Span<'_>,
    theirs: &Element,
    name: &str,
    octets: &[u8],
    tally: &mut Tally,
) {
    let Content::Leaf(meaning) = &span.field.content else {
        return;
    };
    match meaning {
        Meaning::Length(number) => compare_number(*number as u64, theirs, name, tally),
        Meaning::Number(number) => compare_number(*number, theirs, name, tally),
        Meaning::Code(code) => {
            let shown = theirs.attribute("showname");
            let Some(theirs) = names::code_point(shown) else {
                return;
            };
            let ours = code.registry.get(code.code).map(|it| it.name);
            let is_grease = code.registry.is_grease(code.code);
            if !names::is_same_code_point(theirs, ours, is_grease) {
                tally.differs(format!(
                    "{name}: theirs {theirs:?} ({shown}), ours {ours:?}"
                ));
            }
            tally.code_points += 1;
        }
        Meaning::Text => {
            let text = String::from_utf8_lossy(octets);
            if theirs.attribute("show") != text {
                tally.differs(format!(
                    "{name}: theirs {}, ours {text}",
                    theirs.attribute("show")
                ));
            }
        }
        Meaning::Opaque => {}
        Meaning::Wrong(_) | Meaning::Unread => {
            tally.differs(format!(
                "{name}: tshark reads it, and we do not: {meaning:?}"
            ));
        }
    }
}

fn compare_number(ours: u64, theirs: &Element, name: &str, tally: &mut Tally) {
    let show = theirs.attribute("show");
    let digits = show.strip_prefix("0x");
    let number = digits.map_or_else(|| show.parse(), |digits| u64::from_str_radix(digits, 16));
    match number {
        Ok(number) if number == ours => tally.numbers += 1,
        // A time, or nothing but octets.
        Err(_) => {}
        Ok(number) => tally.differs(format!("{name}: theirs {number}, ours {ours}")),
    }
}

fn list<'f>(field: &'f Field, parent: &str, spans: &mut Vec<Span<'f>>) {
    let is_leaf = matches!(field.content, Content::Leaf(_));
    let name = if is_leaf {
        format!("{parent}.{}", field.name)
    } else {
        field.name.to_owned()
    };
    spans.push(Span {
        name,
        range: field.range.clone(),
        field,
        is_leaf,
    });
    let length = field.fields().iter().find(|it| it.name == "length");
    if let Some(length) = length {
        spans.push(Span {
            name: format!("{}[]", field.name),
            range: length.range.end..field.range.end,
            field,
            is_leaf: false,
        });
    }
    for pair in field.fields().windows(2) {
        // Two code points of TLS 1.2, in what became one.
        if pair[0].name == "hash" && pair[1].name == "signature_algorithm" {
            spans.push(Span {
                name: "hash, signature_algorithm".to_owned(),
                range: pair[0].range.start..pair[1].range.end,
                field,
                is_leaf: false,
            });
        }
    }
    for below in field.fields() {
        list(below, field.name, spans);
    }
}

fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
