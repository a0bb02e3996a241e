//! A root that takes the place of another: clients that trust only one of them accept what is served.

use std::fs;
use std::time::{Duration, Instant};

use super::{kill_at_random, start};
use crate::certificates::{ROOT, make, openssl_verify};
use crate::foreign::run;
use crate::server::Place;

/// A CA whose root was replaced: `old.pem` is the old one, `a.test` is of it, `b.test` of the new.
fn rolled_over(options: &[&str]) -> Place {
    let place = Place::new();
    make(&place, &["a.test"]);
    fs::copy(place.path(ROOT), place.path("old.pem")).unwrap();
    let rollover = [&["ca", "rollover"][..], options].concat();
    place
        .run(&rollover)
        .expect(0, &["made         a new root", "--finish"]);
    make(&place, &["b.test"]);
    place
}

fn certificates_in(place: &Place, file: &str) -> usize {
    let text = fs::read_to_string(place.path(file)).unwrap();
    text.matches("-----BEGIN CERTIFICATE").count()
}

#[test]
fn those_who_trust_only_the_old_root_and_only_the_new_accept_what_is_issued() {
    for options in [&[][..], &["--key", "p384"]] {
        let place = rolled_over(options);
        assert_eq!(certificates_in(&place, "b.test.pem"), 3);
        for root in ["old.pem", ROOT] {
            let name = ["-purpose", "sslserver", "-verify_hostname", "b.test"];
            openssl_verify(&place, root, "b.test.pem", &name).well();
            let verify = [
                "--verify",
                "--load-ca-certificate",
                root,
                "--infile",
                "b.test.pem",
            ];
            run(&place, "certtool", &verify).well();
        }
        // What was there before stays good with those who trust the old root.
        openssl_verify(&place, "old.pem", "a.test.pem", &[]).well();
        assert_ne!(openssl_verify(&place, ROOT, "a.test.pem", &[]).code, 0);
        // It can still be revoked.
        place.run(&["ca", "revoke", "a.test"]).expect(0, &[]);
        place
            .run(&["ca", "crl", "--pem", "--out", "."])
            .expect(0, &["1 revoked"]);
        place.run(&["ca", "audit"]).expect(0, &[]);
        // A third root would leave those behind who trust the first alone.
        let again = place.run(&["ca", "rollover"]);
        again.expect(
            1,
            &[
                "is under way",
                "hint: when all have the new root: ravelin ca rollover --finish",
            ],
        );
        place
            .run(&["ca", "rollover", "--finish"])
            .expect(0, &["finished "]);
        make(&place, &["c.test"]);
        assert_eq!(certificates_in(&place, "c.test.pem"), 2);
        openssl_verify(&place, ROOT, "c.test.pem", &[]).well();
        assert_ne!(openssl_verify(&place, "old.pem", "c.test.pem", &[]).code, 0);
        place
            .run(&["ca", "rollover"])
            .expect(0, &["made         a new root"]);
    }
}

#[test]
fn a_server_is_accepted_by_curl_python_and_java_with_either_root() {
    let place = Place::new();
    let server = place.serve(&[]);
    fs::copy(place.path(ROOT), place.path("old.pem")).unwrap();
    server.stop();
    place.run(&["ca", "rollover"]).expect(0, &[]);
    let server = place.serve(&[]);
    let url = server.url("/");
    for root in ["old.pem", ROOT] {
        let curl = ["-sS", "-4", "--cacert", root, &url];
        assert_eq!(run(&place, "curl", &curl).well().text(), "hello\n");
        let store = format!("{}.p12", root.replace('/', "-"));
        let import = ["-importcert", "-noprompt", "-alias", "root", "-file", root];
        let into = ["-keystore", &store, "-storepass", "changeit"];
        run(&place, "keytool", &[&import[..], &into].concat()).well();
        let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/Fetch.java");
        let trust = format!("-Djavax.net.ssl.trustStore={store}");
        let java = [
            &trust,
            "-Djavax.net.ssl.trustStorePassword=changeit",
            peers,
            &url,
        ];
        assert_eq!(run(&place, "java", &java).well().text(), "hello\n");
    }
    server.stop();
}

/// `RAVELIN_KILLS`, or what a test does by itself.
pub(super) fn kills(by_itself: u32) -> u32 {
    std::env::var("RAVELIN_KILLS").map_or(by_itself, |kills| kills.parse().unwrap())
}

#[test]
fn one_that_was_killed_anywhere_goes_on_when_it_is_run_again() {
    let origin = Place::new();
    make(&origin, &["a.test"]);
    let begun = Instant::now();
    let place = copy_of(&origin);
    place.run(&["ca", "rollover"]).expect(0, &[]);
    let longest = begun.elapsed();
    // What a round takes is mostly the disk's time.
    let (rounds, at_once) = (kills(100), 4);
    let killed: u32 = std::thread::scope(|scope| {
        let several: Vec<_> = (0..at_once)
            .map(|_| {
                scope.spawn(|| {
                    let rounds = 0..rounds.div_ceil(at_once);
                    rounds
                        .map(|_| u32::from(is_killed_and_goes_on(&origin, longest)))
                        .sum::<u32>()
                })
            })
            .collect();
        several
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert!(
        killed > rounds / 5,
        "{killed} of {rounds} were killed before their end"
    );
}

fn copy_of(origin: &Place) -> Place {
    let place = Place::new();
    let home = place.home();
    run(origin, "cp", &["-r", "home", home.to_str().unwrap()]).well();
    fs::copy(place.path(ROOT), place.path("old.pem")).unwrap();
    place
}

/// Whether it was killed before its end.
fn is_killed_and_goes_on(origin: &Place, longest: Duration) -> bool {
    let place = copy_of(origin);
    let killed = kill_at_random(start(&place, &["ca", "rollover"]), longest);
    // At any moment its books are right.
    place.run(&["ca", "audit"]).expect(0, &[]);
    let again = place.run(&["ca", "rollover"]);
    if again.status.code() != Some(0) {
        // It had been done when it was killed.
        again.expect(1, &["is under way"]);
    }
    make(&place, &["b.test"]);
    for root in ["old.pem", ROOT] {
        openssl_verify(&place, root, "b.test.pem", &[]).well();
    }
    let left = fs::read_dir(place.path("home/ca")).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("next-root") || name.starts_with("former-root-"))
        .collect();
    // One root was replaced, whose certificate and key are kept.
    assert_eq!(left.len(), 2, "{left:?}");
    place.run(&["ca", "audit"]).expect(0, &[]);
    killed
}
