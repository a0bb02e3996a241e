//! Captures of our own connections: what the list makes of them, and captures made of them.

use std::fs;

use serde_json::Value;

use super::{Peer, expect, inspect};
use crate::foreign::run;
use crate::server::Place;

/// `all.pcapng`, with a connection of each version that asked for a page.
fn captured() -> (Place, Peer) {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let mut all = Vec::new();
    for version in ["1.2", "1.3"] {
        let name = peer.name();
        let live = [&name, "--ca", "root.pem", "--http", "--tls", version];
        let ran = inspect(&place, &[&live[..], &["--pcapng", "one.pcapng"]].concat());
        expect(&ran, 0, &[]);
        all.extend(fs::read(place.path("one.pcapng")).unwrap());
    }
    place.write("all.pcapng", all);
    (place, peer)
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_list_judges_the_chains_of_all_connections() {
    let (place, _peer) = captured();
    for (name, code, refuted) in [("localhost", 0, 0), ("other.test", 1, 1)] {
        let asked = [
            "--pcap",
            "all.pcapng",
            "--ca",
            "root.pem",
            "--sni",
            name,
            "--json",
        ];
        let ran = inspect(&place, &asked);
        expect(&ran, code, &[]);
        let listed = lines(&ran.1);
        assert_eq!(listed.len(), 2, "{}", ran.1);
        for line in &listed {
            assert_eq!(line["refuted"], refuted, "{line}");
        }
        // As many hold as where one is told whole, and the same.
        for (number, line) in ["0", "1"].into_iter().zip(listed) {
            let ran = inspect(&place, &[&asked[..], &["--stream", number]].concat());
            expect(&ran, code, &[]);
            let whole: Value = serde_json::from_str(&ran.1).unwrap();
            let checks = whole["connections"][0]["checks"].as_array().unwrap();
            let confirmed = checks
                .iter()
                .filter(|check| check["verdict"] == "confirmed");
            assert_eq!(line["confirmed"], confirmed.count(), "{line}");
        }
    }
}

#[test]
fn one_connection_of_a_capture_becomes_a_capture_that_wireshark_opens_decrypted() {
    let (place, _peer) = captured();
    for number in ["0", "1"] {
        let one = [
            "--pcap",
            "all.pcapng",
            "--stream",
            number,
            "--ca",
            "root.pem",
        ];
        let ran = inspect(&place, &[&one[..], &["--pcapng", "out.pcapng"]].concat());
        expect(&ran, 0, &[]);
        assert!(ran.2.contains("wrote out.pcapng"), "{}", ran.2);
        let fields = "-r out.pcapng -T fields -e tcp.stream -e http.request.method -Y http.request";
        let fields: Vec<_> = fields.split(' ').collect();
        assert_eq!(run(&place, "tshark", &fields).well().text(), "0\tGET\n");
        // What it holds is what it was made of.
        let again = inspect(
            &place,
            &[
                "--pcap",
                "out.pcapng",
                "--ca",
                "root.pem",
                "--stream",
                "0",
                "--json",
            ],
        );
        let before = inspect(&place, &[&one[..], &["--json"]].concat());
        let hex = |text: &str| {
            let document: Value = serde_json::from_str(text).unwrap();
            let steps = document["connections"][0]["steps"]
                .as_array()
                .unwrap()
                .clone();
            steps
                .into_iter()
                .map(|step| step["hex"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(hex(&again.1), hex(&before.1));
    }
}

#[test]
fn a_capture_of_one_connection_is_written_of_one_alone() {
    let (place, _peer) = captured();
    let ran = inspect(&place, &["--pcap", "all.pcapng", "--pcapng", "out.pcapng"]);
    assert_eq!(ran.0, 2, "{}", ran.2);
    assert!(
        ran.2.contains("--pcapng writes one connection"),
        "{}",
        ran.2
    );
    assert!(ran.2.contains("--stream N"), "{}", ran.2);
    let ran = inspect(
        &place,
        &["--pcap", "-", "--stream", "0", "--pcapng", "out.pcapng"],
    );
    assert_eq!(ran.0, 2, "{}", ran.2);
    assert!(ran.2.contains("standard input is read once"), "{}", ran.2);
    assert!(!place.path("out.pcapng").exists());
}
