//! What happened, in words, for somebody who has never read the RFC: one catalogue in two languages.
//!
//! A [`Language`] is asked for the words of a step, a field, a quantity, a check. What it gives is plain
//! text: what peers sent stands in it with control characters made visible, and nothing is marked up.

mod catalogue;
mod certificates;
mod chinese;
mod derivations;
mod english;
mod fields;
mod findings;
mod messages;
#[cfg(test)]
mod tests;
mod whole;

use std::time::Duration;

use ravelin_wire::registry;

pub use catalogue::fill as fill_in;
use catalogue::{Catalogue, fill};
pub use catalogue::{Labels, PageWords};

use crate::judgement::Severity;
use crate::ledger::Side;
use crate::story::{Epoch, Story, What};

/// A language in which Ravelin explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

/// What a step says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepWords {
    /// What the RFC calls it: `ClientHello`, say.
    pub title: String,
    /// Who says what, in a sentence or two, with its values.
    pub says: String,
    /// Why it exists.
    pub why: &'static str,
    /// What an attacker could do without it.
    pub without: &'static str,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldWords {
    /// What it is, in plain words.
    pub what: &'static str,
    /// What it says, where that is more than octets.
    pub value: Option<String>,
    /// What more there is to say: what an extension is for, where a code point is defined.
    pub note: Option<String>,
    /// What to think of the code point that it is.
    pub judgement: Option<registry::Judgement>,
}

/// What a quantity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantityWords {
    /// What it is.
    pub what: &'static str,
    /// What it is for.
    pub why: &'static str,
}

/// A heading of the whole, and sentences below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The sentences, each a paragraph or a point of a list.
    pub sentences: Vec<String>,
}

/// What is weak, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeaknessWords {
    /// What is weak.
    pub what: String,
    /// How it is mended.
    pub mend: String,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The language of a locale, as `LC_ALL`, `LC_MESSAGES` and `LANG` have it: `zh_CN.UTF-8`, or as pages
    /// do: `zh-Hans`. English for all that is not known.
    #[must_use]
    pub fn from_locale(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.', '@']).next().unwrap_or("");
        if language.eq_ignore_ascii_case("zh") || language.eq_ignore_ascii_case("chinese") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    /// What pages call it (BCP 47).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// Headings, names of columns and the like.
    #[must_use]
    pub fn labels(self) -> &'static Labels {
        &self.catalogue().labels
    }

    /// What the page says besides.
    #[must_use]
    pub fn page(self) -> &'static PageWords {
        &self.catalogue().page
    }

    /// What a step of a story says; `step` counts from 0. Nothing of a step that there is not.
    #[must_use]
    pub fn step(self, story: &Story, step: usize) -> StepWords {
        messages::step(self.catalogue(), story, step)
    }

    /// What a step is called: as the RFC does, where it has a name.
    #[must_use]
    pub fn title(self, what: What) -> String {
        messages::title(self.catalogue(), what)
    }

    /// One of the two sides: "client" or "server".
    #[must_use]
    pub fn side(self, side: Side) -> &'static str {
        match side {
            Side::Client => self.labels().client,
            Side::Server => self.labels().server,
        }
    }

    /// What to think of a code point, in a word or two.
    #[must_use]
    pub fn judgement(self, judgement: registry::Judgement) -> &'static str {
        let labels = self.labels();
        match judgement {
            registry::Judgement::Recommended => labels.recommended,
            registry::Judgement::Special => labels.special,
            registry::Judgement::Legacy => labels.legacy,
            registry::Judgement::Broken => labels.broken,
            registry::Judgement::Grease => labels.grease,
            registry::Judgement::Unknown => labels.unassigned,
        }
    }

    /// How grave a weakness is.
    #[must_use]
    pub fn severity(self, severity: Severity) -> &'static str {
        let labels = self.labels();
        match severity {
            Severity::Note => labels.note,
            Severity::Minor => labels.minor,
            Severity::Serious => labels.serious,
            Severity::Critical => labels.critical,
        }
    }

    /// Which keys protect something.
    #[must_use]
    pub fn epoch(self, epoch: Epoch) -> String {
        let labels = self.labels();
        match epoch {
            Epoch::Clear => labels.clear.to_owned(),
            Epoch::EarlyData => labels.early_data.to_owned(),
            Epoch::Handshake => labels.handshake_keys.to_owned(),
            Epoch::Application(0) => labels.application_keys.to_owned(),
            Epoch::Application(changes) => {
                format!("{} (+{changes})", labels.application_keys)
            }
        }
    }

    /// Things, one after the other: a, b and c.
    #[must_use]
    pub fn list<S: AsRef<str>>(self, things: &[S]) -> String {
        self.catalogue().phrases.list(things)
    }

    /// A number of octets.
    #[must_use]
    pub fn octets(self, octets: u64) -> String {
        self.catalogue().counts.octets.of(octets)
    }

    /// How long something took, in a unit that suits it.
    #[must_use]
    pub fn duration(self, duration: Duration) -> String {
        self.catalogue().duration(duration)
    }

    fn catalogue(self) -> &'static Catalogue {
        match self {
            Self::English => &english::ENGLISH,
            Self::Chinese => &chinese::CHINESE,
        }
    }
}

