//! What comes in place of a decent TLS handshake.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crate::client::{Client, is_cut, read};
use crate::server::{PATIENCE, Server, Setup, raise_file_limit};

/// A TLS 1.2 client hello with X25519 and these cipher suites, for `localhost`.
fn hello(record_version: u16, version: u16, suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    for suite in suites {
        body.extend(suite.to_be_bytes());
    }
    body.extend([1, 0]);
    let extensions: &[u8] = &[
        // server_name: localhost
        0, 0, 0, 14, 0, 12, 0, 0, 9, b'l', b'o', b'c', b'a', b'l', b'h', b'o', b's', b't',
        // supported_groups: x25519; ec_point_formats; signature_algorithms: ecdsa_secp256r1_sha256
        0, 10, 0, 4, 0, 2, 0, 29, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3,
    ];
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut handshake = vec![1];
    handshake.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
    handshake.extend(body);
    let mut record = vec![22];
    record.extend(record_version.to_be_bytes());
    record.extend(u16::try_from(handshake.len()).unwrap().to_be_bytes());
    record.extend(handshake);
    record
}

/// A hello that a TLS 1.2 client may send.
fn good_hello() -> Vec<u8> {
    hello(0x0301, 0x0303, &[0xc02b])
}

/// Sends `bytes` and returns all that comes back until the server closes.
fn answer_to(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = server.tcp();
    // The server may be gone before it has got everything.
    let _ = tcp.write_all(bytes);
    let mut answer = Vec::new();
    match tcp.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if is_cut(&error) => {}
        Err(error) => panic!("the connection stays open: {error}"),
    }
    answer
}

/// The description of the fatal alert that `answer` consists of (RFC 8446, section 6).
fn alert(answer: &[u8]) -> u8 {
    match answer {
        [21, 3, _, 0, 2, 2, description] => *description,
        other => panic!("no alert: {other:02x?}"),
    }
}

const UNEXPECTED_MESSAGE: u8 = 10;
const HANDSHAKE_FAILURE: u8 = 40;
const DECODE_ERROR: u8 = 50;
const PROTOCOL_VERSION: u8 = 70;

#[test]
fn a_hello_that_cannot_be_agreed_with_gets_the_alert_that_says_why() {
    let server = Setup::new().start();
    // TLS 1.0, with a suite of its time.
    assert_eq!(
        alert(&answer_to(&server, &hello(0x0301, 0x0301, &[0xc009]))),
        PROTOCOL_VERSION
    );
    // TLS 1.2 with CBC suites only.
    assert_eq!(
        alert(&answer_to(
            &server,
            &hello(0x0301, 0x0303, &[0xc009, 0xc00a])
        )),
        HANDSHAKE_FAILURE
    );
    // A hello whose extensions are cut short by its own length.
    let mut short = good_hello();
    let cut = short.len() - 4;
    short.truncate(cut);
    short[3..5].copy_from_slice(&u16::try_from(cut - 5).unwrap().to_be_bytes());
    short[6..9].copy_from_slice(&u32::try_from(cut - 9).unwrap().to_be_bytes()[1..]);
    assert_eq!(alert(&answer_to(&server, &short)), DECODE_ERROR);
    server.assert_serves_others();
}

