//! The way to a server over QUIC (RFC 9000): a connection to one of its addresses, with TLS in it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::{ConnectError, ConnectionError, EndpointConfig, TokioRuntime, TransportConfig, VarInt};
use rustls::AlertDescription;
use url::Url;

use crate::connect::{Onlooker, Ways, failed, host_and_port, shown};
use crate::error::Error;
use crate::exchange::is_about_client;
use crate::racing::{self, Dead};
use crate::response::TlsFacts;
use crate::timing::Timing;

mod guard;
mod session;
mod socket;
pub(crate) mod streams;

pub(crate) use guard::Excess;
use session::{Beginning, Seen};
use socket::Socket;

/// A connection that is there, before HTTP/3 is spoken over it.
pub(crate) struct Reached {
    pub(crate) connection: quinn::Connection,
    pub(crate) tls: TlsFacts,
    pub(crate) peer: SocketAddr,
    pub(crate) timing: Timing,
}

impl Ways {
    /// Connects to the server of an address over QUIC.
    pub(crate) async fn connect_over_quic(
        &self,
        url: &Url,
        stall: Duration,
    ) -> Result<Reached, Error> {
        self.refuse_detours(url)?;
        let (host, port) = host_and_port(url);
        let reaching = tokio::time::timeout(self.patience, self.reach(&host, port, stall));
        reaching.await.unwrap_or_else(|_| {
            let why = format!("nothing came in {} seconds", self.patience.as_secs_f32());
            Err(Error::NoQuic {
                place: shown(&host, port),
                source: io::Error::new(io::ErrorKind::TimedOut, why),
            })
        })
    }

    fn refuse_detours(&self, url: &Url) -> Result<(), Error> {
        let what = if url.scheme() != "https" {
            format!("to \"{}\", without TLS", url.as_str())
        } else if let Some(path) = &self.unix_socket {
            format!("over the Unix socket \"{}\"", path.display())
        } else if let Some(proxy) = self.proxies.of(url) {
            format!("through the proxy \"{proxy}\"")
        } else {
            return Ok(());
        };
        Err(Error::NotOverQuic { what })
    }

    async fn reach(&self, host: &str, port: u16, stall: Duration) -> Result<Reached, Error> {
        let mut timing = Timing::default();
        let began = Instant::now();
        let addresses = self.addresses(host, port).await?;
        timing.lookup = began.elapsed();
        let began = Instant::now();
        let way = Way {
            place: shown(host, port),
            // A name with a dot at its end is the same name, and no certificate has it so.
            name: host.strip_suffix('.').unwrap_or(host).to_owned(),
            tls: self.tls.clone(),
            has_identity: self.has_identity,
            onlooker: self.onlooker.clone(),
            transport: Arc::new(transport(stall)),
        };
        let (connection, tls, peer) = way.first_that_answers(addresses).await?;
        timing.tls = began.elapsed();
        Ok(Reached {
            connection,
            tls,
            peer,
            timing,
        })
    }
}

/// How one address is tried.
#[derive(Clone)]
struct Way {
    place: String,
    name: String,
    tls: Arc<rustls::ClientConfig>,
    has_identity: bool,
    onlooker: Option<Arc<dyn Onlooker>>,
    transport: Arc<TransportConfig>,
}

type Answered = (quinn::Connection, TlsFacts, SocketAddr);

impl Way {
    async fn first_that_answers(self, addresses: Vec<SocketAddr>) -> Result<Answered, Error> {
        let attempt = |address| self.clone().attempt(address);
        let raced = racing::first_that_answers(addresses, attempt).await;
        raced.map_err(|dead| match dead {
            Dead::Silent(source) => Error::NoQuic {
                place: self.place,
                source,
            },
            Dead::Ended(error) => error,
        })
    }

