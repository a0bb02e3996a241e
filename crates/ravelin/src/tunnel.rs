//! `ravelin tunnel`: from arguments or a file to running tunnels, and through their life.

mod by_acme;
mod metrics;
mod prepare;

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_server::log::AccessLog;
use ravelin_tunnel::{Builder, Door, Place, Record, Tunnels};

use tokio::sync::mpsc;

use crate::acme::{Acme, News};
use crate::arguments::tunnel::TunnelArguments;
use crate::config::{
    self, CertificateSource, LoadError, LogConfig, ServerSide, TunnelCertificate, TunnelConfig,
    TunnelsConfig,
};
use crate::failure::Failure;
use crate::serve::watch::Watch;
use crate::serve::{self, Events, listeners};
use crate::{certificates, plain_http, words};

use prepare::{Kept, Prepared, prepare};

/// Clocks jump and machines sleep: a renewal is looked for at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

/// After a renewal, the next try, if that one came to nothing.
const RETRY_RENEWAL: Duration = Duration::from_secs(15 * 60);

/// Runs tunnels until a signal ends them.
pub(crate) fn run(arguments: &TunnelArguments) -> Result<ExitCode, Failure> {
    let mut files = Watch::new();
    let now = SystemTime::now();
    let config = configure(arguments, &mut files, arguments.check.then_some(now))?;
    if arguments.check {
        words::tunnel::right(arguments.config.as_deref(), &config)?;
        return Ok(ExitCode::SUCCESS);
    }
    serve::raise_file_limit();
    let mut kept = Kept::default();
    let (tell, news) = mpsc::unbounded_channel();
    let acme = config.acme.as_ref();
    let acme = acme.map(|acme| Acme::open(acme, &arguments.home, &tell));
    let acme = acme.transpose()?;
    let prepared = prepare(&config, &arguments.home, acme.as_ref(), &mut kept, now)?;
    let log = config.log.as_ref().map(serve::start_log).transpose()?;
    let runtime = crate::event_loop::new()?;
    let events = {
        let _runtime = runtime.enter();
        Events::listen(files)?
    };
    let mut tunnels = Builder::default()
        .workers(config.workers)
        .on_record(recorder(config.log.as_ref(), log.as_ref()))
        .on_notice(|notice| words::tunnel::notice(&notice))
        .start()
        .map_err(|error| Failure::of(&error))?;
    let mut running = Running {
        arguments,
        metrics: plain_http::open(&config.metrics)?,
        config,
        prepared: Prepared::default(),
        kept,
        acme,
        tell,
        log,
        assigned: HashMap::new(),
    };
    running.take_over(prepared, &mut tunnels)?;
    words::tunnel::started(&running.config, &running.prepared.tunnels, &running.metrics);
    if let Some(authority) = &running.prepared.authority {
        serve::tell_of_trust(authority, &arguments.home);
    }
    if std::io::stderr().is_terminal() {
        words::tunnel::how_to_stop();
    }
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    runtime.block_on(running.live(tunnels, events, news))
}

/// The tunnels of the arguments. `files` are then those that they name.
fn configure(
    arguments: &TunnelArguments,
    files: &mut Watch,
    now: Option<SystemTime>,
) -> Result<TunnelsConfig, Failure> {
    let mut config = match &arguments.config {
        Some(file) => {
            files.note(std::slice::from_ref(file));
            let loaded = config::load_tunnels(file, now);
            files.set(match &loaded {
                Ok(config) => &config.watched,
                Err(error) => error.watched(),
            });
            loaded.map_err(|error| match error {
                LoadError::Wrong(report) => Failure::report(report.render(true)),
                error @ LoadError::Unreadable { .. } => Failure::of(&error),
            })?
        }
        None => {
            let config = from_arguments(arguments)?;
            files.set(&config.watched);
            config
        }
    };
    if let Some(workers) = arguments.workers {
        config.workers = workers.into();
    }
    Ok(config)
}

