//! Bytes from outside: whatever they are, there is an answer and no panic.

use std::sync::LazyLock;
use std::time::SystemTime;

use proptest::prelude::*;
use ravelin_pki::{Authority, Certificate, HostName, Leaf, NameConstraints, PrivateKey, lint, pem};

static ROOT: LazyLock<Authority> = LazyLock::new(|| {
    let now = SystemTime::now();
    let key = PrivateKey::generate().unwrap();
    Authority::root("Test root", key, &NameConstraints::local(), now).unwrap()
});

static LEAF: LazyLock<Leaf> = LazyLock::new(|| {
    let names: Vec<HostName> = vec!["a.test".parse().unwrap(), "::1".parse().unwrap()];
    ROOT.leaf(&names, SystemTime::now()).unwrap()
});

/// Everything that can be asked of bytes, and of the certificate they may be.
fn ask_all(bytes: &[u8]) {
    let _ = pem::certificates(bytes);
    if let Ok(key) = pem::private_key(bytes) {
        let _ = PrivateKey::from_der(&key);
    }
    let _ = Leaf::from_pem(bytes, bytes);
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.der().as_ref(), bytes);
        let _ = (certificate.renew_at(), certificate.fingerprint_sha256());
        let _ = certificate.is_signed_by(ROOT.certificate());
        let _ = certificate.is_signed_by(&certificate);
        if let Some(constraints) = certificate.name_constraints() {
            let _ = (
                constraints.to_string(),
                constraints.permits(&LEAF.names()[1]),
            );
        }
        let chain = [certificate.clone(), ROOT.certificate().clone()];
        for public in [true, false] {
            let options = lint::Options {
                public: Some(public),
            };
            let _ = lint::lint(&chain, SystemTime::now(), options);
        }
        if let Ok(authority) = Authority::new(
            certificate,
            PrivateKey::from_der(&ROOT.key().der().unwrap()).unwrap(),
        ) {
            let _ = authority.leaf(LEAF.names(), SystemTime::now());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        ask_all(&bytes);
    }

    #[test]
    fn any_text_with_the_marks_of_pem_is_answered(
        parts in prop::collection::vec(
            prop_oneof![
                Just("-----BEGIN CERTIFICATE-----\n".to_owned()),
                Just("-----END CERTIFICATE-----\n".to_owned()),
                Just("-----BEGIN PRIVATE KEY-----\n".to_owned()),
                Just("-----END PRIVATE KEY-----\n".to_owned()),
                Just("-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\n\n".to_owned()),
                "[A-Za-z0-9+/=\r\n -]{0,80}",
            ],
            0..12,
        ),
    ) {
        ask_all(parts.concat().as_bytes());
    }

    #[test]
    fn any_damage_to_a_certificate_is_answered(
        which in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in prop::bool::weighted(0.2),
    ) {
        let whole = if which { ROOT.certificate() } else { LEAF.certificate() };
        let mut der = whole.der().to_vec();
        for (index, octet) in changes {
            let index = index.index(der.len());
            der[index] = octet;
        }
        if cuts {
            der.truncate(cut.index(der.len()));
        }
        ask_all(&der);
    }

    #[test]
    fn any_damage_to_a_key_is_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut der = LEAF.key.secret_der().to_vec();
        for (index, octet) in changes {
            let index = index.index(der.len());
            der[index] = octet;
        }
        ask_all(pem::encode("PRIVATE KEY", &der).as_bytes());
    }

    #[test]
    fn pem_that_is_written_is_read_again(der in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = pem::encode("PRIVATE KEY", &der);
        let key = pem::private_key(text.as_bytes()).unwrap();
        prop_assert_eq!(key.secret_der(), der);
    }

    #[test]
    fn any_text_is_a_host_name_or_not(text in "\\PC{0,40}") {
        if let Ok(name) = text.parse::<HostName>() {
            prop_assert_eq!(name.to_string().parse::<HostName>().unwrap(), name);
        }
    }
}

/// The web's roots, as the system has them: certificates that others made.
#[test]
fn the_roots_of_the_web_are_read() {
    let bundle = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
    let roots = pem::certificates(&bundle).unwrap();
    assert!(roots.len() > 100);
    for der in roots {
        let root = Certificate::from_der(&der).unwrap();
        assert!(
            root.is_ca() && root.names().is_empty(),
            "{}",
            root.subject()
        );
    }
}
