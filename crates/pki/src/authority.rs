//! A certificate authority of one's own: a root, an intermediate under it, and what they issue.
//!
//! No CA certifies a name outside its constraints, and nothing lives longer than what signed it.

use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;

use crate::certificate::{Certificate, CertificateError, TbsCertificate};
use crate::constraints::NameConstraints;
use crate::distinguished_name::DistinguishedName;
use crate::extension::{Extension, key_identifier};
use crate::general_name::GeneralName;
use crate::key::{KeyError, PrivateKey, SignError, Signer};
use crate::leaf::Leaf;
use crate::name::HostName;
use crate::oid::Oid;
use crate::public_key::PublicKey;
use crate::serial::SerialNumber;
use crate::template::{Purpose, Template};

/// A CA certificate together with what signs for it: its private key, or a token that holds it.
#[derive(Debug)]
pub struct Authority<K: Signer = PrivateKey> {
    certificate: Certificate,
    key: K,
    /// Asked for each leaf, and names are compared letter by letter (RFC 5280, section 7.1).
    is_root: bool,
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
    /// A name lies outside what the CA may certify.
    #[error(
        "\"{name}\" is outside the names that \"{subject}\" may certify, which are: {permitted}"
    )]
    NotPermitted {
        /// The name that was asked for.
        name: String,
        /// The CA's subject.
        subject: String,
        /// What it may certify.
        permitted: Box<NameConstraints>,
    },
    /// The CA may issue certificates for other purposes alone.
    #[error("\"{subject}\" may not issue certificates for {purpose}")]
    PurposeNotPermitted {
        /// The purpose that was asked for, as RFC 5280 names it.
        purpose: String,
        /// The CA's subject.
        subject: String,
    },
    /// A CA below this one would make a path longer than the CA allows.
    #[error("\"{subject}\" may not have CAs below it that have CAs below them")]
    PathTooLong {
        /// The CA's subject.
        subject: String,
    },
    /// A certificate without names would be good for nothing.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// A name with letters that certificates do not have.
    #[error(
        "\"{name}\" cannot stand in a certificate: names of hosts in other alphabets are written as A-labels"
    )]
    NotAscii {
        /// The name that was asked for.
        name: String,
    },
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
    /// The key did not sign.
    #[error("the certificate could not be signed")]
    Sign(#[from] SignError),
    /// What was signed cannot be read back, which no input should cause.
    #[error("the new certificate cannot be read back")]
    ReadBack(#[source] CertificateError),
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
        let mut template = Template::ca(ca_subject(common_name), Some(1));
        template.name_constraints = Some(constraints.clone());
        self_signed(&template, key, ROOT_LIFE, now)
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
        // For servers alone: the constraints say nothing about the names in certificates of clients,
        // of mail or of code.
        let mut template =
            Template::ca(ca_subject(common_name), Some(0)).for_purposes(&[Purpose::Server]);
        template.name_constraints = self.certificate.name_constraints().cloned();
        let der = self.issue(&template, key.public_key(), INTERMEDIATE_LIFE, now)?;
        Self::read_back(&der, key)
    }
}

impl<K: Signer> Authority<K> {
    /// Issues a certificate with a new key for [`LEAF_LIFE`], good for servers at `names`. Its
    /// chain ends below the root.
    ///
    /// # Errors
    ///
    /// A name is outside the constraints, there is none, or this authority's time is over.
    pub fn leaf(&self, names: &[HostName], now: SystemTime) -> Result<Leaf, AuthorityError> {
        self.leaf_of(&leaf_template(names), now)
    }

