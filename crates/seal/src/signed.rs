//! Signatures beside what they sign: CMS `SignedData` (RFC 5652) without content, by a certificate's key, as
//! `openssl cms` makes and verifies them (`.p7s`).
//!
//! What is signed is a set of attributes: the digest of the content, its type, and when it was signed, as the signer
//! says (sections 5.3 and 11). That the signer's certificate can be trusted is not looked at here.

use std::io::{self, Read};
use std::time::SystemTime;

use ravelin_pki::der::{DerError, Element, Reader, Tag, Writer};
use ravelin_pki::pem::{self, PemError};
use ravelin_pki::signature::{AlgorithmIdentifier, Hash};
use ravelin_pki::{
    Certificate, CertificateError, Oid, SignError, SignatureAlgorithm, SignatureError, Signer, ber,
};

use crate::envelope::recipient::write_name;
use crate::hash::{self, Algorithm, Digest};

/// Why nothing is signed, or a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// The key is not the certificate's.
    #[error("the key is not the one that the certificate of {who} is for")]
    OtherKey {
        /// Whose certificate it is.
        who: String,
    },
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The PEM around the signature is wrong.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// It is something else.
    #[error("it is {what}, and no signature in CMS")]
    NotSigned {
        /// What it is.
        what: String,
    },
    /// It is malformed.
    #[error("the signature is damaged")]
    Damaged(#[from] DerError),
    /// A certificate in it is malformed.
    #[error("a certificate in the signature is damaged")]
    Certificate(#[from] CertificateError),
    /// It is longer than any signature.
    #[error("it is {octets} bytes long, more than a signature is")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// The content is in the signature.
    #[error("it holds its content itself, where it should be beside it")]
    NotDetached,
    /// Nobody signed.
    #[error("nobody has signed it")]
    NoSigner,
    /// What is signed is the content itself.
    #[error(
        "it signs the content directly, and not its attributes, so that one can be taken for the other"
    )]
    NoAttributes,
    /// The signer's certificate is missing.
    #[error("the certificate of a signer is not in it")]
    NoCertificate,
    /// A part of it is missing, there twice, or says something else than it has to.
    #[error("its {name} is missing, doubled or not what it must be")]
    Attribute {
        /// Which.
        name: &'static str,
    },
    /// It is made over a hash that is broken or not known.
    #[error("it is made over {what}, which is broken or not supported")]
    Hash {
        /// Which hash.
        what: String,
    },
    /// The content is not the one that was signed.
    #[error("the content is not what was signed: its {algorithm} is another")]
    OtherContent {
        /// The hash function.
        algorithm: Algorithm,
    },
    /// The signature itself does not hold.
    #[error("the signature by {who} does not hold")]
    Signature {
        /// Whose it is said to be.
        who: String,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// Reading the content failed.
    #[error("reading failed")]
    Read(#[source] io::Error),
}

impl SignedError {
    /// Whether the answer is no: what was read is whole, and does not hold.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::NoSigner
                | Self::NoAttributes
                | Self::NoCertificate
                | Self::Attribute { .. }
                | Self::Hash { .. }
                | Self::OtherContent { .. }
                | Self::Signature { .. }
        )
    }

    /// A way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAttributes => Some("sign without -noattr"),
            Self::NotDetached => {
                Some("take the content out first: openssl cms -verify, or sign without -nodetach")
            }
            Self::NoCertificate => Some("sign without -nocerts"),
            _ => None,
        }
    }
}

/// Signs all that can be read with a certificate's key: `SignedData` in DER, with the certificate and its chain.
///
/// # Errors
///
/// The key is another's, or refuses; or reading fails.
pub fn sign(
    content: &mut dyn Read,
    signer: &dyn Signer,
    chain: &[Certificate],
    at: SystemTime,
) -> Result<Vec<u8>, SignedError> {
    let certificate = chain.first().ok_or(SignedError::NoCertificate)?;
    if certificate.public_key() != signer.public_key() {
        let who = certificate.title();
        return Err(SignedError::OtherKey { who });
    }
    let algorithm = signer.algorithm();
    let hash = hash_of(algorithm);
    let digest = hash::of(ours(hash), content).map_err(SignedError::Read)?;
    let attributes = attributes(&digest, at);
    let signature = signer.sign(&set_of(Tag::SET, &attributes))?;

    let mut w = Writer::new();
    w.sequence(|w| {
        w.oid(&Oid::SIGNED_DATA);
        w.constructed(Tag::context_constructed(0), |w| {
            w.sequence(|w| {
                w.unsigned(1);
                w.constructed(Tag::SET, |w| write_hash(hash, w));
                w.sequence(|w| w.oid(&Oid::DATA));
                let certificates = chain.iter().map(|one| one.der().to_vec());
                w.raw(&set_of(
                    Tag::context_constructed(0),
                    &certificates.collect::<Vec<_>>(),
                ));
                w.constructed(Tag::SET, |w| {
                    w.sequence(|w| {
                        w.unsigned(1);
                        write_name(certificate, w);
                        write_hash(hash, w);
                        w.raw(&set_of(Tag::context_constructed(0), &attributes));
                        algorithm.identifier().write(w);
                        w.octet_string(&signature);
                    });
                });
            });
        });
    });
    Ok(w.into_bytes())
}

