//! The signatures of the handshake: over all that was said, and over the server's share.

use ravelin_wire::handshake::{DigitallySigned, RANDOM_OCTETS, ServerParameters};
use ravelin_wire::registry::{ProtocolVersion, SignatureScheme};
use ravelin_wire::writer::Encode as _;

use super::scheme::{Means, MeansOf, Message};
use super::signer::Signer;
use crate::digest::{Hash, ssl3_padding};
use crate::ledger::Side;
use crate::story::{Missing, Refutation, Verdict};

/// A signature of the handshake, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct HandshakeSignature<'a> {
    /// The version that was agreed.
    pub version: ProtocolVersion,
    /// Who signed.
    pub side: Side,
    /// Whose key it has to be.
    pub signer: Signer<'a>,
    /// The signature, and how it says that it was made.
    pub signed: &'a DigitallySigned<'a>,
    /// What the other side would take (`signature_algorithms`), where that is known and was said: from
    /// TLS 1.2 on.
    pub offered: Option<&'a [SignatureScheme]>,
}

impl HandshakeSignature<'_> {
    /// Checks the `CertificateVerify` of TLS 1.3, which signs the hash of the handshake up to the
    /// certificate (RFC 8446, section 4.4.3).
    #[must_use]
    pub fn over_hash(&self, transcript_hash: &[u8]) -> Verdict {
        let context = match self.side {
            Side::Client => "TLS 1.3, client CertificateVerify",
            Side::Server => "TLS 1.3, server CertificateVerify",
        };
        self.check(&Message::Octets(&[
            &[b' '; 64],
            context.as_bytes(),
            &[0],
            transcript_hash,
        ]))
    }

    /// Checks the `CertificateVerify` of TLS 1.2 and before, which signs all messages up to it, headers
    /// and all (RFC 5246, section 7.4.8). SSL 3.0 signs the main secret with them (RFC 6101, section
    /// 5.6.8).
    #[must_use]
    pub fn over_messages(&self, messages: &[&[u8]], main_secret: Option<&[u8]>) -> Verdict {
        if self.version != ProtocolVersion::SSL_3 {
            return self.check(&Message::Octets(messages));
        }
        let Some(secret) = main_secret else {
            return Verdict::NotDerivable(Missing::Keys);
        };
        let digest = |hash: Hash| {
            let [inner, outer] = ssl3_padding(hash);
            let inside = hash.digest(&[messages, &[secret, &inner]].concat());
            hash.digest(&[secret, &outer, &inside])
        };
        self.check(&Message::Hashed {
            md5: &digest(Hash::Md5),
            sha1: &digest(Hash::Sha1),
        })
    }

    /// Checks the signature of a `ServerKeyExchange`, over both randoms and the share (RFC 5246, section
    /// 7.4.3; RFC 8422, section 5.4).
    #[must_use]
    pub fn over_share(
        &self,
        client_random: &[u8; RANDOM_OCTETS],
        server_random: &[u8; RANDOM_OCTETS],
        parameters: &ServerParameters<'_>,
    ) -> Verdict {
        // What was read can be written.
        let Ok(parameters) = parameters.encode() else {
            return Verdict::NotDerivable(Missing::Transcript);
        };
        self.check(&Message::Octets(&[
            client_random,
            server_random,
            &parameters,
        ]))
    }

    fn check(&self, message: &Message<'_>) -> Verdict {
        let key = match self.signer.key(self.side, self.signed.algorithm) {
            Ok(key) => key,
            Err(verdict) => return verdict,
        };
        let means = match self.signed.algorithm {
            Some(scheme) if self.version.is_tls13() => Means::of_tls13(scheme, self.side),
            Some(scheme) => Means::of_tls12(scheme),
            None => Means::of_key(&key),
        };
        let means = match means {
            MeansOf::Known(means) => means,
            MeansOf::Unknown => return Verdict::NotDerivable(Missing::Algorithm),
            MeansOf::Forbidden => return Verdict::Refuted(Refutation::WrongKeyForScheme),
        };
        match means.check(&key, message, self.signed.signature) {
            Verdict::Confirmed if !self.was_offered() => {
                Verdict::Refuted(Refutation::SchemeNotOffered)
            }
            verdict => verdict,
        }
    }

    fn was_offered(&self) -> bool {
        let (Some(scheme), Some(offered)) = (self.signed.algorithm, self.offered) else {
            return true;
        };
        offered.contains(&scheme)
    }
}
