//! A client that shows who it is, and prints what the server says to that.
//!
//!     cargo run -p ravelin-client --example mutual_tls_client -- localhost 4433 ROOT.pem CERT.pem KEY.pem
//!
//! In Python: `examples/python/mutual_tls_client.py`, with `load_cert_chain` of the module `ssl`.
#![allow(clippy::print_stdout, reason = "a program may print")]

use anyhow::{Context as _, Result, bail};
use ravelin_client::{ClientOptions, Connector, Identity, Trust};
use ravelin_pki::pem;
use tokio::io::AsyncReadExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, root, own @ ..] = &arguments[..] else {
        bail!("usage: mutual_tls_client HOST PORT ROOT.pem [CERT.pem KEY.pem]");
    };
    let port = port.parse()?;
    let identity = match own {
        [cert, key] => Some(Identity::from_pem(&read(cert)?, &read(key)?)?),
        _ => None,
    };
    let options = ClientOptions {
        identity,
        ..ClientOptions::default()
    };
    let roots = pem::certificates(&read(root)?)?;
    let connector = Connector::new(&Trust::roots(roots), options)?;
    let mut connection = connector.connect(host, port).await?;
    let mut said = String::new();
    let read = connection.io.read_to_string(&mut said).await;
    // In TLS 1.3 the handshake is over for us before the server has seen our certificate: that it does not like it
    // comes with the first octets that we read.
    read.map_err(|error| connector.explain(host, port, error))?;
    print!("{said}");
    Ok(())
}

fn read(file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read \"{file}\""))
}
