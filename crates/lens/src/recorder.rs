//! Takes down one connection that runs here: what each side sends and when, and the secrets.
//!
//! A [`Recorder`] lies under rustls as a stream ([`Recorder::under`]), and around it as a scope
//! ([`Recorder::scope`]): what rustls does within the scope, it does for this connection. What comes of it is
//! a [`Recording`], which knows what [`crate::connection`] asks for.
//!
//! Why a scope: rustls takes key exchanges as `&'static dyn`, and has one key log for all connections of a
//! config, so neither says which connection it is asked for. Who runs a connection says so in a
//! variable of the thread, which holds only while one call into rustls runs, and is put back however that
//! ends. It is no mutable global: nothing is ever read from it outside such a call, no two threads share it,
//! and many connections may take turns on one thread with one config. Outside of a scope the key exchanges
//! and the key log do what those of rustls do, for one look at that variable.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::connection::{Connection, Limits};
use crate::digest::Octets;
use crate::keylog;
use crate::knowledge::{Knowledge, Nothing, Psk};
use crate::ledger::Side;
use crate::story::Story;

mod witness;

pub use witness::{group, group_names, witness};

/// Takes down a connection. Clones are the same recorder.
#[derive(Clone)]
pub struct Recorder {
    notes: Arc<Mutex<Recording>>,
}

thread_local! {
    /// For whom this thread is within a call into rustls.
    static LISTENING: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// What was taken down of a connection so far.
pub struct Recording {
    heard: Vec<Heard>,
    /// How many octets may still be kept.
    room: usize,
    secrets: Secrets,
}

/// Something that a [`Recorder`] heard.
#[derive(Clone, PartialEq, Eq)]
pub struct Heard {
    /// Who sent it, or ended.
    pub side: Side,
    /// When it was read or written.
    pub at: SystemTime,
    /// What.
    pub what: Sound,
}

/// What a [`Recorder`] hears.
#[derive(Clone, PartialEq, Eq)]
pub enum Sound {
    /// Octets, as they came in one piece.
    Octets(Vec<u8>),
    /// Octets of handshake messages that no records carry, in clear, as QUIC has them (RFC 9001, section 4).
    Handshake(Vec<u8>),
    /// So many octets for which there was no room.
    Missed(u64),
    /// The side will send no more.
    Ended {
        /// It took the connection down in place of ending it.
        reset: bool,
    },
}

/// The secrets of a connection.
#[derive(Default)]
struct Secrets {
    logged: Vec<Logged>,
    exchanges: Vec<Exchange>,
}

struct Logged {
    client_random: [u8; 32],
    label: Box<str>,
    secret: Octets,
}

/// Both shares, of which one is the server's, and what they agreed on.
struct Exchange {
    shares: [Vec<u8>; 2],
    secret: Octets,
}

/// How many pieces of octets are kept: who sends single octets does not get 64 bytes of memory for each.
const MOST_PIECES: usize = 4096;

/// A connection has a dozen; who makes more is a peer that changes keys to fill our memory.
const MOST_SECRETS: usize = 64;

impl Recorder {
    /// A recorder that keeps at most so many octets of both sides together, and of what follows only how much
    /// it was. Beside these it takes 64 bytes for each piece, and 20 KiB at most for secrets.
    #[must_use]
    pub fn new(octets: usize) -> Self {
        Self {
            notes: Arc::new(Mutex::new(Recording {
                heard: Vec::new(),
                room: octets,
                secrets: Secrets::default(),
            })),
        }
    }

    /// Lets `call` call rustls for this connection.
    pub fn scope<R>(&self, call: impl FnOnce() -> R) -> R {
        let before = LISTENING.with(|listening| listening.replace(Some(self.clone())));
        // However `call` ends, what follows on this thread is not for this recorder.
        let _restore = Restore(before);
        call()
    }

    /// A stream that tells the recorder what goes through. `far` is who is at its other end.
    pub fn under<S>(&self, stream: S, far: Side) -> Recorded<S> {
        Recorded {
            stream,
            recorder: self.clone(),
            far,
        }
    }

    /// Takes down what `side` sent.
    pub fn sent(&self, side: Side, octets: &[u8]) {
        if !octets.is_empty() {
            self.notes().hear(side, octets, Sound::Octets);
        }
    }

    /// Takes down what `side` sent of its handshake over QUIC, in clear.
    pub fn shook(&self, side: Side, octets: &[u8]) {
        if !octets.is_empty() {
            self.notes().hear(side, octets, Sound::Handshake);
        }
    }

    /// Takes down that `side` will send no more.
    pub fn ended(&self, side: Side, reset: bool) {
        let mut notes = self.notes();
        let again = notes.heard.iter().any(
            |heard| matches!(heard.what, Sound::Ended { reset: told } if heard.side == side && (told || !reset)),
        );
        if !again {
            let what = Sound::Ended { reset };
            notes.heard.push(Heard::now(side, what));
        }
    }

    /// What was taken down so far, to be looked at.
    pub fn look<R>(&self, look: impl FnOnce(&Recording) -> R) -> R {
        look(&self.notes())
    }

    /// The recorder of the call into rustls that this thread is within.
    fn listening() -> Option<Self> {
        LISTENING.with_borrow(Clone::clone)
    }

    fn notes(&self) -> MutexGuard<'_, Recording> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logged(&self, client_random: &[u8], label: &str, secret: &[u8]) {
        let Ok(client_random) = client_random.try_into() else {
            return;
        };
        let logged = &mut self.notes().secrets.logged;
        if logged.len() < MOST_SECRETS {
            logged.push(Logged {
                client_random,
                label: label.into(),
                secret: Octets::new(secret.to_vec()),
            });
        }
    }

    fn exchanged(&self, shares: [&[u8]; 2], secret: &[u8]) {
        let exchanges = &mut self.notes().secrets.exchanges;
        if exchanges.len() < MOST_SECRETS {
            exchanges.push(Exchange {
                shares: shares.map(<[u8]>::to_vec),
                secret: Octets::new(secret.to_vec()),
            });
        }
    }
}