    /// One address. It answers with the handshake, in QUIC the same as connecting: where that comes to nothing,
    /// the host was reached, and no other of its addresses is asked, unlike over TCP before its handshake.
    async fn attempt(self, address: SocketAddr) -> Result<Answered, Dead<Error>> {
        let socket = Arc::new(Socket::to(address).map_err(Dead::Silent)?);
        let endpoint = quinn::Endpoint::new_with_abstract_socket(
            EndpointConfig::default(),
            None,
            socket.clone(),
            Arc::new(TokioRuntime),
        );
        let endpoint = endpoint.map_err(Dead::Silent)?;
        let seen = Arc::new(Seen::default());
        let look = self.onlooker.as_ref();
        let look = look.map(|onlooker| onlooker.look(&self.place));
        let beginning = Beginning::new(self.tls.clone(), seen.clone(), look);
        let mut config = quinn::ClientConfig::new(Arc::new(beginning));
        config.transport_config(self.transport.clone());
        let connecting = endpoint
            .connect_with(config, address, &self.name)
            .map_err(|error| Dead::Ended(self.unbegun(error)))?;
        let connection = tokio::select! {
            connected = connecting => connected.map_err(|error| self.dead(error, &seen))?,
            error = socket.refused() => return Err(Dead::Silent(error)),
        };
        let Some(tls) = seen.facts() else {
            let source = io::Error::other("TLS did not come to its end");
            return Err(Dead::Ended(self.handshake(source)));
        };
        Ok((connection, tls, address))
    }

    fn unbegun(&self, error: ConnectError) -> Error {
        match error {
            ConnectError::InvalidServerName(name) => Error::Url {
                text: name,
                source: url::ParseError::InvalidDomainCharacter,
            },
            other => self.handshake(io::Error::other(other)),
        }
    }

    fn dead(&self, error: ConnectionError, seen: &Seen) -> Dead<Error> {
        if let Some(found) = seen.error() {
            return Dead::Ended(failed(io::Error::other(found), &self.name, &self.place));
        }
        let alert = alert_of(&error);
        Dead::Ended(match (error, alert) {
            (ConnectionError::TimedOut | ConnectionError::Reset, _) => {
                return Dead::Silent(io::ErrorKind::TimedOut.into());
            }
            (_, Some(AlertDescription::NoApplicationProtocol)) => Error::NoHttp3 {
                host: self.place.clone(),
            },
            (_, Some(alert)) if seen.facts().is_some() && is_about_client(alert) => {
                Error::TakenBack {
                    host: self.place.clone(),
                    alert,
                    had_identity: self.has_identity,
                }
            }
            (_, Some(alert)) => {
                self.handshake(io::Error::other(rustls::Error::AlertReceived(alert)))
            }
            (ConnectionError::VersionMismatch, None) => {
                self.handshake(io::Error::other("it does not speak version 1 of QUIC"))
            }
            (error, None) => self.handshake(io::Error::other(error)),
        })
    }

    fn handshake(&self, source: io::Error) -> Error {
        Error::Handshake {
            host: self.place.clone(),
            source,
        }
    }
}

/// The alert of TLS by which the other end closed a connection (RFC 9001, section 4.8).
pub(crate) fn alert_of(error: &ConnectionError) -> Option<AlertDescription> {
    let ConnectionError::ConnectionClosed(close) = error else {
        return None;
    };
    let code = u64::from(close.error_code);
    (code >> 8 == 1).then(|| AlertDescription::from(code as u8))
}

fn transport(stall: Duration) -> TransportConfig {
    let mut transport = TransportConfig::default();
    // Who waits for an answer asks whether the server is still there; how long it may think is not for QUIC to say.
    let idle = stall.saturating_add(CHECK).try_into();
    transport
        .max_idle_timeout(idle.ok())
        .keep_alive_interval(Some(CHECK))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(ONE_WAY))
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(2 * WINDOW))
        .send_window(u64::from(WINDOW))
        .datagram_receive_buffer_size(None);
    transport
}

/// How often the other end is asked for a sign of life. Those who close what is idle do so after 30 seconds, as a rule.
const CHECK: Duration = Duration::from_secs(10);

/// How many streams a server may begin at a time: three for HTTP/3, and some that nobody knows (RFC 9114, section 6.2.3).
const ONE_WAY: u32 = 16;

/// What may be on the way to us: at 100 ms, 40 MiB/s.
const WINDOW: u32 = 4 << 20;
