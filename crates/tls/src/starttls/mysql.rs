//! `MySQL` and `MariaDB`: packets of a length, a number and that many octets.

use super::{MOST_GREETING, StartTls, StartTlsError, Turn, shown};

mod originate;
mod renumber;

pub use originate::Originate;
pub use renumber::Renumber;

/// The server's `HandshakeV10`, which says what it can; then a request that it does not answer.
pub(super) fn answer(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
    let Some((header, rest)) = dialogue.heard.split_first_chunk::<4>() else {
        return Ok(Turn::default());
    };
    let length = length(*header);
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
    let Some(at) = capabilities_at(&dialogue.heard) else {
        return Err(dialogue.unexpected(&dialogue.heard));
    };
    if dialogue.heard[at + 1] & CLIENT_SSL.to_le_bytes()[1] == 0 {
        return Err(StartTlsError::NotOffered);
    }
    dialogue.heard.drain(..4 + length);
    let mut say = vec![32, 0, 0, 1];
    let capabilities = u32::from(CLIENT_SSL | CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41)
        | CLIENT_SECURE_CONNECTION;
    say.extend(capabilities.to_le_bytes());
    say.extend(MYSQL_PACKET.to_le_bytes());
    say.push(UTF8MB4);
    say.resize(SSL_REQUEST, 0);
    dialogue.turn += 1;
    Ok(Turn { say, begin: true })
}

/// How many octets follow the header of a packet.
pub(super) fn length([low, middle, high, _number]: [u8; 4]) -> usize {
    usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16
}

/// Where in a server's greeting, which is whole, the lower two octets of its capabilities are.
pub(super) fn capabilities_at(packet: &[u8]) -> Option<usize> {
    let (header, greeting) = packet.split_first_chunk::<4>()?;
    let greeting = greeting.get(..length(*header))?;
    // Behind the protocol's number its version up to a zero, 4 octets of a thread, 8 of a challenge and another zero.
    let end = greeting.iter().position(|octet| *octet == 0)?;
    greeting.get(end + 14..end + 16)?;
    Some(4 + end + 14)
}

/// How many octets the packet has that asks for TLS.
pub(super) const SSL_REQUEST: usize = 4 + 32;

const CLIENT_LONG_PASSWORD: u16 = 0x0001;
pub(super) const CLIENT_PROTOCOL_41: u16 = 0x0200;
pub(super) const CLIENT_SSL: u16 = 0x0800;
const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
const MYSQL_PACKET: u32 = 1 << 24;
const UTF8MB4: u8 = 45;
