//! One X.509 certificate (RFC 5280), read once and kept as values.
//!
//! Reading checks the form alone. Whether a chain holds is a question for `ravelin-tls`; whether
//! one certificate signed another is answered here.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::constraints::NameConstraints;
use crate::fingerprint::Fingerprint;
use crate::key::{KeyError, PrivateKey};
use crate::name::HostName;
use crate::pem;

/// A certificate that was read and whose form is sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    subject: String,
    issuer: String,
    common_name: Option<String>,
    names: Vec<HostName>,
    not_before: SystemTime,
    not_after: SystemTime,
    is_ca: bool,
    signs_certificates: bool,
    name_constraints: Option<NameConstraints>,
    public_bits: Vec<u8>,
}

/// Why bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are not DER, or not an X.509 certificate.
    #[error("it cannot be read as an X.509 certificate")]
    Der(#[source] X509Error),
    /// There are bytes left behind the certificate's end.
    #[error("{octets} bytes follow behind the end of the certificate")]
    TrailingData {
        /// How many.
        octets: usize,
    },
    /// An extension that Ravelin reads is malformed or there twice.
    #[error("its extension \"{name}\" is malformed")]
    Extension {
        /// The extension's name in RFC 5280.
        name: &'static str,
        /// What is wrong.
        source: X509Error,
    },
    /// A time lies beyond what the system can tell.
    #[error("its validity is beyond what this system's clock can tell")]
    Validity,
}

impl Certificate {
    /// Reads exactly one certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let x509 = parse(der)?;
        let extension = |name| move |source| CertificateError::Extension { name, source };
        let alternative_names = x509
            .subject_alternative_name()
            .map_err(extension("subjectAltName"))?;
        let basic_constraints = x509
            .basic_constraints()
            .map_err(extension("basicConstraints"))?;
        let key_usage = x509.key_usage().map_err(extension("keyUsage"))?;
        let name_constraints = x509
            .name_constraints()
            .map_err(extension("nameConstraints"))?;
        Ok(Self {
            subject: x509.subject().to_string(),
            issuer: x509.issuer().to_string(),
            common_name: x509
                .subject()
                .iter_common_name()
                .next()
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            names: alternative_names.map_or_else(Vec::new, |names| {
                let names = &names.value.general_names;
                names.iter().filter_map(host_name).collect()
            }),
            not_before: system_time(x509.validity().not_before)?,
            not_after: system_time(x509.validity().not_after)?,
            is_ca: basic_constraints.is_some_and(|constraints| constraints.value.ca),
            // Without the extension, the key may be used for anything (RFC 5280, section 4.2.1.3).
            signs_certificates: key_usage.is_none_or(|usage| usage.value.key_cert_sign()),
            name_constraints: name_constraints
                .map(|constraints| NameConstraints::from_extension(constraints.value)),
            public_bits: x509.public_key().subject_public_key.data.to_vec(),
            der: CertificateDer::from(der.to_vec()),
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// The distinguished name of its holder: `O=Example, CN=Example CA`; may be empty.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The distinguished name of its issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The common name in its subject. It says nothing about the hosts it is for (RFC 9525,
    /// section 2): those are in [`Self::names`].
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The DNS names and IP addresses in its `subjectAltName`, in their order. Entries of other
    /// kinds, and DNS entries that are no host names, are left out.
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        &self.names
    }

    /// Whether one of its names, which may be wildcards, covers `host` (RFC 9525, section 6.3).
    #[must_use]
    pub fn covers(&self, host: &HostName) -> bool {
        self.names.iter().any(|name| name.covers(host))
    }

    /// The first second of its life.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// The last second of its life.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether `now` is within its life.
    #[must_use]
    pub fn is_valid_at(&self, now: SystemTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// When two thirds of its life are gone: time to renew it.
    #[must_use]
    pub fn renew_at(&self) -> SystemTime {
        let life = self
            .not_after
            .duration_since(self.not_before)
            .unwrap_or(Duration::ZERO);
        self.not_before + life / 3 * 2
    }

    /// The SHA-256 of its DER.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// Whether its `basicConstraints` make it a CA (RFC 5280, section 4.2.1.9).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// Whether its `keyUsage`, if any, allows it to sign certificates.
    #[must_use]
    pub fn may_sign_certificates(&self) -> bool {
        self.is_ca && self.signs_certificates
    }

    /// The names it may certify, where it is confined to some.
    #[must_use]
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        self.name_constraints.as_ref()
    }

    /// Whether it names itself as its issuer. See [`Self::is_signed_by`] for the signature.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether `issuer` names itself as this certificate's issuer and made its signature.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let (Ok(certificate), Ok(issuer)) = (parse(&self.der), parse(&issuer.der)) else {
            return false;
        };
        certificate.issuer().as_raw() == issuer.subject().as_raw()
            && certificate
                .verify_signature(Some(issuer.public_key()))
                .is_ok()
    }

    /// Whether rcgen can write the subject as an issuer: it panics on a part without attributes and
    /// on attributes whose identifiers begin with arcs beyond 2.39.
    pub(crate) fn has_plain_subject(&self) -> bool {
        parse(&self.der).is_ok_and(|x509| {
            x509.subject().iter().all(|part| {
                part.iter().count() == 1
                    && part.iter().all(|attribute| {
                        let identifier = attribute.attr_type().as_bytes();
                        // X.690, 8.19.4: the first octet is 40 times the first arc plus the second.
                        identifier.first().is_some_and(|octet| *octet < 120)
                    })
            })
        })
    }

    /// Whether `key` is the private half of the certificate's public key.
    ///
    /// # Errors
    ///
    /// The key cannot be read.
    pub fn public_key_matches(&self, key: &PrivateKeyDer<'_>) -> Result<bool, KeyError> {
        Ok(self.matches(&PrivateKey::from_der(key)?))
    }

    /// Whether `key` is the private half of the certificate's public key.
    #[must_use]
    pub fn matches(&self, key: &PrivateKey) -> bool {
        self.public_bits == key.public_bits()
    }
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    let (rest, x509) = X509Certificate::from_der(der).map_err(|error| {
        CertificateError::Der(match error {
            x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error,
            x509_parser::nom::Err::Incomplete(_) => X509Error::InvalidCertificate,
        })
    })?;
    if rest.is_empty() {
        Ok(x509)
    } else {
        Err(CertificateError::TrailingData { octets: rest.len() })
    }
}

fn host_name(name: &GeneralName<'_>) -> Option<HostName> {
    match name {
        // "127.0.0.1" as a DNS entry is a mistake that no client accepts.
        GeneralName::DNSName(name) => match name.parse() {
            Ok(HostName::Dns(name)) => Some(HostName::Dns(name)),
            _ => None,
        },
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*octets).map(IpAddr::from);
            v4.or(v6).ok().map(HostName::Ip)
        }
        _ => None,
    }
}

fn system_time(time: ASN1Time) -> Result<SystemTime, CertificateError> {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
    .ok_or(CertificateError::Validity)
}
