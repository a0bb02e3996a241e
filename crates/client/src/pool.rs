//! Connections that are kept for the requests that follow.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use url::Url;

use crate::exchange::Connection;

/// Connections that are free, by where they lead.
#[derive(Default)]
pub(crate) struct Pool {
    free: Mutex<HashMap<Place, Vec<Connection>>>,
}

/// Scheme, host and port. Which way leads there is the same for one client.
pub(crate) type Place = (String, String, u16);

/// Where the server of an address is.
pub(crate) fn place(url: &Url) -> Place {
    let (host, port) = crate::connect::host_and_port(url);
    (url.scheme().to_owned(), host, port)
}

impl Pool {
    /// A connection to a place, where one is free and still there. One of HTTP/2 stays for others too.
    pub(crate) fn take(&self, place: &Place) -> Option<Connection> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = free.get_mut(place)?;
        connections.retain(|connection| !connection.is_closed());
        match connections.iter().find_map(Connection::shared) {
            Some(shared) => Some(shared),
            None => connections.pop(),
        }
    }

    /// Keeps a connection that nobody uses any more, or that many may.
    pub(crate) fn keep(&self, place: Place, connection: Connection) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = free.entry(place).or_default();
        if connections.len() < MOST_OF_PLACE {
            connections.push(connection);
        }
    }
}

/// How many are kept free for one place.
const MOST_OF_PLACE: usize = 32;
