//! From an accepted socket to an established TLS connection.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::ready;
use std::time::Duration;

use ravelin_lens::ledger::Side;
use ravelin_lens::recorder::Recorder;
use ravelin_tls::ServerTls;
use rustls::server::{Accepted, Acceptor};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::error_page;
use crate::stream::Stream;

/// The first byte of every TLS connection: a handshake record (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// How much of a plain request is looked at for its host and target.
const PLAIN_REQUEST: usize = 4096;

/// How long, and for how many bytes, a client that was refused may go on sending before the socket
/// is closed for good: closing it earlier would reset the connection, and what we said with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// How much of a connection is recorded, where a route shows clients their own: a handshake with long
/// chains on both sides, and the first requests.
const RECORDED: usize = 64 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// The socket failed or ended.
    #[error("the connection ended during the handshake")]
    Io(#[from] io::Error),
    /// The client took too long.
    #[error("the handshake took too long")]
    TooSlow(#[from] tokio::time::error::Elapsed),
    /// The client did not speak TLS as it must; it was told by an alert.
    #[error("the client's handshake was refused")]
    Tls(#[from] rustls::Error),
    /// The client spoke plain HTTP; it was told where HTTPS is, in so many bytes.
    #[error("the client spoke plain HTTP")]
    PlainHttp { request: Vec<u8>, bytes: usize },
}

/// Reads the client's hello, chooses its configuration and shakes hands, all within `limit`.
pub(crate) async fn accept(
    mut tcp: TcpStream,
    tls: &ServerTls,
    limit: Duration,
) -> Result<(Stream, Option<Recorder>), HandshakeError> {
    let over = Instant::now() + limit;
    let recorder = tls.is_witnessed().then(|| Recorder::new(RECORDED));
    let hello = read_hello(&mut tcp, recorder.as_ref());
    let accepted = match timeout_at(over, hello).await?? {
        Hello::Tls(accepted) => accepted,
        Hello::PlainHttp(mut request) => {
            // What has come by then is answered.
            let _ = timeout_at(over, read_plain_http(&mut tcp, &mut request)).await;
            let bytes = answer_plain_http(&mut tcp, &request).await;
            return Err(HandshakeError::PlainHttp { request, bytes });
        }
    };
    let config = tls.for_client(&accepted.client_hello(), tcp.local_addr()?.ip());
    let connection = match &recorder {
        Some(recorder) => recorder.scope(|| accepted.into_connection(config)),
        None => accepted.into_connection(config),
    };
    let connection = match connection {
        Ok(connection) => connection,
        Err((error, mut alert)) => return Err(refuse(&mut tcp, error, &mut alert).await),
    };
    let mut stream = Stream::tls(tcp, connection, recorder.clone());
    timeout_at(over, poll_fn(|cx| stream.poll_handshake(cx))).await??;
    Ok((stream, recorder))
}

/// What a connection begins with.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for a moment, on the stack"
)]
enum Hello {
    Tls(Accepted),
    /// The beginning of a request.
    PlainHttp(Vec<u8>),
}

async fn read_hello(
    tcp: &mut TcpStream,
    recorder: Option<&Recorder>,
) -> Result<Hello, HandshakeError> {
    let mut acceptor = Acceptor::default();
    let mut buffer = [0; 4096];
    let mut first = true;
    loop {
        let n = poll_fn(|cx| {
            let mut buffer = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut *tcp).poll_read(cx, &mut buffer))?;
            std::task::Poll::Ready(Ok::<_, io::Error>(buffer.filled().len()))
        })
        .await?;
        if n == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if first && buffer[0] != HANDSHAKE_RECORD && buffer[0].is_ascii_uppercase() {
            return Ok(Hello::PlainHttp(buffer[..n].to_vec()));
        }
        first = false;
        if let Some(recorder) = recorder {
            recorder.sent(Side::Client, &buffer[..n]);
        }
        let mut received = &buffer[..n];
        while !received.is_empty() {
            acceptor.read_tls(&mut received)?;
            match acceptor.accept() {
                // A client sends nothing behind its hello before it has our answer, but for early
                // data, which is not offered: `received` is empty here.
                Ok(Some(accepted)) => return Ok(Hello::Tls(accepted)),
                Ok(None) => {}
                Err((error, mut alert)) => return Err(refuse(tcp, error, &mut alert).await),
            }
        }
    }
}

