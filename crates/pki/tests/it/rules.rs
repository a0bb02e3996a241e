//! Each rule of path validation, with certificates that break just this one, and those that come as
//! close to it as they may.

use std::time::{Duration, SystemTime};

use ravelin_pki::constraints::Subtree;
use ravelin_pki::extension::AuthorityKeyIdentifier;
use ravelin_pki::{
    Certificate, Extension, ExtensionValue, GeneralName, Judge, KeyType, KeyUsage, NameConstraints,
    Oid, PrivateKey, PublicKey, Purpose, Question, Rules, SerialNumber, Trust, Verdict,
};

use crate::lint::forge::{
    Chain, ECDSA_SHA384, HOST, INTERMEDIATE_KEY, NOW, alternative_names, basic_constraints,
    extended_key_usage, good, key_usage, name, raw,
};

fn now() -> SystemTime {
    *NOW + Duration::from_secs(120)
}

fn server() -> Question {
    Question::at(now()).host(HOST.parse().unwrap())
}

/// A chain that is right but for a change, read: leaf, intermediate, root.
fn changed(change: impl FnOnce(&mut Chain)) -> [Certificate; 3] {
    let mut chain = good();
    change(&mut chain);
    let signed = chain.sign();
    signed.all().map(|der| Certificate::from_der(der).unwrap())
}

/// The places in the path and the sentences of all that is wrong.
fn problems(verdict: &Verdict<'_>) -> Vec<(usize, String)> {
    let failures = verdict.failures().iter();
    failures
        .map(|failure| (failure.certificate, failure.problem.to_string()))
        .collect()
}

fn ask(chain: &[Certificate; 3], rules: Rules, question: &Question) -> Vec<(usize, String)> {
    let [leaf, others @ .., root] = chain;
    let trust = Trust::new(vec![root.clone()]);
    let judge = Judge::new(&trust, rules);
    problems(&judge.verify(leaf, others, question))
}

/// Nothing is wrong, or just one thing: its place, and how it begins.
#[track_caller]
fn assert_told(found: &[(usize, String)], expected: Option<(usize, &str)>) {
    match (found, expected) {
        ([], None) => {}
        ([(place, text)], Some((at, start))) if *place == at && text.starts_with(start) => {}
        _ => panic!("{found:?} instead of {expected:?}"),
    }
}

