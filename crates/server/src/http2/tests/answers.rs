//! What a client gets that keeps to the protocol.

use super::*;

#[test]
fn a_request_is_answered_at_once() {
    let mut client = Client::new();
    assert_eq!(
        client.ask(&get(1, "/hello")),
        [Said::Head(1, false), Said::Data(1, 5, true)]
    );
    assert_eq!(client.ask(&get(3, "/nothing")), [Said::Head(3, true)]);
    assert_eq!(
        client.ask(&get(5, "/stream")),
        [
            Said::Head(5, false),
            Said::Data(5, 3, false),
            Said::Data(5, 3, false),
            Said::Data(5, 0, true)
        ]
    );
    assert!(client.session.is_idle());
    assert!(client.app.seen.borrow()[0].starts_with("GET https://a.test/hello"));
}

#[test]
fn a_body_whose_last_piece_is_empty_ends() {
    let mut client = Client::new();
    assert_eq!(
        client.ask(&get(1, "/hollow")),
        [
            Said::Head(1, false),
            Said::Data(1, 3, false),
            Said::Data(1, 0, true)
        ]
    );
    assert!(client.session.is_idle());
}

#[test]
fn a_handler_that_wakes_itself_does_not_keep_the_others_waiting() {
    let mut client = Client::new();
    client.session.receive(&get(1, "/busy"));
    client.session.work();
    client.session.receive(&get(3, "/hello"));
    client.turn();
    let said = client.said();
    assert_eq!(
        said,
        [
            Said::Head(3, false),
            Said::Data(3, 5, true),
            Said::Head(1, true)
        ]
    );
}

#[test]
fn a_long_head_comes_in_frames_that_the_client_takes() {
    let mut client = Client::new();
    client.send(&get(1, "/wide"));
    let frames = client.frames();
    let kinds: Vec<_> = frames
        .iter()
        .map(|(header, _)| (header.kind, header.flags))
        .collect();
    let expected = [
        (kind::HEADERS, flag::END_STREAM),
        (kind::CONTINUATION, 0),
        (kind::CONTINUATION, flag::END_HEADERS),
    ];
    assert_eq!(kinds, expected);
    let block: Vec<u8> = frames
        .into_iter()
        .flat_map(|(_, payload)| payload)
        .collect();
    let mut fields = 0;
    client.decoder.decode(&block, |_, _| fields += 1).unwrap();
    assert_eq!(fields, 4);
}

#[test]
fn a_head_request_gets_no_body() {
    let mut client = Client::new();
    let flags = flag::END_HEADERS | flag::END_STREAM;
    for (stream, path) in [(1, "/hello"), (3, "/stream"), (5, "/large")] {
        let head = framed(
            kind::HEADERS,
            flags,
            stream,
            &block(&request_fields("HEAD", path)),
        );
        assert_eq!(client.ask(&head), [Said::Head(stream, true)]);
    }
}

#[test]
fn large_bodies_wait_for_both_windows() {
    let mut client = Client::with_settings(&[(setting::INITIAL_WINDOW_SIZE, 100_000)]);
    let sent = |said: &[Said]| -> usize {
        said.iter()
            .map(|said| {
                if let Said::Data(_, n, _) = said {
                    *n
                } else {
                    0
                }
            })
            .sum()
    };
    assert_eq!(
        sent(&client.ask(&get(1, "/large"))),
        65_535,
        "the connection's"
    );
    assert_eq!(
        sent(&client.ask(&window(0, 100_000))),
        34_465,
        "the stream's"
    );
    assert_eq!(
        sent(&client.ask(&window(1, 200_000))),
        65_535,
        "the connection's"
    );
    // A smaller initial size makes the stream's window negative: 165,535 were sent.
    let shrink = [[0, 4].as_slice(), &10_000_u32.to_be_bytes()].concat();
    assert_eq!(
        client.ask(&framed(kind::SETTINGS, 0, 0, &shrink)),
        [Said::Settings(1)]
    );
    assert_eq!(
        sent(&client.ask(&window(0, 300_000))),
        44_465,
        "the stream's"
    );
    let last = client.ask(&window(1, 90_000));
    assert_eq!(sent(&last), 90_000);
    assert_eq!(last.last(), Some(&Said::Data(1, 90_000 - 5 * 16_384, true)));
    assert!(client.session.is_idle());
}

