//! The page of a handshake, as a browser shows it.

use std::time::{Duration, SystemTime};

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::explain::Language;
use ravelin_lens::page::{Audience, Options, Secrets, page};
use ravelin_lens::story::Story;

use crate::browser::{Browser, address};
use crate::traces::Trace;

const SHOWN: Options<'_> = Options {
    language: Language::English,
    secrets: Secrets::Shown,
    subject: None,
    audience: Audience::Onlooker,
};

/// A trace of the RFC, each record of which took a while.
fn story(text: &str) -> Story {
    let trace = Trace::read(text);
    let mut connection = Connection::new(&trace, Limits::default());
    let mut at = SystemTime::UNIX_EPOCH;
    for (side, record) in &trace.records {
        connection.receive(*side, at, record);
        at += Duration::from_micros(370);
    }
    connection.finish()
}

#[test]
fn look() {
    let rfc = story(include_str!("rfc8448/section-3.txt"));
    let old = crate::conversations::openssl::story_of("-tls1_2");
    let new = crate::conversations::openssl::story_of("-tls1_3");
    let mut browser = Browser::open();
    for (name, stories, language) in [
        ("rfc", vec![&rfc], Language::English),
        ("zh", vec![&new], Language::Chinese),
        ("old", vec![&old], Language::English),
    ] {
        let html = page(&stories, &Options { language, ..SHOWN }).unwrap();
        let file = std::path::PathBuf::from(format!("/tmp/look-{name}.html"));
        std::fs::write(&file, &html).unwrap();
        println!("{name} {} octets", html.len());
        browser.screen(1440, 1000, false);
        browser.scheme(if name == "zh" { "dark" } else { "light" }, "screen");
        browser.load(&address(&file));
        let mut shot = 0;
        let mut shoot = |browser: &mut Browser| {
            shot += 1;
            std::fs::write(format!("/tmp/look-{name}-{shot}.png"), browser.picture()).unwrap();
        };
        shoot(&mut browser);
        browser.click(".arrow");
        browser.value("document.querySelector('.octets').scrollIntoView()");
        browser.point_at(".tree li li:nth-child(4) b");
        browser.value("document.querySelector('.octets').scrollIntoView()");
        shoot(&mut browser);
        browser.value("document.querySelector('section.schedule').scrollIntoView()");
        shoot(&mut browser);
        browser.value("document.querySelector('.quantities').scrollIntoView({block: 'end'})");
        shoot(&mut browser);
        browser.value("document.querySelector('section.checks').scrollIntoView()");
        shoot(&mut browser);
        browser.value("document.querySelector('section.whole .links').scrollIntoView()");
        shoot(&mut browser);
        browser.screen(390, 844, true);
        browser.load(&address(&file));
        shoot(&mut browser);
        browser.value("document.querySelector('section.walk').scrollIntoView()");
        shoot(&mut browser);
        browser.click(".arrow");
        browser.value("document.querySelector('.octets').scrollIntoView()");
        shoot(&mut browser);
        browser.value("document.querySelector('.hex').scrollIntoView()");
        shoot(&mut browser);
        for complaint in browser.complaints() {
            println!("{complaint}");
        }
    }
}
