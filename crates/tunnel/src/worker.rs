//! One worker: a thread with its own event loop, listeners and connections.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use ravelin_net::{Gate, gate, is_out_of_files};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, LocalSet};

use crate::connection;
use crate::end::Scratch;
use crate::meters::Meters;
use crate::plan::{Place, Tunnel};
use crate::record::Record;
use crate::socket::Socket;

/// What happens to tunnels that their operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// There were no file descriptors left to accept with.
    OutOfFiles,
    /// A tunnel holds as many connections as it may; another was closed.
    TooMany(Arc<str>),
    /// This client holds as many connections as one may; another one of it was closed. An IPv6
    /// client is its /64.
    TooManyFromOne(IpAddr),
    /// A server of a service cannot be reached, or is not believed.
    ServiceFailed {
        /// The tunnel.
        tunnel: Arc<str>,
        /// The server.
        server: String,
        /// Why.
        why: String,
    },
}

impl Notice {
    /// What it is about: of each it is told now and then only.
    fn subject(&self) -> (u8, String) {
        match self {
            Self::OutOfFiles => (0, String::new()),
            Self::TooMany(tunnel) => (1, tunnel.to_string()),
            Self::TooManyFromOne(_) => (2, String::new()),
            Self::ServiceFailed { server, .. } => (3, server.clone()),
        }
    }
}

/// What all workers have in common. Nothing here is locked while octets flow.
pub(crate) struct Common {
    pub(crate) plan: ArcSwap<Plan>,
    pub(crate) gate: Arc<Gate>,
    /// Connections that all tunnels together may hold.
    pub(crate) most: usize,
    pub(crate) record: Box<dyn Fn(&Record) + Send + Sync>,
    pub(crate) notice: Box<dyn Fn(Notice) + Send + Sync>,
    /// When each kind of notice was last given.
    pub(crate) told: Mutex<HashMap<(u8, String), Instant>>,
}

/// The tunnels, by where their clients come in.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) tunnels: Vec<Arc<Tunnel>>,
    pub(crate) by_place: HashMap<Place, Arc<Tunnel>>,
}

/// What a worker is told.
pub(crate) enum Command {
    /// Accept on this socket too.
    Listen(Place, Listening),
    /// Stop accepting there. Its connections stay.
    Unlisten(Place),
    /// Accept no more, let what is open end for so long, and return.
    Drain(Duration),
}

pub(crate) enum Listening {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// Runs a worker until it is told to drain and all its connections have ended, or the time for
/// that is over.
pub(crate) fn run(
    common: &Arc<Common>,
    commands: mpsc::UnboundedReceiver<Command>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, work(common.clone(), commands));
    // A look-up of a name that never ends must not keep the process.
    runtime.shutdown_background();
    Ok(())
}

async fn work(common: Arc<Common>, mut commands: mpsc::UnboundedReceiver<Command>) {
    let worker = Rc::new(Worker {
        common,
        scratch: Scratch::new(),
        open: Cell::new(0),
        left: Notify::new(),
    });
    let mut accepting: Vec<Accepting> = Vec::new();
    let mut patience = Duration::ZERO;
    while let Some(command) = commands.recv().await {
        match command {
            Command::Listen(place, listening) => {
                let (stop, stopped) = mpsc::channel(1);
                let task = accept(worker.clone(), place.clone(), listening, stopped);
                accepting.push(Accepting {
                    place,
                    task: tokio::task::spawn_local(task),
                    stop,
                });
            }
            // Dropping the sender ends the accept loop.
            Command::Unlisten(place) => accepting.retain(|listener| listener.place != place),
            Command::Drain(most) => {
                patience = most;
                break;
            }
        }
    }
    for Accepting { task, stop, .. } in accepting {
        drop(stop);
        let _ = task.await;
    }
    let _ = tokio::time::timeout(patience, worker.emptied()).await;
}

/// A place that is accepted at.
struct Accepting {
    place: Place,
    task: JoinHandle<()>,
    /// Accepting ends when this is dropped.
    stop: mpsc::Sender<()>,
}

