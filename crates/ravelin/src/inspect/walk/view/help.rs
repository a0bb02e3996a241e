//! What keys do, and what letters and marks stand for, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::{BOLD, DIM};
use crate::inspect::walk::state::State;
use crate::inspect::walk::tour::{Mark, drawn};

pub(super) fn draw(state: &State<'_>, buffer: &mut Buffer) {
    let lines = lines(state);
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let size = |needed: usize, all: u16| u16::try_from(needed).unwrap_or(u16::MAX).min(all);
    // A frame, and a space within it at both sides.
    let width = size(widest + 4, state.area.width);
    let height = size(lines.len() + 2, state.area.height);
    let area = Rect {
        x: state.area.x + (state.area.width - width) / 2,
        y: state.area.y + (state.area.height - height) / 2,
        width,
        height,
    };
    // What has two columns is gone when the frame takes one of them.
    if let Some(beside) = area.x.checked_sub(1) {
        for y in area.y..area.bottom() {
            let cell = &mut buffer[(beside, y)];
            if cell.symbol().width() > 1 {
                cell.set_symbol(" ");
            }
        }
    }
    Clear.render(area, buffer);
    let frame = Block::bordered();
    let within = frame.inner(area);
    frame.render(area, buffer);
    for (y, line) in (within.y..within.bottom()).zip(&lines) {
        let width = within.width.saturating_sub(2);
        if width > 0 {
            buffer.set_line(within.x + 1, y, line, width);
        }
    }
}

fn lines(state: &State<'_>) -> Vec<Line<'static>> {
    let words = state.words;
    let mut lines = vec![Line::styled(words.help, BOLD)];
    let widest = words.keys.iter().map(|(key, _)| key.width()).max();
    for (key, what) in &words.keys {
        let gap = " ".repeat(widest.unwrap_or(0) + 2 - key.width());
        lines.push(Line::from(format!("{key}{gap}{what}")));
    }
    lines.push(Line::default());
    lines.push(Line::styled(words.signs, BOLD));
    lines.extend(signs(state));
    lines.push(Line::default());
    lines.push(Line::styled(words.close, DIM));
    lines
}

/// The letters of keys that there are in this connection, and all marks.
fn signs(state: &State<'_>) -> Vec<Line<'static>> {
    let labels = state.options.language.labels();
    let arrows = state.tours.get(state.tour).map(|tour| &tour.arrows[..]);
    let mut signs = Vec::new();
    for (letter, meaning) in [
        ("E", labels.early_data),
        ("H", labels.handshake_keys),
        ("A", labels.application_keys),
        ("?", labels.sealed),
    ] {
        let mut arrows = arrows.unwrap_or_default().iter();
        if let Some(arrow) = arrows.find(|arrow| arrow.keys == letter) {
            let style = drawn(arrow.style);
            signs.push(Line::from(vec![
                Span::styled(letter, style),
                Span::raw(format!("  {meaning}")),
            ]));
        }
    }
    for mark in Mark::ALL {
        let meaning = match mark {
            Mark::Confirmed => labels.confirmed,
            Mark::Refuted => labels.refuted,
            Mark::Open => labels.not_derivable,
        };
        signs.push(Line::from(vec![
            Span::styled(mark.sign(), mark.style()),
            Span::raw(format!("  {meaning}")),
        ]));
    }
    signs
}
