//! Hashes of whatever can be read: SHA-2 and SHA-3 by aws-lc (but SHA3-224, which it keeps to itself), BLAKE3 by the
//! crate of its authors.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use aws_lc_rs::digest::{self, Context};
use sha3::{Digest as _, Sha3_224};

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Algorithm {
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256, which everyone knows.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/256.
    Sha512Of256,
    /// SHA3-224 (FIPS 202).
    Sha3Of224,
    /// SHA3-256.
    Sha3Of256,
    /// SHA3-384.
    Sha3Of384,
    /// SHA3-512.
    Sha3Of512,
    /// BLAKE3 with 256 bits, the fastest of all.
    Blake3,
}

/// Why a text names no hash function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a hash; there are: {}", Algorithm::ALL.map(|(name, _, _)| name).join(", "))]
pub struct AlgorithmError {
    /// The text.
    pub text: String,
}

impl Algorithm {
    /// All of them: what commands call them, and what lists with tags do.
    pub const ALL: [(&'static str, &'static str, Self); 10] = [
        ("sha224", "SHA224", Self::Sha224),
        ("sha256", "SHA256", Self::Sha256),
        ("sha384", "SHA384", Self::Sha384),
        ("sha512", "SHA512", Self::Sha512),
        ("sha512-256", "SHA512/256", Self::Sha512Of256),
        ("sha3-224", "SHA3-224", Self::Sha3Of224),
        ("sha3-256", "SHA3-256", Self::Sha3Of256),
        ("sha3-384", "SHA3-384", Self::Sha3Of384),
        ("sha3-512", "SHA3-512", Self::Sha3Of512),
        ("blake3", "BLAKE3", Self::Blake3),
    ];

    /// What lists with tags call it: `SHA256`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, _, known)| *known == self);
        named.map_or("", |(_, tag, _)| tag)
    }

    /// The one that a tag stands for; OpenSSL's are taken too (`SHA2-256`).
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag
            .strip_prefix("SHA2-")
            .map_or_else(|| tag.to_owned(), |bits| format!("SHA{bits}"));
        let named = Self::ALL.iter().find(|(_, known, _)| *known == tag);
        named.map(|(_, _, algorithm)| *algorithm)
    }

    /// How many octets a digest has.
    #[must_use]
    pub fn octets(self) -> usize {
        match self.engine() {
            Engine::Aws(aws) => aws.output_len(),
            Engine::Sha3Of224 => 28,
            Engine::Blake3 => blake3::OUT_LEN,
        }
    }

    /// Who works it out.
    fn engine(self) -> Engine {
        Engine::Aws(match self {
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha512Of256 => &digest::SHA512_256,
            Self::Sha3Of224 => return Engine::Sha3Of224,
            Self::Sha3Of256 => &digest::SHA3_256,
            Self::Sha3Of384 => &digest::SHA3_384,
            Self::Sha3Of512 => &digest::SHA3_512,
            Self::Blake3 => return Engine::Blake3,
        })
    }
}

enum Engine {
    Aws(&'static digest::Algorithm),
    Sha3Of224,
    Blake3,
}

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        let lower = text.to_ascii_lowercase();
        let named = Self::ALL.iter().find(|(name, _, _)| *name == lower);
        named
            .map(|(_, _, algorithm)| *algorithm)
            .or_else(|| Self::of_tag(&text.to_ascii_uppercase().replace("SHA-", "SHA")))
            .ok_or_else(|| AlgorithmError {
                text: text.to_owned(),
            })
    }
}

/// The name that commands take.
impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, _, known)| known == self);
        f.write_str(named.map_or("", |(name, _, _)| name))
    }
}

/// What a hash function makes of something. `Display` writes it in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest(Vec<u8>);

impl Digest {
    /// Its octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads hexadecimal of either case; none where it is anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let digit = |digit: u8| (digit as char).to_digit(16);
        let octets = pairs
            .iter()
            .map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8));
        (rest.is_empty() && !pairs.is_empty())
            .then(|| octets.collect::<Option<_>>().map(Self))
            .flatten()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A hash that is being worked out.
