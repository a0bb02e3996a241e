//! What became of an encrypted hello (ECH, RFC 9849), as far as anybody but its two ends can tell.
//!
//! Clients that know no key of the server send octets at random in its place (GREASE, section 6.2), so that real
//! ones do not stand out. Whether the server took one shows in `ServerHello.random` to who knows the inner hello,
//! and in all that is computed over the hellos: both ends go on with the inner one then.

use ravelin_wire::extension::{EncryptedClientHello, Extension};
use ravelin_wire::handshake::{ClientHello, Handshake};
use ravelin_wire::registry::{AlertDescription, HandshakeType};

use crate::ledger::Side;
use crate::story::{Claim, End, Epoch, Story, Value, Verdict, What};

/// What became of an encrypted hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncryptedHello {
    /// It said nothing: the server did not take it, and the client went on all the same, which one that meant it
    /// must not (section 6.1.6).
    Grease,
    /// It was meant, and the server did not take it: the client ended the connection for that.
    Refused,
    /// The server did not take it. Whether it was meant was not seen.
    NotTaken,
    /// It cannot be told.
    Unknown,
}

impl EncryptedHello {
    /// Of this connection, where there is one.
    #[must_use]
    pub fn of(story: &Story) -> Option<Self> {
        let mut hellos = story.messages(HandshakeType::CLIENT_HELLO);
        let has_one = hellos.any(|step| match step.value() {
            Ok(Value::Handshake(Handshake::ClientHello(hello))) => is_in(&hello),
            _ => false,
        });
        has_one.then(|| Self::judge(story))
    }

    fn judge(story: &Story) -> Self {
        let [client, _] = &story.end;
        let was_meant = matches!(client, End::Alert(alert)
            if alert.description == AlertDescription::ECH_REQUIRED);
        // Early data leaves before the client can know.
        let went_on = story.steps.iter().any(|step| {
            step.side == Side::Client
                && step.what == What::ApplicationData
                && matches!(step.epoch, Epoch::Application(_))
        });
        match (was_meant, was_left(story)) {
            (true, _) => Self::Refused,
            (false, true) if went_on => Self::Grease,
            (false, true) => Self::NotTaken,
            (false, false) => Self::Unknown,
        }
    }

    /// Whether the name in clear is that of the host.
    pub(crate) fn leaves_the_name(self) -> bool {
        self == Self::Grease
    }
}

/// Whether the two went on with the hello in clear: the server's Finished message covers it, or they agreed on a
/// version that has no ECH.
fn was_left(story: &Story) -> bool {
    let version = story.agreement.version;
    let is_old = version.is_some_and(|version| !version.is_tls13());
    let finished = Claim::Finished(Side::Server);
    let mut checks = story.checks.iter();
    is_old || checks.any(|check| check.claim == finished && check.verdict == Verdict::Confirmed)
}

fn is_in(hello: &ClientHello<'_>) -> bool {
    hello.extensions().any(|extension| {
        matches!(
            extension,
            Extension::EncryptedClientHello(EncryptedClientHello::Outer { .. })
        )
    })
}
