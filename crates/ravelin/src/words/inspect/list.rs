//! The list of the connections of a capture: a line each, or an object of JSON each.

use std::fmt::Write as _;

use ravelin_lens::capture::Transport;
use ravelin_lens::explain::{Language, fill_in, visible};
use ravelin_lens::keylog::{KeyLog, LineFault, MAX_LABELS, MAX_LINE_OCTETS};
use ravelin_lens::story::{End, Story, Verdict, What};
use ravelin_lens::survey::{Told, Totals};
use serde::Serialize;

use super::catalogue::{Words, counted};
use super::padded;
use crate::failure::Failure;
use crate::words::{BOLD, DIM, GREEN, RED, YELLOW, result, warn_in};

/// How many octets of lines are gathered before they are written.
const GATHERED: usize = 16 << 10;

/// A list that is being written.
pub(crate) struct List {
    words: &'static Words,
    json: bool,
    text: String,
    begun: bool,
    /// How many connections were not decrypted.
    sealed: u64,
}

impl List {
    pub(crate) fn new(language: Language, json: bool) -> Self {
        Self {
            words: Words::of(language),
            json,
            text: String::new(),
            begun: false,
            sealed: 0,
        }
    }

    /// Keeps the first line back.
    pub(crate) fn hold(&mut self, line: &Line) {
        self.put(line);
    }

    pub(crate) fn add(&mut self, line: &Line) -> Result<(), Failure> {
        self.put(line);
        if self.text.len() < GATHERED {
            return Ok(());
        }
        result(&std::mem::take(&mut self.text))
    }

    /// The rest of the lines, and what there was in all.
    pub(crate) fn end(mut self, totals: &Totals, no_keys: bool) -> Result<(), Failure> {
        let words = self.words;
        if !self.json && totals.tls > 0 {
            let tls = counted(totals.tls, [words.tls_one, words.tls_many], &[]);
            let values = [
                ("tls", &*tls),
                ("others", &*totals.others.to_string()),
                ("packets", &*totals.capture.packets.to_string()),
            ];
            let _ = writeln!(self.text, "\n{}", fill_in(words.total, &values));
            if no_keys {
                let _ = writeln!(self.text, "{}", words.without_keys);
            } else if self.sealed > 0 {
                let sealed = counted(self.sealed, [words.sealed_one, words.sealed_many], &[]);
                let _ = writeln!(self.text, "{sealed}");
            }
            let _ = writeln!(self.text, "{}", words.one_whole);
        }
        result(&self.text)
    }

    fn put(&mut self, line: &Line) {
        self.sealed += u64::from(line.sealed);
        if self.json {
            // Nothing in a line can fail to be written as JSON.
            self.text += &serde_json::to_string(line).unwrap_or_default();
            self.text.push('\n');
            return;
        }
        if !self.begun {
            self.begun = true;
            let words = self.words;
            let _ = writeln!(
                self.text,
                "{BOLD}{}{}  {} {} {} {} {} {}{BOLD:#}",
                super::gap(words.number, 6),
                words.number,
                padded(words.between, 45),
                padded(words.version, 8),
                padded(words.suite, 39),
                padded(words.group, 18),
                padded(words.checks, 10),
                words.name
            );
        }
        self.line(line);
    }

    fn line(&mut self, line: &Line) {
        let between = format!("{} → {}", line.client, line.server);
        let _ = write!(
            self.text,
            "{:>6}  {between:<45} {:<8} {:<39} {:<18} ",
            line.stream,
            line.version.as_deref().unwrap_or("-"),
            line.suite.as_deref().unwrap_or("-"),
            line.group.as_deref().unwrap_or("-"),
        );
        let counts = [
            (GREEN, '✓', line.confirmed),
            (RED, '✗', line.refuted),
            (YELLOW, '?', line.open),
        ];
        let mut width = 0;
        for (style, mark, count) in counts {
            if count > 0 {
                let text = format!("{mark}{count} ");
                width += text.chars().count();
                let _ = write!(self.text, "{style}{text}{style:#}");
            }
        }
        let _ = write!(self.text, "{:1$} ", "", 10_usize.saturating_sub(width));
        self.text += line.server_name.as_deref().unwrap_or("");
        let mut remarks = Vec::new();
        if line.resumed {
            remarks.push(self.words.resumed);
        }
        if line.transport == "quic" {
            remarks.push(self.words.quic);
        }
        let is_hidden = line.sealed && matches!(line.end, Ending::Closed);
        if line.wrong_keys {
            remarks.push(self.words.wrong_keys);
        } else if !line.complete && line.transport == "tcp" && !is_hidden {
            remarks.push(line.end.said(self.words));
        }
        if line.sealed && !line.wrong_keys {
            remarks.push(self.words.sealed);
        }
        if !remarks.is_empty() {
            let remarks = remarks.join(self.words.comma);
            let remarks = fill_in(self.words.remarks, &[("remarks", &remarks)]);
            let _ = write!(self.text, "{DIM}{remarks}{DIM:#}");
        }
        self.text.push('\n');
    }
}

