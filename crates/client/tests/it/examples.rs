//! The programs in `examples/`, against a server of our own.

use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use ravelin_pki::{Authority, NameConstraints, PrivateKey};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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

#[tokio::test]
async fn examples_ask_a_server_that_a_root_or_a_pin_vouches_for() {
    let now = SystemTime::now();
    let key = PrivateKey::generate().unwrap();
    let root = Authority::root("root", key, &NameConstraints::local(), now).unwrap();
    let leaf = root.leaf(&["localhost".parse().unwrap()], now).unwrap();
    let key: PrivateKeyDer<'static> = leaf.key.clone_key();
    let config = ServerConfig::builder_with_provider(ravelin_tls::policy::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain.clone(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // Who does not believe us ends the handshake.
            let Ok(mut tls) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut request = [0; 4096];
            tls.read(&mut request).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            tls.write_all(answer).await.unwrap();
            let _ = tls.shutdown().await;
        }
    });
    let file = std::env::temp_dir().join(format!("ravelin-client-{}.pem", std::process::id()));
    std::fs::write(&file, root.certificate().to_pem()).unwrap();
    let (well, said) = example("get", &[&url, file.to_str().unwrap()]).await;
    assert!(well && said == "200 OK over HTTP/1.1\nhello\n", "{said}");
    std::fs::write(&file, leaf.certificate().to_pem()).unwrap();
    let (well, said) = example(
        "get",
        &[
            &url.replace("localhost", "127.0.0.1"),
            file.to_str().unwrap(),
        ],
    )
    .await;
    std::fs::remove_file(&file).unwrap();
    assert!(
        well && said.starts_with("127.0.0.1 is not believed: no path to a root holds"),
        "{said}"
    );

    let pin = leaf.certificate().public_key().fingerprint().to_string();
    let (well, said) = example("pinned", &[&url, &pin]).await;
    assert!(well && said == "200 OK\n", "{said}");
    let (well, said) = example("pinned", &[&url, &"0".repeat(64)]).await;
    assert!(!well, "{said}");
}
