//! The local CA, from an empty folder to renewed leaves, damaged files and a root key taken away.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use ravelin_certs::{FileStore, LocalAuthority, LocalError, LocalRoot, Store, StoreError};
use ravelin_pki::{Certificate, HostName, Leaf, pem};
use tempfile::TempDir;

use crate::judges::openssl_verify;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, now: SystemTime) -> Result<LocalAuthority, LocalError> {
        self.open_with(&[], now)
    }

    fn open_with(&self, extra: &[&str], now: SystemTime) -> Result<LocalAuthority, LocalError> {
        LocalAuthority::open(&FileStore::open(self.path()).unwrap(), &names(extra), now)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path().join(file), text).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }

    fn leaves(&self) -> Vec<String> {
        let store = FileStore::open(self.path()).unwrap();
        let names = store.list("leaves/").unwrap();
        names.iter().map(ToString::to_string).collect()
    }
}

fn names(texts: &[&str]) -> Vec<HostName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn localhost() -> Vec<HostName> {
    names(&["localhost", "127.0.0.1", "::1"])
}

pub(crate) fn verify(
    authority: &LocalAuthority,
    leaf: &Leaf,
    arguments: &[&str],
) -> Result<(), String> {
    openssl_verify(
        &authority.root_pem(),
        &pem::encode("CERTIFICATE", &leaf.chain[1]),
        &pem::encode("CERTIFICATE", &leaf.chain[0]),
        arguments,
    )
}

/// As openssl's `-attime` wants it.
fn seconds(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs().to_string()
}

#[test]
fn the_first_use_makes_a_chain_that_openssl_verifies() {
    let home = Home::new();
    let now = SystemTime::now();
    let authority = home.open(now).unwrap();
    assert!(authority.created());
    let all = names(&["localhost", "*.app.localhost", "127.0.0.1", "::1"]);
    let leaf = authority.leaf(&all, now).unwrap();
    for host in [
        ["-verify_hostname", "localhost"],
        ["-verify_hostname", "a.app.localhost"],
        ["-verify_ip", "127.0.0.1"],
        ["-verify_ip", "::1"],
    ] {
        verify(&authority, &leaf, &host).unwrap();
    }
    verify(&authority, &leaf, &["-verify_hostname", "other.localhost"]).unwrap_err();
    // Addresses alone: no name in the subject that constraints could be held against.
    let leaf = authority.leaf(&names(&["127.0.0.1"]), now).unwrap();
    verify(&authority, &leaf, &["-verify_ip", "127.0.0.1"]).unwrap();
}

#[test]
fn a_later_start_finds_the_same_root_and_leaf() {
    let home = Home::new();
    let now = SystemTime::now();
    let first = home.open(now).unwrap();
    let leaf = first.leaf(&localhost(), now).unwrap();
    let second = home.open(now + DAY).unwrap();
    assert!(!second.created());
    assert_eq!(first.root_pem(), second.root_pem());
    assert_eq!(home.read("ca/root.pem"), second.root_pem());
    // The order of names is no reason for another leaf.
    let reordered = names(&["::1", "127.0.0.1", "localhost", "localhost"]);
    let again = second.leaf(&reordered, now + DAY).unwrap();
    assert_eq!(again.chain, leaf.chain);
    assert_eq!(again.key, leaf.key);
    let leaves = home.leaves();
    assert_eq!(leaves.len(), 1);
    assert!(leaves[0].starts_with("leaves/localhost-"), "{leaves:?}");
}

#[test]
fn a_leaf_is_renewed_when_two_thirds_of_its_life_are_gone() {
    let home = Home::new();
    let now = SystemTime::now();
    let authority = home.open(now).unwrap();
    let leaf = authority.leaf(&localhost(), now).unwrap();
    let second = Duration::from_secs(1);
    let kept = authority
        .leaf(&localhost(), leaf.renew_at() - second)
        .unwrap();
    assert_eq!(kept.chain, leaf.chain);
    let renewed = authority.leaf(&localhost(), leaf.renew_at()).unwrap();
    assert_ne!(renewed.chain[0], leaf.chain[0]);
    assert_ne!(renewed.key, leaf.key);
    assert!(renewed.not_after() > leaf.not_after());
    assert_eq!(home.leaves().len(), 1);
    // Clocks that were wrong are set back: what is not valid yet is of no use.
    let earlier = authority.leaf(&localhost(), now).unwrap();
    assert!(earlier.certificate().is_valid_at(now));
}

