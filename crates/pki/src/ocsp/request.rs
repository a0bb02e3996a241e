//! Requests (RFC 6960, section 4.1).

use super::{
    CertId, MAX_ASKED, MAX_REQUEST_OCTETS, NONCE_OCTETS, OcspError, at_most, bounded, nonce,
    sequence, version_1, whole, write_nonce,
};
use crate::der::{DerProblem, Element, Fields, Reader, Tag, Writer};
use crate::extension::{Extension, ExtensionValue, Extensions};
use crate::general_name::GeneralName;
use crate::oid::Oid;

/// A request: the certificates that are asked for.
///
/// ```
/// use std::time::SystemTime;
/// use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
/// use ravelin_pki::ocsp::{CertId, OcspRequest};
/// use ravelin_pki::signature::Hash;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = SystemTime::now();
/// let ca = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
/// let leaf = ca.leaf(&["localhost".parse::<HostName>()?], now)?;
/// let asked = CertId::of(Hash::Sha1, leaf.certificate(), ca.certificate());
/// let request = OcspRequest::create(&[asked.clone()], None);
/// assert_eq!(OcspRequest::from_der(request.der())?.cert_ids(), [asked]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    der: Vec<u8>,
    cert_ids: Vec<CertId>,
    requestor_name: Option<GeneralName>,
    extensions: Extensions,
    is_signed: bool,
    unknown_critical: Option<Oid>,
}

impl OcspRequest {
    /// Asks for certificates: for one, where the answer is to be cached. A nonce makes sure that the
    /// answer is new, and keeps it from being cached; it should be 32 random octets, and what is
    /// beyond 128 of them is left out (RFC 9654, section 2.1).
    #[must_use]
    pub fn create(cert_ids: &[CertId], nonce: Option<&[u8]>) -> Self {
        let mut writer = Writer::with_capacity(128 * (cert_ids.len() + 1));
        writer.sequence(|w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    for cert_id in cert_ids {
                        w.sequence(|w| w.raw(cert_id.der()));
                    }
                });
                if let Some(nonce) = nonce {
                    let nonce = &nonce[..nonce.len().min(*NONCE_OCTETS.end())];
                    w.constructed(Tag::context_constructed(2), |w| {
                        w.sequence(|w| write_nonce(w, nonce));
                    });
                }
            });
        });
        let extensions = nonce.map(|nonce| {
            let mut value = Writer::new();
            value.octet_string(&nonce[..nonce.len().min(*NONCE_OCTETS.end())]);
            Extension {
                oid: Oid::OCSP_NONCE,
                critical: false,
                der: value.into_bytes(),
                value: ExtensionValue::Unread,
            }
        });
        Self {
            der: writer.into_bytes(),
            cert_ids: cert_ids.to_vec(),
            requestor_name: None,
            extensions: extensions.into_iter().collect(),
            is_signed: false,
            unknown_critical: None,
        }
    }

    /// Reads exactly one request in DER.
    ///
    /// # Errors
    ///
    /// It is none, asks for nothing or for too much, or has a nonce of a forbidden length: to be
    /// answered with [`super::ResponseStatus::MalformedRequest`].
    pub fn from_der(der: &[u8]) -> Result<Self, OcspError> {
        bounded(der, MAX_REQUEST_OCTETS)?;
        let mut fields = whole(der, "OCSPRequest")?;
        let request = fields.next("tbsRequest", sequence)?;
        // Who signs requests, and with what, is of no interest: everyone is answered.
        let signature = fields.optional(
            "optionalSignature",
            Tag::context_constructed(0),
            |signature| signature.inner(),
        )?;
        fields.finish("OCSPRequest")?;

        let mut fields = Fields::of(&request);
        version_1(&mut fields)?;
        let requestor_name =
            fields.optional("requestorName", Tag::context_constructed(1), |name| {
                GeneralName::read(name.inner()?)
            })?;
        let list = fields.next("requestList", sequence)?;
        let extensions = Extensions::read_tagged(&mut fields, "requestExtensions", 2)?;
        fields.finish("tbsRequest")?;
        let mut request = Self {
            der: der.to_vec(),
            cert_ids: Vec::new(),
            requestor_name,
            extensions,
            is_signed: signature.is_some(),
            unknown_critical: None,
        };
        request.read_list(&list)?;
        request.check_extensions()?;
        Ok(request)
    }

    fn read_list(&mut self, list: &Element<'_>) -> Result<(), OcspError> {
        for element in at_most(MAX_ASKED, "requestList", list)? {
            let mut fields = Fields::of(&element);
            self.cert_ids.push(fields.next("reqCert", CertId::read)?);
            let single = Extensions::read_tagged(&mut fields, "singleRequestExtensions", 0)?;
            fields.finish("requestList")?;
            if self.unknown_critical.is_none() {
                // None of those that there are is read here.
                let critical = single.iter().find(|extension| extension.critical);
                self.unknown_critical = critical.map(|extension| extension.oid.clone());
            }
        }
        if self.cert_ids.is_empty() {
            let source = DerProblem::Empty.at(list.at);
            return Err(OcspError::Field {
                field: "requestList",
                source,
            });
        }
        Ok(())
    }

    fn check_extensions(&mut self) -> Result<(), OcspError> {
        for extension in &self.extensions {
            if extension.oid == Oid::OCSP_NONCE {
                let octets = Reader::only(&extension.der, Tag::OCTET_STRING)
                    .map_err(|source| OcspError::Extension {
                        name: extension.oid.name_or_dots(),
                        source,
                    })?
                    .content
                    .len();
                if !NONCE_OCTETS.contains(&octets) {
                    return Err(OcspError::Nonce { octets });
                }
            } else if extension.critical && self.unknown_critical.is_none() {
                self.unknown_critical = Some(extension.oid.clone());
            }
        }
        Ok(())
    }

    /// The request in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificates that are asked for: at least one where it was read.
    #[must_use]
    pub fn cert_ids(&self) -> &[CertId] {
        &self.cert_ids
    }

    /// What the answer has to repeat to show that it is no older one.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        nonce(&self.extensions)
    }

    /// Who says to have asked.
    #[must_use]
    pub fn requestor_name(&self) -> Option<&GeneralName> {
        self.requestor_name.as_ref()
    }

    /// Whether it is signed. The signature is not checked.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Its extensions, in their order.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// A critical extension that Ravelin does not know: the request must not be answered (section
    /// 4.4).
    #[must_use]
    pub fn unknown_critical_extension(&self) -> Option<&Oid> {
        self.unknown_critical.as_ref()
    }
}
