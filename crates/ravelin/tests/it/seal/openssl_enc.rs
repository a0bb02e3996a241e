//! What `openssl enc` made, opened.

use super::{content, files, place, read, seal, sealed};
use crate::foreign::run;

#[test]
fn files_of_openssl_enc_are_opened_with_the_options_they_were_made_with() {
    let place = place();
    for (cipher, made, opened) in [
        ("-aes-256-cbc", &[][..], &[][..]),
        ("-aes-256-cbc", &["-a"], &[]),
        (
            "-aes-128-cbc",
            &["-iter", "500"],
            &["--cipher", "aes-128-cbc", "--iter", "500"],
        ),
        (
            "-aes-192-cbc",
            &["-md", "sha512"],
            &["--cipher", "aes-192-cbc", "--md", "sha512"],
        ),
    ] {
        let arguments = [
            &[
                "enc",
                cipher,
                "-pbkdf2",
                "-pass",
                "file:secret",
                "-in",
                "file",
                "-out",
                "f.enc",
            ][..],
            made,
        ];
        run(&place, "openssl", &arguments.concat()).well();
        let decrypt = [
            "decrypt",
            "--openssl-enc",
            "f.enc",
            "--passphrase-file",
            "secret",
            "--force",
        ];
        seal(&place, &[&decrypt[..], opened].concat());
        assert!(read(&place, "f") == content(), "{cipher}");
    }
}

#[test]
fn a_wrong_passphrase_is_said_and_leaves_nothing() {
    let place = place();
    // Made by openssl enc, so that the wrong passphrase is not by chance one of the few that nothing tells from it.
    place.write("f.enc", "U2FsdGVkX19e6hXPhSKfbnsoJnFnk+WThacxwLMlZMk=\n");
    let before = files(&place);
    let decrypt = ["decrypt", "f.enc", "--passphrase-file", "wrong"];
    let refused = sealed(&place, &[&decrypt[..], &["--openssl-enc"]].concat());
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("the passphrase is wrong"),
        "{refused:?}"
    );
    // Without being asked for it is not opened at all.
    let refused = sealed(&place, &decrypt);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--openssl-enc"), "{refused:?}");
    assert_eq!(files(&place), before);
}
