//! Signed certificate timestamps: what logs promised to publish (RFC 6962, section 3.2).

use std::sync::Arc;

use ravelin_pki::der::{DerError, Element, Reader, Tag, Writer};
use ravelin_pki::{Certificate, OcspResponse, Oid};
use ravelin_wire::extension::SignedCertificateTimestamp;
use ravelin_wire::reader::DecodeError;
use ravelin_wire::registry::SignatureScheme;

use super::logs::Logs;
use super::scheme::{Means, MeansOf, Message};
use crate::story::{Claim, Missing, Verdict};

/// Where a timestamp was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampPlace {
    /// In the certificate itself (RFC 6962, section 3.3).
    Certificate,
    /// In the OCSP response (section 3.3.1).
    Ocsp,
    /// In the extension of the handshake (section 3.3.1).
    Handshake,
}

/// A timestamp, and whether the log made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTimestamp {
    /// Where it was.
    pub place: TimestampPlace,
    /// The log's identifier: the SHA-256 of its key.
    pub log: [u8; 32],
    /// When the log promised, in milliseconds since 1970.
    pub timestamp: u64,
    /// Whether the signature is the log's.
    pub verdict: Verdict,
}

/// What a log promised to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// The certificate, in DER.
    Certificate(Vec<u8>),
    /// What was to become the certificate: it without its timestamps.
    Precertificate {
        /// The SHA-256 of the key of who issued it.
        issuer_key_hash: [u8; 32],
        /// The `TBSCertificate` in DER.
        tbs: Vec<u8>,
    },
}

/// The extension with timestamps of an OCSP response, as the content of its DER (RFC 6962, section 3.3).
const OCSP_SCT_LIST: &[u8] = b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05";

/// More timestamps than this of one place are not looked at.
const MOST: usize = 64;

/// All timestamps of a certificate, with a verdict on each: those within it, those of its OCSP response, and
/// those of the handshake, which are given as they are in the extension. `chain` are the certificates, in
/// DER, that one first.
///
/// What is not written as RFC 6962 says is left out: the tree of the message has what is wrong with it.
#[must_use]
pub fn timestamps(
    chain: &[Vec<u8>],
    ocsp_response: Option<&[u8]>,
    handshake: &[&[u8]],
    logs: &Logs,
) -> Vec<SeenTimestamp> {
    let Some(certificate) = chain
        .first()
        .and_then(|der| Certificate::from_der(der).ok())
    else {
        return Vec::new();
    };
    let mut seen = Vec::new();
    let mut look = |place, list: &[&[u8]], logged: Option<&Logged>| {
        for timestamp in list.iter().take(MOST) {
            let Ok(timestamp) = SignedCertificateTimestamp::decode(timestamp) else {
                continue;
            };
            let verdict = match logged {
                Some(logged) => logged.was_promised_by(&timestamp, logs),
                None => Verdict::NotDerivable(Missing::Certificate),
            };
            seen.push(SeenTimestamp {
                place,
                log: *timestamp.log_id,
                timestamp: timestamp.timestamp,
                verdict,
            });
        }
    };
    if let Some(list) = certificate
        .extension(&Oid::SCT_LIST)
        .and_then(|extension| listed(&extension.der))
    {
        let logged = issuer(&certificate, chain)
            .and_then(|issuer| Logged::precertificate(&certificate, &issuer).ok());
        look(TimestampPlace::Certificate, &list, logged.as_ref());
    }
    let logged = Logged::Certificate(certificate.der().to_vec());
    let response = ocsp_response.and_then(|der| OcspResponse::from_der(der).ok());
    let responses = response
        .iter()
        .filter_map(OcspResponse::basic)
        .flat_map(|basic| &basic.responses)
        // A stapled response is of the issuer of this certificate: its number is enough.
        .filter(|single| single.cert_id.serial_number() == certificate.serial_number());
    if let Some(oid) = Oid::from_der_content(OCSP_SCT_LIST) {
        for single in responses {
            let list: Option<Vec<&[u8]>> =
                single.extensions.get(&oid).and_then(|it| listed(&it.der));
            if let Some(list) = list {
                look(TimestampPlace::Ocsp, &list, Some(&logged));
            }
        }
    }
    look(TimestampPlace::Handshake, handshake, Some(&logged));
    seen
}

impl SeenTimestamp {
    /// What it claims, with what a list of logs says of who made it.
    #[must_use]
    pub fn claim(&self, logs: &Logs) -> Claim {
        Claim::CertificateTimestamp {
            log: self.log,
            known: logs.get(&self.log).map(|log| Arc::clone(&log.entry)),
            place: self.place,
            at: self.timestamp,
        }
    }
}

