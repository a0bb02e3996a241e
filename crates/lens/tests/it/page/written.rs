//! What is written into a page, and what is not.

use std::time::SystemTime;

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::digest::Octets;
use ravelin_lens::explain::Language;
use ravelin_lens::knowledge::Nothing;
use ravelin_lens::ledger::{Formula, Side};
use ravelin_lens::page::{
    Audience, MOST_STEPS, Options, Secrets, content_security_policy, page, script_source,
    style_source,
};
use ravelin_lens::story::Story;

use super::{SHOWN, SIMPLE, story};

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"))
}

#[test]
fn a_page_of_a_plain_handshake_is_small() {
    let html = page(&[&story(SIMPLE)], &SHOWN).unwrap();
    assert!(html.len() < 130_000, "{} octets", html.len());
}

/// Key shares with ML-KEM have more than a thousand octets, of each side.
#[test]
fn a_page_of_a_hybrid_handshake_is_small_too() {
    let html = page(&[&crate::recorder::hybrid()], &SHOWN).unwrap();
    assert!(html.contains("X25519MLKEM768"));
    assert!(html.len() < 136_000, "{} octets", html.len());
}

#[test]
fn hidden_secrets_are_nowhere_in_the_page() {
    let story = story(SIMPLE);
    let shown = page(&[&story], &SHOWN).unwrap();
    let options = Options {
        secrets: Secrets::Hidden,
        ..SHOWN
    };
    let hidden = page(&[&story], &options).unwrap();
    let mut secrets = 0;
    for (_, quantity) in story.ledger.iter() {
        let is_secret = !matches!(
            quantity.formula,
            Formula::Zeros(_) | Formula::EmptyHash(_) | Formula::TranscriptHash { .. }
        );
        // A MAC that was sent is among the octets of its message, apart from the others by spaces.
        if is_secret && quantity.name != "ticket_nonce" {
            let value = hex(quantity.value.as_ref().unwrap());
            assert!(shown.contains(&value), "{quantity:?}");
            assert!(!hidden.contains(&value), "{quantity:?}");
            secrets += 1;
        }
    }
    assert!(secrets > 20, "{secrets}");
    let mut nonces = 0;
    for opening in story
        .records
        .iter()
        .filter_map(|record| record.opening.as_ref())
    {
        let nonce = hex(&opening.nonce);
        assert!(shown.contains(&nonce), "{opening:?}");
        assert!(!hidden.contains(&nonce), "{opening:?}");
        nonces += 1;
    }
    assert!(nonces > 5, "{nonces}");
    // The application data of the trace counts upwards.
    let data = "10 11 12 13 14 15 16 17";
    assert!(shown.contains(data));
    assert!(!hidden.contains(data));
}

#[test]
fn what_peers_say_is_text_and_nothing_else() {
    let mut story = story(SIMPLE);
    let evil = "<script>alert(1)</script>\"'&\u{202e}";
    story.agreement.server_name = Some(evil.to_owned());
    story.agreement.alpn = Some(b"<img src=x onerror=alert(1)>".to_vec());
    let hello = &mut story.steps[0].bytes;
    let at = hello.windows(6).position(|part| part == b"server").unwrap();
    hello[at..at + 6].copy_from_slice(b"<b>\"'&");
    for subject in [None, Some("</title><script>alert(2)</script>")] {
        let html = page(&[&story], &Options { subject, ..SHOWN }).unwrap();
        for tag in [
            "<script>alert",
            "<img",
            "<b>\"",
            "\u{202e}",
            "</title><script",
        ] {
            assert!(!html.contains(tag), "{tag}");
        }
        assert_eq!(html.matches("<script").count(), 1);
        assert_eq!(html.matches("</script").count(), 1);
    }
}