#[test]
fn streams_share_the_connections_window() {
    let mut client = Client::with_settings(&[(setting::INITIAL_WINDOW_SIZE, 1_000_000)]);
    client.send(&window(0, 2_000_000));
    let said = client.ask(&[get(1, "/large"), get(3, "/large"), get(5, "/hello")].concat());
    let place = |wanted: &Said| said.iter().position(|said| said == wanted).unwrap();
    let ends = |id| {
        said.iter()
            .position(|s| matches!(s, Said::Data(i, _, true) if *i == id))
    };
    assert!(ends(1).is_some() && ends(3).is_some());
    assert!(place(&Said::Data(5, 5, true)) < said.len());
}

#[test]
fn a_body_is_read_and_its_window_given_back() {
    let mut client = Client::new();
    assert_eq!(
        client.ask(&post(1, "/echo", &[("content-length", "5")])),
        []
    );
    assert_eq!(client.ask(&data(1, b"he", false)), []);
    let said = client.ask(&data(1, b"llo", true));
    assert_eq!(said, [Said::Head(1, false), Said::Data(1, 5, true)]);
    assert!(client.session.is_idle());

    client.send(&post(3, "/echo", &[]));
    let mut windows = 0;
    for _ in 0..64 {
        for said in client.ask(&data(3, &[0; 16_384], false)) {
            assert!(matches!(said, Said::Window(..)), "{said:?}");
            windows += 1;
        }
    }
    // Each of half a window: eight of the stream's, two of the connection's.
    assert_eq!(windows, 10);
}

#[test]
fn a_client_that_waits_for_continue_is_told() {
    let mut client = Client::new();
    let said = client.ask(&post(1, "/echo", &[("expect", "100-continue")]));
    assert_eq!(said, [Said::Head(1, false)]);
    let said = client.ask(&data(1, b"x", true));
    assert_eq!(said, [Said::Head(1, false), Said::Data(1, 1, true)]);
    // A handler that does not want the body.
    let said = client.ask(&post(3, "/no", &[("expect", "100-continue")]));
    assert_eq!(said, [Said::Head(3, true)]);
}

#[test]
fn a_request_may_go_on_for_a_while_after_its_response() {
    let mut client = Client::new();
    let answer = [Said::Head(1, false), Said::Data(1, 5, true)];
    assert_eq!(client.ask(&post(1, "/hello", &[])), answer);
    client.send(&data(1, &[0; 10_000], false));
    assert_eq!(client.ask(&data(1, &[], true)), []);
    assert!(client.session.is_idle());

    client.send(&post(3, "/hello", &[]));
    client.said();
    let mut windows = 0;
    let reset = Said::Reset(3, 0);
    for _ in 0..70 {
        for said in client.ask(&data(3, &[0; 10_000], false)) {
            match said {
                Said::Window(3, _) => windows += 1,
                said => assert!(
                    said == reset || matches!(said, Said::Window(0, _)),
                    "{said:?}"
                ),
            }
        }
    }
    assert_eq!(
        windows, 3,
        "what was on its way when it was reset is ignored"
    );
    let trailers = framed(kind::HEADERS, 5, 3, &block(&[("a", "b")]));
    assert_eq!(client.ask(&trailers), []);
    assert!(client.session.is_idle());
}

#[test]
fn trailers_end_a_request() {
    let mut client = Client::new();
    client.send(&post(1, "/echo", &[]));
    client.send(&data(1, b"x", false));
    let said = client.ask(&framed(kind::HEADERS, 5, 1, &block(&[("a", "b")])));
    assert_eq!(said, [Said::Head(1, false), Said::Data(1, 1, true)]);
}

