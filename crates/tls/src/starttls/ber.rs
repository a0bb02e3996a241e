//! As much of BER as LDAP needs before TLS.

use super::MOST_GREETING;

/// What octets begin with, in BER.
pub(super) enum Element<'b> {
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

pub(super) fn element(bytes: &[u8]) -> Element<'_> {
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

pub(super) const INTEGER: u8 = 0x02;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const EXTENDED_RESPONSE: u8 = 0x78;
