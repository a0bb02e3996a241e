//! The page of a handshake, as a browser shows it.

use std::time::{Duration, SystemTime};

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::explain::Language;
use ravelin_lens::ledger::Secrets;
use ravelin_lens::page::{Audience, Options, page};
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
    let story = story(include_str!("rfc8448/section-3.txt"));
    let html = page(&[&story], &SHOWN).unwrap();
    let file = std::path::Path::new("/tmp/page-look.html");
    std::fs::write(file, &html).unwrap();
    println!("{} octets", html.len());
    let mut browser = Browser::open();
    browser.scheme("light", "screen");
    browser.load(&address(file));
    std::fs::write("/tmp/look-1.png", browser.picture()).unwrap();
    for complaint in browser.complaints() {
        println!("{complaint}");
    }
    browser.click(".arrow");
    std::fs::write("/tmp/look-2.png", browser.picture()).unwrap();
    browser.point_at("section.schedule h2");
    std::fs::write("/tmp/look-3.png", browser.picture()).unwrap();
}
