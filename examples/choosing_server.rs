//! A server that speaks the versions and cipher suites that it is told to, and says what came of it.
//!
//!     cargo run -p ravelin-client --example choosing_server -- CERT.pem KEY.pem 1.3 TLS_AES_256_GCM_SHA384 [PORT]
//!
//! In Python: `examples/python/choosing_server.py`, with a `Context` of pyOpenSSL.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use ravelin_client::{Acceptor, Identity, ServerOptions, TLS12, TLS13, policy};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, version, suite, port @ ..] = &arguments[..] else {
        bail!("usage: choosing_server CERT.pem KEY.pem VERSION SUITE [PORT]");
    };
    let port: u16 = port.first().map_or("4433", |port| port).parse()?;
    let identity = Identity::from_pem(&read(cert)?, &read(key)?)?;
    // What is not said here is chosen well: both versions, and no suite without forward secrecy and AEAD is known.
    let options = ServerOptions {
        versions: vec![match version.as_str() {
            "1.2" => &TLS12,
            "1.3" => &TLS13,
            other => bail!("TLS {other} is not spoken: TLS 1.1 and older are broken"),
        }],
        suites: vec![policy::suite(suite).with_context(|| format!("no suite \"{suite}\""))?],
        ..ServerOptions::default()
    };
    let acceptor = Acceptor::new(identity, &options)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (tcp, address) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Err(error) = tell(&acceptor, tcp, address).await {
                eprintln!("{address}: {error:#}");
            }
        });
    }
}

async fn tell(acceptor: &Acceptor, tcp: TcpStream, address: SocketAddr) -> Result<()> {
    let mut client = acceptor.accept(tcp, address).await?;
    let agreed = format!("{} {}\n", client.tls.version, client.tls.suite);
    client.io.write_all(agreed.as_bytes()).await?;
    client.io.shutdown().await?;
    Ok(())
}

fn read(file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read \"{file}\""))
}
