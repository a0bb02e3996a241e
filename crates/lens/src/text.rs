//! A connection as text for a terminal: who said what, step by step, where the keys come from, and what to
//! think of the whole.
//!
//! The words are those of [`crate::explain`], which makes what peers sent harmless. Lines are broken by the
//! width that characters have on a terminal.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use ravelin_wire::registry::Judgement as Rating;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::explain::Language;
use crate::judgement::{Judgement, Severity};
use crate::ledger::{Secrets, Side, Standing};
use crate::story::{Check, Epoch, Story, Verdict, What};

mod diagram;
mod fields;
mod lines;
mod records;

pub use diagram::{Arrow, arrows};
pub use lines::FEWEST_COLUMNS;
use lines::Lines;

/// How a connection is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// In which language.
    pub language: Language,
    /// How many columns the terminal has. Fewer than [`FEWEST_COLUMNS`] are taken for those.
    pub width: usize,
    /// Whether colours and bold letters are used, by the escape sequences of ANSI.
    pub colour: bool,
    /// How much is shown.
    pub detail: Detail,
    /// Whether keys are shown.
    pub secrets: Secrets,
}

/// How much is shown. Each shows what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Detail {
    /// The diagram, the checks, and what to think of the whole.
    Brief,
    /// What each step says and why, and where the keys come from.
    #[default]
    Steps,
    /// Every field of every message, in plain words.
    Fields,
    /// The octets, and the records that carried them.
    Octets,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default();
const EARLY: Style = AnsiColor::Magenta.on_default();
const SHAKE: Style = AnsiColor::Cyan.on_default();
const DATA: Style = AnsiColor::Green.on_default();

/// A connection as text.
#[must_use]
pub fn text(story: &Story, options: &Options) -> String {
    let mut lines = Lines::new(options);
    lines.styled(0, BOLD, &title(story, options.language));
    lines.blank();
    diagram::write(&mut lines, story, options);
    if options.detail >= Detail::Steps {
        lines.heading(options.language.labels().steps);
        let mut told = HashSet::new();
        for step in 0..story.steps.len() {
            // Why there are alerts, say, is told once.
            let is_new = told.insert(options.language.step(story, step).why);
            write_step(&mut lines, story, step, options, is_new);
        }
        write_keys(&mut lines, story, options);
    } else {
        write_checks(&mut lines, story, options);
    }
    write_whole(&mut lines, story, options);
    lines.finish()
}

/// One step as text, for whoever walks through them; `step` counts from 0. Empty where there is none.
#[must_use]
pub fn step(story: &Story, step: usize, options: &Options) -> String {
    let mut lines = Lines::new(options);
    write_step(&mut lines, story, step, options, true);
    lines.finish()
}

/// What a connection is called: whom it asks for, and what was agreed.
#[must_use]
pub fn title(story: &Story, language: Language) -> String {
    let agreement = &story.agreement;
    let mut parts = vec![language.labels().title.to_owned()];
    let name = agreement.server_name.as_deref();
    parts.extend(name.map(|name| crate::explain::visible(name.as_bytes())));
    parts.extend(agreement.version.map(|version| version.to_string()));
    parts.extend(agreement.suite.map(|suite| suite.to_string()));
    parts.extend(agreement.group.map(|group| group.to_string()));
    parts.join(" · ")
}

/// All that was put to the test as text, and what came out.
#[must_use]
pub fn checks(story: &Story, options: &Options) -> String {
    let mut lines = Lines::new(options);
    write_checks(&mut lines, story, options);
    lines.finish()
}

/// The key schedule as text: each quantity with its formula, its value and how sure it is.
#[must_use]
pub fn keys(story: &Story, options: &Options) -> String {
    let mut lines = Lines::new(options);
    write_keys(&mut lines, story, options);
    lines.finish()
}

/// What to think of a connection, as text.
#[must_use]
pub fn whole(story: &Story, options: &Options) -> String {
    let mut lines = Lines::new(options);
    write_whole(&mut lines, story, options);
    lines.finish()
}

/// As much of a text as fits into so many columns, and a sign that there is more.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 1);
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > columns {
            break;
        }
        short.push(character);
    }
    if columns > 0 {
        short.push('…');
    }
    short
}

fn write_step(lines: &mut Lines, story: &Story, at: usize, options: &Options, with_reasons: bool) {
    let Some(step) = story.steps.get(at) else {
        return;
    };
    let (language, labels) = (options.language, options.language.labels());
    let words = language.step(story, at);
    let (from, to) = match step.side {
        Side::Client => (labels.client, labels.server),
        Side::Server => (labels.server, labels.client),
    };
    let heading = format!("{} {}", at + 1, words.title);
    let facts = [
        format!("{from} → {to}"),
        language.epoch(step.epoch),
        language.octets(step.octets as u64),
        format!("+{}", language.duration(since_start(story, step.at))),
    ];
    lines.two(BOLD, &heading, DIM, &facts.join(" · "));
    lines.text(3, &words.says);
    for (label, text) in [(labels.why, words.why), (labels.without, words.without)] {
        if with_reasons && !text.is_empty() {
            lines.labelled(3, BOLD, label, text);
        }
    }
    for check in story.checks_of(at) {
        write_check(lines, 3, check, language);
    }
    for fault in story.faults.iter().filter(|fault| fault.step == Some(at)) {
        lines.marked(3, BAD, "✗", &language.fault(fault));
    }
    if options.detail >= Detail::Fields {
        fields::write(lines, step, options);
    }
    if options.detail >= Detail::Octets {
        records::write(lines, story, step, options);
    }
    if !step.derived.is_empty() {
        let name = |id| language.quantity_name(&story.ledger, id);
        let names: Vec<String> = step.derived.iter().copied().map(name).collect();
        lines.labelled(3, BOLD, labels.derived, &language.list(&names));
    }
    lines.blank();
}