/// A signature as PEM.
#[must_use]
pub fn to_pem(signature: &[u8]) -> String {
    pem::encode("CMS", signature)
}

/// The hash that a signature is made over. Ed25519 and ML-DSA bring their own; attributes still need one, and it is
/// SHA-512 (RFC 8419, section 3.1; RFC 9882, section 3.3).
fn hash_of(algorithm: SignatureAlgorithm) -> Hash {
    algorithm.hash().unwrap_or(Hash::Sha512)
}

fn ours(hash: Hash) -> Algorithm {
    match hash {
        // Never asked for: it is refused before.
        Hash::Sha1 | Hash::Sha256 => Algorithm::Sha256,
        Hash::Sha384 => Algorithm::Sha384,
        Hash::Sha512 => Algorithm::Sha512,
    }
}

/// Without parameters, as RFC 5754 has it (section 2).
fn write_hash(hash: Hash, w: &mut Writer) {
    w.sequence(|w| w.oid(&hash.oid()));
}

fn attributes(digest: &Digest, at: SystemTime) -> Vec<Vec<u8>> {
    let attribute = |kind: &Oid, write: &dyn Fn(&mut Writer)| {
        let mut w = Writer::new();
        w.sequence(|w| {
            w.oid(kind);
            w.constructed(Tag::SET, write);
        });
        w.into_bytes()
    };
    vec![
        attribute(&Oid::CONTENT_TYPE, &|w| w.oid(&Oid::DATA)),
        attribute(&Oid::SIGNING_TIME, &|w| w.time(at)),
        attribute(&Oid::MESSAGE_DIGEST, &|w| w.octet_string(digest.as_bytes())),
    ]
}

/// A SET OF, sorted as DER has it (X.690, 11.6): what is signed depends on it.
fn set_of(tag: Tag, members: &[Vec<u8>]) -> Vec<u8> {
    let mut members: Vec<&Vec<u8>> = members.iter().collect();
    members.sort_unstable();
    let mut w = Writer::new();
    w.constructed(tag, |w| members.iter().for_each(|member| w.raw(member)));
    w.into_bytes()
}

/// A signature that was read, and holds or not.
#[derive(Debug)]
pub struct Signature {
    certificates: Vec<Certificate>,
    signers: Vec<SignerInfo>,
}

/// `SignerInfo` (RFC 5652, section 5.3).
#[derive(Debug)]
struct SignerInfo {
    /// The place of the signer's certificate.
    certificate: usize,
    hash: Hash,
    /// The attributes as they are signed: under the tag of a SET.
    attributes: Vec<u8>,
    digest: Vec<u8>,
    signed_at: Option<SystemTime>,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
}

/// Someone who signed, as a signature that holds says it.
#[derive(Debug, Clone)]
pub struct SignedBy<'s> {
    /// The signer's certificate, which nobody has judged yet.
    pub certificate: &'s Certificate,
    /// When, as the signer says.
    pub at: Option<SystemTime>,
    /// The algorithm.
    pub algorithm: String,
}

