//! What `ravelin cert show` says: a page that a person reads, or the same facts as JSON.
//!
//! What is in a file is found out by `ravelin_pki::contents`; nothing is judged here beyond dates.

use std::fmt::Write as _;
use std::time::SystemTime;

use ravelin_pki::Certificate;
use ravelin_pki::contents::{Contents, Found, Issuer, Item, Locked, issuers};
use ravelin_pki::ocsp::OcspResponse;
use ravelin_tls::observe::Observation;

use super::{DIM, LINK, result};
use crate::failure::Failure;

mod certificate;
mod facts;
mod layout;
mod others;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use facts::safe;
pub(crate) use layout::{Limits, clean, grouped};
pub(super) use layout::{distance, rfc3339, span};

use layout::{Page, colour_of};

/// Something that is shown: a file, or what a server sent.
pub(crate) struct Source {
    /// What the user called it.
    pub(crate) name: String,
    pub(crate) contents: Contents,
    pub(crate) connection: Option<Connection>,
}

/// Something that was to be shown and could not be read.
pub(crate) struct Unread {
    /// What the user called it.
    pub(crate) name: String,
    pub(crate) failure: Failure,
}

/// How a server was met.
pub(crate) struct Connection {
    /// The address that answered.
    pub(crate) address: String,
    pub(crate) observation: Observation,
}

/// Prints pages.
pub(crate) fn pages(sources: &[Source], limits: Limits, now: SystemTime) -> Result<(), Failure> {
    let width = columns();
    let mut text = String::new();
    for source in sources {
        if !text.is_empty() {
            text.push('\n');
        }
        if sources.len() > 1 {
            let name = clean(&source.name);
            let _ = write!(text, "{LINK}{name}{LINK:#}\n\n");
        }
        text += &render(source, width, limits, now);
    }
    result(&text)
}

/// Prints JSON, with what could not be read in its place.
pub(crate) fn json(sources: &[Result<Source, Unread>], now: SystemTime) -> Result<(), Failure> {
    let facts = facts::of(sources.iter().map(Result::as_ref), now);
    result(&format!("{}\n", facts::safe(&format!("{facts:#}"))))
}

/// Prints the certificates in PEM, each under its name.
pub(crate) fn pem(sources: &[Source]) -> Result<(), Failure> {
    let certificates = sources
        .iter()
        .flat_map(|source| source.contents.certificates());
    let text: String = certificates.map(Certificate::to_pem).collect();
    if text.is_empty() {
        return Err(Failure::answer("there is no certificate in it"));
    }
    result(&text)
}

/// One page, for a terminal of so many columns.
fn render(source: &Source, width: usize, limits: Limits, now: SystemTime) -> String {
    let certificates = source.contents.certificates();
    let mut walk = Walk {
        issuers: issuers(&certificates),
        next: 0,
        brief: certificates.len() > limits.pages,
        from_server: source.connection.is_some(),
        lines: 0,
        page: Page::new(width, limits, now),
    };
    if let Some(connection) = &source.connection {
        connected(&mut walk.page, &source.name, connection);
    }
    // A file of thousands of other things is as long as one of thousands of certificates.
    let most = if source.contents.items.len() > limits.lines {
        limits.lines
    } else {
        usize::MAX
    };
    let mut left_out = 0;
    for found in &source.contents.items {
        let certificate = matches!(found.item, Item::Certificate(_));
        if certificate || walk.lines < most {
            walk.found(found);
        } else {
            left_out += 1;
        }
    }
    let issuers = std::mem::take(&mut walk.issuers);
    let mut page = walk.page;
    if walk.brief && certificates.len() > limits.lines {
        left_out += certificates.len() - limits.lines;
    }
    if left_out > 0 {
        page.line(&format!(
            "{DIM}… {} (--all shows them){DIM:#}",
            layout::more(left_out)
        ));
    } else if walk.brief {
        page.line(&format!(
            "\n{DIM}{} certificates in brief; --all shows a page of each{DIM:#}",
            grouped(certificates.len())
        ));
    }
    if certificates.len() > 1 && !walk.brief {
        tree::show(&mut page, &certificates, &issuers);
    }
    page.text
}

/// Goes through what was found, in the order of [`Contents::certificates`].
struct Walk {
    issuers: Vec<Issuer>,
    /// The place of the next certificate among them.
    next: usize,
    /// Whether certificates have a line each.
    brief: bool,
    from_server: bool,
    /// How much has been shown.
    lines: usize,
    page: Page,
}

impl Walk {
    fn found(&mut self, found: &Found) {
        let place = match found.line {
            Some(line) => format!(", line {line}"),
            None => String::new(),
        };
        self.item(&found.item, &place);
    }

