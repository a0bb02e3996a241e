//! A line as it is edited, on one row of a terminal: what is typed before it is sent, and the lines sent before.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::keys::Key;

/// What is typed, behind what the server said last without ending the line: `Password: ` for one.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// What is typed.
    text: Vec<char>,
    /// How many of these are before the cursor.
    cursor: usize,
    /// The end of what the server said, up to the end of a line.
    said: String,
    /// The lines that were sent, the newest last.
    history: Vec<Vec<char>>,
    /// Which of them is shown; behind the last, the one that is new.
    shown: usize,
    /// The new one, while an old one is shown.
    draft: Vec<char>,
}

/// What comes of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The line looks different, or as before.
    Edited,
    /// It is done, and this is to be sent.
    Sent(String),
    /// There is nothing more to be sent.
    Ended,
    /// The program is to end.
    Interrupted,
    /// The program is to stop until it is called back.
    Stopped,
}

impl Line {
    /// Changes as a key says.
    pub(super) fn press(&mut self, key: Key) -> Pressed {
        match key {
            Key::Text(character) => {
                self.text.insert(self.cursor, character);
                self.cursor += 1;
            }
            Key::Enter => return Pressed::Sent(self.send()),
            Key::EndOfInput if self.text.is_empty() => return Pressed::Ended,
            Key::Interrupt => return Pressed::Interrupted,
            Key::Stop => return Pressed::Stopped,
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            Key::WordLeft => self.cursor = self.word_before(),
            Key::WordRight => self.cursor = self.word_behind(),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            Key::Delete | Key::EndOfInput if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Key::DeleteWord => {
                let from = self.word_before();
                self.text.drain(from..self.cursor);
                self.cursor = from;
            }
            Key::DeleteBefore => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::DeleteBehind => self.text.truncate(self.cursor),
            Key::Up => self.show(self.shown.checked_sub(1)),
            Key::Down => self.show(Some(self.shown + 1)),
            Key::Backspace | Key::Delete | Key::EndOfInput | Key::Redraw => {}
        }
        Pressed::Edited
    }

    fn send(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let line = text.iter().collect();
        if !text.is_empty() && self.history.last() != Some(&text) {
            if self.history.len() == MOST_REMEMBERED {
                self.history.remove(0);
            }
            self.history.push(text);
        }
        self.cursor = 0;
        self.shown = self.history.len();
        self.draft.clear();
        self.said.clear();
        line
    }

    /// Shows a line that was sent, or the new one again.
    fn show(&mut self, wanted: Option<usize>) {
        let Some(wanted) = wanted.filter(|wanted| *wanted <= self.history.len()) else {
            return;
        };
        if self.shown == self.history.len() {
            self.draft.clone_from(&self.text);
        }
        let text = self.history.get(wanted).unwrap_or(&self.draft);
        self.text.clone_from(text);
        self.cursor = self.text.len();
        self.shown = wanted;
    }

    fn word_before(&self) -> usize {
        let before = &self.text[..self.cursor];
        let end = before.iter().rposition(|c| !c.is_whitespace());
        let space = end.and_then(|end| before[..end].iter().rposition(|c| c.is_whitespace()));
        end.map_or(0, |_| space.map_or(0, |space| space + 1))
    }

    fn word_behind(&self) -> usize {
        let behind = &self.text[self.cursor..];
        let word = behind.iter().position(|c| !c.is_whitespace());
        let word = word.unwrap_or(behind.len());
        let space = behind[word..].iter().position(|c| c.is_whitespace());
        self.cursor + space.map_or(behind.len(), |space| word + space)
    }

    /// What to write to the terminal for text of the server, so that the line that is typed stays below it.
    pub(super) fn told(&mut self, text: &str, columns: usize) -> String {
        self.said.push_str(text);
        if self.said.len() > MOST_SAID && !self.said.contains('\n') {
            // What never ends a line does not fill memory.
            self.said.push('\n');
        }
        let Some(end) = self.said.rfind('\n') else {
            return self.drawn(columns);
        };
        let rest = self.said.split_off(end + 1);
        let whole = std::mem::replace(&mut self.said, rest);
        format!("{CLEAR}{whole}{}", self.drawn(columns))
    }

    /// What to write in place of the line: what the server had begun to say before it.
    pub(super) fn given_up(&self) -> String {
        format!("{CLEAR}{}", self.said)
    }

