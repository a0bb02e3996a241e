//! The one place that configures rustls: which versions, suites and groups Ravelin speaks, how
//! sessions are resumed, which certificate answers to which name, what ACME servers are shown, and who may look
//! on. And what is said before TLS: `starttls`, and `proxy_protocol`; and how octets are copied into it: `pieces`.
//!
//! Nothing here opens a connection; `observe` alone reads and writes one that it is given. The crypto
//! provider is passed explicitly everywhere; nothing is installed process-wide. How bytes get from a
//! socket into a connection is the business of the server and the client.

pub mod certificates;
pub mod challenges;
pub mod client;
pub mod inspect;
pub mod observe;
pub mod pieces;
pub mod policy;
pub mod proxy_protocol;
pub mod server;
pub mod starttls;

pub use certificates::{Certificates, ServedCertificate};
pub use challenges::Challenges;
pub use client::{Identity, Refusal, Refused, Trust};
pub use inspect::Witness;
pub use server::{ClientAuth, ClientRule, NotAllowed, ServerOptions, ServerTls, Tickets};

/// What a verifier of this crate has put into the error of a connection.
fn carried_by<T: std::error::Error + 'static>(error: &rustls::Error) -> Option<&T> {
    use rustls::{CertificateError, Error, OtherError};
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            inner.downcast_ref()
        }
        _ => None,
    }
}
