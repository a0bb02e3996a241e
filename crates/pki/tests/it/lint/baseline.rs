//! The CA/Browser Forum's baseline: a certificate as a public CA makes it, and each defect of it.

#![allow(
    clippy::semicolon_if_nothing_returned,
    reason = "a table of one-line changes is read more easily without"
)]

use std::time::{Duration, SystemTime};

use ravelin_pki::der::Writer;
use ravelin_pki::extension::{AccessDescription, DistributionPoint, PolicyInformation};
use ravelin_pki::lint::{self, Consumer, Options, Report};
use ravelin_pki::{Certificate, Extension, ExtensionValue, GeneralName, KeyType, Oid};

use super::forge::{
    Chain, DAY, ECDSA_SHA1, HOST, alternative_names, extended_key_usage, good, raw,
};

fn public() -> Chain {
    let mut chain = good();
    let uri = |text: &str| GeneralName::Uri(text.to_owned());
    let access = |method, text| AccessDescription {
        method,
        location: uri(text),
    };
    let value = ExtensionValue::InfoAccess(vec![
        access(Oid::OCSP, "http://ocsp.example.net"),
        access(Oid::CA_ISSUERS, "http://ca.example.net/a.cer"),
    ]);
    chain
        .leaf
        .with(Extension::of(Oid::AUTHORITY_INFO_ACCESS, false, value));
    let value =
        ExtensionValue::CertificatePolicies(vec![PolicyInformation::of(Oid::DOMAIN_VALIDATED)]);
    chain
        .leaf
        .with(Extension::of(Oid::CERTIFICATE_POLICIES, false, value));
    let point = DistributionPoint::at(vec![uri("http://ca.example.net/a.crl")]);
    let value = ExtensionValue::DistributionPoints(vec![point]);
    chain
        .leaf
        .with(Extension::of(Oid::CRL_DISTRIBUTION_POINTS, false, value));
    chain.leaf.with(raw(Oid::SCT_LIST, false, &scts()));
    chain
}

/// A list of one timestamp: version, log, time, no extensions, an ECDSA signature of no octets.
fn scts() -> Vec<u8> {
    let sct = [
        &[0][..],
        &[7; 32],
        &[0, 0, 1, 0x9a, 0, 0, 0, 0],
        &[0, 0],
        &[4, 3, 0, 0],
    ]
    .concat();
    let one = [&u16::try_from(sct.len()).unwrap().to_be_bytes()[..], &sct].concat();
    let list = [&u16::try_from(one.len()).unwrap().to_be_bytes()[..], &one].concat();
    let mut writer = Writer::new();
    writer.octet_string(&list);
    writer.into_bytes()
}

fn report(chain: &Chain, public: Option<bool>) -> Report {
    let chain = chain.sign();
    let read = chain.all().map(|der| Certificate::from_der(der).unwrap());
    lint::lint(&read, super::now(), Options { public })
}

fn told(report: &Report) -> Vec<&'static str> {
    report
        .findings()
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

/// What the tests below break.
pub(super) const RULES: [&str; 14] = [
    "baseline-life",
    "baseline-common-name",
    "baseline-internal-name",
    "baseline-reserved-address",
    "baseline-name-kind",
    "baseline-policy-missing",
    "baseline-extended-key-usage",
    "baseline-sct-missing",
    "baseline-info-access-missing",
    "baseline-issuer-address-missing",
    "baseline-revocation-missing",
    "baseline-key",
    "baseline-serial",
    "baseline-hash",
];

