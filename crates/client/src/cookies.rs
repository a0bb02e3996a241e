//! Cookies (RFC 6265, and what its successor adds): which are taken, which are sent where.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The cookies of any number of sites.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

/// A cookie.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host that set it, or a name above it that it named.
    pub domain: String,
    /// Whether it is for that host alone, and not for those below it.
    pub host_only: bool,
    /// The path that it is for, and all below.
    pub path: String,
    /// Whether it goes over https alone.
    pub secure: bool,
    /// When it ends, in seconds of Unix time; none ends with the session.
    pub expires: Option<u64>,
}

/// Values are often as good as passwords.
impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.name, self.domain)
    }
}

impl Jar {
    /// Takes what a server at `url` sets by one `Set-Cookie`. Whether it was taken: for other sites, for whole
    /// public suffixes such as `co.uk`, and against its own prefix, a server can set none.
    pub fn set(&mut self, value: &str, url: &Url, now: SystemTime) -> bool {
        let Some(cookie) = Cookie::parse(value, url, now) else {
            return false;
        };
        // Who is on the way of plain HTTP must not change what https has set (RFC 6265bis, section 5.7).
        if !may_be_secure(url)
            && self
                .cookies
                .iter()
                .any(|old| old.secure && old.meets(&cookie))
        {
            return false;
        }
        self.cookies.retain(|old| {
            old.name != cookie.name || old.domain != cookie.domain || old.path != cookie.path
        });
        if cookie.is_over(now) {
            return true;
        }
        let of_domain = self
            .cookies
            .iter()
            .filter(|old| old.domain == cookie.domain);
        if of_domain.count() >= MOST_OF_DOMAIN || self.cookies.len() >= MOST {
            return false;
        }
        self.cookies.push(cookie);
        true
    }

    /// What `Cookie` says in a request for `url`; none where there is nothing to say.
    #[must_use]
    pub fn header(&self, url: &Url, now: SystemTime) -> Option<String> {
        let mut matching: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| !cookie.is_over(now) && cookie.is_for(url))
            .collect();
        // Longer paths first (RFC 6265, section 5.4).
        matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = matching
            .iter()
            .map(|cookie| match cookie.name.as_str() {
                "" => cookie.value.clone(),
                name => format!("{name}={}", cookie.value),
            })
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// All of them.
    #[must_use]
    pub fn cookies(&self) -> &[Cookie] {
        &self.cookies
    }
}

