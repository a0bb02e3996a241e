//! From the config's certificate sources to the TLS that serves them.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_certs::{LocalAuthority, LocalError};
use ravelin_lens::recorder;
use ravelin_pki::{Certificate, CertificateDer, HostName, Leaf, PrivateKeyDer, pem};
use ravelin_server::site::Handler;
use ravelin_tls::{Certificates, Identity, ServedCertificate, ServerTls, Tickets};

use crate::arguments::HomeArgument;
use crate::config::{CertificateSource, Config, ConfiguredSite};
use crate::failure::{self, Failure};
use crate::{ravelin_home, words};

pub(crate) mod staple;
mod stapling;

use staple::{Staple, StapledBy, Stapler};
pub(crate) use stapling::{Planned, planned};

/// The certificates of all sites, and what there is to say about them.
pub(crate) struct Prepared {
    pub(crate) tls: ServerTls,
    /// One for each site.
    pub(crate) sources: Vec<Source>,
    /// While the clock is in it, no local certificate wants to be made anew. It may begin in the
    /// future, where one was made while the clock was fast.
    pub(crate) fresh: Option<Range<SystemTime>>,
    /// The local CA, where a site uses it.
    pub(crate) authority: Option<LocalAuthority>,
    /// The local CA, where it staples.
    stapler: Option<Arc<Stapler>>,
    /// Whether staples could not be renewed when that was tried last.
    staples_fail: bool,
}

impl Prepared {
    /// Whether no local certificate wants to be made anew.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        self.fresh.as_ref().is_none_or(|fresh| fresh.contains(&now))
    }
}

/// A certificate, where it came from and how long it holds.
#[derive(Clone)]
pub(crate) struct Source {
    served: ServedCertificate,
    /// Its file; none for the local CA's.
    pub(crate) file: Option<PathBuf>,
    pub(crate) not_after: SystemTime,
    /// The one of whoever shares a file.
    leaf: Arc<Certificate>,
    /// What is stapled to it now.
    pub(crate) staple: Option<Staple>,
    pub(crate) stapled_by: StapledBy,
}

/// What was prepared before.
#[derive(Clone, Copy)]
pub(crate) enum Before<'a> {
    Nothing,
    /// All files are read again.
    Reload(&'a Prepared),
    /// The certificates of files are kept as they are: renewing is a matter of the local CA alone.
    Renewal(&'a Prepared),
}

impl<'a> Before<'a> {
    fn prepared(self) -> Option<&'a Prepared> {
        match self {
            Self::Nothing => None,
            Self::Reload(prepared) | Self::Renewal(prepared) => Some(prepared),
        }
    }

    /// The certificate of a site's files, where they are not to be read again.
    fn of_files(self, site: usize) -> Option<&'a Source> {
        match self {
            Self::Renewal(prepared) => prepared.sources.get(site),
            _ => None,
        }
    }
}

