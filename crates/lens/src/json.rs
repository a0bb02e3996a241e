//! A connection as JSON, for programs: every octet, every field, all that was derived, and the words of
//! [`crate::explain`] with it.
//!
//! What it looks like is said by a JSON schema, which is made of the types here. Within a version of the
//! schema, members are added and never taken away, nor do they change what they mean.

use std::time::{SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::explain::Language;
use crate::judgement;
use crate::ledger::{self, Secrets};
use crate::story::{self, Story};

mod keys;
mod opinion;
mod steps;

pub use keys::{Check, Formula, Quantity, Standing, Verdict};
pub use opinion::{Leak, Link, Opinion, Section, Seen, Weakness};
pub use steps::{CodePoint, Epoch, Field, Opening, Record, Step};

/// The name and version of the schema.
pub const SCHEMA: &str = "ravelin.inspect/1";

/// What was seen of one or more connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "ravelin inspect")]
pub struct Document {
    /// The name and version of this schema: `ravelin.inspect/1`.
    pub schema: String,
    /// The language of all sentences: `en` or `zh-Hans`.
    pub language: String,
    /// Whether keys, secrets, nonces and application data are in it.
    pub secrets: bool,
    /// The connections, in the order in which they were opened.
    pub connections: Vec<Connection>,
}

/// What was seen of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// When the first step was whole, in microseconds since 1970; null where there is none.
    pub started_us: Option<u64>,
    /// What was agreed.
    pub agreement: Agreement,
    /// What was said, in the order in which it was whole.
    pub steps: Vec<Step>,
    /// The records that carried it. Empty for QUIC.
    pub records: Vec<Record>,
    /// All that could be derived, in the order in which it was.
    pub quantities: Vec<Quantity>,
    /// What was put to the test.
    pub checks: Vec<Check>,
    /// What is wrong with what was sent, or was in the way of reading it.
    pub faults: Vec<Fault>,
    /// What the client sent.
    pub client: Sent,
    /// What the server sent.
    pub server: Sent,
    /// What to think of it as a whole.
    pub opinion: Opinion,
}

/// One side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who opened it.
    Client,
    /// Who was asked.
    Server,
}

/// What was agreed, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
pub struct Agreement {
    /// The random of the client's hello, in hexadecimal, by which key logs know a connection.
    pub client_random: Option<String>,
    /// The version.
    pub version: Option<CodePoint>,
    /// The cipher suite.
    pub suite: Option<CodePoint>,
    /// The group of the key exchange.
    pub group: Option<CodePoint>,
    /// What the server signed the handshake with.
    pub server_signature: Option<CodePoint>,
    /// What the client signed the handshake with.
    pub client_signature: Option<CodePoint>,
    /// The host that the client asked for, with what is no printing character made visible.
    pub server_name: Option<String>,
    /// The protocol above, in the same way.
    pub alpn: Option<String>,
    /// How it goes on from a connection before.
    pub resumption: Option<Resumption>,
    /// Whether the server asked the client to begin again.
    pub retried: bool,
    /// What became of 0-RTT data.
    pub early_data: EarlyData,
    /// Whether the server asked the client for a certificate.
    pub client_certificate_asked: bool,
    /// The server's certificates, its own first: DER in hexadecimal.
    pub server_chain: Vec<String>,
    /// The client's.
    pub client_chain: Vec<String>,
    /// The OCSP response that came with the server's certificate: DER in hexadecimal.
    pub ocsp_response: Option<String>,
    /// Whether the main secret belongs to this handshake alone.
    pub extended_main_secret: bool,
    /// Whether the MAC is over what is encrypted.
    pub encrypt_then_mac: bool,
    /// Whether both say what they negotiated before.
    pub secure_renegotiation: bool,
    /// How many tickets the server gave.
    pub tickets: usize,
    /// Which of the steps completed the handshake, from 0; null where none did.
    pub complete: Option<usize>,
}

/// How a connection goes on from one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resumption {
    /// By a pre-shared key of TLS 1.3 with a key exchange.
    PskWithKeyExchange,
    /// By a pre-shared key of TLS 1.3 alone.
    PskAlone,
    /// By a ticket of TLS 1.2 and before.
    Ticket,
    /// By a session that the server kept.
    SessionId,
}

/// What became of 0-RTT data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EarlyData {
    /// Nobody spoke of it.
    None,
    /// The client offered it, and the server has not answered.
    Offered,
    /// The server took it.
    Accepted,
    /// The server did not.
    Rejected,
}

/// Something wrong with what was sent, or in the way of reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Whose octets.
    pub side: Side,
    /// Where, in octets from the first of its side.
    pub offset: u64,
    /// At which step, from 0, where it is one.
    pub step: Option<usize>,
    /// What is wrong, in a sentence.
    pub says: String,
}

/// What one side sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Octets in all.
    pub octets: u64,
    /// Octets until the handshake was complete.
    pub handshake_octets: u64,
    /// Records.
    pub records: u64,
    /// Octets of application data, in clear.
    pub data_octets: u64,
    /// How often it began to speak after the other, until the handshake was complete.
    pub flights: u32,
    /// How it ended.
    pub end: End,
    /// The same, in a sentence.
    pub end_says: String,
}

