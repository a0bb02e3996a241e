//! A running server: its workers, and how they are told of changes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, mem, thread};

use arc_swap::ArcSwap;
use http::{Request, Response};
use ravelin_net::capacity::files_for_connections;
use ravelin_net::{Gate, ListenError, Listener, worker_count};
use ravelin_pki::HostName;
use ravelin_tls::{Certificates, ServedCertificate, ServerTls, Tickets};
use tokio::sync::mpsc;

use crate::apps::{Log, SiteApps, TowerApps};
use crate::body::{BoxError, RequestBody};
use crate::limits::Limits;
use crate::log::AccessLog;
use crate::site::Site;
use crate::sites::Sites;
use crate::worker::{self, Apps, Command, Common, Notice, Notices};

/// The protocols that the server speaks, best first (RFC 7301): HTTP/2, HTTP/1.1.
pub const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Everything that a server is made of but what it serves.
pub struct Builder {
    tls: ServerTls,
    workers: usize,
    limits: Limits,
    log: Log,
    notice: Box<dyn Fn(Notice) + Send + Sync>,
}

impl Builder {
    /// Starts from a TLS configuration, the only thing without a default.
    #[must_use]
    pub fn new(tls: ServerTls) -> Self {
        Self {
            tls,
            workers: 0,
            limits: Limits::default(),
            log: None,
            notice: Box::new(|_| {}),
        }
    }

    /// How many workers serve: 0, the default, for one a core.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// What one client may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where requests are logged.
    #[must_use]
    pub fn log(mut self, log: Arc<AccessLog>) -> Self {
        self.log = Some(log);
        self
    }

    /// Who is told of what an operator should know, of each kind every ten seconds at most. Called on
    /// worker threads: it must not wait.
    #[must_use]
    pub fn on_notice(mut self, notice: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.notice = Box::new(notice);
        self
    }

    /// Serves a tower service, such as an axum router. Requests carry an `Arc<Connection>` among
    /// their extensions.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub fn serve<S, B>(self, service: S) -> io::Result<Server>
    where
        S: tower_service::Service<Request<RequestBody>, Response = Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: std::fmt::Display,
        S::Future: 'static,
        B: http_body::Body + 'static,
        B::Error: Into<BoxError>,
    {
        let apps = TowerApps {
            service,
            log: self.log,
        };
        Server::start(
            self.workers,
            self.tls,
            self.limits,
            Box::new(apps),
            self.notice,
        )
    }

    /// Serves configured sites.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub fn serve_sites(self, sites: Vec<Site>) -> io::Result<SiteServer> {
        let sites = Sites::new(sites, None).map_err(io::Error::other)?;
        let sites = Arc::new(ArcSwap::from_pointee(sites));
        let https_port = Arc::new(ArcSwap::from_pointee(443));
        let apps = SiteApps {
            sites: sites.clone(),
            log: self.log,
            https_port: https_port.clone(),
        };
        let server = Server::start(
            self.workers,
            self.tls,
            self.limits,
            Box::new(apps),
            self.notice,
        )?;
        Ok(SiteServer {
            server,
            sites,
            https_port,
        })
    }
}

/// A server of configured sites, which can be changed while it runs.
pub struct SiteServer {
    server: Server,
    sites: Arc<ArcSwap<Sites>>,
    https_port: Arc<ArcSwap<u16>>,
}

impl SiteServer {
    /// The server itself.
    #[must_use]
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Serves these sites from the next request on.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers; then nothing has changed.
    pub fn set_sites(&self, sites: Vec<Site>) -> io::Result<()> {
        let sites = Sites::new(sites, Some(&self.sites.load())).map_err(io::Error::other)?;
        self.sites.store(Arc::new(sites));
        Ok(())
    }

    /// The port that plain requests are redirected to, 443 at first.
    pub fn set_https_port(&self, port: u16) {
        self.https_port.store(Arc::new(port));
    }

    /// See [`Server::shutdown`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn shutdown(self) -> io::Result<()> {
        self.server.shutdown()
    }
}

/// Workers that serve. Dropping it leaves them running until the process ends; end them with
/// [`Server::shutdown`].
pub struct Server {
    common: Arc<Common>,
    workers: Vec<Running>,
    listening: Vec<(SocketAddr, bool)>,
}

struct Running {
    commands: mpsc::UnboundedSender<Command>,
    thread: thread::JoinHandle<io::Result<()>>,
}

impl Server {
    /// Starts `workers` threads, 0 for one a core.
    pub(crate) fn start(
        workers: usize,
        tls: ServerTls,
        limits: Limits,
        apps: Box<dyn Apps>,
        notice: Box<dyn Fn(Notice) + Send + Sync>,
    ) -> io::Result<Self> {
        let workers = worker_count(workers);
        let common = Arc::new(Common {
            tls: ArcSwap::from_pointee(tls),
            gate: Arc::new(Gate::default()),
            connections_a_worker: AtomicUsize::new(connections_a_worker(&limits, workers)),
            limits: ArcSwap::from_pointee(limits),
            apps,
            notices: Notices::new(notice),
        });
        let workers = (0..workers)
            .map(|index| {
                let (commands, received) = mpsc::unbounded_channel();
                let common = common.clone();
                let thread = thread::Builder::new()
                    .name(format!("worker-{index}"))
                    .spawn(move || worker::run(&common, received))?;
                Ok(Running { commands, thread })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            common,
            workers,
            listening: Vec::new(),
        })
    }

