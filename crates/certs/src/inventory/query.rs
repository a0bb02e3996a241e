//! What is asked of the inventory, and how that is said in SQL.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use ravelin_pki::{Fingerprint, SerialNumber};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::index::{self, Place, unreadable};
use super::{COLUMNS, Cursor, Record, State};
use crate::journal::form::seconds;

/// Which certificates: those to which all that is said applies. [`Query::default`] is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    issuer: Option<Fingerprint>,
    serial: Option<SerialPrefix>,
    /// Whether the digits are all of the number.
    whole_serial: bool,
    name: Option<NamePattern>,
    state: Option<State>,
    expiring_before: Option<SystemTime>,
}

/// A name, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// One of the names, or the subject, is just that. ASCII letters of either case are alike.
    Is(String),
    /// One of the names, or the subject, has it in it. ASCII letters of either case are alike.
    Contains(String),
}

/// So many certificates with a name are looked up one by one. More are found sooner by going through
/// all by their end, as a page of them soon is full.
const FEW: usize = 20_000;

impl NamePattern {
    /// Whether a certificate has such a name.
    pub(super) fn fits(&self, record: &Record) -> bool {
        let mut texts = record.names.iter().chain([&record.subject]);
        match self {
            Self::Is(name) => texts.any(|text| text.eq_ignore_ascii_case(name)),
            Self::Contains(part) => {
                let part = part.to_ascii_lowercase();
                texts.any(|text| text.to_ascii_lowercase().contains(&part))
            }
        }
    }
}

/// The first digits of a serial number in hexadecimal: 1 to 128 of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPrefix(String);

/// Not the beginning of a serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not the beginning of a serial number, which is hexadecimal digits")]
pub struct SerialPrefixError(String);

impl Query {
    /// Those of one issuer, by the SHA-256 of its `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn issuer(mut self, issuer: Fingerprint) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Those whose serial number begins like that.
    #[must_use]
    pub fn serial(mut self, prefix: SerialPrefix) -> Self {
        self.serial = Some(prefix);
        self
    }

    /// Those whose serial number is just that.
    #[must_use]
    pub(crate) fn serial_is(mut self, all: SerialPrefix) -> Self {
        self.whole_serial = true;
        self.serial(all)
    }

    /// Those that have such a name.
    #[must_use]
    pub fn name(mut self, name: NamePattern) -> Self {
        self.name = Some(name);
        self
    }

    /// Those of a state at the time that is asked about.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Those that are neither revoked nor over, and will be over before `time`.
    #[must_use]
    pub fn expiring_before(mut self, time: SystemTime) -> Self {
        self.expiring_before = Some(time);
        self
    }

