//! Joins the fragments of records into messages: a record may hold several, a message may need several.

use super::HEADER_OCTETS;

/// Collects fragments and gives the messages in them, whole.
///
/// It holds what has not been given yet: at most a message of the limit and one fragment.
#[derive(Debug)]
pub struct Joiner {
    fragments: Vec<u8>,
    /// How much of `fragments` has been given.
    given: usize,
    /// Where `fragments` begins, in octets from the first fragment.
    at: u64,
    limit: usize,
}

/// A message, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined<'j> {
    /// Header and body.
    pub bytes: &'j [u8],
    /// Where it begins, in octets from the first fragment.
    pub at: u64,
}

/// A message is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a handshake message says that it has {octets} octets, and at most {limit} are read")]
pub struct JoinError {
    /// Its length, header and all.
    pub octets: usize,
    /// The longest that is read.
    pub limit: usize,
}

impl Joiner {
    /// A joiner for messages of at most `limit` octets, header and all.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            fragments: Vec::new(),
            given: 0,
            at: 0,
            limit,
        }
    }

    /// Takes the next fragment.
    pub fn push(&mut self, fragment: &[u8]) {
        self.at += self.given as u64;
        self.fragments.drain(..self.given);
        self.given = 0;
        self.fragments.extend_from_slice(fragment);
    }

    /// The next message that is whole; `None` until more fragments come.
    ///
    /// # Errors
    ///
    /// The next message is longer than the limit. It stays so: nothing behind it can be found.
    pub fn next_message(&mut self) -> Result<Option<Joined<'_>>, JoinError> {
        let Some(rest) = self.fragments.get(self.given..) else {
            return Ok(None);
        };
        let Some([_, high, middle, low]) = rest.first_chunk::<HEADER_OCTETS>() else {
            return Ok(None);
        };
        let octets = HEADER_OCTETS + u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        if octets > self.limit {
            return Err(JoinError {
                octets,
                limit: self.limit,
            });
        }
        let Some(bytes) = rest.get(..octets) else {
            return Ok(None);
        };
        let at = self.at + self.given as u64;
        self.given += octets;
        Ok(Some(Joined { bytes, at }))
    }

    /// How many octets of a message are there that is not whole.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.fragments.len() - self.given
    }

    /// How many octets the message that is not whole lacks at least; `None` where there is none.
    #[must_use]
    pub fn missing(&self) -> Option<usize> {
        let rest = self.fragments.get(self.given..)?;
        match rest.first_chunk::<HEADER_OCTETS>() {
            Some([_, high, middle, low]) => {
                let body = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
                Some((HEADER_OCTETS + body).saturating_sub(rest.len()))
            }
            None if rest.is_empty() => None,
            None => Some(HEADER_OCTETS - rest.len()),
        }
    }
}
