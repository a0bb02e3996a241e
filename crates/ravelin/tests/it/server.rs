//! A `ravelin` in a folder of its own: started, heard, told and ended.
//!
//! Ports are chosen by the system, homes are temporary, and every wait is for an event and bounded.
//! That the server is ready, or has reloaded, it says itself, the way it says so to systemd.

mod health;
mod process;
mod setup;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use process::{ENDED, Process};
pub(crate) use {process::Ended, setup::Setup};

/// How long anything may take that is sure to happen, on a machine with much else to do.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// How long our own clients wait for the server. Less than the time it gives an idle connection, so
/// that no test takes that for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What is listened on where a test does not care.
pub(crate) const ANYWHERE: &str = "127.0.0.1:0";

/// A temporary folder with a `home` for keys and certificates, a `user` for what a user keeps, and
/// `public/index.html`. Clones are the same folder, so that several servers can have it in turn.
#[derive(Clone)]
pub(crate) struct Place(Arc<TempDir>);

impl Place {
    pub(crate) fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    /// One in memory, for what is done hundreds of times: waiting for a disk is most of a command.
    pub(crate) fn in_memory() -> Self {
        Self::of(tempfile::tempdir_in("/dev/shm").unwrap())
    }

    fn of(folder: TempDir) -> Self {
        let place = Self(Arc::new(folder));
        place.write("public/index.html", "hello\n");
        fs::create_dir(place.path("user")).unwrap();
        place
    }

    /// The path of something in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `$RAVELIN_HOME`.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The local root, in PEM.
    pub(crate) fn root(&self) -> PathBuf {
        self.home().join("ca/root.pem")
    }

    /// Writes a file where it is to be, making the folders above it.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// Puts a new file in the place of an old one, as editors and certificate tools do.
    pub(crate) fn replace(&self, name: &str, contents: impl AsRef<[u8]>) {
        let new = self.write(&format!("{name}.new"), contents);
        fs::rename(new, self.path(name)).unwrap();
    }

    /// `ravelin` in this folder, with an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ravelin"));
        self.furnish(&mut command);
        command.args(arguments);
        command
    }

    /// Gives any program the folder and the environment that `ravelin` has here.
    pub(crate) fn furnish(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("user"))
            .env("RAVELIN_HOME", self.home())
            .current_dir(self.0.path())
            .stdin(Stdio::null());
    }

    /// Runs `ravelin` until it ends by itself.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Process::start(&mut self.command(arguments), None).wait()
    }

    /// `ravelin serve` with these arguments: of `public`, where the first is no folder, and on any
    /// port, where none is named.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        let mut all = vec!["serve"];
        if arguments
            .first()
            .is_none_or(|first| first.starts_with("--"))
        {
            all.push("public");
        }
        if !arguments.contains(&"--listen") {
            all.extend(["--listen", ANYWHERE]);
        }
        all.extend(arguments);
        Server::start(self, &mut self.command(&all))
    }

    /// `ravelin serve --config` with this text.
    pub(crate) fn serve_config(&self, text: &str) -> Server {
        self.write("ravelin.toml", text);
        let mut command = self.command(&["serve", "--config", "ravelin.toml"]);
        Server::start(self, &mut command)
    }
}

/// A running `ravelin serve`, killed when dropped.
pub(crate) struct Server {
    pub(crate) place: Place,
    process: Process,
    notices: UnixDatagram,
    port: Option<u16>,
}

impl Server {
    /// Starts a command that is, or becomes, a server, and waits until it is ready.
    pub(crate) fn start(place: &Place, command: &mut Command) -> Self {
        // Several may run in one place, and the end of one is no word of another.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let socket = place.path(&format!("notify-{number}"));
        let notices = UnixDatagram::bind(&socket).unwrap();
        notices.set_read_timeout(Some(SOON)).unwrap();
        command.env("NOTIFY_SOCKET", &socket);
        let mut server = Self {
            place: place.clone(),
            process: Process::start(command, Some(socket)),
            notices,
            port: None,
        };
        server.wait_notified("READY=1");
        // What was said before that may still be on its way to us.
        server
            .process
            .stderr
            .wait("the last line of the start", |said| {
                let of_files =
                    said.contains("certificate  ") && !said.contains("your local CA, good");
                // Something may have happened already behind it.
                let tunnels = said.split_once('→');
                let of_tunnels = tunnels.is_some_and(|(_, rest)| rest.contains("\n\n"));
                let last = of_files
                    || of_tunnels
                    || said.contains("/metrics\n")
                    || said.contains("curl --cacert")
                    || said.contains("system trusts");
                (last && said.ends_with('\n')).then_some(())
            });
        server.port = server.urls().iter().find_map(|url| {
            let (_, port) = url.rsplit_once(':')?;
            port.parse().ok()
        });
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// The port of HTTPS: that of the first URL that was printed.
    pub(crate) fn port(&self) -> u16 {
        self.port.expect("no URL with a port was printed")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port()).into()
    }

