//! OpenSSL with itself: each version, each way to begin, and what may follow.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use ravelin_lens::connection::Limits;
use ravelin_lens::credentials::{self, Believed, Chains};
use ravelin_lens::digest::Octets;
use ravelin_lens::knowledge::Knowledge;
use ravelin_lens::ledger::{By, Side, Standing};
use ravelin_lens::proof::Logs;
use ravelin_lens::story::{
    Check, Claim, EarlyData, End, Epoch, Missing, Refutation, Resumption, Story, Verdict,
};
use ravelin_lens::tickets::Memory;
use ravelin_pki::{Certificate, HostName, Trust};
use ravelin_wire::registry::{NamedGroup, ProtocolVersion};

use super::{
    Known, NOT_LOGGED, Program, Recorder, Recording, SHARED_KEY, Shared, Workshop, is_said,
};
use crate::traces::all_is_well_but;

/// `openssl s_server`, which prints what it is sent, and sends what it is told to.
pub(super) struct Server<'s> {
    shop: &'s Workshop,
    program: Program,
    pub(super) address: SocketAddr,
    connections: usize,
}

/// What is done once the handshake is over: who is told to say what, and the words that the other prints, or
/// behind a `<`, that the same prints.
pub(super) type Script<'s> = &'s [(Side, &'s str, &'s str)];

pub(super) const PING_PONG: Script = &[
    (Side::Client, "ping\n", "ping"),
    (Side::Server, "pong\n", "pong"),
];

impl<'s> Server<'s> {
    pub(super) fn start(shop: &'s Workshop, arguments: &[&str]) -> Self {
        let mut program = Program::start(
            Command::new("openssl")
                .args(["s_server", "-accept", "127.0.0.1:0", "-cert"])
                .arg(shop.path("certificate.pem"))
                .arg("-key")
                .arg(shop.path("key.pem"))
                .args(arguments),
        );
        program.hear("ACCEPT 127.0.0.1:");
        let output = program.hear("\n");
        let (_, output) = output.rsplit_once(':').unwrap();
        let port = output.split_whitespace().next().unwrap().parse().unwrap();
        Self {
            shop,
            program,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            connections: 0,
        }
    }

    /// One connection of `openssl s_client`.
    pub(super) fn connect(&mut self, arguments: &[&str], script: Script) -> Recording {
        self.connect_with(arguments, script, |_| {})
    }

    pub(super) fn connect_with(
        &mut self,
        arguments: &[&str],
        script: Script,
        change: impl FnOnce(&mut Command),
    ) -> Recording {
        self.connections += 1;
        let recorder = Recorder::start(self.address, 1);
        let log = self.shop.path(&format!("keys-{}", self.connections));
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-servername", "localhost", "-connect"])
            .arg(recorder.address.to_string())
            .arg("-keylogfile")
            .arg(&log)
            .args(arguments)
            .current_dir(self.shop.folder.path());
        change(&mut command);
        let mut client = Program::start(&mut command);
        for (side, line, words) in script {
            let words = words.replace('#', &self.connections.to_string());
            let line = line.replace('#', &self.connections.to_string());
            let (speaker, listener) = match side {
                Side::Client => (&mut client, &mut self.program),
                Side::Server => (&mut self.program, &mut client),
            };
            speaker.say(&line);
            match words.strip_prefix('<') {
                Some(words) => speaker.hear(words),
                None => listener.hear(&words),
            };
        }
        client.say("Q\n");
        client.leave();
        Recording {
            passed: recorder.finish().remove(0),
            known: Known::read(&log),
        }
    }
}

/// One connection of a server of its own.
fn alone(shop: &Workshop, server: &[&str], client: &[&str], script: Script) -> Story {
    Server::start(shop, server).connect(client, script).tell()
}

/// What a client and a server with these arguments say, and an RSA key of 2048 bits.
pub(crate) fn conversation(server: &[&str], client: &[&str]) -> Story {
    alone(&Workshop::rsa(), server, client, PING_PONG)
}

fn ping_pong_is_told(story: &Story) {
    all_is_well_but(story, NOT_LOGGED, &[]);
    is_said(story, Side::Client, "ping");
    is_said(story, Side::Server, "pong");
    assert_eq!(story.agreement.server_name.as_deref(), Some("localhost"));
    assert_eq!(story.end[0], End::Said);
    assert_eq!(story.agreement.server_chain.len(), 1);
}

