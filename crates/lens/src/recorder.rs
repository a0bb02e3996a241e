//! A recording of a connection of one's own: its octets, and the secrets that the TLS library used.
//!
//! rustls hands secrets to a [`KeyLog`] and does key exchanges by a [`SupportedKxGroup`], both of which
//! many connections share. Which connection they work for is known to whoever runs it: they call
//! [`Recording::during`] around it, and what is told on this thread meanwhile goes into that recording, and
//! what is told at any other time nowhere.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, KeyLog, NamedGroup, ProtocolVersion, SupportedProtocolVersion};

use crate::connection::{Connection, Limits};
use crate::digest::Octets;
use crate::knowledge::Knowledge;
use crate::ledger::Side;
use crate::story::Story;

thread_local! {
    /// Who listens to what is told on this thread: nobody, but within [`Recording::during`].
    static LISTENER: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// A recording. Clones are the same one.
#[derive(Clone)]
pub struct Recording(Arc<Mutex<Recorded>>);

struct Recorded {
    pieces: Vec<Piece>,
    /// How many octets more are kept.
    room: usize,
    secrets: Vec<Secret>,
    exchanges: Vec<Exchange>,
}

/// Octets that were seen at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Who sent them.
    pub side: Side,
    /// When they were seen.
    pub at: SystemTime,
    /// They.
    pub octets: Vec<u8>,
}

/// A line of a key log.
struct Secret {
    label: String,
    client_random: [u8; 32],
    value: Octets,
}

/// What a key exchange came to.
struct Exchange {
    shares: [Vec<u8>; 2],
    shared: Octets,
}

/// A connection has few secrets; one that goes on changing its keys is not followed forever.
const MAX_SECRETS: usize = 64;

impl Recording {
    /// A recording of at most so many octets, of both sides together.
    #[must_use]
    pub fn new(octets: usize) -> Self {
        Self(Arc::new(Mutex::new(Recorded {
            pieces: Vec::new(),
            room: octets,
            secrets: Vec::new(),
            exchanges: Vec::new(),
        })))
    }

    /// Keeps octets that were on the wire. Those that there is no room for are not kept, and nothing that
    /// follows them.
    pub fn keep(&self, side: Side, at: SystemTime, octets: &[u8]) {
        let mut recorded = self.lock();
        let kept = octets.get(..recorded.room).unwrap_or(octets);
        if kept.len() < octets.len() {
            recorded.room = 0;
        } else {
            recorded.room -= kept.len();
        }
        if kept.is_empty() {
            return;
        }
        match recorded.pieces.last_mut() {
            Some(last) if last.side == side && last.at == at => last.octets.extend_from_slice(kept),
            _ => recorded.pieces.push(Piece {
                side,
                at,
                octets: kept.to_vec(),
            }),
        }
    }

    /// Whether there is room for more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.lock().room == 0
    }

    /// Takes down what is told on this thread while `work` runs, which works for this connection alone.
    pub fn during<R>(&self, work: impl FnOnce() -> R) -> R {
        /// Puts back who listened before, also where `work` panics.
        struct Before(Option<Recording>);
        impl Drop for Before {
            fn drop(&mut self) {
                LISTENER.set(self.0.take());
            }
        }
        let _before = Before(LISTENER.replace(Some(self.clone())));
        work()
    }

    /// The octets, in the order in which they were seen.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        self.lock().pieces.clone()
    }

    /// What the connection was, so far.
    #[must_use]
    pub fn story(&self, limits: Limits) -> Story {
        let mut connection = Connection::new(self, limits);
        for piece in self.pieces() {
            connection.receive(piece.side, piece.at, &piece.octets);
        }
        connection.finish()
    }

    /// The secrets as lines of a key log (RFC 9850). They open the connection to whoever has them.
    #[must_use]
    pub fn key_log(&self) -> Octets {
        let mut lines = Octets::default();
        for secret in &self.lock().secrets {
            lines.extend_from_slice(secret.label.as_bytes());
            for octets in [&secret.client_random[..], &secret.value] {
                lines.push(b' ');
                for octet in octets {
                    lines.extend(
                        [octet >> 4, octet & 15]
                            .map(|digit| b"0123456789abcdef"[usize::from(digit)]),
                    );
                }
            }
            lines.push(b'\n');
        }
        lines
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Knowledge for Recording {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let recorded = self.lock();
        let mut secrets = recorded.secrets.iter();
        let secret = secrets
            .find(|secret| secret.label == label && secret.client_random == *client_random)?;
        Some(secret.value.clone())
    }

    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let recorded = self.lock();
        let mut exchanges = recorded.exchanges.iter();
        let exchange =
            exchanges.find(|exchange| exchange.shares.iter().any(|share| share == server_share))?;
        Some(exchange.shared.clone())
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

/// Does something with the recording that listens, where one does.
fn tell(what: impl FnOnce(&mut Recorded)) {
    LISTENER.with_borrow(|listener| {
        if let Some(recording) = listener {
            what(&mut recording.lock());
        }
    });
}

/// The key log for the configs of connections that may be recorded. It writes nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordedKeyLog;

impl KeyLog for RecordedKeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        tell(|recorded| {
            if let Ok(client_random) = client_random.try_into()
                && recorded.secrets.len() < MAX_SECRETS
            {
                recorded.secrets.push(Secret {
                    label: label.to_owned(),
                    client_random,
                    value: Octets::new(secret.to_vec()),
                });
            }
        });
    }

    fn will_log(&self, _label: &str) -> bool {
        LISTENER.with_borrow(Option::is_some)
    }
}

