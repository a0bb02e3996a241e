//! `PostgreSQL`: packets of a length and a number, the first of which has no letter before it.

use super::super::binary::POSTGRES_REQUEST;
use super::super::{MOST_GREETING, Protocol};
use super::{OfferFault, Step, unexpected};

/// What a client asks for before it says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Tls,
    /// Encryption by GSSAPI.
    Gss,
    /// A session, or the end of what another one does.
    Other,
}

impl Request {
    pub(super) fn of(packet: &[u8]) -> Self {
        match packet {
            POSTGRES_REQUEST => Self::Tls,
            GSS_REQUEST => Self::Gss,
            _ => Self::Other,
        }
    }
}

/// How many octets the first packet has.
pub(super) fn read(heard: &[u8]) -> Result<Option<usize>, OfferFault> {
    // No length is so large that its first octet is another.
    if heard.first().is_some_and(|octet| *octet != 0) {
        return Err(unexpected(Protocol::Postgres, heard));
    }
    let Some((length, _)) = heard.split_first_chunk::<4>() else {
        return Ok(None);
    };
    match u32::from_be_bytes(*length) as usize {
        ..8 => Err(unexpected(Protocol::Postgres, heard)),
        length if length > MOST_GREETING => Err(OfferFault::TooLong),
        length => Ok((heard.len() >= length).then_some(length)),
    }
}

pub(super) fn answer(packet: &[u8]) -> Step {
    match Request::of(packet) {
        Request::Tls => Step::Begin(b"S".to_vec()),
        Request::Gss => Step::Say(b"N".to_vec()),
        Request::Other => Step::End(OfferFault::WithoutTls, REQUIRED.to_vec()),
    }
}

const GSS_REQUEST: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];

/// `ErrorResponse`: how severe it is, twice, its code and its words; each has a letter before and a zero behind it.
pub(super) const REQUIRED: &[u8] =
    b"E\0\0\0\x49SFATAL\0VFATAL\0C28000\0MTLS is required: connect with sslmode=require\0\0";
pub(super) const UNAVAILABLE: &[u8] =
    b"E\0\0\0\x38SFATAL\0VFATAL\0C57P03\0Mthe service is not available\0\0";
pub(super) const MISSPOKEN: &[u8] = b"E\0\0\0\x2dSFATAL\0VFATAL\0C08P01\0MTLS did not begin\0\0";
