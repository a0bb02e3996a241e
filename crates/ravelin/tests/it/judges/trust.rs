//! `ravelin ca trust`, `status` and `untrust` as they are read: a line for each store, and an exit
//! code that tells a store that failed from one that has to be left alone.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::chromium::changing;
use crate::server::Place;

/// A JVM in the user's home folder, whose `keytool` keeps one certificate in a file beside itself.
fn jvm(place: &Place) {
    let jvm = "user/.jdks/openjdk-25";
    place.write(&format!("{jvm}/lib/security/cacerts"), "");
    let keytool = place.write(
        &format!("{jvm}/bin/keytool"),
        r#"#!/bin/sh
cd "$(dirname "$0")"
case "$1" in
    -list) [ ! -e root ] || { echo 'Alias name: it'; cat root; } ;;
    -importcert) [ ! -e broken ] || { echo 'keytool error: java.io.IOException: oh'; exit 1; }
        cat > root ;;
    -delete) rm root ;;
esac
"#,
    );
    std::fs::set_permissions(keytool, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn each_store_has_its_line_and_what_is_left_alone_is_no_failure() {
    let place = Place::new();
    jvm(&place);
    place.write("user/.mozilla/firefox/old/cert8.db", "");
    let java = "Java's trust store \"";
    let left_alone = "left alone   Firefox's trust store \"";

    let (code, said) = changing(&place, "trust");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("added        to {java}")), "{said}");
    assert!(said.contains(left_alone), "{said}");
    assert!(
        said.contains("hint: if it is still in use, start Firefox"),
        "{said}"
    );
    assert!(
        said.contains("A browser or Java program that is running"),
        "{said}"
    );

    let (code, said) = changing(&place, "status");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("trusted      by {java}")), "{said}");
    assert!(said.contains(left_alone), "{said}");

    let (code, said) = changing(&place, "untrust");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("removed      from {java}")),
        "{said}"
    );

    let (code, said) = changing(&place, "status");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("not trusted  by {java}")), "{said}");
}

#[test]
fn a_keystore_that_fails_does_not_keep_the_root_from_other_stores() {
    let place = Place::new();
    jvm(&place);
    place.write("user/.jdks/openjdk-25/bin/broken", "");
    let (code, said) = changing(&place, "trust");
    assert_eq!(code, 4, "{said}");
    assert!(
        said.contains("failed       Java's trust store \"")
            && said.contains(": \"keytool\" failed: java.io.IOException: oh\n"),
        "{said}"
    );
    assert!(
        said.contains("added        to the system's trust store"),
        "{said}"
    );
}