/// Puts back who was listened for before.
struct Restore(Option<Recorder>);

impl Drop for Restore {
    fn drop(&mut self) {
        let before = self.0.take();
        // Only where the thread itself ends there is nothing to put back.
        let _ = LISTENING.try_with(|listening| listening.replace(before));
    }
}

/// Secrets never show.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recording {
    /// What was heard, in order.
    #[must_use]
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// The story of what was heard.
    #[must_use]
    pub fn story(&self, limits: Limits) -> Story {
        self.story_with(&Nothing, limits)
    }

    /// The same, where somebody knows secrets besides: those of a connection before.
    #[must_use]
    pub fn story_with(&self, before: &dyn Knowledge, limits: Limits) -> Story {
        let mut connection = Connection::new(Both(self, before), limits);
        for Heard { side, at, what } in &self.heard {
            match what {
                Sound::Octets(octets) => connection.receive(*side, *at, octets),
                Sound::Handshake(octets) => connection.receive_handshake(*side, *at, octets),
                Sound::Missed(octets) => connection.lost(*side, *at, *octets),
                Sound::Ended { reset } => connection.ended(*side, *reset),
            }
        }
        connection.finish()
    }

    /// Whether it was over QUIC, whose packets carry the messages in place of records.
    #[must_use]
    pub fn is_quic(&self) -> bool {
        let mut heard = self.heard.iter();
        heard.any(|heard| matches!(heard.what, Sound::Handshake(_)))
    }

    /// The same as [`Self::key_log`], as a file of lines. They open the connection to whoever has them.
    #[must_use]
    pub fn key_log_lines(&self) -> Octets {
        let mut lines = Octets::default();
        for (label, client_random, secret) in self.key_log() {
            keylog::line(&mut lines, label, client_random, secret);
        }
        lines
    }

    /// The lines of a key log (`SSLKEYLOGFILE`, RFC 9850), each its label, the client's random and the secret.
    pub fn key_log(&self) -> impl Iterator<Item = (&str, &[u8; 32], &[u8])> {
        self.secrets
            .logged
            .iter()
            .map(|line| (&*line.label, &line.client_random, &line.secret[..]))
    }

    fn hear(&mut self, side: Side, octets: &[u8], sound: fn(Vec<u8>) -> Sound) {
        if self.heard.len() >= MOST_PIECES {
            self.room = 0;
        }
        let kept = octets.len().min(self.room);
        self.room -= kept;
        let (kept, missed) = octets.split_at(kept);
        if !kept.is_empty() {
            self.heard.push(Heard::now(side, sound(kept.to_vec())));
        }
        if missed.is_empty() {
            return;
        }
        let missed = missed.len() as u64;
        let last = self.heard.iter_mut().rev().find(|heard| heard.side == side);
        match last.map(|heard| &mut heard.what) {
            Some(Sound::Missed(before)) => *before += missed,
            _ => self.heard.push(Heard::now(side, Sound::Missed(missed))),
        }
    }
}

