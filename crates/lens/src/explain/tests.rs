//! That nothing is forgotten in any language, and nothing is in the wrong one.

mod certificates;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ravelin_wire::alert::Alert;
use ravelin_wire::reader::{DecodeError, Problem};
use ravelin_wire::record::Foreign;
use ravelin_wire::registry::{
    AlertDescription, AlertLevel, CipherSuite, CodePoint, ContentType, ExtensionType,
    HandshakeType, ProtocolVersion,
};

use super::Language;
use super::catalogue::{Catalogue, Texts, fill, grouped};
use crate::judgement::Weakness;
use crate::ledger::Side;
use crate::proof::{LogEntry, LogState, TimestampPlace};
use crate::story::{
    BadCertificate, Claim, End, Fault, FaultKind, Missing, Refutation, Sealed, Verdict,
};

fn texts(catalogue: &'static Catalogue) -> BTreeMap<String, &'static str> {
    let mut texts = BTreeMap::new();
    catalogue.visit("", &mut |path, text| {
        let before = texts.insert(path.clone(), text);
        assert_eq!(before, None, "{path} is there twice");
    });
    texts
}

/// The places for values in a text.
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

#[test]
fn each_language_has_the_same_texts_with_the_same_places_for_values() {
    let english = texts(Language::English.catalogue());
    let chinese = texts(Language::Chinese.catalogue());
    let keys = |texts: &BTreeMap<String, &str>| texts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&english), keys(&chinese));
    for (path, text) in &english {
        assert_eq!(places(text), places(chinese[path]), "{path}");
    }
}

#[test]
fn no_text_is_empty_but_where_a_language_joins_without_a_sign() {
    for language in Language::ALL {
        for (path, text) in texts(language.catalogue()) {
            let may_be_empty = path == "phrases.stop";
            assert!(may_be_empty || !text.is_empty(), "{path}");
            assert!(!text.contains("  "), "{path} has two spaces: {text}");
            assert_eq!(
                text.matches('{').count(),
                text.matches('}').count(),
                "{path}"
            );
        }
    }
}

#[test]
fn no_sentence_of_one_language_is_in_the_other() {
    for (path, text) in texts(Language::English.catalogue()) {
        assert!(!text.contains(is_chinese), "{path}: {text}");
    }
    for (path, text) in texts(Language::Chinese.catalogue()) {
        let words = fill(text, &[]);
        let bare: String = words
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
            .collect();
        let says_something = bare.chars().any(char::is_alphabetic);
        assert!(
            !says_something || bare.contains(is_chinese),
            "{path}: {text}"
        );
        // Names may be English, three words in a row are a sentence.
        let runs =
            bare.split(|character: char| !character.is_ascii_alphabetic() && character != ' ');
        for run in runs {
            let plain = run
                .split_whitespace()
                .filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()));
            assert!(plain.count() < 3, "{path} speaks English: {text}");
        }
    }
}

#[test]
fn every_extension_message_and_alert_of_the_registries_has_its_words() {
    for language in Language::ALL {
        let words = language.catalogue();
        let extensions: Vec<u64> = words
            .extensions
            .iter()
            .map(|(code, _)| u64::from(*code))
            .collect();
        let known = |registry: &'static ravelin_wire::registry::Registry| {
            registry
                .assignments
                .iter()
                .map(|assignment| assignment.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(extensions, known(ExtensionType::REGISTRY));
        let alerts: Vec<u64> = words
            .alerts
            .iter()
            .map(|(code, _)| u64::from(*code))
            .collect();
        assert_eq!(alerts, known(AlertDescription::REGISTRY));
        for (code, _) in words.rare_messages {
            assert!(HandshakeType(*code).assignment().is_some());
        }
    }
}

/// All literals that the source of `folder` gives to functions of these names first.
fn names_in_source(folder: &Path, functions: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the source is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("explain/tests.rs")
            {
                let source = fs::read_to_string(&path).expect("it can be read");
                for function in functions {
                    for (at, _) in source.match_indices(function) {
                        let rest = source[at + function.len()..].trim_start();
                        let literal = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                        names.extend(literal.map(|(name, _)| name.to_owned()));
                    }
                }
            }
        }
    }
    names
}

/// How a [`Reader`](ravelin_wire::reader::Reader) is asked for a field, name first.
const FIELD_READERS: [&str; 24] = [
    ".u8(",
    ".u16(",
    ".u24(",
    ".u32(",
    ".u64(",
    ".code(",
    ".codes(",
    ".octets(",
    ".rest(",
    ".text(",
    ".array(",
    ".opaque8(",
    ".opaque16(",
    ".opaque24(",
    ".vector8(",
    ".vector16(",
    ".vector24(",
    ".group(",
    ".quic_number(",
    ".quic_code(",
    ".quic_vector(",
    "dissect::dissect(",
    ".enclosed(",
    ".leaf(",
];

