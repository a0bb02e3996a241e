//! Other people's TLS: connections of openssl and gnutls over the loopback, with all that went over the
//! wire and the secrets that they logged.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// What the client asks for in the connections.
pub(crate) const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";

/// A server that answers requests with a page.
pub(crate) struct Server {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// What went over the wire, each way, and the lines that the client logged.
pub(crate) struct Connection {
    pub(crate) client: Vec<u8>,
    pub(crate) server: Vec<u8>,
    pub(crate) key_log: String,
}

impl Server {
    /// `openssl s_server` with these options, and a certificate of this kind of key (`-newkey`).
    pub(crate) fn openssl(new_key: &[&str], options: &[&str]) -> Self {
        let (folder, port) = (certificate(new_key), free_port());
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")])
            .args(["-cert", "cert.pem", "-key", "key.pem"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Self::start(command, folder, port, "ACCEPT")
    }

    /// `gnutls-serv` with these priorities.
    pub(crate) fn gnutls(priorities: &str) -> Self {
        let (folder, port) = (certificate(&["rsa:2048"]), free_port());
        let mut command = Command::new("gnutls-serv");
        command
            .args(["--http", "--port", &port.to_string()])
            .args(["--x509certfile", "cert.pem", "--x509keyfile", "key.pem"])
            .args(["--priority", priorities])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self::start(command, folder, port, "Server listening on IPv4")
    }

    fn start(mut command: Command, folder: TempDir, port: u16, ready: &str) -> Self {
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .expect("the server is installed");
        let output: Box<dyn Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(output), _) => Box::new(output),
            (None, errors) => Box::new(errors.unwrap()),
        };
        let mut output = BufReader::new(output);
        let mut said = String::new();
        while !said.contains(ready) {
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "{said}");
        }
        // What it says later must not stop it.
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Self {
            child,
            port,
            folder,
        }
    }

    /// A request of `openssl s_client` with these options.
    pub(crate) fn openssl_client(&self, options: &[&str]) -> Connection {
        self.connection(|port, key_log| {
            let mut command = Command::new("openssl");
            command
                .args(["s_client", "-quiet", "-keylogfile"])
                .arg(key_log)
                .args(["-connect", &format!("127.0.0.1:{port}")])
                .args(options);
            command
        })
    }

    /// A request of `gnutls-cli` with these priorities.
    pub(crate) fn gnutls_client(&self, priorities: &str) -> Connection {
        self.connection(|port, key_log| {
            let mut command = Command::new("gnutls-cli");
            command
                .args(["--insecure", "--port", &port.to_string()])
                .args(["--priority", priorities, "127.0.0.1"])
                .env("SSLKEYLOGFILE", key_log);
            command
        })
    }

    fn connection(&self, client: impl FnOnce(u16, &Path) -> Command) -> Connection {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let key_log: PathBuf = self.folder.path().join(format!("keys-{port}"));
        let mut command = client(port, &key_log);
        let mut child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client is installed");
        // Kept open until the answer is there: some clients leave when there is nothing more to say.
        let mut input = child.stdin.take().unwrap();
        input.write_all(REQUEST.as_bytes()).unwrap();
        let output = thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            // A client that never came must not be waited for.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
            output
        });
        let (near, _) = listener.accept().unwrap();
        let far = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let (from, to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let upwards = thread::spawn(move || relay(from, to));
        let server = relay(far, near);
        let client = upwards.join().unwrap();
        let output = output.join().unwrap();
        drop(input);
        let key_log = fs::read_to_string(&key_log)
            .unwrap_or_else(|error| panic!("{error}, after {command:?}: {output:?}"));
        Connection {
            client,
            server,
            key_log,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands on what comes, and keeps it.
fn relay(mut from: TcpStream, mut to: TcpStream) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while let Ok(octets @ 1..) = from.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..octets]);
        if to.write_all(&buffer[..octets]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    seen
}

/// A new folder with a key and a certificate of its own.
fn certificate(new_key: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let output = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-newkey"])
        .args(new_key)
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{output:?}");
    folder
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
