//! The sequence diagram: two lifelines, an arrow for each step, and the keys that protect it.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::lines::Lines;
use super::{BOLD, DIM, Options, letter, shortened, since_start, style_of};
use crate::explain::Language;
use crate::ledger::Side;
use crate::story::{Epoch, Step, Story};

/// The columns between the lifelines, at least and at most: longer arrows are harder to follow.
const FEWEST_BETWEEN: usize = 24;
const MOST_BETWEEN: usize = 84;

/// A step in the diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// From whom.
    pub side: Side,
    /// What the step is called.
    pub title: String,
    /// How many octets it has.
    pub octets: usize,
    /// When it was whole, from the first step on.
    pub time: String,
    /// The letter of the keys that protect it: `E`, `H` or `A`; `?` where it could not be opened, and nothing
    /// where it is in clear.
    pub keys: &'static str,
    /// The colour of these keys.
    pub style: Style,
}

/// The arrows of the diagram, one for each step.
#[must_use]
pub fn arrows(story: &Story, language: Language) -> Vec<Arrow> {
    let arrow = |(at, step): (usize, &Step)| Arrow {
        side: step.side,
        title: language.step(story, at).title,
        octets: step.octets,
        time: language.duration(since_start(story, step.at)),
        keys: letter(step.what, step.epoch),
        style: style_of(step.epoch),
    };
    story.steps.iter().enumerate().map(arrow).collect()
}

pub(super) fn write(lines: &mut Lines, story: &Story, options: &Options) {
    let labels = options.language.labels();
    let arrows = arrows(story, options.language);
    let margin = arrows.iter().map(|arrow| arrow.time.width());
    let margin = margin.max().unwrap_or(0);
    let between = lines
        .width()
        .saturating_sub(margin + 4)
        .clamp(FEWEST_BETWEEN, MOST_BETWEEN);
    let gap = (between + 2).saturating_sub(labels.client.width() + labels.server.width());
    let head = format!(
        "{}{}{}{}",
        " ".repeat(margin + 1),
        labels.client,
        " ".repeat(gap),
        labels.server
    );
    lines.parts(&[(BOLD, &head)]);
    for (at, arrow) in arrows.iter().enumerate() {
        let before = " ".repeat(margin - arrow.time.width());
        let label = label(arrow, at, options.language, between.saturating_sub(6));
        let dashes = "─".repeat(between.saturating_sub(label.width() + 4));
        let shaft = match arrow.side {
            Side::Client => format!("─ {label} {dashes}▶"),
            Side::Server => format!("◀{dashes} {label} ─"),
        };
        lines.parts(&[
            (DIM, &before),
            (DIM, &arrow.time),
            (DIM, " │"),
            (arrow.style, &shaft),
            (DIM, "│"),
        ]);
    }
    legend(lines, story, options, margin + 1);
}

/// What stands on an arrow: the number of the step, its title, its length, its keys.
fn label(arrow: &Arrow, at: usize, language: Language, room: usize) -> String {
    let title = &arrow.title;
    let octets = language.octets(arrow.octets as u64);
    let keys = match arrow.keys {
        "" => String::new(),
        letter => format!(" [{letter}]"),
    };
    let whole = format!("{} {title} · {octets}{keys}", at + 1);
    if whole.width() <= room {
        return whole;
    }
    shortened(&format!("{} {title}{keys}", at + 1), room)
}

fn legend(lines: &mut Lines, story: &Story, options: &Options, indent: usize) {
    let mut seen: Vec<(&str, Style, String)> = Vec::new();
    for step in &story.steps {
        let letter = letter(step.what, step.epoch);
        if letter.is_empty() || seen.iter().any(|(known, ..)| *known == letter) {
            continue;
        }
        let labels = options.language.labels();
        let meaning = match step.epoch {
            _ if letter == "?" => labels.sealed.to_owned(),
            // However often they were changed.
            Epoch::Application(_) => labels.application_keys.to_owned(),
            epoch => options.language.epoch(epoch),
        };
        seen.push((letter, style_of(step.epoch), meaning));
    }
    if seen.is_empty() {
        return;
    }
    let legend: Vec<String> = seen
        .iter()
        .map(|(letter, _, meaning)| format!("[{letter}] {meaning}"))
        .collect();
    lines.styled(indent, DIM, &legend.join("  "));
}
