//! What was seen of a connection, step by step, with all that could be derived of it.
//!
//! [`crate::connection`] writes it; whatever shows, explains or judges a handshake reads it and needs
//! nothing else.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_pki::CertificateError;
use ravelin_pki::der::DerError;
use ravelin_pki::verify::Failure;
use ravelin_wire::alert::Alert;
use ravelin_wire::dissect::{self, Field};
use ravelin_wire::handshake::{Agreed, Handshake};
use ravelin_wire::reader::DecodeError;
use ravelin_wire::record::{ChangeCipherSpec, Foreign, Heartbeat};
use ravelin_wire::registry::{
    CipherSuite, ContentType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use ravelin_wire::sslv2;

use crate::digest::Octets;
use crate::ledger::{Ledger, QuantityId, Side};
use crate::proof::{LogEntry, TimestampPlace};

/// A connection, as far as it was seen.
#[derive(Debug, Default)]
pub struct Story {
    /// What was said, in the order in which it was whole.
    pub steps: Vec<Step>,
    /// The records that carried it, in the order in which they were whole. Empty for QUIC.
    pub records: Vec<SeenRecord>,
    /// All that could be derived.
    pub ledger: Ledger,
    /// What was put to the test.
    pub checks: Vec<Check>,
    /// What was agreed, as far as it is known.
    pub agreement: Agreement,
    /// What each side sent: the client's first.
    pub traffic: [Traffic; 2],
    /// What is wrong with what was sent, or was in the way of reading it.
    pub faults: Vec<Fault>,
    /// How it ended, as far as it was seen.
    pub end: [End; 2],
}

/// A message, or what else was said.
#[derive(Debug)]
pub struct Step {
    /// Who said it.
    pub side: Side,
    /// When its last octet was seen.
    pub at: SystemTime,
    /// What it is.
    pub what: What,
    /// Which keys protected it.
    pub epoch: Epoch,
    /// It, in clear, header and all; of what could not be decrypted what was on the wire. Of application
    /// data at most [`Limits::data_octets`](crate::connection::Limits).
    pub bytes: Octets,
    /// How many octets it has, of which `bytes` can be a part.
    pub octets: usize,
    /// How it is to be read.
    pub agreed: Agreed,
    /// Which of [`Story::records`] carried it.
    pub records: Range<usize>,
    /// The quantities of [`Story::ledger`] that it made possible.
    pub derived: Vec<QuantityId>,
}

/// What a [`Step`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A handshake message.
    Handshake(HandshakeType),
    /// Other keys from here on, before TLS 1.3.
    ChangeCipherSpec,
    /// An alert.
    Alert,
    /// A sign of life.
    Heartbeat,
    /// What the connection is for; records of one side that follow each other are one step.
    ApplicationData,
    /// A message of SSL 2.
    SslV2,
    /// Records that could not be decrypted, because of this. Those of one side that follow each other,
    /// for one reason, are one step.
    Sealed(Sealed),
    /// A record of a type that is not known.
    Other(ContentType),
    /// No record at all.
    Foreign(Foreign),
}

/// Why records could not be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// Nothing is known of which their keys follow.
    NoKeys,
    /// The keys that are known are not those: this many records had been decrypted with them.
    WrongKeys {
        /// How many records had been decrypted with them.
        after: u64,
    },
    /// Records before them are lost, so that their numbers are not known.
    Lost,
    /// The cipher is not known here.
    UnknownCipher,
}

/// Which keys protect a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Epoch {
    /// None.
    Clear,
    /// Those of 0-RTT data.
    EarlyData,
    /// Those of the handshake of TLS 1.3.
    Handshake,
    /// Those of application data, which were changed so many times. Before TLS 1.3, those after the change
    /// of ciphers; a renegotiation changes them.
    Application(u32),
}

