//! rustls with itself and with Chromium, and with certificates that are compressed (RFC 8879).

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use ravelin_pki::pem;
use ravelin_wire::registry::HandshakeType;
use rustls::compress::{
    CertCompressor, CertDecompressor, CompressionFailed, CompressionLevel, DecompressionFailed,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{
    CertificateCompressionAlgorithm, ClientConfig, ClientConnection, KeyLog, RootCertStore,
    ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

use super::super::{Known, Program, Recorder, Recording, Workshop};
use super::{judge, tell};
use crate::browser::UNATTENDED;
use crate::json::hex;
use crate::rfc8448::octets;

/// By the programs and libraries of others: rustls has the algorithms only where it is built with them.
#[derive(Debug)]
struct Zlib;

impl CertCompressor for Zlib {
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        let mut output = Vec::new();
        let mut encoder = ZlibEncoder::new(&input[..], Compression::best());
        encoder
            .read_to_end(&mut output)
            .map_err(|_| CompressionFailed)?;
        Ok(output)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}

impl CertDecompressor for Zlib {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        let mut decoder = ZlibDecoder::new(input);
        decoder.read_exact(output).map_err(|_| DecompressionFailed)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Zlib
    }
}

#[derive(Debug)]
struct Brotli;

impl CertCompressor for Brotli {
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        let mut brotli = Command::new("brotli")
            .arg("--stdout")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("brotli is installed");
        brotli.stdin.take().unwrap().write_all(&input).unwrap();
        Ok(brotli.wait_with_output().unwrap().stdout)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::Brotli
    }
}

/// What rustls would write to a key log.
#[derive(Debug, Default)]
struct Logged(Mutex<Known>);

impl KeyLog for Logged {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let place = (client_random.to_vec(), label.to_owned());
        let secret = octets(&hex(secret));
        self.0.lock().unwrap().lines.insert(place, secret);
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read(shop: &Workshop, name: &str) -> Vec<u8> {
    std::fs::read(shop.path(name)).unwrap()
}

/// A server with the certificate of the shop.
fn server(shop: &Workshop, compressor: &'static dyn CertCompressor) -> ServerConfig {
    let chain = pem::certificates(&read(shop, "certificate.pem")).unwrap();
    let key: PrivateKeyDer<'static> = pem::private_key(&read(shop, "key.pem")).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.cert_compressors = vec![compressor];
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// A client that believes the certificate of the shop.
fn client(shop: &Workshop, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(&read(shop, "certificate.pem")).unwrap() {
        roots.add(certificate).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npong\n";

/// Answers so many clients, one after the other, with a page.
fn serve(config: ServerConfig, clients: usize) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for _ in 0..clients {
            let (stream, _) = listener.accept().unwrap();
            let tls = ServerConnection::new(config.clone()).unwrap();
            let mut tls = StreamOwned::new(tls, stream);
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                if tls.read(&mut octet).unwrap() == 0 {
                    break;
                }
                request.extend(octet);
            }
            tls.write_all(PAGE).unwrap();
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    address
}

/// A page that a client of rustls fetches, over and over.
fn fetch(server: SocketAddr, mut config: ClientConfig, times: usize) -> Vec<Recording> {
    let logged = Arc::new(Logged::default());
    config.key_log = logged.clone();
    let config = Arc::new(config);
    let recorder = Recorder::start(server, times);
    for _ in 0..times {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(config.clone(), name).unwrap();
        let stream = TcpStream::connect(recorder.address).unwrap();
        let mut tls = StreamOwned::new(tls, stream);
        tls.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        tls.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, PAGE);
        tls.conn.send_close_notify();
        let _ = tls.flush();
    }
    let known = logged.0.lock().unwrap().clone();
    let recording = |passed| Recording {
        passed,
        known: known.clone(),
    };
    recorder.finish().into_iter().map(recording).collect()
}

fn is_compressed(recording: &Recording) {
    let stories = tell(std::slice::from_ref(recording));
    let compressed = HandshakeType::COMPRESSED_CERTIFICATE;
    assert_eq!(stories[0].messages(compressed).count(), 1);
    assert_eq!(stories[0].agreement.server_chain.len(), 1);
}

#[test]
fn tshark_agrees_on_rustls() {
    let shop = Workshop::ecdsa();
    let mut recordings = Vec::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let address = serve(server(&shop, &Zlib), 2);
        recordings.extend(fetch(address, client(&shop, version), 2));
    }
    let mut config = client(&shop, &rustls::version::TLS13);
    config.cert_decompressors = vec![&Zlib];
    let compressed = fetch(serve(server(&shop, &Zlib), 1), config, 1);
    is_compressed(&compressed[0]);
    recordings.extend(compressed);
    judge("rustls", &recordings, 800);
}

#[test]
fn tshark_agrees_on_a_certificate_that_is_compressed_for_chromium() {
    let shop = Workshop::ecdsa();
    let recorder = Recorder::start(serve(server(&shop, &Brotli), 1), 1);
    let log = shop.path("keys");
    let mut chromium = Command::new("chromium");
    chromium.args(UNATTENDED).args([
        "--disable-quic",
        "--ignore-certificate-errors",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]);
    chromium
        .arg(format!(
            "--user-data-dir={}",
            shop.path("profile").display()
        ))
        .arg(format!("https://localhost:{}/", recorder.address.port()))
        .env("SSLKEYLOGFILE", &log);
    let mut chromium = Program::start(&mut chromium);
    let passed = recorder.finish().remove(0);
    chromium.leave();
    let known = Known::read(&log);
    let recording = Recording { passed, known };
    is_compressed(&recording);
    judge("a compressed certificate", &[recording], 200);
}
