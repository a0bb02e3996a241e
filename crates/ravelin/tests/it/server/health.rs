//! What an attack may not cost: a server's memory, its time, and the answers of others.

use std::fs;
use std::time::{Duration, Instant};

use super::Server;
use crate::client::Client;

impl Server {
    /// The most memory that the server has held, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// CPU time that the server has used.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Checks that the server is there for others: a new client gets its answer within a second.
    /// Of three tries one has to do it, since the machine may be busy with other tests.
    pub(crate) fn assert_serves_others(&self) {
        let mut took = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            let answer = Client::connect(self).get("/index.html");
            assert_eq!((answer.status, &answer.body[..]), (200, &b"hello\n"[..]));
            took.push(begun.elapsed());
            if took.iter().any(|took| *took < Duration::from_secs(1)) {
                return;
            }
        }
        panic!("others wait too long: {took:?}");
    }

    /// Runs `attack` and checks that the server's memory has grown by less than `mebibytes`.
    pub(crate) fn assert_memory_bounded<T>(&self, mebibytes: u64, attack: impl FnOnce() -> T) -> T {
        // The first connection brings in code and tables that are no one's attack.
        self.assert_serves_others();
        let before = self.peak_memory();
        let result = attack();
        let grown = self.peak_memory().saturating_sub(before);
        assert!(grown < mebibytes * 1024, "memory grew by {grown} KiB");
        result
    }
}