#[test]
fn each_rule_is_broken_by_the_certificate_that_breaks_it_and_by_no_other() {
    type Case = (fn(&mut Chain), Option<(usize, &'static str)>);
    let cases: &[Case] = &[
        (|_| {}, None),
        (
            |c| c.leaf.inner_algorithm = ECDSA_SHA384.to_vec(),
            Some((0, "it names two different signature algorithms")),
        ),
        (
            |c| c.leaf.serial = vec![0],
            Some((0, "its serial number 00 is zero")),
        ),
        (
            |c| c.leaf.serial = vec![0x80],
            Some((0, "its serial number 80 is negative")),
        ),
        // RFC 5280, section 4.1.2.2: 20 octets at most.
        (|c| c.leaf.serial = vec![0x41; 20], None),
        (
            |c| c.leaf.serial = vec![0x41; 21],
            Some((0, "its serial number 4141")),
        ),
        // The root may be of version 1; one of version 3 says that it is a CA.
        (
            |c| {
                c.root.version = 0;
                c.root.extensions.clear();
            },
            None,
        ),
        (
            |c| c.root.without(&Oid::BASIC_CONSTRAINTS),
            Some((2, "it is not the certificate of a CA")),
        ),
        (|c| c.leaf_of(KeyType::Rsa(2048)), None),
        (
            |c| c.leaf_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:2040"),
            Some((0, "its key, RSA 2040, is shorter than 2048 bits")),
        ),
        // The same key under two names is two holders: no circle.
        (
            |c| c.leaf.key = INTERMEDIATE_KEY.public_key().der().to_vec(),
            None,
        ),
        // Section 6.1.5 (b): the last certificate too can ask for a policy.
        (
            |c| {
                c.leaf
                    .with(raw(Oid::POLICY_CONSTRAINTS, true, ASKS_FOR_A_POLICY));
            },
            Some((0, "no certificate policy that is acceptable holds")),
        ),
        (
            |c| {
                c.leaf
                    .with(raw(Oid::POLICY_CONSTRAINTS, true, ASKS_FOR_A_POLICY));
                // The policy 1.2.3.
                let policy = b"\x30\x06\x30\x04\x06\x02\x2a\x03";
                for certificate in [&mut c.intermediate, &mut c.leaf] {
                    certificate.with(raw(Oid::CERTIFICATE_POLICIES, false, policy));
                }
            },
            None,
        ),
        (
            |c| c.leaf.with(basic_constraints(true, true, None)),
            Some((
                0,
                "it is the certificate of a CA, which is not taken as one",
            )),
        ),
        (
            |c| c.leaf.with(key_usage(true, KeyUsage::DATA_ENCIPHERMENT)),
            Some((
                0,
                "its key is for dataEncipherment; TLS servers needs one for",
            )),
        ),
        (
            |c| c.leaf.with(key_usage(true, KeyUsage::KEY_AGREEMENT)),
            None,
        ),
    ];
    for (number, (change, expected)) in cases.iter().enumerate() {
        let found = ask(&changed(change), Rules::strict(), &server());
        match (found.as_slice(), expected) {
            ([], None) => {}
            ([(place, text)], Some((at, start))) if place == at && text.starts_with(start) => {}
            _ => panic!("case {number}: {found:?} instead of {expected:?}"),
        }
    }
}

/// `requireExplicitPolicy` of 0.
const ASKS_FOR_A_POLICY: &[u8] = &[0x30, 3, 0x80, 1, 0];

#[test]
fn a_certificate_is_good_from_its_first_second_to_the_end_of_its_last() {
    let chain = changed(|_| {});
    let (from, to) = (chain[0].not_before(), chain[0].not_after());
    let millisecond = Duration::from_millis(1);
    for (at, expected) in [
        (from - millisecond, Some((0, "it is not valid before"))),
        (from, None),
        (to, None),
        (to + Duration::from_millis(999), None),
        (
            to + Duration::from_secs(1),
            Some((0, "it expired 1 second ago")),
        ),
    ] {
        let mut found = ask(&chain, Rules::strict(), &Question::at(at));
        // The CAs above begin at the same second.
        found.retain(|(place, _)| *place == 0);
        assert_told(&found, expected);
    }
}

#[test]
fn a_path_of_as_many_certificates_as_allowed_is_taken() {
    let chain = changed(|_| {});
    for (most, expected) in [
        (2, None),
        (
            1,
            Some((1, "more than 1 certificates in a path would be needed")),
        ),
    ] {
        let mut rules = Rules::strict();
        rules.limits.path_length = most;
        assert_told(&ask(&chain, rules, &server()), expected);
    }
}

/// As RFC 4158, section 3.5.12, has it: with two CAs of one name, the one whose key is named comes first,
/// so that as many signatures are checked as there are certificates.
#[test]
fn the_issuer_whose_key_or_serial_number_is_named_is_tried_first() {
    let by_serial = |c: &mut Chain| {
        let identifier = AuthorityKeyIdentifier {
            issuer: vec![GeneralName::Directory(c.root.issuer.clone())],
            serial_number: Some(SerialNumber::from_der_content(&c.intermediate.serial)),
            ..AuthorityKeyIdentifier::default()
        };
        let value = ExtensionValue::AuthorityKeyIdentifier(identifier);
        c.leaf
            .with(Extension::of(Oid::AUTHORITY_KEY_IDENTIFIER, false, value));
    };
    for change in [(|_| {}) as fn(&mut Chain), by_serial] {
        let mut chain = good();
        change(&mut chain);
        // Another of the same name, with another key and number.
        let mut other = chain.intermediate.clone();
        let key = PrivateKey::generate().unwrap();
        other.key = PublicKey::der(key.public_key()).to_vec();
        other.serial[0] = 0x42;
        other.without(&Oid::SUBJECT_KEY_IDENTIFIER);
        other.with(Extension::of(
            Oid::SUBJECT_KEY_IDENTIFIER,
            false,
            ExtensionValue::SubjectKeyIdentifier(vec![1; 20]),
        ));
        let other = Certificate::from_der(&other.sign()).unwrap();
        let signed = chain.sign();
        let [leaf, intermediate, root] =
            signed.all().map(|der| Certificate::from_der(der).unwrap());
        let mut rules = Rules::strict();
        rules.limits.signatures = 2;
        let trust = Trust::new(vec![root]);
        for others in [
            [other.clone(), intermediate.clone()],
            [intermediate.clone(), other.clone()],
        ] {
            let judge = Judge::new(&trust, rules.clone());
            let verdict = judge.verify(&leaf, &others, &server());
            assert!(verdict.is_valid(), "{verdict}");
        }
    }
}

/// A root that was made anew with the same name and key holds below the old one.
#[test]
fn a_root_that_was_made_anew_holds_below_the_one_before() {
    let old = good();
    let mut new = old.root.clone();
    new.serial[0] = 0x42;
    let [old, new] = [&old.root, &new].map(|draft| Certificate::from_der(&draft.sign()).unwrap());
    let trust = Trust::new(vec![old.clone()]);
    let judge = Judge::new(&trust, Rules::strict());
    let verdict = judge.verify(&new, &[], &Question::at(now()));
    assert!(verdict.is_valid(), "{verdict}");
    assert_eq!(verdict.best().certificates, [&new, &old]);
}

/// RFC 5280, section 4.2.1.10: the address in the subject counts where there is none among the names.
#[test]
fn an_address_in_the_subject_is_constrained_unless_the_names_have_one() {
    let constrained = |names: Vec<GeneralName>| {
        changed(|c| {
            let mail = Subtree::Email("good.example".to_owned());
            let trees = NameConstraints::default().permitting(mail);
            let value = ExtensionValue::NameConstraints(trees);
            c.intermediate
                .with(Extension::of(Oid::NAME_CONSTRAINTS, true, value));
            c.leaf.subject = name(&[(Oid::EMAIL_ADDRESS, "ada@bad.example")])
                .der()
                .to_vec();
            c.leaf.with(alternative_names(false, names));
        })
    };
    let email = |address: &str| GeneralName::Email(address.to_owned());
    let host = GeneralName::Dns(HOST.to_owned());
    let alone = ask(&constrained(vec![host.clone()]), Rules::strict(), &server());
    let told = "its email address \"ada@bad.example\" is outside of what";
    assert_told(&alone, Some((0, told)));
    let names = vec![host, email("ada@good.example")];
    assert_told(&ask(&constrained(names), Rules::strict(), &server()), None);
}

/// What cannot be compared counts as excluded (section 4.2.1.10), and the local part of an address as it is
/// written (RFC 5321, section 2.4).
#[test]
fn names_that_cannot_be_told_apart_are_not_certified() {
    // A registeredID in excludedSubtrees, and one among the names, with the host.
    let constrained = |names: &[u8]| {
        changed(|c| {
            let none_of_that_kind = b"\x30\x07\xa1\x05\x30\x03\x88\x01\x2a";
            let constraints = raw(Oid::NAME_CONSTRAINTS, true, none_of_that_kind);
            c.intermediate.with(constraints);
            let names = [&[0x82, 15][..], HOST.as_bytes(), names].concat();
            let names = [&[0x30, u8::try_from(names.len()).unwrap()], &names[..]].concat();
            c.leaf.with(raw(Oid::SUBJECT_ALT_NAME, true, &names));
        })
    };
    assert_told(&ask(&constrained(&[]), Rules::strict(), &server()), None);
    let found = ask(&constrained(&[0x88, 1, 0x2b]), Rules::strict(), &server());
    assert_told(
        &found,
        Some((0, "its registered identifier \"1.3\" is outside of")),
    );

    for (mailbox, expected) in [
        ("Ada@good.example", None),
        ("Ada@GOOD.example", None),
        (
            "ada@good.example",
            Some((0, "its email address \"ada@good.example\" is")),
        ),
    ] {
        let chain = changed(|c| {
            let mail = Subtree::Email("Ada@good.example".to_owned());
            let trees = NameConstraints::default().permitting(mail);
            let value = ExtensionValue::NameConstraints(trees);
            c.intermediate
                .with(Extension::of(Oid::NAME_CONSTRAINTS, true, value));
            let host = GeneralName::Dns(HOST.to_owned());
            let names = vec![host, GeneralName::Email(mailbox.to_owned())];
            c.leaf.with(alternative_names(true, names));
        });
        assert_told(&ask(&chain, Rules::strict(), &server()), expected);
    }
}

/// Section 4.2.1.10 again: no minimum but 0, which DER does not write, no maximum, and no empty list.
#[test]
fn constraints_that_say_more_or_less_than_they_may_are_refused() {
    // permittedSubtrees of one dNSName "a"; with minimum 0; with maximum 1; with none; and excluded.
    for (der, is_right) in [
        (&b"\x30\x07\xa0\x05\x30\x03\x82\x01a"[..], true),
        (b"\x30\x0a\xa0\x08\x30\x06\x82\x01a\x80\x01\x00", false),
        (b"\x30\x0a\xa0\x08\x30\x06\x82\x01a\x81\x01\x01", false),
        (b"\x30\x02\xa0\x00", false),
        (b"\x30\x02\xa1\x00", false),
    ] {
        let mut chain = good();
        chain
            .intermediate
            .with(raw(Oid::NAME_CONSTRAINTS, true, der));
        let read = Certificate::from_der(&chain.intermediate.sign());
        assert_eq!(read.is_ok(), is_right, "{der:x?}: {read:?}");
    }
}

/// OpenSSL, Chromium and Firefox refuse wildcards for all names of a label.
#[test]
fn a_wildcard_right_below_the_top_is_good_for_no_host() {
    for (wildcard, host, expected) in [
        ("*.example.com", "a.example.com", None),
        (
            "*.example",
            "a.example",
            Some((0, "\"a.example\" is not one of its names")),
        ),
    ] {
        let names = vec![GeneralName::Dns(wildcard.to_owned())];
        let chain = changed(|c| c.leaf.with(alternative_names(true, names)));
        let question = Question::at(now()).host(host.parse().unwrap());
        assert_told(&ask(&chain, Rules::strict(), &question), expected);
    }
}

/// RFC 6960, section 4.2.2.2; RFC 3161, section 2.3. Responders are below CAs of other purposes.
#[test]
fn signers_of_ocsp_responses_and_time_stamps_say_that_they_are() {
    for (purpose, wanted) in [
        (Purpose::OcspSigning, "signing OCSP responses"),
        (Purpose::TimeStamping, "time stamps"),
    ] {
        let question = Question::at(now()).purpose(purpose);
        let silent = changed(|c| {
            c.leaf.without(&Oid::EXTENDED_KEY_USAGE);
            c.intermediate.without(&Oid::EXTENDED_KEY_USAGE);
        });
        let told = format!("it is for nothing, not for {wanted}");
        assert_told(&ask(&silent, Rules::strict(), &question), Some((0, &told)));
        let said = changed(|c| {
            c.leaf.with(extended_key_usage(&[purpose.oid()]));
        });
        let told = format!("it is for serverAuth, not for {wanted}");
        let expected = (purpose == Purpose::TimeStamping).then_some((1, told.as_str()));
        assert_told(&ask(&said, Rules::strict(), &question), expected);
    }
}
