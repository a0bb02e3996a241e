//! From the config's certificate sources to the TLS that serves them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_certs::{FileStore, LocalAuthority, LocalError};
use ravelin_pki::{Certificate, CertificateDer, HostName, pem};
use ravelin_tls::{Certificates, ServedCertificate, ServerTls, Tickets};

use crate::config::{CertificateSource, Config, ConfiguredSite};
use crate::failure::{self, Failure};

/// The certificates of all sites, and what there is to say about them.
pub(crate) struct Prepared {
    pub(crate) tls: ServerTls,
    /// Each certificate once, in the order of the sites.
    pub(crate) sources: Vec<Source>,
    /// When the first local certificate wants to be renewed.
    pub(crate) renew_at: Option<SystemTime>,
    /// The local CA, where a site uses it.
    pub(crate) authority: Option<LocalAuthority>,
}

/// Where a certificate came from and how long it holds.
pub(crate) struct Source {
    /// Its file; none for the local CA's.
    pub(crate) file: Option<PathBuf>,
    pub(crate) not_after: SystemTime,
}

/// Loads or makes all certificates that `config` asks for.
pub(crate) fn prepare(
    config: &Config,
    store: impl Fn() -> Result<FileStore, Failure>,
    tickets: &Tickets,
    now: SystemTime,
) -> Result<Prepared, Failure> {
    let needs_local = config
        .sites
        .iter()
        .any(|site| site.certificate == CertificateSource::Local);
    let authority = if needs_local {
        let authority = LocalAuthority::open(&store()?, &config.local_names, now)
            .map_err(|error| Failure::of(&error).hint(error.hint()))?;
        Some(authority)
    } else {
        None
    };
    let mut sources = Vec::new();
    let mut renew_at: Option<SystemTime> = None;
    // Thousands of sites may share one file.
    let mut loaded: HashMap<&Path, ServedCertificate> = HashMap::new();
    let mut served = Vec::with_capacity(config.sites.len());
    for site in &config.sites {
        served.push(match (&site.certificate, &authority) {
            (CertificateSource::Files { cert, key }, _) => {
                if let Some(known) = loaded.get(cert.as_path()) {
                    known.clone()
                } else {
                    let (certificate, not_after) = load(cert, key)?;
                    sources.push(Source {
                        file: Some(cert.clone()),
                        not_after,
                    });
                    loaded.insert(cert, certificate.clone());
                    certificate
                }
            }
            (CertificateSource::Local, Some(authority)) => {
                let leaf = authority
                    .leaf(&site.site.hosts, now)
                    .map_err(|error| cannot_make(&error))?;
                let wanted = leaf.renew_at();
                renew_at = Some(renew_at.map_or(wanted, |known| known.min(wanted)));
                sources.push(Source {
                    file: None,
                    not_after: leaf.not_after(),
                });
                let names = leaf.names().to_vec();
                ServedCertificate::new(leaf.chain.clone(), leaf.key.clone_key(), &names)
                    .map_err(|error| Failure::of(&error))?
            }
            (CertificateSource::Local, None) => continue,
        });
    }
    let certificates = by_name(&config.sites, &served)
        .ok_or_else(|| Failure::usage("the config has no site, so there is nothing to serve"))?;
    let tls = ServerTls::new(Arc::new(certificates), tickets, ravelin_server::ALPN)
        .map_err(|error| Failure::of(&error))?;
    Ok(Prepared {
        tls,
        sources,
        renew_at,
        authority,
    })
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

fn by_name(sites: &[ConfiguredSite], served: &[ServedCertificate]) -> Option<Certificates> {
    // Clients that connect to an address name no server: for them, the first site with one.
    let has_address = |site: &ConfiguredSite| {
        site.site
            .hosts
            .iter()
            .any(|host| matches!(host, HostName::Ip(_)))
    };
    let default = sites.iter().position(has_address).unwrap_or(0);
    let mut certificates = Certificates::new(served.get(default)?.clone());
    for (site, certificate) in sites.iter().zip(served) {
        for host in &site.site.hosts {
            certificates.insert(host, certificate);
        }
    }
    Some(certificates)
}

/// The names in the first certificate of a file.
pub(crate) fn names_in(cert: &Path) -> Result<Vec<HostName>, Failure> {
    let (_, leaf) = read_chain(cert)?;
    Ok(leaf.names().to_vec())
}

/// Reads a certificate and its key.
pub(crate) fn load(cert: &Path, key: &Path) -> Result<(ServedCertificate, SystemTime), Failure> {
    let (chain, leaf) = read_chain(cert)?;
    let private = pem::private_key(&read(key)?)
        .map_err(|error| in_file(key, &error).hint(error.hint().map(str::to_owned)))?;
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
    Ok((served, leaf.not_after()))
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

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::local(format!("cannot read \"{}\": {error}", path.display())))
}

fn in_file(path: &Path, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::usage(format!("\"{}\": {}", path.display(), failure::chain(error)))
}