    /// A connection of which nothing is known but TCP.
    pub(crate) fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address()).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_write_timeout(Some(PATIENCE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    /// `https://localhost:PORT` and this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port())
    }

    /// The URLs that were printed.
    pub(crate) fn urls(&self) -> Vec<String> {
        let said = self.said();
        let urls = said
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("https://"));
        urls.map(str::to_owned).collect()
    }

    /// What was said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.process.stderr.so_far()
    }

    /// Waits until standard error has `text` behind its first `after` bytes.
    pub(crate) fn wait_said(&self, after: usize, text: &str) {
        self.process
            .stderr
            .wait(text, |said| said.get(after..)?.contains(text).then_some(()));
    }

    /// What was printed on standard output so far, once it has `lines` lines.
    pub(crate) fn wait_printed(&self, lines: usize) -> String {
        self.process
            .stdout
            .wait(&format!("{lines} lines"), |printed| {
                (printed.lines().count() >= lines).then(|| printed.to_owned())
            })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// The next thing that was said to systemd.
    pub(crate) fn notified(&self) -> String {
        let mut message = [0; 4096];
        let length = self.notices.recv(&mut message).unwrap_or_else(|error| {
            panic!("nothing is said to systemd: {error}; but: {}", self.said())
        });
        let message = String::from_utf8(message[..length].to_vec()).unwrap();
        assert_ne!(message, ENDED, "the server has ended: {}", self.said());
        message
    }

    /// Waits until systemd is told `what`.
    pub(crate) fn wait_notified(&self, what: &str) {
        while !self.notified().lines().any(|line| line == what) {}
    }

    /// Reloads with SIGHUP, and returns what was said about it, once it is done.
    pub(crate) fn reload(&self) -> String {
        let before = self.said().len();
        self.signal(Signal::HUP);
        self.wait_reloaded();
        self.process.stderr.wait("a word about the reload", |said| {
            let news = &said[before..];
            let over = news.contains("reloaded: ") || news.contains("nothing was reloaded");
            (over && news.ends_with('\n')).then(|| news.to_owned())
        })
    }

    /// Waits until a reload has begun and ended.
    pub(crate) fn wait_reloaded(&self) {
        self.wait_notified("RELOADING=1");
        self.wait_notified("READY=1");
    }

    /// Ends the server with SIGTERM, as systemd would, and checks that it took no harm.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        let ended = self.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        ended
    }

    /// Waits until the server has ended.
    pub(crate) fn wait(self) -> Ended {
        self.process.wait()
    }
}

/// A command that says on standard error where it listens, and that serves nobody for long.
pub(crate) struct Listening(Process);

impl Listening {
    /// Starts it.
    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::of(&mut place.command(arguments))
    }

    /// Starts a command that has everything.
    pub(crate) fn of(command: &mut Command) -> Self {
        Self(Process::start(command, None))
    }

    /// The port, once it listens.
    pub(crate) fn port(&self) -> u16 {
        self.0.stderr.wait("where it listens", |said| {
            // The first line that ends in a port, in whatever language.
            let mut lines = said.lines();
            lines.find_map(|line| line.rsplit_once(':')?.1.trim().parse().ok())
        })
    }

    /// Waits until it has ended.
    pub(crate) fn wait(self) -> Ended {
        self.0.wait()
    }
}

/// A port that is free now, and that the system does not give to others by itself, for tests that
/// have to name one. Each process, so each test, looks in a different corner.
pub(crate) fn free_port() -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    let corner = (std::process::id() % 300) as u16 * 40;
    loop {
        let port = 20_000 + (corner + *next) % 12_000;
        *next += 1;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
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
        std::thread::sleep(Duration::from_millis(10));
    }
}
