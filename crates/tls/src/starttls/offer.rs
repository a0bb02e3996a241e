//! The server's side of what is said in clear before TLS: in front of a service that speaks no TLS itself.
//!
//! A dialogue without IO, as [`super::StartTls`] is for clients: it is told what the client sent, and says what to
//! answer and when TLS begins. The service's greeting is passed on to the client, as far as it may be; all else is
//! answered here, and the service hears nothing before TLS. TLS is required: what a client asks for without it is
//! refused in its protocol's own words.

use super::{Protocol, Turn, lines, shown};

mod decline;
mod imap;
mod ldap;
mod mysql;
mod pop3;
mod postgres;
mod smtp;

pub use decline::Decline;

/// A dialogue with a client, up to where TLS begins.
#[derive(Debug)]
pub struct Offer {
    protocol: Protocol,
    /// What the client is greeted with.
    greeting: Vec<u8>,
    /// What the client has said and was not looked at yet.
    heard: Vec<u8>,
    /// How many octets the client has said in all.
    octets: usize,
    /// How many commands the client has given.
    commands: usize,
    /// The command that began TLS.
    request: Vec<u8>,
}

/// Why TLS does not begin, and what to tell the client before the connection is closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct OfferError {
    fault: OfferFault,
    farewell: Vec<u8>,
}

/// Whose fault it is, and which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferFault {
    /// For this protocol there is only the client's side.
    #[error("there is no server's side of {0} here")]
    NoServerSide(Protocol),
    /// The service refuses before the client has said anything, or lets it in without TLS (`PREAUTH`).
    #[error("the service refuses: \"{0}\"")]
    ServiceRefuses(String),
    /// The service is another one.
    #[error("the service does not greet as {protocol} does: \"{said}\"")]
    NotGreeted {
        /// The protocol.
        protocol: Protocol,
        /// What came, as text and cut short.
        said: String,
    },
    /// More came than a greeting has.
    #[error("the service's greeting has a line of more than 8 KiB, or more than 64 KiB")]
    LongGreeting,
    /// The client begins with TLS.
    #[error("the client speaks TLS from the start")]
    AlreadyTls,
    /// The client goes on without TLS where no answer could change its mind.
    #[error("the client asks for no TLS")]
    WithoutTls,
    /// The client speaks something else.
    #[error("the client does not speak {protocol}: \"{said}\"")]
    Unexpected {
        /// The protocol.
        protocol: Protocol,
        /// What came, as text and cut short.
        said: String,
    },
    /// The client ends the dialogue.
    #[error("the client leaves before TLS begins")]
    Left,
    /// The client has given as many commands as it may.
    #[error("the client gives more than {MOST_COMMANDS} commands before TLS begins")]
    TooMany,
    /// The client has said as much as it may.
    #[error(
        "the client says more than 4 KiB in a line, or 8 KiB in a message, or 16 KiB, before TLS begins"
    )]
    TooLong,
    /// Something came in clear behind the word that begins TLS.
    #[error("{0} octets came in clear where TLS had to begin: somebody injects commands")]
    Injected(usize),
}

/// What a command of a client leads to.
enum Step {
    /// It is answered.
    Say(Vec<u8>),
    /// It is answered, and then TLS begins.
    Begin(Vec<u8>),
    /// It is answered, and ends the dialogue.
    End(OfferFault, Vec<u8>),
}

impl Offer {
    /// The protocols that have a server's side here.
    pub const PROTOCOLS: [Protocol; 6] = [
        Protocol::Smtp,
        Protocol::Imap,
        Protocol::Pop3,
        Protocol::Ldap,
        Protocol::Postgres,
        Protocol::Mysql,
    ];

    /// Whether a service speaks before its clients, so that its greeting is to be read first.
    #[must_use]
    pub fn greets(protocol: Protocol) -> bool {
        matches!(
            protocol,
            Protocol::Smtp | Protocol::Imap | Protocol::Pop3 | Protocol::Mysql
        )
    }

