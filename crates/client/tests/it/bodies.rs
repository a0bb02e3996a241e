//! Connections and bodies: kept, shared, given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use ravelin_client::{Body, Client, Error, Request, Versions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that answers each request on a connection with `hello`, after so long, and counts connections.
async fn server(after: Duration) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while tcp.read(&mut request).await.is_ok_and(|read| read > 0) {
                    tokio::time::sleep(after).await;
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
                    tcp.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (url, connections)
}

#[tokio::test]
async fn connections_are_used_again_when_their_body_is_over_and_not_before() {
    let (url, connections) = server(Duration::ZERO).await;
    let client = Client::builder().build().unwrap();
    for _ in 0..3 {
        let mut response = client.send(Request::get(&url).unwrap()).await.unwrap();
        assert_eq!(response.bytes(5).await.unwrap(), "hello");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    let _held = client.send(Request::get(&url).unwrap()).await.unwrap();
    let mut other = client.send(Request::get(&url).unwrap()).await.unwrap();
    assert_eq!(connections.load(Ordering::Relaxed), 2);
    let too_long = other.bytes(4).await;
    assert!(matches!(too_long, Err(Error::TooLong(4))), "{too_long:?}");
}

/// So many requests at once; how many connections it took.
async fn connections_of(requests: usize, after: Duration) -> usize {
    let (url, connections) = server(after).await;
    let client = Client::builder().build().unwrap();
    let asking = (0..requests).map(|_| {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move {
            let mut response = client.send(Request::get(&url).unwrap()).await.unwrap();
            assert_eq!(response.bytes(5).await.unwrap(), "hello");
        })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap();
    }
    connections.load(Ordering::Relaxed)
}

#[tokio::test]
async fn connections_are_as_many_as_the_answers_are_slow() {
    let quick = connections_of(64, Duration::ZERO).await;
    assert!(quick < 64, "{quick}");
    let slow = connections_of(12, Duration::from_millis(300)).await;
    assert!(slow > 6, "{slow}");
}

#[tokio::test]
async fn a_connection_that_ended_while_nobody_used_it_is_no_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = tcp.read(&mut request).await.unwrap();
            // Without a word that it ends.
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            tcp.write_all(answer).await.unwrap();
        }
    });
    let client = Client::builder().build().unwrap();
    for _ in 0..4 {
        let mut response = client.send(Request::get(&url).unwrap()).await.unwrap();
        assert_eq!(response.bytes(5).await.unwrap(), "ok");
    }
}

/// HTTP/2 without TLS, as somebody who knows: one connection for requests at the same time.
#[tokio::test]
async fn requests_of_http2_share_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let service = hyper::service::service_fn(
                async |request: http::Request<hyper::body::Incoming>| {
                    use http_body_util::BodyExt as _;
                    let body = request.into_body().collect().await?.to_bytes();
                    Ok::<_, hyper::Error>(http::Response::new(http_body_util::Full::new(body)))
                },
            );
            let io = hyper_util::rt::TokioIo::new(tcp);
            let executor = hyper_util::rt::TokioExecutor::new();
            let server = hyper::server::conn::http2::Builder::new(executor);
            tokio::spawn(async move { server.serve_connection(io, service).await.ok() });
        }
    });
    let client = Client::builder().versions(Versions::Http2).build().unwrap();
    let ask = |body: String| {
        let client = client.clone();
        let request = Request::new(Method::POST, &url)
            .unwrap()
            .body(Body::from(body));
        async move {
            client
                .send(request)
                .await
                .unwrap()
                .bytes(100_000)
                .await
                .unwrap()
        }
    };
    assert_eq!(ask("first".to_owned()).await, "first");
    let asked: Vec<_> = (0..8)
        .map(|number| tokio::spawn(ask(format!("{number}").repeat(70_000))))
        .collect();
    for (number, asked) in asked.into_iter().enumerate() {
        assert_eq!(asked.await.unwrap(), format!("{number}").repeat(70_000));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}
