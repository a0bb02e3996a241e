//! `examples/axum.rs`, as curl sees it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

#[test]
fn a_router_answers_over_both_protocols_and_knows_the_connection() {
    let example = Example::start();
    for (option, version) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")] {
        let said = example.curl(&[option, "/"]);
        assert_eq!(
            said,
            format!("hello 127.0.0.1, over {version} and TLSv1.3\n")
        );
    }
    let said = example.curl(&["--tls-max", "1.2", "/"]);
    assert!(said.ends_with("TLSv1.2\n"), "{said}");
}

#[test]
fn a_router_takes_bodies() {
    let example = Example::start();
    // Longer than any window or buffer on the way.
    let body = "0123456789abcdef".repeat(64 * 1024);
    let file = example.home.path().join("body");
    std::fs::write(&file, &body).unwrap();
    let data = format!("@{}", file.display());
    for option in ["--http1.1", "--http2"] {
        let arguments = [option, "--data-binary", &data, "/echo"];
        assert!(example.curl(&arguments) == body, "{option}");
        let chunked = [
            option,
            "-H",
            "Transfer-Encoding: chunked",
            "--data-binary",
            &data,
            "/echo",
        ];
        assert!(example.curl(&chunked) == body, "{option}, chunked");
    }
}

#[test]
fn a_router_ends_when_it_is_told_to() {
    let mut example = Example::start();
    drop(example.process.stdin.take());
    assert!(example.process.wait().unwrap().success());
}

struct Example {
    process: Child,
    url: String,
    home: TempDir,
}

impl Example {
    fn start() -> Self {
        let home = TempDir::new().unwrap();
        // Built together with the tests, beside the folder that they are in.
        let deps = std::env::current_exe()
            .unwrap()
            .parent()
            .map(PathBuf::from)
            .unwrap();
        let program = deps.with_file_name("examples").join("axum");
        let mut process = Command::new(&program)
            .arg("127.0.0.1:0")
            .env("RAVELIN_HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{}: {error} (cargo build --workspace --examples makes it)",
                    program.display()
                )
            });
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.split(' ').next().unwrap().to_owned();
        assert!(url.starts_with("https://localhost:"), "{line}");
        Self { process, url, home }
    }

    /// What curl gets; the last argument is the path.
    fn curl(&self, arguments: &[&str]) -> String {
        let (path, options) = arguments.split_last().unwrap();
        let mut curl = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--max-time",
                "20",
                "--ipv4",
                "--cacert",
            ])
            .arg(self.home.path().join("ca/root.pem"))
            .args(options)
            .arg(format!("{}{path}", self.url))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        curl.stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(curl.wait().unwrap().success(), "{arguments:?}");
        said
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
