//! HTTPS requests: who is believed, how to get there, what is asked and what comes of it.
//!
//! A [`Client`] is made by [`Client::builder`] with one rule of verification, a [`Trust`], and sends [`Request`]s
//! over HTTP/1.1, HTTP/2 and HTTP/3. It follows redirects, keeps cookies, answers challenges, goes through proxies and
//! decompresses, each within limits. Errors say who did what: a server that is not believed comes with the chain
//! that it sent, a body that ends too soon is an error and no short body.
//!
//! A [`Connector`] is for what is spoken over TLS besides HTTP, and an [`Acceptor`] is its other end.
//!
//! Nothing is printed, and no file is written. The runtime is the caller's: any of tokio's with time and IO.
//!
//! ```no_run
//! use ravelin_client::{Client, Request, Trust};
//!
//! # async fn example(root: ravelin_pki::CertificateDer<'static>) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().trust(Trust::roots([root])).build()?;
//! let mut response = client.send(Request::get("https://localhost:8443/")?).await?;
//! println!("{}", response.status());
//! println!("{} octets", response.bytes(1 << 20).await?.len());
//! # Ok(())
//! # }
//! ```

mod accept;
pub mod auth;
mod body;
mod builder;
mod challenge;
mod client;
mod connect;
pub mod cookies;
mod decode;
mod error;
mod exchange;
mod http3;
mod incoming;
mod pool;
pub mod proxy;
mod quic;
mod racing;
mod raw;
mod request;
mod response;
mod retry;
mod socks;
mod starttls;
mod stream;
mod timing;
mod tls;

pub use accept::{Accepted, Acceptor};
pub use auth::Credentials;
pub use body::{Body, Piece};
pub use builder::{Builder, Versions};
pub use client::{Client, Notice};
pub use connect::{Look, Onlooker};
pub use cookies::Jar;
pub use error::Error;
pub use proxy::{Proxies, Proxy};
pub use ravelin_tls::client::ClientOptions;
pub use ravelin_tls::client::{Identity, Refusal, Refused, Trust};
pub use ravelin_tls::policy::{self, TLS12, TLS13};
pub use ravelin_tls::server::{ClientAuth, ServerOptions};
pub use raw::{Connector, Raw};
pub use request::Request;
pub use response::{Hop, Response, TlsFacts};
pub use retry::Retries;
pub use stream::BoxedIo;
pub use timing::Timing;
pub use url::Url;
