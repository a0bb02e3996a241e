//! What `ravelin seal` is given to open, verify and check: age files and their keys, envelopes, signatures, lists of
//! checksums, PEM.
//!
//! The keys are real ones, so that whom something is for is read as far as it can be. The one of age is that of the
//! corpus's first files. Passphrases are not tried: a file may ask for seconds of work.
#![no_main]

use std::io::Read as _;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::PrivateKey;
use ravelin_seal::age_file::{AgeFile, Identities, Opener, Recipient};
use ravelin_seal::checksum::Entry;
use ravelin_seal::contents::{Contents, pem_body};
use ravelin_seal::{envelope, signed};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate().unwrap());

static IDENTITIES: LazyLock<Identities> = LazyLock::new(|| Identities::of_file(IDENTITY).unwrap());

const IDENTITY: &str = "AGE-SECRET-KEY-18DXPQQ4RQ3VZCUEXV0YH3MU3QS0WNVYPW35TH5JK0Q30V5R3RS9QXJ4TH7";

fuzz_target!(|data: &[u8]| {
    let _ = Contents::of(data);
    if let Ok(file) = AgeFile::read(data) {
        let _ = file.decrypt(&Opener::Identities(&IDENTITIES), &mut std::io::sink());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (Recipient::of_file(text), Identities::of_file(text));
    }
    let _ = envelope::open(&mut { data }, &KEY, &mut std::io::sink());
    if let Ok(signature) = signed::Signature::read(data) {
        let _ = signature.verify(&mut &b"content"[..]);
    }
    for line in data.split(|octet| *octet == b'\n') {
        let _ = Entry::parse(line);
    }
    let _ = pem_body(data).read_to_end(&mut Vec::new());
});
