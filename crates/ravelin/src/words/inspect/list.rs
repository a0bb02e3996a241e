//! The list of the connections of a capture: a line each, or an object of JSON each.

use std::fmt::Write as _;

use ravelin_lens::capture::Transport;
use ravelin_lens::explain::visible;
use ravelin_lens::keylog::KeyLog;
use ravelin_lens::story::{End, Story, Verdict, What};
use ravelin_lens::survey::{Told, Totals};
use serde::Serialize;

use crate::failure::Failure;
use crate::words::{BOLD, DIM, GREEN, RED, YELLOW, result, warn};

/// How many octets of lines are gathered before they are written.
const GATHERED: usize = 16 << 10;

/// A list that is being written.
pub(crate) struct List {
    json: bool,
    text: String,
    begun: bool,
    /// How many connections were not decrypted.
    sealed: u64,
}

impl List {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            text: String::new(),
            begun: false,
            sealed: 0,
        }
    }

    /// Keeps the first line back.
    pub(crate) fn hold(&mut self, told: &Told) {
        self.put(told);
    }

    pub(crate) fn add(&mut self, told: &Told) -> Result<(), Failure> {
        self.put(told);
        if self.text.len() < GATHERED {
            return Ok(());
        }
        result(&std::mem::take(&mut self.text))
    }

    /// The rest of the lines, and what there was in all.
    pub(crate) fn end(mut self, totals: &Totals, no_keys: bool) -> Result<(), Failure> {
        if !self.json && totals.tls > 0 {
            let _ = write!(
                self.text,
                "\n{} of TLS, {} without; {} packets\n",
                count(totals.tls, "connection"),
                totals.others,
                totals.capture.packets
            );
            if no_keys {
                self.text += "Without keys only what is in clear can be told: --keylog FILE names those that a \
                              client wrote down.\n";
            } else if self.sealed > 0 {
                let _ = writeln!(
                    self.text,
                    "{} not decrypted: no key that is known opens them.",
                    count(self.sealed, "connection")
                );
            }
            self.text += "One of them, whole: --stream N\n";
        }
        result(&self.text)
    }

    fn put(&mut self, told: &Told) {
        let line = Line::of(told);
        self.sealed += u64::from(line.sealed);
        if self.json {
            // Nothing in a line can fail to be written as JSON.
            self.text += &serde_json::to_string(&line).unwrap_or_default();
            self.text.push('\n');
            return;
        }
        if !self.begun {
            self.begun = true;
            let _ = writeln!(
                self.text,
                "{BOLD}{:>6}  {:<45} {:<8} {:<39} {:<18} {:<10} name{BOLD:#}",
                "number", "from, to", "version", "suite", "group", "checks"
            );
        }
        self.line(told, &line);
    }

    fn line(&mut self, told: &Told, line: &Line) {
        let between = format!("{} → {}", told.opening.client, told.opening.server);
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
            remarks.push("resumed");
        }
        if line.transport == "quic" {
            remarks.push("QUIC");
        }
        if !line.complete && line.transport == "tcp" && !(line.sealed && line.end == "closed") {
            remarks.push(line.end);
        }
        if line.sealed {
            remarks.push("not decrypted");
        }
        if !remarks.is_empty() {
            let _ = write!(self.text, " {DIM}({}){DIM:#}", remarks.join(", "));
        }
        self.text.push('\n');
    }
}

/// What a line tells of a connection. Members are added and never taken away.
#[derive(Serialize)]
struct Line {
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
    confirmed: usize,
    refuted: usize,
    open: usize,
    faults: usize,
    end: &'static str,
    client_octets: u64,
    server_octets: u64,
}

impl Line {
    fn of(told: &Told) -> Self {
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
            confirmed: checks(|verdict| matches!(verdict, Verdict::Confirmed)),
            refuted: checks(|verdict| matches!(verdict, Verdict::Refuted(_))),
            open: checks(|verdict| matches!(verdict, Verdict::NotDerivable(_))),
            faults: story.faults.len(),
            end: end(story),
            client_octets: story.traffic[0].octets,
            server_octets: story.traffic[1].octets,
        }
    }
}

/// How a connection ended, in a word or two.
fn end(story: &Story) -> &'static str {
    let ends = &story.end;
    if ends.iter().any(|end| matches!(end, End::Alert(_))) {
        "alert"
    } else if ends.contains(&End::Reset) {
        "reset"
    } else if ends.contains(&End::Cut) {
        "cut off"
    } else if ends
        .iter()
        .any(|end| matches!(end, End::Said | End::Hidden))
    {
        "closed"
    } else {
        "open"
    }
}

/// Where a connection was in its capture, and what was odd about its packets.
pub(crate) fn captured(told: &Told) -> String {
    let mut text = format!(
        "{DIM}connection {}: {} → {}, from packet {} on{DIM:#}\n",
        told.stream.0, told.opening.client, told.opening.server, told.opening.packet
    );
    if !told.opening.whole {
        let _ = writeln!(
            text,
            "{YELLOW}Its beginning is not in the capture.{YELLOW:#}"
        );
    }
    let [client, server] = told.preface;
    if client + server > 0 {
        let _ = writeln!(
            text,
            "TLS begins behind {} of the client and {} of the server in plain text.",
            count(client as u64, "octet"),
            count(server as u64, "octet")
        );
    }
    if !told.notices.is_empty() {
        let _ = writeln!(
            text,
            "{YELLOW}Its packets are odd in {}: octets that came twice and not the same, or QUIC that \
             could not be opened.{YELLOW:#}",
            count(told.notices.len() as u64, "place")
        );
    }
    text
}

/// Lines of a key log that are none.
pub(crate) fn bad_lines(log: &KeyLog) {
    if let Some(first) = log.bad_lines().first() {
        warn(format_args!(
            "{} of the key log left out; line {}: {}",
            count(log.bad(), "line"),
            first.line,
            first.fault
        ));
    }
}

fn count(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
