//! An HTTPS GET: with the roots of the system, with a CA of one's own, or with nobody looking who the server is.
//!
//!     cargo run -p ravelin-client --example https_get -- https://example.org/ [--ca ROOT.pem | --insecure]
//!
//! In Python: `examples/python/https_get.py`, with `requests.get(url, verify=…)`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

use anyhow::{Context as _, Result, bail};
use ravelin_certs::trust::{TrustEnvironment, system};
use ravelin_client::{Client, Error, Request, Trust};
use ravelin_pki::pem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (url, trust) = match arguments[..] {
        [url] => (url, system_trust()?),
        [url, "--ca", file] => {
            let file = std::fs::read(file).with_context(|| format!("cannot read \"{file}\""))?;
            (url, Trust::roots(pem::certificates(&file)?))
        }
        // Whoever is on the way reads and changes all of it. A CA of one's own is a line more.
        [url, "--insecure"] => (url, Trust::everyone()),
        _ => bail!("usage: https_get URL [--ca ROOT.pem | --insecure]"),
    };
    let client = Client::builder().trust(trust).build()?;
    let mut response = match client.send(Request::get(url)?).await {
        Ok(response) => response,
        Err(Error::Refused { host, refused }) => {
            // Nothing was sent. What the server showed can be looked at: see "peer_chain".
            bail!("{host} is not believed: {}", refused.why);
        }
        Err(error) => return Err(error.into()),
    };
    eprintln!("{}", response.status());
    let body = response.bytes(16 << 20).await?;
    print!("{}", String::from_utf8_lossy(&body));
    Ok(())
}

fn system_trust() -> Result<Trust> {
    let environment = TrustEnvironment::of_this_machine(|name| std::env::var_os(name));
    let (_, roots) = system::roots(&environment).context("this system has no known roots")?;
    Ok(Trust::roots(roots))
}
