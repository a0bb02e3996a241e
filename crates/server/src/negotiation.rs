//! Content negotiation: which content coding a client takes, and whether it wants a page or plain
//! text (RFC 9110, section 12.5).

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// A content coding (RFC 9110, section 8.4.1; RFC 7932, RFC 8878).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Brotli, `br`.
    Brotli,
    /// Zstandard, `zstd`.
    Zstd,
    /// `gzip`, also asked for as `x-gzip`.
    Gzip,
    /// The content as it is. Never written into `Content-Encoding`.
    Identity,
}

impl Coding {
    /// The token in `Accept-Encoding` and `Content-Encoding`.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// The `Content-Encoding`; none for [`Coding::Identity`].
    #[must_use]
    pub fn header(self) -> Option<HeaderValue> {
        (self != Self::Identity).then(|| HeaderValue::from_static(self.token()))
    }

    /// What a precompressed file's name ends with, after the name of the plain one.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    fn named(token: &[u8]) -> Option<Self> {
        [Self::Gzip, Self::Brotli, Self::Zstd, Self::Identity]
            .into_iter()
            .find(|coding| token.eq_ignore_ascii_case(coding.token().as_bytes()))
            // RFC 9110, section 8.4.1.3.
            .or_else(|| token.eq_ignore_ascii_case(b"x-gzip").then_some(Self::Gzip))
    }
}

/// The content codings that a client takes, read once from its `Accept-Encoding` (RFC 9110,
/// section 12.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptEncoding {
    /// By [`Coding`], in thousandths.
    weights: [u16; 4],
}

impl AcceptEncoding {
    /// What a client takes that did not say: by the letter anything, in practice what every client
    /// can read.
    pub const UNSAID: Self = Self {
        weights: [0, 0, 0, 1],
    };

    /// Reads the field. What is not valid in it is passed over.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut said = [None; 4];
        let mut others = None;
        for (token, weight) in weighted(headers.get_all(ACCEPT_ENCODING)) {
            if token == b"*" {
                others = Some(weight);
            } else if let Some(coding) = Coding::named(token) {
                said[coding as usize] = Some(weight);
            }
        }

        let mut weights = Self::UNSAID.weights;
        for (weight, said) in weights.iter_mut().zip(said) {
            *weight = said.or(others).unwrap_or(*weight);
        }
        // `*` is no reason to prefer the content as it is; only `*;q=0` forbids it.
        if let (None, Some(1..)) = (said[Coding::Identity as usize], others) {
            weights[Coding::Identity as usize] = 1;
        }
        Self { weights }
    }

    /// Whether the client takes `coding` at all.
    #[must_use]
    pub fn takes(self, coding: Coding) -> bool {
        self.weights[coding as usize] > 0
    }

    /// The coding to answer with: of those offered, and the content as it is, the one that the
    /// client weighs most; among equals the first offered.
    ///
    /// [`Coding::Identity`] need not be offered, and wins only where the client weighs it more.
    /// Where it takes none of all these the answer is `Identity` too: section 12.5.3 would have a
    /// 406, which no client can do more with.
    #[must_use]
    pub fn choose(self, offered: &[Coding]) -> Coding {
        let mut best = Coding::Identity;
        let mut most = 0;
        for &coding in offered.iter().chain([&Coding::Identity]) {
            let weight = self.weights[coding as usize];
            if weight > most {
                (best, most) = (coding, weight);
            }
        }
        best
    }
}

/// Whether a client with this `Accept` asked for HTML by name, as browsers do. `*/*`, which curl and most libraries
/// send, is a client that would rather have a line of text.
#[must_use]
pub fn wants_html(accept: Option<&HeaderValue>) -> bool {
    weighted(accept).any(|(media_range, weight)| {
        weight > 0
            && (media_range.eq_ignore_ascii_case(b"text/html")
                || media_range.eq_ignore_ascii_case(b"application/xhtml+xml"))
    })
}

/// Whether a client with this `Accept` asked for `media_type` by name.
#[must_use]
pub fn wants(accept: Option<&HeaderValue>, media_type: &str) -> bool {
    weighted(accept)
        .any(|(range, weight)| weight > 0 && range.eq_ignore_ascii_case(media_type.as_bytes()))
}

