//! Key logs: the secrets that browsers, curl and OpenSSL write down where `SSLKEYLOGFILE` asks for it
//! (RFC 9850).
//!
//! A line is a label, the random of the client's hello, and a secret, in hexadecimal. What cannot be read
//! is counted and left out: a log is often cut, or written by several programs at once.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;

use crate::digest::Octets;
use crate::knowledge::Knowledge;

mod lines;

pub(crate) use lines::line;
pub use lines::lines;

/// The longest line that is read, in octets. No secret is as long; a premaster secret of a large DH group has
/// 2,000 digits.
pub const MAX_LINE_OCTETS: usize = 8192;

/// How many bad lines are told one by one.
pub const MAX_TOLD: usize = 100;

/// How many different labels are kept.
pub const MAX_LABELS: usize = 64;

/// Secrets are kept in chunks of this size, which never move: no copy is left behind unwiped.
const CHUNK_OCTETS: usize = 64 << 10;

/// The secrets of a key log.
///
/// A line of TLS 1.3 takes about 60 octets of memory and a connection 50 more: 100,000 connections with five
/// lines each take 35 MB.
#[derive(Default)]
pub struct KeyLog {
    /// The last of a connection's secrets, by the random of the client.
    by_random: HashMap<[u8; 32], u32, RandomState>,
    secrets: Vec<Secret>,
    chunks: Vec<Octets>,
    labels: Vec<Box<str>>,
    /// Premaster secrets by the first octets of what they were encrypted to.
    by_encrypted: HashMap<[u8; 8], Place, RandomState>,
    /// Main secrets by the identifier of their session.
    by_session: HashMap<Box<[u8]>, Place, RandomState>,
    /// A line whose end has not come yet.
    begun: Octets,
    /// The line is too long, and is left out up to its end.
    is_too_long: bool,
    lines: u64,
    bad: u64,
    told: Vec<BadLine>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLine {
    /// Which, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// What is wrong with a line of a key log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It is longer than any.
    #[error("the line is longer than {MAX_LINE_OCTETS} octets")]
    TooLong,
    /// It has not three words.
    #[error("a line has a label, a random and a secret, with one space between them")]
    Words,
    /// The label is no word.
    #[error("the label is no word of capital letters, digits and underscores")]
    Label,
    /// The random is none.
    #[error("the random of a client is 64 hexadecimal digits")]
    Random,
    /// The secret is none.
    #[error("the secret is no even number of hexadecimal digits")]
    Secret,
    /// There are more kinds of lines than exist.
    #[error("there are more than {MAX_LABELS} different labels")]
    TooManyLabels,
}

/// Where a secret is.
#[derive(Clone, Copy)]
struct Place {
    chunk: u32,
    start: u32,
    octets: u16,
}

struct Secret {
    place: Place,
    label: u8,
    /// The one of the same connection before it.
    before: Option<u32>,
}

impl KeyLog {
    /// The secrets of a whole log.
    #[must_use]
    pub fn of(log: &[u8]) -> Self {
        let mut this = Self::default();
        this.push(log);
        this.finish();
        this
    }

    /// Takes the next part of a log, however it is cut.
    pub fn push(&mut self, part: &[u8]) {
        let mut rest = part;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(at);
            rest = behind.get(1..).unwrap_or_default();
            if self.begun.is_empty() && !self.is_too_long {
                self.line(line);
            } else {
                self.begin(line);
                self.finish();
            }
        }
        self.begin(rest);
    }

    /// The log ends, and with it the last line, if it has no end of its own.
    pub fn finish(&mut self) {
        if self.is_too_long {
            self.is_too_long = false;
            self.begun.clear();
            self.lines += 1;
            self.tell(LineFault::TooLong);
        } else if !self.begun.is_empty() {
            let line = std::mem::take(&mut self.begun);
            self.line(&line);
        }
    }

    /// How many secrets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len() + self.by_encrypted.len() + self.by_session.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lines cannot be read. Empty lines and comments count as good.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.bad
    }

    /// The first [`MAX_TOLD`] of them.
    #[must_use]
    pub fn bad_lines(&self) -> &[BadLine] {
        &self.told
    }

    /// Whether there is a secret of the connection whose client sent this random.
    #[must_use]
    pub fn knows(&self, client_random: &[u8; 32]) -> bool {
        self.by_random.contains_key(client_random)
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLog")
            .field("secrets", &self.len())
            .field("bad", &self.bad)
            .finish_non_exhaustive()
    }
}