/// A record, as it was on the wire.
#[derive(Debug)]
pub struct SeenRecord {
    /// Who sent it.
    pub side: Side,
    /// When its last octet was seen.
    pub at: SystemTime,
    /// Where it begins, in octets from the first of its side.
    pub offset: u64,
    /// Its header and fragment; of application data at most
    /// [`Limits::data_octets`](crate::connection::Limits).
    pub bytes: Vec<u8>,
    /// How many octets it has, header and all, of which `bytes` can be a part.
    pub octets: usize,
    /// What it says it carries.
    pub content_type: ContentType,
    /// Which keys protected it.
    pub epoch: Epoch,
    /// How it was decrypted; `None` where it was in clear or could not be.
    pub opening: Option<Opening>,
}

/// How a record was decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The key of the cipher; none where nothing is encrypted.
    pub key: Option<QuantityId>,
    /// What nonces are made of, or the first initialization vector.
    pub iv: Option<QuantityId>,
    /// The key of the MAC, of suites without AEAD.
    pub mac_key: Option<QuantityId>,
    /// The number of the record, from 0 under its keys.
    pub sequence: u64,
    /// The nonce, or the initialization vector.
    pub nonce: Vec<u8>,
    /// What was authenticated with it.
    pub additional_data: Vec<u8>,
    /// What it really carries.
    pub content_type: ContentType,
    /// How many octets of that it has.
    pub content_octets: usize,
    /// How many octets hide its length.
    pub padding: usize,
}

/// What was agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
pub struct Agreement {
    /// The random of the client's hello, by which key logs know a connection.
    pub client_random: Option<[u8; 32]>,
    /// The version.
    pub version: Option<ProtocolVersion>,
    /// The cipher suite.
    pub suite: Option<CipherSuite>,
    /// The group of the key exchange; none where there was no exchange in one.
    pub group: Option<NamedGroup>,
    /// What the server signed with.
    pub server_signature: Option<SignatureScheme>,
    /// What the client signed with.
    pub client_signature: Option<SignatureScheme>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The protocol above.
    pub alpn: Option<Vec<u8>>,
    /// How it goes on from a connection before.
    pub resumption: Option<Resumption>,
    /// Whether the server asked the client to begin again.
    pub retried: bool,
    /// What became of 0-RTT data.
    pub early_data: EarlyData,
    /// Whether the server asked the client for a certificate.
    pub client_certificate_asked: bool,
    /// The server's certificates, its own first, in DER; empty where none were seen.
    pub server_chain: Vec<Vec<u8>>,
    /// The client's.
    pub client_chain: Vec<Vec<u8>>,
    /// The server's certificate came with an OCSP response.
    pub ocsp_response: Option<Vec<u8>>,
    /// The main secret belongs to this handshake alone (RFC 7627); in TLS 1.3 always.
    pub extended_main_secret: bool,
    /// The MAC is over what is encrypted (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Both ends say what they negotiated before (RFC 5746).
    pub secure_renegotiation: bool,
    /// How many tickets the server gave.
    pub tickets: usize,
    /// How many times keys were updated, or a handshake followed within the connection: the client's first.
    pub rekeyed: [u32; 2],
    /// Which of [`Story::steps`] ended the handshake: the second Finished.
    pub complete: Option<usize>,
}

/// How a connection goes on from one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// By a pre-shared key of TLS 1.3, without or with a key exchange.
    Psk {
        /// There is a key exchange too, so that who learns the key later reads nothing.
        key_exchange: bool,
    },
    /// By a ticket of TLS 1.2 and before (RFC 5077).
    Ticket,
    /// By a session that the server kept.
    SessionId,
}

/// What became of 0-RTT data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EarlyData {
    /// Nobody spoke of it.
    #[default]
    None,
    /// The client offered it, and the server has not answered yet.
    Offered,
    /// The server took it.
    Accepted,
    /// The server did not.
    Rejected,
}

/// What one side sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Octets in all.
    pub octets: u64,
    /// Octets until the handshake was complete.
    pub handshake_octets: u64,
    /// Records.
    pub records: u64,
    /// Octets of application data, in clear.
    pub data_octets: u64,
    /// Flights until the handshake was complete: how often it began to speak after the other.
    pub flights: u32,
}

