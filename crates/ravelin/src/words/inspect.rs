//! What `ravelin inspect` says beside what the explorer tells: whom it speaks to, and what a client offers, in the
//! language of the explorer.
//!
//! What clients and servers send gets to the terminal by names of registries, numbers, and clean text.

use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use ravelin_lens::explain::{Language, fill_in};
use ravelin_lens::ledger::Side;
use ravelin_lens::story::{Resumption, Story};
use ravelin_wire::record::Foreign;
use ravelin_wire::registry::AlertDescription;
use unicode_width::UnicodeWidthStr;

use super::{BOLD, DIM, LINK, result, tell, warn_in};

mod catalogue;
mod chinese;
mod english;
mod errors;
mod hello;
mod list;
mod walk;

use crate::failure::Failure;
use catalogue::Words;
pub(crate) use errors::{Errors, Help, OneFor, Why};
pub(crate) use hello::offered;
pub(crate) use list::{Line, List, bad_lines, captured};
pub(crate) use walk::WalkWords;

/// What stands before what went wrong, with the space behind it that Chinese has none of.
pub(crate) struct Signs {
    pub(crate) error: &'static str,
    pub(crate) warning: &'static str,
    pub(crate) hint: &'static str,
}

impl Signs {
    pub(crate) fn of(language: Language) -> Self {
        let words = Words::of(language);
        Self {
            error: words.error,
            warning: words.warning,
            hint: words.hint,
        }
    }
}

/// Who was looked at, and where.
pub(crate) fn connected(language: Language, name: &str, address: SocketAddr) {
    let values = [("name", name), ("address", &address.to_string())];
    let line = fill_in(Words::of(language).connected, &values);
    say!("{DIM}{line}{DIM:#}");
}

/// Where the keys of logs are to be had.
const LISTS_OF_LOGS: &str = "https://www.gstatic.com/ct/log_list/v3/log_list.json (Google), \
    https://valid.apple.com/ct/log_list/current_log_list.json (Apple)";

/// Where those of logs are that are no more.
const LIST_OF_OLD_LOGS: &str = "https://www.gstatic.com/ct/log_list/v3/all_logs_list.json";

/// Promises of logs whose keys are not known could not be checked; `listed`, where a list was given.
pub(crate) fn unknown_log(language: Language, listed: bool) {
    let words = Words::of(language);
    let what = if listed {
        fill_in(words.unlisted_log, &[("list", LIST_OF_OLD_LOGS)])
    } else {
        fill_in(words.unknown_log, &[("lists", LISTS_OF_LOGS)])
    };
    say!("{BOLD}{}{BOLD:#}{what}", words.hint);
}

/// Where something was written to.
pub(crate) fn written(language: Language, file: &Path) {
    let file = file.display().to_string();
    say!(
        "{}",
        fill_in(Words::of(language).written, &[("file", &file)])
    );
}

/// What is not in the capture that was made of a connection.
pub(crate) fn exported(language: Language, no_secrets: bool, is_cut: bool) {
    let words = Words::of(language);
    if no_secrets {
        warn_in(language, words.exported_sealed);
    }
    if is_cut {
        warn_in(language, words.exported_cut);
    }
}

pub(crate) fn second_connection(language: Language) -> Result<(), Failure> {
    let heading = Words::of(language).second_connection;
    result(&format!("\n{BOLD}{heading}{BOLD:#}\n\n"))
}

