//! Reloads and ends under load. Each test has the machine to itself: see `.config/nextest.toml`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::Signal;

use crate::foreign::{fetch, python};
use crate::life::config;
use crate::server::{Place, Server};

const RELOADS: usize = 50;

#[test]
fn reloads_lose_no_request_over_http1() {
    reload_under_load(&["--h1", "-c", "8"]);
}

#[test]
fn reloads_lose_no_request_over_http2() {
    reload_under_load(&["-c", "4", "-m", "16"]);
}

/// Reloads fifty times while h2load asks over kept connections and curl over new ones.
fn reload_under_load(load: &[&str]) {
    let place = Place::new();
    let server = place.serve_config(&config("", "0"));
    let mut all = vec!["-D", "14"];
    all.extend(load);
    let mut h2load = h2load(&server, &all);

    let over = AtomicBool::new(false);
    let fetched = thread::scope(|scope| {
        let newcomers = scope.spawn(|| {
            let mut fetched = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(fetch(&server, "/", &[]).text(), "hello\n");
                fetched += 1;
            }
            fetched
        });
        for turn in 1..=RELOADS {
            // Half of them because a file has changed, half because of SIGHUP.
            if turn % 2 == 0 {
                place.replace("ravelin.toml", config("", &turn.to_string()));
            } else {
                server.signal(Signal::HUP);
            }
            server.wait_reloaded();
        }
        assert!(
            h2load.try_wait().unwrap().is_none(),
            "the load ended before the reloads"
        );
        let word = fetch(&server, "/word", &[]);
        assert_eq!(word.text(), RELOADS.to_string());
        over.store(true, Ordering::Relaxed);
        newcomers.join().unwrap()
    });
    let (well, said) = ended(h2load);
    assert!(well && fetched > 10, "{fetched} new connections");
    for (word, expected) in [("failed", 0), ("errored", 0), ("timeout", 0)] {
        assert_eq!(count(&said, "requests: ", word), expected, "{said}");
    }
    let answered = count(&said, "requests: ", "succeeded");
    assert!(answered > 1_000, "{said}");
    assert_eq!(count(&said, "status codes: ", "2xx"), answered, "{said}");
    let reloads = server.said().matches("reloaded: ").count();
    assert!(reloads >= RELOADS, "{reloads}");
    server.stop();
}

#[test]
fn sigterm_under_load_loses_no_answer_over_http1() {
    let (place, server) = logged();
    let (python, script) = python("until_closed.py");
    let mut command = Command::new(python);
    place.furnish(&mut command);
    command
        .arg(script)
        .arg(server.port().to_string())
        .arg(place.root());
    let mut load = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(load.stdout.take().unwrap());
    let mut line = String::new();
    // It says when each of its threads has had a hundred answers.
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "under way\n");
    server.stop();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(load.wait().unwrap().success(), "{rest}");
    let answered: usize = rest.trim().parse().unwrap_or_else(|_| panic!("{rest}"));
    // What the server has answered, all of it has come. What it has not looked at, the client may
    // ask someone else.
    assert_eq!(answers_logged(&place), answered);
}

#[test]
fn sigterm_under_load_loses_no_answer_over_http2() {
    let (place, server) = logged();
    // Many more than will be asked: the connections end before.
    let load = ["-c", "2", "-m", "8", "-n", "10000000"];
    let h2load = h2load(&server, &load);
    while answers_logged(&place) < 1_000 {
        thread::yield_now();
    }
    server.stop();
    let (_, said) = ended(h2load);
    let answered = count(&said, "requests: ", "succeeded");
    assert_eq!(answers_logged(&place), answered, "{said}");
    assert_eq!(count(&said, "status codes: ", "2xx"), answered, "{said}");
}

/// A server that logs its answers.
fn logged() -> (Place, Server) {
    let place = Place::new();
    let log = "[log]\nto = \"access.log\"\nformat = \"json\"";
    let server = place.serve_config(&config(log, "one"));
    (place, server)
}

fn answers_logged(place: &Place) -> usize {
    let log = fs::read_to_string(place.path("access.log")).unwrap();
    log.matches("\"status\":200").count()
}

/// h2load against the one-word page, under way.
fn h2load(server: &Server, arguments: &[&str]) -> Child {
    let mut command = Command::new("h2load");
    server.place.furnish(&mut command);
    command
        .args(arguments)
        .arg(format!("https://127.0.0.1:{}/word", server.port()));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
        .spawn()
        .expect("h2load must be installed: ./test does it")
}

/// Whether it ended well, and its report.
fn ended(h2load: Child) -> (bool, String) {
    let output = h2load.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
}

/// The number before `word` in the line of a report that starts with `line`.
fn count(report: &str, line: &str, word: &str) -> usize {
    let line = report
        .lines()
        .find_map(|found| found.strip_prefix(line))
        .unwrap();
    let entry = line
        .split(", ")
        .find(|entry| entry.ends_with(word))
        .unwrap();
    entry.split(' ').next().unwrap().parse().unwrap()
}