#[test]
fn tls13_with_each_suite_is_told() {
    let shop = Workshop::ecdsa();
    for suite in [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ] {
        let suites = ["-ciphersuites", suite];
        let story = alone(&shop, &suites, &["-tls1_3", suites[0], suite], PING_PONG);
        ping_pong_is_told(&story);
        assert_eq!(story.agreement.version, Some(ProtocolVersion::TLS_1_3));
        assert_eq!(story.agreement.suite.unwrap().to_string(), suite);
        assert_eq!(story.agreement.group, Some(NamedGroup::X25519));
        assert_eq!(story.agreement.tickets, 2);
        assert_eq!(story.traffic[0].flights, 2, "{:?}", story.traffic);
    }
}

#[test]
fn a_hello_retry_request_is_told() {
    let shop = Workshop::ecdsa();
    let client = ["-tls1_3", "-groups", "X25519:P-384"];
    let story = alone(&shop, &["-groups", "P-384"], &client, PING_PONG);
    ping_pong_is_told(&story);
    assert!(story.agreement.retried);
    assert_eq!(story.agreement.group, Some(NamedGroup::SECP384R1));
}

#[test]
fn older_versions_and_their_ciphers_are_told() {
    let shop = Workshop::rsa();
    for (version, suite) in [
        ("-tls1", "AES128-SHA"),
        ("-tls1", "ECDHE-RSA-AES256-SHA"),
        ("-tls1_1", "DHE-RSA-AES128-SHA"),
        ("-tls1_1", "CAMELLIA256-SHA"),
        ("-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("-tls1_2", "ECDHE-RSA-AES256-GCM-SHA384"),
        ("-tls1_2", "ECDHE-RSA-CHACHA20-POLY1305"),
        ("-tls1_2", "DHE-RSA-AES256-GCM-SHA384"),
        ("-tls1_2", "AES256-CCM8"),
        ("-tls1_2", "AES128-SHA256"),
        ("-tls1_2", "ECDHE-RSA-AES256-SHA384"),
        ("-tls1_2", "NULL-SHA256"),
    ] {
        let cipher = format!("{suite}:@SECLEVEL=0");
        let story = alone(
            &shop,
            &["-cipher", &cipher],
            &[version, "-cipher", &cipher],
            PING_PONG,
        );
        ping_pong_is_told(&story);
        assert_eq!(story.agreement.suite.unwrap().openssl_name(), Some(suite));
        assert!(story.agreement.extended_main_secret);
        let cipher = story.agreement.suite.unwrap().cipher().unwrap();
        assert_eq!(
            story.agreement.encrypt_then_mac,
            !cipher.is_aead(),
            "{suite}"
        );
    }
}

/// Two connections by one server, the second of which goes on from the first.
fn resumed(shop: &Workshop, server: &[&str], client: &[&str], more: &[&str]) -> [Story; 2] {
    let mut server = Server::start(shop, server);
    let first = [client, &["-sess_out", "session"]].concat();
    let first = server.connect(&first, PING_PONG).tell();
    let second = [client, &["-sess_in", "session"], more].concat();
    let second = server.connect(&second, PING_PONG);
    let mut memory = Memory::new(16);
    memory.remember(&first);
    let second = second.tell_to((&second.known, &memory), Limits::default());
    [first, second]
}

#[test]
fn sessions_of_older_versions_go_on() {
    let shop = Workshop::rsa();
    for version in ["-tls1", "-tls1_1", "-tls1_2"] {
        for (server, resumption) in [
            (&["-cipher", "ALL:@SECLEVEL=0"][..], Resumption::Ticket),
            (
                &["-cipher", "ALL:@SECLEVEL=0", "-no_ticket"],
                Resumption::SessionId,
            ),
        ] {
            let client = [version, "-cipher", "ALL:@SECLEVEL=0"];
            let [first, second] = resumed(&shop, server, &client, &[]);
            ping_pong_is_told(&first);
            all_is_well_but(&second, &[], &[]);
            is_said(&second, Side::Server, "pong");
            assert_eq!(first.agreement.resumption, None);
            assert_eq!(second.agreement.resumption, Some(resumption), "{version}");
            let main = |story: &Story| {
                let mut named = story
                    .ledger
                    .iter()
                    .filter(|(_, it)| it.name == "master_secret");
                named.next().unwrap().1.value.clone()
            };
            assert_eq!(main(&first), main(&second));
        }
    }
}

#[test]
fn a_ticket_of_tls13_goes_on() {
    let shop = Workshop::ecdsa();
    let [first, second] = resumed(&shop, &[], &["-tls1_3"], &[]);
    ping_pong_is_told(&first);
    // The log of the first lacks what its tickets follow of.
    all_is_well_but(&second, NOT_LOGGED, &[Claim::Binder(0)]);
    let resumption = Resumption::Psk { key_exchange: true };
    assert_eq!(second.agreement.resumption, Some(resumption));
    assert_eq!(second.agreement.server_chain.len(), 0);
}

#[test]
fn the_binder_of_a_shared_key_is_confirmed() {
    let shop = Workshop::ecdsa();
    let shared = ["-psk", SHARED_KEY, "-psk_identity", "friend"];
    let client = [
        &["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"][..],
        &shared,
    ]
    .concat();
    let recording = Server::start(&shop, &shared).connect(&client, PING_PONG);
    let story = recording.tell_to((&recording.known, Shared), Limits::default());
    all_is_well_but(&story, NOT_LOGGED, &[]);
    let is_binder = |check: &&Check| check.claim == Claim::Binder(0);
    assert_eq!(story.checks.iter().filter(is_binder).count(), 1);
    let early = story
        .ledger
        .iter()
        .find(|(_, it)| it.name == "early_secret");
    assert!(early.unwrap().1.value.is_some());
}

#[test]
fn suites_with_a_shared_key_are_told_without_a_log() {
    let shop = Workshop::rsa();
    let shared = ["-psk", SHARED_KEY, "-psk_identity", "friend"];
    let suite = ["-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256:@SECLEVEL=0"];
    let arguments = [&suite[..], &shared].concat();
    let recording = Server::start(&shop, &arguments).connect(&arguments, PING_PONG);
    let story = recording.tell_to(Shared, Limits::default());
    all_is_well_but(&story, &[], &[]);
    is_said(&story, Side::Server, "pong");
}

/// Data before the handshake is over, in the connections after the first.
fn early(shop: &Workshop, server: &[&str], more: &[&str]) -> [Story; 2] {
    std::fs::write(shop.path("early.txt"), "early bird\n").unwrap();
    let mut server = Server::start(shop, &[&["-early_data"], server].concat());
    let first = ["-tls1_3", "-sess_out", "session"];
    server.connect(&first, PING_PONG);
    let later = ["-tls1_3", "-sess_in", "session", "-early_data", "early.txt"];
    let later = [&later[..], more].concat();
    [(); 2].map(|()| server.connect(&later, PING_PONG).tell())
}

#[test]
fn early_data_is_told_once_and_passed_over_when_it_is_played_again() {
    let [taken, again] = early(&Workshop::ecdsa(), &[], &[]);
    all_is_well_but(&taken, NOT_LOGGED, &[Claim::Binder(0)]);
    assert_eq!(taken.agreement.early_data, EarlyData::Accepted);
    is_said(&taken, Side::Client, "early bird");
    is_said(&taken, Side::Client, "ping");
    let epochs: Vec<_> = taken.steps.iter().map(|step| step.epoch).collect();
    assert!(epochs.contains(&Epoch::EarlyData));

    all_is_well_but(&again, NOT_LOGGED, &[Claim::Binder(0)]);
    assert_eq!(again.agreement.early_data, EarlyData::Rejected);
    is_said(&again, Side::Client, "ping");
}

#[test]
fn early_data_before_a_hello_retry_request_is_passed_over() {
    let shop = Workshop::ecdsa();
    let [story, _] = early(&shop, &["-groups", "P-384"], &["-groups", "X25519:P-384"]);
    all_is_well_but(&story, NOT_LOGGED, &[Claim::Binder(0)]);
    assert!(story.agreement.retried);
    assert_eq!(story.agreement.early_data, EarlyData::Rejected);
    is_said(&story, Side::Client, "ping");
}

#[test]
fn client_certificates_are_told() {
    let shop = Workshop::rsa();
    let identity = ["-cert", "certificate.pem", "-key", "key.pem"];
    for version in ["-tls1", "-tls1_2", "-tls1_3"] {
        let server = ["-verify", "1", "-cipher", "ALL:@SECLEVEL=0"];
        let client = [&[version, "-cipher", "ALL:@SECLEVEL=0"][..], &identity].concat();
        let story = alone(&shop, &server, &client, PING_PONG);
        ping_pong_is_told(&story);
        assert!(story.agreement.client_certificate_asked);
        assert_eq!(story.agreement.client_chain, story.agreement.server_chain);
    }
}

#[test]
fn keys_are_updated_by_both_sides() {
    let shop = Workshop::ecdsa();
    let script = [
        PING_PONG,
        &[(Side::Client, "K\n", "<KEYUPDATE")],
        &[(Side::Client, "after\n", "after")],
        &[(Side::Server, "behind\n", "behind")],
        &[(Side::Client, "k\n", "<KEYUPDATE")],
        &[(Side::Client, "last\n", "last")],
    ]
    .concat();
    let story = alone(&shop, &[], &["-tls1_3"], &script);
    ping_pong_is_told(&story);
    is_said(&story, Side::Client, "last");
    is_said(&story, Side::Server, "behind");
    assert_eq!(story.agreement.rekeyed, [2, 1]);
    let epochs: Vec<_> = story.records.iter().map(|record| record.epoch).collect();
    assert!(epochs.contains(&Epoch::Application(2)));
}

#[test]
fn a_renegotiation_is_told() {
    let shop = Workshop::rsa();
    let script = [
        PING_PONG,
        &[(Side::Client, "R\n", "<RENEGOTIATING")],
        &[(Side::Client, "after\n", "after")],
        &[(Side::Server, "behind\n", "behind")],
    ]
    .concat();
    for version in ["-tls1", "-tls1_2"] {
        let server = ["-client_renegotiation", "-cipher", "ALL:@SECLEVEL=0"];
        let client = [version, "-cipher", "ALL:@SECLEVEL=0"];
        let story = alone(&shop, &server, &client, &script);
        ping_pong_is_told(&story);
        is_said(&story, Side::Server, "behind");
        assert_eq!(story.agreement.rekeyed, [1, 1]);
        let is_second = |check: &&Check| matches!(check.claim, Claim::Finished(_));
        assert_eq!(story.checks.iter().filter(is_second).count(), 4);
    }
}

#[test]
fn what_extensions_change_can_be_left_out() {
    let shop = Workshop::rsa();
    std::fs::write(
        shop.path("plain.cnf"),
        "openssl_conf = conf\n[conf]\nssl_conf = ssl\n[ssl]\nsystem_default = defaults\n\
         [defaults]\nOptions = -EncryptThenMac,-ExtendedMasterSecret\n",
    )
    .unwrap();
    let cipher = ["-cipher", "AES128-SHA:@SECLEVEL=0"];
    for version in ["-tls1", "-tls1_1", "-tls1_2"] {
        let config = shop.path("plain.cnf");
        let mut server = Server::start(&shop, &cipher);
        let recording = server.connect_with(&[&[version][..], &cipher].concat(), PING_PONG, |it| {
            it.env("OPENSSL_CONF", &config);
        });
        let story = recording.tell();
        ping_pong_is_told(&story);
        assert!(!story.agreement.encrypt_then_mac);
        assert!(!story.agreement.extended_main_secret);
    }
}

#[test]
fn a_client_shows_who_it_is_after_the_handshake() {
    let shop = Workshop::rsa();
    let identity = [
        "-tls1_3",
        "-enable_pha",
        "-cert",
        "certificate.pem",
        "-key",
        "key.pem",
    ];
    let script = [
        PING_PONG,
        &[(Side::Server, "c\n", "")],
        &[(Side::Client, "after\n", "after")],
        &[(Side::Server, "behind\n", "behind")],
        &[(Side::Client, "last\n", "last")],
    ]
    .concat();
    let story = alone(&shop, &["-verify", "1"], &identity, &script);
    ping_pong_is_told(&story);
    assert_eq!(story.agreement.client_chain.len(), 1);
    let of_client = |check: &&Check| check.claim == Claim::Finished(Side::Client);
    assert_eq!(story.checks.iter().filter(of_client).count(), 2);
}

/// The server's RSA key, with which OpenSSL decrypts what the client sent it.
struct ServerKey<'s>(&'s Workshop);

