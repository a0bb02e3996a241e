//! The programs in `examples/`, as their readers run them; openssl judges what they make.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::openssl::Openssl;

/// Cargo builds them beside the tests.
fn example(name: &str, arguments: &[&Path]) -> Output {
    let tests = std::env::current_exe().unwrap();
    let built: PathBuf = tests.ancestors().nth(2).unwrap().join("examples");
    Command::new(built.join(name))
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cargo test builds {name}: {error}"))
}

fn said(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The leaf and its root, as the first example makes them.
fn made() -> Openssl {
    let output = example("ca", &[]);
    assert!(output.status.success(), "{output:?}");
    let text = said(&output);
    let root = text.rfind("-----BEGIN").unwrap();
    let folder = Openssl::new();
    folder.write("leaf.pem", &text[..root]);
    folder.write("root.pem", &text[root..]);
    folder
}

#[test]
fn the_ca_in_twenty_lines_makes_what_openssl_takes() {
    let verify = "verify -x509_strict -purpose sslserver -verify_hostname wiki.corp.example.com \
                  -CAfile root.pem leaf.pem";
    made().run(verify).unwrap();
}

#[test]
fn the_example_that_verifies_says_yes_or_why_not() {
    let folder = made();
    let (leaf, root) = (folder.path("leaf.pem"), folder.path("root.pem"));
    let ask = |host: &str| example("verify", &[&leaf, &root, Path::new(host)]);
    let output = ask("wiki.corp.example.com");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said(&output), "yes\n");
    let output = ask("example.org");
    assert_eq!(output.status.code(), Some(1));
    let words = said(&output);
    assert!(words.ends_with("\nno\n"), "{words}");
    assert!(
        words.contains("\"example.org\" is not one of its names"),
        "{words}"
    );
    assert!(words.contains("(RFC 9525, section 6)"), "{words}");
}

#[test]
fn the_example_that_lints_names_rules_and_who_refuses() {
    let folder = made();
    let output = example("lint", &[&folder.path("leaf.pem")]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said(&output), "");
    folder
        .run("req -x509 -newkey rsa:1024 -noenc -keyout old.key -out old.pem -subj /CN=old -days 1")
        .unwrap();
    let words = said(&example("lint", &[&folder.path("old.pem")]));
    assert!(
        words.contains("RSA key of 1024 bits is too short"),
        "{words}"
    );
    let refused = "\nOpenSSL (strict) refuses it: ca-key-usage-missing";
    assert!(words.contains(refused), "{words}");
}