    fn item(&mut self, item: &Item, place: &str) {
        self.lines += 1;
        let page = &mut self.page;
        match item {
            Item::Certificate(certificate) => self.certificate(certificate, place),
            Item::Request(request) => {
                others::request(page, request, &format!("certificate request{place}"));
            }
            Item::RevocationList(list) => {
                others::revocation_list(page, list, &format!("CRL{place}"));
            }
            Item::OcspResponse(response) => {
                others::ocsp_response(page, response, &format!("OCSP response{place}"));
            }
            Item::OcspRequest(request) => {
                others::ocsp_request(page, request, &format!("OCSP request{place}"));
            }
            Item::PrivateKey { key, encrypted } => {
                others::private_key(page, key, *encrypted, &format!("private key{place}"));
            }
            Item::PublicKey(key) => others::public_key(page, key, &format!("public key{place}")),
            Item::Bundle(items) => {
                let count = match items.len() {
                    0 => "empty".to_owned(),
                    1 => "1 item".to_owned(),
                    count => format!("{} items", grouped(count)),
                };
                page.title(&count, &format!("PKCS#7 bundle{place}"));
                let within = format!(" of the bundle{place}");
                for item in items {
                    self.item(item, &within);
                }
            }
            Item::KeyStore(store) => {
                others::store(page, store, &format!("{}{place}", store.format));
                for entry in &store.entries {
                    let alias = entry.alias.as_deref().unwrap_or_default();
                    let within = format!(" of the entry \"{}\"", page_short(alias));
                    let damaged = entry.key.iter().filter(|key| key.is_faulty());
                    for item in damaged.chain(&entry.chain) {
                        self.item(item, &within);
                    }
                }
            }
            Item::Locked { what, why } => {
                others::locked(page, *what, why.as_ref(), &format!("{what}{place}"));
            }
            Item::Other { label } => others::other(page, label, &format!("PEM block{place}")),
            Item::Damaged { what, why, rather } => {
                others::damaged(page, why.as_ref(), *rather, &format!("{what}{place}"));
            }
        }
    }

    fn certificate(&mut self, certificate: &Certificate, place: &str) {
        let index = self.next;
        self.next += 1;
        let issuer = self.issuers.get(index).copied().unwrap_or(Issuer::Missing);
        if !self.brief {
            let place = if self.from_server {
                format!(", sent as number {}", index + 1)
            } else {
                place.to_owned()
            };
            let kind = format!("certificate{place}");
            certificate::show(&mut self.page, certificate, &kind, issuer);
        } else if index < self.page.limits.lines {
            brief(&mut self.page, certificate);
        }
    }
}

/// A certificate in a line: what it is called, and how long it is good.
fn brief(page: &mut Page, certificate: &Certificate) {
    let room = page.width().saturating_sub(36);
    let mut title: String = clean(&certificate.title()).chars().take(room + 1).collect();
    if title.chars().count() > room {
        title.pop();
        title.pop();
        title.push('…');
    }
    let (now, from, until) = (page.now, certificate.not_before(), certificate.not_after());
    let colour = colour_of(now, from, until);
    let when = if now < from {
        format!("begins {}", distance(now, from))
    } else if now > until {
        format!("expired {}", distance(now, until))
    } else {
        format!("ends {}", distance(now, until))
    };
    let kind = certificate.public_key().kind();
    let kind: String = clean(&kind).chars().take(14).collect();
    page.line(&format!(
        "{title:<room$}  {DIM}{kind:<12}{DIM:#} {colour}{when}{colour:#}"
    ));
}

/// What is known of the connection.
fn connected(page: &mut Page, name: &str, connection: &Connection) {
    let seen = &connection.observation;
    page.title(name, "server");
    page.row("address", &connection.address);
    let parts: Vec<&str> = [&seen.version, &seen.cipher_suite, &seen.group]
        .into_iter()
        .filter_map(|part| part.as_deref())
        .collect();
    page.row("TLS", parts.join(", "));
    page.row("protocol", seen.alpn.as_deref().unwrap_or_default());
    if seen.holds_key == Some(false) {
        page.alarm(
            "key",
            "the server did not prove that it has the certificate's",
        );
    }
    if let Some(failure) = &seen.failure {
        page.caution("handshake", format!("failed after that: {failure}"));
    }
    if seen.ocsp_response.is_empty() {
        page.row("stapled", "no OCSP response");
    } else {
        match OcspResponse::from_der(&seen.ocsp_response) {
            Ok(response) => others::ocsp_response(page, &response, "stapled OCSP response"),
            Err(error) => page.alarm(
                "stapled",
                format!(
                    "an OCSP response that is damaged: {}",
                    crate::failure::chain(&error)
                ),
            ),
        }
    }
}

fn page_short(alias: &str) -> String {
    clean(alias).chars().take(60).collect()
}

/// The columns of the terminal that standard output is; 80 in a pipe.
pub(crate) fn columns() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(80)
}

/// What a file that opens with a passphrase is called when it is asked for.
pub(crate) fn locked_name(what: Locked, file: &str) -> String {
    format!("the {what} in \"{}\"", clean(file))
}