impl Knowledge for ServerKey<'_> {
    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        let Self(shop) = self;
        std::fs::write(shop.path("encrypted"), encrypted).unwrap();
        let output = Command::new("openssl")
            .args([
                "pkeyutl",
                "-decrypt",
                "-in",
                "encrypted",
                "-inkey",
                "key.pem",
            ])
            .current_dir(shop.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        Some(Octets::new(output.stdout))
    }
}

#[test]
fn the_key_of_the_server_opens_what_was_encrypted_to_it() {
    let shop = Workshop::rsa();
    for version in ["-tls1", "-tls1_1", "-tls1_2"] {
        let suite = ["-cipher", "AES256-SHA:@SECLEVEL=0"];
        let client = [&[version][..], &suite].concat();
        let recording = Server::start(&shop, &suite).connect(&client, PING_PONG);
        let story = recording.tell_to(ServerKey(&shop), Limits::default());
        all_is_well_but(&story, &[], &[]);
        is_said(&story, Side::Server, "pong");
        // What the program logged, it derived in its own way.
        let story = recording.tell_to((ServerKey(&shop), &recording.known), Limits::default());
        let mut named = story
            .ledger
            .iter()
            .filter(|(_, it)| it.name == "master_secret");
        let standing = &named.next().unwrap().1.standing;
        assert_eq!(*standing, Standing::Confirmed(By::KeyLog));
    }
}

