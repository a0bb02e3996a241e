//! Full disks, files that are there already, and names that mean harm.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{files, place, read, seal, sealed};
use crate::foreign::run;

const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

#[test]
fn a_full_disk_ends_with_an_error_and_leaves_nothing_that_looks_whole() {
    let place = place();
    let before = files(&place);
    let encrypt = ["encrypt", "file", "--to", RECIPIENT];
    for (command, said) in [
        ("seal encrypt file --to $0", "cannot write \"file.age\""),
        (
            "seal encrypt file --out x --new-passphrase-file secret --work-factor 10",
            "cannot write \"x\"",
        ),
        ("seal random 100000", "cannot write \"standard output\""),
    ] {
        // No file may grow beyond 50 KiB, as on a disk that is full by then.
        let script = format!("trap '' XFSZ; ulimit -S -f 50; exec \"$1\" {command} > capped");
        let ran = run(
            &place,
            "bash",
            &["-c", &script, RECIPIENT, env!("CARGO_BIN_EXE_ravelin")],
        );
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(
            ran.stderr.contains(said) && !ran.stderr.contains("os error"),
            "{ran:?}"
        );
        std::fs::remove_file(place.path("capped")).unwrap();
    }
    let full = sealed(&place, &[&encrypt[..], &["--out", "/dev/full"]].concat());
    assert_eq!(full.code, 4, "{full:?}");
    assert_eq!(files(&place), before);
    // The device is still one.
    seal(
        &place,
        &[&encrypt[..], &["--out", "/dev/null", "--force"]].concat(),
    );
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn what_is_there_is_replaced_only_when_that_was_asked_for() {
    let place = place();
    place.write("file.age", "precious");
    let encrypt = ["encrypt", "file", "--to", RECIPIENT];
    let refused = sealed(&place, &encrypt);
    assert_eq!(refused.code, 4);
    assert!(
        refused.stderr.contains("hint: ") && refused.stderr.contains("--force"),
        "{refused:?}"
    );
    assert_eq!(read(&place, "file.age"), b"precious");
    seal(&place, &[&encrypt[..], &["--force"]].concat());
    assert!(read(&place, "file.age").starts_with(b"age-encryption.org/v1\n"));
}

#[test]
fn who_is_killed_leaves_nothing_behind() {
    let place = place();
    let before = files(&place);
    let mut command = place.command(&["seal", "encrypt", "--out", "x", "--to", RECIPIENT]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // More than is taken before anything is written.
    let mut input = child.stdin.take().unwrap();
    input.write_all(&vec![1; 4 << 20]).unwrap();
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(files(&place), before);
}

#[test]
fn names_of_files_do_nothing_to_a_terminal() {
    let place = place();
    let name = "\x1b]0;owned\x07\u{202e}txt";
    for arguments in [
        &["hash", name][..],
        &["encrypt", name, "--to", RECIPIENT],
        &["decrypt", name],
        &["verify", name],
        &["encrypt", "file", "--to", name],
    ] {
        let ran = sealed(&place, arguments);
        assert!(
            ran.code != 0 && ran.stderr.starts_with("error: "),
            "{ran:?}"
        );
        assert!(
            !ran.stderr.contains(['\x1b', '\x07', '\u{202e}']),
            "{ran:?}"
        );
    }
    place.write(name, "x");
    let done = seal(&place, &["encrypt", name, "--to", RECIPIENT]);
    assert!(
        !done.stderr.contains(['\x1b', '\x07', '\u{202e}']),
        "{done:?}"
    );
}

#[test]
fn a_reader_who_goes_away_is_no_error_that_hangs() {
    let place = place();
    let mut command = Command::new("bash");
    place.furnish(&mut command);
    let script = "\"$0\" seal random 50000000 --as raw | head -c 10 | wc -c";
    let output = command
        .args(["-c", script, env!("CARGO_BIN_EXE_ravelin")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "10");
}
