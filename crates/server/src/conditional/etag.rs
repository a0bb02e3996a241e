//! Entity tags: made of a file's time and length, read from lists, compared (RFC 9110,
//! section 8.8.3).

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};

/// A strong `ETag`, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(HeaderValue);

impl EntityTag {
    /// The tag of a file's content, of its time of change in nanoseconds and its length.
    ///
    /// Two changes that leave the length as it is share a tag where they come within one tick of
    /// the file system's clock, some milliseconds on Linux. (nginx counts seconds.)
    #[must_use]
    pub fn of_file(modified: SystemTime, length: u64) -> Self {
        // Before 1970: the distance, marked, so that no time is unlike itself and none is refused.
        let (sign, since) = match modified.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => ("", since),
            Err(before) => ("n", before.duration()),
        };
        let tag = format!("\"{sign}{:x}-{length:x}\"", since.as_nanos());
        // Digits and letters are always a field value; there is no second case.
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_tag_of_a_file_changes_with_time_and_length() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1, 5);
        let tag = EntityTag::of_file(time, 10);
        assert_eq!(tag.header(), "\"3b9aca05-a\"");
        assert_ne!(tag, EntityTag::of_file(time + Duration::from_nanos(1), 10));
        assert_ne!(tag, EntityTag::of_file(time, 11));
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_ne!(
            EntityTag::of_file(before, 1),
            EntityTag::of_file(SystemTime::UNIX_EPOCH + Duration::from_secs(1), 1)
        );
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
