//! What the values of the file mean, and whether they fit together and to the disk.
//!
//! Every function here notes what is wrong and goes on with a stand-in, so that one run finds all;
//! the stand-ins are thrown away with the config.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ravelin_pki::{HostName, NameConstraints};

use super::problem::Problems;
use super::unserved::Unserved;
use super::{Config, raw};

mod access;
mod acme;
mod certificate;
mod files;
mod header;
mod host;
mod path;
mod redirect;
mod route;
mod server;
mod site;
pub(super) mod tunnel;
mod value;

/// Checks the whole file. The config is of use only where no problem was noted.
pub(super) fn config(
    raw: &raw::File,
    file: &Path,
    now: Option<SystemTime>,
    home: Option<&Path>,
    problems: &mut Problems,
) -> Config {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let local_names = host::local_names(&raw.server, problems);
    let unserved = files::unserved(raw, file, &folder, home);
    let mut check = Check {
        folder,
        now,
        listen: Vec::new(),
        local: local_names
            .iter()
            .fold(NameConstraints::local(), NameConstraints::and),
        local_names,
        watched: vec![file.to_owned()],
        unserved,
        problems,
    };
    let (listen, redirect) = server::addresses(&raw.server, &mut check);
    check.listen.clone_from(&listen);
    let sites = site::sites(raw, &mut check);
    Config {
        listen,
        redirect,
        workers: raw.server.workers.copied_or(0) as usize,
        limits: server::limits(&raw.server.limits, &mut check),
        log: server::log(&raw.log, &mut check),
        sites,
        watched: check.watched,
        local_names: check.local_names,
    }
}

/// What the checks share.
struct Check<'a> {
    /// Where relative paths start.
    folder: PathBuf,
    now: Option<SystemTime>,
    listen: Vec<SocketAddr>,
    local_names: Vec<HostName>,
    /// What the local certificate authority may sign for.
    local: NameConstraints,
    watched: Vec<PathBuf>,
    unserved: Unserved,
    problems: &'a mut Problems,
}

impl Check<'_> {
    /// A path of the file as the process can open it.
    fn path(&self, text: &str) -> PathBuf {
        // `./public` below `.` is shown as `public`, and below `/etc` as `/etc/public`.
        self.folder.join(text).components().collect()
    }

    fn watch(&mut self, path: &Path) {
        if !self.watched.iter().any(|watched| watched == path) {
            self.watched.push(path.to_owned());
        }
    }
}
