//! A client over TLS: sends each line of standard input, and prints the line that comes back.
//!
//!     echo hello | cargo run -p ravelin-client --example echo_client -- localhost 4433 ROOT.pem
//!
//! In Python: `examples/python/echo_client.py`, with `create_default_context` of the module `ssl`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

use anyhow::{Context as _, Result, bail, ensure};
use ravelin_client::{ClientOptions, Connector, Trust};
use ravelin_pki::pem;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, root] = &arguments[..] else {
        bail!("usage: echo_client HOST PORT ROOT.pem");
    };
    let roots = pem::certificates(&read(root)?)?;
    let connector = Connector::new(&Trust::roots(roots), ClientOptions::default())?;
    let connection = connector.connect(host, port.parse()?).await?;
    eprintln!("{} {}", connection.tls.version, connection.tls.suite);

    let mut io = BufReader::new(connection.io);
    for line in std::io::stdin().lines() {
        io.write_all(format!("{}\n", line?).as_bytes()).await?;
        // What is written may wait below for more of it.
        io.flush().await?;
        let mut answer = String::new();
        let read = io.read_line(&mut answer).await?;
        ensure!(read > 0, "the server ended before it had answered");
        print!("{answer}");
    }
    // Says that this was all (close_notify).
    io.shutdown().await?;
    Ok(())
}

fn read(file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read \"{file}\""))
}
