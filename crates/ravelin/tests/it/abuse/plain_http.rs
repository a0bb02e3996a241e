//! Plain HTTP where HTTPS is spoken: the client is told where to go, in text that cannot harm it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::client::is_cut;
use crate::server::{Server, Setup};

/// All that comes back until the server closes.
fn read(mut tcp: TcpStream) -> String {
    let mut answer = Vec::new();
    match tcp.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if is_cut(&error) => {}
        Err(error) => panic!("the connection stays open: {error}"),
    }
    String::from_utf8(answer).unwrap()
}

fn answer_to(server: &Server, request: &str) -> String {
    let mut tcp = server.tcp();
    tcp.write_all(request.as_bytes()).unwrap();
    read(tcp)
}

#[test]
fn plain_http_is_answered_400_with_the_https_link() {
    let server = Setup::new().start();
    let port = server.address().port();
    let answer = answer_to(
        &server,
        &format!("GET /a?b=c HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
    );
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains(&format!("https://localhost:{port}/a?b=c\n")),
        "{answer}"
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("Content-Length: {}\r\n", body.len())),
        "{answer}"
    );
    // In pieces too.
    let mut tcp = server.tcp();
    for byte in format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").bytes() {
        tcp.write_all(&[byte]).unwrap();
    }
    assert!(read(tcp).contains(&format!("https://localhost:{port}/\n")));
    server.assert_serves_others();
}

#[test]
fn plain_http_gets_nothing_of_its_own_back_that_means_something_to_a_page_or_a_terminal() {
    let server = Setup::new().start();
    for request in [
        "GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\n\r\n",
        "GET /<script> HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \x1b[2Jx\r\n\r\n",
        "GET /\x1b]0;x\x07 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\" onmouseover=x b\r\n\r\n",
        "GET /\nSet-Cookie: a=b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET javascript:alert(1) HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = answer_to(&server, request);
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        for echo in [
            "script",
            "\x1b",
            "\x07",
            "onmouseover",
            "Set-Cookie",
            "javascript",
        ] {
            assert!(!answer.contains(echo), "{echo:?} comes back: {answer}");
        }
        assert!(answer.contains("https://"), "{answer}");
    }
}

#[test]
fn half_a_plain_request_is_answered_too() {
    let server = Setup::new().limit("handshake_timeout", "\"1s\"").start();
    // One that ends in the middle.
    let mut tcp = server.tcp();
    tcp.write_all(b"GET / HTT").unwrap();
    tcp.shutdown(Shutdown::Write).unwrap();
    assert!(read(tcp).starts_with("HTTP/1.1 400 Bad Request\r\n"));
    // And one that goes silent: when the time for a handshake is over.
    let answer = answer_to(&server, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer:?}"
    );
    server.assert_serves_others();
}

#[test]
fn a_long_plain_request_does_not_lose_its_answer_to_a_reset() {
    let server = Setup::new().start();
    for _ in 0..10 {
        let mut tcp = server.tcp();
        let body = "x".repeat(100_000);
        let request =
            format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{body}");
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)
            .expect("the answer, and then a decent end");
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
    }
    // One that never ends is not read for ever.
    let mut tcp = server.tcp();
    let piece = vec![b'x'; 64 * 1024];
    let cut = (0..1000).find_map(|_| tcp.write_all(&piece).err());
    // It began with a lower-case letter, so it is no HTTP; the same with a method in front.
    assert!(cut.is_some());
    let mut tcp = server.tcp();
    tcp.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let cut = (0..1000).find_map(|_| tcp.write_all(&piece).err());
    assert!(cut.is_some(), "64 MiB of a plain request were read");
    server.assert_serves_others();
}
