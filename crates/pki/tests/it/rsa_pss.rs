//! Keys that are for RSASSA-PSS alone (RFC 4055), of openssl's making: what is signed with them is
//! verified as far as their parameters let it, and openssl says the same.

use ravelin_pki::signature::Hash;
use ravelin_pki::{
    Certificate, CertificateRequest, Judge, KeyType, Pss, PublicKey, Question, Rules,
    SignatureAlgorithm, SignatureError, Trust, pem,
};

use crate::openssl::Openssl;

/// A self-signed certificate by a key with `restrictions`, signed with `parameters`.
fn certificate(restrictions: &str, parameters: &str) -> (Openssl, Certificate) {
    let openssl = Openssl::new();
    let key = format!("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 {restrictions}");
    openssl.run(&format!("{key} -out key.pem")).unwrap();
    let request = "req -new -x509 -key key.pem -subj /CN=a.test -days 30 -out c.pem";
    openssl.run(&format!("{request} {parameters}")).unwrap();
    let chain = pem::certificates(&openssl.read("c.pem")).unwrap();
    (openssl, Certificate::from_der(&chain[0]).unwrap())
}

const SHA384: &str = "-pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt rsa_pss_keygen_mgf1_md:sha384 \
     -pkeyopt rsa_pss_keygen_saltlen:40";

#[test]
fn certificates_signed_with_such_keys_are_verified() {
    for (restrictions, parameters, kind, algorithm) in [
        // What openssl does where it is told nothing: the longest salt there can be.
        (
            "",
            "-sha256",
            "RSA-PSS 2048",
            "RSA-PSS with SHA-256 and a salt of 222 bytes",
        ),
        (
            "",
            "-sha512 -sigopt rsa_pss_saltlen:20",
            "RSA-PSS 2048",
            "RSA-PSS with SHA-512 and a salt of 20 bytes",
        ),
        (
            SHA384,
            "-sha384 -sigopt rsa_pss_saltlen:48",
            "RSA-PSS 2048 for SHA-384 and salts of 40 bytes or more",
            "RSA-PSS with SHA-384",
        ),
    ] {
        let (openssl, certificate) = certificate(restrictions, parameters);
        openssl.run("verify -CAfile c.pem c.pem").unwrap();
        let key = certificate.public_key();
        assert_eq!(key.key_type(), Some(KeyType::RsaPss(2048)));
        assert_eq!(key.kind(), kind);
        assert_eq!(certificate.signature_algorithm().name(), algorithm);
        assert_eq!(certificate.verify_signature(key), Ok(()), "{kind}");

        let trust = Trust::new(vec![certificate.clone()]);
        let question = Question::at(certificate.not_before());
        let judge = Judge::new(&trust, Rules::strict());
        let verdict = judge.verify(&certificate, &[], &question);
        assert!(verdict.is_valid(), "{:?}", verdict.failures());
    }
}

#[test]
fn such_a_key_signs_nothing_but_what_its_parameters_allow() {
    let (_, free) = certificate("", "-sha256 -sigopt rsa_pss_saltlen:32");
    let wrong = |key: &PublicKey| {
        let result = free.signed().verify(key);
        assert!(
            matches!(result, Err(SignatureError::WrongKey { .. })),
            "{result:?}"
        );
    };
    // The same numbers under other parameters.
    let with = |restrictions: &str| {
        let (_, other) = certificate(restrictions, "-sha384 -sigopt rsa_pss_saltlen:48");
        let mut identifier = other.public_key().der().to_vec();
        let bits = identifier.len() - other.public_key().bits().len();
        identifier.truncate(bits);
        identifier.extend(free.public_key().bits());
        PublicKey::from_der(&identifier).unwrap()
    };
    wrong(&with(SHA384));
    assert_eq!(free.signed().verify(free.public_key()), Ok(()));
    // RSA of any kind makes them too.
    let plain = PublicKey::of(KeyType::Rsa(2048), free.public_key().bits());
    assert_eq!(free.signed().verify(&plain), Ok(()));
}

#[test]
fn a_key_for_pss_alone_makes_no_other_signatures() {
    let openssl = Openssl::new();
    openssl
        .run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem")
        .unwrap();
    openssl
        .run("req -new -key key.pem -subj /CN=a.test -sha256 -outform DER -out r.der")
        .unwrap();
    let request = CertificateRequest::from_der(&openssl.read("r.der")).unwrap();
    assert_eq!(request.verify_signature(), Ok(()));
    let pss = PublicKey::of(KeyType::RsaPss(2048), request.public_key().bits());
    let result = request.signed().verify(&pss);
    assert!(
        matches!(result, Err(SignatureError::WrongKey { .. })),
        "{result:?}"
    );
}

/// What is refused for the size of its key is no wrong signature.
#[test]
fn signatures_of_small_keys_are_not_said_to_be_wrong() {
    let openssl = Openssl::new();
    openssl
        .run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out k.pem")
        .unwrap();
    openssl
        .run("pkey -in k.pem -pubout -outform DER -out k.der")
        .unwrap();
    openssl.write("message", "signed");
    let key = PublicKey::from_der(&openssl.read("k.der")).unwrap();
    for (options, algorithm) in [
        ("-sha384", SignatureAlgorithm::RsaPkcs1(Hash::Sha384)),
        (
            "-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48",
            SignatureAlgorithm::RsaPss(Pss::of(Hash::Sha384)),
        ),
    ] {
        openssl
            .run(&format!(
                "dgst {options} -sign k.pem -out signature message"
            ))
            .unwrap();
        let signature = openssl.read("signature");
        let refused = SignatureError::KeySize {
            algorithm: algorithm.to_string(),
            bits: 1024,
            least: 2048,
            most: 8192,
        };
        assert_eq!(algorithm.verify(&key, b"signed", &signature), Err(refused));
    }
    // With another hash such a key is checked.
    openssl
        .run("dgst -sha256 -sign k.pem -out signature message")
        .unwrap();
    let algorithm = SignatureAlgorithm::RsaPkcs1(Hash::Sha256);
    let signature = openssl.read("signature");
    assert_eq!(algorithm.verify(&key, b"signed", &signature), Ok(()));
    let wrong = algorithm.verify(&key, b"other", &signature);
    assert_eq!(wrong, Err(SignatureError::Wrong));
}