/// How one side ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum End {
    /// It did not, as far as it was seen.
    #[default]
    Open,
    /// It said so (`close_notify`), and the other knows that nothing is missing.
    Said,
    /// The transport ended without a word: the other cannot tell whether something is missing.
    Cut,
    /// The transport ended, and whether it said so before is encrypted.
    Hidden,
    /// The transport was reset.
    Reset,
    /// It gave up with a fatal alert.
    Alert(Alert),
}

/// Something that was put to the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was claimed.
    pub claim: Claim,
    /// What came out.
    pub verdict: Verdict,
    /// At which of [`Story::steps`].
    pub step: usize,
    /// What was looked at, in [`Story::ledger`].
    pub inputs: Vec<QuantityId>,
}

/// What is claimed by a handshake.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claim {
    /// A Finished message says what this side must say.
    Finished(Side),
    /// A signature over the handshake is by the key of the certificate: `CertificateVerify`.
    HandshakeSignature(Side),
    /// The signature over the server's share is by the key of its certificate: `ServerKeyExchange`.
    ShareSignature,
    /// The binder of this pre-shared key, counted from 0, proves that the client has it.
    Binder(usize),
    /// The chain leads to who is trusted, and is for the host.
    Chain(Side),
    /// A log promised to publish the certificate: the timestamp of this log, and its signature.
    CertificateTimestamp {
        /// The log's identifier: the SHA-256 of its key.
        log: [u8; 32],
        /// What the list of logs says of it, where it has it.
        known: Option<Arc<LogEntry>>,
        /// Where the timestamp was.
        place: TimestampPlace,
        /// When the log promised, in milliseconds since 1970.
        at: u64,
    },
    /// The server's random does not say that it was talked into an old version (RFC 8446, section 4.1.3).
    NoDowngrade,
    /// The second hello of the client differs from the first only where it may (section 4.1.2).
    RetryKept,
    /// The records of this side were what their keys say.
    Records(Side),
    /// What the key exchange agreed on leads to the secrets that the connection used: those that the library of one
    /// of its ends derived, or those that open its records.
    SharedSecret,
}

/// What came out of a [`Check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Confirmed,
    /// It is not so, and why.
    Refuted(Refutation),
    /// It cannot be told, for want of this.
    NotDerivable(Missing),
}

/// Why a claim does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refutation {
    /// What was said is not what was computed.
    Differs,
    /// The signature is not by that key over that.
    BadSignature,
    /// The key cannot sign so.
    WrongKeyForScheme,
    /// A signature by a scheme that the other side did not offer.
    SchemeNotOffered,
    /// The certificate, or what it stands for, is of no use.
    BadCertificate(BadCertificate),
    /// The chain is not good: all that the judge finds wrong with it, from the leaf up.
    BadChain(Vec<Failure>),
    /// The server's random says that it can do this version, and a lower one was agreed.
    Downgraded(ProtocolVersion),
    /// The second hello differs in this.
    ChangedHello(&'static str),
}

/// Why a certificate, or a key that stands for one, is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCertificate {
    /// It is none.
    Unreadable(CertificateError),
    /// The key that was sent without a certificate, or in a delegated credential, is none.
    UnreadableKey(DerError),
    /// It lends its name to another key, and may not (RFC 9345, section 4.2).
    MayNotDelegate,
    /// The time of the delegated credential is over.
    CredentialOver,
    /// The delegated credential lives longer than it may (section 4.1.3).
    CredentialTooLong,
    /// The delegated credential cannot be brought into the form that was signed.
    CredentialUnwritable,
}

/// What is missing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The keys of the records in question: a key log, or the recorder.
    Keys,
    /// Messages before it that were not seen or could not be decrypted.
    Transcript,
    /// The certificate whose key signed.
    Certificate,
    /// The pre-shared key.
    Psk,
    /// The key of the log.
    LogKey,
    /// The roots that are trusted.
    Roots,
    /// The algorithm is not known here.
    Algorithm,
}

