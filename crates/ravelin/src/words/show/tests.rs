//! The pages as users see them: each case is a file in `tests/show/`, what is to be shown (or the name
//! of a vector of Python's cryptography), a line of ten hyphens, and the page of it.
//!
//! `RAVELIN_BLESS=1 cargo nextest run -p ravelin show` rewrites the pages: read them before you commit
//! them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ravelin_pki::contents;
use ravelin_pki::distinguished_name::unprintable;

use super::*;

#[test]
fn every_kind_of_thing_has_a_page() {
    let mut stale = Vec::new();
    let cases = cases();
    assert!(cases.len() > 12, "{cases:?}");
    for case in cases {
        let text = fs::read_to_string(&case).unwrap();
        let (input, expected) = text.split_once(RULE).unwrap_or((&text, ""));
        let page = plain(&render(&source(input), 80, Limits::USUAL, now()));
        if page == expected {
            continue;
        }
        if std::env::var_os("RAVELIN_BLESS").is_some() {
            fs::write(&case, format!("{input}{RULE}{page}")).unwrap();
        } else {
            stale.push(format!("{}:\n{page}", case.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "other pages than expected; RAVELIN_BLESS=1 cargo nextest run -p ravelin show rewrites the \
         files\n\n{}",
        stale.join("\n")
    );
}

#[test]
fn nothing_from_outside_reaches_the_terminal_as_it_is() {
    for case in cases() {
        let text = fs::read_to_string(&case).unwrap();
        let source = source(text.split_once(RULE).unwrap_or((&text, "")).0);
        for limits in [Limits::USUAL, Limits::NONE] {
            let page = plain(&render(&source, 80, limits, now()));
            let facts = facts::safe(&format!("{:#}", facts::of([Ok(&source)], now())));
            for text in [page, facts] {
                let bad = text.chars().find(|c| *c != '\n' && unprintable(*c));
                assert_eq!(bad, None, "{}", case.display());
            }
        }
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for case in cases() {
        let text = fs::read_to_string(&case).unwrap();
        let source = source(text.split_once(RULE).unwrap_or((&text, "")).0);
        for width in [80, 120] {
            for line in plain(&render(&source, width, Limits::USUAL, now())).lines() {
                assert!(line.chars().count() <= width, "{}: {line}", case.display());
            }
        }
    }
}

#[test]
fn json_keeps_what_the_page_escapes() {
    let hostile = "a\u{202e}b\u{9b}\u{e0041}\u{7f}";
    let text = facts::safe(&serde_json::json!(hostile).to_string());
    assert!(text.is_ascii(), "{text}");
    assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
}

#[test]
fn times_are_told_in_a_unit_that_says_enough() {
    let after = |seconds| layout::distance(now(), now() + Duration::from_secs(seconds));
    assert_eq!(after(1), "in 1 second");
    assert_eq!(after(3 * 3600), "in 3 hours");
    assert_eq!(after(12 * 86_400 + 5), "in 12 days");
    assert_eq!(after(10 * 31_556_952 - 60), "in 10 years");
    assert_eq!(
        layout::distance(now() + Duration::from_secs(172_800), now()),
        "2 days ago"
    );
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/show");
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
}

fn source(input: &str) -> Source {
    let bytes = match input.strip_prefix("vector ") {
        Some(name) => vector(name.trim()),
        None => input.as_bytes().to_vec(),
    };
    Source {
        name: "case".to_owned(),
        contents: contents::read(&bytes, &mut |_| None).unwrap(),
        connection: None,
    }
}

/// A file of the package `cryptography_vectors`, which `./test` installs.
fn vector(name: &str) -> Vec<u8> {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/lib");
    let python = fs::read_dir(&lib)
        .unwrap_or_else(|error| panic!("./test makes {}: {error}", lib.display()))
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .join("site-packages/cryptography_vectors")
        })
        .find(|path| path.exists())
        .unwrap();
    fs::read(python.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The first second of 2026.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

const RULE: &str = "----------\n";
