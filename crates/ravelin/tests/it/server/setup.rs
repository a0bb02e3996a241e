//! A config of one site, `localhost`, that serves `public`, put together key by key, and the rights
//! and limits of the process that serves it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::process::{Ended, Process};
use super::{Place, Server};

/// What is to be started, and how. As it is made, there is nothing special about it.
pub(crate) struct Setup {
    place: Place,
    server: String,
    limits: String,
    log: String,
    files: String,
    sites: String,
    before: String,
    wrapper: &'static str,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::new(),
            server: String::new(),
            limits: String::new(),
            log: String::new(),
            files: String::new(),
            sites: String::new(),
            before: String::new(),
            wrapper: "",
        }
    }

    /// Adds keys to `[server]`.
    pub(crate) fn server(mut self, keys: &str) -> Self {
        writeln!(self.server, "{keys}").unwrap();
        self
    }

    /// Adds a key to `[server.limits]`.
    pub(crate) fn limit(mut self, key: &str, value: &str) -> Self {
        writeln!(self.limits, "{key} = {value}").unwrap();
        self
    }

    /// Sets what `[log]` has.
    pub(crate) fn log(mut self, keys: &str) -> Self {
        self.log = format!("[log]\n{keys}\n");
        self
    }

    /// Adds a key to the `files` table of the route that serves the folder.
    pub(crate) fn files(mut self, key: &str) -> Self {
        write!(self.files, ", {key}").unwrap();
        self
    }

    /// Adds routes of the same site, or more sites.
    pub(crate) fn sites(mut self, tables: &str) -> Self {
        writeln!(self.sites, "{tables}").unwrap();
        self
    }

    /// Shell commands, such as `ulimit`, that come before the server.
    pub(crate) fn before(mut self, commands: &str) -> Self {
        self.before = commands.into();
        self
    }

    /// Does something to the folder that the config is in; `public` lies in it.
    pub(crate) fn folder(self, prepare: impl FnOnce(&Path)) -> Self {
        prepare(&self.place.path(""));
        self
    }

    /// Has a server of the same config make its certificates first, without what
    /// [`Setup::before`] says.
    pub(crate) fn with_certificates(mut self) -> Self {
        let before = std::mem::take(&mut self.before);
        // Not as a server that is waited for: its end would be taken for that of the next one.
        let mut child = self.command().stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        assert!(said.any(|line| line.starts_with("certificate")));
        child.kill().unwrap();
        child.wait().unwrap();
        self.before = before;
        self
    }

    /// Runs without the right of root to read everything.
    pub(crate) fn without_rights(mut self) -> Self {
        if rustix::process::geteuid().is_root() {
            self.wrapper = "setpriv --bounding-set=-dac_override,-dac_read_search -- ";
        }
        self
    }

    fn command(&self) -> Command {
        let config = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\n{}[server.limits]\n{}{}[[site]]\n\
             hosts = [\"localhost\"]\n[[site.route]]\nfiles = {{ root = \"./public\"{} }}\n{}",
            self.server, self.limits, self.log, self.files, self.sites
        );
        self.place.write("ravelin.toml", config);
        let mut command = Command::new("sh");
        self.place.furnish(&mut command);
        command
            .arg("-c")
            .arg(format!(
                "{}\nexec {}\"$0\" serve --config ravelin.toml",
                self.before, self.wrapper
            ))
            .arg(env!("CARGO_BIN_EXE_ravelin"));
        command
    }

    pub(crate) fn start(self) -> Server {
        Server::start(&self.place, &mut self.command())
    }

    /// Runs a server that is to end by itself.
    pub(crate) fn run(&self) -> Ended {
        Process::start(&mut self.command(), None).wait()
    }
}
