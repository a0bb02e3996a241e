//! The chains of many connections, each judged once: most connections of a capture have the chains of others.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::fast::RandomState;
use ravelin_pki::{Certificate, HostName, Trust};

use crate::ledger::Side;
use crate::proof;
use crate::story::{Story, Verdict};

/// Judges chains, and remembers what came out. Threads share it: nothing is read, hashed or judged while others wait.
pub struct Chains<'t> {
    trust: Option<&'t Trust>,
    host: Option<HostName>,
    hasher: RandomState,
    seen: RwLock<Seen>,
}

/// What came out of the chains that were judged.
#[derive(Default)]
struct Seen {
    /// By the hash of what was asked.
    known: HashMap<u64, Vec<Known>, RandomState>,
    octets: usize,
    judged: usize,
}

/// What is asked of a chain, but for the time.
#[derive(Hash, PartialEq, Eq, Clone, Copy)]
struct Asked<'a> {
    side: Side,
    host: Option<&'a str>,
    chain: &'a [Vec<u8>],
}

/// What came out, and for which time.
struct Known {
    side: Side,
    host: Option<String>,
    chain: Vec<Vec<u8>>,
    period: Period,
    verdict: Verdict,
}

/// How many octets of chains are remembered. What is forgotten is judged anew.
const MOST_OCTETS: usize = 16 << 20;

impl<'t> Chains<'t> {
    /// Judges by these roots; `None` where they are not known. `host` is whom the clients meant to reach, in place of
    /// the names that they asked for.
    #[must_use]
    pub fn new(trust: Option<&'t Trust>, host: Option<HostName>) -> Self {
        Self {
            trust,
            host,
            hasher: RandomState::default(),
            seen: RwLock::default(),
        }
    }

    /// Adds the checks of both chains to a story.
    pub fn check(&self, story: &mut Story) {
        let asked = story.agreement.server_name.as_deref();
        let checks = super::chains(story, |chain, at, side| {
            let host = asked.filter(|_| side == Side::Server);
            self.verdict(Asked { side, host, chain }, at)
        });
        story.checks.extend(checks);
    }

    /// How many times a chain was judged, and not remembered.
    #[must_use]
    pub fn judged(&self) -> usize {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.judged
    }

    fn verdict(&self, asked: Asked<'_>, at: SystemTime) -> Verdict {
        let hash = self.hasher.hash_one(asked);
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = seen.verdict(hash, asked, at) {
            return verdict;
        }
        drop(seen);
        let named = asked.host.and_then(|name| name.parse().ok());
        let host = self.host.as_ref().or(named.as_ref());
        let verdict = proof::chain(asked.chain, self.trust, host, at, asked.side);
        let known = Known {
            side: asked.side,
            host: asked.host.map(str::to_owned),
            chain: asked.chain.to_vec(),
            period: Period::around(at, asked.chain),
            verdict: verdict.clone(),
        };
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        seen.remember(hash, known);
        verdict
    }
}

impl Seen {
    fn verdict(&self, hash: u64, asked: Asked<'_>, at: SystemTime) -> Option<Verdict> {
        let mut known = self.known.get(&hash)?.iter();
        let known = known.find(|known| known.asked() == asked && known.period.has(at))?;
        Some(known.verdict.clone())
    }

    fn remember(&mut self, hash: u64, known: Known) {
        self.judged += 1;
        let octets = known.chain.iter().map(Vec::len).sum::<usize>() + size_of::<Known>();
        if self.octets + octets > MOST_OCTETS {
            self.known.clear();
            self.octets = 0;
        }
        self.octets += octets;
        self.known.entry(hash).or_default().push(known);
    }
}

impl Known {
    fn asked(&self) -> Asked<'_> {
        Asked {
            side: self.side,
            host: self.host.as_deref(),
            chain: &self.chain,
        }
    }
}

/// From when to when, both included.
struct Period {
    from: SystemTime,
    until: SystemTime,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const INSTANT: Duration = Duration::from_nanos(1);

impl Period {
    /// The time around `at` in which no certificate of the chain begins or ends to be valid; not more than its day,
    /// since roots begin and end too.
    fn around(at: SystemTime, chain: &[Vec<u8>]) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let into_day = Duration::from_secs(since.as_secs() % DAY.as_secs())
            + Duration::from_nanos(u64::from(since.subsec_nanos()));
        let begin = at.checked_sub(into_day).unwrap_or(at);
        let mut period = Self {
            from: begin,
            until: begin.checked_add(DAY.saturating_sub(INSTANT)).unwrap_or(at),
        };
        for certificate in chain
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
        {
            let ends = certificate.not_after();
            period.cut(at, certificate.not_before());
            period.cut(at, ends.checked_add(INSTANT).unwrap_or(ends));
        }
        period
    }

    /// At this time something else begins.
    fn cut(&mut self, at: SystemTime, other: SystemTime) {
        if other <= at {
            self.from = self.from.max(other);
        } else {
            let before = other.checked_sub(INSTANT).unwrap_or(at);
            self.until = self.until.min(before);
        }
    }

    fn has(&self, at: SystemTime) -> bool {
        (self.from..=self.until).contains(&at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_period_ends_with_its_day_and_where_something_begins_or_ends() {
        let noon = at(12 * 3600 + 24 * 3600);
        let mut period = Period::around(noon, &[]);
        assert!(period.has(at(24 * 3600)) && period.has(at(48 * 3600) - INSTANT));
        assert!(!period.has(at(24 * 3600) - INSTANT) && !period.has(at(48 * 3600)));
        period.cut(noon, noon);
        period.cut(noon, noon + DAY / 4);
        assert!(period.has(noon) && period.has(noon + DAY / 4 - INSTANT));
        assert!(!period.has(noon - INSTANT) && !period.has(noon + DAY / 4));
    }
}
