//! The loads: many connections at a time in one thread, woken by epoll.

use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use rustls::ClientConfig;

use crate::client::{ClientOptions, Resumption, Target};
use crate::connection::{Connection, Progress};
use crate::record::Records;

/// How many connections at a time, and for how long new ones are begun.
pub(crate) struct Pace {
    pub(crate) concurrency: usize,
    pub(crate) duration: Duration,
}

/// What a load came to; a line of JSON for `bench/run`.
pub(crate) struct Summary {
    pub(crate) operations: usize,
    pub(crate) errors: usize,
    /// The first few errors, in words.
    pub(crate) examples: Vec<String>,
    seconds: f64,
    p50: u64,
    p99: u64,
}

/// Why one operation failed. The run goes on; the count of these is in its summary.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    #[error("cannot send")]
    Write(#[source] io::Error),
    #[error("cannot read")]
    Read(#[source] io::Error),
    #[error("TLS failed")]
    Tls(#[from] rustls::Error),
    #[error("the handshake was not resumed")]
    NotResumed,
    #[error("the answer was \"{0}\"")]
    Status(String),
    #[error("the response has no Content-Length")]
    NoLength,
    #[error("the body is longer than its Content-Length")]
    TooLong,
    #[error("the server closed the connection before the end of the response")]
    Truncated,
    #[error("the server closed the connection while it was idle")]
    ClosedIdle,
    #[error("no end within {} s", PATIENCE.as_secs())]
    Stuck,
}

/// Why a load cannot run at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("\"{0}\" is not a name for TLS")]
    Name(String),
    #[error("cannot make the X25519 key share")]
    KeyShare,
    #[error("cannot set TLS up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// How long nothing at all may happen before the operations under way count as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects, asks once and lets the server close, over and over at the given pace.
pub(crate) fn repeat(
    target: &Target,
    options: &ClientOptions,
    pace: &Pace,
    records: &mut Records,
) -> Result<Summary, LoadError> {
    let resumes = options.resumption == Resumption::Always;
    // The first connections of a resuming load have no ticket to show: they fetch it.
    let uncounted = if resumes { pace.concurrency as u64 } else { 0 };
    let mut crowd = Crowd::new(target, options.config()?, pace.concurrency)?;
    let mut failures = Failures::default();
    let began = Instant::now();
    for slot in 0..pace.concurrency {
        failures.note(crowd.begin(slot));
    }
    while crowd.is_busy() {
        for (slot, outcome) in crowd.wait(Until::Closed)? {
            match outcome {
                Ok(ended) if ended.nth < uncounted => {}
                Ok(ended) if resumes && !ended.connection.was_resumed() => {
                    failures.note(Err(OperationError::NotResumed));
                }
                Ok(ended) => records.done(ended.connection.begun),
                Err(error) => failures.note(Err(error)),
            }
            if began.elapsed() < pace.duration {
                failures.note(crowd.begin(slot));
            }
        }
    }
    Ok(Summary::new(records, failures, began.elapsed()))
}

/// Opens connections that ask once each, calls `open` when all are, and holds them until standard
/// input ends. One that the server has closed by then is an error.
pub(crate) fn hold_idle(
    target: &Target,
    options: &ClientOptions,
    connections: usize,
    records: &mut Records,
    open: impl FnOnce(&Summary),
) -> Result<Summary, LoadError> {
    // More at a time would only fill the server's queue of new connections.
    const AT_A_TIME: usize = 16;
    let mut crowd = Crowd::new(target, options.config()?, AT_A_TIME)?;
    let mut failures = Failures::default();
    let mut idle = Vec::with_capacity(connections);
    let began = Instant::now();
    let mut to_begin = connections;
    for slot in 0..AT_A_TIME.min(connections) {
        failures.note(crowd.begin(slot));
        to_begin -= 1;
    }
    while crowd.is_busy() {
        for (slot, outcome) in crowd.wait(Until::Answered)? {
            match outcome {
                Ok(ended) => {
                    records.done(ended.connection.begun);
                    idle.push(ended.connection);
                }
                Err(error) => failures.note(Err(error)),
            }
            if to_begin > 0 {
                failures.note(crowd.begin(slot));
                to_begin -= 1;
            }
        }
    }
    let seconds = began.elapsed();
    open(&Summary::new(records, Failures::default(), seconds));
    io::stdin().read_to_end(&mut Vec::new())?;
    for mut connection in idle {
        match connection.advance() {
            Ok(Progress::Answered) => {}
            Ok(_) => failures.note(Err(OperationError::ClosedIdle)),
            Err(error) => failures.note(Err(error)),
        }
    }
    Ok(Summary::new(records, failures, seconds))
}

/// The connections under way, each in a slot, and the poll that wakes them.
struct Crowd<'a> {
    target: &'a Target,
    config: Arc<ClientConfig>,
    poll: Poll,
    events: Events,
    slots: Vec<Option<Numbered>>,
    busy: usize,
    begun: u64,
}

/// A connection and how many were begun before it.
struct Numbered {
    connection: Connection,
    nth: u64,
}

/// What a connection is waited for to come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Answered,
    Closed,
}

