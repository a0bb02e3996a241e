//! The examples of the documents, so that what a reader copies works.
//!
//! - A `toml` block with a `[[site]]` in it is a whole config: `ravelin check` must take it.
//! - A `console` block below `<!-- tested -->` is run, and what it shows must come. `…` stands for
//!   any text in a line, or, alone in a line, for any lines. Port 8443 stands for a free one.
//! - The `rust` blocks of docs/library.md are the files in `docs/`, so that they compile; the one on a
//!   certificate of one's own is run.
//! - Links from one document to another lead somewhere.

#[allow(dead_code, reason = "it listens on a fixed port")]
mod first_program;
#[allow(unreachable_pub, reason = "it is as its readers would write it")]
mod own_certificate;
#[allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    reason = "it never ends, and is as its readers would write it"
)]
mod renewed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::foreign::fetch;
use crate::judges::openssl::make_certificate;
use crate::server::{ANYWHERE, Place, Server};

#[test]
fn every_whole_config_in_the_documents_is_right() {
    let mut seen = 0;
    for (document, text) in documents() {
        for block in blocks(&text).filter(|block| block.is("toml") && block.has("[[site]]")) {
            let place = furnished(&block.body);
            place.write("ravelin.toml", &block.body);
            let checked = place.run(&["check", "ravelin.toml"]);
            assert!(
                checked.status.success(),
                "{document}:{}\n{}",
                block.line,
                checked.stderr
            );
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} configs in the documents");
}

#[test]
fn the_config_among_the_examples_is_right() {
    let checked = Place::new().run(&[
        "check",
        root().join("examples/ravelin.toml").to_str().unwrap(),
    ]);
    checked.expect(0, &[]);
}

#[test]
fn what_the_config_among_the_examples_guards_is_guarded() {
    let place = Place::new();
    let examples = root().join("examples");
    let mut text = fs::read_to_string(examples.join("ravelin.toml")).unwrap();
    // Its ports may be another's, and its folders are elsewhere.
    text = text
        .replace("127.0.0.1:8080", ANYWHERE)
        .replace(", \"[::1]:8080\"", "");
    for folder in ["site", "staff", "../docs"] {
        let there = format!("{:?}", examples.join(folder));
        text = text.replace(&format!("\"{folder}\""), &there);
    }
    place.write("ravelin.toml", text);
    let arguments = ["serve", "--config", "ravelin.toml", "--listen", ANYWHERE];
    let server = Server::start(&place, &mut place.command(&arguments));
    let guarded = fs::read_to_string(examples.join("staff/index.html")).unwrap();
    let seen = fetch(&server, "/staff/", &["-u", "ada:ravelin"]);
    assert_eq!(seen.text(), guarded);
    assert_eq!(fetch(&server, "/staff/", &[]).status, 401);
    for open in ["/", "/index.html"] {
        let seen = fetch(&server, open, &[]);
        assert_eq!(seen.status, 200);
        assert_ne!(seen.text(), guarded);
    }
}

#[test]
fn what_the_documents_show_of_a_terminal_comes() {
    let mut seen = 0;
    for (document, text) in documents() {
        for block in blocks(&text).filter(|block| block.is("console") && block.tested) {
            let shown = Terminal::new().show(&block);
            if let Err(problem) = matches(&block.body, &shown) {
                panic!(
                    "{document}:{}: {problem}\nit should be\n{}\nand is\n{shown}",
                    block.line, block.body
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} examples in the documents");
}

#[test]
fn a_certificate_of_ones_own_is_taken_as_the_library_document_shows() {
    let place = Place::new();
    make_certificate(&place, "fullchain.pem", "privkey.pem", &["example.org"]);
    own_certificate::own_tls(&place.path("fullchain.pem"), &place.path("privkey.pem")).unwrap();
}

#[test]
fn the_programs_in_the_library_document_compile() {
    let text = fs::read_to_string(root().join("docs/library.md")).unwrap();
    let compiled = [
        include_str!("docs/first_program.rs"),
        include_str!("docs/renewed.rs"),
        include_str!("docs/own_certificate.rs"),
        // Run by the tests of its crate.
        include_str!("../../../pki/examples/ca.rs"),
    ];
    let shown: Vec<_> = blocks(&text).filter(|block| block.is("rust")).collect();
    assert_eq!(shown.len(), compiled.len());
    for (block, file) in shown.iter().zip(compiled) {
        assert!(file.ends_with(&block.body), "line {}: {file}", block.line);
    }
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    for (document, text) in documents() {
        let folder = root().join(&document).parent().unwrap().to_owned();
        for after in text.split("](").skip(1).chain(text.split("src=\"").skip(1)) {
            let target = after.split([')', '"', '#']).next().unwrap();
            if !target.is_empty()
                && !target.contains("://")
                && !target.contains(char::is_whitespace)
            {
                assert!(folder.join(target).exists(), "{document} links to {target}");
            }
        }
    }
}

/// A place where all that a config names is there.
fn furnished(config: &str) -> Place {
    let place = Place::new();
    for key in ["root = \"", "files = \""] {
        for after in config.split(key).skip(1) {
            let folder = after.split('"').next().unwrap();
            place.write(&format!("{folder}/index.html"), "hello\n");
        }
    }
    if config.contains("cert = ") {
        let hosts = ["example.org", "www.example.org", "example.com"];
        make_certificate(&place, "fullchain.pem", "key.pem", &hosts);
        fs::copy(place.path("key.pem"), place.path("privkey.pem")).unwrap();
    }
    place
}

/// What runs the commands of one block, one after the other.
struct Terminal {
    place: Place,
    /// Each with the port as it is shown and as it is.
    servers: Vec<(Server, String, String)>,
}

impl Terminal {
    fn new() -> Self {
        let place = Place::new();
        // On a terminal curl shows its progress only where that does not hide the answer.
        place.write("user/.curlrc", "silent\nshow-error\n");
        Self {
            place,
            servers: Vec::new(),
        }
    }

    /// The block as it would be if its output were what really came.
    fn show(&mut self, block: &Block) -> String {
        let mut shown = String::new();
        for command in block
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
        {
            let mut words = command.splitn(3, ' ').skip(1);
            let output = match (words.next(), words.next()) {
                (Some("serve"), Some(arguments)) if !command.contains("||") => {
                    self.serve(arguments)
                }
                (Some("tunnel"), Some(arguments)) if !command.contains("--config") => {
                    self.tunnel(arguments)
                }
                _ => self.run(command),
            };
            shown += "$ ";
            shown += command;
            shown += "\n";
            shown += &output;
        }
        shown
    }

    fn serve(&mut self, arguments: &str) -> String {
        let mut command = self.place.command(&["serve"]);
        command
            .args(arguments.split(' '))
            .args(["--listen", ANYWHERE]);
        let server = Server::start(&self.place, &mut command);
        server.wait_said(0, "root.pem …\n");
        let port = server.port().to_string();
        self.keep(server, "8443", port)
    }

    /// Its first argument is a port, which is another one here.
    fn tunnel(&mut self, arguments: &str) -> String {
        let (shown, arguments) = arguments.split_once(' ').unwrap();
        let mut command = self.place.command(&["tunnel", "0"]);
        command.args(self.really(arguments).split(' '));
        let server = Server::start(&self.place, &mut command);
        let said = server.said();
        let port = said.split("127.0.0.1:").nth(1).unwrap();
        let port = port.split([',', '\n']).next().unwrap().to_owned();
        self.keep(server, shown, port)
    }

    /// What it said, as it is shown.
    fn keep(&mut self, server: Server, shown: &str, port: String) -> String {
        let said = server.said();
        self.servers.push((server, shown.to_owned(), port));
        self.shown(&said)
    }

    /// A text with the ports as they are.
    fn really(&self, text: &str) -> String {
        let ports = self.servers.iter();
        ports.fold(text.to_owned(), |text, (_, shown, port)| {
            text.replace(&format!(":{shown}"), &format!(":{port}"))
        })
    }

    fn shown(&self, text: &str) -> String {
        let ports = self.servers.iter();
        ports.fold(text.to_owned(), |text, (_, shown, port)| {
            text.replace(&format!(":{port}"), &format!(":{shown}"))
        })
    }

    fn run(&self, command: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_ravelin")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        self.place.furnish(&mut shell);
        shell
            .env("PATH", path)
            .args(["-c", &format!("exec 2>&1\n{}", self.really(command))]);
        if self.place.root().exists() {
            // What `ravelin ca trust` does for the system's programs.
            shell.env("CURL_CA_BUNDLE", self.place.root());
        }
        let output = shell.output().unwrap();
        self.shown(&String::from_utf8(output.stdout).unwrap())
    }
}

/// Whether `shown` is what `expected` describes.
fn matches(expected: &str, shown: &str) -> Result<(), String> {
    // Not every machine that runs tests has IPv6.
    let lines = |text| {
        str::lines(text)
            .map(str::trim_end)
            .filter(|line| !line.contains("[::1]"))
    };
    let mut shown = lines(shown);
    let mut any = false;
    for line in lines(expected) {
        if line.trim() == "…" {
            any = true;
            continue;
        }
        loop {
            match shown.next() {
                Some(found) if line_matches(line, found) => break,
                Some(_) if any => {}
                Some(found) => return Err(format!("{line:?} was to come, but {found:?} came")),
                None => return Err(format!("{line:?} never came")),
            }
        }
        any = false;
    }
    match shown.next() {
        Some(more) if !any => Err(format!("{more:?} came too")),
        _ => Ok(()),
    }
}

fn line_matches(expected: &str, found: &str) -> bool {
    match expected.split_once('…') {
        None => expected == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| line_matches(after, &rest[at..]))
        }),
    }
}

/// A fenced block of a document.
struct Block {
    language: String,
    body: String,
    tested: bool,
    line: usize,
}

impl Block {
    fn is(&self, language: &str) -> bool {
        self.language == language
    }

    fn has(&self, text: &str) -> bool {
        self.body.lines().any(|line| line.trim() == text)
    }
}

fn blocks(text: &str) -> impl Iterator<Item = Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut before = "";
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            if !open {
                blocks.push(Block {
                    language: language.to_owned(),
                    body: String::new(),
                    tested: before == "<!-- tested -->",
                    line: number + 1,
                });
            }
            open = !open;
        } else if let (true, Some(block)) = (open, blocks.last_mut()) {
            block.body += line;
            block.body.push('\n');
        }
        before = line;
    }
    assert!(!open, "a block is never closed:\n{text}");
    blocks.into_iter()
}

/// The documents by their paths below the root of the repository.
fn documents() -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    for folder in ["", "docs", "bench"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                documents.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    documents
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}