fn write_checks(lines: &mut Lines, story: &Story, options: &Options) {
    lines.heading(options.language.labels().checks);
    for check in &story.checks {
        write_check(lines, 2, check, options.language);
    }
}

fn write_check(lines: &mut Lines, indent: usize, check: &Check, language: Language) {
    let claim = language.claim(&check.claim);
    let (style, mark) = match check.verdict {
        Verdict::Confirmed => (GOOD, "✓"),
        Verdict::Refuted(_) => (BAD, "✗"),
        Verdict::NotDerivable(_) => (OPEN, "?"),
    };
    if check.verdict == Verdict::Confirmed {
        lines.marked(indent, style, mark, &claim);
    } else {
        let verdict = language.verdict(&check.verdict);
        lines.marked(indent, style, mark, &format!("{claim} {verdict}"));
    }
}

fn write_keys(lines: &mut Lines, story: &Story, options: &Options) {
    let (language, labels) = (options.language, options.language.labels());
    if story.ledger.iter().next().is_none() {
        return;
    }
    lines.heading(labels.key_schedule);
    for (id, quantity) in story.ledger.iter() {
        let (style, mark) = match &quantity.standing {
            Standing::Stated => (DIM, "·"),
            Standing::Confirmed(_) => (GOOD, "✓"),
            Standing::Refuted(_) => (BAD, "✗"),
            Standing::NotDerivable(_) => (OPEN, "?"),
        };
        let name = language.quantity_name(&story.ledger, id);
        let formula = language.formula(&story.ledger, id);
        lines.marked(2, style, mark, &format!("{name} = {formula}"));
        match (quantity.shown(options.secrets), &quantity.value) {
            (Some(value), _) => lines.octets(6, value),
            (None, Some(_)) => lines.styled(6, DIM, labels.hidden),
            (None, None) => {}
        }
        if options.detail >= Detail::Fields {
            let words = language.quantity(quantity.name);
            lines.styled(6, DIM, &format!("{} {}", words.what, words.why));
        }
        if !matches!(quantity.standing, Standing::Stated) {
            lines.styled(6, style, &language.standing(&story.ledger, id));
        }
    }
    lines.blank();
}

fn write_whole(lines: &mut Lines, story: &Story, options: &Options) {
    let judgement = Judgement::of(story);
    let (language, labels) = (options.language, options.language.labels());
    lines.heading(labels.whole);
    for section in language.whole(story, &judgement) {
        lines.styled(2, BOLD, section.title);
        for sentence in &section.sentences {
            lines.marked(4, DIM, "•", sentence);
        }
        lines.blank();
    }
    lines.styled(2, BOLD, labels.chain);
    for link in &judgement.links {
        let name = crate::explain::visible(link.name.as_bytes());
        let (style, mark) = of_rating(link.rating);
        let rating = language.judgement(link.rating);
        let kind = language.link(link.kind);
        let colon = labels.colon;
        lines.marked(4, style, mark, &format!("{kind}{colon}{name} · {rating}"));
    }
    lines.blank();
    if !judgement.weaknesses.is_empty() {
        lines.styled(2, BOLD, labels.weaknesses);
    }
    for weakness in &judgement.weaknesses {
        let words = language.weakness(weakness);
        let severity = weakness.severity();
        let style = match severity {
            Severity::Critical => BAD,
            Severity::Serious | Severity::Minor => OPEN,
            Severity::Note => DIM,
        };
        lines.marked(4, style, language.severity(severity), &words.what);
        lines.marked(6, DIM, "→", &words.mend);
    }
    if !story.faults.is_empty() {
        lines.blank();
        lines.styled(2, BOLD, labels.faults);
        for fault in &story.faults {
            lines.marked(4, BAD, "✗", &language.fault(fault));
        }
    }
    lines.blank();
    lines.styled(2, BOLD, labels.end);
    for side in [Side::Client, Side::Server] {
        let end = story.end[side as usize];
        lines.marked(4, DIM, "•", &language.end(side, end));
    }
}

fn of_rating(rating: Rating) -> (Style, &'static str) {
    match rating {
        Rating::Recommended => (GOOD, "✓"),
        Rating::Special | Rating::Grease => (DIM, "·"),
        Rating::Unknown => (OPEN, "?"),
        Rating::Legacy => (OPEN, "!"),
        Rating::Broken => (BAD, "✗"),
    }
}

/// The letter of the keys that protect something; nothing for none.
fn letter(what: What, epoch: Epoch) -> &'static str {
    match (what, epoch) {
        (What::Sealed(_), _) => "?",
        (_, Epoch::Clear) => "",
        (_, Epoch::EarlyData) => "E",
        (_, Epoch::Handshake) => "H",
        (_, Epoch::Application(_)) => "A",
    }
}

fn style_of(epoch: Epoch) -> Style {
    match epoch {
        Epoch::Clear => Style::new(),
        Epoch::EarlyData => EARLY,
        Epoch::Handshake => SHAKE,
        Epoch::Application(_) => DATA,
    }
}

fn since_start(story: &Story, at: SystemTime) -> Duration {
    let start = story.steps.first().map(|step| step.at);
    start
        .and_then(|start| at.duration_since(start).ok())
        .unwrap_or_default()
}
