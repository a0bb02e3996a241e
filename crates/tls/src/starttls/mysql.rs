//! `MySQL` and `MariaDB`: packets of a length, a number and that many octets.

use super::{MOST_GREETING, StartTls, StartTlsError, Turn, shown};

mod renumber;

pub use renumber::Renumber;

/// The server's `HandshakeV10`, which says what it can; then a request that it does not answer.
pub(super) fn answer(dialogue: &mut StartTls) -> Result<Turn, StartTlsError> {
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

const CLIENT_LONG_PASSWORD: u16 = 0x0001;
const CLIENT_PROTOCOL_41: u16 = 0x0200;
const CLIENT_SSL: u16 = 0x0800;
const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
const MYSQL_PACKET: u32 = 1 << 24;
const UTF8MB4: u8 = 45;
