use super::Originate;
use crate::starttls::{OfferFault, StartTlsError};

const GREETING: &[u8] =
    b"\x24\0\0\0\x0a8.0.36\0\x01\0\0\0challeng\0\xff\xff\x2d\x02\0\xff\xff\x15\0\0\0\0\0\0\0";

/// What a client without TLS logs in with.
fn response() -> Vec<u8> {
    let capabilities = [0x85, 0xa6, 0xff, 0x19];
    let body = [&capabilities[..], &[0, 0, 0, 1, 45], &[7; 23], b"me\0\0"].concat();
    [&[body.len() as u8, 0, 0, 1], &body[..]].concat()
}

#[test]
fn the_server_is_asked_in_the_words_of_the_client_however_they_are_cut() {
    let response = response();
    for pieces in [1, 5, 36, 1000] {
        let mut originate = Originate::new(GREETING).unwrap();
        let mut said = response.chunks(pieces);
        let mut heard = Vec::new();
        let turn = loop {
            let piece = said.next().unwrap();
            heard.extend_from_slice(piece);
            let turn = originate.receive(piece).unwrap();
            if turn.begin {
                break turn;
            }
            assert!(turn.say.is_empty());
        };
        let with_tls = [&[32, 0, 0, 1, 0x85, 0xae, 0xff, 0x19], &response[8..36]].concat();
        assert_eq!(turn.say, with_tls, "in {pieces}");
        assert_eq!(originate.left(), heard);
    }
}

#[test]
fn the_client_is_offered_no_tls() {
    let mut without_tls = GREETING.to_vec();
    without_tls[26] &= !0x08;
    let originate = Originate::new(GREETING).unwrap();
    assert_eq!(originate.greeting(), without_tls);
    let refused = Originate::new(&without_tls).unwrap_err();
    assert_eq!(refused, StartTlsError::NotOffered);
    let strange = Originate::new(b"HTTP/1.1 400 Bad Request\r\n").unwrap_err();
    assert!(matches!(strange, StartTlsError::Unexpected { .. }));
}

#[test]
fn a_client_that_wants_tls_all_the_same_or_says_something_else_is_left() {
    let mut with_tls = response();
    with_tls[5] |= 0x08;
    let mut of_old = response();
    of_old[5] &= !0x02;
    let mut short = response();
    short[0] = 31;
    for said in [with_tls, of_old, short, b"GET / HTTP/1.1\r\n\r\n".to_vec()] {
        let error = Originate::new(GREETING).unwrap().receive(&said);
        let error = error.unwrap_err();
        let unexpected = matches!(error.fault(), OfferFault::Unexpected { .. });
        assert!(unexpected, "{error}");
        assert_eq!(error.farewell()[3..5], [2, 0xff]);
    }
}
