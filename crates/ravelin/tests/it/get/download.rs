//! Files: whole under their names, or half under others.

use std::fs;

use super::{Scripted, answer, get, good};
use crate::foreign::run_python;
use crate::server::Place;

const SHA256_OF_BODY: &str =
    "sha256:230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";

#[test]
fn half_a_download_is_kept_and_goes_on() {
    let place = Place::new();
    let server = Scripted::answering(|request| {
        if request.contains("range: bytes=2-\r\n") && request.contains("if-range: \"v1\"\r\n") {
            return answer(
                "206 Partial Content",
                "ETag: \"v1\"\r\nContent-Range: bytes 2-3/4\r\n",
                "dy",
            );
        }
        b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4\r\n\r\nbo".to_vec()
    });
    let arguments = [
        &server.url("/f"),
        "--output",
        "file",
        "--checksum",
        SHA256_OF_BODY,
    ];
    get(&place, &arguments).expect(
        3,
        &["cut off after 2 octets", "2 octets are in \"file.part\""],
    );
    assert!(!place.path("file").exists());
    get(&place, &arguments).expect(0, &["going on", "wrote        file (4 octets)"]);
    assert_eq!(fs::read_to_string(place.path("file")).unwrap(), "body");
    assert!(!place.path("file.part").exists() && !place.path("file.part.from").exists());
}

#[test]
fn what_has_changed_meanwhile_begins_anew() {
    let place = Place::new();
    let server = Scripted::answering(|request| {
        if request.contains("range:") {
            return answer("200 OK", "ETag: \"v2\"\r\n", "new!");
        }
        b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4\r\n\r\nbo".to_vec()
    });
    let arguments = [&server.url("/f"), "--output", "file"];
    get(&place, &arguments).expect(3, &["cut off"]);
    get(&place, &arguments).expect(0, &[]);
    assert_eq!(fs::read_to_string(place.path("file")).unwrap(), "new!");
    // What another address left is not the beginning of this one, and what has no validator is none of anything.
    let server = Scripted::always("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo");
    let arguments = [&server.url("/g"), "--output", "other"];
    get(&place, &arguments).expect(3, &["does not say how to go on"]);
    get(&place, &arguments).expect(3, &[]);
    server.asked();
    assert!(!server.asked().contains("range:"));
}

#[test]
fn what_is_not_what_it_has_to_be_gets_no_name() {
    let place = Place::new();
    let server = Scripted::always(good("evil"));
    let arguments = [
        &server.url("/f"),
        "-o",
        "file",
        "--checksum",
        SHA256_OF_BODY,
    ];
    get(&place, &arguments).expect(1, &["its hash is "]);
    assert!(!place.path("file").exists() && !place.path("file.part").exists());
    let server = Scripted::always(answer("404 Not Found", "", "nothing"));
    get(&place, &[&server.url("/f"), "-o", "file"]).expect(1, &["the server says 404"]);
    assert!(!place.path("file").exists());
}

#[test]
fn names_that_servers_give_stay_in_the_folder_and_replace_nothing() {
    let place = Place::new();
    let fields = "Content-Disposition: attachment; filename=\"../../here.txt\"\r\n";
    let server = Scripted::always(answer("200 OK", fields, "body"));
    place.write("here.txt", "mine");
    get(&place, &[&server.url("/f"), "--download"])
        .expect(0, &["wrote        here-1.txt (4 octets)"]);
    assert_eq!(fs::read_to_string(place.path("here.txt")).unwrap(), "mine");
    assert_eq!(
        fs::read_to_string(place.path("here-1.txt")).unwrap(),
        "body"
    );
    let server = Scripted::always(good("body"));
    get(&place, &[&server.url("/a/%2e%2e%2f.b%20c"), "-d"])
        .expect(0, &["wrote        b c (4 octets)"]);
}

/// Our own server answers ranges; a megabyte over TLS is the same afterwards.
#[test]
fn a_download_over_tls_is_whole() {
    let place = Place::new();
    let octets: Vec<u8> = (0..1_000_000_u32)
        .map(|number| ((number * 7) >> 3) as u8)
        .collect();
    place.write("public/big.bin", &octets);
    let server = place.serve(&[]);
    get(&place, &[&server.url("/big.bin"), "--download"]).expect(0, &["wrote        big.bin"]);
    assert_eq!(fs::read(place.path("big.bin")).unwrap(), octets);
}

/// How far it is, is told on a terminal while it comes, and gone from it afterwards.
#[test]
fn a_terminal_shows_how_far_a_file_is() {
    let place = Place::new();
    let server = Scripted::always(good(&"x".repeat(3 << 20)));
    let program = env!("CARGO_BIN_EXE_ravelin");
    let url = server.url("/");
    let on_terminal = |arguments: &[&str]| {
        let command = ["", "/usr/bin/env", "TERM=xterm", program];
        let seen = run_python(&place, "terminal.py", &[&command[..], arguments].concat());
        assert_eq!(seen.code, 0, "{}", seen.text());
        seen.text()
    };
    let gone = "\r\u{1b}[K";
    let seen = on_terminal(&["get", &url, "--output", "file"]);
    let (progress, rest) = seen.rsplit_once(gone).unwrap();
    assert!(progress.starts_with("\rreceived     "), "{seen:?}");
    assert!(progress.contains(" of 3.0 MiB, "), "{seen:?}");
    assert!(rest.starts_with("wrote        file (3.0 MiB)"), "{seen:?}");
    let seen = on_terminal(&["put", &url, "--body", "file", "--raw"]);
    assert!(seen.starts_with("\rsent         "), "{seen:?}");
    assert!(
        seen.contains(" of 3.0 MiB, ") && seen.contains(gone),
        "{seen:?}"
    );
    // Several would tell it over each other.
    let seen = on_terminal(&["get", &url, &url, "--download"]);
    assert!(!seen.contains("received"), "{seen:?}");
}
