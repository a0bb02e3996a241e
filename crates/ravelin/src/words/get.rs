//! What `ravelin get` and its sisters say.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Version};
use ravelin_client::{Hop, Notice, Response};
use ravelin_pki::verify::Verdict;
use ravelin_pki::{Certificate, Question};

use super::show::clean;
use super::{BOLD, DIM, RED, day, result, tell, verify, warn};
use crate::failure::Failure;
use crate::get::Beliefs;

/// The one rule of verification.
pub(crate) fn rule(beliefs: &Beliefs) {
    let trust = &beliefs.trust;
    if trust.is_everyone() {
        say!("{RED}rule{RED:#}         every server is believed, whatever certificate it shows");
        return;
    }
    match trust.root_count() {
        Some(count) => {
            let roots = match count {
                1 => "the one root".to_owned(),
                count => format!("one of {count} roots"),
            };
            say!(
                "rule         the server's certificate has a path to {roots}, is for the host that is asked for,"
            );
            say!(
                "             and is within its time, as all of the path are (RFC 5280, RFC 9525)"
            );
            for (index, place) in beliefs.searched().iter().enumerate() {
                let label = if index == 0 { "roots" } else { "" };
                say!("{label:<12} {place}");
            }
        }
        None => say!(
            "rule         no CA is asked: whose key is pinned is believed, whatever name and dates it shows"
        ),
    }
    match trust.pins().len() {
        0 => {}
        1 => say!("             and its key is the one that is pinned"),
        count => say!("             and its key is one of {count} that are pinned"),
    }
    if trust.root_count().is_some() {
        match trust.list_count() {
            0 => say!(
                "revocation   a stapled answer of the CA that says \"revoked\" is obeyed; no CRL was given"
            ),
            count => say!(
                "revocation   {count} CRLs, which are current, say that it was not revoked; a stapled answer too"
            ),
        }
    }
}

/// A handshake, told by lens.
pub(crate) fn handshake(host: &str, is_quic: bool, text: &str) {
    say!("\n{BOLD}handshake{BOLD:#} with {host}\n");
    if is_quic {
        say!(
            "This is TLS within QUIC (RFC 9001): its messages are in packets of QUIC in place of records. Where records and\n\
             close_notify are spoken of, QUIC has packets and CONNECTION_CLOSE.\n"
        );
    }
    say!("{}", text.trim_end());
}

/// Why a server is not believed, as "cert verify" says it.
pub(crate) fn verdict(host: &str, verdict: &Verdict<'_>, question: &Question, searched: &[String]) {
    let answer = verify::Answer {
        file: Path::new(host),
        verdict,
        question,
        searched,
        fetched: &[],
        all_paths: false,
    };
    say!("{}", answer.text().trim_end());
}

/// The chain as a server sent it.
pub(crate) fn chain_as_sent(chain: &[Certificate]) {
    for (place, certificate) in chain.iter().enumerate() {
        let label = if place == 0 { "sent" } else { "" };
        say!(
            "{label:<12} {}. {}, issued by {}{DIM}, until {}{DIM:#}",
            place + 1,
            clean(&certificate.title()),
            clean(certificate.issuer()),
            day(certificate.not_after())
        );
    }
}

pub(crate) fn insecure() {
    warn(
        "--insecure: nobody knows who that server is, and whoever is on the way can read and change everything",
    );
}

pub(crate) fn needlessly_insecure() {
    say!("             its certificate would have been believed: --insecure is not needed");
}

/// What happened on the way; all that was sent and received where that is asked for.
pub(crate) fn notice(notice: &Notice, is_verbose: bool) {
    match notice {
        Notice::Answered(answered) if is_verbose => hop(answered),
        Notice::Again { why, after } => say!(
            "{DIM}again        in {:.1} seconds: {}{DIM:#}",
            after.as_secs_f32(),
            clean(why)
        ),
        Notice::CookieRefused { host } => {
            warn(format_args!(
                "a cookie of \"{}\" that it may not set is not kept",
                clean(host)
            ));
        }
        // What a later client may tell of, and this program has no words for yet.
        _ => {}
    }
}

/// A request and the head of its answer, but for what is secret.
fn hop(hop: &Hop) {
    if let Some(peer) = hop.peer {
        say!("{DIM}* {peer}{DIM:#}");
    }
    if let Some(tls) = &hop.tls {
        let group = tls.group.as_deref().unwrap_or("no group");
        say!("{DIM}* {}, {}, {group}{DIM:#}", tls.version, tls.suite);
    }
    let target = match hop.url.query() {
        Some(query) => format!("{}?{query}", hop.url.path()),
        None => hop.url.path().to_owned(),
    };
    let version = version(hop.version);
    say!("> {} {} {version}", hop.method, clean(&target));
    for (name, value) in &hop.sent {
        say!("> {name}: {}", shown(value));
    }
    say!(">");
    say!("< {version} {}", hop.status);
    for (name, value) in &hop.headers {
        let is_secret = *name == http::header::SET_COOKIE;
        let text = shown(value);
        let text = if is_secret { hidden(&text) } else { text };
        say!("< {name}: {text}");
    }
    say!("<");
}

