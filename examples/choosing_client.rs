//! A client that offers one version and one cipher suite, and prints what was agreed on and what the server says.
//!
//!     cargo run -p ravelin-client --example choosing_client -- localhost 4433 ROOT.pem 1.3 TLS_AES_256_GCM_SHA384
//!
//! In Python: `examples/python/choosing_client.py`, with `minimum_version` and `set_ciphers` of the module `ssl`.
#![allow(clippy::print_stdout, reason = "a program may print")]

use anyhow::{Context as _, Result, bail};
use ravelin_client::{ClientOptions, Connector, TLS12, TLS13, Trust, policy};
use ravelin_pki::pem;
use tokio::io::AsyncReadExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, root, version, suite] = &arguments[..] else {
        bail!("usage: choosing_client HOST PORT ROOT.pem VERSION SUITE");
    };
    // What is not said here is chosen well: both versions, and no suite without forward secrecy and AEAD is known.
    let options = ClientOptions {
        versions: vec![match version.as_str() {
            "1.2" => &TLS12,
            "1.3" => &TLS13,
            other => bail!("TLS {other} is not spoken: TLS 1.1 and older are broken"),
        }],
        suites: vec![policy::suite(suite).with_context(|| format!("no suite \"{suite}\""))?],
        ..ClientOptions::default()
    };
    let root = std::fs::read(root).with_context(|| format!("cannot read \"{root}\""))?;
    let connector = Connector::new(&Trust::roots(pem::certificates(&root)?), options)?;
    let mut connection = connector.connect(host, port.parse()?).await?;
    println!("{} {}", connection.tls.version, connection.tls.suite);
    let mut said = String::new();
    connection.io.read_to_string(&mut said).await?;
    print!("{said}");
    Ok(())
}
