//! Servers of our own, of few words.

use std::sync::Arc;
use std::time::SystemTime;

use ravelin_pki::{Authority, Leaf, NameConstraints, PrivateKey};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A root, a certificate for `localhost`, and what serves it.
pub(crate) struct Made {
    pub(crate) root: Authority,
    pub(crate) leaf: Leaf,
    pub(crate) acceptor: TlsAcceptor,
}

pub(crate) fn made() -> Made {
    let now = SystemTime::now();
    let key = PrivateKey::generate().unwrap();
    let root = Authority::root("root", key, &NameConstraints::local(), now).unwrap();
    let leaf = root.leaf(&["localhost".parse().unwrap()], now).unwrap();
    let config = ServerConfig::builder_with_provider(ravelin_tls::policy::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain.clone(), leaf.key.clone_key())
        .unwrap();
    Made {
        root,
        leaf,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

/// A server that says hello to each connection. Its port.
pub(crate) async fn server(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // Who does not believe us ends the handshake.
            let Ok(mut tls) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = tls.read(&mut request).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            tls.write_all(answer).await.unwrap();
            let _ = tls.shutdown().await;
        }
    });
    port
}
