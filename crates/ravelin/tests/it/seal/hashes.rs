//! Lists of hashes, with `sha256sum` and its kin, `b3sum` and `openssl dgst` as judges.

use super::{place, seal, sealed};
use crate::foreign::run;
use crate::server::Place;

/// Names that lists have to escape, or that look like parts of a line.
const NAMES: [&str; 5] = [
    "plain",
    "with space",
    "line\nbreak",
    "back\\slash",
    "a) = b",
];

fn furnished() -> Place {
    let place = place();
    for name in NAMES {
        place.write(name, name);
    }
    place
}

fn hash(place: &Place, arguments: &[&str]) -> String {
    seal(place, &[&["hash"][..], arguments].concat()).text()
}

#[test]
fn lists_are_checked_by_the_programs_they_are_for() {
    let place = furnished();
    for (algorithm, program) in [
        ("sha224", "sha224sum"),
        ("sha256", "sha256sum"),
        ("sha384", "sha384sum"),
        ("sha512", "sha512sum"),
        ("blake3", "b3sum"),
    ] {
        let list = hash(&place, &[&["--algorithm", algorithm][..], &NAMES].concat());
        place.write("list", list);
        run(&place, program, &["--check", "list"]).well();
    }
    let tagged = hash(&place, &[&["--tag"][..], &NAMES].concat());
    place.write("list", tagged);
    run(&place, "sha256sum", &["--check", "list"]).well();
}

#[test]
fn lists_of_others_are_checked() {
    let place = furnished();
    for (program, arguments) in [
        ("sha256sum", &[][..]),
        ("sha512sum", &["--binary"]),
        ("sha384sum", &["--tag"]),
        ("b3sum", &[]),
        ("openssl", &["dgst", "-sha512"]),
        ("openssl", &["dgst", "-sha3-224"]),
        ("openssl", &["dgst", "-sha3-256"]),
        ("openssl", &["dgst", "-sha3-512"]),
    ] {
        // OpenSSL does not escape names.
        let names = if program == "openssl" {
            &NAMES[..2]
        } else {
            &NAMES
        };
        let list = run(&place, program, &[arguments, names].concat()).well();
        place.write("list", &list.stdout);
        let algorithm: &[&str] = match program {
            "b3sum" => &["--algorithm", "blake3"],
            _ => &[],
        };
        let checked = hash(&place, &[&["--check", "list"][..], algorithm].concat());
        assert_eq!(checked.matches(": OK\n").count(), names.len(), "{checked}");
    }
}

#[test]
fn a_file_that_is_another_or_missing_makes_the_answer_no() {
    let place = furnished();
    place.write(
        "list",
        hash(&place, &["plain", "with space", "back\\slash"]),
    );
    place.write("plain", "changed");
    std::fs::remove_file(place.path("with space")).unwrap();
    let checked = sealed(&place, &["hash", "--check", "--quiet", "list"]);
    assert_eq!(checked.code, 1);
    assert_eq!(
        checked.text(),
        "plain: FAILED\nwith space: FAILED to read\n"
    );
    assert!(
        checked.stderr.contains("1 file not as listed"),
        "{checked:?}"
    );
    place.write("plain", "plain");
    let arguments = ["hash", "--check", "--ignore-missing", "list"];
    assert_eq!(seal(&place, &arguments).text().lines().count(), 2);
    // That nothing of a list is there is no good news.
    place.write("list", format!("{}  nowhere\n", "0".repeat(64)));
    assert_eq!(sealed(&place, &arguments).code, 1);
}

#[test]
fn a_list_that_is_none_is_said_and_does_nothing_to_the_terminal() {
    let place = furnished();
    assert_eq!(sealed(&place, &["hash", "--check", "file"]).code, 2);
    place.write("list", hash(&place, &["plain"]) + "nonsense\n");
    let checked = sealed(&place, &["hash", "--check", "list"]);
    assert_eq!(checked.code, 1);
    assert!(
        checked.stderr.contains("1 line is no checksum"),
        "{checked:?}"
    );
    place.write("list", format!("{}  \x1b[2J\u{202e}\n", "0".repeat(64)));
    let checked = sealed(&place, &["hash", "--check", "list"]);
    assert_eq!(checked.text(), "\\u{1b}[2J\\u{202e}: FAILED to read\n");
    assert!(!checked.stderr.contains('\x1b'), "{checked:?}");
}
