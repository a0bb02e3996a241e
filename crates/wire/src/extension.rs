//! The extensions of hellos, certificates and tickets (RFC 8446, section 4.2).
//!
//! What an extension holds depends on the message it stands in: [`Place`] says which. One that is not
//! what its type says is kept as [`Extension::Malformed`], since its length still says where the next
//! one begins.

use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{
    CertificateCompression, CertificateType, EcPointFormat, ExtensionType, HeartbeatMode,
    MaxFragmentLength, NamedGroup, ProtocolVersion, PskKeyExchangeMode, SignatureScheme,
};
use crate::writer::{Encode, Writer};

mod application;
mod certificates;
mod ech;
mod psk;
mod quic;
mod share;
mod status;

pub use application::{ServerName, SrtpProtection};
pub use certificates::{DelegatedCredential, OidFilter, SignedCertificateTimestamp};
pub use ech::{EchConfig, EchConfigContents, EncryptedClientHello, HpkeSuite};
pub use psk::{OfferedPsks, PskIdentity};
pub use quic::{ParameterValue, TransportParameter};
pub use share::KeyShareEntry;
pub use status::{
    CertificateStatus, CertificateStatusRequest, OcspStatusRequest, StatusRequestItem,
};

/// The message that an extension stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A client's hello.
    ClientHello,
    /// A server's hello.
    ServerHello,
    /// The request to begin again.
    HelloRetryRequest,
    /// What the server says encrypted.
    EncryptedExtensions,
    /// The request for a certificate.
    CertificateRequest,
    /// An entry of a certificate message.
    Certificate,
    /// A ticket.
    NewSessionTicket,
}

