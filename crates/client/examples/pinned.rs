//! Asks a server that is known by its key alone: `pinned URL PIN`, the pin as 64 hexadecimal digits.
#![allow(clippy::print_stdout, reason = "a program may print")]

use ravelin_client::{Client, Request, Trust};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(pin)) = (arguments.next(), arguments.next()) else {
        return Err("pinned URL PIN".into());
    };
    let trust = Trust::pins_alone().pinned([pin.parse()?]);
    let client = Client::builder().trust(trust).build()?;
    let response = client.send(Request::get(&url)?).await?;
    println!("{}", response.status());
    Ok(())
}
