//! Age files, with `age` (Debian) as judge.

use super::{content, files, mode, place, read, seal, seal_of, sealed};
use crate::foreign::{run, run_python};
use crate::server::Place;

/// A key made by age-keygen: its recipient, with the identity in `age.key`.
pub(super) fn key(place: &Place) -> String {
    run(place, "age-keygen", &["-o", "age.key"]).well();
    let public = run(place, "age-keygen", &["-y", "age.key"]).well();
    public.text().trim().to_owned()
}

#[test]
fn age_opens_what_is_encrypted_for_its_keys() {
    let place = place();
    let recipient = key(&place);
    place.write("recipients", format!("# both\n{recipient}\n"));
    for (to, armor) in [(recipient.as_str(), false), ("recipients", true)] {
        let armor: &[&str] = if armor { &["--armor"] } else { &[] };
        let arguments = [&["encrypt", "file", "--force", "--to", to][..], armor].concat();
        seal(&place, &arguments);
        let opened = run(&place, "age", &["-d", "-i", "age.key", "file.age"]).well();
        assert!(opened.stdout == content());
    }
}

#[test]
fn what_age_encrypts_is_opened() {
    let place = place();
    let recipient = key(&place);
    for armor in [&[][..], &["-a"]] {
        let arguments = [&["-r", &recipient, "-o", "copy.age"][..], armor, &["file"]].concat();
        run(&place, "age", &arguments).well();
        seal(
            &place,
            &["decrypt", "copy.age", "--key", "age.key", "--force"],
        );
        assert!(read(&place, "copy") == content());
        assert_eq!(mode(&place, "copy"), 0o600);
        let piped = seal_of(&place, "copy.age", &["decrypt", "--key", "age.key"]).well();
        assert!(piped.stdout == content());
    }
}

#[test]
fn a_key_that_is_made_here_is_one_of_age() {
    let place = place();
    let made = seal(&place, &["random", "--as", "age", "--out", "age.key"]);
    assert_eq!(mode(&place, "age.key"), 0o600);
    let recipient = run(&place, "age-keygen", &["-y", "age.key"]).well().text();
    assert!(
        made.stderr.contains(&format!("recipient    {recipient}")),
        "{made:?}"
    );
    assert!(!made.stderr.contains("SECRET"));
    run(
        &place,
        "age",
        &["-r", recipient.trim(), "-o", "x.age", "file"],
    )
    .well();
    seal(&place, &["decrypt", "--key", "age.key", "x.age"]);
}

#[test]
fn passphrases_are_those_of_age() {
    let place = place();
    // age asks on a terminal and nowhere else: the script gives it one.
    let age = |arguments: &[&str]| {
        let all = [&["correct horse", "age"][..], arguments].concat();
        run_python(&place, "typed_passphrase.py", &all).well();
    };
    let new = ["--new-passphrase-file", "secret", "--work-factor", "12"];
    seal(&place, &[&["encrypt", "file"][..], &new].concat());
    age(&["-d", "-o", "opened", "file.age"]);
    assert!(read(&place, "opened") == content());
    age(&["-p", "-o", "theirs.age", "secret"]);
    seal(
        &place,
        &["decrypt", "theirs.age", "--passphrase-file", "secret"],
    );
    assert_eq!(read(&place, "theirs"), read(&place, "secret"));
}

#[test]
fn a_wrong_passphrase_and_another_key_are_answers() {
    let place = place();
    let recipient = key(&place);
    seal(&place, &["random", "--as", "age", "--out", "other.key"]);
    seal(&place, &["encrypt", "file", "--to", &recipient]);
    let new = ["--new-passphrase-file", "secret", "--work-factor", "10"];
    seal(
        &place,
        &[&["encrypt", "secret", "--out", "s.age"][..], &new].concat(),
    );
    let before = files(&place);
    for (arguments, said) in [
        (
            &["file.age", "--key", "other.key", "--out", "x"][..],
            "encrypted for other keys",
        ),
        (
            &["s.age", "--passphrase-file", "wrong"],
            "the passphrase is wrong",
        ),
    ] {
        let refused = sealed(&place, &[&["decrypt"][..], arguments].concat());
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    let asked = sealed(&place, &["decrypt", "file.age", "--out", "x"]);
    assert!(
        asked.code == 2 && asked.stderr.contains("--key FILE"),
        "{asked:?}"
    );
    assert_eq!(files(&place), before);
}
