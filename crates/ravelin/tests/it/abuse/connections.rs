//! Limits on connections, and file descriptors that run out.

use std::time::Duration;

use crate::client::Client;
use crate::server::{Place, Server, Setup, wait_until};

/// Whether a new client gets through.
fn is_let_in(server: &Server) -> bool {
    Client::over(server.tcp(), "localhost").is_ok()
}

#[test]
fn an_address_holds_no_more_connections_than_allowed() {
    let server = Setup::new().limit("connections_per_address", "10").start();
    let mut held: Vec<_> = (0..10).map(|_| Client::connect(&server)).collect();
    assert!(!is_let_in(&server));
    server.wait_said(0, "127.0.0.1 holds as many connections as one client may");
    for client in &mut held {
        assert_eq!(client.get("/index.html").status, 200);
    }
    held.pop();
    wait_until("a place that was left", || is_let_in(&server));
    drop(held);
    wait_until("all places", || {
        let all: Vec<_> = (0..10).map(|_| is_let_in(&server)).collect();
        all.iter().all(|let_in| *let_in)
    });
}

#[test]
fn a_reload_changes_how_many_connections_there_may_be() {
    let config = |limits: &str| {
        format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nworkers = 1\n[server.limits]\n{limits}\n\
             [[site]]\nhosts = [\"localhost\"]\nroute = [{{ files = \"public\" }}]\n"
        )
    };
    let place = Place::new();
    let server = place.serve_config(&config("connections = 100"));
    let mut held: Vec<_> = (0..40)
        .map(|_| {
            let mut client = Client::connect(&server);
            assert_eq!(client.get("/").status, 200);
            client
        })
        .collect();
    place.write("ravelin.toml", config("connections = 20"));
    assert!(server.reload().contains("reloaded: "));
    server.assert_serves_others();
    server.wait_said(0, "the connection limit is reached");
    let longest_idle = held.drain(..20);
    for mut client in longest_idle {
        assert!(client.try_response().unwrap().is_none());
    }
    for client in &mut held[5..] {
        assert_eq!(client.get("/").status, 200);
    }
}

#[test]
fn the_longest_idle_connection_makes_room_where_there_are_too_many() {
    let server = Setup::new()
        .server("workers = 1")
        .limit("connections", "20")
        .start();
    let mut held: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Client::connect(&server);
            assert_eq!(client.get("/index.html").status, 200);
            client
        })
        .collect();
    for _ in 0..30 {
        server.assert_serves_others();
    }
    server.wait_said(0, "the connection limit is reached");
    // The first went without an error: it is closed as any idle connection is.
    assert!(held.remove(0).try_response().unwrap().is_none());
    assert!(
        server.said().matches("the connection limit").count() < 10,
        "an attacker writes the log: {}",
        server.said()
    );
}

#[test]
fn file_descriptors_that_run_out_are_said_and_waited_for() {
    let server = Setup::new()
        .server("workers = 1")
        .before("ulimit -n 64")
        .start();
    // Silent clients hold every descriptor, and more wait in the queue.
    let held: Vec<_> = (0..150).map(|_| server.tcp()).collect();
    server.wait_said(0, "file descriptors");
    let before = server.cpu_time();
    std::thread::sleep(Duration::from_secs(1));
    let burnt = server.cpu_time().saturating_sub(before);
    assert!(
        burnt < Duration::from_millis(300),
        "{burnt:?} of CPU in a second of waiting"
    );
    assert!(
        server.said().contains("ulimit -n"),
        "no way out is told: {}",
        server.said()
    );
    assert!(
        server.said().matches("file descriptors").count() < 10,
        "an attacker writes the log: {}",
        server.said()
    );
    drop(held);
    server.assert_serves_others();
}

#[test]
fn idle_connections_make_room_where_file_descriptors_run_out() {
    let server = Setup::new()
        .server("workers = 1")
        .before("ulimit -n 64")
        .start();
    let held: Vec<_> = (0..30)
        .map(|_| {
            let mut client = Client::connect(&server);
            assert_eq!(client.get("/index.html").status, 200);
            client
        })
        .collect();
    for _ in 0..60 {
        server.assert_serves_others();
    }
    drop(held);
    server.assert_serves_others();
}
