//! Basic authentication (RFC 7617) against argon2 hashes.
//!
//! A check costs tens of milliseconds of a core by design, so it runs on a thread of its own, few at
//! once, and a success is remembered for a minute. Who fails is held back by address. What to
//! answer is the caller's business: 401 with [`Authenticator::challenge`], or 429.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderValue;
use tokio::sync::Semaphore;

use crate::rate::{RateLimiter, RetryAfter};
use crate::site::{BasicAuth, RateLimit};

/// Checks the `Authorization` of requests against one [`BasicAuth`]. Cheap to clone; clones share
/// what they remember, so all workers should have clones of one.
///
/// What is asked of an attacker: an address may have 60 passwords checked at once and one a second
/// from then on (successes count too, but those are remembered); half the cores check at most; a
/// name that does not exist costs as much as one that does. `Debug` shows no secret.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

/// How many passwords may be checked at once, half as many as there are cores. Clones share that:
/// all authenticators of a server have clones of one.
#[derive(Debug, Clone)]
pub struct Checks(Arc<Semaphore>);

impl Default for Checks {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

struct Inner {
    challenge: HeaderValue,
    users: Vec<User>,
    /// Known to this process alone, so that what it remembers is worth nothing to others.
    key: hmac::Key,
    recent: Mutex<HashMap<Tag, Success>>,
    /// How often an address may have a password checked.
    attempts: RateLimiter,
    /// Checks that run, of the whole server.
    running: Checks,
    /// Checks of this authenticator that run or wait to.
    waiting: Semaphore,
}

struct User {
    name: Arc<str>,
    /// The PHC string.
    hash: Box<str>,
}

/// HMAC-SHA-256 of credentials.
type Tag = [u8; 32];

struct Success {
    user: Arc<str>,
    until: Instant,
}

/// What is to become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may come in.
    Allowed {
        /// The user's name, as it is in the configuration.
        user: Arc<str>,
    },
    /// It may not: 401 with [`Authenticator::challenge`].
    Denied,
    /// The address has tried too often, or too many passwords wait to be checked: 429, or 503.
    Later(RetryAfter),
}

/// The authenticator cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The system gives no random numbers.
    #[error("no random numbers to protect remembered passwords with")]
    Random,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    pub fn new(auth: &BasicAuth, checks: &Checks) -> Result<Self, AuthError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| AuthError::Random)?;
        let users = auth.users.iter().map(|(name, hash)| User {
            name: name.as_str().into(),
            hash: hash.as_str().into(),
        });
        Ok(Self(Arc::new(Inner {
            challenge: challenge(&auth.realm),
            users: users.collect(),
            key,
            recent: Mutex::default(),
            attempts: RateLimiter::new(ATTEMPTS),
            running: checks.clone(),
            waiting: Semaphore::new(MOST_WAITING),
        })))
    }

    /// The `WWW-Authenticate` of a 401.
    #[must_use]
    pub fn challenge(&self) -> HeaderValue {
        self.0.challenge.clone()
    }

    /// The verdict on `authorization`, the field of a request, where no password has to be checked
    /// for it: it is remembered, or there is nothing to check. Takes microseconds; where this is
    /// `None`, ask [`Authenticator::verify`].
    #[must_use]
    pub fn cached(&self, authorization: Option<&HeaderValue>, now: Instant) -> Option<Verdict> {
        match authorization.and_then(Credentials::parse) {
            None => Some(Verdict::Denied),
            Some(_) if self.0.users.is_empty() => Some(Verdict::Denied),
            Some(credentials) => self.0.remembered(&credentials, now),
        }
    }

    /// The verdict on `authorization`, the field of a request of `client`, which came at `now`. Has
    /// the password checked on a thread of the runtime's blocking pool; a check that has begun is
    /// ended and remembered, even where the request goes away.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn verify(
        &self,
        authorization: Option<&HeaderValue>,
        client: IpAddr,
        now: Instant,
    ) -> Verdict {
        if let Some(verdict) = self.cached(authorization, now) {
            return verdict;
        }
        let Some(credentials) = authorization.and_then(Credentials::parse) else {
            return Verdict::Denied;
        };
        if let Err(retry_after) = self.0.attempts.check(client, now) {
            return Verdict::Later(retry_after);
        }
        // Neither semaphore is ever closed.
        let Ok(_waiting) = self.0.waiting.try_acquire() else {
            return Verdict::Later(RetryAfter(Duration::from_secs(1)));
        };
        let Ok(running) = Arc::clone(&self.0.running.0).acquire_owned().await else {
            return Verdict::Denied;
        };
        // A browser sends several requests at once: the first of them has been checked by now.
        if let Some(verdict) = self.0.remembered(&credentials, now) {
            return verdict;
        }
        let inner = Arc::clone(&self.0);
        let check = tokio::task::spawn_blocking(move || {
            let verdict = inner.check(&credentials);
            if let Verdict::Allowed { user } = &verdict {
                inner.remember(&credentials, user, now);
            }
            // Here, and not where the future ends, so that requests given up make no room for more.
            drop(running);
            verdict
        });
        // An error is a check that panicked or a runtime that ends: nobody comes in by that.
        check.await.unwrap_or(Verdict::Denied)
    }
}

