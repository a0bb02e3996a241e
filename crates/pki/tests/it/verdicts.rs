//! Verdicts on chains of all sorts, beside those of openssl and of rustls-webpki.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use ravelin_pki::verify::Problem;
use ravelin_pki::{
    Authority, Certificate, CertificateDer, HostName, Judge, PrivateKey, Question, Rules, Trust,
};
use rcgen::ExtendedKeyUsagePurpose;

use crate::chains::{Ca, Chain, Leaf, Made, NOW, good_chain, now, question};
use crate::counts;
use crate::openssl::Openssl;

/// One of few, most often the first.
fn mostly<T: Clone + std::fmt::Debug + 'static>(
    usual: T,
    others: Vec<T>,
) -> impl Strategy<Value = T> {
    prop_oneof![7 => Just(usual), 1 => proptest::sample::select(others)]
}

fn ca() -> impl Strategy<Value = Ca> {
    let purposes = vec![
        Some(ExtendedKeyUsagePurpose::ServerAuth),
        Some(ExtendedKeyUsagePurpose::ClientAuth),
    ];
    let names = || {
        vec![
            vec!["a.example"],
            vec!["b.example"],
            vec!["www.a.example", "b.example"],
        ]
    };
    (
        mostly(true, vec![false]),
        mostly((2020, 2040), vec![(2020, 2024), (2030, 2040)]),
        mostly(None, vec![Some(0), Some(1)]),
        mostly(true, vec![false]),
        mostly(None, purposes),
        mostly(Vec::new(), names()),
        mostly(Vec::new(), names()),
    )
        .prop_map(
            |(
                has_ca_flag,
                years,
                path_length,
                signs_certificates,
                purpose,
                permitted,
                excluded,
            )| Ca {
                has_ca_flag,
                years,
                path_length,
                signs_certificates,
                purpose,
                permitted,
                excluded,
            },
        )
}

fn any_chain() -> impl Strategy<Value = Chain> {
    let leaf = (
        mostly((2025, 2027), vec![(2020, 2025), (2027, 2028)]),
        mostly(
            vec!["www.a.example"],
            vec![
                vec!["*.a.example"],
                vec!["www.b.example", "www.a.example"],
                vec!["a.example"],
            ],
        ),
        mostly(
            Some(ExtendedKeyUsagePurpose::ServerAuth),
            vec![
                None,
                Some(ExtendedKeyUsagePurpose::ClientAuth),
                Some(ExtendedKeyUsagePurpose::Any),
            ],
        ),
        mostly(false, vec![true]),
    )
        .prop_map(|(years, names, purpose, is_forged)| Leaf {
            years,
            names,
            purpose,
            is_forged,
        });
    let hosts = vec!["a.example", "www.b.example", "x.www.a.example"];
    (
        proptest::collection::vec(ca(), 1..4),
        leaf,
        mostly("www.a.example", hosts),
    )
        .prop_map(|(cas, leaf, host)| Chain { cas, leaf, host })
}

fn openssl_says(judge: &Openssl, made: &Made, host: &str) -> Result<(), String> {
    let pems = |certificates: &[Certificate]| -> String {
        certificates.iter().map(Certificate::to_pem).collect()
    };
    let kind = match host.parse::<std::net::IpAddr>() {
        Ok(_) => "verify_ip",
        Err(_) => "verify_hostname",
    };
    let more = format!("-attime {NOW} -{kind} {host}");
    let [leaf, intermediates @ ..] = made.chain.as_slice() else {
        unreachable!("there is a leaf");
    };
    // openssl wants a file that is not empty; the root is as good as nothing.
    let pems = pems(intermediates) + &made.root.to_pem();
    judge.verify(&made.root.to_pem(), &pems, &leaf.to_pem(), &more)
}

fn webpki_says(made: &Made, host: &HostName) -> Result<(), webpki::Error> {
    let anchor = webpki::anchor_from_trusted_cert(made.root.der())?;
    let ders: Vec<CertificateDer<'_>> = made.chain.iter().map(|c| c.der().clone()).collect();
    let leaf = webpki::EndEntityCert::try_from(&ders[0])?;
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        &ders[1..],
        rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(NOW)),
        webpki::KeyUsage::server_auth(),
        None,
        None,
    )?;
    let name = host.to_string();
    let name = rustls_pki_types::ServerName::try_from(name.as_str()).unwrap();
    leaf.verify_is_valid_for_subject_name(&name)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(counts::RANDOM_CHAINS.asked()) })]

    #[test]
    fn verdicts_are_those_of_openssl_and_webpki(chain in any_chain()) {
        let made = chain.make();
        let trust = Trust::new(vec![made.root.clone()]);
        let judge = Judge::new(&trust, Rules::strict());
        let question = question(chain.host);
        let verdict = judge.verify(&made.chain[0], &made.chain[1..], &question);
        let theirs = openssl_says(&Openssl::new(), &made, chain.host);
        // A wildcard next to an exclusion that it covers: openssl compares letters alone.
        let covers = chain.leaf.names.contains(&"*.a.example")
            && chain.cas.iter().any(|ca| ca.excluded.contains(&"www.a.example"));
        prop_assert!(!covers || !verdict.is_valid());
        prop_assume!(!covers);
        prop_assert_eq!(verdict.is_valid(), theirs.is_ok(), "openssl: {:?}; {}", theirs, verdict);

        // webpki looks neither at key usages nor, of anchors, at anything but name and constraints.
        let theirs = webpki_says(&made, question.host.as_ref().unwrap());
        let anchor = made.chain.len();
        let ours = verdict.failures().iter().all(|failure| {
            matches!(failure.problem, Problem::MayNotSign { .. }) || failure.certificate == anchor
        });
        prop_assert_eq!(ours, theirs.is_ok(), "webpki: {:?}; {}", theirs, verdict);
    }
}

