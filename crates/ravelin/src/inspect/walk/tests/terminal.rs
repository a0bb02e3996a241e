//! That a panic gives the terminal back, and is told where it can be read.

use std::env;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use super::{OPTIONS, state, story};
use crate::inspect::walk::screen::Screen;

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new(package.join("../../.venv/bin/python"))
        .arg(package.join("tests/peers/walk.py"))
        .args(["80x24", "end"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg("inspect::walk::tests::terminal::panics")
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    assert_eq!(told["same"], true, "{told}");
    let shown = told["screens"][0]["lines"].to_string();
    assert!(shown.contains("ClientHello"), "{told}");
    let rest = told["rest"].as_str().unwrap();
    let left = rest.find("\u{1b}[?1049l").unwrap();
    let panicked = rest.find("it is a test").unwrap();
    assert!(left < panicked, "{rest:?}");
    assert_eq!(rest.matches("\u{1b}[?1049l").count(), 1, "{rest:?}");
    assert!(rest.contains("\u{1b}[?25h"), "the cursor is back: {rest:?}");
}

#[test]
#[ignore = "the test above runs it, on a terminal"]
fn panics() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    let mut screen = Screen::take().unwrap();
    screen.draw(&mut state).unwrap();
    std::io::stdin().read_exact(&mut [0]).unwrap();
    panic!("it is a test");
}