impl Inner {
    /// Hashes the password; for a name that does not exist as well, so that the time taken does not
    /// tell which names do.
    fn check(&self, credentials: &Credentials) -> Verdict {
        let (user, known) = self.user(credentials.user());
        let Some(user) = user else {
            return Verdict::Denied;
        };
        let right = PasswordHash::new(&user.hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(credentials.password(), &hash)
                .is_ok()
        });
        if right && known {
            Verdict::Allowed {
                user: user.name.clone(),
            }
        } else {
            Verdict::Denied
        }
    }

    /// The user of this name and true, or one that stands in for it and false: always the same one
    /// for a name, since users' hashes may differ in cost.
    fn user(&self, name: &[u8]) -> (Option<&User>, bool) {
        let mut found = None;
        for user in &self.users {
            if user.name.as_bytes() == name {
                found = Some(user);
            }
        }
        if found.is_some() {
            return (found, true);
        }
        let tag = hmac::sign(&self.key, name);
        let number = tag.as_ref().iter().fold(0_usize, |number, byte| {
            number.wrapping_mul(256).wrapping_add(usize::from(*byte))
        });
        let stand_in = number
            .checked_rem(self.users.len())
            .and_then(|index| self.users.get(index));
        (stand_in, false)
    }

    fn remembered(&self, credentials: &Credentials, now: Instant) -> Option<Verdict> {
        let tag = self.tag(credentials);
        let recent = self.recent();
        let success = recent.get(&tag).filter(|success| success.until > now)?;
        Some(Verdict::Allowed {
            user: success.user.clone(),
        })
    }

    fn remember(&self, credentials: &Credentials, user: &Arc<str>, now: Instant) {
        let tag = self.tag(credentials);
        let mut recent = self.recent();
        // Only what was right is remembered, so there is one entry a user at most; the bound is for
        // long lists of users.
        if recent.len() >= MOST_REMEMBERED {
            recent.retain(|_, success| success.until > now);
        }
        if recent.len() < MOST_REMEMBERED {
            recent.insert(
                tag,
                Success {
                    user: user.clone(),
                    until: now + REMEMBERED,
                },
            );
        }
    }

    /// The name is part of it, and cannot reach into the password: it has no colon.
    fn tag(&self, credentials: &Credentials) -> Tag {
        let mut tag = [0; 32];
        let signed = hmac::sign(&self.key, &credentials.text);
        tag.copy_from_slice(signed.as_ref());
        tag
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<Tag, Success>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name and a password. Has no `Debug`.
struct Credentials {
    /// `name:password`.
    text: Vec<u8>,
    colon: usize,
}

impl Credentials {
    /// Reads `Basic` and base64 (RFC 7617, section 2), with or without padding; `None` for what is
    /// something else.
    fn parse(authorization: &HeaderValue) -> Option<Self> {
        let (scheme, encoded) = authorization.as_bytes().split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let encoded = encoded.trim_ascii();
        if encoded.len() > LONGEST_CREDENTIALS {
            return None;
        }
        let text = BASE64.decode(encoded).ok()?;
        let colon = memchr::memchr(b':', &text)?;
        Some(Self { text, colon })
    }

    fn user(&self) -> &[u8] {
        &self.text[..self.colon]
    }

    fn password(&self) -> &[u8] {
        &self.text[self.colon + 1..]
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("challenge", &self.0.challenge)
            .field("users", &self.0.users.len())
            .finish_non_exhaustive()
    }
}

/// `Basic realm="…", charset="UTF-8"` (RFC 7617, section 2.1).
fn challenge(realm: &str) -> HeaderValue {
    let mut text = String::from("Basic realm=\"");
    for character in realm.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push_str("\", charset=\"UTF-8\"");
    // Without control characters it is always a field value.
    HeaderValue::from_bytes(text.as_bytes())
        .unwrap_or_else(|_| HeaderValue::from_static("Basic realm=\"\", charset=\"UTF-8\""))
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// In base64. Longer passwords than this are no passwords.
const LONGEST_CREDENTIALS: usize = 2048;

/// How long a success is remembered. A reload that changes users begins with nothing remembered, so
/// that a password changed in the configuration counts at once.
const REMEMBERED: Duration = Duration::from_secs(60);

const MOST_REMEMBERED: usize = 4096;

/// Checks that wait at once. At 50 ms each the last of them waits some seconds.
const MOST_WAITING: usize = 128;

/// Passwords of one address that are checked. The burst is for many users behind one address, all
/// of whom a restart makes come anew.
const ATTEMPTS: RateLimit = RateLimit {
    requests: NonZeroU32::MIN,
    per: Duration::from_secs(1),
    burst: NonZeroU32::new(60).expect("60 is not 0"),
};

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::net::Ipv4Addr;

    use argon2::password_hash::{PasswordHasher, SaltString};
    use argon2::{Algorithm, Params, Version};
    use proptest::prelude::*;

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    /// The cheapest hash there is.
    fn hash(password: &str) -> String {
        let params = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
        let salt = SaltString::from_b64("c29tZXNhbHQ").unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2
            .hash_password(password.as_bytes(), &salt)
            .unwrap()
            .to_string()
    }

    fn authenticator() -> Authenticator {
        authenticator_with(&Checks::default())
    }

    fn authenticator_with(checks: &Checks) -> Authenticator {
        let users = [("ada", "love:lace"), ("grace", "hopper")];
        let auth = BasicAuth {
            realm: "the \"house\"\n".to_owned(),
            users: users
                .map(|(name, password)| (name.to_owned(), hash(password)))
                .to_vec(),
        };
        Authenticator::new(&auth, checks).unwrap()
    }

    fn basic(credentials: &str) -> HeaderValue {
        format!("Basic {}", BASE64.encode(credentials))
            .parse()
            .unwrap()
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn allowed(user: &str) -> Verdict {
        Verdict::Allowed { user: user.into() }
    }

    #[test]
    fn the_right_password_lets_in_and_nothing_else() {
        let authenticator = authenticator();
        let now = Instant::now();
        for (credentials, verdict) in [
            ("ada:love:lace", allowed("ada")),
            ("grace:hopper", allowed("grace")),
            ("ada:hopper", Verdict::Denied),
            ("ada:love", Verdict::Denied),
            ("ada:", Verdict::Denied),
            (":", Verdict::Denied),
            ("Ada:love:lace", Verdict::Denied),
            ("nobody:hopper", Verdict::Denied),
            ("nobody:love:lace", Verdict::Denied),
        ] {
            let found = run(authenticator.verify(Some(&basic(credentials)), CLIENT, now));
            assert_eq!(found, verdict, "{credentials}");
        }
    }

    #[test]
    fn what_is_not_basic_is_denied_without_a_check() {
        let authenticator = authenticator();
        let long = format!("Basic {}", "A".repeat(LONGEST_CREDENTIALS + 1));
        for value in [
            "",
            "Basic",
            "Basic ",
            "Basic !",
            "Bearer YTpi",
            "BasicYTpi",
            "Basic YWI",
            &long,
        ] {
            let value = value.parse().unwrap();
            let verdict = authenticator.cached(Some(&value), Instant::now());
            assert_eq!(verdict, Some(Verdict::Denied), "{value:?}");
        }
        assert_eq!(
            authenticator.cached(None, Instant::now()),
            Some(Verdict::Denied)
        );
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_padding_may_lack() {
        let authenticator = authenticator();
        let now = Instant::now();
        for value in ["bAsIc Z3JhY2U6aG9wcGVy", "basic   Z3JhY2U6aG9wcGVy "] {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            assert_eq!(
                run(authenticator.verify(Some(&value), CLIENT, now)),
                allowed("grace")
            );
        }
        for value in ["Basic YWRhOmxvdmU6bGFjZQ==", "Basic YWRhOmxvdmU6bGFjZQ"] {
            let value = HeaderValue::from_static(value);
            assert_eq!(
                run(authenticator.verify(Some(&value), CLIENT, now)),
                allowed("ada")
            );
        }
    }

    #[test]
    fn a_success_is_remembered_for_a_minute_and_a_failure_is_not() {
        let authenticator = authenticator();
        let now = Instant::now();
        let (right, wrong) = (basic("ada:love:lace"), basic("ada:x"));
        assert_eq!(authenticator.cached(Some(&right), now), None);
        run(authenticator.verify(Some(&right), CLIENT, now));
        run(authenticator.verify(Some(&wrong), CLIENT, now));
        let last = now + Duration::from_secs(59);
        for authenticator in [authenticator.clone(), authenticator.clone()] {
            assert_eq!(
                authenticator.cached(Some(&right), last),
                Some(allowed("ada"))
            );
            assert_eq!(authenticator.cached(Some(&right), now + REMEMBERED), None);
            assert_eq!(authenticator.cached(Some(&wrong), now), None);
        }
    }

    #[test]
    fn an_address_that_keeps_failing_has_to_wait() {
        let authenticator = authenticator();
        let now = Instant::now();
        let verify = |credentials: &str, client, now| {
            run(authenticator.verify(Some(&basic(credentials)), client, now))
        };
        for _ in 0..ATTEMPTS.burst.get() {
            assert_eq!(verify("ada:x", CLIENT, now), Verdict::Denied);
        }
        assert!(matches!(
            verify("ada:love:lace", CLIENT, now),
            Verdict::Later(_)
        ));
        let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(verify("ada:love:lace", other, now), allowed("ada"));
        // What is remembered is let in from anywhere, and time heals.
        assert_eq!(verify("ada:love:lace", CLIENT, now), allowed("ada"));
        assert_eq!(
            verify("ada:x", CLIENT, now + ATTEMPTS.per * 2),
            Verdict::Denied
        );
    }

    #[test]
    fn too_many_checks_at_once_are_put_off() {
        let authenticator = authenticator();
        let held = authenticator
            .0
            .waiting
            .try_acquire_many(MOST_WAITING as u32)
            .unwrap();
        let verify = || run(authenticator.verify(Some(&basic("ada:x")), CLIENT, Instant::now()));
        assert!(matches!(verify(), Verdict::Later(_)));
        drop(held);
        assert_eq!(verify(), Verdict::Denied);
    }

    #[test]
    fn an_unknown_name_costs_what_a_known_one_does() {
        let authenticator = authenticator();
        for name in ["", "nobody", "ad", "adaa", "\u{fffd}"] {
            let (stand_in, known) = authenticator.0.user(name.as_bytes());
            assert!(!known);
            let name_again = authenticator
                .0
                .user(name.as_bytes())
                .0
                .map(|user| &user.name);
            assert_eq!(stand_in.map(|user| &user.name), name_again);
            assert!(stand_in.is_some());
        }
    }

    #[test]
    fn without_users_nobody_comes_in() {
        let auth = BasicAuth {
            realm: String::new(),
            users: vec![],
        };
        let authenticator = Authenticator::new(&auth, &Checks::default()).unwrap();
        let verdict = run(authenticator.verify(Some(&basic("a:b")), CLIENT, Instant::now()));
        assert_eq!(verdict, Verdict::Denied);
    }

    #[test]
    fn however_many_routes_have_passwords_only_so_many_are_checked_at_once() {
        let checks = Checks(Arc::new(Semaphore::new(1)));
        let (one, other) = (authenticator_with(&checks), authenticator_with(&checks));
        let right = basic("ada:love:lace");
        let now = Instant::now();
        run(async {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let mut first = Box::pin(one.verify(Some(&right), CLIENT, now));
            let mut second = Box::pin(other.verify(Some(&right), CLIENT, now));
            assert!(first.as_mut().poll(&mut cx).is_pending());
            assert!(second.as_mut().poll(&mut cx).is_pending());
            assert_eq!(other.0.waiting.available_permits(), MOST_WAITING - 1);
            assert_eq!(checks.0.available_permits(), 0);
            assert_eq!(first.await, allowed("ada"));
            assert_eq!(second.await, allowed("ada"));
        });
    }

    #[test]
    fn the_challenge_quotes_the_realm() {
        assert_eq!(
            authenticator().challenge(),
            r#"Basic realm="the \"house\"", charset="UTF-8""#
        );
        assert_eq!(
            challenge("café").as_bytes(),
            "Basic realm=\"café\", charset=\"UTF-8\"".as_bytes()
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", authenticator());
        assert!(
            !shown.contains("argon2") && !shown.contains("ada"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn any_field_value_is_borne(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let text = [b"Basic ", bytes.as_slice()].concat();
            let encoded = format!("Basic {}", BASE64.encode(&bytes));
            for text in [&bytes, &text, encoded.as_bytes()] {
                if let Ok(value) = HeaderValue::from_bytes(text)
                    && let Some(credentials) = Credentials::parse(&value)
                {
                    prop_assert!(!credentials.user().contains(&b':'));
                    let length = credentials.user().len() + credentials.password().len() + 1;
                    prop_assert_eq!(length, credentials.text.len());
                }
            }
        }
    }
}
