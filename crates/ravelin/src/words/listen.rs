//! What `ravelin listen` says.

use std::io;
use std::net::SocketAddr;

use ravelin_client::Accepted;
use ravelin_pki::Certificate;

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
    pub(crate) fn of(accepted: &Accepted) -> Self {
        let tls = &accepted.tls;
        let mut agreed = vec![tls.version.to_owned(), tls.suite.clone()];
        agreed.extend(tls.group.clone());
        let alpn = tls.alpn.as_deref();
        agreed.extend(alpn.map(|name| clean(&String::from_utf8_lossy(name))));
        let name = accepted.server_name.as_deref();
        agreed.extend(name.map(|name| format!("for {}", clean(name))));
        let leaf = tls.chain.first();
        let leaf = leaf.and_then(|der| Certificate::from_der(der).ok());
        Self {
            address: accepted.peer,
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
