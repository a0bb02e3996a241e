//! Conditional requests: whether a representation is sent, and whether ranges of it may be
//! (RFC 9110, section 13). Pure functions: the caller has looked up the validators.
//!
//! What of the representation is sent then is [`range`]'s business.

mod etag;
pub mod range;

use std::time::{Duration, SystemTime};

use http::header::{
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub use etag::EntityTag;

/// What is known of the representation that a request would be answered with.
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// The `ETag` that the answer carries.
    pub etag: Option<&'a EntityTag>,
    /// The time behind the `Last-Modified` that the answer carries. Its fraction of a second is
    /// left out of account, since the header cannot carry it.
    pub modified: Option<SystemTime>,
}

/// What the preconditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Do what the method asks, for the whole representation: `Range` is absent or void.
    Whole,
    /// Answer with what `Range` asks for, see [`range::select`].
    Ranges,
    /// Answer 304.
    NotModified,
    /// Answer 412.
    PreconditionFailed,
}

/// Evaluates the preconditions of a request for a representation that exists, in the order of
/// RFC 9110, section 13.2.2.
///
/// Call it only where the answer without any precondition would be a success (section 13.2.1).
#[must_use]
pub fn decide(method: &Method, headers: &HeaderMap, validators: Validators<'_>) -> Decision {
    let reading = *method == Method::GET || *method == Method::HEAD;

    if headers.contains_key(IF_MATCH) {
        if !etag::listed(headers, IF_MATCH, |tag| tag.matches_strong(validators.etag)) {
            return Decision::PreconditionFailed;
        }
    } else if let Some(since) = date(headers, IF_UNMODIFIED_SINCE)
        && validators
            .modified
            .is_some_and(|modified| whole_second(modified) > since)
    {
        return Decision::PreconditionFailed;
    }

    if headers.contains_key(IF_NONE_MATCH) {
        if etag::listed(headers, IF_NONE_MATCH, |tag| {
            tag.matches_weak(validators.etag)
        }) {
            return if reading {
                Decision::NotModified
            } else {
                Decision::PreconditionFailed
            };
        }
    } else if reading
        && let Some(since) = date(headers, IF_MODIFIED_SINCE)
        && validators
            .modified
            .is_some_and(|modified| whole_second(modified) <= since)
    {
        return Decision::NotModified;
    }

    // Only GET has ranges (section 14.2).
    if *method == Method::GET && headers.contains_key(RANGE) && range_unchanged(headers, validators)
    {
        return Decision::Ranges;
    }
    Decision::Whole
}

/// `If-Range` (section 13.1.5): whether the representation is still the one the client has part of.
///
/// A date counts where it is exactly the `Last-Modified`: a client may only send one that it knows
/// to be a strong validator.
fn range_unchanged(headers: &HeaderMap, validators: Validators<'_>) -> bool {
    if !headers.contains_key(IF_RANGE) {
        return true;
    }
    let Some(value) = single(headers, IF_RANGE) else {
        return false;
    };
    if let Some(tag) = etag::parse(value.as_bytes()) {
        return tag.matches_strong(validators.etag);
    }
    match (parse_date(value), validators.modified) {
        (Some(date), Some(modified)) => date == whole_second(modified),
        _ => false,
    }
}

/// The date in a field that must be there once; a field that is not a valid date is ignored
/// (sections 13.1.3 and 13.1.4).
fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    parse_date(single(headers, name)?)
}

