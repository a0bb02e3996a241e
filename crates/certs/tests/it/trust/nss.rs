//! Databases of NSS wherever programs keep them, judged by NSS's own `certutil`.

use std::fs;

use ravelin_certs::trust::{self, Outcome, TrustStore};

use super::Machine;

#[test]
fn a_database_is_found_wherever_a_program_keeps_it() {
    let machine = Machine::new();
    let databases = [
        ("home/.pki/nssdb", "Chromium"),
        ("home/.local/share/pki/nssdb", "Chromium"),
        ("home/.mozilla/firefox/a.default", "Firefox"),
        ("home/.thunderbird/b.default", "Thunderbird"),
        ("home/.config/mozilla/firefox/c.default", "Firefox"),
        ("home/snap/brave/current/.pki/nssdb", "Brave"),
        ("home/snap/chromium/current/.pki/nssdb", "Chromium"),
        (
            "home/snap/firefox/common/.mozilla/firefox/d.default",
            "Firefox",
        ),
        (
            "home/snap/thunderbird/common/.thunderbird/e.default",
            "Thunderbird",
        ),
        ("home/.var/app/com.google.Chrome/.pki/nssdb", "Chrome"),
        (
            "home/.var/app/org.chromium.Chromium/data/pki/nssdb",
            "Chromium",
        ),
        (
            "home/.var/app/org.example.Other/.pki/nssdb",
            "org.example.Other",
        ),
        (
            "home/.var/app/org.mozilla.firefox/.mozilla/firefox/f.default",
            "Firefox",
        ),
        (
            "home/.var/app/org.mozilla.firefox/config/mozilla/firefox/g.default",
            "Firefox",
        ),
    ];
    for (database, _) in databases {
        machine.nss_database(database);
    }
    // A snap's "current" is a link to its newest revision: one database still.
    fs::rename(
        machine.path("home/snap/chromium/current"),
        machine.path("home/snap/chromium/42"),
    )
    .unwrap();
    std::os::unix::fs::symlink("42", machine.path("home/snap/chromium/current")).unwrap();

    let changes = trust::install(machine.root(), &machine.environment);
    let found: Vec<(String, &str)> = changes
        .iter()
        .filter_map(|change| match &change.store {
            TrustStore::Nss { database, browser } => {
                assert_eq!(change.outcome, Outcome::Added, "{database:?}");
                let below = database.strip_prefix(machine.path("")).unwrap();
                Some((below.to_str().unwrap().to_owned(), browser.as_str()))
            }
            _ => None,
        })
        .collect();
    let mut expected = databases.map(|(database, browser)| (database.to_owned(), browser));
    let mut found_sorted = found.clone();
    expected.sort();
    found_sorted.sort();
    assert_eq!(found_sorted, expected);
    for (database, _) in databases {
        let list = machine.certutil_lists(database);
        assert!(list.contains("C,,"), "{database}: {list}");
    }
}

#[test]
fn a_database_of_the_old_format_is_told_and_left_as_it_is() {
    let machine = Machine::new();
    let old = machine.path("home/.mozilla/firefox/old.default");
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join("cert8.db"), "\0\u{6}\u{15}a").unwrap();
    for act in [trust::install, trust::status, trust::remove] {
        let changes = act(machine.root(), &machine.environment);
        let change = changes
            .iter()
            .find(|change| change.store.to_string().contains("old.default"))
            .unwrap();
        assert!(
            matches!(&change.outcome, Outcome::LeftAlone { why, hint: Some(hint) }
                if why.contains("cert8.db") && hint.contains("start Firefox")),
            "{change:?}"
        );
        assert_eq!(fs::read_dir(&old).unwrap().count(), 1);
    }
    // Converted, as Firefox does it, it is one like any other.
    machine.nss_database("home/.mozilla/firefox/old.default");
    let changes = trust::install(machine.root(), &machine.environment);
    assert!(
        changes
            .iter()
            .any(|change| change.store.to_string().contains("old.default")
                && change.outcome == Outcome::Added),
        "{changes:?}"
    );
}

#[test]
fn what_is_left_of_an_old_shared_database_keeps_chromium_from_nothing() {
    let machine = Machine::new();
    fs::create_dir_all(machine.path("home/.pki/nssdb")).unwrap();
    fs::write(machine.path("home/.pki/nssdb/cert8.db"), "old").unwrap();
    assert_eq!(machine.outcomes(trust::install)[1], Outcome::Added);
    assert!(machine.certutil_lists("home/.pki/nssdb").contains("C,,"));
}
