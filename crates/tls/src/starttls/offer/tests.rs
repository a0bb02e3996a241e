use super::*;

mod random;

const IMAP_GREETING: &[u8] = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Dovecot ready.\r\n";
const MYSQL_GREETING: &[u8] =
    b"\x24\0\0\0\x0a8.0.36\0\x01\0\0\0challeng\0\xff\xf7\x2d\x02\0\xff\xff\x15\0\0\0\0\0\0\0";
const SSL_REQUEST: &[u8] = b"\x20\0\0\x01\x01\x8a\0\0\0\0\0\x01\x2d\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn greeting(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Smtp => b"220-mail.test ESMTP\r\n220 Hello\r\n",
        Protocol::Imap => IMAP_GREETING,
        Protocol::Pop3 => b"+OK POP3 <1896.697170952@mail.test>\r\n",
        Protocol::Mysql => MYSQL_GREETING,
        _ => b"",
    }
}

/// How a dialogue ended: what was said to the client in all, behind the greeting, and what came of it.
struct Ended {
    said: Vec<u8>,
    /// Whether TLS began and what was left to it, or why it did not.
    end: Result<Option<Vec<u8>>, OfferFault>,
}

/// What a client says, in pieces of `pieces` octets.
fn speak(protocol: Protocol, client: &[u8], pieces: usize) -> Ended {
    let mut offer = Offer::new(protocol, greeting(protocol)).unwrap();
    let mut said = Vec::new();
    for piece in client.chunks(pieces) {
        match offer.receive(piece) {
            Ok(turn) => {
                said.extend(turn.say);
                if turn.begin {
                    let end = Ok(Some(offer.left()));
                    return Ended { said, end };
                }
            }
            Err(error) => {
                said.extend(error.farewell());
                let end = Err(error.fault);
                return Ended { said, end };
            }
        }
    }
    Ended {
        said,
        end: Ok(None),
    }
}

/// Clients that begin TLS: what they say, and what they hear.
const BEGINNINGS: [(Protocol, &[u8], &[u8]); 6] = [
    (
        Protocol::Smtp,
        b"EHLO me\r\nnoop\r\nMAIL FROM:<a@b>\r\nstarttls now\r\nSTARTTLS\r\n",
        b"250-mail.test\r\n250 STARTTLS\r\n250 2.0.0 OK\r\n\
          530 5.7.0 TLS is required: begin it with STARTTLS\r\n\
          501 5.5.4 STARTTLS takes no parameters\r\n220 2.0.0 Begin TLS\r\n",
    ),
    (
        Protocol::Imap,
        b"1 CAPABILITY\r\nA.2 LOGIN a b\r\n\x1b[31m NOOP\r\n3\r\n4 starttls\r\n",
        b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n1 OK Done\r\n\
          A.2 NO [PRIVACYREQUIRED] TLS is required: begin it with STARTTLS\r\n\
          * BAD This is no command\r\n3 BAD This is no command\r\n4 OK Begin TLS\r\n",
    ),
    (
        Protocol::Pop3,
        b"CAPA\r\nUSER a\r\nAPOP a c4c9334bac560ecc979e58001b3e22fb\r\nSTLS\r\n",
        b"+OK\r\nSTLS\r\n.\r\n-ERR TLS is required: begin it with STLS\r\n\
          -ERR TLS is required: begin it with STLS\r\n+OK Begin TLS\r\n",
    ),
    (
        Protocol::Ldap,
        // A simple bind with a password, numbered 1, and StartTLS, numbered 300.
        b"\x30\x0f\x02\x01\x01\x60\x0a\x02\x01\x03\x04\x01a\x80\x02pw\
          \x30\x1e\x02\x02\x01\x2c\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
        b"\x30\x33\x02\x01\x01\x61\x2e\x0a\x01\x0d\x04\0\x04\x27TLS is required: begin it with StartTLS\
          \x30\x25\x02\x02\x01\x2c\x78\x1f\x0a\x01\0\x04\0\x04\0\x8a\x161.3.6.1.4.1.1466.20037",
    ),
    (
        Protocol::Postgres,
        b"\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f",
        b"NS",
    ),
    (Protocol::Mysql, SSL_REQUEST, b""),
];

