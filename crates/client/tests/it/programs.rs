//! The programs in `examples/`, each with its counterpart in Python at the other end.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use ravelin_pki::authority::leaf_template;
use ravelin_pki::{Authority, DistinguishedName, NameConstraints, Oid, PrivateKey, Purpose};
use tempfile::TempDir;

use Language::{Python, Rust};

use crate::servers;

/// Of a program there are two.
#[derive(Debug, Clone, Copy)]
enum Language {
    Rust,
    Python,
}

/// Who serves, and who asks.
const BOTH_WAYS: [(Language, Language); 2] = [(Rust, Python), (Python, Rust)];

impl Language {
    /// The program of this name, in a folder.
    fn program(self, name: &str, folder: &Path) -> Command {
        let mut command = match self {
            // Cargo builds them beside the tests.
            Rust => {
                let tests = std::env::current_exe().unwrap();
                let built = tests.ancestors().nth(2).unwrap();
                Command::new(built.join("examples").join(name))
            }
            Python => {
                let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                let python = repository.join(".venv/bin/python");
                assert!(python.exists(), "there is no .venv: ./test makes it");
                let mut command = Command::new(python);
                command.arg(repository.join(format!("examples/python/{name}.py")));
                command
            }
        };
        command
            .current_dir(folder)
            .env_remove("RUST_BACKTRACE")
            .env_remove("REQUESTS_CA_BUNDLE")
            .stdin(Stdio::null());
        command
    }
}