impl Cookie {
    fn parse(value: &str, url: &Url, now: SystemTime) -> Option<Self> {
        if value.len() > LONGEST || value.bytes().any(|b| b < 0x20 && b != b'\t' || b == 0x7f) {
            return None;
        }
        let mut parts = value.split(';');
        let pair = parts.next()?;
        let (name, content) = match pair.split_once('=') {
            Some((name, content)) => (name.trim(), content.trim()),
            None => ("", pair.trim()),
        };
        if name.is_empty() && content.is_empty() {
            return None;
        }
        let host = url.host_str()?.to_ascii_lowercase();
        let mut cookie = Self {
            name: name.to_owned(),
            value: content.to_owned(),
            domain: host.clone(),
            host_only: true,
            path: default_path(url),
            secure: false,
            expires: None,
        };
        let mut max_age = None;
        let mut path_given = false;
        for part in parts {
            let (key, content) = part.split_once('=').unwrap_or((part, ""));
            let content = content.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" if !content.is_empty() => cookie.widen(content, url)?,
                "path" if content.starts_with('/') => {
                    content.clone_into(&mut cookie.path);
                    path_given = true;
                }
                "secure" => cookie.secure = true,
                "max-age" => max_age = content.parse::<i64>().ok().or(max_age),
                "expires" => cookie.expires = date(content).or(cookie.expires),
                _ => {}
            }
        }
        if let Some(seconds) = max_age {
            let seconds = u64::try_from(seconds)
                .unwrap_or(0)
                .min(LONGEST_LIFE.as_secs());
            let end = if seconds == 0 {
                UNIX_EPOCH
            } else {
                now + Duration::from_secs(seconds)
            };
            cookie.expires = Some(seconds_of(end));
        }
        cookie.keeps_to_rules(url, path_given).then_some(cookie)
    }

    /// Takes the name above the host that the server named, where it may.
    fn widen(&mut self, content: &str, url: &Url) -> Option<()> {
        let domain = content
            .strip_prefix('.')
            .unwrap_or(content)
            .to_ascii_lowercase();
        if domain == self.domain {
            // A public suffix may set cookies for itself, and for nobody below it.
            self.host_only = !is_below_suffix(&domain) || !is_name(url);
            return Some(());
        }
        let above = self.domain.strip_suffix(&domain)?;
        if !above.ends_with('.') || !is_name(url) || !is_below_suffix(&domain) {
            return None;
        }
        self.domain = domain;
        self.host_only = false;
        Some(())
    }

    fn keeps_to_rules(&self, url: &Url, path_given: bool) -> bool {
        if self.secure && !may_be_secure(url) {
            return false;
        }
        let name = self.name.to_ascii_lowercase();
        if name.starts_with("__host-") {
            return self.secure && self.host_only && path_given && self.path == "/";
        }
        !name.starts_with("__secure-") || self.secure
    }

    /// Whether one could be sent in the place of the other.
    fn meets(&self, other: &Self) -> bool {
        let is_below = |one: &Self, above: &Self| {
            let below = one.domain.strip_suffix(&above.domain);
            below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.name == other.name && (is_below(self, other) || is_below(other, self))
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= seconds_of(now))
    }

    fn is_for(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let host = host.to_ascii_lowercase();
        let is_below = || {
            !self.host_only
                && is_name(url)
                && host
                    .strip_suffix(&self.domain)
                    .is_some_and(|above| above.ends_with('.'))
        };
        (host == self.domain || is_below())
            && (!self.secure || may_be_secure(url))
            && path_matches(&self.path, url.path())
    }
}

/// Whether it is a DNS name: addresses have nothing below them.
fn is_name(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Domain(_)))
}

/// Whether somebody can own the name: it is longer than a public suffix.
fn is_below_suffix(domain: &str) -> bool {
    psl::domain_str(domain).is_some()
}

/// Whether `Secure` can be set and sent: over https.
fn may_be_secure(url: &Url) -> bool {
    url.scheme() == "https"
}

/// RFC 6265, section 5.1.4.
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