    /// How many workers serve.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The addresses that are listened on.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.listening.iter().map(|(address, _)| *address)
    }

    /// Accepts HTTPS on `listener`, which was opened for as many workers.
    pub fn listen(&mut self, listener: Listener) {
        self.add(listener, false);
    }

    /// Accepts plain HTTP on `listener` and redirects it.
    pub fn listen_plain(&mut self, listener: Listener) {
        self.add(listener, true);
    }

    fn add(&mut self, listener: Listener, plain: bool) {
        let address = listener.address();
        self.listening.push((address, plain));
        for (worker, socket) in self.workers.iter().zip(listener.into_sockets()) {
            // A worker that has ended takes no commands; its end shows at shutdown.
            let _ = worker.commands.send(Command::Listen {
                address,
                socket,
                plain,
            });
        }
    }

    /// Makes the server listen on just these addresses. Those that it listens on already stay as
    /// they are, with everything that is queued on them, and only speak the other protocol from the
    /// next connection on where that is asked; new ones are all opened before old ones are closed.
    ///
    /// An address that cannot be opened is left out where `may_lack` says so, as long as another
    /// one for HTTPS is left.
    ///
    /// # Errors
    ///
    /// When a new address cannot be opened; then nothing has changed.
    pub fn relisten(
        &mut self,
        secure: &[SocketAddr],
        plain: &[SocketAddr],
        may_lack: impl Fn(&ListenError) -> bool,
    ) -> Result<(), ListenError> {
        let wanted = |plain: bool, addresses: &[SocketAddr]| -> Vec<_> {
            addresses.iter().map(|address| (*address, plain)).collect()
        };
        let wanted = [wanted(false, secure), wanted(true, plain)].concat();
        let mut opened = Vec::new();
        let mut lacking = None;
        for &(address, plain) in &wanted {
            if self.listening.iter().any(|(known, _)| *known == address) {
                continue;
            }
            let own: Vec<_> = self.addresses().collect();
            match Listener::bind_beside(&own, address, self.workers()) {
                Ok(listener) => opened.push((listener, plain)),
                Err(error) if may_lack(&error) => lacking = Some(error),
                Err(error) => return Err(error),
            }
        }
        let any_secure = secure.iter().any(|address| {
            let listening = self.listening.iter().any(|(known, _)| known == address);
            listening
                || opened
                    .iter()
                    .any(|(listener, _)| listener.address() == *address)
        });
        if let Some(error) = lacking.filter(|_| !any_secure) {
            return Err(error);
        }
        // From here on nothing can fail.
        let (stay, gone): (Vec<_>, Vec<_>) = mem::take(&mut self.listening)
            .into_iter()
            .partition(|(known, _)| wanted.iter().any(|(address, _)| address == known));
        for (address, _) in gone {
            self.tell(|| Command::Unlisten { address });
        }
        for (address, was_plain) in stay {
            let plain = !wanted.contains(&(address, false));
            if plain != was_plain {
                self.tell(|| Command::Speak { address, plain });
            }
            self.listening.push((address, plain));
        }
        for (listener, plain) in opened {
            self.add(listener, plain);
        }
        Ok(())
    }

    /// Tells every worker. One that has ended takes no commands; its end shows at shutdown.
    fn tell(&self, command: impl Fn() -> Command) {
        for worker in &self.workers {
            let _ = worker.commands.send(command());
        }
    }

    /// Uses `tls` for handshakes from now on.
    pub fn set_tls(&self, tls: ServerTls) {
        self.common.tls.store(Arc::new(tls));
    }

    /// Uses `limits` for connections that are accepted from now on.
    pub fn set_limits(&self, limits: Limits) {
        self.common
            .connections_a_worker
            .store(connections_a_worker(&limits, self.workers()), Relaxed);
        self.common.limits.store(Arc::new(limits));
    }

    /// Accepts no more, lets running requests end (for `Limits::drain_timeout` at most), and
    /// returns when all workers have ended. Blocks.
    ///
    /// # Errors
    ///
    /// When a worker could not start its event loop, or ended by itself.
    pub fn shutdown(self) -> io::Result<()> {
        self.tell(|| Command::Drain);
        for worker in self.workers {
            worker
                .thread
                .join()
                .map_err(|_| io::Error::other("a worker panicked"))??;
        }
        Ok(())
    }
}

/// A worker's share of the connections that the server may hold.
fn connections_a_worker(limits: &Limits, workers: usize) -> usize {
    let connections = limits.connections.unwrap_or_else(files_for_connections);
    connections.div_ceil(workers).max(1)
}

/// TLS with a certificate of the local CA in the user's own store, made on first use: what
/// `ravelin serve` uses where no certificate was named.
///
/// # Errors
///
/// When the store cannot be used, or a name is one that the local CA may not certify.
pub fn local_tls(names: &[HostName]) -> Result<ServerTls, BoxError> {
    let home = ravelin_certs::store::default_home(|name| std::env::var_os(name))?;
    let store = ravelin_certs::FileStore::open(home)?;
    let now = std::time::SystemTime::now();
    let authority = ravelin_certs::LocalAuthority::open(&store, &[], now)?;
    // One that cannot be renewed just now is still good for a while.
    let leaf = authority
        .leaf(names, now)
        .or_else(|error| authority.kept_leaf(names, now).ok_or(error))?;
    let served = ServedCertificate::new(leaf.chain.clone(), leaf.key.clone_key(), names)?;
    let certificates = Arc::new(Certificates::new(served));
    Ok(ServerTls::new(certificates, &Tickets::new()?, ALPN)?)
}
