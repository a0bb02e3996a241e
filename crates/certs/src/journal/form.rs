//! How values stand in JSON: times as RFC 3339 in UTC, certificates as base64, all else as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

/// Seconds since 1970, rounded down; `None` beyond what 64 bits can tell.
pub(crate) fn seconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(error) => {
            let before = error.duration();
            let seconds = i64::try_from(before.as_secs()).ok()?;
            let part = i64::from(before.subsec_nanos() > 0);
            0i64.checked_sub(seconds)?.checked_sub(part)
        }
    }
}

/// The time that is so many seconds after 1970, or before it.
pub(crate) fn from_seconds(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

/// `2026-11-25T00:17:44Z`; `None` beyond the year 9999, where RFC 3339 ends.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(seconds(time)?).ok()?;
    time.format(&Rfc3339).ok()
}

pub(crate) fn from_rfc3339(text: &str) -> Option<SystemTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    from_seconds(time.unix_timestamp())
}

/// Times, in whole seconds.
pub(crate) mod time {
    use std::borrow::Cow;
    use std::time::SystemTime;

    use serde::{Deserialize as _, Deserializer, Serializer, de, ser};

    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        let text = super::rfc3339(*time)
            .ok_or_else(|| ser::Error::custom("a time that RFC 3339 cannot tell"))?;
        to.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D>(from: D) -> Result<SystemTime, D::Error>
    where
        D: Deserializer<'de>,
    {
        let text = Cow::<str>::deserialize(from)?;
        super::from_rfc3339(&text).ok_or_else(|| {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"a time as in RFC 3339")
        })
    }
}

/// Values that are read back from what they are shown as.
pub(crate) mod text {
    use std::borrow::Cow;
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Cow::<str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// As [`text`], where there may be no value.
pub(crate) mod text_if_any {
    use std::borrow::Cow;
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    #[allow(clippy::ref_option, reason = "serde hands it over like that")]
    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<Cow<str>>::deserialize(from)?;
        text.map(|text| text.parse().map_err(de::Error::custom))
            .transpose()
    }
}

/// Certificates.
pub(crate) mod base64 {
    use std::borrow::Cow;

    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;
    use ravelin_pki::CertificateDer;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(
        der: &CertificateDer<'static>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(der))
    }

    pub(crate) fn deserialize<'de, D>(from: D) -> Result<CertificateDer<'static>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let text = Cow::<str>::deserialize(from)?;
        let der = STANDARD.decode(&*text).map_err(de::Error::custom)?;
        Ok(CertificateDer::from(der))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_year_one_to_9999_and_read_back() {
        for (seconds_since, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-631_152_000, "1950-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let time = from_seconds(seconds_since).unwrap();
            assert_eq!(rfc3339(time).as_deref(), Some(text));
            assert_eq!(from_rfc3339(text), Some(time));
        }
        assert_eq!(rfc3339(from_seconds(253_402_300_800).unwrap()), None);
        let before = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(seconds(before), Some(-1), "rounded down, not to zero");
        let elsewhere = from_rfc3339("1970-01-01T01:00:00+01:00");
        assert_eq!(elsewhere, Some(UNIX_EPOCH));
    }
}
