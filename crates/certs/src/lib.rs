//! Certificates of one's own: where they are kept, the local CA that makes them, other CAs that are asked for
//! them, the journal of what a CA did with its inventory, and the trust stores that take the root.
//!
//! The only crate that puts a key or a certificate on disk (see [`store`]). What is in a
//! certificate is `ravelin-pki`'s business. Nothing here prints, and the time is an argument.

pub mod acme;
pub mod causes;
pub mod inventory;
pub mod journal;
pub mod local;
mod names;
pub mod policy;
pub mod responder;
pub mod store;
pub mod token;
pub mod trust;

pub use journal::{Journal, JournalError};
pub use local::{LocalAuthority, LocalError, LocalRoot};
pub use policy::Policy;
pub use responder::{LocalRegister, Responder};
pub use store::{FileStore, ObjectName, Store, StoreError};
