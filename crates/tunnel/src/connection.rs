//! The life of one connection, from its first octet to its record.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Instant, SystemTime};

use ravelin_pki::Certificate;
use rustls::Connection;
use rustls::pki_types::ServerName;
use tokio::time::timeout;

use crate::allow::allows;
use crate::backends::{Target, reach};
use crate::end::End;
use crate::meters::{Meters, Open};
use crate::pipe::{self, Moved, Stopped};
use crate::plan::{Entry, Originate, Service, Terminate, Tunnel};
use crate::record::{Ending, Record, ServiceError, TlsFacts};
use crate::secure;
use crate::socket::Socket;
use crate::worker::{Notice, Worker};

/// Serves one client, and tells of it in the end, however that comes.
pub(crate) async fn serve(worker: Rc<Worker>, tunnel: Arc<Tunnel>, socket: Socket) {
    let _open = Open::new(&tunnel.meters);
    let mut told = Told::new(worker.clone(), &tunnel, &socket);
    let carried = match establish(&worker, &tunnel, socket, &mut told).await {
        Ok(mut both) => {
            told.used = both.used.take();
            carry(&worker, &tunnel, &both, &mut told).await
        }
        Err(ending) => Err(ending),
    };
    told.record.ending = match carried {
        Ok(()) => Ending::Done,
        Err(ending) => ending,
    };
}

/// Both ends of a connection.
struct Both {
    client: End,
    service: End,
    used: Option<Used>,
}

async fn establish(
    worker: &Worker,
    tunnel: &Tunnel,
    socket: Socket,
    told: &mut Told,
) -> Result<Both, Ending> {
    // Boxed, so that a connection does not carry the room for its beginning all its life.
    let entered = Box::pin(timeout(
        tunnel.limits.handshake_timeout,
        enter(worker, tunnel, socket, &mut told.record),
    ));
    let client = match entered.await {
        Ok(Ok(client)) => client,
        failed => {
            Meters::one(&tunnel.meters.handshakes_failed);
            return Err(match failed {
                Ok(Err(ending)) => ending,
                _ => Ending::TooSlow(tunnel.limits.handshake_timeout),
            });
        }
    };
    if let Entry::Terminate(terminate) = &tunnel.entry {
        judge(&client, terminate, tunnel, &mut told.record)?;
    }
    let service = tunnel
        .service_of(told.record.server_name.as_deref())
        .ok_or(Ending::NoService)?;
    Box::pin(reach_service(worker, tunnel, service, client, told)).await
}

/// What comes before the client's first octet for the service.
async fn enter(
    worker: &Worker,
    tunnel: &Tunnel,
    socket: Socket,
    record: &mut Record,
) -> Result<End, Ending> {
    let mut early = Vec::new();
    match &tunnel.entry {
        Entry::Plain => Ok(End::plain(socket, early)),
        Entry::Pass => {
            let (accepted, _) = secure::hello(&socket, &mut early, &worker.scratch)
                .await
                .map_err(Ending::Handshake)?;
            record.server_name = accepted.client_hello().server_name().map(str::to_owned);
            Ok(End::plain(socket, early))
        }
        Entry::Terminate(terminate) => {
            secure::accept(socket, early, &terminate.tls, &worker.scratch)
                .await
                .map_err(Ending::Handshake)
        }
    }
}

/// Who the client is, and whether it may pass.
fn judge(
    client: &End,
    terminate: &Terminate,
    tunnel: &Tunnel,
    record: &mut Record,
) -> Result<(), Ending> {
    let certificate = client.with_tls(|tls| {
        record.tls = TlsFacts::of(tls);
        if let Connection::Server(server) = tls {
            record.server_name = server.server_name().map(str::to_owned);
        }
        leaf(tls)
    });
    if record.tls.as_ref().is_some_and(|tls| tls.resumed) {
        Meters::one(&tunnel.meters.resumed);
    }
    let certificate = certificate.flatten();
    record.identity = certificate.as_ref().map(called);
    if allows(&terminate.allow, certificate.as_ref()) {
        return Ok(());
    }
    Meters::one(&tunnel.meters.not_allowed);
    Err(Ending::NotAllowed)
}

/// The other end's own certificate.
fn leaf(tls: &Connection) -> Option<Certificate> {
    let der = tls.peer_certificates()?.first()?;
    Certificate::from_der(der).ok()
}

/// Whose certificate it is.
fn called(certificate: &Certificate) -> String {
    match certificate.subject() {
        "" => certificate.title(),
        subject => subject.to_owned(),
    }
}

