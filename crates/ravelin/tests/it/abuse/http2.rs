//! HTTP/2 frames that are wrong, or too many: the connection is told why and closed, and the others
//! go on.

use std::io::{Read as _, Write as _};

use crate::client::http2::{
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, End,
    FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, HEADERS, Http2, PING, PRIORITY, PROTOCOL_ERROR,
    RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, block, frame, get, headers,
    headers_of_body,
};
use crate::server::{Server, Setup};

/// Frames in pieces of about a TLS record, `count` of them.
fn many(count: u32, make: impl Fn(u32) -> Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    (0..count)
        .step_by(256)
        .map(move |from| (from..count.min(from + 256)).flat_map(&make).collect())
}

/// Checks that a flood ends with `ENHANCE_YOUR_CALM`, costs little memory and disturbs nobody.
fn assert_calmed(pieces: impl Iterator<Item = Vec<u8>>) {
    let server = Setup::new().start();
    server.assert_memory_bounded(16, || {
        let mut client = Http2::connect(&server);
        assert_eq!(client.goodbye_to(pieces), ENHANCE_YOUR_CALM);
        client.assert_closed();
    });
    server.assert_serves_others();
}

#[test]
fn a_rapid_reset_is_calmed() {
    assert_calmed(many(10_000, |n| {
        let stream = 2 * n + 1;
        [
            headers(stream, &get("/index.html")),
            frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()),
        ]
        .concat()
    }));
}

#[test]
fn a_rapid_reset_of_requests_that_take_a_while_is_calmed() {
    let server = Setup::new().folder(with_large_file).start();
    server.assert_memory_bounded(16, || {
        let mut client = Http2::connect(&server);
        // One at a time, so that each is begun before it is reset.
        let pieces = (0..10_000).map(|n| {
            let stream = 2 * n + 1;
            [
                headers(stream, &get("/large.bin")),
                frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()),
            ]
            .concat()
        });
        let seen = client.flood(pieces);
        let data: usize = seen
            .iter()
            .filter(|frame| frame.kind == DATA)
            .map(|frame| frame.payload.len())
            .sum();
        assert!(
            data < 1 << 20,
            "{data} bytes were sent to streams that were reset"
        );
        server.assert_serves_others();
    });
}

#[test]
fn frames_that_make_us_reset_streams_are_calmed() {
    let server = Setup::new().folder(with_large_file).start();
    server.assert_memory_bounded(16, || {
        let mut client = Http2::connect(&server);
        // Each of these is an error of a stream that is being answered, and has to be reset by us
        // (CVE-2025-8671): the client never resets anything.
        let pieces = (0..10_000).map(|n| {
            let stream = 2 * n + 1;
            let beyond = frame(WINDOW_UPDATE, 0, stream, &0x7fff_ffff_u32.to_be_bytes());
            [headers(stream, &get("/large.bin")), beyond].concat()
        });
        assert_eq!(client.goodbye_to(pieces), ENHANCE_YOUR_CALM);
        client.assert_closed();
    });
    server.assert_serves_others();
}

fn with_large_file(folder: &std::path::Path) {
    let file = std::fs::File::create(folder.join("public/large.bin")).unwrap();
    file.set_len(64 << 20).unwrap();
}

#[test]
fn a_client_that_ends_its_own_side_gets_its_answer_and_an_end() {
    let server = Setup::new().folder(with_large_file).start();
    let large = 0x7000_0000_u32;
    let mut client = Http2::connect_with(&server, &[(4, large)]);
    let request = headers(1, &get("/large.bin"));
    client.send(&[frame(WINDOW_UPDATE, 0, 0, &large.to_be_bytes()), request].concat());
    client.tls.conn.send_close_notify();
    client.tls.flush().unwrap();
    let mut received = 0;
    while let Some(frame) = client.next() {
        if frame.kind == DATA {
            received += frame.payload.len();
        }
    }
    assert_eq!(received, 64 << 20);
    // With a close_notify: a cut would be an error.
    let end = crate::client::read(&mut client.tls, &mut [0]);
    assert_eq!(end.unwrap(), 0);
}

#[test]
fn a_continuation_flood_is_calmed() {
    let first = frame(HEADERS, END_STREAM, 1, &block(&get("/index.html")));
    let more = many(10_000, |_| {
        frame(CONTINUATION, 0, 1, &block(&[("x", &"a".repeat(100))]))
    });
    assert_calmed(std::iter::once(first).chain(more));
}

