//! The page of a handshake, as a browser shows it, and as it is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::explain::Language;
use ravelin_lens::ledger::Secrets;
use ravelin_lens::page::{Audience, Options, page};
use ravelin_lens::story::Story;

use crate::browser::{Browser, address};
use crate::conversations::openssl;
use crate::traces::Trace;

mod reader;
mod use_of_it;
mod written;

const SHOWN: Options<'_> = Options {
    language: Language::English,
    secrets: Secrets::Shown,
    subject: None,
    audience: Audience::Onlooker,
};

const SIMPLE: &str = include_str!("rfc8448/section-3.txt");

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

/// A page in a file.
struct Sheet {
    folder: tempfile::TempDir,
}

impl Sheet {
    fn of(html: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page.html"), html).unwrap();
        Self { folder }
    }

    fn simple() -> Self {
        Self::of(&page(&[&story(SIMPLE)], &SHOWN).unwrap())
    }

    fn address(&self) -> String {
        address(&self.folder.path().join("page.html"))
    }
}

/// How many things a selector finds.
fn count(browser: &mut Browser, selector: &str) -> u64 {
    let found = browser.value(&format!("document.querySelectorAll({selector:?}).length"));
    found.as_u64().unwrap()
}

/// The whole text of what a selector finds first.
fn text(browser: &mut Browser, selector: &str) -> String {
    let text = browser.value(&format!("document.querySelector({selector:?}).textContent"));
    text.as_str().unwrap().to_owned()
}

/// Pictures for the documentation, which are kept where `RAVELIN_KEEP_PICTURES` is set, and must be there
/// where it is not.
#[test]
fn pictures_of_the_page_are_in_the_documentation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    let keeps = std::env::var_os("RAVELIN_KEEP_PICTURES").is_some();
    let mut browser = Browser::open();
    let new = story(SIMPLE);
    let sheet = Sheet::of(&page(&[&new], &SHOWN).unwrap());
    let scenes: [(&str, &str, &[&str], &str); 4] = [
        ("handshake.png", "light", &[], ".top"),
        (
            "handshake-step.png",
            "light",
            &[".arrow[data-step='1']"],
            ".step[open]",
        ),
        (
            "handshake-keys.png",
            "dark",
            &[".node[data-q='5']"],
            ".schedule",
        ),
        ("handshake-whole.png", "dark", &[], ".checks"),
    ];
    for (name, scheme, clicks, place) in scenes {
        browser.screen(1100, 720, false);
        browser.scheme(scheme, "screen");
        browser.load(&sheet.address());
        for click in clicks {
            browser.click(click);
        }
        browser.value(&format!(
            "document.querySelector({place:?}).scrollIntoView()"
        ));
        let picture = browser.picture();
        assert!(picture.len() < 150_000, "{name}: {} octets", picture.len());
        let file: PathBuf = folder.join(name);
        if keeps {
            fs::write(&file, picture).unwrap();
        } else {
            assert!(file.is_file(), "set RAVELIN_KEEP_PICTURES to make {name}");
        }
    }
}

/// Other versions are shown too: the page of TLS 1.2 has what TLS 1.2 has.
#[test]
fn a_page_of_tls12_shows_its_own_schedule() {
    let story = openssl::conversation(&[], &["-tls1_2"]);
    let mut browser = Browser::open();
    browser.load(&Sheet::of(&page(&[&story], &SHOWN).unwrap()).address());
    let nodes = browser.value(
        "[...document.querySelectorAll('.node')].map(node => node.getAttribute('aria-label'))",
    );
    for name in [
        "master_secret",
        "key_block",
        "client_random",
        "premaster_secret",
    ] {
        assert!(nodes.to_string().contains(name), "{name} in {nodes}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
