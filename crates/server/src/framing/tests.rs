//! What is let through, what is refused, and that it does not matter how the bytes are cut.

use super::*;
use proptest::prelude::*;

fn judge(input: &[u8]) -> Result<Verdict, Refusal> {
    Framing::new(1024, 10, true).inspect(input)
}

fn refusal(input: &str) -> &'static str {
    judge(input.as_bytes()).expect_err(input).reason
}

#[test]
fn a_request_passes_up_to_its_end() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(judge(head), Ok(Verdict::Pass(head.len())));
    let pipelined = [&head[..], &head[..]].concat();
    assert_eq!(judge(&pipelined), Ok(Verdict::Pass(head.len())));
}

#[test]
fn ambiguous_framing_is_refused() {
    for (fields, reason) in [
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", "both"),
        (
            "Content-Length: 1\r\nContent-Length: 1",
            "more than one Content-Length",
        ),
        ("Content-Length: 1, 1", "not a number"),
        ("Content-Length: +1", "not a number"),
        ("Content-Length: 99999999999999999999", "not a number"),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "more than one Transfer",
        ),
        ("Transfer-Encoding: gzip, chunked", "only Transfer-Encoding"),
        ("Transfer-Encoding:\u{b}chunked", "control"),
        ("X: a\r\n folded", "folded"),
        ("X : a", "name"),
        ("X", "no colon"),
        (": a", "name"),
        ("X: a\0b", "control"),
        ("X: a\rb", "control"),
        ("X: a\nY: b", "LF alone"),
        ("Host: b", "more than one Host"),
    ] {
        let found = refusal(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n"));
        assert!(found.contains(reason), "{fields:?}: {found}");
    }
}

#[test]
fn request_lines_must_be_exact() {
    for line in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/2.0",
        "G\u{7f}T / HTTP/1.1",
        "GET /a#b HTTP/1.1",
        " / HTTP/1.1",
    ] {
        assert!(
            judge(format!("{line}\r\nHost: a\r\n\r\n").as_bytes()).is_err(),
            "{line:?}"
        );
    }
    assert!(refusal("GET / HTTP/1.1\r\n\r\n").contains("no Host"));
    assert!(judge(b"GET / HTTP/1.0\r\n\r\n").is_ok());
    assert!(judge(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
}

#[test]
fn close_wins_over_keep_alive() {
    for (version, fields, keep_alive) in [
        (1, "", true),
        (0, "", false),
        (0, "Connection: keep-alive\r\n", true),
        (1, "Connection: close, keep-alive\r\n", false),
        (1, "Connection: close\r\nConnection: keep-alive\r\n", false),
    ] {
        let mut framing = Framing::new(1024, 10, true);
        let head = format!("GET / HTTP/1.{version}\r\nHost: a\r\n{fields}\r\n");
        framing.inspect(head.as_bytes()).unwrap();
        assert_eq!(framing.head().keep_alive, keep_alive, "{head}");
    }
}

#[test]
fn a_request_may_come_byte_by_byte_behind_empty_lines() {
    let mut framing = Framing::new(1024, 10, true);
    let head = b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (last, first) = head.split_last().unwrap();
    for byte in first {
        assert_eq!(framing.inspect(&[*byte]), Ok(Verdict::Held));
    }
    assert_eq!(framing.inspect(&[*last]), Ok(Verdict::Complete(1)));
    assert_eq!(framing.take_held(), head);
}

#[test]
fn large_heads_are_refused_while_they_come_in() {
    let mut framing = Framing::new(1024, 10, true);
    let line = b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    assert_eq!(
        framing.inspect(b"GET / HTTP/1.1\r\nHost: a\r\n"),
        Ok(Verdict::Held)
    );
    let refusal = (0..100).find_map(|_| framing.inspect(line).err()).unwrap();
    assert_eq!(refusal.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert!(framing.held.len() < 2048);
    let many = "X: a\r\n".repeat(11);
    assert_eq!(
        judge(format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n").as_bytes())
            .unwrap_err()
            .status,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    );
}

#[test]
fn chunked_bodies_are_followed_to_their_end() {
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = b"3\r\nabc\r\n1f;x=y\r\n0123456789abcdef0123456789abcde\r\n0\r\nT: x\r\n\r\n";
    let mut framing = Framing::new(1024, 10, true);
    assert_eq!(framing.inspect(head), Ok(Verdict::Pass(head.len())));
    let mut whole = body.to_vec();
    whole.extend_from_slice(b"GET");
    assert_eq!(framing.inspect(&whole), Ok(Verdict::Pass(body.len())));
    assert_eq!(framing.state, State::Head);
    for bad in [
        "\r\n",
        "g\r\n",
        "3\nabc",
        "3\r\nabcd",
        "3\r\nabc\n",
        "0\r\n x: y\r\n",
        "fffffffffffffffff\r\n",
        "1 \r\n",
    ] {
        let mut framing = Framing::new(1024, 10, true);
        framing.inspect(head).unwrap();
        assert!(framing.inspect(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn however_a_request_is_cut_the_verdict_is_the_same(cut in 0usize..120, fields in "[a-zA-Z: \r\n]{0,40}") {
        let whole = format!("POST /x HTTP/1.1\r\nHost: a\r\n{fields}\r\nContent-Length: 3\r\n\r\nabc").into_bytes();
        let cut = cut.min(whole.len());
        let at_once = run(&[&whole]);
        prop_assert_eq!(at_once, run(&[&whole[..cut], &whole[cut..]]));
    }

    #[test]
    fn arbitrary_bytes_never_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..10)) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let _ = run(&pieces);
    }
}

/// All bytes that pass, or the refusal.
fn run(pieces: &[&[u8]]) -> Result<Vec<u8>, &'static str> {
    let mut framing = Framing::new(1024, 10, true);
    let mut passed = Vec::new();
    for piece in pieces {
        let mut left = *piece;
        while !left.is_empty() {
            match framing.inspect(left).map_err(|refusal| refusal.reason)? {
                Verdict::Pass(n) => {
                    passed.extend_from_slice(&left[..n]);
                    left = &left[n..];
                }
                Verdict::Held | Verdict::Wait => break,
                Verdict::Complete(n) => {
                    passed.extend_from_slice(&framing.take_held());
                    left = &left[n..];
                }
            }
        }
    }
    Ok(passed)
}