#[test]
fn a_flood_of_empty_continuations_is_calmed() {
    let first = frame(HEADERS, END_STREAM, 1, &block(&get("/index.html")));
    let more = many(100_000, |_| frame(CONTINUATION, 0, 1, &[]));
    assert_calmed(std::iter::once(first).chain(more));
}

#[test]
fn a_ping_flood_is_calmed() {
    assert_calmed(many(100_000, |n| {
        frame(PING, 0, 0, &u64::from(n).to_be_bytes())
    }));
}

#[test]
fn a_flood_of_ping_answers_that_nobody_asked_for_is_calmed() {
    assert_calmed(many(100_000, |n| {
        frame(PING, ACK, 0, &u64::from(n).to_be_bytes())
    }));
}

#[test]
fn a_settings_flood_is_calmed() {
    assert_calmed(many(100_000, |_| {
        frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])
    }));
}

#[test]
fn a_priority_flood_is_calmed() {
    assert_calmed(many(100_000, |n| {
        frame(PRIORITY, 0, 2 * n + 1, &[0, 0, 0, 0, 15])
    }));
}

#[test]
fn a_window_update_flood_is_calmed() {
    assert_calmed(many(100_000, |n| {
        // Up and not beyond the largest window.
        frame(WINDOW_UPDATE, 0, 0, &(1 + n % 2).to_be_bytes())
    }));
}

#[test]
fn a_flood_of_unknown_frames_is_calmed() {
    assert_calmed(many(100_000, |n| frame(0xbe, 0, n % 7, b"what?")));
}

#[test]
fn a_flood_of_empty_data_is_calmed() {
    let open = headers_of_body(1, &get("/index.html"));
    let more = many(100_000, |_| frame(DATA, 0, 1, &[]));
    assert_calmed(std::iter::once(open).chain(more));
}

#[test]
fn a_flood_of_data_on_a_closed_stream_ends_the_connection() {
    let server = Setup::new().start();
    server.assert_memory_bounded(16, || {
        let mut client = Http2::connect(&server);
        client.send(&headers(1, &get("/index.html")));
        let code = client.goodbye_to(many(20_000, |_| frame(DATA, 0, 1, &[0; 1000])));
        assert!(
            [
                STREAM_CLOSED,
                FLOW_CONTROL_ERROR,
                ENHANCE_YOUR_CALM,
                PROTOCOL_ERROR
            ]
            .contains(&code),
            "{code}"
        );
    });
    server.assert_serves_others();
}

#[test]
fn more_streams_than_allowed_are_refused_and_take_little_memory() {
    let server = Setup::new().limit("http2_streams", "10").start();
    server.assert_memory_bounded(16, || {
        let mut client = Http2::connect(&server);
        // Bodies are announced and never come, so none of these would end by itself.
        let pieces = many(20_000, |n| {
            let fields = [&get("/index.html")[1..], &[(":method", "POST")]].concat();
            headers_of_body(2 * n + 1, &fields)
        });
        let seen = client.flood(pieces);
        let refused = seen
            .iter()
            .any(|frame| frame.kind == RST_STREAM || frame.kind == 7);
        assert!(refused, "nothing was refused");
    });
    server.assert_serves_others();
}

/// What the server does about `fields` as the first request of a connection.
fn asked(server: &Server, fields: &[(&str, &str)]) -> End {
    Http2::connect(server).ask(1, fields)
}