    /// As [`Self::leaf`], for what says more than [`leaf_template`] does.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn leaf_of(&self, template: &Template, now: SystemTime) -> Result<Leaf, AuthorityError> {
        let key = PrivateKey::generate()?;
        let certificate = self
            .tbs(template, key.public_key(), LEAF_LIFE, now)?
            .into_certificate(&self.key)?;
        let chain = self.chain(certificate.der().clone());
        let key = key.der().map_err(AuthorityError::Key)?;
        Ok(Leaf::of_new(certificate, chain, key))
    }

    /// A certificate of this authority with what follows it: the authority's own, unless that is a
    /// root.
    #[must_use]
    pub fn chain(&self, der: CertificateDer<'static>) -> Vec<CertificateDer<'static>> {
        if self.is_root {
            vec![der]
        } else {
            vec![der, self.certificate.der().clone()]
        }
    }

    /// Takes a certificate and its key that were made before.
    ///
    /// # Errors
    ///
    /// The certificate is none of a CA, or the key is another's.
    pub fn new(certificate: Certificate, key: K) -> Result<Self, AuthorityError> {
        let subject = || certificate.subject().to_owned();
        if !certificate.may_sign_certificates() {
            return Err(AuthorityError::NotCa { subject: subject() });
        }
        if certificate.public_key().bits() != key.public_key().bits() {
            return Err(AuthorityError::Mismatch { subject: subject() });
        }
        Ok(Self {
            is_root: certificate.is_self_issued(),
            certificate,
            key,
        })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Certifies `key` as the template says, from a little before `now` for `life`, or for as long
    /// as this authority is valid, with a random serial number.
    ///
    /// # Errors
    ///
    /// A name or purpose is outside what this authority may certify, there is neither name nor
    /// subject, or this authority's time is over.
    pub fn issue(
        &self,
        template: &Template,
        key: &PublicKey,
        life: Duration,
        now: SystemTime,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let tbs = self.tbs(template, key, life, now)?;
        Ok(tbs.sign(&self.key)?.into_der())
    }

    fn tbs<'t>(
        &'t self,
        template: &'t Template,
        key: &'t PublicKey,
        life: Duration,
        now: SystemTime,
    ) -> Result<TbsCertificate<'t>, AuthorityError> {
        self.check(template)?;
        if !self.certificate.is_valid_at(now) {
            return Err(AuthorityError::NotValid {
                subject: self.subject(),
                expired: now > self.certificate.not_after(),
            });
        }
        let own = Validity::from(now, life)?;
        let validity = Validity {
            made_at: now,
            not_before: own.not_before.max(self.certificate.not_before()),
            not_after: own.not_after.min(self.certificate.not_after()),
        };
        let issuer = self.certificate.subject_name();
        let key_identifier = self.certificate.key_identifier();
        tbs(template, key, issuer, key_identifier, validity)
    }

    /// Whether this authority may issue what the template says.
    ///
    /// # Errors
    ///
    /// As of [`Self::issue`].
    pub fn check(&self, template: &Template) -> Result<(), AuthorityError> {
        if template.names.is_empty() && template.subject.is_empty() {
            return Err(AuthorityError::NoNames);
        }
        if template.ca.is_none()
            && template.names.is_empty()
            && template.purposes.contains(&Oid::SERVER_AUTH)
        {
            return Err(AuthorityError::NoNames);
        }
        if let Some(permitted) = self.certificate.name_constraints()
            && let Some(name) = outside(permitted, template)
        {
            return Err(AuthorityError::NotPermitted {
                name: name.to_string(),
                subject: self.subject(),
                permitted: Box::new(permitted.clone()),
            });
        }
        if let Some(ours) = self.certificate.extended_key_usage()
            && !ours.contains(&Oid::ANY_EXTENDED_KEY_USAGE)
            // Responders are told by their issuer, whatever else it issues for (RFC 6960, 4.2.2.2).
            && let Some(purpose) = template
                .purposes
                .iter()
                .find(|purpose| **purpose != Oid::OCSP_SIGNING && !ours.contains(purpose))
        {
            return Err(AuthorityError::PurposeNotPermitted {
                purpose: purpose.name_or_dots(),
                subject: self.subject(),
            });
        }
        let bound = self
            .certificate
            .basic_constraints()
            .and_then(|own| own.path_length);
        match (template.ca, bound) {
            (Some(_), Some(0)) => Err(AuthorityError::PathTooLong {
                subject: self.subject(),
            }),
            (Some(below), Some(bound)) if below.is_none_or(|below| below >= bound) => {
                Err(AuthorityError::PathTooLong {
                    subject: self.subject(),
                })
            }
            _ => Ok(()),
        }
    }

    fn read_back(der: &[u8], key: K) -> Result<Self, AuthorityError> {
        Self::new(
            Certificate::from_der(der).map_err(AuthorityError::ReadBack)?,
            key,
        )
    }

    fn subject(&self) -> String {
        self.certificate.subject().to_owned()
    }
}

/// Makes a certificate that is its own issuer: a root, or a leaf that is trusted by itself.
///
/// An issuer must have a name (RFC 5280, section 4.1.2.4): where the template has no subject, its
/// first name becomes the common name.
///
/// # Errors
///
/// There is neither name nor subject, or the key does not sign.
pub fn self_signed_certificate<K: Signer>(
    template: &Template,
    key: &K,
    life: Duration,
    now: SystemTime,
) -> Result<CertificateDer<'static>, AuthorityError> {
    if template.names.is_empty() && template.subject.is_empty() {
        return Err(AuthorityError::NoNames);
    }
    let named;
    let template = match template.names.first() {
        Some(name) if template.subject.is_empty() => {
            let common_name: String = name.to_string().chars().take(64).collect();
            let subject = DistinguishedName::of(&[(Oid::COMMON_NAME, &common_name)]);
            named = template.clone().with_subject(subject);
            &named
        }
        _ => template,
    };
    let validity = Validity::from(now, life)?;
    let public = key.public_key();
    let key_identifier = key_identifier(public.bits());
    let tbs = tbs(
        template,
        public,
        &template.subject,
        key_identifier,
        validity,
    )?;
    Ok(tbs.sign(key)?.into_der())
}

