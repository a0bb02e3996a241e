//! Protocols of octets: LDAP, `PostgreSQL` and `MySQL`.

use super::{StartTls, StartTlsError, Turn, shown};

/// An `ExtendedRequest` with number 1, for 1.3.6.1.4.1.1466.20037 (RFC 4511, sections 4.12 and 4.14), in BER.
pub(super) const LDAP_REQUEST: &[u8] =
    b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// `SSLRequest`: 8 octets long, and a number in the place of a version.
pub(super) const POSTGRES_REQUEST: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// An `ExtendedResponse` whose result is success (0).
pub(super) fn ldap(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    let strange = |dialogue: &StartTls| Err(dialogue.unexpected(&dialogue.heard));
    if dialogue.heard.first().is_some_and(|tag| *tag != SEQUENCE) {
        return strange(dialogue);
    }
    let (message, octets) = match element(&dialogue.heard) {
        Element::Whole { body, octets, .. } => (body.to_vec(), octets),
        Element::Short => return Ok(Turn::default()),
        Element::Bad => return strange(dialogue),
    };
    let said = dialogue.heard.clone();
    dialogue.heard.drain(..octets);
    // messageID, then the response.
    let Element::Whole {
        tag: INTEGER,
        octets,
        ..
    } = element(&message)
    else {
        return Err(dialogue.unexpected(&said));
    };
    let Element::Whole {
        tag: EXTENDED_RESPONSE,
        body,
        ..
    } = element(&message[octets..])
    else {
        return Err(dialogue.unexpected(&said));
    };
    match element(body) {
        Element::Whole {
            tag: ENUMERATED,
            body: [0],
            ..
        } => Ok(Turn::now()),
        Element::Whole {
            tag: ENUMERATED,
            body: [code],
            octets,
        } => {
            // matchedDN, then what it says for people.
            let said = match element(&body[octets..]) {
                Element::Whole { octets: dn, .. } => match element(&body[octets + dn..]) {
                    Element::Whole { body, .. } => shown(body),
                    _ => String::new(),
                },
                _ => String::new(),
            };
            Err(StartTlsError::Refused(format!("result {code} {said}")))
        }
        _ => Err(dialogue.unexpected(&said)),
    }
}

/// One letter: `S` for yes, `N` for no.
pub(super) fn postgres(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    match dialogue.heard.first() {
        None => Ok(Turn::default()),
        Some(b'S') => {
            dialogue.heard.drain(..1);
            Ok(Turn::now())
        }
        Some(b'N') => Err(StartTlsError::NotOffered),
        Some(b'E') => Err(StartTlsError::Refused(shown(&dialogue.heard))),
        Some(_) => Err(dialogue.unexpected(&dialogue.heard)),
    }
}

/// The server's `HandshakeV10`, which says what it can; then a request that it does not answer.
pub(super) fn mysql(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    let Some(([low, middle, high, _number], rest)) = dialogue.heard.split_first_chunk::<4>() else {
        return Ok(Turn::default());
    };
    let length = usize::from(*low) | usize::from(*middle) << 8 | usize::from(*high) << 16;
    if length == 0 || length > MOST_GREETING {
        return Err(dialogue.unexpected(&dialogue.heard));
    }
    let Some(greeting) = rest.get(..length) else {
        return Ok(Turn::default());
    };
    match greeting.first() {
        Some(10) => {}
        Some(0xff) => {
            let words = greeting.get(3..).unwrap_or_default();
            return Err(StartTlsError::Refused(shown(words)));
        }
        _ => return Err(dialogue.unexpected(&dialogue.heard)),
    }
    // Its version up to a zero, 4 octets of a thread, 8 of a challenge and another zero.
    let capabilities = greeting
        .iter()
        .position(|octet| *octet == 0)
        .and_then(|end| greeting.get(end + 14..end + 16));
    let Some(&[low, high]) = capabilities else {
        return Err(dialogue.unexpected(&dialogue.heard));
    };
    if u16::from_le_bytes([low, high]) & CLIENT_SSL == 0 {
        return Err(StartTlsError::NotOffered);
    }
    dialogue.heard.drain(..4 + length);
    let mut say = vec![32, 0, 0, 1];
    let capabilities = u32::from(CLIENT_SSL | CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41)
        | CLIENT_SECURE_CONNECTION;
    say.extend(capabilities.to_le_bytes());
    say.extend(MYSQL_PACKET.to_le_bytes());
    say.push(UTF8MB4);
    say.resize(4 + 32, 0);
    dialogue.turn += 1;
    Ok(Turn { say, begin: true })
}

/// What octets begin with, in BER.
enum Element<'b> {
    Whole {
        tag: u8,
        body: &'b [u8],
        /// How many octets it has, header and all.
        octets: usize,
    },
    /// Some of it is missing.
    Short,
    /// It is none, or longer than any answer is.
    Bad,
}

fn element(bytes: &[u8]) -> Element<'_> {
    let [tag, length, rest @ ..] = bytes else {
        return Element::Short;
    };
    let (header, length) = match usize::from(*length) {
        length @ 0..=0x7f => (2, length),
        // 0x80 is of no length that is known.
        many @ 0x81..=0x84 => {
            let many = many - 0x80;
            let Some(digits) = rest.get(..many) else {
                return Element::Short;
            };
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (2 + many, length)
        }
        _ => return Element::Bad,
    };
    if length > MOST_GREETING {
        return Element::Bad;
    }
    match bytes.get(header..header + length) {
        Some(body) => Element::Whole {
            tag: *tag,
            body,
            octets: header + length,
        },
        None => Element::Short,
    }
}

const INTEGER: u8 = 0x02;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
const EXTENDED_RESPONSE: u8 = 0x78;

const CLIENT_LONG_PASSWORD: u16 = 0x0001;
const CLIENT_PROTOCOL_41: u16 = 0x0200;
const CLIENT_SSL: u16 = 0x0800;
const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
const MYSQL_PACKET: u32 = 1 << 24;
const UTF8MB4: u8 = 45;

/// Longer answers than this, in octets, are none.
const MOST_GREETING: usize = 8 << 10;
