//! `ravelin inspect --listen`: what clients of others offer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::foreign::run;
use crate::server::{Listening, Place};

/// What is told of the first client that `connect` brings.
fn told(place: &Place, connect: impl FnOnce(u16)) -> (i32, String, String) {
    let listening = Listening::start(
        place,
        &[
            "inspect",
            "--listen",
            "127.0.0.1:0",
            "--once",
            "--lang",
            "en",
            "--detail",
            "brief",
        ],
    );
    connect(listening.port());
    let ended = listening.wait();
    (
        ended.status.code().unwrap_or(-1),
        ended.stdout,
        ended.stderr,
    )
}

#[test]
fn curl_is_told_its_fingerprint_and_known_again() {
    let place = Place::new();
    let mut answer = String::new();
    let (code, told, said) = told(&place, |port| {
        let url = format!("https://localhost:{port}/");
        answer = run(&place, "curl", &["-sk", &url]).well().text();
    });
    assert_eq!(code, 0, "{said}");
    let ja4 = answer
        .lines()
        .find_map(|line| line.strip_prefix("JA4 "))
        .unwrap();
    for text in [
        ja4,
        "closest known curl ",
        "TLS_AES_256_GCM_SHA384",
        "asks for      localhost",
        "ALPN          h2, http/1.1",
        "GREASE        no",
        "one that agrees on keys in X25519MLKEM768 alone",
        "✓ The Finished message of the client",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
}

#[test]
fn openssl_of_one_version_is_told_what_it_refuses() {
    let place = Place::new();
    let (code, told, said) = told(&place, |port| {
        let address = format!("localhost:{port}");
        run(
            &place,
            "openssl",
            &["s_client", "-tls1_2", "-connect", &address],
        );
    });
    assert_eq!(code, 0, "{said}");
    for text in [
        "versions      TLS 1.2\n",
        "one that speaks TLS 1.3 alone",
        "one that speaks HTTP/2 alone",
        "ECH           no",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
}

#[test]
fn python_does_not_trust_the_certificate_and_its_hello_is_told_all_the_same() {
    let place = Place::new();
    let (code, told, said) = told(&place, |port| {
        let program = format!(
            "import urllib.request; urllib.request.urlopen('https://localhost:{port}/', timeout=20)"
        );
        let ran = run(&place, "python3", &["-c", &program]);
        assert_ne!(ran.code, 0);
    });
    assert_eq!(code, 3, "{said}");
    assert!(told.contains("closest known Python "), "{told}");
    assert!(said.contains("unknown_ca"), "{said}");
}

#[test]
fn chromium_greases_and_is_known_again() {
    let place = Place::new();
    let (code, told, _) = told(&place, |port| {
        let profile = tempfile::tempdir().unwrap();
        let profile = format!("--user-data-dir={}", profile.path().display());
        let url = format!("https://localhost:{port}/");
        run(
            &place,
            "chromium",
            &[
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--ignore-certificate-errors",
                "--dump-dom",
                &profile,
                &url,
            ],
        );
    });
    assert!(matches!(code, 0 | 3), "{code}");
    for text in [
        "closest known Chromium ",
        "GREASE        yes",
        "X25519MLKEM768",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
}

#[test]
fn plain_http_is_told_as_such_and_answered() {
    let place = Place::new();
    let mut answer = String::new();
    let (code, told, _) = told(&place, |port| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        stream.read_to_string(&mut answer).unwrap();
    });
    assert_eq!(code, 3);
    assert!(told.contains("The client speaks plain HTTP"), "{told}");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with("https://...\n"), "{answer}");
}

#[test]
fn a_client_that_says_nothing_is_given_up() {
    let place = Place::new();
    let (code, told, _) = told(&place, |port| {
        drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    });
    assert_eq!(code, 3);
    assert!(told.contains("The client sent no whole hello"), "{told}");
}
