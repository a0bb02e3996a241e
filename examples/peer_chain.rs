//! Shows what TLS agreed on and the chain that a server shows, whoever it is.
//!
//!     cargo run -p ravelin-client --example peer_chain -- example.org 443
//!
//! In Python: `examples/python/peer_chain.py`, with `get_peer_cert_chain` of pyOpenSSL.
#![allow(clippy::print_stdout, reason = "a program may print")]

use anyhow::{Result, bail};
use ravelin_client::{ClientOptions, Connector, Trust};
use ravelin_pki::Certificate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port] = &arguments[..] else {
        bail!("usage: peer_chain HOST PORT");
    };
    // To look at a chain that may be wrong is what this is for; and so nothing is sent over this connection.
    let connector = Connector::new(&Trust::everyone(), ClientOptions::default())?;
    let tls = connector.connect(host, port.parse()?).await?.tls;
    println!("{}", tls.version);
    // As the server sent them: whether they belong together, and to a root, nobody has asked yet.
    for (place, der) in tls.chain.iter().enumerate() {
        let certificate = Certificate::from_der(der)?;
        let fingerprint = certificate.fingerprint_sha256();
        println!("{place}. {} sha256:{fingerprint}", certificate.title());
    }
    Ok(())
}
