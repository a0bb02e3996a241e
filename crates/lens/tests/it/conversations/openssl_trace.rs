//! `openssl s_client -trace` as judge: the records, messages, extensions and cipher suites that it prints while
//! it speaks are those of the story, each side's in the same order and with the same lengths.

use ravelin_lens::ledger::Side;
use ravelin_lens::story::{Story, What};
use ravelin_wire::dissect::{Content, Field};
use ravelin_wire::reader::{Code, Meaning};
use ravelin_wire::registry::{ContentType, ProtocolVersion};

use super::openssl::{PING_PONG, Script, Server};
use super::{SHARED_KEY, Workshop};

const ALERT: u8 = ContentType::ALERT.0;

/// What one side sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    /// Of each record what it says it carries, the octets behind its header, and what TLS 1.3 hides in it.
    records: Vec<(u8, usize, Option<u8>)>,
    /// Of each handshake message the name, and the octets behind its header.
    messages: Vec<(String, usize)>,
    /// Of each extension the type, and the octets behind its header.
    extensions: Vec<(u64, usize)>,
    /// Cipher suites, offered or chosen.
    suites: Vec<(u64, String)>,
}

/// What OpenSSL printed of both sides.
fn printed(trace: &str) -> [Sent; 2] {
    let mut both = [Sent::default(), Sent::default()];
    let mut side = 0;
    for line in trace.lines() {
        match line {
            "Sent Record" => side = Side::Client as usize,
            "Received Record" => side = Side::Server as usize,
            _ => {}
        }
        let sent = &mut both[side];
        if let Some(text) = line.strip_prefix("  Content Type = ") {
            sent.records.push((in_brackets(text), 0, None));
        } else if let Some(length) = line.strip_prefix("  Length = ") {
            sent.records.last_mut().unwrap().1 = length.parse().unwrap();
        } else if let Some(text) = line.strip_prefix("  Inner Content Type = ") {
            sent.records.last_mut().unwrap().2 = Some(in_brackets(text));
        } else if let Some((name, length)) = line.split_once(", Length=")
            && let Some(name) = name.strip_prefix("    ")
        {
            sent.messages.push((plain(name), length.parse().unwrap()));
        } else if let Some(text) = line.trim_start().strip_prefix("extension_type=") {
            let (extension, length) = text.split_once(", length=").unwrap();
            let code = in_brackets(extension);
            sent.extensions.push((code, length.parse().unwrap()));
        } else {
            let text = line.trim_start();
            let text = text.strip_prefix("cipher_suite ").unwrap_or(text);
            sent.suites.extend(suite(text));
        }
    }
    both
}

/// A line such as `{0x13, 0x02} TLS_AES_256_GCM_SHA384`.
fn suite(text: &str) -> Option<(u64, String)> {
    let (code, name) = text.strip_prefix("{0x")?.split_once("} ")?;
    let digits = code.replace(", 0x", "");
    let code = u64::from_str_radix(&digits, 16).ok()?;
    Some((code, name.to_owned()))
}

fn in_brackets<N: std::str::FromStr>(text: &str) -> N {
    let number = text.rsplit_once('(').and_then(|(_, number)| {
        let (number, _) = number.split_once(')')?;
        number.parse().ok()
    });
    number.unwrap_or_else(|| panic!("no number in {text:?}"))
}