#[test]
fn tls_begins_and_nothing_else_is_done_however_the_commands_are_cut() {
    for (protocol, client, heard) in BEGINNINGS {
        for pieces in [1, 2, 7, 1000] {
            let ended = speak(protocol, client, pieces);
            assert_eq!(ended.end, Ok(Some(Vec::new())), "{protocol} in {pieces}");
            assert_eq!(
                String::from_utf8_lossy(&ended.said),
                String::from_utf8_lossy(heard),
                "{protocol} in {pieces}"
            );
        }
    }
}

#[test]
fn what_follows_the_word_that_begins_tls_ends_the_dialogue() {
    for (protocol, client, _) in BEGINNINGS {
        let more = [client, b"\x16\x03\x01 hello\r\n"].concat();
        let ended = speak(protocol, &more, 1000);
        if protocol == Protocol::Mysql {
            // Its request has no answer to wait for. What follows is TLS, and read as that.
            let left = b"\x16\x03\x01 hello\r\n".to_vec();
            assert_eq!(ended.end, Ok(Some(left)));
            continue;
        }
        assert_eq!(ended.end, Err(OfferFault::Injected(11)), "{protocol}");
    }
    let ended = speak(Protocol::Smtp, b"STARTTLS\r\nRCPT TO:<a@b>\r\n", 1000);
    assert_eq!(ended.said, b"421 4.7.0 TLS did not begin\r\n");
}

#[test]
fn the_command_that_began_tls_is_kept_as_it_came() {
    let mut offer = Offer::new(Protocol::Mysql, MYSQL_GREETING).unwrap();
    for octet in SSL_REQUEST {
        assert!(offer.request().is_empty());
        offer.receive(&[*octet]).unwrap();
    }
    assert_eq!(offer.request(), SSL_REQUEST);
}

#[test]
fn the_service_is_passed_on_as_one_that_requires_tls() {
    let said = |protocol| {
        let offer = Offer::new(protocol, greeting(protocol)).unwrap();
        offer.begin().say
    };
    for protocol in [Protocol::Smtp, Protocol::Pop3] {
        assert_eq!(said(protocol), greeting(protocol), "{protocol}");
    }
    assert_eq!(
        said(Protocol::Imap),
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot ready.\r\n"
    );
    let mut with_tls = MYSQL_GREETING.to_vec();
    with_tls[26] |= 0x08;
    assert_eq!(said(Protocol::Mysql), with_tls);
    assert!(said(Protocol::Ldap).is_empty() && said(Protocol::Postgres).is_empty());
    for protocol in Protocol::ALL {
        let offer = Offer::new(protocol, greeting(protocol));
        assert_eq!(
            offer.is_ok(),
            Offer::PROTOCOLS.contains(&protocol),
            "{protocol}"
        );
    }
}

#[test]
fn a_greeting_is_read_to_its_end_and_no_further() {
    for protocol in Offer::PROTOCOLS
        .into_iter()
        .filter(|one| Offer::greets(*one))
    {
        let whole = greeting(protocol);
        let more = [whole, b"more"].concat();
        assert_eq!(Offer::read_greeting(protocol, &more), Ok(Some(whole.len())));
        for cut in 0..whole.len() {
            let read = Offer::read_greeting(protocol, &whole[..cut]);
            assert_eq!(read, Ok(None), "{protocol} cut at {cut}");
        }
    }
    assert_eq!(Offer::read_greeting(Protocol::Ldap, b""), Ok(Some(0)));
}

