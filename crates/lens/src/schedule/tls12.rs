//! The key schedule of TLS 1.2 and before (RFC 5246, sections 6.3 and 8.1; RFC 7627), of SSL 3.0 (RFC 6101, sections
//! 6.1 and 6.2), and of the suites that were weakened for export from the USA (RFC 2246, section 6.3.1).

use ravelin_wire::registry::{CipherSuite, ProtocolVersion};

use crate::digest::{Hash, Prf};
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
        let formula = expand(prf, premaster, label, seed, MAIN_SECRET_OCTETS);
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
        // What the suites for export have besides is made of randoms, which everybody knows.
        let is_export = suite.is_export() && version < ProtocolVersion::TLS_1_2;
        let iv_of_block = if is_export { 0 } else { iv };
        let seed = vec![self.server_random, self.client_random];
        let octets = 2 * (mac + key + iv_of_block);
        let formula = expand(self.prf, self.main, "key expansion", seed, octets);
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
            [Side::Client, Side::Server].map(|side| part("write_IV", side, iv_of_block));
        let keys = [
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
        ];
        Some(if is_export {
            self.stretch(ledger, cipher.final_key_octets(), iv, keys)
        } else {
            keys
        })
    }

    /// The keys that suites for export really use: as few octets of them are secret as the law allowed.
    fn stretch(
        &self,
        ledger: &mut Ledger,
        key_octets: usize,
        iv_octets: usize,
        keys: [WriteKeys; 2],
    ) -> [WriteKeys; 2] {
        let both = vec![self.client_random, self.server_random];
        let ivs = match self.prf {
            Prf::Ssl3 => {
                [both.clone(), vec![self.server_random, self.client_random]].map(|parts| {
                    let (hash, octets) = (Hash::Md5, iv_octets);
                    Formula::Digest {
                        hash,
                        parts,
                        octets,
                    }
                })
            }
            prf => {
                let nothing = ledger.derive("no secret", None, Formula::Zeros(0));
                let formula = expand(prf, nothing, "IV block", both.clone(), 2 * iv_octets);
                let of = ledger.derive("iv_block", None, formula);
                [0..iv_octets, iv_octets..2 * iv_octets].map(|range| Formula::Part { of, range })
            }
        };
        let sides = [
            (Side::Client, "client write key"),
            (Side::Server, "server write key"),
        ];
        let mut keys = keys;
        for (((side, label), keys), iv) in sides.into_iter().zip(&mut keys).zip(ivs) {
            keys.key = keys.key.map(|key| {
                let mut parts = [&[key], &both[..]].concat();
                let formula = match (self.prf, side) {
                    (Prf::Ssl3, side) => {
                        if side == Side::Server {
                            parts.swap(1, 2);
                        }
                        let (hash, octets) = (Hash::Md5, key_octets);
                        Formula::Digest {
                            hash,
                            parts,
                            octets,
                        }
                    }
                    (prf, _) => expand(prf, key, label, both.clone(), key_octets),
                };
                ledger.derive("final_write_key", Some(side), formula)
            });
            keys.iv = (iv_octets > 0).then(|| ledger.derive("write_IV", Some(side), iv));
        }
        keys
    }

    /// What the Finished message of `side` must say; `before` is the hash of the handshake up to it, with all that
    /// SSL 3.0 puts into it.
    pub fn verify_data(&self, ledger: &mut Ledger, side: Side, before: QuantityId) -> QuantityId {
        let label = match side {
            Side::Client => "client finished",
            Side::Server => "server finished",
        };
        let formula = match self.prf {
            Prf::Ssl3 => Formula::Ssl3Outside {
                secret: self.main,
                inside: before,
            },
            prf => expand(prf, self.main, label, vec![before], VERIFY_DATA_OCTETS),
        };
        ledger.derive("verify_data", Some(side), formula)
    }
}

/// SSL 3.0 has no labels.
fn expand(
    prf: Prf,
    secret: QuantityId,
    label: &'static str,
    seed: Vec<QuantityId>,
    octets: usize,
) -> Formula {
    Formula::Prf {
        prf,
        secret,
        label: if prf == Prf::Ssl3 { "" } else { label },
        seed,
        octets,
    }
}
