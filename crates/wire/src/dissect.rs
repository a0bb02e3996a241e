//! Messages as trees of named byte ranges.
//!
//! Every octet belongs to exactly one leaf, also where the message is wrong: what could not be read is
//! a leaf that says why.

use std::ops::Range;

use crate::reader::{Code, DecodeError, Meaning, Reader, Trace};

/// A range of octets with a name: a group of fields, or a single one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What the RFC calls it.
    pub name: &'static str,
    /// Where it is, in octets from the beginning of what was dissected.
    pub range: Range<usize>,
    /// What it holds.
    pub content: Content,
}

/// What a [`Field`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Fields, which cover the range without a gap. Some groups are one of many of their kind, told
    /// apart by a code point: an extension by its type, a message by its.
    Group {
        /// Which of its kind it is.
        label: Option<Code>,
        /// The fields, in the order of their octets.
        fields: Vec<Field>,
    },
    /// The octets themselves.
    Leaf(Meaning),
}

/// Reads all of `bytes` by a description, and gives the tree of what it found, whose name is `name`,
/// with the value or what is wrong.
pub fn dissect<'b, V>(
    name: &'static str,
    bytes: &'b [u8],
    describe: impl FnOnce(&mut Reader<'b, Tree>) -> Result<V, DecodeError>,
) -> (Field, Result<V, DecodeError>) {
    let mut reader = Reader::new(bytes, Tree::default());
    let value = reader.group(name, |reader| reader.enclosed(name, bytes.len(), describe));
    (reader.into_trace().finish(name, bytes.len()), value)
}

/// The [`Trace`] that keeps all it is told.
#[derive(Debug, Default)]
pub struct Tree {
    /// What is open, the outermost first.
    open: Vec<Field>,
    whole: Option<Field>,
}

impl Trace for Tree {
    fn open(&mut self, name: &'static str, at: usize) {
        self.open.push(Field {
            name,
            range: at..at,
            content: Content::Group {
                label: None,
                fields: Vec::new(),
            },
        });
    }

    fn leaf(&mut self, name: &'static str, range: Range<usize>, meaning: Meaning) {
        self.add(Field {
            name,
            range,
            content: Content::Leaf(meaning),
        });
    }

    fn close(&mut self, at: usize) {
        if let Some(mut field) = self.open.pop() {
            field.range.end = at;
            self.add(field);
        }
    }

    fn label(&mut self, code: Code) {
        if let Some(Field {
            content: Content::Group { label, .. },
            ..
        }) = self.open.last_mut()
        {
            *label = Some(code);
        }
    }
}

impl Tree {
    fn add(&mut self, field: Field) {
        match self.open.last_mut() {
            Some(Field {
                content: Content::Group { fields, .. },
                ..
            }) => fields.push(field),
            _ => self.whole = Some(field),
        }
    }

    fn finish(self, name: &'static str, end: usize) -> Field {
        self.whole.unwrap_or(Field {
            name,
            range: 0..end,
            content: Content::Leaf(Meaning::Unread),
        })
    }
}

impl Field {
    /// The fields of a group; none of a leaf.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        match &self.content {
            Content::Group { fields, .. } => fields,
            Content::Leaf(_) => &[],
        }
    }

    /// The leaves below it, or itself, in the order of their octets.
    pub fn leaves(&self) -> impl Iterator<Item = &Field> {
        let mut next = vec![self];
        std::iter::from_fn(move || {
            loop {
                let field = next.pop()?;
                match &field.content {
                    Content::Leaf(_) => return Some(field),
                    Content::Group { fields, .. } => next.extend(fields.iter().rev()),
                }
            }
        })
    }

    /// Adds `octets` to where it and all below it begin and end: what was dissected is part of
    /// something larger.
    pub fn shift(&mut self, octets: usize) {
        self.range.start += octets;
        self.range.end += octets;
        if let Content::Group { fields, .. } = &mut self.content {
            for field in fields {
                field.shift(octets);
            }
        }
    }
}
