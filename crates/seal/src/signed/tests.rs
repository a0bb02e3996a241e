//! Signatures of our own, by every kind of key, damaged and put beside other content.

use std::time::Duration;

use ravelin_pki::{PrivateKey, Purpose};

use super::*;
use crate::envelope::tests::certified;

const CONTENT: &[u8] = b"attack at dawn";

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn signed(key: &PrivateKey, certificate: &Certificate) -> Vec<u8> {
    sign(
        &mut { CONTENT },
        key,
        std::slice::from_ref(certificate),
        at(),
    )
    .unwrap()
}

fn verified(signature: &[u8], mut content: &[u8]) -> Result<(), SignedError> {
    let signature = Signature::read(signature)?;
    let by = signature.verify(&mut content)?;
    assert_eq!(by.len(), 1);
    assert_eq!(by[0].at, Some(at()));
    assert_eq!(by[0].certificate.title(), "ada@example.org");
    Ok(())
}

#[test]
fn keys_of_every_kind_sign() {
    for kind in [
        "p256", "p384", "p521", "rsa2048", "ed25519", "mldsa44", "mldsa87",
    ] {
        let (key, certificate) = certified(kind, Purpose::Email);
        let signature = signed(&key, &certificate);
        verified(&signature, CONTENT).unwrap();
        verified(to_pem(&signature).as_bytes(), CONTENT).unwrap();
        let error = verified(&signature, b"attack at noon").unwrap_err();
        assert!(matches!(error, SignedError::OtherContent { .. }), "{error}");
    }
}

#[test]
fn a_key_does_not_sign_in_anothers_name() {
    let (key, _) = certified("p256", Purpose::Email);
    let (_, certificate) = certified("p256", Purpose::Email);
    let error = sign(&mut { CONTENT }, &key, &[certificate], at()).unwrap_err();
    assert!(matches!(error, SignedError::OtherKey { .. }), "{error}");
}

#[test]
fn a_signature_that_is_cut_off_or_changed_anywhere_does_not_hold() {
    let (key, certificate) = certified("ed25519", Purpose::Email);
    let signature = signed(&key, &certificate);
    // The certificate within is for its judge: it is left out of this.
    let inside = |at: usize| {
        let der = certificate.der();
        let begin = signature
            .windows(der.len())
            .position(|part| part == &der[..])
            .unwrap();
        (begin..begin + der.len()).contains(&at)
    };
    for at in 0..signature.len() {
        assert!(verified(&signature[..at], CONTENT).is_err(), "{at}");
        if inside(at) {
            continue;
        }
        let mut changed = signature.clone();
        changed[at] ^= 1;
        // The version of the whole, and the hashes listed ahead, are said twice and taken from elsewhere.
        if verified(&changed, CONTENT).is_ok() {
            assert!(at < 60, "{at} of {}", signature.len());
        }
    }
}

#[test]
fn attributes_that_are_there_twice_or_missing_do_not_count() {
    let digest = hash::of(Algorithm::Sha256, &mut { CONTENT }).unwrap();
    let whole = attributes(&digest, at());
    let read = |attributes: &[Vec<u8>]| {
        let set = set_of(Tag::context_constructed(0), attributes);
        Attributes::read(Reader::only(&set, Tag::context_constructed(0)).unwrap())
            .map(|read| read.digest)
    };
    assert_eq!(read(&whole).unwrap(), digest.as_bytes());
    for name in 0..whole.len() {
        let mut twice = whole.clone();
        twice.push(whole[name].clone());
        assert!(read(&twice).is_err());
    }
    assert!(read(&whole[1..]).is_err() && read(&whole[..2]).is_err());
}
