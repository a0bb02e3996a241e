//! What lies between the workers and the thread that writes: a queue for each worker.
//!
//! Sending copies an entry's text into the queue's buffer behind a lock that only the writer's swap
//! of two vectors ever contends for. Keeping the entry itself would pin the read buffer that its
//! fields are slices of, which hyper then could not use again. Measured at 0.1 µs an entry, as much
//! as a bounded channel of entries.

use std::fs::File;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, SystemTime};

use http::Version;

use super::entry::{Entry, Tls};

/// Sends entries to the access log. Never waits.
#[derive(Debug, Clone)]
pub struct LogSender {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    writer: Thread,
}

impl LogSender {
    pub(super) fn new(queue: Arc<Queue>, shared: Arc<Shared>, writer: Thread) -> Self {
        Self {
            queue,
            shared,
            writer,
        }
    }

    /// Queues a request, or drops and counts it where the queue is full or the log has ended.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an entry is let go of once it is sent"
    )]
    pub fn send(&self, entry: Entry) {
        self.queue(|batch| batch.push(&entry));
    }

    /// Queues a line as it is, without a line break in it, or drops and counts it as [`LogSender::send`] does: for
    /// logs of what is no request.
    pub fn line(&self, line: &[u8]) {
        self.queue(|batch| batch.push_line(line));
    }

    fn queue(&self, push: impl FnOnce(&mut Batch) -> bool) {
        if self.shared.stopping.load(Ordering::Relaxed) || !push(&mut self.queue.lock()) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            self.shared.unreported.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // The lock of the queue orders this: either the writer's last look saw the entry, or this
        // sees that the writer went to sleep. Waking is a system call, so it is not done for a
        // writer that will look again by itself.
        if self.shared.asleep.load(Ordering::Relaxed)
            && self.shared.asleep.swap(false, Ordering::Relaxed)
        {
            self.writer.unpark();
        }
    }

    /// How many lines of the whole log were lost since its start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// What senders, the writer and the owner of the log share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    queues: Mutex<Vec<Arc<Queue>>>,
    /// Whether the writer waits to be woken.
    pub(super) asleep: AtomicBool,
    pub(super) stopping: AtomicBool,
    /// Lines lost since the start.
    pub(super) dropped: AtomicU64,
    /// Lines lost that the log does not yet tell of.
    pub(super) unreported: AtomicU64,
    /// The file to go on in.
    pub(super) reopened: Mutex<Option<File>>,
}

impl Shared {
    pub(super) fn queues(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries of one worker that are not yet written.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Batch>);

impl Queue {
    /// Exchanges what is queued for `empty`.
    pub(super) fn swap(&self, empty: &mut Batch) {
        std::mem::swap(&mut *self.lock(), empty);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().records.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Entries with their text in one buffer.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: Vec<u8>,
    records: Vec<Queued>,
}

/// What waits to be written.
#[derive(Debug)]
enum Queued {
    Request(Record),
    /// A line of so many bytes.
    Line(usize),
}

/// The same, with its text.
#[derive(Debug)]
pub(super) enum Written<'a> {
    Request(Line<'a>),
    Line(&'a [u8]),
}

impl Batch {
    fn push(&mut self, entry: &Entry) -> bool {
        if self.is_full() {
            return false;
        }
        let user_agent = entry.user_agent.as_ref().map(http::HeaderValue::as_bytes);
        let referer = entry.referer.as_ref().map(http::HeaderValue::as_bytes);
        let record = Record {
            time: entry.time,
            client: entry.client,
            version: entry.version,
            tls: entry.tls,
            status: entry.status.as_u16(),
            bytes: entry.bytes,
            duration: entry.duration,
            host: self.copy(entry.host.as_bytes()),
            method: self.copy(
                entry
                    .method
                    .as_ref()
                    .map_or("", |method| method.as_str())
                    .as_bytes(),
            ),
            path: self.copy(entry.path.as_bytes()),
            user_agent: self.copy(user_agent.unwrap_or_default()),
            referer: self.copy(referer.unwrap_or_default()),
        };
        self.records.push(Queued::Request(record));
        true
    }

    fn push_line(&mut self, line: &[u8]) -> bool {
        if self.is_full() {
            return false;
        }
        let line = &line[..line.len().min(FIELD_BYTES)];
        self.text.extend_from_slice(line);
        self.records.push(Queued::Line(line.len()));
        true
    }

    fn is_full(&self) -> bool {
        self.records.len() >= QUEUE_ENTRIES || self.text.len() >= QUEUE_BYTES
    }

    /// The length of what was copied.
    fn copy(&mut self, text: &[u8]) -> u16 {
        let text = &text[..text.len().min(FIELD_BYTES)];
        self.text.extend_from_slice(text);
        text.len() as u16
    }

    /// The entries in the order in which they were sent.
    pub(super) fn lines(&self) -> impl Iterator<Item = Written<'_>> {
        let mut text = self.text.as_slice();
        self.records.iter().map(move |queued| {
            let mut take = |length: usize| {
                let (taken, left) = text.split_at(length.min(text.len()));
                text = left;
                taken
            };
            match queued {
                Queued::Line(length) => Written::Line(take(*length)),
                Queued::Request(record) => Written::Request(Line {
                    record,
                    host: take(record.host.into()),
                    method: take(record.method.into()),
                    path: take(record.path.into()),
                    user_agent: take(record.user_agent.into()),
                    referer: take(record.referer.into()),
                }),
            }
        })
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
    }
}

/// The part of an entry that has a fixed size, and the lengths of its texts.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: SystemTime,
    pub(super) client: IpAddr,
    pub(super) version: Version,
    pub(super) tls: Option<Tls>,
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) duration: Duration,
    host: u16,
    method: u16,
    path: u16,
    user_agent: u16,
    referer: u16,
}

/// An entry as the writer sees it. A text that is empty was not sent.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) record: &'a Record,
    pub(super) host: &'a [u8],
    pub(super) method: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) user_agent: &'a [u8],
    pub(super) referer: &'a [u8],
}

/// The most of a path or header field that is kept. Longer ones are an attack or a mistake, and the
/// beginning tells which.
pub(super) const FIELD_BYTES: usize = 4096;

/// What one worker may have waiting: a tenth of a second at 80,000 requests a second.
pub(super) const QUEUE_ENTRIES: usize = 8192;

/// Bounds the memory of texts that are long: with the last entry at most 1 MiB and 20 KiB.
const QUEUE_BYTES: usize = 1024 * 1024;
