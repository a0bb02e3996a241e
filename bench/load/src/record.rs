//! A line for each operation, in the form of h2load's log file: start in microseconds since the
//! epoch, status, microseconds taken. `bench/run` reads both alike.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// All operations of a run. Written at its end, so that the disk does not slow the load.
pub(crate) struct Records {
    path: Option<PathBuf>,
    epoch: Duration,
    began: Instant,
    operations: Vec<(u64, u64)>,
}

impl Records {
    pub(crate) fn new(path: Option<&Path>) -> io::Result<Self> {
        // Two clocks read together: operations are timed by the monotonic one.
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(io::Error::other)?;
        Ok(Self {
            path: path.map(Path::to_path_buf),
            epoch,
            began: Instant::now(),
            operations: Vec::with_capacity(1 << 16),
        })
    }

    /// An operation that began at `begun` and is done now.
    pub(crate) fn done(&mut self, begun: Instant) {
        let start = self.epoch + begun.saturating_duration_since(self.began);
        self.operations
            .push((start.as_micros() as u64, begun.elapsed().as_micros() as u64));
    }

    pub(crate) fn len(&self) -> usize {
        self.operations.len()
    }

    /// The duration in microseconds that `share` (0 to 1) of the operations did not exceed.
    pub(crate) fn percentile(&self, share: f64) -> u64 {
        let mut durations: Vec<u64> = self.operations.iter().map(|(_, taken)| *taken).collect();
        durations.sort_unstable();
        let last = durations.len().saturating_sub(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "0 <= share <= 1"
        )]
        let index = (share * last as f64).round() as usize;
        durations.get(index).copied().unwrap_or(0)
    }

    pub(crate) fn finish(&self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut file = io::BufWriter::new(std::fs::File::create(path)?);
        for (start, taken) in &self.operations {
            writeln!(file, "{start}\t200\t{taken}")?;
        }
        file.flush()
    }
}