#[test]
fn the_intermediate_is_renewed_below_the_same_root_and_leaves_follow() {
    let home = Home::new();
    let now = SystemTime::now();
    let authority = home.open(now).unwrap();
    let leaf = authority.leaf(&localhost(), now).unwrap();
    let intermediate = Certificate::from_der(&leaf.chain[1]).unwrap();
    let later = intermediate.renew_at();
    // Whether the process lived on or was started anew.
    for authority in [authority, home.open(later).unwrap()] {
        let renewed = authority.leaf(&localhost(), later).unwrap();
        assert_ne!(renewed.chain[1], leaf.chain[1]);
        verify(&authority, &renewed, &["-attime", &seconds(later)]).unwrap();
    }
}

#[test]
fn nothing_outlives_the_root_and_an_expired_root_is_told() {
    let home = Home::new();
    let now = SystemTime::now();
    let authority = home.open(now).unwrap();
    let end = authority.root_certificate().not_after();
    let second = Duration::from_secs(1);
    for before in [40 * DAY, DAY, second] {
        let late = end - before;
        let leaf = authority.leaf(&localhost(), late).unwrap();
        let intermediate = Certificate::from_der(&leaf.chain[1]).unwrap();
        assert!(leaf.not_after() <= intermediate.not_after());
        assert!(intermediate.not_after() <= end);
        verify(&authority, &leaf, &["-attime", &seconds(late)]).unwrap();
    }
    for refused in [
        authority.leaf(&localhost(), end + second).unwrap_err(),
        home.open(end + second).unwrap_err(),
    ] {
        assert!(
            matches!(refused, LocalError::RootNotValid { expired: true, .. }),
            "{refused:?}"
        );
        assert!(refused.hint().unwrap().contains("ravelin ca trust"));
    }
    // The expired root can still be taken out of the trust stores.
    let root = LocalRoot::load(&FileStore::open(home.path()).unwrap())
        .unwrap()
        .unwrap();
    assert_eq!(root.trusted().certificate, authority.root_certificate());
    assert_eq!(root.trusted().file, home.path().join("ca/root.pem"));
    let none = FileStore::open(home.path().join("other")).unwrap();
    assert_eq!(LocalRoot::load(&none).unwrap(), None);
    assert!(none.list("").unwrap().is_empty(), "none is made");
    let early = home.open(now - DAY).unwrap_err();
    assert!(
        matches!(early, LocalError::RootNotValid { expired: false, .. }),
        "{early:?}"
    );
    assert!(early.to_string().contains("clock"));
}

#[test]
fn names_outside_the_constraints_are_refused_with_the_way_out() {
    let home = Home::new();
    let now = SystemTime::now();
    let authority = home.open(now).unwrap();
    let refused = authority
        .leaf(&names(&["localhost", "example.org"]), now)
        .unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("\"example.org\"") && text.contains("localhost, test"),
        "{text}"
    );
    let hint = refused.hint().unwrap();
    assert!(
        hint.contains(&home.path().join("ca").display().to_string()),
        "{hint}"
    );
    // Roots are fixed once made: the same for names that are added later.
    let refused = home.open_with(&["example.org"], now).unwrap_err();
    assert!(
        matches!(refused, LocalError::NotPermitted { .. }),
        "{refused:?}"
    );
    assert!(authority.leaf(&[], now).is_err());
}

#[test]
fn names_that_the_user_adds_are_certified() {
    let home = Home::new();
    let now = SystemTime::now();
    let extra = ["*.dev.example.org", "203.0.113.7", "nas"];
    let authority = home.open_with(&extra, now).unwrap();
    let leaf = authority.leaf(&names(&extra), now).unwrap();
    for host in [
        ["-verify_hostname", "a.dev.example.org"],
        ["-verify_hostname", "nas"],
        ["-verify_ip", "203.0.113.7"],
    ] {
        verify(&authority, &leaf, &host).unwrap();
    }
    assert!(authority.leaf(&names(&["example.org"]), now).is_err());
    assert!(home.open_with(&["x.dev.example.org"], now).is_ok());
}

#[test]
fn a_damaged_intermediate_or_leaf_is_made_anew() {
    let now = SystemTime::now();
    for damage in [
        |_: &str| String::new(),
        |text: &str| text[..text.len() / 2].to_owned(),
        |text: &str| text.replace("BEGIN CERTIFICATE", "BEGIN NOTHING"),
        |text: &str| text.replace("BEGIN PRIVATE KEY", "BEGIN NOTHING"),
        // One letter in the signature's place: still a certificate, by its form.
        |text: &str| {
            let end = text.find("\n-----END CERTIFICATE").unwrap() - 12;
            let letter = if &text[end..=end] == "A" { "B" } else { "A" };
            text[..end].to_owned() + letter + &text[end + 1..]
        },
    ] {
        let home = Home::new();
        let authority = home.open(now).unwrap();
        let leaf = authority.leaf(&localhost(), now).unwrap();
        for file in ["ca/intermediate.pem", &home.leaves()[0]] {
            home.write(file, damage(&home.read(file)));
            let authority = home.open(now).unwrap();
            let renewed = authority.leaf(&localhost(), now).unwrap();
            assert_ne!(renewed.chain, leaf.chain, "{file}");
            verify(&authority, &renewed, &[]).unwrap();
        }
    }
}

