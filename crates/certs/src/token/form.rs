//! The forms of PKCS#11, where they differ from those of certificates: public keys in attributes,
//! what is signed, and signatures.

use aws_lc_rs::digest;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType as TokenKeyType};
use ravelin_pki::der::{Reader, Tag, Writer};
use ravelin_pki::signature::Hash;
use ravelin_pki::{Certificate, KeyType, Oid, PublicKey, SignatureAlgorithm};

/// The attributes that [`public_key`] looks at.
pub(super) const PUBLIC: [AttributeType; 6] = [
    AttributeType::KeyType,
    AttributeType::PublicKeyInfo,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
];

/// The public key that an object's attributes say, be it a key's public or private half.
pub(super) fn public_key(attributes: &[Attribute]) -> Option<PublicKey> {
    let mut said = Said::default();
    for attribute in attributes {
        match attribute {
            Attribute::KeyType(kind) => said.kind = Some(*kind),
            Attribute::PublicKeyInfo(value) => said.info = value,
            Attribute::EcParams(value) => said.curve = value,
            Attribute::EcPoint(value) => said.point = value,
            Attribute::Modulus(value) => said.modulus = value,
            Attribute::PublicExponent(value) => said.exponent = value,
            _ => {}
        }
    }
    said.public_key()
}

/// The public key of a certificate that lies beside a private key.
pub(super) fn of_certificate(attributes: &[Attribute]) -> Option<PublicKey> {
    let value = attributes.iter().find_map(|attribute| match attribute {
        Attribute::Value(value) => Some(value),
        _ => None,
    })?;
    let certificate = Certificate::from_der(value).ok()?;
    Some(certificate.public_key().clone())
}

#[derive(Default)]
struct Said<'a> {
    kind: Option<TokenKeyType>,
    info: &'a [u8],
    curve: &'a [u8],
    point: &'a [u8],
    modulus: &'a [u8],
    exponent: &'a [u8],
}

impl Said<'_> {
    fn public_key(&self) -> Option<PublicKey> {
        if !self.info.is_empty() {
            return PublicKey::from_der(self.info).ok();
        }
        let kind = self.kind?;
        if kind == TokenKeyType::RSA && !self.modulus.is_empty() && !self.exponent.is_empty() {
            let mut key = Writer::new();
            key.sequence(|w| {
                w.positive(self.modulus);
                w.positive(self.exponent);
            });
            // The kind has the size in it: it is read from the modulus.
            let key = PublicKey::of(KeyType::Rsa(0), key.bytes());
            return PublicKey::from_der(key.der()).ok();
        }
        if kind == TokenKeyType::EC {
            let key_type = CURVES
                .into_iter()
                .find(|key_type| parameters(*key_type) == self.curve)?;
            // 04 and both coordinates.
            let octets = 1 + 2 * coordinate_octets(key_type)?;
            return Some(PublicKey::of(key_type, unwrapped(self.point, octets)?));
        }
        if kind == TokenKeyType::EC_EDWARDS
            && (self.curve == parameters(KeyType::Ed25519) || self.curve == ED25519_NAME)
        {
            return Some(PublicKey::of(KeyType::Ed25519, unwrapped(self.point, 32)?));
        }
        None
    }
}

/// A point of so many octets: in an OCTET STRING, as the standard has it, or bare, as some have it.
fn unwrapped(point: &[u8], octets: usize) -> Option<&[u8]> {
    if point.len() == octets {
        return Some(point);
    }
    let content = Reader::only(point, Tag::OCTET_STRING).ok()?.content;
    (content.len() == octets).then_some(content)
}

const CURVES: [KeyType; 3] = [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521];

/// `edwards25519` as a `PrintableString`: the other of both forms that PKCS#11 3.0 allows, and the one
/// that `SoftHSM` 2.6 has.
const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";

/// `CKA_EC_PARAMS` of a curve: its object identifier in DER. Empty for what has no curve.
fn parameters(key_type: KeyType) -> Vec<u8> {
    let mut writer = Writer::new();
    match key_type {
        KeyType::EcdsaP256 => writer.oid(&Oid::P256),
        KeyType::EcdsaP384 => writer.oid(&Oid::P384),
        KeyType::EcdsaP521 => writer.oid(&Oid::P521),
        KeyType::Ed25519 => writer.oid(&Oid::ED25519),
        _ => {}
    }
    writer.into_bytes()
}

fn coordinate_octets(key_type: KeyType) -> Option<usize> {
    match key_type {
        KeyType::EcdsaP256 => Some(32),
        KeyType::EcdsaP384 => Some(48),
        KeyType::EcdsaP521 => Some(66),
        _ => None,
    }
}

