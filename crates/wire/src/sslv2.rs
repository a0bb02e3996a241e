//! The hellos of SSL 2.0: a client's, which servers of old still take, and a server's, which shows
//! that it is open to attack (RFC 6176; DROWN, CVE-2016-0800).

use crate::dissect::{self, Field};
use crate::reader::{DecodeError, Problem, Reader, Trace};
use crate::registry::{ProtocolVersion, SslV2CipherKind};
use crate::writer::{Encode, Writer};

/// The octets of the length before a message. Its highest bit is set where no padding follows.
pub const HEADER_OCTETS: usize = 2;

/// The hello of a client, which may be asking for TLS in this form (RFC 5246, appendix E.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello<'b> {
    /// The newest version that the client speaks.
    pub version: ProtocolVersion,
    /// The ciphers: those of TLS begin with a zero octet.
    pub cipher_specs: Vec<SslV2CipherKind>,
    /// The session to resume, 0 or 16 octets.
    pub session_id: &'b [u8],
    /// The client's random, 16 to 32 octets.
    pub challenge: &'b [u8],
}

/// The hello of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello<'b> {
    /// Whether the session is resumed.
    pub session_id_hit: u8,
    /// What the certificate is; 1 for X.509, 0 for none.
    pub certificate_type: u8,
    /// The version.
    pub version: ProtocolVersion,
    /// The certificate, in DER.
    pub certificate: &'b [u8],
    /// The ciphers that both have.
    pub cipher_specs: Vec<SslV2CipherKind>,
    /// The server's random.
    pub connection_id: &'b [u8],
}

/// A message of SSL 2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'b> {
    /// A client's hello.
    ClientHello(ClientHello<'b>),
    /// A server's hello.
    ServerHello(ServerHello<'b>),
    /// Why there is no connection: 1 no cipher, 2 no certificate, 4 bad certificate, 6 unsupported type.
    Error(u16),
}

const ERROR: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 4;

impl<'b> Message<'b> {
    /// How many octets the message at the beginning of `bytes` has, header and all; `None` where too
    /// few are there to say.
    #[must_use]
    pub fn octets(bytes: &[u8]) -> Option<usize> {
        let length = u16::from_be_bytes(*bytes.first_chunk()?);
        Some(HEADER_OCTETS + usize::from(length & 0x7fff))
    }

    /// The message that `bytes` are, header and all.
    ///
    /// # Errors
    ///
    /// They are not exactly one message.
    pub fn decode(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes, ()).enclosed("sslv2", bytes.len(), Self::read)
    }

    /// The tree of the message that `bytes` are, header and all, and the message or what is wrong with
    /// it.
    pub fn dissect(bytes: &'b [u8]) -> (Field, Result<Self, DecodeError>) {
        dissect::dissect("sslv2", bytes, Self::read)
    }

    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let length = usize::from(reader.u16("msg_length")? & 0x7fff);
        reader.enclosed("message", length, |reader| {
            let message_type = reader.u8("msg_type")?;
            match message_type {
                ERROR => Ok(Self::Error(reader.u16("error")?)),
                CLIENT_HELLO => Ok(Self::ClientHello(ClientHello::read(reader)?)),
                SERVER_HELLO => Ok(Self::ServerHello(ServerHello::read(reader)?)),
                other => {
                    let value = u64::from(other);
                    Err(reader.wrong("msg_type", Problem::Value { value }))
                }
            }
        })
    }
}

impl<'b> ClientHello<'b> {
    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let version = reader.code("version")?;
        let ciphers = usize::from(reader.u16("cipher_spec_length")?);
        let session = usize::from(reader.u16("session_id_length")?);
        let challenge = usize::from(reader.u16("challenge_length")?);
        Ok(Self {
            version,
            cipher_specs: read_ciphers(reader, ciphers)?,
            session_id: reader.octets("session_id", session)?,
            challenge: reader.octets("challenge", challenge)?,
        })
    }
}

impl<'b> ServerHello<'b> {
    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let session_id_hit = reader.u8("session_id_hit")?;
        let certificate_type = reader.u8("certificate_type")?;
        let version = reader.code("server_version")?;
        let certificate = usize::from(reader.u16("certificate_length")?);
        let ciphers = usize::from(reader.u16("cipher_specs_length")?);
        let connection = usize::from(reader.u16("connection_id_length")?);
        Ok(Self {
            session_id_hit,
            certificate_type,
            version,
            certificate: reader.octets("certificate", certificate)?,
            cipher_specs: read_ciphers(reader, ciphers)?,
            connection_id: reader.octets("connection_id", connection)?,
        })
    }
}

fn read_ciphers<T: Trace>(
    reader: &mut Reader<'_, T>,
    octets: usize,
) -> Result<Vec<SslV2CipherKind>, DecodeError> {
    reader.group("cipher_specs", |reader| {
        reader.enclosed("cipher_specs", octets, |reader| reader.codes("cipher_spec"))
    })
}

impl Encode for Message<'_> {
    fn write(&self, writer: &mut Writer) {
        let mut body = Writer::default();
        match self {
            Self::Error(code) => {
                body.u8(ERROR);
                body.u16(*code);
            }
            Self::ClientHello(hello) => {
                body.u8(CLIENT_HELLO);
                hello.write(&mut body);
            }
            Self::ServerHello(hello) => {
                body.u8(SERVER_HELLO);
                hello.write(&mut body);
            }
        }
        writer.length_and_mark("msg_length", 0x8000, &body);
    }
}

impl Encode for ClientHello<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.version);
        writer.length16("cipher_spec_length", self.cipher_specs.len() * 3);
        writer.length16("session_id_length", self.session_id.len());
        writer.length16("challenge_length", self.challenge.len());
        writer.codes(&self.cipher_specs);
        writer.octets(self.session_id);
        writer.octets(self.challenge);
    }
}

impl Encode for ServerHello<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.u8(self.session_id_hit);
        writer.u8(self.certificate_type);
        writer.code(self.version);
        writer.length16("certificate_length", self.certificate.len());
        writer.length16("cipher_specs_length", self.cipher_specs.len() * 3);
        writer.length16("connection_id_length", self.connection_id.len());
        writer.octets(self.certificate);
        writer.codes(&self.cipher_specs);
        writer.octets(self.connection_id);
    }
}
