//! The CA: what it issues holds, what is forged with its keys does not.

use std::time::{Duration, SystemTime};

use ravelin_pki::{
    Authority, AuthorityError, Certificate, HostName, NameConstraints, PrivateKey, pem,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::openssl::Openssl;

fn names(texts: &[&str]) -> Vec<HostName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn root(now: SystemTime) -> Authority {
    let key = PrivateKey::generate().unwrap();
    Authority::root("Test root", key, &NameConstraints::local(), now).unwrap()
}

fn intermediate(root: &Authority, now: SystemTime) -> Authority {
    let key = PrivateKey::generate().unwrap();
    root.intermediate("Test intermediate", key, now).unwrap()
}

#[test]
fn a_leaf_holds_at_openssls_strictest() {
    let now = SystemTime::now();
    let root = root(now);
    let intermediate = intermediate(&root, now);
    let all = names(&[
        "localhost",
        "*.x.test",
        "db.internal",
        "10.1.2.3",
        "fd00::7",
    ]);
    let leaf = intermediate.leaf(&all, now).unwrap();
    assert_eq!(leaf.chain.len(), 2, "the root is not sent");
    let openssl = Openssl::new();
    for host in [
        "-verify_hostname localhost",
        "-verify_hostname a.x.test",
        "-verify_hostname db.internal",
        "-verify_ip 10.1.2.3",
        "-verify_ip fd00::7",
    ] {
        openssl
            .verify(
                &root.certificate().to_pem(),
                &intermediate.certificate().to_pem(),
                &leaf.certificate().to_pem(),
                host,
            )
            .unwrap();
    }
    let text = openssl.run("x509 -in leaf.pem -noout -text").unwrap();
    for expected in [
        "Digital Signature",
        "TLS Web Server Authentication",
        "CA:FALSE",
        "Subject Key Identifier",
        "Authority Key Identifier",
        "NIST CURVE: P-256",
        "ecdsa-with-SHA256",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let text = openssl
        .run("x509 -in intermediate.pem -noout -text")
        .unwrap();
    for expected in [
        "CA:TRUE, pathlen:0",
        "Name Constraints: critical",
        "Certificate Sign, CRL",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn a_leaf_forged_for_another_name_is_refused() {
    let now = SystemTime::now();
    let root = root(now);
    let intermediate = intermediate(&root, now);
    let forge = |name: &str| {
        forge(
            &intermediate,
            CertificateParams::new([name.to_owned()]).unwrap(),
        )
    };
    let openssl = Openssl::new();
    let verify = |leaf: &str| {
        openssl.verify(
            &root.certificate().to_pem(),
            &intermediate.certificate().to_pem(),
            leaf,
            "",
        )
    };
    verify(&forge("inside.test").0).unwrap();
    for outside in [
        "example.org",
        "localhost.example.org",
        "8.8.8.8",
        "2001:db8::1",
    ] {
        let error = verify(&forge(outside).0).unwrap_err();
        assert!(
            error.contains("permitted subtree violation"),
            "{outside}: {error}"
        );
    }
}

/// Whoever steals the root's key may sign an intermediate without constraints: the root's own still
/// hold, where verifiers look at them.
#[test]
fn an_unconfined_intermediate_does_not_widen_the_root() {
    let now = SystemTime::now();
    let root = root(now);
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let (certificate, key) = forge(&root, params);
    let rogue = Authority::new(
        Certificate::from_der(&pem::certificates(certificate.as_bytes()).unwrap()[0]).unwrap(),
        PrivateKey::from_pem(key.as_bytes()).unwrap(),
    )
    .unwrap();
    let leaf = rogue.leaf(&names(&["example.org"]), now).unwrap();
    let error = Openssl::new()
        .verify(
            &root.certificate().to_pem(),
            &certificate,
            &leaf.certificate().to_pem(),
            "",
        )
        .unwrap_err();
    assert!(error.contains("permitted subtree violation"), "{error}");
}

/// A certificate signed with the authority's key past all its checks, and its key.
fn forge(authority: &Authority, mut params: CertificateParams) -> (String, String) {
    let issuer_key = KeyPair::from_pem(&authority.key().to_pem().unwrap()).unwrap();
    let issuer = Issuer::from_ca_cert_der(authority.certificate().der(), issuer_key).unwrap();
    params.use_authority_key_identifier_extension = true;
    if params.is_ca == IsCa::NoCa {
        params.is_ca = IsCa::ExplicitNoCa;
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn no_name_outside_the_constraints_is_signed() {
    let now = SystemTime::now();
    let intermediate = intermediate(&root(now), now);
    for outside in ["example.org", "8.8.8.8", "0.0.0.0", "::", "*.arpa"] {
        let error = intermediate
            .leaf(&names(&["localhost", outside]), now)
            .unwrap_err();
        assert!(
            matches!(&error, AuthorityError::NotPermitted { name, .. } if name == outside),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("home.arpa, 127.0.0.0/8"),
            "{error}"
        );
    }
    assert!(matches!(
        intermediate.leaf(&[], now),
        Err(AuthorityError::NoNames)
    ));
}

#[test]
fn a_leaf_cannot_sign() {
    let now = SystemTime::now();
    let leaf = intermediate(&root(now), now)
        .leaf(&names(&["localhost"]), now)
        .unwrap();
    let key = PrivateKey::from_der(&leaf.key).unwrap();
    let error = Authority::new(leaf.certificate().clone(), key).unwrap_err();
    assert!(matches!(error, AuthorityError::NotCa { .. }), "{error:?}");
    let root = root(now);
    let error = Authority::new(root.certificate().clone(), PrivateKey::generate().unwrap());
    assert!(
        matches!(error, Err(AuthorityError::Mismatch { .. })),
        "{error:?}"
    );
}

#[test]
fn lives_lie_within_each_other_and_serials_are_random() {
    let now = SystemTime::now();
    let root = root(now);
    let intermediate = intermediate(&root, now);
    let leaf = intermediate.leaf(&names(&["localhost"]), now).unwrap();
    let chain = [
        root.certificate(),
        intermediate.certificate(),
        leaf.certificate(),
    ];
    for pair in chain.windows(2) {
        assert!(pair[1].is_signed_by(pair[0]) && !pair[0].is_signed_by(pair[1]));
        assert!(pair[0].not_before() <= pair[1].not_before());
        assert!(pair[1].not_after() <= pair[0].not_after());
    }
    assert!(root.certificate().is_signed_by(root.certificate()));
    let hour = Duration::from_secs(3600);
    assert!(leaf.not_before() <= now - hour + Duration::from_secs(1));
    assert!(leaf.renew_at() > now && leaf.renew_at() < leaf.not_after());
    let late = root.certificate().not_after();
    assert!(intermediate.leaf(&names(&["localhost"]), late).is_err());
    let openssl = Openssl::new();
    let mut serials = Vec::new();
    for certificate in chain {
        openssl.write("c.pem", certificate.to_pem());
        let serial = openssl.run("x509 -in c.pem -noout -serial").unwrap();
        let serial = serial.trim().trim_start_matches("serial=").to_owned();
        assert_eq!(serial.len(), 36, "18 octets: {serial}");
        assert!(!serials.contains(&serial));
        serials.push(serial);
    }
}

#[test]
fn times_that_certificates_cannot_express_are_an_error() {
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    let key = PrivateKey::generate().unwrap();
    let error = Authority::root("Far root", key, &NameConstraints::local(), far).unwrap_err();
    assert!(matches!(error, AuthorityError::Time), "{error:?}");
}

#[test]
fn no_certificate_gets_letters_that_nobody_could_read() {
    let now = SystemTime::now();
    let root = root(now);
    // One that was not made of a text: texts become A-labels.
    let name = HostName::Dns("bücher.localhost".into());
    let error = intermediate(&root, now).leaf(&[name], now).unwrap_err();
    assert!(
        matches!(error, AuthorityError::NotAscii { .. }),
        "{error:?}"
    );
}

#[test]
fn debug_output_holds_no_key() {
    let now = SystemTime::now();
    let root = root(now);
    let leaf = intermediate(&root, now)
        .leaf(&names(&["localhost"]), now)
        .unwrap();
    let secret: Vec<u8> = root.key().der().unwrap().secret_der().to_vec();
    let shown = format!("{root:?} {leaf:?} {:?}", root.key());
    assert!(!shown.contains(&format!("{secret:?}")[1..40]), "{shown}");
    assert!(!shown.contains("PRIVATE"));
}

#[test]
fn an_intermediate_is_for_servers_alone() {
    let now = SystemTime::now();
    let intermediate = intermediate(&root(now), now);
    let openssl = Openssl::new();
    openssl.write("c.pem", intermediate.certificate().to_pem());
    let text = openssl.run("x509 -in c.pem -noout -ext extendedKeyUsage");
    let text = text.unwrap();
    let usages = text.lines().nth(1).map(str::trim);
    assert_eq!(usages, Some("TLS Web Server Authentication"), "{text}");
}
