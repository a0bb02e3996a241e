//! What is known of a connection besides its octets: key logs, what a recorder saw, keys from before.

use crate::digest::Octets;
use crate::schedule::tls13::PskKind;

/// Whoever knows secrets. Each is asked for where the handshake needs it; `None` says that it is not known.
pub trait Knowledge {
    /// The secret of a line of a key log (`SSLKEYLOGFILE`, RFC 9850): the connection whose client sent
    /// this random, and the label, such as `CLIENT_TRAFFIC_SECRET_0` or `CLIENT_RANDOM`.
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let _ = (client_random, label);
        None
    }

    /// What the key exchange agreed on, of which this is the server's public share, as it was sent.
    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let _ = server_share;
        None
    }

    /// The pre-shared key of this identity, of TLS 1.3.
    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        let _ = identity;
        None
    }

    /// The main secret of a session of TLS 1.2 and before, by its identifier or ticket.
    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        let _ = session;
        None
    }

    /// The premaster secret that was encrypted to the server's RSA key.
    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        let _ = encrypted;
        None
    }
}

/// A pre-shared key.
#[derive(Clone)]
pub struct Psk {
    /// The key.
    pub key: Octets,
    /// Where it is from.
    pub kind: PskKind,
}

/// Nothing is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Knowledge for Nothing {}

impl<K: Knowledge + ?Sized> Knowledge for &K {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        (**self).logged(client_random, label)
    }

    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        (**self).shared_secret(server_share)
    }

    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        (**self).psk(identity)
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        (**self).main_secret(session)
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        (**self).decrypted_premaster(encrypted)
    }
}

/// What the first does not know, the second may.
impl<A: Knowledge, B: Knowledge> Knowledge for (A, B) {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let (first, second) = self;
        let known = first.logged(client_random, label);
        known.or_else(|| second.logged(client_random, label))
    }

    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let (first, second) = self;
        let known = first.shared_secret(server_share);
        known.or_else(|| second.shared_secret(server_share))
    }

    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        let (first, second) = self;
        first.psk(identity).or_else(|| second.psk(identity))
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        let (first, second) = self;
        let known = first.main_secret(session);
        known.or_else(|| second.main_secret(session))
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        let (first, second) = self;
        let known = first.decrypted_premaster(encrypted);
        known.or_else(|| second.decrypted_premaster(encrypted))
    }
}
