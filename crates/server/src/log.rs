//! The access log: one line a request, written by a thread of its own.
//!
//! Workers never wait for it. Each has its own queue, and what does not fit is dropped, counted,
//! and said in the log itself.

mod entry;
mod file;
mod line;
mod queue;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

pub use entry::{Entry, Text, Tls};
pub use queue::LogSender;

use file::LogFile;
use queue::{Queue, Shared};
use writer::{Sink, Tell, Writer};

/// What the access log looks like and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// How a line looks.
    pub format: LogFormat,
    /// Where the lines go.
    pub target: LogTarget,
}

/// How a line of the access log looks. In both, what clients sent cannot end a line, close a
/// string or steer a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object a line: `time` (RFC 3339, UTC, milliseconds), `host`, `client`, `method`,
    /// `path` (with its query), `protocol`, `tls`, `suite`, `group`, `resumed`, `status`, `bytes`
    /// (of the body), `duration_us` (microseconds), `user_agent`, `referer`. What is not known or
    /// was not sent is left out. Lines that were lost leave `{"time":…,"dropped":17}`.
    #[default]
    Json,
    /// Apache's combined format, followed by the host in quotes, the TLS version, suite and group,
    /// `resumed` or `full`, and the microseconds taken. Lines that were lost leave
    /// `# … dropped 17 lines`.
    Combined,
}

/// Where the access log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// A file, which is appended to. It is made with mode 0640 where there is none.
    File {
        /// Its path.
        path: PathBuf,
        /// When and how it is set aside; never, where the log is rotated from outside.
        rotation: Option<Rotation>,
    },
}

/// A log file of at most `bytes` is followed by a fresh one: `access.log` becomes `access.log.1`,
/// that becomes `access.log.2`, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How long the file may become. A file shorter than 64 KiB may be exceeded by that much, since
    /// lines are written together.
    pub bytes: u64,
    /// How many old files are kept. With 0 the log begins anew in place of the old one.
    pub keep: u32,
}

/// What happens to a running access log that its operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNotice {
    /// Lines cannot be written, and why. They are lost until they can be; that is tried every second.
    Failing(String),
    /// The file is longer than it may get and cannot be set aside, and why. The log goes on in it.
    NotRotated(String),
    /// Lines are written again.
    Recovered {
        /// The lines that were lost since the last notice of this kind, for whatever reason.
        lost: u64,
    },
}

/// Why the access log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened or made.
    #[error("cannot open the access log \"{}\"", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gives no thread to write with.
    #[error("cannot start the thread of the access log")]
    Thread(#[source] io::Error),
}

/// The running access log. Dropping it writes what is queued, as [`AccessLog::shutdown`] does.
#[derive(Debug)]
pub struct AccessLog {
    shared: Arc<Shared>,
    path: Option<PathBuf>,
    thread: thread::Thread,
    /// In a mutex so that all workers can share the log; waited on once, at the end.
    done: Mutex<mpsc::Receiver<()>>,
}

impl AccessLog {
    /// Opens the target and starts the thread that writes. `tell` is called on that thread, when
    /// lines cannot be written (of that at most once a minute) and when they are again.
    pub fn start(
        options: LogOptions,
        tell: impl Fn(LogNotice) + Send + 'static,
    ) -> Result<Self, LogError> {
        let (sink, path): (Box<dyn Sink>, _) = match options.target {
            LogTarget::Stdout => (Box::new(io::stdout()), None),
            LogTarget::File { path, rotation } => (Box::new(open(&path, rotation)?), Some(path)),
        };
        Self::start_with(options.format, sink, path, Box::new(tell))
    }

    fn start_with(
        format: LogFormat,
        sink: Box<dyn Sink>,
        path: Option<PathBuf>,
        tell: Tell,
    ) -> Result<Self, LogError> {
        let shared = Arc::new(Shared::default());
        let (finished, done) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared), format, sink, tell);
        let handle = thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || {
                writer.run();
                // Nobody listens where the wait for it has ended.
                let _ = finished.send(());
            })
            .map_err(LogError::Thread)?;
        let thread = handle.thread().clone();
        Ok(Self {
            shared,
            path,
            thread,
            done: Mutex::new(done),
        })
    }

    /// A sender with a queue of its own. Take one for each worker, and clone it within that worker:
    /// clones share the queue.
    #[must_use]
    pub fn sender(&self) -> LogSender {
        let queue = Arc::new(Queue::default());
        self.shared.queues().push(Arc::clone(&queue));
        LogSender::new(queue, Arc::clone(&self.shared), self.thread.clone())
    }

    /// Opens the file by its name again, after something else has moved it away, and goes on in
    /// it. Where that fails, the log goes on where it was. Standard output stays.
    pub fn reopen(&self) -> Result<(), LogError> {
        if let Some(path) = &self.path {
            // Opened here, so that who asked for it hears why it failed.
            let file = file::open(path).map_err(|source| LogError::Open {
                path: path.clone(),
                source,
            })?;
            *self
                .shared
                .reopened
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(file);
            self.thread.unpark();
        }
        Ok(())
    }

    /// How many lines were lost since the start: the log was written too slowly, or not at all.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Writes all that was sent before, and ends the thread. Waits five seconds at most, where the
    /// target takes nothing; what is sent later is dropped.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.thread.unpark();
        // An error is the timeout, or a thread that has ended: nothing is left to wait for.
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = done.recv_timeout(SHUTDOWN_TIMEOUT);
    }
}

fn open(path: &std::path::Path, rotation: Option<Rotation>) -> Result<LogFile, LogError> {
    LogFile::open(path, rotation).map_err(|source| LogError::Open {
        path: path.to_owned(),
        source,
    })
}

const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