fn path_matches(cookie: &str, asked: &str) -> bool {
    asked
        .strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

/// As servers of today write dates, and those of old with hyphens.
fn date(text: &str) -> Option<u64> {
    let read = |text: &str| httpdate::parse_http_date(text).ok().map(seconds_of);
    read(text).or_else(|| read(&text.replace('-', " ")))
}

fn seconds_of(moment: SystemTime) -> u64 {
    moment
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Name, value and attributes together.
const LONGEST: usize = 8 << 10;

/// Browsers keep none for longer.
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 86_400);

/// RFC 6265, section 6.1.
const MOST_OF_DOMAIN: usize = 50;
const MOST: usize = 3000;

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// What is sent to `to` when `from` has set these.
    fn sent(from: &str, values: &[&str], to: &str) -> Option<String> {
        let now = SystemTime::now();
        let mut jar = Jar::default();
        for value in values {
            jar.set(value, &url(from), now);
        }
        jar.header(&url(to), now)
    }

    #[test]
    fn cookies_go_to_the_site_that_set_them_and_to_no_other() {
        let a = "https://a.example.org/x/y";
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(sent(a, &["k=v"], a), some("k=v"));
        assert_eq!(sent(a, &["k=v"], "https://example.org/x/"), None);
        assert_eq!(sent(a, &["k=v"], "https://b.a.example.org/x/"), None);
        assert_eq!(sent(a, &["k=v"], "https://a.example.org/xy"), None);
        let wide = ["k=v; Domain=.Example.org; Path=/"];
        assert_eq!(sent(a, &wide, "https://b.example.org/"), some("k=v"));
        assert_eq!(sent(a, &wide, "https://badexample.org/"), None);
        let order = ["short=1; Path=/", "long=2; Path=/x"];
        assert_eq!(sent(a, &order, a), some("long=2; short=1"));
    }

    #[test]
    fn cookies_for_others_and_for_public_suffixes_are_refused() {
        for (from, value) in [
            ("https://a.example.org/", "k=v; Domain=other.org"),
            ("https://a.example.org/", "k=v; Domain=b.a.example.org"),
            ("https://example.org/", "k=v; Domain=org"),
            ("https://a.co.uk/", "k=v; Domain=co.uk"),
            ("https://ada.github.io/", "k=v; Domain=github.io"),
            ("https://127.0.0.1/", "k=v; Domain=0.0.1"),
            ("http://a.example.org/", "k=v; Secure"),
            ("https://a.example.org/", "__Host-k=v; Secure"),
            (
                "https://a.example.org/",
                "__Host-k=v; Secure; Path=/; Domain=a.example.org",
            ),
            ("https://a.example.org/", "__Secure-k=v"),
            ("https://a.example.org/", "k=v\x1b[2J"),
            ("https://a.example.org/", "="),
        ] {
            assert_eq!(sent(from, &[value], from), None, "{from} {value:?}");
        }
    }

    #[test]
    fn cookies_end_and_secure_ones_keep_to_https() {
        let a = "https://a.example.org/";
        assert_eq!(sent(a, &["k=v; Max-Age=0"], a), None);
        assert_eq!(sent(a, &["k=v; Max-Age=-1"], a), None);
        assert_eq!(
            sent(a, &["k=v", "k=; Expires=Thu, 01-Jan-1970 00:00:00 GMT"], a),
            None
        );
        assert!(
            sent(
                a,
                &["k=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                a
            )
            .is_some()
        );
        assert_eq!(sent(a, &["k=v; Secure"], "http://a.example.org/"), None);
        let now = SystemTime::now();
        let mut jar = Jar::default();
        assert!(jar.set("k=good; Secure", &url(a), now));
        assert!(!jar.set("k=evil", &url("http://a.example.org/"), now));
        assert!(!jar.set(
            "k=evil; Domain=example.org",
            &url("http://b.example.org/"),
            now
        ));
        assert_eq!(jar.header(&url(a), now).unwrap(), "k=good");
        let mut jar = Jar::default();
        assert!(jar.set("k=v; Max-Age=60", &url(a), now));
        assert!(jar.header(&url(a), now + Duration::from_secs(61)).is_none());
    }

    #[test]
    fn no_server_fills_memory_with_cookies() {
        let mut jar = Jar::default();
        let now = SystemTime::now();
        for number in 0..200 {
            jar.set(&format!("k{number}=v"), &url("https://a.example.org/"), now);
        }
        assert_eq!(jar.cookies().len(), MOST_OF_DOMAIN);
        assert!(!jar.set(
            &"k".repeat(LONGEST + 1),
            &url("https://b.example.org/"),
            now
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_cookie_panics_or_goes_to_another_site(
            text in "(k|=|;|v| |Domain=|Path=|Max-Age=|Expires=|Secure|__Host-|org|example|[.]|/|é|9){0,24}",
        ) {
            let now = SystemTime::now();
            let mut jar = Jar::default();
            jar.set(&text, &url("https://a.example.org/x"), now);
            for other in ["https://b.other.org/x", "https://org/x", "https://127.0.0.1/x"] {
                proptest::prop_assert_eq!(jar.header(&url(other), now), None);
            }
        }
    }
}
