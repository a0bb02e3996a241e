//! One worker: a thread with its own event loop, listeners, caches and connections.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use http::HeaderValue;
use ravelin_net::{Gate, gate, is_out_of_files};
use ravelin_tls::ServerTls;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};

use crate::app::{App, Refused};
use crate::connection::Connection;
use crate::files::Room;
use crate::handshake::HandshakeError;
use crate::lease::{Lease, Registry};
use crate::limits::Limits;
use crate::stream::Stream;
use crate::{handshake, http1, http2};

/// How long accepting stops when the process has no file descriptors left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Connections beyond the most that a worker may hold, for as long as evicted ones take to go.
const OVERDRAFT: usize = 64;

/// Threads of a worker for work that may wait or take long.
const BLOCKING_THREADS: usize = 16;

/// What goes on and on is told of this often.
const QUIET: Duration = Duration::from_secs(10);

/// What all workers have in common. Nothing here is locked for a request.
pub(crate) struct Common {
    pub(crate) tls: ArcSwap<ServerTls>,
    pub(crate) limits: ArcSwap<Limits>,
    pub(crate) gate: Arc<Gate>,
    /// Connections that one worker may hold.
    pub(crate) connections_a_worker: AtomicUsize,
    pub(crate) apps: Box<dyn Apps>,
    pub(crate) notices: Notices,
}

/// Makes the apps of each worker, on the worker's own thread.
pub(crate) trait Apps: Send + Sync {
    /// What answers on HTTPS.
    fn secure(&self, place: &Place) -> Rc<dyn App>;
    /// What answers on plain HTTP.
    fn plain(&self, place: &Place) -> Rc<dyn App>;
}

/// What an app learns of the worker that it lives in.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) turn: Turn,
    /// What its folders may hold together.
    pub(crate) room: Rc<Room>,
}

/// What happens to a server that its operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// There were no file descriptors left to accept with; idle connections were closed.
    OutOfFiles,
    /// A worker reached the most connections it may hold; the longest idle ones were closed.
    TooManyConnections,
    /// This client holds as many connections as one may; another one of it was closed. An IPv6
    /// client is its /64.
    TooManyFromOne(IpAddr),
}

/// Tells of what happens, but not of each time: how often it happens is a client's choice, and
/// would be how fast the operator's log fills.
pub(crate) struct Notices {
    tell: Box<dyn Fn(Notice) + Send + Sync>,
    /// When each kind was last told of.
    told: [Mutex<Option<Instant>>; 3],
}

impl Notices {
    pub(crate) fn new(tell: Box<dyn Fn(Notice) + Send + Sync>) -> Self {
        Self {
            tell,
            told: [const { Mutex::new(None) }; 3],
        }
    }

    fn tell(&self, notice: Notice) {
        let slot = match notice {
            Notice::OutOfFiles => &self.told[0],
            Notice::TooManyConnections => &self.told[1],
            Notice::TooManyFromOne(_) => &self.told[2],
        };
        let mut told = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() > QUIET) {
            *told = Some(Instant::now());
            drop(told);
            (self.tell)(notice);
        }
    }
}

/// What a worker is told.
pub(crate) enum Command {
    /// Accept on this socket too.
    Listen {
        address: SocketAddr,
        socket: std::net::TcpListener,
        plain: bool,
    },
    /// Take what is accepted on this address for plain HTTP from now on, or for HTTPS.
    Speak { address: SocketAddr, plain: bool },
    /// Stop accepting on this address. Its connections stay.
    Unlisten { address: SocketAddr },
    /// Accept no more, end what runs, and return.
    Drain,
}

/// Runs a worker until it is told to drain and all its connections have ended, or the time for
/// that is over.
pub(crate) fn run(
    common: &Arc<Common>,
    commands: mpsc::UnboundedReceiver<Command>,
) -> io::Result<()> {
    let turn = Turn::default();
    let next_turn = turn.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_unpark(move || next_turn.begin())
        // Accept and read often enough under load, without asking the system every few tasks.
        .event_interval(61)
        // For slow disks, compression and passwords; more threads would only take cores from us.
        .max_blocking_threads(BLOCKING_THREADS)
        .build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, work(common.clone(), commands, turn));
    drop(local);
    // A thread that waits for a disk which never answers must not keep the process.
    runtime.shutdown_background();
    Ok(())
}

