//! Short answers over plain HTTP, one a connection: numbers for Prometheus, and what ACME servers look for. Too little
//! to need a server of HTTP for.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use ravelin_server::Listener;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::serve::listeners;

/// What is answered to a GET.
pub(crate) struct Answer {
    pub(crate) is_found: bool,
    pub(crate) media_type: &'static str,
    pub(crate) body: String,
}

/// Listens for those who ask.
pub(crate) fn open(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let mut opened = Vec::new();
    for address in addresses {
        match Listener::bind(*address, 1) {
            Ok(listener) => opened.extend(listener.into_sockets()),
            Err(error) if listeners::passes_over(&error) => {}
            Err(error) => return Err(listeners::refused_elsewhere(&error, "", "listen on ")),
        }
    }
    Ok(opened)
}

/// Answers those who ask, a few at a time, by the path that they ask for.
pub(crate) async fn serve(
    listener: TcpListener,
    answer: impl Fn(&str) -> Answer + Clone + Send + 'static,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
    loop {
        // Never closed.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(PATIENCE, exchange(stream, answer)).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn exchange(mut stream: TcpStream, answer: impl Fn(&str) -> Answer) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).await?;
        if read == 0 || head.len() > LONGEST_HEAD {
            return Ok(());
        }
        head.extend_from_slice(&some[..read]);
    }
    let mut words = head.split(|octet| *octet == b' ' || *octet == b'\r');
    let is_get = words.next() == Some(b"GET");
    let path = words.next().unwrap_or_default();
    let path = path.split(|octet| *octet == b'?').next();
    let path = path.and_then(|path| std::str::from_utf8(path).ok());
    let (status, answer) = match path.filter(|_| is_get).map(answer) {
        Some(answer) if answer.is_found => ("200 OK", answer),
        Some(answer) => ("404 Not Found", answer),
        None => (
            "405 Method Not Allowed",
            Answer::text(false, "only GET is answered\n".to_owned()),
        ),
    };
    let Answer {
        media_type, body, ..
    } = answer;
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

impl Answer {
    pub(crate) fn text(is_found: bool, body: String) -> Self {
        Self {
            is_found,
            media_type: "text/plain; charset=utf-8",
            body,
        }
    }
}

/// Everybody may come to port 80, and whoever holds all places for [`PATIENCE`] keeps a CA out.
const MOST_AT_ONCE: usize = 256;

/// How long asking and being answered may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// After an error of accepting, such as that no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

const LONGEST_HEAD: usize = 8 << 10;
