//! The fields of a message, as a tree that is set in by depth.

use std::fmt::Write as _;

use ravelin_wire::dissect::{Content, Field};
use ravelin_wire::reader::Meaning;
use ravelin_wire::registry::Judgement as Rating;

use super::lines::Lines;
use super::{BAD, BOLD, DIM, Detail, OPEN, Options};
use crate::ledger::Secrets;
use crate::story::{Step, What};

/// How many octets of a field are shown before the octets themselves are.
const SHOWN_OCTETS: usize = 16;

pub(super) fn write(lines: &mut Lines, step: &Step, options: &Options) {
    let is_secret = step.what == What::ApplicationData && options.secrets == Secrets::Hidden;
    let (tree, _) = step.dissect();
    lines.styled(3, BOLD, options.language.labels().fields);
    let tree_view = Tree {
        bytes: &step.bytes,
        options,
        is_secret,
    };
    tree_view.write(lines, None, &tree, 0, false);
}

struct Tree<'s> {
    bytes: &'s [u8],
    options: &'s Options,
    /// Whether the octets themselves are left out.
    is_secret: bool,
}

impl Tree<'_> {
    /// Writes a field and all below it. Of fields of one name in a row, only the first says what they are.
    fn write(
        &self,
        lines: &mut Lines,
        parent: Option<&Field>,
        field: &Field,
        depth: usize,
        again: bool,
    ) {
        let words = self.options.language.field(parent, field, self.bytes);
        let is_length = matches!(field.content, Content::Leaf(Meaning::Length(_)));
        if is_length && self.options.detail < Detail::Octets {
            return;
        }
        let mut said: Vec<String> = Vec::new();
        said.extend(words.value);
        if matches!(field.content, Content::Leaf(Meaning::Opaque)) {
            said.push(self.hex(field));
        }
        let rating = words
            .judgement
            .filter(|rating| *rating != Rating::Recommended);
        if let Some(rating) = rating.filter(|rating| *rating != Rating::Grease) {
            said.push(format!("[{}]", self.options.language.judgement(rating)));
        }
        // An extension says what it is for; that it is one goes without saying.
        if let Some(note) = words
            .note
            .filter(|_| !matches!(field.content, Content::Leaf(_)))
        {
            said.push(note);
        } else if !again && !is_length && parent.is_none_or(|parent| parent.name != field.name) {
            said.push(words.what.to_owned());
        }
        let style = match (&field.content, rating) {
            (Content::Leaf(Meaning::Wrong(_)), _) | (_, Some(Rating::Broken)) => BAD,
            (_, Some(Rating::Legacy)) => OPEN,
            _ => DIM,
        };
        let indent = 5 + 2 * depth.min(8);
        lines.labelled(indent, style, field.name, &said.join(" · "));
        let mut before = "";
        for below in field.fields() {
            self.write(lines, Some(field), below, depth + 1, before == below.name);
            before = below.name;
        }
    }

    fn hex(&self, field: &Field) -> String {
        let octets = self.bytes.get(field.range.clone()).unwrap_or_default();
        let count = self.options.language.octets(octets.len() as u64);
        if self.is_secret {
            return format!("{} ({count})", self.options.language.labels().hidden);
        }
        let most = if octets.len() <= 2 * SHOWN_OCTETS {
            octets.len()
        } else {
            SHOWN_OCTETS
        };
        let mut hex = String::with_capacity(2 * most + 16);
        for octet in octets.iter().take(most) {
            let _ = write!(hex, "{octet:02x}");
        }
        if most < octets.len() {
            let _ = write!(hex, "… ({count})");
        }
        hex
    }
}
