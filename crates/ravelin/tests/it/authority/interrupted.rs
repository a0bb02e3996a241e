//! Commands that are killed at each single call by which they change the disk, under strace: what is
//! left is the old or the new, or becomes one of them with the next command.

use std::fs;

use crate::certificates::make;
use crate::foreign::run;
use crate::server::Place;

/// The calls that change what is on the disk, but for those that write into a file: whatever is in it
/// then has no name yet, or is SQLite's. Each kind of machine has its own of those that do the same.
const CALLS: [&str; 7] = [
    "?rename,?renameat,?renameat2",
    "?link,?linkat",
    "?unlink",
    "?unlinkat",
    "?mkdir,?mkdirat",
    "write",
    SYNC,
];

const SYNC: &str = "fsync";

/// Runs a command that is killed (SIGKILL) when it is about to make a call for the `number`th time.
/// Whether it had not ended before.
fn is_killed_at(place: &Place, (call, number): (&str, usize), arguments: &[&str]) -> bool {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let ravelin = [env!("CARGO_BIN_EXE_ravelin")];
    let ran = run(
        place,
        "strace",
        &[&strace[..], &ravelin[..], arguments].concat(),
    );
    // Those that wait for it end by the same signal.
    assert!(matches!(ran.code, 0 | -1 | 137), "{ran:?}");
    ran.code != 0
}

