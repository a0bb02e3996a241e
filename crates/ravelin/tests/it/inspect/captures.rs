//! `ravelin inspect --pcap`: what openssl says to itself, captured, and captures that are none.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::SystemTime;

use ravelin_lens::capture::write::{Recorded, Said, write};
use ravelin_lens::ledger::Side;
use serde_json::Value;

use super::{Peer, expect, inspect};
use crate::foreign::{python, run, run_with_input};
use crate::server::Place;

/// What each side said, and when.
type Passed = Vec<(Side, SystemTime, Vec<u8>)>;

/// Hands on what comes until its side ends, and keeps it.
fn pass(side: Side, mut from: &TcpStream, mut to: &TcpStream, kept: &Mutex<Passed>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let octets = buffer[..read].to_vec();
        kept.lock().unwrap().push((side, SystemTime::now(), octets));
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A page that `openssl s_client` fetches from a peer, as it passed; the secrets are added to `keys.log`.
fn fetched(place: &Place, peer: &Peer, arguments: &[&str]) -> Passed {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = SocketAddr::from(([127, 0, 0, 1], peer.port));
    let relay = thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        let kept = Mutex::new(Passed::new());
        thread::scope(|scope| {
            scope.spawn(|| pass(Side::Client, &client, &server, &kept));
            pass(Side::Server, &server, &client, &kept);
        });
        kept.into_inner().unwrap()
    });
    place.write("request", "GET / HTTP/1.0\r\n\r\n");
    let request = Stdio::from(File::open(place.path("request")).unwrap());
    let connect = ["s_client", "-quiet", "-connect", &address];
    let more = ["-servername", "localhost", "-keylogfile", "keys.log"];
    let all = [&connect[..], &more, arguments].concat();
    run_with_input(place, "openssl", &all, request);
    relay.join().unwrap()
}

/// Writes a capture of connections, with no secrets in it.
fn captured(place: &Place, name: &str, connections: &[Passed]) {
    let recorded = connections.iter().zip(40_000..).map(|(passed, port)| {
        let said = passed.iter().map(|(side, at, octets)| Said {
            side: *side,
            at: *at,
            octets,
            missing: 0,
        });
        Recorded {
            client: ([127, 0, 0, 1], port).into(),
            server: ([127, 0, 0, 1], 443).into(),
            said: said.collect(),
            key_log: b"",
        }
    });
    let mut file = Vec::new();
    write(&mut file, &recorded.collect::<Vec<_>>()).unwrap();
    place.write(name, file);
}

/// `two.pcapng`, one connection of TLS 1.2 and one of TLS 1.3, with `keys.log`.
fn two(place: &Place) {
    let peer = Peer::s_server(place, &["-www"]);
    let connections = ["-tls1_2", "-tls1_3"].map(|version| fetched(place, &peer, &[version]));
    captured(place, "two.pcapng", &connections);
}

/// `ravelin inspect --pcap` of a file, by whoever trusts the root of the servers, where there is one.
fn look(place: &Place, file: &str, arguments: &[&str]) -> (i32, String, String) {
    let trusted: &[&str] = if place.path("root.pem").exists() {
        &ROOT
    } else {
        &[]
    };
    inspect(place, &[&["--pcap", file], trusted, arguments].concat())
}

const ROOT: [&str; 2] = ["--ca", "root.pem"];

const KEYS: [&str; 2] = ["--keylog", "keys.log"];

const FINISHED: [&str; 2] = [
    "✓ The Finished message of the server",
    "✓ The Finished message of the client",
];

