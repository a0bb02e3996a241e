//! OpenSSL with itself.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ravelin_lens::ledger::Side;
use ravelin_lens::server_key::ServerKey;

use super::super::openssl::{PING_PONG, Script, Server};
use super::super::{Recording, SHARED_KEY, Workshop};
use super::{judge, judge_told, limits, tell};

const ALL: &[&str] = &["-cipher", "ALL:@SECLEVEL=0"];

const IDENTITY: &[&str] = &["-cert", "certificate.pem", "-key", "key.pem"];

/// One connection of a server of its own.
fn alone(shop: &Workshop, server: &[&str], client: &[&str], script: Script) -> Recording {
    Server::start(shop, server).connect(client, script)
}

#[test]
fn tshark_agrees_on_tls13_of_openssl() {
    let shop = Workshop::ecdsa();
    let mut server = Server::start(&shop, &["-alpn", "h2,http/1.1"]);
    let mut recordings = vec![
        server.connect(&["-tls1_3", "-alpn", "h2", "-status"], PING_PONG),
        server.connect(&["-tls1_3", "-sess_out", "session"], PING_PONG),
        server.connect(&["-tls1_3", "-sess_in", "session"], PING_PONG),
    ];
    for suite in ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_8_SHA256"] {
        let suites = ["-tls1_3", "-ciphersuites", suite];
        recordings.push(alone(&shop, &suites, &suites, PING_PONG));
    }
    let groups = ["-tls1_3", "-groups", "X25519:P-384"];
    recordings.push(alone(&shop, &["-groups", "P-384"], &groups, PING_PONG));
    judge("TLS 1.3 of openssl", &recordings, 1200);
}

#[test]
fn tshark_agrees_on_who_is_who_in_tls13_of_openssl() {
    let shop = Workshop::rsa();
    let shared = ["-tls1_3", "-psk", SHARED_KEY, "-psk_identity", "friend"];
    let suite = ["-ciphersuites", "TLS_AES_128_GCM_SHA256"];
    let updates = [
        PING_PONG,
        &[(Side::Client, "K\n", "<KEYUPDATE")],
        &[(Side::Client, "after\n", "after")],
        &[(Side::Server, "behind\n", "behind")],
    ]
    .concat();
    let client = [&["-tls1_3"], IDENTITY].concat();
    let names = shop.path("certificate.pem").display().to_string();
    let recordings = [
        alone(
            &shop,
            &["-verify", "1", "-CAfile", &names],
            &client,
            PING_PONG,
        ),
        alone(&shop, &shared, &[&shared[..], &suite].concat(), PING_PONG),
        alone(&shop, &[], &["-tls1_3"], &updates),
    ];
    judge("TLS 1.3 of openssl, who is who", &recordings, 600);
}

#[test]
fn tshark_agrees_on_early_data_of_openssl() {
    let shop = Workshop::ecdsa();
    std::fs::write(shop.path("early.txt"), "early bird\n").unwrap();
    let mut server = Server::start(&shop, &["-early_data"]);
    let later = ["-tls1_3", "-sess_in", "session", "-early_data", "early.txt"];
    let recordings = [
        server.connect(&["-tls1_3", "-sess_out", "session"], PING_PONG),
        server.connect(&later, PING_PONG),
    ];
    judge("0-RTT of openssl", &recordings, 350);
}

#[test]
fn tshark_agrees_on_older_versions_of_openssl() {
    let shop = Workshop::rsa();
    let mut server = Server::start(&shop, ALL);
    let mut recordings = Vec::new();
    for (version, suite) in [
        ("-tls1", "AES128-SHA"),
        ("-tls1", "ECDHE-RSA-AES256-SHA"),
        ("-tls1_1", "DHE-RSA-AES128-SHA"),
        ("-tls1_2", "ECDHE-RSA-CHACHA20-POLY1305"),
        ("-tls1_2", "DHE-RSA-AES256-GCM-SHA384"),
        ("-tls1_2", "AES256-CCM8"),
        ("-tls1_2", "CAMELLIA256-SHA256"),
    ] {
        let cipher = format!("{suite}:@SECLEVEL=0");
        recordings.push(server.connect(&[version, "-cipher", &cipher], PING_PONG));
    }
    judge("TLS 1.0 to 1.2 of openssl", &recordings, 1000);
}

#[test]
fn tshark_agrees_on_who_is_who_in_older_versions_of_openssl() {
    let shop = Workshop::rsa();
    let names = shop.path("certificate.pem").display().to_string();
    let asks = ["-verify", "1", "-CAfile", &names];
    let mut server = Server::start(&shop, &[ALL, &asks].concat());
    let mut recordings = Vec::new();
    for version in ["-tls1", "-tls1_2"] {
        let client = [&[version], ALL, IDENTITY].concat();
        recordings.push(server.connect(&client, PING_PONG));
    }
    for arguments in [&[][..], &["-no_ticket"]] {
        let mut server = Server::start(&shop, &[ALL, arguments].concat());
        for session in ["-sess_out", "-sess_in"] {
            let client = [&["-tls1_2", session, "session"], ALL].concat();
            recordings.push(server.connect(&client, PING_PONG));
        }
    }
    let shared = ["-psk", SHARED_KEY, "-psk_identity", "friend"];
    for cipher in ["PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-CBC-SHA256"] {
        let cipher = format!("{cipher}:@SECLEVEL=0");
        let arguments = [&["-tls1_2", "-cipher", &cipher][..], &shared].concat();
        let hint = [&arguments[..], &["-psk_hint", "who"]].concat();
        recordings.push(alone(&shop, &hint, &arguments, PING_PONG));
    }
    let again = [
        PING_PONG,
        &[(Side::Client, "R\n", "<RENEGOTIATING")],
        &[(Side::Client, "after\n", "after")],
        &[(Side::Server, "behind\n", "behind")],
    ]
    .concat();
    let server = [ALL, &["-client_renegotiation"]].concat();
    let client = [&["-tls1_2"], ALL].concat();
    recordings.push(alone(&shop, &server, &client, &again));
    judge("TLS 1.0 to 1.2 of openssl, who is who", &recordings, 2000);
}

