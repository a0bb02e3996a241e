//! What rustls is given to be listened to: groups that tell what was agreed in them, and a key log.

use std::fmt;
use std::sync::Arc;

use ravelin_tls::Witness;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, KeyLog, NamedGroup, ProtocolVersion, SupportedProtocolVersion};

use super::Recorder;

/// Tells each recorder the secrets of its connection, and nobody else's. One is enough for all configs.
#[must_use]
pub fn witness() -> Witness {
    Witness {
        groups: GROUPS[..USUAL].to_vec(),
        key_log: Arc::new(ScopedLog),
    }
}

/// The group of this name, however its letters are written: one that Ravelin offers by itself, or one that
/// it can besides. The curves go by their other names too: P-256, `prime256v1`.
#[must_use]
pub fn group(name: &str) -> Option<&'static dyn SupportedKxGroup> {
    let named = GROUPS
        .iter()
        .zip(NAMES)
        .find(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
    named.map(|(group, _)| *group)
}

/// The names of all groups that [`group`] knows.
pub fn group_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().filter_map(|names| names.first().copied())
}

/// How many of [`GROUPS`] are those of [`ravelin_tls::policy::GROUPS`], in their order, as a test asks.
const USUAL: usize = 4;

static GROUPS: [&dyn SupportedKxGroup; 7] = [
    &Told(kx_group::X25519MLKEM768),
    &Told(kx_group::X25519),
    &Told(kx_group::SECP256R1),
    &Told(kx_group::SECP384R1),
    &Told(kx_group::SECP256R1MLKEM768),
    &Told(kx_group::MLKEM768),
    &Told(kx_group::MLKEM1024),
];

/// What each of [`GROUPS`] is called, as IANA spells it first.
static NAMES: [&[&str]; 7] = [
    &["X25519MLKEM768"],
    &["x25519"],
    &["secp256r1", "P-256", "P256", "prime256v1"],
    &["secp384r1", "P-384", "P384"],
    &["SecP256r1MLKEM768"],
    &["MLKEM768"],
    &["MLKEM1024"],
];

/// A group that tells the recorder of the scope what was agreed in it.
struct Told(&'static dyn SupportedKxGroup);

/// A key exchange of which somebody wants to know what comes of it.
struct ToldExchange {
    exchange: Box<dyn ActiveKeyExchange>,
    recorder: Recorder,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl SupportedKxGroup for Told {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let exchange = self.0.start()?;
        Ok(match Recorder::listening() {
            Some(recorder) => Box::new(ToldExchange { exchange, recorder }),
            None => exchange,
        })
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let completed = self.0.start_and_complete(peer_pub_key)?;
        if let Some(recorder) = Recorder::listening() {
            let shares = [&completed.pub_key[..], peer_pub_key];
            recorder.exchanged(shares, completed.secret.secret_bytes());
        }
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

impl ToldExchange {
    fn tell(
        self,
        peer_pub_key: &[u8],
        complete: impl FnOnce(Box<dyn ActiveKeyExchange>) -> Result<SharedSecret, Error>,
    ) -> Result<SharedSecret, Error> {
        let Self { exchange, recorder } = self;
        let own = exchange.pub_key().to_vec();
        let secret = complete(exchange)?;
        recorder.exchanged([&own, peer_pub_key], secret.secret_bytes());
        Ok(secret)
    }
}

impl ActiveKeyExchange for ToldExchange {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        (*self).tell(peer_pub_key, |exchange| exchange.complete(peer_pub_key))
    }

    fn complete_for_tls_version(
        self: Box<Self>,
        peer_pub_key: &[u8],
        tls_version: &SupportedProtocolVersion,
    ) -> Result<SharedSecret, Error> {
        (*self).tell(peer_pub_key, |exchange| {
            exchange.complete_for_tls_version(peer_pub_key, tls_version)
        })
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        self.exchange.hybrid_component()
    }

    fn complete_hybrid_component(
        self: Box<Self>,
        peer_pub_key: &[u8],
    ) -> Result<SharedSecret, Error> {
        (*self).tell(peer_pub_key, |exchange| {
            exchange.complete_hybrid_component(peer_pub_key)
        })
    }

    fn pub_key(&self) -> &[u8] {
        self.exchange.pub_key()
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        self.exchange.ffdhe_group()
    }

    fn group(&self) -> NamedGroup {
        self.exchange.group()
    }
}

/// Gives secrets to the recorder of the scope.
#[derive(Debug)]
struct ScopedLog;

impl KeyLog for ScopedLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if let Some(recorder) = Recorder::listening() {
            recorder.logged(client_random, label, secret);
        }
    }

    fn will_log(&self, _: &str) -> bool {
        Recorder::listening().is_some()
    }
}

#[cfg(test)]
mod tests {
    use ravelin_tls::policy;

    use super::*;

    #[test]
    fn a_witness_offers_the_groups_of_the_policy_in_their_order() {
        let names = |groups: &[&dyn SupportedKxGroup]| {
            groups.iter().map(|group| group.name()).collect::<Vec<_>>()
        };
        assert_eq!(names(&witness().groups), names(policy::GROUPS));
    }

    #[test]
    fn groups_are_found_by_the_names_that_they_have() {
        for (name, found) in [
            ("X25519MLKEM768", NamedGroup::X25519MLKEM768),
            ("X25519", NamedGroup::X25519),
            ("p-256", NamedGroup::secp256r1),
            ("secp384r1", NamedGroup::secp384r1),
            ("secp256r1mlkem768", NamedGroup::secp256r1MLKEM768),
            ("MLKEM768", NamedGroup::MLKEM768),
            ("mlkem1024", NamedGroup::MLKEM1024),
        ] {
            assert_eq!(group(name).map(SupportedKxGroup::name), Some(found));
        }
        assert!(group("ffdhe2048").is_none());
    }
}