/// Makes a self-signed CA.
///
/// # Errors
///
/// As of [`self_signed_certificate`]; or the template is none of a CA.
pub fn self_signed<K: Signer>(
    template: &Template,
    key: K,
    life: Duration,
    now: SystemTime,
) -> Result<Authority<K>, AuthorityError> {
    let der = self_signed_certificate(template, &key, life, now)?;
    Authority::read_back(&der, key)
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

const CA_ORGANISATION: &str = "Ravelin local CA";

const DAY: u64 = 24 * 60 * 60;

#[derive(Clone, Copy)]
struct Validity {
    made_at: SystemTime,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl Validity {
    /// From a little before `now` for `life`, or to the end of what certificates can say, which
    /// stands for no end (RFC 5280, section 4.1.2.5).
    fn from(now: SystemTime, life: Duration) -> Result<Self, AuthorityError> {
        let end = SystemTime::UNIX_EPOCH + LAST_SECOND;
        let not_before = now.checked_sub(BACK_DATED).ok_or(AuthorityError::Time)?;
        if not_before > end || not_before < SystemTime::UNIX_EPOCH {
            return Err(AuthorityError::Time);
        }
        Ok(Self {
            made_at: now,
            not_before,
            not_after: now.checked_add(life).unwrap_or(end).min(end),
        })
    }
}

/// The last second of the year 9999.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// What the template says of a key, to be signed by an issuer with this name and key.
fn tbs<'t>(
    template: &'t Template,
    public_key: &'t PublicKey,
    issuer: &'t DistinguishedName,
    key_identifier: Vec<u8>,
    validity: Validity,
) -> Result<TbsCertificate<'t>, AuthorityError> {
    if let Some(name) = template.names.iter().find(|name| !name.is_ascii()) {
        let name = name.to_string();
        return Err(AuthorityError::NotAscii { name });
    }
    let mut extensions = template.extensions(public_key);
    extensions.push(Extension::naming_key(key_identifier));
    Ok(TbsCertificate {
        serial_number: SerialNumber::random(validity.made_at).map_err(|_| KeyError::Generate)?,
        issuer,
        not_before: validity.not_before,
        not_after: validity.not_after,
        subject: &template.subject,
        public_key,
        extensions: extensions.into_iter().collect(),
    })
}

/// What a certificate for servers at `names` says, in whatever way they are repeated.
#[must_use]
pub fn leaf_template(names: &[HostName]) -> Template {
    let mut distinct: Vec<GeneralName> = Vec::with_capacity(names.len());
    for name in names {
        let name = GeneralName::from(name);
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    // No common name: OpenSSL holds it against the constraints as if it were a DNS name when
    // there are only addresses. An organisation alone keeps the subject from being empty.
    let subject = DistinguishedName::of(&[(Oid::ORGANIZATION, LEAF_ORGANISATION)]);
    Template::leaf(distinct).with_subject(subject)
}

fn ca_subject(common_name: &str) -> DistinguishedName {
    let common_name: String = common_name.chars().take(64).collect();
    DistinguishedName::of(&[
        (Oid::ORGANIZATION, CA_ORGANISATION),
        (Oid::COMMON_NAME, &common_name),
    ])
}

/// A name of the template that is outside the constraints. Its subject counts as a directory name,
/// and mailboxes in it as mailboxes (RFC 5280, section 4.2.1.10).
fn outside(permitted: &NameConstraints, template: &Template) -> Option<GeneralName> {
    let subject =
        (!template.subject.is_empty()).then(|| GeneralName::Directory(template.subject.clone()));
    let mailboxes = template
        .subject
        .attributes()
        .filter(|attribute| attribute.kind == Oid::EMAIL_ADDRESS)
        .map(|attribute| GeneralName::Email(attribute.value.clone()));
    let name = template
        .names
        .iter()
        .find(|name| !permitted.permits_name(name));
    name.cloned().or_else(|| {
        subject
            .into_iter()
            .chain(mailboxes)
            .find(|name| !permitted.permits_name(name))
    })
}
