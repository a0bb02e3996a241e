//! Certificates over ACME, from Pebble: Let's Encrypt's server for tests of clients, which connects to names as that does.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;

use super::{Tunnels, echo, exactly};
use crate::foreign::run;
use crate::inspect::{Peer, certify};
use crate::server::{Place, free_port, wait_until};

/// A CA, with DNS in which every name leads to this machine. It forgets all when it is dropped.
struct Pebble {
    _dns: Peer,
    server: Peer,
    management: u16,
}

/// Where a CA listens, and where it looks.
#[derive(Clone, Copy)]
struct Ports {
    own: u16,
    http: u16,
    tls: u16,
}

impl Ports {
    fn free() -> Self {
        let [own, http, tls] = [(); 3].map(|()| free_port());
        Self { own, http, tls }
    }
}

impl Pebble {
    fn start(place: &Place, ports: Ports) -> Self {
        Self::with(place, ports, "")
    }

    /// With more in its configuration.
    fn with(place: &Place, ports: Ports, more: &str) -> Self {
        if !place.path("root.pem").exists() {
            certify(place);
        }
        let mut at_dns = String::new();
        let dns = Peer::start(place, "pebble-challtestsrv", |management| {
            at_dns = format!("127.0.0.1:{}", free_port());
            let at = format!("127.0.0.1:{management}");
            let all = [
                "-dns01",
                &at_dns,
                "-management",
                &at,
                "-defaultIPv6",
                "",
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
            ];
            all.map(str::to_owned).to_vec()
        });
        let management = free_port();
        let (own, http, tls) = (ports.own, ports.http, ports.tls);
        place.write(
            "pebble.json",
            format!(
                "{{\"pebble\": {{\"listenAddress\": \"127.0.0.1:{own}\", \"certificate\": \"c.pem\", \
                 \"privateKey\": \"k.pem\", \"managementListenAddress\": \"127.0.0.1:{management}\", \
                 \"httpPort\": {http}, \"tlsPort\": {tls}{more}}}}}"
            ),
        );
        let server = Peer::start_at(place, own, "env", || {
            let all = [
                "PEBBLE_VA_NOSLEEP=1",
                "PEBBLE_WFE_NONCEREJECT=0",
                "PEBBLE_AUTHZREUSE=0",
                "pebble",
                "-config",
                "pebble.json",
                "-dnsserver",
                &at_dns,
            ];
            all.map(str::to_owned).to_vec()
        });
        Self {
            _dns: dns,
            server,
            management,
        }
    }

    fn directory(&self) -> String {
        format!("https://{}/dir", self.server.name())
    }

    /// Writes the root of what it signs.
    fn root(&self, place: &Place) {
        let url = format!("https://localhost:{}/roots/0", self.management);
        let arguments = [
            "-sS",
            "-4",
            "--cacert",
            "root.pem",
            "-o",
            "pebble-root.pem",
            &url,
        ];
        run(place, "curl", &arguments).well();
    }
}

/// Of an account that others are to be bound to.
const KEY: &str = "beCDX6zejQ0vkmg_8VnJKSLJkgTmtRkT4sZTVnHIkSw";

/// `[acme]` for it.
fn table(directory: &str) -> String {
    format!(
        "[acme]\ndirectory = \"{directory}\"\nca = \"root.pem\"\nagree_to_terms = true\n\
         contact = \"ada@example.org\"\n"
    )
}

/// A tunnel that ends TLS at this port.
fn tunnel(port: u16, to: u16, hosts: &str, more: &str) -> String {
    format!(
        "[[tunnel]]\nname = \"a\"\nlisten = \"127.0.0.1:{port}\"\nto = \"{to}\"\ntls = \"terminate\"\n\
         certificate = \"acme\"\nhosts = {hosts}\n{more}\n"
    )
}