pub(crate) struct Worker {
    common: Arc<Common>,
    pub(crate) scratch: Scratch,
    open: Cell<usize>,
    left: Notify,
}

impl Worker {
    pub(crate) fn record(&self, record: &Record) {
        (self.common.record)(record);
    }

    /// Tells of what happens, but not of each time: how often it happens is somebody else's choice, and would be how
    /// fast the operator's log fills.
    pub(crate) fn tell(&self, notice: Notice) {
        let subject = notice.subject();
        let mut told = self
            .common
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        told.retain(|_, when| now.duration_since(*when) < QUIET);
        if told.len() < MOST_SUBJECTS && !told.contains_key(&subject) {
            told.insert(subject, now);
            drop(told);
            (self.common.notice)(notice);
        }
    }

    async fn emptied(&self) {
        while self.open.get() > 0 {
            self.left.notified().await;
        }
    }

    /// Gives a connection its task, if there is room for it.
    fn enter(self: &Rc<Self>, place: &Place, socket: Socket) {
        let plan = self.common.plan.load();
        let Some(tunnel) = plan.by_place.get(place) else {
            return;
        };
        let limits = &tunnel.limits;
        let pass = match socket.peer() {
            Some(peer) => {
                let pass = self
                    .common
                    .gate
                    .admit(peer.ip(), limits.connections_per_address);
                if pass.is_none() {
                    Meters::one(&tunnel.meters.turned_away);
                    self.tell(Notice::TooManyFromOne(gate::client_key(peer.ip())));
                    return;
                }
                pass
            }
            None => None,
        };
        let most = limits
            .connections
            .map_or(self.common.most, |most| most.min(self.common.most));
        if tunnel.meters.open() >= most as u64 {
            Meters::one(&tunnel.meters.turned_away);
            self.tell(Notice::TooMany(tunnel.name.clone()));
            return;
        }
        let guard = Counted::new(self.clone());
        let serving = connection::serve(self.clone(), tunnel.clone(), socket);
        tokio::task::spawn_local(async move {
            serving.await;
            drop(pass);
            drop(guard);
        });
    }
}

/// A connection of a worker; dropping it ends that.
struct Counted(Rc<Worker>);

impl Counted {
    fn new(worker: Rc<Worker>) -> Self {
        worker.open.set(worker.open.get() + 1);
        Self(worker)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.left.notify_waiters();
    }
}

/// Accepts connections until `stopped` has no sender any more; those that had been queued by then too, since closing
/// the socket would reset them.
async fn accept(
    worker: Rc<Worker>,
    place: Place,
    listening: Listening,
    mut stopped: mpsc::Receiver<()>,
) {
    let Ok(listener) = Listener::new(listening) else {
        return;
    };
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => worker.take(&place, accepted).await,
            _ = stopped.recv() => return,
        }
    }
}

/// A socket of either kind that is accepted on.
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn new(listening: Listening) -> io::Result<Self> {
        match listening {
            Listening::Tcp(socket) => TcpListener::from_std(socket).map(Self::Tcp),
            Listening::Unix(socket) => UnixListener::from_std(socket).map(Self::Unix),
        }
    }

    async fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => Ok(Socket::Tcp(listener.accept().await?.0)),
            Self::Unix(listener) => Ok(Socket::Unix(listener.accept().await?.0)),
        }
    }
}

impl Worker {
    async fn take(self: &Rc<Self>, place: &Place, accepted: io::Result<Socket>) {
        match accepted {
            Ok(socket) => self.enter(place, socket),
            Err(error) if is_out_of_files(&error) => {
                self.tell(Notice::OutOfFiles);
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
            // The client went away between its connection and our accept.
            Err(_) => {}
        }
    }
}

/// How long accepting stops when the process has no file descriptors left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// What goes on and on is told of this often.
const QUIET: Duration = Duration::from_secs(10);

/// Of how many things at once.
const MOST_SUBJECTS: usize = 1000;
