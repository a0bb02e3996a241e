//! `ravelin check`: what is wrong with a config goes to standard error, and the exit code tells.
//! What the reports say is tested beside the code, in `src/config/tests.rs`.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

#[test]
fn a_wrong_config_is_reported_whole_and_exits_with_2() {
    let output = check(
        "[server]\nlisten = [\"localhost\"]\nworkers = -1\n[[site]]\nhosts = [\"a b\"]\ncolour = 1\n\
         route = [{ files = \"nowhere\" }]\n",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let shown = String::from_utf8(output.stderr).unwrap();
    for line in 2..=3 {
        assert!(shown.contains(&format!("ravelin.toml:{line}:")), "{shown}");
    }
    assert!(shown.contains("5 problems in"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe: {shown}");
}

#[test]
fn a_good_config_exits_with_0() {
    let output = check("[[site]]\nhosts = [\"localhost\"]\nroute = [{ files = \".\" }]\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

fn check(config: &str) -> Output {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ravelin.toml");
    fs::write(&file, config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_ravelin"))
        .arg("check")
        .arg(&file)
        .output()
        .unwrap()
}
