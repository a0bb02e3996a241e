//! Whose key signs a handshake: that of a certificate, a bare one, or one that a certificate's key has
//! lent its name to.

use std::time::{Duration, SystemTime};

use ravelin_pki::{Certificate, KeyUsage, Oid, PublicKey};
use ravelin_wire::extension::{DelegatedCredential, Extension};
use ravelin_wire::handshake::CertificateEntry;
use ravelin_wire::registry::{CertificateType, SignatureScheme};
use ravelin_wire::writer::Encode as _;

use super::scheme::{Means, MeansOf, Message};
use crate::ledger::Side;
use crate::story::{BadCertificate, Missing, Refutation, Verdict};

/// Whose key signs.
#[derive(Debug, Clone, Copy)]
pub enum Signer<'c> {
    /// That of this certificate, in DER.
    Certificate(&'c [u8]),
    /// This one: a `SubjectPublicKeyInfo` in DER (RFC 7250).
    RawKey(&'c [u8]),
    /// That of a delegated credential (RFC 9345).
    Delegated {
        /// The certificate whose key signed it, in DER.
        certificate: &'c [u8],
        /// The credential.
        credential: DelegatedCredential<'c>,
        /// When it is used.
        at: SystemTime,
    },
}

/// Credentials live a week at most (RFC 9345, section 4.1.3).
const MAX_CREDENTIAL_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// The extension `DelegationUsage` of certificates that may sign credentials (RFC 9345, section 4.2), as
/// the content of its DER.
const DELEGATION_USAGE: &[u8] = b"\x2b\x06\x01\x04\x01\x82\xda\x4b\x2c";

impl<'c> Signer<'c> {
    /// The signer that the first entry of a certificate message of TLS 1.3 stands for, at the time of the
    /// handshake.
    #[must_use]
    pub fn of_entry(
        entry: &CertificateEntry<'c>,
        certificate_type: CertificateType,
        at: SystemTime,
    ) -> Self {
        let certificate = entry.cert_data;
        if certificate_type == CertificateType::RAW_PUBLIC_KEY {
            return Self::RawKey(certificate);
        }
        entry
            .extensions
            .0
            .iter()
            .find_map(|extension| match extension {
                Extension::DelegatedCredential(credential) => Some(Self::Delegated {
                    certificate,
                    credential: *credential,
                    at,
                }),
                _ => None,
            })
            .unwrap_or(Self::Certificate(certificate))
    }

    /// The key; or, where there is none that may sign so, the verdict on the signature.
    pub(super) fn key(
        &self,
        side: Side,
        scheme: Option<SignatureScheme>,
    ) -> Result<PublicKey, Verdict> {
        match self {
            Self::Certificate(der) => Ok(certificate(der)?.public_key().clone()),
            Self::RawKey(der) => public_key(der),
            Self::Delegated {
                certificate: der,
                credential,
                at,
            } => {
                let delegator = certificate(der)?;
                match credential_holds(side, &delegator, credential, *at) {
                    Verdict::Confirmed => {}
                    verdict => return Err(verdict),
                }
                if scheme != Some(credential.expected_cert_verify_algorithm) {
                    return Err(Verdict::Refuted(Refutation::WrongKeyForScheme));
                }
                public_key(credential.public_key)
            }
        }
    }
}

/// Whether a certificate's key lent its name to the key of a credential, and may do that (RFC 9345, section
/// 4.1.3).
fn credential_holds(
    side: Side,
    delegator: &Certificate,
    credential: &DelegatedCredential<'_>,
    at: SystemTime,
) -> Verdict {
    let may_delegate = Oid::from_der_content(DELEGATION_USAGE)
        .is_some_and(|oid| delegator.extension(&oid).is_some())
        && delegator
            .key_usage()
            .is_some_and(|usage| usage.has(KeyUsage::DIGITAL_SIGNATURE));
    if !may_delegate {
        return bad(BadCertificate::MayNotDelegate);
    }
    let end = delegator.not_before() + Duration::from_secs(credential.valid_time.into());
    match end.duration_since(at) {
        Err(_) => return bad(BadCertificate::CredentialOver),
        Ok(left) if left > MAX_CREDENTIAL_LIFE => {
            return bad(BadCertificate::CredentialTooLong);
        }
        Ok(_) => {}
    }
    let context = match side {
        Side::Client => "TLS, client delegated credentials",
        Side::Server => "TLS, server delegated credentials",
    };
    let Ok(whole) = credential.encode() else {
        return bad(BadCertificate::CredentialUnwritable);
    };
    // All of it but the signature and its length is signed.
    let signed_octets = whole.len().saturating_sub(credential.signature.len() + 2);
    let message = [
        &[b' '; 64],
        context.as_bytes(),
        &[0],
        delegator.der(),
        whole.get(..signed_octets).unwrap_or_default(),
    ];
    match Means::of_tls13(credential.algorithm, side) {
        MeansOf::Known(means) => means.check(
            delegator.public_key(),
            &Message::Octets(&message),
            credential.signature,
        ),
        MeansOf::Unknown => Verdict::NotDerivable(Missing::Algorithm),
        MeansOf::Forbidden => Verdict::Refuted(Refutation::WrongKeyForScheme),
    }
}

pub(super) fn certificate(der: &[u8]) -> Result<Certificate, Verdict> {
    Certificate::from_der(der).map_err(|error| bad(BadCertificate::Unreadable(error)))
}

fn public_key(der: &[u8]) -> Result<PublicKey, Verdict> {
    PublicKey::from_der(der).map_err(|error| bad(BadCertificate::UnreadableKey(error)))
}

fn bad(why: BadCertificate) -> Verdict {
    Verdict::Refuted(Refutation::BadCertificate(why))
}