/// How keys of a kind are made: the mechanisms to try one after the other, each with the attributes
/// of its public half. None where tokens make no such keys.
pub(super) fn generation(key_type: KeyType) -> Option<(Mechanism<'static>, Vec<Vec<Attribute>>)> {
    Some(match key_type {
        KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521 => (
            Mechanism::EccKeyPairGen,
            vec![vec![Attribute::EcParams(parameters(key_type))]],
        ),
        KeyType::Ed25519 => (
            Mechanism::EccEdwardsKeyPairGen,
            vec![
                vec![Attribute::EcParams(parameters(key_type))],
                vec![Attribute::EcParams(ED25519_NAME.to_vec())],
            ],
        ),
        KeyType::Rsa(bits @ (2048 | 3072 | 4096)) => (
            Mechanism::RsaPkcsKeyPairGen,
            vec![vec![
                Attribute::ModulusBits(u64::from(bits).into()),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ]],
        ),
        _ => return None,
    })
}

/// How a key signs: the mechanism, and what it is given of the message. ECDSA is given the hash:
/// that is what all tokens can.
pub(super) fn signing(
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Option<(Mechanism<'static>, Vec<u8>)> {
    match algorithm {
        SignatureAlgorithm::Ecdsa(hash) => {
            let hash = match hash {
                Hash::Sha256 => &digest::SHA256,
                Hash::Sha384 => &digest::SHA384,
                Hash::Sha512 => &digest::SHA512,
                Hash::Sha1 => return None,
            };
            let hashed = digest::digest(hash, message).as_ref().to_vec();
            Some((Mechanism::Ecdsa, hashed))
        }
        SignatureAlgorithm::RsaPkcs1(Hash::Sha256) => {
            Some((Mechanism::Sha256RsaPkcs, message.to_vec()))
        }
        SignatureAlgorithm::Ed25519 => {
            let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
            Some((Mechanism::Eddsa(pure), message.to_vec()))
        }
        _ => None,
    }
}

/// A signature of a token as certificates carry it. Those of ECDSA are two numbers of one length
/// there, and a SEQUENCE here (RFC 3279, section 2.2.3). None where it cannot be one.
pub(super) fn signature(algorithm: SignatureAlgorithm, raw: Vec<u8>) -> Option<Vec<u8>> {
    let SignatureAlgorithm::Ecdsa(_) = algorithm else {
        return Some(raw);
    };
    if raw.is_empty() || raw.len() % 2 == 1 {
        return None;
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    let mut writer = Writer::new();
    writer.sequence(|w| {
        w.positive(r);
        w.positive(s);
    });
    Some(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ravelin_pki::{PrivateKey, Signer as _};

    use super::*;

    /// The two numbers of an ECDSA signature, of a length each.
    fn raw(der: &[u8], octets: usize) -> Vec<u8> {
        let mut reader = Reader::only(der, Tag::SEQUENCE).unwrap().reader();
        let mut raw = Vec::new();
        for _ in 0..2 {
            let number = reader.expect(Tag::INTEGER).unwrap().content;
            let number = number.strip_prefix(&[0]).unwrap_or(number);
            raw.resize(raw.len() + octets - number.len(), 0);
            raw.extend_from_slice(number);
        }
        raw
    }

    #[test]
    fn raw_signatures_become_those_of_certificates_whatever_their_first_bits_are() {
        for key_type in CURVES {
            let key = PrivateKey::generate_of(key_type).unwrap();
            // Enough for numbers that begin with a zero, and with a one.
            for message in 0..600_u32 {
                let message = message.to_be_bytes();
                let der = key.sign(&message).unwrap();
                let raw = raw(&der, coordinate_octets(key_type).unwrap());
                assert_eq!(signature(key.algorithm(), raw), Some(der));
            }
        }
        let ecdsa = KeyType::EcdsaP256.signature_algorithm();
        assert_eq!(signature(ecdsa, vec![]), None);
        assert_eq!(signature(ecdsa, vec![1; 63]), None);
    }

    #[test]
    fn points_are_read_wrapped_and_bare() {
        for key_type in CURVES {
            let key = PrivateKey::generate_of(key_type).unwrap();
            let point = key.public_key().bits().to_vec();
            let mut wrapped = Writer::new();
            wrapped.octet_string(&point);
            for form in [point.clone(), wrapped.into_bytes()] {
                let read = public_key(&[
                    Attribute::KeyType(TokenKeyType::EC),
                    Attribute::EcParams(parameters(key_type)),
                    Attribute::EcPoint(form),
                ]);
                assert_eq!(read.as_ref(), Some(key.public_key()));
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_a_module_says_is_a_key_or_none(
            info in proptest::collection::vec(any::<u8>(), 0..80),
            point in proptest::collection::vec(any::<u8>(), 0..140),
            kind in 0..3_usize,
        ) {
            let kind = [TokenKeyType::RSA, TokenKeyType::EC, TokenKeyType::EC_EDWARDS][kind];
            for curve in [parameters(KeyType::EcdsaP521), ED25519_NAME.to_vec(), info.clone()] {
                let _ = public_key(&[
                    Attribute::KeyType(kind),
                    Attribute::EcParams(curve),
                    Attribute::EcPoint(point.clone()),
                    Attribute::Modulus(point.clone()),
                    Attribute::PublicExponent(info.clone()),
                ]);
            }
            let _ = public_key(&[Attribute::PublicKeyInfo(info)]);
        }
    }
}
