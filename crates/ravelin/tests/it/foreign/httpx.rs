//! httpx, which is told what to do step by step: `tests/peers/client.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::python;
use crate::server::Server;

/// One connection's worth of client, ended when dropped.
pub(crate) struct Httpx {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// A response as the client tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: u16,
    /// The client's port: another one is another connection.
    pub(crate) port: u16,
    pub(crate) length: usize,
    pub(crate) sha256: String,
}

impl Httpx {
    /// A client that speaks version 1 or 2 of HTTP.
    pub(crate) fn new(server: &Server, version: u8) -> Self {
        let (python, script) = python("client.py");
        let mut command = Command::new(python);
        server.place.furnish(&mut command);
        command
            .arg(script)
            .arg(server.port().to_string())
            .arg(server.place.root());
        command
            .arg(version.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    /// Has it do something, and returns what came of it. The client gives up after a minute.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        writeln!(self.input, "{command}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the client has ended at \"{command}\"");
        answer.trim_end().to_owned()
    }

    pub(crate) fn get(&mut self, path: &str) -> Told {
        Told::from(&self.ask(&format!("get {path}")))
    }

    /// Begins a download and reads a little of it.
    pub(crate) fn open(&mut self, path: &str) {
        let answer = self.ask(&format!("open {path}"));
        assert!(answer.starts_with("200 "), "{answer}");
        self.ask("read 1");
    }

    /// Ends the download and checks that all of `expected` came.
    pub(crate) fn assert_rest_is(&mut self, expected: &[u8]) {
        assert_eq!(
            self.ask("rest"),
            format!("{} {}", expected.len(), sha256(expected))
        );
    }
}

impl Told {
    pub(crate) fn from(answer: &str) -> Self {
        let words: Vec<_> = answer.split(' ').collect();
        let [status, port, length, sha256] = words[..] else {
            panic!("{answer}")
        };
        Self {
            status: status.parse().unwrap_or_else(|_| panic!("{answer}")),
            port: port.parse().unwrap(),
            length: length.parse().unwrap(),
            sha256: sha256.to_owned(),
        }
    }
}

impl Drop for Httpx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sha256(bytes: &[u8]) -> String {
    ravelin_pki::Fingerprint::of(bytes).to_string()
}
