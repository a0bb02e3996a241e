//! openssl: the handshake, its versions, protocols, chain and resumption.

use crate::foreign::{Ran, run};
use crate::server::{Place, Server};

#[test]
fn both_versions_verify_against_the_root() {
    let server = Place::new().serve(&[]);
    for (option, version) in [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")] {
        let ran = s_client(
            &server,
            &[option, "-verify_hostname", "localhost", "-brief"],
        )
        .well();
        let said = ran.text() + &ran.stderr;
        assert!(
            said.contains(&format!("Protocol version: {version}")),
            "{said}"
        );
        assert!(said.contains("Verification: OK"), "{said}");
        assert!(said.contains("Verified peername: localhost"), "{said}");
        // AEAD and forward secrecy, whatever the version.
        assert!(said.contains("GCM") || said.contains("CHACHA20"), "{said}");
        assert!(said.contains("Signature type: ECDSA"), "{said}");
    }
}

#[test]
fn the_chain_has_leaf_and_intermediate_and_no_root() {
    let server = Place::new().serve(&[]);
    let ran = s_client(&server, &["-showcerts"]).well();
    assert_eq!(
        ran.text().matches("BEGIN CERTIFICATE").count(),
        2,
        "{}",
        ran.text()
    );
}

#[test]
fn a_name_that_is_not_in_the_certificate_is_noticed() {
    let server = Place::new().serve(&[]);
    let ran = s_client(&server, &["-verify_hostname", "other.localhost"]);
    assert_ne!(ran.code, 0);
    assert!(
        (ran.text() + &ran.stderr).contains("ostname mismatch"),
        "{}",
        ran.stderr
    );
}

#[test]
fn old_versions_and_weak_suites_are_refused() {
    let server = Place::new().serve(&[]);
    for old in [
        &["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"][..],
        &["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"],
        &[
            "-tls1_2",
            "-cipher",
            "ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0",
        ],
        &["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
    ] {
        let ran = s_client(&server, old);
        assert_ne!(ran.code, 0, "{old:?}: {}", ran.text());
        // Told by the server's alert, not by openssl's own reluctance.
        assert!(ran.stderr.contains("alert"), "{old:?}: {}", ran.stderr);
    }
}

#[test]
fn the_protocol_is_agreed_on_in_the_handshake() {
    let server = Place::new().serve(&[]);
    for (offered, agreed) in [
        ("h2,http/1.1", "ALPN protocol: h2"),
        ("http/1.1", "ALPN protocol: http/1.1"),
        ("http/1.1,h2", "ALPN protocol: h2"),
    ] {
        let ran = s_client(&server, &["-alpn", offered]).well();
        assert!(ran.text().contains(agreed), "{offered}: {}", ran.text());
    }
    let ran = s_client(&server, &["-alpn", "gopher"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("no application protocol"),
        "{}",
        ran.stderr
    );
    // Who offers nothing gets HTTP/1.1.
    let ran = s_client(&server, &[]).well();
    assert!(ran.text().contains("No ALPN negotiated"), "{}", ran.text());
}

#[test]
fn sessions_are_resumed_on_another_connection_and_after_a_reload() {
    let place = Place::new();
    let server = place.serve_config(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nworkers = 2\n\
         [[site]]\nhosts = [\"localhost\"]\nroute = [{ files = \"public\" }]\n",
    );
    for version in ["-tls1_3", "-tls1_2"] {
        let session = place.path("session.pem");
        let session = session.to_str().unwrap();
        // TLS 1.3 gives its ticket with the first bytes, so there has to be a request.
        let first = request(&server, &[version, "-sess_out", session]).well();
        assert!(first.text().contains("\nNew, TLS"), "{}", first.text());
        for turn in 0..6 {
            if turn == 3 {
                assert!(server.reload().contains("reloaded: SIGHUP"));
            }
            let ran = request(&server, &[version, "-sess_in", session]).well();
            assert!(
                ran.text().contains("\nReused, TLS"),
                "{version} {turn}: {}",
                ran.text()
            );
            assert!(ran.text().contains("hello\n"), "{}", ran.text());
        }
    }
}

#[test]
fn the_certificate_fits_the_name_that_is_asked_for() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["www.example.com"]);
    let server = place.serve_config(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n\
         [[site]]\nhosts = [\"www.example.com\"]\nroute = [{ files = \"public\" }]\n\
         certificate = { cert = \"cert.pem\", key = \"key.pem\" }\n\
         [[site]]\nhosts = [\"localhost\", \"127.0.0.1\"]\nroute = [{ files = \"public\" }]\n",
    );
    let own = place.path("cert.pem");
    let verified = |name: &[&str], root: &str, host: &str| {
        let mut all = vec!["-CAfile", root, "-verify_hostname", host];
        all.extend(name);
        s_client(&server, &all).well();
    };
    let (own, root) = (own.to_str().unwrap(), place.root());
    let root = root.to_str().unwrap();
    verified(&["-servername", "www.example.com"], own, "www.example.com");
    verified(&["-servername", "localhost"], root, "localhost");
    // Who connects to an address names nobody.
    let all = ["-CAfile", root, "-noservername", "-verify_ip", "127.0.0.1"];
    s_client(&server, &all).well();
}

/// `openssl s_client` against the server, which ends after the handshake. It trusts the local root
/// and nobody else, and ends with an error where it does not verify.
pub(crate) fn s_client(server: &Server, arguments: &[&str]) -> Ran {
    let (address, root) = (server.address().to_string(), server.place.root());
    let root = root.to_str().unwrap();
    let mut all = vec!["s_client", "-connect", &address, "-verify_return_error"];
    if !arguments.contains(&"-CAfile") {
        all.extend(["-CAfile", root]);
    }
    if !arguments
        .iter()
        .any(|argument| matches!(*argument, "-servername" | "-noservername"))
    {
        all.extend(["-servername", "localhost"]);
    }
    all.extend(arguments);
    run(&server.place, "openssl", &all)
}

/// The same, with a request that the server answers and closes the connection after.
fn request(server: &Server, arguments: &[&str]) -> Ran {
    let request = server.place.write(
        "request",
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    let (address, root) = (server.address().to_string(), server.place.root());
    let root = root.to_str().unwrap();
    let mut all = vec![
        "s_client", "-connect", &address, "-CAfile", root, "-ign_eof",
    ];
    all.extend(["-servername", "localhost", "-verify_return_error"]);
    all.extend(arguments);
    let input = std::fs::File::open(request).unwrap().into();
    crate::foreign::run_with_input(&server.place, "openssl", &all, input)
}

/// Has openssl make a key and a certificate for `hosts` that signs itself, good for 30 days.
pub(crate) fn make_certificate(place: &Place, cert: &str, key: &str, hosts: &[&str]) {
    let (cert, key) = (place.path(cert), place.path(key));
    let subject = format!("/CN={}", hosts[0]);
    let names = format!("subjectAltName=DNS:{}", hosts.join(",DNS:"));
    let mut all = vec![
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ];
    all.extend([
        "-nodes", "-days", "30", "-subj", &subject, "-addext", &names,
    ]);
    all.extend([
        "-out",
        cert.to_str().unwrap(),
        "-keyout",
        key.to_str().unwrap(),
    ]);
    run(place, "openssl", &all).well();
}