    /// How many of `octets` are the greeting of a service; `None` where more is needed, `Some(0)` where none comes.
    ///
    /// # Errors
    ///
    /// The service does not greet.
    pub fn read_greeting(protocol: Protocol, octets: &[u8]) -> Result<Option<usize>, OfferError> {
        let read = match protocol {
            _ if !Self::greets(protocol) => Ok(Some(0)),
            Protocol::Mysql => mysql::read_greeting(octets),
            _ => lines::read_greeting(protocol, octets),
        };
        read.map_err(|fault| OfferError::of_service(protocol, fault))
    }

    /// The dialogue with a client of a service that sent `greeting`: nothing, where none comes.
    ///
    /// # Errors
    ///
    /// The client cannot be greeted so.
    pub fn new(protocol: Protocol, greeting: &[u8]) -> Result<Self, OfferError> {
        let greeting = match protocol {
            Protocol::Smtp | Protocol::Pop3 => Ok(greeting.to_vec()),
            Protocol::Imap => imap::greeting(greeting),
            Protocol::Mysql => mysql::greeting(greeting),
            Protocol::Ldap | Protocol::Postgres => Ok(Vec::new()),
            _ => Err(OfferFault::NoServerSide(protocol)),
        };
        Ok(Self {
            protocol,
            greeting: greeting.map_err(|fault| OfferError::of_service(protocol, fault))?,
            heard: Vec::new(),
            octets: 0,
            commands: 0,
            request: Vec::new(),
        })
    }

    /// What a client is told where the service does not answer, before the connection is closed.
    #[must_use]
    pub fn unavailable(protocol: Protocol) -> &'static [u8] {
        match protocol {
            Protocol::Smtp => b"421 4.3.2 The service is not available\r\n",
            Protocol::Imap => b"* BYE [UNAVAILABLE] The service is not available\r\n",
            Protocol::Pop3 => b"-ERR [SYS/TEMP] The service is not available\r\n",
            Protocol::Ldap => ldap::UNAVAILABLE,
            Protocol::Postgres => postgres::UNAVAILABLE,
            Protocol::Mysql => mysql::UNAVAILABLE,
            _ => &[],
        }
    }

    /// What to say before the client has said anything: the greeting.
    #[must_use]
    pub fn begin(&self) -> Turn {
        Turn {
            say: self.greeting.clone(),
            begin: false,
        }
    }

    /// What to do after the client has sent `octets`. Once TLS begins, [`Self::left`] is TLS's first.
    ///
    /// # Errors
    ///
    /// TLS will not begin; the farewell is to be said, and the connection to be closed.
    pub fn receive(&mut self, octets: &[u8]) -> Result<Turn, OfferError> {
        let room = MOST_OCTETS - self.octets;
        let (taken, over) = octets.split_at(room.min(octets.len()));
        self.octets += taken.len();
        self.heard.extend_from_slice(taken);
        let mut say = Vec::new();
        loop {
            let end = match self.step() {
                Ok(None) if over.is_empty() => return Ok(Turn { say, begin: false }),
                Ok(None) => Err(OfferFault::TooLong),
                Ok(Some(Step::Say(answer))) => {
                    say.extend(answer);
                    continue;
                }
                Ok(Some(Step::Begin(answer))) => {
                    self.heard.extend_from_slice(over);
                    if self.heard.is_empty() || self.goes_on_with_tls() {
                        say.extend(answer);
                        return Ok(Turn { say, begin: true });
                    }
                    Err(OfferFault::Injected(self.heard.len()))
                }
                Ok(Some(Step::End(fault, farewell))) => Ok((fault, farewell)),
                Err(fault) => Err(fault),
            };
            let (fault, farewell) = end.unwrap_or_else(|fault| (fault, self.farewell().to_vec()));
            say.extend(farewell);
            return Err(OfferError {
                fault,
                farewell: say,
            });
        }
    }

    /// The command that the client began TLS with. A server of `MySQL` that is spoken to over TLS as well is to be asked
    /// for it in the same words: they say what the client can, and `MariaDB` believes no others.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// What came of the client and is TLS already. It is empty but where a client does not wait for an answer:
    /// `MySQL` has none, and a client of `PostgreSQL` 17 may begin with TLS.
    #[must_use]
    pub fn left(self) -> Vec<u8> {
        self.heard
    }

    /// Takes the first command of what was heard; `None` where it is not whole.
    fn step(&mut self) -> Result<Option<Step>, OfferFault> {
        if self.is_tls() {
            return Ok(Some(match self.protocol {
                Protocol::Postgres => Step::Begin(Vec::new()),
                _ => Step::End(OfferFault::AlreadyTls, Vec::new()),
            }));
        }
        let read = match self.protocol {
            Protocol::Ldap => ldap::read(&self.heard),
            Protocol::Postgres => postgres::read(&self.heard),
            Protocol::Mysql => mysql::read(&self.heard),
            _ => read_line(&self.heard),
        };
        let Some(octets) = read? else {
            return Ok(None);
        };
        if self.commands == MOST_COMMANDS {
            return Err(OfferFault::TooMany);
        }
        self.commands += 1;
        let command: Vec<u8> = self.heard.drain(..octets).collect();
        let step = match self.protocol {
            Protocol::Smtp => smtp::answer(&self.greeting, &command),
            Protocol::Imap => imap::answer(&command),
            Protocol::Pop3 => pop3::answer(&command),
            Protocol::Ldap => ldap::answer(&command),
            Protocol::Postgres => Ok(postgres::answer(&command)),
            _ => Ok(mysql::answer(&command)),
        }?;
        if matches!(step, Step::Begin(_)) {
            self.request = command;
        }
        Ok(Some(step))
    }

    /// Whether TLS comes where the client had to speak its protocol. No command begins so; in `MySQL` a length may.
    fn is_tls(&self) -> bool {
        self.commands == 0
            && self.protocol != Protocol::Mysql
            && self.heard.first() == Some(&TLS_HANDSHAKE)
    }

    /// Whether what follows the word that begins TLS is TLS, and nothing that would be read as if it had come in it.
    fn goes_on_with_tls(&self) -> bool {
        self.protocol == Protocol::Mysql || self.is_tls()
    }

    /// What a client hears that goes wrong.
    fn farewell(&self) -> &'static [u8] {
        match self.protocol {
            Protocol::Smtp => b"421 4.7.0 TLS did not begin\r\n",
            Protocol::Imap => b"* BYE TLS did not begin\r\n",
            Protocol::Pop3 => b"-ERR TLS did not begin\r\n",
            Protocol::Ldap => ldap::MISSPOKEN,
            Protocol::Postgres => postgres::MISSPOKEN,
            _ => mysql::MISSPOKEN,
        }
    }
}

