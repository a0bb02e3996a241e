//! `ravelin ca list`: what it tells of many, of none, and to who stops listening.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::certificates::make;
use crate::server::Place;

#[test]
fn a_list_ends_at_its_limit_and_says_that_there_are_more() {
    let place = Place::new();
    for name in ["a.test", "b.test", "c.test"] {
        make(&place, &[name]);
    }
    let list = |more: &[&str]| {
        let ended = place.run(&[&["ca", "list", ".test"], more].concat());
        ended.expect(0, &[]);
        ended
    };
    let two = list(&["--limit", "2"]);
    assert_eq!(two.stdout.lines().count(), 1 + 2, "{}", two.stdout);
    assert!(two.stderr.contains("there are more"), "{}", two.stderr);
    for limit in ["3", "0"] {
        let all = list(&["--limit", limit]);
        assert_eq!(all.stdout.lines().count(), 1 + 3, "{}", all.stdout);
        assert_eq!(all.stderr, "");
    }
    for (limit, count) in [("2", 2), ("0", 3)] {
        let json = list(&["--limit", limit, "--json"]);
        let records: Vec<Value> = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(records.len(), count);
        // An object a line, between the brackets.
        assert_eq!(json.stdout.lines().count(), count + 2, "{}", json.stdout);
        assert_eq!(json.stderr, "");
    }
    let none = place.run(&["ca", "list", "d.test", "--json"]);
    none.expect(0, &[]);
    assert_eq!(none.stdout, "[]\n");
    let none = place.run(&["ca", "list", "d.test"]);
    none.expect(0, &["no certificates"]);
    assert_eq!(none.stdout, "");
}

#[test]
fn who_stops_listening_to_a_list_is_no_failure_and_a_full_disk_is_one() {
    let place = Place::new();
    // More than a pipe holds: names so long that a few dozen are enough.
    let labels = [(); 3].map(|()| "x".repeat(63)).join(".");
    let names: Vec<String> = (0..400).map(|n| format!("{n}.{labels}.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    make(&place, &names);
    for json in [&["--json"][..], &[]] {
        let all = [&["ca", "list"], json].concat();
        let mut child = place
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut stdout = BufReader::with_capacity(16, child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        drop(stdout);
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stderr.is_empty(), "{ended:?}");
        let full = std::fs::File::create("/dev/full").unwrap();
        let ended = place.command(&all).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(4), "{ended:?}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
}
