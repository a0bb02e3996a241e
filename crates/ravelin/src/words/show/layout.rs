//! How a page is laid out: titles, and rows of a label and a value that is wrapped to the terminal.
//!
//! What comes from outside passes through [`clean`]: nothing of it moves the cursor or hides.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anstyle::Style;
use ravelin_pki::distinguished_name::unprintable;
use ravelin_pki::fingerprint::hex;
use time::OffsetDateTime;
use time::macros::format_description;

use super::super::{BOLD, DIM, GREEN, RED, YELLOW};

/// How much is shown of what may be long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Names, policies and addresses of one certificate; logs that saw it.
    pub(crate) names: usize,
    /// Entries of a CRL or an OCSP response.
    pub(crate) entries: usize,
    /// Pages in full; beyond, a line each.
    pub(crate) pages: usize,
    /// Lines where there are no pages, and lines of a tree.
    pub(crate) lines: usize,
    /// Octets of what is shown in hexadecimal digits, characters of a text.
    pub(crate) octets: usize,
}

impl Limits {
    pub(crate) const USUAL: Self = Self {
        names: 24,
        entries: 16,
        pages: 12,
        lines: 200,
        octets: 32,
    };
    pub(crate) const NONE: Self = Self {
        names: usize::MAX,
        entries: usize::MAX,
        pages: usize::MAX,
        lines: usize::MAX,
        octets: usize::MAX,
    };
}

/// The page as it grows.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) limits: Limits,
    pub(super) now: SystemTime,
    width: usize,
}

impl Page {
    /// A page of so many columns.
    pub(super) fn new(width: usize, limits: Limits, now: SystemTime) -> Self {
        Self {
            text: String::new(),
            limits,
            now,
            width: width.clamp(60, 120),
        }
    }

    /// The beginning of something: its name, and in dim letters what it is.
    pub(super) fn title(&mut self, name: &str, kind: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let name = self.short(name);
        let kind = clean(kind);
        let room = (self.width).saturating_sub(kind.chars().count() + 2);
        if name.chars().count() <= room {
            let _ = writeln!(self.text, "{BOLD}{name}{BOLD:#}  {DIM}{kind}{DIM:#}");
        } else {
            let _ = writeln!(self.text, "{BOLD}{name}{BOLD:#}\n{DIM}{kind}{DIM:#}");
        }
    }

    /// A label and what there is to say; nothing where that is nothing.
    pub(super) fn row(&mut self, label: &str, value: impl AsRef<str>) {
        self.styled(label, Style::new(), value);
    }

    /// The same, in a colour.
    pub(super) fn styled(&mut self, label: &str, style: Style, value: impl AsRef<str>) {
        let value = clean(value.as_ref());
        if value.is_empty() {
            return;
        }
        let lines = wrapped(&value, self.width.saturating_sub(COLUMN));
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(self.text, "  {DIM}{label:<12}{DIM:#}{style}{line}{style:#}");
        }
    }

    /// A label and several things, with commas between them, and how many were left out.
    pub(super) fn list<T: AsRef<str>>(&mut self, label: &str, values: &[T]) {
        let most = self.limits.names;
        let mut shown: Vec<String> = values
            .iter()
            .take(most)
            .map(|value| self.short(value.as_ref()))
            .collect();
        if values.len() > most {
            shown.push(more(values.len() - most));
        }
        self.row(label, shown.join(", "));
    }

    /// A label and several things, each in a line of its own.
    pub(super) fn lines<T: AsRef<str>>(&mut self, label: &str, values: &[T], most: usize) {
        for (index, value) in values.iter().take(most).enumerate() {
            let value = self.short(value.as_ref());
            self.row(if index == 0 { label } else { "" }, value);
        }
        if values.len() > most {
            self.styled("", DIM, more(values.len() - most));
        }
    }

    /// A fact that is no good: in yellow.
    pub(super) fn caution(&mut self, label: &str, value: impl AsRef<str>) {
        self.styled(label, YELLOW, value);
    }

    /// A fact that is bad: in red.
    pub(super) fn alarm(&mut self, label: &str, value: impl AsRef<str>) {
        self.styled(label, RED, value);
    }

    /// A line that is no row.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Hexadecimal digits, as many as there is room for.
    pub(super) fn hex(&self, octets: &[u8]) -> String {
        let shown = &octets[..octets.len().min(self.limits.octets)];
        let digits = hex(shown);
        match octets.len() - shown.len() {
            0 => digits,
            _ => format!("{digits}… ({} bytes)", octets.len()),
        }
    }

    /// A text that is not longer than is read by anybody.
    pub(super) fn short(&self, text: &str) -> String {
        let most = self.limits.octets.saturating_mul(8);
        let clean = clean(text);
        match clean.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", &clean[..end]),
            None => clean,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }
}

