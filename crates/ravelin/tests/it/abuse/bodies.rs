//! Request bodies that are too long, or that nobody wants.

use crate::client::http2::{
    DATA, END_STREAM, End, Frame, Http2, RST_STREAM, frame, headers_of_body,
};
use crate::client::{Client, is_cut};
use crate::server::{Server, Setup};

fn server() -> Server {
    Setup::new()
        .sites("[[site.route]]\npath = \"/hello\"\nrespond = { body = \"hello\\n\" }\nbody_limit = \"1KiB\"")
        .start()
}

#[test]
fn an_announced_body_over_the_limit_is_answered_413_without_being_read() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send("POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n");
    let response = client.response();
    assert_eq!(response.status, 413);
    assert_eq!(response.field("connection"), Some("close"));
    // What the client sends all the same is not taken for a request.
    let _ = client.try_send("GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.assert_closed();

    let mut client = Client::connect(&server);
    let within = format!(
        "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1024\r\n\r\n{}",
        "a".repeat(1024)
    );
    assert_eq!(client.ask(within).status, 200);
    assert_eq!(client.get("/index.html").status, 200);
    server.assert_serves_others();
}

#[test]
fn a_client_that_asks_whether_to_send_is_told_no() {
    let server = server();
    let mut client = Client::connect(&server);
    let head = "POST /hello HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length:";
    client.send(format!("{head} 1000000\r\n\r\n"));
    assert_eq!(client.response().status, 413);
    client.assert_closed();
    // Where nobody reads the body the answer comes at once too, and no 100 before it.
    let mut client = Client::connect(&server);
    client.send(format!("{head} 10\r\n\r\n"));
    assert_eq!(client.response().status, 200);
}

#[test]
fn a_body_of_unknown_length_over_the_limit_is_not_swallowed() {
    let server = server();
    server.assert_memory_bounded(8, || {
        let mut client = Client::connect(&server);
        client
            .send("POST /hello HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("4000\r\n{}\r\n", "a".repeat(0x4000));
        let cut = (0..4000).find_map(|_| client.try_send(&chunk).err());
        assert!(is_cut(&cut.expect("64 MiB were taken")));
        let status = client.response().status;
        assert!([200, 413].contains(&status), "{status}");
    });
    server.assert_serves_others();
}

#[test]
fn an_announced_http2_body_over_the_limit_is_answered_413() {
    let server = server();
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/hello"),
        ("content-length", "1000000"),
    ];
    let mut client = Http2::connect(&server);
    client.send(&headers_of_body(1, &fields));
    assert_eq!(client.outcome(), End::Status(1, 413));
    // The stream alone is over.
    assert_eq!(
        client.ask(3, &crate::client::http2::get("/index.html")),
        End::Status(3, 200)
    );
}

#[test]
fn an_http2_body_that_nobody_reads_is_not_swallowed() {
    let server = server();
    server.assert_memory_bounded(8, || {
        let mut client = Http2::connect(&server);
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", "/hello"),
        ];
        // The connection's window has to be known first.
        client.settle();
        client.send(&headers_of_body(1, &fields));
        let data = |_| {
            [
                frame(DATA, 0, 1, &[0; 16_000]),
                frame(DATA, 0, 1, &[0; 384]),
            ]
            .concat()
        };
        let reset = |frame: &Frame| frame.kind == RST_STREAM && frame.stream == 1;
        // A while of it is overheard, since some clients drop the answer with the reset: twice as
        // much as the windows of the connection allow at first.
        let mut seen = Vec::new();
        for _ in 0..2 {
            if !seen.iter().any(reset) {
                seen.extend(client.flood((0..16).map(data)));
                seen.extend(client.settle());
            }
        }
        assert!(
            seen.iter().any(reset),
            "nobody said that the body is not wanted: {seen:?}"
        );
        client.send(&frame(DATA, END_STREAM, 1, &[]));
        // What was sent to no end does not stay in the connection's window.
        for n in 0..100 {
            let stream = 2 * n + 3;
            client.send(&headers_of_body(stream, &fields));
            client.send(&frame(DATA, END_STREAM, stream, &[0; 16_000]));
            client.settle();
        }
        assert_eq!(
            client.ask(1001, &crate::client::http2::get("/index.html")),
            End::Status(1001, 200)
        );
    });
    server.assert_serves_others();
}
