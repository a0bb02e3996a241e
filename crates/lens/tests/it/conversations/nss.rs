//! NSS with itself, which is the last to speak SSL 3.0.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;

use ravelin_lens::connection::Limits;
use ravelin_lens::keylog;
use ravelin_lens::ledger::Side;
use ravelin_lens::server_key::ServerKey;
use ravelin_lens::story::{Claim, Resumption, Sealed, Story, Verdict, What};
use ravelin_lens::tickets::Memory;
use ravelin_wire::registry::ProtocolVersion;

use super::{Known, Program, Recorder, Recording, Workshop, is_said};
use crate::traces::all_is_well_but;

/// `selfserv`, which answers a request with itself.
struct Server<'s> {
    shop: &'s Workshop,
    address: SocketAddr,
    _program: Program,
}

impl<'s> Server<'s> {
    fn start(shop: &'s Workshop) -> Self {
        prepare(shop);
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut program = Program::start(
            Command::new("selfserv")
                .current_dir(shop.folder.path())
                // It asks for a certificate, and can do without.
                .args(["-d", "db", "-n", "server", "-V", "ssl3:ssl3", "-r", "-v"])
                .args(["-c", ":0004:0005:000A:002F:0035", "-p"])
                .arg(address.port().to_string()),
        );
        program.hear("About to call accept");
        Self {
            shop,
            address,
            _program: program,
        }
    }

    fn connect(&self, suite: &str, more: &[&str]) -> Recording {
        let recorder = Recorder::start(self.address, 1);
        let mut client = Program::start(
            Command::new("tstclnt")
                .current_dir(self.shop.folder.path())
                .args(["-h", "127.0.0.1", "-d", "db", "-V", "ssl3:ssl3", "-o", "-c"])
                .arg(suite)
                .arg("-p")
                .arg(recorder.address.port().to_string())
                .args(more),
        );
        client.say("GET / HTTP/1.0\r\n\r\n");
        client.hear("EOF");
        // It waits for a word of ours, over and over, when the server is long gone.
        drop(client);
        recorded(recorder).remove(0)
    }

    /// Connections of which the later go on from the first.
    fn connect_often(&self, connections: usize) -> Vec<Recording> {
        let recorder = Recorder::start(self.address, connections);
        let mut client = Program::start(
            Command::new("strsclnt")
                .current_dir(self.shop.folder.path())
                .args(["-d", "db", "-o", "-V", "ssl3:ssl3", "-C", ":002F", "-c"])
                .arg(connections.to_string())
                .arg("-p")
                .arg(recorder.address.port().to_string())
                .arg("localhost"),
        );
        let recordings = recorded(recorder);
        client.leave();
        recordings
    }
}

fn recorded(recorder: Recorder) -> Vec<Recording> {
    let recordings = recorder.finish().into_iter();
    let known = Known::default;
    recordings
        .map(|passed| Recording {
            passed,
            known: known(),
        })
        .collect()
}

/// Puts the certificate and its key where NSS looks for them, and lets it trust itself.
fn prepare(shop: &Workshop) {
    std::fs::create_dir(shop.path("db")).unwrap();
    let run = |program: &str, arguments: &str| {
        let output = Command::new(program)
            .args(arguments.split(' '))
            .current_dir(shop.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{output:?}");
    };
    run("certutil", "-N -d db --empty-password");
    run(
        "openssl",
        "pkcs12 -export -inkey key.pem -in certificate.pem -name server -passout pass:x -out s.p12",
    );
    run("pk12util", "-i s.p12 -d db -W x");
    run("certutil", "-M -d db -n server -t P,P,P");
}

fn key(shop: &Workshop) -> ServerKey {
    ServerKey::from_pem(&std::fs::read(shop.path("key.pem")).unwrap()).unwrap()
}

fn is_ssl3(story: &Story) {
    assert_eq!(story.agreement.version, Some(ProtocolVersion::SSL_3));
    for claim in [
        Claim::Finished(Side::Client),
        Claim::Finished(Side::Server),
        Claim::Records(Side::Client),
        Claim::Records(Side::Server),
    ] {
        let check = story.checks.iter().find(|check| check.claim == claim);
        assert_eq!(check.unwrap().verdict, Verdict::Confirmed, "{claim:?}");
    }
    is_said(story, Side::Client, "GET / HTTP/1.0");
    is_said(story, Side::Server, "HTTP/1.0 200 OK");
}

/// SSL 3.0 of NSS, in each kind of suite that it has, and with the secrets that we found for tshark to use.
pub(super) fn ssl3() -> Vec<Recording> {
    let shop = Workshop::rsa();
    let server = Server::start(&shop);
    let key = key(&shop);
    let suites = [":0004", ":0005", ":000A", ":0035"];
    let mut recordings = Vec::new();
    for suite in suites {
        // The one with MD5 shows a certificate.
        let more: &[&str] = if suite == ":0004" {
            &["-n", "server"]
        } else {
            &[]
        };
        let mut recording = server.connect(suite, more);
        let story = recording.tell_to(&key, Limits::default());
        is_ssl3(&story);
        all_is_well_but(&story, &[], &[]);
        let has = |claim| story.checks.iter().any(|check| check.claim == claim);
        assert!(has(Claim::SharedSecret));
        assert!(suite != ":0004" || has(Claim::HandshakeSignature(Side::Client)));
        recording.known = Known::of(&String::from_utf8_lossy(&keylog::lines(&story)));
        recordings.push(recording);
    }
    recordings
}

#[test]
fn sessions_of_ssl3_are_followed() {
    let shop = Workshop::rsa();
    let recordings = Server::start(&shop).connect_often(2);
    let (key, mut memory) = (key(&shop), Memory::new(4));
    let resumed = recordings.iter().map(|recording| {
        let story = recording.tell_to((&key, &memory), Limits::default());
        memory.remember(&story);
        for claim in [Claim::Finished(Side::Client), Claim::Finished(Side::Server)] {
            let check = story.checks.iter().find(|check| check.claim == claim);
            assert_eq!(check.unwrap().verdict, Verdict::Confirmed, "{claim:?}");
        }
        story.agreement.resumption
    });
    let resumed: Vec<_> = resumed.collect();
    assert_eq!(resumed, [None, Some(Resumption::SessionId)]);
}

#[test]
fn another_key_opens_no_ssl3_and_shows_nothing() {
    let shop = Workshop::rsa();
    let recording = Server::start(&shop).connect(":002F", &[]);
    let other = key(&Workshop::rsa());
    let story = recording.tell_to(&other, Limits::default());
    let sealed = |step: &ravelin_lens::story::Step| step.what == What::Sealed(Sealed::NoKeys);
    assert!(story.steps.iter().any(sealed));
    let data = |step: &ravelin_lens::story::Step| step.what == What::ApplicationData;
    assert!(!story.steps.iter().any(data));
    assert!(
        !story
            .checks
            .iter()
            .any(|check| check.claim == Claim::SharedSecret)
    );
}
