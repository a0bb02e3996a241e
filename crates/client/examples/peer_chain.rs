//! Shows what TLS agreed on and the chain that the server showed, whoever it is: `peer_chain URL`.
//!
//! Nothing that an impostor must not read may go over such a connection: this asks by HEAD, and says nothing more.
#![allow(clippy::print_stdout, reason = "a program may print")]

use http::Method;
use ravelin_client::{Client, Request, Trust};
use ravelin_pki::Certificate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("peer_chain URL")?;
    let client = Client::builder()
        .trust(Trust::everyone())
        .redirects(0)
        .build()?;
    let response = client.send(Request::new(Method::HEAD, &url)?).await?;
    let tls = response.hops()[0]
        .tls
        .as_ref()
        .ok_or("that is plain HTTP")?;
    println!("{} {}", tls.version, tls.suite);
    for der in &tls.chain {
        let certificate = Certificate::from_der(der)?;
        println!("{} <- {}", certificate.title(), certificate.issuer());
    }
    Ok(())
}
