//! Issuing that is killed at any moment: no serial number twice, and no certificate that the journal
//! lacks.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use super::rollover::kills;
use super::{kill_at_random, start};
use crate::certificates::{inventory, make};
use crate::foreign::run;
use crate::server::Place;

/// The serial numbers of the certificates that were handed out into a folder: the first of each file.
fn handed_out(place: &Place, folder: &str) -> Vec<String> {
    let files = fs::read_dir(place.path(folder)).unwrap();
    let files: Vec<_> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "pem"))
        .collect();
    // One process for many: openssl takes a file at a time.
    let script = "for f; do openssl x509 -noout -serial -in \"$f\" || exit 1; done";
    let mut serials = Vec::new();
    for some in files.chunks(100) {
        let mut arguments = vec!["-c", script, "sh"];
        arguments.extend(some.iter().map(|path| path.to_str().unwrap()));
        let printed = run(place, "sh", &arguments).well().text();
        let lines = printed
            .lines()
            .map(|line| line["serial=".len()..].to_lowercase());
        serials.extend(lines.map(|serial| serial.trim_start_matches('0').to_owned()));
    }
    serials
}

/// What the books have to say, whatever was killed.
fn assert_books_are_right(place: &Place, folder: &str) -> usize {
    let serials: Vec<_> = inventory(place)
        .iter()
        .map(|record| {
            record["serial"]
                .as_str()
                .unwrap()
                .trim_start_matches('0')
                .to_owned()
        })
        .collect();
    let noted: BTreeSet<_> = serials.iter().cloned().collect();
    assert_eq!(noted.len(), serials.len(), "a serial number twice");
    let handed_out = handed_out(place, folder);
    let different: BTreeSet<_> = handed_out.iter().collect();
    assert_eq!(different.len(), handed_out.len(), "a serial number twice");
    for serial in &handed_out {
        assert!(noted.contains(serial), "{serial} is not in the journal");
    }
    handed_out.len()
}

#[test]
fn no_serial_number_comes_twice_and_the_journal_has_all_that_was_handed_out() {
    let place = Place::new();
    place.write("out/x", "");
    place.run(&["cert", "request", "asked.test"]).expect(0, &[]);
    make(&place, &["--out", "out", "first.test"]);
    let begun = Instant::now();
    make(&place, &["--out", "out", "second.test"]);
    let longest = begun.elapsed() * 2;
    let mut killed = 0;
    let mut round = 0;
    let wanted = kills(150);
    while killed < wanted {
        round += 1;
        assert!(
            round < wanted * 6,
            "{killed} of {round} rounds were killed before their end"
        );
        let name = format!("n{round}.test");
        let folder = format!("signed{round}");
        fs::create_dir(place.path(&folder)).unwrap();
        let new = start(&place, &["cert", "new", "--out", "out", &name]);
        let sign = start(&place, &["cert", "sign", "--out", &folder, "asked.csr"]);
        let first = kill_at_random(new, longest);
        let second = kill_at_random(sign, longest / 4);
        killed += u32::from(first) + u32::from(second);
        let signed = place.path(&folder).join("asked.test.pem");
        if signed.exists() {
            fs::rename(signed, place.path(&format!("out/s{round}.pem"))).unwrap();
        }
        place.run(&["ca", "audit"]).expect(0, &[]);
    }
    let handed_out = assert_books_are_right(&place, "out");
    assert!(
        handed_out > 2,
        "{handed_out} were handed out in {round} rounds"
    );
    // Nothing is in the way of the next.
    make(&place, &["--out", "out", "last.test"]);
}

#[test]
fn several_processes_issue_at_once() {
    let place = Place::new();
    place.write("out/x", "");
    // The CA is made by whoever is first.
    let started: Vec<_> = (0..12)
        .map(|n| {
            start(
                &place,
                &["cert", "new", "--out", "out", &format!("n{n}.test")],
            )
        })
        .collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(assert_books_are_right(&place, "out"), 12);
    let audit = place.run(&["ca", "audit", "--json"]);
    audit.expect(0, &[]);
    let audit: serde_json::Value = serde_json::from_str(&audit.stdout).unwrap();
    // Twelve leaves and one intermediate.
    assert_eq!(audit["certificates"], 13);
}
