//! An echo server over TLS: each client gets back what it sends.
//!
//!     cargo run -p ravelin-client --example echo_server -- CERT.pem KEY.pem [PORT]
//!
//! In Python: `examples/python/echo_server.py`, with `wrap_socket` of the module `ssl`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use ravelin_client::{Acceptor, Identity, ServerOptions};
use tokio::io::{AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, port @ ..] = &arguments[..] else {
        bail!("usage: echo_server CERT.pem KEY.pem [PORT]");
    };
    let port: u16 = port.first().map_or("4433", |port| port).parse()?;
    let identity = Identity::from_pem(&read(cert)?, &read(key)?)?;
    let acceptor = Acceptor::new(identity, &ServerOptions::default())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (tcp, address) = listener.accept().await?;
        let acceptor = acceptor.clone();
        // In a task of its own, the handshake too: who never ends it keeps nobody else waiting.
        tokio::spawn(async move {
            if let Err(error) = echo(&acceptor, tcp, address).await {
                eprintln!("{address}: {error:#}");
            }
        });
    }
}

async fn echo(acceptor: &Acceptor, tcp: TcpStream, address: SocketAddr) -> Result<()> {
    let client = acceptor.accept(tcp, address).await?;
    let (mut from, mut to) = split(client.io);
    // An end that the client did not say is an error here: somebody may have cut off what it sent.
    copy(&mut from, &mut to).await?;
    // Says that this was all (close_notify), so that nobody can cut it off unseen.
    to.shutdown().await?;
    Ok(())
}

fn read(file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read \"{file}\""))
}
