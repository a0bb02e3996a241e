//! What is said in clear before TLS, in protocols that begin without it.
//!
//! A dialogue without IO: it is told what the server sent, and says what to send and when TLS begins.
//! Whoever reads and writes bounds the time. [`Offer`] is the server's side.
//!
//! Nothing but TLS may follow the word that lets it begin: what a server, or somebody between, sends in clear
//! behind it would be read as if it had come encrypted (CVE-2011-0411). It ends the dialogue.

use std::fmt;
use std::str::FromStr;

mod ber;
mod binary;
mod lines;
pub mod mysql;
mod offer;
pub mod postgres;
mod rewrite;
mod xmpp;

use lines::Lines;
pub use offer::{Decline, Offer, OfferError, OfferFault};
pub use rewrite::Rewrite;

/// A protocol that begins without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Mail on its way (RFC 3207).
    Smtp,
    /// Mail that is read on the server (RFC 9051, section 6.2.1).
    Imap,
    /// Mail that is fetched (RFC 2595, section 4).
    Pop3,
    /// Files (RFC 4217, section 4).
    Ftp,
    /// Chat (RFC 6120, section 5).
    Xmpp,
    /// Directories (RFC 4511, section 4.14).
    Ldap,
    /// `PostgreSQL`: its protocol 3, `SSLRequest`.
    Postgres,
    /// `MySQL` and `MariaDB`: their protocol 10, `SSLRequest`.
    Mysql,
    /// Mail filters (RFC 5804, section 2.2).
    Sieve,
    /// News (RFC 4642).
    Nntp,
}

/// A dialogue up to where TLS begins.
#[derive(Debug)]
pub struct StartTls {
    protocol: Protocol,
    host: String,
    /// What the server has said and was not looked at yet.
    heard: Vec<u8>,
    /// How many octets the server has said in all.
    octets: usize,
    /// How often we have spoken.
    turn: u8,
    lines: Lines,
    /// What the server greeted with, as a client without TLS is to hear it.
    greeting: Vec<u8>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// What to send; empty where it is the server's turn.
    pub say: Vec<u8>,
    /// Whether TLS begins once that is sent.
    pub begin: bool,
}

/// Why TLS does not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartTlsError {
    /// The server does not say that it can.
    #[error("the server does not offer to begin TLS")]
    NotOffered,
    /// The server will not, in its own words.
    #[error("the server refuses to begin TLS: \"{0}\"")]
    Refused(String),
    /// What came is not that protocol.
    #[error("what answers does not speak {protocol}: \"{said}\"")]
    Unexpected {
        /// The protocol.
        protocol: Protocol,
        /// What came, as text and cut short.
        said: String,
    },
    /// What came is TLS.
    #[error("the server speaks TLS from the start")]
    AlreadyTls,
    /// More came than a server has to say before TLS.
    #[error("the server says more than a line of 8 KiB, or more than 64 KiB, before TLS begins")]
    TooLong,
    /// Something came in clear behind the word that lets TLS begin.
    #[error("{0} octets came in clear where TLS had to begin: somebody injects commands")]
    Injected(usize),
}

impl StartTls {
    /// The dialogue with `host`, which XMPP names.
    #[must_use]
    pub fn new(protocol: Protocol, host: &str) -> Self {
        Self {
            protocol,
            // It goes between quotes; no name of a host has anything else in it.
            host: host
                .chars()
                .filter(|letter| letter.is_ascii_alphanumeric() || ".-_:".contains(*letter))
                .collect(),
            heard: Vec::new(),
            octets: 0,
            turn: 0,
            lines: Lines::default(),
            greeting: Vec::new(),
        }
    }

    /// What to send before the server has said anything: nothing, where the server begins.
    pub fn begin(&mut self) -> Turn {
        let say = match self.protocol {
            Protocol::Xmpp => xmpp::open(&self.host),
            Protocol::Ldap => binary::LDAP_REQUEST.to_vec(),
            Protocol::Postgres => binary::POSTGRES_REQUEST.to_vec(),
            _ => Vec::new(),
        };
        self.say(say)
    }

