//! `ravelin inspect --step` on a terminal of the system's, with keys pressed and its screen read.

use serde_json::Value;

use super::{Peer, certify};
use crate::foreign::run_python;
use crate::server::Place;

/// What was seen of a walk.
struct Walked(Value);

/// Walks on a terminal of this size, as `tests/peers/walk.py` has it.
fn walk(place: &Place, size: &str, actions: &str, arguments: &[&str]) -> Walked {
    let mut all = vec![size, actions, env!("CARGO_BIN_EXE_ravelin"), "inspect"];
    all.extend(["--lang", "en"]);
    all.extend(arguments);
    let ran = run_python(place, "walk.py", &all).well();
    Walked(serde_json::from_slice(&ran.stdout).unwrap())
}

impl Walked {
    /// The screen after so many actions.
    fn screen(&self, number: usize) -> String {
        let lines = self.0["screens"][number]["lines"].as_array().unwrap();
        let lines: Vec<_> = lines.iter().map(|line| line.as_str().unwrap()).collect();
        lines.join("\n")
    }

    /// Checks that the line of this step is marked on that screen.
    fn marks(&self, number: usize, text: &str) {
        let marked = self.0["screens"][number]["marked"].as_array().unwrap();
        let mut marked = marked.iter().filter_map(Value::as_str);
        assert!(
            marked.any(|line| line.contains(text)),
            "{}",
            self.screen(number)
        );
    }

    fn has(&self, number: usize, text: &str) {
        let screen = self.screen(number);
        assert!(screen.contains(text), "no \"{text}\" in:\n{screen}");
    }

    /// The exit code, and that the terminal is as it was.
    fn ended(&self, code: i64) {
        assert_eq!(self.0["code"], code, "{}", self.0);
        assert_eq!(self.0["same"], true, "the settings of the terminal");
        let rest = self.0["rest"].as_str().unwrap();
        assert!(rest.contains("\u{1b}[?1049l"), "{rest:?}");
    }
}

#[test]
fn arrow_keys_lead_through_a_handshake_and_the_terminal_is_given_back() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let walked = walk(
        &place,
        "110x30",
        "down,right,size:60x24,enter,ctrl-l,end,q",
        &[&peer.name(), "--ca", "root.pem", "--step"],
    );
    walked.marks(0, "─ ClientHello ─");
    walked.has(0, "The client offers");
    walked.marks(1, "─ ServerHello ─");
    walked.has(1, "The server chooses");
    assert!(!walked.screen(1).contains("legacy_version"));
    walked.has(2, "legacy_version");
    // One pane has room, and the other is a key away.
    walked.has(3, "─ ServerHello ─");
    assert!(!walked.screen(3).contains("legacy_version"));
    walked.has(4, "legacy_version");
    assert!(!walked.screen(4).contains("─ ServerHello ─"));
    assert_eq!(walked.screen(5), walked.screen(4));
    walked.has(6, "What was agreed");
    walked.ended(0);
}

#[test]
fn two_connections_are_walked_through_side_by_side() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let walked = walk(
        &place,
        "110x30",
        "tab,end,tab,escape",
        &[&peer.name(), "--ca", "root.pem", "--resume", "--step"],
    );
    walked.has(0, "connection 1 of 2");
    walked.has(1, "connection 2 of 2");
    walked.has(2, "goes on from the first by a pre-shared key");
    walked.has(3, "connection 1 of 2");
    walked.ended(0);
}

#[test]
fn a_capture_is_walked_through_and_signals_give_the_terminal_back() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let name = peer.name();
    let looked = ["inspect", &name, "--ca", "root.pem", "--pcapng", "a.pcapng"];
    place.run(&looked).expect(0, &[]);
    let captured = [
        "--pcap",
        "a.pcapng",
        "--ca",
        "root.pem",
        "--sni",
        "localhost",
        "--step",
    ];
    let walked = walk(&place, "100x30", "down,ctrl-c", &captured);
    walked.has(0, "In the capture");
    walked.has(0, "connection 0: 127.0.0.1:");
    walked.marks(1, "─ ClientHello ─");
    walked.ended(0);
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        walk(&place, "100x30", &format!("signal:{signal}"), &captured).ended(code);
    }
    assert_eq!(walked.0["screens"][0]["coloured"], true);
    let plain = ["NO_COLOR=1", env!("CARGO_BIN_EXE_ravelin"), "inspect"];
    let all = [&["100x30", "down,q", "/usr/bin/env"][..], &plain, &captured].concat();
    let ran = run_python(&place, "walk.py", &all).well();
    let walked = Walked(serde_json::from_slice(&ran.stdout).unwrap());
    walked.marks(1, "─ ClientHello ─");
    assert_eq!(walked.0["screens"][1]["coloured"], false);
    // Nothing can be given back to a terminal that is gone; it is the end all the same.
    let walked = walk(&place, "100x30", "hang-up", &captured);
    assert_eq!(walked.0["code"], 129, "{}", walked.0);
}

#[test]
fn a_client_is_walked_through_from_what_it_offers_on() {
    let place = Place::new();
    certify(&place);
    let port = crate::server::free_port().to_string();
    let script =
        "until openssl s_client -connect \"127.0.0.1:$1\" </dev/null >/dev/null 2>&1; do :; done &
        exec \"$0\" inspect --lang en --listen \"$1\" --cert c.pem --key k.pem --once --step";
    let ran = run_python(
        &place,
        "walk.py",
        &[
            "110x30",
            "down,q",
            "/bin/bash",
            "-c",
            script,
            env!("CARGO_BIN_EXE_ravelin"),
            &port,
        ],
    );
    let walked = Walked(serde_json::from_slice(&ran.well().stdout).unwrap());
    walked.has(0, "What the client offers");
    walked.has(0, "JA4");
    walked.marks(1, "─ ClientHello ─");
    walked.ended(0);
}

#[test]
fn where_there_is_nothing_to_walk_on_it_is_said_before_anything_is_done() {
    let place = Place::new();
    place
        .run(&["inspect", "localhost:1", "--step"])
        .expect(2, &["--step needs a terminal", "hint: without --step"]);
    place
        .run(&["inspect", "--listen", "0", "--step"])
        .expect(2, &["of one client", "hint: --once"]);
    place
        .run(&["inspect", "--pcap", "-", "--step"])
        .expect(2, &["come from standard input", "hint: write"]);
    place
        .run(&["inspect", "localhost:1", "--step", "--json"])
        .expect(2, &["cannot be used with"]);
    let program = env!("CARGO_BIN_EXE_ravelin");
    let dumb = ["80x24", "q", "/usr/bin/env", "TERM=dumb", program];
    let all = [&dumb[..], &["inspect", "localhost:1", "--step"]].concat();
    let ran = run_python(&place, "walk.py", &all);
    assert!(
        ran.text().contains("TERM=dumb is a terminal that cannot"),
        "{ran:?}"
    );
}