impl Signature {
    /// Reads a signature in PEM, DER or BER.
    pub fn read(file: &[u8]) -> Result<Self, SignedError> {
        if file.len() > LONGEST {
            let octets = file.len();
            return Err(SignedError::TooLong { octets });
        }
        let labels = ["CMS", "PKCS7", "PKCS #7 SIGNED DATA"];
        let der = if file.first() == Some(&Tag::SEQUENCE.0) {
            file.to_vec()
        } else {
            let what = "PEM of another kind".to_owned();
            pem::first(file, &labels)?.ok_or(SignedError::NotSigned { what })?
        };
        let der = ber::to_der(&der)?;
        let mut info = Reader::only(&der, Tag::SEQUENCE)?.reader();
        let kind = info.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
        if kind != Oid::SIGNED_DATA {
            let what = kind.name_or_dots();
            return Err(SignedError::NotSigned { what });
        }
        let data = info.expect(Tag::context_constructed(0))?.inner()?;
        info.finish()?;
        Self::of_signed_data(data.tagged(Tag::SEQUENCE)?)
    }

    fn of_signed_data(data: Element<'_>) -> Result<Self, SignedError> {
        let mut fields = data.reader();
        fields.expect(Tag::INTEGER)?;
        fields.expect(Tag::SET)?;
        let mut content = fields.sequence()?;
        if content.expect(Tag::OBJECT_IDENTIFIER)?.oid()? != Oid::DATA {
            return Err(SignedError::Attribute {
                name: "contentType",
            });
        }
        if !content.is_at_end() {
            return Err(SignedError::NotDetached);
        }
        let mut certificates = Vec::new();
        if let Some(set) = fields.optional(Tag::context_constructed(0))? {
            let mut members = set.reader();
            while !members.is_at_end() && certificates.len() < MOST_CERTIFICATES {
                let member = members.next()?;
                if member.tag == Tag::SEQUENCE {
                    certificates.push(Certificate::from_der(member.whole)?);
                }
            }
        }
        fields.optional(Tag::context_constructed(1))?;
        let mut infos = fields.expect(Tag::SET)?.reader();
        fields.finish()?;
        let mut signers = Vec::new();
        while !infos.is_at_end() && signers.len() < MOST_SIGNERS {
            let info = infos.expect(Tag::SEQUENCE)?;
            signers.push(SignerInfo::read(info, &certificates)?);
        }
        infos.finish()?;
        if signers.is_empty() {
            return Err(SignedError::NoSigner);
        }
        Ok(Self {
            certificates,
            signers,
        })
    }

    /// The certificates in it: the signers' and such as may help to judge them.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Checks all signatures over the content: who signed it.
    ///
    /// # Errors
    ///
    /// One of them does not hold.
    pub fn verify(&self, content: &mut dyn Read) -> Result<Vec<SignedBy<'_>>, SignedError> {
        let mut algorithms: Vec<Algorithm> = Vec::new();
        for signer in &self.signers {
            if !algorithms.contains(&ours(signer.hash)) {
                algorithms.push(ours(signer.hash));
            }
        }
        let digests = hash::of_several(&algorithms, content).map_err(SignedError::Read)?;
        let verify = |signer: &SignerInfo| {
            let known = algorithms.iter().zip(&digests);
            let mut known = known.filter(|(algorithm, _)| **algorithm == ours(signer.hash));
            match known.next() {
                Some((_, digest)) if digest.as_bytes() == signer.digest => {}
                _ => {
                    let algorithm = ours(signer.hash);
                    return Err(SignedError::OtherContent { algorithm });
                }
            }
            signer.verify(&self.certificates[signer.certificate])
        };
        for signer in &self.signers {
            verify(signer)?;
        }
        let signed = self.signers.iter().map(|signer| SignedBy {
            certificate: &self.certificates[signer.certificate],
            at: signer.signed_at,
            algorithm: signer.algorithm_name(),
        });
        Ok(signed.collect())
    }
}

impl SignerInfo {
    fn read(info: Element<'_>, certificates: &[Certificate]) -> Result<Self, SignedError> {
        let mut fields = info.reader();
        let version = fields.expect(Tag::INTEGER)?.unsigned()?;
        let name = fields.next()?;
        if version != if name.tag == Tag::SEQUENCE { 1 } else { 3 } {
            let name = "version";
            return Err(SignedError::Attribute { name });
        }
        let certificate = certificates.iter().position(|one| is_named(one, name));
        let certificate = certificate.ok_or(SignedError::NoCertificate)?;
        let digest = AlgorithmIdentifier::read(fields.next()?)?;
        let hash = Hash::of_oid(&digest.oid)
            .filter(|hash| *hash != Hash::Sha1)
            .ok_or_else(|| SignedError::Hash {
                what: digest.oid.name_or_dots(),
            })?;
        let attributes = fields
            .optional(Tag::context_constructed(0))?
            .ok_or(SignedError::NoAttributes)?;
        let algorithm = AlgorithmIdentifier::read(fields.next()?)?;
        let signature = fields.expect(Tag::OCTET_STRING)?.content.to_vec();
        fields.optional(Tag::context_constructed(1))?;
        fields.finish()?;
        let read = Attributes::read(attributes)?;
        let mut signed = attributes.whole.to_vec();
        // They are signed as what they are, a SET (section 5.4).
        signed[0] = Tag::SET.0;
        Ok(Self {
            certificate,
            hash,
            attributes: signed,
            digest: read.digest,
            signed_at: read.signed_at,
            algorithm,
            signature,
        })
    }

