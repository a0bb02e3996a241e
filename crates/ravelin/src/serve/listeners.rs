//! The addresses of a server: opened here, or by systemd.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use ravelin_server::{ListenError, Listener, worker_count};

use crate::config::Config;
use crate::failure::Failure;
use crate::words;

/// The sockets of a server, open before anything is served.
pub(super) struct Listeners {
    pub(super) secure: Vec<Listener>,
    pub(super) plain: Vec<Listener>,
    /// Whether the sockets came from systemd: then the config does not choose them.
    pub(super) inherited: bool,
}

/// Opens all addresses, or takes over the sockets that systemd opened (`LISTEN_FDS`): those named
/// `redirect` by `FileDescriptorName=` speak plain HTTP.
pub(super) fn open(config: &Config) -> Result<Listeners, Failure> {
    let workers = worker_count(config.workers);
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut inherited = listenfd::ListenFd::from_env();
    if inherited.len() > 0 {
        let mut all = Listeners {
            secure: Vec::new(),
            plain: Vec::new(),
            inherited: true,
        };
        for index in 0..inherited.len() {
            let socket: Option<TcpListener> = inherited
                .take_tcp_listener(index)
                .map_err(|error| Failure::local(format!("socket {index} from systemd: {error}")))?;
            let Some(socket) = socket else { continue };
            let listener =
                Listener::inherit(socket, workers).map_err(|error| Failure::of(&error))?;
            if names.split(':').nth(index) == Some("redirect") {
                all.plain.push(listener);
            } else {
                all.secure.push(listener);
            }
        }
        return Ok(all);
    }
    let mut secure = bind(&config.listen, workers)?;
    // Where this machine has no IPv6, the default of both loopback addresses is one of them.
    if secure.is_empty() {
        secure = vec![Listener::bind(config.listen[0], workers).map_err(|error| refused(&error))?];
    }
    Ok(Listeners {
        secure,
        plain: bind(&config.redirect, workers)?,
        inherited: false,
    })
}

/// Opens addresses, but for those of IPv6 where this machine has none.
pub(crate) fn bind(addresses: &[SocketAddr], workers: usize) -> Result<Vec<Listener>, Failure> {
    let mut listeners: Vec<Listener> = Vec::with_capacity(addresses.len());
    for address in addresses {
        match Listener::bind(*address, workers) {
            Ok(listener) => listeners.push(listener),
            Err(error) if passes_over(&error) => {}
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(listeners)
}

/// Whether the server does without an address that could not be opened, and says so: one of IPv6
/// on a machine without it.
pub(crate) fn passes_over(error: &ListenError) -> bool {
    let no_ipv6 = error.source.raw_os_error() == Some(NO_SUCH_ADDRESS_FAMILY)
        || error.source.kind() == ErrorKind::AddrNotAvailable && error.address.ip().is_loopback();
    if no_ipv6 {
        words::warn(format_args!("{error}: this machine has no IPv6"));
    }
    no_ipv6
}

const NO_SUCH_ADDRESS_FAMILY: i32 = rustix::io::Errno::AFNOSUPPORT.raw_os_error();

/// Why an address could not be listened on, and what helps.
pub(crate) fn refused(error: &ListenError) -> Failure {
    refused_elsewhere(error, " with --listen", "--listen ")
}

/// The same for a command that says in other words where it listens: behind "another port", and before an address.
pub(crate) fn refused_elsewhere(error: &ListenError, by: &str, at: &str) -> Failure {
    let hint = match error.source.kind() {
        ErrorKind::AddrInUse => Some(format!(
            "another program listens there (ss -ltnp 'sport = :{}' says which); \
             choose another port{by}",
            error.address.port()
        )),
        ErrorKind::PermissionDenied => Some(format!(
            "ports below 1024 need rights: sudo setcap cap_net_bind_service=+ep \
             \"$(command -v ravelin)\", or {at}{}",
            SocketAddr::new(error.address.ip(), 8443)
        )),
        ErrorKind::AddrNotAvailable => {
            Some("this machine has no such address (ip addr lists those it has)".to_owned())
        }
        _ => None,
    };
    Failure::of(error).hint(hint)
}
