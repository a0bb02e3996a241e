//! Handshake messages: their frame, and which type holds which.
//!
//! What a message is can depend on what was said before, its version above all: [`Agreed`] says it.

use crate::dissect::{self, Field};
use crate::extension::{Extensions, Place};
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{
    Authentication, CertificateType, CipherSuite, HandshakeType, KeyExchange, KeyUpdateRequest,
    ProtocolVersion,
};
use crate::writer::{Encode, Writer};

mod certificate;
mod client_hello;
mod join;
mod key_exchange;
mod server_hello;
mod signature;
mod ticket;

pub use certificate::{Certificate, CertificateEntry, CertificateRequest, CompressedCertificate};
pub use client_hello::{ClientHello, RANDOM_OCTETS};
pub use join::{JoinError, Joined, Joiner};
pub use key_exchange::{
    ClientKeyExchange, ClientShare, DhParameters, EcParameters, ServerKeyExchange, ServerParameters,
};
pub use server_hello::{Downgrade, ServerHello};
pub use signature::DigitallySigned;
pub use ticket::NewSessionTicket;

/// The octets before the body of a message: its type, and the length of the body.
pub const HEADER_OCTETS: usize = 4;

/// What was agreed before a message, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The version. Before the server's hello, 1.2 does: hellos are the same in all.
    pub version: ProtocolVersion,
    /// The cipher suite, which says what the key exchange messages of TLS 1.2 and before hold.
    pub suite: Option<CipherSuite>,
    /// What the server's certificates are (RFC 7250).
    pub certificate_type: CertificateType,
}

