//! Envelopes for the keys of certificates: CMS `AuthEnvelopedData` (RFC 5083) with AES-256-GCM (RFC 5084), which
//! `openssl cms -decrypt` opens, and what `openssl cms -encrypt -aes-256-gcm` makes.
//!
//! One tag at the end authenticates all of the content. What [`open`] writes before it returns without an error is
//! nobody's word: its caller has to hold it back. Envelopes without authentication (`EnvelopedData`) are not opened:
//! who changes them on their way learns what was in them from what becomes of it.

mod ber;
mod gcm;
pub(crate) mod recipient;

use std::io::{self, BufRead, Read, Write};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use ravelin_pki::der::{Reader, Tag, Writer};
use ravelin_pki::signature::AlgorithmIdentifier;
use ravelin_pki::{Certificate, Oid, PrivateKey};
use zeroize::Zeroizing;

use crate::copy::fill;
use ber::Stream;
use gcm::{BLOCK, Gcm, NONCE, Refused};

/// Why an envelope is not made or not opened.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// There is nobody to encrypt to.
    #[error("there is no certificate to encrypt to")]
    NoRecipient,
    /// Such keys only sign.
    #[error("a key of the kind {key} cannot be encrypted to")]
    KeyCannot {
        /// The kind of key.
        key: String,
    },
    /// The certificate does not let its key do that.
    #[error(
        "the certificate of {who} does not allow to encrypt to its key: its key usage lacks {usage}"
    )]
    Forbidden {
        /// Whose it is.
        who: String,
        /// What is missing.
        usage: &'static str,
    },
    /// The system gave none.
    #[error("the system gave no randomness")]
    NoRandomness,
    /// Longer messages are not safe under one key.
    #[error("more than 64 GiB do not go into one envelope")]
    TooLong,
    /// It is CMS, and no such envelope.
    #[error("it is CMS of the type {what}, which is not opened")]
    OtherType {
        /// Its type.
        what: String,
    },
    /// It is an envelope without authentication.
    #[error(
        "it is encrypted without authentication (EnvelopedData), so that nobody can tell whether it was changed"
    )]
    NotAuthenticated,
    /// Something in it is by an algorithm that is not read.
    #[error("it uses {what}, which is not supported")]
    Unsupported {
        /// Which.
        what: String,
    },
    /// None of its recipients is this key.
    #[error("it is encrypted for other keys")]
    NoMatchingKey,
    /// The part that says whom it is for is malformed.
    #[error("it is damaged: whom it is for makes no sense")]
    Recipients,
    /// It is malformed, or cut off.
    #[error("it is damaged or cut off at byte {at}")]
    Damaged {
        /// Where, from 0.
        at: u64,
    },
    /// What it holds was changed on its way.
    #[error("it was changed: its content is not what its tag says")]
    Changed,
    /// Reading failed.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// Writing failed.
    #[error("writing failed")]
    Write(#[source] io::Error),
}

impl EnvelopeError {
    /// A way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::KeyCannot { .. } => Some("use a certificate with an RSA or an ECDSA key"),
            Self::Forbidden { .. } => {
                Some("certificates for mail are for it: ravelin cert new --email ada@example.org")
            }
            Self::NotAuthenticated => Some(
                "make it with openssl cms -encrypt -aes-256-gcm, or open it with openssl cms -decrypt",
            ),
            Self::Unsupported { .. } => Some(
                "with openssl, -aes-256-gcm and -keyopt rsa_padding_mode:oaep make what is supported",
            ),
            _ => None,
        }
    }
}

/// Whether a certificate can be encrypted to.
pub fn check(certificate: &Certificate) -> Result<(), EnvelopeError> {
    recipient::check(certificate)
}

