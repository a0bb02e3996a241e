//! `gnutls-cli` with `gnutls-serv`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;

use ravelin_lens::connection::Limits;
use ravelin_lens::ledger::Side;
use ravelin_lens::story::{Check, Claim, Resumption, Story, Verdict};
use ravelin_lens::tickets::Memory;
use ravelin_wire::registry::ProtocolVersion;

use super::{
    Known, NOT_LOGGED, Program, Recorder, Recording, SHARED_KEY, Shared, Workshop, is_said,
};
use crate::traces::all_is_well_but;

/// Connections of `gnutls-cli` to `gnutls-serv`, which sends back what it is sent.
pub(super) fn connect(
    shop: &Workshop,
    priority: &str,
    more: &[&str],
    connections: usize,
) -> Vec<Recording> {
    connect_to(shop, priority, &[], more, connections)
}

/// The same, where the server is told more too.
pub(super) fn connect_to(
    shop: &Workshop,
    priority: &str,
    server: &[&str],
    client: &[&str],
    connections: usize,
) -> Vec<Recording> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    std::fs::write(shop.path("keys"), "").unwrap();
    std::fs::write(shop.path("psk.txt"), format!("friend:{SHARED_KEY}\n")).unwrap();
    let mut program = Program::start(
        Command::new("gnutls-serv")
            .args(server)
            .current_dir(shop.folder.path())
            .args([
                "--echo",
                "--disable-client-cert",
                "--port",
                &port.to_string(),
            ])
            .args(["--priority", priority, "--pskpasswd"])
            .arg(shop.path("psk.txt"))
            .arg("--x509certfile")
            .arg(shop.path("certificate.pem"))
            .arg("--x509keyfile")
            .arg(shop.path("key.pem")),
    );
    program.hear("listening on IPv4");
    program.hear("done");
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let recorder = Recorder::start(server, connections);
    let mut talker = Program::start(
        // It would keep what it says until it has a page of it.
        Command::new("stdbuf")
            .args(["-oL", "gnutls-cli"])
            .args(["--insecure", "--priority", priority, "--port"])
            .arg(recorder.address.port().to_string())
            .args(client)
            .arg("localhost")
            .env("SSLKEYLOGFILE", shop.path("keys")),
    );
    for _ in 0..connections {
        talker.hear("Handshake was completed");
    }
    talker.say("ping\n");
    talker.hear("ping");
    talker.leave();
    let recordings = recorder.finish().into_iter();
    recordings
        .map(|passed| Recording {
            passed,
            known: Known::read(&shop.path("keys")),
        })
        .collect()
}

fn ping_is_told(story: &Story) {
    all_is_well_but(story, NOT_LOGGED, &[]);
    is_said(story, Side::Client, "ping");
    is_said(story, Side::Server, "ping");
}

#[test]
fn each_version_is_told() {
    let shop = Workshop::rsa();
    for (priority, version) in [
        ("NORMAL:-VERS-ALL:+VERS-TLS1.3", ProtocolVersion::TLS_1_3),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.2", ProtocolVersion::TLS_1_2),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.1", ProtocolVersion::TLS_1_1),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.0", ProtocolVersion::TLS_1_0),
    ] {
        let story = connect(&shop, priority, &[], 1).remove(0).tell();
        ping_is_told(&story);
        assert_eq!(story.agreement.version, Some(version));
    }
}

#[test]
fn ciphers_that_others_lack_are_told() {
    let shop = Workshop::rsa();
    let tls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:-MAC-ALL:+AEAD:+SHA1";
    for cipher in [
        "+CAMELLIA-256-GCM",
        "+AES-128-CCM-8",
        "+AES-256-CCM",
        "+3DES-CBC",
        "+ARCFOUR-128",
        "+CAMELLIA-128-CBC",
    ] {
        let priority = format!("{tls12}:{cipher}");
        let story = connect(&shop, &priority, &[], 1).remove(0).tell();
        ping_is_told(&story);
    }
}

#[test]
fn a_shared_key_alone_is_told_in_both_versions() {
    let shop = Workshop::rsa();
    let shared = ["--pskusername", "friend", "--pskkey", SHARED_KEY];
    let priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK";
    let recording = connect(&shop, priority, &shared, 1).remove(0);
    // Nobody has to log anything: all follows from the key.
    let story = recording.tell_to(Shared, Limits::default());
    all_is_well_but(&story, &[], &[]);
    is_said(&story, Side::Server, "ping");
    let resumption = Resumption::Psk {
        key_exchange: false,
    };
    assert_eq!(story.agreement.resumption, Some(resumption));
    let is_binder = |check: &&Check| check.claim == Claim::Binder(0);
    assert_eq!(story.checks.iter().filter(is_binder).count(), 1);

    let priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK";
    let recording = connect(&shop, priority, &shared, 1).remove(0);
    let story = recording.tell_to(Shared, Limits::default());
    all_is_well_but(&story, &[], &[]);
    is_said(&story, Side::Server, "ping");
}

#[test]
fn sessions_go_on() {
    let shop = Workshop::rsa();
    for (priority, resumption) in [
        (
            "NORMAL:-VERS-ALL:+VERS-TLS1.3",
            Resumption::Psk { key_exchange: true },
        ),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.2", Resumption::Ticket),
    ] {
        let more = ["--resume", "--waitresumption"];
        let recordings = connect(&shop, priority, &more, 2);
        let first = recordings[0].tell();
        all_is_well_but(&first, NOT_LOGGED, &[]);
        let mut memory = Memory::new(8);
        memory.remember(&first);
        let known = (&recordings[1].known, &memory);
        let second = recordings[1].tell_to(known, Limits::default());
        all_is_well_but(&second, NOT_LOGGED, &[Claim::Binder(0)]);
        is_said(&second, Side::Client, "ping");
        assert_eq!(second.agreement.resumption, Some(resumption));
    }
}

#[test]
fn a_key_without_a_certificate_is_proven() {
    let shop = Workshop::rsa();
    let made = Command::new("openssl")
        .args(["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"])
        .current_dir(shop.folder.path())
        .status()
        .unwrap();
    assert!(made.success());
    for version in ["+VERS-TLS1.3", "+VERS-TLS1.2"] {
        let priority = format!("NORMAL:-VERS-ALL:{version}:-CTYPE-SRV-ALL:+CTYPE-SRV-RAWPK");
        let server = ["--rawpkfile", "public.pem", "--rawpkkeyfile", "key.pem"];
        let story = connect_to(&shop, &priority, &server, &[], 1)
            .remove(0)
            .tell();
        ping_is_told(&story);
        let claim = match version {
            "+VERS-TLS1.3" => Claim::HandshakeSignature(Side::Server),
            _ => Claim::ShareSignature,
        };
        is_proven(&story, &claim);
    }
}

fn is_proven(story: &Story, claim: &Claim) {
    let check = story.checks.iter().find(|check| check.claim == *claim);
    assert_eq!(check.unwrap().verdict, Verdict::Confirmed);
}
