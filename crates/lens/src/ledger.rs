//! Everything that a handshake derives, each as a formula with its inputs and its result.
//!
//! A quantity is computed where its inputs are known, and given where somebody wrote it down: a key log,
//! a recorder. Where both, one confirms or refutes the other. Where neither, what is missing is named.

use std::fmt;
use std::ops::Range;

use crate::digest::{Hash, HmacKey, Octets, Prf, ssl3_padding};

/// The quantities of a connection, in the order in which they were derived.
#[derive(Debug, Default)]
pub struct Ledger {
    quantities: Vec<Quantity>,
    /// What somebody knows of quantities that are not derived yet.
    testimonies: Vec<Testimony>,
    /// The secrets that were expanded last, as keys of HMAC: a stage of the schedule, and a secret of one
    /// side. What is derived of them next hashes neither again.
    expanded: Option<Box<Expanded>>,
}

type Expanded = [Option<(QuantityId, HmacKey)>; 2];

#[derive(Debug)]
struct Testimony {
    name: &'static str,
    side: Option<Side>,
    value: Octets,
    by: By,
}

/// Which quantity of a [`Ledger`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuantityId(usize);

impl QuantityId {
    /// Its place in the ledger, from 0.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}

/// One side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who opened it.
    Client,
    /// Who was asked.
    Server,
}

/// Something that a handshake derives.
pub struct Quantity {
    /// What the RFC calls it.
    pub name: &'static str,
    /// Whose it is; of both where it is nobody's alone.
    pub side: Option<Side>,
    /// Where it comes from.
    pub formula: Formula,
    /// What it is, where that is known.
    pub value: Option<Octets>,
    /// How sure that is.
    pub standing: Standing,
}

/// Whether what has to stay between the two is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Secrets {
    /// Keys, secrets, nonces and application data are shown.
    Shown,
    /// They are left out. What is public stays: hashes of the handshake, the randoms, what was decrypted of
    /// the handshake itself.
    #[default]
    Hidden,
}

/// Where a quantity comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// From outside: sent in clear, drawn by chance, agreed before.
    Given,
    /// So many zeros.
    Zeros(usize),
    /// The hash of the handshake from the client's hello to the message of this name.
    TranscriptHash {
        /// The hash.
        hash: Hash,
        /// The last message.
        through: &'static str,
    },
    /// The hash of nothing.
    EmptyHash(Hash),
    /// HKDF-Extract (RFC 5869, section 2.2).
    Extract {
        /// The hash.
        hash: Hash,
        /// The salt.
        salt: QuantityId,
        /// The input keying material.
        secret: QuantityId,
    },
    /// HKDF-Expand-Label (RFC 8446, section 7.1); with a hash of the handshake for a context it is what
    /// the RFC calls Derive-Secret.
    ExpandLabel {
        /// The hash.
        hash: Hash,
        /// The secret.
        secret: QuantityId,
        /// The label, without `tls13 `.
        label: &'static str,
        /// The context; none is an empty one.
        context: Option<QuantityId>,
        /// How many octets.
        octets: usize,
    },
    /// HMAC (RFC 2104).
    Hmac {
        /// The hash.
        hash: Hash,
        /// The key.
        key: QuantityId,
        /// The message.
        message: QuantityId,
    },
    /// The PRF of TLS 1.2 and before (RFC 5246, section 5).
    Prf {
        /// Which.
        prf: Prf,
        /// The secret.
        secret: QuantityId,
        /// The label.
        label: &'static str,
        /// The seed, in parts.
        seed: Vec<QuantityId>,
        /// How many octets.
        octets: usize,
    },
    /// The first octets of the hash of these, one behind the other.
    Digest {
        /// The hash.
        hash: Hash,
        /// What it is of.
        parts: Vec<QuantityId>,
        /// How many octets.
        octets: usize,
    },
    /// The hashes that the Finished messages of SSL 3.0 have inside: MD5 and SHA-1, each over the handshake from the
    /// client's hello to the message of this name, who sends it, and the secret (RFC 6101, section 5.6.9).
    Ssl3Inside {
        /// The last message.
        through: &'static str,
        /// Who sends the Finished message, in four letters.
        sender: &'static str,
        /// The secret.
        secret: QuantityId,
    },
    /// The hashes around those: MD5 and SHA-1, each over the secret and what is inside.
    Ssl3Outside {
        /// The secret.
        secret: QuantityId,
        /// What is inside.
        inside: QuantityId,
    },
    /// Some octets of another quantity.
    Part {
        /// The other.
        of: QuantityId,
        /// Which octets.
        range: Range<usize>,
    },
}

