//! JSON laid out for people: nothing of it changes but the space between, so that numbers and what stands twice
//! are shown as they came.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

/// JSON with a line for each value and with colours; none where it is no JSON.
pub(super) fn laid_out(text: &str) -> Option<String> {
    // Whether it is JSON, the parser knows; the layout needs its tokens alone.
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut writer = Writer::default();
    let mut rest = text.trim_ascii_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_end(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest
                .find([',', ':', ']', '}', ' ', '\t', '\r', '\n'])
                .unwrap_or(rest.len()),
        };
        let (token, behind) = rest.split_at(length);
        rest = behind.trim_ascii_start();
        writer.token(token, rest);
    }
    writer.text.push('\n');
    Some(writer.text)
}

#[derive(Default)]
struct Writer {
    text: String,
    depth: usize,
    /// The opening bracket was written, and its closing one comes at once.
    is_empty: bool,
}

impl Writer {
    fn token(&mut self, token: &str, behind: &str) {
        match token {
            "{" | "[" => {
                self.text.push_str(token);
                self.is_empty = behind.starts_with(['}', ']']);
                self.depth += 1;
                if !self.is_empty {
                    self.line();
                }
            }
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                if !self.is_empty {
                    self.line();
                }
                self.is_empty = false;
                self.text.push_str(token);
            }
            "," => {
                self.text.push(',');
                self.line();
            }
            ":" => self.text.push_str(": "),
            other => {
                let style = style(other, behind.starts_with(':'));
                let shown = crate::words::show::clean(other);
                let _ = write!(self.text, "{style}{shown}{style:#}");
            }
        }
    }

    fn line(&mut self) {
        self.text.push('\n');
        // Deeper than anyone reads, it would grow by the square.
        let depth = self.depth.min(DEEPEST);
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

fn style(token: &str, is_name: bool) -> Style {
    match token.as_bytes().first() {
        Some(b'"') if is_name => AnsiColor::Blue.on_default().bold(),
        Some(b'"') => AnsiColor::Green.on_default(),
        Some(b't' | b'f' | b'n') => AnsiColor::Magenta.on_default(),
        _ => AnsiColor::Cyan.on_default(),
    }
}

/// Where a string ends, its quotes included.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, octet) in text.bytes().enumerate().skip(1) {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

const DEEPEST: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        laid_out(text).map(|text| anstream::adapter::strip_str(&text).to_string())
    }

    #[test]
    fn json_is_laid_out_and_nothing_of_it_changes() {
        let text = r#" {"b":1e400,"a":[],"a":[12345678901234567890,{"k":"x, \"y\": {"}],"n":null}"#;
        let shown = "{\n  \"b\": 1e400,\n  \"a\": [],\n  \"a\": [\n    12345678901234567890,\n    \
            {\n      \"k\": \"x, \\\"y\\\": {\"\n    }\n  ],\n  \"n\": null\n}\n";
        assert_eq!(plain(text).unwrap(), shown);
        assert_eq!(plain("true").unwrap(), "true\n");
        assert_eq!(plain("{oops}"), None);
        assert_eq!(plain("<html>"), None);
    }

    #[test]
    fn what_would_move_the_cursor_of_a_terminal_does_not() {
        assert_eq!(
            plain("\"\u{9b}31m\u{202e}\"").unwrap(),
            "\"\\u{9b}31m\\u{202e}\"\n"
        );
    }
}
