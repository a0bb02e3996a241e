//! A process that is heard as it runs, and leaves nothing behind.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::SOON;

/// How a process ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Checks the exit code, and that standard error has these texts.
    pub(crate) fn expect(&self, code: i32, said: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        for text in said {
            assert!(
                self.stderr.contains(text),
                "no \"{text}\" in: {}",
                self.stderr
            );
        }
    }
}

/// What the harness says to itself in the server's place when the server has ended.
pub(super) const ENDED: &str = "ended";

/// A process that is heard, and killed when dropped.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) stdout: Arc<Heard>,
    pub(super) stderr: Arc<Heard>,
    over: bool,
}

impl Process {
    /// Starts it. Where there is a socket, its end is said there.
    pub(super) fn start(command: &mut Command, socket: Option<PathBuf>) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!(
                "{} must be there: {error}",
                Path::new(command.get_program()).display()
            )
        });
        let stdout = Heard::listen(child.stdout.take().unwrap(), || {});
        let stderr = Heard::listen(child.stderr.take().unwrap(), move || {
            if let Some(socket) = socket {
                // The test may be over and the folder gone.
                let _ = UnixDatagram::unbound()
                    .unwrap()
                    .send_to(ENDED.as_bytes(), socket);
            }
        });
        Self {
            child,
            stdout,
            stderr,
            over: false,
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(super) fn wait(mut self) -> Ended {
        self.stderr.wait_ended();
        self.stdout.wait_ended();
        self.over = true;
        let status = self.child.wait().unwrap();
        let (stdout, stderr) = (self.stdout.so_far(), self.stderr.so_far());
        assert_clean(&stderr);
        Ended {
            status,
            stdout,
            stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let ended = self.child.try_wait().unwrap();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            report(&format!("the server said:\n{}", self.stderr.so_far()));
            return;
        }
        assert!(
            ended.is_none(),
            "it ended: {ended:?}\n{}",
            self.stderr.so_far()
        );
        assert_clean(&self.stderr.so_far());
    }
}

/// Says something about a test that fails.
#[allow(clippy::print_stderr, reason = "the runner shows it with the failure")]
fn report(what: &str) {
    eprintln!("{what}");
}

/// Neither a panic nor a `Debug` dump is on `stderr`.
pub(crate) fn assert_clean(stderr: &str) {
    for trace in [
        "panicked",
        "RUST_BACKTRACE",
        "Error {",
        "Err(",
        "Os {",
        "Some(",
        "kind: ",
    ] {
        assert!(!stderr.contains(trace), "a trace of {trace:?}: {stderr}");
    }
}

/// What comes out of a process, as it comes.
#[derive(Default)]
pub(super) struct Heard {
    text: Mutex<(String, bool)>,
    changed: Condvar,
}

impl Heard {
    fn listen(
        from: impl Read + Send + 'static,
        at_end: impl FnOnce() + Send + 'static,
    ) -> Arc<Self> {
        let heard = Arc::new(Self::default());
        let listener = heard.clone();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                listener
                    .text
                    .lock()
                    .unwrap()
                    .0
                    .push_str(&String::from_utf8_lossy(&line));
                listener.changed.notify_all();
                line.clear();
            }
            // Before anyone knows: the next server in this place listens on the same socket.
            at_end();
            listener.text.lock().unwrap().1 = true;
            listener.changed.notify_all();
        });
        heard
    }

    pub(super) fn so_far(&self) -> String {
        self.text.lock().unwrap().0.clone()
    }

    pub(super) fn wait<T>(&self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + SOON;
        let mut text = self.text.lock().unwrap();
        loop {
            if let Some(found) = found(&text.0) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !text.1,
                "\"{what}\" never came, but: {}",
                text.0
            );
            text = self.changed.wait_timeout(text, left).unwrap().0;
        }
    }

    fn wait_ended(&self) {
        let text = self.text.lock().unwrap();
        let (text, _) = self
            .changed
            .wait_timeout_while(text, SOON, |text| !text.1)
            .unwrap();
        assert!(text.1, "it does not end: {}", text.0);
    }
}
