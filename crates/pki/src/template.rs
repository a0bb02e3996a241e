//! What a certificate is to say: everything but who signs it and when.

use crate::constraints::NameConstraints;
use crate::der::{Tag, Writer};
use crate::distinguished_name::DistinguishedName;
use crate::extension::{
    AccessDescription, BasicConstraints, DistributionPoint, Extension, ExtensionValue, KeyUsage,
    PolicyInformation, key_identifier,
};
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::public_key::{KeyType, PublicKey};

/// What a certificate is to say of its subject.
///
/// ```
/// use ravelin_pki::{Purpose, Template};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let template = Template::leaf(vec!["example.test".parse()?, "10.0.0.1".parse()?])
///     .for_purposes(&[Purpose::Server, Purpose::Client]);
/// assert_eq!(template.names.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The distinguished name. It may be empty where there are names.
    pub subject: DistinguishedName,
    /// The names, one after the other; the first is what people call it by.
    pub names: Vec<GeneralName>,
    /// Whether it is for a CA, and how many CAs may follow it.
    pub ca: Option<PathLength>,
    /// What the key may do. What [`Self::leaf`] sets is changed to what the kind of key can do.
    pub key_usage: KeyUsage,
    /// What it is for; for everything where empty.
    pub purposes: Vec<Oid>,
    /// The names that it may certify, for a CA.
    pub name_constraints: Option<NameConstraints>,
    /// Where CRLs of its issuer are.
    pub crls: Vec<String>,
    /// Where its issuer's OCSP responder is.
    pub ocsp: Vec<String>,
    /// Where its issuer's certificate is.
    pub ca_issuers: Vec<String>,
    /// The policies that it is issued under.
    pub policies: Vec<Oid>,
    /// Whether servers must staple an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// Whether it signs OCSP responses and is itself not looked up (RFC 6960, section 4.2.2.2.1).
    pub ocsp_no_check: bool,
    /// For a certificate that answers an ACME server and nobody else: the SHA-256 of the key authorization (RFC 8737,
    /// section 3).
    pub acme_identifier: Option<[u8; 32]>,
}

/// How many CAs may stand between a CA and the last certificate of a path; none for any number.
pub type PathLength = Option<u32>;

/// What certificates are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// TLS servers.
    Server,
    /// TLS clients.
    Client,
    /// Mail: signed and encrypted.
    Email,
    /// Programs and their updates.
    Code,
    /// OCSP responses.
    OcspSigning,
    /// Time stamps.
    TimeStamping,
}

impl Purpose {
    /// All, by the names that commands take.
    pub const NAMES: [(&str, Self); 6] = [
        ("server", Self::Server),
        ("client", Self::Client),
        ("email", Self::Email),
        ("code", Self::Code),
        ("ocsp", Self::OcspSigning),
        ("timestamp", Self::TimeStamping),
    ];

    /// Its identifier among the extended key usages (RFC 5280, section 4.2.1.12).
    #[must_use]
    pub fn oid(self) -> Oid {
        match self {
            Self::Server => Oid::SERVER_AUTH,
            Self::Client => Oid::CLIENT_AUTH,
            Self::Email => Oid::EMAIL_PROTECTION,
            Self::Code => Oid::CODE_SIGNING,
            Self::OcspSigning => Oid::OCSP_SIGNING,
            Self::TimeStamping => Oid::TIME_STAMPING,
        }
    }
}

impl Template {
    /// A certificate for these names that is no CA's, with an empty subject, for servers.
    #[must_use]
    pub fn leaf(names: Vec<GeneralName>) -> Self {
        Self {
            subject: DistinguishedName::of(&[]),
            names,
            ca: None,
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            purposes: vec![Oid::SERVER_AUTH],
            name_constraints: None,
            crls: Vec::new(),
            ocsp: Vec::new(),
            ca_issuers: Vec::new(),
            policies: Vec::new(),
            must_staple: false,
            ocsp_no_check: false,
            acme_identifier: None,
        }
    }

    /// The certificate of a CA.
    #[must_use]
    pub fn ca(subject: DistinguishedName, path_length: PathLength) -> Self {
        Self {
            subject,
            ca: Some(path_length),
            key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
            purposes: Vec::new(),
            ..Self::leaf(Vec::new())
        }
    }

    /// Sets what it is for.
    #[must_use]
    pub fn for_purposes(mut self, purposes: &[Purpose]) -> Self {
        self.purposes = purposes.iter().map(|purpose| purpose.oid()).collect();
        self
    }

    /// Sets the subject.
    #[must_use]
    pub fn with_subject(mut self, subject: DistinguishedName) -> Self {
        self.subject = subject;
        self
    }

