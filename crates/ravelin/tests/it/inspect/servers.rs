//! Servers of openssl, gnutls and our own.

use super::{Peer, certify, expect, inspect};
use crate::server::Place;

/// What holds of every handshake that went well.
const SOUND: [&str; 3] = [
    "✓ The Finished message of the server",
    "✓ The Finished message of the client",
    "✓ The certificates of the server lead to an authority",
];

#[test]
fn both_versions_of_openssl_are_computed_anew_and_the_chain_is_judged() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    for (version, shown) in [("1.3", "TLS 1.3"), ("1.2", "TLS 1.2")] {
        let ran = inspect(
            &place,
            &[&peer.name(), "--ca", "root.pem", "--tls", version],
        );
        expect(&ran, 0, &SOUND);
        expect(&ran, 0, &[shown, "NewSessionTicket"]);
        assert!(!ran.1.contains('✗'), "{}", ran.1);
        assert!(ran.2.contains("is at 127.0.0.1:"), "{}", ran.2);
    }
    // Nobody here knows the root; and the name is not in the certificate.
    let ran = inspect(
        &place,
        &[&peer.name(), "--ca", "c.pem", "--sni", "other.test"],
    );
    expect(
        &ran,
        1,
        &["✗ The certificates of the server", "“other.test”"],
    );
}

#[test]
fn a_second_connection_goes_on_from_the_first() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    for (version, how) in [
        ("1.3", "by a pre-shared key, with a key exchange of its own"),
        ("1.2", "goes on from the first by its ticket"),
    ] {
        let ran = inspect(
            &place,
            &[
                &peer.name(),
                "--ca",
                "root.pem",
                "--resume",
                "--tls",
                version,
            ],
        );
        expect(&ran, 0, &["The second connection", how]);
        assert!(!ran.1.contains('✗'), "{}", ran.1);
        if version == "1.3" {
            // The key of the first connection's ticket proves itself.
            expect(&ran, 0, &["✓ The proof for key number"]);
        }
    }
    let peer = Peer::s_server(&place, &["-www", "-num_tickets", "0", "-no_ticket"]);
    let ran = inspect(
        &place,
        &[&peer.name(), "--ca", "root.pem", "--resume", "--tls", "1.3"],
    );
    expect(&ran, 1, &["begins anew: the server gave no ticket"]);
}

#[test]
fn a_server_that_wants_another_group_asks_again() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www", "-groups", "P-384"]);
    let ran = inspect(&place, &[&peer.name(), "--ca", "root.pem"]);
    expect(&ran, 0, &SOUND);
    expect(&ran, 0, &["HelloRetryRequest", "secp384r1"]);
    assert!(!ran.1.contains('✗'), "{}", ran.1);
    // Offered at once, it is not asked for.
    let ran = inspect(
        &place,
        &[&peer.name(), "--ca", "root.pem", "--group", "P-384"],
    );
    expect(&ran, 0, &["secp384r1"]);
    assert!(!ran.1.contains("HelloRetryRequest"), "{}", ran.1);
}

#[test]
fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let place = Place::new();
    let peer = Peer::s_server(
        &place,
        &[
            "-www",
            "-Verify",
            "1",
            "-CAfile",
            "root.pem",
            "-verify_return_error",
        ],
    );
    stranger(&place);
    let own = ["--cert", "c.pem", "--key", "k.pem"];
    for version in ["1.3", "1.2"] {
        let mut all = vec!["", "--ca", "root.pem", "--tls", version];
        let name = peer.name();
        all[0] = &name;
        // In TLS 1.3 the handshake is over for the client before the server has looked.
        let without = inspect(&place, &all);
        expect(&without, 3, &["Alert"]);
        for words in ["refused it by the alert", "hint: it wants a certificate"] {
            assert!(without.2.contains(words), "{}", without.2);
        }
        let stranger = ["--cert", "other.pem", "--key", "other.key"];
        let unknown = inspect(&place, &[&all[..], &stranger].concat());
        expect(&unknown, 3, &["Alert"]);
        assert!(unknown.2.contains("alert unknown_ca"), "{}", unknown.2);
        assert!(
            unknown.2.contains("its CertificateRequest"),
            "{}",
            unknown.2
        );
        all.extend(own);
        let ran = inspect(&place, &all);
        expect(&ran, 0, &SOUND);
        expect(&ran, 0, &["CertificateRequest"]);
        assert!(!ran.1.contains('✗'), "{}", ran.1);
    }
}

