//! Whether a certificate is revoked (RFC 6066, section 8; RFC 6961).

use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::CertificateStatusType;
use crate::writer::{Encode, Writer};

/// What a client would like to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateStatusRequest<'b> {
    /// By OCSP.
    Ocsp(OcspStatusRequest<'b>),
    /// By other means.
    Unknown {
        /// What kind.
        status_type: CertificateStatusType,
        /// The request.
        request: &'b [u8],
    },
}

/// A request for an OCSP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspStatusRequest<'b> {
    /// The responders that the client trusts, in DER; none means those that the server knows.
    pub responder_id_list: Vec<&'b [u8]>,
    /// Extensions of OCSP, in DER.
    pub request_extensions: &'b [u8],
}

/// What a client would like to know of all certificates of a chain (RFC 6961, section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequestItem<'b> {
    /// The kind of answer.
    pub status_type: CertificateStatusType,
    /// The request.
    pub request: OcspStatusRequest<'b>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateStatus<'b> {
    /// An OCSP response, in DER.
    Ocsp(&'b [u8]),
    /// OCSP responses of each certificate of the chain, in DER; empty where there is none (RFC 6961).
    OcspMulti(Vec<&'b [u8]>),
    /// Something else.
    Unknown {
        /// What kind.
        status_type: CertificateStatusType,
        /// The answer.
        response: &'b [u8],
    },
}

impl<'b> CertificateStatusRequest<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let status_type = reader.code("status_type")?;
        Ok(match status_type {
            CertificateStatusType::OCSP => Self::Ocsp(OcspStatusRequest::read(reader)?),
            _ => Self::Unknown {
                status_type,
                request: reader.rest("request"),
            },
        })
    }
}

impl Encode for CertificateStatusRequest<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Ocsp(request) => {
                writer.code(CertificateStatusType::OCSP);
                request.write(writer);
            }
            Self::Unknown {
                status_type,
                request,
            } => {
                writer.code(*status_type);
                writer.octets(request);
            }
        }
    }
}

impl<'b> OcspStatusRequest<'b> {
    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            responder_id_list: reader.vector16("responder_id_list", |reader| {
                reader.list(|reader| reader.opaque16("responder_id"))
            })?,
            request_extensions: reader.opaque16("request_extensions")?,
        })
    }
}

impl Encode for OcspStatusRequest<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.vector16("responder_id_list", |writer| {
            for responder in &self.responder_id_list {
                writer.opaque16("responder_id", responder);
            }
        });
        writer.opaque16("request_extensions", self.request_extensions);
    }
}

impl<'b> StatusRequestItem<'b> {
    pub(super) fn read_list<T: Trace>(
        reader: &mut Reader<'b, T>,
    ) -> Result<Vec<Self>, DecodeError> {
        reader.vector16("certificate_status_req_list", |reader| {
            reader.list(|reader| {
                reader.group("certificate_status_req_item", |reader| {
                    Ok(Self {
                        status_type: reader.code("status_type")?,
                        request: reader.vector16("request", OcspStatusRequest::read)?,
                    })
                })
            })
        })
    }

    pub(super) fn write_list(items: &[Self], writer: &mut Writer) {
        writer.vector16("certificate_status_req_list", |writer| {
            for item in items {
                writer.code(item.status_type);
                writer.vector16("request", |writer| item.request.write(writer));
            }
        });
    }
}

impl<'b> CertificateStatus<'b> {
    pub(crate) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let status_type = reader.code("status_type")?;
        Ok(match status_type {
            CertificateStatusType::OCSP => Self::Ocsp(reader.opaque24("ocsp_response")?),
            CertificateStatusType::OCSP_MULTI => {
                Self::OcspMulti(reader.vector24("ocsp_response_list", |reader| {
                    reader.list(|reader| reader.opaque24("ocsp_response"))
                })?)
            }
            _ => Self::Unknown {
                status_type,
                response: reader.rest("response"),
            },
        })
    }
}

impl Encode for CertificateStatus<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Ocsp(response) => {
                writer.code(CertificateStatusType::OCSP);
                writer.opaque24("ocsp_response", response);
            }
            Self::OcspMulti(responses) => {
                writer.code(CertificateStatusType::OCSP_MULTI);
                writer.vector24("ocsp_response_list", |writer| {
                    for response in responses {
                        writer.opaque24("ocsp_response", response);
                    }
                });
            }
            Self::Unknown {
                status_type,
                response,
            } => {
                writer.code(*status_type);
                writer.octets(response);
            }
        }
    }
}
