//! The subject's public key: its kind, its size, and whether it can be a good one.

use super::rule as r;
use super::{Findings, Place, Subject, quoted};
use crate::oid::Oid;
use crate::public_key::{KeyType, PublicKey};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let key = subject.certificate.public_key();
    match &key.algorithm().oid {
        oid if *oid == Oid::RSA_ENCRYPTION => rsa(key, findings),
        oid if *oid == Oid::EC_PUBLIC_KEY => curve(subject, key, findings),
        oid if [Oid::ED25519, Oid::ED448].contains(oid) => {
            without_parameters(key, findings);
            length(key, if *oid == Oid::ED25519 { 32 } else { 57 }, findings);
            if *oid == Oid::ED448 {
                findings.add(&r::KEY_ED448, FIELD, "hardly anybody takes Ed448 keys");
            } else if subject.place != Place::Root {
                let problem = format!("browsers take no {} keys", key.kind());
                findings.add(&r::KEY_EDWARDS, FIELD, problem);
            }
        }
        oid if [Oid::ML_DSA_44, Oid::ML_DSA_65, Oid::ML_DSA_87].contains(oid) => {
            without_parameters(key, findings);
            // FIPS 204, table 2.
            let octets = match key.key_type() {
                Some(KeyType::MlDsa44) => 1312,
                Some(KeyType::MlDsa65) => 1952,
                _ => 2592,
            };
            length(key, octets, findings);
            let problem = format!("few programs take {} keys yet", key.kind());
            findings.add(&r::KEY_ML_DSA, FIELD, problem);
        }
        _ => {
            let problem = format!("a key of the kind {} is taken by few", quoted(key.kind()));
            findings.add(&r::KEY_UNKNOWN, FIELD, problem);
        }
    }
}

const FIELD: &str = "subjectPublicKeyInfo";

fn rsa(key: &PublicKey, findings: &mut Findings) {
    if key.algorithm().parameters.as_deref() != Some(&[5, 0]) {
        let problem = "the parameters of an RSA key have to be NULL";
        findings.add(&r::KEY_PARAMETERS, FIELD, problem);
    }
    let (Some(modulus), Some(KeyType::Rsa(bits))) = (key.rsa_modulus(), key.key_type()) else {
        findings.add(&r::KEY_MALFORMED, FIELD, "the bits are no RSA key");
        return;
    };
    if bits < 1024 {
        let problem = format!("an RSA key of {bits} bits is broken in days");
        findings.add(&r::RSA_TINY, FIELD, problem);
    } else if bits < 2048 {
        let problem = format!("an RSA key of {bits} bits is too short");
        findings.add(&r::RSA_SHORT, FIELD, problem);
    } else if bits % 8 != 0 {
        let problem = format!("an RSA key of {bits} bits is of an unusual length");
        findings.add(&r::RSA_LENGTH_ODD, FIELD, problem);
    }
    if let Some(factor) = small_factor(modulus) {
        let problem = format!("the modulus is divisible by {factor}");
        findings.add(&r::RSA_MODULUS, FIELD, problem);
    }
    match key.rsa_exponent() {
        Some(exponent) if exponent < 3 || exponent % 2 == 0 => {
            let problem = format!("the exponent {exponent} cannot be one of RSA");
            findings.add(&r::RSA_EXPONENT, FIELD, problem);
        }
        Some(exponent) if exponent <= 65536 => {
            let problem = format!("the exponent {exponent} is smaller than 65537");
            findings.add(&r::RSA_EXPONENT_SMALL, FIELD, problem);
        }
        // Larger than 64 bits: odd, or it is none.
        None if key.bits().last().is_none_or(|last| last % 2 == 0) => {
            findings.add(
                &r::RSA_EXPONENT,
                FIELD,
                "the exponent is even, or no number",
            );
        }
        _ => {}
    }
}

/// The smallest prime below 752 that divides the modulus (NIST SP 800-89, section 5.3.3). Numbers
/// that are no primes do no harm: their factors were found before.
fn small_factor(modulus: &[u8]) -> Option<u32> {
    (2..752_u32).find(|divisor| {
        let rest = |rest: u32, octet: &u8| ((rest << 8) | u32::from(*octet)) % divisor;
        modulus.iter().fold(0, rest) == 0
    })
}

fn curve(subject: &Subject<'_>, key: &PublicKey, findings: &mut Findings) {
    let coordinate = match key.key_type() {
        Some(KeyType::EcdsaP256) => 32,
        Some(KeyType::EcdsaP384) => 48,
        Some(KeyType::EcdsaP521) => 66,
        _ => {
            // A SEQUENCE instead of the curve's name.
            if key
                .algorithm()
                .parameters
                .as_deref()
                .is_some_and(|der| der.first() == Some(&0x30))
            {
                let problem = "the curve is described by its numbers and not by its name";
                findings.add(&r::CURVE_EXPLICIT, FIELD, problem);
            } else {
                let problem = "the key is on a curve that few take";
                findings.add(&r::CURVE_UNUSUAL, FIELD, problem);
            }
            return;
        }
    };
    let fits = match key.bits().first() {
        Some(4) => key.bits().len() == 2 * coordinate + 1,
        Some(2 | 3) => key.bits().len() == coordinate + 1,
        _ => false,
    };
    if !fits {
        findings.add(
            &r::KEY_MALFORMED,
            FIELD,
            "the bits are no point of the curve",
        );
    }
    if key.key_type() == Some(KeyType::EcdsaP521) && subject.place == Place::Leaf {
        findings.add(
            &r::KEY_P521,
            FIELD,
            "Chromium takes no servers with keys on P-521",
        );
    }
}

fn without_parameters(key: &PublicKey, findings: &mut Findings) {
    if key.algorithm().parameters.is_some() {
        let problem = format!("an {} key has no parameters, and this one does", key.kind());
        findings.add(&r::KEY_PARAMETERS, FIELD, problem);
    }
}

fn length(key: &PublicKey, octets: usize, findings: &mut Findings) {
    if key.bits().len() != octets {
        let problem = format!(
            "an {} key has {octets} octets, not {}",
            key.kind(),
            key.bits().len()
        );
        findings.add(&r::KEY_MALFORMED, FIELD, problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_factors_are_found() {
        assert_eq!(small_factor(&[0xff, 0xfe]), Some(2));
        // 751 · 757, and 757 · 757.
        assert_eq!(small_factor(&568_507_u32.to_be_bytes()), Some(751));
        assert_eq!(small_factor(&573_049_u32.to_be_bytes()), None);
    }
}
