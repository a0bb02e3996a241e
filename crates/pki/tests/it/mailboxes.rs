//! Whom certificates for mail are for: the mailboxes that are found in them, with openssl as judge.

use std::time::{Duration, SystemTime};

use ravelin_pki::authority::{ROOT_LIFE, self_signed};
use ravelin_pki::der::Writer;
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, GeneralName, Judge, Mailbox, NameConstraints, Oid,
    PrivateKey, Purpose, Question, Rules, Template, Trust, pem,
};

use crate::openssl::Openssl;

fn ca(constraints: Option<NameConstraints>, now: SystemTime) -> Authority {
    let subject = DistinguishedName::of(&[(Oid::COMMON_NAME, "Mail root")]);
    let mut template = Template::ca(subject, Some(0));
    template.name_constraints = constraints;
    self_signed(&template, PrivateKey::generate().unwrap(), ROOT_LIFE, now).unwrap()
}

fn smtp_utf8(mailbox: &str) -> GeneralName {
    let mut der = Writer::new();
    der.utf8(mailbox);
    GeneralName::Other(Oid::SMTP_UTF8_MAILBOX, der.into_bytes())
}

fn email(mailbox: &str) -> GeneralName {
    GeneralName::Email(mailbox.into())
}

/// Signed without a look at constraints, which `issue` would keep.
fn leaf(ca: &Authority, names: &[GeneralName], subject: &str, now: SystemTime) -> Certificate {
    let subject =
        DistinguishedName::of(&[(Oid::EMAIL_ADDRESS, subject)][..usize::from(!subject.is_empty())]);
    let template = Template::leaf(names.to_vec())
        .for_purposes(&[Purpose::Email])
        .with_subject(subject);
    let unconfined = Authority::new(
        bare(ca, now),
        PrivateKey::from_der(&ca.key().der().unwrap()).unwrap(),
    )
    .unwrap();
    let key = PrivateKey::generate().unwrap();
    let life = Duration::from_secs(86_400);
    let der = unconfined
        .issue(&template, key.public_key(), life, now)
        .unwrap();
    Certificate::from_der(&der).unwrap()
}

/// The CA's certificate with no constraints in it, and the same name and key.
fn bare(ca: &Authority, now: SystemTime) -> Certificate {
    let template = Template::ca(ca.certificate().subject_name().clone(), Some(0));
    let key = PrivateKey::from_der(&ca.key().der().unwrap()).unwrap();
    let bare = self_signed(&template, key, ROOT_LIFE, now).unwrap();
    bare.certificate().clone()
}

fn ours(ca: &Authority, leaf: &Certificate, asked: &str, now: SystemTime) -> Vec<String> {
    let trust = Trust::new(vec![ca.certificate().clone()]);
    let judge = Judge::new(&trust, Rules::strict());
    let question = Question::at(now).mailbox(asked.parse().unwrap());
    let verdict = judge.verify(leaf, &[], &question);
    verdict
        .failures()
        .iter()
        .map(|failure| failure.problem.to_string())
        .collect()
}

fn openssl_says_yes(ca: &Authority, leaf: &Certificate, asked: &str) -> bool {
    let openssl = Openssl::new();
    openssl.write("root.pem", ca.certificate().to_pem());
    openssl.write("leaf.pem", pem::encode("CERTIFICATE", leaf.der()));
    openssl
        .run(&format!(
            "verify -CAfile root.pem -verify_email {asked} leaf.pem"
        ))
        .is_ok()
}

#[test]
fn mailboxes_are_found_as_openssl_finds_them() {
    let now = SystemTime::now();
    let ca = ca(None, now);
    let ada = || email("Ada@Example.test");
    let host = GeneralName::Dns("example.test".into());
    let utf8 = || smtp_utf8("用户@example.test");
    for (names, subject, asked, good) in [
        (vec![ada()], "", "Ada@example.TEST", true),
        (vec![ada()], "", "ada@example.test", false),
        (vec![ada()], "", "Ada@other.test", false),
        (
            vec![host.clone(), email("b@b.test"), ada()],
            "",
            "Ada@example.test",
            true,
        ),
        (
            vec![host.clone()],
            "ada@example.test",
            "ada@example.test",
            true,
        ),
        (vec![ada()], "bob@example.test", "bob@example.test", false),
        (vec![host], "", "ada@example.test", false),
        (vec![utf8()], "", "用户@EXAMPLE.test", true),
        (vec![utf8()], "", "用戶@example.test", false),
        (vec![utf8()], "bob@example.test", "bob@example.test", false),
        (
            vec![email("a@xn--bcher-kva.test")],
            "",
            "a@xn--bcher-kva.test",
            true,
        ),
    ] {
        let leaf = leaf(&ca, &names, subject, now);
        let problems = ours(&ca, &leaf, asked, now);
        assert_eq!(problems.is_empty(), good, "{names:?} {asked}: {problems:?}");
        assert_eq!(
            openssl_says_yes(&ca, &leaf, asked),
            good,
            "{names:?} {asked}"
        );
    }
}

#[test]
fn a_host_in_other_letters_is_asked_for_as_people_write_it() {
    let now = SystemTime::now();
    let ca = ca(None, now);
    let leaf = leaf(&ca, &[email("a@xn--bcher-kva.test")], "", now);
    assert_eq!(ours(&ca, &leaf, "a@bücher.test", now), [""; 0]);
    assert_eq!(
        ours(&ca, &leaf, "b@bücher.test", now),
        ["\"b@xn--bcher-kva.test\" is not one of its mailboxes; it has: a@xn--bcher-kva.test"]
    );
}

#[test]
fn constraints_of_mailboxes_are_for_those_of_other_alphabets_too() {
    let now = SystemTime::now();
    let corporate = NameConstraints::default().permitting("@corp.test".parse().unwrap());
    let ca = ca(Some(corporate), now);
    for (name, asked, good) in [
        (smtp_utf8("用户@corp.test"), "用户@corp.test", true),
        (smtp_utf8("用户@other.test"), "用户@other.test", false),
        (email("a@corp.test"), "a@corp.test", true),
        (email("a@other.test"), "a@other.test", false),
    ] {
        let leaf = leaf(&ca, &[name], "", now);
        let problems = ours(&ca, &leaf, asked, now);
        assert_eq!(problems.is_empty(), good, "{asked}: {problems:?}");
        assert_eq!(openssl_says_yes(&ca, &leaf, asked), good, "{asked}");
    }
}

#[test]
fn who_asks_for_a_mailbox_asks_for_mail() {
    let question = Question::at(SystemTime::now()).mailbox("a@b.test".parse::<Mailbox>().unwrap());
    assert_eq!(question.purpose, Some(Purpose::Email));
}
