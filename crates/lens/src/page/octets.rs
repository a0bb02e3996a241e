//! The octets of a step: as hexadecimal digits in rows, and as the tree of their fields. Both have the same leaves
//! in the same order, so that both can light up together.

use std::collections::HashSet;
use std::fmt::Write as _;

use ravelin_wire::dissect::{Content, Field};
use ravelin_wire::reader::Meaning;
use ravelin_wire::registry::Judgement;

use super::Seen;
use crate::explain::fill_in;

/// How many octets of a step are shown.
const MOST_OCTETS: usize = 4096;

/// How many fields of a step are shown.
const MOST_FIELDS: usize = 800;

/// How many octets stand in one row.
const ROW_OCTETS: usize = 16;

/// How many octets of a field that is nothing but octets stand beside its name.
const SHOWN_OPAQUE_OCTETS: usize = 16;

/// From how deep on groups are folded away at first.
const FOLDED_DEPTH: usize = 2;

/// The octets of a step, and their fields.
pub(super) struct OctetsView {
    /// Rows of hexadecimal digits, in markup.
    pub(super) hex: String,
    /// How many octets are left out.
    pub(super) more_octets: Option<String>,
    /// The fields, in the order of the tree.
    pub(super) fields: Vec<FieldView>,
    /// How many fields are left out.
    pub(super) more_fields: Option<String>,
}

/// A field in the tree.
pub(super) struct FieldView {
    pub(super) name: String,
    /// The number of the leaf behind its last, where that is not to be counted in the tree: it has fields that are
    /// left out.
    pub(super) cut_end: Option<usize>,
    /// Where it is, for people.
    pub(super) place: String,
    /// The class of what it means.
    pub(super) class: &'static str,
    pub(super) value: Option<String>,
    /// What it is, and what more there is to say.
    pub(super) text: Option<String>,
    /// What to think of it, with its class.
    pub(super) badge: Option<(&'static str, &'static str)>,
    /// Whether fields follow that are part of it.
    pub(super) group: bool,
    /// Whether these are folded away at first.
    pub(super) folded: bool,
    /// How many groups end with it.
    pub(super) closes: usize,
}

impl OctetsView {
    pub(super) fn new(seen: &Seen<'_>, tree: &Field, bytes: &[u8]) -> Self {
        let words = seen.language.page();
        let mut walk = Walk {
            seen,
            bytes,
            fields: Vec::new(),
            leaves: Vec::new(),
            told: HashSet::new(),
            left_out: 0,
        };
        walk.field(None, tree, 0);
        let more = bytes.len().saturating_sub(MOST_OCTETS);
        let octets = |octets: usize| seen.language.octets(octets as u64);
        Self {
            hex: hex(&walk.leaves, bytes),
            more_octets: (more > 0)
                .then(|| fill_in(words.more_octets, &[("octets", &octets(more))])),
            more_fields: (walk.left_out > 0)
                .then(|| fill_in(words.more_fields, &[("count", &walk.left_out.to_string())])),
            fields: walk.fields,
        }
    }
}

/// A leaf: where it ends, and the class of what it means.
struct Leaf {
    end: usize,
    class: &'static str,
}

struct Walk<'w> {
    seen: &'w Seen<'w>,
    bytes: &'w [u8],
    fields: Vec<FieldView>,
    leaves: Vec<Leaf>,
    /// What was said of fields: what is the same of many is said of the first.
    told: HashSet<&'static str>,
    left_out: usize,
}