type Case = (&'static str, fn(&mut Chain));

const CASES: &[Case] = &[
    ("baseline-common-name", |c| {
        c.leaf.with(alternative_names(
            false,
            vec![GeneralName::Dns(HOST.to_owned())],
        ));
        c.leaf.named(&[(Oid::COMMON_NAME, "example.com")]);
    }),
    ("baseline-internal-name", |c| {
        let names = [HOST, "nas.internal"].map(|name| GeneralName::Dns(name.to_owned()));
        c.leaf.with(alternative_names(true, names.to_vec()));
    }),
    ("baseline-reserved-address", |c| {
        c.leaf.with(alternative_names(
            true,
            vec![GeneralName::Ip(vec![10, 0, 0, 1])],
        ));
    }),
    ("baseline-name-kind", |c| {
        let email = GeneralName::Email("ada@example.com".to_owned());
        c.leaf.with(alternative_names(
            true,
            vec![GeneralName::Dns(HOST.to_owned()), email],
        ));
    }),
    ("baseline-policy-missing", |c| {
        c.leaf.without(&Oid::CERTIFICATE_POLICIES)
    }),
    ("baseline-extended-key-usage", |c| {
        c.leaf.with(extended_key_usage(&[
            Oid::SERVER_AUTH,
            Oid::ANY_EXTENDED_KEY_USAGE,
        ]));
    }),
    ("baseline-sct-missing", |c| c.leaf.without(&Oid::SCT_LIST)),
    ("baseline-revocation-missing", |c| {
        c.leaf.without(&Oid::CRL_DISTRIBUTION_POINTS);
        let location = GeneralName::Uri("http://ca.example.net/a.cer".to_owned());
        let value = ExtensionValue::InfoAccess(vec![AccessDescription {
            method: Oid::CA_ISSUERS,
            location,
        }]);
        c.leaf
            .with(Extension::of(Oid::AUTHORITY_INFO_ACCESS, false, value));
    }),
    ("baseline-info-access-missing", |c| {
        c.leaf.without(&Oid::AUTHORITY_INFO_ACCESS)
    }),
    ("baseline-issuer-address-missing", |c| {
        let location = GeneralName::Uri("http://ocsp.example.net".to_owned());
        let value = ExtensionValue::InfoAccess(vec![AccessDescription {
            method: Oid::OCSP,
            location,
        }]);
        c.leaf
            .with(Extension::of(Oid::AUTHORITY_INFO_ACCESS, false, value));
    }),
];

#[test]
fn each_defect_of_a_public_certificate_is_told() {
    assert_eq!(told(&report(&public(), None)), [""; 0]);
    for (id, spoil) in CASES {
        let mut chain = public();
        spoil(&mut chain);
        assert_eq!(told(&report(&chain, None)), [*id]);
        let private = report(&chain, Some(false));
        assert_eq!(told(&private), [""; 0], "{id}");
    }
}

#[test]
fn keys_hashes_and_serial_numbers_of_public_certificates_are_judged() {
    let mut chain = public();
    chain.leaf_of(KeyType::Ed25519);
    chain.leaf.serial = vec![0x41; 7];
    chain.leaf.inner_algorithm = ECDSA_SHA1.to_vec();
    chain.leaf.outer_algorithm = ECDSA_SHA1.to_vec();
    let told = told(&report(&chain, None));
    for id in ["baseline-key", "baseline-serial", "baseline-hash"] {
        assert!(told.contains(&id), "{told:?}");
    }
}

/// Section 6.1.5: a multiple of 8, and 2048 at least.
#[test]
fn rsa_keys_of_public_certificates_have_whole_octets() {
    for (bits, is_told) in [(2040, true), (2052, true), (2056, false)] {
        let mut chain = public();
        chain.leaf_by_openssl(&format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"));
        let found = told(&report(&chain, None));
        assert_eq!(
            found.contains(&"baseline-key"),
            is_told,
            "{bits}: {found:?}"
        );
    }
}

/// Ballot SC-081v3: the day of issue says how long it may be valid, both ends included.
#[test]
fn the_life_of_a_public_certificate_is_bounded_by_the_day_it_was_issued() {
    let day = |days: u32| SystemTime::UNIX_EPOCH + days * DAY;
    // Days since 1970 of 14 and 15 March 2026, the same of 2027, and of 2029.
    for (issued, most) in [
        (20_526, 398),
        (20_527, 200),
        (20_891, 200),
        (20_892, 100),
        (21_622, 100),
        (21_623, 47),
    ] {
        for (more, refused) in [(Duration::ZERO, true), (Duration::from_secs(1), false)] {
            let mut chain = public();
            chain.leaf.not_before = day(issued);
            chain.leaf.not_after = chain.leaf.not_before + most * DAY - more;
            let report = report(&chain, None);
            let long = told(&report).contains(&"baseline-life");
            assert_eq!(long, refused, "{issued} {most} {more:?}");
            let by_apple = report.refusals(Consumer::Apple);
            let by_apple = by_apple
                .filter(|finding| finding.rule.id == "baseline-life")
                .count();
            assert_eq!(by_apple, usize::from(refused));
        }
    }
}

/// What lives so shortly need not be revoked: 10 days at first, 7 since 15 March 2026, both ends
/// included.
#[test]
fn short_lived_certificates_need_no_address_to_learn_of_revocation() {
    let day = |days: u32| SystemTime::UNIX_EPOCH + days * DAY;
    // Days since 1970 of 14 and 15 March 2024, and of the same of 2026.
    for (issued, most) in [(19_796, 0), (19_797, 10), (20_526, 10), (20_527, 7)] {
        for (more, exempt) in [(Duration::ZERO, false), (Duration::from_secs(1), true)] {
            let mut chain = public();
            let (_, spoil) = CASES
                .iter()
                .find(|(id, _)| *id == "baseline-revocation-missing")
                .unwrap();
            spoil(&mut chain);
            chain.leaf.not_before = day(issued);
            chain.leaf.not_after = chain.leaf.not_before + most.max(1) * DAY - more;
            let report = report(&chain, None);
            let exempted = !told(&report).contains(&"baseline-revocation-missing");
            assert_eq!(exempted, exempt && most > 0, "{issued} {most} {more:?}");
        }
    }
}