impl<'a> Crowd<'a> {
    fn new(target: &'a Target, config: Arc<ClientConfig>, size: usize) -> io::Result<Self> {
        Ok(Self {
            target,
            config,
            poll: Poll::new()?,
            events: Events::with_capacity(256),
            slots: (0..size).map(|_| None).collect(),
            busy: 0,
            begun: 0,
        })
    }

    fn is_busy(&self) -> bool {
        self.busy > 0
    }

    /// Begins a connection in an empty slot. If that fails the slot stays empty.
    fn begin(&mut self, slot: usize) -> Result<(), OperationError> {
        let nth = self.begun;
        self.begun += 1;
        let site = self.target.site(nth);
        let connection = Connection::begin(self.target.address, site, &self.config)?;
        connection
            .register(self.poll.registry(), Token(slot))
            .map_err(OperationError::Connect)?;
        self.slots[slot] = Some(Numbered { connection, nth });
        self.busy += 1;
        Ok(())
    }

    /// Waits for something to happen; the slots whose connections ended, now empty.
    fn wait(
        &mut self,
        until: Until,
    ) -> Result<Vec<(usize, Result<Numbered, OperationError>)>, LoadError> {
        self.poll.poll(&mut self.events, Some(PATIENCE))?;
        let mut ended = Vec::new();
        for event in &self.events {
            let slot = event.token().0;
            let Some(mut waiting) = self.slots[slot].take() else {
                continue;
            };
            let outcome = match (waiting.connection.advance(), until) {
                (Ok(Progress::Closed), Until::Answered) => Err(OperationError::ClosedIdle),
                (Ok(Progress::Closed), Until::Closed)
                | (Ok(Progress::Answered), Until::Answered) => Ok(waiting),
                (Ok(_), _) => {
                    self.slots[slot] = Some(waiting);
                    continue;
                }
                (Err(error), _) => Err(error),
            };
            self.busy -= 1;
            if let Ok(waiting) = &outcome {
                waiting.connection.deregister(self.poll.registry())?;
            }
            ended.push((slot, outcome));
        }
        if self.events.is_empty() {
            for (slot, waiting) in self.slots.iter_mut().enumerate() {
                if waiting.take().is_some() {
                    self.busy -= 1;
                    ended.push((slot, Err(OperationError::Stuck)));
                }
            }
        }
        Ok(ended)
    }
}

/// The operations that failed: how many, and the first few in words.
#[derive(Default)]
struct Failures {
    count: usize,
    examples: Vec<String>,
}

impl Failures {
    const EXAMPLES: usize = 5;

    fn note(&mut self, outcome: Result<(), OperationError>) {
        let Err(error) = outcome else { return };
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES {
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            self.examples.push(format!("{error}{cause}"));
        }
    }
}

impl Summary {
    fn new(records: &Records, failures: Failures, took: Duration) -> Self {
        Self {
            operations: records.len(),
            errors: failures.count,
            examples: failures.examples,
            seconds: took.as_secs_f64(),
            p50: records.percentile(0.50),
            p99: records.percentile(0.99),
        }
    }

    pub(crate) fn json(&self) -> String {
        let Self {
            operations,
            errors,
            seconds,
            p50,
            p99,
            ..
        } = self;
        format!(
            r#"{{"operations":{operations},"seconds":{seconds:.6},"errors":{errors},"p50_us":{p50},"p99_us":{p99}}}"#
        )
    }
}
