//! A server that is known by its key alone: no CA is asked, so none can be talked into vouching for somebody else.
//!
//!     cargo run -p ravelin-client --example pinned -- localhost 4433 PIN
//!
//! The pin is the SHA-256 of the server's `SubjectPublicKeyInfo` (RFC 7469, section 2.4), as 64 hexadecimal digits:
//! it outlives a certificate that is renewed with the same key. `self_signed` prints it.
//!
//! In Python: `examples/python/pinned.py`, with `ssl` and the package `cryptography`.
#![allow(clippy::print_stdout, reason = "a program may print")]

use anyhow::{Context as _, Result, bail};
use ravelin_client::{ClientOptions, Connector, Trust};
use ravelin_pki::Certificate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, pins @ ..] = &arguments[..] else {
        bail!("usage: pinned HOST PORT PIN…");
    };
    // A second pin, of a key that is kept elsewhere, is the way out when the first is lost.
    let pins: Vec<_> = pins
        .iter()
        .map(|pin| pin.parse())
        .collect::<Result<_, _>>()?;
    // To ask a CA besides: `Trust::roots(…).pinned(…)`.
    let trust = Trust::pins_alone().pinned(pins);
    let connector = Connector::new(&trust, ClientOptions::default())?;
    // It is looked at in the handshake: a server with another key is sent nothing.
    let connection = connector.connect(host, port.parse()?).await?;
    let leaf = connection.tls.chain.first().context("no certificate")?;
    let leaf = Certificate::from_der(leaf)?;
    println!(
        "{} has the key {}",
        leaf.title(),
        leaf.public_key().fingerprint()
    );
    Ok(())
}
