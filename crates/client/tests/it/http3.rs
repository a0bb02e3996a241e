//! Requests over HTTP/3 that break off.

use std::net::Ipv4Addr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, ReadError, RecvStream, ServerConfig, VarInt};
use ravelin_client::{Body, Client, Request, Trust, Versions};
use rustls::version::TLS13;
use tokio::io::AsyncWriteExt as _;

use crate::servers::{Made, made};

/// quinn as a server, that takes connections and no more.
fn server(made: &Made) -> Endpoint {
    let mut config = rustls::ServerConfig::builder_with_provider(ravelin_tls::policy::provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(made.leaf.chain.clone(), made.leaf.key.clone_key())
        .unwrap();
    config.alpn_protocols = vec![b"h3".to_vec()];
    let config = QuicServerConfig::try_from(config).unwrap();
    let config = ServerConfig::with_crypto(Arc::new(config));
    Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap()
}

/// `H3_REQUEST_CANCELLED` (RFC 9114, section 8.1).
const REQUEST_CANCELLED: u32 = 0x10c;

/// Reads until this has come.
async fn read_until(stream: &mut RecvStream, wanted: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(wanted) {
        let chunk = stream.read_chunk(usize::MAX, true).await.unwrap().unwrap();
        read.extend_from_slice(&chunk.bytes);
    }
}

/// quinn would end the stream as if all had been sent, and nothing says how much a stream has.
#[tokio::test]
async fn a_body_that_breaks_off_does_not_look_whole_to_the_server() {
    let made = made();
    let server = server(&made);
    let port = server.local_addr().unwrap().port();
    let client = Client::builder()
        .trust(Trust::roots([made.root.certificate().der().clone()]))
        .versions(Versions::Http3)
        .build()
        .unwrap();
    let (mut writes, reads) = tokio::io::duplex(64);
    let url = format!("https://localhost:{port}/");
    let request = Request::new(http::Method::POST, &url).unwrap();
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.send(request.body(Body::stream(reads))).await }
    });
    let connection = server.accept().await.unwrap().await.unwrap();
    let (_answer, mut body) = connection.accept_bi().await.unwrap();
    writes.write_all(b"a beginning").await.unwrap();
    read_until(&mut body, b"a beginning").await;
    asking.abort();
    let end = body.read_chunk(usize::MAX, true).await;
    assert_eq!(
        end.unwrap_err(),
        ReadError::Reset(VarInt::from_u32(REQUEST_CANCELLED))
    );
    // The connection itself is there until the client says goodbye.
    assert!(connection.close_reason().is_none());
    client.close().await;
    connection.closed().await;
}
