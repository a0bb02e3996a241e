//! Certificate signing requests (PKCS#10, RFC 2986): what a holder of a key asks a CA to certify.

use std::ops::Range;

use crate::authority::signed;
use crate::der::{DerError, DerProblem, Reader, Tag, Writer};
use crate::distinguished_name::DistinguishedName;
use crate::extension::{Extension, ExtensionError, ExtensionValue, KeyUsage};
use crate::general_name::GeneralName;
use crate::key::{SignError, Signer};
use crate::oid::Oid;
use crate::pem;
use crate::public_key::PublicKey;
use crate::signature::{AlgorithmIdentifier, SignatureError};
use crate::template::{Template, write_extensions};

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
    der: Vec<u8>,
    signed: Range<usize>,
    subject: DistinguishedName,
    public_key: PublicKey,
    extensions: Vec<Extension>,
    has_challenge_password: bool,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
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
        let asked: Vec<Extension> = template
            .extensions(key.public_key())
            .into_iter()
            .filter(|extension| extension.oid != Oid::SUBJECT_KEY_IDENTIFIER)
            .collect();
        let mut info = Writer::with_capacity(512);
        info.sequence(|w| {
            w.unsigned(VERSION_1);
            w.raw(template.subject.der());
            w.raw(key.public_key().der());
            w.constructed(Tag::context_constructed(0), |w| {
                w.sequence(|w| {
                    w.oid(&Oid::EXTENSION_REQUEST);
                    w.constructed(Tag::SET, |w| write_extensions(w, &asked));
                });
            });
        });
        let der = signed(&info, key)?;
        Self::from_der(&der).map_err(|error| unreadable(error.to_string()))
    }

    /// Reads exactly one request in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let field = |field| move |source| RequestError::Field { field, source };
        let whole = Reader::only(der, Tag::SEQUENCE).map_err(field("outermost SEQUENCE"))?;
        let mut reader = whole.reader();
        let info = reader
            .expect(Tag::SEQUENCE)
            .map_err(field("certificationRequestInfo"))?;
        let algorithm = reader
            .next()
            .and_then(AlgorithmIdentifier::read)
            .map_err(field("signatureAlgorithm"))?;
        let signature = reader
            .expect(Tag::BIT_STRING)
            .and_then(|bits| bits.octet_bits())
            .map_err(field("signature"))?;
        reader.finish().map_err(field("end"))?;

        let mut fields = info.reader();
        let version = fields.expect(Tag::INTEGER).map_err(field("version"))?;
        if version.unsigned().map_err(field("version"))? != VERSION_1 {
            let source = DerProblem::OutOfRange.at(version.at);
            return Err(field("version")(source));
        }
        let subject = fields
            .next()
            .and_then(DistinguishedName::read)
            .map_err(field("subject"))?;
        let public_key = fields
            .next()
            .and_then(PublicKey::read)
            .map_err(field("subjectPKInfo"))?;
        // Not optional in RFC 2986, and left out by some.
        let attributes = fields
            .optional(Tag::context_constructed(0))
            .map_err(field("attributes"))?;
        fields.finish().map_err(field("certificationRequestInfo"))?;
        let mut request = Self {
            der: der.to_vec(),
            signed: info.at..info.at + info.whole.len(),
            subject,
            public_key,
            extensions: Vec::new(),
            has_challenge_password: false,
            algorithm,
            signature: signature.to_vec(),
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
                let extensions = Extension::read_all(list)?;
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
        &self.der
    }

    /// The request in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", &self.der)
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
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    fn value(&self, oid: &Oid) -> Option<&ExtensionValue> {
        let extension = self.extensions.iter().find(|e| e.oid == *oid);
        extension.map(|extension| &extension.value)
    }

    /// The names that are asked for.
    #[must_use]
    pub fn alternative_names(&self) -> &[GeneralName] {
        match self.value(&Oid::SUBJECT_ALT_NAME) {
            Some(ExtensionValue::SubjectAltName(names)) => names,
            _ => &[],
        }
    }

    /// The purposes that are asked for; none where it does not say.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        match self.value(&Oid::EXTENDED_KEY_USAGE) {
            Some(ExtensionValue::ExtendedKeyUsage(purposes)) => Some(purposes),
            _ => None,
        }
    }

    /// What the key is to be used for, where it says.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        match self.value(&Oid::KEY_USAGE) {
            Some(ExtensionValue::KeyUsage(usage)) => Some(*usage),
            _ => None,
        }
    }

    /// Whether the certificate of a CA is asked for.
    #[must_use]
    pub fn asks_for_ca(&self) -> bool {
        matches!(self.value(&Oid::BASIC_CONSTRAINTS), Some(ExtensionValue::BasicConstraints(c)) if c.ca)
    }

    /// Whether a challenge password (RFC 2985, section 5.4.1) is in it: readable by all who see it.
    #[must_use]
    pub fn has_challenge_password(&self) -> bool {
        self.has_challenge_password
    }

    /// The algorithm of the signature.
    #[must_use]
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        &self.algorithm
    }

    /// Whether whoever made the request holds the key that it names.
    ///
    /// # Errors
    ///
    /// The signature is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify_signature(&self) -> Result<(), SignatureError> {
        let algorithm = self.algorithm.signature_algorithm();
        let algorithm = algorithm.ok_or_else(|| SignatureError::Unsupported {
            algorithm: self.algorithm.name(),
        })?;
        algorithm.verify(
            &self.public_key,
            &self.der[self.signed.clone()],
            &self.signature,
        )
    }
}

const VERSION_1: u64 = 0;

impl From<ExtensionError> for RequestError {
    fn from(ExtensionError { oid, source }: ExtensionError) -> Self {
        match oid {
            Some(oid) => Self::Extension {
                name: oid.name_or_dots(),
                source,
            },
            None => Self::Field {
                field: "attributes",
                source,
            },
        }
    }
}
