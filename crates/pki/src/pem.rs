//! PEM files (RFC 7468), read so that an error says what is wrong and where.
//!
//! The usual readers skip what they do not know, so that a key given for a certificate becomes
//! "no certificate found". This one keeps labels, block numbers and lines. Bare DER is taken too.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

use crate::certificate::{Certificate, CertificateError};

/// Reads the certificates of a file, in their order. Blocks of other kinds, as in a file that also
/// holds the key, are passed over; every certificate is checked to be one.
///
/// # Errors
///
/// There is no certificate, or one of them is damaged. Never returns an empty list.
pub fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    if looks_like_der(bytes) {
        check_certificate(bytes, 1, None)?;
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    certificates_of(bytes, |der, number, line| {
        check_certificate(der, number, Some(line))
    })
}

/// The same, without a look into the certificates: of a bundle of hundreds of roots, one is asked for.
///
/// # Errors
///
/// There is no certificate, or a block is damaged. Whether they can be read is for who reads them.
pub fn unread_certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    if looks_like_der(bytes) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    certificates_of(bytes, |_, _, _| Ok(()))
}

fn certificates_of(
    bytes: &[u8],
    check: impl Fn(&[u8], usize, usize) -> Result<(), PemError>,
) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let blocks = blocks(bytes)?;
    let mut certificates = Vec::new();
    for block in &blocks {
        // The second label is what OpenSSL wrote before 0.9 (RFC 7468, section 5.2).
        if matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE") {
            let der = block.decode()?;
            check(&der, certificates.len() + 1, block.line)?;
            certificates.push(CertificateDer::from(der));
        }
    }
    if certificates.is_empty() {
        return Err(PemError::NoCertificate {
            found: labels(&blocks),
        });
    }
    Ok(certificates)
}

/// Reads the one private key of a file: PKCS#8 (RFC 5208), SEC1 (RFC 5915) or PKCS#1 (RFC 8017).
/// Blocks of other kinds are passed over.
///
/// # Errors
///
/// There is no key, there are several, or the key is encrypted. Whether the key is sound is only
/// known once it is used: see [`crate::PrivateKey::from_der`].
pub fn private_key(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    if looks_like_der(bytes) {
        return PrivateKeyDer::try_from(bytes.to_vec()).map_err(|_| PemError::NoKey {
            found: "DER that is no private key".to_owned(),
        });
    }
    let blocks = blocks(bytes)?;
    let mut keys = blocks.iter().filter(|b| b.label.ends_with("PRIVATE KEY"));
    let Some(block) = keys.next() else {
        return Err(PemError::NoKey {
            found: labels(&blocks),
        });
    };
    if let Some(second) = keys.next() {
        return Err(PemError::SeveralKeys { line: second.line });
    }
    if block.label == "ENCRYPTED PRIVATE KEY" || block.encrypted {
        return Err(PemError::EncryptedKey { line: block.line });
    }
    match block.label.as_str() {
        "PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(block.decode()?).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(block.decode()?).into()),
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(block.decode()?).into()),
        other => Err(PemError::UnsupportedKey {
            label: other.to_owned(),
            line: block.line,
        }),
    }
}

/// Reads the one certificate request (RFC 2986) of a file. Blocks of other kinds are passed over.
///
/// # Errors
///
/// There is none. Whether it is sound is [`crate::CertificateRequest::from_der`]'s question.
pub fn certificate_request(bytes: &[u8]) -> Result<Vec<u8>, PemError> {
    if looks_like_der(bytes) {
        return Ok(bytes.to_vec());
    }
    let blocks = blocks(bytes)?;
    // The second label is what Netscape and Microsoft wrote (RFC 7468, section 7).
    let block = blocks.iter().find(|block| {
        matches!(
            block.label.as_str(),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST"
        )
    });
    match block {
        Some(block) => block.decode(),
        None => Err(PemError::NoRequest {
            found: labels(&blocks),
        }),
    }
}

/// Reads the first block that has one of these labels; none where there is no such block.
///
/// # Errors
///
/// The file is no PEM, or the block is damaged.
pub fn first(bytes: &[u8], labels: &[&str]) -> Result<Option<Vec<u8>>, PemError> {
    let blocks = blocks(bytes)?;
    let block = blocks
        .iter()
        .find(|block| labels.contains(&block.label.as_str()));
    block.map(Block::decode).transpose()
}

