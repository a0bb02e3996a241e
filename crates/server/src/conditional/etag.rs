//! Entity tags: made of what they stand for, read from lists, compared (RFC 9110, section 8.8.3).

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::{HeaderMap, HeaderName, HeaderValue};

/// A strong `ETag`, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(HeaderValue);

impl EntityTag {
    /// The tag of `bytes`, which are the content itself, or all that tells one state of it from
    /// another. Equal bytes have equal tags, on whatever machine.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let hash = digest(&SHA256, bytes);
        // 96 bits: the states of one file that a client may know are few, and tags are sent often.
        let short = hash.as_ref().get(..12).unwrap_or_default();
        let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(short));
        // Letters, digits, - and _ are always a field value; there is no second case.
        Self(HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")))
    }

    /// A strong tag of `opaque`, which is given without its quotes; `None` where a tag may not
    /// have such bytes.
    #[must_use]
    pub fn strong(opaque: &str) -> Option<Self> {
        if !opaque.bytes().all(is_etagc) {
            return None;
        }
        HeaderValue::from_bytes(format!("\"{opaque}\"").as_bytes())
            .ok()
            .map(Self)
    }

    /// The tag of the same content in a content coding: a strong tag names bytes, and those differ
    /// (section 8.8.3.3).
    #[must_use]
    pub fn in_coding(&self, coding: &str) -> Self {
        let plain = self.opaque();
        let mut tag = Vec::with_capacity(plain.len() + coding.len() + 3);
        tag.push(b'"');
        tag.extend_from_slice(plain);
        tag.push(b'-');
        tag.extend(coding.bytes().filter(|&byte| is_etagc(byte)));
        tag.push(b'"');
        // Made of bytes that a field value may have.
        HeaderValue::from_bytes(&tag).map_or_else(|_| self.clone(), Self)
    }

    /// The field value.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }

    fn opaque(&self) -> &[u8] {
        let bytes = self.0.as_bytes();
        bytes
            .get(1..bytes.len().saturating_sub(1))
            .unwrap_or_default()
    }
}

/// A tag that a client sent, or `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent<'a> {
    Any,
    Tag { weak: bool, opaque: &'a [u8] },
}

impl Sent<'_> {
    /// Strong comparison (section 8.8.3.2); `*` stands for any representation that exists.
    pub(super) fn matches_strong(self, current: Option<&EntityTag>) -> bool {
        match self {
            Self::Any => true,
            Self::Tag { weak, opaque } => {
                !weak && current.is_some_and(|current| current.opaque() == opaque)
            }
        }
    }

    /// Weak comparison (section 8.8.3.2).
    pub(super) fn matches_weak(self, current: Option<&EntityTag>) -> bool {
        match self {
            Self::Any => true,
            Self::Tag { opaque, .. } => current.is_some_and(|current| current.opaque() == opaque),
        }
    }
}

/// Whether a tag in the lists of the field satisfies `matches`; a list ends where it breaks the
/// grammar.
pub(super) fn listed(
    headers: &HeaderMap,
    name: HeaderName,
    matches: impl Fn(Sent<'_>) -> bool,
) -> bool {
    headers.get_all(name).iter().any(|value| {
        let value = value.as_bytes().trim_ascii();
        if value == b"*" {
            return matches(Sent::Any);
        }
        let mut left = value;
        loop {
            while let [b',' | b' ' | b'\t', rest @ ..] = left {
                left = rest;
            }
            let Some((tag, rest)) = take(left) else {
                return false;
            };
            if matches(tag) {
                return true;
            }
            left = rest.trim_ascii_start();
            // Tags stand apart by commas; anything else is not a list of tags.
            if !left.is_empty() && !left.starts_with(b",") {
                return false;
            }
        }
    })
}

/// The single tag that a field is.
pub(super) fn parse(value: &[u8]) -> Option<Sent<'_>> {
    take(value.trim_ascii())
        .filter(|(_, rest)| rest.is_empty())
        .map(|(tag, _)| tag)
}

fn take(text: &[u8]) -> Option<(Sent<'_>, &[u8])> {
    let (weak, text) = match text.strip_prefix(b"W/") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|&byte| !is_etagc(byte))?;
    let (opaque, rest) = text.split_at(end);
    Some((Sent::Tag { weak, opaque }, rest.strip_prefix(b"\"")?))
}

fn is_etagc(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_for_bytes_now_and_in_every_later_version() {
        assert_eq!(EntityTag::of(b"hello\n").header(), "\"WJG1tSLV3whtD_Cx\"");
        assert_ne!(EntityTag::of(b"hello"), EntityTag::of(b"hello\n"));
        let empty = EntityTag::of(b"");
        assert_eq!(empty.header(), "\"47DEQpj8HBSa-_TI\"");
    }

    #[test]
    fn a_coding_has_its_own_tag() {
        let tag = EntityTag::strong("abc").unwrap();
        assert_eq!(tag.in_coding("br").header(), "\"abc-br\"");
    }

    #[test]
    fn a_tag_of_bytes_that_none_may_have_is_refused() {
        assert_eq!(EntityTag::strong("a\"b"), None);
        assert_eq!(EntityTag::strong("a b"), None);
        assert_eq!(EntityTag::strong("a\nb"), None);
        assert!(EntityTag::strong("").is_some());
    }
}
