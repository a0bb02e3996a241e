//! `ravelin serve` and `ravelin check`: from arguments to a running server, and through its life.

mod watch;

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_certs::trust::{self, TrustEnvironment};
use ravelin_pki::HostName;
use ravelin_server::log::{AccessLog, LogFormat, LogOptions, LogTarget, Rotation};
use ravelin_server::site::{Handler, PathPattern, Route, Site};
use ravelin_server::{Builder, Listener, SiteServer, worker_count};
use ravelin_tls::{ServerTls, Tickets};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::{CheckArguments, ListenOn, ServeArguments};
use crate::certificates::{self, Prepared};
use crate::config::{self, CertificateSource, Config, ConfiguredSite, LoadError, LogConfig};
use crate::failure::Failure;
use crate::{ravelin_home, words};

/// After a renewal that failed, the next try. Leaves are renewed a month before their end.
const RETRY_RENEWAL: Duration = Duration::from_secs(15 * 60);

/// Clocks jump and machines sleep: a renewal is looked for at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

/// Checks a config file.
pub(crate) fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let config = load(&arguments.file)?;
    let sites = config.sites.len();
    words::result(&format!(
        "{} is right: {sites} {}\n",
        arguments.file.display(),
        if sites == 1 { "site" } else { "sites" }
    ));
    Ok(ExitCode::SUCCESS)
}

/// Serves until a signal ends it.
pub(crate) fn run(arguments: &ServeArguments) -> Result<ExitCode, Failure> {
    let config = configure(arguments)?;
    raise_file_limit();
    let tickets = Tickets::new().map_err(|error| Failure::of(&error))?;
    let prepared = prepare(arguments, &config)?;
    let renew_at = prepared.renew_at;
    let tls = ServerTls::new(
        Arc::new(prepared.certificates),
        &tickets,
        ravelin_server::ALPN,
    )
    .map_err(|error| Failure::of(&error))?;
    let log = config.log.as_ref().map(start_log).transpose()?;
    // Before the first client can come and take the last file descriptor, and before anyone is told
    // that signals are understood.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of(&error))?;
    let events = {
        let _runtime = runtime.enter();
        Events::listen(&watched(&config, arguments))?
    };
    let listeners = listeners(&config)?;

    let mut builder = Builder::new(tls)
        .workers(config.workers)
        .limits(config.limits.clone())
        .on_notice(|notice| words::notice(&notice));
    if let Some(log) = &log {
        builder = builder.log(log.clone());
    }
    let sites = config.sites.iter().map(|site| site.site.clone()).collect();
    let mut server = builder
        .serve_sites(sites)
        .map_err(|error| Failure::of(&error))?;
    let addresses: Vec<_> = listeners.secure.iter().map(Listener::address).collect();
    if let Some(address) = addresses.first() {
        server.set_https_port(address.port());
    }
    let inherited = listeners.inherited;
    for listener in listeners.secure {
        server.server().listen(listener);
    }
    for listener in listeners.plain {
        server.server().listen_plain(listener);
    }

    words::started(&config, &addresses, &prepared.sources);
    if let Some(authority) = &prepared.authority {
        let environment = TrustEnvironment::of_this_machine(|name| std::env::var_os(name));
        if trust::is_trusted_by_system(authority.root_certificate(), &environment) {
            words::trusted();
        } else {
            words::not_trusted_yet(&authority.root_location(), arguments.home.home.as_deref());
        }
    }
    if std::io::stderr().is_terminal() {
        words::how_to_stop();
    }
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);

    let running = Running {
        arguments,
        config,
        server,
        tickets,
        log,
        renew_at,
        inherited,
    };
    runtime.block_on(running.live(events))
}