fn single(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn parse_date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

/// A time before 1970 is taken as 1970, as `Last-Modified` cannot be written for it either.
fn whole_second(time: SystemTime) -> SystemTime {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, and a bit.
    fn modified() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::new(784_111_777, 500)
    }

    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn ask(method: &Method, fields: &[(HeaderName, &str)]) -> Decision {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        let etag = EntityTag::strong("a").unwrap();
        decide(
            method,
            &headers,
            Validators {
                etag: Some(&etag),
                modified: Some(modified()),
            },
        )
    }

    #[test]
    fn without_preconditions_the_whole_is_sent() {
        assert_eq!(ask(&Method::GET, &[]), Decision::Whole);
        assert_eq!(ask(&Method::GET, &[(RANGE, "bytes=0-1")]), Decision::Ranges);
        assert_eq!(ask(&Method::HEAD, &[(RANGE, "bytes=0-1")]), Decision::Whole);
    }

    #[test]
    fn if_none_match_is_weak_and_takes_lists() {
        for (value, decision) in [
            (r#""a""#, Decision::NotModified),
            (r#"W/"a""#, Decision::NotModified),
            (r#""x", W/"y,\"z" , "a""#, Decision::Whole), // the stray quote spoils the list
            (r#""x", , W/"y,z" ,"a""#, Decision::NotModified),
            ("*", Decision::NotModified),
            (r#""b""#, Decision::Whole),
            ("a", Decision::Whole),
            (r#""a"#, Decision::Whole),
            ("", Decision::Whole),
        ] {
            assert_eq!(
                ask(&Method::GET, &[(IF_NONE_MATCH, value)]),
                decision,
                "{value}"
            );
            assert_eq!(
                ask(&Method::HEAD, &[(IF_NONE_MATCH, value)]),
                decision,
                "{value}"
            );
        }
        assert_eq!(
            ask(
                &Method::GET,
                &[(IF_NONE_MATCH, r#""x""#), (IF_NONE_MATCH, r#""a""#)]
            ),
            Decision::NotModified
        );
        assert_eq!(
            ask(&Method::PUT, &[(IF_NONE_MATCH, "*")]),
            Decision::PreconditionFailed
        );
    }

    #[test]
    fn if_match_is_strong() {
        assert_eq!(ask(&Method::GET, &[(IF_MATCH, r#""a""#)]), Decision::Whole);
        assert_eq!(ask(&Method::GET, &[(IF_MATCH, "*")]), Decision::Whole);
        assert_eq!(
            ask(&Method::GET, &[(IF_MATCH, r#"W/"a""#)]),
            Decision::PreconditionFailed
        );
        assert_eq!(
            ask(&Method::GET, &[(IF_MATCH, r#""b""#)]),
            Decision::PreconditionFailed
        );
        assert_eq!(
            ask(&Method::GET, &[(IF_MATCH, "rubbish")]),
            Decision::PreconditionFailed
        );
    }

    #[test]
    fn dates_compare_by_the_second() {
        for (value, modified_since, unmodified_since) in [
            (SAME, Decision::NotModified, Decision::Whole),
            (LATER, Decision::NotModified, Decision::Whole),
            (EARLIER, Decision::Whole, Decision::PreconditionFailed),
            ("yesterday", Decision::Whole, Decision::Whole),
            (
                "Sunday, 06-Nov-94 08:49:37 GMT",
                Decision::NotModified,
                Decision::Whole,
            ),
            (
                "Sun Nov  6 08:49:37 1994",
                Decision::NotModified,
                Decision::Whole,
            ),
        ] {
            assert_eq!(
                ask(&Method::GET, &[(IF_MODIFIED_SINCE, value)]),
                modified_since
            );
            assert_eq!(
                ask(&Method::GET, &[(IF_UNMODIFIED_SINCE, value)]),
                unmodified_since
            );
            assert_eq!(
                ask(&Method::POST, &[(IF_MODIFIED_SINCE, value)]),
                Decision::Whole
            );
        }
        assert_eq!(
            ask(
                &Method::GET,
                &[(IF_MODIFIED_SINCE, SAME), (IF_MODIFIED_SINCE, SAME)]
            ),
            Decision::Whole
        );
    }

    #[test]
    fn tags_come_before_dates() {
        assert_eq!(
            ask(
                &Method::GET,
                &[(IF_NONE_MATCH, r#""b""#), (IF_MODIFIED_SINCE, SAME)]
            ),
            Decision::Whole
        );
        assert_eq!(
            ask(
                &Method::GET,
                &[(IF_MATCH, r#""a""#), (IF_UNMODIFIED_SINCE, EARLIER)]
            ),
            Decision::Whole
        );
        assert_eq!(
            ask(
                &Method::GET,
                &[(IF_MATCH, r#""b""#), (IF_NONE_MATCH, r#""a""#)]
            ),
            Decision::PreconditionFailed
        );
        assert_eq!(
            ask(
                &Method::GET,
                &[(IF_NONE_MATCH, r#""a""#), (RANGE, "bytes=0-1")]
            ),
            Decision::NotModified
        );
    }

    #[test]
    fn if_range_takes_strong_validators_only() {
        let range = (RANGE, "bytes=0-1");
        for (value, decision) in [
            (r#""a""#, Decision::Ranges),
            (r#"W/"a""#, Decision::Whole),
            (r#""b""#, Decision::Whole),
            (r#""a", "b""#, Decision::Whole),
            ("*", Decision::Whole),
            (SAME, Decision::Ranges),
            (LATER, Decision::Whole),
            (EARLIER, Decision::Whole),
            ("rubbish", Decision::Whole),
        ] {
            assert_eq!(
                ask(&Method::GET, &[range.clone(), (IF_RANGE, value)]),
                decision,
                "{value}"
            );
        }
    }

    #[test]
    fn nothing_matches_what_has_no_validators() {
        let none = Validators {
            etag: None,
            modified: None,
        };
        let headers = |name: HeaderName, value: &str| {
            HeaderMap::from_iter([
                (name, value.parse().unwrap()),
                (RANGE, HeaderValue::from_static("bytes=0-1")),
            ])
        };
        for (name, value, decision) in [
            (IF_MATCH, r#""a""#, Decision::PreconditionFailed),
            (IF_MATCH, "*", Decision::Ranges),
            (IF_NONE_MATCH, r#""a""#, Decision::Ranges),
            (IF_MODIFIED_SINCE, SAME, Decision::Ranges),
            (IF_RANGE, r#""a""#, Decision::Whole),
            (IF_RANGE, SAME, Decision::Whole),
        ] {
            assert_eq!(
                decide(&Method::GET, &headers(name, value), none),
                decision,
                "{value}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_field_value_is_borne(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let etag = EntityTag::strong("a").unwrap();
            let validators = Validators { etag: Some(&etag), modified: Some(modified()) };
            for name in [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE] {
                let headers = HeaderMap::from_iter([
                    (name, value.clone()),
                    (RANGE, HeaderValue::from_static("bytes=0-")),
                ]);
                let _ = decide(&Method::GET, &headers, validators);
            }
        }
    }
}
