//! Tunnels with nothing left to check, from a file or from the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ravelin_pki::{Fingerprint, HostName};
use ravelin_tls::starttls::Protocol;
use ravelin_tunnel::{Balance, Limits, Place, ProxyVersion, Rule, Target};

use super::{AcmeConfig, CertificateSource, LogConfig};
use crate::listen_on::ListenOn;

/// How long connections may go on after a signal to stop, where nothing is said.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one server may take to answer, where nothing is said.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// All tunnels of a process.
#[derive(Debug, Clone)]
pub(crate) struct TunnelsConfig {
    pub(crate) tunnels: Vec<TunnelConfig>,
    /// Threads; 0: one a core.
    pub(crate) workers: usize,
    /// Where what they have done is told, over plain HTTP.
    pub(crate) metrics: Vec<SocketAddr>,
    /// How long connections may go on after a signal to stop.
    pub(crate) drain_timeout: Duration,
    /// The log of connections, if there is to be one.
    pub(crate) log: Option<LogConfig>,
    /// The CA of those tunnels that are to have their certificates from one.
    pub(crate) acme: Option<AcmeConfig>,
    /// The files whose change calls for a reload.
    pub(crate) watched: Vec<PathBuf>,
}

/// One tunnel.
#[derive(Debug, Clone)]
pub(crate) struct TunnelConfig {
    pub(crate) name: String,
    /// Where clients come in. No place is in two tunnels.
    pub(crate) listen: Vec<Place>,
    pub(crate) mode: Mode,
    /// What the tunnel is to clients, where TLS ends here.
    pub(crate) certificate: TunnelCertificate,
    /// The names for which a certificate is made, by the local CA or over ACME.
    pub(crate) hosts: Vec<HostName>,
    /// The CAs of clients' certificates; where there are any, each client has to show one.
    pub(crate) client_ca: Vec<PathBuf>,
    pub(crate) allow: Vec<Rule>,
    pub(crate) starttls: Option<Protocol>,
    pub(crate) alpn: Vec<String>,
    pub(crate) takes_proxy_header: bool,
    pub(crate) to: Vec<Target>,
    pub(crate) balance: Balance,
    /// Services by the name that is asked for.
    pub(crate) routes: Vec<(Vec<HostName>, Vec<Target>)>,
    /// Whether names without a route are refused: no `to` of the tunnel's own.
    pub(crate) server: ServerSide,
    pub(crate) proxy_header: Option<ProxyVersion>,
    pub(crate) connect_timeout: Duration,
    pub(crate) limits: Limits,
}

/// Where the certificate of a tunnel comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TunnelCertificate {
    /// From the CA that is asked over ACME.
    Acme,
    /// From where those of sites come, too.
    Given(CertificateSource),
}

/// How the servers of a service are verified, where TLS begins here.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerSide {
    /// Roots: files, folders, "system" or "local"; "none" asks no CA.
    pub(crate) ca: Vec<PathBuf>,
    pub(crate) pins: Vec<Fingerprint>,
    /// The name that certificates have to be for, in place of the host.
    pub(crate) name: Option<String>,
    /// The files of the certificate and key that are shown to servers.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    pub(crate) starttls: Option<Protocol>,
    pub(crate) allow: Vec<Rule>,
}

/// Where TLS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Between the client and here.
    Terminate,
    /// Between here and the server.
    Originate,
    /// On both sides, and in clear within this process alone.
    Both,
    /// Between the client and the server: what is passed on is looked at for a name alone.
    Pass,
}

impl Mode {
    /// Whether TLS with clients ends here.
    pub(crate) fn terminates(self) -> bool {
        matches!(self, Self::Terminate | Self::Both)
    }

    /// Whether TLS with servers begins here.
    pub(crate) fn originates(self) -> bool {
        matches!(self, Self::Originate | Self::Both)
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Originate => "originate",
            Self::Both => "both",
            Self::Pass => "pass",
        }
    }
}