/// Encrypts all of `input` to the keys of some certificates. Whether they are to be trusted is the caller's question.
pub fn seal(
    recipients: &[Certificate],
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), EnvelopeError> {
    if recipients.is_empty() {
        return Err(EnvelopeError::NoRecipient);
    }
    let mut key = Zeroizing::new([0; 32]);
    let mut nonce = [0; NONCE];
    let random = SystemRandom::new();
    random
        .fill(&mut *key)
        .and_then(|()| random.fill(&mut nonce))
        .map_err(|_| EnvelopeError::NoRandomness)?;
    let mut put = |octets: &[u8]| output.write_all(octets).map_err(EnvelopeError::Write);
    put(&head(recipients, &*key, nonce)?)?;

    let mut gcm = Gcm::new(&*key, nonce)?;
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    loop {
        let read = fill(input, &mut buffer).map_err(EnvelopeError::Read)?;
        if read == 0 {
            break;
        }
        let mut piece = Writer::with_capacity(read + 8);
        piece.octet_string(gcm.encrypt(&buffer[..read])?);
        put(piece.bytes())?;
    }
    let mut tail = Writer::new();
    tail.raw(&END.repeat(2));
    tail.octet_string(&gcm.tag());
    tail.raw(&END.repeat(3));
    put(tail.bytes())?;
    output.flush().map_err(EnvelopeError::Write)
}

/// All up to the content, with lengths in the indefinite form: nobody has to know how long it will be.
fn head(
    recipients: &[Certificate],
    key: &[u8],
    nonce: [u8; NONCE],
) -> Result<Vec<u8>, EnvelopeError> {
    let mut infos: Vec<Vec<u8>> = Vec::new();
    for certificate in recipients {
        let mut w = Writer::new();
        recipient::write(certificate, key, &mut w)?;
        infos.push(w.into_bytes());
    }
    // As DER has it, though the rest is BER.
    infos.sort_unstable();
    let open = |tag: Tag| [tag.0, 0x80];
    let mut w = Writer::new();
    w.raw(&open(Tag::SEQUENCE));
    w.oid(&Oid::AUTH_ENVELOPED_DATA);
    w.raw(&open(Tag::context_constructed(0)));
    w.raw(&open(Tag::SEQUENCE));
    w.unsigned(0);
    w.constructed(Tag::SET, |w| infos.iter().for_each(|info| w.raw(info)));
    w.raw(&open(Tag::SEQUENCE));
    w.oid(&Oid::DATA);
    w.sequence(|w| {
        w.oid(&Oid::AES256_GCM);
        w.sequence(|w| {
            w.octet_string(&nonce);
            w.unsigned(BLOCK as u64);
        });
    });
    w.raw(&open(Tag::context_constructed(0)));
    Ok(w.into_bytes())
}

/// Opens an envelope with the key that it is for. What is written is genuine only if no error comes: until then it
/// must not be seen, or used.
pub fn open(
    input: &mut dyn BufRead,
    key: &PrivateKey,
    output: &mut dyn Write,
) -> Result<(), EnvelopeError> {
    let mut stream = Stream::new(input);
    stream.enter(Tag::SEQUENCE)?;
    expect_type(&mut stream)?;
    stream.enter(Tag::context_constructed(0))?;
    stream.enter(Tag::SEQUENCE)?;
    version(&mut stream)?;
    // The certificates of the one who sent it.
    stream.optional(Tag::context_constructed(0))?;
    let recipients = stream.whole()?;
    let recipients = Reader::only(&recipients, Tag::SET).map_err(|_| EnvelopeError::Recipients)?;
    stream.enter(Tag::SEQUENCE)?;
    let (octets, nonce) = content_algorithm(&mut stream)?;
    let key = recipient::open(recipients, key)?;
    if key.len() != octets {
        return Err(EnvelopeError::Recipients);
    }
    let mut gcm = Gcm::new(&key, nonce)?;
    stream.pieces(Tag::context(0), &mut |piece| {
        output
            .write_all(gcm.decrypt(piece)?)
            .map_err(EnvelopeError::Write)
    })?;
    stream.leave()?;
    if stream.peek()? == Some(Tag::context_constructed(1)) {
        let what = "attributes that are authenticated".to_owned();
        return Err(EnvelopeError::Unsupported { what });
    }
    let tag = stream.whole()?;
    let tag = Reader::only(&tag, Tag::OCTET_STRING).map_err(|_| stream.damaged())?;
    stream.optional(Tag::context_constructed(2))?;
    for _ in 0..3 {
        stream.leave()?;
    }
    if stream.peek()?.is_some() {
        return Err(stream.damaged());
    }
    if !gcm.has_tag(tag.content) {
        return Err(EnvelopeError::Changed);
    }
    output.flush().map_err(EnvelopeError::Write)
}

