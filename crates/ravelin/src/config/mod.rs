//! The config file, `ravelin.toml`: raw text -> checked -> resolved.
//!
//! [`load`] reads a file and returns either a [`Config`] in which nothing is left to check, or a
//! [`Report`] of everything that is wrong. It looks at the disk, because a folder that is not there
//! and a key that belongs to another certificate are errors of the config; it opens no port and
//! changes nothing.
//!
//! | module | |
//! |---|---|
//! | `raw`, `tunnel_keys` | the keys of the file as types, and those of a file of tunnels: the source of the schemas and of the tables in the docs |
//! | `tunnel` | a file of tunnels with nothing left to check; `acme` is its CA |
//! | `placed` | the kinds of values that those keys have, each with its place in the file |
//! | `shape` | holds the parsed document against that schema |
//! | `check` | what the values mean, and whether they fit together and to the disk |
//! | `fault` | what can be wrong, and every word said about it; `problem` adds where |
//! | `unserved` | what no folder may publish |
//! | `report` | how that is shown; `secret` keeps passwords out of it |

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use http::HeaderValue;
use ravelin_pki::HostName;
use ravelin_server::Limits;
use ravelin_server::site::Site;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use fault::Fault;
use problem::Problems;

use crate::listen_on::ListenOn;
pub(crate) use acme::{
    AcmeConfig, contact_of, directory_of, external_account_of, not_agreed, unsignable,
};
pub(crate) use fault::too_wide_hint;
pub(crate) use report::Report;
pub(crate) use tunnel::{
    CONNECT_TIMEOUT, DRAIN_TIMEOUT, Mode, ServerSide, TunnelCertificate, TunnelConfig,
    TunnelsConfig, in_clear, place_of, target_of,
};
pub(crate) use unserved::{Unservable, Unserved};

mod acme;
mod check;
mod fault;
mod placed;
mod problem;
mod raw;
#[cfg(test)]
mod reference;
mod report;
mod secret;
mod shape;
#[cfg(test)]
mod tests;
mod tunnel;
mod tunnel_keys;
mod unserved;

/// What the server is to do, with nothing left to check.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where HTTPS is served. No address is in it twice, but for those with port 0.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where plain HTTP is answered with a redirect to HTTPS.
    pub(crate) redirect: Vec<SocketAddr>,
    /// Threads that serve requests; 0: one a core.
    pub(crate) workers: usize,
    /// What one client may take of the server.
    pub(crate) limits: Limits,
    /// The access log, if there is to be one.
    pub(crate) log: Option<LogConfig>,
    /// The sites. No host belongs to two of them.
    pub(crate) sites: Vec<ConfiguredSite>,
    /// Names beyond its own that the local certificate authority may sign for.
    pub(crate) local_names: Vec<HostName>,
    /// The files whose change calls for a reload: the config file, certificates, keys and staples.
    pub(crate) watched: Vec<PathBuf>,
}

/// A site and where its certificate comes from.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredSite {
    /// What is served.
    pub(crate) site: Site,
    /// What proves that this server may serve it.
    pub(crate) certificate: CertificateSource,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CertificateSource {
    /// The local certificate authority, which may sign for all hosts of the site.
    Local,
    /// PEM files that were there, fitted each other and covered all hosts of the site.
    Files {
        /// The certificate and its intermediates.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
        /// The OCSP response to staple: it may be missing, wrong or over, and is then not sent.
        staple: Option<PathBuf>,
    },
}

/// The access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogConfig {
    /// How a line is written.
    pub(crate) format: LogFormat,
    /// Where the lines go.
    pub(crate) to: LogTarget,
    /// The size in bytes at which a file is rotated, at least 1.
    pub(crate) rotate_bytes: u64,
    /// How many rotated files are kept.
    pub(crate) keep: usize,
}

impl LogConfig {
    /// One line a request on standard output, for a person.
    pub(crate) fn to_stdout() -> Self {
        Self {
            format: LogFormat::Combined,
            to: LogTarget::Stdout,
            rotate_bytes: 1,
            keep: 0,
        }
    }
}

/// How a line of the access log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// As Apache and nginx do.
    Combined,
    /// A JSON object a line.
    Json,
}

/// Where the access log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// Standard output.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

/// Reads and checks the config file `file`. `now` is what certificates must be valid at, if
/// that is asked; `home` the folder of the local CA, which must not be served.
///
/// # Errors
///
/// That the file cannot be read, or all that is wrong with it.
pub(crate) fn load(
    file: &Path,
    now: Option<SystemTime>,
    home: Option<&Path>,
) -> Result<Config, LoadError> {
    Ok(read(&bytes_of(file)?, file, now, home)?)
}

/// The same for a file of tunnels.
///
/// # Errors
///
/// That the file cannot be read, or all that is wrong with it.
pub(crate) fn load_tunnels(
    file: &Path,
    now: Option<SystemTime>,
) -> Result<TunnelsConfig, LoadError> {
    Ok(read_tunnels(&bytes_of(file)?, file, now)?)
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(file).map_err(|source| LoadError::Unreadable {
        file: file.to_owned(),
        source,
    })
}

