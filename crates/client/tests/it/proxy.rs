//! Proxies over TLS, against servers of our own.

use ravelin_client::{Client, Error, Proxies, Request, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::servers::{Made, made, server};

/// The proxy is spoken to over TLS, and TLS with the server goes through that; the pin is the server's alone.
#[tokio::test]
async fn a_proxy_over_tls_is_verified_too_and_sees_nothing() {
    let (near, far) = (made(), made());
    let port = server(far.acceptor.clone()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let acceptor = near.acceptor.clone();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let Ok(mut tls) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut asked = [0; 4096];
            let read = tls.read(&mut asked).await.unwrap();
            assert!(asked[..read].starts_with(b"CONNECT localhost:"));
            tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut to = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut tls, &mut to).await;
        }
    });
    let url = format!("https://localhost:{port}/");
    let ask = |trust: Trust| {
        let proxies = Proxies::all(proxy.parse().unwrap());
        let client = Client::builder()
            .trust(trust)
            .proxies(proxies)
            .build()
            .unwrap();
        let request = Request::get(&url).unwrap();
        async move { client.send(request).await?.bytes(100).await }
    };
    let root = |made: &Made| made.root.certificate().der().clone();
    let pin = far.leaf.certificate().public_key().fingerprint();
    let both = Trust::roots([root(&near), root(&far)]).pinned([pin]);
    assert_eq!(ask(both).await.unwrap(), "hello");
    let server_alone = ask(Trust::roots([root(&far)])).await;
    assert!(
        matches!(server_alone, Err(Error::Refused { .. })),
        "{server_alone:?}"
    );
}