#[test]
fn tshark_agrees_on_staples_of_openssl() {
    let shop = Workshop::rsa();
    std::fs::write(shop.path("index.txt"), "").unwrap();
    let made = Command::new("openssl")
        .args(["ocsp", "-index", "index.txt", "-respout", "staple.der"])
        .args(["-CA", "certificate.pem", "-issuer", "certificate.pem"])
        .args(["-cert", "certificate.pem", "-noverify"])
        .args(["-rsigner", "certificate.pem", "-rkey", "key.pem"])
        .current_dir(shop.folder.path())
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{made:?}");
    let staple = shop.path("staple.der").display().to_string();
    let mut server = Server::start(&shop, &["-status_file", &staple]);
    let recordings =
        ["-tls1_2", "-tls1_3"].map(|version| server.connect(&[version, "-status"], PING_PONG));
    for story in tell(&recordings) {
        assert!(story.agreement.ocsp_response.is_some());
    }
    judge("staples of openssl", &recordings, 200);
}

/// Two promises of logs that are nobody's, as `SignedCertificateTimestampList` (RFC 6962, section 3.3).
fn timestamps() -> Vec<u8> {
    let with_length =
        |octets: Vec<u8>| [&(octets.len() as u16).to_be_bytes()[..], &octets].concat();
    let timestamp = |extensions: &[u8]| {
        let mut all = vec![0; 33];
        all[1..].fill(0xa5);
        all.extend(1_700_000_000_123_u64.to_be_bytes());
        all.extend(with_length(extensions.to_vec()));
        // By SHA-256 and ECDSA.
        all.extend([4, 3]);
        all.extend(with_length(vec![0x5a; 71]));
        with_length(all)
    };
    with_length([timestamp(b""), timestamp(b"more")].concat())
}

#[test]
fn tshark_agrees_on_certificate_timestamps_of_openssl() {
    let shop = Workshop::rsa();
    // What the extension is for: hellos, that of a server of TLS 1.2, certificates of TLS 1.3.
    let (contexts, list) = (0x11c0_u32, timestamps());
    let mut extension = contexts.to_be_bytes().to_vec();
    extension.extend([0, 18]);
    extension.extend((list.len() as u16).to_be_bytes());
    extension.extend(list);
    let (name, digits) = ("SERVERINFOV2 FOR SCT", STANDARD.encode(extension));
    let lines: Vec<_> = digits
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let file = format!(
        "-----BEGIN {name}-----\n{}\n-----END {name}-----\n",
        lines.join("\n")
    );
    std::fs::write(shop.path("timestamps.pem"), file).unwrap();
    // A client that knows no log at all does not ask.
    let key = Command::new("openssl")
        .args(["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"])
        .current_dir(shop.folder.path())
        .output()
        .expect("openssl runs");
    let log = format!(
        "enabled_logs = it\n[it]\ndescription = it\nkey = {}\n",
        STANDARD.encode(key.stdout)
    );
    std::fs::write(shop.path("logs.cnf"), log).unwrap();
    let info = shop.path("timestamps.pem").display().to_string();
    let mut server = Server::start(&shop, &["-serverinfo", &info]);
    let recordings = ["-tls1_2", "-tls1_3"].map(|version| {
        let client = [version, "-ct", "-ctlogfile", "logs.cnf"];
        server.connect(&client, PING_PONG)
    });
    judge("promises of logs", &recordings, 250);
}

#[test]
fn tshark_agrees_on_what_the_key_of_a_server_opens() {
    let shop = Workshop::rsa();
    let mut server = Server::start(&shop, ALL);
    let mut recordings = Vec::new();
    for (version, suite) in [
        ("-tls1", "AES128-SHA"),
        ("-tls1_1", "AES256-SHA"),
        ("-tls1_2", "AES128-SHA256"),
        ("-tls1_2", "AES256-GCM-SHA384"),
    ] {
        let cipher = format!("{suite}:@SECLEVEL=0");
        recordings.push(server.connect(&[version, "-cipher", &cipher], PING_PONG));
    }
    let path = shop.path("key.pem");
    let key = ServerKey::from_pem(&std::fs::read(&path).unwrap()).unwrap();
    let told = recordings
        .iter()
        .map(|recording| recording.tell_to(&key, limits()));
    let stories: Vec<_> = told.collect();
    let opens = format!("uat:rsa_keys:\"{}\",\"\"", path.display());
    judge_told("RSA key transport", &recordings, &stories, &opens, 400);
}
