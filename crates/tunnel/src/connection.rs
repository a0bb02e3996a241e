//! The life of one connection, from its first octet to its record.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime};

use ravelin_pki::Certificate;
use ravelin_tls::proxy_protocol::{self, Addresses, ClientCertificate, ClientTls, Header};
use ravelin_tls::starttls::{Offer, Protocol, Rewrite, mysql};
use rustls::Connection;
use rustls::pki_types::ServerName;
use tokio::time::timeout;

use crate::allow::allows;
use crate::backends::{Target, reach};
use crate::end::{End, Scratch, Sink as _, send_all};
use crate::meters::{Meters, Open};
use crate::pipe::{self, Moved, Pipe, Stopped};
use crate::plan::{Entry, Originate, ProxyVersion, Service, Terminate, Tunnel};
use crate::record::{Ending, Record, ServiceError, TlsFacts};
use crate::secure::HandshakeError;
use crate::socket::Socket;
use crate::worker::{Notice, Worker};
use crate::{preamble, secure};

/// Serves one client, and tells of it in the end, however that comes.
pub(crate) async fn serve(worker: Rc<Worker>, tunnel: Arc<Tunnel>, socket: Socket) {
    let _open = Open::new(&tunnel.meters);
    let mut told = Told::new(worker.clone(), &tunnel, &socket);
    let carried = match establish(&worker, &tunnel, socket, &mut told).await {
        Ok(both) => carry(&worker, &tunnel, &both, &mut told).await,
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
    service: Reached,
}

/// A server that answers.
struct Reached {
    end: End,
    /// What it greeted with, where nobody has heard that yet.
    greeting: Vec<u8>,
    used: Used,
}

async fn establish(
    worker: &Worker,
    tunnel: &Tunnel,
    socket: Socket,
    told: &mut Told,
) -> Result<Both, Ending> {
    // Boxed, so that a connection does not carry the room for its beginning all its life.
    let (client, service) = Box::pin(enter(worker, tunnel, socket, told)).await?;
    let service = match service {
        Some(service) => service,
        None => {
            let service = tunnel
                .service_of(told.record.server_name.as_deref())
                .ok_or(Ending::NoService)?;
            if is_asked_late(service) {
                return Err(Ending::StartTls(NOT_HEARD.to_owned()));
            }
            let reached = Box::pin(reach_service(worker, tunnel, service, told)).await?;
            client.put(&reached.greeting).map_err(Ending::Client)?;
            reached
        }
    };
    Ok(Both { client, service })
}

/// What comes before the client's first octet for the service. A service that speaks first is reached on the way.
async fn enter(
    worker: &Worker,
    tunnel: &Tunnel,
    socket: Socket,
    told: &mut Told,
) -> Result<(End, Option<Reached>), Ending> {
    let begun = Instant::now();
    let scratch = &worker.scratch;
    let most = tunnel.limits.handshake_timeout;
    let mut early = Vec::new();
    if tunnel.takes_proxy_header {
        let header = preamble::proxy_header(&socket, &mut early, scratch);
        let header = within(most, tunnel, header).await?;
        if let Some(addresses) = header.addresses {
            told.record.client = Some(addresses.source);
            told.destination = Some(addresses.destination);
        }
    }
    let (clear, reached) = match greeting(worker, tunnel, told).await {
        Ok(greeting) => greeting,
        Err((protocol, ending)) => {
            let farewell = send_all(&socket, Offer::unavailable(protocol));
            let _ = timeout(FAREWELL, farewell).await;
            return Err(ending);
        }
    };
    let left = most.saturating_sub(begun.elapsed());
    let entering = enter_tls(scratch, tunnel, socket, early, clear, &mut told.record);
    let (client, request) = within(left, tunnel, entering).await?;
    if let Entry::Terminate(terminate) = &tunnel.entry {
        judge(&client, terminate, tunnel, told)?;
    }
    match reached {
        Some(reached) if is_asked_late(&reached.used.0) => {
            let reached = ask_late(worker, tunnel, reached, &request, told).await?;
            Ok((client, Some(reached)))
        }
        reached => Ok((client, reached)),
    }
}

/// What is said in clear to a client.
enum Clear {
    Nothing,
    /// That it has to begin TLS.
    Offer(Offer),
    /// That it has none, before its server is asked for it.
    Mysql(mysql::Originate),
}

/// What a client is to hear first, and the service, where that speaks first. What fails, fails in a protocol that a
/// client can be told in.
async fn greeting(
    worker: &Worker,
    tunnel: &Tunnel,
    told: &mut Told,
) -> Result<(Clear, Option<Reached>), (Protocol, Ending)> {
    let protocol = match (starttls(tunnel), &tunnel.entry, &tunnel.service) {
        (Some(protocol), _, _) => protocol,
        (None, Entry::Plain, Some(service)) if is_asked_late(service) => Protocol::Mysql,
        _ => return Ok((Clear::Nothing, None)),
    };
    let failed = |ending| (protocol, ending);
    if !Offer::greets(protocol) {
        let offer = Offer::new(protocol, &[]);
        let offer = offer.map_err(|error| failed(Ending::StartTls(error.to_string())))?;
        return Ok((Clear::Offer(offer), None));
    }
    let service = tunnel.service.as_ref();
    let service = service.ok_or_else(|| failed(Ending::NoService))?;
    let greeted = greeted(worker, tunnel, service, protocol, told).await;
    let (reached, greeting) = greeted.map_err(failed)?;
    let wrong = |why| failed(Ending::Unreachable(ServiceError::StartTls(why)));
    let clear = if starttls(tunnel).is_some() {
        Clear::Offer(Offer::new(protocol, &greeting).map_err(|error| wrong(error.to_string()))?)
    } else {
        let originate = mysql::Originate::new(&greeting);
        Clear::Mysql(originate.map_err(|error| wrong(error.to_string()))?)
    };
    Ok((clear, Some(reached)))
}

/// What comes of a client that has so long for it.
async fn within<T>(
    left: Duration,
    tunnel: &Tunnel,
    entering: impl Future<Output = Result<T, Ending>>,
) -> Result<T, Ending> {
    let entered = timeout(left, entering).await;
    let entered = entered.unwrap_or_else(|_| Err(Ending::TooSlow(tunnel.limits.handshake_timeout)));
    match &entered {
        Ok(_) => {}
        Err(Ending::NotAllowed) => Meters::one(&tunnel.meters.not_allowed),
        Err(_) => Meters::one(&tunnel.meters.handshakes_failed),
    }
    entered
}

/// What comes before TLS, and TLS. With what a client asked for it.
async fn enter_tls(
    scratch: &Scratch,
    tunnel: &Tunnel,
    socket: Socket,
    mut early: Vec<u8>,
    clear: Clear,
    record: &mut Record,
) -> Result<(End, Vec<u8>), Ending> {
    let request = match clear {
        Clear::Nothing => Vec::new(),
        Clear::Offer(offer) => preamble::offer(&socket, &mut early, offer, scratch).await?,
        Clear::Mysql(originate) => {
            preamble::introduce(&socket, &mut early, originate, scratch).await?
        }
    };
    let end = match &tunnel.entry {
        Entry::Plain => {
            let service = tunnel.service.as_ref();
            let originate = service.and_then(|service| service.originate.as_ref());
            if originate.is_some_and(|tls| tls.starttls == Some(Protocol::Postgres)) {
                preamble::decline(&socket, &mut early, scratch).await?;
            }
            End::plain(socket, early)
        }
        Entry::Pass => {
            let (accepted, _) = secure::hello(&socket, &mut early, scratch)
                .await
                .map_err(Ending::Handshake)?;
            record.server_name = accepted.client_hello().server_name().map(str::to_owned);
            End::plain(socket, early)
        }
        Entry::Terminate(terminate) => {
            let accepted = secure::accept(socket, early, &terminate.tls, scratch).await;
            accepted.map_err(|error| match error {
                HandshakeError::NotAllowed(certificate) => {
                    let certificate = Certificate::from_der(&certificate).ok();
                    record.identity = certificate.as_ref().map(called);
                    Ending::NotAllowed
                }
                error => Ending::Handshake(error),
            })?
        }
    };
    Ok((end, request))
}

/// What clients speak before TLS.
fn starttls(tunnel: &Tunnel) -> Option<Protocol> {
    match &tunnel.entry {
        Entry::Terminate(terminate) => terminate.starttls,
        Entry::Plain | Entry::Pass => None,
    }
}

/// A service, and what it has greeted with.
async fn greeted(
    worker: &Worker,
    tunnel: &Tunnel,
    service: &Arc<Service>,
    protocol: Protocol,
    told: &mut Told,
) -> Result<(Reached, Vec<u8>), Ending> {
    let mut reached = reach_service(worker, tunnel, service, told).await?;
    let mut greeting = std::mem::take(&mut reached.greeting);
    if greeting.is_empty() {
        let reading = preamble::greeting(&reached.end, protocol, &worker.scratch);
        let read = timeout(service.connect_timeout, reading).await;
        let read = read.unwrap_or(Err(ServiceError::TooSlow(service.connect_timeout)));
        greeting = read.map_err(|error| {
            failed(worker, tunnel, service, reached.used.1, &error);
            Ending::Unreachable(error)
        })?;
    }
    Ok((reached, greeting))
}

/// Who the client is, and whether it may pass. The handshake has seen to that, but where a session was resumed.
fn judge(
    client: &End,
    terminate: &Terminate,
    tunnel: &Tunnel,
    told: &mut Told,
) -> Result<(), Ending> {
    let record = &mut told.record;
    let certificate = client.with_tls(|tls| {
        record.tls = TlsFacts::of(tls);
        if let Connection::Server(server) = tls {
            record.server_name = server.server_name().map(str::to_owned);
        }
        leaf(tls)
    });
    let alpn = record.tls.as_ref().and_then(|tls| tls.alpn.as_deref());
    if terminate.tls.is_validation(alpn.map(str::as_bytes)) {
        return Err(Ending::Validation);
    }
    if record.tls.as_ref().is_some_and(|tls| tls.resumed) {
        Meters::one(&tunnel.meters.resumed);
    }
    let certificate = certificate.flatten();
    record.identity = certificate.as_ref().map(called);
    told.common_name = certificate
        .as_ref()
        .and_then(|certificate| certificate.common_name().map(str::to_owned));
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
    told: &mut Told,
) -> Result<Reached, Ending> {
    let header = service.proxy_header.map(|version| told.header(version));
    let mut last = ServiceError::Connect(io::ErrorKind::NotFound.into());
    for server in service.backends.order() {
        let target = service.backends.target(server);
        let attempt = begin(worker, service, target, header.as_deref());
        let attempt = match timeout(service.connect_timeout, attempt).await {
            Ok(attempt) => attempt,
            Err(_) => Err(ServiceError::TooSlow(service.connect_timeout)),
        };
        match attempt {
            Ok((end, greeting)) => {
                service.backends.answered(server);
                Meters::one(&tunnel.meters.established);
                told.record.service = Some(target.to_string());
                told.record.service_tls = end.with_tls(TlsFacts::of).flatten();
                return Ok(Reached {
                    end,
                    greeting,
                    used: Used(service.clone(), server),
                });
            }
            Err(error) => {
                failed(worker, tunnel, service, server, &error);
                last = error;
            }
        }
    }
    Err(Ending::Unreachable(last))
}

fn failed(worker: &Worker, tunnel: &Tunnel, service: &Service, server: usize, why: &ServiceError) {
    service.backends.failed(server);
    Meters::one(&tunnel.meters.service_failures);
    worker.tell(Notice::ServiceFailed {
        tunnel: tunnel.name.clone(),
        server: service.backends.target(server).to_string(),
        why: why.to_string(),
    });
}

/// Whether a server is asked for TLS only once its client was heard, whose words are needed for that.
fn is_asked_late(service: &Service) -> bool {
    let originate = service.originate.as_ref();
    originate.is_some_and(|tls| tls.starttls == Some(Protocol::Mysql))
}

/// Begins TLS with a server of `MySQL` by the `request` that its client made.
async fn ask_late(
    worker: &Worker,
    tunnel: &Tunnel,
    reached: Reached,
    request: &[u8],
    told: &mut Told,
) -> Result<Reached, Ending> {
    let Reached { end, used, .. } = reached;
    let (service, server) = (&used.0, used.1);
    let beginning = async {
        let originate = service.originate.as_ref().filter(|_| !request.is_empty());
        let originate = originate.ok_or_else(|| ServiceError::StartTls(NOT_HEARD.to_owned()))?;
        send_all(&end.socket, request)
            .await
            .map_err(ServiceError::Connect)?;
        let name = name_of(originate, service.backends.target(server))?;
        secured(worker, originate, end.socket, name).await
    };
    let begun = timeout(service.connect_timeout, beginning).await;
    match begun.unwrap_or(Err(ServiceError::TooSlow(service.connect_timeout))) {
        Ok(end) => {
            told.record.service_tls = end.with_tls(TlsFacts::of).flatten();
            let greeting = Vec::new();
            Ok(Reached {
                end,
                greeting,
                used,
            })
        }
        Err(error) => {
            failed(worker, tunnel, service, server, &error);
            Err(Ending::Unreachable(error))
        }
    }
}

/// A connection to a server, up to where octets may flow, and what the server greeted with before TLS.
async fn begin(
    worker: &Worker,
    service: &Service,
    target: &Target,
    header: Option<&[u8]>,
) -> Result<(End, Vec<u8>), ServiceError> {
    let socket = reach(target).await.map_err(ServiceError::Connect)?;
    if let Some(header) = header {
        send_all(&socket, header)
            .await
            .map_err(ServiceError::Connect)?;
    }
    let Some(originate) = &service.originate else {
        return Ok((End::plain(socket, Vec::new()), Vec::new()));
    };
    let name = name_of(originate, target)?;
    let mut greeting = Vec::new();
    if is_asked_late(service) {
        let end = End::plain(socket, Vec::new());
        let greeting = preamble::greeting(&end, Protocol::Mysql, &worker.scratch).await?;
        return Ok((end, greeting));
    }
    if let Some(protocol) = originate.starttls {
        let host = name.to_str();
        greeting = preamble::begin_tls(&socket, protocol, &host, &worker.scratch).await?;
    }
    let end = secured(worker, originate, socket, name).await?;
    Ok((end, greeting))
}

/// TLS with a server that may be taken.
async fn secured(
    worker: &Worker,
    originate: &Originate,
    socket: Socket,
    name: ServerName<'static>,
) -> Result<End, ServiceError> {
    let end = secure::connect(socket, originate.config.clone(), name, &worker.scratch)
        .await
        .map_err(ServiceError::Handshake)?;
    // It is read only where somebody asks what is in it.
    if !originate.allow.is_empty()
        && !allows(&originate.allow, end.with_tls(leaf).flatten().as_ref())
    {
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
    let (moved, counted) = (&told.moved, &told.counted);
    let meters = &tunnel.meters;
    let originate = both.service.used.0.originate.as_ref();
    let by_service = originate.and_then(|originate| originate.starttls);
    let rewrite = Rewrite::between(starttls(tunnel), by_service).map(RefCell::new);
    let pipe = Pipe {
        client: &both.client,
        service: &both.service.end,
        rewrite: rewrite.as_ref(),
        moved,
    };
    let idle = tunnel.limits.idle_timeout;
    let carried = pipe::carry(&pipe, &worker.scratch, idle, || {
        count(moved, counted, meters);
    });
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
    /// Where the client connected to.
    destination: Option<SocketAddr>,
    /// That of the client's certificate.
    common_name: Option<String>,
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
            destination: socket.local(),
            common_name: None,
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

impl Told {
    /// What servers are told of the client.
    fn header(&self, version: ProxyVersion) -> Vec<u8> {
        let addresses = self.record.client.zip(self.destination);
        let addresses = addresses.map(|(source, destination)| Addresses {
            source,
            destination,
        });
        if version == ProxyVersion::V1 {
            return proxy_protocol::write_v1(addresses.as_ref());
        }
        let tls = self.record.tls.as_ref();
        proxy_protocol::write_v2(&Header {
            addresses,
            alpn: tls.and_then(|tls| Some(tls.alpn.as_ref()?.as_bytes().to_vec())),
            authority: self.record.server_name.clone(),
            tls: tls.map(|tls| ClientTls {
                version: Some(tls.version.to_owned()),
                cipher: Some(tls.suite.to_owned()),
                certificate: self.record.identity.as_ref().map(|_| ClientCertificate {
                    verified: true,
                    common_name: self.common_name.clone(),
                }),
            }),
        })
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

/// How long a client may take to hear that there is no service.
const FAREWELL: Duration = Duration::from_secs(1);

const NOT_HEARD: &str = "a MySQL server is asked for TLS in its client's words, which this client does not say in clear";
