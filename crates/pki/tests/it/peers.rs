//! The files that came with Python's `cryptography`, and that Python. `./test` installs both.

use std::path::PathBuf;
use std::process::Command;

/// A file of the package `cryptography_vectors`: `x509/custom/crl_empty.pem`.
pub(crate) fn vector(path: &str) -> Vec<u8> {
    let path = vectors().join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the files in a folder of the vectors, sorted.
pub(crate) fn vector_names(folder: &str) -> Vec<String> {
    let folder = vectors().join(folder);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs a program text in Python, with arguments, and gives what it printed.
pub(crate) fn python(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(environment().join("bin/python3"))
        .args(["-c", program])
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("./test makes .venv: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{said}");
    text
}

fn environment() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.venv")
}

fn vectors() -> PathBuf {
    let lib = environment().join("lib");
    let python = std::fs::read_dir(&lib)
        .unwrap_or_else(|error| panic!("./test makes {}: {error}", lib.display()))
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("site-packages").exists())
        .unwrap();
    python.join("site-packages/cryptography_vectors")
}
