//! The messages of a handshake, summed up.

use ravelin_wire::registry::HandshakeType;

use crate::digest::{Hash, Octets, Running};

/// All messages of the handshake so far. Which hash it takes is not known before the server's hello, and
/// signatures of TLS 1.2 can ask for others later: until [`forget`](Self::forget) the octets are kept.
#[derive(Debug, Clone)]
pub(super) struct Transcript {
    bytes: Vec<u8>,
    limit: usize,
    /// Whether messages are missing in `bytes`.
    partial: bool,
    /// Whether messages are missing.
    broken: bool,
    running: Vec<Running>,
    last: &'static str,
}

impl Transcript {
    /// Of no message yet. At most `limit` octets are kept.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            partial: false,
            broken: false,
            running: Vec::new(),
            last: "nothing",
        }
    }

    /// Begins again.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// Adds a message, which is called `name`.
    pub(super) fn add(&mut self, name: &'static str, message: &[u8]) {
        self.last = name;
        for running in &mut self.running {
            running.update(message);
        }
        if self.partial || self.bytes.len() + message.len() > self.limit {
            self.partial = true;
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(message);
        }
    }

    /// A message was not seen, or could not be decrypted.
    pub(super) fn miss(&mut self) {
        self.broken = true;
    }

    /// Whether all messages were seen.
    pub(super) fn is_whole(&self) -> bool {
        !self.broken
    }

    /// From now on these hashes are wanted.
    pub(super) fn hash_with(&mut self, hashes: &[Hash]) {
        if !self.running.is_empty() {
            return;
        }
        self.broken |= self.partial;
        self.running = hashes.iter().map(|hash| Running::new(*hash)).collect();
        for running in &mut self.running {
            running.update(&self.bytes);
        }
    }

    /// The octets are not wanted any more.
    pub(super) fn forget(&mut self) {
        self.bytes = Vec::new();
        self.partial = true;
    }

    /// Puts the hash of what there is in its place, as the request to begin again asks for (RFC 8446,
    /// section 4.4.1).
    pub(super) fn fold(&mut self, hash: Hash) {
        let digest = self.digest_by(&[hash], &[]);
        let broken = self.broken || digest.is_none();
        let digest = digest.unwrap_or_default();
        self.clear();
        self.broken = broken;
        self.hash_with(&[hash]);
        let header = [HandshakeType::MESSAGE_HASH.0, 0, 0, hash.octets() as u8];
        self.add("message_hash", &[&header[..], &digest].concat());
    }

    /// The name of the last message.
    pub(super) fn last(&self) -> &'static str {
        self.last
    }

    /// The digest so far; `None` where messages are missing.
    pub(super) fn digest(&self) -> Option<Octets> {
        self.digest_with(&[])
    }

    /// The digest so far and of these octets.
    pub(super) fn digest_with(&self, more: &[u8]) -> Option<Octets> {
        if self.broken {
            return None;
        }
        let digest_with_more = |running: &Running| {
            let mut running = running.clone();
            running.update(more);
            running.finish()
        };
        let mut digests = self.running.iter().map(digest_with_more);
        let mut digest = digests.next()?;
        digests.for_each(|other| digest.extend_from_slice(&other));
        Some(digest)
    }

    /// The digests so far, and each of what is put behind it for its hash.
    pub(super) fn digest_each(
        &self,
        hashes: &[Hash],
        more: impl Fn(Hash) -> Octets,
    ) -> Option<Octets> {
        if self.broken || self.running.len() != hashes.len() {
            return None;
        }
        let mut digest = Octets::default();
        for (running, hash) in self.running.iter().zip(hashes) {
            let mut running = running.clone();
            running.update(&more(*hash));
            digest.extend_from_slice(&running.finish());
        }
        Some(digest)
    }

    /// The digest by other hashes, of all messages and of these octets.
    pub(super) fn digest_by(&self, hashes: &[Hash], more: &[u8]) -> Option<Octets> {
        if self.broken || self.partial {
            return None;
        }
        let mut digest = Octets::default();
        for hash in hashes {
            digest.extend_from_slice(&hash.digest(&[&self.bytes, more]));
        }
        Some(digest)
    }

    /// All messages, as far as they are kept.
    pub(super) fn messages(&self) -> Option<&[u8]> {
        (!self.broken && !self.partial).then_some(&self.bytes)
    }
}
