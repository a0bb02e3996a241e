//! A client that sends whatever it is told to over TLS, and reads responses strictly. It can do what
//! no decent client does; what decent ones do, [`crate::foreign`] has.

pub(crate) mod http2;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use crate::server::Server;

pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

/// An HTTP/1.1 connection.
pub(crate) struct Client {
    pub(crate) tls: Tls,
    /// Received and not looked at yet.
    buffer: Vec<u8>,
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Response {
    /// `HTTP/1.1` or `HTTP/2`.
    pub(crate) version: String,
    pub(crate) status: u16,
    /// In the order in which they came, names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        Self::connect_as(server, "localhost")
    }

    /// Names `host` in the handshake.
    pub(crate) fn connect_as(server: &Server, host: &'static str) -> Self {
        Self::over(server.tcp(), host).unwrap()
    }

    /// Shakes hands over `tcp`.
    pub(crate) fn over(tcp: TcpStream, host: &'static str) -> io::Result<Self> {
        Ok(Self {
            tls: handshake(tcp, host, b"http/1.1")?,
            buffer: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.tls.write_all(bytes.as_ref())?;
        self.tls.flush()
    }

    /// Asks for `path` as a decent client does.
    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.response()
    }

    /// Sends `request` and reads its response.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Response {
        self.send(request);
        self.response()
    }

    /// The next response, which has to come.
    pub(crate) fn response(&mut self) -> Response {
        self.try_response()
            .unwrap()
            .expect("the connection ended without a response")
    }

    /// The next response; `None` where the connection has ended.
    pub(crate) fn try_response(&mut self) -> io::Result<Option<Response>> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end;
            }
            if !self.fill()? {
                return match &self.buffer[..] {
                    [] => Ok(None),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        };
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        self.buffer.drain(..end + 4);
        let mut response = Response::of(&head);
        assert_eq!(response.version, "HTTP/1.1");
        let status = response.status;
        if status >= 200 && status != 204 && status != 304 {
            response.body = match response.field("content-length") {
                Some(length) => self.take(length.parse().unwrap())?,
                None => self.chunks()?,
            };
        }
        Ok(Some(response))
    }

    /// Checks that the server ends the connection, without another byte of plaintext.
    pub(crate) fn assert_closed(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "");
    }

    /// Whatever still comes, up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if is_cut(&error) => break,
                Err(error) => panic!("the connection stays open: {error}"),
            }
        }
        std::mem::take(&mut self.buffer)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match self.buffer.windows(2).position(|end| end == b"\r\n") {
                    Some(end) => break self.take(end + 2)?,
                    None if self.fill()? => {}
                    None => return Err(io::ErrorKind::UnexpectedEof.into()),
                }
            };
            let size = std::str::from_utf8(&line[..line.len() - 2]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.take(size + 2)?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn take(&mut self, n: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < n {
            if !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.buffer.split_off(n);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let n = read(&mut self.tls, &mut piece)?;
        self.buffer.extend_from_slice(&piece[..n]);
        Ok(n > 0)
    }
}

impl Response {
    /// A response without its body, from its header, of which every line has to be whole.
    pub(crate) fn of(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap();
        let (version, rest) = status_line.split_once(' ').expect("a status line");
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a field");
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self {
            version: version.to_owned(),
            status: rest[..3].parse().unwrap(),
            fields: fields.collect(),
            body: Vec::new(),
        }
    }

    /// The only field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} comes twice: {self:?}");
        value
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

/// Shakes hands over `tcp`, naming `host` and offering `alpn`.
pub(crate) fn handshake(tcp: TcpStream, host: &'static str, alpn: &[u8]) -> io::Result<Tls> {
    let name = ServerName::try_from(host).unwrap();
    let connection = ClientConnection::new(config(alpn), name).unwrap();
    let mut tls = StreamOwned::new(connection, tcp);
    tls.flush()?;
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    assert_eq!(tls.conn.alpn_protocol(), Some(alpn));
    Ok(tls)
}

/// Reads plaintext, and only reads: `StreamOwned` would first try to send what the server would not
/// take, and not see the answer for the error.
pub(crate) fn read(tls: &mut Tls, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match tls.conn.reader().read(piece) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
        tls.conn.read_tls(&mut tls.sock)?;
        tls.conn
            .process_new_packets()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    }
}

/// Whether `error` says that the other side has cut the connection.
pub(crate) fn is_cut(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionAborted
    )
}

fn config(alpn: &[u8]) -> Arc<ClientConfig> {
    static CONFIGS: [OnceLock<Arc<ClientConfig>>; 2] = [OnceLock::new(), OnceLock::new()];
    CONFIGS[usize::from(alpn == b"h2")]
        .get_or_init(|| {
            // One cheap group: thousands of connections are made in some tests.
            let provider = Arc::new(CryptoProvider {
                kx_groups: vec![aws_lc_rs::kx_group::X25519],
                ..aws_lc_rs::default_provider()
            });
            let mut config = ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Trusting(provider)))
                .with_no_client_auth();
            config.alpn_protocols = vec![alpn.to_vec()];
            Arc::new(config)
        })
        .clone()
}

/// Believes any certificate: who the server is is not what these tests are about.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
