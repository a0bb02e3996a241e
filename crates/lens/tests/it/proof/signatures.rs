//! Signatures that openssl made, with every scheme that it can.

use std::fs;
use std::path::Path;
use std::process::Command;

use ravelin_lens::digest::{Hash, Prf};
use ravelin_lens::ledger::Side;
use ravelin_lens::proof::{HandshakeSignature, Signer};
use ravelin_lens::story::{BadCertificate, Missing, Refutation, Verdict};
use ravelin_pki::{KeyType, PrivateKey};
use ravelin_wire::handshake::DigitallySigned;
use ravelin_wire::registry::{ProtocolVersion, SignatureScheme as S};
use tempfile::TempDir;

const TLS_1_0: ProtocolVersion = ProtocolVersion::TLS_1_0;
const TLS_1_2: ProtocolVersion = ProtocolVersion::TLS_1_2;
const TLS_1_3: ProtocolVersion = ProtocolVersion::TLS_1_3;

/// A key of openssl's.
struct Key {
    folder: TempDir,
    spki: Vec<u8>,
}

impl Key {
    /// `openssl genpkey` with these options.
    fn generate(options: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let genpkey = [&["genpkey", "-out", "key.pem"], options].concat();
        openssl(folder.path(), &genpkey);
        openssl(
            folder.path(),
            &[
                "pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "key.der",
            ],
        );
        let spki = fs::read(folder.path().join("key.der")).unwrap();
        Self { folder, spki }
    }

    fn rsa(bits: &str) -> Self {
        let bits = format!("rsa_keygen_bits:{bits}");
        Self::generate(&["-algorithm", "RSA", "-pkeyopt", &bits])
    }

    fn curve(name: &str) -> Self {
        let curve = format!("ec_paramgen_curve:{name}");
        Self::generate(&["-algorithm", "EC", "-pkeyopt", &curve])
    }

    fn dsa() -> Self {
        let parameters = TempDir::new().unwrap();
        let bits = ["-pkeyopt", "dsa_paramgen_bits:1024"];
        let genpkey = [
            "genpkey",
            "-genparam",
            "-algorithm",
            "DSA",
            "-out",
            "dsa.pem",
        ];
        openssl(parameters.path(), &[&genpkey[..], &bits].concat());
        let file = parameters.path().join("dsa.pem");
        Self::generate(&["-paramfile", file.to_str().unwrap()])
    }