/// Loads or makes all certificates that `config` asks for, and what is stapled to them.
pub(crate) fn prepare(
    config: &Config,
    home: &HomeArgument,
    tickets: &Tickets,
    now: SystemTime,
    before: Before<'_>,
) -> Result<Prepared, Failure> {
    let needs_local = config
        .sites
        .iter()
        .any(|site| site.certificate == CertificateSource::Local);
    let authority = if needs_local {
        let authority = LocalAuthority::open(&ravelin_home::open(home)?, &config.local_names, now)
            .map_err(|error| Failure::of(&error).hint(error.hint()))?;
        Some(authority)
    } else {
        None
    };
    let mut fresh: Option<Range<SystemTime>> = None;
    let mut overdue = None;
    // Thousands of sites may share one file.
    let mut loaded: HashMap<(&Path, Option<&Path>), Source> = HashMap::new();
    let mut sources: Vec<Source> = Vec::with_capacity(config.sites.len());
    for site in &config.sites {
        let source = match (&site.certificate, &authority) {
            (CertificateSource::Files { cert, key, staple }, _) => {
                let files = (cert.as_path(), staple.as_deref());
                let known = before.of_files(sources.len());
                match known.or_else(|| loaded.get(&files)) {
                    Some(known) => known.clone(),
                    None => {
                        let source = load(cert, key, staple.as_deref(), now, before.prepared())?;
                        loaded.insert(files, source.clone());
                        source
                    }
                }
            }
            (CertificateSource::Local, Some(authority)) => {
                let hosts = &site.site.hosts;
                let (leaf, error) = current_leaf(authority, hosts, now)?;
                if let Some(error) = error {
                    overdue.get_or_insert((error, leaf.not_after()));
                }
                fresh = Some(match fresh {
                    Some(fresh) => {
                        fresh.start.max(leaf.not_before())..fresh.end.min(leaf.renew_at())
                    }
                    None => leaf.not_before()..leaf.renew_at(),
                });
                let names = leaf.names().to_vec();
                let served =
                    ServedCertificate::new(leaf.chain.clone(), leaf.key.clone_key(), &names)
                        .map_err(|error| Failure::of(&error))?;
                Source {
                    served,
                    file: None,
                    not_after: leaf.not_after(),
                    leaf: Arc::new(leaf.certificate().clone()),
                    staple: None,
                    stapled_by: StapledBy::Nobody,
                }
            }
            (CertificateSource::Local, None) => continue,
        };
        sources.push(source);
    }
    if let Some((error, not_after)) = overdue {
        words::not_renewed(&Failure::of(&error), not_after);
    }
    let (stapler, staples_fail) = stapling::begin(&mut sources, home, now, before.prepared());
    Ok(Prepared {
        tls: configured(config, &sources, tickets)?,
        sources,
        fresh,
        authority,
        stapler,
        staples_fail,
    })
}

fn configured(
    config: &Config,
    sources: &[Source],
    tickets: &Tickets,
) -> Result<ServerTls, Failure> {
    let certificates = by_name(&config.sites, sources)
        .ok_or_else(|| Failure::usage("the config has no site, so there is nothing to serve"))?;
    let certificates = Arc::new(certificates);
    let tls = if shows_handshakes(config) {
        let witness = recorder::witness();
        ServerTls::witnessed(certificates, tickets, ravelin_server::ALPN, &witness)
    } else {
        ServerTls::new(certificates, tickets, ravelin_server::ALPN)
    };
    tls.map_err(|error| Failure::of(&error))
}

/// Whether any route shows clients the handshakes of their own connections. Which site a connection is for
/// is known after its handshake only.
fn shows_handshakes(config: &Config) -> bool {
    let mut routes = config.sites.iter().flat_map(|site| &site.site.routes);
    routes.any(|route| matches!(route.handler, Handler::Handshake))
}

/// A leaf of the local CA that holds now. One that cannot be renewed just now is still good for a while: it comes with
/// the error.
pub(crate) fn current_leaf(
    authority: &LocalAuthority,
    hosts: &[HostName],
    now: SystemTime,
) -> Result<(Leaf, Option<LocalError>), Failure> {
    match authority.leaf(hosts, now) {
        Ok(leaf) => Ok((leaf, None)),
        Err(error) => match authority.kept_leaf(hosts, now) {
            Some(kept) => Ok((kept, Some(error))),
            None => Err(cannot_make(&error)),
        },
    }
}

/// Who serves a public name wants a certificate for it rather than another local CA.
fn cannot_make(error: &LocalError) -> Failure {
    match error {
        LocalError::NotPermitted { .. } => Failure::usage(error.to_string()).hint(
            "a public name needs a certificate that others know: --cert FILE --key FILE; a name \
             that only your own machines know can be added to server.local_names in a config, \
             before the local CA is made"
                .to_owned(),
        ),
        other => Failure::of(other).hint(other.hint()),
    }
}

fn by_name(sites: &[ConfiguredSite], sources: &[Source]) -> Option<Certificates> {
    // Clients that connect to an address name no server: for them, the first site with one.
    let has_address = |site: &ConfiguredSite| {
        site.site
            .hosts
            .iter()
            .any(|host| matches!(host, HostName::Ip(_)))
    };
    let default = sites.iter().position(has_address).unwrap_or(0);
    let mut certificates = Certificates::new(sources.get(default)?.served.clone());
    for (site, source) in sites.iter().zip(sources) {
        for host in &site.site.hosts {
            certificates.insert(host, &source.served);
        }
    }
    Some(certificates)
}

