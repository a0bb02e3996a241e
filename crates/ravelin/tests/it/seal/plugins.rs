//! Keys that are not in files as they are: under a passphrase, or with plugins. `age` (Debian) speaks to both as well.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::age::key;
use super::{content, place, read, seal, sealed};
use crate::foreign::{Ran, python, run, run_python};
use crate::server::Place;

/// What the plugin is told by the names of keys: see `age_plugin_scripted.py`.
const WORKS: (&str, &str) = ("age1scripted1qyxejuca", "AGE-PLUGIN-SCRIPTED-1QYKVFUH8");
const REFUSES: (&str, &str) = ("age1scripted1qgh85kf6", "AGE-PLUGIN-SCRIPTED-1QG8J0KXQ");
const DIES: (&str, &str) = ("age1scripted1qvcdksxq", "AGE-PLUGIN-SCRIPTED-1QVGCDSF6");
const ASKS: (&str, &str) = ("age1scripted1qsujczz5", "AGE-PLUGIN-SCRIPTED-1QSV8RZDW");

/// A place with the plugin in a folder of programs, and its identities in files.
fn equipped() -> Place {
    let place = place();
    let (python, script) = python("age_plugin_scripted.py");
    let program = format!(
        "#!/bin/sh\nexec {} {} \"$@\"\n",
        python.display(),
        script.display()
    );
    let program = place.write("bin/age-plugin-scripted", program);
    fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
    for (name, (_, identity)) in [("works", WORKS), ("refuses", REFUSES), ("asks", ASKS)] {
        place.write(name, format!("# of the plugin\n{identity}\n"));
    }
    place
}

/// Runs a program that finds the plugin.
fn with_plugin(place: &Place, program: &str, arguments: &[&str]) -> Ran {
    let path = std::env::var("PATH").unwrap();
    let path = format!("PATH={}:{path}", place.path("bin").display());
    run(place, "env", &[&[&path, program][..], arguments].concat())
}

fn seal_with_plugin(place: &Place, arguments: &[&str]) -> Ran {
    let all = [&["seal"][..], arguments].concat();
    with_plugin(place, env!("CARGO_BIN_EXE_ravelin"), &all)
}

#[test]
fn age_opens_what_a_plugin_encrypts_and_the_other_way() {
    let place = equipped();
    let other = key(&place);
    let encrypt = ["encrypt", "file", "--to", WORKS.0, "--to", &other];
    let said = seal_with_plugin(&place, &encrypt).well();
    assert!(said.stderr.contains("plugin       touch "), "{said:?}");
    assert!(!said.stderr.contains('\x1b'), "{said:?}");
    for identity in ["works", "age.key"] {
        let opened = with_plugin(&place, "age", &["-d", "-i", identity, "file.age"]).well();
        assert!(opened.stdout == content());
    }
    let arguments = ["-r", WORKS.0, "-o", "theirs.age", "file"];
    with_plugin(&place, "age", &arguments).well();
    let decrypt = ["decrypt", "--key", "works", "theirs.age"];
    seal_with_plugin(&place, &decrypt).well();
    assert!(read(&place, "theirs") == content());
    // A plugin that has no key for it is no reason not to ask the next.
    seal(
        &place,
        &["encrypt", "file", "--to", &other, "--out", "x.age"],
    );
    let both = ["decrypt", "--key", "works", "--key", "age.key", "x.age"];
    seal_with_plugin(&place, &both).well();
}

#[test]
fn plugins_that_fail_say_why_and_leave_nothing() {
    let place = equipped();
    let encrypt = |to| ["encrypt", "file", "--to", to];
    for (ran, code, said) in [
        (
            sealed(&place, &encrypt(WORKS.0)),
            4,
            "no program \"age-plugin-scripted\"",
        ),
        (
            seal_with_plugin(&place, &encrypt(REFUSES.0)),
            4,
            "not there",
        ),
        (
            seal_with_plugin(&place, &encrypt(DIES.0)),
            4,
            "a plugin ended amid its work",
        ),
    ] {
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
        assert!(!ran.stderr.contains('\x1b'), "{ran:?}");
        assert!(!place.path("file.age").exists());
    }
    seal_with_plugin(&place, &encrypt(WORKS.0)).well();
    for (key, code, said) in [("refuses", 1, "not there"), ("asks", 1, "nobody knows")] {
        let decrypt = ["decrypt", "file.age", "--key", key, "--out", "x"];
        let ran = seal_with_plugin(&place, &decrypt);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
        assert!(!place.path("x").exists());
    }
}

#[test]
fn what_a_plugin_asks_for_is_typed_on_the_terminal() {
    let place = equipped();
    seal_with_plugin(&place, &["encrypt", "file", "--to", WORKS.0]).well();
    let (python, script) = python("typed_passphrase.py");
    let decrypt = [
        script.to_str().unwrap(),
        "correct horse",
        env!("CARGO_BIN_EXE_ravelin"),
        "seal",
        "decrypt",
        "file.age",
        "--key",
        "asks",
        "--out",
        "x",
    ];
    with_plugin(&place, python.to_str().unwrap(), &decrypt).well();
    assert!(read(&place, "x") == content());
}

#[test]
fn identities_under_a_passphrase_open_files_here_and_in_age() {
    let place = place();
    let recipient = key(&place);
    seal(&place, &["encrypt", "file", "--to", &recipient]);
    let age = |arguments: &[&str]| {
        let all = [&["correct horse", "age"][..], arguments].concat();
        run_python(&place, "typed_passphrase.py", &all).well();
    };
    age(&["-p", "-a", "-o", "theirs.key", "age.key"]);
    let opened = |key, passphrase| {
        let decrypt = ["decrypt", "file.age", "--key", key, "--out", "x", "--force"];
        sealed(
            &place,
            &[&decrypt[..], &["--passphrase-file", passphrase]].concat(),
        )
    };
    opened("theirs.key", "secret").well();
    assert!(read(&place, "x") == content());

    let lock = ["encrypt", "age.key", "--out", "ours.key"];
    let new = ["--new-passphrase-file", "secret", "--work-factor", "10"];
    seal(&place, &[&lock[..], &new].concat());
    age(&["-d", "-i", "ours.key", "-o", "opened", "file.age"]);
    assert!(read(&place, "opened") == content());
    let refused = opened("ours.key", "wrong");
    assert_eq!(refused.code, 1);
    let why = "\"ours.key\": the passphrase is wrong";
    assert!(refused.stderr.contains(why), "{refused:?}");
    // One that is for keys itself would need a key for the key.
    seal(
        &place,
        &["encrypt", "age.key", "--to", &recipient, "--out", "k.age"],
    );
    let refused = sealed(
        &place,
        &["decrypt", "file.age", "--key", "k.age", "--out", "y"],
    );
    assert_eq!(refused.code, 2, "{refused:?}");
}
