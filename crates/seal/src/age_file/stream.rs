//! What follows the head of an age file: chunks of 64 KiB, each under ChaCha20-Poly1305 with its number and whether
//! it is the last (STREAM; age-encryption.org/v1, "Payload").
//!
//! By aws-lc, which takes half the time of the `age` crate's own. Whom a file is for remains that crate's business.

use std::io::{self, Read, Write};

use age::secrecy::ExposeSecret as _;
use age_core::format::FileKey;
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use super::{AgeError, of_content};
use crate::copy::{Room, fill};

/// The key of what a file holds.
pub(super) struct Stream(LessSafeKey);

/// One chunk's way from one buffer to the other, with its number and whether it is the last: how long it then is.
type Turn<'a> = &'a dyn Fn(&[u8], &mut [u8], u64, bool) -> Result<usize, AgeError>;

impl Stream {
    /// The key that the file's key and the nonce behind the head make. None where aws-lc refuses, which it does not.
    pub(super) fn new(file_key: &FileKey, nonce: &[u8; NONCE]) -> Option<Self> {
        let secret = Salt::new(HKDF_SHA256, nonce).extract(file_key.expose_secret());
        let key = secret.expand(&[b"payload"], &CHACHA20_POLY1305).ok()?;
        Some(Self(LessSafeKey::new(UnboundKey::from(key))))
    }

    /// Encrypts all of `input`.
    pub(super) fn encrypt(
        &self,
        input: &mut dyn Read,
        output: &mut dyn Write,
    ) -> Result<(), AgeError> {
        pump(input, output, CHUNK, &|chunk, out, number, last| {
            self.seal(chunk, out, number, last)
        })
    }

    /// Decrypts all of `input`. Each chunk comes out once it was found to be genuine.
    pub(super) fn decrypt(
        &self,
        input: &mut dyn Read,
        output: &mut dyn Write,
    ) -> Result<(), AgeError> {
        pump(input, output, CHUNK + TAG, &|chunk, out, number, last| {
            self.open(chunk, out, number, last)
        })
    }

    fn seal(
        &self,
        chunk: &[u8],
        out: &mut [u8],
        number: u64,
        last: bool,
    ) -> Result<usize, AgeError> {
        let (sealed, behind) = out.split_at_mut(chunk.len());
        sealed.copy_from_slice(chunk);
        let nonce = nonce(number, last);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::empty(), sealed);
        let tag = tag.map_err(|_| AgeError::Write(io::ErrorKind::Other.into()))?;
        behind[..TAG].copy_from_slice(tag.as_ref());
        Ok(chunk.len() + TAG)
    }

    fn open(
        &self,
        chunk: &[u8],
        out: &mut [u8],
        number: u64,
        last: bool,
    ) -> Result<usize, AgeError> {
        let (sealed, tag) = chunk.split_last_chunk::<TAG>().ok_or_else(cut_off)?;
        // Only what is empty as a whole may end with an empty chunk.
        if sealed.is_empty() && number > 0 {
            return Err(changed());
        }
        let out = &mut out[..sealed.len()];
        let mut open = |last| {
            let nonce = nonce(number, last);
            self.0
                .open_separate_gather(nonce, Aad::empty(), sealed, tag, out)
        };
        match open(last) {
            Ok(()) => Ok(sealed.len()),
            Err(_) if last && open(false).is_ok() => Err(cut_off()),
            Err(_) => Err(changed()),
        }
    }
}

/// The number of a chunk in eleven octets, and whether it is the last in one.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

/// Takes chunks from `input` through `turn` to `output`, several at a time.
fn pump(
    input: &mut dyn Read,
    output: &mut dyn Write,
    chunk: usize,
    turn: Turn<'_>,
) -> Result<(), AgeError> {
    let batch = chunk * CHUNKS;
    // The last chunk stays until it is known whether another follows.
    let mut taken = Room::new(batch + chunk, 0);
    let mut out = Room::new((CHUNK + TAG) * CHUNKS, APART);
    let (mut begun, mut number) = (0, 0);
    loop {
        let free = &mut taken.octets()[begun..];
        let filled = begun + fill(input, free).map_err(of_content)?;
        let ends = filled <= batch;
        let mut rest = &taken.octets()[..filled.min(batch)];
        let out = out.octets();
        let mut done = 0;
        loop {
            let (one, others) = rest.split_at(rest.len().min(chunk));
            rest = others;
            done += turn(one, &mut out[done..], number, ends && rest.is_empty())?;
            number += 1;
            if rest.is_empty() {
                break;
            }
        }
        output.write_all(&out[..done]).map_err(AgeError::Write)?;
        if ends {
            return Ok(());
        }
        taken.octets().copy_within(batch..filled, 0);
        begun = filled - batch;
    }
}