/// Why there is no config.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The file is not there, or may not be read: a local matter.
    #[error("the config file {file:?} cannot be read")]
    Unreadable {
        /// The file, as it was named by the user.
        file: PathBuf,
        source: std::io::Error,
    },
    /// The file is wrong.
    #[error(transparent)]
    Wrong(#[from] Report),
}

impl LoadError {
    /// The files of which one has to change before a config comes of it: as [`Config::watched`].
    pub(crate) fn watched(&self) -> &[PathBuf] {
        match self {
            Self::Unreadable { file, .. } => std::slice::from_ref(file),
            Self::Wrong(report) => &report.watched,
        }
    }
}

/// Checks the text of a config file. `file` is its name: paths in it start at its folder.
///
/// # Errors
///
/// All that is wrong with it.
pub(crate) fn read(
    bytes: &[u8],
    file: &Path,
    now: Option<SystemTime>,
    home: Option<&Path>,
) -> Result<Config, Report> {
    let schema = raw::schema();
    let (keys, form) = form::<raw::File>(bytes, file, schema.as_value())?;
    form.judge(|problems| {
        let config = check::config(&keys, file, now, home, problems);
        let watched = config.watched.clone();
        (config, watched)
    })
}

/// The same for a file of tunnels.
///
/// # Errors
///
/// All that is wrong with it.
pub(crate) fn read_tunnels(
    bytes: &[u8],
    file: &Path,
    now: Option<SystemTime>,
) -> Result<TunnelsConfig, Report> {
    let schema = tunnel_keys::schema();
    let (keys, form) = form::<tunnel_keys::File>(bytes, file, schema.as_value())?;
    form.judge(|problems| {
        let config = check::tunnel::config(&keys, file, now, problems);
        let watched = config.watched.clone();
        (config, watched)
    })
}

/// A file whose keys were read, with what is wrong with their form.
struct Form<'f> {
    file: &'f Path,
    /// The text, secrets masked.
    shown: String,
    problems: Problems,
}

impl Form<'_> {
    /// What `check` makes of the keys, with the files that are to be watched, unless something is wrong.
    fn judge<T>(
        mut self,
        check: impl FnOnce(&mut Problems) -> (T, Vec<PathBuf>),
    ) -> Result<T, Report> {
        let (config, watched) = check(&mut self.problems);
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(self.report(Some(watched)))
        }
    }

    fn report(self, watched: Option<Vec<PathBuf>>) -> Report {
        Report {
            file: self.file.to_owned(),
            text: self.shown,
            problems: self.problems.in_order(),
            watched: watched.unwrap_or_else(|| vec![self.file.to_owned()]),
        }
    }
}

/// Reads the keys that a file may have by its schema.
fn form<'f, T: DeserializeOwned>(
    bytes: &[u8],
    file: &'f Path,
    schema: &serde_json::Value,
) -> Result<(T, Form<'f>), Report> {
    let mut form = Form {
        file,
        shown: String::new(),
        problems: Problems::default(),
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = good.rfind('\n').map_or(0, |at| at + 1);
            form.problems.add(&(line..good.len()), Fault::NotUtf8);
            form.shown = secret::masked(&good, &DeTable::new(), true);
            return Err(form.report(None));
        }
    };

    let (mut document, errors) = DeTable::parse_recoverable(text);
    form.shown = secret::masked(text, document.get_ref(), !errors.is_empty());
    if !errors.is_empty() {
        // What is left of the document is not what the user meant: nothing more is said about it.
        // Where one slip leaves several things open, the innermost comes last and says it best.
        let place = |error: &toml::de::Error| error.span().unwrap_or(text.len()..text.len());
        let places: BTreeMap<usize, toml::de::Error> = errors
            .into_iter()
            .map(|error| (place(&error).start, error))
            .collect();
        for error in places.values() {
            let what = error.message().replace(", expected literal string", "");
            form.problems.add(&place(error), Fault::Syntax(what));
        }
        return Err(form.report(None));
    }

    shape::hold(document.get_mut(), schema, &mut form.problems);
    let whole = toml::Spanned::new(document.span(), DeValue::Table(document.into_inner()));
    match T::deserialize(ValueDeserializer::from(whole)) {
        Ok(keys) => Ok((keys, form)),
        Err(error) => {
            let place = error.span().unwrap_or_default();
            form.problems
                .add(&place, Fault::Syntax(error.message().to_owned()));
            Err(form.report(None))
        }
    }
}

/// Where HTTPS is served when nothing is said: port 8443 of this machine alone.
pub(crate) fn default_listen() -> Vec<SocketAddr> {
    ListenOn::this_machine(DEFAULT_PORT).addresses().to_vec()
}

/// The `Strict-Transport-Security` of public hosts when nothing is said: a year, this host alone.
pub(crate) fn default_hsts() -> HeaderValue {
    HeaderValue::from_static("max-age=31536000")
}

/// The longest request body when nothing is said, in bytes.
pub(crate) const DEFAULT_BODY_LIMIT: u64 = 1024 * 1024;

const DEFAULT_PORT: u16 = 8443;
