//! The programs in `examples/`, and proxies over TLS, against servers of our own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_client::{Client, Error, Proxies, Request, Trust};
use ravelin_pki::authority::leaf_template;
use ravelin_pki::{Authority, Leaf, NameConstraints, PrivateKey, Purpose};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Cargo builds them beside the tests.
async fn example(name: &str, arguments: &[&str]) -> (bool, String) {
    let tests = std::env::current_exe().unwrap();
    let built: PathBuf = tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples")
        .join(name);
    let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    let run = move || Command::new(built).args(arguments).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// A root, a certificate for `localhost`, and what serves it.
struct Made {
    root: Authority,
    leaf: Leaf,
    acceptor: TlsAcceptor,
}

fn made() -> Made {
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
async fn server(acceptor: TlsAcceptor) -> u16 {
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

#[tokio::test]
async fn examples_ask_a_server_that_a_root_or_a_pin_vouches_for() {
    let made = made();
    let url = format!("https://localhost:{}/", server(made.acceptor.clone()).await);
    let file = std::env::temp_dir().join(format!("ravelin-client-{}.pem", std::process::id()));
    let path = file.to_str().unwrap();
    std::fs::write(&file, made.root.certificate().to_pem()).unwrap();
    let (well, said) = example("get", &[&url, path]).await;
    assert!(well && said == "200 OK over HTTP/1.1\nhello\n", "{said}");
    let other_name = url.replace("localhost", "127.0.0.1");
    let (well, said) = example("get", &[&other_name, path]).await;
    std::fs::remove_file(&file).unwrap();
    let told = "127.0.0.1 is not believed: no path to a root holds";
    assert!(well && said.starts_with(told), "{said}");

    let pin = made.leaf.certificate().public_key().fingerprint();
    let (well, said) = example("pinned", &[&url, &pin.to_string()]).await;
    assert!(well && said == "200 OK\n", "{said}");
    let (well, said) = example("pinned", &[&url, &"0".repeat(64)]).await;
    assert!(!well, "{said}");
}

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

#[tokio::test]
async fn examples_show_a_certificate_of_their_own_and_the_chain_of_the_other() {
    let made = made();
    let mut roots = RootCertStore::empty();
    roots.add(made.root.certificate().der().clone()).unwrap();
    let provider = ravelin_tls::policy::provider();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(made.leaf.chain.clone(), made.leaf.key.clone_key())
        .unwrap();
    let guarded = server(TlsAcceptor::from(Arc::new(config))).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let root = write("root.pem", made.root.certificate().to_pem());
    let names = ["localhost".parse().unwrap()];
    let template = leaf_template(&names).for_purposes(&[Purpose::Client]);
    let client = made.root.leaf_of(&template, SystemTime::now()).unwrap();
    let cert = write("cert.pem", client.chain_pem());
    let key = write("key.pem", client.key_pem());
    let url = format!("https://localhost:{guarded}/");
    let (well, said) = example("mutual_tls", &[&url, &root, &cert, &key]).await;
    assert!(well && said == "200 OK\n", "{said}");
    let (_, said) = example("get", &[&url, &root]).await;
    assert!(said.contains("TakenBack"), "{said}");

    let url = format!("https://localhost:{}/", server(made.acceptor.clone()).await);
    let (well, said) = example("peer_chain", &[&url]).await;
    let told = "TLS 1.3 TLS13_AES_128_GCM_SHA256\nlocalhost <- ";
    assert!(
        well && said.starts_with(told) && said.ends_with("CN=root\n"),
        "{said}"
    );
}
