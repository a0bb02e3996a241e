//! Distinguished names (RFC 5280, section 4.1.2.4): who holds a certificate and who issued it.

use std::fmt;
use std::hash::BuildHasher;

use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::fingerprint::hex;
use crate::oid::Oid;

/// A distinguished name: a sequence of sets of attributes.
///
/// Two are equal if their DER is. [`Self::matches`] compares them as path validation does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
    /// The attributes of each relative distinguished name: almost always one.
    parts: Vec<Vec<Attribute>>,
}

/// One attribute of a distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// What it says: `commonName`.
    pub kind: Oid,
    /// The type that its value is written in: `UTF8String`.
    pub tag: Tag,
    /// The value. One that is no text is shown as `#` and its DER in hexadecimal digits (RFC 4514,
    /// section 2.4).
    pub value: String,
}

impl DistinguishedName {
    /// The name of these attributes, one each relative distinguished name, in their order. Countries
    /// and serial numbers are written as `PrintableString`, domain components and email addresses as
    /// `IA5String`, all else, and what has letters that those do not have, as `UTF8String` (RFC 5280,
    /// section 4.1.2.4 and appendix A.1).
    #[must_use]
    pub fn of(attributes: &[(Oid, &str)]) -> Self {
        let mut writer = Writer::new();
        let mut parts = Vec::new();
        writer.sequence(|w| {
            for (kind, value) in attributes {
                let tag = match kind {
                    _ if !value.is_ascii() => Tag::UTF8_STRING,
                    oid if [Oid::COUNTRY, Oid::SERIAL_NUMBER, Oid::DN_QUALIFIER].contains(oid) => {
                        Tag::PRINTABLE_STRING
                    }
                    oid if [Oid::DOMAIN_COMPONENT, Oid::EMAIL_ADDRESS].contains(oid) => {
                        Tag::IA5_STRING
                    }
                    _ => Tag::UTF8_STRING,
                };
                w.constructed(Tag::SET, |w| {
                    w.sequence(|w| {
                        w.oid(kind);
                        w.primitive(tag, value.as_bytes());
                    });
                });
                parts.push(vec![Attribute {
                    kind: kind.clone(),
                    tag,
                    value: (*value).to_owned(),
                }]);
            }
        });
        Self {
            der: writer.into_bytes(),
            parts,
        }
    }

    /// Reads a name.
    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut reader = element.tagged(Tag::SEQUENCE)?.reader();
        let mut parts = Vec::new();
        while !reader.is_at_end() {
            let set = reader.expect(Tag::SET)?;
            let mut attributes = set.reader();
            let mut part = Vec::new();
            while !attributes.is_at_end() {
                let mut attribute = attributes.sequence()?;
                let kind = attribute.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
                let value = attribute.next()?;
                attribute.finish()?;
                part.push(Attribute {
                    kind,
                    tag: value.tag,
                    value: text_or_hex(&value),
                });
            }
            if part.is_empty() {
                return Err(DerProblem::Empty.at(set.at));
            }
            parts.push(part);
        }
        Ok(Self {
            der: element.whole.to_vec(),
            parts,
        })
    }

    /// The name in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Its relative distinguished names, each with its attributes.
    #[must_use]
    pub fn parts(&self) -> &[Vec<Attribute>] {
        &self.parts
    }

    /// All attributes, in their order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.parts.iter().flatten()
    }

    /// The first attribute of a kind.
    #[must_use]
    pub fn get(&self, kind: &Oid) -> Option<&str> {
        self.attributes()
            .find(|attribute| attribute.kind == *kind)
            .map(|attribute| attribute.value.as_str())
    }

    /// Whether both name the same, by the rules of RFC 5280, section 7.1: the case of letters, runs
    /// of white space and the type of a string make no difference.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.der == other.der || (self.parts.len() == other.parts.len() && self.is_below(other))
    }

    /// A hash that is the same for all names that match.
    pub(crate) fn hash_of_matching(&self, state: &impl BuildHasher) -> u64 {
        // The least of a set's hashes, as a set has no order and its members may be there twice.
        let parts = self.parts.iter().map(|part| {
            let hashes = part.iter().map(|attribute| {
                let value: String = folded(&attribute.value).collect();
                state.hash_one((&attribute.kind, value))
            });
            hashes.min()
        });
        parts.fold(state.hash_one(self.parts.len()), |hash, part| {
            state.hash_one((hash, part))
        })
    }

    /// This name with a relative distinguished name behind it: the SET in DER, as distribution points
    /// have it (RFC 5280, section 4.2.1.13).
    pub(crate) fn with_part(&self, set: &[u8]) -> Result<Self, DerError> {
        let ours = Reader::only(&self.der, Tag::SEQUENCE)?;
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.raw(ours.content);
            w.raw(set);
        });
        Self::read(Reader::only(writer.bytes(), Tag::SEQUENCE)?)
    }

    /// Whether this name begins with all of `ancestor`, as name constraints ask (RFC 5280, section
    /// 4.2.1.10).
    #[must_use]
    pub fn is_below(&self, ancestor: &Self) -> bool {
        self.parts.len() >= ancestor.parts.len()
            && ancestor
                .parts
                .iter()
                .zip(&self.parts)
                .all(|(ours, theirs)| same_part(ours, theirs))
    }
}

/// Whether two sets of attributes are the same, in whatever order.
fn same_part(a: &[Attribute], b: &[Attribute]) -> bool {
    match (a, b) {
        ([a], [b]) => a.kind == b.kind && folded(&a.value).eq(folded(&b.value)),
        _ => a.len() == b.len() && sorted(a) == sorted(b),
    }
}

