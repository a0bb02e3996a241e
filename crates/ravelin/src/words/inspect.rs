//! What `ravelin inspect` says beside what the explorer tells: whom it speaks to, and what a client offers.
//!
//! What clients and servers send gets to the terminal by names of registries, numbers, and clean text.

use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use ravelin_lens::explain::visible;
use ravelin_lens::fingerprint::refusals::{Refusal, refusals};
use ravelin_lens::fingerprint::{Fingerprint, Transport, known};
use ravelin_lens::story::{Resumption, Story};
use ravelin_wire::extension::{EncryptedClientHello, Extension};
use ravelin_wire::handshake::ClientHello;
use ravelin_wire::record::Foreign;
use ravelin_wire::registry::{CodePoint, ExtensionType, Judgement};

use super::{BOLD, DIM, GREEN, LINK, RED, YELLOW, result, tell, warn};

mod list;
mod walk;

use crate::failure::Failure;
pub(crate) use list::{List, bad_lines, captured};
pub(crate) use walk::{
    WalkWords, dumb_terminal, keys_or_capture, no_terminal, one_client, terminal_failed,
};

/// Who was looked at, and where.
pub(crate) fn connected(name: &str, address: SocketAddr) {
    say!("{DIM}{name} is at {address}{DIM:#}");
}

/// Where the keys of logs are to be had.
pub(crate) const LISTS_OF_LOGS: &str = "such lists are at https://www.gstatic.com/ct/log_list/v3/log_list.json \
    (Google) and https://valid.apple.com/ct/log_list/current_log_list.json (Apple)";

/// Promises of logs whose keys are not known could not be checked; `listed`, where a list was given.
pub(crate) fn unknown_log(listed: bool) {
    if listed {
        say!(
            "{BOLD}hint:{BOLD:#} a promise is by a log that is not in the list of --ct-logs: \
             https://www.gstatic.com/ct/log_list/v3/all_logs_list.json has old ones too"
        );
    } else {
        say!("{BOLD}hint:{BOLD:#} --ct-logs FILE checks what logs promised; {LISTS_OF_LOGS}");
    }
}

/// Where something was written to.
pub(crate) fn written(file: &Path) {
    say!("wrote {}", file.display());
}

/// What is not in the capture that was made of a connection.
pub(crate) fn exported(no_secrets: bool, is_cut: bool) {
    if no_secrets {
        warn(
            "no secrets are in it, as none are known: --keylog FILE names those that a client wrote down",
        );
    }
    if is_cut {
        warn("the connection is longer than what is written of one: its end is not in it");
    }
}

pub(crate) fn second_connection() -> Result<(), Failure> {
    result(&format!("\n{BOLD}The second connection{BOLD:#}\n\n"))
}