    /// Draws it anew on its row, with as much around the cursor as there is room for.
    pub(super) fn drawn(&self, columns: usize) -> String {
        // The last column is left free: a terminal would go on to the next row.
        let room = columns.max(8) - 1;
        let said = last_columns(self.said.chars(), room / 2);
        let room = room - width(said.chars());
        let shown: Vec<char> = self.text.iter().copied().map(visible_character).collect();
        let before = last_columns(shown[..self.cursor].iter().copied(), room);
        let at = width(before.chars());
        let mut drawn = format!("{CLEAR}{said}{before}");
        let mut left = room - at;
        for character in &shown[self.cursor..] {
            let Some(less) = left.checked_sub(character.width().unwrap_or(0)) else {
                break;
            };
            left = less;
            drawn.push(*character);
        }
        let column = width(said.chars()) + at;
        if left < room - at {
            // Back to the cursor.
            drawn.push('\r');
            if column > 0 {
                let _ = write!(drawn, "\x1b[{column}C");
            }
        }
        drawn
    }
}

/// Text as it is shown; what is typed has no other controls than tabs.
pub(super) fn visible(text: &str) -> String {
    text.replace('\t', " ")
}

fn visible_character(character: char) -> char {
    if character == '\t' { ' ' } else { character }
}

fn width(text: impl Iterator<Item = char>) -> usize {
    text.map(|character| character.width().unwrap_or(0)).sum()
}

/// The end of a text that fits into so many columns.
fn last_columns(text: impl DoubleEndedIterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    let mut kept = Vec::new();
    for character in text.rev() {
        let character = visible_character(character);
        let Some(less) = left.checked_sub(character.width().unwrap_or(0)) else {
            break;
        };
        left = less;
        kept.push(character);
    }
    kept.iter().rev().collect()
}

/// To the beginning of the row, which is cleared.
const CLEAR: &str = "\r\x1b[K";

/// How many octets the server may say in a line that is not shown whole before it ends.
const MOST_SAID: usize = 4096;

/// How many lines are remembered.
const MOST_REMEMBERED: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, text: &str) {
        for character in text.chars() {
            assert_eq!(line.press(Key::Text(character)), Pressed::Edited);
        }
    }

    fn sent(line: &mut Line) -> String {
        match line.press(Key::Enter) {
            Pressed::Sent(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_line_is_changed_in_its_middle_and_by_words() {
        let mut line = Line::default();
        typed(&mut line, "EHLO clinet");
        for key in [Key::Left, Key::Backspace, Key::Backspace] {
            line.press(key);
        }
        typed(&mut line, "en");
        assert_eq!(sent(&mut line), "EHLO client");
        typed(&mut line, "one two  three");
        line.press(Key::DeleteWord);
        line.press(Key::WordLeft);
        line.press(Key::DeleteBefore);
        assert_eq!(sent(&mut line), "two  ");
        typed(&mut line, "one two");
        for key in [
            Key::Home,
            Key::WordRight,
            Key::DeleteBehind,
            Key::Left,
            Key::Delete,
        ] {
            line.press(key);
        }
        assert_eq!(sent(&mut line), "on");
        // In a line, the end of the input deletes; in none it ends.
        typed(&mut line, "ab");
        line.press(Key::Home);
        assert_eq!(line.press(Key::EndOfInput), Pressed::Edited);
        assert_eq!(sent(&mut line), "b");
        assert_eq!(line.press(Key::EndOfInput), Pressed::Ended);
    }

    #[test]
    fn lines_come_back_and_the_new_one_is_not_lost_meanwhile() {
        let mut line = Line::default();
        for text in ["first", "second", "second"] {
            typed(&mut line, text);
            sent(&mut line);
        }
        typed(&mut line, "new");
        line.press(Key::Up);
        line.press(Key::Up);
        line.press(Key::Up);
        assert_eq!(line.drawn(40), "\r\x1b[Kfirst");
        for _ in 0..3 {
            line.press(Key::Down);
        }
        assert_eq!(sent(&mut line), "new");
    }

    #[test]
    fn what_the_server_says_stands_above_and_what_it_asks_before_the_line() {
        let mut line = Line::default();
        typed(&mut line, "ab");
        line.press(Key::Left);
        let told = line.told("220 hello\nName: ", 40);
        assert_eq!(told, "\r\x1b[K220 hello\n\r\x1b[KName: ab\r\x1b[7C");
        assert_eq!(line.given_up(), "\r\x1b[KName: ");
        sent(&mut line);
        assert_eq!(line.drawn(40), "\r\x1b[K");
    }

    #[test]
    fn a_line_that_is_too_long_is_shown_around_its_cursor() {
        let mut line = Line::default();
        typed(&mut line, "0123456789你好");
        assert_eq!(line.drawn(11), "\r\x1b[K456789你好");
        line.press(Key::Home);
        assert_eq!(line.drawn(11), "\r\x1b[K0123456789\r");
        line.press(Key::End);
        assert_eq!(line.drawn(0), "\r\x1b[K789你好");
    }

    #[test]
    fn what_never_ends_a_line_is_shown_all_the_same_and_does_not_stay() {
        let mut line = Line::default();
        let told = line.told(&"x".repeat(5000), 40);
        assert!(told.contains(&("x".repeat(5000) + "\n")), "{told}");
        assert_eq!(line.given_up(), CLEAR);
    }
}
