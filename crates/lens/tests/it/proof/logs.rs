//! Promises of logs: in certificates and OCSP responses, and beside them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use ravelin_lens::proof::{LogState, Logs, LogsError, SeenTimestamp, TimestampPlace, timestamps};
use ravelin_lens::story::{Missing, Refutation, Verdict};
use ravelin_pki::der::{Tag, Writer};
use ravelin_pki::ocsp::CertId;
use ravelin_pki::signature::Hash;
use ravelin_pki::{Certificate, Oid};
use tempfile::TempDir;

/// What `logs.py` made.
struct Made {
    chain: Vec<Vec<u8>>,
    handshake: Vec<u8>,
    logs: Logs,
}

impl Made {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let python = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python3");
        let output = Command::new(python)
            .args(["-c", include_str!("logs.py")])
            .arg(folder.path())
            .output()
            .unwrap_or_else(|error| panic!("./test makes .venv: {error}"));
        assert!(output.status.success(), "{output:?}");
        let read = |name| fs::read(folder.path().join(name)).unwrap();
        Self {
            chain: vec![read("leaf.der"), read("ca.der")],
            handshake: read("handshake"),
            logs: Logs::from_json(&read("logs.json")).unwrap(),
        }
    }
}

fn verdicts(seen: &[SeenTimestamp]) -> Vec<(TimestampPlace, &Verdict)> {
    seen.iter()
        .map(|seen| (seen.place, &seen.verdict))
        .collect()
}

#[test]
fn promises_that_cryptography_made_and_reads_are_confirmed() {
    let made = Made::new();
    assert_eq!(made.logs.len(), 2);
    let seen = timestamps(&made.chain, None, &[&made.handshake], &made.logs);
    let confirmed = &Verdict::Confirmed;
    assert_eq!(
        verdicts(&seen),
        [
            (TimestampPlace::Certificate, confirmed),
            (TimestampPlace::Certificate, confirmed),
            (TimestampPlace::Handshake, confirmed),
        ]
    );
    assert_eq!(seen[0].timestamp, 1_700_000_000_123);
    let log = made.logs.get(&seen[1].log).unwrap();
    assert_eq!(log.to_string(), "Tiles 2026 (Example)");
    assert_eq!(log.entry.state, Some(LogState::Retired));
    assert_eq!(log.entry.since.as_deref(), Some("2026-01-02T00:00:00Z"));
}

#[test]
fn promises_of_other_certificates_are_refuted_and_those_of_unknown_logs_are_left_open() {
    let (made, other) = (Made::new(), Made::new());
    let unknown = &Verdict::NotDerivable(Missing::LogKey);
    let seen = timestamps(&made.chain, None, &[&made.handshake], &other.logs);
    assert!(seen.iter().all(|seen| seen.verdict == *unknown) && seen.len() == 3);

    // The one beside the certificate, for another certificate.
    let seen = timestamps(&made.chain[1..], None, &[&made.handshake], &made.logs);
    let bad = &Verdict::Refuted(Refutation::BadSignature);
    assert_eq!(verdicts(&seen), [(TimestampPlace::Handshake, bad)]);

    // Nobody knows whose key is meant without the certificate of the issuer.
    let seen = timestamps(&made.chain[..1], None, &[], &made.logs);
    let missing = &Verdict::NotDerivable(Missing::Certificate);
    assert_eq!(verdicts(&seen), [(TimestampPlace::Certificate, missing); 2]);
    assert!(timestamps(&[], None, &[&made.handshake], &made.logs).is_empty());
    assert!(timestamps(&made.chain[1..], None, &[&[], &[0; 9]], &made.logs).is_empty());
}

#[test]
fn promises_in_an_ocsp_response_are_found() {
    let made = Made::new();
    let response = response_with(&made);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("response"), &response).unwrap();
    let output = Command::new("openssl")
        .args(["ocsp", "-respin", "response", "-noverify", "-text"])
        .current_dir(folder.path())
        .output()
        .expect("openssl is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Signed Certificate Timestamp"), "{output:?}");

    let seen = timestamps(&made.chain, Some(&response), &[], &made.logs);
    let places = verdicts(&seen);
    assert_eq!(places.len(), 3);
    assert!(places.contains(&(TimestampPlace::Ocsp, &Verdict::Confirmed)));
    // Of another certificate it says nothing.
    let seen = timestamps(&made.chain[1..], Some(&response), &[], &made.logs);
    assert_eq!(verdicts(&seen), []);
}

/// An OCSP response with the timestamp that is for the handshake. What it is signed with is of no account.
fn response_with(made: &Made) -> Vec<u8> {
    let [leaf, ca] = [0, 1].map(|at| Certificate::from_der(&made.chain[at]).unwrap());
    let sct = &made.handshake;
    let list = [&[0, sct.len() as u8], &sct[..]].concat();
    let list = [&[0, list.len() as u8], &list[..]].concat();
    let oid = Oid::from_der_content(b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05").unwrap();
    let (now, cert_id) = (SystemTime::now(), CertId::of(Hash::Sha1, &leaf, &ca));
    let mut extension = Writer::new();
    extension.octet_string(&list);
    let single = |w: &mut Writer| {
        w.raw(cert_id.der());
        w.primitive(Tag::context(0), &[]);
        w.generalized_time(now);
        w.constructed(Tag::context_constructed(1), |w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.oid(&oid);
                    w.octet_string(extension.bytes());
                });
            });
        });
    };
    let mut basic = Writer::new();
    basic.sequence(|w| {
        w.sequence(|w| {
            let by_name = Tag::context_constructed(1);
            w.constructed(by_name, |w| w.raw(ca.subject_name().der()));
            w.generalized_time(now);
            w.sequence(|w| w.sequence(single));
        });
        w.sequence(|w| w.oid(&Oid::ECDSA_SHA256));
        w.octet_bits(&[0x30, 0]);
    });
    let mut whole = Writer::new();
    whole.sequence(|w| {
        w.primitive(Tag::ENUMERATED, &[0]);
        w.constructed(Tag::context_constructed(0), |w| {
            w.sequence(|w| {
                w.oid(&Oid::OCSP_BASIC);
                w.octet_string(basic.bytes());
            });
        });
    });
    whole.into_bytes()
}

#[test]
fn a_list_that_is_none_says_what_is_wrong_with_it() {
    let json = |key: &str| {
        let text = format!(r#"{{"operators":[{{"logs":[{{"description":"L","key":"{key}"}}]}}]}}"#);
        Logs::from_json(text.as_bytes())
    };
    assert!(matches!(Logs::from_json(b"{}"), Err(LogsError::Json(_))));
    assert!(matches!(json("?"), Err(LogsError::Base64 { log, .. }) if log == "L"));
    assert!(matches!(json("MAA="), Err(LogsError::Key { log, .. }) if log == "L"));
    assert!(Logs::from_json(br#"{"operators":[]}"#).unwrap().is_empty());
}
