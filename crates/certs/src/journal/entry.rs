//! An entry of the journal, and the line of JSON in which it stands.
//!
//! Whether the line belongs where it stands (number, chain) is the reader's business.

use std::borrow::Cow;
use std::time::SystemTime;

use ravelin_pki::Fingerprint;
use serde::{Deserialize, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::event::Event;
use super::form;

/// One entry: what happened, when, and after what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of the entry, which is that of its line: the first is 1.
    pub sequence: u64,
    /// When it was written, in whole seconds.
    pub time: SystemTime,
    /// The SHA-256 of the line before, with its newline; 32 zero octets in the first.
    pub previous: Fingerprint,
    /// What happened.
    pub event: Event,
}

/// The longest line that is written and read, in bytes: a certificate has a few thousand.
pub const LINE_MAX: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    sequence: u64,
    #[serde(with = "form::time")]
    time: SystemTime,
    #[serde(with = "form::text")]
    previous: Fingerprint,
    #[serde(borrow)]
    event: Cow<'a, str>,
    // Read by the event's name, which may stand behind it.
    #[serde(borrow)]
    details: &'a RawValue,
}

impl Entry {
    /// Reads a line, without its newline.
    ///
    /// # Errors
    ///
    /// It is not JSON, or lacks something that an entry of its kind has. An event of an unknown
    /// name is none.
    pub fn from_line(line: &[u8]) -> Result<Self, serde_json::Error> {
        let line: Line<'_> = serde_json::from_slice(line)?;
        Ok(Self {
            sequence: line.sequence,
            time: line.time,
            previous: line.previous,
            event: Event::from_details(&line.event, line.details)?,
        })
    }

    /// The line, with its newline.
    ///
    /// # Errors
    ///
    /// A time is beyond the year 9999, or the details of an unknown event are not JSON.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        Ok(line)
    }
}

/// As the line has it.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let details = self.event.details().map_err(ser::Error::custom)?;
        let line = Line {
            sequence: self.sequence,
            time: self.time,
            previous: self.previous,
            event: Cow::Borrowed(self.event.name()),
            details: &details,
        };
        line.serialize(to)
    }
}