/// The config of the arguments: a file's, with what the command line says put over it, or that of
/// one folder.
fn configure(arguments: &ServeArguments) -> Result<Config, Failure> {
    let mut config = match (&arguments.config, &arguments.folder) {
        (Some(file), _) => load(file)?,
        (None, Some(folder)) => for_folder(folder, arguments)?,
        (None, None) => return Err(Failure::usage("there is nothing to serve")),
    };
    if !arguments.listen.is_empty() {
        config.listen.clear();
        for address in arguments.listen.iter().flat_map(ListenOn::addresses) {
            // `--listen 8443 --listen 127.0.0.1:8443` asks for one of them twice.
            if !config.listen.contains(address) || address.port() == 0 {
                config.listen.push(*address);
            }
        }
    }
    if let Some(workers) = arguments.workers {
        config.workers = workers;
    }
    Ok(config)
}

fn load(file: &Path) -> Result<Config, Failure> {
    config::load(file, SystemTime::now()).map_err(|error| match error {
        LoadError::Wrong(report) => Failure::report(report.render(true)),
        LoadError::Unreadable { .. } => Failure::of(&error),
    })
}

/// The config that `ravelin serve DIR` stands for.
fn for_folder(folder: &Path, arguments: &ServeArguments) -> Result<Config, Failure> {
    let metadata = std::fs::metadata(folder).map_err(|error| {
        Failure::local(format!("cannot serve \"{}\": {error}", folder.display()))
    })?;
    if !metadata.is_dir() {
        return Err(Failure::usage(format!(
            "cannot serve \"{}\": it is a file, not a folder",
            folder.display()
        ))
        .hint("name the folder that the file is in".to_owned()));
    }
    let root = std::path::absolute(folder).map_err(|error| Failure::of(&error))?;
    let certificate = match (&arguments.cert, &arguments.key) {
        (Some(cert), Some(key)) => CertificateSource::Files {
            cert: cert.clone(),
            key: key.clone(),
        },
        _ => CertificateSource::Local,
    };
    let hosts = if !arguments.host.is_empty() {
        arguments.host.clone()
    } else if let CertificateSource::Files { cert, .. } = &certificate {
        certificates::names_in(cert)?
    } else {
        vec![
            HostName::Dns("localhost".to_owned()),
            HostName::Ip(std::net::Ipv4Addr::LOCALHOST.into()),
            HostName::Ip(std::net::Ipv6Addr::LOCALHOST.into()),
        ]
    };
    if hosts.is_empty() {
        return Err(Failure::usage("the certificate has no host names in it")
            .hint("say which name to serve: --host NAME".to_owned()));
    }
    let watched = match &certificate {
        CertificateSource::Files { cert, key } => vec![cert.clone(), key.clone()],
        CertificateSource::Local => Vec::new(),
    };
    let mut files = config::default_files(root);
    files.listing = arguments.listing;
    let route = Route {
        path: PathPattern::Prefix("/".to_owned()),
        headers: Vec::new(),
        rewrite: None,
        auth: None,
        rate_limit: None,
        body_limit: config::DEFAULT_BODY_LIMIT,
        handler: Handler::Files(Arc::new(files)),
    };
    let site = Site {
        hosts,
        headers: Vec::new(),
        hsts: Some(config::default_hsts()),
        routes: vec![route],
    };
    let log = arguments.log.then_some(LogConfig {
        format: config::LogFormat::Combined,
        to: config::LogTarget::Stdout,
        rotate_bytes: 1,
        keep: 0,
    });
    Ok(Config {
        listen: config::default_listen(),
        redirect: Vec::new(),
        workers: 0,
        limits: ravelin_server::Limits::default(),
        log,
        sites: vec![ConfiguredSite { site, certificate }],
        local_names: Vec::new(),
        watched,
    })
}

fn prepare(arguments: &ServeArguments, config: &Config) -> Result<Prepared, Failure> {
    certificates::prepare(
        config,
        || ravelin_home::open(&arguments.home),
        SystemTime::now(),
    )
}

