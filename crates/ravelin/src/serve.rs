//! `ravelin serve` and `ravelin check`: from arguments to a running server, and through its life.

mod folder;
pub(crate) mod listeners;
pub(crate) mod watch;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ravelin_certs::LocalAuthority;
use ravelin_certs::trust::{self, TrustEnvironment};
use ravelin_server::log::{AccessLog, LogFormat, LogOptions, LogTarget, Rotation};
use ravelin_server::{Builder, Listener, SiteServer};
use ravelin_tls::Tickets;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::arguments::{CheckArguments, HomeArgument, ServeArguments};
use crate::certificates::{self, Before, Prepared};
use crate::config::{self, Config, LoadError, LogConfig};
use crate::failure::{self, Failure};
use crate::listen_on::ListenOn;
use crate::words::Stopping;
use crate::{ravelin_home, words};

/// After a renewal, the next try, if that one came to nothing. Leaves are renewed a month before
/// their end.
const RETRY_RENEWAL: Duration = Duration::from_secs(15 * 60);

/// Clocks jump and machines sleep: a renewal is looked for at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

/// Checks a config file.
pub(crate) fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    // Where there is no home, no keys of a local CA can be served.
    let home = ravelin_home::folder(&HomeArgument { home: None }).ok();
    let now = SystemTime::now();
    let config =
        config::load(&arguments.file, Some(now), home.as_deref()).map_err(|error| wrong(&error))?;
    let sites = config.sites.len();
    let right = format!(
        "{} is right: {sites} {}\n",
        arguments.file.display(),
        if sites == 1 { "site" } else { "sites" }
    );
    let stapled = words::staple::planned(&certificates::planned(&config, home.as_deref(), now));
    words::result(&(right + &stapled))?;
    Ok(ExitCode::SUCCESS)
}

/// Serves until a signal ends it.
pub(crate) fn run(arguments: &ServeArguments) -> Result<ExitCode, Failure> {
    let mut files = watch::Watch::new();
    let config = configure(arguments, &mut files)?;
    raise_file_limit();
    let tickets = Tickets::new().map_err(|error| Failure::of(&error))?;
    let prepared = prepare(arguments, &config, &tickets, Before::Nothing)?;
    let log = config.log.as_ref().map(start_log).transpose()?;
    // Before the first client can come and take the last file descriptor, and before anyone is told
    // that signals are understood.
    let runtime = crate::event_loop::new()?;
    let events = {
        let _runtime = runtime.enter();
        Events::listen(files)?
    };
    let listeners = listeners::open(&config)?;

    let mut builder = Builder::new(prepared.tls.clone())
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
    let redirects: Vec<_> = listeners.plain.iter().map(Listener::address).collect();
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

    words::started(&config, &addresses, &redirects, &prepared.sources);
    if let Some(authority) = &prepared.authority {
        tell_of_trust(authority, &arguments.home);
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
        // What could not be renewed a moment ago cannot be now.
        next_renewal: if prepared.is_fresh(SystemTime::now()) {
            Instant::now()
        } else {
            Instant::now() + RETRY_RENEWAL
        },
        prepared,
        inherited,
    };
    runtime.block_on(running.live(events))
}

/// Whether this system knows the local CA, and how to have it told.
pub(crate) fn tell_of_trust(authority: &LocalAuthority, home: &HomeArgument) {
    let environment = TrustEnvironment::of_this_machine(|name| std::env::var_os(name));
    if trust::is_trusted_by_system(authority.root_certificate(), &environment) {
        words::trusted();
    } else {
        words::not_trusted_yet(&authority.root_location(), home.home.as_deref());
    }
}

/// The config of the arguments: a file's, with what the command line says put over it, or that of
/// one folder. From here on `files` are those that it names, whether it is right or not: what mends
/// it may be any of them.
fn configure(arguments: &ServeArguments, files: &mut watch::Watch) -> Result<Config, Failure> {
    let home = ravelin_home::folder(&arguments.home).ok();
    let mut config = match (&arguments.config, &arguments.folder) {
        (Some(file), _) => {
            files.note(std::slice::from_ref(file));
            let loaded = config::load(file, None, home.as_deref());
            files.set(match &loaded {
                Ok(config) => &config.watched,
                Err(error) => error.watched(),
            });
            loaded.map_err(|error| wrong(&error))?
        }
        (None, Some(folder)) => {
            let named = arguments.cert.iter().chain(&arguments.key);
            files.note(&named.cloned().collect::<Vec<_>>());
            folder::config(folder, arguments, home.as_deref())?
        }
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
        config.workers = workers.into();
    }
    Ok(config)
}

fn wrong(error: &LoadError) -> Failure {
    match error {
        LoadError::Wrong(report) => Failure::report(report.render(true)),
        LoadError::Unreadable { .. } => Failure::of(error),
    }
}

fn prepare(
    arguments: &ServeArguments,
    config: &Config,
    tickets: &Tickets,
    before: Before<'_>,
) -> Result<Prepared, Failure> {
    let now = SystemTime::now();
    certificates::prepare(config, &arguments.home, tickets, now, before)
}

pub(crate) fn start_log(config: &LogConfig) -> Result<Arc<AccessLog>, Failure> {
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
    AccessLog::start(options, |notice| words::log_notice(&notice))
        .map(Arc::new)
        .map_err(|error| Failure::of(&error))
}

