//! Certificates that are taken back, and the lists that tell of it.

use crate::certificates::{ROOT, inventory, make, openssl_verify};
use crate::foreign::{Ran, run};
use crate::server::Place;

/// Signs the lists into `crls`, and puts them into one file.
fn lists(place: &Place) -> Vec<u64> {
    std::fs::create_dir_all(place.path("crls")).unwrap();
    let signed = place.run(&["ca", "crl", "--pem", "--out", "crls"]);
    signed.expect(0, &["signed "]);
    let mut all = String::new();
    let mut numbers = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(place.path("crls"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        all += &std::fs::read_to_string(&file).unwrap();
        let number = ["crl", "-noout", "-crlnumber", "-in", file.to_str().unwrap()];
        let number = run(place, "openssl", &number).well().text();
        let digits = number.trim().trim_start_matches("crlNumber=0x");
        numbers.push(u64::from_str_radix(digits, 16).unwrap());
    }
    place.write("all.crl", all);
    numbers
}

fn checked(place: &Place, file: &str) -> Ran {
    let more = ["-crl_check_all", "-CRLfile", "all.crl"];
    openssl_verify(place, ROOT, file, &more)
}

#[test]
fn a_revoked_certificate_is_refused_by_openssl_and_the_others_are_not() {
    let place = Place::new();
    for name in ["a.test", "b.test", "c.test"] {
        make(&place, &[name]);
    }
    make(&place, &["--client", "ada@client.test"]);
    assert_eq!(lists(&place), [1, 1, 1]);
    for file in ["a.test.pem", "b.test.pem", "ada@client.test.pem"] {
        checked(&place, file).well();
    }
    // By file, by name, by serial number.
    let revoke = ["ca", "revoke", "a.test.pem", "--reason", "keyCompromise"];
    place
        .run(&revoke)
        .expect(0, &["revoked      a.test, serial number "]);
    place
        .run(&["ca", "revoke", "ada@client.test"])
        .expect(0, &[]);
    let all = inventory(&place);
    let c = all
        .iter()
        .find(|record| record["names"][0] == "c.test")
        .unwrap();
    let serial = c["serial"].as_str().unwrap();
    let hold = ["ca", "revoke", &serial[..14], "--reason", "certificateHold"];
    place.run(&hold).expect(0, &["on hold"]);
    // Not before the next list.
    checked(&place, "a.test.pem").well();
    assert_eq!(lists(&place), [2, 2, 2]);
    for file in ["a.test.pem", "c.test.pem", "ada@client.test.pem"] {
        let refused = checked(&place, file);
        assert!(
            refused.stderr.contains("certificate revoked"),
            "{file}: {}",
            refused.stderr
        );
    }
    checked(&place, "b.test.pem").well();
    let shown = run(
        &place,
        "openssl",
        &["crl", "-noout", "-text", "-in", "all.crl"],
    );
    shown.well();
    // A hold is taken back, and nothing else.
    place
        .run(&["ca", "revoke", "--undo", serial])
        .expect(0, &["good again"]);
    place
        .run(&["ca", "revoke", "--undo", "a.test"])
        .expect(1, &["error: "]);
    place.run(&["ca", "revoke", "a.test"]).expect(
        1,
        &["was revoked before, with the reason \"keyCompromise\""],
    );
    place
        .run(&["ca", "revoke", "nobody.test"])
        .expect(1, &["issued no certificate \"nobody.test\""]);
    lists(&place);
    checked(&place, "c.test.pem").well();
    let revoked = place.run(&["ca", "list", "--state", "revoked", "--json"]);
    let revoked: Vec<serde_json::Value> = serde_json::from_str(&revoked.stdout).unwrap();
    assert_eq!(revoked.len(), 2);
    place.run(&["ca", "audit"]).expect(0, &[]);
}

#[test]
fn a_name_comes_before_digits_and_few_digits_mean_nobody() {
    let place = Place::new();
    make(&place, &["a.test"]);
    let serial = inventory(&place)
        .iter()
        .find(|record| record["profile"] == "server")
        .map(|record| record["serial"].as_str().unwrap().to_owned())
        .unwrap();
    // A host whose name is the beginning of another's serial number.
    let init = ["ca", "init", "--any-name", "--home", "free"];
    place.run(&init).expect(0, &[]);
    make(&place, &["--home", "free", "cafe01"]);
    let revoked = place.run(&["ca", "revoke", "--home", "free", "cafe01"]);
    revoked.expect(0, &["revoked      cafe01, serial number "]);
    place
        .run(&["ca", "revoke", &serial[..11]])
        .expect(1, &["issued no certificate"]);
    place
        .run(&["ca", "revoke", &serial[..14]])
        .expect(0, &["revoked      a.test, serial number "]);
}

#[test]
fn the_local_ca_knows_what_it_revoked_without_a_crl() {
    let place = Place::new();
    make(&place, &["a.test"]);
    let verify = |more: &[&str], code: i32, said: &[&str]| {
        let asked = ["cert", "verify", "a.test.pem", "--host", "a.test"];
        let answer = place.run(&[&asked[..], more].concat());
        answer.expect(code, &[]);
        for text in said {
            assert!(answer.stdout.contains(text), "{text}: {}", answer.stdout);
        }
    };
    verify(
        &[],
        0,
        &["yes          a.test.pem: good for a.test", "not revoked"],
    );
    let root = place.run(&["ca", "root"]);
    place.write("root.pem", &root.stdout);
    place
        .run(&["ca", "revoke", "a.test", "--reason", "superseded"])
        .expect(0, &[]);
    for roots in ["local", "root.pem"] {
        let said = [
            "no           a.test.pem: not good for a.test",
            "it was revoked at ",
            "for the reason superseded",
        ];
        verify(&["--ca", roots], 1, &said);
    }
    // Whoever has not the journal is told what was not asked.
    let said = "not asked    whether it was revoked: its issuer's CRL tells";
    verify(&["--ca", "root.pem", "--home", "elsewhere"], 0, &[said]);
}

#[test]
fn an_intermediate_that_is_revoked_takes_all_below_it_along() {
    let place = Place::new();
    make(&place, &["a.test"]);
    let all = inventory(&place);
    let intermediate = all
        .iter()
        .find(|record| record["profile"] == "intermediate")
        .unwrap();
    lists(&place);
    checked(&place, "a.test.pem").well();
    let serial = intermediate["serial"].as_str().unwrap();
    place
        .run(&["ca", "revoke", serial, "--reason", "cACompromise"])
        .expect(0, &[]);
    lists(&place);
    assert!(
        checked(&place, "a.test.pem")
            .stderr
            .contains("certificate revoked")
    );
}

#[test]
fn the_expired_leave_the_lists_and_gnutls_reads_them() {
    let place = Place::new();
    make(&place, &["--days", "10", "a.test"]);
    make(&place, &["--days", "300", "b.test"]);
    for name in ["a.test", "b.test"] {
        place.run(&["ca", "revoke", name]).expect(0, &[]);
    }
    let binary = env!("CARGO_BIN_EXE_ravelin");
    let revoked_in = |days: &str| {
        std::fs::create_dir_all(place.path("crls")).unwrap();
        run(
            &place,
            "faketime",
            &[days, binary, "ca", "crl", "--out", "crls", "--pem"],
        )
        .well();
        let counts = std::fs::read_dir(place.path("crls")).unwrap().map(|entry| {
            let file = entry.unwrap().path();
            let file = file.to_str().unwrap();
            run(&place, "certtool", &["--crl-info", "--infile", file]).well();
            let text = run(&place, "openssl", &["crl", "-noout", "-text", "-in", file])
                .well()
                .text();
            text.matches("Serial Number: ").count()
        });
        counts.sum::<usize>()
    };
    assert_eq!(revoked_in("+0 days"), 2);
    // At least one list after its end has it (RFC 5280, section 3.3).
    assert_eq!(revoked_in("+11 days"), 2);
    assert_eq!(revoked_in("+41 days"), 1);
    assert_eq!(revoked_in("+340 days"), 0);
}

#[test]
fn a_journal_that_was_changed_is_found_out() {
    let place = Place::new();
    make(&place, &["a.test"]);
    make(&place, &["b.test"]);
    let whole = place.run(&["ca", "audit"]);
    whole.expect(0, &[]);
    let head = whole
        .stdout
        .lines()
        .last()
        .unwrap()
        .replace("head         ", "");
    place.run(&["ca", "audit", "--head", &head]).expect(0, &[]);
    let file = place.path("home/ca/journal.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    // Changed, taken out of the middle, cut off at the end.
    std::fs::write(&file, text.replace("a.test", "c.test")).unwrap();
    let ended = place.run(&["ca", "audit"]);
    ended.expect(1, &[]);
    assert!(ended.stdout.contains("wrong "), "{}", ended.stdout);
    let without = [&lines[..2], &lines[3..]].concat().join("\n") + "\n";
    std::fs::write(&file, without).unwrap();
    place.run(&["ca", "audit"]).expect(1, &[]);
    let short = lines[..lines.len() - 1].join("\n") + "\n";
    std::fs::write(&file, short).unwrap();
    place.run(&["ca", "audit", "--head", &head]).expect(1, &[]);
    std::fs::write(&file, text).unwrap();
    place.run(&["ca", "audit", "--head", &head]).expect(0, &[]);
}
