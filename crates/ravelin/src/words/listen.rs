//! What `ravelin listen` says.

use std::io;
use std::net::SocketAddr;

use ravelin_pki::Certificate;
use rustls::ServerConnection;

use super::show::clean;
use super::{DIM, tell, warn, without_codes};
use crate::failure::Failure;

/// Where it listens.
pub(crate) fn listening(addresses: &[SocketAddr]) {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    say!("listening    {}", addresses.join(", "));
}

/// A client, and what was agreed with it.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// The name in its certificate.
    pub(crate) name: Option<String>,
    agreed: String,
}

impl Client {
    pub(crate) fn of(address: SocketAddr, tls: &ServerConnection) -> Self {
        let version = match tls.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS 1.3",
        };
        let mut agreed = vec![version.to_owned()];
        agreed.extend(
            tls.negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite())),
        );
        agreed.extend(
            tls.negotiated_key_exchange_group()
                .map(|group| format!("{:?}", group.name())),
        );
        agreed.extend(
            tls.alpn_protocol()
                .map(|name| clean(&String::from_utf8_lossy(name))),
        );
        if let Some(name) = tls.server_name() {
            agreed.push(format!("for {}", clean(name)));
        }
        let leaf = tls.peer_certificates().and_then(<[_]>::first);
        let leaf = leaf.and_then(|der| Certificate::from_der(der).ok());
        Self {
            address,
            name: leaf.map(|leaf| clean(&leaf.title())),
            agreed: agreed.join(", "),
        }
    }

    pub(crate) fn tell(&self) {
        match &self.name {
            Some(name) => say!(
                "client       {}, {name} {DIM}({}){DIM:#}",
                self.address,
                self.agreed
            ),
            None => say!(
                "client       {} {DIM}({}){DIM:#}",
                self.address,
                self.agreed
            ),
        }
    }
}

pub(crate) fn failed(address: SocketAddr, failure: &Failure) {
    say!(
        "{DIM}client       {address}{DIM:#}: {}",
        without_codes(&failure.message)
    );
}

pub(crate) fn not_accepted(error: &io::Error) {
    warn(format_args!("a client was not accepted: {error}"));
}
