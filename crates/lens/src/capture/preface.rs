//! Where TLS begins in a stream that begins in plain text: STARTTLS of SMTP, IMAP, POP3, FTP, XMPP and others,
//! the requests of LDAP, `PostgreSQL` and `MySQL`, a proxy's CONNECT or PROXY line.
//!
//! None of these protocols is spoken here. The client's hello has a shape that text does not have, and it is
//! what is looked for; what the server says after it is TLS.

use ravelin_wire::record::{Foreign, HEADER_OCTETS, MAX_PLAINTEXT_OCTETS, Next, Record};
use ravelin_wire::registry::{ContentType, HandshakeType};

use crate::ledger::Side;

/// How many octets of each side may come before TLS.
pub const MAX_PREFACE_OCTETS: usize = 64 << 10;

/// What a hello is known by: the header of its record, that of the message, and its version.
const SHAPE_OCTETS: usize = 11;

/// A stream that is looked through for the beginning of TLS.
///
/// It keeps at most 10 octets. Octets have to come in the order in which the two sides said them, as
/// [`Capture`](super::Capture) tells them.
#[derive(Debug, Default)]
pub struct Preface {
    found: Found,
    /// How many octets of each side came before TLS; the client's first.
    skipped: [usize; 2],
    /// The end of what the client said, in which a hello may have begun.
    kept: Vec<u8>,
    /// The server said something of TLS after the hello.
    answered: bool,
}

/// What has been found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Found {
    /// Not enough came to tell.
    #[default]
    Nothing,
    /// TLS.
    Tls,
    /// No TLS in as many octets as are looked through.
    NoTls,
}

/// What of the octets belongs to TLS: two parts, one behind the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tls<'o> {
    /// What was said before, with which it begins.
    pub kept: Vec<u8>,
    /// Of what was said now.
    pub octets: &'o [u8],
}

impl Preface {
    /// What has been found.
    #[must_use]
    pub fn found(&self) -> Found {
        self.found
    }

    /// How many octets this side said before TLS.
    #[must_use]
    pub fn skipped(&self, side: Side) -> usize {
        self.skipped[side as usize]
    }

    /// Takes what one side says, and gives what of it belongs to TLS.
    pub fn receive<'o>(&mut self, side: Side, octets: &'o [u8]) -> Tls<'o> {
        match (self.found, side) {
            (Found::Nothing, _) => self.look(side, octets),
            (Found::Tls, Side::Server) if !self.answered => self.answer(octets),
            (Found::Tls, _) => Tls {
                kept: Vec::new(),
                octets,
            },
            (Found::NoTls, _) => Tls::default(),
        }
    }

    fn look<'o>(&mut self, side: Side, octets: &'o [u8]) -> Tls<'o> {
        let is_first = self.skipped[side as usize] == 0 && self.kept.is_empty();
        if is_first && begins_tls(octets) {
            self.found = Found::Tls;
            self.answered |= side == Side::Server;
            return Tls {
                kept: Vec::new(),
                octets,
            };
        }
        if side == Side::Server {
            self.skip(side, octets.len());
            return Tls::default();
        }
        // A hello begins in what was kept, or behind it.
        let mut joined = std::mem::take(&mut self.kept);
        let kept = joined.len();
        let beginning = octets.get(..SHAPE_OCTETS).unwrap_or(octets);
        joined.extend_from_slice(beginning);
        let behind = || hello(octets).map(|at| kept + at);
        if let Some(at) = hello(&joined).or_else(behind) {
            self.found = Found::Tls;
            self.skipped[0] += at;
            joined.truncate(kept);
            joined.drain(..at.min(kept));
            return Tls {
                kept: joined,
                octets: octets.get(at.saturating_sub(kept)..).unwrap_or_default(),
            };
        }
        joined.truncate(kept);
        let end = octets.len().saturating_sub(SHAPE_OCTETS);
        joined.extend_from_slice(octets.get(end..).unwrap_or_default());
        joined.drain(..joined.len().saturating_sub(SHAPE_OCTETS - 1));
        self.skip(side, kept + octets.len() - joined.len());
        if self.found == Found::Nothing {
            self.kept = joined;
        }
        Tls::default()
    }

    /// The client's hello was said. What the server says is TLS, but for the end of an answer that
    /// the client did not wait for.
    fn answer<'o>(&mut self, octets: &'o [u8]) -> Tls<'o> {
        let at = (0..octets.len()).find(|at| {
            let rest = octets.get(*at..).unwrap_or_default();
            begins_tls(rest)
        });
        match at {
            Some(at) => {
                self.answered = true;
                self.skipped[Side::Server as usize] += at;
                Tls {
                    kept: Vec::new(),
                    octets: octets.get(at..).unwrap_or_default(),
                }
            }
            None => {
                self.skip(Side::Server, octets.len());
                Tls::default()
            }
        }
    }

    fn skip(&mut self, side: Side, octets: usize) {
        let skipped = &mut self.skipped[side as usize];
        *skipped = skipped.saturating_add(octets);
        if *skipped > MAX_PREFACE_OCTETS {
            self.found = Found::NoTls;
        }
    }
}

/// Whether a stream that begins so is TLS, as far as it can be told; or SSL 2.0's hello.
fn begins_tls(octets: &[u8]) -> bool {
    match octets {
        [20..=24] => true,
        [kind, 3, minor, ..] => (20..=24).contains(kind) && *minor <= 4,
        [kind, 3] => (20..=24).contains(kind),
        _ => matches!(Record::next(octets), Next::NoRecord(Foreign::SslV2)),
    }
}

/// Where a hello of a client begins.
fn hello(octets: &[u8]) -> Option<usize> {
    octets.windows(SHAPE_OCTETS).position(|window| {
        let [
            kind,
            3,
            0..=4,
            high,
            low,
            message,
            long,
            upper,
            lower,
            3,
            0..=4,
        ] = *window
        else {
            return false;
        };
        let record = usize::from(u16::from_be_bytes([high, low]));
        let body = usize::from(u16::from_be_bytes([upper, lower]));
        // The message may go on in a second record, which no client does with a short one.
        ContentType(kind) == ContentType::HANDSHAKE
            && HandshakeType(message) == HandshakeType::CLIENT_HELLO
            && long == 0
            && (SHAPE_OCTETS - HEADER_OCTETS..=MAX_PLAINTEXT_OCTETS).contains(&record)
            && body >= 34
    })
}