/// The text with what must not reach a terminal written as its number: `\u{202e}`.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if unprintable(character) {
            let _ = write!(clean, "\\u{{{:x}}}", u32::from(character));
        } else {
            clean.push(character);
        }
    }
    clean
}

pub(super) fn more(count: usize) -> String {
    format!("and {} more", grouped(count))
}

/// `12,345`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Cuts a text into lines at its spaces, and words that are longer than a line anywhere.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        let mut length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while length > width {
            let end = word
                .char_indices()
                .nth(width)
                .map_or(word.len(), |(at, _)| at);
            lines.push(word[..end].to_owned());
            word = &word[end..];
            length -= width;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `2026-11-25 01:02 UTC`.
pub(super) fn minute(time: SystemTime) -> String {
    OffsetDateTime::from(time)
        .format(format_description!(
            "[year]-[month]-[day] [hour]:[minute] UTC"
        ))
        .unwrap_or_default()
}

/// `2026-11-25T01:02:03Z` (RFC 3339).
pub(in crate::words) fn rfc3339(time: SystemTime) -> String {
    OffsetDateTime::from(time)
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        ))
        .unwrap_or_default()
}

/// `in 12 days`, `3 years ago`: in the unit that says enough.
pub(in crate::words) fn distance(now: SystemTime, time: SystemTime) -> String {
    match time.duration_since(now) {
        Ok(left) => format!("in {}", span(left)),
        Err(error) => format!("{} ago", span(error.duration())),
    }
}

/// `12 days`.
pub(in crate::words) fn span(time: Duration) -> String {
    let count = |number: u64, unit: &str| match number {
        1 => format!("1 {unit}"),
        _ => format!("{} {unit}s", grouped(number as usize)),
    };
    let seconds = time.as_secs();
    match seconds {
        0..120 => count(seconds, "second"),
        120..7200 => count(seconds / 60, "minute"),
        7200..172_800 => count(seconds / 3600, "hour"),
        172_800..63_072_000 => count(seconds / 86_400, "day"),
        // The nearest: a root of ten years has not nine left on its first day.
        _ => count((seconds + YEAR / 2) / YEAR, "year"),
    }
}

/// How a time until which something is good is to be seen.
pub(super) fn colour_of(now: SystemTime, from: SystemTime, until: SystemTime) -> Style {
    if now < from || now > until {
        return RED;
    }
    match share_gone(now, from, until) {
        Some(share) if share >= 67 => YELLOW,
        _ => GREEN,
    }
}

/// How much of a life is gone, in percent; none outside of it.
pub(super) fn share_gone(now: SystemTime, from: SystemTime, until: SystemTime) -> Option<u64> {
    let life = until.duration_since(from).ok()?.as_secs();
    let gone = now.duration_since(from).ok()?.as_secs();
    (gone <= life && life > 0).then(|| gone * 100 / life)
}

/// The mean year of the calendar, in seconds.
const YEAR: u64 = 31_556_952;

/// Where values begin.
const COLUMN: usize = 14;
