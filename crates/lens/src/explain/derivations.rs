//! What is derived, by which formula, and how sure it is.

use super::catalogue::{Catalogue, fill};
use super::{Language, QuantityWords};
use crate::digest::{Hash, Prf};
use crate::ledger::{By, Formula, Ledger, QuantityId, Side, Standing};

impl Language {
    /// What a quantity is, and what it is for; `name` is that of a
    /// [`Quantity`](crate::ledger::Quantity).
    #[must_use]
    pub fn quantity(self, name: &str) -> QuantityWords {
        let words = self.catalogue();
        let mut known = words.quantities.iter();
        match known.find(|(known, _)| *known == name) {
            Some((_, reason)) => QuantityWords {
                what: reason.why,
                why: reason.without,
            },
            None => QuantityWords {
                what: words.derivations.quantity_unknown,
                why: "",
            },
        }
    }

    /// The name of a quantity and whose it is: `write_key (client)`.
    #[must_use]
    pub fn quantity_name(self, ledger: &Ledger, id: QuantityId) -> String {
        name_of(self.catalogue(), ledger, id)
    }

    /// Where a quantity comes from: a formula as the RFC writes it.
    #[must_use]
    pub fn formula(self, ledger: &Ledger, id: QuantityId) -> String {
        let words = self.catalogue();
        let name = |id: &QuantityId| name_of(words, ledger, *id);
        match &ledger.get(id).formula {
            Formula::Given => words.derivations.given.to_owned(),
            Formula::Zeros(octets) => {
                let octets = words.counts.octets.of(*octets as u64);
                fill(words.derivations.zeros, &[("octets", &octets)])
            }
            Formula::TranscriptHash { hash, through } => fill(
                words.derivations.transcript,
                &[("hash", hash_name(*hash)), ("message", through)],
            ),
            Formula::EmptyHash(hash) => format!("{}(\"\")", hash_name(*hash)),
            Formula::Extract { hash, salt, secret } => format!(
                "HKDF-Extract<{}>({}, {})",
                hash_name(*hash),
                name(salt),
                name(secret)
            ),
            Formula::ExpandLabel {
                hash,
                secret,
                label,
                context,
                octets,
            } => {
                let context = match context {
                    Some(context) => name(context),
                    None => "\"\"".to_owned(),
                };
                format!(
                    "HKDF-Expand-Label<{}>({}, \"{label}\", {context}, {octets})",
                    hash_name(*hash),
                    name(secret)
                )
            }
            Formula::Hmac { hash, key, message } => {
                format!(
                    "HMAC<{}>({}, {})",
                    hash_name(*hash),
                    name(key),
                    name(message)
                )
            }
            Formula::Prf {
                prf,
                secret,
                label,
                seed,
                octets,
            } => {
                let seed: Vec<String> = seed.iter().map(name).collect();
                if *prf == Prf::Ssl3 {
                    return ssl3_expand(&name(secret), &seed.join(" + "), *octets);
                }
                format!(
                    "PRF<{}>({}, \"{label}\", {}, {octets})",
                    prf_name(*prf),
                    name(secret),
                    seed.join(" || ")
                )
            }
            Formula::Digest {
                hash,
                parts,
                octets,
            } => {
                let parts: Vec<String> = parts.iter().map(name).collect();
                let (hash, parts) = (hash_name(*hash), parts.join(" + "));
                format!("{hash}({parts})[0..{octets}]")
            }
            Formula::Ssl3Inside {
                through,
                sender,
                secret,
            } => fill(
                words.derivations.ssl3_inside,
                &[
                    ("message", through),
                    ("sender", sender),
                    ("secret", &*name(secret)),
                ],
            ),
            Formula::Ssl3Outside { secret, inside } => {
                let (secret, inside) = (name(secret), name(inside));
                let (md5, sha1) = ("[0..16]", "[16..36]");
                format!(
                    "MD5({secret} + pad2 + {inside}{md5}) + SHA-1({secret} + pad2 + {inside}{sha1})"
                )
            }
            Formula::Part { of, range } => fill(
                words.derivations.part,
                &[
                    ("of", &*name(of)),
                    ("start", &range.start.to_string()),
                    ("end", &range.end.to_string()),
                ],
            ),
        }
    }

    /// How sure a quantity is.
    #[must_use]
    pub fn standing(self, ledger: &Ledger, id: QuantityId) -> String {
        let words = self.catalogue();
        let derivations = &words.derivations;
        match &ledger.get(id).standing {
            Standing::Stated => derivations.stated.to_owned(),
            Standing::Confirmed(by) => fill(derivations.confirmed, &[("by", witness(words, *by))]),
            Standing::Refuted(by) => fill(derivations.refuted, &[("by", witness(words, *by))]),
            Standing::NotDerivable(missing) if missing.is_empty() => {
                derivations.not_derivable_given.to_owned()
            }
            Standing::NotDerivable(missing) => {
                let names: Vec<String> = missing
                    .iter()
                    .map(|id| name_of(words, ledger, *id))
                    .collect();
                let missing = words.phrases.list(&names);
                fill(derivations.not_derivable, &[("missing", &missing)])
            }
        }
    }
}

fn name_of(words: &Catalogue, ledger: &Ledger, id: QuantityId) -> String {
    let quantity = ledger.get(id);
    let derivations = &words.derivations;
    if let Formula::TranscriptHash { through, .. } = &quantity.formula {
        return fill(derivations.transcript_of, &[("message", through)]);
    }
    // What no RFC has a name for.
    match quantity.name {
        "empty hash" => return derivations.name_empty_hash.to_owned(),
        "PSK of the ticket" => return derivations.name_ticket_psk.to_owned(),
        _ => {}
    }
    // Names that begin with a side say it already.
    let says_side = quantity.name.starts_with("client") || quantity.name.starts_with("server");
    match quantity.side {
        Some(Side::Client) if !says_side => fill(derivations.of_client, &[("name", quantity.name)]),
        Some(Side::Server) if !says_side => fill(derivations.of_server, &[("name", quantity.name)]),
        _ => quantity.name.to_owned(),
    }
}

/// As RFC 6101 (section 6.1) writes it.
fn ssl3_expand(secret: &str, seed: &str, octets: usize) -> String {
    let md5 = |letters| format!("MD5({secret} + SHA-1(\"{letters}\" + {secret} + {seed}))");
    format!("({} + {} + …)[0..{octets}]", md5("A"), md5("BB"))
}

fn witness(words: &Catalogue, by: By) -> &'static str {
    let derivations = &words.derivations;
    match by {
        By::KeyLog => derivations.by_key_log,
        By::Recorder => derivations.by_recorder,
        By::Decryption => derivations.by_decryption,
        By::Peer => derivations.by_peer,
    }
}

fn hash_name(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "MD5",
        Hash::Sha1 => "SHA-1",
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
        Hash::Sm3 => "SM3",
    }
}

fn prf_name(prf: Prf) -> &'static str {
    match prf {
        Prf::Ssl3 | Prf::Tls10 => "MD5, SHA-1",
        Prf::Tls12(hash) => hash_name(hash),
    }
}
