//! Clocks that go on: a CA near its end and past it.

use crate::certificates::{ROOT, make, openssl_verify};
use crate::foreign::{Ran, run};
use crate::server::Place;

fn later(place: &Place, time: &str, arguments: &[&str]) -> Ran {
    let all = [&[time, env!("CARGO_BIN_EXE_ravelin")][..], arguments].concat();
    run(place, "faketime", &all)
}

#[test]
fn a_ca_past_its_end_issues_nothing_and_says_what_to_do() {
    let place = Place::new();
    place.run(&["ca", "init", "--years", "1"]).expect(0, &[]);
    make(&place, &["a.test"]);
    let ended = later(&place, "+400 days", &["cert", "new", "b.test"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("root.pem\" is expired"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    assert!(!place.path("b.test.key").exists());
    // What it did can still be seen.
    assert_eq!(later(&place, "+400 days", &["ca", "audit"]).code, 0);
    let listed = later(&place, "+400 days", &["ca", "list", "--state", "expired"]).well();
    assert!(listed.text().contains("a.test"), "{}", listed.text());
    // A clock that is wrong the other way.
    let ended = later(&place, "-400 days", &["cert", "new", "b.test"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("not valid yet"), "{}", ended.stderr);
}

#[test]
fn nothing_outlives_what_signed_it() {
    let place = Place::new();
    place.run(&["ca", "init", "--years", "1"]).expect(0, &[]);
    let made = later(&place, "+360 days", &["cert", "new", "a.test"]).well();
    assert!(
        made.stderr
            .contains("as no certificate outlives its issuer"),
        "{}",
        made.stderr
    );
    let at = run(&place, "date", &["-d", "+361 days", "+%s"])
        .well()
        .text();
    let at = at.trim();
    openssl_verify(&place, ROOT, "a.test.pem", &["-attime", at]).well();
    let after = run(&place, "date", &["-d", "+366 days", "+%s"])
        .well()
        .text();
    let ended = |file: &str| {
        let seconds = [
            "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", file,
        ];
        run(&place, "openssl", &seconds).well().text()
    };
    assert_eq!(ended("a.test.pem"), ended(ROOT));
    assert_ne!(
        openssl_verify(&place, ROOT, "a.test.pem", &["-attime", after.trim()]).code,
        0
    );
}
