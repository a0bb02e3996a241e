//! The loads: many connections at a time in one thread, woken by epoll.

use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use rustls::ClientConfig;

use crate::client::{ClientOptions, Protocol, Target, TicketQueue};
use crate::connection::{Connection, Progress};
use crate::kept::Kept;
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
    #[error("the server did not agree to the protocol")]
    Protocol,
    #[error("HTTP/2: {0}")]
    Http2(&'static str),
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
pub(crate) fn handshake(
    target: &Target,
    options: &ClientOptions,
    pace: &Pace,
    records: &mut Records,
) -> Result<Summary, LoadError> {
    let mut crowd = Crowd::new(
        target,
        options.config(Protocol::Http1, None)?,
        pace.concurrency,
    )?;
    let mut failures = Failures::default();
    let began = Instant::now();
    crowd.churn(
        |_| began.elapsed() < pace.duration,
        |outcome| match outcome {
            Ok(connection) => records.done(connection.begun),
            Err(error) => failures.note(error),
        },
    )?;
    Ok(Summary::new(records, failures, began.elapsed()))
}

/// The same with tickets, which `full` full handshakes fetch first; `fetched` is called after them.
/// It ends early when there are no tickets left.
pub(crate) fn resume(
    target: &Target,
    options: &ClientOptions,
    pace: &Pace,
    full: u64,
    records: &mut Records,
    fetched: impl FnOnce(),
) -> Result<Summary, LoadError> {
    let tickets = Arc::new(TicketQueue::default());
    let config = options.config(Protocol::Http1, Some(Arc::clone(&tickets)))?;
    let mut crowd = Crowd::new(target, config, pace.concurrency)?;
    let mut failures = Failures::default();
    crowd.churn(
        |begun| begun < full,
        |outcome| {
            if let Err(error) = outcome {
                failures.note(error);
            }
        },
    )?;
    tickets.open();
    fetched();
    let began = Instant::now();
    crowd.churn(
        |_| began.elapsed() < pace.duration && !tickets.is_empty(),
        |outcome| match outcome {
            Ok(connection) if connection.was_resumed() => records.done(connection.begun),
            Ok(_) => failures.note(OperationError::NotResumed),
            Err(error) => failures.note(error),
        },
    )?;
    Ok(Summary::new(records, failures, began.elapsed()))
}

/// Requests on connections that are kept, `streams` at a time on each; no other is begun when the
/// time of `pace` is over.
pub(crate) fn requests(
    target: &Target,
    options: &ClientOptions,
    protocol: Protocol,
    pace: &Pace,
    streams: usize,
    records: &mut Records,
) -> Result<Summary, LoadError> {
    let config = options.config(protocol, None)?;
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut failures = Failures::default();
    let began = Instant::now();
    let mut kept = Vec::with_capacity(pace.concurrency);
    for number in 0..pace.concurrency {
        let site = target.site(number as u64);
        match Kept::begin(target.address, site, &config, protocol, streams) {
            Ok(connection) => {
                connection.register(poll.registry(), Token(number))?;
                kept.push(Some(connection));
            }
            Err(error) => {
                failures.note(error);
                kept.push(None);
            }
        }
    }
    while kept.iter().any(Option::is_some) {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            failures.note(OperationError::Stuck);
            break;
        }
        let more = began.elapsed() < pace.duration;
        for event in &events {
            let entry = &mut kept[event.token().0];
            let Some(connection) = entry else { continue };
            match connection.advance(more, records) {
                Ok(()) if connection.is_done() => *entry = None,
                Ok(()) => {}
                Err(error) => {
                    failures.note(error);
                    *entry = None;
                }
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
    let mut crowd = Crowd::new(
        target,
        options.config(Protocol::Http1, None)?,
        AT_A_TIME.min(connections),
    )?;
    crowd.until = Until::Answered;
    let mut failures = Failures::default();
    let mut idle = Vec::with_capacity(connections);
    let began = Instant::now();
    crowd.churn(
        |begun| begun < connections as u64,
        |outcome| match outcome {
            Ok(connection) => {
                records.done(connection.begun);
                idle.push(connection);
            }
            Err(error) => failures.note(error),
        },
    )?;
    let seconds = began.elapsed();
    open(&Summary::new(records, Failures::default(), seconds));
    io::stdin().read_to_end(&mut Vec::new())?;
    for mut connection in idle {
        match connection.advance() {
            Ok(Progress::Answered) => {}
            Ok(_) => failures.note(OperationError::ClosedIdle),
            Err(error) => failures.note(error),
        }
    }
    Ok(Summary::new(records, failures, seconds))
}

/// The connections under way, each in a slot, and the poll that wakes them.
struct Crowd<'a> {
    target: &'a Target,
    config: Arc<ClientConfig>,
    until: Until,
    poll: Poll,
    events: Events,
    slots: Vec<Option<Connection>>,
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
            until: Until::Closed,
            poll: Poll::new()?,
            events: Events::with_capacity(256),
            slots: (0..size).map(|_| None).collect(),
        })
    }

    /// Keeps every slot busy for as long as `more`, asked with the count of connections begun, says
    /// so, and then waits for the last. Each outcome goes to `ended`.
    fn churn(
        &mut self,
        more: impl Fn(u64) -> bool,
        mut ended: impl FnMut(Result<Connection, OperationError>),
    ) -> io::Result<()> {
        let mut idle: Vec<usize> = (0..self.slots.len()).collect();
        let mut begun = 0;
        loop {
            while let Some(slot) = idle.pop_if(|_| more(begun)) {
                if let Err(error) = self.begin(slot, begun) {
                    // The slot stays out of use: a server that is gone must not be a busy loop.
                    ended(Err(error));
                }
                begun += 1;
            }
            if self.slots.iter().all(Option::is_none) {
                return Ok(());
            }
            self.wait(|slot, outcome| {
                idle.push(slot);
                ended(outcome);
            })?;
        }
    }

    fn begin(&mut self, slot: usize, nth: u64) -> Result<(), OperationError> {
        let site = self.target.site(nth);
        let connection = Connection::begin(self.target.address, site, &self.config)?;
        connection
            .register(self.poll.registry(), Token(slot))
            .map_err(OperationError::Connect)?;
        self.slots[slot] = Some(connection);
        Ok(())
    }

    /// Waits for something to happen, and hands on each connection that ended with its slot.
    fn wait(
        &mut self,
        mut ended: impl FnMut(usize, Result<Connection, OperationError>),
    ) -> io::Result<()> {
        self.poll.poll(&mut self.events, Some(PATIENCE))?;
        for event in &self.events {
            let slot = event.token().0;
            let Some(mut connection) = self.slots[slot].take() else {
                continue;
            };
            match (connection.advance(), self.until) {
                (Ok(Progress::Closed), Until::Answered) => {
                    ended(slot, Err(OperationError::ClosedIdle));
                }
                (Ok(Progress::Closed), Until::Closed)
                | (Ok(Progress::Answered), Until::Answered) => {
                    connection.deregister(self.poll.registry())?;
                    ended(slot, Ok(connection));
                }
                (Ok(_), _) => self.slots[slot] = Some(connection),
                (Err(error), _) => ended(slot, Err(error)),
            }
        }
        if self.events.is_empty() {
            for (slot, connection) in self.slots.iter_mut().enumerate() {
                if connection.take().is_some() {
                    ended(slot, Err(OperationError::Stuck));
                }
            }
        }
        Ok(())
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

    #[expect(
        clippy::needless_pass_by_value,
        reason = "an error is done with once it is noted"
    )]
    fn note(&mut self, error: OperationError) {
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
