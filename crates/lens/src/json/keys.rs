//! What was derived, and what was put to the test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Side, View, hex};
use crate::ledger::{self, By, QuantityId};
use crate::proof::TimestampPlace;
use crate::story::{self, Story};

/// Something that a handshake derives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// Its number, from 0, by which others refer to it.
    pub number: usize,
    /// What the RFC calls it.
    pub name: String,
    /// Whose it is; null where it is nobody's alone.
    pub side: Option<Side>,
    /// What it is.
    pub what: String,
    /// What it is for.
    pub why: String,
    /// Where it comes from.
    pub formula: Formula,
    /// Its value in hexadecimal; null where it is not known, or left out as a secret.
    pub value: Option<String>,
    /// Whether its value is known.
    pub known: bool,
    /// Whether everybody may know it.
    pub public: bool,
    /// How sure it is.
    pub standing: Standing,
    /// What it was held against: `key_log`, `recorder` (what the TLS library used), `decryption` (a record that
    /// it opened) or `peer` (what the other side sent).
    pub witness: Option<String>,
    /// Where it cannot be derived: the quantities that are missing.
    pub missing: Vec<usize>,
    /// How sure it is, in words.
    pub standing_says: String,
}

/// Where a quantity comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Formula {
    /// Which kind: `given`, `zeros`, `transcript_hash`, `empty_hash`, `hkdf_extract`, `hkdf_expand_label`,
    /// `hmac`, `prf`, `part`, `hash`, or the keyed hashes of SSL 3.0, `ssl3_inside` and `ssl3_outside`.
    pub kind: String,
    /// The formula as the RFC writes it.
    pub text: String,
    /// The quantities that it is computed from, in the order of the formula.
    pub inputs: Vec<usize>,
    /// The label of a derivation.
    pub label: Option<String>,
    /// How many octets it gives, where the formula says so.
    pub octets: Option<usize>,
}

/// MD5 and SHA-1, one behind the other.
const SSL3_OCTETS: usize = 36;

/// How sure a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was computed, or given, and nothing else is known of it.
    Stated,
    /// Two independent ways led to the same value.
    Confirmed,
    /// Two independent ways led to different values.
    Refuted,
    /// It is not known.
    NotDerivable,
}

/// Something that was put to the test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What was claimed: `finished`, `handshake_signature`, `share_signature`, `binder`, `chain`,
    /// `certificate_timestamp`, `no_downgrade`, `retry_kept`, `records` or `shared_secret`.
    pub claim: String,
    /// Whose claim it is, where it is one side's.
    pub side: Option<Side>,
    /// The claim in a sentence.
    pub says: String,
    /// What came out.
    pub verdict: Verdict,
    /// The same in a sentence, with the reason.
    pub verdict_says: String,
    /// At which step, from 0.
    pub step: usize,
    /// The quantities that were looked at.
    pub inputs: Vec<usize>,
    /// Of a `certificate_timestamp`: who promised what, when and where.
    pub promise: Option<Promise>,
}

/// A timestamp of a log of Certificate Transparency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Promise {
    /// The log's identifier in hexadecimal: the SHA-256 of its key.
    pub log: String,
    /// What the list of logs calls it; null where it is not in the list.
    pub description: Option<String>,
    /// Who runs it.
    pub operator: Option<String>,
    /// What the list's browser thinks of it: `pending`, `qualified`, `usable`, `readonly`, `retired` or
    /// `rejected`.
    pub state: Option<String>,
    /// Since when, as the list writes it.
    pub since: Option<String>,
    /// Where the timestamp was: `certificate`, `ocsp` or `handshake`.
    pub place: String,
    /// When the log promised, in milliseconds since 1970.
    pub timestamp: u64,
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is so.
    Confirmed,
    /// It is not so.
    Refuted,
    /// It cannot be told.
    NotDerivable,
}

impl View {
    pub(super) fn quantities(self, story: &Story) -> Vec<Quantity> {
        let quantities = story.ledger.iter();
        quantities
            .map(|(id, quantity)| {
                let words = self.language.quantity(quantity.name);
                let (standing, witness, missing) = match &quantity.standing {
                    ledger::Standing::Stated => (Standing::Stated, None, &[][..]),
                    ledger::Standing::Confirmed(by) => (Standing::Confirmed, Some(*by), &[][..]),
                    ledger::Standing::Refuted(by) => (Standing::Refuted, Some(*by), &[][..]),
                    ledger::Standing::NotDerivable(missing) => {
                        (Standing::NotDerivable, None, &missing[..])
                    }
                };
                Quantity {
                    number: id.number(),
                    name: quantity.name.to_owned(),
                    side: quantity.side.map(Side::from),
                    what: words.what.to_owned(),
                    why: words.why.to_owned(),
                    formula: self.formula(story, id),
                    value: quantity.shown(self.secrets).map(hex),
                    known: quantity.value.is_some(),
                    public: quantity.is_public(),
                    standing,
                    witness: witness.map(|by| witness_name(by).to_owned()),
                    missing: numbers(missing),
                    standing_says: self.language.standing(&story.ledger, id),
                }
            })
            .collect()
    }

