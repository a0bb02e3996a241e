//! What to think of a connection as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::View;
use crate::judgement::{self, ForwardSecrecy, Judgement, LinkKind, Power, QuantumSafety, Severity};
use crate::ledger;
use crate::story::Story;

/// What to think of a connection as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opinion {
    /// How often the client had to wait for the server before it could send its data; null where the
    /// handshake was not completed.
    pub round_trips: Option<u32>,
    /// From the first step to the one that completed the handshake, or the last, in microseconds.
    pub duration_us: u64,
    /// Whether it has forward secrecy: `full`, `partly`, `none` or `unknown`.
    pub forward_secrecy: String,
    /// What opens the connection once it comes out.
    pub leaks: Vec<Leak>,
    /// Whether the key exchange resists quantum computers: `safe`, `unsafe`, `psk` (a key from before in its
    /// place), `absent` or `unknown`.
    pub key_exchange_post_quantum: String,
    /// The same of the proof of who the server is.
    pub authentication_post_quantum: String,
    /// What somebody who listens can see.
    pub seen: Vec<Seen>,
    /// What somebody in the middle can do: `cut`, `strip`, `replay`, `impersonate`, `splice`, `synchronise`,
    /// or `nothing_else`.
    pub powers: Vec<String>,
    /// The links that the protection hangs on.
    pub links: Vec<Link>,
    /// The weakest of them, from 0.
    pub weakest: Option<usize>,
    /// What is weak, the gravest first.
    pub weaknesses: Vec<Weakness>,
    /// All of it in sentences.
    pub sections: Vec<Section>,
}

/// What opens a recorded connection once it comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leak {
    /// The RSA key of the certificate.
    RsaKey,
    /// A key of a certificate that takes part in the key exchange.
    StaticKey,
    /// The pre-shared key.
    Psk,
    /// The pre-shared key, for what was sent early.
    EarlyData,
    /// The key that seals the server's tickets.
    TicketKey,
    /// Nothing is encrypted.
    Nothing,
    /// Some other long-term key.
    Other,
}

/// What somebody who listens can see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// What: `everything`, `server_name`, `outer_name` (beside an encrypted hello, which may ask for another),
    /// `no_name`, `offer`, `offered_protocols`, `protocol`, `server_certificates`, `client_certificates`, `ticket` or
    /// `lengths`; of an encrypted hello `ech_grease` (it said nothing), `ech_refused`, `ech_not_taken` (which of both
    /// was not seen) or `ech_unknown`.
    pub what: String,
    /// The names that are seen, with what is no printing character made visible.
    pub names: Vec<String>,
}

/// A link that the protection hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Which: `version`, `suite`, `group`, `signature`, `certificate_key` or `certificate_signature`.
    pub kind: String,
    /// What it is, by name.
    pub name: String,
    /// What to think of it: see code points.
    pub judgement: String,
}

/// What is weak, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Weakness {
    /// How grave it is: `critical`, `serious`, `minor` or `note`.
    pub severity: String,
    /// What is weak.
    pub what: String,
    /// How it is mended.
    pub mend: String,
}

/// A heading, and sentences below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The sentences.
    pub sentences: Vec<String>,
}

impl View {
    pub(super) fn opinion(self, story: &Story, judgement: &Judgement) -> Opinion {
        let (forward_secrecy, leaks) = match &judgement.forward_secrecy {
            ForwardSecrecy::Full => ("full", Vec::new()),
            ForwardSecrecy::Partly(leaks) => ("partly", leaks.clone()),
            ForwardSecrecy::None(leak) => ("none", vec![*leak]),
            ForwardSecrecy::Unknown => ("unknown", Vec::new()),
        };
        let weakest = judgement.weakest();
        let micros = judgement.cost.duration.as_micros();
        Opinion {
            round_trips: judgement.cost.round_trips,
            duration_us: u64::try_from(micros).unwrap_or(u64::MAX),
            forward_secrecy: forward_secrecy.to_owned(),
            leaks: leaks.into_iter().map(Leak::from).collect(),
            key_exchange_post_quantum: quantum(judgement.key_exchange).to_owned(),
            authentication_post_quantum: quantum(judgement.server_authentication).to_owned(),
            seen: judgement.seen.iter().map(Seen::of).collect(),
            powers: judgement
                .powers
                .iter()
                .map(|it| power(*it).to_owned())
                .collect(),
            weakest: judgement
                .links
                .iter()
                .position(|link| Some(link) == weakest),
            links: judgement.links.iter().map(Link::of).collect(),
            weaknesses: judgement
                .weaknesses
                .iter()
                .map(|it| self.weakness(it))
                .collect(),
            sections: self
                .language
                .whole(story, judgement)
                .into_iter()
                .map(|section| Section {
                    title: section.title.to_owned(),
                    sentences: section.sentences,
                })
                .collect(),
        }
    }