pub struct Hasher(State);

enum State {
    Aws(Context),
    Sha3Of224(Box<Sha3_224>),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// Begins.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm.engine() {
            Engine::Aws(aws) => State::Aws(Context::new(aws)),
            Engine::Sha3Of224 => State::Sha3Of224(Box::default()),
            Engine::Blake3 => State::Blake3(Box::new(blake3::Hasher::new())),
        })
    }

    /// Takes what follows.
    pub fn update(&mut self, octets: &[u8]) {
        match &mut self.0 {
            State::Aws(context) => context.update(octets),
            State::Sha3Of224(hasher) => hasher.update(octets),
            State::Blake3(hasher) => {
                hasher.update(octets);
            }
        }
    }

    /// The digest of all that was taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Aws(context) => context.finish().as_ref().to_vec(),
            State::Sha3Of224(hasher) => hasher.finalize().to_vec(),
            State::Blake3(hasher) => hasher.finalize().as_bytes().to_vec(),
        })
    }
}

/// The digest of all that can be read.
pub fn of(algorithm: Algorithm, input: &mut dyn Read) -> io::Result<Digest> {
    let digests = of_several(&[algorithm], input)?;
    digests
        .into_iter()
        .next()
        .ok_or_else(|| io::ErrorKind::Other.into())
}

/// The digests by several functions of all that can be read, which is read once.
pub fn of_several(algorithms: &[Algorithm], input: &mut dyn Read) -> io::Result<Vec<Digest>> {
    let mut hashers: Vec<_> = algorithms.iter().copied().map(Hasher::new).collect();
    let mut buffer = vec![0; BUFFER];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(hashers.into_iter().map(Hasher::finish).collect()),
            Ok(read) => hashers
                .iter_mut()
                .for_each(|hasher| hasher.update(&buffer[..read])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// As much as BLAKE3 needs to use all of its vectors, and what fits into the cache of a core.
const BUFFER: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// Of "abc": FIPS 180-4 and FIPS 202 (the examples that NIST publishes), and BLAKE3's reference.
    const OF_ABC: [(Algorithm, &str); 10] = [
        (
            Algorithm::Sha224,
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        ),
        (
            Algorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Algorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Algorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            Algorithm::Sha512Of256,
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        ),
        (
            Algorithm::Sha3Of224,
            "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
        ),
        (
            Algorithm::Sha3Of256,
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        ),
        (
            Algorithm::Sha3Of384,
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
        ),
        (
            Algorithm::Sha3Of512,
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
        (
            Algorithm::Blake3,
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        ),
    ];

    #[test]
    fn the_standards_examples_come_out() {
        for (algorithm, expected) in OF_ABC {
            let digest = of(algorithm, &mut &b"abc"[..]).unwrap();
            assert_eq!(digest.to_string(), expected, "{algorithm}");
            assert_eq!(digest.as_bytes().len(), algorithm.octets());
            assert_eq!(Digest::from_hex(expected), Some(digest));
        }
    }

    #[test]
    fn names_and_tags_are_read_back() {
        for (name, tag, algorithm) in Algorithm::ALL {
            assert_eq!(name.parse(), Ok(algorithm));
            assert_eq!(tag.parse(), Ok(algorithm));
            assert_eq!(algorithm.to_string(), name);
            assert_eq!(Algorithm::of_tag(algorithm.tag()), Some(algorithm));
        }
        assert_eq!("SHA-256".parse(), Ok(Algorithm::Sha256));
        assert_eq!(Algorithm::of_tag("SHA2-512"), Some(Algorithm::Sha512));
        assert!("md5".parse::<Algorithm>().is_err());
    }

    #[test]
    fn what_is_not_hexadecimal_is_no_digest() {
        for text in ["", "a", "abc", "xy", "a\u{e9}", "+1"] {
            assert_eq!(Digest::from_hex(text), None, "{text:?}");
        }
    }
}
