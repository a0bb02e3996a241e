//! Octets both ways, until both ends have said that they end.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::end::{End, Scratch, Sink, Taken};
use ravelin_tls::starttls::Rewrite;

/// How much went each way.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// From the client to the service.
    pub(crate) up: Cell<u64>,
    /// From the service to the client.
    pub(crate) down: Cell<u64>,
}

impl Moved {
    fn sum(&self) -> u64 {
        self.up.get() + self.down.get()
    }
}

/// Why octets do not flow any more, where it was not the end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Reading from the client or sending to it failed.
    Client(io::Error),
    /// Reading from the service or sending to it failed.
    Service(io::Error),
    /// Nothing has moved for so long.
    Idle(Duration),
}

/// What octets flow through.
pub(crate) struct Pipe<'p> {
    pub(crate) client: &'p End,
    pub(crate) service: &'p End,
    /// What is changed on the way, where TLS is on one side alone.
    pub(crate) rewrite: Option<&'p RefCell<Rewrite>>,
    pub(crate) moved: &'p Moved,
}

/// Carries octets both ways until both ends have ended. `tick` is called now and then.
///
/// Where something fails, both ends are told by a reset that what they got is not all there was: an end that was
/// cut off must not look like one that was said.
pub(crate) async fn carry(
    pipe: &Pipe<'_>,
    scratch: &Scratch,
    idle: Duration,
    tick: impl Fn(),
) -> Result<(), Stopped> {
    let carried = tokio::select! {
        carried = both(pipe, scratch) => carried,
        () = lies_still(pipe.moved, idle, tick) => Err(Stopped::Idle(idle)),
    };
    if carried.is_err() {
        pipe.client.cut();
        pipe.service.cut();
    }
    carried
}

async fn both(pipe: &Pipe<'_>, scratch: &Scratch) -> Result<(), Stopped> {
    let (client, service) = (pipe.client, pipe.service);
    let up = async {
        let to = Changed {
            to: service,
            change: pipe.rewrite.map(|rewrite| (rewrite, Way::Up)),
        };
        one_way(client, &to, scratch, &pipe.moved.up)
            .await
            .map_err(|failed| failed.into_stopped(Stopped::Client, Stopped::Service))
    };
    let down = async {
        let to = Changed {
            to: client,
            change: pipe.rewrite.map(|rewrite| (rewrite, Way::Down)),
        };
        one_way(service, &to, scratch, &pipe.moved.down)
            .await
            .map_err(|failed| failed.into_stopped(Stopped::Service, Stopped::Client))
    };
    tokio::try_join!(up, down).map(|_| ())
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// An end that hears something else than was sent, for as long as that differs.
struct Changed<'p> {
    to: &'p End,
    change: Option<(&'p RefCell<Rewrite>, Way)>,
}

impl Sink for Changed<'_> {
    fn put(&self, octets: &[u8]) -> io::Result<()> {
        let Some((rewrite, way)) = self.change else {
            return self.to.put(octets);
        };
        let mut rewrite = rewrite.borrow_mut();
        if rewrite.is_over() {
            return self.to.put(octets);
        }
        let mut octets = octets.to_vec();
        match way {
            Way::Up => rewrite.client_to_server(&mut octets),
            Way::Down => rewrite.server_to_client(&mut octets),
        }
        self.to.put(&octets)
    }
}

/// Which end of one direction failed.
enum Failed {
    From(io::Error),
    To(io::Error),
}

impl Failed {
    fn into_stopped(self, from: fn(io::Error) -> Stopped, to: fn(io::Error) -> Stopped) -> Stopped {
        match self {
            Self::From(error) => from(error),
            Self::To(error) => to(error),
        }
    }
}

async fn one_way(
    from: &End,
    into: &Changed<'_>,
    scratch: &Scratch,
    moved: &Cell<u64>,
) -> Result<(), Failed> {
    let to = into.to;
    let mut taken = from.take_first(scratch, into).map_err(Failed::From)?;
    let mut turns = 0;
    loop {
        // Two ends that are always ready would keep the worker from all others.
        turns += 1;
        if turns % TURNS == 0 {
            tokio::task::yield_now().await;
        }
        // Nothing more is read until what was read is sent: who is slow slows down the other.
        to.flush().await.map_err(Failed::To)?;
        match taken {
            Taken::Some(octets) => moved.set(moved.get() + octets as u64),
            Taken::Nothing => from.readable().await.map_err(Failed::From)?,
            Taken::End => return to.end().await.map_err(Failed::To),
        }
        taken = from.take(scratch, into).map_err(Failed::From)?;
    }
}

/// Returns once nothing has moved for `idle`, or up to a quarter longer.
async fn lies_still(moved: &Moved, idle: Duration, tick: impl Fn()) {
    let mut before = moved.sum();
    let mut since = Instant::now();
    loop {
        sleep_until(Instant::now() + (idle / LOOKS).min(LONGEST_TICK)).await;
        tick();
        let now = moved.sum();
        if now != before {
            (before, since) = (now, Instant::now());
        } else if since.elapsed() >= idle {
            return;
        }
    }
}

/// How often a connection reads before others get their turn: some megabytes, and milliseconds.
const TURNS: u32 = 16;

/// How often an idle connection is looked at before its time is over.
const LOOKS: u32 = 4;

/// What is counted is told this often at least.
const LONGEST_TICK: Duration = Duration::from_secs(15);