/// Connects to the first server of the service that answers.
async fn reach_service(
    worker: &Worker,
    tunnel: &Tunnel,
    service: &Arc<Service>,
    client: End,
    told: &mut Told,
) -> Result<Both, Ending> {
    let mut last = ServiceError::Connect(io::ErrorKind::NotFound.into());
    for server in service.backends.order() {
        let target = service.backends.target(server);
        let attempt = begin(worker, service, target);
        let attempt = match timeout(service.connect_timeout, attempt).await {
            Ok(attempt) => attempt,
            Err(_) => Err(ServiceError::TooSlow(service.connect_timeout)),
        };
        match attempt {
            Ok(end) => {
                service.backends.answered(server);
                Meters::one(&tunnel.meters.established);
                told.record.service = Some(target.to_string());
                told.record.service_tls = end.with_tls(TlsFacts::of).flatten();
                return Ok(Both {
                    client,
                    service: end,
                    used: Some(Used(service.clone(), server)),
                });
            }
            Err(error) => {
                service.backends.failed(server);
                Meters::one(&tunnel.meters.service_failures);
                worker.tell(Notice::ServiceFailed {
                    tunnel: tunnel.name.clone(),
                    server: target.to_string(),
                    why: error.to_string(),
                });
                last = error;
            }
        }
    }
    Err(Ending::Unreachable(last))
}

/// A connection to a server, up to where octets may flow.
async fn begin(worker: &Worker, service: &Service, target: &Target) -> Result<End, ServiceError> {
    let socket = reach(target).await.map_err(ServiceError::Connect)?;
    let Some(originate) = &service.originate else {
        return Ok(End::plain(socket, Vec::new()));
    };
    let name = name_of(originate, target)?;
    let end = secure::connect(socket, originate.config.clone(), name, &worker.scratch)
        .await
        .map_err(ServiceError::Handshake)?;
    let certificate = end.with_tls(leaf).flatten();
    if !allows(&originate.allow, certificate.as_ref()) {
        return Err(ServiceError::NotAllowed);
    }
    Ok(end)
}

/// The name that a server's certificate has to be for.
fn name_of(originate: &Originate, target: &Target) -> Result<ServerName<'static>, ServiceError> {
    if let Some(name) = &originate.name {
        return Ok(name.clone());
    }
    let host = match target {
        Target::Tcp { host, .. } => host.clone(),
        Target::Unix(_) => String::new(),
    };
    ServerName::try_from(host)
        .map_err(|error| ServiceError::Connect(io::Error::new(io::ErrorKind::InvalidInput, error)))
}

async fn carry(
    worker: &Worker,
    tunnel: &Tunnel,
    both: &Both,
    told: &mut Told,
) -> Result<(), Ending> {
    let moved = &told.moved;
    let meters = &tunnel.meters;
    let counted = &told.counted;
    let carried = pipe::carry(
        &both.client,
        &both.service,
        &worker.scratch,
        moved,
        tunnel.limits.idle_timeout,
        || count(moved, counted, meters),
    );
    carried.await.map_err(|stopped| match stopped {
        Stopped::Idle(time) => Ending::Idle(time),
        Stopped::Client(error) => Ending::Client(error),
        Stopped::Service(error) => Ending::Service(error),
    })
}

/// Adds what has moved since it was last counted.
fn count(moved: &Moved, counted: &Moved, meters: &Meters) {
    let (up, down) = (moved.up.get(), moved.down.get());
    meters.up.fetch_add(up - counted.up.replace(up), Relaxed);
    meters
        .down
        .fetch_add(down - counted.down.replace(down), Relaxed);
}

/// A server that is counted as having a connection.
struct Used(Arc<Service>, usize);

impl Drop for Used {
    fn drop(&mut self) {
        self.0.backends.left(self.1);
    }
}

/// What is known of a connection, told when it is dropped.
struct Told {
    worker: Rc<Worker>,
    meters: Arc<Meters>,
    since: Instant,
    moved: Moved,
    /// How much of that the meters know.
    counted: Moved,
    used: Option<Used>,
    record: Record,
}

impl Told {
    fn new(worker: Rc<Worker>, tunnel: &Tunnel, socket: &Socket) -> Self {
        Self {
            worker,
            meters: tunnel.meters.clone(),
            since: Instant::now(),
            moved: Moved::default(),
            counted: Moved::default(),
            used: None,
            record: Record {
                time: SystemTime::now(),
                tunnel: tunnel.name.clone(),
                client: socket.peer(),
                server_name: None,
                tls: None,
                identity: None,
                service: None,
                service_tls: None,
                received: 0,
                sent: 0,
                duration: std::time::Duration::ZERO,
                // What becomes of connections whose task is dropped.
                ending: Ending::Stopped,
            },
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        count(&self.moved, &self.counted, &self.meters);
        self.record.received = self.moved.up.get();
        self.record.sent = self.moved.down.get();
        self.record.duration = self.since.elapsed();
        self.worker.record(&self.record);
    }
}
