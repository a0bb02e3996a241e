//! Times and sizes.

use std::time::Duration;

use super::super::fault::Fault;
use super::super::placed::{Key, Size, Time};
use super::Check;

/// The time of `key`, or `default`.
pub(super) fn time(key: &Key<Time>, default: Duration, check: &mut Check<'_>) -> Duration {
    let Some(at) = key.given() else {
        return default;
    };
    check
        .problems
        .take(&at.place, parse_time(&at.value.0))
        .unwrap_or(default)
}

/// The size of `key` in bytes, or `default`.
pub(super) fn size(key: &Key<Size>, default: u64, check: &mut Check<'_>) -> u64 {
    let Some(at) = key.given() else {
        return default;
    };
    let bytes = match &at.value {
        Size::Bytes(bytes) => Ok(*bytes),
        Size::Text(text) => parse_size(text),
    };
    check.problems.take(&at.place, bytes).unwrap_or(default)
}

fn parse_time(text: &str) -> Result<Duration, Fault> {
    let invalid = || Fault::Time(text.to_owned());
    let (number, unit) = split(text).ok_or_else(invalid)?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return Err(invalid()),
    };
    // Longer times overflow the clocks of some systems, and a year is "never" to a connection.
    let time = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(millis))
        .map(Duration::from_millis)
        .filter(|time| *time <= YEAR)
        .ok_or_else(|| Fault::LongTime(text.to_owned()))?;
    if time.is_zero() {
        return Err(Fault::ZeroTime);
    }
    Ok(time)
}

fn parse_size(text: &str) -> Result<u64, Fault> {
    let invalid = || Fault::Size(text.to_owned());
    let (number, unit) = split(text).ok_or_else(invalid)?;
    let bytes: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "KB" | "kB" => 1000,
        "MB" => 1000 * 1000,
        "GB" => 1000 * 1000 * 1000,
        "TB" => 1000 * 1000 * 1000 * 1000,
        _ => return Err(invalid()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(bytes))
        // What TOML's integers can say too.
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or(Fault::HugeSize)
}

/// `10s` as `10` and `s`; a space between the two is no matter.
fn split(text: &str) -> Option<(&str, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    (!number.is_empty()).then_some((number, unit.trim_start()))
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_time("10 s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_time("2h"), Ok(Duration::from_secs(7200)));
        for text in ["", "10", "s", "-1s", "1.5s", "10S", "1m30s", "١s"] {
            assert_eq!(parse_time(text), Err(Fault::Time(text.into())), "{text}");
        }
        assert_eq!(parse_time("0s"), Err(Fault::ZeroTime));
        for text in ["366d", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_time(text), Err(Fault::LongTime(text.into())));
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(parse_size("0B"), Ok(0));
        assert_eq!(parse_size("32KiB"), Ok(32 * 1024));
        assert_eq!(parse_size("10 MB"), Ok(10_000_000));
        for text in ["", "10", "KiB", "-1B", "1.5MiB", "1 kib"] {
            assert_eq!(parse_size(text), Err(Fault::Size(text.into())), "{text}");
        }
        for text in ["99999999999999999999B", "8388608TiB"] {
            assert_eq!(parse_size(text), Err(Fault::HugeSize), "{text}");
        }
        assert!(parse_size("8388607TiB").is_ok());
    }
}
