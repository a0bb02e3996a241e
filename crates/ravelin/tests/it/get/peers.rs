//! nginx and Caddy, as the servers that most requests go to.

use std::fs;

use super::get;
use crate::inspect::{Peer, certify};
use crate::server::Place;

/// More than comes in a second of a slow server.
fn large() -> String {
    let numbers: Vec<String> = (0..400_000).map(|n: u32| n.to_string()).collect();
    numbers.join("\n")
}

/// nginx, which serves the folder, and slowly to who asks for that; `/who` tells a client who it is.
fn nginx(place: &Place) -> Peer {
    certify(place);
    place.write("page", "a page\n");
    Peer::start(place, "sh", |port| {
        let config = format!(
            "daemon off; master_process off; error_log stderr; pid nginx.pid; events {{}}\n\
             http {{ access_log off; client_body_temp_path .; proxy_temp_path .;\n\
             fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;\n\
             map $http_slow $rate {{ default 0; 1 200k; }}\n\
             server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate c.pem; ssl_certificate_key k.pem;\n\
             ssl_verify_client optional; ssl_client_certificate root.pem;\n\
             root .; limit_rate $rate;\n\
             location = /who {{ if ($ssl_client_verify != SUCCESS) {{ return 403 \"nobody\\n\"; }}\n\
             return 200 \"$ssl_client_s_dn\\n\"; }} }} }}\n"
        );
        place.write("nginx.conf", config);
        let run = "PATH=$PATH:/usr/sbin; exec nginx -p . -c nginx.conf -e stderr";
        ["-c", run].map(str::to_owned).to_vec()
    })
}

/// Caddy, which serves the folder.
fn caddy(place: &Place) -> Peer {
    certify(place);
    place.write("page", "a page\n");
    Peer::start(place, "sh", |port| {
        let config = format!(
            "{{\n admin off\n auto_https disable_redirects\n storage file_system caddy\n}}\n\
             https://localhost:{port} {{\n bind 127.0.0.1\n tls c.pem k.pem\n root * .\n file_server\n}}\n"
        );
        place.write("Caddyfile", config);
        let run = "exec caddy run --config Caddyfile --adapter caddyfile";
        ["-c", run].map(str::to_owned).to_vec()
    })
}

/// Asks for the page over both versions of HTTP, and for a range of it.
fn ask_for_the_page(place: &Place, peer: &Peer) {
    let url = format!("https://{}/page", peer.name());
    for (version, line) in [("1.1", "HTTP/1.1 200"), ("2", "HTTP/2 200")] {
        let seen = get(
            place,
            &[&url, "--ca", "root.pem", "--http", version, "--head"],
        );
        seen.expect(0, &[]);
        let head_and_page = seen.stdout.starts_with(line) && seen.stdout.ends_with("\n\na page\n");
        assert!(head_and_page, "no {line:?}: {seen:?}");
        let part = get(
            place,
            &[
                &url,
                "--ca",
                "root.pem",
                "--http",
                version,
                "Range:bytes=2-5",
            ],
        );
        part.expect(0, &[]);
        assert_eq!(part.stdout, "page");
    }
}

#[test]
fn nginx_answers_over_both_versions_and_knows_who_asks() {
    let place = Place::new();
    let peer = nginx(&place);
    ask_for_the_page(&place, &peer);
    let url = format!("https://{}/who", peer.name());
    let who = [&url, "--ca", "root.pem", "--fail"];
    get(&place, &who).expect(1, &["403 Forbidden"]);
    let seen = get(
        &place,
        &[&who[..], &["--cert", "c.pem", "--key", "k.pem"]].concat(),
    );
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "CN=localhost\n");
}

#[test]
fn half_a_download_from_nginx_goes_on() {
    let place = Place::new();
    let peer = nginx(&place);
    place.write("large", large());
    let url = format!("https://{}/large", peer.name());
    let ask = [&url, "--ca", "root.pem", "--output", "got"];
    let slow = get(&place, &[&ask[..], &["Slow:1", "--timeout", "1s"]].concat());
    slow.expect(
        3,
        &["more than 1 second", "the same command goes on from there"],
    );
    let half = fs::metadata(place.path("got.part")).unwrap().len();
    assert!(half > 0 && !place.path("got").exists(), "{half}");
    get(&place, &ask).expect(0, &["going on"]);
    assert!(fs::read_to_string(place.path("got")).unwrap() == large());
}

#[test]
fn caddy_answers_over_both_versions() {
    let place = Place::new();
    ask_for_the_page(&place, &caddy(&place));
}