#[test]
fn every_field_that_the_codec_names_has_its_words() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/src");
    let mut names = names_in_source(&source, &FIELD_READERS);
    assert!(
        names.len() > 150,
        "the source of wire is read as it was: {}",
        names.len()
    );
    // Those of steps that are octets and nothing else.
    names.extend(["application_data", "encrypted", "fragment", "octets"].map(str::to_owned));
    // That of a list on its own, which no message holds.
    names.remove("ech_config_list");
    for language in Language::ALL {
        let fields = language.catalogue().fields;
        let missing: Vec<&String> = names
            .iter()
            .filter(|name| {
                !fields
                    .iter()
                    .any(|(known, _)| known == name || known.ends_with(&format!(".{name}")))
            })
            .collect();
        assert!(missing.is_empty(), "{language:?}: {missing:?}");
    }
}

#[test]
fn every_quantity_that_is_derived_has_its_words() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let functions = [
        ".derive(",
        ".given(",
        "derive(ledger, ",
        "part(",
        ".note(ledger, ",
    ];
    let mut names = BTreeSet::new();
    for function in functions {
        names.extend(names_in_source(&source, &[function]));
    }
    // What the schedules name by way of a function of their own.
    let schedule = fs::read_to_string(source.join("schedule/tls13.rs")).expect("it can be read");
    names.extend(
        schedule
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|name| {
                name.ends_with("_secret")
                    || name.contains("traffic_secret")
                    || name.ends_with("_key")
            })
            .map(str::to_owned),
    );
    assert!(names.len() > 15, "{names:?}");
    for language in Language::ALL {
        let quantities = language.catalogue().quantities;
        let missing: Vec<&String> = names
            .iter()
            .filter(|name| !quantities.iter().any(|(known, _)| known == name))
            .collect();
        assert!(missing.is_empty(), "{language:?}: {missing:?}");
    }
}

#[test]
fn the_language_follows_the_locale() {
    for chinese in [
        "zh",
        "zh_CN.UTF-8",
        "zh_TW",
        "zh-Hans",
        "ZH_cn",
        "zh_CN@pinyin",
    ] {
        assert_eq!(
            Language::from_locale(chinese),
            Language::Chinese,
            "{chinese}"
        );
    }
    for english in ["", "C", "POSIX", "en_US.UTF-8", "de_DE", "zha", "zhuang"] {
        assert_eq!(
            Language::from_locale(english),
            Language::English,
            "{english}"
        );
    }
}

#[test]
fn what_peers_send_as_text_cannot_command_a_terminal_or_turn_the_text_around() {
    let shown = super::visible("a\u{1b}[31m\u{202e}b\r\n\u{9b}2J\u{feff}c".as_bytes());
    assert_eq!(
        shown,
        "a\\u{1b}[31m\\u{202e}b\\u{d}\\u{a}\\u{9b}2J\\u{feff}c"
    );
    let long = super::visible(&[b'x'; 300]);
    assert_eq!(long.chars().count(), 256);
}

#[test]
fn places_are_filled_once_and_values_are_not_looked_into() {
    assert_eq!(
        fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]),
        "{b} and 2"
    );
    assert_eq!(fill("{a} {", &[]), "{a} ");
}

#[test]
fn lists_and_numbers_read_as_people_write_them() {
    let phrases = &Language::English.catalogue().phrases;
    assert_eq!(phrases.list(&["a"]), "a");
    assert_eq!(phrases.list(&["a", "b"]), "a and b");
    assert_eq!(phrases.list(&["a", "b", "c"]), "a, b and c");
    assert_eq!(
        phrases.short_list(&["a", "b", "c", "d"], 2),
        "a, b and 2 more"
    );
    assert_eq!(grouped(1_234_567), "1,234,567");
    assert_eq!(grouped(999), "999");
}