async fn work(common: Arc<Common>, mut commands: mpsc::UnboundedReceiver<Command>, turn: Turn) {
    let registry = Registry::new(turn.clone());
    let place = Place {
        turn: turn.clone(),
        room: Rc::default(),
    };
    let worker = Rc::new(Worker {
        secure: common.apps.secure(&place),
        plain: common.apps.plain(&place),
        dates: Rc::new(Dates::new(turn.clone())),
        registry,
        common,
    });
    let mut accepting: Vec<Accepting> = Vec::new();
    while let Some(command) = commands.recv().await {
        match command {
            Command::Listen {
                address,
                socket,
                plain,
            } => {
                let plain = Rc::new(Cell::new(plain));
                let (stop, stopped) = mpsc::channel(1);
                let accept = accept(worker.clone(), socket, plain.clone(), stopped);
                accepting.push(Accepting {
                    address,
                    plain,
                    task: tokio::task::spawn_local(accept),
                    stop,
                });
            }
            Command::Speak { address, plain } => {
                for listener in accepting.iter().filter(|one| one.address == address) {
                    listener.plain.set(plain);
                }
            }
            Command::Unlisten { address } => {
                // Dropping the sender ends the accept loop.
                accepting.retain(|listener| listener.address != address);
            }
            Command::Drain => break,
        }
    }
    for Accepting { task, stop, .. } in accepting {
        drop(stop);
        let _ = task.await;
    }
    worker.registry.drain();
    let drain_timeout = worker.common.limits.load().drain_timeout;
    let _ = tokio::time::timeout(drain_timeout, worker.registry.emptied()).await;
}

/// An address that is accepted on.
struct Accepting {
    address: SocketAddr,
    plain: Rc<Cell<bool>>,
    task: JoinHandle<()>,
    /// Accepting ends when this is dropped.
    stop: mpsc::Sender<()>,
}

/// The number of a worker's turn: what was found out about the world in one turn of the event loop
/// holds for all requests of that turn. They were on their way before it began, or nearly so: a
/// turn is well under a millisecond.
///
/// Measured with 1 KiB over HTTP/1.1, 32 connections, nine runs in turns: looking at the file and
/// the clock once a turn, 9.1 µs a request; once a poll, 10.7 µs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn(Arc<AtomicU64>);

impl Turn {
    pub(crate) fn number(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Only the worker's own thread does this: the atomic is for a callback that might be anyone's.
    pub(crate) fn begin(&self) {
        self.0.store(self.number() + 1, Relaxed);
    }
}

struct Worker {
    common: Arc<Common>,
    registry: Rc<Registry>,
    secure: Rc<dyn App>,
    plain: Rc<dyn App>,
    dates: Rc<Dates>,
}

/// Accepts connections until `stopped` has no sender any more; then takes those that had already
/// been queued, since closing the socket would reset them.
async fn accept(
    worker: Rc<Worker>,
    socket: std::net::TcpListener,
    plain: Rc<Cell<bool>>,
    mut stopped: mpsc::Receiver<()>,
) {
    let Ok(listener) = TcpListener::from_std(socket) else {
        return;
    };
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => worker.take(accepted, plain.get()).await,
            _ = stopped.recv() => break,
        }
    }
    std::future::poll_fn(|cx| {
        while let std::task::Poll::Ready(accepted) = listener.poll_accept(cx) {
            let Ok((tcp, peer)) = accepted else { break };
            worker.enter(tcp, peer, plain.get());
        }
        std::task::Poll::Ready(())
    })
    .await;
}