/// Something wrong with what was sent, or in the way of reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose octets.
    pub side: Side,
    /// Where, in octets from the first of its side.
    pub offset: u64,
    /// At which of [`Story::steps`], where it is one.
    pub step: Option<usize>,
    /// What.
    pub what: FaultKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// A message or record that cannot be read.
    Malformed(DecodeError),
    /// A record longer than any may be.
    RecordTooLong {
        /// How long it says it is.
        octets: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A record that holds nothing, of a type that must hold something.
    EmptyRecord(ContentType),
    /// A message longer than any is.
    MessageTooLong {
        /// How long it says it is.
        octets: usize,
        /// How long messages are read.
        limit: usize,
    },
    /// A message that cannot be at this place.
    OutOfOrder(HandshakeType),
    /// A message that goes on where a record of another type, or other keys, follow.
    Interleaved(ContentType),
    /// Octets that the capture lacks.
    Lost {
        /// How many.
        octets: u64,
    },
    /// The stream ended within a record or a message.
    Truncated {
        /// How many octets are missing at least.
        missing: usize,
    },
    /// No TLS.
    Foreign(Foreign),
    /// A record that the keys do not open.
    Undecryptable {
        /// Its number under its keys.
        sequence: u64,
    },
}

/// The value of a [`Step`].
#[derive(Debug)]
pub enum Value<'s> {
    /// A handshake message.
    Handshake(Handshake<'s>),
    /// A change of ciphers.
    ChangeCipherSpec,
    /// An alert.
    Alert(Alert),
    /// A sign of life.
    Heartbeat(Heartbeat<'s>),
    /// A message of SSL 2.
    SslV2(sslv2::Message<'s>),
    /// Octets that TLS does not look into.
    Octets(&'s [u8]),
}

impl Step {
    /// The step as a value.
    ///
    /// # Errors
    ///
    /// Its octets are not what it is said to be.
    pub fn value(&self) -> Result<Value<'_>, DecodeError> {
        match self.what {
            // Without the tree, which nobody sees here.
            What::Handshake(_) => Handshake::decode(&self.bytes, self.agreed).map(Value::Handshake),
            _ => self.dissect().1,
        }
    }

    /// The tree of its octets, and its value or what is wrong with it.
    pub fn dissect(&self) -> (Field, Result<Value<'_>, DecodeError>) {
        let bytes = &self.bytes[..];
        match self.what {
            What::Handshake(_) => {
                let (tree, value) = Handshake::dissect(bytes, self.agreed);
                (tree, value.map(Value::Handshake))
            }
            What::ChangeCipherSpec => {
                let (tree, value) = ChangeCipherSpec::dissect(bytes);
                (tree, value.map(|_| Value::ChangeCipherSpec))
            }
            What::Alert => {
                let (tree, value) = Alert::dissect(bytes);
                (tree, value.map(Value::Alert))
            }
            What::Heartbeat => {
                let (tree, value) = Heartbeat::dissect(bytes);
                (tree, value.map(Value::Heartbeat))
            }
            What::SslV2 => {
                let (tree, value) = sslv2::Message::dissect(bytes);
                (tree, value.map(Value::SslV2))
            }
            What::ApplicationData => octets("application_data", bytes),
            What::Sealed(_) => octets("encrypted", bytes),
            What::Other(_) => octets("fragment", bytes),
            What::Foreign(_) => octets("octets", bytes),
        }
    }
}

fn octets<'s>(name: &'static str, bytes: &'s [u8]) -> (Field, Result<Value<'s>, DecodeError>) {
    let (tree, value) = dissect::dissect(name, bytes, |reader| Ok(reader.rest(name)));
    (tree, value.map(Value::Octets))
}

impl Story {
    /// Whether records could not be decrypted since the keys that are known are not theirs.
    #[must_use]
    pub fn has_wrong_keys(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step.what, What::Sealed(Sealed::WrongKeys { .. })))
    }

    /// The checks of a step.
    pub fn checks_of(&self, step: usize) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.step == step)
    }

    /// What `side` sent.
    #[must_use]
    pub fn traffic(&self, side: Side) -> &Traffic {
        &self.traffic[side as usize]
    }

    /// The messages of this type, in order.
    pub fn messages(&self, handshake_type: HandshakeType) -> impl Iterator<Item = &Step> {
        let what = What::Handshake(handshake_type);
        self.steps.iter().filter(move |step| step.what == what)
    }
}
