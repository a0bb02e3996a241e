//! What `ravelin seal` is given to open, verify and check: envelopes, signatures, lists of checksums, PEM.
//!
//! The key is a real one, so that whom an envelope is for is read as far as it can be.
#![no_main]

use std::io::Read as _;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::PrivateKey;
use ravelin_seal::checksum::Entry;
use ravelin_seal::contents::{Contents, pem_body};
use ravelin_seal::{envelope, signed};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate().unwrap());

fuzz_target!(|data: &[u8]| {
    let _ = Contents::of(data);
    let _ = envelope::open(&mut { data }, &KEY, &mut std::io::sink());
    if let Ok(signature) = signed::Signature::read(data) {
        let _ = signature.verify(&mut &b"content"[..]);
    }
    for line in data.split(|octet| *octet == b'\n') {
        let _ = Entry::parse(line);
    }
    let _ = pem_body(data).read_to_end(&mut Vec::new());
});
