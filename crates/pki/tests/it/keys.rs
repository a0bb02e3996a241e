//! Keys in the forms that openssl writes them.

use ravelin_pki::{Certificate, KeyError, Leaf, LeafError, PemError, PrivateKey, pem};

use crate::openssl::Openssl;

#[test]
fn keys_of_all_forms_are_read_and_go_with_their_certificates() {
    let openssl = Openssl::new();
    for (make, file) in [
        ("ecparam -name prime256v1 -genkey -out sec1.pem", "sec1.pem"),
        (
            "ecparam -name secp384r1 -genkey -noout -out p384.pem",
            "p384.pem",
        ),
        (
            "ecparam -name secp521r1 -genkey -noout -out p521.pem",
            "p521.pem",
        ),
        (
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.pem",
            "pkcs8.pem",
        ),
        ("genpkey -algorithm ED25519 -out ed.pem", "ed.pem"),
        ("genrsa -traditional -out pkcs1.pem 2048", "pkcs1.pem"),
        (
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa8.pem",
            "rsa8.pem",
        ),
        ("pkey -in pkcs8.pem -outform DER -out key.der", "key.der"),
    ] {
        openssl.run(make).unwrap();
        openssl
            .run(&format!(
                "req -x509 -key {file} -subj /CN=test -addext subjectAltName=DNS:a.test -out c.pem"
            ))
            .unwrap();
        let leaf = Leaf::from_pem(&openssl.read("c.pem"), &openssl.read(file))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(leaf.names(), ["a.test".parse().unwrap()]);
        // What is written again is what openssl takes for the same key.
        let key = PrivateKey::from_pem(&openssl.read(file)).unwrap();
        openssl.write("again.pem", key.to_pem().unwrap());
        let public = |file| openssl.run(&format!("pkey -in {file} -pubout")).unwrap();
        assert_eq!(public("again.pem"), public(file));
        let other = PrivateKey::generate().unwrap();
        assert!(
            !leaf
                .certificate()
                .public_key_matches(&other.der().unwrap())
                .unwrap()
        );
        let error = Leaf::new(leaf.chain.clone(), other.der().unwrap()).unwrap_err();
        assert!(matches!(error, LeafError::Mismatch { .. }), "{error:?}");
    }
}

#[test]
fn a_key_made_here_is_sound_to_openssl() {
    let openssl = Openssl::new();
    openssl.write("k.pem", PrivateKey::generate().unwrap().to_pem().unwrap());
    let text = openssl.run("pkey -in k.pem -check -noout -text").unwrap();
    assert!(
        text.contains("Key is valid") && text.contains("P-256"),
        "{text}"
    );
}

#[test]
fn encrypted_keys_are_told_as_such() {
    let openssl = Openssl::new();
    openssl
        .run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.pem")
        .unwrap();
    openssl
        .run("pkcs8 -topk8 -in k.pem -passout pass:x -out pkcs8.pem")
        .unwrap();
    openssl
        .run("ec -in k.pem -aes128 -passout pass:x -out legacy.pem")
        .unwrap();
    for file in ["pkcs8.pem", "legacy.pem"] {
        let error = pem::private_key(&openssl.read(file)).unwrap_err();
        assert_eq!(error, PemError::EncryptedKey { line: 1 });
        assert!(error.hint().unwrap().contains("openssl pkey"));
    }
}

#[test]
fn keys_that_cannot_be_used_are_refused_without_a_word_of_them() {
    let openssl = Openssl::new();
    openssl
        .run("genpkey -algorithm ED448 -out ed448.pem")
        .unwrap();
    openssl.run("genrsa -out small.pem 1024").unwrap();
    openssl
        .run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp224r1 -out p224.pem")
        .unwrap();
    for file in ["ed448.pem", "small.pem", "p224.pem"] {
        let error = PrivateKey::from_pem(&openssl.read(file)).unwrap_err();
        assert!(matches!(error, KeyError::Unusable), "{file}: {error:?}");
    }
    let cut = pem::encode("PRIVATE KEY", b"0\x82\x01\x00 cut off");
    let error = PrivateKey::from_pem(cut.as_bytes()).unwrap_err();
    assert!(matches!(error, KeyError::Unusable), "{error:?}");
}

#[test]
fn a_chain_in_the_wrong_order_is_told() {
    let openssl = Openssl::new();
    for name in ["a", "b"] {
        openssl
            .run(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key \
                 -subj /CN={name} -out {name}.pem"
            ))
            .unwrap();
    }
    let chain = [openssl.read("a.pem"), openssl.read("b.pem")].concat();
    let error = Leaf::from_pem(&chain, &openssl.read("b.key")).unwrap_err();
    assert!(matches!(error, LeafError::Order { number: 2 }), "{error:?}");
    assert!(Leaf::from_pem(&chain, &openssl.read("a.key")).is_ok());
}

#[test]
fn the_fingerprint_is_openssls() {
    let openssl = Openssl::new();
    openssl
        .run(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem \
             -subj /O=Example/CN=Test -addext subjectAltName=DNS:*.a.test,IP:::1,email:a@b.c,DNS:_x. \
             -not_after 20491231235959Z -out c.pem",
        )
        .or_else(|_| {
            // Before OpenSSL 3.4 there is no -not_after.
            openssl.run(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem \
                 -subj /O=Example/CN=Test -out c.pem \
                 -addext subjectAltName=DNS:*.a.test,IP:::1,email:a@b.c,DNS:_x.",
            )
        })
        .unwrap();
    let ders = pem::certificates(&openssl.read("c.pem")).unwrap();
    let certificate = Certificate::from_der(&ders[0]).unwrap();
    let shown = openssl
        .run("x509 -in c.pem -noout -fingerprint -sha256")
        .unwrap();
    let hex = shown
        .trim()
        .split_once('=')
        .unwrap()
        .1
        .replace(':', "")
        .to_lowercase();
    assert_eq!(certificate.fingerprint_sha256().to_string(), hex);
    assert_eq!(certificate.subject(), "O=Example, CN=Test");
    assert_eq!(certificate.common_name(), Some("Test"));
    assert!(certificate.is_self_issued() && certificate.is_signed_by(&certificate));
    let names: Vec<String> = certificate
        .names()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["*.a.test", "::1", "_x"]);
}
