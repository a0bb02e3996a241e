//! What `ravelin seal` is given to open, verify and check: age files and their keys, envelopes, signatures, lists of
//! checksums, what `openssl enc` makes, PEM as it comes.
//!
//! The keys are those of the corpus's first files, so that these open, and what is changed in them is seen as far in as
//! it can be. Passphrases of age are not tried: a file may ask for seconds of work.
#![no_main]

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::num::NonZeroU32;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::{Passphrase, PrivateKey};
use ravelin_seal::age_file::{AgeFile, Identities, Opener, Recipient};
use ravelin_seal::checksum::{self, Entry};
use ravelin_seal::contents::{Contents, pem_body, pem_writer};
use ravelin_seal::{envelope, openssl_enc, signed};

static KEYS: LazyLock<[PrivateKey; 2]> =
    LazyLock::new(|| [P256, RSA].map(|pem| PrivateKey::from_pem(pem).unwrap()));
static IDENTITIES: LazyLock<Identities> = LazyLock::new(|| Identities::of_file(IDENTITY).unwrap());
static PASSPHRASE: LazyLock<Passphrase> = LazyLock::new(|| "x".into());

const P256: &[u8] = include_bytes!("../keys/p256.pem");
const RSA: &[u8] = include_bytes!("../keys/rsa2048.pem");
const IDENTITY: &str = "AGE-SECRET-KEY-18DXPQQ4RQ3VZCUEXV0YH3MU3QS0WNVYPW35TH5JK0Q30V5R3RS9QXJ4TH7";

fuzz_target!(|data: &[u8]| {
    let whole = data.len().max(1);
    let what = Contents::of(data);
    let [opened, in_pieces] = [whole, PIECE].map(|piece| opened(what, data, piece));
    assert_eq!(opened, in_pieces);
    assert!(opened.is_none_or(|plain| plain.len() < whole));

    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (Recipient::of_file(text), Identities::of_file(text));
    }
    if let Ok(signature) = signed::Signature::read(data)
        && let Ok(by) = signature.verify(&mut &b"content"[..])
    {
        assert!(!by.is_empty());
    }
    for line in data.split(|octet| *octet == b'\n') {
        is_read_as_it_is_written(line);
    }
    let mut pem = Vec::new();
    let mut writer = pem_writer("CMS", &mut pem);
    writer.write_all(data).unwrap();
    writer.finish().unwrap();
    assert_eq!(body(&pem, whole).unwrap(), data);
    assert_eq!(body(data, whole), body(data, PIECE));
});

/// What a sealed file holds, if it is whole; it is read in pieces of this length.
fn opened(what: Option<Contents>, data: &[u8], piece: usize) -> Option<Vec<u8>> {
    let input = || BufReader::with_capacity(piece, Pieces(data, piece));
    let mut plain = Vec::new();
    match what? {
        Contents::Age => {
            let opener = Opener::Identities(&IDENTITIES);
            let file = AgeFile::read(input()).ok()?;
            file.decrypt(&opener, &mut plain).ok()?;
            Some(plain)
        }
        Contents::Cms => KEYS.iter().find_map(|key| envelope(&mut input(), key)),
        Contents::CmsPem => KEYS.iter().find_map(|key| {
            let mut body = BufReader::with_capacity(piece, pem_body(input()));
            envelope(&mut body, key)
        }),
        Contents::OpensslEnc => {
            let options = openssl_enc::Options {
                rounds: NonZeroU32::MIN,
                ..openssl_enc::Options::default()
            };
            openssl_enc::decrypt(options, &PASSPHRASE, &mut input(), &mut plain).ok()?;
            Some(plain)
        }
    }
}

fn envelope(input: &mut dyn BufRead, key: &PrivateKey) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    envelope::open(input, key, &mut plain).ok()?;
    Some(plain)
}

fn body(pem: &[u8], piece: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let input = BufReader::with_capacity(piece, pem);
    pem_body(input).read_to_end(&mut body).ok()?;
    Some(body)
}

/// A line of a list of checksums.
fn is_read_as_it_is_written(line: &[u8]) {
    let Some(entry) = Entry::parse(line) else {
        return;
    };
    let Some(algorithm) = entry.algorithm(None) else {
        return;
    };
    let tag = entry.algorithm.is_some();
    let written = checksum::line(algorithm, &entry.digest, &entry.name, tag);
    let again = written.strip_suffix(b"\n").and_then(Entry::parse);
    assert_eq!(again, Some(entry));
}

/// Octets that come few at a time, as through a pipe.
struct Pieces<'d>(&'d [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = room.len().min(self.1);
        self.0.read(&mut room[..length])
    }
}

const PIECE: usize = 7;
