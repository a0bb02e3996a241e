//! What is known of a connection: who is at the other end, and what TLS agreed on.

use std::net::SocketAddr;

use ravelin_lens::recorder::Recorder;
use ravelin_pki::HostName;
use ravelin_tls::{ServedCertificate, ServerTls};
use rustls::{HandshakeKind, ServerConnection};

/// A connection, as handlers see it. Tower services find an `Arc<Connection>` among the request's
/// extensions.
#[derive(Debug)]
pub struct Connection {
    /// The client's address.
    pub peer: SocketAddr,
    /// Our own address.
    pub local: SocketAddr,
    /// What TLS agreed on; `None` on a plain HTTP listener.
    pub tls: Option<TlsFacts>,
}

/// What a TLS handshake agreed on.
#[derive(Debug)]
pub struct TlsFacts {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite's IANA name.
    pub suite: &'static str,
    /// The key exchange group's IANA name; none where a TLS 1.2 resumption had none.
    pub group: Option<&'static str>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The server name that the client asked for (RFC 6066, section 3), in lower case.
    pub server_name: Option<String>,
    /// The certificate that the client was shown; none where there was none to show, which ends a handshake.
    pub certificate: Option<ServedCertificate>,
    /// The connection as it was on the wire, with its secrets, where it is recorded: where
    /// [`ServerTls::is_witnessed`].
    pub recorder: Option<Recorder>,
}

impl Connection {
    pub(crate) fn tls(
        peer: SocketAddr,
        local: SocketAddr,
        connection: &ServerConnection,
        recorder: Option<Recorder>,
        tls: &ServerTls,
    ) -> Self {
        let server_name = connection.server_name().map(str::to_owned);
        let facts = TlsFacts {
            version: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            suite: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map_or("", iana_suite_name),
            group: connection
                .negotiated_key_exchange_group()
                .and_then(|group| group.name().as_str()),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            certificate: tls
                .certificates()
                .find(server_name.as_deref(), local.ip())
                .cloned(),
            server_name,
            recorder,
        };
        Self {
            peer,
            local,
            tls: Some(facts),
        }
    }

    /// Whether this connection may carry requests for `host`: the client asked for that name, or
    /// was shown a certificate that covers it (RFC 9110, section 7.4; RFC 9113, section 9.1.1).
    #[must_use]
    pub fn may_speak_for(&self, host: &HostName) -> bool {
        match &self.tls {
            None => true,
            Some(tls) => {
                let certificate = tls.certificate.as_ref();
                certificate.is_some_and(|certificate| certificate.covers(host))
            }
        }
    }
}

/// rustls calls TLS 1.3 suites `TLS13_AES_128_GCM_SHA256`; the registry has no `13`.
fn iana_suite_name(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}