pub(super) fn cut_off() -> AgeError {
    AgeError::Damaged {
        what: "its end is missing",
    }
}

fn changed() -> AgeError {
    AgeError::Damaged {
        what: "what it holds was changed",
    }
}

/// How many octets the nonce behind the head has.
pub(super) const NONCE: usize = 16;
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;
/// How many chunks are in memory together.
const CHUNKS: usize = 15;

/// Copies of octets to what lies up to 31 behind them in its page, as the second chunk with its tag does, are slow:
/// see [`Room`].
const APART: usize = 64;

#[cfg(test)]
mod tests {
    use age::{Decryptor, Encryptor, x25519};

    use super::*;
    use crate::age_file::{AgeFile, Identities, Lock, Opener, encrypt, generate};

    /// Around the borders of chunks and of what is in memory together.
    fn lengths() -> impl Iterator<Item = usize> {
        let borders = [0, 1, CHUNKS, CHUNKS + 1, 2 * CHUNKS];
        let around = |chunks: usize| {
            [
                chunks * CHUNK,
                chunks * CHUNK + 1,
                (chunks * CHUNK).max(1) - 1,
            ]
        };
        borders.into_iter().flat_map(around)
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    /// By the `age` crate alone.
    fn theirs(identity: &x25519::Identity, content: &[u8]) -> Vec<u8> {
        let recipient = identity.to_public();
        let all = std::iter::once(&recipient as &dyn age::Recipient);
        let mut file = Vec::new();
        let encryptor = Encryptor::with_recipients(all).unwrap();
        let mut writer = encryptor.wrap_output(&mut file).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        file
    }

    fn opened_by_theirs(identity: &x25519::Identity, file: &[u8]) -> Vec<u8> {
        let all = std::iter::once(identity as &dyn age::Identity);
        let mut reader = Decryptor::new(file).unwrap().decrypt(all).unwrap();
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        content
    }

    #[test]
    fn the_age_crate_reads_what_is_written_and_writes_what_is_read() {
        let (secret, public) = generate();
        let identities = Identities::of_file(&secret).unwrap();
        let identity: x25519::Identity = secret.parse().unwrap();
        let recipients = [public.parse().unwrap()];
        for length in lengths() {
            let content = content(length);
            let mut file = Vec::new();
            let lock = Lock::Recipients(&recipients);
            encrypt(&lock, false, &mut &content[..], &mut file).unwrap();
            assert!(opened_by_theirs(&identity, &file) == content, "{length}");

            let file = theirs(&identity, &content);
            let mut read = Vec::new();
            let file = AgeFile::read(&file[..]).unwrap();
            let opener = Opener::Identities(&identities);
            file.decrypt(&opener, &mut read).unwrap();
            assert!(read == content, "{length}");
        }
    }

    fn stream() -> Stream {
        let key = FileKey::new(Box::new([7; 16]));
        Stream::new(&key, &[8; NONCE]).unwrap()
    }

    fn refused(sealed: &[u8]) -> &'static str {
        let error = stream().decrypt(&mut { sealed }, &mut io::sink());
        match error.unwrap_err() {
            AgeError::Damaged { what } => what,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn chunks_stay_in_their_order_and_none_is_left_out_or_put_behind() {
        let mut sealed = Vec::new();
        let content = content(17 * CHUNK + 1);
        stream().encrypt(&mut &content[..], &mut sealed).unwrap();
        let chunks: Vec<_> = sealed.chunks(CHUNK + TAG).collect();
        let changed = "what it holds was changed";
        let cut_off = "its end is missing";
        assert_eq!(refused(&chunks[1..].concat()), changed);
        assert_eq!(
            refused(&[&[chunks[1], chunks[0]], &chunks[2..]].concat().concat()),
            changed
        );
        assert_eq!(refused(&[&chunks[..], &[&[0]]].concat().concat()), changed);
        for whole in [1, 15, 16, 17] {
            assert_eq!(refused(&chunks[..whole].concat()), cut_off, "{whole}");
        }
        assert_eq!(refused(&sealed[..sealed.len() - TAG - 1]), cut_off);
        assert_eq!(refused(&[]), cut_off);
    }

    #[test]
    fn an_empty_chunk_ends_nothing_but_what_is_empty() {
        let stream = stream();
        let mut sealed = vec![0; 2 * (CHUNK + TAG)];
        let first = stream.seal(&vec![1; CHUNK], &mut sealed, 0, false).unwrap();
        let empty = stream.seal(&[], &mut sealed[first..], 1, true).unwrap();
        let what = refused(&sealed[..first + empty]);
        assert_eq!(what, "what it holds was changed");
    }
}
