//! Proofs: who signed what, what leads from a certificate to somebody who is trusted, and what a log
//! promised.
//!
//! Values in, a [`Verdict`](crate::story::Verdict) out. Which message holds what, and which certificate is
//! whose, is the affair of whoever follows the connection.
//!
//! Not checked here, although the registry names them: Ed448, SLH-DSA, SM2, GOST and what goes by names
//! instead of keys; ECDSA on other curves than those of NIST, with MD5 or SHA-224, and with SHA-1 on P-384.
//! A verdict on these says that the algorithm is missing.

mod chain;
mod compression;
mod dsa;
mod hello;
mod logs;
mod rsa;
mod scheme;
mod signature;
mod signer;
mod timestamp;

pub use chain::chain;
pub use compression::{DecompressError, decompress};
pub use hello::{no_downgrade, retry_kept};
pub use logs::{Log, LogEntry, LogState, Logs, LogsError, MAX_LIST_OCTETS};
pub use signature::HandshakeSignature;
pub use signer::Signer;
pub use timestamp::{Logged, SeenTimestamp, TimestampPlace, timestamps};