/// Makes `other.pem` with `other.key`, which nobody believes.
fn stranger(place: &Place) {
    let own = ["-subj", "/CN=stranger", "-days", "9", "-nodes"];
    let files = ["-keyout", "other.key", "-out", "other.pem"];
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let all = [&["req", "-x509"], &own[..], &files, &key].concat();
    crate::foreign::run(place, "openssl", &all).well();
}

#[test]
fn nginx_tells_over_http_that_it_wants_a_certificate() {
    let place = Place::new();
    certify(&place);
    let peer = Peer::start(&place, "sh", |port| {
        let config = format!(
            "daemon off; master_process off; error_log stderr; pid nginx.pid; events {{}}\n\
             http {{ access_log off; client_body_temp_path .; proxy_temp_path .;\n\
             fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate c.pem; ssl_certificate_key k.pem;\n\
             ssl_verify_client on; ssl_client_certificate root.pem; }} }}\n"
        );
        place.write("nginx.conf", config);
        let run = "PATH=$PATH:/usr/sbin; exec nginx -p . -c nginx.conf -e stderr";
        ["-c", run].map(str::to_owned).to_vec()
    });
    let name = peer.name();
    let ask = [&name, "--ca", "root.pem", "--http", "--detail", "octets"];
    let without = inspect(&place, &ask);
    expect(&without, 0, &["CertificateRequest", "HTTP/1.1 400"]);
    let own = ["--cert", "c.pem", "--key", "k.pem"];
    expect(&inspect(&place, &[&ask[..], &own].concat()), 0, &SOUND);
}

#[test]
fn gnutls_is_computed_anew_too() {
    let place = Place::new();
    certify(&place);
    let peer = Peer::start(&place, "gnutls-serv", |port| {
        let all = [
            "--echo",
            "--x509certfile",
            "c.pem",
            "--x509keyfile",
            "k.pem",
            "-p",
            port,
        ];
        all.into_iter().map(str::to_owned).collect()
    });
    for version in ["1.3", "1.2"] {
        let ran = inspect(
            &place,
            &[&peer.name(), "--ca", "root.pem", "--tls", version],
        );
        expect(&ran, 0, &SOUND);
        assert!(!ran.1.contains('✗'), "{}", ran.1);
    }
}

#[test]
fn our_own_server_agrees_on_the_hybrid_group_and_answers_a_request() {
    let place = Place::new();
    let server = place.serve(&[]);
    let name = format!("localhost:{}", server.port());
    let ran = inspect(
        &place,
        &[&name, "--ca", "local", "--http", "--detail", "octets"],
    );
    expect(&ran, 0, &SOUND);
    // Decrypted, the answer shows.
    expect(&ran, 0, &["X25519MLKEM768", "HTTP/1.1 200"]);
    let ran = inspect(&place, &[&name, "--resume", "--ca", "local"]);
    expect(
        &ran,
        0,
        &["by a pre-shared key, with a key exchange of its own"],
    );
}

#[test]
fn keys_are_left_out_where_nobody_wants_to_see_them() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let with = ["--ca", "root.pem", "--detail", "octets"];
    let name = peer.name();
    let shown = inspect(&place, &[&[name.as_str()], &with[..]].concat());
    let hidden = inspect(
        &place,
        &[&[name.as_str(), "--hide-secrets"], &with[..]].concat(),
    );
    expect(&shown, 0, &[]);
    expect(&hidden, 0, &[]);
    assert!(hidden.1.len() < shown.1.len());
}

#[test]
fn chinese_is_spoken_where_the_locale_asks_for_it() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let name = peer.name();
    let mut command = place.command(&["inspect", &name, "--ca", "root.pem", "--detail", "brief"]);
    let output = command.env("LANG", "zh_CN.UTF-8").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("服务器"), "{text}");
}

#[test]
fn json_has_both_connections_and_no_secrets_where_nobody_wants_them() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let name = peer.name();
    let arguments = ["inspect", &name, "--ca", "root.pem", "--resume", "--json"];
    let ended = place.run(&arguments);
    ended.expect(0, &[]);
    let document: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["connections"].as_array().unwrap().len(), 2);
    assert_eq!(document["secrets"], true);
    let hidden = place.run(&[&arguments[..], &["--hide-secrets"]].concat());
    let document: serde_json::Value = serde_json::from_str(&hidden.stdout).unwrap();
    assert_eq!(document["secrets"], false);
}