/// Whatever was sent, the page stays of a size that browsers show.
#[test]
fn long_connections_and_long_messages_are_counted_not_shown() {
    let mut connection = Connection::new(Nothing, Limits::default());
    // Records that cannot be decrypted, of both sides in turn: each is a step.
    for number in 0..1000_u32 {
        let side = [Side::Client, Side::Server][(number % 2) as usize];
        let record = [&[23, 3, 3, 0, 64][..], &[0xab; 64]].concat();
        connection.receive(side, SystemTime::UNIX_EPOCH, &record);
    }
    let mut long = connection.finish();
    assert!(long.steps.len() > MOST_STEPS, "{}", long.steps.len());
    let more = long.steps.len() - MOST_STEPS;
    let html = page(&[&long], &SHOWN).unwrap();
    assert!(html.len() < 1_500_000, "{} octets", html.len());
    assert!(html.contains(&format!("{more} more steps are not shown.")));

    // A hello with thirty thousand suites.
    let simple = story(SIMPLE);
    let hello = &simple.steps[0].bytes;
    let suites = 60_000_u16;
    let mut bytes = hello[..39].to_vec();
    bytes.extend(suites.to_be_bytes());
    bytes.extend((0..suites / 2).flat_map(u16::to_be_bytes));
    bytes.extend(&hello[47..]);
    let length = (bytes.len() - 4) as u32;
    bytes[1..4].copy_from_slice(&length.to_be_bytes()[1..]);
    long = simple;
    long.steps[0].bytes = Octets::new(bytes);
    assert!(long.steps[0].value().is_ok());
    let html = page(&[&long], &SHOWN).unwrap();
    assert!(html.len() < 500_000, "{} octets", html.len());
    assert!(html.contains("more fields are not shown."));
    assert!(html.contains("octets more are not shown."));
    for tag in ["ul", "div", "details", "section"] {
        let opened =
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// Nothing at all, a failure, and many at once are pages too.
#[test]
fn whatever_was_seen_is_a_page() {
    let empty = Story::default();
    let mut connection = Connection::new(Nothing, Limits::default());
    connection.receive(
        Side::Client,
        SystemTime::UNIX_EPOCH,
        b"GET / HTTP/1.1\r\n\r\n",
    );
    let foreign = connection.finish();
    let mut connection = Connection::new(Nothing, Limits::default());
    connection.receive(
        Side::Client,
        SystemTime::UNIX_EPOCH,
        &[22, 3, 1, 0, 4, 1, 0, 0, 0],
    );
    connection.receive(
        Side::Server,
        SystemTime::UNIX_EPOCH,
        &[21, 3, 1, 0, 2, 2, 50],
    );
    connection.ended(Side::Server, false);
    let refused = connection.finish();
    for language in Language::ALL {
        let options = Options { language, ..SHOWN };
        for story in [&empty, &foreign, &refused] {
            let html = page(&[story], &options).unwrap();
            assert!(html.ends_with("</html>"));
            assert!(!html.contains("{}"), "a sentence without its value");
        }
        let many = vec![&refused; 20];
        let html = page(&many, &options).unwrap();
        assert!(html.contains("id=\"c7\"") && !html.contains("id=\"c8\""));
        assert!(page(&[], &options).unwrap().ends_with("</html>"));
    }
    let html = page(&[&refused], &SHOWN).unwrap();
    assert!(html.contains("class=faults"));
}

#[test]
fn a_visitor_is_told_that_it_is_their_own_connection() {
    let story = story(SIMPLE);
    let options = Options {
        subject: Some("shop.example"),
        audience: Audience::Visitor,
        ..SHOWN
    };
    let html = page(&[&story], &options).unwrap();
    assert!(html.contains("<h1>shop.example</h1>"));
    assert!(html.contains(Language::English.page().intro_visitor));
    assert!(!html.contains(Language::English.page().intro));
}

#[test]
fn the_policy_names_the_script_and_the_style_of_the_page() {
    let html = page(&[&story(SIMPLE)], &SHOWN).unwrap();
    let policy = content_security_policy();
    for source in [script_source(), style_source()] {
        assert!(policy.contains(&source));
        // In an attribute, quotes are written as references.
        assert!(html.contains(&source.replace('\'', "&#39;")), "{source}");
    }
    assert!(policy.starts_with("default-src 'none'; "));
    assert!(policy.ends_with("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
}

/// First of all, and without headings of what there is nothing of.
#[test]
fn a_handshake_that_failed_is_told_as_such() {
    let hello = SIMPLE.lines().find(|line| line.starts_with("client"));
    let refused = format!("{}\nserver 15030300020246\n", hello.unwrap());
    let html = page(&[&story(&refused)], &SHOWN).unwrap();
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text}"));
    let failed = place("<li>The handshake was not completed.</li>");
    let why = place("<li>The server gave up with the alert protocol_version.");
    assert!(failed < why && why < place("<dl class=facts>"));
    assert!(!html.contains("href=#c0-checks") && !html.contains("id=c0-checks"));
    let good = page(&[&story(SIMPLE)], &SHOWN).unwrap();
    assert!(good.contains("id=c0-checks") && !good.contains("was not completed."));
}