/// Names within and outside of constraints, of kinds that the constraints name and of others.
#[test]
fn constraints_of_names_and_addresses_come_out_as_with_openssl_and_webpki() {
    let openssl = Openssl::new();
    let constraints: [&[&str]; 5] = [
        &[],
        &["a.example"],
        &["10.0.0.0/8"],
        &["fd00::/8", "b.example"],
        &["a.example", "10.0.0.0/8"],
    ];
    let names: [&[&str]; 9] = [
        &["a.example"],
        &["www.a.example"],
        &["nota.example"],
        &["10.1.2.3"],
        &["11.1.2.3"],
        &["fd00::1"],
        &["a.example", "10.1.2.3"],
        &["a.example", "11.1.2.3"],
        &["b.example", "10.1.2.3"],
    ];
    let (mut held, mut compared) = (0, 0);
    for permitted in constraints {
        for excluded in constraints {
            for names in names {
                let mut chain = good_chain();
                chain.cas[1].permitted = permitted.to_vec();
                chain.cas[1].excluded = excluded.to_vec();
                chain.leaf.names = names.to_vec();
                let made = chain.make();
                let trust = Trust::new(vec![made.root.clone()]);
                let judge = Judge::new(&trust, Rules::strict());
                let [leaf, others @ ..] = made.chain.as_slice() else {
                    unreachable!("there is a leaf");
                };
                let ours = judge.verify(leaf, others, &question(names[0]));
                let theirs = openssl_says(&openssl, &made, names[0]);
                assert_eq!(
                    ours.is_valid(),
                    theirs.is_ok(),
                    "{chain:?}: {theirs:?}; {ours}"
                );
                let theirs = webpki_says(&made, &names[0].parse().unwrap());
                assert_eq!(
                    ours.is_valid(),
                    theirs.is_ok(),
                    "{chain:?}: {theirs:?}; {ours}"
                );
                held += usize::from(ours.is_valid());
                compared += 1;
            }
        }
    }
    assert_eq!(held, 86);
    counts::CONSTRAINED.assert_is(compared, compared, 0);
}

/// Parsing included. The margin is wide, so that a busy machine does not fail it.
#[test]
fn a_thousand_chains_cost_less_than_a_fifth_of_a_loop_of_openssl() {
    let time = now();
    let root = PrivateKey::generate().unwrap();
    let root = Authority::root("Root", root, &ravelin_pki::NameConstraints::local(), time).unwrap();
    let middle = PrivateKey::generate().unwrap();
    let middle = root.intermediate("Intermediate", middle, time).unwrap();
    let name: HostName = "www.a.test".parse().unwrap();
    let chains: Vec<Vec<CertificateDer<'_>>> = (0..1000)
        .map(|_| {
            let leaf = middle.leaf(std::slice::from_ref(&name), time).unwrap();
            leaf.chain
        })
        .collect();
    let asked = Question::at(time).host(name);

    let started = Instant::now();
    let trust = Trust::new(vec![root.certificate().clone()]);
    let judge = Judge::new(&trust, Rules::strict());
    for chain in &chains {
        let read = |der: &CertificateDer<'_>| Certificate::from_der(der).unwrap();
        let chain: Vec<Certificate> = chain.iter().map(read).collect();
        assert!(judge.verify(&chain[0], &chain[1..], &asked).is_valid());
    }
    let ours = started.elapsed();

    let openssl = Openssl::new();
    openssl.write("root.pem", root.certificate().to_pem());
    openssl.write("intermediate.pem", middle.certificate().to_pem());
    let leaf = Certificate::from_der(&chains[0][0]).unwrap();
    openssl.write("leaf.pem", leaf.to_pem());
    let command = &format!(
        "verify -x509_strict -attime {NOW} -purpose sslserver -verify_hostname www.a.test \
         -CAfile root.pem -untrusted intermediate.pem leaf.pem"
    );
    let started = Instant::now();
    for _ in 0..100 {
        openssl.run(command).unwrap();
    }
    let theirs = started.elapsed() * 10;
    eprintln!("1,000 chains: {ours:?}; a loop of openssl: {theirs:?}");
    assert!(ours * 5 < theirs, "{ours:?}, openssl {theirs:?}");
}
