//! HTTP/1.1 requests that two parsers could read differently, and headers without end, over real
//! connections: the refusal must arrive, and the connection must end there.

use std::io::Write;

use crate::client::{Client, is_cut};
use crate::server::{Server, Setup};

/// Checks that `request` is refused with `status` and the connection then closed, whatever is
/// sent behind it.
fn assert_refused(server: &Server, request: impl AsRef<[u8]>, status: u16) {
    let request = request.as_ref();
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
    let mut client = Client::connect(server);
    let smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send([request, &smuggled[..]].concat());
    let response = client
        .try_response()
        .unwrap_or_else(|error| panic!("{shown:?}: {error}"))
        .unwrap_or_else(|| panic!("{shown:?}: closed without an answer"));
    assert_eq!(response.status, status, "{shown:?}: {}", response.text());
    assert!(
        response.text().starts_with(&status.to_string()),
        "{shown:?}: {}",
        response.text()
    );
    client.assert_closed();
}

fn with_fields(fields: &str) -> String {
    format!("POST /index.html HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

#[test]
fn requests_with_two_lengths_are_refused() {
    let server = Setup::new().start();
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
        assert_refused(&server, with_fields(fields), 400);
    }
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
    ] {
        assert_refused(&server, with_fields(fields), 501);
    }
    assert_refused(
        &server,
        "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    );
    server.assert_serves_others();
}

#[test]
fn header_lines_that_parsers_disagree_on_are_refused() {
    let server = Setup::new().start();
    for request in [
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX Y: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX\t: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX\0: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: \x1b[2J\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: localhost\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        assert_refused(&server, request, 400);
    }
    server.assert_serves_others();
}

#[test]
fn versions_that_are_not_spoken_are_refused() {
    let server = Setup::new().start();
    for version in [
        "HTTP/3.0",
        "HTTP/2.0",
        "HTTP/1.2",
        "HTTP/0.9",
        "HTTP/1",
        "HTTP/1.10",
    ] {
        assert_refused(
            &server,
            format!("GET / {version}\r\nHost: localhost\r\n\r\n"),
            505,
        );
    }
    // HTTP/0.9 has no version at all.
    assert_refused(&server, "GET /\r\n\r\n", 400);
    assert_refused(&server, "GET / http/1.1\r\nHost: localhost\r\n\r\n", 400);
    assert_refused(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

#[test]
fn headers_that_are_too_much_are_answered_431_and_not_kept() {
    let server = Setup::new().start();
    server.assert_memory_bounded(8, || {
        let one = format!("X: {}\r\n", "a".repeat(40 * 1024));
        assert_refused(&server, with_fields(&one), 431);
        let fields = "X: a\r\n".repeat(100);
        assert_refused(&server, with_fields(&fields), 431);
        let exactly = Client::connect(&server).ask(format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            "X: a\r\n".repeat(99)
        ));
        assert_eq!(exactly.status, 200);
        let target = "a".repeat(40 * 1024);
        assert_refused(
            &server,
            format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            431,
        );

        // Headers that never end, from a client that does not stop to listen: it is cut off, and
        // the answer is there to be read.
        let mut client = Client::connect(&server);
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
        let line = format!("X: {}\r\n", "a".repeat(1000)).repeat(16);
        let cut = (0..4000).find_map(|_| client.try_send(&line).err());
        assert!(is_cut(&cut.expect("64 MiB of headers were taken")));
        assert_eq!(client.response().status, 431);
    });
    server.assert_serves_others();
}

#[test]
fn a_limit_of_fields_that_was_raised_holds() {
    let server = Setup::new()
        .limit("header_fields", "300")
        .limit("header_bytes", "\"64KiB\"")
        .start();
    let ask = |n: usize, length: usize| {
        let fields = format!("X: {}\r\n", "a".repeat(length)).repeat(n);
        Client::connect(&server)
            .ask(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"))
            .status
    };
    assert_eq!(ask(299, 1), 200);
    assert_eq!(ask(300, 1), 431);
    assert_eq!(ask(60, 1000), 200);
}

#[test]
fn chunks_that_parsers_disagree_on_cut_the_connection() {
    let server = Setup::new().start();
    let head = "POST /index.html HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let smuggled = "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let long_extension = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(100_000));
    let trailers = format!("0\r\n{}\r\n", "T: x\r\n".repeat(10_000));
    for chunks in [
        "g\r\n\r\n",
        "-1\r\n\r\n",
        "+1\r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "1 \r\na\r\n0\r\n\r\n",
        "1\na\n0\n\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "\r\n",
        "fffffffffffffffff\r\n",
        "1;\0\r\na\r\n0\r\n\r\n",
        "1;a\nb\r\na\r\n0\r\n\r\n",
        "0\r\nT: x\n\r\n",
        "0\r\n folded\r\n\r\n",
        &long_extension,
        &trailers,
    ] {
        let mut client = Client::connect(&server);
        client.send(head);
        // The head alone may have been answered (405) and the connection closed.
        let _ = client.try_send(format!("{chunks}{smuggled}"));
        let all = String::from_utf8_lossy(&client.rest()).into_owned();
        assert!(
            !all.contains("HTTP/1.1 200"),
            "{:?}: {all}",
            &chunks[..chunks.len().min(80)]
        );
    }
    server.assert_serves_others();
}

#[test]
fn a_good_request_before_a_bad_one_is_answered_and_the_bad_one_refused() {
    let server = Setup::new().start();
    let good = "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let bad = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n";
    for after in [0, 200, 4000] {
        let mut client = Client::connect(&server);
        client.send(format!("{good}{bad}{}", good.repeat(after)));
        assert_eq!(client.response().text(), "hello\n");
        assert_eq!(client.response().status, 400);
        client.assert_closed();
    }
    server.assert_serves_others();
}

#[test]
fn a_refusal_reaches_a_client_that_goes_on_sending() {
    let server = Setup::new().start();
    let mut client = Client::connect(&server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\n");
    let piece = [b'a'; 16 * 1024];
    // Up to 64 MiB: the server must not take it all.
    let cut = (0..4000).find_map(|_| client.try_send(piece).err());
    assert!(is_cut(&cut.expect("a refused client could send 64 MiB")));
    assert_eq!(client.response().status, 400);

    // Less than what the server is ready to overhear: no reset at all.
    for _ in 0..10 {
        let mut client = Client::connect(&server);
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\n");
        for _ in 0..8 {
            client.send(piece);
        }
        client.tls.conn.send_close_notify();
        client.tls.flush().unwrap();
        client.tls.sock.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(client.response().status, 400);
        client.assert_closed();
    }
    server.assert_serves_others();
}

#[test]
fn an_upgrade_that_is_not_taken_holds_up_nothing_behind_it() {
    let server = Setup::new().start();
    let mut client = Client::connect(&server);
    let upgrade = "GET /index.html HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n\
                   Upgrade: websocket\r\n\r\n";
    client.send(upgrade.repeat(3));
    for _ in 0..3 {
        assert_eq!(client.response().text(), "hello\n");
    }
    // What comes behind is judged as ever.
    client.send("GET / HTTP/1.1\nHost: localhost\n\n");
    assert_eq!(client.response().status, 400);
    client.assert_closed();
}

#[test]
fn a_flood_of_empty_lines_costs_no_more_than_other_headers() {
    let server = Setup::new().start();
    server.assert_serves_others();
    let before = server.cpu_time();
    for _ in 0..5 {
        // Ignored before a request (RFC 9112, section 2.2), but not without end.
        assert_refused(&server, "\r\n".repeat(20 * 1024), 431);
    }
    let spent = server.cpu_time().saturating_sub(before);
    assert!(
        spent < std::time::Duration::from_millis(500),
        "{spent:?} of CPU for 200 KiB"
    );
}
