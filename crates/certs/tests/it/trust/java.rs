//! Keystores of Java, judged by its own `keytool` and its own TLS. They are made here: never are
//! those of the machine that runs the tests touched.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use ravelin_certs::trust::{self, Outcome, TrustChange, TrustStore};
use ravelin_pki::pem;

use super::{Machine, program};
use crate::judges::run;

/// Where a JVM keeps its keystore, below its home folder.
const CACERTS: &str = "lib/security/cacerts";

/// What tests/peers/Handshake.java says of a server that it trusts, and of one below no root.
const TRUSTED: &str = "trusted";
const NO_PATH: &str = "refused: PKIX path building failed: \
     sun.security.provider.certpath.SunCertPathBuilderException: \
     unable to find valid certification path to requested target";

impl Machine {
    /// A keystore with one certificate in it, as `keytool` makes it with these options: without any,
    /// in the format that JVMs came with before version 18 and Debian's always.
    fn keystore(&self, below: &str, options: &[&str]) -> PathBuf {
        let keystore = self.path(below);
        fs::create_dir_all(keystore.parent().unwrap()).unwrap();
        let stock = self.path("usr/share/ca-certificates/stock.crt");
        let arguments = [
            "-importcert",
            "-noprompt",
            "-alias",
            "stock",
            "-file",
            stock.to_str().unwrap(),
            "-keystore",
            keystore.to_str().unwrap(),
        ];
        let usual = ["-storetype", "jks", "-storepass", "changeit"];
        let options = if options.is_empty() { &usual } else { options };
        let (made, text) = run("keytool", &[&arguments[..], options].concat());
        assert!(made, "{text}");
        keystore
    }

    /// What is said of the keystores.
    fn java(
        &self,
        act: fn(trust::TrustedRoot<'_>, &trust::TrustEnvironment) -> Vec<TrustChange>,
    ) -> Vec<(PathBuf, Outcome)> {
        let changes = act(self.root(), &self.environment);
        changes
            .into_iter()
            .filter_map(|change| match change.store {
                TrustStore::Java { keystore, .. } => Some((keystore, change.outcome)),
                _ => None,
            })
            .collect()
    }

    /// What a Java program with this keystore says of openssl's server, which has a leaf of the
    /// local CA: `TRUSTED` or why not.
    fn java_says(&self, keystore: &Path, name: &str) -> String {
        let names = ["localhost", "a.test", "127.0.0.1"].map(|name| name.parse().unwrap());
        let leaf = self.authority.leaf(&names, SystemTime::now()).unwrap();
        let file = self.path("leaf.pem");
        let mut pem = pem::encode("PRIVATE KEY", leaf.key.secret_der());
        for der in &leaf.chain {
            pem += &pem::encode("CERTIFICATE", der);
        }
        fs::write(&file, pem).unwrap();
        let mut server = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"])
            .args(["-cert", file.to_str().unwrap()])
            .args(["-cert_chain", file.to_str().unwrap()])
            // It ends when its input does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // "ACCEPT 127.0.0.1:40123".
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("ACCEPT ")?.rsplit(':').next()?.to_owned()))
            .unwrap();
        let handshake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/Handshake.java");
        let keystore = format!("-Djavax.net.ssl.trustStore={}", keystore.display());
        let (ran, text) = run("java", &[&keystore, handshake, &port, name]);
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(ran, "{text}");
        text.trim_end().to_owned()
    }
}

fn keytool_lists(keystore: &Path) -> String {
    let keystore = keystore.to_str().unwrap();
    let arguments = ["-list", "-keystore", keystore, "-storepass", "changeit"];
    let (listed, text) = run("keytool", &arguments);
    assert!(listed, "{text}");
    text
}

