//! A connection to be walked through: the places where one can stop, and what is told at each.

use anstream::adapter::WinconBytes;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ravelin_lens::story::{Story, Verdict};
use ravelin_lens::text::{self, Arrow, Detail, Options};

/// A connection, and what stands beside its steps.
pub(in crate::inspect) struct Tour<'s> {
    pub(super) story: &'s Story,
    pub(super) arrows: Vec<Arrow>,
    pub(super) places: Vec<Place>,
}

/// Where one can stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A text of the program's own.
    Page(Page),
    /// A step of the handshake, from 0.
    Step(usize),
    /// Where the keys come from.
    Keys,
    /// What was put to the test.
    Checks,
    /// What to think of the whole.
    Whole,
}

/// A text of the program's own, with the escape sequences of its styles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inspect) struct Page {
    pub(in crate::inspect) title: &'static str,
    pub(in crate::inspect) text: String,
}

/// How something came out, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Refuted,
    Open,
    Confirmed,
}

impl<'s> Tour<'s> {
    /// All of a connection, with pages before its steps and behind what follows them.
    pub(in crate::inspect) fn new(
        story: &'s Story,
        options: &Options,
        before: Vec<Page>,
        behind: Vec<Page>,
    ) -> Self {
        let mut places: Vec<Place> = before.into_iter().map(Place::Page).collect();
        places.extend((0..story.steps.len()).map(Place::Step));
        if story.ledger.iter().next().is_some() {
            places.push(Place::Keys);
        }
        if !story.checks.is_empty() {
            places.push(Place::Checks);
        }
        places.push(Place::Whole);
        places.extend(behind.into_iter().map(Place::Page));
        Self {
            story,
            arrows: text::arrows(story, options.language),
            places,
        }
    }

    /// What is told at a place.
    pub(super) fn text(&self, place: usize, options: &Options) -> String {
        match self.places.get(place) {
            Some(Place::Page(page)) => page.text.clone(),
            Some(Place::Step(step)) => text::step(self.story, *step, options),
            Some(Place::Keys) => text::keys(self.story, options),
            Some(Place::Checks) => text::checks(self.story, options),
            Some(Place::Whole) => text::whole(self.story, options),
            None => String::new(),
        }
    }

    /// How much more can be told at a place than the least.
    pub(super) fn deepest(&self, place: usize) -> Detail {
        match self.places.get(place) {
            Some(Place::Step(_)) => Detail::Octets,
            Some(Place::Keys) => Detail::Fields,
            _ => Detail::Steps,
        }
    }

    /// What was put to the test at a step, in a sign.
    pub(super) fn mark(&self, step: usize) -> Option<Mark> {
        let mut faults = self.story.faults.iter();
        if faults.any(|fault| fault.step == Some(step)) {
            return Some(Mark::Refuted);
        }
        let checks = self.story.checks_of(step);
        checks.map(|check| Mark::of(&check.verdict)).min()
    }

    /// How many checks came out so.
    pub(super) fn tally(&self, mark: Mark) -> usize {
        let checks = self.story.checks.iter();
        checks
            .filter(|check| Mark::of(&check.verdict) == mark)
            .count()
    }
}

impl Mark {
    pub(super) const ALL: [Self; 3] = [Self::Confirmed, Self::Refuted, Self::Open];

    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Confirmed => Self::Confirmed,
            Verdict::Refuted(_) => Self::Refuted,
            Verdict::NotDerivable(_) => Self::Open,
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Confirmed => "✓",
            Self::Refuted => "✗",
            Self::Open => "?",
        }
    }

    pub(super) fn style(self) -> Style {
        match self {
            Self::Confirmed => Style::new().fg(Color::Green),
            Self::Refuted => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Self::Open => Style::new().fg(Color::Yellow),
        }
    }
}

impl Place {
    /// What a place is called that is no step.
    pub(super) fn title(&self, options: &Options) -> &'static str {
        let labels = options.language.labels();
        match self {
            Self::Page(page) => page.title,
            Self::Step(_) => labels.step,
            Self::Keys => labels.key_schedule,
            Self::Checks => labels.checks,
            Self::Whole => labels.whole,
        }
    }
}

/// Text with the escape sequences of its styles, as lines that are drawn. No other sequence reaches the
/// terminal from here: what is no style is left out.
pub(super) fn lines(text: &str) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut line = Line::default();
    // It is made for consoles that know no sequences, and does what is needed here.
    for (style, part) in WinconBytes::new().extract_next(text.as_bytes()) {
        let style = drawn(style);
        for (number, piece) in part.split('\n').enumerate() {
            if number > 0 {
                lines.push(std::mem::take(&mut line));
            }
            let harmless: String = piece.chars().filter(|it| !it.is_control()).collect();
            if !harmless.is_empty() {
                line.push_span(Span::styled(harmless, style));
            }
        }
    }
    if !line.spans.is_empty() {
        lines.push(line);
    }
    while lines.last().is_some_and(|line| line.spans.is_empty()) {
        lines.pop();
    }
    lines
}

/// A style of texts as it is drawn.
pub(super) fn drawn(style: anstyle::Style) -> Style {
    let mut drawn = Style::new();
    if let Some(anstyle::Color::Ansi(colour)) = style.get_fg_color() {
        drawn = drawn.fg(match colour {
            anstyle::AnsiColor::Red => Color::Red,
            anstyle::AnsiColor::Green => Color::Green,
            anstyle::AnsiColor::Yellow => Color::Yellow,
            anstyle::AnsiColor::Magenta => Color::Magenta,
            anstyle::AnsiColor::Cyan => Color::Cyan,
            anstyle::AnsiColor::Blue => Color::Blue,
            _ => Color::Reset,
        });
    }
    let effects = style.get_effects();
    for (effect, modifier) in [
        (anstyle::Effects::BOLD, Modifier::BOLD),
        (anstyle::Effects::DIMMED, Modifier::DIM),
    ] {
        if effects.contains(effect) {
            drawn = drawn.add_modifier(modifier);
        }
    }
    drawn
}