/// Writes `der` as one block.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut left = body.as_str();
    while !left.is_empty() {
        let (line, rest) = left.split_at(left.len().min(64));
        text.push_str(line);
        text.push('\n');
        left = rest;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// Why a file does not give the certificates or the key that were asked of it.
///
/// Lines and numbers of blocks count from 1. No variant holds key material.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PemError {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// There is no `-----BEGIN …-----` line, nor does it look like DER.
    #[error("there is no \"-----BEGIN …-----\" line in it, so it is not a PEM file")]
    NoBlock,
    /// The text is UTF-16, as some editors and shells on Windows write it.
    #[error("it is written in UTF-16, while PEM files are plain ASCII text")]
    Utf16,
    /// A block is never closed, mostly because the file was cut off.
    #[error("the block \"{label}\" that begins in line {line} has no matching END line")]
    NoEnd {
        /// The block's label.
        label: String,
        /// The line of its BEGIN.
        line: usize,
    },
    /// What is between BEGIN and END is not base64.
    #[error("the block \"{label}\" that begins in line {line} is not valid base64")]
    BadBase64 {
        /// The block's label.
        label: String,
        /// The line of its BEGIN.
        line: usize,
    },
    /// There are blocks, but no certificate is among them.
    #[error("it holds no certificate but {found}")]
    NoCertificate {
        /// What it holds, in words.
        found: String,
    },
    /// There are blocks, but no certificate request is among them.
    #[error("it holds no certificate request but {found}")]
    NoRequest {
        /// What it holds, in words.
        found: String,
    },
    /// A block is labelled a certificate and is none.
    #[error("certificate number {number}{} is damaged", at_line(*line))]
    BadCertificate {
        /// Which of the file's certificates.
        number: usize,
        /// The line of its BEGIN; none in a DER file.
        line: Option<usize>,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// There are blocks, but no private key is among them.
    #[error("it holds no private key but {found}")]
    NoKey {
        /// What it holds, in words.
        found: String,
    },
    /// There are two keys or more, and nothing says which one is meant.
    #[error("it holds several private keys, the second one in line {line}")]
    SeveralKeys {
        /// The line where the second begins.
        line: usize,
    },
    /// The key is protected by a passphrase.
    #[error("the private key in line {line} is encrypted with a passphrase")]
    EncryptedKey {
        /// The line of its BEGIN.
        line: usize,
    },
    /// A key of a kind that TLS servers do not use, DSA or OpenSSH's own format.
    #[error("the private key in line {line} is a \"{label}\", which is not supported")]
    UnsupportedKey {
        /// The block's label.
        label: String,
        /// The line of its BEGIN.
        line: usize,
    },
}

impl PemError {
    /// The line that it is about.
    pub(crate) fn line(&self) -> Option<usize> {
        match self {
            Self::BadCertificate { line, .. } => *line,
            Self::NoEnd { line, .. }
            | Self::BadBase64 { line, .. }
            | Self::SeveralKeys { line }
            | Self::EncryptedKey { line }
            | Self::UnsupportedKey { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::EncryptedKey { .. } => {
                Some("decrypt it: openssl pkey -in encrypted.pem -out key.pem")
            }
            Self::Utf16 => Some("convert it: iconv -f UTF-16 -t ASCII in.pem > out.pem"),
            Self::UnsupportedKey { label, .. } if label.starts_with("OPENSSH") => {
                Some("convert it: ssh-keygen -p -N \"\" -m PKCS8 -f key.pem")
            }
            _ => None,
        }
    }
}

/// One block, not decoded yet: what is not asked for may be broken without harm.
pub(crate) struct Block<'f> {
    pub(crate) label: String,
    /// The line of BEGIN, from 1.
    pub(crate) line: usize,
    /// Everything between BEGIN and END but headers.
    body: Vec<&'f [u8]>,
    /// Whether there is a `Proc-Type: 4,ENCRYPTED` header (RFC 1421).
    pub(crate) encrypted: bool,
    /// What its `DEK-Info` header says (RFC 1421, section 4.6.1.3).
    pub(crate) dek_info: Option<String>,
}

impl Block<'_> {
    pub(crate) fn decode(&self) -> Result<Vec<u8>, PemError> {
        let mut body = self.body.concat();
        body.retain(|octet| !octet.is_ascii_whitespace());
        BASE64.decode(body).map_err(|_| PemError::BadBase64 {
            label: self.label.clone(),
            line: self.line,
        })
    }
}