/// How sure the value of a quantity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was computed, or given, and nothing else is known of it.
    Stated,
    /// Two independent ways led to the same value.
    Confirmed(By),
    /// Two independent ways led to different values. What was computed is kept.
    Refuted(By),
    /// It is not known, for want of these.
    NotDerivable(Vec<QuantityId>),
}

/// What a value was held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// A key log.
    KeyLog,
    /// What the TLS library used.
    Recorder,
    /// A record that could be decrypted with it.
    Decryption,
    /// What the other side sent.
    Peer,
}

impl Ledger {
    /// Adds what comes from outside; `None` where it is not known.
    pub fn given(
        &mut self,
        name: &'static str,
        side: Option<Side>,
        value: Option<Octets>,
    ) -> QuantityId {
        let standing = match value {
            Some(_) => Standing::Stated,
            None => Standing::NotDerivable(Vec::new()),
        };
        self.push(Quantity {
            name,
            side,
            formula: Formula::Given,
            value,
            standing,
        })
    }

    /// Adds the hash of the handshake so far, computed elsewhere.
    pub fn transcript(
        &mut self,
        hash: Hash,
        through: &'static str,
        value: Option<Octets>,
    ) -> QuantityId {
        let id = self.given("transcript hash", None, value);
        if let Some(quantity) = self.quantities.get_mut(id.0) {
            quantity.formula = Formula::TranscriptHash { hash, through };
        }
        id
    }

    /// Adds the hash of the handshake so far and of the main secret that SSL 3.0 has, computed elsewhere.
    pub fn ssl3_inside(
        &mut self,
        through: &'static str,
        side: Side,
        secret: QuantityId,
        value: Option<Octets>,
    ) -> QuantityId {
        let formula = Formula::Ssl3Inside {
            through,
            sender: ssl3_sender(side),
            secret,
        };
        let standing = match value {
            Some(_) => Standing::Stated,
            None => Standing::NotDerivable(self.missing(&formula)),
        };
        self.push(Quantity {
            name: "handshake hash",
            side: Some(side),
            formula,
            value,
            standing,
        })
    }

    /// Takes down what somebody knows of a quantity that is to be derived. Once it is, one is held
    /// against the other; where it cannot be, what is derived of it is derived from this value.
    pub fn testify(&mut self, name: &'static str, side: Option<Side>, value: Octets, by: By) {
        self.testimonies.push(Testimony {
            name,
            side,
            value,
            by,
        });
    }

    /// Adds what is derived, and derives it where its inputs are known.
    pub fn derive(
        &mut self,
        name: &'static str,
        side: Option<Side>,
        formula: Formula,
    ) -> QuantityId {
        let value = match formula {
            Formula::ExpandLabel {
                hash,
                secret,
                label,
                context,
                octets,
            } => self.expand_label(hash, secret, label, context, octets),
            _ => self.evaluate(&formula),
        };
        let standing = match &value {
            Some(_) => Standing::Stated,
            None => Standing::NotDerivable(self.missing(&formula)),
        };
        let id = self.push(Quantity {
            name,
            side,
            formula,
            value,
            standing,
        });
        let of_this = |testimony: &Testimony| testimony.name == name && testimony.side == side;
        if let Some(place) = self.testimonies.iter().position(of_this) {
            let testimony = self.testimonies.swap_remove(place);
            self.witness(id, &testimony.value, testimony.by);
        }
        id
    }