/// The letters of a name: OpenSSL writes `ClientHello`.
fn plain(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

/// What the story tells of one side.
fn told(story: &Story, side: Side) -> Sent {
    let mut sent = Sent::default();
    for record in story.records.iter().filter(|it| it.side == side) {
        let hides = story
            .agreement
            .version
            .is_some_and(ProtocolVersion::is_tls13)
            && record.content_type == ContentType::APPLICATION_DATA;
        let inner = record.opening.as_ref().filter(|_| hides);
        let inner = inner.map(|opening| opening.content_type.0);
        let octets = record.octets - 5;
        sent.records.push((record.content_type.0, octets, inner));
    }
    for step in story.steps.iter().filter(|it| it.side == side) {
        let What::Handshake(handshake_type) = step.what else {
            continue;
        };
        let name = plain(&handshake_type.to_string());
        sent.messages.push((name, step.octets - 4));
        let (tree, value) = step.dissect();
        assert!(value.is_ok(), "{value:?}");
        walk(&tree, &mut sent);
    }
    sent
}

fn walk(field: &Field, sent: &mut Sent) {
    match &field.content {
        Content::Group {
            label: Some(Code { code, .. }),
            ..
        } if field.name == "extension" => sent.extensions.push((*code, field.range.len() - 4)),
        Content::Leaf(Meaning::Code(code)) if field.name == "cipher_suite" => {
            let name = code.registry.get(code.code).map_or("UNKNOWN", |it| it.name);
            sent.suites.push((code.code, name.to_owned()));
        }
        _ => {}
    }
    for below in field.fields() {
        walk(below, sent);
    }
}

/// Holds a connection to a server of its own against what its client printed, and says how many things
/// were compared.
fn agrees(shop: &Workshop, server: &[&str], client: &[&str], script: Script) -> usize {
    let client = [client, &["-trace", "-msgfile", "trace.txt"]].concat();
    let recording = Server::start(shop, server).connect(&client, script);
    let story = recording.tell();
    let trace = std::fs::read(shop.path("trace.txt")).unwrap();
    let printed = printed(&String::from_utf8_lossy(&trace));
    let mut compared = 0;
    for (side, theirs) in [Side::Client, Side::Server].into_iter().zip(printed) {
        let mut ours = told(&story, side);
        // The client leaves without a look at how the server ends.
        let last = ours.records.last().copied();
        let is_end =
            last.is_some_and(|(content_type, _, inner)| inner.unwrap_or(content_type) == ALERT);
        if side == Side::Server && is_end && ours.records.len() == theirs.records.len() + 1 {
            ours.records.pop();
        }
        assert_eq!(ours.records, theirs.records, "{side:?} {client:?}");
        assert_eq!(ours.messages, theirs.messages, "{side:?} {client:?}");
        assert_eq!(ours.extensions, theirs.extensions, "{side:?} {client:?}");
        assert_eq!(ours.suites, theirs.suites, "{side:?} {client:?}");
        compared += ours.records.len() + ours.messages.len();
        compared += ours.extensions.len() + ours.suites.len();
    }
    compared
}

#[test]
fn openssl_prints_what_is_told_of_tls13() {
    let shop = Workshop::rsa();
    let identity = ["-cert", "certificate.pem", "-key", "key.pem"];
    let mut compared = agrees(&shop, &[], &["-tls1_3", "-status"], PING_PONG);
    let again = ["-tls1_3", "-groups", "X25519:P-384"];
    compared += agrees(&shop, &["-groups", "P-384"], &again, PING_PONG);
    let client = [&["-tls1_3"], &identity[..]].concat();
    compared += agrees(&shop, &["-verify", "1"], &client, PING_PONG);
    assert!(compared > 120, "{compared}");
}

#[test]
fn openssl_prints_what_is_told_of_older_versions() {
    let shop = Workshop::rsa();
    let mut compared = 0;
    for (version, cipher) in [
        ("-tls1", "ALL"),
        ("-tls1_1", "DHE-RSA-AES128-SHA"),
        ("-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("-tls1_2", "AES256-SHA256"),
    ] {
        let cipher = format!("{cipher}:@SECLEVEL=0");
        let arguments = [version, "-cipher", &cipher];
        compared += agrees(&shop, &arguments[1..], &arguments, PING_PONG);
    }
    let cipher = "DHE-PSK-AES128-CBC-SHA256:@SECLEVEL=0";
    let shared = ["-psk", SHARED_KEY, "-psk_identity", "friend"];
    let arguments = [&["-tls1_2", "-cipher", cipher][..], &shared].concat();
    compared += agrees(&shop, &arguments[1..], &arguments, PING_PONG);
    assert!(compared > 160, "{compared}");
}