/// Sends the alert that says why the handshake ends.
async fn refuse(
    tcp: &mut TcpStream,
    error: rustls::Error,
    alert: &mut rustls::server::AcceptedAlert,
) -> HandshakeError {
    let mut bytes = Vec::new();
    if alert.write_all(&mut bytes).is_ok() && !bytes.is_empty() {
        say_last(tcp, &bytes).await;
    }
    error.into()
}

/// Reads the rest of a plain request's header block.
async fn read_plain_http(tcp: &mut TcpStream, request: &mut Vec<u8>) {
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < PLAIN_REQUEST {
        match tcp.read(&mut buffer).await {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => break,
        }
    }
}

/// Tells a client that speaks plain HTTP to the HTTPS port where to go; returns in how many bytes.
async fn answer_plain_http(tcp: &mut TcpStream, request: &[u8]) -> usize {
    let detail = match https_link(request) {
        Some(link) => format!("this port speaks HTTPS: use {link}"),
        None => "this port speaks HTTPS: use an https:// address".to_owned(),
    };
    let status = http::StatusCode::BAD_REQUEST;
    // Browsers get a page with a link to follow.
    let accept = field(request, "accept").and_then(|value| http::HeaderValue::from_str(value).ok());
    let (content_type, body) = error_page::body(status, accept.as_ref(), Some(&detail));
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content_type.to_str().unwrap_or("text/plain"),
        body.len()
    );
    say_last(tcp, &[head.as_bytes(), &body].concat()).await;
    body.len()
}

/// Sends the last that there is to say, and overhears what the client still sends.
async fn say_last(tcp: &mut TcpStream, bytes: &[u8]) {
    let saying = async {
        tcp.write_all(bytes).await?;
        tcp.shutdown().await?;
        let mut left = LINGER_BYTES;
        let mut buffer = [0; 4096];
        loop {
            match tcp.read(&mut buffer).await? {
                0 => return Ok::<_, io::Error>(()),
                n if n > left => return Ok(()),
                n => left -= n,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, saying).await;
}

/// The address that the client wanted, with `https://` before it, from a plain request's text.
/// Only characters that cannot mean anything but themselves in a page or a terminal.
pub(crate) fn https_link(request: &[u8]) -> Option<String> {
    let target = std::str::from_utf8(request)
        .ok()?
        .split("\r\n")
        .next()?
        .split(' ')
        .nth(1)?;
    let host = field(request, "host")?;
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?%=&+,;@[]".contains(&b))
    };
    (target.starts_with('/') && plain(target) && plain(host) && !host.is_empty())
        .then(|| format!("https://{host}{target}"))
}

/// The first field of that name in a plain request's text.
fn field<'r>(request: &'r [u8], wanted: &str) -> Option<&'r str> {
    std::str::from_utf8(request)
        .ok()?
        .split("\r\n")
        .skip(1)
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then_some(value.trim())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_repeats_only_harmless_text() {
        let link = |request: &str| https_link(request.as_bytes());
        assert_eq!(
            link("GET /a?b=c HTTP/1.1\r\nhost: x.test:8443\r\n\r\n").as_deref(),
            Some("https://x.test:8443/a?b=c")
        );
        assert_eq!(link("GET /<script> HTTP/1.1\r\nHost: a\r\n\r\n"), None);
        assert_eq!(link("GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n"), None);
        assert_eq!(link("GET / HTTP/1.1\r\n\r\n"), None);
    }
}