impl Catalogue {
    /// A side within a sentence.
    fn side(&self, side: Side) -> &'static str {
        match side {
            Side::Client => self.phrases.the_client,
            Side::Server => self.phrases.the_server,
        }
    }

    /// A sentence that begins with a side.
    fn said_by(&self, side: Side, sentence: &str, values: &[(&str, &str)]) -> String {
        let (first, other) = match side {
            Side::Client => (self.phrases.the_client_first, Side::Server),
            Side::Server => (self.phrases.the_server_first, Side::Client),
        };
        let mut all = vec![("Who", first), ("other", self.side(other))];
        all.extend_from_slice(values);
        fill(sentence, &all)
    }

    /// What a peer sent as text: in quotes, what is no printing character made visible, and not longer than
    /// a name may be.
    fn quoted(&self, text: &[u8]) -> String {
        fill(self.phrases.quote, &[("text", &visible(text))])
    }

    fn duration(&self, duration: Duration) -> String {
        let counts = &self.counts;
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        match micros {
            0..10_000 => counts.microseconds.of(micros),
            10_000..10_000_000 => counts.milliseconds.of(micros / 1000),
            _ => counts.seconds.of(micros / 1_000_000),
        }
    }

    /// A lifetime of seconds in the largest unit that has no remainder.
    fn lifetime(&self, seconds: u64) -> String {
        let counts = &self.counts;
        match seconds {
            0 => counts.seconds.of(0),
            _ if seconds.is_multiple_of(86_400) => counts.days.of(seconds / 86_400),
            _ if seconds.is_multiple_of(3600) => counts.hours.of(seconds / 3600),
            _ if seconds.is_multiple_of(60) => counts.minutes.of(seconds / 60),
            _ => counts.seconds.of(seconds),
        }
    }
}

/// The most octets of a peer's text that are shown.
const SHOWN_TEXT_OCTETS: usize = 255;

/// What a peer sent as text, with all that is no plain printing character made visible: terminals and
/// pages take some of them for commands, and some turn the text around.
#[must_use]
pub fn visible(text: &[u8]) -> String {
    let shown = text.get(..SHOWN_TEXT_OCTETS).unwrap_or(text);
    let mut visible = String::with_capacity(shown.len());
    for character in String::from_utf8_lossy(shown).chars() {
        if is_plain(character) {
            visible.push(character);
        } else {
            visible.extend(character.escape_unicode());
        }
    }
    if shown.len() < text.len() {
        visible.push('…');
    }
    visible
}

/// Whether a character shows itself and does nothing else: no control, no change of direction, nothing
/// without width.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}