impl Knowledge for KeyLog {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let label = self.labels.iter().position(|known| **known == *label)?;
        let mut next = self.by_random.get(client_random).copied();
        while let Some(secret) = next.and_then(|at| self.secrets.get(at as usize)) {
            if usize::from(secret.label) == label {
                return self.at(secret.place);
            }
            next = secret.before;
        }
        None
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        self.at(*self.by_session.get(session)?)
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        self.at(*self.by_encrypted.get(encrypted.first_chunk()?)?)
    }
}

impl KeyLog {
    /// Keeps what a line begins with.
    fn begin(&mut self, part: &[u8]) {
        if self.is_too_long || self.begun.len() + part.len() > MAX_LINE_OCTETS {
            self.is_too_long = true;
            self.begun.clear();
        } else {
            if self.begun.capacity() == 0 && !part.is_empty() {
                // It never grows, so that no copy is left behind.
                self.begun.reserve_exact(MAX_LINE_OCTETS);
            }
            self.begun.extend_from_slice(part);
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let line = line.trim_ascii();
        let result = match line {
            [] | [b'#', ..] => Ok(()),
            _ if line.len() > MAX_LINE_OCTETS => Err(LineFault::TooLong),
            _ => self.secret(line),
        };
        if let Err(fault) = result {
            self.tell(fault);
        }
    }

    fn tell(&mut self, fault: LineFault) {
        self.bad += 1;
        if self.told.len() < MAX_TOLD {
            let line = self.lines;
            self.told.push(BadLine { line, fault });
        }
    }

    fn secret(&mut self, line: &[u8]) -> Result<(), LineFault> {
        let mut words = line
            .split(|octet| *octet == b' ')
            .filter(|word| !word.is_empty());
        let (Some(label), Some(of), Some(secret), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(LineFault::Words);
        };
        if let (b"RSA", Some(session)) = (label, of.strip_prefix(b"Session-ID:")) {
            let digits = secret
                .strip_prefix(b"Master-Key:")
                .ok_or(LineFault::Words)?;
            let session = unhex(session).ok_or(LineFault::Random)?;
            let place = self.keep(digits)?;
            self.by_session.insert(session.as_slice().into(), place);
            return Ok(());
        }
        if label == b"RSA" {
            // The first octets of what was encrypted to the server's key, and what it holds.
            let encrypted = unhex(of).and_then(|octets| octets.as_slice().try_into().ok());
            let encrypted = encrypted.ok_or(LineFault::Random)?;
            let place = self.keep(secret)?;
            self.by_encrypted.insert(encrypted, place);
            return Ok(());
        }
        let mut random = [0; 32];
        unhex_into(of, &mut random).ok_or(LineFault::Random)?;
        let label = self.label(label)?;
        let place = self.keep(secret)?;
        let last = u32::try_from(self.secrets.len()).map_err(|_| LineFault::TooLong)?;
        let before = self.by_random.insert(random, last);
        self.secrets.push(Secret {
            place,
            label,
            before,
        });
        Ok(())
    }

    fn label(&mut self, label: &[u8]) -> Result<u8, LineFault> {
        let mut labels = self.labels.iter();
        if let Some(at) = labels.position(|known| known.as_bytes() == label) {
            return Ok(at as u8);
        }
        let is_letter =
            |octet: &u8| octet.is_ascii_uppercase() || octet.is_ascii_digit() || *octet == b'_';
        let text = std::str::from_utf8(label).map_err(|_| LineFault::Label)?;
        if !label.iter().all(is_letter) {
            return Err(LineFault::Label);
        }
        if self.labels.len() >= MAX_LABELS {
            return Err(LineFault::TooManyLabels);
        }
        self.labels.push(text.into());
        Ok(self.labels.len() as u8 - 1)
    }

    fn keep(&mut self, digits: &[u8]) -> Result<Place, LineFault> {
        let octets = digits.len() / 2;
        if digits.is_empty() || !digits.len().is_multiple_of(2) {
            return Err(LineFault::Secret);
        }
        let has_room = |chunk: &Octets| chunk.len() + octets <= CHUNK_OCTETS;
        if !self.chunks.last().is_some_and(has_room) {
            self.chunks
                .push(Octets::new(Vec::with_capacity(CHUNK_OCTETS)));
        }
        let number = self.chunks.len() - 1;
        let chunk = self.chunks.last_mut().ok_or(LineFault::Secret)?;
        let start = chunk.len();
        chunk.resize(start + octets, 0);
        let room = chunk.get_mut(start..).unwrap_or_default();
        if unhex_into(digits, room).is_none() {
            chunk.truncate(start);
            return Err(LineFault::Secret);
        }
        Ok(Place {
            chunk: number as u32,
            start: start as u32,
            octets: octets as u16,
        })
    }

    fn at(&self, place: Place) -> Option<Octets> {
        let start = place.start as usize;
        let chunk = self.chunks.get(place.chunk as usize)?;
        let octets = chunk.get(start..start + usize::from(place.octets))?;
        Some(Octets::new(octets.to_vec()))
    }
}

fn unhex(digits: &[u8]) -> Option<Octets> {
    let mut octets = Octets::new(vec![0; digits.len() / 2]);
    unhex_into(digits, &mut octets)?;
    Some(octets)
}

/// Reads exactly as many digits as fill the octets.
fn unhex_into(digits: &[u8], octets: &mut [u8]) -> Option<()> {
    if digits.len() != octets.len() * 2 {
        return None;
    }
    // What is no digit shows at the end, as whole logs are read before anything else: a key log of 78 MB takes
    // 0.25 s, all in all.
    let mut all = 0;
    for (octet, pair) in octets.iter_mut().zip(digits.as_chunks().0) {
        let [high, low] = pair.map(|digit| DIGITS[usize::from(digit)]);
        *octet = high << 4 | low;
        all |= high | low;
    }
    (all < 16).then_some(())
}

/// What hexadecimal digits are worth; more than 15 for what is none.
const DIGITS: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

