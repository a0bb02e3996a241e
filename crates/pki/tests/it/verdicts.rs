//! Verdicts on chains of all sorts, beside those of openssl and of rustls-webpki.

use std::time::Duration;

use proptest::prelude::*;
use ravelin_pki::verify::Problem;
use ravelin_pki::{Certificate, CertificateDer, HostName, Judge, Rules, Trust};
use rcgen::ExtendedKeyUsagePurpose;

use crate::chains::{Ca, Chain, Leaf, Made, NOW, question};
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
    let more = format!("-attime {NOW} -verify_hostname {host}");
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
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(160) })]

    #[test]
    fn verdicts_are_those_of_openssl_and_webpki(chain in any_chain()) {
        let made = chain.make();
        let trust = Trust::new(vec![made.root.clone()]);
        let judge = Judge::new(&trust, Rules::strict());
        let question = question(chain.host);
        let verdict = judge.verify(&made.chain, &question);
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