impl Heard {
    fn now(side: Side, what: Sound) -> Self {
        Self {
            side,
            at: SystemTime::now(),
            what,
        }
    }
}

/// What is said may be secret: its length is not.
impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Sound::Octets(octets) | Sound::Handshake(octets) => {
                write!(f, "{:?}: {} octets", self.side, octets.len())
            }
            Sound::Missed(octets) => write!(f, "{:?}: {octets} octets missed", self.side),
            Sound::Ended { reset } => write!(f, "{:?} ended, reset: {reset}", self.side),
        }
    }
}

/// Secrets never show.
impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}

impl Knowledge for Recording {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let mut lines = self.secrets.logged.iter();
        lines
            .find(|line| line.client_random == *client_random && *line.label == *label)
            .map(|line| line.secret.clone())
    }

    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let mut exchanges = self.secrets.exchanges.iter();
        exchanges
            .find(|exchange| exchange.shares.iter().any(|share| share == server_share))
            .map(|exchange| exchange.secret.clone())
    }
}

/// What a recording knows, and what somebody knows from before.
struct Both<'k>(&'k Recording, &'k dyn Knowledge);

impl Knowledge for Both<'_> {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let own = self.0.logged(client_random, label);
        own.or_else(|| self.1.logged(client_random, label))
    }

    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let own = self.0.shared_secret(server_share);
        own.or_else(|| self.1.shared_secret(server_share))
    }

    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        self.1.psk(identity)
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        self.1.main_secret(session)
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        self.1.decrypted_premaster(encrypted)
    }
}

/// What was sent and received through it is told to a [`Recorder`].
#[derive(Debug)]
pub struct Recorded<S> {
    stream: S,
    recorder: Recorder,
    far: Side,
}

impl<S> Recorded<S> {
    /// The stream below. What is sent and received there by hand is told to nobody.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Takes down that the near side will send no more.
    pub fn ended(&self) {
        self.recorder.ended(self.near(), false);
    }

    fn near(&self) -> Side {
        match self.far {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    fn failed(&self, error: &io::Error) {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        ) {
            self.recorder.ended(self.far, true);
        }
    }
}

impl<S: Read> Read for Recorded<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer);
        match &read {
            Ok(0) if !buffer.is_empty() => self.recorder.ended(self.far, false),
            Ok(read) => self.recorder.sent(self.far, &buffer[..*read]),
            Err(error) => self.failed(error),
        }
        read
    }
}

impl<S: Write> Write for Recorded<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(octets);
        match &written {
            Ok(written) => self.recorder.sent(self.near(), &octets[..*written]),
            Err(error) => self.failed(error),
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
