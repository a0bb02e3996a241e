//! What logs of Certificate Transparency promised, in all three places: openssl believes what we believe.

use std::fs;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::SystemTime;

use ravelin_lens::capture::write::{Recorded, Said, write};
use ravelin_lens::ledger::Side;
use ravelin_pki::der::Writer;
use ravelin_pki::extension::Extensions;
use ravelin_pki::ocsp::{CertId, CertificateStatus, OcspResponseTemplate, SingleResponse};
use ravelin_pki::signature::Hash;
use ravelin_pki::{Certificate, Extension, ExtensionValue, Oid, PrivateKey};
use serde_json::Value;

use super::{Peer, expect, inspect};
use crate::server::Place;

/// A certificate with promises in it, one for the handshake, and one in an OCSP response: `leaf.pem`, `ca.pem`,
/// `serverinfo.pem` and `staple`; `logs.json` for us, and `logs.cnf` for openssl.
fn promised() -> Place {
    let place = Place::new();
    let crate_ = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(crate_.join("../../.venv/bin/python3"))
        .arg(crate_.join("../lens/tests/it/proof/logs.py"))
        .arg(place.path(""))
        .output()
        .unwrap_or_else(|error| panic!("./test makes .venv: {error}"));
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    let [leaf, ca] = ["leaf.der", "ca.der"].map(|name| Certificate::from_der(&read(name)).unwrap());
    let promise = read("handshake");
    let within = |octets: &[u8]| [&(octets.len() as u16).to_be_bytes(), octets].concat();
    let mut der = Writer::new();
    der.octet_string(&within(&within(&promise)));
    let extension = Extension {
        oid: Oid::from_der_content(b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05").unwrap(),
        critical: false,
        der: der.into_bytes(),
        value: ExtensionValue::Unread,
    };
    let now = SystemTime::now();
    let template = OcspResponseTemplate {
        produced_at: now,
        responses: vec![SingleResponse {
            cert_id: CertId::of(Hash::Sha1, &leaf, &ca),
            status: CertificateStatus::Good,
            this_update: now,
            next_update: None,
            extensions: Extensions::from_iter([extension]),
        }],
        nonce: None,
    };
    let key = PrivateKey::from_pem(&read("ca.key")).unwrap();
    place.write("staple", template.sign(&ca, &key).unwrap().der());
    place
}

fn server(place: &Place) -> Peer {
    Peer::start(place, "openssl", |port| {
        let all = [
            "s_server",
            "-www",
            "-accept",
            port,
            "-cert",
            "leaf.pem",
            "-key",
            "leaf.key",
            "-cert_chain",
            "ca.pem",
            "-serverinfo",
            "serverinfo.pem",
            "-status_file",
            "staple",
        ];
        all.into_iter().map(str::to_owned).collect()
    })
}

type Heard = Arc<Mutex<Vec<(Side, SystemTime, Vec<u8>)>>>;

/// `openssl s_client` with these logs, what it said, and the capture of it.
fn openssl(place: &Place, server: &Peer, version: &str) -> (String, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new("openssl");
    place.furnish(&mut command);
    let client = command
        .args(["s_client", "-ct", "-ctlogfile", "logs.cnf", "-CAfile"])
        .args(["ca.pem", "-keylogfile", version, version, "-connect"])
        .arg(listener.local_addr().unwrap().to_string())
        .args(["-servername", "localhost"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (near, _) = listener.accept().unwrap();
    let far = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let heard = Heard::default();
    let pass = |side, mut from: TcpStream, mut to: TcpStream| {
        let heard = Arc::clone(&heard);
        thread::spawn(move || {
            let mut octets = vec![0; 1 << 16];
            while let Ok(read @ 1..) = from.read(&mut octets) {
                let said = (side, SystemTime::now(), octets[..read].to_vec());
                heard.lock().unwrap().push(said);
                if to.write_all(&octets[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        })
    };
    let copies = (near.try_clone().unwrap(), far.try_clone().unwrap());
    let passes = [
        pass(Side::Client, near, far),
        pass(Side::Server, copies.1, copies.0),
    ];
    let output = client.wait_with_output().unwrap();
    for pass in passes {
        pass.join().unwrap();
    }
    let heard = heard.lock().unwrap();
    let said = heard.iter().map(|(side, at, octets)| Said {
        side: *side,
        at: *at,
        octets,
        missing: 0,
    });
    let recorded = Recorded {
        client: "127.0.0.1:40000".parse().unwrap(),
        server: "127.0.0.1:443".parse().unwrap(),
        said: said.collect(),
        key_log: &fs::read(place.path(version)).unwrap(),
    };
    let mut capture = Vec::new();
    write(&mut capture, &[recorded]).unwrap();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        capture,
    )
}

/// Each promise that was looked at: what came out, where it was, and what the list says of the log.
fn promises(document: &str) -> Vec<[String; 4]> {
    let document: Value = serde_json::from_str(document).unwrap();
    let checks = document["connections"][0]["checks"].as_array().unwrap();
    let of_logs = checks.iter().filter(|check| !check["promise"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let promises = of_logs.map(|check| {
        let promise = &check["promise"];
        [
            text(&check["verdict"]),
            text(&promise["place"]),
            text(&promise["description"]),
            text(&promise["state"]),
        ]
    });
    promises.collect()
}

#[test]
fn promises_in_certificate_staple_and_handshake_are_those_that_openssl_believes() {
    let place = promised();
    let server = server(&place);
    for version in ["-tls1_2", "-tls1_3"] {
        let (said, capture) = openssl(&place, &server, version);
        assert!(said.contains("SCTs present (4)"), "{said}");
        assert_eq!(
            said.matches("SCT validation status: valid").count(),
            4,
            "{said}"
        );
        place.write("capture", capture);
        let files = [
            "--pcap", "capture", "--ca", "ca.pem", "--stream", "0", "--json",
        ];
        let ran = inspect(&place, &[&files[..], &["--ct-logs", "logs.json"]].concat());
        expect(&ran, 0, &[]);
        let known = |place: &str, log: &str, state: &str| {
            ["confirmed", place, log, state].map(str::to_owned)
        };
        let example = |place| known(place, "Example 2026", "usable");
        let seen = [
            example("certificate"),
            known("certificate", "Tiles 2026", "retired"),
            example("ocsp"),
            example("handshake"),
        ];
        assert_eq!(promises(&ran.1), seen);
        // Without a list nobody can tell.
        let ran = inspect(&place, &files);
        expect(&ran, 0, &[]);
        let open = promises(&ran.1);
        assert!(open.len() == 4 && open.iter().all(|[verdict, ..]| verdict == "not_derivable"));
        assert!(ran.2.contains("hint: --ct-logs FILE"), "{}", ran.2);
    }
}

#[test]
fn promises_of_a_live_server_are_told_with_who_made_them_and_whether_they_count() {
    let place = promised();
    let server = server(&place);
    let name = server.name();
    let all = [&name, "--ca", "ca.pem", "--ct-logs", "logs.json"];
    let mut ran = inspect(&place, &all);
    // However the lines are broken.
    ran.1 = ran.1.split_whitespace().collect::<Vec<_>>().join(" ");
    expect(
        &ran,
        0,
        &[
            "✓ The log “Example 2026” of Example, which browsers count since 2025-02-03,",
            "✓ The log “Tiles 2026” of Example, which does not count any more since 2026-01-02,",
            "the promise is in the OCSP response",
        ],
    );
    assert!(!ran.2.contains("hint"), "{}", ran.2);
    // A list that has neither.
    place.write("empty.json", r#"{"operators":[]}"#);
    let ran = inspect(&place, &[&all[..4], &["empty.json"]].concat());
    expect(&ran, 0, &["? The log "]);
    assert!(ran.2.contains("hint: "), "{}", ran.2);
}

#[test]
fn a_list_of_logs_that_is_none_is_refused_before_anything_is_sent() {
    let place = Place::new();
    place.write("list.json", "{}");
    for (file, code, why) in [
        (
            "list.json",
            2,
            "has no logs that can be used: it is not a list of logs",
        ),
        ("nothing.json", 4, "cannot read \"nothing.json\""),
    ] {
        let ran = inspect(&place, &["127.0.0.1:1", "--ct-logs", file]);
        expect(&ran, code, &[]);
        assert!(ran.2.contains(why), "{}", ran.2);
    }
    let ran = inspect(&place, &["127.0.0.1:1", "--ct-logs", "list.json"]);
    assert!(
        ran.2.contains("hint: such lists are at https://"),
        "{}",
        ran.2
    );
}
