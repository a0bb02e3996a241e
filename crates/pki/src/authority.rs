//! A certificate authority of one's own: a root, an intermediate under it, and leaves.
//!
//! All are ECDSA P-256 with SHA-256. No CA certifies a name outside its constraints, and nothing
//! lives longer than what signed it.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::certificate::{Certificate, CertificateError};
use crate::constraints::NameConstraints;
use crate::key::{KeyError, PrivateKey};
use crate::leaf::{Leaf, LeafError};
use crate::name::HostName;

/// A CA certificate together with its private key: it can sign.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
}

/// Why an authority cannot be made, or does not sign.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate is not one of a CA.
    #[error("the certificate \"{subject}\" is not allowed to sign certificates")]
    NotCa {
        /// Its subject.
        subject: String,
    },
    /// The key is not the certificate's.
    #[error("the private key does not belong to the CA certificate \"{subject}\"")]
    Mismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The certificate's subject cannot be written as an issuer.
    #[error("the subject \"{subject}\" of the CA certificate cannot be written as an issuer")]
    Subject {
        /// Its subject.
        subject: String,
    },
    /// A name lies outside what the CA may certify.
    #[error(
        "\"{name}\" is outside the names that \"{subject}\" may certify, which are: {permitted}"
    )]
    NotPermitted {
        /// The name that was asked for.
        name: HostName,
        /// The CA's subject.
        subject: String,
        /// What it may certify.
        permitted: NameConstraints,
    },
    /// A certificate without names would be good for nothing.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// The CA's own certificate is not valid at the time given.
    #[error("the CA certificate \"{subject}\" is {}", if *expired { "expired" } else { "not valid yet: is the clock right?" })]
    NotValid {
        /// The CA's subject.
        subject: String,
        /// Whether its time is over; else it is still to come.
        expired: bool,
    },
    /// The time given is beyond what certificates can say.
    #[error("the clock shows a time that certificates cannot express")]
    Time,
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate could not be put together or signed.
    #[error("the certificate could not be signed")]
    Sign(#[source] rcgen::Error),
    /// What was signed cannot be read back, which no input should cause.
    #[error("the new certificate cannot be read back")]
    ReadBack(#[source] CertificateError),
    /// What was signed does not go with its key, which no input should cause.
    #[error("the new certificate does not go with its key")]
    Leaf(#[source] LeafError),
}

impl Authority {
    /// Makes a self-signed root for [`ROOT_LIFE`], confined to `constraints`.
    ///
    /// `common_name` should differ from one root to the next: verifiers look issuers up by it. It
    /// is cut to 64 characters (RFC 5280, appendix A.1, `ub-common-name`).
    pub fn root(
        common_name: &str,
        key: PrivateKey,
        constraints: &NameConstraints,
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        let mut params = ca_params(
            common_name,
            Some(constraints),
            BasicConstraints::Constrained(1),
        )?;
        params.not_before = offset(now - BACK_DATED)?;
        params.not_after = offset(now + ROOT_LIFE)?;
        let der = params.self_signed(&&key).map_err(AuthorityError::Sign)?;
        Self::read_back(der.der(), key)
    }

    /// Makes an intermediate below this authority for [`INTERMEDIATE_LIFE`], which signs leaves and
    /// no further CAs.
    ///
    /// It carries the constraints of its issuer itself: verifiers need not heed what a root says
    /// about itself (RFC 5280, section 6.1.1 (d), takes but its name and key), whereas they must
    /// heed an intermediate. The root carries them as well, so that no unconfined intermediate can
    /// be made with its key where they do look.
    pub fn intermediate(
        &self,
        common_name: &str,
        key: PrivateKey,
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        let constraints = self.certificate.name_constraints();
        let mut params = ca_params(common_name, constraints, BasicConstraints::Constrained(0))?;
        // For servers alone: the constraints say nothing about the names in certificates of clients,
        // of mail or of code.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let der = self.sign(params, &key, INTERMEDIATE_LIFE, now)?;
        Self::read_back(&der, key)
    }

    /// Issues a certificate with a new key for [`LEAF_LIFE`], good for servers at `names`. Its
    /// chain ends below the root.
    ///
    /// # Errors
    ///
    /// A name is outside the constraints, there is none, or this authority's time is over.
    pub fn leaf(&self, names: &[HostName], now: SystemTime) -> Result<Leaf, AuthorityError> {
        if let Some(permitted) = self.certificate.name_constraints()
            && let Some(name) = names.iter().find(|name| !permitted.permits(name))
        {
            return Err(AuthorityError::NotPermitted {
                name: name.clone(),
                subject: self.subject(),
                permitted: permitted.clone(),
            });
        }
        self.leaf_unchecked(names, now)
    }

    /// Takes a certificate and its key that were made before.
    ///
    /// # Errors
    ///
    /// The certificate is none of a CA, its subject is beyond what is written here, or the key is
    /// another's.
    pub fn new(certificate: Certificate, key: PrivateKey) -> Result<Self, AuthorityError> {
        let subject = || certificate.subject().to_owned();
        if !certificate.may_sign_certificates() {
            return Err(AuthorityError::NotCa { subject: subject() });
        }
        if !certificate.matches(&key) {
            return Err(AuthorityError::Mismatch { subject: subject() });
        }
        if !certificate.has_plain_subject() {
            return Err(AuthorityError::Subject { subject: subject() });
        }
        Ok(Self { certificate, key })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    fn leaf_unchecked(&self, names: &[HostName], now: SystemTime) -> Result<Leaf, AuthorityError> {
        if names.is_empty() {
            return Err(AuthorityError::NoNames);
        }
        let mut params = CertificateParams::default();
        // No common name: OpenSSL holds it against the constraints as if it were a DNS name when
        // there are only addresses. An organisation alone keeps the subject from being empty.
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::OrganizationName, LEAF_ORGANISATION);
        for (index, name) in names.iter().enumerate() {
            if !names[..index].contains(name) {
                params.subject_alt_names.push(alternative_name(name)?);
            }
        }
        // ExplicitNoCa, not NoCa: rcgen writes a subject key identifier for no other leaf.
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = PrivateKey::generate()?;
        let der = self.sign(params, &key, LEAF_LIFE, now)?;
        let mut chain = vec![der];
        if !self.certificate.is_self_issued() {
            chain.push(self.certificate.der().clone());
        }
        Leaf::new(chain, key.der().clone_key()).map_err(AuthorityError::Leaf)
    }

    /// Signs `params` for `key`, valid from a little before `now` for `life`, or for as long as
    /// this authority is.
    fn sign(
        &self,
        mut params: CertificateParams,
        key: &PrivateKey,
        life: Duration,
        now: SystemTime,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        if !self.certificate.is_valid_at(now) {
            return Err(AuthorityError::NotValid {
                subject: self.subject(),
                expired: now > self.certificate.not_after(),
            });
        }
        let not_before = (now - BACK_DATED).max(self.certificate.not_before());
        params.not_before = offset(not_before)?;
        params.not_after = offset((now + life).min(self.certificate.not_after()))?;
        params.serial_number = Some(serial_number()?);
        let issuer = Issuer::from_ca_cert_der(self.certificate.der(), &self.key)
            .map_err(AuthorityError::Sign)?;
        let certificate = params
            .signed_by(&key, &issuer)
            .map_err(AuthorityError::Sign)?;
        Ok(certificate.into())
    }

    fn read_back(der: &[u8], key: PrivateKey) -> Result<Self, AuthorityError> {
        Self::new(
            Certificate::from_der(der).map_err(AuthorityError::ReadBack)?,
            key,
        )
    }

    fn subject(&self) -> String {
        self.certificate.subject().to_owned()
    }
}

/// How long a root is valid: ten years, as replacing it means trusting it anew on every machine.
pub const ROOT_LIFE: Duration = Duration::from_secs(3653 * DAY);

/// How long an intermediate is valid: five years. It is renewed with nobody noticing.
pub const INTERMEDIATE_LIFE: Duration = Duration::from_secs(1826 * DAY);

/// How long a leaf is valid: 90 days, well below the 825 that Apple's systems take from roots that
/// users added, and short enough that renewing is a habit.
pub const LEAF_LIFE: Duration = Duration::from_secs(90 * DAY);

/// How far the beginning is set back, for clients whose clock is slow.
const BACK_DATED: Duration = Duration::from_secs(60 * 60);

const LEAF_ORGANISATION: &str = "Ravelin local certificate";

const DAY: u64 = 24 * 60 * 60;

fn ca_params(
    common_name: &str,
    constraints: Option<&NameConstraints>,
    path: BasicConstraints,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, CA_ORGANISATION);
    let common_name: String = common_name.chars().take(64).collect();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(path);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = constraints.map(|constraints| rcgen::NameConstraints {
        permitted_subtrees: constraints.subtrees(),
        excluded_subtrees: Vec::new(),
    });
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial_number()?);
    Ok(params)
}

const CA_ORGANISATION: &str = "Ravelin local CA";

fn alternative_name(name: &HostName) -> Result<SanType, AuthorityError> {
    Ok(match name {
        HostName::Dns(name) => {
            SanType::DnsName(name.as_str().try_into().map_err(AuthorityError::Sign)?)
        }
        HostName::Ip(address) => SanType::IpAddress(*address),
    })
}

/// 126 random bits: always 16 octets, always positive (RFC 5280, section 4.1.2.2).
fn serial_number() -> Result<SerialNumber, AuthorityError> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| KeyError::Generate)?;
    octets[0] = octets[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&octets))
}

/// `time` to the second. `OffsetDateTime::from` would panic on what it cannot express.
fn offset(time: SystemTime) -> Result<OffsetDateTime, AuthorityError> {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()),
        Err(before) => i64::try_from(before.duration().as_secs()).map(|seconds| -seconds),
    }
    .map_err(|_| AuthorityError::Time)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| AuthorityError::Time)
}