impl Worker {
    async fn take(self: &Rc<Self>, accepted: io::Result<(TcpStream, SocketAddr)>, plain: bool) {
        match accepted {
            Ok((tcp, peer)) => {
                // A burst is accepted without a pause: those told to go get a turn to do so before
                // someone new is refused in their stead.
                if self.registry.open() >= self.most() + OVERDRAFT {
                    tokio::task::yield_now().await;
                }
                self.enter(tcp, peer, plain);
            }
            Err(error) if is_out_of_files(&error) => {
                self.common.notices.tell(Notice::OutOfFiles);
                self.registry.make_room(self.registry.open());
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
            // The client went away between its connection and our accept.
            Err(_) => {}
        }
    }

    /// Connections that this worker may hold.
    fn most(&self) -> usize {
        self.common.connections_a_worker.load(Relaxed)
    }

    /// Gives a connection its task, if there is room for it.
    fn enter(self: &Rc<Self>, tcp: TcpStream, peer: SocketAddr, plain: bool) {
        let limits = self.common.limits.load_full();
        let Some(pass) = self
            .common
            .gate
            .admit(peer.ip(), limits.connections_per_address)
        else {
            let client = gate::client_key(peer.ip());
            self.common.notices.tell(Notice::TooManyFromOne(client));
            return;
        };
        if self.registry.open() >= self.most() {
            self.common.notices.tell(Notice::TooManyConnections);
            self.registry.make_room(self.most());
            // Evicted connections need a moment to go. A few more are let in meanwhile.
            if self.registry.open() >= self.most() + OVERDRAFT {
                return;
            }
        }
        let lease = self.registry.enter(&limits);
        let worker = self.clone();
        tokio::task::spawn_local(async move {
            if plain {
                worker.serve_plain(tcp, peer, &lease, &limits).await;
            } else {
                worker.serve_secure(tcp, peer, &lease, &limits).await;
            }
            drop(pass);
        });
    }

    async fn serve_secure(&self, tcp: TcpStream, peer: SocketAddr, lease: &Lease, limits: &Limits) {
        let Ok(local) = tcp.local_addr() else { return };
        let tls = self.common.tls.load_full();
        // Boxed, so that the connection does not carry the room for its handshake all its life:
        // that is 7 KiB of an idle connection's 17.
        let handshake = Box::pin(handshake::accept(tcp, &tls, limits.handshake_timeout));
        let (stream, recorder) = match lease.unless_evicted(handshake).await {
            Some(Ok(established)) => established,
            Some(Err(HandshakeError::PlainHttp { request, bytes })) => {
                let refused = Refused {
                    line: Refused::line_of(&request),
                    version: http::Version::HTTP_11,
                    since: None,
                    status: http::StatusCode::BAD_REQUEST,
                    bytes,
                };
                let tls = None;
                self.secure
                    .refused(&refused, &Connection { peer, local, tls });
                return;
            }
            Some(Err(_)) | None => return,
        };
        let Some(established) = stream.connection() else {
            return;
        };
        let http2 = established.alpn_protocol() == Some(b"h2");
        let connection = Arc::new(Connection::tls(peer, local, established, recorder, &tls));
        drop(tls);
        let app = self.secure.clone();
        if http2 {
            // Boxed, so that connections without HTTP/2 do not carry the room for it.
            let dates = self.dates.clone();
            Box::pin(http2::serve(stream, app, connection, lease, limits, dates)).await;
        } else {
            http1::serve(stream, app, connection, lease, limits, &self.dates).await;
        }
    }

    async fn serve_plain(&self, tcp: TcpStream, peer: SocketAddr, lease: &Lease, limits: &Limits) {
        let Ok(local) = tcp.local_addr() else { return };
        let connection = Arc::new(Connection {
            peer,
            local,
            tls: None,
        });
        let app = self.plain.clone();
        http1::serve(
            Stream::plain(tcp),
            app,
            connection,
            lease,
            limits,
            &self.dates,
        )
        .await;
    }
}

/// The `Date` of responses (RFC 9110, section 6.6.1), written once a second. The clock is read once
/// a turn.
#[derive(Debug, Default)]
pub(crate) struct Dates {
    turn: Turn,
    cached: RefCell<Date>,
}

#[derive(Debug)]
struct Date {
    turn: u64,
    second: u64,
    value: HeaderValue,
}

impl Default for Date {
    fn default() -> Self {
        Self {
            turn: u64::MAX,
            second: u64::MAX,
            value: HeaderValue::from_static(""),
        }
    }
}

impl Dates {
    pub(crate) fn new(turn: Turn) -> Self {
        Self {
            turn,
            ..Self::default()
        }
    }

    pub(crate) fn now(&self) -> HeaderValue {
        let turn = self.turn.number();
        let mut cached = self.cached.borrow_mut();
        if cached.turn != turn {
            cached.turn = turn;
            let now = SystemTime::now();
            let second = now
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            if cached.second != second
                && let Ok(value) = HeaderValue::try_from(httpdate::fmt_http_date(now))
            {
                cached.second = second;
                cached.value = value;
            }
        }
        cached.value.clone()
    }
}
