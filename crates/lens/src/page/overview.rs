//! What a connection comes to: what was agreed, what was put to the test, and what to think of the whole.

use ravelin_wire::registry::{CodePoint, Judgement as Rating};

use super::steps::{CheckView, checks};
use super::{Mark, Seen};
use crate::explain::{Section, visible};
use crate::judgement::{ForwardSecrecy, QuantumSafety, Severity};
use crate::ledger::Side;
use crate::story::{End, Step, What};

/// How many faults are shown.
const MOST_FAULTS: usize = 50;

/// The whole of a connection.
pub(super) struct Overview {
    /// What was agreed.
    pub(super) facts: Vec<Fact>,
    /// How many quantities and checks came out so, with their marks.
    pub(super) tallies: Vec<(Mark, &'static str, usize)>,
    pub(super) checks: Vec<CheckView>,
    pub(super) faults: Vec<String>,
    /// That the handshake came to nothing, and how it ended; empty where it did not.
    pub(super) failed: Vec<String>,
    pub(super) ends: Vec<String>,
    pub(super) sections: Vec<Section>,
    pub(super) links: Vec<LinkView>,
    pub(super) weaknesses: Vec<WeaknessView>,
}

/// One thing that was agreed.
pub(super) struct Fact {
    pub(super) term: &'static str,
    pub(super) value: String,
    /// What to think of it, in a class and a word.
    pub(super) badge: Option<(&'static str, &'static str)>,
}

/// A link of the chain.
pub(super) struct LinkView {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) weakest: bool,
}

/// What is weak.
pub(super) struct WeaknessView {
    pub(super) class: &'static str,
    pub(super) severity: &'static str,
    pub(super) what: String,
    pub(super) mend: String,
}

impl Overview {
    pub(super) fn new(seen: &Seen<'_>) -> Self {
        let (story, language, judgement) = (seen.story, seen.language, seen.judgement);
        let checks = checks(seen);
        let marks: Vec<Mark> = story
            .ledger
            .iter()
            .map(|(_, quantity)| super::steps::mark_of(&quantity.standing))
            .chain(checks.iter().map(|check| check.mark))
            .collect();
        let count = |mark: Mark| {
            let number = marks.iter().filter(|it| **it == mark).count();
            (mark, mark.word(language.labels()), number)
        };
        let weakest = judgement.weakest();
        Self {
            facts: facts(seen),
            tallies: [
                Mark::Confirmed,
                Mark::Stated,
                Mark::NotDerivable,
                Mark::Refuted,
            ]
            .map(count)
            .into_iter()
            .filter(|(mark, _, number)| *number > 0 || *mark == Mark::Refuted && !marks.is_empty())
            .collect(),
            checks,
            faults: story
                .faults
                .iter()
                .take(MOST_FAULTS)
                .map(|fault| language.fault(fault))
                .collect(),
            failed: failed(seen),
            ends: ends(seen),
            sections: language.whole(story, judgement),
            links: judgement
                .links
                .iter()
                .map(|link| LinkView {
                    kind: language.link(link.kind),
                    name: visible(link.name.as_bytes()),
                    class: class_of(link.rating),
                    word: language.judgement(link.rating),
                    weakest: link.rating != Rating::Recommended && Some(link) == weakest,
                })
                .collect(),
            weaknesses: judgement
                .weaknesses
                .iter()
                .map(|weakness| {
                    let (words, severity) = (language.weakness(weakness), weakness.severity());
                    WeaknessView {
                        class: match severity {
                            Severity::Note => "note",
                            Severity::Minor => "minor",
                            Severity::Serious => "serious",
                            Severity::Critical => "critical",
                        },
                        severity: language.severity(severity),
                        what: words.what,
                        mend: words.mend,
                    }
                })
                .collect(),
        }
    }
}

fn ends(seen: &Seen<'_>) -> Vec<String> {
    [Side::Client, Side::Server]
        .map(|side| seen.language.end(side, seen.story.end[side as usize]))
        .to_vec()
}

fn failed(seen: &Seen<'_>) -> Vec<String> {
    let (story, language) = (seen.story, seen.language);
    // Of what could not be decrypted nobody knows.
    let is_sealed = |step: &Step| matches!(step.what, What::Sealed(_));
    if story.agreement.complete.is_some() || story.steps.iter().any(is_sealed) {
        return Vec::new();
    }
    let gave_up = [Side::Client, Side::Server].into_iter().filter_map(|side| {
        let end = story.end[side as usize];
        matches!(end, End::Alert(_)).then(|| language.end(side, end))
    });
    std::iter::once(language.page().failed.to_owned())
        .chain(gave_up)
        .collect()
}

fn facts(seen: &Seen<'_>) -> Vec<Fact> {
    let (agreement, language) = (&seen.story.agreement, seen.language);
    let (labels, words) = (language.labels(), language.page());
    let mut facts = Vec::new();
    let mut add = |term, value: String, rating: Option<Rating>| {
        let badge = rating.map(|rating| (class_of(rating), language.judgement(rating)));
        facts.push(Fact { term, value, badge });
    };
    if let Some(version) = agreement.version {
        add(
            labels.version,
            version.to_string(),
            Some(version.judgement()),
        );
    }
    if let Some(suite) = agreement.suite {
        add(labels.suite, suite.to_string(), Some(suite.judgement()));
    }
    if let Some(group) = agreement.group {
        add(labels.group, group.to_string(), Some(group.judgement()));
    }
    if let Some(scheme) = agreement.server_signature {
        add(
            labels.signature,
            scheme.to_string(),
            Some(scheme.judgement()),
        );
    }
    if let Some(protocol) = &agreement.alpn {
        add(labels.protocol, visible(protocol), None);
    }
    let cost = &seen.judgement.cost;
    let [client, server] = cost.octets;
    add(labels.octets, language.octets(client + server), None);
    if let Some(trips) = cost.round_trips {
        add(words.round_trips, trips.to_string(), None);
    }
    if !cost.duration.is_zero() {
        add(labels.duration, language.duration(cost.duration), None);
    }
    let secrecy = match &seen.judgement.forward_secrecy {
        ForwardSecrecy::Full => Some((words.yes, "good")),
        ForwardSecrecy::Partly(_) => Some((words.partly, "legacy")),
        ForwardSecrecy::None(_) => Some((words.no, "broken")),
        ForwardSecrecy::Unknown => None,
    };
    let quantum = match seen.judgement.key_exchange {
        QuantumSafety::Safe | QuantumSafety::Psk => Some((words.yes, "good")),
        QuantumSafety::Unsafe => Some((words.no, "legacy")),
        QuantumSafety::Absent | QuantumSafety::Unknown => None,
    };
    for (term, answer) in [
        (words.forward_secret, secrecy),
        (words.quantum_safe, quantum),
    ] {
        if let Some((word, class)) = answer {
            facts.push(Fact {
                term,
                value: String::new(),
                badge: Some((class, word)),
            });
        }
    }
    facts
}

/// The class of a judgement.
fn class_of(rating: Rating) -> &'static str {
    match rating {
        Rating::Recommended => "good",
        Rating::Special | Rating::Grease | Rating::Unknown => "plain",
        Rating::Legacy => "legacy",
        Rating::Broken => "broken",
    }
}
