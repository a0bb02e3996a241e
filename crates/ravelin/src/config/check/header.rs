//! Response headers: those that the user sets, and the values of a few that have their own keys.

use std::collections::HashMap;
use std::ops::Range;

use http::{HeaderName, HeaderValue, header};

use super::super::fault::Fault;
use super::super::placed::{Key, Named};
use super::Check;

/// The headers of a site or a route, in the order of the file.
pub(super) fn headers(
    key: &Key<Named<String>>,
    check: &mut Check<'_>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    let mut known: HashMap<HeaderName, Range<usize>> = HashMap::new();
    for (name, value) in key.value().into_iter().flat_map(|named| &named.0) {
        let Some(parsed) = check.problems.take(&name.place, parse_name(&name.value)) else {
            continue;
        };
        if let Some(earlier) = known.insert(parsed.clone(), name.place.clone()) {
            let fault = Fault::HeaderTwice(name.value.clone());
            check.problems.again(&name.place, &earlier, fault);
        }
        let parsed_value = parse_value(&name.value, &value.value);
        if let Some(value) = check.problems.take(&value.place, parsed_value) {
            headers.push((parsed, value));
        }
    }
    headers
}

/// The value of the header `name`.
pub(super) fn parse_value(name: &str, value: &str) -> Result<HeaderValue, Fault> {
    // Bytes beyond ASCII may be sent, but what a client makes of them nobody knows (RFC 9110,
    // section 5.5).
    match HeaderValue::from_str(value) {
        Ok(header) if value.is_ascii() => Ok(header),
        _ => Err(Fault::HeaderValue(name.to_owned())),
    }
}

/// A `Strict-Transport-Security` policy: directives of which one is `max-age` (RFC 6797,
/// section 6.1).
pub(super) fn hsts(text: &str) -> Result<HeaderValue, Fault> {
    let wrong = || Fault::Hsts(text.to_owned());
    let mut max_age = 0;
    for directive in text.split(';') {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (directive.trim(), None),
        };
        match (name.to_ascii_lowercase().as_str(), value) {
            ("max-age", Some(age)) if age.parse::<u32>().is_ok() => max_age += 1,
            ("includesubdomains" | "preload", None) => {}
            _ => return Err(wrong()),
        }
    }
    if max_age != 1 {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

/// A media type with its parameters (RFC 9110, section 8.3.1), looked at as far as to catch slips.
pub(super) fn content_type(text: &str) -> Result<HeaderValue, Fault> {
    let wrong = || Fault::ContentType(text.to_owned());
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+*'`|~%".contains(&b))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    match essence.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => {
            HeaderValue::from_str(text).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

fn parse_name(text: &str) -> Result<HeaderName, Fault> {
    let name =
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| Fault::HeaderName(text.to_owned()))?;
    if name == header::STRICT_TRANSPORT_SECURITY {
        return Err(Fault::HeaderHsts);
    }
    if OWNED.contains(&name) || name.as_str() == "keep-alive" || name.as_str() == "proxy-connection"
    {
        return Err(Fault::HeaderOwned(text.to_owned()));
    }
    Ok(name)
}

/// Headers that say how a message is framed, coded or sent on: a wrong word in one of them and the
/// next response is read from the middle of this one. HTTP/2 forbids most of them (RFC 9113,
/// section 8.2.2).
const OWNED: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::DATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::WWW_AUTHENTICATE,
];