#[test]
fn java_takes_a_leaf_while_the_root_is_in_its_keystore() {
    let machine = Machine::new();
    let keystore = machine.keystore("usr/lib/jvm/java-17/lib/security/cacerts", &[]);
    assert_eq!(machine.java_says(&keystore, "localhost"), NO_PATH);

    let said = |outcome| vec![(keystore.clone(), outcome)];
    assert_eq!(machine.java(trust::status), said(Outcome::NotThere));
    assert_eq!(machine.java(trust::install), said(Outcome::Added));
    assert_eq!(machine.java_says(&keystore, "localhost"), TRUSTED);
    assert_eq!(machine.java_says(&keystore, "127.0.0.1"), TRUSTED);
    let other = machine.java_says(&keystore, "b.test");
    assert!(other.contains("No subject alternative DNS name"), "{other}");
    let fingerprint = machine.root().certificate.fingerprint_sha256();
    let list = keytool_lists(&keystore);
    let alias = format!("ravelin-local-ca-{}", fingerprint.short());
    assert!(list.contains(&alias) && list.contains("stock"), "{list}");

    let before = fs::read(&keystore).unwrap();
    assert_eq!(machine.java(trust::install), said(Outcome::AlreadyThere));
    assert_eq!(machine.java(trust::status), said(Outcome::AlreadyThere));
    assert!(before == fs::read(&keystore).unwrap(), "written in vain");

    assert_eq!(machine.java(trust::remove), said(Outcome::Removed));
    assert_eq!(machine.java_says(&keystore, "localhost"), NO_PATH);
    let list = keytool_lists(&keystore);
    assert!(
        !list.contains("ravelin") && list.contains("stock"),
        "{list}"
    );
    assert_eq!(machine.java(trust::remove), said(Outcome::NotThere));
    let folder = fs::read_dir(keystore.parent().unwrap()).unwrap();
    assert_eq!(folder.count(), 1, "a copy was left");
}

#[test]
fn every_jvm_is_found_and_a_keystore_that_several_share_is_one() {
    let mut machine = Machine::new();
    let keystores = [
        "opt/jdk-of-java-home/lib/security/cacerts",
        "usr/lib/jvm/java-21/lib/security/cacerts",
        "usr/lib/jvm/java-8/jre/lib/security/cacerts",
        "home/.sdkman/candidates/java/21.0.4-tem/lib/security/cacerts",
        "home/.jdks/openjdk-24/lib/security/cacerts",
    ]
    .map(|below| machine.keystore(below, &[]));
    // One that Java reads in place of cacerts.
    let instead = machine.keystore("home/.jdks/openjdk-24/lib/security/jssecacerts", &[]);
    machine.environment.java_home = Some(machine.path("opt/jdk-of-java-home"));
    // Links, as Debian and SDKMAN make them: to whole JVMs, and to one's keystore.
    symlink("java-21", machine.path("usr/lib/jvm/default-java")).unwrap();
    symlink(
        "21.0.4-tem",
        machine.path("home/.sdkman/candidates/java/current"),
    )
    .unwrap();
    let sharing = machine.path("usr/lib/jvm/sharing/lib/security");
    fs::create_dir_all(&sharing).unwrap();
    symlink(&keystores[1], sharing.join("cacerts")).unwrap();
    symlink("nowhere", sharing.join("jssecacerts")).unwrap();

    let mut expected = keystores.to_vec();
    expected.push(instead);
    expected.sort();
    let added = machine.java(trust::install);
    assert!(
        added.iter().all(|(_, outcome)| *outcome == Outcome::Added),
        "{added:?}"
    );
    let mut found: Vec<PathBuf> = added.into_iter().map(|(keystore, _)| keystore).collect();
    found.sort();
    assert_eq!(found, expected);
    assert!(sharing.join("cacerts").is_symlink(), "links stay links");
}

#[test]
fn a_jvm_is_asked_with_its_own_keytool() {
    let machine = Machine::new();
    machine.keystore("usr/lib/jvm/own/lib/security/cacerts", &[]);
    fs::create_dir(machine.path("usr/lib/jvm/own/bin")).unwrap();
    program(
        &machine.path("usr/lib/jvm/own/bin/keytool"),
        "#!/bin/sh\necho 'keytool error: java.lang.Exception: it is me'\nexit 1\n",
    );
    let said = machine.java(trust::status);
    assert!(
        matches!(&said[0].1, Outcome::Failed { why, .. }
            if why == "\"keytool\" failed: java.lang.Exception: it is me"),
        "{said:?}"
    );
}

/// Java's own since version 18, which have no password at all.
#[test]
fn a_keystore_without_a_password_stays_one() {
    let machine = Machine::new();
    let options = [
        "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE",
        "-J-Dkeystore.pkcs12.macAlgorithm=NONE",
        "-storetype",
        "pkcs12",
        "-storepass",
        "changeit",
    ];
    let keystore = machine.keystore("usr/lib/jvm/java-21/lib/security/cacerts", &options);
    assert_eq!(machine.java(trust::install)[0].1, Outcome::Added);
    assert_eq!(machine.java_says(&keystore, "localhost"), TRUSTED);
    let (_, text) = run(
        "openssl",
        &[
            "pkcs12",
            "-in",
            keystore.to_str().unwrap(),
            "-nokeys",
            "-passin",
            "pass:",
        ],
    );
    assert!(text.contains("MAC is absent"), "{text}");
    assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2, "{text}");
    assert_eq!(machine.java(trust::remove)[0].1, Outcome::Removed);
}

