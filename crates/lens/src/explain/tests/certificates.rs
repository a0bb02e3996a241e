//! What is wrong with certificates: in English as the judge says it, in Chinese as much of it.

use std::time::{Duration, SystemTime};

use ravelin_pki::CertificateError;
use ravelin_pki::der::{DerProblem, Tag};
use ravelin_pki::revocation_list::RevocationReason;
use ravelin_pki::signature::SignatureError;
use ravelin_pki::verify::{Failure, NoStatus, Problem};

use super::is_chinese;
use crate::explain::Language;
use crate::story::{BadCertificate, Refutation, Verdict};

const AT: SystemTime = SystemTime::UNIX_EPOCH;

fn text(text: &str) -> String {
    text.to_owned()
}

/// One of each kind that there is.
#[allow(clippy::too_many_lines, reason = "one of each kind")]
fn problems() -> Vec<Problem> {
    let days = |days: u64| Duration::from_secs(days * 86_400 + 7);
    let issuer = || text("Some CA");
    vec![
        Problem::IssuerMissing {
            issuer: issuer(),
            key_identifier: None,
            addresses: Vec::new(),
        },
        Problem::IssuerMissing {
            issuer: issuer(),
            key_identifier: Some(text("00ff")),
            addresses: Vec::new(),
        },
        Problem::NotTrusted { anchors: 142 },
        Problem::Signature {
            issuer: issuer(),
            source: SignatureError::Wrong,
        },
        Problem::Signature {
            issuer: issuer(),
            source: SignatureError::Unsupported {
                algorithm: text("1.2.3"),
            },
        },
        Problem::AlgorithmsDiffer,
        Problem::NotYetValid {
            not_before: AT,
            wait: Duration::from_secs(59),
        },
        Problem::Expired {
            not_after: AT,
            ago: days(366),
        },
        Problem::Expired {
            not_after: AT,
            ago: days(1),
        },
        Problem::NotCa {
            issued: text("localhost"),
            stated: true,
        },
        Problem::MayNotSign {
            has: vec!["digitalSignature"],
        },
        Problem::TooManyBelow {
            allowed: 0,
            found: 2,
        },
        Problem::TooManyBelow {
            allowed: 2,
            found: 3,
        },
        Problem::NameNotPermitted {
            kind: "DNS name",
            name: text("other.test"),
            ca: issuer(),
            constraints: text("example.test"),
        },
        Problem::UnknownCriticalExtension {
            name: text("1.2.3"),
        },
        Problem::NoPolicy,
        Problem::AnyPolicyMapped,
        Problem::Purpose {
            wanted: "TLS servers",
            has: vec![text("clientAuth")],
        },
        Problem::KeyUsage {
            wanted: "TLS clients",
            has: Vec::new(),
            needs: vec!["digitalSignature", "keyAgreement"],
        },
        Problem::CaAsLeaf {
            wanted: "TLS servers",
        },
        Problem::WrongHost {
            host: "other.test".parse().expect("a host"),
            names: vec![text("localhost")],
            common_name: None,
        },
        Problem::WrongHost {
            host: "other.test".parse().expect("a host"),
            names: Vec::new(),
            common_name: Some(text("localhost")),
        },
        Problem::WrongMailbox {
            mailbox: "ann@other.test".parse().expect("a mailbox"),
            has: vec![text("bob@other.test")],
        },
        Problem::WeakKey {
            kind: text("RSA 384"),
            minimum: 512,
        },
        Problem::WeakSignature {
            algorithm: text("sha1WithRSAEncryption"),
        },
        Problem::SerialNumber {
            number: text("00"),
            fault: "zero",
        },
        Problem::Revoked {
            at: AT,
            reason: RevocationReason::KeyCompromise,
        },
        Problem::TooMuchWork {
            limit: 100,
            what: "signatures",
        },
    ]
}

fn of_chain(problem: Problem) -> Refutation {
    Refutation::BadChain(vec![Failure {
        certificate: 0,
        title: text("localhost"),
        problem,
    }])
}

fn said(language: Language, why: &Refutation) -> String {
    language.verdict(&Verdict::Refuted(why.clone()))
}

#[test]
fn in_english_the_judge_is_told_in_its_own_words() {
    for problem in problems() {
        let told = format!("\"localhost\": {problem}");
        let said = said(Language::English, &of_chain(problem));
        assert!(
            said.replace(['“', '”'], "\"").contains(&told),
            "{said} is not: {told}"
        );
    }
}

/// Names of certificates and of the RFCs are what they are; all others are in Chinese.
#[test]
fn in_chinese_no_word_of_the_judge_is_english() {
    let unknown = Problem::RevocationUnknown(NoStatus::Signature { issuer: text("1") });
    let mut all: Vec<Refutation> = problems().into_iter().map(of_chain).collect();
    all.push(of_chain(unknown));
    all.extend(bad_certificates().map(Refutation::BadCertificate));
    let names = [
        "digitalSignature",
        "keyAgreement",
        "clientAuth",
        "keyCompromise",
        "anyPolicy",
        "sha1WithRSAEncryption",
        "localhost",
        "tbsCertificate",
        "example.test",
        "other.test",
        "ann@",
        "bob@",
        "Some CA",
        "00ff",
        "0xff",
        "keyUsage",
    ];
    for why in all {
        let mut said = said(Language::Chinese, &why);
        assert!(said.contains(is_chinese) && !said.contains('{'), "{said}");
        for name in names {
            said = said.replace(name, "");
        }
        let word = said
            .split(|character: char| !character.is_ascii_lowercase())
            .find(|word| word.len() > 1);
        assert_eq!(word, None, "{said}");
    }
}

/// Each kind of refusal to read one.
fn bad_certificates() -> impl Iterator<Item = BadCertificate> {
    let tag = Tag::SEQUENCE;
    let problems = [
        DerProblem::Truncated,
        DerProblem::TooLong {
            claimed: 7,
            left: 1,
        },
        DerProblem::Trailing { octets: 1 },
        DerProblem::Unexpected {
            expected: tag,
            found: Tag::INTEGER,
        },
        DerProblem::Missing { expected: tag },
        DerProblem::Indefinite,
        DerProblem::LongLength,
        DerProblem::Unsupported,
        DerProblem::BadInteger,
        DerProblem::OutOfRange,
        DerProblem::BadBoolean,
        DerProblem::WrittenDefault,
        DerProblem::BadBitString,
        DerProblem::BadObjectIdentifier,
        DerProblem::BadString,
        DerProblem::BadTime,
        DerProblem::Empty,
        DerProblem::Doubled,
        DerProblem::TooMany { most: 7 },
        DerProblem::TooDeep,
    ];
    let fields = problems.map(|problem| {
        BadCertificate::Unreadable(CertificateError::Field {
            field: "tbsCertificate",
            source: problem.at(5),
        })
    });
    let others = [
        BadCertificate::Unreadable(CertificateError::TrailingData { octets: 3 }),
        BadCertificate::Unreadable(CertificateError::Extension {
            name: text("keyUsage"),
            source: DerProblem::Empty.at(5),
        }),
        BadCertificate::UnreadableKey(DerProblem::Empty.at(5)),
        BadCertificate::MayNotDelegate,
        BadCertificate::CredentialOver,
        BadCertificate::CredentialTooLong,
        BadCertificate::CredentialUnwritable,
    ];
    fields.into_iter().chain(others)
}

#[test]
fn a_term_of_the_judge_is_itself_in_english() {
    for (term, text) in Language::English.catalogue().terms {
        assert_eq!(term, text);
    }
}
