//! What `ravelin cert watch` says: a table by date, JSON, or metrics for Prometheus.
//!
//! Names come from servers and files: nothing of them gets to the terminal that is not to be printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anstyle::Style;
use ravelin_pki::Certificate;
use serde_json::json;

use super::show::{clean, distance, rfc3339, safe, span};
use super::{BOLD, DIM, GREEN, RED, YELLOW, day, result, tell, warn};
use crate::failure::Failure;

/// All that was found, what ends first at the top.
pub(crate) struct Report {
    pub(crate) now: SystemTime,
    /// What was asked for, if anything was.
    pub(crate) within: Option<Duration>,
    pub(crate) watched: Vec<Watched>,
    pub(crate) unread: Vec<Unread>,
}

/// A certificate, and where it is.
pub(crate) struct Watched {
    /// The file, or `host:port`.
    pub(crate) source: String,
    pub(crate) server: bool,
    pub(crate) line: Option<usize>,
    /// Which one of its file or server it is, from 1, and of how many.
    pub(crate) position: usize,
    pub(crate) count: usize,
    /// Whether none beside it ends earlier.
    pub(crate) ends_first: bool,
    pub(crate) threshold: Duration,
    pub(crate) state: State,
    pub(crate) certificate: Certificate,
}

/// Something that gave no certificate.
pub(crate) struct Unread {
    pub(crate) source: String,
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
    pub(crate) server: bool,
    /// Whether it is told, and no failure.
    pub(crate) notice: bool,
}

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Good,
    /// Its end is nearer than the threshold.
    Due,
    Expired,
    NotYetValid,
}

impl State {
    pub(crate) fn of(certificate: &Certificate, threshold: Duration, now: SystemTime) -> Self {
        match certificate.not_after().duration_since(now) {
            Err(_) => Self::Expired,
            Ok(_) if now < certificate.not_before() => Self::NotYetValid,
            Ok(left) if left < threshold => Self::Due,
            Ok(_) => Self::Good,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Due => "due",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Good => GREEN,
            Self::Due => YELLOW,
            Self::Expired | Self::NotYetValid => RED,
        }
    }
}

impl Watched {
    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", clean(&self.source)),
            None => clean(&self.source),
        }
    }

    /// `2 of 3, ends first`.
    fn which(&self) -> String {
        match (self.count, self.ends_first) {
            (0 | 1, _) => String::new(),
            (count, true) => format!("{} of {count}, ends first", self.position),
            (count, false) => format!("{} of {count}", self.position),
        }
    }
}

pub(crate) fn table(report: &Report) -> Result<(), Failure> {
    let rows: Vec<([String; 5], State)> = report
        .watched
        .iter()
        .map(|one| {
            let certificate = &one.certificate;
            let ends = match one.state {
                State::NotYetValid => {
                    format!("not valid before {}", day(certificate.not_before()))
                }
                _ => distance(report.now, certificate.not_after()),
            };
            let cells = [
                day(certificate.not_after()),
                ends,
                shortened(&clean(&certificate.title())),
                one.place(),
                one.which(),
            ];
            (cells, one.state)
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let head = ["end", "", "name", "where", "which"].map(str::to_owned);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|(cells, _)| &cells[column]);
        let widths = cells
            .chain([&head[column]])
            .map(|text| text.chars().count());
        widths.max().unwrap_or(0)
    });
    let line = |[end, ends, name, place, which]: &[String; 5], style: Style| {
        let [a, b, c, d, _] = widths;
        let dates = format!("{end:<a$}  {ends:<b$}");
        let rest = format!("{name:<c$}  {place:<d$}  {which}");
        format!("{style}{dates}{style:#}  {}\n", rest.trim_end())
    };
    let mut text = line(&head, BOLD);
    for (cells, state) in &rows {
        text += &line(cells, state.style());
    }
    let due = report.watched.iter().filter(|one| one.state != State::Good);
    let (due, all) = (due.count(), report.watched.len());
    let threshold = match report.within {
        Some(within) => format!("less than {} left", span(within)),
        None => "less than 21 days left, or a third of the life if that is less".to_owned(),
    };
    let _ = writeln!(
        text,
        "\n{due} of {all} need to be looked at{DIM}: {threshold}{DIM:#}"
    );
    result(&text)
}

