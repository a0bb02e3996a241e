//! A server that lets in clients with a certificate of one CA alone, and greets them by name.
//!
//!     cargo run -p ravelin-client --example mutual_tls_server -- CERT.pem KEY.pem CLIENT_CA.pem [PORT]
//!
//! In Python: `examples/python/mutual_tls_server.py`, with `verify_mode = CERT_REQUIRED`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use ravelin_client::{Acceptor, ClientAuth, Identity, ServerOptions};
use ravelin_pki::{Certificate, pem};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, client_ca, port @ ..] = &arguments[..] else {
        bail!("usage: mutual_tls_server CERT.pem KEY.pem CLIENT_CA.pem [PORT]");
    };
    let port: u16 = port.first().map_or("4433", |port| port).parse()?;
    let identity = Identity::from_pem(&read(cert)?, &read(key)?)?;
    // The CA that made the clients' certificates, and never all that a browser trusts: anybody gets one of those.
    let options = ServerOptions {
        client_auth: ClientAuth::Required(pem::certificates(&read(client_ca)?)?),
        ..ServerOptions::default()
    };
    let acceptor = Acceptor::new(identity, &options)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (tcp, address) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Err(error) = greet(&acceptor, tcp, address).await {
                eprintln!("{address}: {error:#}");
            }
        });
    }
}

async fn greet(acceptor: &Acceptor, tcp: TcpStream, address: SocketAddr) -> Result<()> {
    let mut client = acceptor.accept(tcp, address).await?;
    // It was verified in the handshake, or we would not be here.
    let own = client.tls.chain.first().context("no certificate")?;
    let name = Certificate::from_der(own)?.title();
    client
        .io
        .write_all(format!("hello, {name}\n").as_bytes())
        .await?;
    client.io.shutdown().await?;
    Ok(())
}

fn read(file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read \"{file}\""))
}
