//! What systemd gives and wants: sockets, and word of what happens.

use std::process::Command;

use rustix::process::Signal;

use crate::foreign::{fetch, python};
use crate::life::{config, serve};
use crate::server::{Place, Server};

#[test]
fn sockets_are_taken_over_by_their_names() {
    let place = Place::new();
    // What the config says about addresses is not what counts.
    place.write(
        "ravelin.toml",
        config("redirect = [\"127.0.0.1:1\"]", "one"),
    );
    let (python, script) = python("activate.py");
    let mut command = Command::new(python);
    place.furnish(&mut command);
    command
        .arg(script)
        .args(["https", "redirect", "--", env!("CARGO_BIN_EXE_ravelin")]);
    command.args(["serve", "--config", "ravelin.toml"]);
    let server = Server::start(&place, &mut command);
    let printed = server.wait_printed(2);
    let ports: Vec<u16> = printed.lines().map(|port| port.parse().unwrap()).collect();
    let [secure, plain] = ports[..] else {
        panic!("{printed}")
    };

    assert_eq!(server.port(), secure);
    let got = fetch(&server, "/word", &[]);
    assert_eq!(got.text(), "one");
    let got = fetch(&server, &format!("http://localhost:{plain}/word"), &[]);
    assert_eq!(
        got.field("location"),
        Some(&*format!("https://localhost:{secure}/word"))
    );

    // A reload leaves systemd's sockets alone.
    let text = config("", "two").replace("127.0.0.1:0", "127.0.0.1:2");
    place.write("ravelin.toml", text);
    assert!(server.reload().contains("reloaded: "));
    for _ in 0..4 {
        assert_eq!(fetch(&server, "/word", &[]).text(), "two");
    }
    server.stop();
}

#[test]
fn systemd_is_told_of_reloads_and_the_end() {
    // That it is ready, the harness waits for at every start.
    let server = serve(&Place::new());
    server.signal(Signal::HUP);
    let reloading = server.notified();
    // `Type=notify-reload` wants both in one message (sd_notify(3)).
    let mut lines = reloading.lines();
    assert_eq!(lines.next(), Some("RELOADING=1"));
    let since = lines
        .next()
        .and_then(|line| line.strip_prefix("MONOTONIC_USEC="));
    let since: u64 = since
        .unwrap_or_else(|| panic!("{reloading}"))
        .parse()
        .unwrap();
    assert!(since > 0);
    assert_eq!(server.notified().trim_end(), "READY=1");
    server.signal(Signal::TERM);
    server.wait_notified("STOPPING=1");
    server.wait().expect(0, &[]);
}
