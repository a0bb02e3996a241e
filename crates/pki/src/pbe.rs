//! Encryption under a passphrase, as encrypted PKCS#8 and PKCS#12 have it: PBES2 (RFC 8018) and the
//! older schemes of PKCS#12 (RFC 7292, appendix C).
//!
//! A file says by itself how much work it takes to unlock; `Work` bounds that. Whether what comes out
//! makes sense is its caller's business: most of these schemes cannot tell.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::passphrase::Passphrase;

pub(crate) mod cipher;
pub(crate) mod kdf;

use cipher::Cipher;
use kdf::{Hash, Purpose};

/// Why something encrypted under a passphrase cannot be read, or made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PbeError {
    /// The description of the encryption is malformed.
    #[error("the description of the encryption is damaged")]
    Parameters(#[from] DerError),
    /// What is encrypted has a length that it cannot have.
    #[error("what is encrypted is damaged: {octets} bytes are no whole number of blocks")]
    Length {
        /// Its length.
        octets: usize,
    },
    /// A scheme, cipher or hash that is not known, or too weak to be kept alive.
    #[error("it is encrypted with \"{algorithm}\", which is not supported")]
    Unsupported {
        /// Its name in the standards, or its object identifier.
        algorithm: String,
    },
    /// Parameters that contradict each other, or that nobody writes.
    #[error("the parameters of its encryption make no sense: {problem}")]
    Nonsense {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// It would take too long, or too much memory, to try a passphrase.
    #[error("trying a passphrase would take more work than any honest file asks for")]
    TooCostly,
    /// The passphrase does not fit; or, where the format cannot tell, what is encrypted is damaged.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The system gave no randomness.
    #[error("nothing can be encrypted: the system gave no randomness")]
    NoRandomness,
}

impl PbeError {
    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unsupported { .. } => Some(
                "encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy \
                 -provider default -in old.pem -out new.pem",
            ),
            _ => None,
        }
    }
}

/// How much work a file may cause, all its parts together.
///
/// Counted in rounds of PBKDF2 with SHA-256, a million of which take 0.13 s on an AMD EPYC with its
/// instructions for that: what is allowed takes 6.5 s. It is enough for thirty keys of a JCEKS.
#[derive(Debug)]
pub(crate) struct Work {
    left: u64,
}

impl Work {
    pub(crate) fn for_a_file() -> Self {
        // A fuzzer finds nothing while it hashes.
        let left = if cfg!(fuzzing) { 5_000 } else { 50_000_000 };
        Self { left }
    }

    /// Takes what is about to be done from what is left.
    pub(crate) fn spend(&mut self, rounds: u64) -> Result<(), PbeError> {
        self.left = self.left.checked_sub(rounds).ok_or(PbeError::TooCostly)?;
        Ok(())
    }
}

/// A passphrase in the two forms that the schemes want it in.
pub(crate) struct Secret {
    octets: Zeroizing<Vec<u8>>,
    /// UTF-16 with a zero behind it (RFC 7292, appendix B.1).
    utf16: Zeroizing<Vec<u8>>,
}

impl Secret {
    pub(crate) fn new(passphrase: &Passphrase) -> Self {
        let mut utf16 = passphrase.utf16();
        utf16.extend_from_slice(&[0, 0]);
        Self {
            octets: Zeroizing::new(passphrase.as_bytes().to_vec()),
            utf16,
        }
    }

    /// What it may mean: an empty passphrase is a lone zero to most programs, and nothing at all,
    /// "no passphrase", to Windows and Java. Each tries both.
    pub(crate) fn readings(passphrase: &Passphrase) -> Vec<Self> {
        let mut readings = vec![Self::new(passphrase)];
        if passphrase.is_empty() {
            readings.push(Self {
                octets: Zeroizing::default(),
                utf16: Zeroizing::default(),
            });
        }
        readings
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(crate) fn utf16(&self) -> &[u8] {
        &self.utf16
    }
}

/// An encryption for new files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scheme {
    /// PBES2: AES-256-CBC under PBKDF2-HMAC-SHA256.
    Pbkdf2 { iterations: u32 },
    /// PBES2: AES-256-CBC under scrypt (RFC 7914).
    Scrypt,
    /// `pbeWithSHAAnd3-KeyTripleDES-CBC` (RFC 7292, appendix C), for those that read nothing better.
    TripleDes { iterations: u32 },
}

