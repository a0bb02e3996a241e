//! What to think of a connection as a whole: what was agreed and what it cost, what stays secret and
//! from whom, and what is weak about it.
//!
//! All of it follows from the [`Story`], as values. Their words are in [`crate::explain`].

use std::time::Duration;

use ravelin_pki::Certificate;
use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{ClientHello, Handshake, ServerHello};
use ravelin_wire::registry::{
    Authentication, Cipher, CipherSuite, CodePoint, CompressionMethod, HandshakeType,
    Judgement as Rating, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme,
};

use crate::ledger::Side;
use crate::story::{
    Agreement, Claim, EarlyData, End, Resumption, Step, Story, Value, Verdict, What,
};

mod encrypted_hello;
mod weaknesses;

pub use encrypted_hello::EncryptedHello;
pub use weaknesses::{Severity, Weakness};

/// What to think of a connection as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What it cost.
    pub cost: Cost,
    /// Whether what is recorded today stays secret when long-term keys come out tomorrow.
    pub forward_secrecy: ForwardSecrecy,
    /// Whether a quantum computer that breaks curves, RSA and finite fields leaves the key exchange
    /// standing.
    pub key_exchange: QuantumSafety,
    /// The same of the proof of who the server is.
    pub server_authentication: QuantumSafety,
    /// What somebody who only listens can see.
    pub seen: Vec<Seen>,
    /// What somebody who can change, stop and insert what is sent can do.
    pub powers: Vec<Power>,
    /// The links that the protection hangs on, as far as they are known.
    pub links: Vec<Link>,
    /// What is weak, the gravest first.
    pub weaknesses: Vec<Weakness>,
}

/// What a handshake cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cost {
    /// How many times the client had to wait for the server before it could send data that is
    /// protected in full; `None` where the handshake was not completed.
    pub round_trips: Option<u32>,
    /// Whether data went with the first flight.
    pub early_data: bool,
    /// Whether the server asked the client to begin again.
    pub retried: bool,
    /// Octets that each side sent until the handshake was complete, the client's first.
    pub octets: [u64; 2],
    /// From the first step to the one that completed the handshake, or the last.
    pub duration: Duration,
    /// When each step was whole, from the first on.
    pub steps: Vec<Duration>,
}

/// Whether what is recorded today stays secret when long-term keys come out tomorrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardSecrecy {
    /// Yes: the keys of this connection were made for it alone.
    Full,
    /// Yes, but for this.
    Partly(Vec<Leak>),
    /// No, because of this.
    None(Leak),
    /// It cannot be told.
    Unknown,
}

/// What opens a recorded connection once it comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// The RSA key of the certificate, to which the secret was encrypted.
    RsaKey,
    /// A key of a certificate that takes part in the key exchange itself.
    StaticKey,
    /// The pre-shared key: there was no key exchange beside it.
    Psk,
    /// The pre-shared key opens what was sent early.
    EarlyData,
    /// The key that seals the server's tickets, which hold the main secret.
    TicketKey,
    /// Nothing is encrypted.
    Nothing,
    /// Some other long-term key.
    Other,
}

/// Whether a quantum computer that breaks curves, RSA and finite fields leaves something standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantumSafety {
    /// Yes.
    Safe,
    /// No.
    Unsafe,
    /// A pre-shared key stands in its place, which such a computer does not find; how it came about is
    /// another matter.
    Psk,
    /// There is none.
    Absent,
    /// It cannot be told.
    Unknown,
}

/// What somebody who only listens can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Everything.
    Everything,
    /// The host that the client asks for.
    ServerName(String),
    /// A name in clear beside an encrypted hello (ECH), which may ask for another.
    OuterName(String),
    /// An encrypted hello, and what became of it.
    EncryptedHello(EncryptedHello),
    /// No name, since none was sent.
    NoName,
    /// What the client offers, by which programs can be told apart.
    Offer,
    /// The protocols that the client offers.
    OfferedProtocols(Vec<String>),
    /// The protocol that was agreed.
    Protocol(String),
    /// The certificates of this side.
    Certificates(Side),
    /// A ticket or session that the server gave before: connections of one client can be told to belong
    /// together, if it is used twice.
    Ticket,
    /// How much is sent, when and by whom.
    Lengths,
}