/// Cuts a file into its blocks. Text around them is explanation (RFC 7468, section 5.2) and passed
/// over. A file without any is an error, and so is one with a block that is not whole.
pub(crate) fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, PemError> {
    let blocks: Vec<Block<'_>> = scan(bytes)?.into_iter().collect::<Result<_, _>>()?;
    if blocks.is_empty() {
        return Err(PemError::NoBlock);
    }
    Ok(blocks)
}

/// Cuts a file into its blocks, as far as it can: one that is not whole does not hide the others.
pub(crate) fn scan(bytes: &[u8]) -> Result<Vec<Result<Block<'_>, PemError>>, PemError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(PemError::Empty);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(PemError::Utf16);
    }
    // Notepad's byte order mark would otherwise hide the first BEGIN.
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (line, number) in Lines(bytes).zip(1..) {
        let line = line.trim_ascii();
        if let Some(label) = boundary(line, b"-----BEGIN ") {
            blocks.extend(open.take().map(|block| Err(block.without_end())));
            open = Some(Block {
                label,
                line: number,
                body: Vec::new(),
                encrypted: false,
                dek_info: None,
            });
        } else if let Some(mut block) = open.take() {
            match boundary(line, b"-----END ") {
                Some(label) if label == block.label => blocks.push(Ok(block)),
                Some(_) => blocks.push(Err(block.without_end())),
                None => {
                    if line.contains(&b':') {
                        block.encrypted |=
                            line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
                        if let Some(info) = line.strip_prefix(b"DEK-Info:") {
                            let info = String::from_utf8_lossy(info.trim_ascii());
                            block.dek_info = Some(info.into_owned());
                        }
                    } else {
                        block.body.push(line);
                    }
                    open = Some(block);
                }
            }
        }
    }
    blocks.extend(open.map(|block| Err(block.without_end())));
    Ok(blocks)
}

/// Lines as any system ends them: with LF, CR LF or, as the Macintosh did, CR; in one file mixed.
struct Lines<'f>(&'f [u8]);

impl<'f> Iterator for Lines<'f> {
    type Item = &'f [u8];

    fn next(&mut self) -> Option<&'f [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self
            .0
            .iter()
            .position(|octet| matches!(octet, b'\n' | b'\r'));
        let end = end.unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => rest,
        };
        Some(line)
    }
}

impl Block<'_> {
    fn without_end(self) -> PemError {
        PemError::NoEnd {
            label: self.label,
            line: self.line,
        }
    }
}

/// The label of a BEGIN or END line.
fn boundary(line: &[u8], start: &[u8]) -> Option<String> {
    let label = line.strip_prefix(start)?.strip_suffix(b"-----")?;
    // Labels go into messages: nothing but printable ASCII may pass (RFC 7468, section 3).
    label
        .iter()
        .all(|octet| (b' '..=b'~').contains(octet))
        .then(|| String::from_utf8_lossy(label).into_owned())
}

/// What a file holds, in words: `a "PRIVATE KEY"`.
pub(crate) fn labels(blocks: &[Block<'_>]) -> String {
    let mut labels: Vec<String> = Vec::new();
    for block in blocks {
        let label = format!("\"{}\"", block.label);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels.join(", ")
}

/// A DER certificate or key is a SEQUENCE. Its second octet is its length if that is below 128, or
/// has the high bit set (ITU-T X.690, 8.1.3), which no ASCII text has there.
pub(crate) fn looks_like_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, length, rest @ ..] if *length >= 0x80 || usize::from(*length) == rest.len())
}

fn check_certificate(der: &[u8], number: usize, line: Option<usize>) -> Result<(), PemError> {
    Certificate::from_der(der)
        .map(drop)
        .map_err(|source| PemError::BadCertificate {
            number,
            line,
            source,
        })
}

fn at_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", in line {line},"))
}

/// Standard base64; padding may be missing, as some tools drop it.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
