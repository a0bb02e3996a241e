use super::*;

mod random;

/// What the server says in turn; the dialogue is told it in pieces of `pieces` octets, and what it says is
/// returned, with how it ended.
fn speak(
    protocol: Protocol,
    server: &[&[u8]],
    pieces: usize,
) -> (Vec<Vec<u8>>, Result<bool, StartTlsError>) {
    let mut dialogue = StartTls::new(protocol, "mail.test");
    let mut said = Vec::new();
    let first = dialogue.begin();
    if !first.say.is_empty() {
        said.push(first.say);
    }
    for answer in server {
        let mut spoke = false;
        for piece in answer.chunks(pieces) {
            match dialogue.receive(piece) {
                Err(error) => return (said, Err(error)),
                Ok(turn) => {
                    assert!(!spoke || turn.say.is_empty(), "it spoke twice in one turn");
                    spoke |= !turn.say.is_empty();
                    if !turn.say.is_empty() {
                        said.push(turn.say);
                    }
                    if turn.begin {
                        return (said, Ok(true));
                    }
                }
            }
        }
    }
    (said, Ok(false))
}

fn mysql_greeting(capabilities: u16) -> Vec<u8> {
    let mut greeting = b"\x0a8.0.36\0\x01\0\0\0challeng\0".to_vec();
    greeting.extend(capabilities.to_le_bytes());
    greeting.extend([0; 20]);
    let mut packet = vec![greeting.len() as u8, 0, 0, 0];
    packet.extend(greeting);
    packet
}

