//! How the walk looks: the diagram on the left, what a step says on the right. Where there is no room for both,
//! one of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Scrollbar, ScrollbarOrientation, ScrollbarState, StatefulWidget as _};
use ravelin_lens::text::{self, Detail};

use super::state::{Front, State};

mod diagram;
mod help;

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Fewer columns than these have room for one pane alone.
const WIDE: u16 = 80;

/// The columns that texts are written for at least, with a space before and the bar behind.
const TEXT_COLUMNS: u16 = 42;

/// The columns of the diagram: at least, where all of it has room, and at most.
const DIAGRAM_COLUMNS: [u16; 3] = [37, 48, 60];

/// Where things are on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panes {
    /// What the connection is called.
    title: Rect,
    diagram: Rect,
    /// The line over the text.
    above: Rect,
    /// The text, without its bar.
    pub(super) text: Rect,
    hints: Rect,
    /// Whether there is room for the diagram and the text.
    both: bool,
}

impl Panes {
    /// For a screen of this size.
    pub(super) fn of(area: Rect) -> Self {
        let line = |y: u16| Rect {
            y: area.y.saturating_add(y),
            height: 1,
            ..area
        };
        let body = Rect {
            y: area.y.saturating_add(1),
            height: area.height.saturating_sub(2),
            ..area
        };
        let both = area.width >= WIDE;
        let [least, whole, most] = DIAGRAM_COLUMNS;
        let left = if both {
            let beside = area.width.saturating_sub(TEXT_COLUMNS + 1).min(whole);
            beside.max(area.width / 20 * 9).clamp(least, most)
        } else {
            area.width
        };
        let text = if both {
            let x = body.x.saturating_add(left + 2);
            let width = area.width.saturating_sub(left + 3);
            Rect { x, width, ..body }
        } else {
            let width = area.width.saturating_sub(1);
            Rect { width, ..body }
        };
        let panes = Self {
            title: line(0),
            diagram: Rect {
                width: left,
                ..body
            },
            above: Rect { height: 1, ..text },
            text: Rect {
                y: text.y.saturating_add(1),
                height: text.height.saturating_sub(1),
                ..text
            },
            hints: line(area.height.saturating_sub(1)),
            both,
        };
        panes.within(area)
    }

    /// Leaves out what a very small screen does not have.
    fn within(self, area: Rect) -> Self {
        Self {
            title: self.title.intersection(area),
            diagram: self.diagram.intersection(area),
            above: self.above.intersection(area),
            text: self.text.intersection(area),
            hints: self.hints.intersection(area),
            both: self.both,
        }
    }
}

/// Draws all of it.
pub(super) fn draw(state: &State<'_>, buffer: &mut Buffer) {
    let panes = Panes::of(state.area);
    title(state, panes.title, buffer);
    if panes.both || state.front == Front::Diagram {
        diagram::draw(state, panes.diagram, buffer);
    }
    if panes.both {
        let x = panes.diagram.right();
        for y in panes.diagram.y..panes.diagram.bottom() {
            buffer.set_string(x, y, "│", DIM);
        }
    }
    if panes.both || state.front == Front::Text {
        above(state, panes.above, buffer);
        words(state, panes.text, buffer);
    }
    hints(state, panes, buffer);
    if state.help {
        help::draw(state, buffer);
    }
    if !state.options.colour {
        for cell in &mut buffer.content {
            cell.set_fg(Color::Reset).set_bg(Color::Reset);
        }
    }
}

/// What the connection is called, and which of several it is.
fn title(state: &State<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(tour) = state.tours.get(state.tour) else {
        return;
    };
    let name = text::title(tour.story, state.options.language);
    let mut right = Line::default();
    if state.tours.len() > 1 {
        let which = state.words.connection(state.tour + 1, state.tours.len());
        right = Line::styled(which, BOLD);
    }
    two(area, &Line::styled(name, BOLD), &right, buffer);
}

/// At which place it is, and how much is told there.
fn above(state: &State<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(tour) = state.tours.get(state.tour) else {
        return;
    };
    let at = format!("{}/{}", state.place() + 1, tour.places.len());
    let depths = [Detail::Steps, Detail::Fields, Detail::Octets];
    let deepest = tour.deepest(state.place());
    let mut right = Line::default();
    if deepest > Detail::Steps {
        for (depth, word) in depths.into_iter().zip(state.words.depths) {
            let style = match depth {
                _ if depth == state.detail() => CHOSEN,
                _ if depth <= deepest => Style::new(),
                _ => DIM,
            };
            right.push_span(Span::styled(format!(" {word} "), style));
        }
    }
    two(area, &Line::styled(at, DIM), &right, buffer);
}

/// The text, and a bar that says how much of it is above and below.
fn words(state: &State<'_>, area: Rect, buffer: &mut Buffer) {
    let lines = state.shown.iter().skip(state.scroll);
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        buffer.set_line(area.x, y, line, area.width);
    }
    if state.last_scroll() == 0 || area.is_empty() {
        return;
    }
    let mut bar = ScrollbarState::new(state.last_scroll() + 1)
        .position(state.scroll)
        .viewport_content_length(usize::from(area.height));
    let beside = Rect {
        width: area.width + 1,
        ..area
    };
    Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(Some("│"))
        .track_style(DIM)
        .thumb_symbol("┃")
        .render(beside.intersection(buffer.area), buffer, &mut bar);
}

/// What keys do. Where there is no room for all, those stay that lead to the others.
fn hints(state: &State<'_>, panes: Panes, buffer: &mut Buffer) {
    let words = &state.words.hints;
    // Those of the highest rank go first.
    let mut hints = vec![
        (1, "↑↓", words.step),
        (3, "←→", words.detail),
        (5, "PgUp PgDn", words.scroll),
    ];
    if state.tours.len() > 1 {
        hints.push((4, "Tab", words.other));
    }
    if !panes.both {
        hints.push((2, "Enter", words.turn));
    }
    hints.extend([(1, "?", words.help), (0, "q", words.leave)]);
    let line = loop {
        let line: Line<'_> = hints
            .iter()
            .flat_map(|(_, key, word)| hint(key, word))
            .collect();
        // The spaces at the end may be cut off.
        let fits = line.width() <= usize::from(panes.hints.width) + 3;
        let least = hints.iter().enumerate().max_by_key(|(_, (rank, ..))| *rank);
        match least {
            Some((number, _)) if !fits && hints.len() > 1 => hints.remove(number),
            _ => break line,
        };
    };
    put(panes.hints, &line, buffer);
}

fn hint(key: &'static str, word: &str) -> [Span<'static>; 2] {
    [
        Span::styled(key, BOLD),
        Span::styled(format!(" {word}   "), DIM),
    ]
}

/// A line that is cut off where its place ends.
fn put(area: Rect, line: &Line<'_>, buffer: &mut Buffer) {
    if !area.is_empty() {
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

/// Two texts in one line, of which the left gives way.
fn two(area: Rect, left: &Line<'_>, right: &Line<'_>, buffer: &mut Buffer) {
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    let width = width.min(area.width);
    let gap = u16::from(width > 0);
    let beside = Rect {
        x: area.right().saturating_sub(width),
        width,
        ..area
    };
    let rest = Rect {
        width: area.width.saturating_sub(width + gap),
        ..area
    };
    put(rest, left, buffer);
    put(beside, right, buffer);
}
