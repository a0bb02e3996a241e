//! What keeps records from being changed where the cipher does not: HMAC (RFC 5246, section 6.2.3.1), and
//! in SSL 3.0 the keyed hash that HMAC came from (RFC 6101, section 5.2.3.1).

use aws_lc_rs::{constant_time, hmac};
use ravelin_wire::record::Record;
use ravelin_wire::registry::{Mac, ProtocolVersion};

use super::OpenError;
use crate::digest::{Hash, Octets, ssl3_padding};

/// A MAC and its key.
pub(super) struct RecordMac {
    octets: usize,
    how: How,
}

enum How {
    Hmac(Box<hmac::Key>),
    /// aws-lc-rs has no MD5 and no SM3.
    ByHand {
        hash: Hash,
        key: Octets,
    },
    Ssl3 {
        hash: Hash,
        key: Octets,
    },
}

impl RecordMac {
    pub(super) fn new(version: ProtocolVersion, mac: Mac, key: &[u8]) -> Option<Self> {
        if key.len() != mac.key_octets() {
            return None;
        }
        let own = || Octets::new(key.to_vec());
        let hmac = |algorithm| Some(How::Hmac(Box::new(hmac::Key::new(algorithm, key))));
        let by_hand = |hash| Some(How::ByHand { hash, key: own() });
        let ssl3 = |hash| Some(How::Ssl3 { hash, key: own() });
        let how = match mac {
            Mac::Md5 if version == ProtocolVersion::SSL_3 => ssl3(Hash::Md5),
            Mac::Sha1 if version == ProtocolVersion::SSL_3 => ssl3(Hash::Sha1),
            _ if version == ProtocolVersion::SSL_3 => None,
            Mac::Md5 => by_hand(Hash::Md5),
            Mac::Sm3 => by_hand(Hash::Sm3),
            Mac::Sha1 => hmac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Mac::Sha256 => hmac(hmac::HMAC_SHA256),
            Mac::Sha384 => hmac(hmac::HMAC_SHA384),
            _ => None,
        }?;
        Some(Self {
            octets: mac.octets(),
            how,
        })
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// What is authenticated before so many octets of content.
    pub(super) fn additional_data(
        &self,
        sequence: u64,
        record: &Record<'_>,
        octets: usize,
    ) -> Vec<u8> {
        let mut data = pseudo_header(sequence, record, octets);
        if let How::Ssl3 { .. } = self.how {
            // SSL 3.0 leaves the version out.
            data.drain(9..11);
        }
        data
    }

    /// Checks that `mac` is that of these octets.
    pub(super) fn check(
        &self,
        additional_data: &[u8],
        content: &[u8],
        mac: &[u8],
    ) -> Result<(), OpenError> {
        let parts = &[additional_data, content];
        let computed = match &self.how {
            How::Hmac(key) => {
                let mut hmac = hmac::Context::with_key(key);
                for part in parts {
                    hmac.update(part);
                }
                Octets::new(hmac.sign().as_ref().to_vec())
            }
            How::ByHand { hash, key } => hash.hmac(key, parts),
            How::Ssl3 { hash, key } => {
                let [inner, outer] = ssl3_padding(*hash);
                let inside = hash.digest(&[key, &inner, additional_data, content]);
                hash.digest(&[key, &outer, &inside])
            }
        };
        constant_time::verify_slices_are_equal(&computed, mac).map_err(|_| OpenError::NotAuthentic)
    }
}

/// The number of a record, its type, its version and so many octets: what TLS 1.2 and before authenticate
/// besides the content (RFC 5246, sections 6.2.3.1 and 6.2.3.3).
pub(super) fn pseudo_header(sequence: u64, record: &Record<'_>, octets: usize) -> Vec<u8> {
    let [content_type, major, minor, ..] = record.header();
    let [.., high, low] = octets.to_be_bytes();
    let mut header = Vec::with_capacity(13);
    header.extend(sequence.to_be_bytes());
    header.extend([content_type, major, minor, high, low]);
    header
}
