//! The chains of many connections, each judged once: most connections of a capture have the chains of others.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::fast::RandomState;
use ravelin_pki::{Certificate, HostName, Trust};

use crate::ledger::Side;
use crate::proof;
use crate::story::{Story, Verdict};

/// Judges chains, and remembers what came out.
pub struct Chains<'t> {
    trust: Option<&'t Trust>,
    host: Option<HostName>,
    /// By the hash of what is asked.
    seen: HashMap<u64, Vec<Known>, RandomState>,
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
            seen: HashMap::default(),
            octets: 0,
            judged: 0,
        }
    }

    /// Adds the checks of both chains to a story.
    pub fn check(&mut self, story: &mut Story) {
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
        self.judged
    }

    fn verdict(&mut self, asked: Asked<'_>, at: SystemTime) -> Verdict {
        let hash = self.seen.hasher().hash_one(asked);
        let known = self.seen.get(&hash).into_iter().flatten();
        let mut known = known.filter(|known| known.asked() == asked);
        if let Some(known) = known.find(|known| known.period.has(at)) {
            return known.verdict.clone();
        }
        self.judged += 1;
        let named = asked.host.and_then(|name| name.parse().ok());
        let host = self.host.as_ref().or(named.as_ref());
        let verdict = proof::chain(asked.chain, self.trust, host, at, asked.side);
        self.remember(hash, asked, at, &verdict);
        verdict
    }

    fn remember(&mut self, hash: u64, asked: Asked<'_>, at: SystemTime, verdict: &Verdict) {
        let octets: usize = asked.chain.iter().map(Vec::len).sum();
        if self.octets + octets > MOST_OCTETS {
            self.seen.clear();
            self.octets = 0;
        }
        self.octets += octets + size_of::<Known>();
        self.seen.entry(hash).or_default().push(Known {
            side: asked.side,
            host: asked.host.map(str::to_owned),
            chain: asked.chain.to_vec(),
            period: Period::around(at, asked.chain),
            verdict: verdict.clone(),
        });
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
