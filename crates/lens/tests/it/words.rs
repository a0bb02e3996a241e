//! What is said and thought of connections of OpenSSL, good and bad ones, and of what is no TLS.

use std::time::SystemTime;

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::explain::Language;
use ravelin_lens::judgement::{
    ForwardSecrecy, Judgement, Leak, LinkKind, Power, QuantumSafety, Seen, Severity, Weakness,
};
use ravelin_lens::knowledge::Nothing;
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::story::Story;
use ravelin_lens::text::{Detail, Options, text};
use ravelin_wire::registry::{CipherSuite, ProtocolVersion};

use crate::conversations::openssl::conversation;
use crate::traces::Trace;

/// A connection with this suite, as OpenSSL calls it, and its judgement. Whatever is said of it is whole.
fn with_suite(version: &str, suite: &str) -> (Story, Judgement) {
    let cipher = format!("{suite}:@SECLEVEL=0");
    let story = conversation(&["-cipher", &cipher], &[version, "-cipher", &cipher]);
    nothing_is_without_words(&story);
    let judgement = Judgement::of(&story);
    (story, judgement)
}

/// Each field, quantity and sentence has its words in both languages, and all values are in their places.
fn nothing_is_without_words(story: &Story) {
    for language in Language::ALL {
        let options = Options {
            language,
            width: 100,
            colour: false,
            detail: Detail::Fields,
            secrets: Secrets::Shown,
        };
        let text = text(story, &options);
        for unknown in [
            "Nothing more is known of it here.",
            "A value on the way to the keys.",
            "此处没有更多说明。",
            "推导密钥途中的一个值。",
        ] {
            assert!(!text.contains(unknown), "{text}");
        }
        for line in text.lines() {
            let mut places = line.split('{').skip(1);
            let is_place = |part: &str| part.starts_with(|first: char| first.is_alphabetic());
            assert!(!places.any(is_place), "{line}");
        }
    }
}

fn said(story: &Story, title: &str) -> String {
    let language = Language::English;
    let steps = (0..story.steps.len()).map(|step| language.step(story, step));
    let step = steps.into_iter().find(|step| step.title == title);
    step.unwrap_or_else(|| panic!("no {title}")).says
}

#[test]
fn a_secret_encrypted_to_the_certificate_is_said_to_have_no_forward_secrecy() {
    let (story, judgement) = with_suite("-tls1", "AES128-SHA");
    assert_eq!(
        judgement.forward_secrecy,
        ForwardSecrecy::None(Leak::RsaKey)
    );
    let suite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    for weakness in [
        Weakness::OldVersion(ProtocolVersion::TLS_1_0),
        Weakness::RsaTransport,
    ] {
        assert!(judgement.weaknesses.contains(&weakness), "{weakness:?}");
    }
    // OpenSSL makes the MAC over what is encrypted, so that Lucky 13 has no hold.
    assert!(story.agreement.encrypt_then_mac);
    assert!(!judgement.weaknesses.contains(&Weakness::NoAead(suite)));
    assert_eq!(judgement.key_exchange, QuantumSafety::Unsafe);
    assert!(judgement.seen.contains(&Seen::Certificates(Side::Server)));
    assert!(!judgement.powers.contains(&Power::Impersonate));
    let says = said(&story, "ClientKeyExchange");
    assert!(
        says.contains("encrypted to the RSA key of the certificate, 256 octets"),
        "{says}"
    );
    let weakest = judgement.weakest().unwrap();
    assert_eq!(weakest.kind, LinkKind::Version);
}

#[test]
fn a_good_connection_of_tls12_has_little_against_it() {
    let (story, judgement) = with_suite("-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256");
    let leak = vec![Leak::TicketKey];
    assert_eq!(judgement.forward_secrecy, ForwardSecrecy::Partly(leak));
    assert_eq!(judgement.cost.round_trips, Some(2));
    let grave: Vec<_> = judgement
        .weaknesses
        .iter()
        .filter(|weakness| weakness.severity() > Severity::Note)
        .collect();
    assert_eq!(grave, [&Weakness::TicketsOfTls12]);
    let says = said(&story, "ServerKeyExchange");
    assert!(
        says.contains("public value in x25519, 32 octets. It is signed with rsa_pss"),
        "{says}"
    );
    let says = said(&story, "ClientHello");
    assert!(says.contains("it asks for “localhost”"), "{says}");
    let says = said(&story, "Certificate");
    assert!(
        says.contains("1 certificate,") && says.contains("for localhost, issued by CN=localhost"),
        "{says}"
    );
}