/// What a line tells of a connection. Members are added and never taken away.
#[derive(Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "members of JSON")]
pub(crate) struct Line {
    stream: u64,
    client: String,
    server: String,
    transport: &'static str,
    server_name: Option<String>,
    version: Option<String>,
    suite: Option<String>,
    group: Option<String>,
    alpn: Option<String>,
    resumed: bool,
    complete: bool,
    /// Whether records could not be decrypted.
    sealed: bool,
    /// Whether that was since the keys that are known are not theirs.
    wrong_keys: bool,
    confirmed: usize,
    refuted: usize,
    open: usize,
    faults: usize,
    end: Ending,
    client_octets: u64,
    server_octets: u64,
}

impl Line {
    pub(crate) fn has_wrong_keys(&self) -> bool {
        self.wrong_keys
    }

    pub(crate) fn of(told: &Told) -> Self {
        let story = &told.story;
        let agreement = &story.agreement;
        let mut steps = story.steps.iter();
        let sealed = steps.any(|step| matches!(step.what, What::Sealed(_)));
        let checks = |wanted: fn(&Verdict) -> bool| {
            story
                .checks
                .iter()
                .filter(|check| wanted(&check.verdict))
                .count()
        };
        Self {
            stream: told.stream.0,
            client: told.opening.client.to_string(),
            server: told.opening.server.to_string(),
            transport: match told.opening.transport {
                Transport::Tcp => "tcp",
                Transport::Quic(_) => "quic",
            },
            server_name: agreement
                .server_name
                .as_ref()
                .map(|name| visible(name.as_bytes())),
            version: agreement.version.map(|version| version.to_string()),
            suite: agreement.suite.map(|suite| suite.to_string()),
            group: agreement.group.map(|group| group.to_string()),
            alpn: agreement.alpn.as_ref().map(|alpn| visible(alpn)),
            resumed: agreement.resumption.is_some(),
            complete: agreement.complete.is_some(),
            sealed,
            wrong_keys: story.has_wrong_keys(),
            confirmed: checks(|verdict| matches!(verdict, Verdict::Confirmed)),
            refuted: checks(|verdict| matches!(verdict, Verdict::Refuted(_))),
            open: checks(|verdict| matches!(verdict, Verdict::NotDerivable(_))),
            faults: story.faults.len(),
            end: Ending::of(story),
            client_octets: story.traffic[0].octets,
            server_octets: story.traffic[1].octets,
        }
    }
}

/// How a connection ended, in a word or two; programs get the words of JSON in all languages.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ending {
    Alert,
    Reset,
    #[serde(rename = "cut off")]
    Cut,
    Closed,
    Open,
}

impl Ending {
    fn of(story: &Story) -> Self {
        let ends = &story.end;
        if ends.iter().any(|end| matches!(end, End::Alert(_))) {
            Self::Alert
        } else if ends.contains(&End::Reset) {
            Self::Reset
        } else if ends.contains(&End::Cut) {
            Self::Cut
        } else if ends.contains(&End::Said) || ends.contains(&End::Hidden) {
            Self::Closed
        } else {
            Self::Open
        }
    }

    fn said(self, words: &Words) -> &'static str {
        match self {
            Self::Alert => words.alert,
            Self::Reset => words.reset,
            Self::Cut => words.cut,
            Self::Closed => words.closed,
            Self::Open => words.not_ended,
        }
    }
}

/// Where a connection was in its capture, and what was odd about its packets.
pub(crate) fn captured(language: Language, told: &Told) -> String {
    let words = Words::of(language);
    let opening = &told.opening;
    let values = [
        ("number", &*told.stream.0.to_string()),
        ("client", &*opening.client.to_string()),
        ("server", &*opening.server.to_string()),
        ("packet", &*opening.packet.to_string()),
    ];
    let mut text = format!("{DIM}{}{DIM:#}\n", fill_in(words.place, &values));
    if !opening.whole {
        let _ = writeln!(text, "{YELLOW}{}{YELLOW:#}", words.headless);
    }
    let [client, server] = told.preface;
    if client + server > 0 {
        let values = [
            ("client", &*language.octets(client as u64)),
            ("server", &*language.octets(server as u64)),
        ];
        let _ = writeln!(text, "{}", fill_in(words.preface, &values));
    }
    if !told.notices.is_empty() {
        let places = told.notices.len() as u64;
        let odd = counted(places, [words.odd_one, words.odd_many], &[]);
        let _ = writeln!(text, "{YELLOW}{odd}{YELLOW:#}");
    }
    text
}

/// Lines of a key log that are none.
pub(crate) fn bad_lines(language: Language, log: &KeyLog) {
    let words = Words::of(language);
    if let Some(first) = log.bad_lines().first() {
        let fault = match first.fault {
            LineFault::TooLong => words.line_too_long,
            LineFault::Words => words.line_shape,
            LineFault::Label => words.line_label,
            LineFault::Random => words.line_random,
            LineFault::Secret => words.line_secret,
            LineFault::TooManyLabels => words.line_labels,
        };
        let bounds = [
            ("octets", &*MAX_LINE_OCTETS.to_string()),
            ("labels", &*MAX_LABELS.to_string()),
        ];
        let fault = fill_in(fault, &bounds);
        let values = [("line", &*first.line.to_string()), ("fault", &*fault)];
        let counted = counted(log.bad(), [words.bad_line, words.bad_lines], &values);
        warn_in(language, counted);
    }
}
