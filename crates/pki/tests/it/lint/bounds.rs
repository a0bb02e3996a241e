//! Rules with a number in them: what is just within is fine, what is just beyond is told.

use std::time::{Duration, SystemTime};

use ravelin_pki::constraints::Subtree;
use ravelin_pki::lint;
use ravelin_pki::{
    Certificate, Extension, ExtensionValue, GeneralName, KeyType, KeyUsage, NameConstraints, Oid,
};

use super::forge::{
    Chain, DAY, Draft, ECDSA_SHA1, ForgeKey, HOST, INTERMEDIATE_KEY, LEAF_KEY, alternative_names,
    authority_key, basic_constraints, extended_key_usage, good, key_usage, name,
};
use super::{PRIVATE, now, report};

/// What is told of a chain that is right but for a change.
fn told(change: impl FnOnce(&mut Chain)) -> Vec<&'static str> {
    let mut chain = good();
    change(&mut chain);
    let report = report(&chain.sign());
    report
        .findings()
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn serial_numbers_have_8_to_20_octets() {
    let of = |octets| told(|c| c.leaf.serial = vec![0x41; octets]);
    assert_eq!(of(7), ["serial-guessable"]);
    assert_eq!(of(8), NOTHING);
    assert_eq!(of(20), NOTHING);
    assert_eq!(of(21), ["serial-too-long"]);
}

#[test]
fn common_names_have_64_characters_at_most() {
    let of = |letters: usize| {
        told(|c| {
            c.leaf.named(&[(Oid::COMMON_NAME, &"ä".repeat(letters))]);
            let names = vec![GeneralName::Dns(HOST.to_owned())];
            c.leaf.with(alternative_names(false, names));
        })
    };
    assert_eq!(of(64), NOTHING);
    assert_eq!(of(65), ["attribute-too-long"]);
}

#[test]
fn dns_names_have_253_octets_at_most_and_their_labels_63() {
    let of = |label: usize, whole: usize| {
        let mut name = "a".repeat(label);
        while name.len() + 40 < whole {
            name = format!("{name}.{}", "b".repeat(39));
        }
        let left = whole.saturating_sub(name.len() + 1);
        if left > 0 {
            name = format!("{name}.{}", "c".repeat(left));
        }
        assert_eq!(name.len(), whole);
        let names = [HOST.to_owned(), name].map(GeneralName::Dns).to_vec();
        told(|c| c.leaf.with(alternative_names(true, names)))
    };
    assert_eq!(of(63, 253), NOTHING);
    assert_eq!(of(63, 254), ["dns-name-too-long"]);
    assert_eq!(of(64, 100), ["dns-name-too-long"]);
}

#[test]
fn rsa_keys_have_2048_bits_at_least() {
    assert_eq!(told(|c| c.leaf_of(KeyType::Rsa(2048))), NOTHING);
    let short = "-algorithm RSA -pkeyopt rsa_keygen_bits:2040";
    assert_eq!(told(|c| c.leaf_by_openssl(short)), ["rsa-below-2048"]);
    let unusual = "-algorithm RSA -pkeyopt rsa_keygen_bits:2052";
    assert_eq!(told(|c| c.leaf_by_openssl(unusual)), ["rsa-length-unusual"]);
}

/// Apple's HT210176: 825 days, of what was issued since July 2019.
#[test]
fn servers_have_825_days_since_july_2019() {
    let of = |life: Duration| told(|c| c.leaf.not_after = c.leaf.not_before + life);
    assert_eq!(of(825 * DAY), NOTHING);
    assert_eq!(
        of(825 * DAY + Duration::from_secs(1)),
        ["life-over-825-days"]
    );
    for (day, is_told) in [(18_077, false), (18_078, true)] {
        let found = told(|c| {
            c.leaf.not_before = SystemTime::UNIX_EPOCH + day * DAY;
            c.leaf.not_after = c.leaf.not_before + 900 * DAY;
        });
        assert_eq!(found.contains(&"life-over-825-days"), is_told, "{found:?}");
    }
}

