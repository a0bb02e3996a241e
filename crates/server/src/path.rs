//! The path of a request, decoded and judged once.
//!
//! Routes are matched on what the path means, not on how it is spelled: were they matched on the
//! raw text, `/%61dmin/` would slip past a password on `/admin/*`.

use std::borrow::Cow;

use memchr::memchr;

use crate::site::PathPattern;

/// A path that is safe to take apart: absolute, without empty, `.` and `..` segments, NUL bytes
/// and encoded slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestPath<'a> {
    raw: &'a str,
    decoded: Cow<'a, [u8]>,
}

/// A path that names nothing here: it tries to leave its folder, or to mean two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnsafePath;

impl<'a> RequestPath<'a> {
    pub(crate) fn new(raw: &'a str) -> Result<Self, UnsafePath> {
        let decoded = if raw.contains('%') {
            Cow::Owned(decode(raw.as_bytes())?)
        } else {
            Cow::Borrowed(raw.as_bytes())
        };
        let Some(relative) = decoded.strip_prefix(b"/") else {
            return Err(UnsafePath);
        };
        if memchr(0, relative).is_some() {
            return Err(UnsafePath);
        }
        let mut segments = relative.split(|&b| b == b'/').peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            if segment.is_empty() && !last || segment == b"." || segment == b".." {
                return Err(UnsafePath);
            }
        }
        Ok(Self { raw, decoded })
    }

    /// The path as the client wrote it.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw
    }

    /// The path without its first slash, decoded.
    pub(crate) fn relative(&self) -> &[u8] {
        &self.decoded[1..]
    }

    /// Whether a segment starts with a dot. `/.well-known/` (RFC 8615) is meant to be seen.
    pub(crate) fn is_hidden(&self) -> bool {
        self.relative()
            .split(|&b| b == b'/')
            .enumerate()
            .any(|(at, segment)| segment.starts_with(b".") && (at > 0 || segment != b".well-known"))
    }

    /// What lies behind `pattern`, as the client wrote it; `None` where the pattern does not take
    /// this path.
    pub(crate) fn rest(&self, pattern: &PathPattern) -> Option<&'a str> {
        match pattern {
            PathPattern::Exact(exact) => (*self.decoded == *exact.as_bytes()).then_some(""),
            PathPattern::Prefix(prefix) => self
                .decoded
                .starts_with(prefix.as_bytes())
                .then(|| self.raw_behind(prefix.len())),
        }
    }

    /// The raw text behind the first `n` decoded bytes.
    fn raw_behind(&self, n: usize) -> &'a str {
        let bytes = self.raw.as_bytes();
        let mut at = 0;
        for _ in 0..n {
            at += if bytes.get(at) == Some(&b'%') { 3 } else { 1 };
        }
        self.raw.get(at..).unwrap_or("")
    }
}

/// A path as it may stand in a `Location`. Browsers read a backslash as a slash:
/// `/\\elsewhere.example` must not become a host.
pub(crate) fn plain(path: &str) -> Cow<'_, str> {
    if path.contains('\\') {
        path.replace('\\', "%5C").into()
    } else {
        path.into()
    }
}

fn decode(raw: &[u8]) -> Result<Vec<u8>, UnsafePath> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut left = raw.iter();
    while let Some(&byte) = left.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || left.next().and_then(|&b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(UnsafePath);
        };
        match (high << 4 | low) as u8 {
            b'/' => return Err(UnsafePath),
            byte => decoded.push(byte),
        }
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_or_mean_two_things_are_refused() {
        for raw in [
            "",
            "a",
            "*",
            "//",
            "/a//b",
            "/..",
            "/a/../b",
            "/./a",
            "/%2e%2e/a",
            "/a/%2E%2E",
            "/%2e",
            "/a%2fb",
            "/a%2Fb",
            "/a%00",
            "/a\0",
            "/%",
            "/%1",
            "/%zz",
            "/..%2f",
            "/a/..",
        ] {
            assert_eq!(RequestPath::new(raw), Err(UnsafePath), "{raw}");
        }
    }

    #[test]
    fn patterns_match_what_a_path_means() {
        let path = RequestPath::new("/%61dmin/x%20y").unwrap();
        assert_eq!(
            path.rest(&PathPattern::Prefix("/admin/".into())),
            Some("x%20y")
        );
        assert_eq!(path.relative(), b"admin/x y");
        assert_eq!(
            path.rest(&PathPattern::Exact("/admin/x y".into())),
            Some("")
        );
    }

    #[test]
    fn dotfiles_are_hidden_but_for_well_known() {
        assert!(RequestPath::new("/.git/config").unwrap().is_hidden());
        assert!(RequestPath::new("/a/%2egit").unwrap().is_hidden());
        assert!(RequestPath::new("/a/.well-known/b").unwrap().is_hidden());
        assert!(
            !RequestPath::new("/.well-known/security.txt")
                .unwrap()
                .is_hidden()
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_or_escapes(raw in "\\PC{0,60}", prefix in "/[a-z%]{0,5}") {
            if let Ok(path) = RequestPath::new(&raw) {
                prop_assert!(!path.relative().split(|&b| b == b'/').any(|segment| segment == b".."));
                let _ = path.rest(&PathPattern::Prefix(prefix));
            }
        }
    }
}