#[test]
fn all_connections_are_listed_and_one_is_told_whole() {
    let place = Place::new();
    two(&place);
    let closed = look(&place, "two.pcapng", &[]);
    let known = [
        "127.0.0.1:40000 → 127.0.0.1:443",
        "TLS 1.2",
        "TLS 1.3",
        "localhost",
    ];
    expect(&closed, 0, &known);
    assert!(!closed.1.contains("cut off"), "nobody knows: {}", closed.1);
    let sums = ["2 connections of TLS, 0 without", "--keylog FILE"];
    expect(&closed, 0, &sums);
    assert_eq!(closed.1.matches("not decrypted").count(), 2, "{}", closed.1);
    let open = look(&place, "two.pcapng", &KEYS);
    expect(&open, 0, &known);
    assert!(!open.1.contains("not decrypted"), "{}", open.1);
    assert!(!open.1.contains("Without keys"), "{}", open.1);

    let first = [&KEYS[..], &["--stream", "0"]].concat();
    let told = look(&place, "two.pcapng", &first);
    expect(&told, 0, &FINISHED);
    expect(&told, 0, &["connection 0: 127.0.0.1:40000", "TLS 1.2"]);
    let second = ["--sni", "other.test", "--stream", "1"];
    let second = [&KEYS[..], &second].concat();
    let told = look(&place, "two.pcapng", &second);
    expect(&told, 1, &FINISHED);
    expect(&told, 1, &["✗ The certificates of the server"]);
    // From a pipe it is the same, but for what can be read no second time.
    let mut command = place.command(&["inspect", "--lang", "en", "--pcap", "-"]);
    let pipe = File::open(place.path("two.pcapng")).unwrap();
    let output = command.args(KEYS).args(ROOT).stdin(pipe).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), open.1);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_list_and_a_connection_are_there_as_json_and_a_connection_as_a_page() {
    let place = Place::new();
    two(&place);
    let list = look(&place, "two.pcapng", &[&KEYS[..], &["--json"]].concat());
    expect(&list, 0, &[]);
    let lines: Vec<Value> = list
        .1
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    for (line, version) in lines.iter().zip(["TLS 1.2", "TLS 1.3"]) {
        assert_eq!(line["version"], version);
        assert_eq!(
            (&line["refuted"], &line["sealed"]),
            (&0.into(), &false.into())
        );
        assert!(line["confirmed"].as_u64() > Some(3), "{line}");
    }
    let one = ["--stream", "1", "--json", "--html", "one.html"];
    let one = look(&place, "two.pcapng", &[&KEYS[..], &one].concat());
    expect(&one, 0, &[]);
    place.write("one.json", &one.1);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/inspect.schema.json");
    let (python, _) = python("");
    let program = "import json, sys, jsonschema\n\
                   jsonschema.validate(*[json.load(open(name)) for name in sys.argv[1:]])";
    let arguments = ["-c", program, "one.json", schema.to_str().unwrap()];
    run(&place, python.to_str().unwrap(), &arguments).well();
    let page = fs::read_to_string(place.path("one.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"), "{}", &page[..80]);
    assert!(page.contains("127.0.0.1:40001"));
    let mode = place
        .path("one.html")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "it has secrets in it");
    let both = look(&place, "two.pcapng", &["--html", "both.html"]);
    assert_eq!(both.0, 2, "{}", both.2);
    assert!(
        both.2.contains("hint: say which one: --stream N"),
        "{}",
        both.2
    );
}

#[test]
fn a_live_connection_is_written_as_a_capture_that_tshark_opens_and_we_do() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let ask = [&peer.name(), "--ca", "root.pem", "--http"];
    let live = inspect(&place, &[&ask[..], &["--pcapng", "live.pcapng"]].concat());
    expect(&live, 0, &FINISHED);
    let fields = ["-Y", "http", "-T", "fields", "-e", "http.request.method"];
    let opened = run(
        &place,
        "tshark",
        &[&["-r", "live.pcapng"], &fields[..]].concat(),
    );
    assert_eq!(opened.well().text().lines().next(), Some("GET"));
    let again = look(&place, "live.pcapng", &["--detail", "octets"]);
    expect(&again, 0, &FINISHED);
    expect(&again, 0, &["GET / HTTP/1.1", "HTTP/1.0 200 ok"]);
    let hidden = ["--pcapng", "hidden.pcapng", "--hide-secrets"];
    assert_eq!(inspect(&place, &[&ask[..], &hidden].concat()).0, 2);
}

#[test]
fn the_key_of_an_rsa_server_opens_what_was_encrypted_to_it() {
    let place = Place::new();
    for (name, subject) in [("rsa", "/CN=localhost"), ("other", "/CN=other")] {
        let [key, cert] = ["key", "pem"].map(|ending| format!("{name}.{ending}"));
        let own = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
        ];
        let files = ["-keyout", &key, "-out", &cert];
        run(&place, "openssl", &[&own[..], &files].concat()).well();
    }
    let peer = Peer::start(&place, "openssl", |port| {
        let server = [
            "s_server", "-www", "-accept", port, "-cert", "rsa.pem", "-key", "rsa.key",
        ];
        let cipher = ["-tls1_2", "-cipher", "AES128-GCM-SHA256"];
        [&server[..], &cipher]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    });
    let passed = fetched(&place, &peer, &["-tls1_2"]);
    captured(&place, "rsa.pcapng", &[passed]);
    let ca = ["--ca", "rsa.pem"];
    let with = |key: &str| {
        look(
            &place,
            "rsa.pcapng",
            &[&ca[..], &["--rsa-key", key]].concat(),
        )
    };
    let opened = with("rsa.key");
    expect(&opened, 1, &FINISHED);
    let other = with("other.key");
    assert!(!other.1.contains(FINISHED[0]), "{}", other.1);
    let none = with("rsa.pem");
    assert_eq!(none.0, 2, "{}", none.2);
}

/// Whether JSON is one document or a line for each follows what was asked for, not what is in the file.
#[test]
fn a_list_as_json_has_lines_however_many_there_are_and_docs_have_their_members() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let passed = fetched(&place, &peer, &["-tls1_3"]);
    captured(&place, "one.pcapng", &[passed]);
    let list = look(&place, "one.pcapng", &["--json"]);
    expect(&list, 0, &[]);
    assert_eq!(list.1.lines().count(), 1, "{}", list.1);
    let line: Value = serde_json::from_str(&list.1).unwrap();
    assert_eq!(
        (&line["sealed"], &line["wrong_keys"]),
        (&true.into(), &false.into())
    );
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/inspect.md");
    let docs = fs::read_to_string(docs).unwrap();
    for member in line.as_object().unwrap().keys() {
        assert!(docs.contains(&format!("`{member}`")), "no {member} in docs");
    }
    let page = look(&place, "one.pcapng", &["--json", "--html", "one.html"]);
    assert_eq!((page.0, page.1.as_str()), (2, ""), "{}", page.2);
}

