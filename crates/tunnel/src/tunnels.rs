//! Running tunnels: their workers, and how they are told of changes.

use std::collections::HashMap;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io, thread};

use arc_swap::ArcSwap;
use ravelin_net::capacity::files_for_connections;
use ravelin_net::{Gate, ListenError, Listener, worker_count};
use tokio::sync::mpsc;

use crate::meters;
use crate::plan::{Place, Tunnel};
use crate::record::Record;
use crate::worker::{self, Command, Common, Listening, Notice, Plan};

/// A place that is listened on, before anybody is served there.
#[derive(Debug)]
pub enum Door {
    /// An address, with a socket for each worker.
    Tcp(Listener),
    /// A Unix socket, whose queue the workers share.
    Unix(Place, UnixListener),
}

/// Why a place cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// An address.
    #[error(transparent)]
    Tcp(ListenError),
    /// A Unix socket.
    #[error("cannot listen on the Unix socket \"{path}\"")]
    Unix {
        /// Its path.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Door {
    /// Listens on `place` for `workers` workers, in a process that listens on the places `own` already.
    pub fn open(own: &[Place], place: &Place, workers: usize) -> Result<Self, DoorError> {
        match place {
            Place::Tcp(address) => {
                let own: Vec<_> = own
                    .iter()
                    .filter_map(|place| match place {
                        Place::Tcp(address) => Some(*address),
                        Place::Unix(_) => None,
                    })
                    .collect();
                Listener::bind_beside(&own, *address, workers)
                    .map(Self::Tcp)
                    .map_err(DoorError::Tcp)
            }
            Place::Unix(path) => listen_unix(path)
                .map(|socket| Self::Unix(place.clone(), socket))
                .map_err(|source| DoorError::Unix {
                    path: path.display().to_string(),
                    source,
                }),
        }
    }

    /// Where it is, with the port that the system chose where 0 was asked for.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Tcp(listener) => Place::Tcp(listener.address()),
            Self::Unix(place, _) => place.clone(),
        }
    }

    fn into_listening(self, workers: usize) -> io::Result<Vec<Listening>> {
        match self {
            Self::Tcp(listener) => Ok(listener
                .into_sockets()
                .into_iter()
                .map(Listening::Tcp)
                .collect()),
            Self::Unix(_, socket) => (0..workers)
                .map(|_| socket.try_clone().map(Listening::Unix))
                .collect(),
        }
    }
}

/// Listens on a Unix socket, in the place of one that nobody listens on any more.
fn listen_unix(path: &Path) -> io::Result<UnixListener> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket {
        match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path)?;
            }
            _ => return Err(io::ErrorKind::AddrInUse.into()),
        }
    }
    let socket = UnixListener::bind(path)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Tunnels that are to run.
pub struct Builder {
    workers: usize,
    record: Box<dyn Fn(&Record) + Send + Sync>,
    notice: Box<dyn Fn(Notice) + Send + Sync>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: 0,
            record: Box::new(|_| {}),
            notice: Box::new(|_| {}),
        }
    }
}

impl Builder {
    /// How many workers there are: 0, the default, for one a core.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Who is told of each connection when it is over. Called on worker threads: it must not wait.
    #[must_use]
    pub fn on_record(mut self, record: impl Fn(&Record) + Send + Sync + 'static) -> Self {
        self.record = Box::new(record);
        self
    }

    /// Who is told of what an operator should know, of each matter every ten seconds at most. Called on
    /// worker threads: it must not wait.
    #[must_use]
    pub fn on_notice(mut self, notice: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.notice = Box::new(notice);
        self
    }

    /// Starts the workers, which serve nobody yet.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub fn start(self) -> io::Result<Tunnels> {
        let common = Arc::new(Common {
            plan: ArcSwap::default(),
            gate: Arc::new(Gate::default()),
            // Each connection is two.
            most: (files_for_connections() / 2).max(1),
            record: self.record,
            notice: self.notice,
            told: Mutex::default(),
        });
        let workers = (0..worker_count(self.workers))
            .map(|index| {
                let (commands, received) = mpsc::unbounded_channel();
                let common = common.clone();
                let thread = thread::Builder::new()
                    .name(format!("tunnel-{index}"))
                    .spawn(move || worker::run(&common, received))?;
                Ok(Running { commands, thread })
            })
            .collect::<io::Result<_>>()?;
        Ok(Tunnels {
            common,
            workers,
            open: Vec::new(),
        })
    }
}

/// Tunnels that run. Dropping it leaves them running until the process ends; end them with
/// [`Tunnels::shutdown`].
pub struct Tunnels {
    common: Arc<Common>,
    workers: Vec<Running>,
    open: Vec<Place>,
}

struct Running {
    commands: mpsc::UnboundedSender<Command>,
    thread: thread::JoinHandle<io::Result<()>>,
}

impl Tunnels {
    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The places that are listened on.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.open
    }

    /// Runs these tunnels from the next connection on, in place of those that ran before, whose connections stay. The
    /// `doors` are the places that were not listened on before; those that no tunnel has any more are closed.
    ///
    /// # Errors
    ///
    /// When a Unix socket cannot be shared between workers; then nothing has changed.
    pub fn set(&mut self, tunnels: Vec<Tunnel>, doors: Vec<Door>) -> io::Result<()> {
        let mut opened = Vec::new();
        for door in doors {
            let place = door.place();
            opened.push((place, door.into_listening(self.workers())?));
        }
        let tunnels: Vec<_> = tunnels.into_iter().map(Arc::new).collect();
        let by_place: HashMap<_, _> = tunnels
            .iter()
            .flat_map(|tunnel| {
                let places = tunnel.listen.iter();
                places.map(|place| (place.clone(), tunnel.clone()))
            })
            .collect();
        let gone: Vec<_> = self
            .open
            .iter()
            .filter(|place| !by_place.contains_key(place))
            .cloned()
            .collect();
        self.common.plan.store(Arc::new(Plan { tunnels, by_place }));
        for place in gone {
            self.open.retain(|own| *own != place);
            self.tell(|| Command::Unlisten(place.clone()));
            remove_unix(&place);
        }
        for (place, listening) in opened {
            for (worker, socket) in self.workers.iter().zip(listening) {
                // A worker that has ended takes no commands; its end shows at shutdown.
                let _ = worker.commands.send(Command::Listen(place.clone(), socket));
            }
            self.open.push(place);
        }
        Ok(())
    }

    /// What tunnels have done so far, in the text format of Prometheus: a function that can be asked from anywhere.
    pub fn metrics(&self) -> impl Fn() -> String + Clone + Send + Sync + 'static + use<> {
        let common = self.common.clone();
        move || meters::text(&common.plan.load().tunnels)
    }

    fn tell(&self, command: impl Fn() -> Command) {
        for worker in &self.workers {
            let _ = worker.commands.send(command());
        }
    }

    /// Accepts no more, lets connections end for `patience` at most, and returns when all workers have ended. Blocks.
    ///
    /// # Errors
    ///
    /// When a worker could not start its event loop, or ended by itself.
    pub fn shutdown(self, patience: Duration) -> io::Result<()> {
        self.tell(|| Command::Drain(patience));
        for place in &self.open {
            remove_unix(place);
        }
        for worker in self.workers {
            worker
                .thread
                .join()
                .map_err(|_| io::Error::other("a worker panicked"))??;
        }
        Ok(())
    }
}

/// Nobody is to find a socket where nobody listens.
fn remove_unix(place: &Place) {
    if let Place::Unix(path) = place {
        let _ = fs::remove_file(path);
    }
}
