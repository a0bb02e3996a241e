//! Texts that were written for a wider terminal, on this one.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar as _;

/// How much further in a line begins that goes on from another.
const FURTHER: usize = 2;

/// Lines of at most so many columns. In those that are longer, gaps of a table are made smaller first.
pub(super) fn wrapped(lines: Vec<Line<'static>>, columns: usize) -> Vec<Line<'static>> {
    let mut wrapped = Vec::with_capacity(lines.len());
    for line in lines {
        if line.width() <= columns || columns <= 2 * FURTHER {
            wrapped.push(line);
        } else {
            wrap(&characters(&line), columns, &mut wrapped);
        }
    }
    wrapped
}

type Character = (char, Style);

/// A line as characters, with no more than two spaces behind each other but at its beginning.
fn characters(line: &Line<'_>) -> Vec<Character> {
    let mut characters: Vec<Character> = Vec::new();
    let spans = line.spans.iter();
    for (character, style) in spans.flat_map(|span| {
        span.content
            .chars()
            .map(|character| (character, span.style))
    }) {
        let is_gap = characters.ends_with(&[(' ', style), (' ', style)]);
        let has_begun = characters.iter().any(|(before, _)| *before != ' ');
        if !(character == ' ' && is_gap && has_begun) {
            characters.push((character, style));
        }
    }
    characters
}

fn wrap(mut rest: &[Character], columns: usize, wrapped: &mut Vec<Line<'static>>) {
    let indent = rest.iter().take_while(|(it, _)| *it == ' ').count();
    let further = if indent + FURTHER < columns / 2 {
        indent + FURTHER
    } else {
        0
    };
    let mut before = 0;
    while !rest.is_empty() {
        let end = fitting(rest, columns - before);
        let (line, behind) = rest.split_at(end);
        let written = line.iter().rposition(|(it, _)| *it != ' ');
        let line = &line[..written.map_or(0, |last| last + 1)];
        let mut spans = vec![Span::raw(" ".repeat(before))];
        for run in line.chunk_by(|one, other| one.1 == other.1) {
            let text: String = run.iter().map(|(character, _)| *character).collect();
            spans.push(Span::styled(text, run[0].1));
        }
        wrapped.push(Line::from(spans));
        let spaces = behind.iter().take_while(|(it, _)| *it == ' ').count();
        rest = &behind[spaces..];
        before = further;
    }
}

/// How many characters fit: up to a space, or where there is none, all that do.
fn fitting(text: &[Character], columns: usize) -> usize {
    let mut width = 0;
    let most = text.iter().position(|(character, _)| {
        width += character.width().unwrap_or(0);
        width > columns
    });
    let Some(most) = most else {
        return text.len();
    };
    let begun = text.iter().position(|(it, _)| *it != ' ').unwrap_or(0);
    let space = text[..=most].iter().rposition(|(it, _)| *it == ' ');
    // A character of two columns on a line of one would never come to an end.
    space.filter(|space| *space > begun).unwrap_or(most.max(1))
}