#[test]
fn a_certificate_may_end_with_its_issuer() {
    let end = told(|c| c.leaf.not_after = c.intermediate.not_after);
    assert!(!end.contains(&"outlives-issuer"), "{end:?}");
    let second = Duration::from_secs(1);
    let end = told(|c| c.leaf.not_after = c.intermediate.not_after + second);
    assert!(end.contains(&"outlives-issuer"), "{end:?}");
}

#[test]
fn keys_that_agree_are_enough_for_clients_and_purposes_of_time_stamps_are_critical() {
    let agreeing = told(|c| {
        c.leaf.with(key_usage(true, KeyUsage::KEY_AGREEMENT));
        c.leaf
            .with(extended_key_usage(&[Oid::SERVER_AUTH, Oid::CLIENT_AUTH]));
    });
    assert_eq!(agreeing, ["key-usage-no-signature"]);
    let stamps = |critical| {
        let mut found = told(|c| {
            c.leaf.with(extended_key_usage(&[Oid::TIME_STAMPING]));
            c.leaf.critical(&Oid::EXTENDED_KEY_USAGE, critical);
        });
        found.retain(|id| *id != "extended-key-usage-no-server");
        found
    };
    assert_eq!(stamps(true), NOTHING);
    assert_eq!(stamps(false), ["extended-key-usage-time-stamping"]);
}

/// Nobody checks the signature of what is trusted itself, be it a root or a leaf.
#[test]
fn the_hash_of_a_signature_upon_itself_matters_to_nobody() {
    let mut leaf = good().leaf;
    leaf.issuer = name(&[(Oid::COMMON_NAME, HOST)]);
    leaf.named(&[(Oid::COMMON_NAME, HOST)]);
    leaf.signer = ForgeKey::Openssl(LEAF_KEY.to_pem().unwrap(), "sha1");
    leaf.inner_algorithm = ECDSA_SHA1.to_vec();
    leaf.outer_algorithm = ECDSA_SHA1.to_vec();
    let read = Certificate::from_der(&leaf.sign()).unwrap();
    let report = lint::lint(&[read], now(), PRIVATE);
    let told: Vec<_> = report
        .findings()
        .iter()
        .map(|finding| finding.rule.id)
        .collect();
    assert!(told.contains(&"root-hash-weak"), "{told:?}");
    assert!(!told.contains(&"hash-sha1"), "{told:?}");
}

/// A leaf, a CA of the intermediate's name that the intermediate certified, the intermediate, the root.
fn with_self_issued_ca(change: impl FnOnce(&mut Draft)) -> Vec<(usize, &'static str)> {
    let mut chain = good();
    change(&mut chain.root);
    chain.intermediate.with(basic_constraints(true, true, None));
    let mut own = chain.intermediate.clone();
    own.serial[0] = 0x42;
    own.issuer = chain.leaf.issuer.clone();
    own.signer = ForgeKey::Ours(&INTERMEDIATE_KEY);
    own.with(authority_key(&INTERMEDIATE_KEY));
    assert_ne!(own.issuer, chain.root.issuer);
    let signed = chain.sign();
    let own = own.sign();
    let read = [&signed.leaf, &own, &signed.intermediate, &signed.root];
    let read = read.map(|der| Certificate::from_der(der).unwrap());
    let report = lint::lint(&read, now(), PRIVATE);
    let findings = report.findings().iter();
    findings
        .map(|finding| (finding.certificate, finding.rule.id))
        .collect()
}

/// RFC 5280, sections 4.2.1.9 and 6.1.3 (b): they are not counted, and their names are not constrained.
#[test]
fn cas_that_issued_themselves_count_for_nothing() {
    let length = |most| with_self_issued_ca(|root| root.with(basic_constraints(true, true, most)));
    assert_eq!(length(Some(1)), []);
    assert_eq!(length(Some(0)), [(3, "path-too-long")]);
    let elsewhere = with_self_issued_ca(|root| {
        let other = name(&[(Oid::ORGANIZATION, "Other")]);
        let trees = NameConstraints::default().permitting(Subtree::Directory(other));
        let value = ExtensionValue::NameConstraints(trees);
        root.with(Extension::of(Oid::NAME_CONSTRAINTS, true, value));
    });
    assert_eq!(elsewhere, [(2, "name-not-permitted")]);
}