#[test]
fn a_service_that_refuses_or_asks_nobody_who_they_are_is_told_so() {
    let refusals: [(Protocol, &[u8], &str); 5] = [
        (Protocol::Smtp, b"554-a\r\n554 b\r\n", "554-a"),
        (
            Protocol::Imap,
            b"* PREAUTH as root\r\n",
            "* PREAUTH as root",
        ),
        (Protocol::Imap, b"* bye full\r\n", "* bye full"),
        (Protocol::Pop3, b"-ERR full\r\n", "-ERR full"),
        (
            Protocol::Mysql,
            b"\x0b\0\0\0\xff\x10\x04Too many",
            "Too many",
        ),
    ];
    for (protocol, greeting, words) in refusals {
        let error = Offer::read_greeting(protocol, greeting).unwrap_err();
        assert_eq!(*error.fault(), OfferFault::ServiceRefuses(words.to_owned()));
        assert_eq!(error.farewell(), Offer::unavailable(protocol));
        assert!(!error.fault().is_of_client());
    }
    for protocol in Offer::PROTOCOLS
        .into_iter()
        .filter(|one| Offer::greets(*one))
    {
        let error =
            Offer::read_greeting(protocol, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap_err();
        let not_greeted = matches!(error.fault(), OfferFault::NotGreeted { .. });
        assert!(not_greeted, "{protocol}: {error}");
    }
    for endless in [vec![b' '; 9 << 10], b"220-more\r\n".repeat(7000)] {
        let error = Offer::read_greeting(Protocol::Smtp, &endless).unwrap_err();
        assert_eq!(*error.fault(), OfferFault::LongGreeting);
    }
}

#[test]
fn a_client_that_leaves_or_stays_without_tls_hears_it_in_its_own_words() {
    let endings: [(Protocol, &[u8], OfferFault, &[u8]); 7] = [
        (
            Protocol::Smtp,
            b"QUIT\r\n",
            OfferFault::Left,
            b"221 2.0.0 Bye\r\n",
        ),
        (
            Protocol::Imap,
            b"a LOGOUT\r\n",
            OfferFault::Left,
            b"* BYE Bye\r\na OK Done\r\n",
        ),
        (Protocol::Pop3, b"QUIT\r\n", OfferFault::Left, b"+OK Bye\r\n"),
        (
            Protocol::Ldap,
            b"\x30\x05\x02\x01\x03\x42\0",
            OfferFault::Left,
            b"",
        ),
        (
            Protocol::Postgres,
            b"\0\0\0\x11\0\x03\0\0user\0me\0\0",
            OfferFault::WithoutTls,
            postgres::REQUIRED,
        ),
        (
            Protocol::Postgres,
            b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02",
            OfferFault::WithoutTls,
            postgres::REQUIRED,
        ),
        (
            Protocol::Mysql,
            // HandshakeResponse41 without CLIENT_SSL.
            b"\x24\0\0\x01\x01\x82\0\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0me\0\0",
            OfferFault::WithoutTls,
            mysql::REQUIRED,
        ),
    ];
    for (protocol, client, fault, farewell) in endings {
        for pieces in [1, 1000] {
            let ended = speak(protocol, client, pieces);
            assert_eq!(ended.end, Err(fault.clone()), "{protocol}");
            assert_eq!(ended.said, farewell, "{protocol}");
        }
    }
}

#[test]
fn tls_from_the_start_is_told_and_taken_where_a_client_of_postgresql_begins_so() {
    let hello = b"\x16\x03\x01\0\x05hello";
    for protocol in [
        Protocol::Smtp,
        Protocol::Imap,
        Protocol::Pop3,
        Protocol::Ldap,
    ] {
        let ended = speak(protocol, hello, 1);
        assert_eq!(ended.end, Err(OfferFault::AlreadyTls), "{protocol}");
        assert!(ended.said.is_empty(), "{protocol}");
    }
    let ended = speak(Protocol::Postgres, hello, 1000);
    assert_eq!(ended.end, Ok(Some(hello.to_vec())));
    assert!(ended.said.is_empty());
}

#[test]
fn a_client_that_never_begins_tls_is_left_after_a_while() {
    let endless: [(Protocol, &[u8], OfferFault); 6] = [
        (Protocol::Smtp, b"NOOP\r\n", OfferFault::TooMany),
        (Protocol::Imap, b"a NOOP\r\n", OfferFault::TooMany),
        (Protocol::Pop3, b"x", OfferFault::TooLong),
        (
            Protocol::Ldap,
            b"\x30\x06\x02\x01\x01\x50\x01\x07",
            OfferFault::TooMany,
        ),
        (
            Protocol::Postgres,
            b"\0\0\0\x08\x04\xd2\x16\x30",
            OfferFault::TooMany,
        ),
        (Protocol::Mysql, b"\x01\x20\0\x01", OfferFault::TooLong),
    ];
    for (protocol, over_and_over, fault) in endless {
        let client = over_and_over.repeat((20 << 10) / over_and_over.len());
        for pieces in [1, 1000, client.len()] {
            let ended = speak(protocol, &client, pieces);
            assert_eq!(ended.end, Err(fault.clone()), "{protocol} in {pieces}");
            assert!(ended.said.len() < 1000, "{protocol}");
        }
    }
    // Few commands, none of them too long.
    let line = [&vec![b'x'; 4000][..], b"\r\n"].concat().repeat(5);
    for pieces in [100, line.len()] {
        let ended = speak(Protocol::Smtp, &line, pieces);
        assert_eq!(ended.end, Err(OfferFault::TooLong), "{pieces}");
    }
}

#[test]
fn what_a_literal_of_imap_holds_is_not_taken_for_a_command() {
    let ended = speak(Protocol::Imap, b"a LOGIN {20+}\r\nb STARTTLS\r\n", 1000);
    assert!(matches!(ended.end, Err(OfferFault::Unexpected { .. })));
    assert_eq!(ended.said, b"* BYE TLS did not begin\r\n");
}

#[test]
fn lengths_in_what_is_always_said_are_right() {
    for packet in [mysql::REQUIRED, mysql::UNAVAILABLE, mysql::MISSPOKEN] {
        assert_eq!(usize::from(packet[0]), packet.len() - 4, "{packet:?}");
    }
    for packet in [
        postgres::REQUIRED,
        postgres::UNAVAILABLE,
        postgres::MISSPOKEN,
    ] {
        assert_eq!(usize::from(packet[4]), packet.len() - 1, "{packet:?}");
    }
    for packet in [ldap::UNAVAILABLE, ldap::MISSPOKEN] {
        assert_eq!(usize::from(packet[1]), packet.len() - 2, "{packet:?}");
        assert_eq!(usize::from(packet[6]), packet.len() - 7, "{packet:?}");
    }
}

#[test]
fn a_client_of_postgresql_is_declined_until_it_goes_on_in_clear() {
    let startup = b"\0\0\0\x11\0\x03\0\0user\0me\0\0";
    let asked = b"\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f";
    let client = [&asked[..], startup].concat();
    for pieces in [1, 3, 8, 1000] {
        let mut decline = Decline::new();
        let mut said = Vec::new();
        let mut pieces = client.chunks(pieces);
        let begun = pieces.by_ref().any(|piece| {
            let turn = decline.receive(piece).unwrap();
            said.extend(turn.say);
            turn.begin
        });
        assert!(begun);
        assert_eq!(said, b"NN");
        assert_eq!(decline.left(), startup);
    }
    let declined = |client: &[u8]| Decline::new().receive(client).unwrap_err().fault;
    assert_eq!(declined(b"\x16\x03\x01"), OfferFault::AlreadyTls);
    assert_eq!(declined(&asked.repeat(9)), OfferFault::TooMany);
    let strange = declined(b"GET / HTTP/1.1\r\n\r\n");
    assert!(matches!(strange, OfferFault::Unexpected { .. }));
}