/// Does `round` with every `step`th number of each call, until the command is not killed any more.
fn at_each_of(
    calls: &[&'static str],
    step: usize,
    mut round: impl FnMut((&'static str, usize)) -> bool,
) {
    let mut all = 0;
    for &call in calls {
        let mut number = 1;
        while round((call, number)) {
            number += step;
            all += 1;
            assert!(number < 200, "it never came to its end");
        }
    }
    assert!(all > 5, "only {all} calls were seen");
}

/// Whether the key of a name belongs to its certificate.
fn fits(place: &Place, stem: &str) -> bool {
    let (key, certificate) = (format!("{stem}.key"), format!("{stem}.pem"));
    let of_key = run(place, "openssl", &["pkey", "-pubout", "-in", &key]).well();
    let of_certificate = ["x509", "-noout", "-pubkey", "-in", &certificate];
    of_key.stdout == run(place, "openssl", &of_certificate).well().stdout
}

/// What is in a folder whose names begin with a dot.
fn hidden(place: &Place, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(place.path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

#[test]
fn a_replaced_pair_that_was_killed_anywhere_fits_after_the_next_command() {
    let place = Place::in_memory();
    place.write("out/x", "");
    make(&place, &["--out", "out", "a.test"]);
    let force = ["cert", "new", "--force", "--out", "out", "a.test"];
    let mut mixed = 0;
    at_each_of(&CALLS, 1, |at| {
        let killed = is_killed_at(&place, at, &force);
        mixed += usize::from(!fits(&place, "out/a.test"));
        // Of another name, and in vain: it is there already.
        let next = place.run(&["cert", "new", "--out", "out", "a.test"]);
        next.expect(4, &["is there already"]);
        assert!(fits(&place, "out/a.test"), "killed at {at:?}");
        killed
    });
    // Else it was never killed where it matters.
    assert!(mixed > 0);
    assert!(
        hidden(&place, "out").is_empty(),
        "{:?}",
        hidden(&place, "out")
    );
    place.run(&["ca", "audit"]).expect(0, &[]);
}

#[test]
fn a_new_pair_that_was_killed_anywhere_is_whole_or_not_there_after_the_next_command() {
    let place = Place::in_memory();
    place.write("out/x", "");
    make(&place, &["first.test"]);
    let new = ["cert", "request", "--out", "out", "a.test"];
    let mut halves = 0;
    at_each_of(&CALLS, 1, |at| {
        let killed = is_killed_at(&place, at, &new);
        let there = || ["key", "csr"].map(|end| place.path(&format!("out/a.test.{end}")).exists());
        halves += usize::from(there()[0] != there()[1]);
        make(&place, &["--force", "--out", "out", "other.test"]);
        assert_eq!(there()[0], there()[1], "killed at {at:?}");
        for end in ["key", "csr"] {
            let _ = fs::remove_file(place.path(&format!("out/a.test.{end}")));
        }
        killed
    });
    assert!(halves > 0);
    place.run(&new).expect(0, &[]);
    assert!(
        hidden(&place, "out").is_empty(),
        "{:?}",
        hidden(&place, "out")
    );
}

/// A CA that was given out into `ca.out`, and how it is taken in at `other`.
fn exported() -> Place {
    let place = Place::in_memory();
    place.write("secret", "correct horse\n");
    make(&place, &["a.test"]);
    let export = ["ca", "export", "--new-passphrase-file", "secret", "ca.out"];
    place.run(&export).expect(0, &[]);
    place
}

const IMPORT: [&str; 7] = [
    "ca",
    "import",
    "--home",
    "other",
    "--passphrase-file",
    "secret",
    "ca.out",
];

/// That the CA is whole at `other`, and nothing but it is there.
fn assert_imported(place: &Place) {
    let other = |arguments: &[&str]| place.run(&[arguments, &["--home", "other"]].concat());
    let audit = other(&["ca", "audit"]);
    audit.expect(0, &[]);
    let (counted, said) = ("6 entries, 2 certificates", &audit.stdout);
    assert!(said.contains(counted), "{said}");
    for file in ["root.pem", "root.key", "intermediate.pem"] {
        let read = |home: &str| fs::read(place.path(&format!("{home}/ca/{file}"))).unwrap();
        assert_eq!(read("other"), read("home"));
    }
    let journal = fs::read_to_string(place.path("other/ca/journal.jsonl")).unwrap();
    assert!(
        journal.lines().last().unwrap().contains("imported"),
        "{journal}"
    );
    let left: Vec<_> = hidden(place, "other")
        .into_iter()
        .filter(|name| !matches!(name.as_str(), ".lock" | ".leases"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_import_that_was_killed_anywhere_is_whole_or_can_be_done_again() {
    // It takes 64 MiB and a while to make the key of a passphrase: two at once, and of what is only
    // synced, one in three.
    let (syncs, others): (Vec<_>, Vec<_>) = CALLS.iter().partition(|call| **call == SYNC);
    let counts = std::thread::scope(|scope| {
        let threads = [(syncs, 3), (others, 1)];
        let threads =
            threads.map(|(calls, step)| scope.spawn(move || import_killed_at(&calls, step)));
        threads.map(|thread| thread.join().unwrap())
    });
    let (again, done) = (counts[0].0 + counts[1].0, counts[0].1 + counts[1].1);
    assert!(again > 10 && done > 1, "{again} {done}");
}

/// How often the import had to be done again, and how often it had been done.
fn import_killed_at(calls: &[&'static str], step: usize) -> (u32, u32) {
    let place = exported();
    let (mut again, mut done) = (0, 0);
    at_each_of(calls, step, |at| {
        let killed = is_killed_at(&place, at, &IMPORT);
        if place.path("other/ca").exists() {
            // It is all there, though nobody was told. What is left beside it is swept by the next
            // that makes or imports a CA.
            done += 1;
            let _ = fs::remove_dir_all(place.path("other/.staged"));
            assert_imported(&place);
        } else {
            again += 1;
            // One in three is done again: what is left of all is below one folder.
            for left in fs::read_dir(place.path("other")).into_iter().flatten() {
                let name = left.unwrap().file_name();
                assert!(
                    [".staged", ".lock", ".leases"]
                        .iter()
                        .any(|known| name == **known)
                );
            }
            if at.1 % 3 == 1 {
                place.run(&IMPORT).expect(0, &["imported "]);
                assert_imported(&place);
            }
        }
        let _ = fs::remove_dir_all(place.path("other"));
        killed
    });
    (again, done)
}

#[test]
fn what_a_killed_import_left_is_swept_by_whoever_makes_a_ca_there() {
    let place = exported();
    let mut number = 1;
    while !place.path("other/.staged/ca/root.key").exists() {
        let _ = fs::remove_dir_all(place.path("other"));
        assert!(is_killed_at(&place, (CALLS[0], number), &IMPORT));
        number += 1;
    }
    make(&place, &["--home", "other", "b.test"]);
    assert!(!place.path("other/.staged").exists());
}

#[test]
fn an_import_onto_a_disk_that_is_full_takes_nothing_in_and_succeeds_when_there_is_room() {
    let place = exported();
    let mut full = 0;
    let sizes = (4..200).step_by(24).chain((200..=2048).step_by(128));
    for kibibytes in sizes {
        let script = format!(
            "mkdir -p other && mount -t tmpfs -o size={kibibytes}k none other || exit 99
            \"$0\" ca import --home other --passphrase-file secret ca.out; code=$?
            [ $code = 0 ] && exit 0
            [ -e other/ca ] && echo is half there
            [ -e other/.staged ] && echo is not swept
            mount -o remount,size=8m none other || exit 99
            \"$0\" ca import --home other --passphrase-file secret ca.out || exit 98
            \"$0\" ca audit --home other || exit 97
            exit $code"
        );
        let ravelin = env!("CARGO_BIN_EXE_ravelin");
        let shell = ["--map-root-user", "--mount", "sh", "-c", &script, ravelin];
        let ran = run(&place, "unshare", &shell);
        let said = ran.text() + &ran.stderr;
        assert!(
            !said.contains("half there") && !said.contains("not swept"),
            "{said}"
        );
        match ran.code {
            0 => {
                assert!(full > 3, "{full} were too small");
                return;
            }
            4 => {
                full += 1;
                // SQLite says of memory that it shares, "I/O error" alone.
                let told = ["No space", "is full", "I/O error"];
                assert!(told.iter().any(|told| said.contains(told)), "{said}");
                assert!(said.contains("hint: free some space"), "{said}");
            }
            other => panic!("{other}: {said}"),
        }
    }
    panic!("2 MiB were not enough");
}

#[test]
fn remains_of_a_ca_are_told_with_what_to_do_about_them() {
    let place = exported();
    place.write("other/ca/root.key", "somebody may need it");
    place.run(&IMPORT).expect(
        2,
        &[
            "error: there are remains of a CA: \"other/ca/root.key\"",
            "hint: name another folder with --home DIR; or, where nobody needs them: rm -r other/ca",
        ],
    );
    // What can be made anew is not in the way.
    fs::remove_dir_all(place.path("other/ca")).unwrap();
    place.write("other/ca/inventory.db", "");
    place.write("other/ca/.root.key.new", "half of one");
    place.write("other/ca/.journal.jsonl.lock", "");
    place.run(&IMPORT).expect(0, &["imported "]);
    // What people put there is.
    fs::remove_dir_all(place.path("other")).unwrap();
    place.write("other/ca/README", "mine");
    place
        .run(&IMPORT)
        .expect(2, &["there are remains of a CA: \"other/ca/README\""]);
    assert_eq!(fs::read(place.path("other/ca/README")).unwrap(), b"mine");
}

#[test]
fn an_inventory_whose_making_was_killed_anywhere_is_no_alarm_for_an_audit() {
    let place = Place::in_memory();
    make(&place, &["a.test"]);
    let inventory = |end: &str| place.path(&format!("home/ca/inventory.db{end}"));
    let calls = ["openat", "pwrite64", "ftruncate", "fdatasync", "?unlink"];
    // One that is missing, and one that is damaged and thrown away.
    for damaged in [false, true] {
        at_each_of(&calls, 1, |at| {
            for end in ["-wal", "-shm"] {
                let _ = fs::remove_file(inventory(end));
            }
            if damaged {
                fs::write(inventory(""), "no database".repeat(1000)).unwrap();
            } else {
                let _ = fs::remove_file(inventory(""));
            }
            let killed = is_killed_at(&place, at, &["ca", "list"]);
            let audit = place.run(&["ca", "audit"]);
            // Before it was thrown away, it was damaged indeed.
            let begins = fs::read(inventory("")).unwrap_or_default();
            if !begins.starts_with(b"no database") {
                assert_eq!(audit.status.code(), Some(0), "killed at {at:?}: {audit:?}");
            }
            killed
        });
        place.run(&["ca", "list"]).expect(0, &[]);
        place.run(&["ca", "audit"]).expect(0, &[]);
    }
}