#[test]
fn a_root_is_taken_out_by_whatever_alias_it_is_there() {
    let machine = Machine::new();
    let keystore = machine.keystore("usr/lib/jvm/java-17/lib/security/cacerts", &[]);
    let file = machine.path("root.pem");
    fs::write(&file, machine.authority.root_pem()).unwrap();
    for alias in ["mine", "debian:it is.pem"] {
        let arguments = ["-importcert", "-noprompt", "-alias", alias, "-file"];
        let rest = ["-storepass", "changeit", "-keystore"];
        let (file, keystore) = (file.to_str().unwrap(), keystore.to_str().unwrap());
        let (added, text) = run(
            "keytool",
            &[&arguments[..], &[file], &rest, &[keystore]].concat(),
        );
        assert!(added, "{text}");
    }
    assert_eq!(machine.java(trust::install)[0].1, Outcome::AlreadyThere);
    assert_eq!(machine.java(trust::remove)[0].1, Outcome::Removed);
    let list = keytool_lists(&keystore);
    assert!(list.contains("contains 1 entry"), "{list}");
}

#[test]
fn what_cannot_be_changed_is_told_and_stays_as_it_was() {
    let machine = Machine::new();
    let of_its_own = machine.keystore(
        "usr/lib/jvm/a-password/lib/security/cacerts",
        &["-storepass", "another-one"],
    );
    let damaged = machine.path("usr/lib/jvm/b-damaged").join(CACERTS);
    fs::create_dir_all(damaged.parent().unwrap()).unwrap();
    fs::write(&damaged, "this is no keystore").unwrap();
    let good = machine.keystore("usr/lib/jvm/c-good/lib/security/cacerts", &[]);
    let before = [&of_its_own, &damaged].map(|file| fs::read(file).unwrap());

    let said = machine.java(trust::install);
    let Outcome::Failed {
        why,
        hint: Some(hint),
    } = &said[0].1
    else {
        panic!("{said:?}");
    };
    assert!(why.contains("password was incorrect"), "{why}");
    assert!(
        hint.contains("keytool -importcert ") && !hint.contains("storepass"),
        "it has to ask: {hint}"
    );
    assert!(
        matches!(&said[1].1, Outcome::Failed { why, hint: None } if why.contains("keystore")),
        "{said:?}"
    );
    assert_eq!(said[2], (good, Outcome::Added));
    let after = [&of_its_own, &damaged].map(|file| fs::read(file).unwrap());
    assert!(before == after);
}

/// `keytool` that is stopped halfway, or finds the disk full, has written to a copy.
#[test]
fn a_keytool_that_fails_halfway_leaves_the_keystore_whole() {
    let machine = Machine::new();
    let keystore = machine.keystore("usr/lib/jvm/java-17/lib/security/cacerts", &[]);
    fs::create_dir(machine.path("usr/lib/jvm/java-17/bin")).unwrap();
    let text = "#!/bin/bash\n\
        [ \"$1\" != -importcert ] || for ((i = 1; i < $#; i++)); do\n\
        [ \"${!i}\" != -keystore ] || { n=$((i + 1)); : >\"${!n}\"; echo 'No space left'; exit 1; }\n\
        done\n\
        exec /usr/bin/keytool \"$@\"\n";
    program(&machine.path("usr/lib/jvm/java-17/bin/keytool"), text);
    let before = fs::read(&keystore).unwrap();
    let said = machine.java(trust::install);
    assert!(
        matches!(&said[0].1, Outcome::Failed { why, .. } if why.contains("No space left")),
        "{said:?}"
    );
    assert!(before == fs::read(&keystore).unwrap());
    let folder = fs::read_dir(keystore.parent().unwrap()).unwrap();
    assert_eq!(folder.count(), 1, "a copy was left");
}

#[test]
fn a_keystore_keeps_its_permissions_and_its_owner() {
    let machine = Machine::new();
    let keystore = machine.keystore("usr/lib/jvm/java-17/lib/security/cacerts", &[]);
    fs::set_permissions(&keystore, Permissions::from_mode(0o444)).unwrap();
    // Only root can give a file away; elsewhere the owner is the one of before in any case.
    let _ = std::os::unix::fs::chown(&keystore, Some(12345), Some(12345));
    let before = fs::metadata(&keystore).unwrap();
    assert_eq!(machine.java(trust::install)[0].1, Outcome::Added);
    let after = fs::metadata(&keystore).unwrap();
    assert_ne!(
        before.ino(),
        after.ino(),
        "it took the place of the old one"
    );
    let of = |file: &fs::Metadata| (file.mode(), file.uid(), file.gid());
    assert_eq!(of(&before), of(&after));
}

