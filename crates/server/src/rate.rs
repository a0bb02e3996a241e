//! How often a client address may come: a token bucket each, over all workers.
//!
//! The bucket is kept as one number, the time at which it will be full again (the generic cell rate
//! algorithm of ITU-T I.371), so that nothing has to refill it.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use foldhash::{HashMap, HashMapExt};
use http::HeaderValue;
use ravelin_net::gate::client_key;

use crate::site::RateLimit;

/// Counts the requests of each client against one [`RateLimit`]. Shared by all workers: its clients
/// lie in shards, each behind a lock that is held for a look-up.
///
/// It remembers at most [`RateLimiter::MOST_CLIENTS`] clients. Those whose bucket is full again are
/// forgotten first, which changes nothing. When more clients than that have something to pay back,
/// the half of them that owes least is forgotten: an attack from many addresses costs those a part
/// of their limit, but neither memory nor the limit of the ones that come most often, and no client
/// is turned away for being new.
#[derive(Debug)]
pub struct RateLimiter {
    /// Times in `shards` count from here, in nanoseconds.
    start: Instant,
    /// What one request costs, in nanoseconds.
    interval: u64,
    /// How far ahead of now a bucket may be, in nanoseconds.
    burst: u64,
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

/// When each client's bucket is full again.
type Shard = HashMap<IpAddr, u64>;

/// A client that has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests from this address: the next one is taken in {} s", self.seconds())]
pub struct RetryAfter(
    /// How long until a request would be let through.
    pub Duration,
);

impl RateLimiter {
    /// The clients that are remembered at once, which take some megabytes.
    pub const MOST_CLIENTS: usize = 100_000;

    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        let per = u64::try_from(limit.per.as_nanos()).unwrap_or(u64::MAX);
        let interval = (per / u64::from(limit.requests.get())).max(1);
        Self {
            start: Instant::now(),
            interval,
            burst: interval.saturating_mul(u64::from(limit.burst.get())),
            hasher: RandomState::default(),
            shards: (0..SHARDS).map(|_| Mutex::new(Shard::new())).collect(),
        }
    }

    /// Takes one request of `client` (an IPv6 client is its /64) that came at `now`. One that is
    /// turned away costs nothing: a client that keeps knocking is let in as soon as one that waits.
    pub fn check(&self, client: IpAddr, now: Instant) -> Result<(), RetryAfter> {
        let client = client_key(client);
        let now = now.saturating_duration_since(self.start).as_nanos();
        let now = u64::try_from(now).unwrap_or(u64::MAX);

        let mut shard = self
            .shard(client)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(full) = shard.get_mut(&client) {
            let after = (*full).max(now).saturating_add(self.interval);
            let ahead = after - now;
            if ahead > self.burst {
                return Err(RetryAfter(Duration::from_nanos(ahead - self.burst)));
            }
            *full = after;
            return Ok(());
        }
        make_room(&mut shard, now);
        shard.insert(client, now.saturating_add(self.interval));
        Ok(())
    }

    fn shard(&self, client: IpAddr) -> &Mutex<Shard> {
        let hash = self.hasher.hash_one(client) as usize;
        &self.shards[hash % SHARDS]
    }
}

/// Prepares for one more client. Looks through the shard only when it would have to grow or is at
/// its bound, and makes enough room then that this is rare.
fn make_room(shard: &mut Shard, now: u64) {
    if shard.len() < shard.capacity() && shard.len() < MOST_IN_SHARD {
        return;
    }
    shard.retain(|_, full| *full > now);
    if shard.len() < MOST_IN_SHARD {
        if shard.len() < shard.capacity() / 8 {
            shard.shrink_to_fit();
        }
        return;
    }
    let mut times: Vec<u64> = shard.values().copied().collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    let mut surplus = middle;
    // Many may owe the same: those at the median go as well until half are gone.
    shard.retain(|_, full| {
        let forget = *full <= median && surplus > 0;
        surplus -= usize::from(forget);
        !forget
    });
}

