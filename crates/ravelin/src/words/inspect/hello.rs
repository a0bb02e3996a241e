//! All that a client offers.

use std::fmt::Write as _;

use ravelin_lens::explain::{Language, fill_in, visible};
use ravelin_lens::fingerprint::refusals::{Refusal, refusals};
use ravelin_lens::fingerprint::{Fingerprint, Transport, known};
use ravelin_wire::extension::{EncryptedClientHello, Extension};
use ravelin_wire::handshake::ClientHello;
use ravelin_wire::registry::{CodePoint, ExtensionType, Judgement};

use super::catalogue::Words;
use super::padded;
use crate::words::{BOLD, DIM, GREEN, RED, YELLOW};

/// All that a client offers.
pub(crate) fn offered(language: Language, hello: &ClientHello<'_>, octets: usize) -> String {
    let words = Words::of(language);
    let mut page = Page {
        text: String::new(),
        language,
        words,
    };
    let found = Fingerprint::of(hello, Transport::Tcp);
    page.heading(words.offers);
    page.fact(words.ja4, &found.ja4);
    page.fact(words.ja4_raw, &found.ja4_raw);
    page.fact(words.ja3, &found.ja3);
    page.fact(words.ja3_text, &found.ja3_text);
    page.fact(words.closest, &closest(words, hello));
    let name = hello.server_name();
    page.fact(
        words.asks_for,
        &name.map_or_else(|| words.no_name.to_owned(), visible),
    );
    let mut versions = hello.versions();
    versions.retain(|version| !version.is_grease());
    page.fact(words.versions, &listed(&versions));
    page.fact(words.hello, &language.octets(octets as u64));
    page.judged(words.suites, &hello.cipher_suites);
    for extension in hello.extensions() {
        match extension {
            Extension::SupportedGroups(groups) => page.judged(words.groups, groups),
            Extension::SignatureAlgorithms(schemes) => page.judged(words.signatures, schemes),
            Extension::KeyShares(shares) => {
                let groups: Vec<_> = shares.iter().map(|share| share.group).collect();
                page.judged(words.shares, &groups);
            }
            _ => {}
        }
    }
    let types: Vec<ExtensionType> = hello.extensions().map(Extension::extension_type).collect();
    page.judged(words.extensions, &types);
    page.heading(words.stands_out);
    page.fact(words.alpn, &alpn(words, hello));
    page.fact(words.grease, grease(words, hello, &types));
    page.fact(words.ech, ech(words, hello));
    page.refused(&refusals(hello));
    page.text.push('\n');
    page.text
}

/// What the page is written to.
struct Page {
    text: String,
    language: Language,
    words: &'static Words,
}

impl Page {
    fn heading(&mut self, heading: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.text, "{gap}{BOLD}{heading}{BOLD:#}");
    }

    fn fact(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.text, "  {DIM}{}{DIM:#}{value}", padded(name, 14));
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
            let word = self.language.judgement(judgement);
            let _ = writeln!(self.text, "  {name:<50} {style}{word}{style:#}");
        }
    }

    fn refused(&mut self, refused: &[Refusal]) {
        let words = self.words;
        self.heading(words.refuses);
        if refused.is_empty() {
            let _ = writeln!(self.text, "  {}", words.refuses_none);
        }
        for refusal in refused {
            let text = match refusal {
                Refusal::Version(version) => {
                    fill_in(words.refuses_version, &[("version", &version.to_string())])
                }
                Refusal::RsaCertificate => words.refuses_rsa.to_owned(),
                Refusal::EcdsaCertificate => words.refuses_ecdsa.to_owned(),
                Refusal::Ed25519Certificate => words.refuses_ed25519.to_owned(),
                Refusal::Group(group) => {
                    fill_in(words.refuses_group, &[("group", &group.to_string())])
                }
                Refusal::Suite(suite) => {
                    fill_in(words.refuses_suite, &[("suite", &suite.to_string())])
                }
                Refusal::NoForwardSecrecy => words.refuses_static.to_owned(),
                Refusal::Http2 => words.refuses_http2.to_owned(),
                Refusal::NeedsName => words.refuses_nameless.to_owned(),
            };
            let _ = writeln!(self.text, "  {text}");
        }
    }
}

fn closest(words: &Words, hello: &ClientHello<'_>) -> String {
    let closest = known::closest(hello);
    let Some(first) = closest.first() else {
        return words.none.to_owned();
    };
    let names: Vec<_> = closest
        .iter()
        .map(|likeness| format!("{} {}", likeness.known.program, likeness.known.version))
        .collect();
    let percent = first.percent.to_string();
    fill_in(
        words.alike,
        &[("names", &names.join(", ")), ("percent", &percent)],
    )
}

fn listed<C: CodePoint>(codes: &[C]) -> String {
    let names: Vec<_> = codes.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn alpn(words: &Words, hello: &ClientHello<'_>) -> String {
    let names = hello.extensions().find_map(|extension| match extension {
        Extension::Alpn(names) => Some(names),
        _ => None,
    });
    match names {
        Some(names) => {
            let names: Vec<_> = names.iter().map(|name| visible(name)).collect();
            names.join(", ")
        }
        None => words.alpn_none.to_owned(),
    }
}

fn grease(words: &Words, hello: &ClientHello<'_>, types: &[ExtensionType]) -> &'static str {
    let greased = hello.cipher_suites.iter().any(|suite| suite.is_grease())
        || types.iter().any(|extension| extension.is_grease());
    if greased { words.grease_yes } else { words.no }
}

fn ech(words: &Words, hello: &ClientHello<'_>) -> &'static str {
    let ech = hello.extensions().find_map(|extension| match extension {
        Extension::EncryptedClientHello(ech) => Some(ech),
        _ => None,
    });
    match ech {
        // Nobody here has published a key, so there is nothing that it could be encrypted to.
        Some(EncryptedClientHello::Outer { .. }) => words.ech_outer,
        Some(EncryptedClientHello::Inner) => words.ech_inner,
        None => words.no,
    }
}
