//! Connections that no program makes, by scripts of our own with other people's ciphers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use ravelin_lens::ledger::Side;
use serde::Deserialize;

use super::{Known, Passed, Recording};
use crate::rfc8448::octets;

#[derive(Deserialize)]
struct Talk {
    /// Who, and what in hexadecimal.
    passed: Vec<(u8, String)>,
    key_log: String,
}

/// What a script says that passed.
pub(super) fn talks(script: &str, arguments: &[&Path]) -> Vec<Recording> {
    let python = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python3");
    let output = Command::new(python)
        .args(["-c", script])
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("./test makes .venv: {error}"));
    assert!(output.status.success(), "{output:?}");
    let talks: Vec<Talk> = serde_json::from_slice(&output.stdout).unwrap();
    let sides = [Side::Client, Side::Server];
    let recording = |talk: Talk| {
        let passed = talk.passed.iter().map(|(side, hex)| {
            let side = sides[usize::from(*side)];
            Passed::Octets(side, SystemTime::now(), octets(hex).to_vec())
        });
        Recording {
            passed: passed.chain(sides.map(Passed::End)).collect(),
            known: Known::of(&talk.key_log),
        }
    };
    talks.into_iter().map(recording).collect()
}
