//! Processes that are there to be killed: this test binary again, with one test of it to run.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that is killed (SIGKILL) when the value is dropped.
pub(crate) struct Victim {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Victim {
    /// Has `test` run in a process of its own, which finds `home` in `variable`, and waits until it is
    /// ready.
    pub(crate) fn start(test: &str, variable: &str, home: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(variable, home)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut victim = Self { process, output };
        victim.wait_for("ready");
        victim
    }

    pub(crate) fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while line.trim() != word {
            line.clear();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "the victim ended"
            );
        }
    }

    /// Kills it after so long, and gives the lines that it has said since it was waited for.
    pub(crate) fn kill_after(mut self, span: Duration) -> Vec<String> {
        let deadline = Instant::now() + span;
        // Sleeping is too coarse for steps of microseconds.
        while Instant::now() < deadline {
            std::hint::spin_loop();
        }
        self.kill();
        self.output.by_ref().lines().map(Result::unwrap).collect()
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
    }
}