/// Encrypts: gives the `AlgorithmIdentifier` in DER and what is encrypted.
pub(crate) fn encrypt(
    scheme: Scheme,
    plain: &[u8],
    secret: &Secret,
) -> Result<(Vec<u8>, Vec<u8>), PbeError> {
    let salt: [u8; 16] = random()?;
    let mut algorithm = Writer::new();
    let (cipher, key, iv) = match scheme {
        Scheme::TripleDes { iterations } => {
            algorithm.sequence(|w| {
                w.primitive(Tag::OBJECT_IDENTIFIER, PBE_SHA1_3DES);
                w.sequence(|w| {
                    w.octet_string(&salt);
                    w.unsigned(iterations.into());
                });
            });
            let derive = |purpose, octets| {
                kdf::pkcs12(
                    Hash::Sha1,
                    purpose,
                    secret.utf16(),
                    &salt,
                    iterations,
                    octets,
                )
            };
            let cipher = Cipher::TripleDes;
            (
                cipher,
                derive(Purpose::Key, 24),
                derive(Purpose::Iv, 8).to_vec(),
            )
        }
        Scheme::Pbkdf2 { .. } | Scheme::Scrypt => {
            let iv: [u8; 16] = random()?;
            let cipher = Cipher::Aes256;
            let mut key = Zeroizing::new(vec![0; cipher.key_octets()]);
            algorithm.sequence(|w| {
                w.primitive(Tag::OBJECT_IDENTIFIER, PBES2);
                w.sequence(|w| {
                    match scheme {
                        Scheme::Pbkdf2 { iterations } => w.sequence(|w| {
                            w.primitive(Tag::OBJECT_IDENTIFIER, PBKDF2);
                            pbkdf2_parameters(w, &salt, iterations, None);
                        }),
                        _ => w.sequence(|w| {
                            w.primitive(Tag::OBJECT_IDENTIFIER, SCRYPT);
                            w.sequence(|w| {
                                w.octet_string(&salt);
                                w.unsigned(1 << SCRYPT_LOG_N);
                                w.unsigned(SCRYPT_R.into());
                                w.unsigned(SCRYPT_P.into());
                            });
                        }),
                    }
                    w.sequence(|w| {
                        w.primitive(Tag::OBJECT_IDENTIFIER, cipher::AES_256_CBC);
                        w.octet_string(&iv);
                    });
                });
            });
            match scheme {
                Scheme::Pbkdf2 { iterations } => {
                    kdf::pbkdf2(Hash::Sha256, secret.octets(), &salt, iterations, &mut key);
                }
                _ => kdf::scrypt(
                    secret.octets(),
                    &salt,
                    (SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P),
                    &mut key,
                )?,
            }
            (cipher, key, iv.to_vec())
        }
    };
    let encrypted = cipher.encrypt(&key, &iv, plain)?;
    Ok((algorithm.into_bytes(), encrypted))
}

/// `PBKDF2-params` (RFC 8018, appendix A.2) with HMAC-SHA256. The key's length is left out where the
/// cipher tells it.
pub(crate) fn pbkdf2_parameters(
    writer: &mut Writer,
    salt: &[u8],
    iterations: u32,
    key_octets: Option<u64>,
) {
    writer.sequence(|w| {
        w.octet_string(salt);
        w.unsigned(iterations.into());
        if let Some(octets) = key_octets {
            w.unsigned(octets);
        }
        w.sequence(|w| {
            w.primitive(Tag::OBJECT_IDENTIFIER, kdf::HMAC_SHA256);
            w.null();
        });
    });
}

/// Decrypts what an `AlgorithmIdentifier` describes. A wrong passphrase is found by the padding, which
/// one in 256 passes: the caller has to look at what it gets.
pub(crate) fn decrypt(
    algorithm: Element<'_>,
    encrypted: &[u8],
    secret: &Secret,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    let (oid, mut parameters) = identifier(algorithm)?;
    let parameters = parameters.sequence();
    match oid.content {
        PBES2 => {
            let mut parameters = parameters?;
            let derivation = parameters.expect(Tag::SEQUENCE)?;
            let (cipher, iv) = cipher::read(parameters.expect(Tag::SEQUENCE)?)?;
            parameters.finish()?;
            let key = derive(derivation, cipher.key_octets(), secret, work)?;
            cipher.decrypt(&key, &iv, encrypted)
        }
        PBE_SHA1_3DES | PBE_SHA1_2DES | PBE_SHA1_RC2_128 | PBE_SHA1_RC2_40 => {
            let cipher = match oid.content {
                PBE_SHA1_3DES => Cipher::TripleDes,
                PBE_SHA1_2DES => Cipher::TwoKeyTripleDes,
                PBE_SHA1_RC2_128 => Cipher::Rc2 { key: 16, bits: 128 },
                _ => Cipher::Rc2 { key: 5, bits: 40 },
            };
            let mut parameters = parameters?;
            let salt = salt(parameters.expect(Tag::OCTET_STRING)?)?;
            let iterations = iterations(parameters.expect(Tag::INTEGER)?)?;
            parameters.finish()?;
            let mut derive = |purpose, octets| {
                work.spend(kdf::pkcs12_rounds(Hash::Sha1, iterations, octets))?;
                let key = kdf::pkcs12(
                    Hash::Sha1,
                    purpose,
                    secret.utf16(),
                    salt,
                    iterations,
                    octets,
                );
                Ok::<_, PbeError>(key)
            };
            let key = derive(Purpose::Key, cipher.key_octets())?;
            let iv = derive(Purpose::Iv, 8)?;
            cipher.decrypt(&key, &iv, encrypted)
        }
        _ => Err(unsupported(oid)),
    }
}