#[test]
fn a_keystore_that_follows_the_system_is_written_only_to_take_the_root_out() {
    let machine = Machine::new();
    let keystore = machine.keystore("etc/ssl/certs/java/cacerts", &[]);
    let jvm = machine.path("usr/lib/jvm/java-17/lib/security");
    fs::create_dir_all(&jvm).unwrap();
    symlink(&keystore, jvm.join("cacerts")).unwrap();
    let hooks = machine.path("etc/ca-certificates/update.d");
    fs::create_dir_all(&hooks).unwrap();
    fs::write(hooks.join("jks-keystore"), "").unwrap();
    let before = fs::read(&keystore).unwrap();

    // What the system runs does nothing here yet.
    let changes = trust::install(machine.root(), &machine.environment);
    let change = changes.last().unwrap();
    assert_eq!(
        change.store,
        TrustStore::Java {
            keystore: keystore.clone(),
            follows_system: true
        }
    );
    assert!(change.store.to_string().contains("follows the system's"));
    assert!(
        matches!(&change.outcome, Outcome::LeftAlone { hint: Some(hint), .. }
            if hint == "sudo update-ca-certificates --fresh"),
        "{change:?}"
    );
    assert!(before == fs::read(&keystore).unwrap());
    assert_eq!(machine.java(trust::status)[0].1, Outcome::NotThere);
    assert_eq!(machine.outcomes(trust::remove)[0], Outcome::Removed);

    // Now it does what Debian 12's does: of a root that was taken out with --fresh it learns nothing.
    let text = format!(
        "#!/bin/bash\nwhile read -r line; do\n\
         case $line in +*ravelin*)\n\
         keytool -importcert -noprompt -file \"${{line#+}}\" -alias debian:ravelin -keystore {} \
         -storepass changeit\n\
         esac\n\
         done\nexit 0\n",
        keystore.display()
    );
    program(&machine.path("hooks/jks-keystore"), &text);
    assert_eq!(machine.java(trust::install)[0].1, Outcome::Added);
    assert_eq!(machine.java(trust::install)[0].1, Outcome::AlreadyThere);
    assert!(keytool_lists(&keystore).contains("debian:ravelin"));
    assert_eq!(machine.java(trust::status)[0].1, Outcome::AlreadyThere);
    assert_eq!(machine.java(trust::remove)[0].1, Outcome::Removed);
    assert!(!keytool_lists(&keystore).contains("ravelin"));
}

#[test]
fn the_keystores_of_fedora_arch_and_opensuse_follow_their_systems() {
    for place in [
        "etc/pki/ca-trust/extracted/java/cacerts",
        "etc/ca-certificates/extracted/java-cacerts.jks",
        "var/lib/ca-certificates/java-cacerts",
    ] {
        let machine = Machine::new();
        let keystore = machine.keystore(place, &[]);
        let jvm = machine.path("usr/lib/jvm/java-21/lib/security");
        fs::create_dir_all(&jvm).unwrap();
        symlink(&keystore, jvm.join("cacerts")).unwrap();
        let before = fs::read(&keystore).unwrap();
        let said = machine.java(trust::install);
        assert_eq!(said[0].0, keystore);
        assert!(matches!(said[0].1, Outcome::LeftAlone { .. }), "{said:?}");
        assert!(before == fs::read(&keystore).unwrap());
    }
}

#[test]
fn without_java_nothing_is_said_of_java_and_without_keytool_what_to_install() {
    let mut machine = Machine::new();
    machine.keystore("etc/ssl/certs/java/cacerts", &[]);
    let bin = machine.path("bin");
    fs::write(bin.join("dnf"), "").unwrap();
    machine.environment.programs = vec![bin];
    assert_eq!(machine.java(trust::status), []);
    machine.keystore("usr/lib/jvm/trimmed/lib/security/cacerts", &[]);
    let said = machine.java(trust::status);
    assert_eq!(
        said[0].1,
        Outcome::Failed {
            why: "the program \"keytool\" is missing".to_owned(),
            hint: Some("sudo dnf install java-latest-openjdk-headless".to_owned())
        }
    );
    assert_eq!(said.len(), 1);
}
