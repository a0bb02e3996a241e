//! Values behind the addresses of version 2: a type, a length and that many octets.

use super::{ClientCertificate, ClientTls, Header, ProxyProtocolError, crc32c};

/// What `values` say, which end `whole`.
pub(super) fn read(whole: &[u8], values: &[u8]) -> Result<Header, ProxyProtocolError> {
    let mut header = Header::default();
    let mut seen = Seen::default();
    let mut rest = values;
    while let Some((kind, value, after)) = next(rest)? {
        match kind {
            ALPN => {
                seen.once(kind)?;
                header.alpn = Some(value.to_vec());
            }
            AUTHORITY => {
                seen.once(kind)?;
                header.authority = Some(text(kind, value)?);
            }
            CHECKSUM => {
                seen.once(kind)?;
                let value =
                    <[u8; 4]>::try_from(value).map_err(|_| ProxyProtocolError::Value(kind))?;
                let end = whole.len() - after.len();
                checked(whole, end - value.len(), value)?;
            }
            TLS => {
                seen.once(kind)?;
                header.tls = tls(value)?;
            }
            _ => {}
        }
        rest = after;
    }
    Ok(header)
}

pub(super) fn write(header: &Header, body: &mut Vec<u8>) {
    if let Some(alpn) = &header.alpn {
        put(ALPN, alpn, body);
    }
    if let Some(authority) = &header.authority {
        put(AUTHORITY, authority.as_bytes(), body);
    }
    let Some(tls) = &header.tls else {
        return;
    };
    let mut client = CLIENT_TLS;
    let mut verified = false;
    let mut values = Vec::new();
    let mut put_text = |kind, text: &Option<String>| {
        if let Some(text) = text {
            put(kind, text.as_bytes(), &mut values);
        }
    };
    put_text(TLS_VERSION, &tls.version);
    if let Some(certificate) = &tls.certificate {
        // Whether it was shown in this connection or in one that is resumed makes no difference to anybody.
        client |= CLIENT_SHOWED | CLIENT_HAS_SHOWN;
        verified = certificate.verified;
        put_text(TLS_COMMON_NAME, &certificate.common_name);
    }
    put_text(TLS_CIPHER, &tls.cipher);
    let not_verified = u32::from(!verified).to_be_bytes();
    put_whole(TLS, &[&[client], &not_verified[..], &values].concat(), body);
}

fn tls(value: &[u8]) -> Result<Option<ClientTls>, ProxyProtocolError> {
    let Some((&[client, a, b, c, d], mut rest)) = value.split_first_chunk::<5>() else {
        return Err(ProxyProtocolError::Value(TLS));
    };
    let mut tls = ClientTls::default();
    let mut common_name = None;
    let mut seen = Seen::default();
    while let Some((kind, value, after)) = next(rest)? {
        let slot = match kind {
            TLS_VERSION => Some(&mut tls.version),
            TLS_COMMON_NAME => Some(&mut common_name),
            TLS_CIPHER => Some(&mut tls.cipher),
            _ => None,
        };
        if let Some(slot) = slot {
            seen.once(kind)?;
            *slot = Some(text(kind, value)?);
        }
        rest = after;
    }
    if client & (CLIENT_SHOWED | CLIENT_HAS_SHOWN) != 0 {
        tls.certificate = Some(ClientCertificate {
            verified: [a, b, c, d] == [0; 4],
            common_name,
        });
    }
    Ok((client & CLIENT_TLS != 0).then_some(tls))
}

/// A type, its value, and what follows.
type Value<'b> = (u8, &'b [u8], &'b [u8]);

fn next(octets: &[u8]) -> Result<Option<Value<'_>>, ProxyProtocolError> {
    let Some((&[kind, high, low], rest)) = octets.split_first_chunk::<3>() else {
        return match octets {
            [] => Ok(None),
            _ => Err(ProxyProtocolError::Short),
        };
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (value, after) = rest
        .split_at_checked(length)
        .ok_or(ProxyProtocolError::Short)?;
    Ok(Some((kind, value, after)))
}

/// Types that were read.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Seen {
    fn once(&mut self, kind: u8) -> Result<(), ProxyProtocolError> {
        if self.0.contains(&kind) {
            return Err(ProxyProtocolError::Twice(kind));
        }
        self.0.push(kind);
        Ok(())
    }
}

/// What is shown and logged later, so that it has nothing in it that moves the cursor.
fn text(kind: u8, value: &[u8]) -> Result<String, ProxyProtocolError> {
    match str::from_utf8(value) {
        Ok(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
        _ => Err(ProxyProtocolError::Value(kind)),
    }
}

/// Compares the checksum at `at` with that of the whole, in which it is zero.
fn checked(whole: &[u8], at: usize, value: [u8; 4]) -> Result<(), ProxyProtocolError> {
    let (before, after) = (&whole[..at], &whole[at + value.len()..]);
    let without = [before, &[0; 4], after].concat();
    if crc32c::of(&without).to_be_bytes() != value {
        return Err(ProxyProtocolError::Checksum);
    }
    Ok(())
}

fn put(kind: u8, value: &[u8], body: &mut Vec<u8>) {
    if value.len() <= MOST_VALUE {
        put_whole(kind, value, body);
    }
}

fn put_whole(kind: u8, value: &[u8], body: &mut Vec<u8>) {
    body.push(kind);
    body.extend((value.len() as u16).to_be_bytes());
    body.extend_from_slice(value);
}

const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const CHECKSUM: u8 = 0x03;
const TLS: u8 = 0x20;
const TLS_VERSION: u8 = 0x21;
const TLS_COMMON_NAME: u8 = 0x22;
const TLS_CIPHER: u8 = 0x23;

const CLIENT_TLS: u8 = 0x01;
const CLIENT_SHOWED: u8 = 0x02;
const CLIENT_HAS_SHOWN: u8 = 0x04;

/// How long a value may be that is written: five of them are within what is read.
const MOST_VALUE: usize = 512;
