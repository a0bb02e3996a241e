//! `ravelin inspect`: servers of others looked at, and clients of others that look for a server.

mod captures;
mod clients;
mod exports;
mod failing;
mod servers;
mod starttls;
mod transparency;
mod walk;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use crate::server::{Place, free_port, wait_until};

/// A server of somebody else, killed when dropped.
pub(crate) struct Peer {
    child: Child,
    port: u16,
}

impl Peer {
    /// Starts a program that listens on a port that it is told, and waits until it does.
    pub(crate) fn start(
        place: &Place,
        program: &str,
        arguments: impl FnOnce(&str) -> Vec<String>,
    ) -> Self {
        let port = free_port();
        Self::start_at(place, port, program, || arguments(&port.to_string()))
    }

    /// The same, at a port that was chosen before.
    pub(crate) fn start_at(
        place: &Place,
        port: u16,
        program: &str,
        arguments: impl FnOnce() -> Vec<String>,
    ) -> Self {
        let mut command = Command::new(program);
        place.furnish(&mut command);
        let child = command
            .args(arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} must be there: {error}"));
        let peer = Self { child, port };
        wait_until("the server listens", || is_listened_to(port));
        peer
    }

    /// `openssl s_server` with a certificate for `localhost`, and these arguments.
    pub(crate) fn s_server(place: &Place, arguments: &[&str]) -> Self {
        certify(place);
        Self::start(place, "openssl", |port| {
            let mut all = vec![
                "s_server", "-accept", port, "-cert", "c.pem", "-key", "k.pem",
            ];
            all.extend(arguments);
            all.into_iter().map(str::to_owned).collect()
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Types this where the program reads what people type.
    pub(crate) fn tell(&mut self, words: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(words.as_bytes()).unwrap();
    }
}

/// Whether somebody listens, as the kernel has it: who connects is a first client, and who tries to bind may have
/// the port just when the server wants it.
fn is_listened_to(port: u16) -> bool {
    const LISTENS: &str = "0A";
    let end = format!(":{port:04X}");
    let is_here = |line: &str| {
        let mut words = line.split_whitespace().skip(1).step_by(2);
        words.next().is_some_and(|local| local.ends_with(&end)) && words.next() == Some(LISTENS)
    };
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        let sockets = fs::read_to_string(table).unwrap_or_default();
        sockets.lines().any(is_here)
    })
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes `root.pem`, and `c.pem` with `k.pem` from it, for `localhost`.
pub(crate) fn certify(place: &Place) {
    let make = |arguments: &[&str]| crate::foreign::run(place, "openssl", arguments).well();
    make(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
        "-subj",
        "/CN=root",
        "-days",
        "30",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign",
    ]);
    make(&[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "k.pem",
        "-out",
        "c.csr",
        "-subj",
        "/CN=localhost",
    ]);
    place.write(
        "c.ext",
        "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n\
         extendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\n\
         authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n",
    );
    make(&[
        "x509",
        "-req",
        "-in",
        "c.csr",
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-CAcreateserial",
        "-days",
        "20",
        "-extfile",
        "c.ext",
        "-out",
        "c.pem",
    ]);
}

/// `ravelin inspect` of a server, with the root of [`certify`] trusted: the exit code, and both outputs.
fn inspect(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let mut all = vec!["inspect"];
    if !arguments.contains(&"--lang") {
        all.extend(["--lang", "en"]);
    }
    if !arguments.contains(&"--detail") && !arguments.contains(&"--json") {
        all.extend(["--detail", "brief"]);
    }
    all.extend(arguments);
    let ended = place.run(&all);
    let code = ended.status.code().unwrap_or(-1);
    (code, ended.stdout, ended.stderr)
}

/// Checks the exit code, and that standard output has these texts.
fn expect(ran: &(i32, String, String), code: i32, told: &[&str]) {
    assert_eq!(ran.0, code, "{}\n{}", ran.1, ran.2);
    for text in told {
        assert!(
            ran.1.contains(text),
            "no \"{text}\" in: {}\n{}",
            ran.1,
            ran.2
        );
    }
}

/// A server that does this with its first client.
fn scripted(
    act: impl FnOnce(std::net::TcpStream) + Send + 'static,
) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(crate::server::PATIENCE))
            .unwrap();
        act(stream);
    });
    (address, thread)
}

/// Reads what a client sends at once.
fn read_some(mut stream: &std::net::TcpStream) -> Vec<u8> {
    let mut buffer = vec![0; 16 << 10];
    let read = stream.read(&mut buffer).unwrap();
    buffer.truncate(read);
    buffer
}