    fn formula(self, story: &Story, id: QuantityId) -> Formula {
        use ledger::Formula as F;
        let formula = &story.ledger.get(id).formula;
        let (kind, label, octets) = match formula {
            F::Given => ("given", None, None),
            F::Zeros(octets) => ("zeros", None, Some(*octets)),
            F::TranscriptHash { hash, .. } => ("transcript_hash", None, Some(hash.octets())),
            F::EmptyHash(hash) => ("empty_hash", None, Some(hash.octets())),
            F::Extract { hash, .. } => ("hkdf_extract", None, Some(hash.octets())),
            F::ExpandLabel { label, octets, .. } => {
                ("hkdf_expand_label", Some(*label), Some(*octets))
            }
            F::Hmac { hash, .. } => ("hmac", None, Some(hash.octets())),
            F::Prf { label, octets, .. } => {
                let label = (!label.is_empty()).then_some(*label);
                ("prf", label, Some(*octets))
            }
            F::Digest { octets, .. } => ("hash", None, Some(*octets)),
            F::Ssl3Inside { sender, .. } => ("ssl3_inside", Some(*sender), Some(SSL3_OCTETS)),
            F::Ssl3Outside { .. } => ("ssl3_outside", None, Some(SSL3_OCTETS)),
            F::Part { range, .. } => ("part", None, Some(range.len())),
        };
        Formula {
            kind: kind.to_owned(),
            text: self.language.formula(&story.ledger, id),
            inputs: numbers(&formula.inputs()),
            label: label.map(str::to_owned),
            octets,
        }
    }

    pub(super) fn checks(self, story: &Story) -> Vec<Check> {
        story.checks.iter().map(|check| self.check(check)).collect()
    }

    fn check(self, check: &story::Check) -> Check {
        let (claim, side) = claim_name(&check.claim);
        Check {
            claim: claim.to_owned(),
            side: side.map(Side::from),
            says: self.language.claim(&check.claim),
            verdict: match check.verdict {
                story::Verdict::Confirmed => Verdict::Confirmed,
                story::Verdict::Refuted(_) => Verdict::Refuted,
                story::Verdict::NotDerivable(_) => Verdict::NotDerivable,
            },
            verdict_says: self.language.verdict(&check.verdict),
            step: check.step,
            inputs: numbers(&check.inputs),
            promise: promise(&check.claim),
        }
    }
}

fn promise(claim: &story::Claim) -> Option<Promise> {
    let story::Claim::CertificateTimestamp {
        log,
        known,
        place,
        at,
    } = claim
    else {
        return None;
    };
    let known = known.as_deref();
    Some(Promise {
        log: hex(log),
        description: known.map(|entry| entry.description.clone()),
        operator: known.map(|entry| entry.operator.clone()),
        state: known.and_then(|entry| Some(entry.state?.name().to_owned())),
        since: known.and_then(|entry| entry.since.clone()),
        place: match place {
            TimestampPlace::Certificate => "certificate",
            TimestampPlace::Ocsp => "ocsp",
            TimestampPlace::Handshake => "handshake",
        }
        .to_owned(),
        timestamp: *at,
    })
}

/// The name of a claim, and whose it is.
pub(super) fn claim_name(claim: &story::Claim) -> (&'static str, Option<ledger::Side>) {
    use story::Claim as C;
    match claim {
        C::Finished(side) => ("finished", Some(*side)),
        C::HandshakeSignature(side) => ("handshake_signature", Some(*side)),
        C::ShareSignature => ("share_signature", Some(ledger::Side::Server)),
        C::Binder(_) => ("binder", Some(ledger::Side::Client)),
        C::Chain(side) => ("chain", Some(*side)),
        C::CertificateTimestamp { .. } => ("certificate_timestamp", Some(ledger::Side::Server)),
        C::NoDowngrade => ("no_downgrade", None),
        C::RetryKept => ("retry_kept", Some(ledger::Side::Client)),
        C::Records(side) => ("records", Some(*side)),
        C::SharedSecret => ("shared_secret", None),
    }
}

fn witness_name(by: By) -> &'static str {
    match by {
        By::KeyLog => "key_log",
        By::Recorder => "recorder",
        By::Decryption => "decryption",
        By::Peer => "peer",
    }
}

fn numbers(ids: &[QuantityId]) -> Vec<usize> {
    ids.iter().map(|id| id.number()).collect()
}
