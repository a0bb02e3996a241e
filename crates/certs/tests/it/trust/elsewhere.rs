//! macOS and Windows, as far as programs go that record what they are asked and answer as the real
//! ones are documented to. Nothing here was ever run on such a system.

use std::fs;
use std::path::Path;

use ravelin_certs::trust::{self, Outcome, Platform, TrustEnvironment, TrustStore, TrustedRoot};

use super::{Machine, program};

/// A machine of another platform, with one program of its own and no other.
fn machine(platform: Platform, name: &str, script: &str) -> Machine {
    let mut machine = Machine::new();
    let folder = machine.path("system");
    fs::create_dir_all(&folder).unwrap();
    fs::write(machine.path("root.pem"), machine.authority.root_pem()).unwrap();
    let top = machine.path("");
    let text = format!(
        "#!/bin/sh\ncd '{}'\necho \"$*\" >> ran\n{script}\n",
        top.display()
    );
    program(&folder.join(name), &text);
    // What the scripts need. NSS's certutil is not among it.
    for name in ["cp", "cat", "rm", "grep"] {
        std::os::unix::fs::symlink(Path::new("/bin").join(name), folder.join(name)).unwrap();
    }
    machine.environment.platform = platform;
    machine.environment.programs = vec![folder];
    machine
}

fn ran(machine: &Machine) -> String {
    let ran = fs::read_to_string(machine.path("ran")).unwrap();
    fs::remove_file(machine.path("ran")).unwrap();
    let top = machine.path("");
    ran.replace(top.to_str().unwrap().trim_end_matches('/'), "TOP")
}

fn sole_outcome(
    machine: &Machine,
    act: fn(TrustedRoot<'_>, &TrustEnvironment) -> Vec<trust::TrustChange>,
) -> Outcome {
    let file = machine.path("root.pem");
    let root = TrustedRoot {
        certificate: machine.authority.root_certificate(),
        file: &file,
    };
    let mut changes = act(root, &machine.environment);
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0).outcome
}

/// The SHA-1 digest of the root, as openssl has it.
fn thumbprint(machine: &Machine) -> String {
    let file = machine.path("root.pem");
    let arguments = ["x509", "-noout", "-fingerprint", "-sha1", "-in"];
    let (_, text) = crate::judges::run(
        "openssl",
        &[&arguments[..], &[file.to_str().unwrap()]].concat(),
    );
    text.trim()
        .rsplit('=')
        .next()
        .unwrap()
        .replace(':', "")
        .to_uppercase()
}

#[test]
fn on_macos_the_root_goes_into_the_login_keychain_and_out_again() {
    // The certificates of the keychain are in the file "keychain", the names of those that have
    // trust settings in "trusted".
    let script = r#"
case "$1" in
    find-certificate) [ ! -e keychain ] || cat keychain ;;
    dump-trust-settings)
        [ -e trusted ] || { echo 'SecTrustSettingsCopyCertificates: No Trust Settings were found.' >&2; exit 1; }
        cat trusted ;;
    add-trusted-cert) cp "${10}" keychain; cp "name" trusted ;;
    delete-certificate) rm keychain trusted ;;
    *) exit 2 ;;
