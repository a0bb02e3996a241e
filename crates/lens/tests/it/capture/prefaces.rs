//! Plain text before TLS, in each of the protocols that have it, however it is cut.

use ravelin_lens::capture::preface::{Found, MAX_PREFACE_OCTETS, Preface};
use ravelin_lens::ledger::Side::{self, Client, Server};

/// A hello that is long enough to look like one.
const HELLO: &[u8] =
    b"\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03 and what else is in the hello.....";
const ANSWER: &[u8] = b"\x16\x03\x03\x00\x02\x02\x00";

fn found(turns: &[(Side, &[u8])], size: usize) -> ([Vec<u8>; 2], Preface) {
    let mut preface = Preface::default();
    let mut streams = [Vec::new(), Vec::new()];
    for (side, octets) in turns {
        for part in octets.chunks(size) {
            let tls = preface.receive(*side, part);
            streams[*side as usize].extend(tls.kept);
            streams[*side as usize].extend(tls.octets);
        }
    }
    (streams, preface)
}

#[test]
fn tls_is_found_behind_the_text_of_each_protocol_however_it_is_cut() {
    let prefaces: [&[(Side, &[u8])]; 8] = [
        &[],
        &[
            (Server, b"220 mail.test ESMTP\r\n"),
            (Client, b"EHLO me\r\n"),
            (Server, b"250-mail.test\r\n250 STARTTLS\r\n"),
            (Client, b"STARTTLS\r\n"),
            (Server, b"220 go ahead\r\n"),
        ],
        &[
            (Server, b"* OK IMAP4rev1\r\n"),
            (Client, b"a STARTTLS\r\n"),
            (Server, b"a OK begin TLS\r\n"),
        ],
        &[(Client, b"\0\0\0\x08\x04\xd2\x16\x2f"), (Server, b"S")],
        &[
            (Server, b"J\0\0\0\x0a8.0.36\0\x16\x03\x01\x02"),
            (Client, b"\x20\0\0\x01\x05\xae\xff\x01\0\0\0\x01\xff"),
        ],
        &[
            (
                Client,
                b"0\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
            ),
            (Server, b"0\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"),
        ],
        &[
            (Client, b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"),
            (Server, b"HTTP/1.1 200 OK\r\n\r\n"),
        ],
        &[(Client, b"PROXY TCP4 10.0.0.1 10.0.0.2 5 443\r\n")],
    ];
    for preface in prefaces {
        let mut turns = preface.to_vec();
        turns.extend([
            (Client, HELLO),
            (Server, ANSWER),
            (Client, b"\x17\x03\x03\0\x01x"),
        ]);
        for size in 1..60 {
            let (streams, preface) = found(&turns, size);
            assert_eq!(preface.found(), Found::Tls);
            let expected = [HELLO, b"\x17\x03\x03\0\x01x"].concat();
            assert_eq!(streams[0], expected, "{size}");
            assert_eq!(streams[1], ANSWER);
            let before = |of| {
                let said = turns.iter().filter(|(side, _)| *side == of);
                said.map(|(_, octets)| octets.len()).sum::<usize>()
            };
            assert_eq!(preface.skipped(Client), before(Client) - expected.len());
            assert_eq!(preface.skipped(Server), before(Server) - ANSWER.len());
        }
    }
}

#[test]
fn a_hello_in_the_segment_of_the_last_command_is_found() {
    let pipelined = [b"STARTTLS\r\n", HELLO].concat();
    let late = [b"220 go ahead\r\n", ANSWER].concat();
    let turns: [(Side, &[u8]); 3] = [
        (Server, b"220 hi\r\n"),
        (Client, &pipelined),
        (Server, &late),
    ];
    let (streams, preface) = found(&turns, 1000);
    assert_eq!(preface.found(), Found::Tls);
    assert_eq!(streams, [HELLO, ANSWER]);
}

#[test]
fn plain_http_is_not_looked_through_without_end() {
    let body = vec![b'x'; MAX_PREFACE_OCTETS + 1];
    let turns: [(Side, &[u8]); 3] = [
        (Client, b"GET / HTTP/1.1\r\n\r\n"),
        (Server, &body),
        (Client, HELLO),
    ];
    let (streams, preface) = found(&turns, 1000);
    assert_eq!(preface.found(), Found::NoTls);
    assert_eq!(streams, [b"", b""]);
}

#[test]
fn a_server_that_is_heard_first_in_the_middle_of_tls_is_taken_as_it_is() {
    let turns: [(Side, &[u8]); 2] = [
        (Server, b"\x17\x03\x03\0\x01x"),
        (Client, b"\x17\x03\x03\0\x01y"),
    ];
    let (streams, _) = found(&turns, 1000);
    assert_eq!(
        streams,
        [&b"\x17\x03\x03\0\x01y"[..], b"\x17\x03\x03\0\x01x"]
    );
}
