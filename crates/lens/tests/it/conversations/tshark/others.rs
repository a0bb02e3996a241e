//! gnutls and Python with themselves; curl and Chromium with OpenSSL.

use std::process::Command;

use super::super::openssl::Server;
use super::super::{
    Known, Program, Recorder, Recording, SHARED_KEY, Workshop, export, gnutls, nss, python, sm4,
};
use super::judge;
use crate::browser::UNATTENDED;

#[test]
fn tshark_agrees_on_gnutls() {
    let shop = Workshop::rsa();
    let mut recordings = Vec::new();
    for (priority, more) in [
        ("NORMAL:-VERS-ALL:+VERS-TLS1.3", &[][..]),
        (
            "NORMAL:-VERS-ALL:+VERS-TLS1.3",
            &["--alpn=h2", "--compress-cert=zlib"],
        ),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.2", &[]),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.1", &[]),
        ("NORMAL:-VERS-ALL:+VERS-TLS1.0", &[]),
        (
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK",
            &["--pskusername", "friend", "--pskkey", SHARED_KEY],
        ),
    ] {
        recordings.extend(gnutls::connect(&shop, priority, more, 1));
    }
    judge("gnutls", &recordings, 1000);
}

/// tshark decrypts with the secrets that we found.
#[test]
fn tshark_agrees_on_ssl3_of_nss() {
    judge("SSL 3.0 of NSS", &nss::ssl3(), 150);
}

#[test]
fn tshark_agrees_on_sm4() {
    judge("SM4 with GCM", &sm4::recordings()[..1], 40);
}

#[test]
fn tshark_agrees_on_suites_for_export() {
    judge("suites for export", &export::recordings(), 150);
}

#[test]
fn tshark_agrees_on_sessions_of_gnutls() {
    let shop = Workshop::rsa();
    let mut recordings = Vec::new();
    for version in ["1.3", "1.2"] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}");
        let more = ["--resume", "--waitresumption"];
        recordings.extend(gnutls::connect(&shop, &priority, &more, 2));
    }
    judge("sessions of gnutls", &recordings, 700);
}

#[test]
fn tshark_agrees_on_python() {
    let shop = Workshop::ecdsa();
    let recordings = ["TLSv1_2", "TLSv1_3"].map(|version| python::connect(&shop, version));
    judge("Python", &recordings, 300);
}

/// The first connection of a program to a page of `openssl s_server`.
fn page(shop: &Workshop, client: impl FnOnce(&str) -> Command) -> Recording {
    let server = Server::start(shop, &["-www", "-alpn", "http/1.1"]);
    let recorder = Recorder::start(server.address, 1);
    let log = shop.path("keys-of-page");
    let _ = std::fs::remove_file(&log);
    let url = format!("https://localhost:{}/", recorder.address.port());
    let mut client = Program::start(client(&url).env("SSLKEYLOGFILE", &log));
    let passed = recorder.finish().remove(0);
    client.leave();
    let known = Known::read(&log);
    Recording { passed, known }
}

#[test]
fn tshark_agrees_on_curl() {
    let shop = Workshop::ecdsa();
    let recording = |version: &str| {
        page(&shop, |url| {
            let mut command = Command::new("curl");
            command.args(["--insecure", "--silent", "--tls-max", version, url]);
            command
        })
    };
    judge("curl", &[recording("1.2"), recording("1.3")], 400);
}

#[test]
fn tshark_agrees_on_chromium() {
    let shop = Workshop::ecdsa();
    let profile = format!("--user-data-dir={}", shop.path("profile").display());
    let recording = page(&shop, |url| {
        let mut command = Command::new("chromium");
        command.args(UNATTENDED).args([
            "--disable-quic",
            "--ignore-certificate-errors",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ]);
        command.args([&profile, url]);
        command
    });
    judge("Chromium", &[recording], 220);
}