#[test]
fn a_reset_ends_what_the_handler_does() {
    let mut client = Client::new();
    client.send(&post(1, "/never", &[]));
    client.send(&data(1, &[0; 10_000], false));
    assert!(client.session.is_working());
    assert_eq!(
        client.ask(&framed(kind::RST_STREAM, 0, 1, &[0, 0, 0, 8])),
        []
    );
    assert!(client.session.is_idle() && !client.session.is_working());
}

#[test]
fn a_goodbye_in_two_steps_loses_no_request() {
    let mut client = Client::new();
    client.session.announce();
    client.turn();
    assert_eq!(client.said(), [Said::GoAway(MAX_WINDOW, 0), Said::Ping(0)]);
    // On its way when we said goodbye.
    assert_eq!(client.ask(&get(1, "/hello")).len(), 2);
    client.send(&post(3, "/echo", &[]));
    let seen = client.ask(&framed(kind::PING, flag::ACK, 0, b"goodbye?"));
    assert_eq!(seen, [Said::GoAway(3, 0)]);
    assert_eq!(client.ask(&get(5, "/hello")), [], "behind the last stream");
    assert!(!client.session.is_over());
    assert_eq!(client.ask(&data(3, b"x", true)).len(), 2);
    assert!(client.session.is_over());
}

#[test]
fn a_request_behind_the_last_stream_is_ignored_whole() {
    let mut client = Client::new();
    client.send(&post(1, "/echo", &[]));
    client.session.conclude();
    client.turn();
    assert_eq!(client.said(), [Said::GoAway(1, 0)]);
    let trailers = framed(kind::HEADERS, 5, 3, &block(&[("a", "b")]));
    let late = [post(3, "/echo", &[]), data(3, b"x", false), trailers];
    assert_eq!(client.ask(&late.concat()), []);
    let trailers = framed(kind::HEADERS, 5, 1, &block(&[("a", "b")]));
    let said = client.ask(&[data(1, b"x", false), trailers].concat());
    assert_eq!(said, [Said::Head(1, false), Said::Data(1, 1, true)]);
}

#[test]
fn a_client_that_says_goodbye_gets_its_answers() {
    let mut client = Client::new();
    client.send(&post(1, "/echo", &[]));
    assert_eq!(client.ask(&framed(kind::GOAWAY, 0, 0, &[0; 8])), []);
    assert!(!client.session.is_over());
    let said = client.ask(&data(1, b"x", true));
    assert_eq!(said.last(), Some(&Said::GoAway(1, 0)));
    assert!(client.session.is_over());
}

#[test]
fn a_goodbye_that_is_answered_by_another_is_not_waited_for() {
    let mut client = Client::new();
    client.session.announce();
    client.turn();
    client.said();
    let said = client.ask(&framed(kind::GOAWAY, 0, 0, &[0; 8]));
    assert_eq!(said, [Said::GoAway(0, 0)]);
    assert!(client.session.is_over());
}

#[test]
fn a_client_that_ends_its_side_gets_the_answers_that_it_can_get() {
    let mut client = Client::new();
    client.send(&post(1, "/echo", &[]));
    client.send(&post(3, "/hello", &[]));
    client.send(&get(5, "/large"));
    client.send(&get(7, "/never"));
    client.said();
    assert!(client.session.is_working());
    client.session.receive_end();
    client.turn();
    let said = client.said();
    assert!(
        said.contains(&Said::Head(1, true)),
        "cut, and told so: {said:?}"
    );
    let short_of_window = Said::Reset(5, Code::Cancel as u32);
    assert!(said.contains(&short_of_window), "{said:?}");
    assert_eq!(said.len(), 2, "{said:?}");
    // The last handler has as long as a client that is slow.
    assert!(!client.session.is_over() && !client.session.is_working());
}

#[test]
fn an_idle_session_is_small() {
    let mut client = Client::new();
    client.send(&get(1, "/large"));
    client.send(&framed(kind::RST_STREAM, 0, 1, &[0; 4]));
    client.session.shrink();
    assert!(client.session.output.buffer().capacity() == 0);
    assert!(size_of::<Session>() < 1024, "{}", size_of::<Session>());
}