#[test]
fn a_leaf_with_the_key_of_another_is_made_anew() {
    let home = Home::new();
    let now = SystemTime::now();
    let authority = home.open(now).unwrap();
    authority.leaf(&localhost(), now).unwrap();
    let mine = home.leaves().remove(0);
    let other = authority.leaf(&names(&["other.test"]), now).unwrap();
    let chain = home
        .read(&mine)
        .split_once("-----BEGIN CERT")
        .unwrap()
        .1
        .to_owned();
    home.write(&mine, other.key_pem() + "-----BEGIN CERT" + &chain);
    let leaf = authority.leaf(&localhost(), now).unwrap();
    assert!(leaf.certificate().public_key_matches(&leaf.key).unwrap());
}

#[test]
fn a_damaged_root_is_told_with_its_path_and_never_replaced() {
    let now = SystemTime::now();
    let other = Home::new();
    other.open(now).unwrap();
    let leaf = other.open(now).unwrap().leaf(&localhost(), now).unwrap();
    let good = other.read("ca/root.pem");
    for bad in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replace("MII", "MIJ"),
        other.read("ca/root.key"),
        leaf.chain_pem(),
        pem::encode("CERTIFICATE", &leaf.chain[0]),
        pem::encode("CERTIFICATE", &leaf.chain[1]),
    ] {
        let home = Home::new();
        home.open(now).unwrap();
        home.write("ca/root.pem", &bad);
        let error = home.open(now).unwrap_err();
        assert!(matches!(error, LocalError::RootDamaged { .. }), "{error:?}");
        let path = home.path().join("ca/root.pem").display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("backup"), "{hint}");
        // Which could not read it either.
        assert!(!hint.contains("untrust"), "{hint}");
        let home = format!("ca trust --home {}", home.path().display());
        assert!(hint.contains(&home), "{hint}");
        assert_eq!(fs::read_to_string(path).unwrap(), bad);
    }
}