/// What somebody who can change, stop and insert what is sent can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Delay and cut.
    Cut,
    /// Keep the client from asking for TLS in the first place.
    Strip,
    /// Send the early data once more.
    Replay,
    /// Be the server.
    Impersonate,
    /// Put words of their own before those of the client (CVE-2009-3555).
    Splice,
    /// Have two connections share one secret (triple handshake, 2014).
    Synchronise,
    /// Nothing else that would go unnoticed.
    NothingElse,
}

/// A link that the protection hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub kind: LinkKind,
    /// What it is, by name.
    pub name: String,
    /// What to think of it.
    pub rating: Rating,
}

/// Which link it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// The version.
    Version,
    /// The cipher suite.
    Suite,
    /// The group of the key exchange.
    Group,
    /// What the server signed the handshake with.
    Signature,
    /// The key of the server's certificate.
    CertificateKey,
    /// What the certificate was signed with.
    CertificateSignature,
}

impl Judgement {
    /// Judges a connection.
    #[must_use]
    pub fn of(story: &Story) -> Self {
        let view = View::of(story);
        let links = view.links();
        Self {
            cost: Cost::of(story),
            forward_secrecy: view.forward_secrecy(),
            key_exchange: view.key_exchange(),
            server_authentication: view.server_authentication(),
            seen: view.seen(),
            powers: view.powers(),
            weaknesses: weaknesses::of(&view, &links),
            links,
        }
    }

    /// The weakest link. Where several are equally weak, or equally strong, the first.
    #[must_use]
    pub fn weakest(&self) -> Option<&Link> {
        let worst = |link: &&Link| std::cmp::Reverse(weight(link.rating));
        self.links.iter().min_by_key(worst)
    }
}

impl Cost {
    fn of(story: &Story) -> Self {
        let agreement = &story.agreement;
        let start = story.steps.first().map(|step| step.at);
        let since = |step: &Step| {
            start
                .and_then(|start| step.at.duration_since(start).ok())
                .unwrap_or_default()
        };
        let steps: Vec<Duration> = story.steps.iter().map(since).collect();
        let last = agreement.complete.or(steps.len().checked_sub(1));
        Self {
            round_trips: agreement
                .complete
                .map(|_| story.traffic(Side::Server).flights),
            early_data: agreement.early_data == EarlyData::Accepted,
            retried: agreement.retried,
            octets: story.traffic.map(|traffic| traffic.handshake_octets),
            duration: last
                .and_then(|last| steps.get(last).copied())
                .unwrap_or_default(),
            steps,
        }
    }
}

/// How heavily a rating weighs against a link.
fn weight(rating: Rating) -> u8 {
    match rating {
        Rating::Recommended => 0,
        Rating::Special => 1,
        Rating::Unknown | Rating::Grease => 2,
        Rating::Legacy => 3,
        Rating::Broken => 4,
    }
}

/// A story, with what is looked at more than once taken out of it.
pub(crate) struct View<'s> {
    pub(crate) story: &'s Story,
    pub(crate) agreement: &'s Agreement,
    hellos: Vec<ClientHello<'s>>,
    answer: Option<ServerHello<'s>>,
    encrypted: Option<EncryptedHello>,
    /// The server's own certificate.
    pub(crate) certificate: Option<Certificate>,
}

impl<'s> View<'s> {
    fn of(story: &'s Story) -> Self {
        let hellos = story
            .messages(HandshakeType::CLIENT_HELLO)
            .filter_map(|step| match step.value() {
                Ok(Value::Handshake(Handshake::ClientHello(hello))) => Some(hello),
                _ => None,
            })
            .collect();
        let answer = story
            .messages(HandshakeType::SERVER_HELLO)
            .find_map(|step| match step.value() {
                Ok(Value::Handshake(Handshake::ServerHello(hello))) if !hello.is_retry() => {
                    Some(hello)
                }
                _ => None,
            });
        let own = story.agreement.server_chain.first();
        Self {
            story,
            agreement: &story.agreement,
            hellos,
            answer,
            encrypted: EncryptedHello::of(story),
            certificate: own.and_then(|der| Certificate::from_der(der).ok()),
        }
    }

    pub(crate) fn is_tls13(&self) -> bool {
        self.agreement
            .version
            .is_some_and(ProtocolVersion::is_tls13)
    }

    pub(crate) fn key_exchange_kind(&self) -> Option<KeyExchange> {
        self.agreement.suite?.key_exchange()
    }

    pub(crate) fn authentication(&self) -> Option<Authentication> {
        self.agreement.suite?.authentication()
    }

    pub(crate) fn cipher(&self) -> Option<Cipher> {
        self.agreement.suite?.cipher()
    }

