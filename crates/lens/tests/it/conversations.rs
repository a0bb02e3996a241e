//! Connections of other TLS libraries, recorded between them: what they derived and wrote down is what we
//! derive, and what they sent is what we read.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::digest::Octets;
use ravelin_lens::knowledge::{Knowledge, Psk};
use ravelin_lens::ledger::Side;
use ravelin_lens::schedule::tls13::PskKind;
use ravelin_lens::story::{Story, What};

use crate::rfc8448::octets;

mod export;
mod gnutls;
mod nss;
pub(crate) mod openssl;
mod openssl_trace;
mod python;
mod sm4;
mod talks;
mod tshark;

/// How long a program may take for what it was asked.
const PATIENCE: Duration = Duration::from_secs(15);

/// A program that talks, and what it said so far.
struct Program {
    child: Child,
    output: Arc<(Mutex<String>, Condvar)>,
    /// How much of it was heard.
    heard: usize,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let mut streams: Vec<Box<dyn std::io::Read + Send>> = Vec::new();
        streams.extend(child.stdout.take().map(|it| Box::new(it) as Box<_>));
        streams.extend(child.stderr.take().map(|it| Box::new(it) as Box<_>));
        for mut stream in streams {
            let output = Arc::clone(&output);
            std::thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(octets @ 1..) = stream.read(&mut piece) {
                    let text = String::from_utf8_lossy(&piece[..octets]);
                    output.0.lock().unwrap().push_str(&text);
                    output.1.notify_all();
                }
            });
        }
        let heard = 0;
        Self {
            child,
            output,
            heard,
        }
    }

    fn say(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// Waits until it says `words`, behind what was heard before, and gives all that it said.
    fn hear(&mut self, words: &str) -> String {
        let (output, changed) = &*self.output;
        let output = output.lock().unwrap();
        let heard = self.heard;
        let lacks = |output: &mut String| !output[heard..].contains(words);
        let (output, time_out) = changed.wait_timeout_while(output, PATIENCE, lacks).unwrap();
        let all = output.clone();
        drop(output);
        assert!(!time_out.timed_out(), "no {words:?} in: {all}");
        self.heard += all[heard..].find(words).unwrap() + words.len();
        all
    }

    fn leave(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What passed between two programs.
#[derive(Debug, Clone)]
enum Passed {
    Octets(Side, SystemTime, Vec<u8>),
    End(Side),
}

/// Stands between a client and a server, and keeps what passes.
struct Recorder {
    address: SocketAddr,
    thread: JoinHandle<Vec<Vec<Passed>>>,
}

impl Recorder {
    /// For so many connections to `server`, one after the other.
    fn start(server: SocketAddr, connections: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let record = move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(server).unwrap();
            let kept = Arc::new(Mutex::new(Vec::new()));
            let back = {
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || pass(Side::Server, from, to, &kept))
            };
            pass(Side::Client, client, server, &kept);
            back.join().unwrap();
            let kept = kept.lock().unwrap();
            kept.clone()
        };
        let thread = std::thread::spawn(move || (0..connections).map(|_| record()).collect());
        Self { address, thread }
    }

    /// All that passed, once both sides are done.
    fn finish(self) -> Vec<Vec<Passed>> {
        self.thread.join().unwrap()
    }
}

fn pass(side: Side, mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<Passed>>) {
    let mut piece = [0; 16 * 1024];
    while let Ok(octets @ 1..) = from.read(&mut piece) {
        let piece = &piece[..octets];
        let passed = Passed::Octets(side, SystemTime::now(), piece.to_vec());
        kept.lock().unwrap().push(passed);
        if to.write_all(piece).is_err() {
            break;
        }
    }
    kept.lock().unwrap().push(Passed::End(side));
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// A connection, recorded, and what is known of it.
pub(crate) struct Recording {
    passed: Vec<Passed>,
    pub(crate) known: Known,
}

/// What a key log says, and what is known from before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// By client random and label.
    lines: HashMap<(Vec<u8>, String), Octets>,
}

impl Known {
    fn read(key_log: &Path) -> Self {
        Self::of(&std::fs::read_to_string(key_log).unwrap())
    }

    fn of(text: &str) -> Self {
        let mut known = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<_> = line.split(' ').collect();
            let [label, random, secret] = words[..] else {
                panic!("{line}");
            };
            let place = (octets(random).to_vec(), label.to_owned());
            known.lines.insert(place, octets(secret));
        }
        known
    }
}

impl Knowledge for Known {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let place = (client_random.to_vec(), label.to_owned());
        self.lines.get(&place).cloned()
    }
}

impl Recording {
    fn tell(&self) -> Story {
        self.tell_to(&self.known, Limits::default())
    }

    fn tell_to(&self, knowledge: impl Knowledge, limits: Limits) -> Story {
        let mut connection = Connection::new(knowledge, limits);
        for passed in &self.passed {
            match passed {
                Passed::Octets(side, at, octets) => connection.receive(*side, *at, octets),
                Passed::End(side) => connection.ended(*side, false),
            }
        }
        connection.finish()
    }
}

/// What a key log does not say, and does not let follow.
const NOT_LOGGED: &[&str] = &[
    "PSK",
    "early_secret",
    "shared_secret",
    "derived",
    "handshake_secret",
    "main_secret",
    "resumption_secret",
    "PSK of the ticket",
    "premaster_secret",
];

fn is_said(story: &Story, side: Side, words: &str) {
    let said = story.steps.iter().any(|step| {
        let text = String::from_utf8_lossy(&step.bytes);
        step.side == side && step.what == What::ApplicationData && text.contains(words)
    });
    assert!(said, "{side:?} {words}");
}

/// Two that share a key, which the log does not have.
struct Shared;

const SHARED_KEY: &str = "a1a2a3a4a5a6a7a8a9aaabacadaeafb0";

impl Knowledge for Shared {
    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        (identity == b"friend").then(|| Psk {
            key: octets(SHARED_KEY),
            kind: PskKind::External,
        })
    }
}

/// A folder with a certificate and a key, and what the programs write.
struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    /// With a key by the arguments of `openssl req`, such as `rsa:2048`.
    fn new(key: &[&str]) -> Self {
        let shop = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(key)
            .arg("-keyout")
            .arg(shop.path("key.pem"))
            .arg("-out")
            .arg(shop.path("certificate.pem"))
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{made:?}");
        shop
    }

    fn rsa() -> Self {
        Self::new(&["-newkey", "rsa:2048"])
    }

    fn ecdsa() -> Self {
        Self::new(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
