//! A CA that is given out and taken in again.

use std::fs;

use crate::certificates::{ROOT, inventory, make, openssl_verify};
use crate::server::Place;

fn exported() -> Place {
    let place = Place::new();
    place.write("secret", "correct horse\n");
    place.write("wrong", "wrong horse\n");
    place
        .run(&["ca", "init", "--permit", "corp.example.com"])
        .expect(0, &[]);
    make(&place, &["a.corp.example.com"]);
    make(&place, &["--client", "ada@client.test"]);
    place
        .run(&["ca", "revoke", "ada@client.test"])
        .expect(0, &[]);
    let export = ["ca", "export", "--new-passphrase-file", "secret", "ca.out"];
    place
        .run(&export)
        .expect(0, &["exported     ca.out: ", "encrypted"]);
    place
}

fn import<'a>(file: &'a str, passphrase: &'a str) -> [&'a str; 7] {
    [
        "ca",
        "import",
        "--home",
        "other",
        "--passphrase-file",
        passphrase,
        file,
    ]
}

#[test]
fn a_ca_is_the_same_in_another_place() {
    let place = exported();
    let file = fs::read_to_string(place.path("ca.out")).unwrap();
    assert!(
        !file.contains("PRIVATE") && !file.contains("corp.example.com"),
        "{file}"
    );
    place
        .run(&import("ca.out", "secret"))
        .expect(0, &["imported "]);
    let other = |arguments: &[&str]| place.run(&[arguments, &["--home", "other"]].concat());
    other(&["ca", "audit"]).expect(0, &[]);
    let root = other(&["ca", "root"]);
    assert_eq!(root.stdout, fs::read_to_string(place.path(ROOT)).unwrap());
    let listed = other(&["ca", "list", "--json"]);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed, inventory(&place));
    make(&place, &["--home", "other", "b.corp.example.com"]);
    openssl_verify(&place, ROOT, "b.corp.example.com.pem", &[]).well();
    let policy = |home: &str| fs::read(place.path(&format!("{home}/ca/policy.toml"))).unwrap();
    assert_eq!(policy("home"), policy("other"));
    // Nothing is ever written over.
    place
        .run(&import("ca.out", "secret"))
        .expect(2, &["there is a CA already"]);
    let export = ["ca", "export", "--new-passphrase-file", "secret", "ca.out"];
    place.run(&export).expect(4, &["is there already"]);
}

#[test]
fn a_wrong_passphrase_or_a_damaged_file_takes_nothing_in() {
    let place = exported();
    let wrong = place.run(&import("ca.out", "wrong"));
    wrong.expect(1, &["the passphrase is wrong, or the file is damaged"]);
    let whole = fs::read(place.path("ca.out")).unwrap();
    // Where a line ends, it would be another fault.
    let letter = |from: usize| {
        whole[..from]
            .iter()
            .rposition(u8::is_ascii_alphanumeric)
            .unwrap()
    };
    let (middle, near_the_end) = (letter(whole.len() / 2), letter(whole.len() - 10));
    for (index, code) in [(5, 2), (middle, 1), (near_the_end, 1)] {
        let mut damaged = whole.clone();
        damaged[index] = if damaged[index] == b'A' { b'B' } else { b'A' };
        place.write("damaged", damaged);
        place
            .run(&import("damaged", "secret"))
            .expect(code, &["\"damaged\""]);
    }
    place.write("short", &whole[..whole.len() / 2]);
    let short = place.run(&import("short", "secret"));
    assert!(matches!(short.status.code(), Some(1 | 2)), "{short:?}");
    place.write("none", "");
    place
        .run(&import("none", "secret"))
        .expect(2, &["it is no exported CA"]);
    place
        .run(&import("a.corp.example.com.pem", "secret"))
        .expect(2, &["it is no exported CA"]);
    assert!(!place.path("other/ca").exists());
    place.run(&import("ca.out", "secret")).expect(0, &[]);
}