/// The names in the first certificate of a file.
pub(crate) fn names_in(cert: &Path) -> Result<Vec<HostName>, Failure> {
    let (_, leaf) = read_chain(cert)?;
    Ok(leaf.names().to_vec())
}

/// A certificate and its key, from files, what is stapled to it, and when it ends.
pub(crate) fn from_files(
    cert: &Path,
    key: &Path,
    staple: Option<&Path>,
) -> Result<(ServedCertificate, SystemTime), Failure> {
    let source = load(cert, key, staple, SystemTime::now(), None)?;
    let staple = source.staple.as_ref().map(|staple| &*staple.response);
    Ok((source.served.with_staple(staple), source.not_after))
}

/// A certificate of a CA, and its key.
pub(crate) fn of_leaf(leaf: &Leaf) -> Result<ServedCertificate, Failure> {
    ServedCertificate::new(leaf.chain.clone(), leaf.key.clone_key(), leaf.names())
        .map_err(|error| Failure::of(&error))
}

/// What is shown to servers that ask for a certificate, from files.
pub(crate) fn identity(cert: &Path, key: &Path) -> Result<Identity, Failure> {
    let (chain, _) = read_chain(cert)?;
    let key = read_key(key)?;
    Ok(Identity { chain, key })
}

/// The names that a certificate of the local CA is for, where none are given.
pub(crate) fn usual_hosts() -> Vec<HostName> {
    let names = ["localhost", "127.0.0.1", "::1"];
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The certificate that `ravelin serve` would have of its own CA.
pub(crate) fn local(home: &HomeArgument) -> Result<ServedCertificate, Failure> {
    let now = SystemTime::now();
    let store = ravelin_home::open(home)?;
    let authority = LocalAuthority::open(&store, &[], now)
        .map_err(|error| Failure::of(&error).hint(error.hint()))?;
    let names = usual_hosts();
    let leaf = authority
        .leaf(&names, now)
        .map_err(|error| Failure::of(&error).hint(error.hint()))?;
    of_leaf(&leaf)
}

/// Reads a certificate and its key. One that is out of date is served all the same: the other sites
/// must not go down with it when the machine starts again, and a clock may be wrong.
fn load(
    cert: &Path,
    key: &Path,
    staple: Option<&Path>,
    now: SystemTime,
    before: Option<&Prepared>,
) -> Result<Source, Failure> {
    let (chain, leaf) = read_chain(cert)?;
    let issuer = chain.get(1).cloned();
    let private = read_key(key)?;
    let names = leaf.names().to_vec();
    let served = ServedCertificate::new(chain, private, &names).map_err(|error| {
        Failure::usage(format!(
            "\"{}\" and \"{}\": {}",
            cert.display(),
            key.display(),
            failure::chain(&error)
        ))
        .hint("name the key that the certificate was made with".to_owned())
    })?;
    if !leaf.is_valid_at(now) {
        words::out_of_date(cert, &leaf, now);
    }
    let mut source = Source {
        served,
        file: Some(cert.to_owned()),
        not_after: leaf.not_after(),
        leaf: Arc::new(leaf),
        staple: None,
        stapled_by: StapledBy::Nobody,
    };
    if let Some(file) = staple {
        source.staple_file(file, issuer.as_ref(), now, before);
    }
    Ok(source)
}

/// The certificates of a file, and the first of them read: the one that is served.
fn read_chain(cert: &Path) -> Result<(Vec<CertificateDer<'static>>, Certificate), Failure> {
    let chain = pem::certificates(&read(cert)?)
        .map_err(|error| in_file(cert, &error).hint(error.hint().map(str::to_owned)))?;
    let Some(leaf) = chain.first() else {
        return Err(Failure::usage(format!(
            "\"{}\" has no certificate in it",
            cert.display()
        )));
    };
    let leaf = Certificate::from_der(leaf).map_err(|error| in_file(cert, &error))?;
    Ok((chain, leaf))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    pem::private_key(&read(path)?)
        .map_err(|error| in_file(path, &error).hint(error.hint().map(str::to_owned)))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::local(format!("cannot read \"{}\": {error}", path.display())))
}

fn in_file(path: &Path, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::usage(format!("\"{}\": {}", path.display(), failure::chain(error)))
}