/// What a program said.
#[derive(Debug)]
struct Ran {
    well: bool,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Self {
            well: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Checks that all went well, and this was printed.
    fn printed(&self, text: &str) {
        assert!(self.well && self.stdout == text, "no {text:?}: {self:?}");
    }

    /// Checks that it did not go well, nothing was printed, and one of these reasons was told.
    fn refused(&self, reasons: &[&str]) {
        let told = reasons.iter().any(|reason| self.stderr.contains(reason));
        assert!(!self.well && self.stdout.is_empty() && told, "{self:?}");
    }
}

fn run(language: Language, folder: &Path, name: &str, arguments: &[&str]) -> Ran {
    Ran::of(language.program(name, folder).args(arguments))
}

/// A program that listens, killed when dropped.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    fn start(language: Language, folder: &Path, name: &str, arguments: &[&str]) -> Self {
        let mut command = language.program(name, folder);
        let mut child = command
            .args(arguments)
            .arg("0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on 127.0.0.1:");
        let port = address.expect("where it listens").to_owned();
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `root.pem`; `chain.pem` with an intermediate, and `server.key`, for localhost; `ada.pem` and `ada.key` of a client;
/// and `other.pem`, another root, with a client of its own, Mallory.
struct Made {
    folder: TempDir,
    /// The titles and fingerprints of `chain.pem`.
    chain: Vec<(String, String)>,
}

impl Made {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let now = SystemTime::now();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        let key = || PrivateKey::generate().unwrap();
        let root = |name| Authority::root(name, key(), &NameConstraints::local(), now).unwrap();
        let client = |of: &Authority, name: &str| {
            let template = leaf_template(&[])
                .for_purposes(&[Purpose::Client])
                .with_subject(DistinguishedName::of(&[(Oid::COMMON_NAME, name)]));
            let leaf = of.leaf_of(&template, now).unwrap();
            write(&format!("{name}.pem"), leaf.chain_pem());
            write(&format!("{name}.key"), leaf.key_pem());
        };
        let other = root("another root");
        write("other.pem", other.certificate().to_pem());
        client(&other, "mallory");
        let root = root("root");
        write("root.pem", root.certificate().to_pem());
        client(&root, "ada");
        let intermediate = root.intermediate("intermediate", key(), now).unwrap();
        let names = ["localhost".parse().unwrap()];
        let leaf = intermediate.leaf(&names, now).unwrap();
        write("chain.pem", leaf.chain_pem());
        write("server.key", leaf.key_pem());
        let chain = [leaf.certificate(), intermediate.certificate()];
        let chain = chain.map(|one| (one.title(), one.fingerprint_sha256().to_string()));
        Self {
            folder,
            chain: chain.into(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

const UNKNOWN: [&str; 2] = ["UnknownIssuer", "CERTIFICATE_VERIFY_FAILED"];

#[test]
fn lines_come_back_over_tls_from_who_is_believed() {
    let made = Made::new();
    fs::write(made.file("input"), "hello\ngrüße\n").unwrap();
    for (serves, asks) in BOTH_WAYS {
        let server = Server::start(
            serves,
            made.path(),
            "echo_server",
            &["chain.pem", "server.key"],
        );
        let ask = |host: &str, root: &str| {
            let mut client = asks.program("echo_client", made.path());
            client.stdin(File::open(made.file("input")).unwrap());
            Ran::of(client.args([host, &server.port, root]))
        };
        // Who hangs up in the middle does no harm to who comes next.
        ask("localhost", "other.pem").refused(&UNKNOWN);
        ask("127.0.0.1", "root.pem").refused(&["not valid for name", "IP address mismatch"]);
        ask("localhost", "root.pem").printed("hello\ngrüße\n");
    }
}

#[test]
fn a_certificate_of_its_own_is_read_served_and_pinned_in_the_other_language() {
    let mut told = Vec::new();
    for (other, makes) in BOTH_WAYS {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        let said = run(
            makes,
            folder,
            "self_signed",
            &["localhost", "127.0.0.1", "::1"],
        );
        let pin = said.stdout.trim().rsplit(' ').next().unwrap();
        assert!(said.well && pin.len() == 64, "{said:?}");
        // Nothing is written over, a key least of all.
        run(makes, folder, "self_signed", &["localhost"]).refused(&["File exists"]);
        told.push(told_by_openssl(folder));

        let server = Server::start(other, folder, "echo_server", &["cert.pem", "key.pem"]);
        run(
            other,
            folder,
            "echo_client",
            &["127.0.0.1", &server.port, "cert.pem"],
        )
        .printed("");
        let ask = |pin| run(other, folder, "pinned", &["localhost", &server.port, pin]);
        ask(pin).printed(&format!("localhost has the key {pin}\n"));
        ask(&"0".repeat(64)).refused(&["is none of those that are pinned"]);
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].contains("IP Address:127.0.0.1"), "{}", told[0]);
}

/// What matters of `cert.pem`, and the rights of `key.pem`.
fn told_by_openssl(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let rights = fs::metadata(folder.join("key.pem")).unwrap().permissions();
    assert_eq!(rights.mode() & 0o777, 0o600);
    let mut openssl = Command::new("openssl");
    let asked = "x509 -in cert.pem -noout -subject -ext subjectAltName,basicConstraints,keyUsage,extendedKeyUsage";
    let output = openssl.current_dir(folder).args(asked.split(' ')).output();
    let lines = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut lines: Vec<&str> = lines.lines().map(str::trim).collect();
    // The order of extensions is free.
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn a_get_believes_who_it_is_told_to_and_nobody_else() {
    let made = servers::made();
    let folder = TempDir::new().unwrap();
    let root = made.root.certificate().to_pem();
    fs::write(folder.path().join("root.pem"), root).unwrap();
    let port = servers::server(made.acceptor.clone()).await;
    let url = format!("https://localhost:{port}/");
    let other_name = format!("https://127.0.0.1:{port}/");
    let both = move || {
        for asks in [Rust, Python] {
            let get = |arguments: &[&str]| run(asks, folder.path(), "https_get", arguments);
            get(&[&url, "--ca", "root.pem"]).printed("hello");
            get(&[&url]).refused(&UNKNOWN);
            get(&[&other_name, "--ca", "root.pem"]).refused(&["is not believed"]);
            get(&[&other_name, "--insecure"]).printed("hello");
        }
    };
    // The server is on this thread.
    tokio::task::spawn_blocking(both).await.unwrap();
}

#[test]
fn a_server_greets_clients_of_its_ca_by_name_and_lets_in_no_others() {
    let made = Made::new();
    for (serves, asks) in BOTH_WAYS {
        let server = Server::start(
            serves,
            made.path(),
            "mutual_tls_server",
            &["chain.pem", "server.key", "root.pem"],
        );
        let ask = |own: &[&str]| {
            let server = ["localhost", &server.port, "root.pem"];
            run(
                asks,
                made.path(),
                "mutual_tls_client",
                &[&server[..], own].concat(),
            )
        };
        ask(&["ada.pem", "ada.key"]).printed("hello, ada\n");
        ask(&[]).refused(&["certificate_required", "certificate required"]);
        ask(&["mallory.pem", "mallory.key"]).refused(&[
            "unknown_ca",
            "unknown ca",
            "decrypt error",
        ]);
    }
}

/// A suite of TLS 1.2 as IANA registers it, and as OpenSSL calls it.
const AES_128: [&str; 2] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
];
const AES_256: [&str; 2] = [
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
];
/// One of TLS 1.3 is called alike.
const CHACHA: [&str; 2] = ["TLS_CHACHA20_POLY1305_SHA256"; 2];

#[test]
fn versions_and_suites_are_the_chosen_ones_or_there_is_no_connection() {
    let made = Made::new();
    for (serves, asks) in BOTH_WAYS {
        let serve = |version, suite: [&str; 2]| {
            let arguments = ["chain.pem", "server.key", version, suite[serves as usize]];
            Server::start(serves, made.path(), "choosing_server", &arguments)
        };
        let ask = |server: &Server, version, suite: Option<[&str; 2]>| {
            let mut arguments = vec!["localhost", &server.port, "root.pem", version];
            arguments.extend(suite.map(|names| names[asks as usize]));
            run(asks, made.path(), "choosing_client", &arguments)
        };
        // Python's ssl offers all suites of TLS 1.3 and lets nobody choose.
        let chacha = matches!(asks, Rust).then_some(CHACHA);
        let no_agreement = [
            "HandshakeFailure",
            "handshake failure",
            "ProtocolVersion",
            "protocol version",
        ];

        let older = serve("1.2", AES_128);
        let agreed = ask(&older, "1.2", Some(AES_128));
        let said: Vec<&str> = agreed.stdout.lines().collect();
        assert!(agreed.well && said.len() == 2, "{agreed:?}");
        let [ours, theirs] = [asks, serves].map(|language| AES_128[language as usize]);
        assert!(
            said[0].contains("1.2") && said[0].ends_with(ours),
            "{agreed:?}"
        );
        assert!(
            said[1].contains("1.2") && said[1].ends_with(theirs),
            "{agreed:?}"
        );
        ask(&older, "1.2", Some(AES_256)).refused(&no_agreement);
        ask(&older, "1.3", chacha).refused(&no_agreement);

        let newer = serve("1.3", CHACHA);
        let agreed = ask(&newer, "1.3", chacha);
        let all_chacha = agreed
            .stdout
            .lines()
            .all(|line| line.ends_with("CHACHA20_POLY1305_SHA256"));
        assert!(agreed.well && all_chacha, "{agreed:?}");
        ask(&newer, "1.2", Some(AES_128)).refused(&no_agreement);
    }
    let server = ["chain.pem", "server.key", "1.3", "TLS_AES_128_GCM_SHA256"];
    let server = Server::start(Python, made.path(), "choosing_server", &server);
    let client = ["localhost", &server.port, "root.pem", "1.3", CHACHA[0]];
    run(Rust, made.path(), "choosing_client", &client).refused(&["HandshakeFailure"]);
}

#[test]
fn the_chain_of_a_server_is_the_same_for_both_whoever_it_is() {
    let made = Made::new();
    let mut lines = vec!["TLS 1.3".to_owned()];
    for (place, (title, fingerprint)) in made.chain.iter().enumerate() {
        lines.push(format!("{place}. {title} sha256:{fingerprint}"));
    }
    let lines = lines.join("\n") + "\n";
    for (serves, asks) in BOTH_WAYS {
        let server = Server::start(
            serves,
            made.path(),
            "echo_server",
            &["chain.pem", "server.key"],
        );
        run(
            asks,
            made.path(),
            "peer_chain",
            &["localhost", &server.port],
        )
        .printed(&lines);
    }
}
