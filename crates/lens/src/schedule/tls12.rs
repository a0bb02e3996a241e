//! The key schedule of TLS 1.2 and before (RFC 5246, sections 6.3 and 8.1; RFC 7627).

use ravelin_wire::registry::{CipherSuite, ProtocolVersion};

use crate::digest::Prf;
use crate::ledger::{Formula, Ledger, QuantityId, Side};

/// How many octets the main secret has, which these versions call the master secret.
const MAIN_SECRET_OCTETS: usize = 48;

/// How many octets of a Finished message say something.
const VERIFY_DATA_OCTETS: usize = 12;

/// Where the main secret comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// The randoms of both hellos.
    Randoms,
    /// The hash of the handshake up to the client's key exchange, so that it belongs to this handshake
    /// and to no other (RFC 7627).
    Session(QuantityId),
}

/// What is derived from the main secret.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    prf: Prf,
    main: QuantityId,
    client_random: QuantityId,
    server_random: QuantityId,
}

/// What protects the records of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteKeys {
    /// The key of the MAC, of suites without AEAD.
    pub mac_key: Option<QuantityId>,
    /// The key of the cipher; none where nothing is encrypted.
    pub key: Option<QuantityId>,
    /// The first initialization vector of CBC in TLS 1.0, or the fixed part of nonces.
    pub iv: Option<QuantityId>,
}

impl Schedule {
    /// Derives the main secret. `premaster` is what the key exchange agreed on.
    pub fn new(
        ledger: &mut Ledger,
        prf: Prf,
        premaster: QuantityId,
        (client_random, server_random): (QuantityId, QuantityId),
        seed: Seed,
    ) -> Self {
        let (label, seed) = match seed {
            Seed::Randoms => ("master secret", vec![client_random, server_random]),
            Seed::Session(hash) => ("extended master secret", vec![hash]),
        };
        let formula = Formula::Prf {
            prf,
            secret: premaster,
            label,
            seed,
            octets: MAIN_SECRET_OCTETS,
        };
        Self {
            prf,
            main: ledger.derive("master_secret", None, formula),
            client_random,
            server_random,
        }
    }

    /// Goes on with the main secret of a session before.
    #[must_use]
    pub fn resume(
        prf: Prf,
        main: QuantityId,
        (client_random, server_random): (QuantityId, QuantityId),
    ) -> Self {
        Self {
            prf,
            main,
            client_random,
            server_random,
        }
    }

    /// The main secret.
    #[must_use]
    pub fn main(&self) -> QuantityId {
        self.main
    }

    /// The keys of both directions, the client's first; `None` where the suite is not known.
    pub fn write_keys(
        &self,
        ledger: &mut Ledger,
        version: ProtocolVersion,
        suite: CipherSuite,
    ) -> Option<[WriteKeys; 2]> {
        let cipher = suite.cipher()?;
        // AEADs have no key of a MAC of their own.
        let mac = match suite.mac() {
            Some(mac) if !cipher.is_aead() => mac.key_octets(),
            _ => 0,
        };
        let (key, iv) = (cipher.key_octets(), cipher.fixed_iv_octets(version));
        let formula = Formula::Prf {
            prf: self.prf,
            secret: self.main,
            label: "key expansion",
            seed: vec![self.server_random, self.client_random],
            octets: 2 * (mac + key + iv),
        };
        let block = ledger.derive("key_block", None, formula);
        // Both of each, the client's before the server's (RFC 5246, section 6.3).
        let mut at = 0;
        let mut part = |name, side, octets: usize| {
            let range = at..at + octets;
            at += octets;
            (octets > 0).then(|| {
                let formula = Formula::Part { of: block, range };
                ledger.derive(name, Some(side), formula)
            })
        };
        let [client_mac, server_mac] =
            [Side::Client, Side::Server].map(|side| part("write_MAC_key", side, mac));
        let [client_key, server_key] =
            [Side::Client, Side::Server].map(|side| part("write_key", side, key));
        let [client_iv, server_iv] =
            [Side::Client, Side::Server].map(|side| part("write_IV", side, iv));
        Some([
            WriteKeys {
                mac_key: client_mac,
                key: client_key,
                iv: client_iv,
            },
            WriteKeys {
                mac_key: server_mac,
                key: server_key,
                iv: server_iv,
            },
        ])
    }

    /// What the Finished message of `side` must say; `before` is the hash of the handshake up to it.
    pub fn verify_data(&self, ledger: &mut Ledger, side: Side, before: QuantityId) -> QuantityId {
        let label = match side {
            Side::Client => "client finished",
            Side::Server => "server finished",
        };
        let formula = Formula::Prf {
            prf: self.prf,
            secret: self.main,
            label,
            seed: vec![before],
            octets: VERIFY_DATA_OCTETS,
        };
        ledger.derive("verify_data", Some(side), formula)
    }
}