    /// What to do after the server has sent `octets`.
    ///
    /// # Errors
    ///
    /// TLS will not begin; the connection is to be closed.
    pub fn receive(&mut self, octets: &[u8]) -> Result<Turn, StartTlsError> {
        let first = self.octets == 0;
        self.octets = self.octets.saturating_add(octets.len());
        if self.octets > MOST_OCTETS {
            return Err(StartTlsError::TooLong);
        }
        // A record of TLS: an alert or a handshake. For MySQL it would be a length that no greeting has.
        if first && matches!(octets, [0x15 | 0x16, 3, 1..=4, ..]) {
            return Err(StartTlsError::AlreadyTls);
        }
        self.heard.extend_from_slice(octets);
        let turn = match self.protocol {
            Protocol::Xmpp => xmpp::answer(self)?,
            Protocol::Ldap => binary::ldap(self)?,
            Protocol::Postgres => binary::postgres(self)?,
            Protocol::Mysql => mysql::answer(self)?,
            _ => lines::answer(self)?,
        };
        if turn.begin && !self.heard.is_empty() {
            return Err(StartTlsError::Injected(self.heard.len()));
        }
        Ok(turn)
    }

    /// What the server has greeted with, for a client that is to go on without TLS of its own: of SMTP, IMAP and POP3,
    /// and empty for others. It offers no TLS. A client of `MySQL` has to be heard before: [`mysql::Originate`].
    #[must_use]
    pub fn greeting(&self) -> &[u8] {
        &self.greeting
    }

    fn say(&mut self, say: Vec<u8>) -> Turn {
        if !say.is_empty() {
            self.turn += 1;
        }
        Turn { say, begin: false }
    }

    fn unexpected(&self, said: &[u8]) -> StartTlsError {
        StartTlsError::Unexpected {
            protocol: self.protocol,
            said: shown(said),
        }
    }
}

impl Turn {
    /// TLS begins.
    fn now() -> Self {
        Self {
            say: Vec::new(),
            begin: true,
        }
    }
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Smtp,
        Self::Imap,
        Self::Pop3,
        Self::Ftp,
        Self::Xmpp,
        Self::Ldap,
        Self::Postgres,
        Self::Mysql,
        Self::Sieve,
        Self::Nntp,
    ];

    /// Its name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Xmpp => "xmpp",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Sieve => "sieve",
            Self::Nntp => "nntp",
        }
    }

    /// The port where it is spoken without TLS from the start.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
            Self::Ftp => 21,
            Self::Xmpp => 5222,
            Self::Ldap => 389,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
            Self::Sieve => 4190,
            Self::Nntp => 119,
        }
    }

    /// What its clients want to have agreed on in TLS (ALPN), where they want anything: those of `PostgreSQL` 17 that
    /// begin with TLS do.
    #[must_use]
    pub fn alpn(self) -> Option<&'static [u8]> {
        (self == Self::Postgres).then_some(b"postgresql")
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Ftp => "FTP",
            Self::Xmpp => "XMPP",
            Self::Ldap => "LDAP",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Sieve => "ManageSieve",
            Self::Nntp => "NNTP",
        })
    }
}

/// A name that is none of a [`Protocol`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is none of smtp, imap, pop3, ftp, xmpp, ldap, postgres, mysql, sieve and nntp")]
pub struct UnknownProtocol(String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
            .ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}

/// Octets of a server as text for a message: one line, and not a long one.
pub(crate) fn shown(said: &[u8]) -> String {
    let line = said.split(|octet| matches!(octet, b'\r' | b'\n')).next();
    let text = String::from_utf8_lossy(line.unwrap_or_default());
    let plain = text.chars().map(|letter| {
        if letter.is_control() {
            '\u{fffd}'
        } else {
            letter
        }
    });
    let mut shown: Vec<char> = plain.collect();
    // Of octets that are no text, how many there are says nothing.
    shown.dedup_by(|one, other| *one == '\u{fffd}' && one == other);
    shown.truncate(MOST_SHOWN);
    shown.into_iter().collect()
}

/// How much a server may say in all.
const MOST_OCTETS: usize = 64 << 10;

/// How long a greeting or an answer of octets may be.
const MOST_GREETING: usize = 8 << 10;

const MOST_SHOWN: usize = 200;

#[cfg(test)]
mod tests;
