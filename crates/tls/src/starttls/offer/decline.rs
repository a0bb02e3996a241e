//! Clients of `PostgreSQL` that ask for encryption where there is none, before they go on without it: a tunnel that
//! begins TLS itself, behind them.

use super::super::Turn;
use super::postgres::{self, Request};
use super::{MOST_COMMANDS, OfferError, OfferFault, TLS_HANDSHAKE};

/// A dialogue with such a client, up to where the server is to hear it.
#[derive(Debug, Default)]
pub struct Decline {
    heard: Vec<u8>,
    declined: usize,
}

impl Decline {
    /// The dialogue with a client that has said nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do after the client has sent `octets`: its turn begins what the server is to hear, from [`Self::left`]
    /// on.
    ///
    /// # Errors
    ///
    /// The client does not go on without encryption.
    pub fn receive(&mut self, octets: &[u8]) -> Result<Turn, OfferError> {
        self.heard.extend_from_slice(octets);
        let mut say = Vec::new();
        loop {
            match self.step() {
                Ok(None) => return Ok(Turn { say, begin: false }),
                Ok(Some(Request::Other)) => return Ok(Turn { say, begin: true }),
                Ok(Some(_)) => say.push(b'N'),
                Err(fault) => {
                    if fault != OfferFault::AlreadyTls {
                        say.extend(postgres::MISSPOKEN);
                    }
                    return Err(OfferError {
                        fault,
                        farewell: say,
                    });
                }
            }
        }
    }

    /// What the client said that is for the server.
    #[must_use]
    pub fn left(self) -> Vec<u8> {
        self.heard
    }

    /// What is asked for first; it is taken if it is for us.
    fn step(&mut self) -> Result<Option<Request>, OfferFault> {
        if self.heard.first() == Some(&TLS_HANDSHAKE) {
            return Err(OfferFault::AlreadyTls);
        }
        let Some(octets) = postgres::read(&self.heard)? else {
            return Ok(None);
        };
        let request = Request::of(self.heard.get(..octets).unwrap_or_default());
        if request != Request::Other {
            if self.declined == MOST_COMMANDS {
                return Err(OfferFault::TooMany);
            }
            self.declined += 1;
            self.heard.drain(..octets);
        }
        Ok(Some(request))
    }
}