impl OfferError {
    /// Why TLS does not begin.
    #[must_use]
    pub fn fault(&self) -> &OfferFault {
        &self.fault
    }

    /// What to say to the client before the connection is closed; it may be nothing.
    #[must_use]
    pub fn farewell(&self) -> &[u8] {
        &self.farewell
    }

    fn of_service(protocol: Protocol, fault: OfferFault) -> Self {
        Self {
            fault,
            farewell: Offer::unavailable(protocol).to_vec(),
        }
    }
}

impl OfferFault {
    /// Whether it is a client's, and not the service's.
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        !matches!(
            self,
            Self::NoServerSide(_)
                | Self::ServiceRefuses(_)
                | Self::NotGreeted { .. }
                | Self::LongGreeting
        )
    }
}

/// What a client of `MySQL` says of itself that has no TLS, as soon as it is there.
pub(super) fn read_response(heard: &[u8]) -> Result<Option<&[u8]>, OfferError> {
    mysql::read_response(heard).map_err(|fault| OfferError {
        fault,
        farewell: mysql::MISSPOKEN.to_vec(),
    })
}

/// How many octets the first line of `heard` has.
fn read_line(heard: &[u8]) -> Result<Option<usize>, OfferFault> {
    let end = heard.iter().position(|octet| *octet == b'\n');
    if end.unwrap_or(heard.len()) > MOST_LINE {
        return Err(OfferFault::TooLong);
    }
    Ok(end.map(|end| end + 1))
}

/// The words of a line, in capitals.
fn words(line: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_ascii_uppercase)
}

fn unexpected(protocol: Protocol, said: &[u8]) -> OfferFault {
    OfferFault::Unexpected {
        protocol,
        said: shown(said),
    }
}

/// The first octet of a record of TLS that holds a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// How much a client may say before TLS: no client says more than two or three commands.
const MOST_COMMANDS: usize = 16;
const MOST_OCTETS: usize = 16 << 10;
const MOST_LINE: usize = 4 << 10;

#[cfg(test)]
mod tests;
