//! Connections that are kept for the requests that follow.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use url::Url;

use crate::exchange::Connection;

/// Connections that are free, by where they lead.
#[derive(Default)]
pub(crate) struct Pool {
    places: Mutex<HashMap<Place, Known>>,
}

/// Scheme, host and port. Which way leads there is the same for one client.
pub(crate) type Place = (String, String, u16);

/// What is known of a place.
#[derive(Default)]
struct Known {
    free: Vec<Connection>,
    /// Who waits for one to get free, the first who came in front.
    waiting: VecDeque<oneshot::Sender<Connection>>,
    gate: Arc<Gate>,
    pace: Option<Pace>,
}

/// How fast connections are opened to a place where each takes one request at a time. Where answers come fast, a few
/// connections do for many requests: a thousand from nginx on loopback, 50 at a time, took 109 ms with a handshake for
/// each of the 50, and take 50 so.
#[derive(Clone)]
struct Pace {
    /// How long one that gets free is waited for.
    patience: Duration,
    /// Who opens one holds one of these. More at a time than fit into the time that one takes would wait for the
    /// processor and for each other.
    openings: Arc<Semaphore>,
}

impl Pace {
    /// The pace for a place to which opening a connection took so long.
    fn after(took: Duration) -> Self {
        let fit = took.as_micros() / HANDSHAKE.as_micros();
        Self {
            patience: took.min(MOST_PATIENCE),
            openings: Arc::new(Semaphore::new(
                (fit as usize).clamp(FEWEST_OPENINGS, MOST_OPENINGS),
            )),
        }
    }
}

/// Held by who opens a connection, until it is open.
pub(crate) struct Opening(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

/// Where requests wait while the first of them connects.
pub(crate) type Gate = tokio::sync::Mutex<Takes>;

/// How many requests at a time a connection takes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    #[default]
    Unknown,
    One,
    Many,
}

/// Where the server of an address is.
pub(crate) fn place(url: &Url) -> Place {
    let (host, port) = crate::connect::host_and_port(url);
    (url.scheme().to_owned(), host, port)
}

impl Pool {
    /// A connection to a place, where one is free and still there. One of HTTP/2 or HTTP/3 stays for others too.
    pub(crate) fn take(&self, place: &Place) -> Option<Connection> {
        self.of(place, |known| {
            known.free.retain(|connection| !connection.is_closed());
            match known.free.iter().find_map(Connection::shared) {
                Some(shared) => Some(shared),
                None => known.free.pop(),
            }
        })
    }

    /// Keeps a connection that nobody uses any more, or that many may. Where somebody waits for one, it is theirs.
    pub(crate) fn keep(&self, place: &Place, connection: Connection) {
        self.of(place, |known| {
            let mut connection = connection;
            while let Some(waiting) = known.waiting.pop_front() {
                match waiting.send(connection) {
                    Ok(()) => return,
                    Err(back) => connection = back,
                }
            }
            if known.free.len() < MOST_OF_PLACE {
                known.free.push(connection);
            }
        });
    }

    /// Learns how long it took to open a connection that takes one request at a time.
    pub(crate) fn opened(&self, place: &Place, took: Duration) {
        self.of(place, |known| {
            known.pace.get_or_insert_with(|| Pace::after(took));
        });
    }

    /// Waits for a connection to get free. None does where it is time to open another.
    pub(crate) async fn free_soon(&self, place: &Place) -> Result<Connection, Opening> {
        loop {
            let Some((Pace { patience, openings }, mut line)) = self.of(place, Known::wait) else {
                return Err(Opening(None));
            };
            let time_to_open = async {
                tokio::time::sleep(patience).await;
                openings.acquire_owned().await.ok()
            };
            let free = tokio::select! {
                biased;
                free = &mut line => free.ok(),
                held = time_to_open => {
                    line.close();
                    match line.try_recv() {
                        Ok(free) => Some(free),
                        Err(_) => return Err(Opening(held)),
                    }
                }
            };
            if let Some(free) = free.filter(|free| !free.is_closed()) {
                return Ok(free);
            }
        }
    }

    /// Ends all that are free.
    pub(crate) fn close(&self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        for known in places.values_mut() {
            known
                .free
                .drain(..)
                .for_each(|connection| connection.close());
        }
    }

    /// What who connects there holds, until it is known whether one connection does for all.
    pub(crate) fn gate(&self, place: &Place) -> Arc<Gate> {
        self.of(place, |known| known.gate.clone())
    }

    fn of<T>(&self, place: &Place, look: impl FnOnce(&mut Known) -> T) -> T {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        match places.get_mut(place) {
            Some(known) => look(known),
            None => look(places.entry(place.clone()).or_default()),
        }
    }
}

impl Known {
    /// Waits in line, where the pace is known.
    fn wait(&mut self) -> Option<(Pace, oneshot::Receiver<Connection>)> {
        let pace = self.pace.clone()?;
        while self.waiting.front().is_some_and(oneshot::Sender::is_closed) {
            self.waiting.pop_front();
        }
        let (sender, receiver) = oneshot::channel();
        match self.free.pop() {
            // The receiver is here, so that it is taken.
            Some(free) => drop(sender.send(free)),
            None => self.waiting.push_back(sender),
        }
        Some((pace, receiver))
    }
}

/// What a handshake takes of the client's processor, about.
const HANDSHAKE: Duration = Duration::from_micros(500);

/// The longest that a connection which gets free is waited for: nobody notices, and on a network where all takes
/// longer it is little of it.
const MOST_PATIENCE: Duration = Duration::from_millis(5);

/// How many connections are opened at a time to one place: as many as this, even where the first was there at once,
/// since the next may take longer.
const FEWEST_OPENINGS: usize = 6;

/// And no more than this.
const MOST_OPENINGS: usize = 256;

/// How many are kept free for one place.
const MOST_OF_PLACE: usize = 32;
