//! A server under attack: started on a config and a folder, watched through `/proc`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::client::Client;
use crate::server::{Place, assert_clean};

/// How long anything that is sure to happen may take on a machine with much else to do.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A running server. When dropped, it looks for panics and `Debug` dumps on standard error.
pub(crate) struct Server {
    running: crate::server::Server,
}

/// What is to be started, and how.
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

impl Server {
    /// A server of one folder, `localhost`, with nothing special about it.
    pub(crate) fn start() -> Self {
        Setup::new().start()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The folder that is served.
    pub(crate) fn public(&self) -> PathBuf {
        self.running.place.path("public")
    }

    /// Something in the folder that the config is in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.running.place.path(name)
    }

    /// A connection of which nothing is known but TCP.
    pub(crate) fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address()).unwrap();
        tcp.set_read_timeout(Some(SOON)).unwrap();
        tcp.set_write_timeout(Some(SOON)).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    /// What was said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.running.said()
    }

    /// Waits until standard error has `text`.
    pub(crate) fn wait_until_said(&self, text: &str) {
        self.running.wait_said(0, text);
    }

    /// The most memory that the server has held, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// CPU time that the server has used.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Checks that the server is there for others: a new client gets its answer within a second.
    /// Of three tries one has to do it, since the machine may be busy with other tests.
    pub(crate) fn assert_serves_others(&self) {
        let mut took = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            let answer = Client::connect(self).get("/index.html");
            assert_eq!((answer.status, &answer.body[..]), (200, &b"hello\n"[..]));
            took.push(begun.elapsed());
            if took.iter().any(|took| *took < Duration::from_secs(1)) {
                return;
            }
        }
        panic!("others wait too long: {took:?}");
    }

    /// Runs `attack` and checks that the server's memory has grown by less than `mebibytes`.
    pub(crate) fn assert_memory_bounded<T>(&self, mebibytes: u64, attack: impl FnOnce() -> T) -> T {
        // The first connection brings in code and tables that are no one's attack.
        self.assert_serves_others();
        let before = self.peak_memory();
        let result = attack();
        let grown = self.peak_memory().saturating_sub(before);
        assert!(grown < mebibytes * 1024, "memory grew by {grown} KiB");
        result
    }
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
        let running = crate::server::Server::start(&self.place, &mut self.command());
        Server { running }
    }

    /// Runs a server that is to end by itself: its exit code and what it said.
    pub(crate) fn run(&self) -> (Option<i32>, String) {
        let output = self.command().output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_clean(&stderr);
        (output.status.code(), stderr)
    }
}

/// Lets this process open as many files as it may: each client connection is one.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// Waits until `done`, which something outside this process brings about.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < SOON, "{what} has not come about");
        thread::sleep(Duration::from_millis(10));
    }
}
