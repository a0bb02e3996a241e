//! The two ends of a connection, in memory.

use std::error::Error;
use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::Resumption;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

/// What a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// TLS 1.3, a full handshake.
    Tls13,
    /// TLS 1.3, resumed by a ticket.
    Resumed,
    /// TLS 1.2, a full handshake.
    Tls12,
}

/// Octets that one side sent at once: whether it was the client, and they.
pub(crate) type Flight = (bool, Vec<u8>);

/// What makes connections.
pub(crate) struct Ends<W> {
    log: Arc<Log<W>>,
    root: String,
    server: Arc<ServerConfig>,
    full13: Arc<ClientConfig>,
    resuming: Arc<ClientConfig>,
    full12: Arc<ClientConfig>,
}

/// Writes what rustls says of its secrets, as an SSLKEYLOGFILE.
struct Log<W>(Mutex<W>);

impl<W> fmt::Debug for Log<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

impl<W: Write + Send> KeyLog for Log<W> {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if let Ok(mut out) = self.0.lock() {
            // A full disk shows when the writer is flushed.
            let _ = writeln!(out, "{label} {} {}", hex(client_random), hex(secret));
        }
    }
}

fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        text.push(char::from(DIGITS[usize::from(octet >> 4)]));
        text.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
    text
}

impl<W: Write + Send + 'static> Ends<W> {
    pub(crate) fn new(keylog: W) -> Result<Self, Box<dyn Error>> {
        let log = Arc::new(Log(Mutex::new(keylog)));
        let root_key = KeyPair::generate()?;
        let mut root = CertificateParams::new(Vec::new())?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key)?;
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(vec!["bench.test".to_owned()])?;
        let chain = vec![
            leaf.signed_by(&key, &issuer)?.der().clone(),
            root_certificate.der().clone(),
        ];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        server.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        server.send_tls13_tickets = 1;

        let mut roots = RootCertStore::empty();
        roots.add(root_certificate.der().clone())?;
        let roots = Arc::new(roots);
        let client = |version: &'static SupportedProtocolVersion, resumption| {
            let mut config = ClientConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[version])?
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.key_log = log.clone();
            config.resumption = resumption;
            Ok::<_, rustls::Error>(Arc::new(config))
        };
        let ends = Self {
            server: Arc::new(server),
            full13: client(&TLS13, Resumption::disabled())?,
            resuming: client(&TLS13, Resumption::in_memory_sessions(8))?,
            full12: client(&TLS12, Resumption::disabled())?,
            log: log.clone(),
            root: root_certificate.pem(),
        };
        // The first of those that resume has nothing to resume.
        ends.connect(&ends.resuming, b"")?;
        Ok(ends)
    }

    /// The root of the servers' certificates, in PEM.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// A connection of this kind, in which the server sends `response`.
    pub(crate) fn talk(
        &mut self,
        kind: Kind,
        response: &[u8],
    ) -> Result<Vec<Flight>, Box<dyn Error>> {
        let config = match kind {
            Kind::Tls13 => &self.full13,
            Kind::Resumed => &self.resuming,
            Kind::Tls12 => &self.full12,
        };
        self.connect(config, response)
    }

    fn connect(
        &self,
        config: &Arc<ClientConfig>,
        response: &[u8],
    ) -> Result<Vec<Flight>, Box<dyn Error>> {
        const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n";
        let name = ServerName::try_from("bench.test")?;
        let mut client = ClientConnection::new(config.clone(), name)?;
        let mut server = ServerConnection::new(self.server.clone())?;
        server.set_buffer_limit(None);
        let mut flights = Vec::new();
        let mut answered = false;
        client.writer().write_all(REQUEST)?;
        loop {
            let mut sent = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut sent)?;
            }
            let said = !sent.is_empty();
            deliver(&sent, |octets| {
                server.read_tls(octets)?;
                server.process_new_packets()?;
                Ok(())
            })?;
            flights.extend(said.then_some((true, sent)));
            let mut request = [0; 256];
            if !answered && server.reader().read(&mut request).is_ok_and(|n| n > 0) {
                answered = true;
                server.writer().write_all(response)?;
                server.send_close_notify();
            }
            let mut sent = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut sent)?;
            }
            let heard = !sent.is_empty();
            let mut received = vec![0; 1 << 14];
            deliver(&sent, |octets| {
                client.read_tls(octets)?;
                client.process_new_packets()?;
                // What the buffer of the client holds would stop it from reading.
                while client.reader().read(&mut received).is_ok_and(|n| n > 0) {}
                Ok(())
            })?;
            flights.extend(heard.then_some((false, sent)));
            if !said && !heard {
                return Ok(flights);
            }
        }
    }

    /// Writes what is left of the key log.
    pub(crate) fn finish(self) -> std::io::Result<()> {
        self.log.0.lock().map_or(Ok(()), |mut out| out.flush())
    }
}

fn deliver(
    mut octets: &[u8],
    mut take: impl FnMut(&mut &[u8]) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    while !octets.is_empty() {
        take(&mut octets)?;
    }
    Ok(())
}