    fn random() -> [u8; 32] {
        unhex(RANDOM.as_bytes())
            .expect("hex")
            .as_slice()
            .try_into()
            .expect("32 octets")
    }

    #[test]
    fn lines_of_all_kinds_are_found_again_however_the_log_is_cut() {
        let log = format!(
            "# a comment\r\n\r\nCLIENT_RANDOM {RANDOM} 0102\r\nEXPORTER_SECRET {RANDOM} a0B0\n\
             RSA 0102030405060708 0303aa\n\
             RSA Session-ID:0a0b Master-Key:0c0d\nCLIENT_RANDOM {RANDOM} 0304"
        );
        for cut in 0..=log.len() {
            let mut keys = KeyLog::default();
            let (first, second) = log.split_at(cut);
            keys.push(first.as_bytes());
            keys.push(second.as_bytes());
            keys.finish();
            assert_eq!(keys.bad_lines(), []);
            assert_eq!(keys.len(), 5);
            let logged = |label| keys.logged(&random(), label).map(|octets| octets.to_vec());
            assert_eq!(logged("EXPORTER_SECRET"), Some(vec![0xa0, 0xb0]));
            assert_eq!(
                logged("CLIENT_RANDOM"),
                Some(vec![3, 4]),
                "the last one counts"
            );
            assert_eq!(logged("CLIENT_TRAFFIC_SECRET_0"), None);
            assert_eq!(keys.logged(&[0; 32], "CLIENT_RANDOM"), None);
            let premaster = keys.decrypted_premaster(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
            assert_eq!(premaster.as_deref(), Some(&vec![3, 3, 0xaa]));
            assert_eq!(keys.main_secret(&[10, 11]).as_deref(), Some(&vec![12, 13]));
        }
    }

    #[test]
    fn bad_lines_are_named_by_their_number_and_harm_no_other() {
        let endless = "A".repeat(MAX_LINE_OCTETS * 3);
        let log = format!(
            "CLIENT_RANDOM {RANDOM}\n{endless}\nclient {RANDOM} 00\nCLIENT_RANDOM 00 00\n\
             CLIENT_RANDOM {RANDOM} 0\nCLIENT_RANDOM {RANDOM} 0x\nRSA 00 00\n\
             SERVER_HANDSHAKE_TRAFFIC_SECRET {RANDOM} 0102\n"
        );
        let keys = KeyLog::of(log.as_bytes());
        let faults: Vec<_> = keys
            .bad_lines()
            .iter()
            .map(|bad| (bad.line, bad.fault))
            .collect();
        let expected = [
            (1, LineFault::Words),
            (2, LineFault::TooLong),
            (3, LineFault::Label),
            (4, LineFault::Random),
            (5, LineFault::Secret),
            (6, LineFault::Secret),
            (7, LineFault::Random),
        ];
        assert_eq!(faults, expected);
        assert_eq!((keys.bad(), keys.len()), (7, 1));
        assert!(
            keys.logged(&random(), "SERVER_HANDSHAKE_TRAFFIC_SECRET")
                .is_some()
        );
    }

    #[test]
    fn what_is_wrong_is_told_a_hundred_times_and_counted_always() {
        let keys = KeyLog::of("x\n".repeat(1000).as_bytes());
        assert_eq!((keys.bad(), keys.bad_lines().len()), (1000, MAX_TOLD));
    }

    #[test]
    fn secrets_are_in_no_debug_text() {
        let keys = KeyLog::of(format!("CLIENT_RANDOM {RANDOM} 616263").as_bytes());
        assert_eq!(format!("{keys:?}"), "KeyLog { secrets: 1, bad: 0, .. }");
    }
}