    /// Its extensions for a key, without the one that names the issuer's.
    #[must_use]
    pub fn extensions(&self, key: &PublicKey) -> Vec<Extension> {
        use ExtensionValue as Value;
        let mut extensions = Vec::with_capacity(8);
        let mut add = |oid, critical, value| extensions.push(Extension::of(oid, critical, value));
        // Written for leaves as well: what says that it is no CA is taken for one by nobody.
        let constraints = BasicConstraints {
            ca: self.ca.is_some(),
            path_length: self.ca.flatten(),
        };
        add(
            Oid::BASIC_CONSTRAINTS,
            true,
            Value::BasicConstraints(constraints),
        );
        add(
            Oid::KEY_USAGE,
            true,
            Value::KeyUsage(self.key_usage_for(key)),
        );
        if !self.purposes.is_empty() {
            let purposes = self.purposes.clone();
            // Critical for time stamps (RFC 3161, section 2.3).
            let critical = purposes == [Oid::TIME_STAMPING];
            add(
                Oid::EXTENDED_KEY_USAGE,
                critical,
                Value::ExtendedKeyUsage(purposes),
            );
        }
        let identifier = key_identifier(key.bits());
        add(
            Oid::SUBJECT_KEY_IDENTIFIER,
            false,
            Value::SubjectKeyIdentifier(identifier),
        );
        if !self.names.is_empty() {
            // Critical where there is no other name (RFC 5280, section 4.2.1.6).
            let critical = self.subject.is_empty();
            add(
                Oid::SUBJECT_ALT_NAME,
                critical,
                Value::SubjectAltName(self.names.clone()),
            );
        }
        if let Some(constraints) = &self.name_constraints {
            add(
                Oid::NAME_CONSTRAINTS,
                true,
                Value::NameConstraints(constraints.clone()),
            );
        }
        if !self.crls.is_empty() {
            let uris = self.crls.iter().cloned().map(GeneralName::Uri).collect();
            let point = DistributionPoint::at(uris);
            add(
                Oid::CRL_DISTRIBUTION_POINTS,
                false,
                Value::DistributionPoints(vec![point]),
            );
        }
        let access = self.info_access();
        if !access.is_empty() {
            add(Oid::AUTHORITY_INFO_ACCESS, false, Value::InfoAccess(access));
        }
        if !self.policies.is_empty() {
            let policies = self
                .policies
                .iter()
                .cloned()
                .map(PolicyInformation::of)
                .collect();
            add(
                Oid::CERTIFICATE_POLICIES,
                false,
                Value::CertificatePolicies(policies),
            );
        }
        if self.must_staple {
            add(
                Oid::TLS_FEATURE,
                false,
                Value::TlsFeature(vec![STATUS_REQUEST]),
            );
        }
        if self.ocsp_no_check {
            extensions.push(Extension {
                oid: Oid::OCSP_NO_CHECK,
                critical: false,
                der: vec![Tag::NULL.0, 0],
                value: Value::Unread,
            });
        }
        if let Some(digest) = &self.acme_identifier {
            let mut value = Writer::new();
            value.octet_string(digest);
            extensions.push(Extension {
                oid: Oid::ACME_IDENTIFIER,
                critical: true,
                der: value.into_bytes(),
                value: Value::Unread,
            });
        }
        extensions
    }

    fn info_access(&self) -> Vec<AccessDescription> {
        let describe = |method: Oid, uris: &[String]| -> Vec<AccessDescription> {
            let describe = |uri: &String| AccessDescription {
                method: method.clone(),
                location: GeneralName::Uri(uri.clone()),
            };
            uris.iter().map(describe).collect()
        };
        let mut access = describe(Oid::OCSP, &self.ocsp);
        access.extend(describe(Oid::CA_ISSUERS, &self.ca_issuers));
        access
    }

    /// What the certificate of a key lets the key do.
    ///
    /// RSA keys also take part in the key exchange of TLS 1.2 without forward secrecy. Mail is encrypted to them, and
    /// to keys on elliptic curves by agreeing on a key (RFC 8551, section 4.4.2; RFC 5753); no other kind can encrypt
    /// (RFC 9881, section 5, forbids to say so).
    #[must_use]
    pub fn key_usage_for(&self, key: &PublicKey) -> KeyUsage {
        let mail = self.purposes.contains(&Oid::EMAIL_PROTECTION);
        if self.ca.is_some() || !mail {
            return self.key_usage;
        }
        match key.key_type() {
            Some(KeyType::Rsa(_)) => self.key_usage.and(KeyUsage::KEY_ENCIPHERMENT),
            Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521) => {
                self.key_usage.and(KeyUsage::KEY_AGREEMENT)
            }
            _ => self.key_usage,
        }
    }
}

/// `status_request` among the extensions of TLS (RFC 6066, section 8).
pub(crate) const STATUS_REQUEST: u64 = 5;
