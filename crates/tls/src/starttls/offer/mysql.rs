//! `MySQL` and `MariaDB`: the service's greeting says what it can, and TLS is put into it.

use super::super::mysql::{CLIENT_PROTOCOL_41, CLIENT_SSL, SSL_REQUEST, capabilities_at, length};
use super::super::{MOST_GREETING, Protocol};
use super::{OfferFault, Step, shown, unexpected};

pub(super) fn read_greeting(octets: &[u8]) -> Result<Option<usize>, OfferFault> {
    let not_greeted = || OfferFault::NotGreeted {
        protocol: Protocol::Mysql,
        said: shown(octets),
    };
    let Some((header, rest)) = octets.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = length(*header);
    if length == 0 || length > MOST_GREETING {
        return Err(not_greeted());
    }
    let Some(greeting) = rest.get(..length) else {
        return Ok(None);
    };
    match greeting.first() {
        Some(10) => Ok(Some(4 + length)),
        Some(0xff) => {
            let words = greeting.get(3..).unwrap_or_default();
            Err(OfferFault::ServiceRefuses(shown(words)))
        }
        _ => Err(not_greeted()),
    }
}

pub(super) fn greeting(packet: &[u8]) -> Result<Vec<u8>, OfferFault> {
    let mut packet = packet.to_vec();
    let high = capabilities_at(&packet).and_then(|at| packet.get_mut(at + 1));
    match high {
        Some(high) => *high |= CLIENT_SSL.to_le_bytes()[1],
        None => {
            return Err(OfferFault::NotGreeted {
                protocol: Protocol::Mysql,
                said: shown(&packet),
            });
        }
    }
    Ok(packet)
}

/// How many octets the client's first packet has, which is the only one before TLS.
pub(super) fn read(heard: &[u8]) -> Result<Option<usize>, OfferFault> {
    let Some((header, rest)) = heard.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = length(*header);
    if header[3] != 1 || length == 0 {
        return Err(unexpected(Protocol::Mysql, heard));
    }
    if length > MOST_GREETING {
        return Err(OfferFault::TooLong);
    }
    Ok((rest.len() >= length).then_some(4 + length))
}

pub(super) fn answer(packet: &[u8]) -> Step {
    let capabilities = match packet {
        [_, _, _, _, low, high, ..] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    };
    let asks = capabilities & CLIENT_SSL != 0 && capabilities & CLIENT_PROTOCOL_41 != 0;
    if asks && packet.len() == SSL_REQUEST {
        return Step::Begin(Vec::new());
    }
    Step::End(OfferFault::WithoutTls, REQUIRED.to_vec())
}

/// What the packet that a client without TLS logs in with says of it: its first 32 octets.
pub(super) fn read_response(heard: &[u8]) -> Result<Option<&[u8]>, OfferFault> {
    let Some((header, rest)) = heard.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = length(*header);
    if header[3] != 1 || !(SSL_REQUEST - 4..=MOST_GREETING).contains(&length) {
        return Err(unexpected(Protocol::Mysql, heard));
    }
    let Some(said) = rest.get(..SSL_REQUEST - 4) else {
        return Ok(None);
    };
    let capabilities = u16::from_le_bytes([said[0], said[1]]);
    // Older clients say less; those that ask for TLS were not offered it.
    if capabilities & CLIENT_PROTOCOL_41 == 0 || capabilities & CLIENT_SSL != 0 {
        return Err(unexpected(Protocol::Mysql, heard));
    }
    Ok(Some(said))
}

/// `ERR`: its number, a state and words. `ER_SECURE_TRANSPORT_REQUIRED` (3159).
pub(super) const REQUIRED: &[u8] = b"\x4d\0\0\x02\xff\x57\x0c#HY000Connections using insecure transport are prohibited: TLS is required";
/// Before the client has said what it understands, a state is not part of it.
pub(super) const UNAVAILABLE: &[u8] = b"\x1f\0\0\0\xff\x51\x04the service is not available";
pub(super) const MISSPOKEN: &[u8] = b"\x1a\0\0\x02\xff\x13\x04#08S01TLS did not begin";