esac"#;
    let machine = machine(Platform::MacOs, "security", script);
    let name = machine.authority.root_certificate().common_name().unwrap();
    let settings =
        format!("Number of trusted certs = 1\nCert 0: {name}\n   Number of trust settings : 2\n");
    fs::write(machine.path("name"), settings).unwrap();
    let keychain = "TOP/home/Library/Keychains/login.keychain-db";
    let list = format!("find-certificate -a -p {keychain}\n");

    assert_eq!(sole_outcome(&machine, trust::status), Outcome::NotThere);
    assert_eq!(sole_outcome(&machine, trust::remove), Outcome::NotThere);
    assert_eq!(ran(&machine), list.repeat(2));

    assert_eq!(sole_outcome(&machine, trust::install), Outcome::Added);
    assert_eq!(
        ran(&machine),
        format!("{list}add-trusted-cert -r trustRoot -p ssl -p basic -k {keychain} TOP/root.pem\n")
    );
    assert_eq!(
        sole_outcome(&machine, trust::install),
        Outcome::AlreadyThere
    );
    assert_eq!(sole_outcome(&machine, trust::status), Outcome::AlreadyThere);
    let root = machine.root().certificate;
    assert!(trust::is_trusted_by_system(root, &machine.environment));
    assert_eq!(
        ran(&machine),
        format!("{list}dump-trust-settings\n").repeat(3)
    );

    // In the keychain, but not trusted.
    fs::remove_file(machine.path("trusted")).unwrap();
    assert_eq!(sole_outcome(&machine, trust::status), Outcome::NotThere);
    assert_eq!(sole_outcome(&machine, trust::install), Outcome::Added);
    let _ = ran(&machine);

    assert_eq!(sole_outcome(&machine, trust::remove), Outcome::Removed);
    assert_eq!(
        ran(&machine),
        format!(
            "{list}delete-certificate -Z {} -t {keychain}\n",
            thumbprint(&machine)
        )
    );
    assert_eq!(sole_outcome(&machine, trust::status), Outcome::NotThere);
}

#[test]
fn on_macos_a_refused_password_is_told_with_the_command() {
    let script = r#"
[ "$1" != add-trusted-cert ] || {
    echo 'SecTrustSettingsSetTrustSettings: The authorization was canceled by the user.' >&2
    exit 1
}"#;
    let machine = machine(Platform::MacOs, "security", script);
    let outcome = sole_outcome(&machine, trust::install);
    assert!(
        matches!(&outcome, Outcome::Failed { why, hint: Some(hint) }
            if why.contains("canceled by the user")
                && hint.starts_with("security add-trusted-cert ")
                && hint.ends_with("/root.pem")),
        "{outcome:?}"
    );
}

#[test]
fn on_windows_the_root_goes_into_the_users_roots_and_out_again() {
    let script = r#"
case "$2" in
    -store) [ -e added ] || {
        echo 'CertUtil: -store command FAILED: 0x80090011 (-2146893807 NTE_NOT_FOUND)'; exit 17
    } ;;
    -addstore) cp "$4" added ;;
    -delstore) rm added ;;
    *) exit 2 ;;
esac"#;
    let machine = machine(Platform::Windows, "certutil.exe", script);
    let thumbprint = thumbprint(&machine);
    let look = format!("-user -store Root {thumbprint}\n");

    assert_eq!(sole_outcome(&machine, trust::status), Outcome::NotThere);
    assert_eq!(sole_outcome(&machine, trust::remove), Outcome::NotThere);
    assert_eq!(ran(&machine), look.repeat(2));
    assert_eq!(sole_outcome(&machine, trust::install), Outcome::Added);
    assert_eq!(
        ran(&machine),
        format!("{look}-user -addstore Root TOP/root.pem\n")
    );
    assert_eq!(
        sole_outcome(&machine, trust::install),
        Outcome::AlreadyThere
    );
    assert_eq!(sole_outcome(&machine, trust::status), Outcome::AlreadyThere);
    let _ = ran(&machine);
    assert_eq!(sole_outcome(&machine, trust::remove), Outcome::Removed);
    assert_eq!(
        ran(&machine),
        format!("{look}-user -delstore Root {thumbprint}\n")
    );
    let changes = trust::status(machine.root(), &machine.environment);
    assert_eq!(changes[0].store, TrustStore::WindowsRoots);
}

#[test]
fn on_windows_a_store_that_cannot_be_read_is_not_one_without_the_root() {
    let script = "echo 'CertUtil: -store command FAILED: 0x80070005 (WIN32: 5)'; exit 5";
    let machine = machine(Platform::Windows, "certutil.exe", script);
    for act in [trust::status, trust::install, trust::remove] {
        let outcome = sole_outcome(&machine, act);
        assert!(
            matches!(&outcome, Outcome::Failed { why, .. } if why.contains("0x80070005")),
            "{outcome:?}"
        );
    }
}