impl Logged {
    /// What a certificate was before its timestamps came in.
    ///
    /// # Errors
    ///
    /// The extensions cannot be read: [`Certificate`] would not have been made of that.
    pub fn precertificate(
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<Self, DerError> {
        Ok(Self::Precertificate {
            issuer_key_hash: *issuer.public_key().fingerprint().as_bytes(),
            tbs: without_timestamps(certificate.signed().message())?,
        })
    }

    /// What a log signs when it promises to publish it at this time (RFC 6962, section 3.2).
    #[must_use]
    pub fn signed(&self, timestamp: u64, extensions: &[u8]) -> Vec<u8> {
        const VERSION: u8 = 0;
        const CERTIFICATE_TIMESTAMP: u8 = 0;
        let mut signed = vec![VERSION, CERTIFICATE_TIMESTAMP];
        signed.extend(timestamp.to_be_bytes());
        let der = match self {
            Self::Certificate(der) => {
                signed.extend([0, 0]);
                der
            }
            Self::Precertificate {
                issuer_key_hash,
                tbs,
            } => {
                signed.extend([0, 1]);
                signed.extend(issuer_key_hash);
                tbs
            }
        };
        let [.., a, b, c] = der.len().to_be_bytes();
        signed.extend([a, b, c]);
        signed.extend(der);
        let [.., high, low] = extensions.len().to_be_bytes();
        signed.extend([high, low]);
        signed.extend(extensions);
        signed
    }

    /// Whether the log that a timestamp names promised to publish this.
    #[must_use]
    pub fn was_promised_by(
        &self,
        timestamp: &SignedCertificateTimestamp<'_>,
        logs: &Logs,
    ) -> Verdict {
        let Some(log) = logs.get(timestamp.log_id) else {
            return Verdict::NotDerivable(Missing::LogKey);
        };
        if timestamp.version != 0 {
            return Verdict::NotDerivable(Missing::Algorithm);
        }
        let scheme = u16::from_be_bytes([timestamp.hash.0, timestamp.signature_algorithm.0]);
        let MeansOf::Known(means) = Means::of_tls12(SignatureScheme(scheme)) else {
            return Verdict::NotDerivable(Missing::Algorithm);
        };
        let signed = self.signed(timestamp.timestamp, timestamp.extensions);
        means.check(&log.key, &Message::Octets(&[&signed]), timestamp.signature)
    }
}

/// Who of the chain issued its first certificate.
fn issuer(certificate: &Certificate, chain: &[Vec<u8>]) -> Option<Certificate> {
    // It is the next one; or, where the chain is in disorder, one of the first few.
    let candidates = chain.iter().skip(1).take(8);
    candidates
        .filter_map(|der| Certificate::from_der(der).ok())
        .find(|candidate| certificate.is_signed_by(candidate))
}

/// A `TBSCertificate` without the extension that has its timestamps; all else as it is (RFC 6962, section
/// 3.2).
fn without_timestamps(tbs: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut fields = Reader::only(tbs, Tag::SEQUENCE)?.reader();
    let mut kept = Vec::with_capacity(tbs.len());
    while !fields.is_at_end() {
        let field = fields.next()?;
        if field.tag == Tag::context_constructed(3) {
            kept.extend_from_slice(&other_extensions(&field)?);
        } else {
            kept.extend_from_slice(field.whole);
        }
    }
    let mut writer = Writer::with_capacity(tbs.len());
    writer.sequence(|w| w.raw(&kept));
    Ok(writer.into_bytes())
}

/// The extensions, with their tag, but for that of the timestamps.
fn other_extensions(field: &Element<'_>) -> Result<Vec<u8>, DerError> {
    let mut list = field.inner()?.tagged(Tag::SEQUENCE)?.reader();
    let mut kept = Vec::with_capacity(field.whole.len());
    while !list.is_at_end() {
        let extension = list.next()?;
        let oid = extension.reader().expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
        if oid != Oid::SCT_LIST {
            kept.extend_from_slice(extension.whole);
        }
    }
    let mut writer = Writer::with_capacity(field.whole.len());
    // A certificate without extensions has no list of them.
    if !kept.is_empty() {
        writer.constructed(Tag::context_constructed(3), |w| {
            w.sequence(|w| w.raw(&kept));
        });
    }
    Ok(writer.into_bytes())
}

/// The timestamps in an extension of a certificate or an OCSP response: an `OCTET STRING` of a list.
fn listed(extension: &[u8]) -> Option<Vec<&[u8]>> {
    let list = Reader::only(extension, Tag::OCTET_STRING).ok()?.content;
    let read = || -> Result<Vec<&[u8]>, DecodeError> {
        let mut reader = ravelin_wire::reader::Reader::new(list, ());
        reader.vector16("sct_list", |reader| {
            reader.list(|reader| reader.opaque16("sct"))
        })
    };
    read().ok()
}
