//! `PostgreSQL`, where a tunnel has TLS with the server and the client has none.

/// Takes channel binding out of what a server offers to a client that has no channel to bind to.
///
/// A server over TLS offers SCRAM-SHA-256-PLUS, and libpq without TLS takes that for an attack. What is offered comes
/// as a list of names in the server's first message; this one is made a name that nobody has, of the same length, and
/// the client takes SCRAM-SHA-256.
///
/// Where the client has TLS too, with the tunnel, nothing helps: it binds to the tunnel's certificate, which works only
/// if that is the server's as well; else it has to be told `channel_binding=disable`.
#[derive(Debug, Default)]
pub struct Unbind {
    /// How many octets of the current message have come.
    at: usize,
    kind: u8,
    /// How many octets it has behind its kind.
    length: u32,
    code: u32,
    /// How many octets of a name are those of the one that is looked for; none where others came.
    alike: Option<usize>,
    over: bool,
}

impl Unbind {
    /// Changes what comes from the server over TLS.
    pub fn server_to_client(&mut self, octets: &mut [u8]) {
        for octet in octets {
            if self.over {
                return;
            }
            self.take(octet);
        }
    }

    /// Whether nothing is changed any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn take(&mut self, octet: &mut u8) {
        match self.at {
            0 => {
                self.kind = *octet;
                self.over = !matches!(self.kind, AUTHENTICATION | NOTICE | NEGOTIATE_VERSION);
            }
            1..=4 => self.length = self.length << 8 | u32::from(*octet),
            _ if self.kind != AUTHENTICATION => {}
            5..=8 => self.code = self.code << 8 | u32::from(*octet),
            _ => self.in_list(octet),
        }
        self.at += 1;
        if self.at == 9 && self.kind == AUTHENTICATION && self.code != SASL {
            self.over = true;
        }
        if self.at > 4 && self.at > self.length as usize {
            self.over |= self.kind == AUTHENTICATION;
            *self = Self {
                over: self.over,
                ..Self::default()
            };
        }
    }

    fn in_list(&mut self, octet: &mut u8) {
        if self.at == 9 || *octet == 0 {
            self.alike = Some(0);
        }
        if *octet == 0 {
            return;
        }
        self.alike = match self.alike {
            Some(alike) if WITH_BINDING.get(alike) == Some(octet) => Some(alike + 1),
            _ => None,
        };
        if self.alike == Some(WITH_BINDING.len()) {
            *octet = b'-';
        }
    }
}

const WITH_BINDING: &[u8] = b"SCRAM-SHA-256-PLUS";

// Kinds of messages, and of an authentication.
const AUTHENTICATION: u8 = b'R';
const NOTICE: u8 = b'N';
const NEGOTIATE_VERSION: u8 = b'v';
const SASL: u32 = 10;

#[cfg(test)]
mod tests;