pub(crate) fn json(report: &Report) -> Result<(), Failure> {
    let certificates: Vec<_> = report
        .watched
        .iter()
        .map(|one| {
            let certificate = &one.certificate;
            json!({
                "source": one.source,
                "server": one.server,
                "line": one.line,
                "position": one.position,
                "count": one.count,
                "ends_first": one.ends_first,
                "name": certificate.title(),
                "subject": certificate.subject(),
                "issuer": certificate.issuer(),
                "serial": certificate.serial_number().to_string(),
                "sha256": certificate.fingerprint_sha256().to_string(),
                "not_before": rfc3339(certificate.not_before()),
                "not_after": rfc3339(certificate.not_after()),
                "seconds_left": signed_seconds(certificate.not_after(), report.now),
                "threshold_seconds": one.threshold.as_secs(),
                "state": one.state.name(),
            })
        })
        .collect();
    let unread: Vec<_> = report
        .unread
        .iter()
        .map(|one| {
            json!({
                "source": one.source,
                "server": one.server,
                "why": one.why,
                "passed_over": one.notice,
            })
        })
        .collect();
    let value = json!({
        "now": rfc3339(report.now),
        "certificates": certificates,
        "unread": unread,
    });
    result(&safe(&format!("{value:#}\n")))
}

/// The text format of Prometheus, version 0.0.4. No time is written to it: the collector has its own.
pub(crate) fn prometheus(report: &Report) -> Result<(), Failure> {
    let mut text = String::new();
    let mut family = |name: &str, help: &str, samples: &mut dyn Iterator<Item = String>| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for sample in samples {
            let _ = writeln!(text, "{name}{sample}");
        }
    };
    let certificates: Vec<(String, &Watched)> = report
        .watched
        .iter()
        .map(|one| (labels(one), one))
        .collect();
    let of_each = |value: &dyn Fn(&Watched) -> i64| -> Vec<String> {
        certificates
            .iter()
            .map(|(labels, one)| format!("{{{labels}}} {}", value(one)))
            .collect()
    };
    family(
        "ravelin_certificate_not_after_seconds",
        "When a certificate ends, in seconds since 1970.",
        &mut of_each(&|one| signed_seconds(one.certificate.not_after(), SystemTime::UNIX_EPOCH))
            .into_iter(),
    );
    family(
        "ravelin_certificate_not_before_seconds",
        "When a certificate begins, in seconds since 1970.",
        &mut of_each(&|one| signed_seconds(one.certificate.not_before(), SystemTime::UNIX_EPOCH))
            .into_iter(),
    );
    family(
        "ravelin_certificate_due_seconds",
        "From when on a certificate has to be looked at, in seconds since 1970.",
        &mut of_each(&|one| {
            let end = signed_seconds(one.certificate.not_after(), SystemTime::UNIX_EPOCH);
            end.saturating_sub(i64::try_from(one.threshold.as_secs()).unwrap_or(i64::MAX))
        })
        .into_iter(),
    );
    // One sample a source, however many there are of it.
    let mut sources = BTreeMap::new();
    for one in &report.watched {
        sources.insert(one.source.as_str(), true);
    }
    for one in report.unread.iter().filter(|one| !one.notice) {
        sources.insert(one.source.as_str(), false);
    }
    family(
        "ravelin_certificate_source_readable",
        "Whether all certificates of a file or server could be read.",
        &mut sources.iter().map(|(source, readable)| {
            format!("{{source=\"{}\"}} {}", label(source), u8::from(*readable))
        }),
    );
    result(&text)
}

/// No two are alike: of a source, each certificate has its position.
fn labels(one: &Watched) -> String {
    format!(
        "source=\"{}\",position=\"{}\",line=\"{}\",name=\"{}\",serial=\"{}\",sha256=\"{}\"",
        label(&one.source),
        one.position,
        one.line.map(|line| line.to_string()).unwrap_or_default(),
        label(&one.certificate.title()),
        one.certificate.serial_number(),
        one.certificate.fingerprint_sha256(),
    )
}

/// The value of a label: what is unprintable goes, and three characters are escaped.
fn label(text: &str) -> String {
    clean(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Says what could not be read.
pub(crate) fn unread(report: &Report) {
    for one in &report.unread {
        let hint = one.hint.as_deref().map(clean);
        if one.notice {
            warn(clean(&one.why));
        } else {
            super::say_failure(&Failure::local(clean(&one.why)));
        }
        if let Some(hint) = hint {
            say!("{BOLD}hint:{BOLD:#} {hint}");
        }
    }
}

/// Names may have thousands of characters.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

/// Seconds from one moment to another, negative where it came before.
fn signed_seconds(to: SystemTime, from: SystemTime) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(after) => seconds(after),
        Err(error) => -seconds(error.duration()),
    }
}

const LONGEST_NAME: usize = 48;
