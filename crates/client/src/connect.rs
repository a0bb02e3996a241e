//! The way to a server: its addresses, a connection to one of them or to a proxy, and TLS.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ravelin_tls::Witness;
use ravelin_tls::client::Refused;
use ravelin_tls::starttls::Protocol;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use url::{Host, Url};

use crate::error::{Error, rustls_error};
use crate::proxy::{Kind, Proxies, Proxy};
use crate::racing::{Dead, first_that_answers};
use crate::response::TlsFacts;
use crate::stream::{BoxedIo, Movement, Watched};
use crate::timing::Timing;
use crate::tls::TlsStream;
use crate::{socks, starttls};

/// Somebody who looks at the TLS of connections.
pub trait Onlooker: fmt::Debug + Send + Sync {
    /// Who is told the secrets.
    fn witness(&self) -> Witness;

    /// One connection, about to begin to `host`.
    fn look(&self, host: &str) -> Box<dyn Look>;
}

/// One connection that is looked at.
pub trait Look: Send + Sync {
    /// Puts something below TLS that sees its octets.
    fn under(&mut self, stream: BoxedIo) -> BoxedIo;

    /// Runs `call`, which calls into TLS for this connection.
    fn within(&self, call: &mut dyn FnMut());

    /// Hears what went to the server, or came from it, of a handshake that no stream carries: one over QUIC, whose
    /// messages are in clear here.
    fn heard(&self, is_of_server: bool, octets: &[u8]);
}

/// Where connections go, and how.
#[derive(Debug)]
pub(crate) struct Ways {
    pub(crate) tls: Arc<ClientConfig>,
    /// For proxies that are spoken to over TLS: HTTP/1.1 alone, and without a certificate of the client.
    pub(crate) proxy_tls: Option<Arc<ClientConfig>>,
    pub(crate) has_identity: bool,
    pub(crate) proxies: Proxies,
    pub(crate) resolve: Vec<(String, u16, Vec<IpAddr>)>,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) patience: Duration,
    pub(crate) onlooker: Option<Arc<dyn Onlooker>>,
    /// What is spoken in clear before TLS begins.
    pub(crate) starttls: Option<Protocol>,
    /// The name that the server is asked for, and has to have a certificate of, in place of its host.
    pub(crate) server_name: Option<String>,
}

/// A connection that is there, before what is spoken over it.
pub(crate) struct Connected {
    pub(crate) io: BoxedIo,
    pub(crate) movement: Arc<Movement>,
    pub(crate) tls: Option<TlsFacts>,
    /// The other end, where it is no Unix socket.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) timing: Timing,
}

impl Ways {
    /// Connects to the server of an address.
    pub(crate) async fn connect(&self, url: &Url) -> Result<Connected, Error> {
        match tokio::time::timeout(self.patience, self.open(url)).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut {
                what: "connecting",
                after: self.patience,
            }),
        }
    }

    async fn open(&self, url: &Url) -> Result<Connected, Error> {
        let mut timing = Timing::default();
        let (host, port) = host_and_port(url);
        let proxy = self.proxies.of(url);
        let (stream, peer) = match (&self.unix_socket, proxy) {
            (Some(path), _) => (unix(path, &mut timing).await?, None),
            (None, Some(proxy)) => {
                let (stream, peer) = self.tcp(&proxy.host, proxy.port, &mut timing).await?;
                (stream, Some(peer))
            }
            (None, None) => {
                let (stream, peer) = self.tcp(&host, port, &mut timing).await?;
                (stream, Some(peer))
            }
        };
        let (watched, movement) = Watched::new(stream);
        let mut io: BoxedIo = Box::new(watched);
        if let (None, Some(proxy)) = (&self.unix_socket, proxy) {
            let began = Instant::now();
            io = self.through(io, proxy, url).await?;
            timing.proxy = began.elapsed();
        }
        let mut facts = None;
        if url.scheme() == "https" {
            let began = Instant::now();
            let place = shown(&host, port);
            let host = self.server_name.as_ref().unwrap_or(&host);
            if let Some(protocol) = self.starttls {
                starttls::begin(&mut io, protocol, host, &place).await?;
            }
            let look = self.onlooker.as_ref().map(|onlooker| onlooker.look(&place));
            let stream = handshake(&self.tls, io, host, &place, movement.clone(), look).await?;
            facts = Some(TlsFacts::of(stream.agreed()));
            io = Box::new(stream);
            timing.tls = began.elapsed();
        }
        Ok(Connected {
            io,
            movement,
            tls: facts,
            peer,
            timing,
        })
    }

    async fn tcp(
        &self,
        host: &str,
        port: u16,
        timing: &mut Timing,
    ) -> Result<(BoxedIo, SocketAddr), Error> {
        let began = Instant::now();
        let addresses = self.addresses(host, port).await?;
        timing.lookup = began.elapsed();
        let began = Instant::now();
        let raced = first_that_answers(addresses, attempt).await;
        let (stream, peer) = raced.map_err(|Dead::Silent(source)| Error::Connect {
            place: shown(host, port),
            source,
        })?;
        timing.connect = began.elapsed();
        Ok((Box::new(stream), peer))
    }

    pub(crate) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let said = self.resolve.iter();
        let said = said.filter(|(name, of, _)| name.eq_ignore_ascii_case(host) && *of == port);
        let said: Vec<_> = said.flat_map(|(_, _, addresses)| addresses).collect();
        if !said.is_empty() {
            return Ok(said.iter().map(|ip| (**ip, port).into()).collect());
        }
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map(Iterator::collect::<Vec<_>>);
        match found {
            Ok(addresses) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(Error::Lookup {
                host: host.to_owned(),
                source: io::Error::new(io::ErrorKind::NotFound, "it has no address"),
            }),
            Err(source) => Err(Error::Lookup {
                host: host.to_owned(),
                source,
            }),
        }
    }

    /// Gets a proxy to connect to the server of an address, where it is not told the requests themselves.
    async fn through(&self, mut io: BoxedIo, proxy: &Proxy, url: &Url) -> Result<BoxedIo, Error> {
        let (host, port) = host_and_port(url);
        let refused = |why: String| Error::Proxy {
            proxy: proxy.to_string(),
            to: shown(&host, port),
            why,
        };
        match proxy.kind {
            Kind::Http | Kind::Https => {
                if let Some(tls) = self
                    .proxy_tls
                    .as_ref()
                    .filter(|_| proxy.kind == Kind::Https)
                {
                    let place = shown(&proxy.host, proxy.port);
                    let movement = Arc::new(Movement::new());
                    let shaken = handshake(tls, io, &proxy.host, &place, movement, None);
                    io = Box::new(shaken.await?);
                }
                if !proxy.takes_requests(url) {
                    ask_to_connect(&mut io, proxy, &shown(&host, port))
                        .await
                        .map_err(refused)?;
                }
            }
            Kind::Socks5 | Kind::Socks5h => {
                let to = match host.parse::<IpAddr>() {
                    Ok(address) => socks::Destination::Address(address),
                    Err(_) if proxy.kind == Kind::Socks5 => {
                        let addresses = self.addresses(&host, port).await?;
                        socks::Destination::Address(addresses[0].ip())
                    }
                    Err(_) => socks::Destination::Name(&host),
                };
                socks::connect(&mut io, proxy, to, port)
                    .await
                    .map_err(refused)?;
            }
        }
        Ok(io)
    }
}

