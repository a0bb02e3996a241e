//! How QUIC is to run (RFC 9000, section 18).

use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{CodePoint, QuicTransportParameter};
use crate::writer::{Encode, Writer};

/// A transport parameter. QUIC lets the sender write numbers longer than they need be; written again,
/// they are short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportParameter<'b> {
    /// Which it is.
    pub id: QuicTransportParameter,
    /// Its value.
    pub value: ParameterValue<'b>,
}

/// The value of a transport parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterValue<'b> {
    /// A number: milliseconds, octets, streams, as the parameter says.
    Number(u64),
    /// A connection's identifier, a token, an address, or what is not known here.
    Octets(&'b [u8]),
}

impl<'b> TransportParameter<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        reader.group("transport_parameter", |reader| {
            let id: QuicTransportParameter = reader.quic_code("id")?;
            reader.label(id);
            let value = reader.quic_vector("value", |reader| {
                Ok(if id.is_number() {
                    ParameterValue::Number(reader.quic_number("value")?)
                } else {
                    ParameterValue::Octets(reader.rest("value"))
                })
            })?;
            Ok(Self { id, value })
        })
    }
}

impl QuicTransportParameter {
    /// Whether its value is a number (RFC 9000, section 18.2; RFC 9221).
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::MAX_IDLE_TIMEOUT
                | Self::MAX_UDP_PAYLOAD_SIZE
                | Self::INITIAL_MAX_DATA
                | Self::INITIAL_MAX_STREAM_DATA_BIDI_LOCAL
                | Self::INITIAL_MAX_STREAM_DATA_BIDI_REMOTE
                | Self::INITIAL_MAX_STREAM_DATA_UNI
                | Self::INITIAL_MAX_STREAMS_BIDI
                | Self::INITIAL_MAX_STREAMS_UNI
                | Self::ACK_DELAY_EXPONENT
                | Self::MAX_ACK_DELAY
                | Self::ACTIVE_CONNECTION_ID_LIMIT
                | Self::MAX_DATAGRAM_FRAME_SIZE
        )
    }
}

impl Encode for TransportParameter<'_> {
    fn write(&self, writer: &mut Writer) {
        let mut value = Writer::default();
        match self.value {
            ParameterValue::Number(number) => value.quic_number("value", number),
            ParameterValue::Octets(octets) => value.octets(octets),
        }
        writer.quic_number("id", self.id.code());
        writer.quic_vector("value", &value);
    }
}
