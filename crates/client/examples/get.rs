//! Asks a server that a root of one's own vouches for: `get URL ROOT.pem`.
#![allow(clippy::print_stdout, reason = "a program may print")]

use ravelin_client::{Client, Error, Request, Trust};
use ravelin_pki::pem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(root)) = (arguments.next(), arguments.next()) else {
        return Err("get URL ROOT.pem".into());
    };
    let roots = pem::certificates(&std::fs::read(root)?)?;
    let client = Client::builder().trust(Trust::roots(roots)).build()?;
    match client.send(Request::get(&url)?).await {
        Ok(mut response) => {
            println!(
                "{} over {:?}",
                response.status(),
                response.hops()[0].version
            );
            let body = response.bytes(1 << 20).await?;
            println!("{}", String::from_utf8_lossy(&body).trim_end());
        }
        Err(Error::Refused { host, refused }) => {
            println!("{host} is not believed: {}", refused.why);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
