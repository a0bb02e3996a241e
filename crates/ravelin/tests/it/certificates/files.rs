//! The files of a certificate: together or not at all, whatever happens meanwhile.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{inventory, leaves, make};
use crate::foreign::{run, run_python};
use crate::server::Place;

/// What is in a folder, hidden files too.
fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_cannot_be_written_is_not_issued_either() {
    let place = Place::new();
    make(&place, &["a.test"]);
    let before = fs::read(place.path("a.test.pem")).unwrap();
    // The name is taken, by the key or by the certificate.
    let again = place.run(&["cert", "new", "a.test"]);
    again.expect(4, &["error: \"a.test.key\" is there already", "--force"]);
    fs::remove_file(place.path("a.test.key")).unwrap();
    let again = place.run(&["cert", "new", "a.test"]);
    again.expect(4, &["error: \"a.test.pem\" is there already"]);
    assert!(!place.path("a.test.key").exists());
    assert_eq!(fs::read(place.path("a.test.pem")).unwrap(), before);
    let nowhere = place.run(&["cert", "new", "--out", "no where", "b.test"]);
    nowhere.expect(4, &["hint: make the folder first: mkdir -p 'no where'"]);
    assert_eq!(leaves(&place), 1);
    // Who insists gets it.
    make(&place, &["--force", "a.test"]);
    assert_ne!(fs::read(place.path("a.test.pem")).unwrap(), before);
}

/// Runs `ravelin cert new` in a shell that may mount what only it sees.
fn in_shell(place: &Place, script: &str) -> (i32, String) {
    let ran = run(
        place,
        "unshare",
        &[
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            env!("CARGO_BIN_EXE_ravelin"),
        ],
    );
    let said = ran.text() + &ran.stderr;
    (ran.code, said)
}

#[test]
fn a_disk_that_is_full_is_left_without_half_a_pair() {
    let place = Place::new();
    make(&place, &["a.test"]);
    place.write("out/x", "");
    // Room for the key and no more: a page each.
    for pages in 1..=3 {
        let script = format!(
            "mount -t tmpfs -o size={}k none out && head -c {} /dev/zero > out/full
            \"$0\" cert new --out out b.test; code=$?
            ls -A out; exit $code",
            pages * 4,
            (pages - 1) * 4096
        );
        let (code, said) = in_shell(&place, &script);
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("No space left on device"), "{said}");
        assert!(said.contains("hint: free some space"), "{said}");
        assert_eq!(
            said.lines().filter(|line| *line == "full").count(),
            1,
            "{said}"
        );
        assert!(
            !said.contains("\nb.test") && !said.contains(".new"),
            "{said}"
        );
    }
}

#[test]
fn a_folder_that_is_read_only_says_so() {
    let place = Place::new();
    place.write("out/x", "");
    let script = "mount --bind out out && mount -o remount,ro,bind out
        \"$0\" cert new --out out b.test";
    let (code, said) = in_shell(&place, script);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
    assert_eq!(listed(&place.path("out")), ["x"]);
}

#[test]
fn what_a_killed_process_left_is_not_in_the_way_of_the_next() {
    let place = Place::new();
    // In a container, the number of the process is the same each time.
    for name in ["a.test.key", "a.test.pem"] {
        for id in 1..40 {
            place.write(&format!(".{name}.{id}.new"), "left");
            place.write(&format!(".{name}.{id}.old"), "left");
        }
    }
    let script = "exec unshare --map-root-user --pid --fork \"$0\" cert new --force a.test";
    for _ in 0..2 {
        let (code, said) = in_shell(&place, script);
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn two_processes_at_once_for_one_name_leave_a_pair_that_fits() {
    let place = Place::new();
    make(&place, &["first.test"]);
    for round in 0..6 {
        let force: &[&str] = if round < 2 { &[] } else { &["--force"] };
        let start = || {
            let mut command = place.command(&["cert", "new", "one.test"]);
            command
                .args(force)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let mut several = [start(), start(), start()];
        let good = several
            .each_mut()
            .map(|child| child.wait().unwrap().success());
        let good = good.iter().filter(|good| **good).count();
        match force {
            [] => assert_eq!(good, usize::from(round == 0)),
            _ => assert_eq!(good, 3),
        }
        let names: Vec<_> = listed(&place.path(""))
            .into_iter()
            .filter(|n| n.contains("one.test"))
            .collect();
        assert_eq!(names, ["one.test.key", "one.test.pem"]);
        run_python(
            &place,
            "certificates.py",
            &["pairs", super::ROOT, "one.test"],
        )
        .well();
    }
    let serials: std::collections::BTreeSet<_> = inventory(&place)
        .iter()
        .map(|record| record["serial"].to_string())
        .collect();
    assert_eq!(serials.len(), inventory(&place).len());
    place.run(&["ca", "audit"]).expect(0, &[]);
}

#[test]
fn passphrases_and_keys_are_never_said() {
    let place = Place::new();
    place.write("secret", "correct horse\n");
    let new = ["cert", "new", "--new-passphrase-file", "secret", "a.test"];
    let made = place.run(&new);
    made.expect(0, &["encrypted"]);
    let key = fs::read_to_string(place.path("a.test.key")).unwrap();
    assert!(
        key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        "{key}"
    );
    let said = made.stdout + &made.stderr;
    assert!(
        !said.contains("correct horse") && !said.contains("PRIVATE KEY"),
        "{said}"
    );
    let mut opened = Command::new("openssl");
    opened.args([
        "pkey",
        "-in",
        "a.test.key",
        "-passin",
        "pass:correct horse",
        "-noout",
    ]);
    place.furnish(&mut opened);
    assert!(opened.status().unwrap().success());
}
