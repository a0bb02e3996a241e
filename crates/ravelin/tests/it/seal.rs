//! `ravelin seal`: what it writes, others read; what others write, it reads; and nothing half done is left behind.

mod age;
mod damage;
mod envelopes;
mod hashes;
mod openssl_enc;
mod plugins;
mod random;
mod signatures;

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::foreign::{Ran, run, run_with_input};
use crate::server::Place;

/// A file's content that takes several chunks, and does not end with one.
fn content() -> Vec<u8> {
    (0..200_001_u32).map(|at| (at % 251) as u8).collect()
}

fn place() -> Place {
    let place = Place::in_memory();
    place.write("file", content());
    place.write("secret", "correct horse\n");
    place.write("wrong", "wrong horse\n");
    place
}

/// Runs `ravelin seal`, which has to do what it is told.
fn seal(place: &Place, arguments: &[&str]) -> Ran {
    sealed(place, arguments).well()
}

/// Runs `ravelin seal`, whatever comes of it.
fn sealed(place: &Place, arguments: &[&str]) -> Ran {
    let all = [&["seal"][..], arguments].concat();
    run(place, env!("CARGO_BIN_EXE_ravelin"), &all)
}

/// The same, with a file as standard input.
fn seal_of(place: &Place, input: &str, arguments: &[&str]) -> Ran {
    let input = Stdio::from(File::open(place.path(input)).unwrap());
    let all = [&["seal"][..], arguments].concat();
    run_with_input(place, env!("CARGO_BIN_EXE_ravelin"), &all, input)
}

fn read(place: &Place, file: &str) -> Vec<u8> {
    std::fs::read(place.path(file)).unwrap()
}

fn mode(place: &Place, file: &str) -> u32 {
    let metadata = std::fs::metadata(place.path(file)).unwrap();
    metadata.permissions().mode() & 0o777
}

/// The names of all files, hidden ones too.
fn files(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path("")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A certificate that signs itself, and its key: `NAME.pem` and `NAME.key`.
fn certify(place: &Place, name: &str, kind: &str) {
    let made = place.run(&[
        "cert",
        "new",
        "--self-signed",
        "--email",
        "--key",
        kind,
        name,
    ]);
    made.expect(0, &[]);
}