/// Derives a key as a `keyDerivationFunc` of PBES2 or PBMAC1 says.
pub(crate) fn derive(
    derivation: Element<'_>,
    octets: usize,
    secret: &Secret,
    work: &mut Work,
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    let (oid, mut parameters) = identifier(derivation)?;
    let mut key = Zeroizing::new(vec![0; octets]);
    match oid.content {
        PBKDF2 => {
            let mut parameters = parameters.sequence()?;
            let salt = salt(parameters.expect(Tag::OCTET_STRING)?)?;
            let iterations = iterations(parameters.expect(Tag::INTEGER)?)?;
            key_length(&mut parameters, octets)?;
            let hash = match parameters.optional(Tag::SEQUENCE)? {
                Some(prf) => Hash::of_hmac(prf)?,
                None => Hash::Sha1,
            };
            parameters.finish()?;
            let blocks = octets.div_ceil(hash.octets()) as u64;
            work.spend(u64::from(iterations) * blocks * hash.weight())?;
            kdf::pbkdf2(hash, secret.octets(), salt, iterations, &mut key);
        }
        SCRYPT => {
            let mut parameters = parameters.sequence()?;
            let salt = salt(parameters.expect(Tag::OCTET_STRING)?)?;
            let mut number = || parameters.expect(Tag::INTEGER)?.unsigned();
            let (n, r, p) = (number()?, number()?, number()?);
            key_length(&mut parameters, octets)?;
            parameters.finish()?;
            let cost = kdf::scrypt_cost(n, r, p)?;
            work.spend(cost.rounds)?;
            kdf::scrypt(secret.octets(), salt, cost.parameters, &mut key)?;
        }
        _ => return Err(unsupported(oid)),
    }
    Ok(key)
}

/// The two parts of an `AlgorithmIdentifier` (RFC 5280, section 4.1.1.2).
pub(crate) fn identifier(algorithm: Element<'_>) -> Result<(Element<'_>, Reader<'_>), DerError> {
    let mut parts = algorithm.tagged(Tag::SEQUENCE)?.reader();
    Ok((parts.expect(Tag::OBJECT_IDENTIFIER)?, parts))
}

pub(crate) fn unsupported(oid: Element<'_>) -> PbeError {
    match OLD.iter().find(|(content, _)| *content == oid.content) {
        Some((_, name)) => PbeError::Unsupported {
            algorithm: (*name).to_owned(),
        },
        None => oid
            .oid()
            .map_or_else(PbeError::Parameters, |oid| PbeError::Unsupported {
                algorithm: oid.name_or_dots(),
            }),
    }
}

/// A salt, of which the key derivation of PKCS#12 makes as many copies as it needs.
pub(crate) fn salt(element: Element<'_>) -> Result<&[u8], PbeError> {
    if element.content.len() > 1024 {
        return Err(PbeError::Nonsense {
            problem: "its salt is longer than 1024 bytes",
        });
    }
    Ok(element.content)
}

/// How often is hashed. More than 32 bits are more than is allowed in any case.
pub(crate) fn iterations(element: Element<'_>) -> Result<u32, PbeError> {
    match element.unsigned() {
        Ok(0) => Err(PbeError::Nonsense {
            problem: "its number of iterations is zero",
        }),
        Ok(iterations) => u32::try_from(iterations).map_err(|_| PbeError::TooCostly),
        Err(error) if error.problem == DerProblem::OutOfRange => Err(PbeError::TooCostly),
        Err(error) => Err(error.into()),
    }
}

/// A `keyLength`, which may only say what is known.
fn key_length(parameters: &mut Reader<'_>, octets: usize) -> Result<(), PbeError> {
    match parameters.optional(Tag::INTEGER)? {
        Some(length) if length.unsigned()? != octets as u64 => Err(PbeError::Nonsense {
            problem: "its key is not of the length that the cipher takes",
        }),
        _ => Ok(()),
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], PbeError> {
    let mut octets = [0; N];
    rand::fill(&mut octets).map_err(|_| PbeError::NoRandomness)?;
    Ok(octets)
}

/// What OpenSSL 3 reads without being told to use more memory: 16 MiB. A step up needs `-scrypt_N`'s
/// counterpart on the other side, which `openssl pkey` does not have.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;

// RFC 8018, appendices A and C; RFC 7914, section 7.
const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
pub(crate) const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const SCRYPT: &[u8] = b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";

// RFC 7292, appendix C.
const PBE_SHA1_3DES: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03";
const PBE_SHA1_2DES: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x04";
const PBE_SHA1_RC2_128: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x05";
const PBE_SHA1_RC2_40: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x06";

/// What is refused by name: DES and RC4 were broken long ago, and openssl converts them.
const OLD: &[(&[u8], &str)] = &[
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x01",
        "pbeWithMD2AndDES-CBC",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x03",
        "pbeWithMD5AndDES-CBC",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x04",
        "pbeWithMD2AndRC2-CBC",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x06",
        "pbeWithMD5AndRC2-CBC",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0a",
        "pbeWithSHA1AndDES-CBC",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0b",
        "pbeWithSHA1AndRC2-CBC",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x01",
        "pbeWithSHAAnd128BitRC4",
    ),
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x02",
        "pbeWithSHAAnd40BitRC4",
    ),
    (b"\x2b\x0e\x03\x02\x07", "desCBC"),
];