    /// Holds a value that somebody else knows against what was derived, or takes it where nothing was.
    pub fn witness(&mut self, id: QuantityId, value: &[u8], by: By) {
        let Some(quantity) = self.quantities.get_mut(id.0) else {
            return;
        };
        match &quantity.value {
            None => {
                quantity.value = Some(Octets::new(value.to_vec()));
                quantity.standing = Standing::Stated;
            }
            Some(derived) if derived[..] == *value => quantity.standing = Standing::Confirmed(by),
            Some(_) => quantity.standing = Standing::Refuted(by),
        }
    }

    /// Takes what was said of a value for true: something that only the right value does was seen. What was
    /// confirmed or refuted before stays so.
    pub fn confirm(&mut self, id: QuantityId, by: By) {
        if let Some(quantity) = self.quantities.get_mut(id.0)
            && quantity.standing == Standing::Stated
        {
            quantity.standing = Standing::Confirmed(by);
        }
    }

    /// Forgets what makes it quicker to derive more: nothing much is to come.
    pub(crate) fn settle(&mut self) {
        self.expanded = None;
    }

    /// Makes room for so many more quantities.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.quantities.reserve(more);
    }

    /// Whether the value of a quantity is what its formula comes to, and not what somebody said that it is.
    #[must_use]
    pub fn is_computed(&self, id: QuantityId) -> bool {
        let inputs = self.get(id).formula.inputs();
        !inputs.is_empty() && inputs.iter().all(|input| self.value(*input).is_some())
    }

    /// How many quantities there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.quantities.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.quantities.is_empty()
    }

    /// The quantities that were added since there were `before` of them.
    pub fn since(&self, before: usize) -> impl Iterator<Item = QuantityId> + use<> {
        (before..self.quantities.len()).map(QuantityId)
    }

    /// A quantity.
    #[must_use]
    pub fn get(&self, id: QuantityId) -> &Quantity {
        // Ids are made here alone, one a quantity, and quantities are never taken away.
        &self.quantities[id.0]
    }

    /// The value of a quantity, where it is known.
    #[must_use]
    pub fn value(&self, id: QuantityId) -> Option<&[u8]> {
        self.get(id).value.as_ref().map(|value| &value[..])
    }

    /// All quantities with their ids, in the order in which they were derived.
    pub fn iter(&self) -> impl Iterator<Item = (QuantityId, &Quantity)> {
        let ids = (0..).map(QuantityId);
        ids.zip(&self.quantities)
    }

    /// What a secret is expanded to. Values never change once they are known, so neither do keys.
    fn expand_label(
        &mut self,
        hash: Hash,
        secret: QuantityId,
        label: &str,
        context: Option<QuantityId>,
        octets: usize,
    ) -> Option<Octets> {
        let of_this = |kept: &Option<(QuantityId, HmacKey)>| {
            let kept = kept.as_ref();
            kept.is_some_and(|(id, key)| *id == secret && key.hash() == hash)
        };
        let mut expanded = self.expanded.take().unwrap_or_default();
        match expanded.iter().position(of_this) {
            Some(0) => {}
            Some(_) => expanded.reverse(),
            None => {
                let key = HmacKey::new(hash, self.value(secret)?);
                expanded.reverse();
                expanded[0] = Some((secret, key));
            }
        }
        let context = match context {
            Some(context) => self.value(context)?,
            None => &[],
        };
        let (_, key) = expanded[0].as_ref()?;
        let value = key.expand_label(label, context, octets);
        self.expanded = Some(expanded);
        Some(value)
    }

    /// What a formula comes to, but for what [`Self::expand_label`] does.
    fn evaluate(&self, formula: &Formula) -> Option<Octets> {
        let value = |id: &QuantityId| self.value(*id);
        Some(match formula {
            Formula::Given
            | Formula::TranscriptHash { .. }
            | Formula::ExpandLabel { .. }
            | Formula::Ssl3Inside { .. } => {
                return None;
            }
            Formula::Zeros(octets) => Octets::new(vec![0; *octets]),
            Formula::EmptyHash(hash) => hash.digest(&[]),
            Formula::Extract { hash, salt, secret } => hash.extract(value(salt)?, value(secret)?),
            Formula::Hmac { hash, key, message } => hash.hmac(value(key)?, &[value(message)?]),
            Formula::Prf {
                prf,
                secret,
                label,
                seed,
                octets,
            } => {
                let seed: Vec<&[u8]> = seed.iter().map(value).collect::<Option<_>>()?;
                prf.expand(value(secret)?, label, &seed, *octets)
            }
            Formula::Digest {
                hash,
                parts,
                octets,
            } => {
                let parts: Vec<&[u8]> = parts.iter().map(value).collect::<Option<_>>()?;
                let digest = hash.digest(&parts);
                Octets::new(digest.get(..*octets)?.to_vec())
            }
            Formula::Ssl3Outside { secret, inside } => ssl3_outside(value(secret)?, value(inside)?),
            Formula::Part { of, range } => Octets::new(value(of)?.get(range.clone())?.to_vec()),
        })
    }

    /// Which inputs are in want, down to those that nothing here derives.
    fn missing(&self, formula: &Formula) -> Vec<QuantityId> {
        let mut missing = Vec::new();
        for id in formula.inputs() {
            match &self.get(id).standing {
                Standing::NotDerivable(deeper) if deeper.is_empty() => missing.push(id),
                Standing::NotDerivable(deeper) => missing.extend(deeper),
                _ => {}
            }
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    fn push(&mut self, quantity: Quantity) -> QuantityId {
        self.quantities.push(quantity);
        QuantityId(self.quantities.len() - 1)
    }
}

impl Formula {
    /// The quantities that it is computed from.
    #[must_use]
    pub fn inputs(&self) -> Vec<QuantityId> {
        match self {
            Self::Given | Self::Zeros(_) | Self::TranscriptHash { .. } | Self::EmptyHash(_) => {
                Vec::new()
            }
            Self::Extract { salt, secret, .. } => vec![*salt, *secret],
            Self::ExpandLabel {
                secret, context, ..
            } => [*secret].into_iter().chain(*context).collect(),
            Self::Hmac { key, message, .. } => vec![*key, *message],
            Self::Prf { secret, seed, .. } => [&[*secret], &seed[..]].concat(),
            Self::Digest { parts, .. } => parts.clone(),
            Self::Ssl3Inside { secret, .. } => vec![*secret],
            Self::Ssl3Outside { secret, inside } => vec![*secret, *inside],
            Self::Part { of, .. } => vec![*of],
        }
    }
}

/// How the Finished messages of SSL 3.0 say whose they are: `CLNT` and `SRVR`.
#[must_use]
pub fn ssl3_sender(side: Side) -> &'static str {
    match side {
        Side::Client => "CLNT",
        Side::Server => "SRVR",
    }
}

