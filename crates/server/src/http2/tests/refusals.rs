//! What a client gets that does not, or that asks for more than any needs.

use super::*;

#[test]
fn a_length_that_is_not_true_resets_the_stream() {
    for bytes in [
        data(1, b"123456", false),
        data(1, b"1234", true),
        framed(kind::HEADERS, 5, 1, &block(&[("a", "b")])),
        framed(kind::HEADERS, 4, 1, &block(&[("a", "b")])),
    ] {
        let mut client = Client::new();
        client.send(&post(1, "/echo", &[("content-length", "5")]));
        assert_eq!(client.ask(&bytes), [Said::Reset(1, Code::Protocol as u32)]);
        assert!(client.session.is_idle());
    }
}

#[test]
fn rapid_resets_and_provoked_resets_end_the_connection() {
    let reset = |id| framed(kind::RST_STREAM, 0, id, &[0, 0, 0, 8]);
    let provoke = |id| window(id, 0);
    for (path, provoked) in [("/hello", false), ("/never", false), ("/never", true)] {
        let attack = |id| if provoked { provoke(id) } else { reset(id) };
        let mut client = Client::new();
        let mut asked = 0;
        let code = loop {
            let id = asked * 2 + 1;
            asked += 1;
            assert!(asked < 400, "{path}");
            let said = client.ask(&[get(id, path), attack(id)].concat());
            if let Some(Said::GoAway(_, code)) = said.last() {
                break *code;
            }
        };
        assert_eq!(code, Code::EnhanceYourCalm as u32);
        assert!(client.session.is_over() && asked > 200);
    }
}

#[test]
fn floods_of_small_frames_end_the_connection() {
    let floods = [
        framed(kind::PING, 0, 0, &[0; 8]),
        framed(kind::SETTINGS, 0, 0, &[]),
        framed(kind::PRIORITY, 0, 1, &[0; 5]),
        window(0, 1),
        data(1, b"", false),
        framed(99, 0, 0, &[0; 1000]),
    ];
    for flood in floods {
        let mut client = Client::new();
        client.send(&post(1, "/never", &[]));
        let many = flood.repeat(1 + 2_000_000 / 9);
        let said = client.ask(&many);
        assert_eq!(
            said.last(),
            Some(&Said::GoAway(1, Code::EnhanceYourCalm as u32))
        );
        assert!(client.session.is_over());
    }
}

#[test]
fn a_header_block_comes_in_pieces_and_ends() {
    let fields = block(&request_fields("GET", "/hello"));
    let mut client = Client::new();
    let mut bytes = framed(kind::HEADERS, flag::END_STREAM, 1, &fields[..10]);
    bytes.extend(framed(kind::CONTINUATION, 0, 1, &[]));
    bytes.extend(framed(
        kind::CONTINUATION,
        flag::END_HEADERS,
        1,
        &fields[10..],
    ));
    assert_eq!(
        client.ask(&bytes),
        [Said::Head(1, false), Said::Data(1, 5, true)]
    );

    let long = vec![0; 16_000];
    for piece in [&[][..], &long] {
        let mut client = Client::new();
        client.send(&framed(kind::HEADERS, flag::END_STREAM, 1, &fields));
        let many = framed(kind::CONTINUATION, 0, 1, piece).repeat(200);
        assert_eq!(
            client.ask(&many),
            [Said::GoAway(1, Code::EnhanceYourCalm as u32)]
        );
    }
}

#[test]
fn too_many_fields_are_answered_431_and_the_next_request_is_well() {
    let mut client = Client::new();
    // To be indexed: what was too much for the request still counts for the table.
    let mut fields = block(&request_fields("GET", "/hello"));
    fields.extend([&b"\x40\x01a\x01b"[..], &[0xbe; 200]].concat());
    let flags = flag::END_HEADERS | flag::END_STREAM;
    let said = client.ask(&framed(kind::HEADERS, flags, 1, &fields));
    assert!(
        matches!(said[..], [Said::Head(1, false), Said::Data(1, _, true)]),
        "{said:?}"
    );
    let mut fields = block(&request_fields("GET", "/hello"));
    fields.push(0xbe);
    let said = client.ask(&framed(kind::HEADERS, flags, 3, &fields));
    assert_eq!(said, [Said::Head(3, false), Said::Data(3, 5, true)]);
    assert_eq!(client.app.seen.borrow().len(), 1);
}