fn start_log(config: &LogConfig) -> Result<Arc<AccessLog>, Failure> {
    let options = LogOptions {
        format: match config.format {
            config::LogFormat::Combined => LogFormat::Combined,
            config::LogFormat::Json => LogFormat::Json,
        },
        target: match &config.to {
            config::LogTarget::Stdout => LogTarget::Stdout,
            config::LogTarget::File(path) => LogTarget::File {
                path: path.clone(),
                rotation: Some(Rotation {
                    bytes: config.rotate_bytes,
                    keep: u32::try_from(config.keep).unwrap_or(u32::MAX),
                }),
            },
        },
    };
    AccessLog::start(options)
        .map(Arc::new)
        .map_err(|error| Failure::of(&error))
}

struct Listeners {
    secure: Vec<Listener>,
    plain: Vec<Listener>,
    /// Whether the sockets came from systemd: then the config does not choose them.
    inherited: bool,
}

/// Opens all addresses, or takes over the sockets that systemd opened (`LISTEN_FDS`): those named
/// `redirect` by `FileDescriptorName=` speak plain HTTP.
fn listeners(config: &Config) -> Result<Listeners, Failure> {
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

fn bind(addresses: &[SocketAddr], workers: usize) -> Result<Vec<Listener>, Failure> {
    let mut listeners: Vec<Listener> = Vec::with_capacity(addresses.len());
    for address in addresses {
        match Listener::bind(*address, workers) {
            Ok(listener) => listeners.push(listener),
            Err(error)
                if error.source.raw_os_error() == Some(NO_SUCH_ADDRESS_FAMILY)
                    || error.source.kind() == std::io::ErrorKind::AddrNotAvailable
                        && address.ip().is_loopback() =>
            {
                words::warn(format_args!("{error}: this machine has no IPv6"));
            }
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(listeners)
}

const NO_SUCH_ADDRESS_FAMILY: i32 = rustix::io::Errno::AFNOSUPPORT.raw_os_error();

fn refused(error: &ravelin_server::ListenError) -> Failure {
    let hint = match error.source.kind() {
        std::io::ErrorKind::AddrInUse => Some(format!(
            "another program listens there (ss -ltnp 'sport = :{}' says which); \
             choose another port with --listen",
            error.address.port()
        )),
        std::io::ErrorKind::PermissionDenied => Some(format!(
            "ports below 1024 need rights: sudo setcap cap_net_bind_service=+ep \
             \"$(command -v ravelin)\", or --listen {}",
            SocketAddr::new(error.address.ip(), 8443)
        )),
        std::io::ErrorKind::AddrNotAvailable => {
            Some("this machine has no such address (ip addr lists those it has)".to_owned())
        }
        _ => None,
    };
    Failure::of(error).hint(hint)
}

/// Each connection takes a file descriptor, and the usual soft limit is for programs with few.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// What a running server waits for.
struct Events {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    files: watch::Watch,
}

impl Events {
    fn listen(files: &[PathBuf]) -> Result<Self, Failure> {
        let handler = |kind| signal(kind).map_err(|error| Failure::of(&error));
        Ok(Self {
            hangup: handler(SignalKind::hangup())?,
            terminate: handler(SignalKind::terminate())?,
            interrupt: handler(SignalKind::interrupt())?,
            files: watch::Watch::new(files),
        })
    }
}

/// The files whose change means a reload.
fn watched(config: &Config, arguments: &ServeArguments) -> Vec<PathBuf> {
    config
        .watched
        .iter()
        .chain(&arguments.config)
        .cloned()
        .collect()
}

/// A server that runs, and all that is needed to change it.
struct Running<'a> {
    arguments: &'a ServeArguments,
    config: Config,
    server: SiteServer,
    tickets: Tickets,
    log: Option<Arc<AccessLog>>,
    renew_at: Option<SystemTime>,
    inherited: bool,
}

impl Running<'_> {
    /// Waits for signals, changed files and renewals, until it is time to stop.
    async fn live(mut self, mut events: Events) -> Result<ExitCode, Failure> {
        loop {
            tokio::select! {
                _ = events.terminate.recv() => break,
                _ = events.interrupt.recv() => break,
                _ = events.hangup.recv() => {
                    if let Some(log) = &self.log
                        && let Err(error) = log.reopen()
                    {
                        words::warn(error);
                    }
                    self.reload("SIGHUP");
                    events.files.set(&watched(&self.config, self.arguments));
                }
                () = events.files.changed() => {
                    self.reload("a file has changed");
                    events.files.set(&watched(&self.config, self.arguments));
                }
                () = tokio::time::sleep(self.until_renewal()) => self.renew(),
            }
        }
        let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Stopping]);
        words::event("stopping: running requests end first");
        self.server
            .shutdown()
            .map_err(|error| Failure::of(&error))?;
        if let Some(log) = self.log
            && let Ok(log) = Arc::try_unwrap(log)
        {
            log.shutdown();
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Takes over a changed config and changed certificates, or keeps all as it is and says why.
    fn reload(&mut self, why: &str) {
        let notify = |states: &[_]| {
            let _ = sd_notify::notify(false, states);
        };
        // `Type=notify-reload` wants the time along with it (sd_notify(3)).
        match sd_notify::NotifyState::monotonic_usec_now() {
            Ok(now) => notify(&[sd_notify::NotifyState::Reloading, now]),
            Err(_) => notify(&[sd_notify::NotifyState::Reloading]),
        }
        match self.try_reload() {
            Ok(()) => words::event(format_args!("reloaded: {why}")),
            Err(failure) => {
                words::say_failure(&failure);
                words::warn("nothing was reloaded: the server goes on as before");
            }
        }
        notify(&[sd_notify::NotifyState::Ready]);
    }

    fn try_reload(&mut self) -> Result<(), Failure> {
        let config = configure(self.arguments)?;
        let prepared = prepare(self.arguments, &config)?;
        let tls = ServerTls::new(
            Arc::new(prepared.certificates),
            &self.tickets,
            ravelin_server::ALPN,
        )
        .map_err(|error| Failure::of(&error))?;
        let moved = config.listen != self.config.listen || config.redirect != self.config.redirect;
        if moved && !self.inherited {
            self.server
                .server()
                .relisten(&config.listen, &config.redirect)
                .map_err(|error| refused(&error))?;
            if let Some(address) = config.listen.first() {
                self.server.set_https_port(address.port());
            }
        }
        if config.workers != self.config.workers || config.log != self.config.log {
            words::warn("a changed number of workers or log needs a restart");
        }
        let sites = config.sites.iter().map(|site| site.site.clone()).collect();
        self.server
            .set_sites(sites)
            .map_err(|error| Failure::of(&error))?;
        // From here on nothing can fail: old and new are never mixed.
        self.server.server().set_tls(tls);
        self.server.server().set_limits(config.limits.clone());
        self.renew_at = prepared.renew_at;
        self.config = config;
        Ok(())
    }

    fn until_renewal(&self) -> Duration {
        let due = self
            .renew_at
            .map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
        due.map_or(LONGEST_SLEEP, |due| due.min(LONGEST_SLEEP))
    }

    /// Makes local leaves anew whose time has come.
    fn renew(&mut self) {
        if self.renew_at.is_none_or(|at| at > SystemTime::now()) {
            return;
        }
        let renewed = prepare(self.arguments, &self.config).and_then(|prepared| {
            let certificates = Arc::new(prepared.certificates);
            let tls = ServerTls::new(certificates, &self.tickets, ravelin_server::ALPN)
                .map_err(|error| Failure::of(&error))?;
            Ok((tls, prepared.renew_at))
        });
        match renewed {
            Ok((tls, renew_at)) => {
                self.server.server().set_tls(tls);
                self.renew_at = renew_at;
                words::event("renewed the local certificate");
            }
            Err(failure) => {
                words::say_failure(&failure);
                words::warn("the certificate was not renewed: trying again in 15 minutes");
                self.renew_at = Some(SystemTime::now() + RETRY_RENEWAL);
            }
        }
    }
}