/// How a side ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It did not, as far as it was seen.
    Open,
    /// It said so: `close_notify`.
    Said,
    /// The transport ended without a word.
    Cut,
    /// The transport ended, and whether it said so before is encrypted.
    Hidden,
    /// The transport was reset.
    Reset,
    /// It gave up with a fatal alert.
    Alert,
}

/// The document of these connections.
#[must_use]
pub fn document(stories: &[&Story], language: Language, secrets: Secrets) -> Document {
    let view = View { language, secrets };
    Document {
        schema: SCHEMA.to_owned(),
        language: language.tag().to_owned(),
        secrets: secrets == Secrets::Shown,
        connections: stories.iter().map(|story| view.connection(story)).collect(),
    }
}

/// The JSON schema of documents, as text with a line feed at its end.
///
/// # Errors
///
/// It cannot be written, which has not been seen.
pub fn schema() -> Result<String, serde_json::Error> {
    let schema = SchemaGenerator::default().into_root_schema_for::<Document>();
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// What all parts of a document are made with.
#[derive(Debug, Clone, Copy)]
struct View {
    language: Language,
    secrets: Secrets,
}

impl View {
    fn connection(self, story: &Story) -> Connection {
        let start = story.steps.first().map(|step| step.at);
        Connection {
            started_us: start.map(|start| micros(UNIX_EPOCH, start)),
            agreement: Agreement::of(&story.agreement),
            steps: self.steps(story),
            records: self.records(story),
            quantities: self.quantities(story),
            checks: self.checks(story),
            faults: story.faults.iter().map(|fault| self.fault(fault)).collect(),
            client: self.sent(story, ledger::Side::Client),
            server: self.sent(story, ledger::Side::Server),
            opinion: self.opinion(story, &judgement::Judgement::of(story)),
        }
    }

    fn fault(self, fault: &story::Fault) -> Fault {
        Fault {
            side: fault.side.into(),
            offset: fault.offset,
            step: fault.step,
            says: self.language.fault(fault),
        }
    }

    fn sent(self, story: &Story, side: ledger::Side) -> Sent {
        let traffic = story.traffic(side);
        let end = story.end[side as usize];
        Sent {
            octets: traffic.octets,
            handshake_octets: traffic.handshake_octets,
            records: traffic.records,
            data_octets: traffic.data_octets,
            flights: traffic.flights,
            end: match end {
                story::End::Open => End::Open,
                story::End::Said => End::Said,
                story::End::Cut => End::Cut,
                story::End::Hidden => End::Hidden,
                story::End::Reset => End::Reset,
                story::End::Alert(_) => End::Alert,
            },
            end_says: self.language.end(side, end),
        }
    }
}

impl Agreement {
    fn of(agreement: &story::Agreement) -> Self {
        let text = |text: &[u8]| crate::explain::visible(text);
        let chain = |chain: &[Vec<u8>]| chain.iter().map(|der| hex(der)).collect();
        Self {
            client_random: agreement.client_random.map(|random| hex(&random)),
            version: agreement.version.map(CodePoint::of),
            suite: agreement.suite.map(CodePoint::of),
            group: agreement.group.map(CodePoint::of),
            server_signature: agreement.server_signature.map(CodePoint::of),
            client_signature: agreement.client_signature.map(CodePoint::of),
            server_name: agreement
                .server_name
                .as_ref()
                .map(|name| text(name.as_bytes())),
            alpn: agreement.alpn.as_deref().map(text),
            resumption: agreement.resumption.map(|resumption| match resumption {
                story::Resumption::Psk { key_exchange: true } => Resumption::PskWithKeyExchange,
                story::Resumption::Psk {
                    key_exchange: false,
                } => Resumption::PskAlone,
                story::Resumption::Ticket => Resumption::Ticket,
                story::Resumption::SessionId => Resumption::SessionId,
            }),
            retried: agreement.retried,
            early_data: match agreement.early_data {
                story::EarlyData::None => EarlyData::None,
                story::EarlyData::Offered => EarlyData::Offered,
                story::EarlyData::Accepted => EarlyData::Accepted,
                story::EarlyData::Rejected => EarlyData::Rejected,
            },
            client_certificate_asked: agreement.client_certificate_asked,
            server_chain: chain(&agreement.server_chain),
            client_chain: chain(&agreement.client_chain),
            ocsp_response: agreement.ocsp_response.as_deref().map(hex),
            extended_main_secret: agreement.extended_main_secret,
            encrypt_then_mac: agreement.encrypt_then_mac,
            secure_renegotiation: agreement.secure_renegotiation,
            tickets: agreement.tickets,
            complete: agreement.complete,
        }
    }
}

impl From<ledger::Side> for Side {
    fn from(side: ledger::Side) -> Self {
        match side {
            ledger::Side::Client => Self::Client,
            ledger::Side::Server => Self::Server,
        }
    }
}

/// Octets in hexadecimal, without spaces.
fn hex(octets: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digits = |octet: &u8| [octet >> 4, octet & 15].map(|digit| DIGITS[usize::from(digit)]);
    octets.iter().flat_map(digits).collect()
}

/// From `start` to `at` in microseconds; 0 where that is backwards.
fn micros(start: SystemTime, at: SystemTime) -> u64 {
    let since = at.duration_since(start).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
