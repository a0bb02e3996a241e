//! LDAP: messages of BER (RFC 4511, sections 4.1.1, 4.12 and 4.14).

use super::super::Protocol;
use super::super::ber::{ENUMERATED, EXTENDED_RESPONSE, Element, INTEGER, SEQUENCE, element};
use super::{OfferFault, Step, unexpected};

pub(super) fn read(heard: &[u8]) -> Result<Option<usize>, OfferFault> {
    if heard.first().is_some_and(|tag| *tag != SEQUENCE) {
        return Err(unexpected(Protocol::Ldap, heard));
    }
    match element(heard) {
        Element::Whole { octets, .. } => Ok(Some(octets)),
        Element::Short => Ok(None),
        Element::Bad => Err(OfferFault::TooLong),
    }
}

pub(super) fn answer(message: &[u8]) -> Result<Step, OfferFault> {
    let Some(request) = Request::of(message) else {
        return Err(unexpected(Protocol::Ldap, message));
    };
    let refused = |tag| {
        Ok(Step::Say(request.answer(
            tag,
            CONFIDENTIALITY_REQUIRED,
            REQUIRED,
        )))
    };
    match request.operation {
        UNBIND => Ok(Step::End(OfferFault::Left, Vec::new())),
        // It has no answer.
        ABANDON => Ok(Step::Say(Vec::new())),
        EXTENDED if request.asks_for_tls() => {
            Ok(Step::Begin(request.answer(EXTENDED_RESPONSE, SUCCESS, b"")))
        }
        EXTENDED => refused(EXTENDED_RESPONSE),
        BIND | MODIFY | ADD | MODIFY_NAME | COMPARE => refused(request.operation + 1),
        SEARCH => refused(SEARCH_DONE),
        DELETE => refused(DELETED),
        _ => Err(unexpected(Protocol::Ldap, message)),
    }
}

/// A request as far as it is looked at.
struct Request<'m> {
    /// The body of its `messageID`.
    number: &'m [u8],
    /// The tag of what is asked for.
    operation: u8,
    body: &'m [u8],
}

impl<'m> Request<'m> {
    fn of(message: &'m [u8]) -> Option<Self> {
        let Element::Whole { body: message, .. } = element(message) else {
            return None;
        };
        let Element::Whole {
            tag: INTEGER,
            body: number @ ([0..=0x7f] | [0..=0x7f, _] | [0..=0x7f, _, _] | [0..=0x7f, _, _, _]),
            octets,
        } = element(message)
        else {
            return None;
        };
        let Element::Whole { tag, body, .. } = element(message.get(octets..)?) else {
            return None;
        };
        Some(Self {
            number,
            operation: tag,
            body,
        })
    }

    fn asks_for_tls(&self) -> bool {
        matches!(
            element(self.body),
            Element::Whole {
                tag: REQUEST_NAME,
                body: START_TLS,
                ..
            }
        )
    }

    /// An `LDAPResult` with this number: a code, no `matchedDN`, and words.
    fn answer(&self, tag: u8, code: u8, words: &[u8]) -> Vec<u8> {
        let mut result = [ENUMERATED, 1, code, OCTET_STRING, 0].to_vec();
        result.extend(wrapped(OCTET_STRING, words));
        if tag == EXTENDED_RESPONSE && self.asks_for_tls() {
            result.extend(wrapped(RESPONSE_NAME, START_TLS));
        }
        let message = [wrapped(INTEGER, self.number), wrapped(tag, &result)].concat();
        wrapped(SEQUENCE, &message)
    }
}

/// An element of fewer than 128 octets, as all answers are.
fn wrapped(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag, body.len() as u8], body].concat()
}

const REQUIRED: &[u8] = b"TLS is required: begin it with StartTLS";

/// Notices of disconnection (section 4.4.1): unavailable (52), and protocolError (2).
pub(super) const UNAVAILABLE: &[u8] =
    b"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x34\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20036";
pub(super) const MISSPOKEN: &[u8] =
    b"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x02\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20036";

const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

const OCTET_STRING: u8 = 0x04;
const REQUEST_NAME: u8 = 0x80;
const RESPONSE_NAME: u8 = 0x8a;

const SUCCESS: u8 = 0;
const CONFIDENTIALITY_REQUIRED: u8 = 13;

// Requests; the number of an answer is one higher where none is named.
const UNBIND: u8 = 0x42;
const DELETE: u8 = 0x4a;
const DELETED: u8 = 0x6b;
const ABANDON: u8 = 0x50;
const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;
const SEARCH_DONE: u8 = 0x65;
const MODIFY: u8 = 0x66;
const ADD: u8 = 0x68;
const MODIFY_NAME: u8 = 0x6c;
const COMPARE: u8 = 0x6e;
const EXTENDED: u8 = 0x77;