/// What a second connection saved.
pub(crate) fn compared(first: &Story, second: &Story) -> String {
    let how = match second.agreement.resumption {
        Some(Resumption::Psk { key_exchange: true }) => {
            "goes on from the first by a pre-shared key, with a key exchange of its own"
        }
        Some(Resumption::Psk {
            key_exchange: false,
        }) => "goes on from the first by a pre-shared key alone",
        Some(Resumption::Ticket) => "goes on from the first by its ticket",
        Some(Resumption::SessionId) => "goes on from the first by the session that the server kept",
        None if first.agreement.tickets == 0 => {
            "begins anew: the server gave no ticket and kept no session"
        }
        None => "begins anew: the server did not take the ticket of the first",
    };
    let mut text = format!("{BOLD}Both connections{BOLD:#}\n\n  The second {how}.\n\n");
    let mut row = |what: &str, one: &dyn Display, two: &dyn Display| {
        let _ = writeln!(
            text,
            "  {what:<24}{:>7}{:>7}",
            one.to_string(),
            two.to_string()
        );
    };
    row("", &"first", &"second");
    for (place, who) in ["client", "server"].into_iter().enumerate() {
        let octets = |story: &Story| story.traffic[place].handshake_octets;
        row(
            &format!("handshake octets, {who}"),
            &octets(first),
            &octets(second),
        );
    }
    for (place, who) in ["client", "server"].into_iter().enumerate() {
        let flights = |story: &Story| story.traffic[place].flights;
        row(
            &format!("flights of the {who}"),
            &flights(first),
            &flights(second),
        );
    }
    row("milliseconds", &milliseconds(first), &milliseconds(second));
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
pub(crate) fn listening(addresses: &[SocketAddr]) {
    for address in addresses {
        say!("listening on {LINK}{address}{LINK:#}");
    }
    if let Some(address) = addresses.first() {
        let port = address.port();
        say!("open https://localhost:{port} in a client; Ctrl-C ends");
    }
}

pub(crate) fn client(address: SocketAddr) {
    super::event(format_args!("a client at {address}"));
}

/// A client that did not get its handshake.
pub(crate) fn client_failed(why: &impl Display) {
    warn(format_args!("the handshake came to nothing: {why}"));
}

/// A client that sent no hello.
pub(crate) fn no_hello(foreign: Option<Foreign>) -> Result<(), Failure> {
    let what = match foreign {
        Some(Foreign::HttpRequest | Foreign::Http2) => {
            "The client speaks plain HTTP: it was opened with http:// and not https://, or takes \
             this for a proxy."
        }
        Some(Foreign::Ssh) => "The client speaks SSH.",
        Some(Foreign::SslV2) => {
            "The client begins with a hello of SSL 2.0, which nobody answers any more."
        }
        Some(Foreign::ProxyHeader) => {
            "What connects is a load balancer that puts a header of its own before TLS (PROXY \
             protocol)."
        }
        Some(Foreign::Dtls) => "The client speaks DTLS, which is TLS over UDP.",
        Some(_) => "What the client sends is no TLS.",
        None => "The client sent no whole hello.",
    };
    result(&format!("{what}\n\n"))
}

/// All that a client offers.
pub(crate) fn offered(hello: &ClientHello<'_>, octets: usize) -> String {
    let mut page = Page(String::new());
    let found = Fingerprint::of(hello, Transport::Tcp);
    page.heading("What the client offers");
    page.fact("JA4", &found.ja4);
    page.fact("JA4, raw", &found.ja4_raw);
    page.fact("JA3", &found.ja3);
    page.fact("JA3, in full", &found.ja3_text);
    page.fact("closest known", &closest(hello));
    let name = hello.server_name();
    page.fact(
        "asks for",
        &name.map_or_else(|| "no name".to_owned(), visible),
    );
    page.fact("versions", &listed(&hello.versions()));
    page.fact("hello", &format!("{octets} octets"));
    page.judged("Cipher suites, best first", &hello.cipher_suites);
    for extension in hello.extensions() {
        match extension {
            Extension::SupportedGroups(groups) => page.judged("Groups, best first", groups),
            Extension::SignatureAlgorithms(schemes) => {
                page.judged("Signatures, best first", schemes);
            }
            Extension::KeyShares(shares) => {
                let groups: Vec<_> = shares.iter().map(|share| share.group).collect();
                page.judged("Key shares", &groups);
            }
            _ => {}
        }
    }
    let types: Vec<ExtensionType> = hello.extensions().map(Extension::extension_type).collect();
    page.judged("Extensions, in order", &types);
    page.heading("What stands out");
    page.fact("ALPN", &alpn(hello));
    page.fact("GREASE", grease(hello, &types));
    page.fact("ECH", ech(hello));
    page.refused(&refusals(hello));
    page.0.push('\n');
    page.0
}

/// What the page is written to.
struct Page(String);

impl Page {
    fn heading(&mut self, heading: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{gap}{BOLD}{heading}{BOLD:#}");
    }

    fn fact(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "  {DIM}{name:<14}{DIM:#}{value}");
    }

    /// Each code with what to think of it.
    fn judged<C: CodePoint>(&mut self, heading: &str, codes: &[C]) {
        self.heading(heading);
        for code in codes {
            let judgement = code.judgement();
            let style = match judgement {
                Judgement::Recommended => GREEN,
                Judgement::Legacy => YELLOW,
                Judgement::Broken => RED,
                Judgement::Special | Judgement::Grease | Judgement::Unknown => DIM,
            };
            let name = code.to_string();
            let _ = writeln!(self.0, "  {name:<50} {style}{judgement}{style:#}");
        }
    }

    fn refused(&mut self, refused: &[Refusal]) {
        self.heading("Servers that it would refuse");
        if refused.is_empty() {
            self.0.push_str("  none of those that are common\n");
        }
        for refusal in refused {
            let text = match refusal {
                Refusal::Version(version) => format!("one that speaks {version} alone"),
                Refusal::RsaCertificate => "one with an RSA certificate alone".to_owned(),
                Refusal::EcdsaCertificate => "one with an ECDSA certificate alone".to_owned(),
                Refusal::Ed25519Certificate => "one with an Ed25519 certificate alone".to_owned(),
                Refusal::Group(group) => format!("one that agrees on keys in {group} alone"),
                Refusal::Suite(suite) => format!("one that speaks TLS 1.3 with {suite} alone"),
                Refusal::NoForwardSecrecy => {
                    "one that has no suites but those without forward secrecy".to_owned()
                }
                Refusal::Http2 => "one that speaks HTTP/2 alone".to_owned(),
                Refusal::NeedsName => {
                    "one of several names, which does not learn which is meant".to_owned()
                }
            };
            let _ = writeln!(self.0, "  {text}");
        }
    }
}

fn closest(hello: &ClientHello<'_>) -> String {
    let closest = known::closest(hello);
    let Some(first) = closest.first() else {
        return "none".to_owned();
    };
    let names: Vec<_> = closest
        .iter()
        .map(|likeness| format!("{} {}", likeness.known.program, likeness.known.version))
        .collect();
    format!("{}: {} % alike", names.join(", "), first.percent)
}

fn listed<C: CodePoint>(codes: &[C]) -> String {
    let names: Vec<_> = codes.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn alpn(hello: &ClientHello<'_>) -> String {
    let names = hello.extensions().find_map(|extension| match extension {
        Extension::Alpn(names) => Some(names),
        _ => None,
    });
    match names {
        Some(names) => {
            let names: Vec<_> = names.iter().map(|name| visible(name)).collect();
            names.join(", ")
        }
        None => "none: the client speaks one protocol, or asks nobody".to_owned(),
    }
}

fn grease(hello: &ClientHello<'_>, types: &[ExtensionType]) -> &'static str {
    let greased = hello.cipher_suites.iter().any(|suite| suite.is_grease())
        || types.iter().any(|extension| extension.is_grease());
    if greased {
        "yes: values that say nothing keep servers tolerant (RFC 8701)"
    } else {
        "no"
    }
}

fn ech(hello: &ClientHello<'_>) -> &'static str {
    let ech = hello.extensions().find_map(|extension| match extension {
        Extension::EncryptedClientHello(ech) => Some(ech),
        _ => None,
    });
    match ech {
        // Nobody here has published a key, so there is nothing that it could be encrypted to.
        Some(EncryptedClientHello::Outer { .. }) => {
            "one that says nothing: no key of this server is published"
        }
        Some(EncryptedClientHello::Inner) => "an inner hello, in clear",
        None => "no",
    }
}
