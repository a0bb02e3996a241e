//! What Ravelin itself issues: nobody has anything to say about it.

use std::fs;
use std::time::{Duration, SystemTime};

use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::lint::{self, Consumer, Options};
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, HostName, KeyType, NameConstraints, Oid, PrivateKey,
    Purpose, Template,
};

use super::pkilint;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn of(kind: KeyType) -> PrivateKey {
    PrivateKey::generate_of(kind).unwrap()
}

/// A certificate of every purpose and kind of key, with everything that a template can say.
fn all() -> Vec<(String, Vec<Certificate>)> {
    let now = SystemTime::now();
    let mut made = Vec::new();
    for (name, kind) in KeyType::NAMES {
        // They take long to make, and are no other than the shorter ones.
        if matches!(kind, KeyType::Rsa(3072 | 4096)) {
            continue;
        }
        let root = Authority::root("Test root", of(kind), &NameConstraints::local(), now).unwrap();
        let intermediate = root
            .intermediate("Test intermediate", of(kind), now)
            .unwrap();
        let hosts: Vec<HostName> = ["localhost", "*.a.test", "10.0.0.1", "fd00::1"]
            .map(|host| host.parse().unwrap())
            .into();
        let leaf = intermediate.leaf(&hosts, now).unwrap();
        let chain = [
            leaf.certificate(),
            intermediate.certificate(),
            root.certificate(),
        ];
        made.push((format!("local-{name}"), chain.map(Clone::clone).to_vec()));

        let ca = Template::ca(DistinguishedName::of(&[(Oid::COMMON_NAME, "Any CA")]), None);
        let key = of(kind);
        let der = self_signed_certificate(&ca, &key, 10 * YEAR, now).unwrap();
        let ca = Authority::new(Certificate::from_der(&der).unwrap(), key).unwrap();
        for (purpose, template) in templates() {
            let key = of(kind);
            let der = ca
                .issue(&template, key.public_key(), YEAR / 4, now)
                .unwrap();
            let chain = vec![
                Certificate::from_der(&der).unwrap(),
                ca.certificate().clone(),
            ];
            made.push((format!("{purpose}-{name}"), chain));
            let der = self_signed_certificate(&template, &key, YEAR / 4, now).unwrap();
            made.push((
                format!("self-{purpose}-{name}"),
                vec![Certificate::from_der(&der).unwrap()],
            ));
        }
    }
    made
}

fn templates() -> Vec<(&'static str, Template)> {
    let subject = DistinguishedName::of(&[
        (Oid::COUNTRY, "DE"),
        (Oid::ORGANIZATION, "Müller & Söhne"),
        (Oid::COMMON_NAME, "a.example.com"),
    ]);
    let mut templates: Vec<_> = Purpose::NAMES
        .into_iter()
        .map(|(name, purpose)| {
            let names = match purpose {
                Purpose::Email => vec!["ada@example.com".parse().unwrap()],
                Purpose::Client => vec!["spiffe://example.com/a".parse().unwrap()],
                Purpose::Server => vec!["a.example.com".parse().unwrap()],
                _ => Vec::new(),
            };
            let template = Template::leaf(names).for_purposes(&[purpose]);
            (
                name,
                if purpose == Purpose::Server {
                    template
                } else {
                    template.with_subject(subject.clone())
                },
            )
        })
        .collect();
    let mut full = Template::leaf(vec!["a.example.com".parse().unwrap()])
        .for_purposes(&[Purpose::Server, Purpose::Client])
        .with_subject(subject);
    full.crls = vec!["http://ca.example.com/a.crl".to_owned()];
    full.ocsp = vec!["http://ca.example.com/ocsp".to_owned()];
    full.ca_issuers = vec!["http://ca.example.com/a.cer".to_owned()];
    full.policies = vec!["1.3.6.1.4.1.99999.1".parse().unwrap()];
    full.must_staple = true;
    templates.push(("full", full));
    templates
}

/// Worth knowing, and as its user wanted it: the kind of key, and that it is for no server.
const MEANT: [&str; 4] = [
    "key-p521",
    "key-edwards",
    "key-ml-dsa",
    "extended-key-usage-no-server",
];

#[test]
fn nothing_is_said_about_what_is_issued() {
    for (name, chain) in all() {
        let report = lint::lint(&chain, SystemTime::now(), Options::default());
        for finding in report.findings() {
            assert!(MEANT.contains(&finding.rule.id), "{name}: {finding}");
        }
        if name.ends_with("-p256") && name.starts_with("local") {
            for consumer in Consumer::ALL {
                assert_eq!(report.refusals(consumer).next(), None, "{consumer}");
            }
        }
    }
}

/// pkilint takes names of a single label, wildcards, and URIs of schemes that are not of the web, for
/// mistakes: the first are what a local CA is for, the others are as RFC 9525 and SPIFFE want them.
const NOT_KNOWN: [&str; 5] = [
    "localhost",
    "test",
    "internal",
    "*.a.test",
    "spiffe://example.com/a",
];

#[test]
fn pkilint_says_nothing_about_what_is_issued() {
    let folder = tempfile::tempdir().unwrap();
    let made = all();
    for (name, chain) in &made {
        let at = folder.path().join(name);
        fs::create_dir(&at).unwrap();
        for (certificate, file) in chain
            .iter()
            .zip(["leaf.pem", "intermediate.pem", "root.pem"])
        {
            fs::write(at.join(file), certificate.to_pem()).unwrap();
        }
    }
    let mut said = Vec::new();
    for (place, findings) in pkilint::ask(folder.path(), true) {
        for [severity, code, message] in findings {
            // It cannot check a signature of ML-DSA, and says no more than that.
            let unsupported = severity == "NOTICE" && code == "pkix.unsupported_algorithm";
            if !unsupported
                && !NOT_KNOWN
                    .iter()
                    .any(|name| message.ends_with(&format!("\"{name}\"")))
            {
                said.push(format!("{place:?}: {severity} {code}: {message}"));
            }
        }
    }
    assert!(made.len() > 80);
    assert!(said.is_empty(), "{}", said.join("\n"));
}