impl Walk<'_> {
    /// Adds a field and all below it.
    fn field(&mut self, parent: Option<&Field>, field: &Field, depth: usize) {
        let at = self.fields.len();
        let shown = at < MOST_FIELDS;
        if shown {
            let view = self.view(parent, field, depth);
            self.fields.push(view);
        } else {
            self.left_out += 1;
        }
        match &field.content {
            Content::Leaf(meaning) => self.leaves.push(Leaf {
                end: field.range.end,
                class: class_of(meaning),
            }),
            Content::Group { fields, .. } => {
                for inner in fields {
                    self.field(Some(field), inner, depth + 1);
                }
                // Where fields are left out, the last that is shown closes what is open.
                if shown && let Some(last) = self.fields.last_mut() {
                    last.closes += usize::from(!fields.is_empty());
                }
            }
        }
        let is_cut = self.left_out > 0;
        if shown && let Some(view) = self.fields.get_mut(at) {
            view.cut_end = is_cut.then_some(self.leaves.len());
        }
    }

    /// Whether what a field says ends in this note, the last that says something.
    fn was_said(&self, note: &str) -> bool {
        let said = self
            .fields
            .iter()
            .rev()
            .find_map(|field| field.text.as_deref());
        said.is_some_and(|said| said.ends_with(note))
    }

    fn view(&mut self, parent: Option<&Field>, field: &Field, depth: usize) -> FieldView {
        let language = self.seen.language;
        let said = language.field(parent, field, self.bytes);
        let octets = self.bytes.get(field.range.clone()).unwrap_or_default();
        let is_opaque = matches!(field.content, Content::Leaf(Meaning::Opaque));
        let is_length = matches!(field.content, Content::Leaf(Meaning::Length(_)));
        // Lengths say it themselves.
        let is_new = !is_length && self.told.insert(said.what);
        // Of an extension, its type says what the extension has said already.
        let says_kind = match &field.content {
            Content::Leaf(Meaning::Code(code)) => parent.and_then(label) == Some(code.code),
            _ => false,
        };
        let inner = field.fields().len();
        FieldView {
            name: field.name.to_owned(),
            cut_end: None,
            place: match field.range.len() {
                0 | 1 => field.range.start.to_string(),
                _ => format!("{}–{}", field.range.start, field.range.end - 1),
            },
            class: match &field.content {
                // Most are: what has no class has their colour.
                Content::Leaf(Meaning::Code(_)) => "",
                Content::Leaf(meaning) => class_of(meaning),
                Content::Group { .. } => "g",
            },
            value: said
                .value
                .or_else(|| (is_opaque && !octets.is_empty()).then(|| short_hex(octets))),
            text: match (is_new, said.note.filter(|_| !says_kind)) {
                (true, Some(note)) => Some(format!("{} {note}", said.what)),
                (true, None) => Some(said.what.to_owned()),
                (false, note) => note.filter(|note| !self.was_said(note)),
            },
            badge: said.judgement.and_then(|judgement| {
                let class = match judgement {
                    // The value says that it is GREASE.
                    Judgement::Recommended | Judgement::Special | Judgement::Grease => return None,
                    Judgement::Legacy => "legacy",
                    Judgement::Broken => "broken",
                    Judgement::Unknown => "plain",
                };
                Some((class, language.judgement(judgement)))
            }),
            group: inner > 0,
            folded: inner > 0 && (depth > FOLDED_DEPTH || depth == FOLDED_DEPTH && inner > 12),
            closes: 0,
        }
    }
}

fn label(field: &Field) -> Option<u64> {
    match &field.content {
        Content::Group {
            label: Some(code), ..
        } => Some(code.code),
        _ => None,
    }
}

/// The class of what octets mean, which gives them their colour.
fn class_of(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning::Length(_) => "l",
        Meaning::Number(_) => "n",
        Meaning::Code(_) => "c",
        Meaning::Text => "t",
        Meaning::Opaque => "o",
        Meaning::Wrong(_) => "w",
        Meaning::Unread => "u",
    }
}

/// The first octets of a field, and how it goes on.
fn short_hex(octets: &[u8]) -> String {
    let shown = octets.get(..SHOWN_OPAQUE_OCTETS).unwrap_or(octets);
    let mut text = plain_hex(shown);
    if shown.len() < octets.len() {
        text.push('…');
    }
    text
}

/// Octets as hexadecimal digits, without anything between them.
pub(super) fn plain_hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// The rows of digits, each behind a mark for the place of its first octet, which the style counts: an element for
/// each leaf, also for one without octets, so that a leaf is found by its number.
fn hex(leaves: &[Leaf], bytes: &[u8]) -> String {
    let bytes = bytes.get(..MOST_OCTETS).unwrap_or(bytes);
    let mut text = String::with_capacity(bytes.len() * 4 + leaves.len() * 20);
    let (mut leaves, mut end) = (leaves.iter(), 0);
    for (at, octet) in bytes.iter().enumerate() {
        if at >= end && at > 0 {
            text.push_str("</b>");
        }
        match at % ROW_OCTETS {
            0 if at == 0 => text.push_str("<i></i>"),
            0 => text.push_str("\n<i></i>"),
            _ => text.push(' '),
        }
        while at >= end {
            let leaf = leaves.next();
            // Octets that are nothing but octets, and numbers, have no colour of their own.
            let class = match leaf.map_or("u", |leaf| leaf.class) {
                "o" | "n" => "",
                "l" => " class=l",
                "c" => " class=c",
                "t" => " class=t",
                "w" => " class=w",
                _ => " class=u",
            };
            end = leaf.map_or(usize::MAX, |leaf| leaf.end);
            let is_empty = if at >= end { "</b>" } else { "" };
            let _ = write!(text, "<b{class}>{is_empty}");
        }
        let _ = write!(text, "{octet:02x}");
    }
    if !bytes.is_empty() {
        text.push_str("</b>");
    }
    text
}
