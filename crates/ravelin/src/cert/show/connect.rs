//! A connection for a look at a server's certificates: no longer than ten seconds and 64 KiB, all in all.

use std::net::SocketAddr;
use std::time::Duration;

use ravelin_tls::observe::{self, Observation};

use crate::dial::{self, Bounds};
use crate::failure::{Failure, chain};

/// Connects, shakes hands, and says which address answered and what it showed.
pub(in crate::cert) fn observe(
    host: &str,
    port: u16,
) -> Result<(SocketAddr, Observation), Failure> {
    let name = server_name(host)?;
    let (address, mut stream) = dial::dial(host, port, BOUNDS)?;
    let seen = observe::observe(&mut stream, name).map_err(|error| {
        let shown = dial::shown(host, port);
        Failure::network(format!("no certificate of \"{shown}\": {}", chain(&error)))
            .hint(error.hint().map(str::to_owned))
    })?;
    Ok((address, seen))
}

fn server_name(host: &str) -> Result<rustls_pki_types::ServerName<'static>, Failure> {
    rustls_pki_types::ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::usage(format!("\"{host}\" is no name for a server")))
}

/// Most handshakes take 5 KiB, one with the longest of post-quantum chains 30.
const BOUNDS: Bounds = Bounds {
    patience: Duration::from_secs(10),
    octets: 64 << 10,
};
