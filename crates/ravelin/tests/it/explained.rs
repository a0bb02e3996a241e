//! Each visitor sees the handshake of their own connection, and nobody else's.

use std::fs;

use serde_json::Value;

use crate::client::Client;
use crate::foreign::run;
use crate::server::{Place, Server};

mod chromium;

#[test]
fn what_is_shown_has_the_secrets_that_the_client_knows_itself() {
    let place = Place::new();
    let server = place.serve(&["--explain"]);
    for version in ["1.2", "1.3"] {
        let keys = place.path(&format!("keys-{version}"));
        let shown = curl(&server, &keys, version, "application/json");
        let document: Value = serde_json::from_str(&shown).unwrap();
        let quantities = document["connections"][0]["quantities"].as_array().unwrap();
        let logged = fs::read_to_string(&keys).unwrap();
        let secrets: Vec<_> = logged
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit(' ').next().unwrap().to_lowercase())
            .collect();
        assert!(!secrets.is_empty(), "curl has logged nothing");
        for secret in secrets {
            let found = quantities
                .iter()
                .find(|found| found["value"] == secret.as_str());
            let found = found.unwrap_or_else(|| panic!("TLS {version}: {secret} is not shown"));
            assert_eq!(found["standing"], "confirmed", "{found}");
        }
        let checks = document["connections"][0]["checks"].as_array().unwrap();
        assert!(
            checks.iter().any(|check| check["claim"] == "finished"),
            "{checks:?}"
        );
        for check in checks {
            assert_ne!(check["verdict"], "refuted", "{check}");
        }
    }
}

#[test]
fn two_visitors_at_once_each_see_their_own() {
    let place = Place::new();
    let server = place.serve(&["--explain", "--workers", "1"]);
    let mut visitors = [Client::connect(&server), Client::connect(&server)];
    let names = ["x-first-visitor", "x-second-visitor"];
    // Both have spoken before either is shown anything.
    for (visitor, name) in visitors.iter_mut().zip(names) {
        visitor.ask(format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\n{name}: 1\r\n\r\n"
        ));
    }
    for (visitor, (own, other)) in visitors.iter_mut().zip([(0, 1), (1, 0)]) {
        let shown = visitor
            .ask("GET /handshake HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
        assert_eq!(shown.status, 200);
        let shown = String::from_utf8(shown.body).unwrap();
        let hex = |name: &str| {
            let octets: Vec<_> = name.bytes().map(|octet| format!("{octet:02x}")).collect();
            octets.concat()
        };
        assert!(shown.contains(&hex(names[own])), "its own request is there");
        assert!(!shown.contains(&hex(names[other])), "another's is not");
    }
}

#[test]
fn a_browser_gets_a_page_that_no_cache_keeps_and_no_script_of_others_runs_in() {
    let place = Place::new();
    let server = place.serve(&["--explain"]);
    let mut client = Client::connect(&server);
    let page = client.ask(
        "GET /handshake HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nAccept-Language: zh-CN\r\n\r\n",
    );
    assert_eq!(page.status, 200);
    let field = |wanted: &str| {
        let mut fields = page.fields.iter();
        let found = fields.find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(field("content-type"), "text/html; charset=utf-8");
    assert_eq!(field("cache-control"), "no-store");
    assert!(field("content-security-policy").starts_with("default-src 'none'"));
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(
        text.contains("lang=\"zh-Hans\""),
        "the language of the browser"
    );
    assert!(text.contains("ClientHello"));
}

#[test]
fn there_is_nothing_to_see_where_nobody_asked_for_it() {
    let place = Place::new();
    let server = place.serve(&[]);
    assert_eq!(Client::connect(&server).get("/handshake").status, 404);
}

#[test]
fn only_what_reads_is_answered() {
    let place = Place::new();
    let server = place.serve(&["--explain"]);
    let mut client = Client::connect(&server);
    let refused =
        client.ask("POST /handshake HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(refused.status, 405);
    let text = client.get("/handshake");
    assert_eq!(text.status, 200);
    let text = String::from_utf8(text.body).unwrap();
    assert!(text.starts_with("TLS handshake"), "{text}");
    assert!(
        !text.contains('\u{1b}'),
        "no colours for who may not want them"
    );
}

/// What curl is shown, while it writes its own key log.
fn curl(server: &Server, keys: &std::path::Path, version: &str, accept: &str) -> String {
    let script = format!(
        "SSLKEYLOGFILE='{}' exec curl -sS --cacert '{}' --tlsv{version} --tls-max {version} -H 'Accept: {accept}' '{}'",
        keys.display(),
        server.place.root().display(),
        server.url("/handshake"),
    );
    run(&server.place, "sh", &["-c", &script]).well().text()
}
