//! Programs of others, who judge what we serve. One that is missing fails the test.

pub(crate) mod httpx;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::client::Response;
use crate::server::{Place, Server};

/// What a program said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    /// What it printed, as text, whatever that was.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Checks that it was content.
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.text(), self.stderr);
        self
    }
}

/// Runs a program with the environment of `place`, for a minute at most.
pub(crate) fn run(place: &Place, program: &str, arguments: &[&str]) -> Ran {
    run_with_input(place, program, arguments, Stdio::null())
}

pub(crate) fn run_with_input(
    place: &Place,
    program: &str,
    arguments: &[&str],
    input: Stdio,
) -> Ran {
    run_for(place, 60, program, arguments, input)
}

/// The same for so many seconds at most.
pub(crate) fn run_for(
    place: &Place,
    seconds: u32,
    program: &str,
    arguments: &[&str],
    input: Stdio,
) -> Ran {
    let mut command = Command::new("timeout");
    place.furnish(&mut command);
    let output = command
        .arg(seconds.to_string())
        .arg(program)
        .args(arguments)
        .stdin(input)
        .output()
        .unwrap();
    let code = output.status.code().unwrap_or(-1);
    assert!(
        !matches!(code, 126 | 127),
        "{program} must be installed: ./test does it"
    );
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_ne!(
        code, 124,
        "{program} took more than {seconds} seconds: {stderr}"
    );
    Ran {
        code,
        stdout: output.stdout,
        stderr,
    }
}

/// A Python program beside these tests, in the environment that `./test` makes, with the libraries
/// that it installs there.
pub(crate) fn python(script: &str) -> (PathBuf, PathBuf) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = package.join("../../.venv/bin/python");
    assert!(
        python.exists(),
        "there is no .venv in the repository: ./test makes it"
    );
    (python, package.join("tests/peers").join(script))
}

/// Runs a Python program beside these tests to its end.
pub(crate) fn run_python(place: &Place, script: &str, arguments: &[&str]) -> Ran {
    let (python, script) = python(script);
    let mut all = vec![script.to_str().unwrap()];
    all.extend(arguments);
    run(place, python.to_str().unwrap(), &all)
}

/// curl, which knows the local root, with these arguments more.
pub(crate) fn curl(server: &Server, arguments: &[&str]) -> Ran {
    let root = server.place.root();
    let mut all = vec![
        "-sS",
        "-4",
        "--max-time",
        "50",
        "--cacert",
        root.to_str().unwrap(),
    ];
    all.extend(arguments);
    run(&server.place, "curl", &all)
}

/// The response that curl gets for a path, or a URL.
pub(crate) fn fetch(server: &Server, path: &str, arguments: &[&str]) -> Response {
    let url = if path.starts_with('/') {
        server.url(path)
    } else {
        path.to_owned()
    };
    let mut all = vec!["-i", url.as_str()];
    all.extend(arguments);
    response(&curl(server, &all).well().stdout)
}

/// Takes apart what `curl -i` printed. Of several responses, interim ones or a proxy's, the last
/// one counts.
fn response(printed: &[u8]) -> Response {
    let end = printed
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a header");
    let mut response = Response::of(str::from_utf8(&printed[..end]).unwrap());
    let body = &printed[end + 4..];
    if response.status < 200 {
        return self::response(body);
    }
    body.clone_into(&mut response.body);
    response
}
