//! The OCSP responses that are stapled to certificates (RFC 6066, section 8): those of the local CA
//! for what it issued, and those that an operator puts beside other certificates. Nothing is fetched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_certs::responder::{self, ResponderError};
use ravelin_certs::{FileStore, LocalAuthority, LocalError, LocalRegister, Responder};
use ravelin_pki::ocsp::{CertificateStatus, MAX_RESPONSE_OCTETS, OcspError, OcspVerifyError};
use ravelin_pki::{Certificate, Fingerprint, OcspResponse, Oid};

/// How often it is looked whether a staple wants to be made anew, or was overtaken by a revocation.
/// The clock may have jumped meanwhile, or the machine slept.
pub(crate) const LOOKED_AT_AGAIN: Duration = Duration::from_secs(60);

/// An OCSP response that is stapled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staple {
    pub(crate) response: Arc<[u8]>,
    pub(crate) status: CertificateStatus,
    /// It is not sent from then on.
    pub(crate) until: SystemTime,
}

/// Where the staple of a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StapledBy {
    Nobody,
    File(PathBuf),
    LocalCa,
}

/// Why a file has nothing to staple.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StapleError {
    #[error("it cannot be read")]
    Unreadable(#[source] std::io::Error),
    #[error("it is no OCSP response in DER")]
    Malformed(#[from] OcspError),
    #[error("the issuer's certificate, which it is checked by, is not in the certificate's file")]
    NoIssuer,
    #[error(transparent)]
    Refused(#[from] OcspVerifyError),
    #[error("it says that the certificate was revoked")]
    Revoked,
    #[error("it says that the responder does not know the certificate")]
    Unknown,
}

impl StapleError {
    /// What mends it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoIssuer => {
                "`cert` is for the certificate and its intermediates: put them behind it"
            }
            Self::Revoked => "a revoked certificate is of no use any more: have a new one issued",
            _ => {
                "get a new one from the CA: openssl ocsp -issuer ISSUER.pem -cert CERT.pem -url \
                 \"$(openssl x509 -in CERT.pem -noout -ocsp_uri)\" -respout FILE"
            }
        }
    }
}

impl Staple {
    /// Reads the file with the staple of `chain`, leaf first: one that is about the leaf, signed by
    /// its issuer or by whom that lets answer, current, and good. Others help nobody, and clients
    /// that look at them are turned away by them.
    pub(crate) fn load(
        file: &Path,
        chain: &[Certificate],
        now: SystemTime,
    ) -> Result<Self, StapleError> {
        let bytes = read(file).map_err(StapleError::Unreadable)?;
        let response = OcspResponse::from_der(&bytes)?;
        let (leaf, issuer) = match chain {
            [leaf, issuer, ..] if leaf.is_signed_by(issuer) => (leaf, issuer),
            _ => return Err(StapleError::NoIssuer),
        };
        let single = response.verify(leaf, issuer, None, now)?;
        match single.status {
            CertificateStatus::Good => {}
            CertificateStatus::Revoked { .. } => return Err(StapleError::Revoked),
            CertificateStatus::Unknown => return Err(StapleError::Unknown),
        }
        let mut until = single.good_until();
        // Clients look at the certificate of who signed it, too.
        if let Some(basic) = response.basic() {
            until = until.min(basic.responder_of(issuer, now)?.not_after());
        }
        let staple = Self {
            response: response.der().into(),
            status: single.status,
            until,
        };
        // Verifying lets clocks differ by minutes; what is sent must be current by ours.
        if staple.is_over(now) {
            return Err(OcspVerifyError::Stale.into());
        }
        Ok(staple)
    }

    /// Whether it must not be sent any more.
    pub(crate) fn is_over(&self, now: SystemTime) -> bool {
        now >= self.until
    }
}

/// Never more than a response may be long: what is named may be any file.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(file)?;
    file.take(MAX_RESPONSE_OCTETS as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether clients would ask about the certificate, or want to be told: it says where its status can
/// be asked, or that it must be stapled (RFC 7633). Others gain nothing: no client misses what was
/// not promised, and each full handshake with a client that takes one would have 850 bytes more, on top of
/// 1,900 (measured with openssl: a leaf and an intermediate of P-256, TLS 1.3 and 1.2).
pub(crate) fn is_wanted(certificate: &Certificate) -> bool {
    let access = certificate.authority_info_access();
    certificate.must_staple() || access.iter().any(|access| access.method == Oid::OCSP)
}

/// The local CA, answering for what it issued. It signs with a certificate of its own that is made
/// for each start, and is kept over reloads.
pub(crate) struct Stapler {
    responder: Responder<LocalRegister>,
    root: Fingerprint,
}

impl Stapler {
    /// The local CA of the store, if there is one and it has issued one of `leaves`: the one from
    /// before, if it is still the same.
    pub(super) fn open<'l>(
        store: &FileStore,
        mut leaves: impl Iterator<Item = &'l Certificate>,
        before: Option<&Arc<Self>>,
    ) -> Result<Option<Arc<Self>>, LocalError> {
        let Some(authority) = LocalAuthority::load(store)? else {
            return Ok(None);
        };
        // Whoever serves certificates of others need not hear how the local CA fares.
        let issuers = authority.issuer_certificates()?;
        if !leaves.any(|leaf| issuers.iter().any(|issuer| leaf.is_signed_by(issuer))) {
            return Ok(None);
        }
        let root = authority.root_certificate().fingerprint_sha256();
        if let Some(before) = before.filter(|before| before.root == root) {
            return Ok(Some(before.clone()));
        }
        let responder = Responder::new(LocalRegister::new(authority)?);
        Ok(Some(Arc::new(Self { responder, root })))
    }

    /// The staple of a certificate: the same one until half its time is gone or its status has
    /// changed.
    ///
    /// # Errors
    ///
    /// [`ResponderError::Unknown`] where it is none of the CA's.
    pub(super) fn staple(
        &self,
        certificate: &Certificate,
        now: SystemTime,
    ) -> Result<Staple, ResponderError> {
        let responder::Staple {
            response,
            status,
            next_update,
            ..
        } = self.responder.staple(certificate, now)?;
        Ok(Staple {
            response,
            status,
            until: next_update,
        })
    }
}
