//! What was issued, a line each or in JSON, as it is read: a million take no more memory than one.

use std::io::{BufWriter, ErrorKind, Write};
use std::ops::ControlFlow;
use std::time::SystemTime;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use ravelin_certs::inventory::{Record, State};

use super::called;
use crate::failure::Failure;
use crate::words::{BOLD, DIM, GREEN, RED, YELLOW, day, tell, until};

/// A list that is being written on standard output.
pub(crate) struct List {
    out: BufWriter<Box<dyn Write>>,
    colours: bool,
    json: bool,
    now: SystemTime,
    written: u64,
    more: bool,
    failed: Option<std::io::Error>,
}

impl List {
    pub(crate) fn begin(json: bool, now: SystemTime) -> Self {
        let stdout = std::io::stdout();
        let colours = !json && AutoStream::choice(&stdout) != ColorChoice::Never;
        // Taking the codes out again, and a system call for each line, took longer than all else.
        let out: Box<dyn Write> = if colours {
            Box::new(anstream::stdout())
        } else {
            Box::new(stdout)
        };
        Self {
            out: BufWriter::with_capacity(BUFFER, out),
            colours,
            json,
            now,
            written: 0,
            more: false,
            failed: None,
        }
    }

    /// Writes a certificate, where fewer than `limit` are; breaks off when no more are to come.
    pub(crate) fn add(&mut self, record: &Record, limit: u64) -> ControlFlow<()> {
        if self.written == limit {
            self.more = true;
            return ControlFlow::Break(());
        }
        let done = if self.json {
            self.object(record)
        } else {
            self.line(record)
        };
        self.written += 1;
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn object(&mut self, record: &Record) -> std::io::Result<()> {
        self.out
            .write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.out, record).map_err(std::io::Error::from)
    }

    fn line(&mut self, record: &Record) -> std::io::Result<()> {
        if self.written == 0 {
            let bold = self.style(BOLD);
            writeln!(
                self.out,
                "{bold}{:<14}  {:<12}  {:<25}  {:<12}  names{bold:#}",
                "serial", "state", "until", "template"
            )?;
        }
        let (style, state) = match record.state {
            State::Valid => (GREEN, "valid"),
            State::Expired => (DIM, "expired"),
            State::Revoked => (RED, "revoked"),
            State::NotYetValid => (YELLOW, "not yet"),
        };
        let style = self.style(style);
        let mut serial = record.serial.to_string();
        serial.truncate(SERIAL_DIGITS);
        let until = if record.not_after > self.now {
            until(record.not_after)
        } else {
            day(record.not_after)
        };
        writeln!(
            self.out,
            "{serial:<14}  {style}{state:<12}{style:#}  {until:<25}  {:<12}  {}",
            without_control(record.profile.clone()),
            without_control(called(record))
        )
    }

    fn style(&self, style: Style) -> Style {
        if self.colours { style } else { Style::new() }
    }

    fn finish(&mut self) -> std::io::Result<()> {
        if self.json {
            let end: &[u8] = if self.written == 0 { b"[]\n" } else { b"\n]\n" };
            self.out.write_all(end)?;
        }
        self.out.flush()
    }

    /// Ends the list, and says on standard error what is not in it.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        let ended = match self.failed.take() {
            Some(error) => Err(error),
            None => self.finish(),
        };
        match ended {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                return Err(Failure::local(format!(
                    "cannot write to standard output: {error}"
                )));
            }
            _ => {}
        }
        if self.json {
            return Ok(());
        }
        if self.written == 0 {
            say!("no certificates");
        } else if self.more {
            say!("{DIM}there are more: --limit 0 shows all{DIM:#}");
        }
        Ok(())
    }
}

/// What is told of others does not steer the terminal.
fn without_control(text: String) -> String {
    if text.contains(char::is_control) {
        text.replace(char::is_control, "\u{fffd}")
    } else {
        text
    }
}

/// Octets that are written at once.
const BUFFER: usize = 64 << 10;

/// Digits of a serial number that are shown, enough to tell those from each other that were made at one
/// time, which is in the first eight.
const SERIAL_DIGITS: usize = 14;