fn expect_type(stream: &mut Stream<'_>) -> Result<(), EnvelopeError> {
    match oid(stream)? {
        oid if oid == Oid::AUTH_ENVELOPED_DATA => Ok(()),
        oid if oid == Oid::ENVELOPED_DATA => Err(EnvelopeError::NotAuthenticated),
        oid => Err(EnvelopeError::OtherType {
            what: oid.name_or_dots(),
        }),
    }
}

fn oid(stream: &mut Stream<'_>) -> Result<Oid, EnvelopeError> {
    let oid = stream.whole()?;
    let oid = Reader::only(&oid, Tag::OBJECT_IDENTIFIER).and_then(|oid| oid.oid());
    oid.map_err(|_| stream.damaged())
}

/// The version is 0 (RFC 5083, section 2.1).
fn version(stream: &mut Stream<'_>) -> Result<(), EnvelopeError> {
    match stream.whole()?.as_slice() {
        [2, 1, 0] => Ok(()),
        _ => Err(stream.damaged()),
    }
}

/// How long the key is, and the nonce.
fn content_algorithm(stream: &mut Stream<'_>) -> Result<(usize, [u8; NONCE]), EnvelopeError> {
    let unsupported = |what: String| EnvelopeError::Unsupported { what };
    match oid(stream)? {
        oid if oid == Oid::DATA => {}
        oid => return Err(unsupported(oid.name_or_dots())),
    }
    let algorithm = stream.whole()?;
    let damaged = |_| EnvelopeError::Recipients;
    let algorithm = Reader::only(&algorithm, Tag::SEQUENCE)
        .and_then(AlgorithmIdentifier::read)
        .map_err(damaged)?;
    let octets = match algorithm.oid {
        oid if oid == Oid::AES128_GCM => 16,
        oid if oid == Oid::AES256_GCM => 32,
        oid => return Err(unsupported(oid.name_or_dots())),
    };
    // `GCMParameters` (RFC 5084, section 3.2). Shorter tags than the whole are for those who cannot afford 16 bytes,
    // and easier to forge.
    let parameters = algorithm.parameters.unwrap_or_default();
    let read = || {
        let mut fields = Reader::only(&parameters, Tag::SEQUENCE)?.reader();
        let nonce = fields.expect(Tag::OCTET_STRING)?.content;
        let tag = fields.optional(Tag::INTEGER)?;
        fields.finish()?;
        Ok((nonce, tag.map_or(Ok(12), |tag| tag.unsigned())?))
    };
    let (nonce, tag) = read().map_err(damaged)?;
    match nonce.try_into() {
        Ok(nonce) if tag == BLOCK as u64 => Ok((octets, nonce)),
        _ => Err(unsupported(format!(
            "a nonce of {} and a tag of {tag} bytes",
            nonce.len()
        ))),
    }
}

impl From<Refused> for EnvelopeError {
    fn from(_: Refused) -> Self {
        Self::TooLong
    }
}

/// The mark of the end of an element whose length was not said.
const END: [u8; 2] = [0, 0];

/// How long a piece of the content is.
const PIECE: usize = 64 << 10;

#[cfg(test)]
pub(crate) mod tests;
