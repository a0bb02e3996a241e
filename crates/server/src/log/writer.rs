//! The thread that writes the access log.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::line::Lines;
use super::queue::{Batch, Queue, Shared, Written};
use super::{LogFormat, LogNotice};

/// Takes the lines.
pub(super) trait Sink: Send {
    /// Writes some of `lines`, as `write(2)` does; called again with what is left.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize>;

    /// Comes before `bytes` that are about to be written.
    fn make_room(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    /// Goes on in another file.
    fn replace(&mut self, _file: File) {}
}

impl Sink for io::Stdout {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        // Past the buffer of `Stdout`, which would say that it took what it could not write.
        Ok(rustix::io::write(self.as_fd(), lines)?)
    }
}

/// Is told what the operator should know.
pub(super) type Tell = Box<dyn Fn(LogNotice) + Send>;

pub(super) struct Writer {
    shared: Arc<Shared>,
    sink: Box<dyn Sink>,
    lines: Lines,
    /// Lines not yet given to the sink.
    buffer: Vec<u8>,
    /// An empty batch, kept for its memory.
    spare: Batch,
    /// Whether the last write ended within a line.
    torn: bool,
    /// When to try again after a failure.
    retry: Option<Instant>,
    tell: Tell,
    /// When the operator was last told of a failure.
    told: Option<Instant>,
    /// Whether the operator believes that lines cannot be written.
    failing: bool,
    /// The lines lost that the operator knows of.
    known_lost: u64,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        format: LogFormat,
        sink: Box<dyn Sink>,
        tell: Tell,
    ) -> Self {
        Self {
            shared,
            sink,
            lines: Lines::new(format),
            buffer: Vec::new(),
            spare: Batch::default(),
            torn: false,
            retry: None,
            tell,
            told: None,
            failing: false,
            known_lost: 0,
        }
    }

    /// Writes until the log is stopped and all that was sent before is written.
    pub(super) fn run(mut self) {
        loop {
            // Before the queues: what was sent before the stop is then in them.
            let stopping = self.shared.stopping.load(Ordering::Acquire);
            if stopping {
                self.retry = None;
            }
            let reopened = self
                .shared
                .reopened
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(file) = reopened {
                self.sink.replace(file);
                (self.torn, self.retry) = (false, None);
            }

            let busy = self.drain();
            self.report_dropped();
            self.flush();

            if stopping {
                return;
            }
            if busy {
                // More is coming. Looking again after a while instead of waiting for it spares the
                // workers the system call that would wake this thread, for all but the first.
                thread::sleep(NAP);
            } else {
                self.sleep();
            }
        }
    }

    /// Turns all that is queued into lines; whether there was anything.
    fn drain(&mut self) -> bool {
        let queues: Vec<Arc<Queue>> = {
            let mut queues = self.shared.queues();
            // A queue that only this list holds has lost its last sender.
            queues.retain(|queue| Arc::strong_count(queue) > 1 || !queue.is_empty());
            queues.clone()
        };
        let mut busy = false;
        for queue in queues {
            let mut batch = std::mem::take(&mut self.spare);
            queue.swap(&mut batch);
            busy |= batch.len() > 0;
            if self.is_waiting_to_retry() {
                self.count_dropped(batch.len() as u64);
            } else {
                for line in batch.lines() {
                    match line {
                        Written::Request(line) => self.lines.push(&mut self.buffer, &line),
                        Written::Line(line) => {
                            self.buffer.extend_from_slice(line);
                            self.buffer.push(b'\n');
                        }
                    }
                    if self.buffer.len() >= BUFFER_BYTES {
                        self.flush();
                    }
                }
            }
            batch.clear();
            self.spare = batch;
        }
        busy
    }

    fn report_dropped(&mut self) {
        if self.is_waiting_to_retry() {
            return;
        }
        let dropped = self.shared.unreported.swap(0, Ordering::Relaxed);
        if dropped == 0 {
            return;
        }
        self.flush();
        self.lines
            .push_dropped(&mut self.buffer, SystemTime::now(), dropped);
        // A report that was not written is made again, with what was lost meanwhile.
        if self.write().is_err() {
            self.shared.unreported.fetch_add(dropped, Ordering::Relaxed);
        }
        self.buffer.clear();
    }

    fn flush(&mut self) {
        if let Err(unwritten) = self.write() {
            self.count_dropped(unwritten);
        }
        self.buffer.clear();
    }

    /// Gives the buffer to the sink. The error is the number of lines that were not written whole.
    fn write(&mut self) -> Result<(), u64> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let lines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
        if self.is_waiting_to_retry() {
            return Err(lines(&self.buffer));
        }
        if let Err(error) = self.sink.make_room(self.buffer.len() as u64) {
            self.tell_not_rotated(&error);
        }
        if self.torn {
            match self.sink.write(b"\n") {
                Ok(1..) => self.torn = false,
                Ok(0) => return Err(self.failed(&io::ErrorKind::WriteZero.into(), 0)),
                Err(error) => return Err(self.failed(&error, 0)),
            }
        }
        let mut written = 0;
        while written < self.buffer.len() {
            match self.sink.write(&self.buffer[written..]) {
                Ok(0) => return Err(self.failed(&io::ErrorKind::WriteZero.into(), written)),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(&error, written)),
            }
        }
        self.retry = None;
        self.tell_recovered();
        Ok(())
    }

    /// Notes a failure after `written` bytes of the buffer; how many lines were not written whole.
    fn failed(&mut self, error: &io::Error, written: usize) -> u64 {
        self.retry = Some(Instant::now() + RETRY);
        self.tell_failing(error);
        if written > 0 {
            self.torn = self.buffer.get(written - 1) != Some(&b'\n');
        }
        let unwritten = self.buffer.get(written..).unwrap_or_default();
        memchr::memchr_iter(b'\n', unwritten).count() as u64
    }

    fn tell_failing(&mut self, error: &io::Error) {
        let lately = self.told.is_some_and(|told| told.elapsed() < QUIET);
        if !self.failing && !lately {
            (self.failing, self.told) = (true, Some(Instant::now()));
            (self.tell)(LogNotice::Failing(error.to_string()));
        }
    }

    fn tell_not_rotated(&mut self, error: &io::Error) {
        if self.told.is_none_or(|told| told.elapsed() >= QUIET) {
            self.told = Some(Instant::now());
            (self.tell)(LogNotice::NotRotated(error.to_string()));
        }
    }

    fn tell_recovered(&mut self) {
        if self.failing {
            self.failing = false;
            let dropped = self.shared.dropped.load(Ordering::Relaxed);
            let lost = dropped - self.known_lost;
            self.known_lost = dropped;
            (self.tell)(LogNotice::Recovered { lost });
        }
    }

    fn count_dropped(&self, lines: u64) {
        self.shared.dropped.fetch_add(lines, Ordering::Relaxed);
        self.shared.unreported.fetch_add(lines, Ordering::Relaxed);
    }

    fn is_waiting_to_retry(&self) -> bool {
        self.retry.is_some_and(|retry| Instant::now() < retry)
    }

    /// Waits until a sender or the owner of the log wakes this thread, or until it is time to try
    /// again.
    fn sleep(&self) {
        self.shared.asleep.store(true, Ordering::Relaxed);
        // The last look: what came since the queues were drained and did not see `asleep`.
        if self.shared.queues().iter().all(|queue| queue.is_empty()) {
            match self
                .retry
                .map(|retry| retry.saturating_duration_since(Instant::now()))
            {
                Some(left) => thread::park_timeout(left.max(NAP)),
                None => thread::park(),
            }
        }
        self.shared.asleep.store(false, Ordering::Relaxed);
    }
}

/// How long lines may lie in a queue while there is work.
const NAP: Duration = Duration::from_millis(5);

/// How long a target that failed is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// A target that fails and recovers by turns is told of this often.
const QUIET: Duration = Duration::from_secs(60);

/// Lines are written together, up to about so many bytes.
const BUFFER_BYTES: usize = 64 * 1024;