/// The extensions of a message, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions<'b>(pub Vec<Extension<'b>>);

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extension<'b> {
    /// One that says what it says by being there.
    Present(ExtensionType),
    /// The hosts that the client wants to reach (RFC 6066, section 3).
    ServerName(Vec<ServerName<'b>>),
    /// How long records may be at most (RFC 6066, section 4).
    MaxFragmentLength(MaxFragmentLength),
    /// The client wants to know whether the certificate is revoked (RFC 6066, section 8).
    StatusRequest(CertificateStatusRequest<'b>),
    /// The same of all certificates of the chain (RFC 6961).
    StatusRequestV2(Vec<StatusRequestItem<'b>>),
    /// Whether this certificate is revoked (RFC 8446, section 4.4.2.1).
    CertificateStatus(CertificateStatus<'b>),
    /// The groups for the key exchange, the best first (RFC 8446, section 4.2.7; RFC 8422).
    SupportedGroups(Vec<NamedGroup>),
    /// How points are written (RFC 8422, section 5.1.2).
    EcPointFormats(Vec<EcPointFormat>),
    /// The signatures that will do for the handshake (RFC 8446, section 4.2.3).
    SignatureAlgorithms(Vec<SignatureScheme>),
    /// The signatures that will do in certificates (RFC 8446, section 4.2.3).
    SignatureAlgorithmsCert(Vec<SignatureScheme>),
    /// The signatures that will do of a delegated credential (RFC 9345, section 4.1.1).
    DelegatedCredentialSchemes(Vec<SignatureScheme>),
    /// A key that the certificate's key has lent its name to, for days (RFC 9345).
    DelegatedCredential(DelegatedCredential<'b>),
    /// Media streams that take their keys from here (RFC 5764).
    UseSrtp(SrtpProtection<'b>),
    /// Whether signs of life may be sent (RFC 6520).
    Heartbeat(HeartbeatMode),
    /// The protocols that the client would speak, or the one that the server took (RFC 7301).
    Alpn(Vec<&'b [u8]>),
    /// The protocols that the server would speak, before ALPN (draft-agl-tls-nextprotoneg-04).
    NextProtocols(Vec<&'b [u8]>),
    /// The protocols that have settings, in a client's hello (draft-vvv-tls-alps-01).
    ApplicationSettingsFor(ExtensionType, Vec<&'b [u8]>),
    /// Settings of the protocol that was agreed (draft-vvv-tls-alps-01).
    ApplicationSettings(ExtensionType, &'b [u8]),
    /// Proofs that the certificate is in public logs (RFC 6962, section 3.3): each a
    /// [`SignedCertificateTimestamp`].
    SignedCertificateTimestamps(Vec<&'b [u8]>),
    /// The kinds of certificate that will do, of the client or the server by the type (RFC 7250).
    CertificateTypes(ExtensionType, Vec<CertificateType>),
    /// The kind of certificate that was agreed (RFC 7250).
    CertificateType(ExtensionType, CertificateType),
    /// Zeros that make the hello longer (RFC 7685).
    Padding(&'b [u8]),
    /// How certificates may be compressed (RFC 8879).
    CompressCertificate(Vec<CertificateCompression>),
    /// How long records may be at most (RFC 8449).
    RecordSizeLimit(u16),
    /// A ticket to resume with, or nothing: the client would like one (RFC 5077).
    SessionTicket(&'b [u8]),
    /// The keys that the client has from before (RFC 8446, section 4.2.11).
    PreSharedKeys(OfferedPsks<'b>),
    /// Which of them the server took, counted from 0.
    PreSharedKey(u16),
    /// How much 0-RTT data a ticket allows, in octets (RFC 8446, section 4.2.10).
    MaxEarlyDataSize(u32),
    /// The versions that the client speaks, the best first (RFC 8446, section 4.2.1).
    SupportedVersions(Vec<ProtocolVersion>),
    /// The version that the server chose.
    SelectedVersion(ProtocolVersion),
    /// What the client has to repeat in its second hello (RFC 8446, section 4.2.2).
    Cookie(&'b [u8]),
    /// Whether a key from before needs a new key exchange too (RFC 8446, section 4.2.9).
    PskKeyExchangeModes(Vec<PskKeyExchangeMode>),
    /// The authorities that will do: distinguished names in DER (RFC 8446, section 4.2.4).
    CertificateAuthorities(Vec<&'b [u8]>),
    /// What extensions of a client's certificate must hold (RFC 8446, section 4.2.5).
    OidFilters(Vec<OidFilter<'b>>),
    /// The client's public values (RFC 8446, section 4.2.8).
    KeyShares(Vec<KeyShareEntry<'b>>),
    /// The server's public value.
    KeyShare(KeyShareEntry<'b>),
    /// The group in which the server wants a public value.
    KeyShareGroup(NamedGroup),
    /// How QUIC is to run (RFC 9000, section 18).
    QuicTransportParameters(ExtensionType, Vec<TransportParameter<'b>>),
    /// The hello that is meant, encrypted to the front of the service (RFC 9849).
    EncryptedClientHello(EncryptedClientHello<'b>),
    /// How to encrypt the next hello, since this one could not be read.
    EchRetryConfigs(Vec<EchConfig<'b>>),
    /// That the server, asking to begin again, has read the encrypted hello.
    EchConfirmation(&'b [u8; 8]),
    /// What the encrypted hello takes over from the outer one.
    EchOuterExtensions(Vec<ExtensionType>),
    /// The Finished values of the handshake before, empty in a first one (RFC 5746).
    RenegotiationInfo(&'b [u8]),
    /// An extension that is not known here.
    Unknown {
        /// Its type.
        extension_type: ExtensionType,
        /// Its body.
        body: &'b [u8],
    },
    /// An extension that is not what its type says.
    Malformed {
        /// Its type.
        extension_type: ExtensionType,
        /// Its body.
        body: &'b [u8],
        /// What is wrong with it.
        error: DecodeError,
    },
}

impl<'b> Extensions<'b> {
    /// Reads the extensions of a message, in a list that has its length before it.
    pub fn read<T: Trace>(reader: &mut Reader<'b, T>, place: Place) -> Result<Self, DecodeError> {
        reader
            .vector16("extensions", |reader| {
                reader.list(|reader| Extension::read(reader, place))
            })
            .map(Self)
    }

    /// Reads the extensions of a message that may end before them.
    pub(crate) fn read_if_there<T: Trace>(
        reader: &mut Reader<'b, T>,
        place: Place,
    ) -> Result<Option<Self>, DecodeError> {
        if reader.is_empty() {
            return Ok(None);
        }
        Self::read(reader, place).map(Some)
    }
}

impl Encode for Extensions<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.vector16("extensions", |writer| {
            for extension in &self.0 {
                extension.write(writer);
            }
        });
    }
}

impl<'b> Extension<'b> {
    /// Reads an extension: its type, the length of its body, and the body.
    pub fn read<T: Trace>(reader: &mut Reader<'b, T>, place: Place) -> Result<Self, DecodeError> {
        reader.group("extension", |reader| {
            let extension_type: ExtensionType = reader.code("extension_type")?;
            reader.label(extension_type);
            let length = reader.length::<2>("extension_data")?;
            let body = reader.peek().get(..length).unwrap_or_default();
            let read = reader.enclosed("extension_data", length, |reader| {
                Self::read_body(reader, extension_type, place)
            });
            // Where it ends is known all the same, and the next one may be good.
            Ok(read.unwrap_or_else(|error| Self::Malformed {
                extension_type,
                body,
                error,
            }))
        })
    }

    #[allow(
        clippy::too_many_lines,
        reason = "a table, with an arm for each extension"
    )]
    fn read_body<T: Trace>(
        reader: &mut Reader<'b, T>,
        extension_type: ExtensionType,
        place: Place,
    ) -> Result<Self, DecodeError> {
        use ExtensionType as E;
        use Place as P;
        Ok(match (extension_type, place) {
            // An empty body is an answer, a wish or a promise.
            (
                E::SERVER_NAME
                | E::STATUS_REQUEST
                | E::STATUS_REQUEST_V2
                | E::EARLY_DATA
                | E::SIGNED_CERTIFICATE_TIMESTAMP
                | E::TRUNCATED_HMAC
                | E::CLIENT_CERTIFICATE_URL
                | E::ENCRYPT_THEN_MAC
                | E::EXTENDED_MAIN_SECRET
                | E::POST_HANDSHAKE_AUTH
                | E::NEXT_PROTOCOL_NEGOTIATION,
                _,
            ) if reader.is_empty() => Self::Present(extension_type),

            (E::SERVER_NAME, _) => Self::ServerName(ServerName::read_list(reader)?),
            (E::MAX_FRAGMENT_LENGTH, _) => {
                Self::MaxFragmentLength(reader.code("max_fragment_length")?)
            }
            (E::RECORD_SIZE_LIMIT, _) => Self::RecordSizeLimit(reader.u16("record_size_limit")?),
            (E::PADDING, _) => Self::Padding(reader.rest("padding")),
            (E::COOKIE, _) => Self::Cookie(reader.opaque16("cookie")?),
            (E::RENEGOTIATION_INFO, _) => {
                Self::RenegotiationInfo(reader.opaque8("renegotiated_connection")?)
            }
            (E::HEARTBEAT, _) => Self::Heartbeat(reader.code("mode")?),
            (E::USE_SRTP, _) => Self::UseSrtp(SrtpProtection::read(reader)?),

            (E::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, _) => {
                Self::Alpn(application::read_protocols(reader, "protocol_name_list")?)
            }
            (E::NEXT_PROTOCOL_NEGOTIATION, _) => {
                Self::NextProtocols(application::read_bare_protocols(reader)?)
            }
            (E::APPLICATION_SETTINGS | E::APPLICATION_SETTINGS_OLD, P::ClientHello) => {
                let protocols = application::read_protocols(reader, "supported_protocols")?;
                Self::ApplicationSettingsFor(extension_type, protocols)
            }
            (E::APPLICATION_SETTINGS | E::APPLICATION_SETTINGS_OLD, _) => {
                Self::ApplicationSettings(extension_type, reader.rest("settings"))
            }
            (E::QUIC_TRANSPORT_PARAMETERS | E::QUIC_TRANSPORT_PARAMETERS_DRAFT, _) => {
                let parameters = reader.list(TransportParameter::read)?;
                Self::QuicTransportParameters(extension_type, parameters)
            }

            (E::SUPPORTED_VERSIONS, P::ServerHello | P::HelloRetryRequest) => {
                Self::SelectedVersion(reader.code("selected_version")?)
            }
            (E::SUPPORTED_VERSIONS, _) => Self::SupportedVersions(
                reader.vector8("versions", |reader| reader.codes("version"))?,
            ),
            (E::SUPPORTED_GROUPS, _) => Self::SupportedGroups(
                reader.vector16("named_group_list", |reader| reader.codes("named_group"))?,
            ),
            (E::EC_POINT_FORMATS, _) => {
                Self::EcPointFormats(reader.vector8("ec_point_format_list", |reader| {
                    reader.codes("ec_point_format")
                })?)
            }
            (E::KEY_SHARE, P::ClientHello) => Self::KeyShares(
                reader.vector16("client_shares", |reader| reader.list(KeyShareEntry::read))?,
            ),
            (E::KEY_SHARE, P::HelloRetryRequest) => {
                Self::KeyShareGroup(reader.code("selected_group")?)
            }
            (E::KEY_SHARE, _) => Self::KeyShare(KeyShareEntry::read(reader)?),

            (E::SIGNATURE_ALGORITHMS, _) => {
                Self::SignatureAlgorithms(certificates::read_schemes(reader)?)
            }
            (E::SIGNATURE_ALGORITHMS_CERT, _) => {
                Self::SignatureAlgorithmsCert(certificates::read_schemes(reader)?)
            }
            (E::DELEGATED_CREDENTIAL, P::Certificate) => {
                Self::DelegatedCredential(DelegatedCredential::read(reader)?)
            }
            (E::DELEGATED_CREDENTIAL, _) => {
                Self::DelegatedCredentialSchemes(certificates::read_schemes(reader)?)
            }
            (E::COMPRESS_CERTIFICATE, _) => Self::CompressCertificate(
                reader.vector8("algorithms", |reader| reader.codes("algorithm"))?,
            ),
            (E::CERTIFICATE_AUTHORITIES, _) => {
                Self::CertificateAuthorities(reader.vector16("authorities", |reader| {
                    reader.list(|reader| reader.opaque16("distinguished_name"))
                })?)
            }
            (E::OID_FILTERS, _) => {
                Self::OidFilters(reader.vector16("filters", |reader| reader.list(OidFilter::read))?)
            }
            (E::SIGNED_CERTIFICATE_TIMESTAMP, _) => {
                Self::SignedCertificateTimestamps(certificates::read_timestamps(reader)?)
            }
            (E::CLIENT_CERTIFICATE_TYPE | E::SERVER_CERTIFICATE_TYPE, P::ClientHello) => {
                let types = reader.vector8("certificate_types", |reader| {
                    reader.codes("certificate_type")
                })?;
                Self::CertificateTypes(extension_type, types)
            }
            (E::CLIENT_CERTIFICATE_TYPE | E::SERVER_CERTIFICATE_TYPE, _) => {
                Self::CertificateType(extension_type, reader.code("certificate_type")?)
            }
            (E::STATUS_REQUEST, P::Certificate) => {
                Self::CertificateStatus(CertificateStatus::read(reader)?)
            }
            (E::STATUS_REQUEST, _) => Self::StatusRequest(CertificateStatusRequest::read(reader)?),
            (E::STATUS_REQUEST_V2, _) => {
                Self::StatusRequestV2(StatusRequestItem::read_list(reader)?)
            }

            (E::SESSION_TICKET, _) => Self::SessionTicket(reader.rest("ticket")),
            (E::PSK_KEY_EXCHANGE_MODES, _) => Self::PskKeyExchangeModes(
                reader.vector8("ke_modes", |reader| reader.codes("ke_mode"))?,
            ),
            (E::PRE_SHARED_KEY, P::ClientHello) => Self::PreSharedKeys(OfferedPsks::read(reader)?),
            (E::PRE_SHARED_KEY, _) => Self::PreSharedKey(reader.u16("selected_identity")?),
            (E::EARLY_DATA, P::NewSessionTicket) => {
                Self::MaxEarlyDataSize(reader.u32("max_early_data_size")?)
            }

            (E::ENCRYPTED_CLIENT_HELLO, P::ClientHello) => {
                Self::EncryptedClientHello(EncryptedClientHello::read(reader)?)
            }
            (E::ENCRYPTED_CLIENT_HELLO, P::HelloRetryRequest) => {
                Self::EchConfirmation(reader.array("confirmation")?)
            }
            (E::ENCRYPTED_CLIENT_HELLO, _) => Self::EchRetryConfigs(EchConfig::read_list(reader)?),
            (E::ECH_OUTER_EXTENSIONS, _) => Self::EchOuterExtensions(
                reader.vector8("outer_extensions", |reader| reader.codes("outer_extension"))?,
            ),

            _ => Self::Unknown {
                extension_type,
                body: reader.rest("extension_data"),
            },
        })
    }

    /// The type of the extension.
    #[must_use]
    pub fn extension_type(&self) -> ExtensionType {
        use ExtensionType as E;
        match self {
            Self::Present(extension_type)
            | Self::ApplicationSettingsFor(extension_type, _)
            | Self::ApplicationSettings(extension_type, _)
            | Self::CertificateTypes(extension_type, _)
            | Self::CertificateType(extension_type, _)
            | Self::QuicTransportParameters(extension_type, _)
            | Self::Unknown { extension_type, .. }
            | Self::Malformed { extension_type, .. } => *extension_type,
            Self::ServerName(_) => E::SERVER_NAME,
            Self::MaxFragmentLength(_) => E::MAX_FRAGMENT_LENGTH,
            Self::StatusRequest(_) | Self::CertificateStatus(_) => E::STATUS_REQUEST,
            Self::StatusRequestV2(_) => E::STATUS_REQUEST_V2,
            Self::SupportedGroups(_) => E::SUPPORTED_GROUPS,
            Self::EcPointFormats(_) => E::EC_POINT_FORMATS,
            Self::SignatureAlgorithms(_) => E::SIGNATURE_ALGORITHMS,
            Self::SignatureAlgorithmsCert(_) => E::SIGNATURE_ALGORITHMS_CERT,
            Self::DelegatedCredentialSchemes(_) | Self::DelegatedCredential(_) => {
                E::DELEGATED_CREDENTIAL
            }
            Self::UseSrtp(_) => E::USE_SRTP,
            Self::Heartbeat(_) => E::HEARTBEAT,
            Self::Alpn(_) => E::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
            Self::NextProtocols(_) => E::NEXT_PROTOCOL_NEGOTIATION,
            Self::SignedCertificateTimestamps(_) => E::SIGNED_CERTIFICATE_TIMESTAMP,
            Self::Padding(_) => E::PADDING,
            Self::CompressCertificate(_) => E::COMPRESS_CERTIFICATE,
            Self::RecordSizeLimit(_) => E::RECORD_SIZE_LIMIT,
            Self::SessionTicket(_) => E::SESSION_TICKET,
            Self::PreSharedKeys(_) | Self::PreSharedKey(_) => E::PRE_SHARED_KEY,
            Self::MaxEarlyDataSize(_) => E::EARLY_DATA,
            Self::SupportedVersions(_) | Self::SelectedVersion(_) => E::SUPPORTED_VERSIONS,
            Self::Cookie(_) => E::COOKIE,
            Self::PskKeyExchangeModes(_) => E::PSK_KEY_EXCHANGE_MODES,
            Self::CertificateAuthorities(_) => E::CERTIFICATE_AUTHORITIES,
            Self::OidFilters(_) => E::OID_FILTERS,
            Self::KeyShares(_) | Self::KeyShare(_) | Self::KeyShareGroup(_) => E::KEY_SHARE,
            Self::EncryptedClientHello(_) | Self::EchRetryConfigs(_) | Self::EchConfirmation(_) => {
                E::ENCRYPTED_CLIENT_HELLO
            }
            Self::EchOuterExtensions(_) => E::ECH_OUTER_EXTENSIONS,
            Self::RenegotiationInfo(_) => E::RENEGOTIATION_INFO,
        }
    }

    fn write_body(&self, writer: &mut Writer) {
        match self {
            Self::Present(_) => {}
            Self::ServerName(names) => ServerName::write_list(names, writer),
            Self::MaxFragmentLength(length) => writer.code(*length),
            Self::StatusRequest(request) => request.write(writer),
            Self::StatusRequestV2(items) => StatusRequestItem::write_list(items, writer),
            Self::CertificateStatus(status) => status.write(writer),
            Self::SupportedGroups(groups) => {
                writer.vector16("named_group_list", |writer| writer.codes(groups));
            }
            Self::EcPointFormats(formats) => {
                writer.vector8("ec_point_format_list", |writer| writer.codes(formats));
            }
            Self::SignatureAlgorithms(schemes)
            | Self::SignatureAlgorithmsCert(schemes)
            | Self::DelegatedCredentialSchemes(schemes) => {
                writer.vector16("supported_signature_algorithms", |writer| {
                    writer.codes(schemes);
                });
            }
            Self::DelegatedCredential(credential) => credential.write(writer),
            Self::UseSrtp(protection) => protection.write(writer),
            Self::Heartbeat(mode) => writer.code(*mode),
            Self::Alpn(protocols) | Self::ApplicationSettingsFor(_, protocols) => {
                writer.vector16("protocols", |writer| {
                    application::write_protocols(protocols, writer);
                });
            }
            Self::NextProtocols(protocols) => application::write_protocols(protocols, writer),
            Self::SignedCertificateTimestamps(timestamps) => {
                certificates::write_timestamps(timestamps, writer);
            }
            Self::CertificateTypes(_, types) => {
                writer.vector8("certificate_types", |writer| writer.codes(types));
            }
            Self::CertificateType(_, certificate_type) => writer.code(*certificate_type),
            Self::CompressCertificate(algorithms) => {
                writer.vector8("algorithms", |writer| writer.codes(algorithms));
            }
            Self::RecordSizeLimit(limit) => writer.u16(*limit),
            Self::PreSharedKeys(offered) => offered.write(writer),
            Self::PreSharedKey(selected) => writer.u16(*selected),
            Self::MaxEarlyDataSize(octets) => writer.u32(*octets),
            Self::SupportedVersions(versions) => {
                writer.vector8("versions", |writer| writer.codes(versions));
            }
            Self::SelectedVersion(version) => writer.code(*version),
            Self::Cookie(cookie) => writer.opaque16("cookie", cookie),
            Self::PskKeyExchangeModes(modes) => {
                writer.vector8("ke_modes", |writer| writer.codes(modes));
            }
            Self::CertificateAuthorities(names) => writer.vector16("authorities", |writer| {
                for name in names {
                    writer.opaque16("distinguished_name", name);
                }
            }),
            Self::OidFilters(filters) => writer.vector16("filters", |writer| {
                for filter in filters {
                    filter.write(writer);
                }
            }),
            Self::KeyShares(shares) => writer.vector16("client_shares", |writer| {
                for share in shares {
                    share.write(writer);
                }
            }),
            Self::KeyShare(share) => share.write(writer),
            Self::KeyShareGroup(group) => writer.code(*group),
            Self::QuicTransportParameters(_, parameters) => {
                for parameter in parameters {
                    parameter.write(writer);
                }
            }
            Self::EncryptedClientHello(hello) => hello.write(writer),
            Self::EchRetryConfigs(configs) => EchConfig::write_list(configs, writer),
            Self::EchConfirmation(confirmation) => writer.octets(*confirmation),
            Self::EchOuterExtensions(types) => {
                writer.vector8("outer_extensions", |writer| writer.codes(types));
            }
            Self::RenegotiationInfo(values) => writer.opaque8("renegotiated_connection", values),
            Self::ApplicationSettings(_, body)
            | Self::Padding(body)
            | Self::SessionTicket(body)
            | Self::Unknown { body, .. }
            | Self::Malformed { body, .. } => writer.octets(body),
        }
    }
}

impl Encode for Extension<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.extension_type());
        writer.vector16("extension_data", |writer| self.write_body(writer));
    }
}
