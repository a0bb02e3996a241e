//! Asks a server that wants to know who asks: `mutual_tls URL ROOT.pem CERT.pem KEY.pem`.
#![allow(clippy::print_stdout, reason = "a program may print")]

use ravelin_client::{Client, Error, Identity, Request, Trust};
use ravelin_pki::pem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, root, cert, key] = &arguments[..] else {
        return Err("mutual_tls URL ROOT.pem CERT.pem KEY.pem".into());
    };
    let identity = Identity {
        chain: pem::certificates(&std::fs::read(cert)?)?,
        key: pem::private_key(&std::fs::read(key)?)?,
    };
    let client = Client::builder()
        .trust(Trust::roots(pem::certificates(&std::fs::read(root)?)?))
        .identity(identity)
        .build()?;
    match client.send(Request::get(url)?).await {
        Ok(response) => println!("{}", response.status()),
        // In TLS 1.3 a server sees the client's certificate when the handshake is over.
        Err(error @ Error::TakenBack { .. }) => println!("{error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
