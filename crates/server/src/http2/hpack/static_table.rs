//! The static table (RFC 7541, appendix A).

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, header};

use super::field::{Field, Name};

/// The entries of the static table; the next index is the first of the dynamic table.
pub(super) const ENTRIES: usize = 61;

/// The field at `index`, and the length of its name and of its value.
pub(super) fn field(index: usize) -> Option<(Field, usize, usize)> {
    let method = |method: Method| {
        let length = method.as_str().len();
        Some((Field::Method(method), 7, length))
    };
    match index {
        2 => method(Method::GET),
        3 => method(Method::POST),
        4 => Some((Field::Path(PathAndQuery::from_static("/")), 5, 1)),
        5 => Some((Field::Path(PathAndQuery::from_static("/index.html")), 5, 11)),
        6 => Some((Field::Scheme(Scheme::HTTP), 7, 4)),
        7 => Some((Field::Scheme(Scheme::HTTPS), 7, 5)),
        // An empty `:authority`, and `:status`.
        1 => Some((Field::Malformed, 10, 0)),
        8..=14 => Some((Field::Malformed, 7, 3)),
        16 => regular(index, "gzip, deflate"),
        15..=ENTRIES => regular(index, ""),
        _ => None,
    }
}

fn regular(index: usize, value: &'static str) -> Option<(Field, usize, usize)> {
    let name = NAMES.get(index - FIRST_NAME)?;
    // `transfer-encoding`, which HTTP/2 does not have.
    let field = if *name == header::TRANSFER_ENCODING {
        Field::Malformed
    } else {
        Field::Regular(name.clone(), HeaderValue::from_static(value))
    };
    Some((field, name.as_str().len(), value.len()))
}

/// The name at `index`, and its length.
pub(super) fn name(index: usize) -> Option<(Name, usize)> {
    match index {
        1 => Some((Name::Authority, 10)),
        _ => field(index).map(|(field, length, _)| (field.name(), length)),
    }
}

/// What is known of a response's field by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The entry with this name, or 0.
    pub(super) index: u8,
    pub(super) habit: Habit,
}

/// What a field does in the responses of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// It has the same few values again and again: worth a place in the dynamic table.
    Repeats,
    /// It is different each time.
    Changes,
    /// It belongs to HTTP/1 connections and is not sent (RFC 9113, section 8.2.2).
    Dropped,
}

/// Finds what is known of a name. By its length first: then few are left, which the compiler
/// compares as numbers.
pub(super) fn known(name: &str) -> Known {
    use Habit::{Changes, Dropped, Repeats};
    let (index, habit) = match name.len() {
        3 => match name {
            "age" => (21, Changes),
            "via" => (60, Repeats),
            _ => (0, Changes),
        },
        4 => match name {
            "date" => (33, Repeats),
            "etag" => (34, Changes),
            "link" => (45, Changes),
            "vary" => (59, Repeats),
            _ => (0, Changes),
        },
        5 => match name {
            "allow" => (22, Repeats),
            _ => (0, Changes),
        },
        6 => match name {
            "server" => (54, Repeats),
            _ => (0, Changes),
        },
        7 => match name {
            "alt-svc" => (0, Repeats),
            "expires" => (36, Changes),
            "upgrade" => (0, Dropped),
            _ => (0, Changes),
        },
        8 => match name {
            "location" => (46, Changes),
            _ => (0, Changes),
        },
        10 => match name {
            "set-cookie" => (55, Changes),
            "connection" | "keep-alive" => (0, Dropped),
            _ => (0, Changes),
        },
        11 => match name {
            "retry-after" => (53, Changes),
            _ => (0, Changes),
        },
        12 => match name {
            "content-type" => (31, Repeats),
            _ => (0, Changes),
        },
        13 => match name {
            "accept-ranges" => (18, Repeats),
            "cache-control" => (24, Repeats),
            "content-range" => (30, Changes),
            "last-modified" => (44, Changes),
            _ => (0, Changes),
        },
        14 => match name {
            "content-length" => (28, Changes),
            _ => (0, Changes),
        },
        15 => match name {
            "referrer-policy" | "x-frame-options" => (0, Repeats),
            _ => (0, Changes),
        },
        16 => match name {
            "content-encoding" => (26, Repeats),
            "content-language" => (27, Repeats),
            "content-location" => (29, Changes),
            "www-authenticate" => (61, Repeats),
            "proxy-connection" => (0, Dropped),
            _ => (0, Changes),
        },
        17 => match name {
            "transfer-encoding" => (57, Dropped),
            _ => (0, Changes),
        },
        18 => match name {
            "permissions-policy" => (0, Repeats),
            "proxy-authenticate" => (48, Changes),
            _ => (0, Changes),
        },
        19 => match name {
            "content-disposition" => (25, Changes),
            _ => (0, Changes),
        },
        22 => match name {
            "x-content-type-options" => (0, Repeats),
            _ => (0, Changes),
        },
        23 => match name {
            "content-security-policy" => (0, Repeats),
            _ => (0, Changes),
        },
        25 => match name {
            "strict-transport-security" => (56, Repeats),
            _ => (0, Changes),
        },
        27 => match name {
            "access-control-allow-origin" => (20, Repeats),
            _ => (0, Changes),
        },
        _ => (0, Changes),
    };
    Known { index, habit }
}

/// The index whose field is the whole `:status`; the first of them for the name alone.
pub(super) fn status(status: u16) -> Option<u8> {
    Some(match status {
        200 => 8,
        204 => 9,
        206 => 10,
        304 => 11,
        400 => 12,
        404 => 13,
        500 => 14,
        _ => return None,
    })
}

pub(super) const STATUS: u8 = 8;

const FIRST_NAME: usize = 15;

static NAMES: [HeaderName; ENTRIES + 1 - FIRST_NAME] = [
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::ACCEPT_RANGES,
    header::ACCEPT,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::AGE,
    header::ALLOW,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::ETAG,
    header::EXPECT,
    header::EXPIRES,
    HeaderName::from_static("from"),
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::LAST_MODIFIED,
    header::LINK,
    header::LOCATION,
    header::MAX_FORWARDS,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::REFERER,
    header::REFRESH,
    header::RETRY_AFTER,
    header::SERVER,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
    header::VARY,
    header::VIA,
    header::WWW_AUTHENTICATE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_names_agrees_with_the_table() {
        for (n, name) in NAMES.iter().enumerate() {
            let known = known(name.as_str());
            assert!(
                known.index == 0 || usize::from(known.index) == n + FIRST_NAME,
                "{name}"
            );
        }
        assert_eq!(known("content-length").index, 28);
        assert_eq!(known("www-authenticate").index, 61);
        assert_eq!(known("connection").habit, Habit::Dropped);
    }

    #[test]
    fn the_table_ends_where_the_dynamic_one_begins() {
        assert!(field(0).is_none());
        assert!((1..=ENTRIES).all(|index| field(index).is_some() && name(index).is_some()));
        assert!(field(ENTRIES + 1).is_none());
        assert_eq!(name(1), Some((Name::Authority, 10)));
        assert_eq!(name(19).unwrap().0, Name::Regular(header::ACCEPT));
    }
}