#[test]
fn a_root_key_may_be_taken_away_until_it_is_needed() {
    let home = Home::new();
    let now = SystemTime::now();
    let leaf = home.open(now).unwrap().leaf(&localhost(), now).unwrap();
    let key = home.read("ca/root.key");
    home.remove("ca/root.key");
    let authority = home.open(now).unwrap();
    assert_eq!(authority.leaf(&localhost(), now).unwrap().chain, leaf.chain);
    // When the intermediate is old but valid, it goes on.
    let intermediate = Certificate::from_der(&leaf.chain[1]).unwrap();
    let late = intermediate.renew_at() + DAY;
    let kept = home.open(late).unwrap().leaf(&localhost(), late).unwrap();
    assert_eq!(kept.chain[1], leaf.chain[1]);
    // When it is over, the key is missed, by its path.
    let error = home.open(intermediate.not_after() + DAY).unwrap_err();
    assert!(
        matches!(error, LocalError::RootKeyMissing { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("ca/root.key"));
    assert!(home.open(now).is_ok());
    // A wrong or damaged key is told as what it is.
    home.remove("ca/intermediate.pem");
    home.write("ca/root.key", leaf.key_pem());
    let error = home.open(now).unwrap_err();
    assert!(
        matches!(error, LocalError::RootKeyMismatch { .. }),
        "{error:?}"
    );
    home.write("ca/root.key", &key[..key.len() / 2]);
    let error = home.open(now).unwrap_err();
    assert!(
        matches!(error, LocalError::RootKeyDamaged { .. }),
        "{error:?}"
    );
    home.write("ca/root.key", key);
    assert!(home.open(now).is_ok());
}

#[test]
fn nothing_is_made_anew_that_would_end_no_later() {
    let home = Home::new();
    let now = SystemTime::now();
    let made = home.open(now).unwrap().leaf(&localhost(), now).unwrap();
    // Ten minutes before the issuer's end, a new leaf lives for ten minutes, dated back by an hour:
    // two thirds of that are over when it is made.
    let minute = Duration::from_secs(60);
    home.remove("ca/root.key");
    let end = Certificate::from_der(&made.chain[1]).unwrap().not_after();
    let late = end - 10 * minute;
    let authority = home.open(late).unwrap();
    let leaf = authority.leaf(&localhost(), late).unwrap();
    assert_eq!(leaf.not_after(), end);
    let later = late + minute;
    assert!(leaf.renew_at() < later);
    let again = authority.leaf(&localhost(), later).unwrap();
    assert_eq!(again.chain, leaf.chain);

    // So for an intermediate that ends with its root.
    let home = Home::new();
    let root_end = home.open(now).unwrap().root_certificate().not_after();
    let late = root_end - 10 * minute;
    let intermediate = |at| home.open(at).unwrap().leaf(&localhost(), at).unwrap().chain[1].clone();
    assert_eq!(intermediate(late), intermediate(late + minute));
}

#[test]
fn what_is_kept_serves_on_while_it_is_valid_where_nothing_can_be_written() {
    let home = Home::new();
    let now = SystemTime::now();
    let leaf = home.open(now).unwrap().leaf(&localhost(), now).unwrap();
    // No writer gets past it, whatever its rights.
    home.remove(".lock");
    fs::create_dir(home.path().join(".lock")).unwrap();

    let late = leaf.renew_at() + DAY;
    let authority = home.open(late).unwrap();
    let error = authority.leaf(&localhost(), late).unwrap_err();
    assert!(matches!(error, LocalError::Store(_)), "{error:?}");
    let kept = authority.kept_leaf(&localhost(), late).unwrap();
    assert_eq!(kept.chain, leaf.chain);
    let over = leaf.not_after() + DAY;
    assert!(authority.kept_leaf(&localhost(), over).is_none());
    assert!(authority.kept_leaf(&names(&["other.test"]), late).is_none());

    let intermediate = Certificate::from_der(&leaf.chain[1]).unwrap();
    home.open(intermediate.renew_at() + DAY).unwrap();
    let error = home.open(intermediate.not_after() + DAY).unwrap_err();
    assert!(matches!(error, LocalError::Store(_)), "{error:?}");
}

#[test]
fn every_state_between_two_writes_is_a_store_that_works() {
    let whole = Home::new();
    let now = SystemTime::now();
    whole.open(now).unwrap().leaf(&localhost(), now).unwrap();
    let leaf = whole.leaves().remove(0);
    let order = ["ca/root.key", "ca/root.pem", "ca/intermediate.pem", &leaf];
    for written in 0..=order.len() {
        for half in [false, true] {
            let home = Home::new();
            fs::create_dir_all(home.path().join("ca")).unwrap();
            fs::create_dir_all(home.path().join("leaves")).unwrap();
            for file in &order[..written] {
                home.write(file, whole.read(file));
            }
            // What is under way lies in a temporary file, cut off anywhere.
            if half && written < order.len() {
                let (folder, name) = order[written].split_once('/').unwrap();
                let text = whole.read(order[written]);
                home.write(&format!("{folder}/.{name}.new"), &text[..text.len() / 3]);
            }
            let authority = home.open(now).unwrap();
            assert_eq!(authority.created(), written < 2);
            let leaf = authority.leaf(&localhost(), now).unwrap();
            verify(&authority, &leaf, &[]).unwrap();
            if written >= 1 {
                assert_eq!(home.read("ca/root.key"), whole.read("ca/root.key"));
            }
        }
    }
}

#[test]
fn many_at_once_make_one_root_and_one_leaf() {
    let home = Home::new();
    let now = SystemTime::now();
    let barrier = Barrier::new(8);
    let made: Vec<(bool, String, Leaf)> = thread::scope(|scope| {
        let start = || {
            barrier.wait();
            let authority = home.open(now).unwrap();
            let leaf = authority.leaf(&localhost(), now).unwrap();
            (authority.created(), authority.root_pem(), leaf)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(made.iter().filter(|(created, ..)| *created).count(), 1);
    for (_, root, leaf) in &made {
        assert_eq!(*root, made[0].1);
        assert_eq!(leaf.chain, made[0].2.chain);
    }
}

#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let now = SystemTime::now();
    let folder = home.path().join("deep/er");
    let store = FileStore::open(&folder).unwrap();
    let authority = LocalAuthority::open(&store, &[], now).unwrap();
    authority.leaf(&localhost(), now).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for below in ["", "ca", "leaves"] {
        assert_eq!(mode(&folder.join(below)), 0o700, "{below}");
    }
    let objects = store.list("").unwrap();
    assert_eq!(objects.len(), 6);
    for object in objects {
        assert_eq!(mode(&folder.join(object.as_str())), 0o600, "{object}");
    }
    let shown = format!("{authority:?}");
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[test]
fn what_the_store_refuses_is_passed_on() {
    let home = Home::new();
    home.write("ca", "a file where a folder should be");
    let error = home.open(SystemTime::now()).unwrap_err();
    assert!(
        matches!(error, LocalError::Store(StoreError::Io { .. })),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains(&home.path().join("ca").display().to_string())
    );
}