#[test]
fn streams_over_the_limit_are_refused() {
    let mut client = Client::new();
    for n in 0..128 {
        assert_eq!(client.ask(&get(2 * n + 1, "/never")), []);
    }
    assert_eq!(
        client.ask(&get(257, "/hello")),
        [Said::Reset(257, Code::RefusedStream as u32)]
    );
    client.send(&framed(kind::RST_STREAM, 0, 3, &[0; 4]));
    assert_eq!(client.ask(&get(259, "/hello")).len(), 2);
}

#[test]
fn a_switch_of_protocols_is_left_to_http1() {
    let mut client = Client::new();
    assert_eq!(
        client.ask(&get(1, "/switch")),
        [Said::Reset(1, Code::Http11Required as u32)]
    );
}

#[test]
fn errors_of_the_connection_end_it() {
    use Code::{Compression, FlowControl, FrameSize, Protocol};
    let setting = |id: u8, value: u32| {
        let payload = [[0, id].as_slice(), &value.to_be_bytes()].concat();
        framed(kind::SETTINGS, 0, 0, &payload)
    };
    for (code, bytes) in [
        (FrameSize, framed(kind::DATA, 0, 1, &vec![0; 16_385])),
        (FrameSize, framed(kind::SETTINGS, 0, 0, &[0; 5])),
        (FrameSize, framed(kind::SETTINGS, flag::ACK, 0, &[0; 6])),
        (FrameSize, framed(kind::PING, 0, 0, &[0; 7])),
        (FrameSize, framed(kind::WINDOW_UPDATE, 0, 0, &[0; 3])),
        (FrameSize, framed(kind::RST_STREAM, 0, 1, &[0; 3])),
        (FrameSize, framed(kind::PRIORITY, 0, 1, &[0; 4])),
        (FrameSize, framed(kind::GOAWAY, 0, 0, &[0; 7])),
        (
            FrameSize,
            framed(kind::HEADERS, flag::PRIORITY | 5, 1, &[0; 4]),
        ),
        (Protocol, framed(kind::SETTINGS, 0, 1, &[])),
        (Protocol, framed(kind::PING, 0, 1, &[0; 8])),
        (Protocol, framed(kind::GOAWAY, 0, 1, &[0; 8])),
        (Protocol, framed(kind::PRIORITY, 0, 0, &[0; 5])),
        (Protocol, data(0, b"x", false)),
        (Protocol, data(1, b"x", false)),
        (Protocol, get(0, "/hello")),
        (Protocol, get(2, "/hello")),
        (Protocol, framed(kind::RST_STREAM, 0, 1, &[0; 4])),
        (Protocol, framed(kind::RST_STREAM, 0, 0, &[0; 4])),
        (Protocol, window(1, 1)),
        (Protocol, window(0, 0)),
        (Protocol, framed(kind::PUSH_PROMISE, 4, 1, &[0; 4])),
        (Protocol, framed(kind::CONTINUATION, 4, 1, &[])),
        (
            Protocol,
            [
                framed(kind::HEADERS, 1, 1, &[]),
                framed(kind::PING, 0, 0, &[0; 8]),
            ]
            .concat(),
        ),
        (
            Protocol,
            framed(kind::HEADERS, flag::PADDED | 5, 1, &[3, 0, 0]),
        ),
        (Protocol, setting(2, 2)),
        (Protocol, setting(5, 100)),
        (Protocol, setting(5, 1 << 24)),
        (FlowControl, setting(4, 1 << 31)),
        (FlowControl, window(0, MAX_WINDOW)),
        (Compression, framed(kind::HEADERS, 5, 1, &[0xff, 0xff])),
    ] {
        let mut client = Client::new();
        let said = client.ask(&bytes);
        let Some(Said::GoAway(_, said)) = said.last() else {
            panic!("{bytes:x?}: {said:?}")
        };
        assert_eq!(*said, code as u32, "{bytes:x?}");
        assert!(client.session.is_over());
        assert_eq!(client.ask(&get(101, "/hello")), []);
    }
}