/// What the attributes of a set say, in an order that depends on nothing else. A stranger chooses how
/// many there are, so each must not be compared with all others.
fn sorted(part: &[Attribute]) -> Vec<(&Oid, String)> {
    let mut sorted: Vec<_> = part
        .iter()
        .map(|attribute| (&attribute.kind, folded(&attribute.value).collect()))
        .collect();
    sorted.sort_unstable();
    sorted
}

/// The value as RFC 4518 prepares it for comparing, as far as certificates make use of it.
fn folded(value: &str) -> impl Iterator<Item = char> + '_ {
    value
        .split_whitespace()
        .enumerate()
        .flat_map(|(index, word)| {
            let space = (index > 0).then_some(' ');
            space
                .into_iter()
                .chain(word.chars().flat_map(char::to_lowercase))
        })
}

fn text_or_hex(value: &Element<'_>) -> String {
    value
        .text()
        .unwrap_or_else(|_| format!("#{}", hex(value.whole)))
}

/// `O=Example, CN=Example CA`: in the order of the certificate, escaped as RFC 4514 does it, with
/// what could move a terminal's cursor as `\` and hexadecimal digits.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            for (index, attribute) in part.iter().enumerate() {
                if index > 0 {
                    f.write_str(" + ")?;
                }
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = SHORT.iter().find(|(oid, _)| *oid == self.kind);
        match short {
            Some((_, short)) => write!(f, "{short}=")?,
            None => write!(f, "{}=", self.kind.name_or_dots())?,
        }
        // What needs no escape is written in one piece: character by character took a sixth of reading
        // a certificate.
        let mut plain = 0;
        for (index, character) in self.value.char_indices() {
            let special = matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
                || (index == 0 && matches!(character, '#' | ' '))
                || unprintable(character);
            if !special {
                continue;
            }
            f.write_str(&self.value[plain..index])?;
            plain = index + character.len_utf8();
            if unprintable(character) {
                let mut octets = [0; 4];
                for octet in character.encode_utf8(&mut octets).bytes() {
                    write!(f, "\\{octet:02x}")?;
                }
            } else {
                write!(f, "\\{character}")?;
            }
        }
        f.write_str(&self.value[plain..])
    }
}

/// Whether a character must not be shown as it is: control characters, which move a terminal's cursor,
/// and those that turn the direction of text or cannot be seen (Unicode Technical Report 36).
#[must_use]
pub fn unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The short names of RFC 4514, section 3, and what all tools write.
static SHORT: [(Oid, &str); 11] = [
    (Oid::COMMON_NAME, "CN"),
    (Oid::ORGANIZATION, "O"),
    (Oid::ORGANIZATIONAL_UNIT, "OU"),
    (Oid::COUNTRY, "C"),
    (Oid::STATE, "ST"),
    (Oid::LOCALITY, "L"),
    (Oid::STREET, "STREET"),
    (Oid::DOMAIN_COMPONENT, "DC"),
    (Oid::USER_ID, "UID"),
    (Oid::SURNAME, "SN"),
    (Oid::GIVEN_NAME, "GN"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Reader;

    fn read(der: &[u8]) -> DistinguishedName {
        DistinguishedName::read(Reader::new(der).next().unwrap()).unwrap()
    }

    #[test]
    fn what_is_made_is_read_back() {
        let name = DistinguishedName::of(&[
            (Oid::COUNTRY, "DE"),
            (Oid::ORGANIZATION, "Müller, Söhne + Co"),
            (Oid::COMMON_NAME, "a\u{1b}[2J"),
        ]);
        assert_eq!(read(name.der()), name);
        assert_eq!(
            name.to_string(),
            "C=DE, O=Müller\\, Söhne \\+ Co, CN=a\\1b[2J"
        );
        assert_eq!(name.get(&Oid::COUNTRY), Some("DE"));
        assert!(DistinguishedName::of(&[]).is_empty());
    }

    #[test]
    fn names_are_compared_without_case_and_spaces() {
        let name = |o, cn| DistinguishedName::of(&[(Oid::ORGANIZATION, o), (Oid::COMMON_NAME, cn)]);
        let plain = name("Example Ltd", "A CA");
        assert!(plain.matches(&name("  EXAMPLE   ltd", "a ca ")));
        assert!(!plain.matches(&name("Example", "A CA")));
        assert!(!plain.matches(&name("ExampleLtd", "A CA")));
        let above = DistinguishedName::of(&[(Oid::ORGANIZATION, "example ltd")]);
        assert!(plain.is_below(&above) && !above.is_below(&plain) && !plain.matches(&above));
    }

    #[test]
    fn sets_have_no_order_and_many_attributes_take_no_time() {
        let name = |values: &mut dyn Iterator<Item = usize>| {
            let part: Vec<Attribute> = values
                .map(|value| Attribute {
                    kind: Oid::COMMON_NAME,
                    tag: Tag::UTF8_STRING,
                    value: format!("A {value}"),
                })
                .collect();
            // Names of one DER are not looked at any further.
            let der = format!("{part:?}").into_bytes();
            DistinguishedName {
                der,
                parts: vec![part],
            }
        };
        assert!(name(&mut (0..3)).matches(&name(&mut (0..3).rev())));
        assert!(!name(&mut [0, 1, 1].into_iter()).matches(&name(&mut [0, 0, 1].into_iter())));
        // Compared each with each, these would take minutes.
        let many = 10_000;
        assert!(name(&mut (0..many)).matches(&name(&mut (0..many).rev())));
        assert!(!name(&mut (0..many)).matches(&name(&mut (1..=many))));
    }
}