#[test]
fn bytes_that_are_no_tls_end_the_connection_and_nothing_else() {
    let server = Setup::new().start();
    server.assert_memory_bounded(8, || {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_be_bytes()
        };
        for length in [1, 5, 100, 4096, 100_000] {
            // Not an upper-case letter, which would be taken for plain HTTP.
            let mut bytes = vec![0x80];
            bytes.extend(
                std::iter::repeat_with(&mut random)
                    .take(length / 8)
                    .flatten(),
            );
            let mut tcp = server.tcp();
            let _ = tcp.write_all(&bytes);
            let _ = tcp.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = tcp.read_to_end(&mut answer);
            assert!(answer.is_empty() || answer[0] == 21, "{answer:02x?}");
        }
        // A handshake record longer than any may be (RFC 8446, section 5.1).
        let mut oversized = vec![22, 3, 1, 0xff, 0xff];
        oversized.resize(5 + 0xffff, 0);
        let answer = answer_to(&server, &oversized);
        assert!(answer.is_empty() || answer[0] == 21, "{answer:02x?}");
        // A record of application data where a hello should be.
        let answer = answer_to(&server, &[23, 3, 3, 0, 1, 0]);
        assert!(
            answer.is_empty() || alert(&answer) == UNEXPECTED_MESSAGE,
            "{answer:02x?}"
        );
        // A handshake message of 16 MiB, sent in decent records.
        let mut endless = vec![22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
        endless.extend([0; 0x4000 - 4]);
        for _ in 0..600 {
            endless.extend([22, 3, 1, 0x40, 0]);
            endless.extend([0; 0x4000]);
        }
        let answer = answer_to(&server, &endless);
        assert!(answer.is_empty() || answer[0] == 21, "{answer:02x?}");
    });
    server.assert_serves_others();
}

#[test]
fn a_hello_in_single_bytes_is_answered_as_one_in_a_piece() {
    let server = Setup::new().start();
    let mut tcp = server.tcp();
    for byte in good_hello() {
        tcp.write_all(&[byte]).unwrap();
    }
    let mut answer = [0; 6];
    tcp.read_exact(&mut answer).unwrap();
    // A handshake record with a server hello.
    assert_eq!((answer[0], answer[5]), (22, 2));
}

#[test]
fn a_hello_that_never_ends_and_a_handshake_that_stalls_time_out() {
    let server = Setup::new().limit("handshake_timeout", "\"1s\"").start();
    let begun = Instant::now();
    let mut half = server.tcp();
    half.write_all(&good_hello()[..40]).unwrap();
    let mut silent = server.tcp();
    let mut stalled = server.tcp();
    stalled.write_all(&good_hello()).unwrap();
    for tcp in [&mut half, &mut silent, &mut stalled] {
        let ended = tcp.read_to_end(&mut Vec::new());
        assert!(ended.as_ref().map_or_else(is_cut, |_| true), "{ended:?}");
    }
    // A dribble is no way around it.
    let mut dribbling = server.tcp();
    let dribble = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        dribbling.write_all(&[22]).err()
    });
    assert!(is_cut(
        &dribble.expect("a dribbled handshake goes on for 10 s")
    ));
    assert!(begun.elapsed() < PATIENCE);
    server.assert_serves_others();
}

#[test]
fn two_thousand_stalled_handshakes_keep_nobody_out() {
    raise_file_limit();
    let server = Setup::new().start();
    let stalled = server.assert_memory_bounded(64, || {
        let mut stalled = Vec::new();
        for index in 0..2000 {
            let mut tcp = server.tcp();
            match index % 3 {
                0 => {}
                1 => tcp.write_all(&good_hello()[..40]).unwrap(),
                _ => tcp.write_all(&good_hello()).unwrap(),
            }
            stalled.push(tcp);
        }
        server.assert_serves_others();
        stalled
    });
    drop(stalled);
    server.assert_serves_others();
}

#[test]
fn stalled_handshakes_make_room_where_connections_are_limited() {
    let server = Setup::new()
        .server("workers = 1")
        .limit("connections", "20")
        .start();
    // More than the limit and the few that it may be overdrawn by.
    let stalled: Vec<_> = (0..200).map(|_| server.tcp()).collect();
    server.assert_serves_others();
    drop(stalled);
}

#[test]
fn garbage_after_the_handshake_is_refused_by_an_alert() {
    let server = Setup::new().start();
    let mut client = Client::connect(&server);
    // A record that nobody has sealed.
    let garbage = [&[23, 3, 3, 0, 64][..], &[0; 64]].concat();
    client.tls.sock.write_all(&garbage).unwrap();
    let error = read(&mut client.tls, &mut [0; 100]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
    server.assert_serves_others();
}