/// The group that does what `group` does, and tells a recording what came out. A group that is not known here
/// is given back as it is.
#[must_use]
pub fn recorded_group(group: &'static dyn SupportedKxGroup) -> &'static dyn SupportedKxGroup {
    let mut groups = GROUPS.iter();
    match groups.find(|recorded| recorded.0.name() == group.name()) {
        Some(recorded) => recorded,
        None => group,
    }
}

static GROUPS: [RecordedGroup; 6] = [
    RecordedGroup(kx_group::X25519MLKEM768),
    RecordedGroup(kx_group::SECP256R1MLKEM768),
    RecordedGroup(kx_group::MLKEM768),
    RecordedGroup(kx_group::X25519),
    RecordedGroup(kx_group::SECP256R1),
    RecordedGroup(kx_group::SECP384R1),
];

#[derive(Debug)]
struct RecordedGroup(&'static dyn SupportedKxGroup);

impl SupportedKxGroup for RecordedGroup {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(RecordedExchange(self.0.start()?)))
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let completed = self.0.start_and_complete(peer_pub_key)?;
        note_exchange(&completed.pub_key, peer_pub_key, &completed.secret);
        Ok(completed)
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        self.0.ffdhe_group()
    }

    fn name(&self) -> NamedGroup {
        self.0.name()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.0.usable_for_version(version)
    }
}

struct RecordedExchange(Box<dyn ActiveKeyExchange>);

impl ActiveKeyExchange for RecordedExchange {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        let own = self.0.pub_key().to_vec();
        let shared = self.0.complete(peer_pub_key)?;
        note_exchange(&own, peer_pub_key, &shared);
        Ok(shared)
    }

    fn complete_for_tls_version(
        self: Box<Self>,
        peer_pub_key: &[u8],
        tls_version: &SupportedProtocolVersion,
    ) -> Result<SharedSecret, Error> {
        let own = self.0.pub_key().to_vec();
        let shared = self.0.complete_for_tls_version(peer_pub_key, tls_version)?;
        note_exchange(&own, peer_pub_key, &shared);
        Ok(shared)
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        self.0.hybrid_component()
    }

    fn complete_hybrid_component(
        self: Box<Self>,
        peer_pub_key: &[u8],
    ) -> Result<SharedSecret, Error> {
        let own = self.0.hybrid_component().map(|(_, share)| share.to_vec());
        let shared = self.0.complete_hybrid_component(peer_pub_key)?;
        note_exchange(&own.unwrap_or_default(), peer_pub_key, &shared);
        Ok(shared)
    }

    fn pub_key(&self) -> &[u8] {
        self.0.pub_key()
    }

    fn group(&self) -> NamedGroup {
        self.0.group()
    }
}

fn note_exchange(own: &[u8], peer: &[u8], shared: &SharedSecret) {
    tell(|recorded| {
        if recorded.exchanges.len() < MAX_SECRETS {
            recorded.exchanges.push(Exchange {
                shares: [own.to_vec(), peer.to_vec()],
                shared: Octets::new(shared.secret_bytes().to_vec()),
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn only_what_is_told_during_the_work_of_a_connection_is_recorded() {
        let (one, other) = (Recording::new(100), Recording::new(100));
        let log = |secret: &[u8]| RecordedKeyLog.log("LABEL", &[7; 32], secret);
        log(b"before");
        one.during(|| {
            log(b"of one");
            other.during(|| log(b"of the other"));
        });
        assert!(!RecordedKeyLog.will_log("LABEL"));
        log(b"after");
        let logged = |recording: &Recording| recording.logged(&[7; 32], "LABEL").unwrap().to_vec();
        assert_eq!(logged(&one), b"of one");
        assert_eq!(logged(&other), b"of the other");
        assert_eq!(one.logged(&[8; 32], "LABEL").map(|_| ()), None);
        let secrets = one.lock().secrets.len();
        assert_eq!(secrets, 1);
    }

    #[test]
    fn what_a_panic_ends_is_not_listened_to_any_more() {
        let recording = Recording::new(100);
        let ended = std::panic::catch_unwind(|| recording.during(|| panic!("as the test wants")));
        assert!(ended.is_err());
        assert!(!RecordedKeyLog.will_log("LABEL"));
    }

    #[test]
    fn octets_are_kept_up_to_the_first_that_there_is_no_room_for() {
        let recording = Recording::new(5);
        recording.keep(Side::Client, NOW, b"abc");
        recording.keep(Side::Client, NOW, b"d");
        recording.keep(Side::Server, NOW, b"efgh");
        recording.keep(Side::Client, NOW, b"i");
        assert!(recording.is_full());
        let pieces = recording.pieces();
        let octets: Vec<&[u8]> = pieces.iter().map(|piece| &piece.octets[..]).collect();
        assert_eq!(octets, [&b"abcd"[..], b"e"]);
    }

    #[test]
    fn both_ends_of_every_group_tell_the_same_shared_secret() {
        for group in &GROUPS {
            let (client, server) = (Recording::new(0), Recording::new(0));
            let (share, answer) = client.during(|| {
                let exchange = group.start().unwrap();
                let share = exchange.pub_key().to_vec();
                let answer = server.during(|| group.start_and_complete(&share).unwrap());
                exchange.complete(&answer.pub_key).unwrap();
                (share, answer.pub_key)
            });
            let told = client.shared_secret(&answer).unwrap();
            assert_eq!(
                *told,
                *server.shared_secret(&answer).unwrap(),
                "{:?}",
                group.name()
            );
            assert_eq!(*told, *server.shared_secret(&share).unwrap());
            assert!(!told.is_empty());
        }
    }

    #[test]
    fn nothing_secret_is_in_what_a_debugger_prints() {
        let recording = Recording::new(100);
        recording.during(|| RecordedKeyLog.log("LABEL", &[0xab; 32], &[0xcd; 32]));
        assert_eq!(format!("{recording:?}"), "Recording { .. }");
    }
}