/// The places that a text of `listen` stands for.
pub(crate) fn place_of(
    text: &str,
    path: impl FnOnce(&str) -> PathBuf,
) -> Result<Vec<Place>, String> {
    if let Some(socket) = text.strip_prefix("unix:") {
        return Ok(vec![Place::Unix(path(socket))]);
    }
    let on: ListenOn = text.parse().map_err(|error| format!("{error}"))?;
    Ok(on.addresses().iter().copied().map(Place::Tcp).collect())
}

/// The server that a text of `to` stands for.
pub(crate) fn target_of(text: &str, path: impl FnOnce(&str) -> PathBuf) -> Result<Target, String> {
    let shape = || {
        format!(
            "{text:?} is no server: write PORT of this machine, HOST:PORT, [2001:db8::1]:PORT or unix:/PATH"
        )
    };
    if let Some(socket) = text.strip_prefix("unix:") {
        return Ok(Target::Unix(path(socket)));
    }
    let port = |digits: &str| match digits.parse::<u16>() {
        Ok(port) if port != 0 && digits.bytes().all(|digit| digit.is_ascii_digit()) => Ok(port),
        _ => Err(shape()),
    };
    let Some((host, digits)) = text.rsplit_once(':') else {
        return Ok(Target::Tcp {
            host: "127.0.0.1".to_owned(),
            port: port(text)?,
        });
    };
    let bare = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
        None if !host.contains([':', '/', '@', '*']) && host.parse::<HostName>().is_ok() => host,
        _ => return Err(shape()),
    };
    Ok(Target::Tcp {
        host: bare.to_owned(),
        port: port(digits)?,
    })
}

/// Whether only this machine can come in there.
pub(super) fn is_local_place(place: &Place) -> bool {
    match place {
        Place::Tcp(address) => address.ip().is_loopback(),
        Place::Unix(_) => true,
    }
}

/// Whether what is sent there never leaves this machine.
pub(super) fn is_local_target(target: &Target) -> bool {
    match target {
        Target::Tcp { host, .. } => {
            host.eq_ignore_ascii_case("localhost")
                || host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Target::Unix(_) => true,
    }
}

/// What of a tunnel goes over a network in clear, if anything.
pub(crate) fn in_clear(tunnel: &TunnelConfig) -> Option<String> {
    match tunnel.mode {
        Mode::Originate => tunnel
            .listen
            .iter()
            .find(|place| !is_local_place(place))
            .map(clients_in_clear),
        Mode::Terminate => {
            let routed = tunnel.routes.iter().flat_map(|(_, to)| to);
            let mut all = tunnel.to.iter().chain(routed);
            all.find(|target| !is_local_target(target))
                .map(servers_in_clear)
        }
        Mode::Both | Mode::Pass => None,
    }
}

pub(super) fn clients_in_clear(place: &Place) -> String {
    format!("clients come to {place} without TLS, over a network")
}

pub(super) fn servers_in_clear(target: &Target) -> String {
    format!("what goes to {target} goes over a network without TLS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_written_in_four_ways() {
        let target = |text: &str| {
            target_of(text, |path| PathBuf::from(path)).map(|target| target.to_string())
        };
        assert_eq!(target("5432"), Ok("127.0.0.1:5432".to_owned()));
        assert_eq!(
            target("db.example.org:5432"),
            Ok("db.example.org:5432".to_owned())
        );
        assert_eq!(target("[::1]:5432"), Ok("[::1]:5432".to_owned()));
        assert_eq!(
            target("unix:/run/db.sock"),
            Ok("unix:/run/db.sock".to_owned())
        );
        for wrong in [
            "",
            "db",
            ":1",
            "db:",
            "db:0",
            "db:65536",
            "db:+1",
            "::1:5",
            "http://db:1",
            "*:1",
            "[db]:1",
            "0",
            "a b:1",
        ] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }
}
