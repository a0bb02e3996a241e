//! What a connection leaves behind, with which the next one can be read: sessions, and the keys of tickets.

use std::collections::{HashMap, VecDeque};

use ravelin_wire::handshake::{Handshake, NewSessionTicket};
use ravelin_wire::registry::HandshakeType;

use crate::digest::{Hash, Octets};
use crate::knowledge::{Knowledge, Psk};
use crate::schedule::tls13::PskKind;
use crate::story::{Story, Value, What};

/// A ticket or a session, and the secret that goes with it.
#[derive(Clone, PartialEq, Eq)]
pub enum Ticket {
    /// Of TLS 1.3.
    Psk {
        /// What the client will name it by: the ticket.
        identity: Vec<u8>,
        /// The key.
        key: Octets,
    },
    /// Of TLS 1.2 and before.
    Session {
        /// What the client will name it by: the ticket, or the identifier of the session.
        name: Vec<u8>,
        /// The main secret.
        main_secret: Octets,
    },
}

/// The tickets and sessions of a connection whose secrets are known, in the order in which they were given.
#[must_use]
pub fn tickets(story: &Story) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    // What was named since the last server hello, whose secret may follow.
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut main_secret = None;
    for step in &story.steps {
        let derived = |wanted| {
            let quantities = step.derived.iter().map(|id| story.ledger.get(*id));
            let mut found = quantities.filter(|quantity| quantity.name == wanted);
            found.find_map(|quantity| quantity.value.clone())
        };
        if NAMING.contains(&step.what)
            && let Ok(Value::Handshake(message)) = step.value()
        {
            match message {
                Handshake::ServerHello(hello) if !hello.version().is_tls13() => {
                    names = vec![hello.legacy_session_id_echo.to_vec()];
                    main_secret = None;
                }
                Handshake::NewSessionTicket(NewSessionTicket::Tls12 { ticket, .. }) => {
                    names.push(ticket.to_vec());
                }
                Handshake::NewSessionTicket(NewSessionTicket::Tls13 { ticket, .. }) => {
                    if let Some(key) = derived("PSK of the ticket") {
                        let identity = ticket.to_vec();
                        tickets.push(Ticket::Psk { identity, key });
                    }
                }
                _ => {}
            }
        }
        main_secret = derived("master_secret").or(main_secret);
        if let Some(main_secret) = &main_secret {
            let given = names.drain(..).filter(|name| !name.is_empty());
            tickets.extend(given.map(|name| Ticket::Session {
                name,
                main_secret: main_secret.clone(),
            }));
        }
    }
    tickets
}

/// What names tickets and sessions.
const NAMING: [What; 2] = [
    What::Handshake(HandshakeType::SERVER_HELLO),
    What::Handshake(HandshakeType::NEW_SESSION_TICKET),
];

/// Secrets of connections before, for those that go on from them. It holds a bounded number of them, and
/// forgets the oldest first.
pub struct Memory {
    /// By the SHA-256 of what they are named by, so that long tickets take no more room than short ones.
    secrets: HashMap<Place, Octets>,
    order: VecDeque<Place>,
    capacity: usize,
}

impl Memory {
    /// Of at most so many secrets, each of some 200 octets.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            secrets: HashMap::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// Keeps what a connection leaves behind.
    pub fn remember(&mut self, story: &Story) {
        self.keep(left_behind(story));
    }

    /// Keeps secrets in their places.
    pub(crate) fn keep(&mut self, secrets: Vec<(Place, Octets)>) {
        for (place, secret) in secrets {
            self.keep_one(place, secret);
        }
    }

    fn keep_one(&mut self, place: Place, secret: Octets) {
        if self.capacity == 0 {
            return;
        }
        if self.secrets.insert(place, secret).is_some() {
            return;
        }
        self.order.push_back(place);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.secrets.remove(&oldest);
        }
    }

    fn recall(&self, kind: &[u8], name: &[u8]) -> Option<Octets> {
        self.secrets.get(&place(kind, name)?).cloned()
    }
}

/// What tells the two kinds of names apart.
const PSK: &[u8] = b"psk";
const SESSION: &[u8] = b"session";

/// Where [`Memory`] keeps a secret.
pub(crate) type Place = [u8; 32];

/// What a connection leaves behind, and where it is kept.
pub(crate) fn left_behind(story: &Story) -> Vec<(Place, Octets)> {
    let kept = |ticket| match ticket {
        Ticket::Psk { identity, key } => Some((place(PSK, &identity)?, key)),
        Ticket::Session { name, main_secret } => Some((place(SESSION, &name)?, main_secret)),
    };
    tickets(story).into_iter().filter_map(kept).collect()
}

fn place(kind: &[u8], name: &[u8]) -> Option<Place> {
    Hash::Sha256.digest(&[kind, name])[..].try_into().ok()
}

impl Knowledge for Memory {
    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        let key = self.recall(PSK, identity)?;
        let kind = PskKind::Resumption;
        Some(Psk { key, kind })
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        self.recall(SESSION, session)
    }
}

/// Without the secrets.
impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory")
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// Without the secrets.
impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = match self {
            Self::Psk { identity, .. } => ("Psk", identity),
            Self::Session { name, .. } => ("Session", name),
        };
        f.debug_struct(kind)
            .field("octets", &name.len())
            .finish_non_exhaustive()
    }
}