/// One tunnel, as the command line says.
fn from_arguments(arguments: &TunnelArguments) -> Result<TunnelsConfig, Failure> {
    let (clients, servers) = (&arguments.clients, &arguments.servers);
    let listen = arguments.listen.iter().flat_map(|places| places.0.clone());
    let mut limits = ravelin_tunnel::Limits {
        connections: clients.connections,
        ..ravelin_tunnel::Limits::default()
    };
    if let Some(span) = clients.idle_timeout {
        limits.idle_timeout = span.0;
    }
    let hosts = match &clients.host[..] {
        [] => certificates::usual_hosts(),
        hosts => hosts.to_vec(),
    };
    let tunnel = TunnelConfig {
        name: "tunnel".to_owned(),
        listen: listen.collect(),
        mode: arguments.tls.mode(),
        certificate: match (&clients.cert, &clients.key) {
            _ if arguments.acme.acme => TunnelCertificate::Acme,
            (Some(cert), Some(key)) => TunnelCertificate::Given(CertificateSource::Files {
                cert: cert.clone(),
                key: key.clone(),
                staple: None,
            }),
            _ => TunnelCertificate::Given(CertificateSource::Local),
        },
        hosts,
        client_ca: clients.client_ca.clone(),
        allow: clients.allow.clone(),
        starttls: clients.starttls,
        alpn: clients
            .alpn
            .iter()
            .flat_map(|names| names.split(','))
            .map(str::to_owned)
            .collect(),
        takes_proxy_header: clients.proxy_header,
        to: arguments.to.clone(),
        balance: servers.balance.unwrap_or_default(),
        routes: Vec::new(),
        server: ServerSide {
            ca: servers.to_ca.clone(),
            pins: servers.to_pin.iter().map(|pin| pin.0).collect(),
            name: servers.to_name.as_ref().map(ToString::to_string),
            identity: servers.to_cert.clone().zip(servers.to_key.clone()),
            starttls: servers.to_starttls,
            allow: servers.to_allow.clone(),
        },
        proxy_header: servers.to_proxy_header,
        connect_timeout: config::CONNECT_TIMEOUT,
        limits,
    };
    fits(&tunnel, arguments)?;
    let acme = by_acme::of_arguments(arguments)?;
    if let Some(acme) = &acme {
        by_acme::fits(acme, &tunnel)?;
    }
    let watched = prepare::files_of(&tunnel);
    Ok(TunnelsConfig {
        tunnels: vec![tunnel],
        workers: 0,
        metrics: arguments.metrics(),
        drain_timeout: config::DRAIN_TIMEOUT,
        log: arguments.log.then(LogConfig::to_stdout),
        acme,
        watched,
    })
}

/// Whether what the command line says goes together.
fn fits(tunnel: &TunnelConfig, arguments: &TunnelArguments) -> Result<(), Failure> {
    let side = tunnel.mode.word();
    let (clients, servers) = (&arguments.clients, &arguments.servers);
    let of_clients = clients.cert.is_some()
        || !clients.host.is_empty()
        || !clients.client_ca.is_empty()
        || clients.starttls.is_some()
        || clients.alpn.is_some();
    if of_clients && !tunnel.mode.terminates() {
        return Err(Failure::usage(format!(
            "with --tls {side} no TLS with clients ends here: --cert, --host, --client-ca, --starttls and --alpn mean nothing"
        ))
        .hint("options about servers begin with --to-; both sides have TLS with --tls both".to_owned()));
    }
    let of_servers = !servers.to_ca.is_empty()
        || !servers.to_pin.is_empty()
        || servers.to_name.is_some()
        || servers.to_cert.is_some()
        || servers.to_starttls.is_some()
        || !servers.to_allow.is_empty();
    if of_servers && !tunnel.mode.originates() {
        return Err(Failure::usage(format!(
            "with --tls {side} no TLS with servers begins here: --to-ca, --to-pin, --to-name, --to-cert, --to-starttls and --to-allow mean nothing"
        ))
        .hint("--tls originate begins it, and --tls both has it on both sides".to_owned()));
    }
    if servers
        .to_ca
        .iter()
        .any(|place| place.as_os_str() == "none")
        && servers.to_pin.is_empty()
    {
        return Err(Failure::usage(
            "--to-ca none without --to-pin trusts nobody, so that no server would do",
        )
        .hint("add --to-pin sha256/…, or leave --to-ca none out".to_owned()));
    }
    if !arguments.cleartext
        && let Some(what) = config::in_clear(tunnel)
    {
        return Err(Failure::usage(what).hint(
            "--tls both has TLS on both sides; --cleartext lets it be where you trust that network"
                .to_owned(),
        ));
    }
    if tunnel.mode.originates()
        && tunnel.server.name.is_none()
        && let Some(socket) = tunnel
            .to
            .iter()
            .find(|target| matches!(target, ravelin_tunnel::Target::Unix(_)))
    {
        return Err(Failure::usage(format!(
            "{socket} has no name that a certificate could be for"
        ))
        .hint("say which it has to be for: --to-name db.example.org".to_owned()));
    }
    Ok(())
}

