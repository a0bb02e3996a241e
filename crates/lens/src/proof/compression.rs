//! Certificates that were compressed, in full again (RFC 8879).

use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use ravelin_wire::handshake::CompressedCertificate;
use ravelin_wire::registry::CertificateCompression;

/// Why a certificate message cannot be had in full.
#[derive(Debug, thiserror::Error)]
pub enum DecompressError {
    /// The way that it is compressed is not known here.
    #[error("compression by \"{algorithm}\" is not known here")]
    Unknown {
        /// The way.
        algorithm: CertificateCompression,
    },
    /// It would be longer than is read.
    #[error("the certificate message would have {octets} octets, and at most {limit} are read")]
    TooLong {
        /// How many octets it says it has.
        octets: usize,
        /// How many are read.
        limit: usize,
    },
    /// What is compressed is longer or shorter than it says (RFC 8879, section 4).
    #[error("the certificate message has not the {octets} octets that it says")]
    OtherLength {
        /// How many octets it says it has.
        octets: usize,
    },
    /// It is not what the algorithm makes.
    #[error("the certificate message cannot be decompressed by \"{algorithm}\"")]
    Damaged {
        /// The algorithm.
        algorithm: CertificateCompression,
        /// What it says.
        source: io::Error,
    },
}

/// The body of the `Certificate` message that was compressed, for
/// [`Certificate::decode_tls13`](ravelin_wire::handshake::Certificate::decode_tls13). Not more than `limit`
/// octets are ever made of it.
///
/// # Errors
///
/// The algorithm is not known, or the message is too long, damaged, or not of the length that it says.
pub fn decompress(
    message: &CompressedCertificate<'_>,
    limit: usize,
) -> Result<Vec<u8>, DecompressError> {
    let octets = message.uncompressed_length as usize;
    if octets > limit {
        return Err(DecompressError::TooLong { octets, limit });
    }
    let algorithm = message.algorithm;
    let compressed = message.compressed_certificate_message;
    let decompressed = match algorithm {
        CertificateCompression::ZLIB => at_most(octets, ZlibDecoder::new(compressed)),
        CertificateCompression::BROTLI => {
            let brotli = brotli_decompressor::Decompressor::new(compressed, BUFFER_OCTETS);
            at_most(octets, brotli)
        }
        CertificateCompression::ZSTD => zstd::stream::read::Decoder::new(compressed)
            .and_then(|mut decoder| {
                decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
                Ok(decoder)
            })
            .and_then(|decoder| at_most(octets, decoder)),
        _ => return Err(DecompressError::Unknown { algorithm }),
    };
    let decompressed =
        decompressed.map_err(|source| DecompressError::Damaged { algorithm, source })?;
    if decompressed.len() == octets {
        Ok(decompressed)
    } else {
        Err(DecompressError::OtherLength { octets })
    }
}

const BUFFER_OCTETS: usize = 4096;

/// 8 MiB, which RFC 8878 recommends that everybody can read (section 3.1.1.1.2).
const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// All that there is to read, or one octet more than so many.
fn at_most(octets: usize, reader: impl Read) -> io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    let most = (octets as u64).saturating_add(1);
    reader.take(most).read_to_end(&mut decompressed)?;
    Ok(decompressed)
}
