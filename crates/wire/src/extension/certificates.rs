//! What certificates have to be, and what is said of them.

use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{HashAlgorithm, SignatureAlgorithm, SignatureScheme};
use crate::writer::{Encode, Writer};

/// What an extension of a client's certificate must hold (RFC 8446, section 4.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OidFilter<'b> {
    /// The object identifier of the extension, in DER.
    pub certificate_extension_oid: &'b [u8],
    /// What must be in it, in DER; nothing says that it must be there.
    pub certificate_extension_values: &'b [u8],
}

/// A key that the certificate's key has lent its name to (RFC 9345, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegatedCredential<'b> {
    /// How many seconds after the begin of the certificate's validity it ends.
    pub valid_time: u32,
    /// How the handshake is signed with it.
    pub expected_cert_verify_algorithm: SignatureScheme,
    /// Its public key: a `SubjectPublicKeyInfo` in DER.
    pub public_key: &'b [u8],
    /// How the certificate's key signed it.
    pub algorithm: SignatureScheme,
    /// The signature of the certificate's key.
    pub signature: &'b [u8],
}

/// A promise of a log to show a certificate (RFC 6962, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedCertificateTimestamp<'b> {
    /// 0 for the version of RFC 6962.
    pub version: u8,
    /// The SHA-256 of the log's public key.
    pub log_id: &'b [u8; 32],
    /// When it was promised, in milliseconds since 1970.
    pub timestamp: u64,
    /// Nothing, so far.
    pub extensions: &'b [u8],
    /// The hash of the signature.
    pub hash: HashAlgorithm,
    /// The kind of the signature.
    pub signature_algorithm: SignatureAlgorithm,
    /// The signature.
    pub signature: &'b [u8],
}

pub(super) fn read_schemes<T: Trace>(
    reader: &mut Reader<'_, T>,
) -> Result<Vec<SignatureScheme>, DecodeError> {
    reader.vector16("supported_signature_algorithms", |reader| {
        reader.codes("signature_scheme")
    })
}

/// Reads SCTs. Each stays as bytes, since a log may write what is not known here, but the tree has what
/// is in it.
pub(super) fn read_timestamps<'b, T: Trace>(
    reader: &mut Reader<'b, T>,
) -> Result<Vec<&'b [u8]>, DecodeError> {
    reader.vector16("sct_list", |reader| {
        reader.list(|reader| {
            reader.group("sct", |reader| {
                let length = reader.length::<2>("sct")?;
                let bytes = reader.peek().get(..length).unwrap_or_default();
                // What is wrong with it is in the tree, and comes again when it is decoded.
                let _ = reader.enclosed("sct", length, SignedCertificateTimestamp::read);
                Ok(bytes)
            })
        })
    })
}

pub(super) fn write_timestamps(timestamps: &[&[u8]], writer: &mut Writer) {
    writer.vector16("sct_list", |writer| {
        for timestamp in timestamps {
            writer.opaque16("sct", timestamp);
        }
    });
}

impl<'b> OidFilter<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        reader.group("oid_filter", |reader| {
            Ok(Self {
                certificate_extension_oid: reader.opaque8("certificate_extension_oid")?,
                certificate_extension_values: reader.opaque16("certificate_extension_values")?,
            })
        })
    }
}

impl Encode for OidFilter<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.opaque8("certificate_extension_oid", self.certificate_extension_oid);
        writer.opaque16(
            "certificate_extension_values",
            self.certificate_extension_values,
        );
    }
}

impl<'b> DelegatedCredential<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            valid_time: reader.u32("valid_time")?,
            expected_cert_verify_algorithm: reader.code("dc_cert_verify_algorithm")?,
            public_key: reader.opaque24("ASN.1_subjectPublicKeyInfo")?,
            algorithm: reader.code("algorithm")?,
            signature: reader.opaque16("signature")?,
        })
    }
}

impl Encode for DelegatedCredential<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.u32(self.valid_time);
        writer.code(self.expected_cert_verify_algorithm);
        writer.opaque24("ASN.1_subjectPublicKeyInfo", self.public_key);
        writer.code(self.algorithm);
        writer.opaque16("signature", self.signature);
    }
}

impl<'b> SignedCertificateTimestamp<'b> {
    /// The SCT that `bytes` are.
    ///
    /// # Errors
    ///
    /// They are not exactly one of RFC 6962.
    pub fn decode(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes, ()).enclosed("sct", bytes.len(), Self::read)
    }

    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: reader.u8("sct_version")?,
            log_id: reader.array("id")?,
            timestamp: reader.u64("timestamp")?,
            extensions: reader.opaque16("extensions")?,
            hash: reader.code("hash")?,
            signature_algorithm: reader.code("signature_algorithm")?,
            signature: reader.opaque16("signature")?,
        })
    }
}
