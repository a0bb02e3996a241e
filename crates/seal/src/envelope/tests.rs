//! Envelopes of our own, opened, cut off and changed. OpenSSL's are looked at in the tests of the program.

use std::io::Cursor;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::{Purpose, Template};

use super::*;

pub(crate) fn certified(kind: &str, purpose: Purpose) -> (PrivateKey, Certificate) {
    let key = PrivateKey::generate_of(kind.parse().unwrap()).unwrap();
    let template =
        Template::leaf(vec!["ada@example.org".parse().unwrap()]).for_purposes(&[purpose]);
    let life = Duration::from_secs(86_400);
    let der = self_signed_certificate(&template, &key, life, SystemTime::now()).unwrap();
    (key, Certificate::from_der(&der).unwrap())
}

fn sealed(certificates: &[Certificate], content: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    seal(certificates, &mut { content }, &mut file).unwrap();
    file
}

fn opened(key: &PrivateKey, file: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let mut content = Vec::new();
    // In small pieces, as a slow pipe gives them.
    let mut input = io::BufReader::with_capacity(7, Cursor::new(file));
    open(&mut input, key, &mut content)?;
    Ok(content)
}

#[test]
fn each_of_several_opens_it_and_nobody_else() {
    let kinds = ["p256", "p384", "p521", "rsa2048"];
    let holders = kinds.map(|kind| certified(kind, Purpose::Email));
    let certificates: Vec<_> = holders.iter().map(|(_, one)| one.clone()).collect();
    let file = sealed(&certificates, b"attack at dawn");
    for (key, _) in &holders {
        assert_eq!(opened(key, &file).unwrap(), b"attack at dawn", "{key:?}");
    }
    for kind in ["p256", "rsa2048", "ed25519"] {
        let (other, _) = certified(kind, Purpose::Email);
        let error = opened(&other, &file).unwrap_err();
        assert!(matches!(error, EnvelopeError::NoMatchingKey), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn anything_comes_back(length in 0..200_000_usize) {
        let (key, certificate) = certified("p256", Purpose::Email);
        let content: Vec<u8> = (0..length).map(|at| (at * 7) as u8).collect();
        let file = sealed(&[certificate], &content);
        prop_assert!(opened(&key, &file).unwrap() == content);
    }

    #[test]
    fn no_file_makes_opening_panic(tail: Vec<u8>, keep in 0..64_usize) {
        let (key, certificate) = certified("p256", Purpose::Email);
        let mut file = sealed(&[certificate], b"x");
        file.truncate(keep);
        file.extend_from_slice(&tail);
        prop_assert!(opened(&key, &file).is_err());
    }
}

#[test]
fn what_is_cut_off_or_changed_anywhere_is_refused() {
    let (key, certificate) = certified("p256", Purpose::Email);
    let file = sealed(&[certificate], b"attack at dawn");
    for at in 0..file.len() {
        assert!(opened(&key, &file[..at]).is_err(), "cut off at {at}");
        let mut changed = file.clone();
        changed[at] ^= 1;
        match opened(&key, &changed) {
            // The name of the one it is for, and the version of that part, count for nothing.
            Ok(content) => assert_eq!(content, b"attack at dawn", "changed at {at}"),
            Err(error) => assert!(!matches!(error, EnvelopeError::Write(_)), "{error}"),
        }
    }
    assert!(opened(&key, &[&file[..], b"x"].concat()).is_err());
}

#[test]
fn a_change_of_the_content_is_called_one() {
    let (key, certificate) = certified("p256", Purpose::Email);
    let mut file = sealed(&[certificate], &[7; 100]);
    // The content ends before two marks, the tag with its head, and three marks.
    let last = file.len() - 4 - 18 - 6 - 1;
    file[last] ^= 1;
    let error = opened(&key, &file).unwrap_err();
    assert!(matches!(error, EnvelopeError::Changed), "{error}");
}

#[test]
fn keys_that_only_sign_are_not_encrypted_to() {
    for (kind, purpose) in [
        ("ed25519", Purpose::Email),
        ("p256", Purpose::Server),
        ("mldsa44", Purpose::Email),
    ] {
        let (_, certificate) = certified(kind, purpose);
        let error = check(&certificate).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(matches!(
        seal(&[], &mut io::empty(), &mut io::sink()),
        Err(EnvelopeError::NoRecipient)
    ));
}