/// MD5 and SHA-1, each over the secret, the padding, and its own of the hashes inside.
fn ssl3_outside(secret: &[u8], inside: &[u8]) -> Octets {
    let mut whole = Octets::default();
    let (md5, sha1) = inside.split_at(Hash::Md5.octets().min(inside.len()));
    for (hash, inside) in [(Hash::Md5, md5), (Hash::Sha1, sha1)] {
        let [_, padding] = ssl3_padding(hash);
        whole.extend_from_slice(&hash.digest(&[secret, &padding, inside]));
    }
    whole
}

/// What comes from outside and was sent in clear, or says nothing without a secret.
const PUBLIC: [&str; 3] = ["client_random", "server_random", "ticket_nonce"];

impl Quantity {
    /// Whether its value may be known to everybody: it was sent, or anyone who sees the handshake can compute
    /// it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        match self.formula {
            Formula::TranscriptHash { .. } | Formula::EmptyHash(_) | Formula::Zeros(_) => true,
            Formula::Given => PUBLIC.contains(&self.name),
            _ => false,
        }
    }

    /// Its value, where it is known and may be shown.
    #[must_use]
    pub fn shown(&self, secrets: Secrets) -> Option<&[u8]> {
        let value = self.value.as_ref().map(|value| &value[..]);
        value.filter(|_| secrets == Secrets::Shown || self.is_public())
    }
}

/// The value is for those who ask for it by name.
impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantity")
            .field("name", &self.name)
            .field("side", &self.side)
            .field("formula", &self.formula)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}