/// Who hears of connections that are over: the log; without one, the terminal of those that came to nothing.
fn recorder(
    config: Option<&LogConfig>,
    log: Option<&Arc<AccessLog>>,
) -> impl Fn(&Record) + Send + Sync + 'static {
    let json = config.is_some_and(|config| config.format == config::LogFormat::Json);
    let sender = log.map(|log| log.sender());
    let brake = words::tunnel::Brake::default();
    move |record| match &sender {
        Some(sender) if json => sender.line(words::tunnel::json(record).as_bytes()),
        Some(sender) => sender.line(words::tunnel::line(record).as_bytes()),
        None => words::tunnel::ended(record, &brake),
    }
}

/// Tunnels that run, and all that is needed to change them.
struct Running<'a> {
    arguments: &'a TunnelArguments,
    config: TunnelsConfig,
    prepared: Prepared,
    kept: Kept,
    /// What asks for certificates, where there is a CA to ask.
    acme: Option<Acme>,
    /// Where it tells of those that come.
    tell: mpsc::UnboundedSender<News>,
    log: Option<Arc<AccessLog>>,
    metrics: Vec<std::net::TcpListener>,
    /// The places that the system chose where port 0 was asked for, by the tunnel and the number of its place.
    assigned: HashMap<(String, usize), Place>,
}