#[test]
fn malformed_requests_are_reset() {
    let server = Setup::new().start();
    let [method, scheme, authority, path] = get("/index.html");
    for fields in [
        &[scheme, authority, path][..],
        &[method, authority, path],
        &[method, scheme, authority],
        &[method, method, scheme, authority, path],
        &[method, scheme, authority, path, path],
        &[method, scheme, authority, (":path", "")],
        &[method, scheme, authority, (":path", "no-slash")],
        &[method, scheme, authority, path, (":status", "200")],
        &[method, scheme, authority, path, (":unknown", "x")],
        &[method, scheme, authority, ("x", "y"), path],
        &[method, scheme, authority, path, ("X-Upper", "y")],
        &[method, scheme, authority, path, ("x y", "z")],
        &[method, scheme, authority, path, ("", "z")],
        &[method, scheme, authority, path, ("x", "a\r\nb: c")],
        &[method, scheme, authority, path, ("x", "a\0b")],
        &[method, scheme, authority, path, ("connection", "close")],
        &[
            method,
            scheme,
            authority,
            path,
            ("transfer-encoding", "chunked"),
        ],
        &[method, scheme, authority, path, ("upgrade", "websocket")],
        &[method, scheme, authority, path, ("te", "gzip")],
        &[method, scheme, authority, path, ("content-length", "5")],
        &[("", "GET"), scheme, authority, path],
        &[(":method", "G T"), scheme, authority, path],
    ] {
        let end = asked(&server, fields);
        let refused = matches!(
            end,
            End::Reset(1, PROTOCOL_ERROR)
                | End::GoAway(PROTOCOL_ERROR | COMPRESSION_ERROR)
                | End::Status(1, 400)
        );
        assert!(refused, "{fields:?}: {end:?}");
    }
    // The connection lives on after a stream error.
    let mut client = Http2::connect(&server);
    assert_eq!(
        client.ask(1, &[method, scheme, authority, path, ("te", "gzip")]),
        End::Reset(1, PROTOCOL_ERROR)
    );
    assert_eq!(client.ask(3, &get("/index.html")), End::Status(3, 200));
    server.assert_serves_others();
}

#[test]
fn header_lists_that_are_too_much_are_refused() {
    let server = Setup::new().start();
    server.assert_memory_bounded(16, || {
        let value = "a".repeat(1000);
        let large: Vec<_> = std::iter::repeat_n(("x", value.as_str()), 40).collect();
        let end = large_request(&server, &large);
        assert!(
            matches!(end, End::Status(1, 431) | End::Reset(1, _)),
            "{end:?}"
        );
        let many: Vec<_> = std::iter::repeat_n(("x", "y"), 101).collect();
        assert_eq!(large_request(&server, &many), End::Status(1, 431));
    });
    server.assert_serves_others();
}

/// Sends a request whose fields may not fit one frame.
fn large_request(server: &Server, fields: &[(&str, &str)]) -> End {
    let block = block(&[&get("/index.html")[..], fields].concat());
    let mut client = Http2::connect(server);
    let mut frames = Vec::new();
    let pieces: Vec<_> = block.chunks(16_000).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let end = if at + 1 == pieces.len() {
            END_HEADERS
        } else {
            0
        };
        let (kind, flags) = if at == 0 {
            (HEADERS, END_STREAM | end)
        } else {
            (CONTINUATION, end)
        };
        frames.extend(frame(kind, flags, 1, piece));
    }
    client.send(&frames);
    client.outcome()
}

