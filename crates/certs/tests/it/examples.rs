//! The program in `examples/`, as its readers run it.

use std::process::Command;

#[test]
fn the_example_of_a_local_ca_lists_what_is_valid_and_leaves_out_what_was_revoked() {
    // Cargo builds it beside the tests.
    let tests = std::env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).unwrap().join("examples/inventory");
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(&example)
        .arg(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("cargo test builds {}: {error}", example.display()));
    assert!(output.status.success(), "{output:?}");
    let words = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = words.lines().collect();
    assert_eq!(lines.len(), 2, "{words}");
    assert!(lines[0].ends_with(" wiki.internal"), "{words}");
    // The intermediate is the other one that is valid.
    assert_eq!(lines[1], "2 valid, 1 revoked");
    assert!(folder.path().join("ca/root.pem").exists());
}