/// `keys.log` with the last digit of each secret changed, as `wrong.log`.
fn spoil_keys(place: &Place) {
    let log = fs::read_to_string(place.path("keys.log")).unwrap();
    let spoilt = log.lines().map(|line| {
        let other = if line.ends_with('0') { '1' } else { '0' };
        format!("{}{other}\n", &line[..line.len() - 1])
    });
    place.write("wrong.log", spoilt.collect::<String>());
}

#[test]
fn wrong_keys_are_said_to_be_wrong_and_nothing_is_made_of_them() {
    let place = Place::new();
    two(&place);
    spoil_keys(&place);
    let list = look(&place, "two.pcapng", &["--keylog", "wrong.log"]);
    let told = [
        "(wrong keys)",
        "2 connections not decrypted: no key that is known",
    ];
    expect(&list, 1, &told);
    let wrong = "the keys of 2 connections in \"two.pcapng\" are wrong";
    assert!(list.2.contains(wrong), "{}", list.2);
    for stream in ["0", "1"] {
        let detail = ["--stream", stream, "--detail", "octets"];
        let told = look(
            &place,
            "two.pcapng",
            &[&["--keylog", "wrong.log"], &detail[..]].concat(),
        );
        expect(&told, 1, &["cannot be opened with them"]);
        assert!(told.2.contains("hint: a key log fits"), "{}", told.2);
        let words: Vec<_> = told.1.split_whitespace().collect();
        let wrong = "The keys that are known are not those of this connection.";
        assert!(words.join(" ").contains(wrong), "{}", told.1);
        assert!(!told.1.contains("[A] application keys"), "{}", told.1);
        assert!(
            !told.1.contains("without a word"),
            "nobody knows: {}",
            told.1
        );
    }
}

#[test]
fn what_is_no_capture_is_told_with_what_may_help() {
    let place = Place::new();
    place.write("text", "no capture\n");
    place.write("empty", "");
    place.write("packed.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let cases: [(&str, i32, &[&str]); 5] = [
        ("nothing", 4, &["cannot read \"nothing\": No such file"]),
        (
            "public",
            4,
            &["\"public\": the capture cannot be read: Is a directory"],
        ),
        (
            "packed.gz",
            2,
            &[
                "compressed with gzip",
                "hint: gunzip -c packed.gz | ravelin",
            ],
        ),
        (
            "text",
            2,
            &["\"text\": this is no capture", "hint: tcpdump -w FILE"],
        ),
        ("-", 2, &["standard input: this is no capture"]),
    ];
    for (file, code, words) in cases {
        let (ended, told, said) = look(&place, file, &[]);
        assert_eq!((ended, told.as_str()), (code, ""), "{said}");
        for words in words {
            assert!(said.contains(words), "no \"{words}\" in: {said}");
        }
    }
}

#[test]
fn what_is_wrong_with_keys_and_numbers_is_told() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let passed = fetched(&place, &peer, &["-tls1_3"]);
    captured(&place, "one.pcapng", &[passed]);
    place.write("empty", "");
    let cases: [(&[&str], i32, &str); 7] = [
        (
            &["--stream", "1"],
            2,
            "there is no connection 1 in \"one.pcapng\", which has 1",
        ),
        (
            &["--keylog", "nothing"],
            4,
            "cannot read the key log \"nothing\"",
        ),
        (
            &["--keylog", "public"],
            4,
            "cannot read the key log \"public\": Is a directory",
        ),
        (
            &["--keylog", "empty"],
            2,
            "there are no secrets in \"empty\"",
        ),
        (&["--keylog", "c.pem"], 2, "SSLKEYLOGFILE names a file"),
        (&["--rsa-key", "k.pem"], 2, "this is an ECDSA P-256 key"),
        (&["--rsa-key", "nothing"], 4, "cannot read \"nothing\""),
    ];
    for (arguments, code, words) in cases {
        let (ended, told, said) = look(&place, "one.pcapng", arguments);
        assert_eq!((ended, told.as_str()), (code, ""), "{said}");
        assert!(said.contains(words), "no \"{words}\" in: {said}");
    }
    // What could be read of a capture that was cut is told, and then that it was.
    let whole = fs::read(place.path("one.pcapng")).unwrap();
    place.write("cut.pcapng", &whole[..whole.len() - 700]);
    let cut = look(&place, "cut.pcapng", &KEYS);
    expect(&cut, 4, &FINISHED);
    let words = "\"cut.pcapng\": the capture ends within a packet or block";
    assert!(cut.2.contains(words), "{}", cut.2);
    assert!(cut.2.contains("hint: what came before"), "{}", cut.2);
}