#[test]
fn the_protocol_that_is_said_before_alpn_is_told() {
    let shop = Workshop::ecdsa();
    let server = ["-nextprotoneg", "other,this"];
    let client = ["-tls1_2", "-nextprotoneg", "this"];
    let story = alone(&shop, &server, &client, PING_PONG);
    ping_pong_is_told(&story);
    assert_eq!(story.agreement.alpn.as_deref(), Some(&b"this"[..]));
}

#[test]
fn signatures_are_proven_in_each_version() {
    let shop = Workshop::rsa();
    let identity = ["-cert", "certificate.pem", "-key", "key.pem"];
    for version in ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"] {
        let cipher = ["-cipher", "ECDHE:@SECLEVEL=0"];
        let server = [&["-verify", "1"][..], &cipher].concat();
        let client = [&[version][..], &cipher, &identity].concat();
        let story = alone(&shop, &server, &client, PING_PONG);
        ping_pong_is_told(&story);
        let by_server = match version {
            "-tls1_3" => Claim::HandshakeSignature(Side::Server),
            _ => Claim::ShareSignature,
        };
        for claim in [
            by_server,
            Claim::HandshakeSignature(Side::Client),
            Claim::NoDowngrade,
        ] {
            let check = story.checks.iter().find(|check| check.claim == claim);
            assert_eq!(check.unwrap().verdict, Verdict::Confirmed, "{version}");
        }
    }
}