/// A cookie without its value.
fn hidden(cookie: &str) -> String {
    let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
    let name = pair.split_once('=').map_or("", |(name, _)| name);
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!(";{rest}")
    };
    format!("{name}=(hidden){rest}")
}

fn shown(value: &HeaderValue) -> String {
    if value.is_sensitive() {
        return "(hidden)".to_owned();
    }
    clean(&String::from_utf8_lossy(value.as_bytes()))
}

/// The head of an answer.
pub(crate) fn head(response: &Response) -> Result<(), Failure> {
    let mut text = String::new();
    if let Some(hop) = response.hops().last() {
        let _ = writeln!(
            text,
            "{BOLD}{} {}{BOLD:#}",
            version(hop.version),
            hop.status
        );
    }
    fields(&mut text, response.headers());
    text.push('\n');
    result(&text)
}

fn fields(text: &mut String, headers: &HeaderMap) {
    for (name, value) in headers {
        let value = clean(&String::from_utf8_lossy(value.as_bytes()));
        let _ = writeln!(text, "{name}: {value}");
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_3 => "HTTP/3",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

/// How long each part took, of all hops together; with their address where there are others.
pub(crate) fn timing(hops: &[Hop], total: Duration, names_address: bool) {
    if let Some(first) = hops.first().filter(|_| names_address) {
        say!("{BOLD}{}{BOLD:#}", clean(first.url.as_str()));
    }
    let sum = |part: fn(&Hop) -> Duration| hops.iter().map(part).sum::<Duration>();
    let parts = [
        ("lookup", sum(|hop| hop.timing.lookup)),
        ("connect", sum(|hop| hop.timing.connect)),
        ("proxy", sum(|hop| hop.timing.proxy)),
        ("tls", sum(|hop| hop.timing.tls)),
        ("answer", sum(|hop| hop.timing.answer)),
    ];
    let known: Duration = parts.iter().map(|(_, part)| *part).sum();
    for (name, part) in parts {
        say!("{name:<12} {:>9.1} ms", part.as_secs_f64() * 1e3);
    }
    let rest = total.saturating_sub(known);
    say!("{:<12} {:>9.1} ms", "body", rest.as_secs_f64() * 1e3);
    say!(
        "{BOLD}{:<12} {:>9.1} ms{BOLD:#}",
        "total",
        total.as_secs_f64() * 1e3
    );
}

/// Lines of a server, on a terminal: they stay lines, and nothing moves the cursor.
pub(crate) fn text(lines: &str) -> Result<(), Failure> {
    let mut shown = String::with_capacity(lines.len());
    for line in lines.lines() {
        shown.push_str(&clean(&line.replace('\t', "    ")));
        shown.push('\n');
    }
    result(&shown)
}

pub(crate) fn not_text() {
    say!("{DIM}what came is no text: --output FILE keeps it, --raw prints it{DIM:#}");
}

pub(crate) fn resumed(part: &Path, octets: u64) {
    say!("going on     from {octets} octets in {}", part.display());
}

pub(crate) fn written(path: &Path, octets: u64) {
    say!("wrote        {} ({})", path.display(), size(octets));
}

/// How far something is, on a line of the terminal that is written again and again.
pub(crate) struct Progress {
    what: &'static str,
    all: Option<u64>,
    began: Instant,
    shown: Mutex<Option<Instant>>,
}

impl Progress {
    pub(crate) fn new(what: &'static str, all: Option<u64>) -> Self {
        Self {
            what,
            all,
            began: Instant::now(),
            shown: Mutex::new(None),
        }
    }

    /// Shows that so many octets are done, ten times a second at most.
    pub(crate) fn show(&self, done: u64) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if shown.is_some_and(|last| now - last < BETWEEN) {
            return;
        }
        *shown = Some(now);
        let milliseconds = (self.began.elapsed().as_millis() as u64).max(1);
        let speed = done.saturating_mul(1000) / milliseconds;
        let mut line = format!("{:<12} {}", self.what, size(done));
        if let Some(all) = self.all.filter(|all| *all > 0) {
            let left = all.saturating_sub(done) / speed.max(1);
            let _ = write!(line, " of {}, {left} s left", size(all));
        }
        let _ = write!(std::io::stderr(), "\r{line}, {}/s\x1b[K", size(speed));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// `12.3 MiB`.
fn size(octets: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, bits)| octets >> bits > 0) {
        Some((unit, bits)) => {
            let tenths = (u128::from(octets) * 10) >> bits;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{octets} octets"),
    }
}

const BETWEEN: Duration = Duration::from_millis(100);