/// A handshake message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handshake<'b> {
    /// The server asks the client to begin again (RFC 5246, section 7.4.1.1).
    HelloRequest,
    /// What the client can and wants (RFC 8446, section 4.1.2).
    ClientHello(ClientHello<'b>),
    /// What the server chose of it, or, as a `HelloRetryRequest`, what it asks for (sections 4.1.3 and
    /// 4.1.4).
    ServerHello(ServerHello<'b>),
    /// A ticket to resume with (RFC 8446, section 4.6.1; RFC 5077).
    NewSessionTicket(NewSessionTicket<'b>),
    /// No 0-RTT data follows (RFC 8446, section 4.5).
    EndOfEarlyData,
    /// What the server says of the extensions, encrypted (RFC 8446, section 4.3.1).
    EncryptedExtensions(Extensions<'b>),
    /// Who speaks (RFC 8446, section 4.4.2; RFC 5246, section 7.4.2).
    Certificate(Certificate<'b>),
    /// The same, compressed (RFC 8879).
    CompressedCertificate(CompressedCertificate<'b>),
    /// The server's share of the key exchange (RFC 5246, section 7.4.3).
    ServerKeyExchange(ServerKeyExchange<'b>),
    /// The server wants to know who the client is (RFC 8446, section 4.3.2; RFC 5246, section 7.4.4).
    CertificateRequest(CertificateRequest<'b>),
    /// The server has said what it had to say (RFC 5246, section 7.4.5).
    ServerHelloDone,
    /// The signature that proves the certificate (RFC 8446, section 4.4.3; RFC 5246, section 7.4.8).
    CertificateVerify(DigitallySigned<'b>),
    /// The client's share of the key exchange (RFC 5246, section 7.4.7).
    ClientKeyExchange(ClientKeyExchange<'b>),
    /// The proof that both saw the same handshake (RFC 8446, section 4.4.4; RFC 5246, section 7.4.9).
    Finished(&'b [u8]),
    /// Whether the certificate is revoked (RFC 6066, section 8).
    CertificateStatus(CertificateStatus<'b>),
    /// From here on other keys (RFC 8446, section 4.6.3).
    KeyUpdate(KeyUpdateRequest),
    /// Which protocol follows, said before ALPN was (draft-agl-tls-nextprotoneg-04).
    NextProtocol {
        /// The protocol.
        selected_protocol: &'b [u8],
        /// Octets that hide how long its name is.
        padding: &'b [u8],
    },
    /// A message that is not known here.
    Unknown {
        /// Its type.
        handshake_type: HandshakeType,
        /// Its body.
        body: &'b [u8],
    },
}

pub use crate::extension::CertificateStatus;

impl Default for Agreed {
    fn default() -> Self {
        Self {
            version: ProtocolVersion::TLS_1_2,
            suite: None,
            certificate_type: CertificateType::X509,
        }
    }
}

impl Agreed {
    /// Whether the version is TLS 1.3 or one of its drafts.
    #[must_use]
    pub fn is_tls13(self) -> bool {
        self.version.is_tls13()
    }

    /// Whether signatures say their algorithm: from TLS 1.2 on.
    fn names_signatures(self) -> bool {
        self.is_tls13() || self.version >= ProtocolVersion::TLS_1_2
    }

    fn key_exchange(self) -> Option<KeyExchange> {
        self.suite?.key_exchange()
    }

    fn authentication(self) -> Option<Authentication> {
        self.suite?.authentication()
    }
}

impl<'b> Handshake<'b> {
    /// The message that `bytes` are, header and all.
    ///
    /// # Errors
    ///
    /// The bytes are not exactly one message, or its body is not what its type says.
    pub fn decode(bytes: &'b [u8], agreed: Agreed) -> Result<Self, DecodeError> {
        Reader::new(bytes, ()).enclosed("handshake", bytes.len(), |reader| {
            Self::read(reader, agreed)
        })
    }

    /// The tree of the message that `bytes` are, header and all, and the message or what is wrong with
    /// it.
    pub fn dissect(bytes: &'b [u8], agreed: Agreed) -> (Field, Result<Self, DecodeError>) {
        dissect::dissect("handshake", bytes, |reader| Self::read(reader, agreed))
    }

    /// The type of the message.
    #[must_use]
    pub fn handshake_type(&self) -> HandshakeType {
        match self {
            Self::HelloRequest => HandshakeType::HELLO_REQUEST,
            Self::ClientHello(_) => HandshakeType::CLIENT_HELLO,
            Self::ServerHello(_) => HandshakeType::SERVER_HELLO,
            Self::NewSessionTicket(_) => HandshakeType::NEW_SESSION_TICKET,
            Self::EndOfEarlyData => HandshakeType::END_OF_EARLY_DATA,
            Self::EncryptedExtensions(_) => HandshakeType::ENCRYPTED_EXTENSIONS,
            Self::Certificate(_) => HandshakeType::CERTIFICATE,
            Self::CompressedCertificate(_) => HandshakeType::COMPRESSED_CERTIFICATE,
            Self::ServerKeyExchange(_) => HandshakeType::SERVER_KEY_EXCHANGE,
            Self::CertificateRequest(_) => HandshakeType::CERTIFICATE_REQUEST,
            Self::ServerHelloDone => HandshakeType::SERVER_HELLO_DONE,
            Self::CertificateVerify(_) => HandshakeType::CERTIFICATE_VERIFY,
            Self::ClientKeyExchange(_) => HandshakeType::CLIENT_KEY_EXCHANGE,
            Self::Finished(_) => HandshakeType::FINISHED,
            Self::CertificateStatus(_) => HandshakeType::CERTIFICATE_STATUS,
            Self::KeyUpdate(_) => HandshakeType::KEY_UPDATE,
            Self::NextProtocol { .. } => HandshakeType::NEXT_PROTOCOL,
            Self::Unknown { handshake_type, .. } => *handshake_type,
        }
    }

    /// Reads a message, header and all.
    pub fn read<T: Trace>(reader: &mut Reader<'b, T>, agreed: Agreed) -> Result<Self, DecodeError> {
        let handshake_type: HandshakeType = reader.code("msg_type")?;
        reader.label(handshake_type);
        let length = reader.length::<3>("body")?;
        reader.enclosed("body", length, |reader| {
            Self::read_body(reader, handshake_type, agreed)
        })
    }

    fn read_body<T: Trace>(
        reader: &mut Reader<'b, T>,
        handshake_type: HandshakeType,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        Ok(match handshake_type {
            HandshakeType::HELLO_REQUEST => Self::HelloRequest,
            HandshakeType::CLIENT_HELLO => Self::ClientHello(ClientHello::read(reader)?),
            HandshakeType::SERVER_HELLO => Self::ServerHello(ServerHello::read(reader)?),
            HandshakeType::NEW_SESSION_TICKET => {
                Self::NewSessionTicket(NewSessionTicket::read(reader, agreed)?)
            }
            HandshakeType::END_OF_EARLY_DATA => Self::EndOfEarlyData,
            HandshakeType::ENCRYPTED_EXTENSIONS => {
                Self::EncryptedExtensions(Extensions::read(reader, Place::EncryptedExtensions)?)
            }
            HandshakeType::CERTIFICATE => Self::Certificate(Certificate::read(reader, agreed)?),
            HandshakeType::COMPRESSED_CERTIFICATE => {
                Self::CompressedCertificate(CompressedCertificate::read(reader)?)
            }
            HandshakeType::SERVER_KEY_EXCHANGE => {
                Self::ServerKeyExchange(ServerKeyExchange::read(reader, agreed)?)
            }
            HandshakeType::CERTIFICATE_REQUEST => {
                Self::CertificateRequest(CertificateRequest::read(reader, agreed)?)
            }
            HandshakeType::SERVER_HELLO_DONE => Self::ServerHelloDone,
            HandshakeType::CERTIFICATE_VERIFY => {
                Self::CertificateVerify(DigitallySigned::read(reader, agreed)?)
            }
            HandshakeType::CLIENT_KEY_EXCHANGE => {
                Self::ClientKeyExchange(ClientKeyExchange::read(reader, agreed)?)
            }
            HandshakeType::FINISHED => Self::Finished(read_finished(reader, agreed)?),
            HandshakeType::CERTIFICATE_STATUS => {
                Self::CertificateStatus(CertificateStatus::read(reader)?)
            }
            HandshakeType::KEY_UPDATE => Self::KeyUpdate(reader.code("request_update")?),
            HandshakeType::NEXT_PROTOCOL => Self::NextProtocol {
                selected_protocol: reader.vector8("selected_protocol", |reader| {
                    Ok(reader.text("selected_protocol"))
                })?,
                padding: reader.opaque8("padding")?,
            },
            _ => Self::Unknown {
                handshake_type,
                body: reader.rest("body"),
            },
        })
    }
}

impl Encode for Handshake<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.handshake_type());
        writer.vector24("body", |writer| match self {
            Self::HelloRequest | Self::EndOfEarlyData | Self::ServerHelloDone => {}
            Self::ClientHello(hello) => hello.write(writer),
            Self::ServerHello(hello) => hello.write(writer),
            Self::NewSessionTicket(ticket) => ticket.write(writer),
            Self::EncryptedExtensions(extensions) => extensions.write(writer),
            Self::Certificate(certificate) => certificate.write(writer),
            Self::CompressedCertificate(certificate) => certificate.write(writer),
            Self::ServerKeyExchange(exchange) => exchange.write(writer),
            Self::CertificateRequest(request) => request.write(writer),
            Self::CertificateVerify(verify) => verify.write(writer),
            Self::ClientKeyExchange(exchange) => exchange.write(writer),
            Self::Finished(verify_data) => writer.octets(verify_data),
            Self::CertificateStatus(status) => status.write(writer),
            Self::KeyUpdate(request) => writer.code(*request),
            Self::NextProtocol {
                selected_protocol,
                padding,
            } => {
                writer.opaque8("selected_protocol", selected_protocol);
                writer.opaque8("padding", padding);
            }
            Self::Unknown { body, .. } => writer.octets(body),
        });
    }
}

/// SSL 3.0 has two hashes here (RFC 6101, section 5.6.9).
fn read_finished<'b, T: Trace>(
    reader: &mut Reader<'b, T>,
    agreed: Agreed,
) -> Result<&'b [u8], DecodeError> {
    const MD5_OCTETS: usize = 16;
    const SHA_OCTETS: usize = 20;
    let whole = reader.peek();
    if agreed.version == ProtocolVersion::SSL_3 && whole.len() == MD5_OCTETS + SHA_OCTETS {
        reader.octets("md5_hash", MD5_OCTETS)?;
        reader.octets("sha_hash", SHA_OCTETS)?;
    } else {
        reader.rest("verify_data");
    }
    Ok(whole)
}
