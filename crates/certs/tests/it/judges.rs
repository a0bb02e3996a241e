//! Foreign programs that look at what was made. A missing one fails the test.

use std::process::{Command, Output};

/// Runs a program and gives what it printed, with its status.
pub(crate) fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.success(), text)
}

/// Whether openssl, at its strictest, verifies `leaf` for `host` below `root`; its words if not.
pub(crate) fn openssl_verify(
    root: &str,
    intermediate: &str,
    leaf: &str,
    host: &[&str],
) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (root, intermediate, leaf) = (
        file("root.pem", root),
        file("intermediate.pem", intermediate),
        file("leaf.pem", leaf),
    );
    let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslserver"];
    arguments.extend(["-CAfile", &root, "-untrusted", &intermediate]);
    arguments.extend(host);
    arguments.push(&leaf);
    match run("openssl", &arguments) {
        (true, _) => Ok(()),
        (false, text) => Err(text),
    }
}