/// Each connection takes a file descriptor, and the usual soft limit is for programs with few.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Ends a server: `shutdown` waits for running requests, and a second signal does not wait for it. The log
/// is written to its end.
pub(crate) async fn stop(
    stopping: Stopping,
    shutdown: impl FnOnce() -> std::io::Result<()> + Send + 'static,
    terminate: &mut Signal,
    interrupt: &mut Signal,
    log: Option<Arc<AccessLog>>,
) -> Result<ExitCode, Failure> {
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Stopping]);
    words::event(stopping.begins);
    // It waits for workers: on a thread of its own, so that signals are still heard.
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || ended.send(shutdown()));
    let again = tokio::select! {
        ended = end => {
            ended
                .unwrap_or_else(|error| Err(std::io::Error::other(error)))
                .map_err(|error| Failure::of(&error))?;
            None
        }
        _ = terminate.recv() => Some(failure::TERMINATED),
        _ = interrupt.recv() => Some(failure::INTERRUPTED),
    };
    if let Some(code) = again {
        words::event(stopping.at_once);
        return Ok(ExitCode::from(code));
    }
    if let Some(log) = log
        && let Ok(log) = Arc::try_unwrap(log)
    {
        log.shutdown();
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells systemd that a reload has begun.
pub(crate) fn tell_reloading() {
    let reloading = sd_notify::NotifyState::Reloading;
    // `Type=notify-reload` wants the time along with it (sd_notify(3)).
    let _ = match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(now) => sd_notify::notify(false, &[reloading, now]),
        Err(_) => sd_notify::notify(false, &[reloading]),
    };
}

/// What a running server waits for.
pub(crate) struct Events {
    pub(crate) hangup: Signal,
    pub(crate) terminate: Signal,
    pub(crate) interrupt: Signal,
    pub(crate) files: watch::Watch,
}

impl Events {
    /// Begins to listen for signals, within a runtime.
    pub(crate) fn listen(files: watch::Watch) -> Result<Self, Failure> {
        let handler = |kind| signal(kind).map_err(|error| Failure::of(&error));
        Ok(Self {
            hangup: handler(SignalKind::hangup())?,
            terminate: handler(SignalKind::terminate())?,
            interrupt: handler(SignalKind::interrupt())?,
            files,
        })
    }
}

/// A server that runs, and all that is needed to change it.
struct Running<'a> {
    arguments: &'a ServeArguments,
    config: Config,
    server: SiteServer,
    tickets: Tickets,
    log: Option<Arc<AccessLog>>,
    prepared: Prepared,
    /// Before it, no renewal is tried.
    next_renewal: Instant,
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
                    self.reload("SIGHUP", &mut events.files);
                }
                () = events.files.changed() => {
                    self.reload("a file has changed", &mut events.files);
                }
                () = tokio::time::sleep(self.until_renewal()) => {
                    self.renew();
                    self.restaple();
                }
            }
        }
        let server = self.server;
        let shut = || server.shutdown();
        stop(
            words::STOPPING,
            shut,
            &mut events.terminate,
            &mut events.interrupt,
            self.log,
        )
        .await
    }

    /// Takes over a changed config and changed certificates, or keeps all as it is and says why.
    fn reload(&mut self, why: &str, files: &mut watch::Watch) {
        tell_reloading();
        match self.try_reload(files) {
            Ok(()) => words::event(format_args!("reloaded: {why}")),
            Err(failure) => {
                words::say_failure(&failure);
                words::warn("nothing was reloaded: the server goes on as before");
            }
        }
        let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    }

    fn try_reload(&mut self, files: &mut watch::Watch) -> Result<(), Failure> {
        let config = configure(self.arguments, files)?;
        let before = Before::Reload(&self.prepared);
        let prepared = prepare(self.arguments, &config, &self.tickets, before)?;
        let moved = config.listen != self.config.listen || config.redirect != self.config.redirect;
        if moved && !self.inherited {
            self.server
                .server()
                .relisten(&config.listen, &config.redirect, listeners::passes_over)
                .map_err(|error| listeners::refused(&error))?;
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
        self.server.server().set_tls(prepared.tls.clone());
        self.server.server().set_limits(config.limits.clone());
        self.prepared = prepared;
        self.config = config;
        Ok(())
    }

    /// How long until a certificate or a staple may want to be made anew.
    fn until_renewal(&self) -> Duration {
        let now = SystemTime::now();
        let staples = self.prepared.until_restapling(now).unwrap_or(LONGEST_SLEEP);
        let Some(fresh) = &self.prepared.fresh else {
            return staples;
        };
        let due = fresh.end.duration_since(now);
        let pause = self.next_renewal.saturating_duration_since(Instant::now());
        let renewal = due.unwrap_or_default().min(LONGEST_SLEEP).max(pause);
        renewal.min(staples)
    }

    /// Staples what is new, and nothing that is over.
    fn restaple(&mut self) {
        let now = SystemTime::now();
        let home = &self.arguments.home;
        match self
            .prepared
            .restaple(&self.config, home, &self.tickets, now)
        {
            Ok(true) => self.server.server().set_tls(self.prepared.tls.clone()),
            Ok(false) => {}
            Err(failure) => words::say_failure(&failure),
        }
    }

    /// Makes local leaves anew whose time has come.
    fn renew(&mut self) {
        // Staples are looked at more often than a renewal that failed is tried again.
        if self.prepared.is_fresh(SystemTime::now()) || Instant::now() < self.next_renewal {
            return;
        }
        self.next_renewal = Instant::now() + RETRY_RENEWAL;
        let before = Before::Renewal(&self.prepared);
        match prepare(self.arguments, &self.config, &self.tickets, before) {
            Ok(prepared) => {
                // Nothing is new where nothing could be written, or the CA itself ends.
                if prepared.fresh != self.prepared.fresh {
                    words::event("renewed the local certificate");
                }
                self.server.server().set_tls(prepared.tls.clone());
                self.prepared = prepared;
            }
            Err(failure) => {
                words::say_failure(&failure);
                words::warn("the certificate was not renewed: trying again in 15 minutes");
            }
        }
    }
}
