//! The diagram: a line for each step, between what the client and the server are, and what else there is to see.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ravelin_lens::ledger::Side;
use ravelin_lens::text::{Arrow, shortened};
use unicode_width::UnicodeWidthStr as _;

use super::{BOLD, CHOSEN, DIM, put};
use crate::inspect::walk::state::State;
use crate::inspect::walk::tour::{Mark, Place, Tour, drawn};
use crate::words::show::grouped;

/// What an arrow has besides its title.
const AROUND_TITLE: usize = 4;

/// The longest title of a handshake that is seen every day, as an arrow: it is worth more than times are.
const LEAST_ARROW: usize = "EncryptedExtensions".len() + AROUND_TITLE;

/// A line of the pane.
enum Row {
    Place(usize),
    /// Between steps and what is none.
    Rule,
}

pub(super) fn draw(state: &State<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(tour) = state.tours.get(state.tour) else {
        return;
    };
    let columns = Columns::new(state, tour, usize::from(area.width));
    put(area, &columns.head(state), buffer);
    let below = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    let rows = rows(tour);
    let chosen = state.place();
    let at = rows
        .iter()
        .position(|row| matches!(row, Row::Place(place) if *place == chosen));
    let height = usize::from(below.height);
    // The step is in the middle, where there are some above and below.
    let first = at.unwrap_or(0).saturating_sub(height / 2);
    let first = first.min(rows.len().saturating_sub(height));
    for (y, row) in (below.y..below.bottom()).zip(rows.iter().skip(first)) {
        let line_area = Rect {
            y,
            height: 1,
            ..below
        };
        let line = match row {
            Row::Rule => Line::styled("─".repeat(usize::from(below.width)), DIM),
            Row::Place(place) => columns.place(state, tour, *place),
        };
        put(line_area, &line, buffer);
        if matches!(row, Row::Place(place) if *place == chosen) {
            buffer.set_style(line_area, CHOSEN);
        }
    }
}

fn rows(tour: &Tour<'_>) -> Vec<Row> {
    let is_step = |place: &Place| matches!(place, Place::Step(_));
    let mut rows = Vec::with_capacity(tour.places.len() + 2);
    let mut before: Option<&Place> = None;
    for (number, place) in tour.places.iter().enumerate() {
        if before.is_some_and(|before| is_step(before) != is_step(place)) {
            rows.push(Row::Rule);
        }
        rows.push(Row::Place(number));
        before = Some(place);
    }
    rows
}

/// How wide everything is. What there is no room for has no columns.
struct Columns {
    number: usize,
    arrow: usize,
    octets: usize,
    time: usize,
    all: usize,
}

impl Columns {
    fn new(state: &State<'_>, tour: &Tour<'_>, all: usize) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let number = tour.arrows.len().to_string().len().max(2);
        let mut octets = tour.arrows.iter().map(|arrow| grouped(arrow.octets).len());
        let octets = widest(&mut octets).max(state.options.language.labels().octets.width()) + 1;
        let mut times = tour.arrows.iter().map(|arrow| arrow.time.width());
        // Beside what is to the right of it, a space.
        let time = widest(&mut times).max(state.words.time.width()) + 2;
        // Two lifelines, the letter of the keys with a space, a mark.
        let rest = all.saturating_sub(number + 5);
        let (octets, time) = match rest {
            _ if rest >= LEAST_ARROW + octets + time => (octets, time),
            _ if rest >= LEAST_ARROW + octets => (octets, 0),
            _ => (0, 0),
        };
        Self {
            number,
            arrow: rest.saturating_sub(octets + time),
            octets,
            time,
            all,
        }
    }

    fn head(&self, state: &State<'_>) -> Line<'static> {
        let labels = state.options.language.labels();
        let between =
            (self.arrow + 2).saturating_sub(labels.client.width() + labels.server.width());
        let mut line = Line::from(" ".repeat(self.number + 1));
        line.push_span(Span::styled(labels.client, BOLD));
        line.push_span(" ".repeat(between));
        line.push_span(Span::styled(labels.server, BOLD));
        line.push_span("  ");
        if self.octets > 0 {
            line.push_span(Span::styled(right(labels.octets, self.octets), DIM));
        }
        if self.time > 0 {
            line.push_span(Span::styled(right(state.words.time, self.time - 1), DIM));
        }
        line
    }

    fn place(&self, state: &State<'_>, tour: &Tour<'_>, place: usize) -> Line<'static> {
        match tour.places.get(place) {
            Some(Place::Step(step)) => self.step(tour, *step),
            Some(other) => self.other(state, tour, other),
            None => Line::default(),
        }
    }

    fn step(&self, tour: &Tour<'_>, step: usize) -> Line<'static> {
        let Some(arrow) = tour.arrows.get(step) else {
            return Line::default();
        };
        let mut line = Line::styled(right(&(step + 1).to_string(), self.number), Style::new());
        line.push_span(match tour.mark(step) {
            Some(mark) => Span::styled(mark.sign(), mark.style()),
            None => Span::raw(" "),
        });
        let style = drawn(arrow.style);
        line.push_span(Span::styled("│", DIM));
        line.push_span(Span::styled(self.shaft(arrow), style));
        line.push_span(Span::styled("│", DIM));
        line.push_span(Span::styled(format!(" {:1}", arrow.keys), style));
        if self.octets > 0 {
            line.push_span(right(&grouped(arrow.octets), self.octets));
        }
        if self.time > 0 {
            line.push_span(Span::styled(right(&arrow.time, self.time - 1), DIM));
        }
        line
    }

    fn shaft(&self, arrow: &Arrow) -> String {
        let title = shortened(&arrow.title, self.arrow.saturating_sub(AROUND_TITLE));
        let dashes = self.arrow.saturating_sub(AROUND_TITLE + title.width());
        let dashes = "─".repeat(dashes);
        match arrow.side {
            Side::Client => format!("─ {title} {dashes}▶"),
            Side::Server => format!("◀{dashes} {title} ─"),
        }
    }

    /// What is no step; of checks, how many came out how.
    fn other(&self, state: &State<'_>, tour: &Tour<'_>, place: &Place) -> Line<'static> {
        let title = place.title(&state.options);
        let mut line = Line::from(format!("{}{title}", " ".repeat(self.number + 2)));
        if *place != Place::Checks {
            return line;
        }
        let counts = Mark::ALL.map(|mark| (mark, tour.tally(mark)));
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(mark, count)| Span::styled(format!(" {}{count}", mark.sign()), mark.style()))
            .collect();
        let width: usize = counts.iter().map(Span::width).sum();
        let gap = self.all.saturating_sub(line.width() + width + 1);
        line.push_span(" ".repeat(gap));
        line.spans.extend(counts);
        line
    }
}

/// At the right end of so many columns.
fn right(text: &str, columns: usize) -> String {
    let gap = columns.saturating_sub(text.width());
    format!("{}{text}", " ".repeat(gap))
}