    /// Whether nothing is encrypted, even once all is agreed.
    pub(crate) fn is_null(&self) -> bool {
        matches!(
            self.cipher(),
            Some(Cipher::Null | Cipher::IntegritySha256 | Cipher::IntegritySha384)
        )
    }

    /// Whether the host that the client asks for can be read in its hello.
    pub(crate) fn shows_name(&self) -> bool {
        self.agreement.server_name.is_some()
            && self.encrypted.is_none_or(EncryptedHello::leaves_the_name)
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|hello| hello.legacy_compression_method != CompressionMethod::NULL)
    }

    pub(crate) fn was_refuted(&self, claim: &Claim) -> bool {
        self.story
            .checks
            .iter()
            .any(|check| check.claim == *claim && matches!(check.verdict, Verdict::Refuted(_)))
    }

    fn resumes_before_tls13(&self) -> bool {
        matches!(
            self.agreement.resumption,
            Some(Resumption::Ticket | Resumption::SessionId)
        )
    }

    fn forward_secrecy(&self) -> ForwardSecrecy {
        let agreement = self.agreement;
        let Some(suite) = agreement.suite else {
            return ForwardSecrecy::Unknown;
        };
        if self.is_null() {
            return ForwardSecrecy::None(Leak::Nothing);
        }
        if self.is_tls13() {
            let mut leaks = Vec::new();
            if agreement.resumption
                == (Some(Resumption::Psk {
                    key_exchange: false,
                }))
            {
                return ForwardSecrecy::None(Leak::Psk);
            }
            // Whether the server took it or not: it was sent.
            if agreement.early_data != EarlyData::None {
                leaks.push(Leak::EarlyData);
            }
            return if leaks.is_empty() {
                ForwardSecrecy::Full
            } else {
                ForwardSecrecy::Partly(leaks)
            };
        }
        match suite.key_exchange() {
            None => ForwardSecrecy::Unknown,
            Some(KeyExchange::Rsa | KeyExchange::RsaExport | KeyExchange::RsaPsk) => {
                ForwardSecrecy::None(Leak::RsaKey)
            }
            Some(KeyExchange::Dh | KeyExchange::Ecdh) => ForwardSecrecy::None(Leak::StaticKey),
            Some(KeyExchange::Psk) => ForwardSecrecy::None(Leak::Psk),
            Some(exchange) if !exchange.forward_secret() => ForwardSecrecy::None(Leak::Other),
            // A ticket of these versions holds the main secret itself.
            Some(_) if agreement.tickets > 0 || self.resumes_before_tls13() => {
                ForwardSecrecy::Partly(vec![Leak::TicketKey])
            }
            Some(_) => ForwardSecrecy::Full,
        }
    }

    fn key_exchange(&self) -> QuantumSafety {
        if self.is_null() {
            return QuantumSafety::Absent;
        }
        match (self.agreement.group, self.key_exchange_kind()) {
            (Some(group), _) if group.is_post_quantum() => QuantumSafety::Safe,
            (None, Some(KeyExchange::Psk | KeyExchange::Krb5)) => QuantumSafety::Psk,
            (None, Some(KeyExchange::Any)) => match self.agreement.resumption {
                Some(Resumption::Psk {
                    key_exchange: false,
                }) => QuantumSafety::Psk,
                _ => QuantumSafety::Unknown,
            },
            // How the session that is resumed came by its secret was not seen.
            (None, kind) if kind.is_none() || self.resumes_before_tls13() => QuantumSafety::Unknown,
            _ => QuantumSafety::Unsafe,
        }
    }

    fn server_authentication(&self) -> QuantumSafety {
        if let Some(scheme) = self.agreement.server_signature {
            return if scheme.is_post_quantum() {
                QuantumSafety::Safe
            } else {
                QuantumSafety::Unsafe
            };
        }
        if matches!(self.agreement.resumption, Some(Resumption::Psk { .. })) {
            return QuantumSafety::Psk;
        }
        match self.authentication() {
            Some(Authentication::Anonymous) => QuantumSafety::Absent,
            Some(Authentication::Psk) => QuantumSafety::Psk,
            Some(Authentication::Any) | None => QuantumSafety::Unknown,
            Some(_) if self.resumes_before_tls13() => QuantumSafety::Unknown,
            Some(_) => QuantumSafety::Unsafe,
        }
    }

    fn seen(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        if self.is_null() {
            seen.push(Seen::Everything);
        }
        if let Some(hello) = self.hellos.first() {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            seen.push(match hello.server_name().map(text) {
                Some(name) if self.shows_name() => Seen::ServerName(name),
                Some(name) => Seen::OuterName(name),
                None => Seen::NoName,
            });
            seen.extend(self.encrypted.map(Seen::EncryptedHello));
            let protocols = hello.extensions().find_map(|extension| match extension {
                Extension::Alpn(protocols) => Some(protocols),
                _ => None,
            });
            if let Some(protocols) =
                protocols.filter(|_| self.encrypted.is_none_or(EncryptedHello::leaves_the_name))
            {
                let names = protocols.iter().map(|name| text(name)).collect();
                seen.push(Seen::OfferedProtocols(names));
            }
            seen.push(Seen::Offer);
            let ticket = hello.extensions().any(|extension| match extension {
                Extension::PreSharedKeys(_) => true,
                Extension::SessionTicket(ticket) => !ticket.is_empty(),
                _ => false,
            });
            if ticket || self.resumes_before_tls13() {
                seen.push(Seen::Ticket);
            }
        }
        if !self.is_tls13() {
            if let Some(protocol) = &self.agreement.alpn {
                seen.push(Seen::Protocol(
                    String::from_utf8_lossy(protocol).into_owned(),
                ));
            }
            if !self.agreement.server_chain.is_empty() {
                seen.push(Seen::Certificates(Side::Server));
            }
            if !self.agreement.client_chain.is_empty() {
                seen.push(Seen::Certificates(Side::Client));
            }
        }
        seen.push(Seen::Lengths);
        seen
    }

    fn powers(&self) -> Vec<Power> {
        let mut powers = vec![Power::Strip, Power::Cut];
        if matches!(
            self.agreement.early_data,
            EarlyData::Accepted | EarlyData::Offered
        ) {
            powers.push(Power::Replay);
        }
        let server_is_known = !matches!(self.authentication(), Some(Authentication::Anonymous))
            && !self.was_refuted(&Claim::HandshakeSignature(Side::Server))
            && !self.was_refuted(&Claim::ShareSignature)
            && !self.was_refuted(&Claim::Chain(Side::Server));
        if !server_is_known {
            powers.push(Power::Impersonate);
        }
        let is_old = self.agreement.version.is_some() && !self.is_tls13();
        if is_old && !self.agreement.secure_renegotiation {
            powers.push(Power::Splice);
        }
        if is_old && !self.agreement.extended_main_secret {
            powers.push(Power::Synchronise);
        }
        if server_is_known && !self.is_null() && self.agreement.suite.is_some() {
            powers.push(Power::NothingElse);
        }
        powers
    }

    fn links(&self) -> Vec<Link> {
        let agreement = self.agreement;
        let mut links = Vec::new();
        let mut add = |kind, name: String, rating| links.push(Link { kind, name, rating });
        if let Some(version) = agreement.version {
            add(LinkKind::Version, version.to_string(), version.judgement());
        }
        if let Some(suite) = agreement.suite {
            let suite: CipherSuite = suite;
            add(LinkKind::Suite, suite.to_string(), suite.judgement());
        }
        if let Some(group) = agreement.group {
            let group: NamedGroup = group;
            add(LinkKind::Group, group.to_string(), group.judgement());
        }
        if let Some(scheme) = agreement.server_signature {
            let scheme: SignatureScheme = scheme;
            add(LinkKind::Signature, scheme.to_string(), scheme.judgement());
        }
        if let Some(certificate) = &self.certificate {
            let key = certificate.public_key();
            add(
                LinkKind::CertificateKey,
                key.kind(),
                weaknesses::rate_key(key),
            );
            // Nobody relies on the signature of a root, or of a certificate that signs itself.
            if !certificate.is_self_issued() {
                let algorithm = certificate.signature_algorithm();
                let rating = weaknesses::rate_certificate_signature(algorithm);
                add(LinkKind::CertificateSignature, algorithm.name(), rating);
            }
        }
        links
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.agreement.complete.is_some() && self.story.end.contains(&End::Cut)
    }

    pub(crate) fn has_lying_heartbeat(&self) -> bool {
        let heartbeats = self
            .story
            .steps
            .iter()
            .filter(|step| step.what == What::Heartbeat);
        heartbeats
            .filter_map(|step| step.value().ok())
            .any(|value| match value {
                Value::Heartbeat(heartbeat) => {
                    usize::from(heartbeat.payload_length) > heartbeat.payload_and_padding.len()
                }
                _ => false,
            })
    }
}