    /// `openssl dgst` or `openssl pkeyutl` with these options.
    fn sign(&self, content: &[u8], command: &[&str]) -> Vec<u8> {
        let folder = self.folder.path();
        fs::write(folder.join("content"), content).unwrap();
        let end: &[&str] = match command[0] {
            "dgst" => &["-sign", "key.pem", "-out", "signature", "content"],
            _ => &[
                "-sign",
                "-inkey",
                "key.pem",
                "-in",
                "content",
                "-out",
                "signature",
            ],
        };
        openssl(folder, &[command, end].concat());
        fs::read(folder.join("signature")).unwrap()
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

const PSS: [&str; 4] = [
    "-sigopt",
    "rsa_padding_mode:pss",
    "-sigopt",
    "rsa_pss_saltlen:digest",
];

#[test]
fn every_scheme_of_tls13_is_confirmed_and_the_key_of_another_is_not() {
    let pss_key = Key::generate(&["-algorithm", "RSA-PSS"]);
    let (rsa, small, large) = (Key::rsa("2048"), Key::rsa("1024"), Key::rsa("2049"));
    let [p256, p384, p521] = ["P-256", "P-384", "P-521"].map(Key::curve);
    let ed25519 = Key::generate(&["-algorithm", "ED25519"]);
    let pss = |hash| [&["dgst", hash], &PSS[..]].concat();
    for (scheme, key, command) in [
        (S::RSA_PSS_RSAE_SHA256, &rsa, pss("-sha256")),
        (S::RSA_PSS_RSAE_SHA384, &rsa, pss("-sha384")),
        (S::RSA_PSS_RSAE_SHA512, &rsa, pss("-sha512")),
        // Too small for aws-lc.
        (S::RSA_PSS_RSAE_SHA256, &small, pss("-sha256")),
        (S::RSA_PSS_RSAE_SHA384, &small, pss("-sha384")),
        // One octet less is encoded than the modulus has.
        (S::RSA_PSS_RSAE_SHA256, &large, pss("-sha256")),
        (S::RSA_PSS_PSS_SHA256, &pss_key, pss("-sha256")),
        (S::RSA_PSS_PSS_SHA512, &pss_key, pss("-sha512")),
        (S::ECDSA_SECP256R1_SHA256, &p256, vec!["dgst", "-sha256"]),
        (S::ECDSA_SECP384R1_SHA384, &p384, vec!["dgst", "-sha384"]),
        (S::ECDSA_SECP521R1_SHA512, &p521, vec!["dgst", "-sha512"]),
        (S::ED25519, &ed25519, vec!["pkeyutl", "-rawin"]),
    ] {
        for side in [Side::Client, Side::Server] {
            let hash = Hash::Sha256.digest(&[b"handshake"]);
            let who = match side {
                Side::Client => "client",
                Side::Server => "server",
            };
            let start = format!("{:64}TLS 1.3, {who} CertificateVerify\0", "");
            let signature = key.sign(&[start.as_bytes(), &hash].concat(), &command);
            let check = |key: &Key, signature: &[u8], hash: &[u8]| {
                let signed = DigitallySigned {
                    algorithm: Some(scheme),
                    signature,
                };
                signature_of(TLS_1_3, side, &key.spki, &signed).over_hash(hash)
            };
            assert_eq!(
                check(key, &signature, &hash),
                Verdict::Confirmed,
                "{scheme}"
            );
            let bad = Verdict::Refuted(Refutation::BadSignature);
            assert_eq!(check(key, &signature, b"other"), bad, "{scheme}");
            for at in [0, signature.len() / 2, signature.len() - 1] {
                let mut changed = signature.clone();
                changed[at] ^= 1;
                assert_eq!(check(key, &changed, &hash), bad, "{scheme}");
            }
            assert_eq!(check(key, &[], &hash), bad, "{scheme}");
            let other = if matches!(scheme, S::ED25519) {
                &p256
            } else {
                &ed25519
            };
            let wrong = Verdict::Refuted(Refutation::WrongKeyForScheme);
            assert_eq!(check(other, &signature, &hash), wrong, "{scheme}");
        }
    }
}

/// openssl 3.0 has no ML-DSA: here the key is Ravelin's own, which pki's tests hold against others.
#[test]
fn ml_dsa_is_confirmed() {
    for (scheme, kind) in [
        (S::MLDSA44, KeyType::MlDsa44),
        (S::MLDSA65, KeyType::MlDsa65),
        (S::MLDSA87, KeyType::MlDsa87),
    ] {
        let key = PrivateKey::generate_of(kind).unwrap();
        let content = format!("{:64}TLS 1.3, server CertificateVerify\0hash", "");
        let signature = ravelin_pki::Signer::sign(&key, content.as_bytes()).unwrap();
        let signed = DigitallySigned {
            algorithm: Some(scheme),
            signature: &signature,
        };
        let spki = key.public_key().der();
        let signature = signature_of(TLS_1_3, Side::Server, spki, &signed);
        assert_eq!(signature.over_hash(b"hash"), Verdict::Confirmed);
        let bad = Verdict::Refuted(Refutation::BadSignature);
        assert_eq!(signature.over_hash(b"hush"), bad);
    }
}

/// In TLS 1.2 each hash goes with each key.
#[test]
fn every_pair_of_tls12_is_confirmed() {
    let (rsa, small, dsa) = (Key::rsa("2048"), Key::rsa("1024"), Key::dsa());
    let [p256, p384, p521] = ["P-256", "P-384", "P-521"].map(Key::curve);
    let hashes = ["-md5", "-sha1", "-sha224", "-sha256", "-sha384", "-sha512"];
    for (number, hash) in (1_u16..).zip(hashes) {
        for (kind, key) in [
            (1, &rsa),
            (1, &small),
            (2, &dsa),
            (3, &p256),
            (3, &p384),
            (3, &p521),
        ] {
            // openssl has no name for DSA with MD5.
            if (kind, number) == (2, 1) {
                continue;
            }
            let scheme = S(number << 8 | kind);
            let signature = key.sign(b"all messages", &["dgst", hash]);
            let signed = DigitallySigned {
                algorithm: Some(scheme),
                signature: &signature,
            };
            let signature = signature_of(TLS_1_2, Side::Client, &key.spki, &signed);
            let verdict = signature.over_messages(&[b"all ", b"messages"], None);
            let changed = signature.over_messages(&[b"all messages "], None);
            let is_ecdsa = kind == 3;
            let is_p384 = std::ptr::eq(key, &raw const p384);
            // What aws-lc does not check.
            if is_ecdsa && (matches!(hash, "-md5" | "-sha224") || (is_p384 && hash == "-sha1")) {
                let unknown = Verdict::NotDerivable(Missing::Algorithm);
                assert_eq!((verdict, changed), (unknown.clone(), unknown), "{scheme}");
            } else {
                assert_eq!(verdict, Verdict::Confirmed, "{scheme}, {hash}");
                let bad = Verdict::Refuted(Refutation::BadSignature);
                assert_eq!(changed, bad, "{scheme}");
            }
        }
    }
}

#[test]
fn before_tls12_the_key_says_how_it_signs() {
    let (rsa, p256, dsa) = (Key::rsa("2048"), Key::curve("P-256"), Key::dsa());
    let both = Prf::Tls10.digest(&[b"all messages"]);
    // The two hashes as they are: openssl puts no name before them.
    let by_rsa = rsa.sign(&both, &["pkeyutl"]);
    let by_p256 = p256.sign(b"all messages", &["dgst", "-sha1"]);
    let of_dss = dsa.sign(b"all messages", &["dgst", "-sha1"]);
    for (key, signature) in [(&rsa, &by_rsa), (&p256, &by_p256), (&dsa, &of_dss)] {
        let signed = DigitallySigned {
            algorithm: None,
            signature,
        };
        let signature = signature_of(TLS_1_0, Side::Client, &key.spki, &signed);
        let verdict = signature.over_messages(&[b"all messages"], None);
        assert_eq!(verdict, Verdict::Confirmed);
        let bad = Verdict::Refuted(Refutation::BadSignature);
        assert_eq!(signature.over_messages(&[b"all"], None), bad);
    }
    let signed = DigitallySigned {
        algorithm: None,
        signature: &by_rsa,
    };
    let ssl3 = signature_of(ProtocolVersion::SSL_3, Side::Client, &rsa.spki, &signed);
    let missing = Verdict::NotDerivable(Missing::Keys);
    assert_eq!(ssl3.over_messages(&[b"all messages"], None), missing);
}

#[test]
fn what_tls13_forbids_and_what_was_not_offered_is_refuted_though_it_is_right() {
    let (rsa, p384) = (Key::rsa("2048"), Key::curve("P-384"));
    let content = format!("{:64}TLS 1.3, client CertificateVerify\0hash", "");
    let content = content.as_bytes();
    let wrong = Verdict::Refuted(Refutation::WrongKeyForScheme);
    let pkcs1 = rsa.sign(content, &["dgst", "-sha256"]);
    let on_p384 = p384.sign(content, &["dgst", "-sha256"]);
    for (scheme, key, signature, verdict) in [
        (S::RSA_PKCS1_SHA256, &rsa, &pkcs1, wrong.clone()),
        (S::RSA_PKCS1_SHA1, &rsa, &pkcs1, wrong.clone()),
        // RFC 9963 has it back, for clients alone.
        (S::RSA_PKCS1_SHA256_LEGACY, &rsa, &pkcs1, Verdict::Confirmed),
        // In TLS 1.3 the scheme names the curve.
        (S::ECDSA_SECP256R1_SHA256, &p384, &on_p384, wrong),
        (
            S::ED448,
            &rsa,
            &pkcs1,
            Verdict::NotDerivable(Missing::Algorithm),
        ),
    ] {
        let signed = DigitallySigned {
            algorithm: Some(scheme),
            signature,
        };
        let signature = signature_of(TLS_1_3, Side::Client, &key.spki, &signed);
        assert_eq!(signature.over_hash(b"hash"), verdict, "{scheme}");
    }
    let signed = DigitallySigned {
        algorithm: Some(S::RSA_PKCS1_SHA256_LEGACY),
        signature: &pkcs1,
    };
    let signature = HandshakeSignature {
        offered: Some(&[S::ED25519]),
        ..signature_of(TLS_1_3, Side::Client, &rsa.spki, &signed)
    };
    let not_offered = Verdict::Refuted(Refutation::SchemeNotOffered);
    assert_eq!(signature.over_hash(b"hash"), not_offered);
}

#[test]
fn keys_that_are_none_are_said_to_be_so() {
    let signed = DigitallySigned {
        algorithm: Some(S::ED25519),
        signature: &[0; 64],
    };
    for signer in [Signer::RawKey(&[0x30, 0]), Signer::Certificate(&[1, 2, 3])] {
        let signature = HandshakeSignature {
            signer,
            ..signature_of(TLS_1_3, Side::Server, &[], &signed)
        };
        let verdict = signature.over_hash(b"hash");
        let Verdict::Refuted(Refutation::BadCertificate(why)) = verdict else {
            panic!("{verdict:?}");
        };
        assert!(matches!(
            why,
            BadCertificate::Unreadable(_) | BadCertificate::UnreadableKey(_)
        ));
    }
}

fn signature_of<'a>(
    version: ProtocolVersion,
    side: Side,
    spki: &'a [u8],
    signed: &'a DigitallySigned<'a>,
) -> HandshakeSignature<'a> {
    HandshakeSignature {
        version,
        side,
        signer: Signer::RawKey(spki),
        signed,
        offered: None,
    }
}