impl Running<'_> {
    /// Waits for signals, changed files and renewals, until it is time to stop.
    async fn live(
        mut self,
        mut tunnels: Tunnels,
        mut events: Events,
        mut news: mpsc::UnboundedReceiver<News>,
    ) -> Result<ExitCode, Failure> {
        self.keep_certificates()?;
        for listener in std::mem::take(&mut self.metrics) {
            tokio::spawn(metrics::serve(listener, tunnels.metrics()));
        }
        let mut next_renewal = self.until_renewal();
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
                    self.reload("SIGHUP", &mut events.files, &mut tunnels);
                    if let Some(acme) = &self.acme {
                        acme.hurry();
                    }
                }
                Some(news) = news.recv() => self.show(&news, &mut tunnels),
                () = events.files.changed() => {
                    self.reload("a file has changed", &mut events.files, &mut tunnels);
                }
                () = tokio::time::sleep(next_renewal) => {
                    self.renew(&mut tunnels);
                }
            }
            next_renewal = self.until_renewal();
        }
        let patience = self.config.drain_timeout;
        let shut = move || tunnels.shutdown(patience);
        serve::stop(
            words::tunnel::STOPPING,
            shut,
            &mut events.terminate,
            &mut events.interrupt,
            self.log,
        )
        .await
    }

    /// Takes over a changed config and changed certificates, or keeps all as it is and says why.
    fn reload(&mut self, why: &str, files: &mut Watch, tunnels: &mut Tunnels) {
        serve::tell_reloading();
        match self.try_reload(files, tunnels) {
            Ok(()) => words::event(format_args!("reloaded: {why}")),
            Err(failure) => {
                words::say_failure(&failure);
                words::warn("nothing was reloaded: the tunnels go on as before");
            }
        }
        let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    }

    fn try_reload(&mut self, files: &mut Watch, tunnels: &mut Tunnels) -> Result<(), Failure> {
        let config = configure(self.arguments, files, None)?;
        let outcome = self.adopt(config, tunnels);
        if outcome.is_err() {
            let before = self.config.clone();
            self.change_acme(&before)?;
        }
        self.keep_certificates()?;
        outcome
    }

    fn adopt(&mut self, config: TunnelsConfig, tunnels: &mut Tunnels) -> Result<(), Failure> {
        self.change_acme(&config)?;
        let prepared = prepare(
            &config,
            &self.arguments.home,
            self.acme.as_ref(),
            &mut self.kept,
            SystemTime::now(),
        )?;
        if config.workers != self.config.workers
            || config.log != self.config.log
            || config.metrics != self.config.metrics
        {
            words::warn("a changed number of workers, log or address of metrics needs a restart");
        }
        let before = std::mem::replace(&mut self.config, config);
        self.take_over(prepared, tunnels)
            .inspect_err(|_| self.config = before)
    }

    /// Opens what is to be listened on anew, and runs these tunnels.
    fn take_over(&mut self, mut prepared: Prepared, tunnels: &mut Tunnels) -> Result<(), Failure> {
        let mut doors = Vec::new();
        let mut assigned = HashMap::new();
        for tunnel in &mut prepared.tunnels {
            let mut places = Vec::new();
            for (number, place) in std::mem::take(&mut tunnel.listen).into_iter().enumerate() {
                let key = (tunnel.name.to_string(), number);
                let is_any = matches!(&place, Place::Tcp(address) if address.port() == 0);
                let place = match self.assigned.get(&key).filter(|_| is_any) {
                    Some(known) => known.clone(),
                    None => place,
                };
                let place = if tunnels.places().contains(&place) {
                    place
                } else {
                    let own: Vec<_> = tunnels
                        .places()
                        .iter()
                        .cloned()
                        .chain(doors.iter().map(Door::place))
                        .collect();
                    match Door::open(&own, &place, tunnels.workers()) {
                        Ok(door) => {
                            let place = door.place();
                            doors.push(door);
                            place
                        }
                        Err(error) if may_lack(&error) && number > 0 => continue,
                        Err(error) => return Err(refused(&error)),
                    }
                };
                if is_any {
                    assigned.insert(key, place.clone());
                }
                places.push(place);
            }
            tunnel.listen = places;
        }
        tunnels
            .set(prepared.tunnels.clone(), doors)
            .map_err(|error| Failure::of(&error))?;
        self.assigned = assigned;
        self.prepared = prepared;
        Ok(())
    }

    fn until_renewal(&self) -> Duration {
        let Some(due) = self.prepared.renew_at else {
            return LONGEST_SLEEP;
        };
        match due.duration_since(SystemTime::now()) {
            Ok(left) => left.min(LONGEST_SLEEP),
            Err(_) => RETRY_RENEWAL,
        }
    }

    /// Makes local certificates anew whose time has come.
    fn renew(&mut self, tunnels: &mut Tunnels) {
        let now = SystemTime::now();
        if self.prepared.renew_at.is_none_or(|due| due > now) {
            return;
        }
        let before = self.prepared.renew_at;
        let renewed = prepare(
            &self.config,
            &self.arguments.home,
            self.acme.as_ref(),
            &mut self.kept,
            now,
        )
        .and_then(|prepared| self.take_over(prepared, tunnels));
        match renewed {
            // One that could not be made anew is still good, and was told of.
            Ok(()) if self.prepared.renew_at == before => {}
            Ok(()) => words::event("renewed the local certificate"),
            Err(failure) => {
                words::say_failure(&failure);
                words::warn("the certificate was not renewed: trying again in 15 minutes");
            }
        }
    }
}

/// Whether a tunnel does without a place that could not be opened.
fn may_lack(error: &ravelin_tunnel::DoorError) -> bool {
    match error {
        ravelin_tunnel::DoorError::Tcp(error) => listeners::passes_over(error),
        ravelin_tunnel::DoorError::Unix { .. } => false,
    }
}

/// Why a place could not be listened on, and what helps.
fn refused(error: &ravelin_tunnel::DoorError) -> Failure {
    match error {
        ravelin_tunnel::DoorError::Tcp(error) => {
            listeners::refused_elsewhere(error, "", "listen on ")
        }
        ravelin_tunnel::DoorError::Unix { path, source } => {
            let hint = match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    format!(
                        "another program listens there, or what is there is no socket: ls -l {path}"
                    )
                }
                std::io::ErrorKind::NotFound => match Path::new(path).parent() {
                    Some(folder) => format!("make its folder: mkdir -p {}", folder.display()),
                    None => "write its path".to_owned(),
                },
                _ => "name a folder that the user who runs ravelin may write to".to_owned(),
            };
            Failure::of(error).hint(hint)
        }
    }
}
