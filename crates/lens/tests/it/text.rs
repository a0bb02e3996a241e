//! The traces of RFC 8448 as text, in both languages, held against files.
//!
//! `RAVELIN_BLESS=1` writes the files anew.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::explain::Language;
use ravelin_lens::knowledge::Nothing;
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::text::{Detail, Options, text};
use unicode_width::UnicodeWidthStr;

use crate::traces::Trace;

const FULL: Options = Options {
    language: Language::English,
    width: 100,
    colour: false,
    detail: Detail::Octets,
    secrets: Secrets::Shown,
};

fn simple() -> ravelin_lens::story::Story {
    Trace::read(include_str!("rfc8448/section-3.txt")).tell()
}

fn golden(name: &str, text: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/text")
        .join(name);
    if env::var_os("RAVELIN_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(known, text, "{}", path.display());
}

#[test]
fn the_simple_handshake_is_explained_in_english_as_it_was() {
    golden("section-3.en.txt", &text(&simple(), &FULL));
}

#[test]
fn the_simple_handshake_is_explained_in_chinese_as_it_was() {
    let options = Options {
        language: Language::Chinese,
        ..FULL
    };
    golden("section-3.zh.txt", &text(&simple(), &options));
}

/// All that is shown of the traces, in all ways.
fn everything() -> Vec<(Options, String)> {
    let stories = [
        include_str!("rfc8448/section-3.txt"),
        include_str!("rfc8448/section-4.txt"),
        include_str!("rfc8448/section-5.txt"),
        include_str!("rfc8448/section-6.txt"),
    ]
    .map(|trace| Trace::read(trace).tell());
    let mut shown = Vec::new();
    for language in Language::ALL {
        for width in [40, 80, 120] {
            for detail in [Detail::Brief, Detail::Steps, Detail::Fields, Detail::Octets] {
                let options = Options {
                    language,
                    width,
                    detail,
                    ..FULL
                };
                shown.extend(stories.iter().map(|story| (options, text(story, &options))));
            }
        }
    }
    shown
}

#[test]
fn no_line_is_longer_than_the_terminal_is_wide() {
    for (options, text) in everything() {
        for line in text.lines() {
            assert!(line.width() <= options.width, "{options:?}: {line}");
        }
    }
}

#[test]
fn every_value_finds_its_place_and_every_field_its_words() {
    for (options, text) in everything() {
        let is_place = |part: &str| part.starts_with(|first: char| first.is_ascii_lowercase());
        // Octets as letters can be anything.
        if options.detail < Detail::Octets {
            assert!(!text.split('{').skip(1).any(is_place), "{options:?}");
        }
        for unknown in ["Nothing more is known of it here.", "此处没有更多说明。"] {
            assert!(!text.contains(unknown), "{options:?}");
        }
    }
}

#[test]
fn neither_language_speaks_in_the_other() {
    for (options, text) in everything() {
        let is_chinese = |character: char| ('\u{4e00}'..='\u{9fff}').contains(&character);
        match options.language {
            Language::English => assert!(!text.contains(is_chinese), "{options:?}"),
            Language::Chinese => {
                for line in text.lines() {
                    for words in [" the ", " is ", " of ", " and "] {
                        assert!(!line.contains(words), "{line}");
                    }
                }
            }
        }
    }
}

#[test]
fn keys_are_shown_only_where_that_is_asked_for() {
    let story = simple();
    let key = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
    let data = "000102030405060708090a0b0c0d0e0f";
    let shown = text(&story, &FULL);
    assert!(shown.contains(key) && shown.contains(data));
    let options = Options {
        secrets: Secrets::Hidden,
        ..FULL
    };
    let hidden = text(&story, &options);
    assert!(!hidden.contains(key) && !hidden.contains(data));
    for (_, quantity) in story.ledger.iter().filter(|(_, it)| !it.is_public()) {
        let value = quantity.value.as_ref().unwrap();
        let hex: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
        let was_sent = quantity.name == "verify_data";
        assert!(was_sent || !hidden.contains(&hex), "{quantity:?}");
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let story = simple();
    let options = Options {
        colour: true,
        ..FULL
    };
    let coloured = text(&story, &options);
    assert!(coloured.contains("\u{1b}["));
    let mut plain = String::new();
    let mut rest = &*coloured;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text(&story, &FULL));
}

#[test]
fn a_peer_cannot_command_the_terminal_by_what_it_sends() {
    // The name of the host becomes an escape sequence, in a hello of its own.
    let trace = Trace::read(include_str!("rfc8448/section-3.txt"));
    let (_, mut hello) = trace.records.into_iter().next().unwrap();
    let at = hello
        .windows(6)
        .position(|octets| octets == b"server")
        .unwrap();
    hello[at..at + 6].copy_from_slice(b"\x1b[2J\x9b\x07");
    let mut connection = Connection::new(Nothing, Limits::default());
    connection.receive(Side::Client, SystemTime::UNIX_EPOCH, &hello);
    let story = connection.finish();
    for language in Language::ALL {
        let options = Options { language, ..FULL };
        let text = text(&story, &options);
        assert!(text.contains("\\u{1b}[2J"), "{text}");
        let is_command = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(is_command));
    }
}
