//! From the config to tunnels that can run: certificates, keys and roots are read here.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_certs::LocalAuthority;
use ravelin_pki::{CertificateDer, HostName};
use ravelin_tls::client::{self, ClientOptions};
use ravelin_tls::starttls::Protocol;
use ravelin_tls::{
    Certificates, ClientAuth, ServedCertificate, ServerOptions, ServerTls, Tickets, Trust,
};
use ravelin_tunnel::allow::client_rule;
use ravelin_tunnel::meters::Meters;
use ravelin_tunnel::{Backends, Entry, Originate, Route, Service, Target, Terminate, Tunnel};
use rustls::pki_types::ServerName;

use crate::acme::{Acme, Names};
use crate::arguments::HomeArgument;
use crate::cert::verify::trusted;
use crate::certificates;
use crate::config::{CertificateSource, TunnelCertificate, TunnelConfig, TunnelsConfig};
use crate::failure::{Failure, chain};
use crate::{ravelin_home, words};

/// Tunnels, ready to run.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) tunnels: Vec<Tunnel>,
    /// When the first certificate of the local CA wants to be made anew.
    pub(super) renew_at: Option<SystemTime>,
    /// The local CA, where one of them is of its.
    pub(super) authority: Option<LocalAuthority>,
}

/// What tunnels keep when they are changed, by their names.
#[derive(Default)]
pub(super) struct Kept {
    meters: HashMap<String, Arc<Meters>>,
    /// Ticket keys, with the CAs of clients: a session is never resumed where its client might not be let in now.
    tickets: HashMap<String, (Vec<CertificateDer<'static>>, Tickets)>,
}

/// Reads and makes all that the tunnels need.
pub(super) fn prepare(
    config: &TunnelsConfig,
    home: &HomeArgument,
    acme: Option<&Acme>,
    kept: &mut Kept,
    now: SystemTime,
) -> Result<Prepared, Failure> {
    let mut making = Making {
        home,
        acme,
        now,
        authority: None,
        renew_at: None,
    };
    let tunnels = config.tunnels.iter();
    let tunnels = tunnels
        .map(|tunnel| making.tunnel(tunnel, kept))
        .collect::<Result<_, _>>()?;
    Ok(Prepared {
        tunnels,
        renew_at: making.renew_at,
        authority: making.authority,
    })
}

/// The files of a tunnel, whose change is one of the tunnel's.
pub(super) fn files_of(tunnel: &TunnelConfig) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if let TunnelCertificate::Given(CertificateSource::Files { cert, key, staple }) =
        &tunnel.certificate
    {
        files.extend([cert.clone(), key.clone()]);
        files.extend(staple.clone());
    }
    if let Some((cert, key)) = &tunnel.server.identity {
        files.extend([cert.clone(), key.clone()]);
    }
    let roots = tunnel.client_ca.iter().chain(&tunnel.server.ca);
    files.extend(roots.filter(|place| place.is_file()).cloned());
    files
}

/// The names of a tunnel, where its certificate comes over ACME.
pub(super) fn names_of(tunnel: &TunnelConfig) -> Option<Names> {
    let is_acme = tunnel.certificate == TunnelCertificate::Acme;
    is_acme.then(|| tunnel.hosts.iter().cloned().collect())
}

/// A certificate, and when it ends.
type Shown = (ServedCertificate, SystemTime);

struct Making<'a> {
    home: &'a HomeArgument,
    acme: Option<&'a Acme>,
    now: SystemTime,
    /// The local CA, once it is needed.
    authority: Option<LocalAuthority>,
    renew_at: Option<SystemTime>,
}