/// Of each kind one, so that every sentence is put together once.
#[test]
fn every_claim_verdict_fault_end_and_weakness_is_a_sentence_with_its_values() {
    let faults = faults_of_each_kind();
    let claims = [
        Claim::Finished(Side::Client),
        Claim::HandshakeSignature(Side::Server),
        Claim::ShareSignature,
        Claim::Binder(0),
        Claim::Chain(Side::Server),
        Claim::CertificateTimestamp {
            log: [7; 32],
            known: None,
            place: TimestampPlace::Certificate,
            at: 1_700_000_000_123,
        },
        Claim::CertificateTimestamp {
            log: [7; 32],
            known: Some(Arc::new(LogEntry {
                description: "Argon".to_owned(),
                operator: "Google".to_owned(),
                state: Some(LogState::Retired),
                since: Some("2026-03-01T00:00:00Z".to_owned()),
            })),
            place: TimestampPlace::Ocsp,
            at: 1_700_000_000_123,
        },
        Claim::NoDowngrade,
        Claim::RetryKept,
        Claim::Records(Side::Client),
        Claim::SharedSecret,
    ];
    let alert = Alert {
        level: AlertLevel::FATAL,
        description: AlertDescription::UNKNOWN_CA,
    };
    let ends = [
        End::Open,
        End::Said,
        End::Cut,
        End::Hidden,
        End::Reset,
        End::Alert(alert),
    ];
    let sealed = [
        Sealed::NoKeys,
        Sealed::WrongKeys { after: 0 },
        Sealed::WrongKeys { after: 3 },
        Sealed::Lost,
        Sealed::UnknownCipher,
    ];
    let suite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    let weaknesses = [
        Weakness::Refuted(Claim::ShareSignature),
        Weakness::OldVersion(ProtocolVersion::TLS_1_0),
        Weakness::NoAead(suite),
        Weakness::WeakCertificateKey("RSA 1024".to_owned()),
    ];
    for language in Language::ALL {
        let mut sentences: Vec<String> = Vec::new();
        for what in &faults {
            sentences.push(language.fault(&Fault {
                side: Side::Server,
                offset: 12_345,
                step: None,
                what: what.clone(),
            }));
            assert!(sentences.last().is_some_and(|it| it.contains("12,345")));
        }
        sentences.extend(claims.iter().map(|claim| language.claim(claim)));
        let verdicts = verdicts_of_each_kind();
        sentences.extend(verdicts.iter().map(|verdict| language.verdict(verdict)));
        sentences.extend(ends.map(|end| language.end(Side::Client, end)));
        sentences.extend(sealed.map(|why| language.sealed(why)));
        sentences.extend(weaknesses.iter().map(|it| language.weakness(it).what));
        let distinct: BTreeSet<&String> = sentences.iter().collect();
        assert_eq!(distinct.len(), sentences.len(), "each says something else");
        for sentence in &sentences {
            assert!(!sentence.contains('{'), "{sentence}");
            assert!(sentence.ends_with(['.', '。']), "{sentence}");
        }
    }
}

fn faults_of_each_kind() -> Vec<FaultKind> {
    let error = |problem| DecodeError {
        at: 7,
        field: "cipher_suites",
        problem,
    };
    let problems = [
        Problem::Truncated { needed: 2, left: 1 },
        Problem::TooLong { length: 9, left: 1 },
        Problem::Trailing { left: 1 },
        Problem::Uneven { length: 3, item: 2 },
        Problem::Empty,
        Problem::Size {
            length: 1,
            least: 2,
            most: 3,
        },
        Problem::Value { value: 5 },
    ];
    let mut faults: Vec<FaultKind> = problems.map(|it| FaultKind::Malformed(error(it))).into();
    let (octets, limit) = (70_000, 16_384);
    faults.extend([
        FaultKind::RecordTooLong { octets, limit },
        FaultKind::EmptyRecord(ContentType::HANDSHAKE),
        FaultKind::MessageTooLong { octets, limit },
        FaultKind::OutOfOrder(HandshakeType::FINISHED),
        FaultKind::Interleaved(ContentType::ALERT),
        FaultKind::Lost { octets: 1460 },
        FaultKind::Truncated { missing: 3 },
        FaultKind::Undecryptable { sequence: 0 },
    ]);
    let foreign = [
        Foreign::HttpRequest,
        Foreign::HttpResponse,
        Foreign::Http2,
        Foreign::Ssh,
        Foreign::Greeting,
        Foreign::SslV2,
        Foreign::ProxyHeader,
        Foreign::Dtls,
        Foreign::Unknown,
    ];
    faults.extend(foreign.map(FaultKind::Foreign));
    faults
}

fn verdicts_of_each_kind() -> Vec<Verdict> {
    let refutations = [
        Refutation::Differs,
        Refutation::BadSignature,
        Refutation::WrongKeyForScheme,
        Refutation::SchemeNotOffered,
        Refutation::BadCertificate(BadCertificate::MayNotDelegate),
        Refutation::BadChain(Vec::new()),
        Refutation::Downgraded(ProtocolVersion::TLS_1_3),
        Refutation::ChangedHello("random"),
    ];
    let missing = [
        Missing::Keys,
        Missing::Transcript,
        Missing::Certificate,
        Missing::Psk,
        Missing::LogKey,
        Missing::Roots,
        Missing::Algorithm,
    ];
    let mut verdicts = vec![Verdict::Confirmed];
    verdicts.extend(refutations.map(Verdict::Refuted));
    verdicts.extend(missing.map(Verdict::NotDerivable));
    verdicts
}
