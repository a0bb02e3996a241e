//! How a request becomes a line.
//!
//! A log is read on terminals and by programs, and half of it was written by strangers: control
//! characters, quotes, bytes that are not UTF-8 and characters that reorder or hide text never get
//! through as they are.

use std::io::Write;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::LogFormat;
use super::queue::{Line, Record};

/// Turns requests into lines.
pub(super) struct Lines {
    format: LogFormat,
    /// The second that `date` stands for.
    second: Option<i64>,
    date: Vec<u8>,
}

impl Lines {
    pub(super) fn new(format: LogFormat) -> Self {
        Self {
            format,
            second: None,
            date: Vec::new(),
        }
    }

    /// Adds the line of a request to `out`, with its line break.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, line: &Line<'_>) {
        match self.format {
            LogFormat::Json => self.push_json(out, line),
            LogFormat::Combined => self.push_combined(out, line),
        }
    }

    /// Adds the line that tells of lost ones.
    pub(super) fn push_dropped(&mut self, out: &mut Vec<u8>, time: SystemTime, dropped: u64) {
        match self.format {
            LogFormat::Json => {
                self.push_json_time(out, time);
                out.extend_from_slice(b",\"dropped\":");
                push_number(out, dropped);
                out.extend_from_slice(b"}\n");
            }
            LogFormat::Combined => {
                out.extend_from_slice(b"# ");
                self.push_combined_time(out, time);
                out.extend_from_slice(b" dropped ");
                push_number(out, dropped);
                out.extend_from_slice(b" lines\n");
            }
        }
    }

    fn push_json(&mut self, out: &mut Vec<u8>, line: &Line<'_>) {
        let record = line.record;
        self.push_json_time(out, record.time);
        push_member(out, "host", line.host);
        out.extend_from_slice(b",\"client\":\"");
        push_display(out, record.client);
        out.push(b'"');
        push_member(out, "method", line.method);
        push_member(out, "path", line.path);
        push_member(out, "protocol", protocol(record).as_bytes());
        if let Some(tls) = record.tls {
            push_member(out, "tls", tls.version.as_bytes());
            push_member(out, "suite", tls.suite.as_bytes());
            push_member(out, "group", tls.group.unwrap_or_default().as_bytes());
            out.extend_from_slice(b",\"resumed\":");
            out.extend_from_slice(if tls.resumed { b"true" } else { b"false" });
        }
        for (name, number) in [
            ("status", u64::from(record.status)),
            ("bytes", record.bytes),
            ("duration_us", microseconds(record)),
        ] {
            push_name(out, name);
            push_number(out, number);
        }
        push_member(out, "user_agent", line.user_agent);
        push_member(out, "referer", line.referer);
        out.extend_from_slice(b"}\n");
    }

    /// `%h - - %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"` and what Apache does not know.
    fn push_combined(&mut self, out: &mut Vec<u8>, line: &Line<'_>) {
        let record = line.record;
        push_display(out, record.client);
        out.extend_from_slice(b" - - ");
        self.push_combined_time(out, record.time);
        out.extend_from_slice(b" \"");
        if line.method.is_empty() {
            // What came was no request.
            out.push(b'-');
        } else {
            push_escaped(out, line.method);
            out.push(b' ');
            push_escaped(out, line.path);
            out.push(b' ');
            out.extend_from_slice(protocol(record).as_bytes());
        }
        out.extend_from_slice(b"\" ");
        push_number(out, u64::from(record.status));
        out.push(b' ');
        push_number(out, record.bytes);
        for text in [line.referer, line.user_agent, line.host] {
            out.extend_from_slice(b" \"");
            push_escaped(out, if text.is_empty() { b"-" } else { text });
            out.push(b'"');
        }
        match record.tls {
            Some(tls) => {
                let resumed = if tls.resumed { "resumed" } else { "full" };
                for word in [tls.version, tls.suite, tls.group.unwrap_or("-"), resumed] {
                    out.push(b' ');
                    out.extend_from_slice(word.as_bytes());
                }
            }
            None => out.extend_from_slice(b" - - - -"),
        }
        out.push(b' ');
        push_number(out, microseconds(record));
        out.push(b'\n');
    }

    fn push_json_time(&mut self, out: &mut Vec<u8>, time: SystemTime) {
        out.extend_from_slice(b"{\"time\":\"");
        let milliseconds = self.set_second(time);
        out.extend_from_slice(&self.date);
        out.push(b'.');
        out.extend([100, 10, 1].map(|place| b'0' + (milliseconds / place % 10) as u8));
        out.extend_from_slice(b"Z\"");
    }

    fn push_combined_time(&mut self, out: &mut Vec<u8>, time: SystemTime) {
        self.set_second(time);
        out.extend_from_slice(&self.date);
    }

    /// Writes the date of `time`, unless it is still the second of the line before, and returns its
    /// milliseconds.
    fn set_second(&mut self, time: SystemTime) -> u32 {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let second = since.as_secs().cast_signed();
        if self.second != Some(second) {
            self.second = Some(second);
            self.date.clear();
            let date =
                OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let (year, month, day) = date.to_calendar_date();
            let (hour, minute, second) = date.to_hms();
            // Writing to a vector does not fail.
            let _ = match self.format {
                LogFormat::Json => write!(
                    self.date,
                    "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
                    u8::from(month),
                ),
                LogFormat::Combined => write!(
                    self.date,
                    "[{day:02}/{:.3}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000]",
                    month.to_string(),
                ),
            };
        }
        since.subsec_millis()
    }
}

fn protocol(record: &Record) -> &'static str {
    match record.version {
        http::Version::HTTP_09 => "HTTP/0.9",
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2",
        http::Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

fn microseconds(record: &Record) -> u64 {
    u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX)
}

fn push_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A member whose value is text, or nothing for no text.
fn push_member(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    if !text.is_empty() {
        push_name(out, name);
        out.push(b'"');
        push_json_text(out, text);
        out.push(b'"');
    }
}

/// The inside of a JSON string (RFC 8259, section 7). Bytes that are not UTF-8 become U+FFFD.
fn push_json_text(out: &mut Vec<u8>, text: &[u8]) {
    if text
        .iter()
        .all(|&byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
    {
        out.extend_from_slice(text);
        return;
    }
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
                _ if is_harmless(character) => {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        push_display(out, format_args!("\\u{unit:04x}"));
                    }
                }
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

/// Whether a character neither controls a terminal (C0, C1) nor reorders or hides what is around it
/// (Unicode's bidirectional controls, invisible characters and tags).
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Text as Apache escapes it: `\"`, `\\`, and `\xHH` for all that is not printable ASCII.
fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            _ => push_display(out, format_args!("\\x{byte:02x}")),
        }
    }
}

fn push_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a vector does not fail.
    let _ = write!(out, "{value}");
}

/// Several times as fast as `write!`, and a line has three.
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}
