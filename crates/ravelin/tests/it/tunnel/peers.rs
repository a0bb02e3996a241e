//! Other programs that carry connections: `HAProxy` with the PROXY protocol, nginx, stunnel.

use std::io::Write as _;

use super::{Tunnels, assert_cut, client, connect, echo, exactly, rest, tls};
use crate::foreign::run;
use crate::inspect::{Peer, certify};
use crate::server::{Place, free_port};

/// `HAProxy` with this configuration behind what all have.
fn haproxy(place: &Place, text: impl Fn(&str) -> String) -> Peer {
    Peer::start(place, "/usr/sbin/haproxy", |port| {
        let all = format!(
            "defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n{}\n",
            text(port)
        );
        place.write("haproxy.cfg", all);
        ["-f", "haproxy.cfg"].map(str::to_owned).to_vec()
    })
}

#[test]
fn haproxy_is_told_who_the_client_is() {
    let place = Place::new();
    certify(&place);
    let ada = client(&place, "ada", "/CN=Ada", "DNS:ada.internal");
    // It says what it was told in an answer of HTTP.
    let haproxy = haproxy(&place, |port| {
        format!(
            "frontend f\n mode http\n bind 127.0.0.1:{port} accept-proxy\n \
             http-request return status 200 content-type text/plain lf-string \
             \"%[src] <%[fc_pp_authority]> %[dst_port]\\n\""
        )
    });
    let to = haproxy.name().replace("localhost", "127.0.0.1");
    for version in ["v1", "v2"] {
        let arguments = [
            "0",
            &to,
            "--to-proxy-header",
            version,
            "--client-ca",
            "root.pem",
        ];
        let tunnels = Tunnels::start(&place, &arguments);
        let tcp = tunnels.tcp(0);
        let mut tls = tls(tcp, "name.internal", Some(ada.clone())).unwrap();
        tls.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let said = rest(tls).unwrap();
        let (_, body) = said.split_once("\r\n\r\n").unwrap();
        let authority = if version == "v2" { "name.internal" } else { "" };
        let port = tunnels.port(0);
        assert_eq!(body, format!("127.0.0.1 <{authority}> {port}\n"));
    }
}

#[test]
fn haproxy_says_who_the_client_is_and_nobody_else_may() {
    let place = Place::new();
    let to = format!("\"{}\"", echo("in\n"));
    let inner = free_port();
    let config = format!(
        "[log]\n[[tunnel]]\nname = \"a\"\nlisten = \"127.0.0.1:{inner}\"\nto = {to}\ntls = \"terminate\"\nproxy_header = true\n"
    );
    let tunnels = Tunnels::of_file(&place, &config);
    for (number, send) in ["send-proxy", "send-proxy-v2"].into_iter().enumerate() {
        let haproxy = haproxy(&place, |port| {
            format!("listen l\n bind 127.0.0.1:{port}\n server s 127.0.0.1:{inner} {send}")
        });
        let port = haproxy.name().rsplit_once(':').unwrap().1.parse().unwrap();
        let tcp = connect(port);
        let own = tcp.local_addr().unwrap();
        let mut tls = tls(tcp, "localhost", None).unwrap();
        assert_eq!(exactly(&mut tls, 3), "in\n");
        drop(tls);
        let lines = tunnels.0.wait_printed(number + 1);
        assert!(
            lines
                .lines()
                .last()
                .unwrap()
                .contains(&format!(" a {own} ")),
            "{lines}"
        );
    }
    // Without the header nobody gets in, whatever comes in its place.
    assert_cut(tls(tunnels.tcp(0), "localhost", None).and_then(rest));
    let lines = tunnels.0.wait_printed(3);
    assert!(
        lines.contains("the connection does not begin with a PROXY header"),
        "{lines}"
    );
}

#[test]
fn stunnel_is_at_either_end() {
    let place = Place::new();
    let to = echo("").to_string();
    let front = Tunnels::start(&place, &["0", &to]);
    let root = place.root();
    let port = front.port(0);
    let peer = stunnel(&place, |own| {
        format!(
            "[s]\nclient = yes\naccept = 127.0.0.1:{own}\nconnect = 127.0.0.1:{port}\n\
             CAfile = {}\nverifyChain = yes\ncheckHost = localhost\nsni = localhost\n",
            root.display()
        )
    });
    let own = peer.name().rsplit_once(':').unwrap().1.parse().unwrap();
    let mut stream = connect(own);
    stream.write_all(b"by stunnel").unwrap();
    assert_eq!(exactly(&stream, 10), "by stunnel");
    drop(peer);
    // And the other way.
    certify(&place);
    let peer = stunnel(&place, |own| {
        format!(
            "[s]\naccept = 127.0.0.1:{own}\nconnect = 127.0.0.1:{to}\ncert = c.pem\nkey = k.pem\n"
        )
    });
    let arguments = [
        "0",
        &peer.name(),
        "--tls",
        "originate",
        "--to-ca",
        "root.pem",
    ];
    let back = Tunnels::start(&place, &arguments);
    let mut stream = back.tcp(0);
    stream.write_all(b"to stunnel").unwrap();
    assert_eq!(exactly(&stream, 10), "to stunnel");
}

/// stunnel with this configuration behind what all have.
pub(super) fn stunnel(place: &Place, text: impl Fn(&str) -> String) -> Peer {
    Peer::start(place, "stunnel4", |port| {
        let all = format!("foreground = yes\npid =\ndebug = 3\n{}", text(port));
        place.write("stunnel.conf", all);
        vec![place.path("stunnel.conf").to_str().unwrap().to_owned()]
    })
}

#[test]
fn nginx_asks_for_a_certificate_and_gets_one() {
    let place = Place::new();
    certify(&place);
    client(&place, "ada", "/CN=Ada", "DNS:ada.internal");
    let peer = Peer::start(&place, "/usr/sbin/nginx", |port| {
        place.write(
            "nginx.conf",
            format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {{}}\n\
                 http {{ access_log off; server {{ listen 127.0.0.1:{port} ssl;\n\
                 ssl_certificate c.pem; ssl_certificate_key k.pem; ssl_client_certificate root.pem;\n\
                 ssl_verify_client on; location / {{ return 200 \"$ssl_client_s_dn\\n\"; }} }} }}\n"
            ),
        );
        let prefix = place.path("").to_str().unwrap().to_owned();
        ["-p", &prefix, "-c", "nginx.conf"]
            .map(str::to_owned)
            .to_vec()
    });
    let name = peer.name();
    let mut arguments = vec!["0", &name, "--tls", "originate", "--to-ca", "root.pem"];
    arguments.extend(["--to-cert", "ada.pem", "--to-key", "ada.key"]);
    let tunnels = Tunnels::start(&place, &arguments);
    let url = format!("http://127.0.0.1:{}/", tunnels.port(0));
    let curl = run(&place, "curl", &["-sS", &url]).well();
    assert_eq!(curl.text(), "CN=Ada\n");
    // One that is not in the rules of the server's side is not taken.
    arguments.extend(["--to-allow", "cn=other"]);
    let none = Tunnels::start(&place, &arguments);
    assert_cut(rest(none.tcp(0)));
    none.0
        .wait_said(0, "it is not allowed: no rule fits its certificate");
}