    fn weakness(self, weakness: &judgement::Weakness) -> Weakness {
        let words = self.language.weakness(weakness);
        let severity = match weakness.severity() {
            Severity::Critical => "critical",
            Severity::Serious => "serious",
            Severity::Minor => "minor",
            Severity::Note => "note",
        };
        Weakness {
            severity: severity.to_owned(),
            what: words.what,
            mend: words.mend,
        }
    }
}

impl Seen {
    fn of(seen: &judgement::Seen) -> Self {
        use judgement::Seen as S;
        let shown = |name: &String| crate::explain::visible(name.as_bytes());
        let (what, names) = match seen {
            S::Everything => ("everything", Vec::new()),
            S::ServerName(name) => ("server_name", vec![shown(name)]),
            S::OuterName(name) => ("outer_name", vec![shown(name)]),
            S::EncryptedHello(hello) => (encrypted_hello(*hello), Vec::new()),
            S::NoName => ("no_name", Vec::new()),
            S::Offer => ("offer", Vec::new()),
            S::OfferedProtocols(names) => ("offered_protocols", names.iter().map(shown).collect()),
            S::Protocol(name) => ("protocol", vec![shown(name)]),
            S::Certificates(ledger::Side::Server) => ("server_certificates", Vec::new()),
            S::Certificates(ledger::Side::Client) => ("client_certificates", Vec::new()),
            S::Ticket => ("ticket", Vec::new()),
            S::Lengths => ("lengths", Vec::new()),
        };
        Self {
            what: what.to_owned(),
            names,
        }
    }
}

impl Link {
    fn of(link: &judgement::Link) -> Self {
        let kind = match link.kind {
            LinkKind::Version => "version",
            LinkKind::Suite => "suite",
            LinkKind::Group => "group",
            LinkKind::Signature => "signature",
            LinkKind::CertificateKey => "certificate_key",
            LinkKind::CertificateSignature => "certificate_signature",
        };
        Self {
            kind: kind.to_owned(),
            name: crate::explain::visible(link.name.as_bytes()),
            judgement: link.rating.word().to_owned(),
        }
    }
}

impl From<judgement::Leak> for Leak {
    fn from(leak: judgement::Leak) -> Self {
        use judgement::Leak as L;
        match leak {
            L::RsaKey => Self::RsaKey,
            L::StaticKey => Self::StaticKey,
            L::Psk => Self::Psk,
            L::EarlyData => Self::EarlyData,
            L::TicketKey => Self::TicketKey,
            L::Nothing => Self::Nothing,
            L::Other => Self::Other,
        }
    }
}

fn encrypted_hello(hello: judgement::EncryptedHello) -> &'static str {
    use judgement::EncryptedHello as H;
    match hello {
        H::Grease => "ech_grease",
        H::Refused => "ech_refused",
        H::NotTaken => "ech_not_taken",
        H::Unknown => "ech_unknown",
    }
}

fn quantum(safety: QuantumSafety) -> &'static str {
    match safety {
        QuantumSafety::Safe => "safe",
        QuantumSafety::Unsafe => "unsafe",
        QuantumSafety::Psk => "psk",
        QuantumSafety::Absent => "absent",
        QuantumSafety::Unknown => "unknown",
    }
}

fn power(power: Power) -> &'static str {
    match power {
        Power::Cut => "cut",
        Power::Strip => "strip",
        Power::Replay => "replay",
        Power::Impersonate => "impersonate",
        Power::Splice => "splice",
        Power::Synchronise => "synchronise",
        Power::NothingElse => "nothing_else",
    }
}
