//! Header fields of a request, as the types that handlers see.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, header};

/// A field of a request.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Field {
    Method(Method),
    Scheme(Scheme),
    Authority(Authority),
    Path(PathAndQuery),
    Regular(HeaderName, HeaderValue),
    /// Something that no request may have: it makes the request malformed (RFC 9113, section
    /// 8.1.1), but not the header block.
    Malformed,
}

/// A field's name, which decides what its value has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Method,
    Scheme,
    Authority,
    Path,
    Regular(HeaderName),
    Malformed,
}

impl Name {
    pub(super) fn new(name: &[u8]) -> Self {
        match name {
            b":method" => Self::Method,
            b":scheme" => Self::Scheme,
            b":authority" => Self::Authority,
            b":path" => Self::Path,
            // Other pseudo-fields (section 8.3), upper case and what else is no token (8.2.1).
            _ => HeaderName::from_lowercase(name).map_or(Self::Malformed, Self::regular),
        }
    }

    fn regular(name: HeaderName) -> Self {
        // Fields of one HTTP/1 connection (RFC 9113, section 8.2.2).
        let of_connection = [
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
        ];
        let other = ["keep-alive", "proxy-connection"];
        if of_connection.contains(&name) || other.contains(&name.as_str()) {
            Self::Malformed
        } else {
            Self::Regular(name)
        }
    }
}

impl Field {
    pub(super) fn new(name: Name, value: &[u8]) -> Self {
        let shared = || Bytes::copy_from_slice(value);
        let field = match name {
            Name::Method => Method::from_bytes(value).ok().map(Self::Method),
            Name::Scheme if value.is_empty() => None,
            Name::Scheme => Scheme::try_from(value).ok().map(Self::Scheme),
            Name::Authority => Authority::from_maybe_shared(shared())
                .ok()
                .map(Self::Authority),
            Name::Path => PathAndQuery::from_maybe_shared(shared())
                .ok()
                // Without a slash only `*` is a target, and is judged with the method. A fragment,
                // which would be cut off, is not part of a target (RFC 9113, section 8.3.1).
                .filter(|path| {
                    matches!(value.first(), Some(b'/' | b'*')) && path.as_str().len() == value.len()
                })
                .map(Self::Path),
            Name::Regular(name) => Self::regular(name, value),
            Name::Malformed => None,
        };
        field.unwrap_or(Self::Malformed)
    }

    fn regular(name: HeaderName, value: &[u8]) -> Option<Self> {
        // Section 8.2.1: no space at either end.
        let space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        if space(value.first()) || space(value.last()) {
            return None;
        }
        if name == header::TE && value != b"trailers" {
            return None;
        }
        let value = HeaderValue::from_bytes(value).ok()?;
        Some(Self::Regular(name, value))
    }

    pub(super) fn name(&self) -> Name {
        match self {
            Self::Method(_) => Name::Method,
            Self::Scheme(_) => Name::Scheme,
            Self::Authority(_) => Name::Authority,
            Self::Path(_) => Name::Path,
            Self::Regular(name, _) => Name::Regular(name.clone()),
            Self::Malformed => Name::Malformed,
        }
    }

    /// Marks a value that its sender wants in no table (RFC 7541, section 7.1.3).
    pub(super) fn set_sensitive(&mut self) {
        if let Self::Regular(_, value) = self {
            value.set_sensitive(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_malformed(name: &str, value: &[u8]) -> bool {
        Field::new(Name::new(name.as_bytes()), value) == Field::Malformed
    }

    #[test]
    fn what_no_request_may_have_is_malformed() {
        for (name, value) in [
            ("Accept", "a"),
            ("a b", "a"),
            ("", "a"),
            (":status", "200"),
            (":protocol", "websocket"),
            ("connection", "close"),
            ("keep-alive", "1"),
            ("proxy-connection", "close"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("te", "gzip"),
            ("a", " b"),
            ("a", "b\t"),
            ("a", "b\r\nc"),
            ("a", "b\0"),
            (":path", ""),
            (":path", "?a"),
            (":path", "a/b"),
            (":path", "/a b"),
            (":path", "/a#b"),
            (":authority", ""),
            (":authority", "a b"),
            (":scheme", ""),
            (":method", ""),
            (":method", "A B"),
        ] {
            assert!(is_malformed(name, value.as_bytes()), "{name}: {value}");
        }
        for (name, value) in [
            ("te", "trailers"),
            (":path", "*"),
            (":path", "/"),
            ("a", ""),
            ("a", "b c"),
            ("a", "\u{e9}"),
        ] {
            assert!(!is_malformed(name, value.as_bytes()), "{name}: {value}");
        }
    }
}