    fn verify(&self, certificate: &Certificate) -> Result<(), SignedError> {
        let key = certificate.public_key();
        let algorithm = self.algorithm();
        // The hash of the content and the one within the signature are the same, or one could be weaker than told.
        if algorithm.is_some_and(|algorithm| hash_of(algorithm) != self.hash) {
            return Err(SignedError::Hash {
                what: format!("{} in one place and another hash in the other", self.hash),
            });
        }
        let verified = match algorithm {
            Some(algorithm) => algorithm.verify(key, &self.attributes, &self.signature),
            None => Err(SignatureError::Unsupported {
                algorithm: self.algorithm.name(),
            }),
        };
        verified.map_err(|source| SignedError::Signature {
            who: certificate.title(),
            source,
        })
    }

    /// CMS may name the key in the place of the algorithm: the hash is then the digest's (RFC 5754, section 3.2).
    fn algorithm(&self) -> Option<SignatureAlgorithm> {
        if self.algorithm.oid == Oid::RSA_ENCRYPTION {
            return Some(SignatureAlgorithm::RsaPkcs1(self.hash));
        }
        self.algorithm.signature_algorithm()
    }

    fn algorithm_name(&self) -> String {
        self.algorithm()
            .map_or_else(|| self.algorithm.name(), |algorithm| algorithm.to_string())
    }
}

/// What the signed attributes say (RFC 5652, section 11).
struct Attributes {
    digest: Vec<u8>,
    signed_at: Option<SystemTime>,
}

impl Attributes {
    fn read(set: Element<'_>) -> Result<Self, SignedError> {
        let value = |kind: &Oid, name| one_value(set, kind, name);
        let kind = value(&Oid::CONTENT_TYPE, "contentType")?;
        let digest = value(&Oid::MESSAGE_DIGEST, "messageDigest")?;
        let kind = kind.and_then(|kind| kind.oid().ok());
        if kind != Some(Oid::DATA) {
            let name = "contentType";
            return Err(SignedError::Attribute { name });
        }
        let digest = digest
            .filter(|digest| digest.tag == Tag::OCTET_STRING)
            .map(|digest| digest.content.to_vec());
        let signed_at = value(&Oid::SIGNING_TIME, "signingTime")?;
        Ok(Self {
            digest: digest.ok_or(SignedError::Attribute {
                name: "messageDigest",
            })?,
            signed_at: signed_at.map(|time| time.time()).transpose()?,
        })
    }
}

/// The one value of the one attribute of a kind; none where there is no such attribute.
fn one_value<'b>(
    set: Element<'b>,
    kind: &Oid,
    name: &'static str,
) -> Result<Option<Element<'b>>, SignedError> {
    let mut found = None;
    let mut members = set.reader();
    while !members.is_at_end() {
        let mut attribute = members.sequence()?;
        if attribute.expect(Tag::OBJECT_IDENTIFIER)?.oid()? != *kind {
            continue;
        }
        let value = attribute.expect(Tag::SET)?.inner();
        match value {
            Ok(value) if found.is_none() => found = Some(value),
            _ => return Err(SignedError::Attribute { name }),
        }
    }
    Ok(found)
}

/// Whether a `SignerIdentifier` means this certificate.
fn is_named(certificate: &Certificate, name: Element<'_>) -> bool {
    if name.tag == Tag::context(0) {
        return certificate.subject_key_identifier() == Some(name.content);
    }
    let mut w = Writer::new();
    write_name(certificate, &mut w);
    w.bytes() == name.whole
}

/// A signature with a chain and CRLs takes less.
const LONGEST: usize = 4 << 20;
const MOST_CERTIFICATES: usize = 100;
const MOST_SIGNERS: usize = 16;

#[cfg(test)]
mod tests;
