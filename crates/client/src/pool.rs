//! Connections that are kept for the requests that follow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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
    gate: Arc<Gate>,
}

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
    /// A connection to a place, where one is free and still there. One of HTTP/2 stays for others too.
    pub(crate) fn take(&self, place: &Place) -> Option<Connection> {
        self.of(place, |known| {
            known.free.retain(|connection| !connection.is_closed());
            match known.free.iter().find_map(Connection::shared) {
                Some(shared) => Some(shared),
                None => known.free.pop(),
            }
        })
    }

    /// Keeps a connection that nobody uses any more, or that many may.
    pub(crate) fn keep(&self, place: &Place, connection: Connection) {
        self.of(place, |known| {
            if known.free.len() < MOST_OF_PLACE {
                known.free.push(connection);
            }
        });
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

/// How many are kept free for one place.
const MOST_OF_PLACE: usize = 32;
