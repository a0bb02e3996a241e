//! Writing a CRL (RFC 5280, section 5.1), signed.

use std::time::SystemTime;

use super::{RevocationList, RevocationListError, RevocationReason, RevokedCertificate, VERSION_2};
use crate::certificate::Certificate;
use crate::der::{Tag, Writer};
use crate::extension::{
    DistributionPoint, Extension, ExtensionValue, Extensions, IssuingDistributionPoint, KeyUsage,
};
use crate::key::{SignError, Signer};
use crate::oid::Oid;
use crate::serial::SerialNumber;
use crate::signed::{self, Signed};

/// What a CRL is to say, but for its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationListTemplate {
    /// Its number, which must be higher than that of the one before (section 5.2.3).
    pub number: u64,
    /// When it is issued.
    pub this_update: SystemTime,
    /// When there will be another at the latest.
    pub next_update: SystemTime,
    /// The number of the list that it is a delta to (section 5.2.4).
    pub base_number: Option<u64>,
    /// What it is about, where that is not all certificates of the issuer (section 5.2.5).
    pub issuing_distribution_point: Option<IssuingDistributionPoint>,
    /// Where deltas to it are (section 5.2.6).
    pub freshest_crl: Vec<DistributionPoint>,
}

/// Why no CRL is signed.
#[derive(Debug, thiserror::Error)]
pub enum RevocationListTemplateError {
    /// The certificate's key may sign, but no CRLs.
    #[error(
        "the key of \"{subject}\" may not sign CRLs, as its certificate's keyUsage lacks cRLSign"
    )]
    NotCrlSigner {
        /// Its subject.
        subject: String,
    },
    /// The key is not the certificate's.
    #[error("the private key does not belong to the certificate \"{subject}\"")]
    Mismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// It would be too old from the start.
    #[error("the CRL's next update would not be after this one")]
    Times,
    /// The key did not sign.
    #[error("the CRL could not be signed")]
    Sign(#[from] SignError),
    /// What was signed cannot be read back, which no input should cause.
    #[error("the new CRL cannot be read back")]
    ReadBack(#[source] RevocationListError),
}

impl RevocationListTemplate {
    /// A CRL of all certificates of its issuer.
    #[must_use]
    pub fn new(number: u64, this_update: SystemTime, next_update: SystemTime) -> Self {
        Self {
            number,
            this_update,
            next_update,
            base_number: None,
            issuing_distribution_point: None,
            freshest_crl: Vec::new(),
        }
    }

    /// Writes the CRL with these entries, in their order, and signs it as `issuer`.
    ///
    /// # Errors
    ///
    /// The issuer may not sign CRLs, the key is not its, or does not sign.
    pub fn sign<K: Signer + ?Sized>(
        &self,
        issuer: &Certificate,
        key: &K,
        entries: impl IntoIterator<Item = RevokedCertificate>,
    ) -> Result<RevocationList, RevocationListTemplateError> {
        let subject = || issuer.subject().to_owned();
        if issuer.public_key().bits() != key.public_key().bits() {
            return Err(RevocationListTemplateError::Mismatch { subject: subject() });
        }
        if issuer
            .key_usage()
            .is_some_and(|usage| !usage.has(KeyUsage::CRL_SIGN))
        {
            return Err(RevocationListTemplateError::NotCrlSigner { subject: subject() });
        }
        if self.next_update <= self.this_update {
            return Err(RevocationListTemplateError::Times);
        }
        let extensions = self.extensions(issuer);
        let list = |w: &mut Writer| {
            w.unsigned(VERSION_2);
            key.algorithm().write(w);
            w.raw(issuer.subject_name().der());
            w.time(self.this_update);
            w.time(self.next_update);
            // To be left out where there are none (section 5.1.2.6).
            let mut entries = entries.into_iter().peekable();
            if entries.peek().is_some() {
                w.sequence(|w| entries.for_each(|entry| entry.write(w)));
            }
            w.constructed(Tag::context_constructed(0), |w| extensions.write(w));
        };
        let signed: Signed = signed::sign(key, 1024, list, |_| {})?;
        RevocationList::from_der(signed.der()).map_err(RevocationListTemplateError::ReadBack)
    }

    fn extensions(&self, issuer: &Certificate) -> Extensions {
        use ExtensionValue as Value;
        let number = |value| Value::CrlNumber(number(value));
        let mut extensions = vec![
            Extension::naming_key(issuer.key_identifier()),
            Extension::of(Oid::CRL_NUMBER, false, number(self.number)),
        ];
        let mut add = |oid, critical, value| extensions.push(Extension::of(oid, critical, value));
        if let Some(base) = self.base_number {
            add(Oid::DELTA_CRL_INDICATOR, true, number(base));
        }
        if let Some(point) = &self.issuing_distribution_point {
            let value = Value::IssuingDistributionPoint(point.clone());
            add(Oid::ISSUING_DISTRIBUTION_POINT, true, value);
        }
        if !self.freshest_crl.is_empty() {
            let value = Value::DistributionPoints(self.freshest_crl.clone());
            add(Oid::FRESHEST_CRL, false, value);
        }
        extensions.into_iter().collect()
    }
}

impl RevokedCertificate {
    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.primitive(Tag::INTEGER, self.serial_number.der_content());
            w.time(self.revoked_at);
            let extensions = self.extensions();
            if !extensions.is_empty() {
                extensions.write(w);
            }
        });
    }

    fn extensions(&self) -> Extensions {
        use ExtensionValue as Value;
        let mut extensions = Vec::new();
        // "Unspecified" is to be left out (section 5.3.1).
        if self.reason != RevocationReason::Unspecified {
            let value = Value::CrlReason(self.reason.code());
            extensions.push(Extension::of(Oid::CRL_REASON, false, value));
        }
        if let Some(time) = self.invalid_since {
            let value = Value::InvalidityDate(time);
            extensions.push(Extension::of(Oid::INVALIDITY_DATE, false, value));
        }
        if !self.certificate_issuer.is_empty() {
            let value = Value::CertificateIssuer(self.certificate_issuer.clone());
            extensions.push(Extension::of(Oid::CERTIFICATE_ISSUER, true, value));
        }
        extensions.into_iter().collect()
    }
}

fn number(value: u64) -> SerialNumber {
    let octets = value.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = &octets[zeros.min(7)..];
    let mut content = Vec::with_capacity(9);
    if octets[0] & 0x80 != 0 {
        content.push(0);
    }
    content.extend_from_slice(octets);
    SerialNumber::from_der_content(&content)
}