#[test]
fn a_prime_that_the_server_chose_is_a_weakness_and_its_bits_are_said() {
    let (story, judgement) = with_suite("-tls1_2", "DHE-RSA-AES256-GCM-SHA384");
    assert!(judgement.weaknesses.contains(&Weakness::FiniteField));
    let says = said(&story, "ServerKeyExchange");
    assert!(says.contains("a prime of "), "{says}");
}

#[test]
fn without_encryption_everything_is_seen() {
    let (_, judgement) = with_suite("-tls1_2", "NULL-SHA256");
    assert_eq!(judgement.weaknesses[0], Weakness::NullCipher);
    assert_eq!(judgement.seen[0], Seen::Everything);
    assert_eq!(
        judgement.forward_secrecy,
        ForwardSecrecy::None(Leak::Nothing)
    );
    assert!(!judgement.powers.contains(&Power::NothingElse));
}

#[test]
fn a_server_without_a_name_can_be_anybody() {
    let (story, judgement) = with_suite("-tls1_2", "ADH-AES128-GCM-SHA256");
    assert!(judgement.weaknesses.contains(&Weakness::Anonymous));
    assert!(judgement.powers.contains(&Power::Impersonate));
    assert_eq!(judgement.server_authentication, QuantumSafety::Absent);
    let says = said(&story, "ServerKeyExchange");
    assert!(says.contains("Nothing is signed"), "{says}");
}

#[test]
fn tls13_has_forward_secrecy_in_one_round_trip() {
    let story = Trace::read(include_str!("rfc8448/section-3.txt")).tell();
    nothing_is_without_words(&story);
    let judgement = Judgement::of(&story);
    assert_eq!(judgement.forward_secrecy, ForwardSecrecy::Full);
    assert_eq!(judgement.cost.round_trips, Some(1));
    // Its certificate is from 2016, when keys of 1024 bits did for examples.
    let name = "RSA 1024".to_owned();
    assert_eq!(judgement.weaknesses[0], Weakness::WeakCertificateKey(name));
    assert!(
        !judgement
            .seen
            .iter()
            .any(|seen| matches!(seen, Seen::Certificates(_)))
    );
}

#[test]
fn a_second_hello_is_told_apart_from_the_first() {
    let story = Trace::read(include_str!("rfc8448/section-5.txt")).tell();
    let words: Vec<_> = (0..4)
        .map(|step| Language::English.step(&story, step))
        .collect();
    assert_eq!(words[1].title, "HelloRetryRequest");
    assert!(
        words[1].says.contains("a key share for secp256r1"),
        "{}",
        words[1].says
    );
    assert!(words[2].says.contains("begins again"), "{}", words[2].says);
    assert_eq!(Judgement::of(&story).cost.round_trips, Some(2));
}

/// What is told of these octets of the client, without any keys.
fn told(octets: &[u8]) -> Story {
    let mut connection = Connection::new(Nothing, Limits::default());
    connection.receive(Side::Client, SystemTime::UNIX_EPOCH, octets);
    connection.ended(Side::Client, false);
    connection.finish()
}

#[test]
fn what_is_no_tls_is_called_by_its_name() {
    let story = told(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    nothing_is_without_words(&story);
    let says = Language::English.step(&story, 0).says;
    assert_eq!(
        says,
        "The client sends something that is not TLS: a request in plain HTTP."
    );
    let fault = Language::English.fault(&story.faults[0]);
    assert!(
        fault.contains("octet 0") && fault.contains("plain HTTP"),
        "{fault}"
    );
    let fault = Language::Chinese.fault(&story.faults[0]);
    assert!(
        fault.contains("第 0 字节") && fault.contains("明文 HTTP 请求"),
        "{fault}"
    );
}

#[test]
fn a_fault_says_at_which_octet_it_is() {
    // A hello whose list of suites says more than there is.
    let hello = [22, 3, 1, 0, 43, 1, 0, 0, 39, 3, 3];
    let octets = [&hello[..], &[7; 32], &[0, 255, 255, 19, 1]].concat();
    let story = told(&octets);
    let fault = Language::English.fault(&story.faults[0]);
    assert!(
        fault.contains("cipher_suites") && fault.contains("65,535"),
        "{fault}"
    );
    nothing_is_without_words(&story);
    assert!(Judgement::of(&story).weaknesses.contains(&Weakness::Fault));
}

#[test]
fn an_alert_says_what_is_wrong() {
    let story = told(&[21, 3, 3, 0, 2, 2, 48]);
    let words = Language::English.step(&story, 0);
    assert!(
        words
            .says
            .starts_with("The client ends the connection: unknown_ca. The certificate")
    );
    let words = Language::Chinese.step(&story, 0);
    assert!(
        words.says.starts_with("客户端终止连接：unknown_ca。"),
        "{}",
        words.says
    );
}
