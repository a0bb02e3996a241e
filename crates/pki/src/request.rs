//! Certificate signing requests (PKCS#10, RFC 2986): what a holder of a key asks a CA to certify.

use crate::der::{DerError, DerProblem, Reader, Tag, Writer, from_field_errors};
use crate::distinguished_name::DistinguishedName;
use crate::extension::{Extensions, KeyUsage};
use crate::general_name::GeneralName;
use crate::key::{SignError, Signer};
use crate::oid::Oid;
use crate::pem;
use crate::public_key::PublicKey;
use crate::signature::SignatureError;
use crate::signed::{self, Envelope, Signed};
use crate::template::Template;

/// A request that was read, and whose form is sound. Whether its sender holds the key is what
/// [`Self::verify_signature`] tells; whether it may have what it asks for, only its CA.
///
/// ```
/// use ravelin_pki::{CertificateRequest, PrivateKey, Template};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::generate()?;
/// let template = Template::leaf(vec!["example.test".parse()?]);
/// let request = CertificateRequest::create(&template, &key)?;
/// request.verify_signature()?;
/// assert_eq!(request.alternative_names(), template.names);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    signed: Signed,
    subject: DistinguishedName,
    public_key: PublicKey,
    extensions: Extensions,
    has_challenge_password: bool,
}

/// Why bytes are not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The bytes are not DER, or not a request.
    #[error("its {field} cannot be read")]
    Field {
        /// The field, as RFC 2986 calls it.
        field: &'static str,
        /// What is wrong, and where.
        source: DerError,
    },
    /// An extension that is asked for is malformed or there twice.
    #[error("the extension \"{name}\" that it asks for is malformed")]
    Extension {
        /// The extension's name in RFC 5280.
        name: String,
        /// What is wrong, and where.
        source: DerError,
    },
}

impl CertificateRequest {
    /// Asks for what the template says, signed with the key to be certified.
    ///
    /// # Errors
    ///
    /// The key does not sign.
    pub fn create<K: Signer>(template: &Template, key: &K) -> Result<Self, SignError> {
        let unreadable = |reason: String| SignError {
            key: key.public_key().fingerprint().short(),
            reason,
        };
        // Key identifiers are for the CA to choose, and where its CRLs are, it knows better.
        let asked: Extensions = template
            .extensions(key.public_key())
            .into_iter()
            .filter(|extension| extension.oid != Oid::SUBJECT_KEY_IDENTIFIER)
            .collect();
        let info = |w: &mut Writer| {
            w.unsigned(VERSION_1);
            w.raw(template.subject.der());
            w.raw(key.public_key().der());
            w.constructed(Tag::context_constructed(0), |w| {
                w.sequence(|w| {
                    w.oid(&Oid::EXTENSION_REQUEST);
                    w.constructed(Tag::SET, |w| asked.write(w));
                });
            });
        };
        let signed: Signed = signed::sign(key, 1024, info, |_| {})?;
        Self::from_der(signed.der()).map_err(|error| unreadable(error.to_string()))
    }

    /// Reads exactly one request in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let field = |source| RequestError::Field {
            field: "outermost SEQUENCE",
            source,
        };
        let whole = Reader::only(der, Tag::SEQUENCE).map_err(field)?;
        let envelope = Envelope::read_whole(whole, ["certificationRequestInfo", "signature"])?;

        let mut fields = envelope.fields();
        fields.next("version", |element| {
            match element.tagged(Tag::INTEGER)?.unsigned()? {
                VERSION_1 => Ok(()),
                _ => Err(DerProblem::OutOfRange.at(element.at)),
            }
        })?;
        let subject = fields.next("subject", DistinguishedName::read)?;
        let public_key = fields.next("subjectPKInfo", PublicKey::read)?;
        // Not optional in RFC 2986, and left out by some.
        let attributes = fields.optional("attributes", Tag::context_constructed(0), Ok)?;
        fields.finish("certificationRequestInfo")?;
        let mut request = Self {
            signed: envelope.keep(),
            subject,
            public_key,
            extensions: Extensions::default(),
            has_challenge_password: false,
        };
        if let Some(attributes) = attributes {
            request.read_attributes(attributes.reader())?;
        }
        Ok(request)
    }

    fn read_attributes(&mut self, mut attributes: Reader<'_>) -> Result<(), RequestError> {
        let field = |source| RequestError::Field {
            field: "attributes",
            source,
        };
        while !attributes.is_at_end() {
            let mut attribute = attributes.sequence().map_err(field)?;
            let kind = attribute.expect(Tag::OBJECT_IDENTIFIER).map_err(field)?;
            let values = attribute.expect(Tag::SET).map_err(field)?;
            attribute.finish().map_err(field)?;
            let oid = kind.oid().map_err(field)?;
            if oid == Oid::EXTENSION_REQUEST {
                let list = values.inner().map_err(field)?;
                let extensions = Extensions::read(list, "attributes")?;
                if !self.extensions.is_empty() {
                    return Err(field(DerProblem::Doubled.at(kind.at)));
                }
                self.extensions = extensions;
            }
            self.has_challenge_password |= oid == Oid::CHALLENGE_PASSWORD;
        }
        Ok(())
    }

    /// The request in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.signed.der()
    }

    /// The request in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", self.der())
    }

    /// The subject that is asked for.
    #[must_use]
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The key to be certified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The extensions that are asked for.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The names that are asked for.
    #[must_use]
    pub fn alternative_names(&self) -> &[GeneralName] {
        self.extensions.alternative_names()
    }

    /// The purposes that are asked for; none where it does not say.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        self.extensions.extended_key_usage()
    }

    /// What the key is to be used for, where it says.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage()
    }

    /// Whether the certificate of a CA is asked for.
    #[must_use]
    pub fn asks_for_ca(&self) -> bool {
        let constraints = self.extensions.basic_constraints();
        constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether a challenge password (RFC 2985, section 5.4.1) is in it: readable by all who see it.
    #[must_use]
    pub fn has_challenge_password(&self) -> bool {
        self.has_challenge_password
    }

    /// The request as something signed: the bytes that are, and the signature.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Whether whoever made the request holds the key that it names.
    ///
    /// # Errors
    ///
    /// The signature is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify_signature(&self) -> Result<(), SignatureError> {
        self.signed.verify(&self.public_key)
    }
}

const VERSION_1: u64 = 0;

from_field_errors!(RequestError);