#[test]
fn an_error_does_not_take_in_streams_behind_the_last() {
    let mut client = Client::new();
    client.send(&post(3, "/never", &[]));
    client.session.conclude();
    client.turn();
    assert_eq!(client.said(), [Said::GoAway(3, 0)]);
    assert_eq!(client.ask(&get(5, "/hello")), []);
    let trailers = framed(kind::HEADERS, 5, 3, &block(&[("a", "b")]));
    assert_eq!(client.ask(&trailers), []);
    let said = client.ask(&window(0, 0));
    assert_eq!(said, [Said::GoAway(3, Code::Protocol as u32)]);
}

#[test]
fn the_preface_and_settings_come_first() {
    let mut client = Client::raw(&Limits::default());
    client.send(b"GET / HTTP/1.1\r\n");
    assert_eq!(client.said().last(), Some(&goaway(Code::Protocol)));
    let mut client = Client::raw(&Limits::default());
    client.send(&[PREFACE, &get(1, "/hello")].concat());
    assert_eq!(client.said().last(), Some(&goaway(Code::Protocol)));
}

#[test]
fn errors_of_a_stream_reset_it_alone() {
    let closed = Code::StreamClosed as u32;
    let protocol = Code::Protocol as u32;
    let malformed = [&request_fields("GET", "/")[..], &[("connection", "close")]].concat();
    let mut client = Client::new();
    let bytes = framed(kind::HEADERS, 5, 1, &block(&malformed));
    assert_eq!(client.ask(&bytes), [Said::Reset(1, protocol)]);
    assert_eq!(client.ask(&get(3, "/hello")).len(), 2);
    assert_eq!(client.ask(&data(3, b"x", true)), [Said::Reset(3, closed)]);
    client.send(&get(5, "/never"));
    assert_eq!(client.ask(&data(5, b"x", true)), [Said::Reset(5, closed)]);
    client.send(&get(7, "/never"));
    assert_eq!(client.ask(&get(7, "/never")), [Said::Reset(7, closed)]);
    client.send(&get(9, "/never"));
    assert_eq!(client.ask(&window(9, 0)), [Said::Reset(9, protocol)]);
    client.send(&get(11, "/never"));
    assert_eq!(
        client.ask(&window(11, MAX_WINDOW)),
        [Said::Reset(11, Code::FlowControl as u32)]
    );
    client.send(&post(13, "/never", &[]));
    let overrun = data(13, &[0; 16_384], false).repeat(17);
    assert_eq!(
        client.ask(&overrun).last(),
        Some(&Said::Reset(13, Code::FlowControl as u32))
    );
    assert_eq!(client.ask(&get(15, "/hello")).len(), 2);
    assert!(client.session.is_idle());
}

#[test]
fn stream_numbers_only_grow() {
    for (second, code) in [(5, Code::StreamClosed), (3, Code::Protocol)] {
        let mut client = Client::new();
        client.send(&get(5, "/hello"));
        client.said();
        assert_eq!(
            client.ask(&get(second, "/hello")),
            [Said::GoAway(5, code as u32)]
        );
    }
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let mut session = Client::new().session;
    let many: Vec<u8> = (0..100_000)
        .flat_map(|n| get(2 * n + 1, "/hello"))
        .collect();
    let taken = session.receive(&many);
    assert!(taken < many.len() && session.output.len() < 70 * 1024);
    assert_eq!(session.receive(&many[taken..]), 0);
}
