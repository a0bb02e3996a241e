//! Lines of a terminal: broken where the language allows it, by the width of their characters.

use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{BOLD, Options};

/// The fewest columns that are written for.
pub const FEWEST_COLUMNS: usize = 40;

/// What may not begin a line, and what may not end one.
const NO_BEGINNING: &str = "，。；：、）》”’！？…),.;:!?]}";
const NO_END: &str = "（《“‘([{";

/// Text that grows line by line.
pub(super) struct Lines {
    written: String,
    width: usize,
    colour: bool,
    colon: &'static str,
}

impl Lines {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            written: String::new(),
            width: options.width.max(FEWEST_COLUMNS),
            colour: options.colour,
            colon: options.language.labels().colon,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The text, which ends with one line feed.
    pub(super) fn finish(self) -> String {
        let mut text = self.written;
        text.truncate(text.trim_end_matches('\n').len());
        text.push('\n');
        text
    }

    pub(super) fn blank(&mut self) {
        if !self.written.ends_with("\n\n") {
            self.written.push('\n');
        }
    }

    /// A heading over a part of the text, with a line below.
    pub(super) fn heading(&mut self, text: &str) {
        if !self.written.is_empty() {
            self.blank();
        }
        self.styled(0, BOLD, text);
        let line = "─".repeat(text.width().min(self.width));
        self.written.push_str(&line);
        self.written.push_str("\n\n");
    }

    /// A paragraph.
    pub(super) fn text(&mut self, indent: usize, text: &str) {
        self.styled(indent, Style::new(), text);
    }

    /// A paragraph in a style.
    pub(super) fn styled(&mut self, indent: usize, style: Style, text: &str) {
        for line in wrap(text, self.room(indent), self.room(indent)) {
            self.indent(indent);
            self.write(style, &line);
            self.written.push('\n');
        }
    }

    /// A paragraph with a label and a colon before it.
    pub(super) fn labelled(&mut self, indent: usize, style: Style, label: &str, text: &str) {
        let colon = self.colon;
        self.hanging(indent, style, &format!("{label}{}", colon.trim_end()), text);
    }

    /// A paragraph with a mark before it.
    pub(super) fn marked(&mut self, indent: usize, style: Style, mark: &str, text: &str) {
        self.hanging(indent, style, mark, text);
    }

    /// A short mark hangs out; under a long one lines are set in a little. Where a mark leaves too little room
    /// beside it, the text begins below.
    fn hanging(&mut self, indent: usize, style: Style, mark: &str, text: &str) {
        const LEAST_BESIDE: usize = 10;
        let indent = indent.min(self.width.saturating_sub(mark.width()));
        // A colon that fills two columns has its space within.
        let space = usize::from(!mark.ends_with('：'));
        let before = mark.width() + space;
        let hang = if before <= 2 { before } else { 2 };
        self.indent(indent);
        self.write(style, mark);
        let beside = self.width.saturating_sub(indent + before);
        let rest = self.room(indent + hang);
        let mut lines = if beside < LEAST_BESIDE {
            wrap(text, rest, rest)
        } else {
            let mut lines = wrap(text, beside, rest).into_iter();
            if let Some(first) = lines.next().filter(|line| !line.is_empty()) {
                self.indent(space);
                self.written.push_str(&first);
            }
            lines.collect()
        };
        self.written.push('\n');
        lines.retain(|line| !line.is_empty());
        for line in lines {
            self.indent(self.width.saturating_sub(rest).min(indent + hang));
            self.written.push_str(&line);
            self.written.push('\n');
        }
    }

    /// Two texts in one line where there is room, the second at the right end; else below each other.
    pub(super) fn two(&mut self, left_style: Style, left: &str, right_style: Style, right: &str) {
        let gap = self.width.saturating_sub(left.width() + right.width());
        if gap < 2 {
            self.styled(0, left_style, left);
            self.styled(3, right_style, right);
            return;
        }
        self.write(left_style, left);
        self.indent(gap);
        self.write(right_style, right);
        self.written.push('\n');
    }

    /// Octets in hexadecimal, as many in a line as fit.
    pub(super) fn octets(&mut self, indent: usize, octets: &[u8]) {
        let in_line = (self.room(indent) / 2).clamp(8, 32) / 8 * 8;
        for line in octets.chunks(in_line) {
            self.indent(indent);
            for octet in line {
                let _ = write!(self.written, "{octet:02x}");
            }
            self.written.push('\n');
        }
    }

    /// A line of parts, each in its style, as it is.
    pub(super) fn parts(&mut self, parts: &[(Style, &str)]) {
        for (style, part) in parts {
            self.write(*style, part);
        }
        let end = self.written.trim_end_matches(' ').len();
        self.written.truncate(end);
        self.written.push('\n');
    }

    fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).max(FEWEST_COLUMNS / 2)
    }

    fn indent(&mut self, columns: usize) {
        self.written.extend(std::iter::repeat_n(' ', columns));
    }

    fn write(&mut self, style: Style, text: &str) {
        if self.colour && !style.is_plain() && !text.is_empty() {
            let _ = write!(self.written, "{style}{text}{style:#}");
        } else {
            self.written.push_str(text);
        }
    }
}

/// Breaks text into lines: the first of at most `first` columns, the others of at most `rest`. Words longer
/// than a line are broken anywhere.
fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut columns) = (String::new(), 0);
    for piece in pieces(text) {
        let room = |lines: &Vec<String>| if lines.is_empty() { first } else { rest };
        if columns > 0 && columns + piece.trim_end().width() > room(&lines) {
            lines.push(line.trim_end().to_owned());
            line.clear();
            columns = 0;
        }
        for character in piece.chars() {
            let width = character.width().unwrap_or(0);
            if columns + width > room(&lines) && character != ' ' && columns > 0 {
                lines.push(line.trim_end().to_owned());
                line.clear();
                columns = 0;
            }
            line.push(character);
            columns += width;
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The pieces of a text between which a line may be broken: after spaces, and beside characters of two
/// columns, which stand for words of their own.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, next) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, next)) {
            pieces.extend(text.get(start..at));
            start = at;
        }
        before = Some(next);
    }
    pieces.extend(text.get(start..));
    pieces
}

fn may_break(before: char, next: char) -> bool {
    let is_wide = |character: char| character.width() == Some(2);
    if before == ' ' {
        return next != ' ';
    }
    (is_wide(before) || is_wide(next))
        && next != ' '
        && !NO_BEGINNING.contains(next)
        && !NO_END.contains(before)
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::wrap;

    #[test]
    fn lines_end_after_words_and_never_exceed_their_columns() {
        let lines = wrap("one two three four", 8, 9);
        assert_eq!(lines, ["one two", "three", "four"]);
        assert_eq!(wrap("0123456789", 4, 3), ["0123", "456", "789"]);
        assert_eq!(wrap("", 4, 4), [""]);
    }

    #[test]
    fn chinese_is_broken_between_characters_but_not_before_a_comma() {
        let lines = wrap("客户端提供密码套件，请求访问 example.org。", 18, 18);
        assert_eq!(lines, ["客户端提供密码套", "件，请求访问", "example.org。"]);
        assert!(lines.iter().all(|line| line.width() <= 18));
    }
}
