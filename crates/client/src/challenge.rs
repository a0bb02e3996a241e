//! The answer to a server that asks for a digest (RFC 7616).

use std::fmt::Write as _;

use aws_lc_rs::rand;
use http::{HeaderMap, HeaderValue, header};
use md5::{Digest as _, Md5};
use ravelin_pki::fingerprint::hex;

/// What a server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// How the algorithm was spelt, to be spelt so again; none where it was not named.
    spelt: Option<String>,
    is_session: bool,
    /// Whether `qop=auth` is offered.
    protects: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

/// The value of `Authorization` that answers the best challenge of a response; none where there is none that can
/// be answered.
pub(crate) fn answer(
    headers: &HeaderMap,
    user: &str,
    password: &str,
    method: &str,
    target: &str,
) -> Option<HeaderValue> {
    let values = headers.get_all(header::WWW_AUTHENTICATE).iter();
    let challenge = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(challenges)
        .max_by_key(|challenge| challenge.algorithm)?;
    let mut random = [0; 16];
    rand::fill(&mut random).ok()?;
    let text = challenge.answer(user, password, method, target, &hex(&random));
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Challenge {
    fn answer(
        &self,
        user: &str,
        password: &str,
        method: &str,
        target: &str,
        client_nonce: &str,
    ) -> String {
        let hash = |text: String| self.algorithm.hash(text.as_bytes());
        let mut secret = hash(format!("{user}:{}:{password}", self.realm));
        if self.is_session {
            secret = hash(format!("{secret}:{}:{client_nonce}", self.nonce));
        }
        let asked = hash(format!("{method}:{target}"));
        let response = if self.protects {
            hash(format!(
                "{secret}:{}:00000001:{client_nonce}:auth:{asked}",
                self.nonce
            ))
        } else {
            hash(format!("{secret}:{}:{asked}", self.nonce))
        };
        let mut text = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{target}\", response=\"{response}\"",
            quoted(user),
            quoted(&self.realm),
            quoted(&self.nonce)
        );
        if let Some(spelt) = &self.spelt {
            let _ = write!(text, ", algorithm={spelt}");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(text, ", opaque=\"{}\"", quoted(opaque));
        }
        if self.protects {
            let _ = write!(text, ", qop=auth, nc=00000001, cnonce=\"{client_nonce}\"");
        }
        text
    }
}

impl Algorithm {
    fn hash(self, octets: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(octets)),
            Self::Sha256 => hex(ravelin_pki::Fingerprint::of(octets).as_bytes()),
        }
    }
}

/// The digests among what one header field asks for.
fn challenges(value: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(at) = find_scheme(rest) {
        let (fields, behind) = parameters(&rest[at + SCHEME.len()..]);
        rest = behind;
        let field = |name: &str| {
            let mut fields = fields.iter();
            fields
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone())
        };
        let (Some(realm), Some(nonce)) = (field("realm"), field("nonce")) else {
            continue;
        };
        let spelt = field("algorithm");
        let (algorithm, is_session) = match spelt.as_deref().map(str::to_ascii_lowercase).as_deref()
        {
            None | Some("md5") => (Algorithm::Md5, false),
            Some("md5-sess") => (Algorithm::Md5, true),
            Some("sha-256") => (Algorithm::Sha256, false),
            Some("sha-256-sess") => (Algorithm::Sha256, true),
            Some(_) => continue,
        };
        let qop = field("qop");
        let protects = qop
            .as_deref()
            .is_some_and(|qop| qop.split(',').any(|one| one.trim() == "auth"));
        if qop.is_some() && !protects {
            continue;
        }
        found.push(Challenge {
            realm,
            nonce,
            opaque: field("opaque"),
            algorithm,
            spelt,
            is_session,
            protects,
        });
    }
    found
}

const SCHEME: &str = "digest ";

fn find_scheme(text: &str) -> Option<usize> {
    let text = text.as_bytes();
    let mut windows = text.windows(SCHEME.len()).enumerate();
    windows
        .find(|(at, window)| {
            window.eq_ignore_ascii_case(SCHEME.as_bytes())
                && (*at == 0 || matches!(text[at - 1], b' ' | b','))
        })
        .map(|(at, _)| at)
}

/// `name=value` and `name="value"`, with commas between, as far as they go; and what is behind.
fn parameters(mut text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        let start = text.trim_start_matches([' ', ',', '\t']);
        let Some((name, rest)) = start.split_once('=') else {
            return (found, start);
        };
        if name.trim().contains([' ', ',', '"']) {
            // The scheme of another challenge.
            return (found, start);
        }
        let rest = rest.trim_start();
        let (value, behind) = match rest.strip_prefix('"') {
            Some(inner) => unquoted(inner),
            None => {
                let end = rest.find([',', ' ']).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        found.push((name.trim().to_owned(), value));
        text = behind;
    }
}

fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            other => value.push(other),
        }
    }
    (value, "")
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616, section 3.9.1.
    #[test]
    fn the_example_of_the_standard_is_answered_as_it_says() {
        let asked = "Basic realm=\"x\", Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
            algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
            opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let found = challenges(asked);
        assert_eq!(found.len(), 1);
        let nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let said = found[0].answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", nonce);
        let response = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(said.contains(response), "{said}");
        let md5 = Challenge {
            algorithm: Algorithm::Md5,
            ..found[0].clone()
        };
        let said = md5.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", nonce);
        assert!(said.contains("8ca523f5e9506fed4657c9700eebdbec"), "{said}");
    }

    #[test]
    fn what_cannot_be_answered_is_not() {
        for asked in [
            "Digest realm=\"a\"",
            "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-512-256",
            "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"",
            "Basic realm=\"digest \"",
            "Digest realm=\"unended",
            "Digest ",
            "Digest =,=,=\"",
        ] {
            assert_eq!(challenges(asked), [], "{asked}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_challenge_panics(text in "(Digest |realm=|nonce=|qop=|\"|\\\\|,|=| |é|a){0,24}") {
            for challenge in challenges(&text) {
                challenge.answer("u\"", "p", "GET", "/", "c");
            }
        }
    }
}