#[test]
fn a_header_bomb_is_refused_before_it_unfolds() {
    let server = Setup::new().start();
    server.assert_memory_bounded(16, || {
        let mut client = Http2::connect(&server);
        // A field of 4,000 bytes goes into the dynamic table (RFC 7541, section 6.2.1)...
        let mut bomb = block(&get("/index.html"));
        bomb.extend([0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
        bomb.extend([b'a'; 4000]);
        // ...and one byte each brings it back: 48 MB of headers in 12 KB.
        bomb.extend([0xbe; 12_000]);
        let pieces = many(2000, |n| headers_frame(2 * n + 1, &bomb));
        let seen = client.flood(pieces);
        let refused = seen
            .iter()
            .any(|frame| frame.kind == HEADERS || frame.kind == RST_STREAM || frame.kind == 7);
        assert!(refused || client.outcome() != End::Cut);
    });
    server.assert_serves_others();
}

fn headers_frame(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
}

#[test]
fn header_blocks_that_cannot_be_read_end_the_connection() {
    let server = Setup::new().start();
    for block in [
        // An index beyond both tables, index 0, an integer without end, a string that is cut off,
        // Huffman code with EOS in it, a table larger than allowed.
        &[0xff, 0xff, 0x7f][..],
        &[0x80],
        &[
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f,
        ],
        &[0x00, 5, b'a'],
        &[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
        &[0x3f, 0xff, 0xff, 0xff, 0x0f],
    ] {
        let mut client = Http2::connect(&server);
        client.send(&headers_frame(1, block));
        let code = client.goodbye();
        assert!(
            [COMPRESSION_ERROR, PROTOCOL_ERROR].contains(&code),
            "{block:02x?}: {code}"
        );
    }
    server.assert_serves_others();
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn frames_against_the_rules_end_the_connection() {
    let server = Setup::new().start();
    let request = |stream| headers(stream, &get("/index.html"));
    let cases: Vec<(&str, Vec<u8>, &[u32])> = vec![
        (
            "a window update of 0",
            frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
            &[PROTOCOL_ERROR],
        ),
        (
            "a window beyond 2^31",
            frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()),
            &[FLOW_CONTROL_ERROR],
        ),
        (
            "an initial window beyond 2^31",
            frame(SETTINGS, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff]),
            &[FLOW_CONTROL_ERROR, PROTOCOL_ERROR],
        ),
        (
            "a frame size that may not be",
            frame(SETTINGS, 0, 0, &[0, 5, 0, 0, 0, 1]),
            &[PROTOCOL_ERROR],
        ),
        (
            "settings of a strange length",
            frame(SETTINGS, 0, 0, &[0; 5]),
            &[FRAME_SIZE_ERROR, PROTOCOL_ERROR],
        ),
        (
            "settings on a stream",
            frame(SETTINGS, 0, 1, &[0; 6]),
            &[PROTOCOL_ERROR],
        ),
        (
            "an acknowledgement with content",
            frame(SETTINGS, ACK, 0, &[0; 6]),
            &[FRAME_SIZE_ERROR, PROTOCOL_ERROR],
        ),
        (
            "a ping of a strange length",
            frame(PING, 0, 0, &[0; 7]),
            &[FRAME_SIZE_ERROR, PROTOCOL_ERROR],
        ),
        (
            "a ping on a stream",
            frame(PING, 0, 1, &[0; 8]),
            &[PROTOCOL_ERROR],
        ),
        (
            "a frame longer than allowed",
            frame(DATA, 0, 1, &[0; 20_000]),
            &[FRAME_SIZE_ERROR],
        ),
        (
            "data on no stream",
            frame(DATA, 0, 0, &[0; 5]),
            &[PROTOCOL_ERROR],
        ),
        (
            "data on a stream that is not open",
            frame(DATA, 0, 1, &[0; 5]),
            &[PROTOCOL_ERROR, STREAM_CLOSED],
        ),
        (
            "a reset of a stream that is not open",
            frame(RST_STREAM, 0, 1, &[0; 4]),
            &[PROTOCOL_ERROR],
        ),
        ("headers on an even stream", request(2), &[PROTOCOL_ERROR]),
        ("headers on no stream", request(0), &[PROTOCOL_ERROR]),
        (
            "a stream below an earlier one",
            [request(5), request(3)].concat(),
            &[PROTOCOL_ERROR, STREAM_CLOSED],
        ),
        (
            "a continuation of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &[]),
            &[PROTOCOL_ERROR],
        ),
        (
            "another frame within a header block",
            [
                frame(HEADERS, END_STREAM, 1, &block(&get("/"))),
                frame(PING, 0, 0, &[0; 8]),
            ]
            .concat(),
            &[PROTOCOL_ERROR],
        ),
        (
            "a continuation of another stream",
            [
                frame(HEADERS, END_STREAM, 1, &block(&get("/"))),
                frame(CONTINUATION, END_HEADERS, 3, &[]),
            ]
            .concat(),
            &[PROTOCOL_ERROR],
        ),
        (
            "padding longer than the frame",
            frame(DATA, 8, 1, &[255, 0]),
            &[PROTOCOL_ERROR],
        ),
        (
            "a pushed stream",
            frame(5, END_HEADERS, 1, &[0, 0, 0, 2]),
            &[PROTOCOL_ERROR],
        ),
    ];
    for (what, frames, codes) in cases {
        let mut client = Http2::connect(&server);
        client.settle();
        client.send(&frames);
        let code = client.goodbye();
        assert!(codes.contains(&code), "{what}: {code}");
        client.assert_closed();
    }
    server.assert_serves_others();
}

#[test]
fn a_connection_without_the_preface_is_closed() {
    let server = Setup::new().start();
    let mut tls = crate::client::handshake(server.tcp(), "localhost", b"h2").unwrap();
    tls.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let ended = tls.read_to_end(&mut answer);
    assert!(
        ended.as_ref().map_or_else(crate::client::is_cut, |_| true),
        "{ended:?}"
    );
    server.assert_serves_others();
}
