//! Certificates from a CA that is asked over the network: a client of ACME (RFC 8555), with its answers to the
//! challenges `tls-alpn-01` (RFC 8737) and `http-01`, for DNS names and addresses (RFC 8738), and renewal when the CA
//! suggests it (RFC 9773).
//!
//! [`Issuer`] is one account with one CA. [`Keeper`] keeps the certificate of one set of names: what is on the disk,
//! when something is due, and what then is done. Who sends requests ([`Http`]), who shows answers to challenges
//! ([`Answers`]), and when to look again are the caller's business.
//!
//! | object | what it holds |
//! |---|---|
//! | `acme/HOST-HASH/account.json` | the account with the CA of this directory, and its key |
//! | `acme/HOST-HASH/NAME-HASH.pem` | the private key and the chain for a set of names, always of one order |
//! | `acme/HOST-HASH/NAME-HASH.json` | when the CA suggests to renew it, and what failed last: see [`Keeper`] |
//!
//! All are mode 0600. Nothing of it is needed twice: what is lost is asked for again.

mod account;
mod answer;
mod error;
mod external;
mod keeper;
mod memory;
mod order;
mod renewal;
mod transport;

pub use answer::{Answer, Answers, Kind};
pub use error::{AcmeError, Problem};
pub use external::{ExternalAccount, ExternalAccountError};
pub use keeper::{Keeper, Outcome};
pub use memory::Failed;
pub use order::Issuer;
pub use transport::{Http, HttpFuture};

/// The directory of Let's Encrypt.
pub const LETS_ENCRYPT: &str = instant_acme::LetsEncrypt::Production.url();

/// With whom there is to be an account, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The directory of the CA (RFC 8555, section 7.1.1): an address of https.
    pub directory: String,
    /// Where the CA may write to: `mailto:ada@example.org`.
    pub contact: Vec<String>,
    /// Whether the CA's terms of service are agreed to, where it has any.
    pub agrees_to_terms: bool,
    /// The account of another kind that this one is bound to, for CAs that want that (RFC 8555, section 7.3.4).
    pub external_account: Option<ExternalAccount>,
    /// The kind of certificate, by the name that the CA has for it (draft-ietf-acme-profiles).
    pub profile: Option<String>,
}