impl Making<'_> {
    fn tunnel(&mut self, config: &TunnelConfig, kept: &mut Kept) -> Result<Tunnel, Failure> {
        let service = |to: &[Target], originate: &Option<Originate>| {
            Arc::new(Service {
                backends: Backends::new(to.to_vec(), config.balance),
                originate: originate.clone(),
                proxy_header: config.proxy_header,
                connect_timeout: config.connect_timeout,
            })
        };
        let originate = config
            .mode
            .originates()
            .then(|| self.originate(config))
            .transpose()?;
        let entry = match config.mode {
            mode if mode.terminates() => Entry::Terminate(Box::new(self.terminate(config, kept)?)),
            crate::config::Mode::Pass => Entry::Pass,
            _ => Entry::Plain,
        };
        let routes = config.routes.iter().map(|(names, to)| Route {
            names: names.clone(),
            service: service(to, &originate),
        });
        Ok(Tunnel {
            name: config.name.as_str().into(),
            listen: config.listen.clone(),
            takes_proxy_header: config.takes_proxy_header,
            entry,
            routes: routes.collect(),
            service: (!config.to.is_empty()).then(|| service(&config.to, &originate)),
            limits: config.limits.clone(),
            meters: kept.meters.entry(config.name.clone()).or_default().clone(),
        })
    }

    fn terminate(&mut self, config: &TunnelConfig, kept: &mut Kept) -> Result<Terminate, Failure> {
        let certificate = self.certificate(config)?;
        let roots = if config.client_ca.is_empty() {
            Vec::new()
        } else {
            let (trust, _) = trusted(&config.client_ca, self.home)?;
            let roots = trust.anchors().iter();
            roots.map(|root| root.der().clone()).collect()
        };
        let tickets = tickets(kept, &config.name, &roots)?;
        let options = ServerOptions {
            alpn: alpn(config),
            client_auth: if roots.is_empty() {
                ClientAuth::Nobody
            } else {
                ClientAuth::Required(roots)
            },
            client_rule: client_rule(&config.allow),
            challenges: self
                .acme
                .filter(|_| config.starttls.is_none())
                .map(|acme| acme.challenges().clone()),
            ..ServerOptions::default()
        };
        let (served, not_after) = certificate.unzip();
        let certificates = served.map_or_else(Certificates::none, Certificates::new);
        let tls = ServerTls::with(Arc::new(certificates), &tickets, &options)
            .map_err(|error| Failure::usage(chain(&error)))?;
        Ok(Terminate {
            tls,
            not_after,
            starttls: config.starttls,
            allow: config.allow.clone(),
        })
    }

    /// The certificate of a tunnel and when it ends; none where it is still to be asked for.
    fn certificate(&mut self, config: &TunnelConfig) -> Result<Option<Shown>, Failure> {
        let source = match (&config.certificate, names_of(config), self.acme) {
            (TunnelCertificate::Given(source), ..) => source,
            (TunnelCertificate::Acme, Some(names), Some(acme)) => {
                let leaf = acme.kept(&names)?;
                let shown = leaf.map(|leaf| Ok((certificates::of_leaf(&leaf)?, leaf.not_after())));
                return shown.transpose();
            }
            (TunnelCertificate::Acme, ..) => return Ok(None),
        };
        match source {
            CertificateSource::Files { cert, key, staple } => {
                certificates::from_files(cert, key, staple.as_deref()).map(Some)
            }
            CertificateSource::Local => self.local(&config.hosts).map(Some),
        }
    }

    /// A certificate of the local CA.
    fn local(&mut self, hosts: &[HostName]) -> Result<Shown, Failure> {
        let authority = match &self.authority {
            Some(authority) => authority,
            None => {
                let store = ravelin_home::open(self.home)?;
                let opened = LocalAuthority::open(&store, &[], self.now)
                    .map_err(|error| Failure::of(&error).hint(error.hint()))?;
                self.authority.insert(opened)
            }
        };
        let (leaf, error) = certificates::current_leaf(authority, hosts, self.now)?;
        if let Some(error) = error {
            words::not_renewed(&Failure::of(&error), leaf.not_after());
        }
        let due = leaf.renew_at();
        self.renew_at = Some(self.renew_at.map_or(due, |other| other.min(due)));
        Ok((certificates::of_leaf(&leaf)?, leaf.not_after()))
    }

    fn originate(&self, config: &TunnelConfig) -> Result<Originate, Failure> {
        let side = &config.server;
        let asks_nobody = side.ca.iter().any(|place| place.as_os_str() == "none");
        let trust = if asks_nobody {
            Trust::pins_alone()
        } else {
            let (anchors, _) = trusted(&side.ca, self.home)?;
            Trust::roots(anchors.anchors().iter().map(|root| root.der().clone()))
        };
        let identity = match &side.identity {
            Some((cert, key)) => Some(certificates::identity(cert, key)?),
            None => None,
        };
        let options = ClientOptions {
            identity,
            ..ClientOptions::default()
        };
        let client = client::config(&trust.pinned(side.pins.iter().copied()), options)
            .map_err(|error| Failure::usage(chain(&error)))?;
        let name = side.name.as_ref().map(|name| {
            ServerName::try_from(name.clone())
                .map_err(|_| Failure::usage(format!("\"{name}\" is no name of a server")))
        });
        Ok(Originate {
            config: client,
            name: name.transpose()?,
            starttls: side.starttls,
            allow: side.allow.clone(),
        })
    }
}

/// The protocols of ALPN. Clients of `PostgreSQL` that begin with TLS at once insist on theirs.
fn alpn(config: &TunnelConfig) -> Vec<Vec<u8>> {
    if config.alpn.is_empty() && config.starttls == Some(Protocol::Postgres) {
        return vec![b"postgresql".to_vec()];
    }
    let names = config.alpn.iter();
    names.map(|name| name.as_bytes().to_vec()).collect()
}

/// The ticket keys of a tunnel, new where it lets in other clients than before.
fn tickets(
    kept: &mut Kept,
    name: &str,
    roots: &[CertificateDer<'static>],
) -> Result<Tickets, Failure> {
    if let Some((before, tickets)) = kept.tickets.get(name)
        && before == roots
    {
        return Ok(tickets.clone());
    }
    let tickets = Tickets::new().map_err(|error| Failure::of(&error))?;
    let entry = (roots.to_vec(), tickets.clone());
    kept.tickets.insert(name.to_owned(), entry);
    Ok(tickets)
}