/// What a second connection saved.
pub(crate) fn compared(language: Language, first: &Story, second: &Story) -> String {
    let words = Words::of(language);
    let how = match second.agreement.resumption {
        Some(Resumption::Psk { key_exchange: true }) => words.continued_exchange,
        Some(Resumption::Psk {
            key_exchange: false,
        }) => words.continued_psk,
        Some(Resumption::Ticket) => words.continued_ticket,
        Some(Resumption::SessionId) => words.continued_session,
        None if first.agreement.tickets == 0 => words.anew_no_ticket,
        None => words.anew_refused,
    };
    let mut text = format!("{BOLD}{}{BOLD:#}\n\n  {how}\n\n", words.both_connections);
    let mut row = |what: &str, one: &dyn Display, two: &dyn Display| {
        let (one, two) = (one.to_string(), two.to_string());
        let _ = writeln!(
            text,
            "  {}{}{one}{}{two}",
            padded(what, 24),
            gap(&one, 7),
            gap(&two, 7)
        );
    };
    row("", &words.first, &words.second);
    for side in [Side::Client, Side::Server] {
        let octets = |story: &Story| story.traffic[side as usize].handshake_octets;
        let what = fill_in(words.handshake_octets, &[("side", language.side(side))]);
        row(&what, &octets(first), &octets(second));
    }
    for side in [Side::Client, Side::Server] {
        let flights = |story: &Story| story.traffic[side as usize].flights;
        let what = fill_in(words.flights, &[("side", language.side(side))]);
        row(&what, &flights(first), &flights(second));
    }
    row(
        words.milliseconds,
        &milliseconds(first),
        &milliseconds(second),
    );
    text
}

/// From the first message to the last of the handshake.
fn milliseconds(story: &Story) -> String {
    let ended = story
        .agreement
        .complete
        .and_then(|step| story.steps.get(step));
    let took = match (story.steps.first(), ended) {
        (Some(first), Some(last)) => last.at.duration_since(first.at).ok(),
        _ => None,
    };
    took.map_or_else(
        || "-".to_owned(),
        |took| format!("{:.1}", took.as_secs_f64() * 1000.0),
    )
}

/// Where clients may connect.
pub(crate) fn listening(language: Language, addresses: &[SocketAddr]) {
    let words = Words::of(language);
    for address in addresses {
        let address = format!("{LINK}{address}{LINK:#}");
        say!("{}", fill_in(words.listening, &[("address", &address)]));
    }
    if let Some(address) = addresses.first() {
        let port = address.port().to_string();
        say!("{}", fill_in(words.open, &[("port", &port)]));
    }
}

pub(crate) fn client(language: Language, address: SocketAddr) {
    let address = address.to_string();
    super::event(fill_in(
        Words::of(language).client,
        &[("address", &address)],
    ));
}

/// Why a client did not get its handshake.
pub(crate) enum NoHandshake {
    /// It went away.
    Left,
    /// It was given time, and said no more.
    Silent,
    /// It refused.
    Alert(AlertDescription),
    /// We refused, or the network failed: the words of whoever found it.
    Other(String),
}

/// A client that did not get its handshake.
pub(crate) fn client_failed(language: Language, why: &NoHandshake) {
    let words = Words::of(language);
    let why = match why {
        NoHandshake::Left => words.client_left.to_owned(),
        NoHandshake::Silent => words.client_silent.to_owned(),
        NoHandshake::Alert(alert) => fill_in(words.client_alert, &[("alert", &alert.to_string())]),
        NoHandshake::Other(why) => why.clone(),
    };
    warn_in(language, fill_in(words.client_failed, &[("why", &why)]));
}

/// A client that could not even be heard.
pub(crate) fn not_accepted(language: Language, error: &std::io::Error) {
    let values = [("error", &*error.to_string())];
    warn_in(language, fill_in(Words::of(language).not_accepted, &values));
}

/// A client that sent no hello.
pub(crate) fn no_hello(language: Language, foreign: Option<Foreign>) -> Result<(), Failure> {
    let words = Words::of(language);
    let what = match foreign {
        Some(Foreign::HttpRequest | Foreign::Http2) => words.plain_http,
        Some(Foreign::Ssh) => words.ssh,
        Some(Foreign::SslV2) => words.sslv2,
        Some(Foreign::ProxyHeader) => words.proxy_header,
        Some(Foreign::Dtls) => words.dtls,
        Some(_) => words.no_tls,
        None => words.no_hello,
    };
    result(&format!("{what}\n\n"))
}

/// Text with as many spaces behind it as fill a column: Chinese characters are two columns wide.
fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", gap(text, columns))
}

/// The spaces that a text leaves of a column.
fn gap(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(text.width()))
}
