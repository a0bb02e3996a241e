//! TLS with a server of `MySQL` on behalf of a client: what a tunnel says that begins it itself.
//!
//! The request for TLS says what the client can, and `MariaDB` believes that packet alone, not the client's own behind
//! it. So the client is heard first, and asked for in its own words.

use super::super::offer::{OfferError, read_response};
use super::super::{Protocol, StartTlsError, Turn, shown};
use super::{CLIENT_SSL, SSL_REQUEST, capabilities_at};

/// A dialogue with a client that has no TLS of its own, and with the server that has greeted it.
#[derive(Debug)]
pub struct Originate {
    greeting: Vec<u8>,
    /// What the client has said.
    heard: Vec<u8>,
}

impl Originate {
    /// The dialogue behind the `greeting` of a server: see [`Offer::read_greeting`](super::super::Offer::read_greeting).
    ///
    /// # Errors
    ///
    /// The server offers no TLS.
    pub fn new(greeting: &[u8]) -> Result<Self, StartTlsError> {
        let [_, ssl] = CLIENT_SSL.to_le_bytes();
        let mut greeting = greeting.to_vec();
        let high = capabilities_at(&greeting).and_then(|at| greeting.get_mut(at + 1));
        match high {
            Some(high) if *high & ssl == 0 => return Err(StartTlsError::NotOffered),
            Some(high) => *high &= !ssl,
            None => {
                return Err(StartTlsError::Unexpected {
                    protocol: Protocol::Mysql,
                    said: shown(&greeting),
                });
            }
        }
        Ok(Self {
            greeting,
            heard: Vec::new(),
        })
    }

    /// What the client is greeted with: it is offered no TLS.
    #[must_use]
    pub fn greeting(&self) -> &[u8] {
        &self.greeting
    }

    /// What to do after the client has sent `octets`: the turn says what **the server** is to hear, and then TLS
    /// begins with it. What the client has said, [`Self::left`], follows in TLS, numbered by
    /// [`Renumber::originate`](super::Renumber::originate).
    ///
    /// # Errors
    ///
    /// The client does not log in; the farewell is for it.
    pub fn receive(&mut self, octets: &[u8]) -> Result<Turn, OfferError> {
        self.heard.extend_from_slice(octets);
        let Some(said) = read_response(&self.heard)? else {
            return Ok(Turn::default());
        };
        let mut say = vec![32, 0, 0, 1];
        say.extend(said);
        say[5] |= CLIENT_SSL.to_le_bytes()[1];
        debug_assert_eq!(say.len(), SSL_REQUEST);
        Ok(Turn { say, begin: true })
    }

    /// What the client has said, which is for the server.
    #[must_use]
    pub fn left(self) -> Vec<u8> {
        self.heard
    }
}

#[cfg(test)]
mod tests;