impl RetryAfter {
    /// The `Retry-After` of a 429 (RFC 9110, section 10.2.3): whole seconds, rounded up.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from(self.seconds())
    }

    fn seconds(&self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

const SHARDS: usize = 64;

const MOST_IN_SHARD: usize = RateLimiter::MOST_CLIENTS / SHARDS;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limiter(requests: u32, per: Duration, burst: u32) -> RateLimiter {
        let [requests, burst] = [requests, burst].map(|number| NonZeroU32::new(number).unwrap());
        RateLimiter::new(RateLimit {
            requests,
            per,
            burst,
        })
    }

    fn client(number: u32) -> IpAddr {
        Ipv4Addr::from(number).into()
    }

    fn remembered(limiter: &RateLimiter) -> usize {
        limiter
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().len())
            .sum()
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_at_a_time() {
        let limiter = limiter(10, SECOND, 3);
        let start = limiter.start;
        for _ in 0..3 {
            assert_eq!(limiter.check(client(1), start), Ok(()));
        }
        let tenth = Duration::from_millis(100);
        assert_eq!(limiter.check(client(1), start), Err(RetryAfter(tenth)));
        assert_eq!(
            limiter.check(client(1), start + tenth / 2),
            Err(RetryAfter(tenth / 2))
        );
        assert_eq!(limiter.check(client(1), start + tenth), Ok(()));
        assert!(limiter.check(client(1), start + tenth).is_err());
        // A quiet time gives the whole burst back, and no more.
        let later = start + 60 * SECOND;
        assert!((0..3).all(|_| limiter.check(client(1), later).is_ok()));
        assert!(limiter.check(client(1), later).is_err());
    }

    #[test]
    fn clients_do_not_pay_for_each_other() {
        let limiter = limiter(1, SECOND, 1);
        assert!(limiter.check(client(1), limiter.start).is_ok());
        assert!(limiter.check(client(1), limiter.start).is_err());
        assert!(limiter.check(client(2), limiter.start).is_ok());
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let limiter = limiter(1, SECOND, 1);
        let check = |address: &str| limiter.check(address.parse().unwrap(), limiter.start);
        assert!(check("2001:db8::1").is_ok());
        assert!(check("2001:db8::ffff:1").is_err());
        assert!(check("2001:db8:0:1::1").is_ok());
        assert!(check("192.0.2.1").is_ok());
        assert!(check("::ffff:192.0.2.1").is_err());
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds() {
        assert_eq!(RetryAfter(Duration::from_millis(1)).header(), "1");
        assert_eq!(RetryAfter(Duration::from_millis(2001)).header(), "3");
        assert_eq!(RetryAfter(SECOND).header(), "1");
    }

    #[test]
    fn memory_is_bounded_and_heavy_clients_stay_limited() {
        let limiter = limiter(1, 3600 * SECOND, 50);
        let start = limiter.start;
        while limiter.check(client(0), start).is_ok() {}
        for number in 1..300_000 {
            assert!(limiter.check(client(number), start).is_ok());
        }
        assert!(remembered(&limiter) <= RateLimiter::MOST_CLIENTS);
        assert!(limiter.check(client(0), start).is_err());
    }

    #[test]
    fn those_that_owe_nothing_are_forgotten_first() {
        let limiter = limiter(1, SECOND, 1);
        let start = limiter.start;
        (0..20_000).for_each(|number| assert!(limiter.check(client(number), start).is_ok()));
        assert_eq!(remembered(&limiter), 20_000);
        let later = start + 2 * SECOND;
        (20_000..60_000).for_each(|number| assert!(limiter.check(client(number), later).is_ok()));
        assert!(remembered(&limiter) < 45_000, "{}", remembered(&limiter));
        assert!((20_000..60_000).all(|number| limiter.check(client(number), later).is_err()));
    }

    #[test]
    fn limits_at_the_edge_are_borne() {
        for limiter in [
            limiter(u32::MAX, Duration::ZERO, 1),
            limiter(1, Duration::MAX, u32::MAX),
        ] {
            let _ = limiter.check(client(1), limiter.start);
            let _ = limiter.check(client(1), limiter.start + SECOND);
            if let Some(earlier) = limiter.start.checked_sub(SECOND) {
                let _ = limiter.check(client(1), earlier);
            }
        }
    }

    proptest! {
        #[test]
        fn no_window_lets_more_through_than_burst_and_rate(
            waits in proptest::collection::vec(0..400_u64, 1..200),
            requests in 1..20_u32,
            burst in 1..10_u32,
        ) {
            let limiter = limiter(requests, SECOND, burst);
            let mut now = limiter.start;
            let mut taken = 0_u32;
            for wait in waits {
                now += Duration::from_millis(wait);
                taken += u32::from(limiter.check(client(1), now).is_ok());
                let gone = (now - limiter.start).as_secs_f64();
                prop_assert!(f64::from(taken) <= f64::from(burst) + gone * f64::from(requests) + 0.01);
            }
        }
    }
}