async fn unix(path: &PathBuf, timing: &mut Timing) -> Result<BoxedIo, Error> {
    let began = Instant::now();
    let stream = UnixStream::connect(path)
        .await
        .map_err(|source| Error::Connect {
            place: path.display().to_string(),
            source,
        })?;
    timing.connect = began.elapsed();
    Ok(Box::new(stream))
}

/// One address. Whoever takes the connection has answered: of what is spoken over it nothing is known yet, so that
/// no attempt ends a race but by winning it.
async fn attempt(address: SocketAddr) -> Result<(TcpStream, SocketAddr), Dead<Infallible>> {
    let stream = TcpStream::connect(address).await.map_err(Dead::Silent)?;
    stream.set_nodelay(true).map_err(Dead::Silent)?;
    Ok((stream, address))
}

/// `CONNECT` (RFC 9110, section 9.3.6).
async fn ask_to_connect(io: &mut BoxedIo, proxy: &Proxy, to: &str) -> Result<(), String> {
    let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str("Proxy-Authorization: ");
        request.push_str(&authorization);
        request.push_str("\r\n");
    }
    request += "\r\n";
    let words = |error: io::Error| error.to_string();
    io.write_all(request.as_bytes()).await.map_err(words)?;
    io.flush().await.map_err(words)?;
    // An octet at a time: what follows belongs to the server.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD {
            return Err("its answer does not end".to_owned());
        }
        match io.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err("it ended the connection".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or(&head);
    let line = String::from_utf8_lossy(line);
    match line.split(' ').nth(1) {
        Some(status) if line.starts_with("HTTP/1.") && status.starts_with('2') => Ok(()),
        Some(_) if line.starts_with("HTTP/") => Err(format!(
            "it answers \"{}\"",
            line.trim_end().escape_default()
        )),
        _ => Err("what it says is not HTTP".to_owned()),
    }
}

async fn handshake(
    config: &Arc<ClientConfig>,
    mut io: BoxedIo,
    host: &str,
    place: &str,
    movement: Arc<Movement>,
    mut look: Option<Box<dyn Look>>,
) -> Result<TlsStream<BoxedIo>, Error> {
    // A name with a dot at its end is the same name, and no certificate has it so.
    let name = host.strip_suffix('.').unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(|_| Error::Url {
        text: host.to_owned(),
        source: url::ParseError::InvalidDomainCharacter,
    })?;
    if let Some(look) = &mut look {
        io = look.under(io);
    }
    let within = |call: &mut dyn FnMut()| match &look {
        Some(look) => look.within(call),
        None => call(),
    };
    let connecting = TlsStream::connect(config.clone(), name, io, movement, within);
    connecting.await.map_err(|error| failed(error, host, place))
}

pub(crate) fn failed(source: io::Error, host: &str, place: &str) -> Error {
    match rustls_error(&source) {
        Some(rustls::Error::InvalidMessage(_)) => Error::NotTls {
            host: place.to_owned(),
        },
        Some(error) => match Refused::in_error(error) {
            Some(refused) => Error::Refused {
                host: host.to_owned(),
                refused: Box::new(refused.clone()),
            },
            None => Error::Handshake {
                host: place.to_owned(),
                source,
            },
        },
        None => Error::Handshake {
            host: place.to_owned(),
            source,
        },
    }
}

/// The host, without brackets, and the port.
pub(crate) fn host_and_port(url: &Url) -> (String, u16) {
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    };
    (host, url.port_or_known_default().unwrap_or(443))
}

/// A host and its port as they are written.
pub(crate) fn shown(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

const LONGEST_HEAD: usize = 16 << 10;
