//! Disks that fill: serving goes on, and what is lost is counted and said.

use rustix::process::{Pid, Resource, Rlimit};

use crate::client::Client;
use crate::server::{Server, Setup, wait_until};

/// Lets the server write files again whose size was limited by `ulimit -S -f 0`.
fn free_disk(server: &Server) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap());
    rustix::process::prlimit(
        pid,
        Resource::Fsize,
        Rlimit {
            current: None,
            maximum: None,
        },
    )
    .unwrap();
}

#[test]
fn a_log_on_a_full_disk_drops_lines_counts_them_and_hinders_nobody() {
    let server = Setup::new()
        .log("to = \"access.log\"\nformat = \"json\"")
        .before("trap '' XFSZ\nulimit -S -f 0")
        .with_certificates()
        .start();
    let log = server.place.path("access.log");
    server.assert_memory_bounded(16, || {
        let mut client = Client::connect(&server);
        for _ in 0..2000 {
            assert_eq!(client.get("/index.html").status, 200);
        }
    });
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "");
    server.wait_said(
        0,
        "warning: the access log cannot be written: File too large",
    );
    free_disk(&server);
    wait_until("a log that goes on when there is room", || {
        Client::connect(&server).get("/index.html");
        std::fs::read_to_string(&log).unwrap().contains("dropped")
    });
    server.wait_said(0, " lines were lost");
    let text = std::fs::read_to_string(&log).unwrap();
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("torn: {line}"));
    }
}

#[test]
fn a_log_that_cannot_be_written_hinders_nobody() {
    // What writes to it always meets a full disk.
    let server = Setup::new().log("to = \"/dev/full\"").start();
    let mut client = Client::connect(&server);
    for _ in 0..100 {
        assert_eq!(client.get("/index.html").status, 200);
    }
    server.assert_serves_others();
    // Said once.
    let said = server.stop().stderr;
    let failures = said.matches("the access log cannot be written: No space left on device");
    assert_eq!(failures.count(), 1, "{said}");
}

#[test]
fn a_store_on_a_full_disk_ends_the_start_with_an_error_and_leaves_no_half_of_it() {
    let setup = Setup::new().before("trap '' XFSZ\nulimit -S -f 0");
    let ended = setup.run();
    // It says where.
    ended.expect(4, &["home"]);
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    // The next start, with room, uses the same home.
    let server = setup.before("").start();
    server.assert_serves_others();
}
