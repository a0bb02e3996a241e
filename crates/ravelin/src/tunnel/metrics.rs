//! Numbers for Prometheus, over plain HTTP: one short answer, so that no server of HTTP is needed.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::serve::listeners;

/// Listens for those who ask.
pub(super) fn open(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let opened = listeners::bind(addresses, 1)?;
    let sockets = opened
        .into_iter()
        .flat_map(ravelin_server::Listener::into_sockets);
    Ok(sockets.collect())
}

/// Answers those who ask, a few at a time.
pub(super) async fn serve(
    listener: TcpListener,
    text: impl Fn() -> String + Clone + Send + 'static,
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
                let text = text.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(PATIENCE, answer(stream, text)).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn answer(mut stream: TcpStream, text: impl Fn() -> String) -> std::io::Result<()> {
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
    let (status, body) = match path.split(|octet| *octet == b'?').next() {
        Some(b"/metrics") if is_get => ("200 OK", text()),
        _ if !is_get => (
            "405 Method Not Allowed",
            "only GET is answered\n".to_owned(),
        ),
        _ => ("404 Not Found", "the numbers are at /metrics\n".to_owned()),
    };
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

const MOST_AT_ONCE: usize = 16;

/// How long asking and being answered may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// After an error of accepting, such as that no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

const LONGEST_HEAD: usize = 8 << 10;
