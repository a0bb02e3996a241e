//! SIGTERM: what is under way ends first.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::foreign::httpx::{Httpx, Told};
use crate::life::{config, large_file, serve};
use crate::server::{Place, wait_until};

#[test]
fn downloads_and_uploads_under_way_end_well() {
    let place = Place::new();
    let large = large_file(&place);
    let server = place.serve_config(&config("[server.limits]\ndrain_timeout = \"1m\"", "one"));
    let mut download = Httpx::new(&server, 1);
    download.open("/large.bin");
    let mut upload = Httpx::new(&server, 1);
    assert_eq!(upload.ask("post /word 100000"), "half");
    // Connections with nothing under way do not keep the server.
    let mut idle = Httpx::new(&server, 1);
    idle.get("/word");

    server.signal(Signal::TERM);
    server.wait_notified("STOPPING=1");
    let address = server.address();
    assert_eq!(Told::from(&upload.ask("finish")).status, 200);
    download.assert_rest_is(&large);
    let ended = server.wait();
    ended.expect(0, &["stopping: running requests end first"]);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn downloads_over_http2_end_well() {
    let place = Place::new();
    let large = large_file(&place);
    let server = place.serve_config(&config("[server.limits]\ndrain_timeout = \"1m\"", "one"));
    // curl goes on after a GOAWAY; Python's h2 takes it for the end of the connection.
    let mut command = Command::new("curl");
    place.furnish(&mut command);
    command.args([
        "-sS",
        "-4",
        "--http2",
        "--limit-rate",
        "40M",
        "--output",
        "got.bin",
    ]);
    command.arg("--cacert").arg(place.root());
    let mut curl = command.arg(server.url("/large.bin")).spawn().unwrap();
    let got = place.path("got.bin");
    wait_until("the first of the file", || {
        fs::metadata(&got).is_ok_and(|got| got.len() > 0)
    });
    server.signal(Signal::TERM);
    server.wait_notified("STOPPING=1");
    assert!(
        fs::metadata(&got).unwrap().len() < large.len() as u64,
        "it was over too soon"
    );
    assert!(curl.wait().unwrap().success());
    assert!(fs::read(&got).unwrap() == large);
    server.wait().expect(0, &[]);
}

#[test]
fn a_server_with_nothing_to_do_ends_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = serve(&Place::new());
        let mut idle = [Httpx::new(&server, 1), Httpx::new(&server, 2)];
        for client in &mut idle {
            client.get("/word");
        }
        let begun = Instant::now();
        server.signal(signal);
        server.wait().expect(0, &[]);
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_client_that_does_not_end_is_cut_off_after_the_time_for_draining() {
    let place = Place::new();
    large_file(&place);
    let server = place.serve_config(&config("[server.limits]\ndrain_timeout = \"1s\"", "one"));
    let mut client = Httpx::new(&server, 1);
    client.open("/large.bin");
    server.stop();
    let rest = client.ask("rest");
    assert!(rest.starts_with("cut "), "{rest}");
}

#[test]
fn a_second_signal_does_not_wait_for_requests() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let place = Place::new();
        large_file(&place);
        let server = place.serve_config(&config("[server.limits]\ndrain_timeout = \"1h\"", "one"));
        let mut client = Httpx::new(&server, 1);
        client.open("/large.bin");
        server.signal(Signal::TERM);
        server.wait_notified("STOPPING=1");
        server.signal(signal);
        server.wait().expect(code, &["stopped at once"]);
    }
}
