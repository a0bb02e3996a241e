//! Files sealed: hashed, encrypted and signed, in formats that other programs read.
//!
//! Everything streams: what is read may be longer than memory. This crate opens no file, asks for no passphrase
//! and reads no clock; whether a signer's certificate is to be trusted is [`ravelin_pki::verify`]'s question.
//!
//! | module | format | who else reads it |
//! |---|---|---|
//! | [`hash`], [`checksum`] | SHA-2, SHA-3, BLAKE3; lists of them | `sha256sum`, `b3sum`, `cksum` |
//! | [`age_file`] | age, for passphrases and age's own keys | `age`, `rage` |
//! | [`envelope`] | CMS `AuthEnvelopedData`, for the keys of certificates | `openssl cms` |
//! | [`signed`] | CMS `SignedData` beside what it signs | `openssl cms` |
//! | [`openssl_enc`] | what `openssl enc -pbkdf2` makes, read only | |
//!
//! ```
//! use ravelin_seal::hash::{self, Algorithm};
//!
//! let digest = hash::of(Algorithm::Sha256, &mut &b"abc"[..])?;
//! assert!(digest.to_string().starts_with("ba7816bf"));
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod age_file;
pub mod checksum;
pub mod contents;
mod copy;
pub mod envelope;
pub mod hash;
pub mod openssl_enc;
pub mod random;
pub mod signed;
