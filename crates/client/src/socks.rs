//! The client of SOCKS version 5 (RFC 1928), with user names and passwords (RFC 1929).

use std::net::IpAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::proxy::Proxy;
use crate::stream::BoxedIo;

/// Where a SOCKS proxy is to connect to.
pub(crate) enum Destination<'a> {
    Address(IpAddr),
    Name(&'a str),
}

/// Asks the proxy at the other end of `stream` to connect; in words why it does not.
pub(crate) async fn connect(
    stream: &mut BoxedIo,
    proxy: &Proxy,
    to: Destination<'_>,
    port: u16,
) -> Result<(), String> {
    let methods: &[u8] = match proxy.login {
        Some(_) => &[VERSION, 2, NO_LOGIN, PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    send(stream, methods).await?;
    match receive::<2>(stream).await? {
        [VERSION, NO_LOGIN] => {}
        [VERSION, PASSWORD] => log_in(stream, proxy).await?,
        [VERSION, 0xff] => return Err("it takes none of the ways to log in".to_owned()),
        _ => return Err("what it says is not SOCKS version 5".to_owned()),
    }
    let mut request = vec![VERSION, CONNECT, 0];
    match to {
        Destination::Address(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Destination::Address(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Destination::Name(name) => {
            let length = u8::try_from(name.len()).map_err(|_| "the name is too long")?;
            request.extend([NAME, length]);
            request.extend(name.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    send(stream, &request).await?;
    let [version, reply, _, kind] = receive::<4>(stream).await?;
    if version != VERSION {
        return Err("what it says is not SOCKS version 5".to_owned());
    }
    if reply != 0 {
        return Err(meaning(reply).to_owned());
    }
    // The address that it connects from, which is of no use here.
    let rest = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(receive::<1>(stream).await?[0]),
        _ => return Err("what it says is not SOCKS version 5".to_owned()),
    };
    let mut address = vec![0; rest + 2];
    let read = stream.read_exact(&mut address).await;
    read.map(drop).map_err(|error| error.to_string())
}

async fn log_in(stream: &mut BoxedIo, proxy: &Proxy) -> Result<(), String> {
    let Some((user, password)) = &proxy.login else {
        return Err("it asks for a user and a password".to_owned());
    };
    let mut message = vec![1];
    for text in [user, password] {
        let length = u8::try_from(text.len()).map_err(|_| "the user or password is too long")?;
        message.push(length);
        message.extend(text.as_bytes());
    }
    send(stream, &message).await?;
    match receive::<2>(stream).await? {
        [_, 0] => Ok(()),
        _ => Err("it does not take the user and password".to_owned()),
    }
}

async fn send(stream: &mut BoxedIo, octets: &[u8]) -> Result<(), String> {
    let sent = async {
        stream.write_all(octets).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| error.to_string())
}

async fn receive<const N: usize>(stream: &mut BoxedIo) -> Result<[u8; N], String> {
    let mut octets = [0; N];
    match stream.read_exact(&mut octets).await {
        Ok(_) => Ok(octets),
        Err(error) => Err(error.to_string()),
    }
}

/// RFC 1928, section 6.
fn meaning(reply: u8) -> &'static str {
    match reply {
        2 => "its rules forbid it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the connection was refused",
        6 => "it took too long",
        7 | 8 => "it cannot do that",
        _ => "it failed",
    }
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
