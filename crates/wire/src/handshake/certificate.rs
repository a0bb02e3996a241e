//! Who speaks, the request to say so, and the proof.

use super::Agreed;
use crate::extension::{Extensions, Place};
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{
    CertificateCompression, CertificateType, ClientCertificateType, SignatureScheme,
};
use crate::writer::{Encode, Writer};

/// The certificates of who speaks, its own first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate<'b> {
    /// Of TLS 1.3 (RFC 8446, section 4.4.2).
    Tls13 {
        /// What the request said, so that an answer cannot be given to another; empty in a handshake.
        certificate_request_context: &'b [u8],
        /// The certificates. A client that has none sends an empty list.
        certificate_list: Vec<CertificateEntry<'b>>,
    },
    /// Of TLS 1.2 and before (RFC 5246, section 7.4.2): certificates in DER.
    Tls12(Vec<&'b [u8]>),
    /// A bare public key in place of certificates, before TLS 1.3 (RFC 7250, section 3): a
    /// `SubjectPublicKeyInfo` in DER.
    RawPublicKey(&'b [u8]),
}

/// A certificate of TLS 1.3, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateEntry<'b> {
    /// The certificate, or where raw public keys were agreed, the `SubjectPublicKeyInfo`, in DER.
    pub cert_data: &'b [u8],
    /// OCSP responses, SCTs, delegated credentials.
    pub extensions: Extensions<'b>,
}

/// A `Certificate` message, compressed (RFC 8879, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressedCertificate<'b> {
    /// How it is compressed.
    pub algorithm: CertificateCompression,
    /// How many octets it has once it is not any more; below 2^24.
    pub uncompressed_length: u32,
    /// The compressed message.
    pub compressed_certificate_message: &'b [u8],
}

/// The request to say who the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateRequest<'b> {
    /// Of TLS 1.3 (RFC 8446, section 4.3.2).
    Tls13 {
        /// What the answer has to repeat; empty in a handshake.
        certificate_request_context: &'b [u8],
        /// What the certificate has to be.
        extensions: Extensions<'b>,
    },
    /// Of TLS 1.2 and before (RFC 5246, section 7.4.4).
    Tls12 {
        /// The kinds of key that will do.
        certificate_types: Vec<ClientCertificateType>,
        /// The signatures that will do; said from TLS 1.2 on.
        supported_signature_algorithms: Option<Vec<SignatureScheme>>,
        /// The names of the authorities that will do, in DER; none means any.
        certificate_authorities: Vec<&'b [u8]>,
    },
}

impl<'b> Certificate<'b> {
    pub(super) fn read<T: Trace>(
        reader: &mut Reader<'b, T>,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        if agreed.is_tls13() {
            return Self::read_tls13(reader);
        }
        if agreed.certificate_type == CertificateType::RAW_PUBLIC_KEY {
            return Ok(Self::RawPublicKey(
                reader.opaque24("ASN.1_subjectPublicKeyInfo")?,
            ));
        }
        Ok(Self::Tls12(
            reader.vector24("certificate_list", |reader| {
                reader.list(|reader| reader.opaque24("ASN.1Cert"))
            })?,
        ))
    }

    /// The body of a `Certificate` message of TLS 1.3: what a compressed one becomes.
    ///
    /// # Errors
    ///
    /// The bytes are not exactly one.
    pub fn decode_tls13(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes, ()).enclosed("certificate", bytes.len(), Self::read_tls13)
    }

    /// Reads the body of a `Certificate` message of TLS 1.3.
    pub fn read_tls13<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self::Tls13 {
            certificate_request_context: reader.opaque8("certificate_request_context")?,
            certificate_list: reader.vector24("certificate_list", |reader| {
                reader.list(|reader| {
                    reader.group("certificate_entry", |reader| {
                        Ok(CertificateEntry {
                            cert_data: reader.opaque24("cert_data")?,
                            extensions: Extensions::read(reader, Place::Certificate)?,
                        })
                    })
                })
            })?,
        })
    }

    /// The certificates in DER, the speaker's own first; none of a raw public key.
    #[must_use]
    pub fn chain(&self) -> Vec<&'b [u8]> {
        match self {
            Self::Tls13 {
                certificate_list, ..
            } => certificate_list
                .iter()
                .map(|entry| entry.cert_data)
                .collect(),
            Self::Tls12(chain) => chain.clone(),
            Self::RawPublicKey(_) => Vec::new(),
        }
    }
}

impl Encode for Certificate<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Tls13 {
                certificate_request_context,
                certificate_list,
            } => {
                writer.opaque8("certificate_request_context", certificate_request_context);
                writer.vector24("certificate_list", |writer| {
                    for entry in certificate_list {
                        writer.opaque24("cert_data", entry.cert_data);
                        entry.extensions.write(writer);
                    }
                });
            }
            Self::Tls12(chain) => writer.vector24("certificate_list", |writer| {
                for certificate in chain {
                    writer.opaque24("ASN.1Cert", certificate);
                }
            }),
            Self::RawPublicKey(key) => writer.opaque24("ASN.1_subjectPublicKeyInfo", key),
        }
    }
}

impl<'b> CompressedCertificate<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            algorithm: reader.code("algorithm")?,
            uncompressed_length: reader.u24("uncompressed_length")?,
            compressed_certificate_message: reader.opaque24("compressed_certificate_message")?,
        })
    }
}

impl Encode for CompressedCertificate<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.algorithm);
        writer.u24("uncompressed_length", self.uncompressed_length);
        writer.opaque24(
            "compressed_certificate_message",
            self.compressed_certificate_message,
        );
    }
}

impl<'b> CertificateRequest<'b> {
    pub(super) fn read<T: Trace>(
        reader: &mut Reader<'b, T>,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        if agreed.is_tls13() {
            return Ok(Self::Tls13 {
                certificate_request_context: reader.opaque8("certificate_request_context")?,
                extensions: Extensions::read(reader, Place::CertificateRequest)?,
            });
        }
        Ok(Self::Tls12 {
            certificate_types: reader.vector8("certificate_types", |reader| {
                reader.codes("certificate_type")
            })?,
            supported_signature_algorithms: if agreed.names_signatures() {
                Some(reader.vector16("supported_signature_algorithms", |reader| {
                    reader.codes("signature_algorithm")
                })?)
            } else {
                None
            },
            certificate_authorities: reader.vector16("certificate_authorities", |reader| {
                reader.list(|reader| reader.opaque16("distinguished_name"))
            })?,
        })
    }
}

impl Encode for CertificateRequest<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Tls13 {
                certificate_request_context,
                extensions,
            } => {
                writer.opaque8("certificate_request_context", certificate_request_context);
                extensions.write(writer);
            }
            Self::Tls12 {
                certificate_types,
                supported_signature_algorithms,
                certificate_authorities,
            } => {
                writer.vector8("certificate_types", |writer| {
                    writer.codes(certificate_types);
                });
                if let Some(algorithms) = supported_signature_algorithms {
                    writer.vector16("supported_signature_algorithms", |writer| {
                        writer.codes(algorithms);
                    });
                }
                writer.vector16("certificate_authorities", |writer| {
                    for name in certificate_authorities {
                        writer.opaque16("distinguished_name", name);
                    }
                });
            }
        }
    }
}