/// The certificate that OpenSSL is shown and believes, by its serial number.
fn serial(place: &Place, port: u16, name: &str, more: &[&str]) -> String {
    let at = format!("127.0.0.1:{port}");
    let mut arguments = vec![
        "s_client",
        "-connect",
        &at,
        "-servername",
        name,
        "-CAfile",
        "pebble-root.pem",
        "-verify_return_error",
        "-verify_hostname",
        name,
    ];
    arguments.extend(more);
    let seen = run(place, "openssl", &arguments).well();
    place.write("seen.pem", seen.text());
    run(
        place,
        "openssl",
        &["x509", "-in", "seen.pem", "-noout", "-serial"],
    )
    .well()
    .text()
}

/// The names and modes of all files below a folder.
fn modes(folder: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            modes(&path, found);
        } else {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            found.push((path.file_name().unwrap().to_str().unwrap().to_owned(), mode));
        }
    }
}

#[test]
fn a_certificate_is_got_over_tls_while_the_tunnel_runs_and_kept_for_the_next_start() {
    let place = Place::new();
    let ports = Ports::free();
    let pebble = Pebble::start(&place, ports);
    let metrics = free_port();
    // Clients have to show certificates, and the CA has none.
    let config = format!(
        "metrics = \"127.0.0.1:{metrics}\"\n{}{}",
        table(&pebble.directory()),
        tunnel(
            ports.tls,
            echo("hi\n"),
            "[\"a.example.test\", \"b.example.test\"]",
            "client_ca = \"root.pem\""
        )
    );
    let tunnels = Tunnels::of_file(&place, &config);
    tunnels.0.wait_said(
        0,
        "there is a certificate for a.example.test, b.example.test, until",
    );
    pebble.root(&place);
    let own = ["-cert", "c.pem", "-key", "k.pem"];
    let first = serial(&place, ports.tls, "a.example.test", &own);
    assert_eq!(serial(&place, ports.tls, "b.example.test", &own), first);
    let url = format!("http://127.0.0.1:{metrics}/metrics");
    let numbers = run(&place, "curl", &["-sS", &url]).well().text();
    let end = "ravelin_tunnel_certificate_not_after_seconds{tunnel=\"a\"} 19";
    assert!(numbers.contains(end), "{numbers}");
    // Who looks whether a name leads here when nothing is to be proved gets nothing, and to no service.
    let at = format!("127.0.0.1:{}", ports.tls);
    let looks = [
        "s_client",
        "-connect",
        &at,
        "-alpn",
        "acme-tls/1",
        "-servername",
        "a.example.test",
    ];
    let seen = run(&place, "openssl", &looks);
    assert!(
        seen.code != 0 && !seen.text().contains("hi"),
        "{}",
        seen.stderr
    );
    tunnels.0.stop();
    let mut found = Vec::new();
    modes(&place.home().join("acme"), &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    // Nobody is asked the second time.
    drop(pebble);
    let tunnels = Tunnels::of_file(&place, &config);
    assert_eq!(serial(&place, ports.tls, "a.example.test", &own), first);
    let said = tunnels.0.said();
    assert!(!said.contains("asking"), "{said}");
}

#[test]
fn a_certificate_is_got_over_http_where_clients_begin_in_clear() {
    let place = Place::new();
    let ports = Ports::free();
    let bound = format!(
        ", \"externalAccountBindingRequired\": true, \"externalAccountMACKeys\": {{\"kid-1\": \"{KEY}\"}}"
    );
    let pebble = Pebble::with(&place, ports, &bound);
    place.write("eab.key", format!("{KEY}\n"));
    let (table, http) = (table(&pebble.directory()), ports.http);
    let bound = "external_account = { id = \"kid-1\", key = \"eab.key\" }";
    let table = format!("{table}http = \"127.0.0.1:{http}\"\n{bound}\n");
    let (port, to) = (free_port(), echo(""));
    let config = |hosts| table.clone() + &tunnel(port, to, hosts, "starttls = \"postgres\"");
    let tunnels = Tunnels::of_file(&place, &config("\"db.example.test\""));
    tunnels
        .0
        .wait_said(0, "there is a certificate for db.example.test, until");
    assert!(tunnels.0.said().contains("for db.example.test, by http-01"));
    pebble.root(&place);
    serial(&place, port, "db.example.test", &["-starttls", "postgres"]);
    // Another name is another order.
    let names = "[\"db.example.test\", \"new.example.test\"]";
    place.replace("tunnels.toml", config(names));
    let both = "there is a certificate for db.example.test, new.example.test, until";
    tunnels.0.wait_said(0, both);
    serial(&place, port, "new.example.test", &["-starttls", "postgres"]);
    for path in [
        "/",
        "/.well-known/acme-challenge/",
        "/.well-known/acme-challenge/../../x",
    ] {
        let url = format!("http://127.0.0.1:{}{path}", ports.http);
        let status = [
            "-sS",
            "--path-as-is",
            "-o",
            "body",
            "-w",
            "%{http_code}",
            &url,
        ];
        assert_eq!(run(&place, "curl", &status).well().text(), "404", "{path}");
    }
}

#[test]
fn a_certificate_is_renewed_under_connections_that_go_on() {
    let place = Place::new();
    let ports = Ports::free();
    let pebble = Pebble::with(&place, ports, ", \"certificateValidityPeriod\": 6");
    let (at, to) = (format!("127.0.0.1:{}", ports.tls), echo("").to_string());
    let directory = pebble.directory();
    let tunnels = Tunnels::start(
        &place,
        &[
            &at,
            &to,
            "--acme",
            "--agree-to-terms",
            "--host",
            "a.example.test",
            "--host",
            "127.0.0.1",
            "--acme-directory",
            &directory,
            "--acme-ca",
            "root.pem",
        ],
    );
    let came = "there is a certificate for ";
    tunnels.0.wait_said(0, came);
    pebble.root(&place);
    let first = serial(&place, ports.tls, "a.example.test", &[]);
    let mut open = tunnels.tls(0, "a.example.test");
    let before = tunnels.0.said().rfind(came).unwrap() + came.len();
    tunnels.0.wait_said(before, came);
    wait_until("another certificate is shown", || {
        serial(&place, ports.tls, "a.example.test", &[]) != first
    });
    open.write_all(b"still here").unwrap();
    assert_eq!(exactly(&mut open, 10), "still here");
}

#[test]
fn a_name_that_does_not_lead_here_is_told_of_and_not_tried_again_and_again() {
    let place = Place::new();
    let ports = Ports::free();
    let astray = Ports {
        tls: free_port(),
        ..ports
    };
    let pebble = Pebble::start(&place, astray);
    let to = echo("");
    let config = table(&pebble.directory()) + &tunnel(ports.tls, to, "\"a.example.test\"", "");
    let tunnels = Tunnels::of_file(&place, &config);
    for words in [
        "error: no certificate for a.example.test: tls-alpn-01 for \"a.example.test\" has failed: ",
        "has failed: Failed to connect to 127.0.0.1:",
        "hint: it connects to port 443 of \"a.example.test\": a tunnel has to be reached there",
        "warning: clients get an alert until there is one; the next try is at ",
    ] {
        tunnels.0.wait_said(0, words);
    }
    tunnels.0.stop();
    // Whoever starts again and again does not use up the CA's patience.
    let tunnels = Tunnels::of_file(&place, &config);
    tunnels
        .0
        .wait_said(0, "no certificate for a.example.test has come of 1 try: ");
    assert!(!tunnels.0.said().contains("asking"));
    // The CA has lost the account meanwhile, and the name leads here now.
    drop(pebble);
    let pebble = Pebble::start(&place, ports);
    tunnels.0.signal(Signal::HUP);
    tunnels
        .0
        .wait_said(0, "there is a certificate for a.example.test, until");
    pebble.root(&place);
    serial(&place, ports.tls, "a.example.test", &[]);
}
