//! Octets both ways, until both ends have said that they end.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::end::{End, Scratch, Taken};

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

/// Carries octets both ways until both ends have ended. `tick` is called now and then.
///
/// Where something fails, both ends are told by a reset that what they got is not all there was: an end that was
/// cut off must not look like one that was said.
pub(crate) async fn carry(
    client: &End,
    service: &End,
    scratch: &Scratch,
    moved: &Moved,
    idle: Duration,
    tick: impl Fn(),
) -> Result<(), Stopped> {
    let carried = tokio::select! {
        carried = both(client, service, scratch, moved) => carried,
        () = lies_still(moved, idle, tick) => Err(Stopped::Idle(idle)),
    };
    if carried.is_err() {
        client.cut();
        service.cut();
    }
    carried
}

async fn both(
    client: &End,
    service: &End,
    scratch: &Scratch,
    moved: &Moved,
) -> Result<(), Stopped> {
    let up = async {
        one_way(client, service, scratch, &moved.up)
            .await
            .map_err(|failed| failed.into_stopped(Stopped::Client, Stopped::Service))
    };
    let down = async {
        one_way(service, client, scratch, &moved.down)
            .await
            .map_err(|failed| failed.into_stopped(Stopped::Service, Stopped::Client))
    };
    tokio::try_join!(up, down).map(|_| ())
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

async fn one_way(from: &End, to: &End, scratch: &Scratch, moved: &Cell<u64>) -> Result<(), Failed> {
    let mut taken = from.take_first(to).map_err(Failed::From)?;
    loop {
        // Nothing more is read until what was read is sent: who is slow slows down the other.
        to.flush().await.map_err(Failed::To)?;
        match taken {
            Taken::Some(octets) => moved.set(moved.get() + octets as u64),
            Taken::Nothing => from.readable().await.map_err(Failed::From)?,
            Taken::End => return to.end().await.map_err(Failed::To),
        }
        taken = from.take(scratch, to).map_err(Failed::From)?;
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

/// How often an idle connection is looked at before its time is over.
const LOOKS: u32 = 4;

/// What is counted is told this often at least.
const LONGEST_TICK: Duration = Duration::from_secs(15);
