//! A certificate that is to be signed: written, and kept as values without being read back.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;

use super::Certificate;
use crate::der::{Tag, Writer};
use crate::distinguished_name::DistinguishedName;
use crate::extension::Extensions;
use crate::key::{SignError, Signer};
use crate::public_key::PublicKey;
use crate::serial::SerialNumber;
use crate::signed::{self, Signed};

/// A `TBSCertificate` (RFC 5280, section 4.1.2).
pub(crate) struct TbsCertificate<'a> {
    pub(crate) serial_number: SerialNumber,
    pub(crate) issuer: &'a DistinguishedName,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) public_key: &'a PublicKey,
    pub(crate) extensions: Extensions,
}

impl TbsCertificate<'_> {
    /// Signs it.
    ///
    /// # Errors
    ///
    /// The key does not sign.
    pub(crate) fn sign<K: Signer>(
        &self,
        signer: &K,
    ) -> Result<Signed<CertificateDer<'static>>, SignError> {
        let fields = |w: &mut Writer| {
            w.constructed(Tag::context_constructed(0), |w| w.unsigned(VERSION_3));
            w.primitive(Tag::INTEGER, self.serial_number.der_content());
            signer.algorithm().write(w);
            w.raw(self.issuer.der());
            w.sequence(|w| {
                w.time(self.not_before);
                w.time(self.not_after);
            });
            w.raw(self.subject.der());
            w.raw(self.public_key.der());
            w.constructed(Tag::context_constructed(3), |w| self.extensions.write(w));
        };
        signed::sign(signer, 1024, fields, |_| {})
    }

    /// Signs it and keeps what it says. To read that back from the DER took a twelfth of the time that
    /// a leaf with its key does; the tests see that it would be the same.
    pub(crate) fn into_certificate<K: Signer>(self, signer: &K) -> Result<Certificate, SignError> {
        Ok(Certificate {
            signed: self.sign(signer)?,
            version: VERSION_3 as u8 + 1,
            serial_number: self.serial_number,
            algorithms_agree: true,
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            not_before: whole_seconds(self.not_before),
            not_after: whole_seconds(self.not_after),
            public_key: self.public_key.clone(),
            extensions: self.extensions,
            issuer_text: OnceLock::new(),
            subject_text: OnceLock::new(),
            names: OnceLock::new(),
        })
    }
}

const VERSION_3: u64 = 2;

/// Certificates know no smaller unit.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let within = since.map_or(0, |since| since.subsec_nanos());
    time - Duration::from_nanos(within.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, LEAF_LIFE};
    use crate::constraints::NameConstraints;
    use crate::key::PrivateKey;
    use crate::name::HostName;
    use crate::oid::Oid;
    use crate::public_key::KeyType;
    use crate::template::{Purpose, Template};

    /// All that a certificate is made of: two are equal by their DER alone.
    fn parts(certificate: &Certificate) -> impl PartialEq + std::fmt::Debug + '_ {
        let signed = (
            certificate.signed.message(),
            certificate.signed.signature(),
            certificate.signed.algorithm(),
            certificate.algorithms_agree,
        );
        let said = (
            certificate.version,
            &certificate.serial_number,
            &certificate.issuer,
            certificate.not_before,
            certificate.not_after,
            &certificate.subject,
            &certificate.public_key,
            &certificate.extensions,
        );
        (signed, said, certificate.names())
    }

    fn assert_read_back(certificate: &Certificate) {
        let read = Certificate::from_der(certificate.der()).unwrap();
        assert_eq!(
            format!("{:?}", parts(certificate)),
            format!("{:?}", parts(&read))
        );
        assert!(parts(certificate) == parts(&read));
    }

    #[test]
    fn what_is_kept_of_a_new_certificate_is_what_would_be_read_back() {
        let now = SystemTime::now();
        let key = PrivateKey::generate().unwrap();
        let ca = Authority::root("A", key, &NameConstraints::local(), now).unwrap();
        let names: Vec<HostName> = ["a.localhost", "*.a.localhost", "127.0.0.1", "::1"]
            .map(|name| name.parse().unwrap())
            .into();
        assert_read_back(ca.leaf(&names, now).unwrap().certificate());

        let names = ["ada@a.test", "a.test", "10.0.0.1", "spiffe://a.test/b"];
        let subject = [
            (Oid::COUNTRY, "DE"),
            (Oid::COUNTRY, "Österreich"),
            (Oid::DOMAIN_COMPONENT, "müller"),
            (Oid::COMMON_NAME, "Müller, Söhne + Co"),
            (Oid::ORGANIZATION, ""),
        ];
        let full = Template {
            crls: vec!["http://a.test/crl".into()],
            ocsp: vec!["http://a.test/ocsp".into()],
            ca_issuers: vec!["http://a.test/ca".into()],
            policies: vec![Oid::DOMAIN_VALIDATED],
            name_constraints: Some(NameConstraints::local()),
            must_staple: true,
            ocsp_no_check: true,
            ..Template::leaf(names.map(|name| name.parse().unwrap()).into())
        };
        let templates = [
            full.with_subject(DistinguishedName::of(&subject)),
            Template::leaf(Vec::new()).for_purposes(&[Purpose::TimeStamping]),
            Template::ca(DistinguishedName::of(&[]), Some(3)),
        ];
        for template in &templates {
            for key_type in [KeyType::EcdsaP521, KeyType::Ed25519, KeyType::Rsa(2048)] {
                let key = PrivateKey::generate_of(key_type).unwrap();
                // Past 2049, in the other form of times.
                let (early, late) = (now, now + LEAF_LIFE * 200);
                let tbs = TbsCertificate {
                    serial_number: SerialNumber::random(now).unwrap(),
                    issuer: ca.certificate().subject_name(),
                    not_before: early,
                    not_after: late,
                    subject: &template.subject,
                    public_key: key.public_key(),
                    extensions: template.extensions(key.public_key()).into_iter().collect(),
                };
                assert_read_back(&tbs.into_certificate(&key).unwrap());
            }
        }
    }
}