/// The certificate of the server is its own root.
#[test]
fn chains_are_judged_for_the_name_that_was_asked_for() {
    let shop = Workshop::ecdsa();
    let story = || alone(&shop, &[], &["-tls1_3"], PING_PONG);
    let root = Certificate::from_der(&story().agreement.server_chain[0]).unwrap();
    let trust = Trust::new(vec![root]);
    let nobody = Trust::new(Vec::new());
    let other: HostName = "other.test".parse().unwrap();
    let logs = Logs::default();
    let verdict = |trust, host| {
        let mut story = story();
        let logs = &logs;
        credentials::check(&mut story, Believed { trust, logs, host });
        story.checks.pop().unwrap().verdict
    };
    assert_eq!(verdict(Some(&trust), None), Verdict::Confirmed);
    let unknown = Verdict::NotDerivable(Missing::Roots);
    assert_eq!(verdict(None, None), unknown);
    // One that was seen before is remembered.
    let chains = Chains::new(Some(&trust), None);
    let mut known = story();
    for _ in 0..3 {
        chains.check(&mut known);
        assert_eq!(known.checks.pop().unwrap().verdict, Verdict::Confirmed);
    }
    assert_eq!(chains.judged(), 1);
    for (trust, host) in [(&nobody, None), (&trust, Some(&other))] {
        let verdict = verdict(Some(trust), host);
        let is_bad = matches!(verdict, Verdict::Refuted(Refutation::BadChain(_)));
        assert!(is_bad, "{verdict:?}");
    }
}