/// A protocol, what the server says, and what is said to it.
type Dialogue = (Protocol, Vec<Vec<u8>>, Vec<&'static [u8]>);

/// Dialogues that lead to TLS: what the server says, and what is said to it.
fn dialogues() -> Vec<Dialogue> {
    let text = |answers: &[&str]| {
        answers
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect()
    };
    vec![
        (
            Protocol::Smtp,
            text(&[
                "220-mail.test hello\r\n220 ESMTP\r\n",
                "250-mail.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
                "220 go ahead\r\n",
            ]),
            vec![b"EHLO localhost\r\n", b"STARTTLS\r\n"],
        ),
        (
            Protocol::Imap,
            text(&[
                "* OK [CAPABILITY IMAP4rev1] hello\r\n",
                "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n",
                "a2 OK begin\r\n",
            ]),
            vec![b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n"],
        ),
        (
            Protocol::Pop3,
            text(&["+OK hello\r\n", "+OK begin\r\n"]),
            vec![b"STLS\r\n"],
        ),
        (
            Protocol::Ftp,
            text(&[
                "220-welcome\r\n to this server\r\n220 ready\r\n",
                "234 begin\r\n",
            ]),
            vec![b"AUTH TLS\r\n"],
        ),
        (
            Protocol::Sieve,
            text(&[
                "\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK \"hello\"\r\n",
                "OK \"begin\"\r\n",
            ]),
            vec![b"STARTTLS\r\n"],
        ),
        (
            Protocol::Nntp,
            text(&["201 no posting\r\n", "382 begin\r\n"]),
            vec![b"STARTTLS\r\n"],
        ),
        (
            Protocol::Xmpp,
            text(&[
                "<?xml version='1.0'?><stream:stream id='1'><stream:features>\
                 <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
                 </stream:features>",
                "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ]),
            vec![
                b"<?xml version='1.0'?><stream:stream to='mail.test' xmlns='jabber:client' \
                  xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
                b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ],
        ),
        (
            Protocol::Ldap,
            vec![b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec()],
            vec![binary::LDAP_REQUEST],
        ),
        (
            Protocol::Postgres,
            vec![b"S".to_vec()],
            vec![&[0, 0, 0, 8, 4, 210, 22, 47]],
        ),
        (
            Protocol::Mysql,
            vec![mysql_greeting(0xffff)],
            vec![
                b"\x20\0\0\x01\x01\x8a\0\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ],
        ),
    ]
}

#[test]
fn tls_begins_in_every_protocol_however_the_answers_are_cut() {
    for (protocol, server, said) in dialogues() {
        let server: Vec<&[u8]> = server.iter().map(Vec::as_slice).collect();
        for pieces in [1, 2, 7, 1000] {
            let (spoken, end) = speak(protocol, &server, pieces);
            assert_eq!(end, Ok(true), "{protocol} in {pieces}");
            assert_eq!(spoken, said, "{protocol} in {pieces}");
        }
    }
}

#[test]
fn what_comes_in_clear_behind_the_go_ahead_ends_the_dialogue() {
    for (protocol, mut server, _) in dialogues() {
        if let Some(last) = server.last_mut() {
            last.extend(b"250 evil\r\n");
        }
        let server: Vec<&[u8]> = server.iter().map(Vec::as_slice).collect();
        let (_, end) = speak(protocol, &server, 1000);
        assert_eq!(end, Err(StartTlsError::Injected(10)), "{protocol}");
    }
}

#[test]
fn a_server_that_does_not_offer_it_is_not_asked() {
    let without = mysql_greeting(0xf7ff);
    let cases: [(Protocol, Vec<&[u8]>); 6] = [
        (Protocol::Smtp, vec![b"220 hello\r\n", b"250 mail.test\r\n"]),
        (
            Protocol::Imap,
            vec![
                b"* OK hello\r\n",
                b"* CAPABILITY IMAP4rev1\r\na1 OK done\r\n",
            ],
        ),
        (Protocol::Sieve, vec![b"\"SIEVE\" \"x\"\r\nOK\r\n"]),
        (Protocol::Xmpp, vec![b"<stream:stream><stream:features/>"]),
        (Protocol::Postgres, vec![b"N"]),
        (Protocol::Mysql, vec![&without]),
    ];
    for (protocol, server) in cases {
        let (_, end) = speak(protocol, &server, 1000);
        assert_eq!(end, Err(StartTlsError::NotOffered), "{protocol}");
    }
}

#[test]
fn features_end_at_their_first_end_however_they_are_cut() {
    let server: &[&[u8]] = &[b"<stream:features/><starttls/></stream:features><proceed/>"];
    for pieces in [1, 7, 1000] {
        let (_, end) = speak(Protocol::Xmpp, server, pieces);
        assert_eq!(end, Err(StartTlsError::NotOffered), "in {pieces}");
    }
}

#[test]
fn a_refusal_of_xmpp_is_one_however_it_is_cut() {
    let features = b"<stream:features><starttls/></stream:features>";
    for refusal in [&b"<failure/>"[..], b"<stream:error><x/></stream:error>"] {
        for pieces in [1, 4, 1000] {
            let (_, end) = speak(Protocol::Xmpp, &[features, refusal], pieces);
            assert!(matches!(end, Err(StartTlsError::Refused(_))), "{end:?}");
        }
    }
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_server() {
    let cases: [(Protocol, Vec<&[u8]>, &str); 7] = [
        (Protocol::Smtp, vec![b"554 go away\r\n"], "554 go away"),
        (
            Protocol::Imap,
            vec![b"* PREAUTH welcome\r\n"],
            "* PREAUTH welcome",
        ),
        (
            Protocol::Pop3,
            vec![b"+OK\r\n", b"-ERR unknown \x1b[31mcommand\r\n"],
            "-ERR unknown \u{fffd}[31mcommand",
        ),
        (
            Protocol::Ftp,
            vec![b"220 hi\r\n", b"534 no TLS here\r\n"],
            "534 no TLS here",
        ),
        (
            Protocol::Nntp,
            vec![b"200 hi\r\n", b"580 can not\r\n"],
            "580 can not",
        ),
        (
            Protocol::Ldap,
            vec![b"\x30\x0f\x02\x01\x01\x78\x0a\x0a\x01\x34\x04\x00\x04\x03why"],
            "result 52 why",
        ),
        (
            Protocol::Mysql,
            vec![b"\x0b\0\0\0\xff\x10\x04Too many"],
            "Too many",
        ),
    ];
    for (protocol, server, words) in cases {
        let (_, end) = speak(protocol, &server, 1000);
        let refused = StartTlsError::Refused(words.to_owned());
        assert_eq!(end, Err(refused), "{protocol}");
    }
}

#[test]
fn another_protocol_and_tls_itself_are_told_as_such() {
    for protocol in Protocol::ALL {
        let (_, end) = speak(protocol, &[b"\x15\x03\x01\0\x02\x02\x46"], 1000);
        assert_eq!(end, Err(StartTlsError::AlreadyTls), "{protocol}");
        let (_, end) = speak(protocol, &[b"HTTP/1.1 400 Bad Request\r\n\r\n"], 1000);
        assert!(
            matches!(end, Err(StartTlsError::Unexpected { .. })),
            "{protocol}: {end:?}"
        );
    }
}

#[test]
fn a_server_that_speaks_without_end_is_not_listened_to() {
    let line = vec![b' '; 9 << 10];
    let more = b"220-more\r\n".repeat(7000);
    for (protocol, endless) in [(Protocol::Smtp, more), (Protocol::Pop3, line)] {
        let (_, end) = speak(protocol, &[&endless], 1000);
        assert_eq!(end, Err(StartTlsError::TooLong), "{protocol}");
    }
    let endless = [&b"<stream:stream>"[..], &vec![b'x'; 70 << 10]].concat();
    let (_, end) = speak(Protocol::Xmpp, &[&endless], 1000);
    assert_eq!(end, Err(StartTlsError::TooLong));
}

#[test]
fn the_greeting_is_kept_for_a_client_that_goes_on_without_tls() {
    let cases: [(Protocol, Vec<u8>, &[u8]); 7] = [
        (
            Protocol::Smtp,
            b"220-mail.test hello\r\n220 ESMTP\r\n".to_vec(),
            b"220-mail.test hello\r\n220 ESMTP\r\n",
        ),
        (
            Protocol::Pop3,
            b"+OK hello <1@mail.test>\n".to_vec(),
            b"+OK hello <1@mail.test>\r\n",
        ),
        (
            Protocol::Imap,
            b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n".to_vec(),
            b"* OK hello\r\n",
        ),
        (
            Protocol::Imap,
            b"* OK [CAPABILITY STARTTLS]\r\n".to_vec(),
            b"* OK Ready\r\n",
        ),
        (Protocol::Mysql, mysql_greeting(0xffff), b""),
        (Protocol::Postgres, b"S".to_vec(), b""),
        (Protocol::Nntp, b"200 hello\r\n".to_vec(), b""),
    ];
    for (protocol, server, greeting) in cases {
        let mut dialogue = StartTls::new(protocol, "mail.test");
        dialogue.begin();
        for octet in server {
            dialogue.receive(&[octet]).unwrap();
        }
        assert_eq!(dialogue.greeting(), greeting, "{protocol}");
    }
}
