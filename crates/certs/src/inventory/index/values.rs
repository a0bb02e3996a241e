//! How values stand in the tables: times as seconds since 1970, serial numbers as octets whose order
//! is that of the hexadecimal digits people type, hashes as their 32 octets.

use std::time::SystemTime;

use ravelin_pki::{Fingerprint, RevocationReason, SerialNumber};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::journal::error::Refusal;
use crate::journal::form::{from_seconds, seconds};

/// A positive number's octets, without the zero that only keeps it positive.
pub(super) fn serial_octets(serial: &SerialNumber) -> Result<&[u8], Refusal> {
    // In its shortest form, and positive: then what is shown of it tells all.
    match serial.der_content() {
        [] => Err(Refusal::Serial(serial.clone())),
        [0, second, ..] if second & 0x80 == 0 => Err(Refusal::Serial(serial.clone())),
        [0, rest @ ..] if !rest.is_empty() => Ok(rest),
        [first, ..] if first & 0x80 != 0 => Err(Refusal::Serial(serial.clone())),
        all => Ok(all),
    }
}

pub(super) fn seconds_of(time: SystemTime) -> Result<i64, Refusal> {
    seconds(time).ok_or(Refusal::Time)
}

pub(crate) fn signed(number: u64) -> Result<i64, rusqlite::Error> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(crate) fn fingerprint(row: &Row<'_>, column: usize) -> Result<Fingerprint, rusqlite::Error> {
    row.get(column).map(Fingerprint::from_bytes)
}

pub(crate) fn serial(row: &Row<'_>, column: usize) -> Result<SerialNumber, rusqlite::Error> {
    let octets: Vec<u8> = row.get(column)?;
    Ok(serial_from_octets(octets))
}

fn serial_from_octets(mut octets: Vec<u8>) -> SerialNumber {
    if octets.first().is_some_and(|first| first & 0x80 != 0) {
        octets.insert(0, 0);
    }
    SerialNumber::from_der_content(&octets)
}

pub(crate) fn reason(row: &Row<'_>, column: usize) -> Result<RevocationReason, rusqlite::Error> {
    let code: i64 = row.get(column)?;
    u8::try_from(code)
        .ok()
        .and_then(RevocationReason::from_code)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, code))
}

pub(crate) fn moment(row: &Row<'_>, column: usize) -> Result<SystemTime, rusqlite::Error> {
    let seconds: i64 = row.get(column)?;
    from_seconds(seconds).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, seconds))
}

/// What does not look like it should, in words of [`rusqlite`]'s.
pub(crate) fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
