//! Protocols of octets: LDAP and `PostgreSQL`.

use super::ber::{ENUMERATED, EXTENDED_RESPONSE, Element, INTEGER, SEQUENCE, element};
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