    /// The statement for it, and the values for its question marks. Where it goes by the end of
    /// certificates, it may tell more than those with the name that is looked for.
    pub(super) fn statement(
        &self,
        connection: &Connection,
        now: i64,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(String, Vec<Value>), rusqlite::Error> {
        let (mut conditions, mut values) = self.conditions(now);
        let few = match self.pattern() {
            Some(NamePattern::Is(name)) => index::with_name(connection, name, FEW)?,
            Some(NamePattern::Contains(part)) => index::with_part(connection, part, FEW)?,
            None => None,
        };
        if let Some(cursor) = after {
            conditions.push_str(" AND c.place > ?");
            values.push(cursor.0.into());
        }
        // The plus keeps SQLite from walking all certificates by their end to find a few.
        let (by, order) = match &few {
            Some(few) => {
                conditions.push_str(" AND c.sequence IN (SELECT value FROM json_each(?))");
                let list = serde_json::to_string(few).map_err(|error| unreadable(0, error))?;
                values.push(list.into());
                ("INDEXED BY by_sequence", "+c.place")
            }
            None if self.is_selective() => ("", "+c.place"),
            None if self.is_of_revoked() => ("INDEXED BY revoked_by_end", "c.not_after, c.place"),
            None => ("", "c.place"),
        };
        // Where names are still to be looked at, it is not known how many rows that takes.
        let limit = match self.pattern() {
            Some(_) => -1,
            None => i64::try_from(limit).unwrap_or(i64::MAX),
        };
        values.push(limit.into());
        let text = format!(
            "SELECT {COLUMNS} FROM certificates c {by} WHERE {conditions}
             ORDER BY {order} LIMIT ?"
        );
        Ok((text, values))
    }

    /// Whether it is about few certificates among many, most of the time, but for their name.
    fn is_selective(&self) -> bool {
        self.serial.is_some()
    }

    fn is_of_revoked(&self) -> bool {
        self.state == Some(State::Revoked)
    }

    /// The name that is looked for, if any: everything has nothing in it.
    pub(super) fn pattern(&self) -> Option<&NamePattern> {
        self.name
            .as_ref()
            .filter(|pattern| !matches!(pattern, NamePattern::Contains(part) if part.is_empty()))
    }

    /// The conditions on table `c`, but for the name, and the values for their question marks.
    fn conditions(&self, now: i64) -> (String, Vec<Value>) {
        let mut conditions = vec!["TRUE".to_owned()];
        let mut values = Vec::new();
        let mut add = |condition: &str, more: Vec<Value>| {
            conditions.push(condition.to_owned());
            values.extend(more);
        };
        if let Some(issuer) = &self.issuer {
            add(
                "c.issuer = (SELECT id FROM issuers WHERE key = ?)",
                vec![Value::Blob(issuer.as_bytes().to_vec())],
            );
        }
        if let Some(prefix) = &self.serial {
            let (from, to) = prefix.range();
            if self.whole_serial {
                // An odd number of digits is not all of any.
                let whole = prefix.0.len() % 2 == 0;
                add(
                    "c.serial = ? AND ?",
                    vec![Value::Blob(from.clone()), whole.into()],
                );
            }
            add("c.serial >= ?", vec![Value::Blob(from)]);
            if let Some(to) = to {
                add("c.serial < ?", vec![Value::Blob(to)]);
            }
        }
        match self.state {
            Some(State::Revoked) => add("c.revoked_at IS NOT NULL", vec![]),
            Some(State::Expired) => add(
                "c.revoked_at IS NULL AND c.place < ?",
                vec![Place::from_end(now).into()],
            ),
            Some(State::NotYetValid) => add(
                "c.revoked_at IS NULL AND c.not_before > ? AND c.place >= ?",
                vec![now.into(), Place::from_end(now).into()],
            ),
            Some(State::Valid) => add(
                "c.revoked_at IS NULL AND c.not_before <= ? AND c.place >= ?",
                vec![now.into(), Place::from_end(now).into()],
            ),
            None => {}
        }
        if let Some(before) = self.expiring_before {
            let before = seconds(before).unwrap_or(i64::MAX);
            add(
                "c.revoked_at IS NULL AND c.place >= ? AND c.place < ?",
                [now, before].map(|end| Place::from_end(end).into()).into(),
            );
        }
        (conditions.join(" AND "), values)
    }
}

impl SerialPrefix {
    /// The octets from which on, and before which, the numbers lie that begin like that.
    fn range(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let octets = |digits: &str| -> Vec<u8> {
            (0..digits.len())
                .step_by(2)
                .filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
                .collect()
        };
        let odd = self.0.len() % 2 == 1;
        let mut to = octets(&format!("{}{}", self.0, if odd { "f" } else { "" }));
        let from = octets(&format!("{}{}", self.0, if odd { "0" } else { "" }));
        // The first that begins otherwise: without the octets that cannot be greater, one more.
        while let Some(last) = to.pop() {
            if let Some(next) = last.checked_add(1) {
                to.push(next);
                return (from, Some(to));
            }
        }
        (from, None)
    }
}

impl FromStr for SerialPrefix {
    type Err = SerialPrefixError;

    /// Reads hexadecimal digits of either case, with or without colons and a leading `0x`.
    fn from_str(text: &str) -> Result<Self, SerialPrefixError> {
        let digits = text
            .strip_prefix("0x")
            .unwrap_or(text)
            .replace(':', "")
            .to_ascii_lowercase();
        if !(1..=128).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(SerialPrefixError(text.chars().take(140).collect()));
        }
        // An octet that only keeps a number positive is not shown of it.
        let shown = digits.strip_prefix("00").filter(|rest| !rest.is_empty());
        Ok(Self(shown.unwrap_or(&digits).to_owned()))
    }
}

impl fmt::Display for SerialPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&SerialNumber> for SerialPrefix {
    /// All digits of a number that is positive.
    fn from(serial: &SerialNumber) -> Self {
        Self(serial.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range_of_octets() {
        let range = |text: &str| text.parse::<SerialPrefix>().unwrap().range();
        assert_eq!(range("ab"), (vec![0xab], Some(vec![0xac])));
        assert_eq!(range("0xAB:C"), (vec![0xab, 0xc0], Some(vec![0xab, 0xd0])));
        assert_eq!(range("abff"), (vec![0xab, 0xff], Some(vec![0xac])));
        assert_eq!(range("abf"), (vec![0xab, 0xf0], Some(vec![0xac])));
        assert_eq!(range("f"), (vec![0xf0], None));
        assert_eq!(
            range("00ab"),
            range("ab"),
            "a leading zero octet is not kept"
        );
        for wrong in ["", "0x", "g", "-1", ":", &"0".repeat(129)] {
            assert!(wrong.parse::<SerialPrefix>().is_err(), "{wrong:?}");
        }
    }
}