/// Of those offered, the one whose language a client with this `Accept-Language` likes best (RFC 9110, section
/// 12.5.4): tags are compared by their first part alone, `zh-CN` with `zh-Hans`.
#[must_use]
pub fn language<'h, L: Copy>(
    accepted: impl IntoIterator<Item = &'h HeaderValue>,
    offered: &[(&str, L)],
) -> Option<L> {
    let first = |tag: &[u8]| -> Vec<u8> {
        let part = tag.split(|byte| *byte == b'-').next().unwrap_or_default();
        part.to_ascii_lowercase()
    };
    let mut best = None;
    for (tag, weight) in weighted(accepted) {
        let of_tag = offered
            .iter()
            .find(|(known, _)| first(known.as_bytes()) == first(tag));
        if let Some((_, language)) = of_tag
            && weight > best.map_or(0, |(_, most)| most)
        {
            best = Some((*language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// The elements of a list with their weights in thousandths (section 12.4.2), without their other
/// parameters.
fn weighted<'a>(
    values: impl IntoIterator<Item = &'a HeaderValue>,
) -> impl Iterator<Item = (&'a [u8], u16)> {
    values
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .filter_map(|element| {
            let mut pieces = element.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let token = pieces.next().filter(|token| !token.is_empty())?;
            let weight = pieces.find_map(|piece| match piece {
                [b'q' | b'Q', b'=', weight @ ..] => Some(thousandths(weight)),
                _ => None,
            });
            Some((token, weight.unwrap_or(Some(1000))?))
        })
}

/// `0.5` as 500; `None` for what is not a weight.
fn thousandths(weight: &[u8]) -> Option<u16> {
    let (whole, fraction) = match weight {
        [whole] => (whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut thousandths = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return None,
    };
    for (digit, place) in fraction.iter().zip([100, 10, 1]) {
        if !digit.is_ascii_digit() {
            return None;
        }
        thousandths += u16::from(digit - b'0') * place;
    }
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Coding::{Brotli, Gzip, Identity, Zstd};
    use super::*;

    fn accept(name: &http::HeaderName, values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_language_is_the_one_weighed_most_whatever_its_region() {
        let language = |accepted: &'static str| {
            let accepted = HeaderValue::from_static(accepted);
            language([&accepted], &[("en", 'e'), ("zh-Hans", 'z')])
        };
        assert_eq!(language("zh-CN,zh;q=0.9,en;q=0.8"), Some('z'));
        assert_eq!(language("de,en-GB;q=0.7,zh;q=0.3"), Some('e'));
        assert_eq!(language("ZH;q=0, en;q=0.1"), Some('e'));
        assert_eq!(language("en, zh"), Some('e'), "the first among equals");
        assert_eq!(language("fr, *"), None);
        assert_eq!(language(""), None);
    }

    #[test]
    fn the_servers_order_decides_among_equals() {
        let offered = [Zstd, Brotli, Gzip];
        for (value, coding) in [
            ("gzip, deflate, br, zstd", Zstd),
            ("gzip, deflate, br", Brotli),
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("*", Zstd),
            ("*;q=0.1", Zstd),
            ("zstd;q=0, *", Brotli),
            ("deflate", Identity),
            ("", Identity),
            (",, ;q=1,", Identity),
        ] {
            let headers = accept(&ACCEPT_ENCODING, &[value]);
            assert_eq!(
                AcceptEncoding::of(&headers).choose(&offered),
                coding,
                "{value}"
            );
        }
        assert_eq!(
            AcceptEncoding::of(&HeaderMap::new()).choose(&offered),
            Identity
        );
        let lines = accept(&ACCEPT_ENCODING, &["deflate", "br"]);
        assert_eq!(AcceptEncoding::of(&lines).choose(&offered), Brotli);
    }

    #[test]
    fn the_clients_weights_come_first() {
        let offered = [Zstd, Brotli, Gzip];
        for (value, coding) in [
            ("br;q=0.5, gzip;q=0.8", Gzip),
            ("br ; q=0.5 , gzip;q=0.499", Brotli),
            ("br;Q=1.000, zstd;q=0.999", Brotli),
            ("br;q=0, gzip;q=0.0", Identity),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.5", Gzip),
            ("identity;q=0, gzip", Gzip),
            ("identity;q=0.001, gzip;q=0.001", Gzip),
            ("gzip;q=2, br;q=0.1234, zstd;q=-1", Identity),
            ("gzip;q=, br;q=1.1", Identity),
            ("gzip;level=9", Gzip),
        ] {
            let headers = accept(&ACCEPT_ENCODING, &[value]);
            assert_eq!(
                AcceptEncoding::of(&headers).choose(&offered),
                coding,
                "{value}"
            );
        }
    }

    #[test]
    fn the_content_as_it_is_can_be_refused() {
        for (value, takes) in [
            ("gzip", true),
            ("identity;q=0", false),
            ("*;q=0", false),
            ("*;q=0, identity;q=0.1", true),
            ("*;q=0.3", true),
        ] {
            let headers = accept(&ACCEPT_ENCODING, &[value]);
            assert_eq!(
                AcceptEncoding::of(&headers).takes(Identity),
                takes,
                "{value}"
            );
        }
        assert_eq!(
            AcceptEncoding::of(&accept(&ACCEPT_ENCODING, &["*;q=0"])).choose(&[]),
            Identity
        );
    }

    #[test]
    fn only_a_client_that_names_html_gets_it() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (value, html) in [
            (browser, true),
            ("text/html;charset=utf-8", true),
            ("application/json, Text/HTML;q=0.1", true),
            ("text/html;q=0", false),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(
                wants_html(Some(&HeaderValue::from_static(value))),
                html,
                "{value}"
            );
        }
        assert!(!wants_html(None));
    }

    proptest! {
        #[test]
        fn any_field_value_is_borne(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let _ = wants_html(Some(&value));
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value)]);
            let _ = AcceptEncoding::of(&headers).choose(&[Brotli, Gzip]);
        }

        #[test]
        fn weights_are_at_most_one(text in "[01][.][0-9]{0,3}") {
            prop_assert!(thousandths(text.as_bytes()).is_none_or(|weight| weight <= 1000));
        }
    }
}
