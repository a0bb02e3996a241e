//! Requests for hosts that are not there, not one, or not this connection's.

use crate::client::Client;
use crate::client::http2::{End, Http2, PROTOCOL_ERROR};
use crate::server::{Server, Setup};

fn status(server: &Server, request: &str) -> u16 {
    Client::connect(server).ask(request).status
}

#[test]
fn a_request_names_exactly_one_host_and_it_is_one() {
    let server = Setup::new().start();
    for fields in [
        "",
        "Host: localhost\r\nHost: localhost\r\n",
        "Host: localhost\r\nHost: elsewhere.test\r\n",
        "Host:\r\n",
        "Host: user@localhost\r\n",
        "Host: user:password@localhost\r\n",
        "Host: localhost:port\r\n",
        "Host: localhost:123456\r\n",
        "Host: localhost/x\r\n",
        "Host: local host\r\n",
        "Host: localhost, elsewhere.test\r\n",
        "Host: [::1\r\n",
        "Host: .localhost\r\n",
        "Host: local..host\r\n",
        "Host: localhost..\r\n",
        "Host: <script>\r\n",
        "Host: lo\u{e9}alhost\r\n",
    ] {
        let mut client = Client::connect(&server);
        let response = client.ask(format!("GET / HTTP/1.1\r\n{fields}\r\n"));
        assert_eq!(response.status, 400, "{fields:?}");
        let text = response.text();
        assert!(
            text.contains("ost"),
            "it does not say what is wrong: {text}"
        );
        assert!(!text.contains("script"), "{text}");
    }
    assert_eq!(status(&server, "GET / HTTP/1.0\r\n\r\n"), 400);
    for host in [
        "localhost",
        "LocalHost",
        "localhost.",
        "localhost:8443",
        "localhost:",
    ] {
        assert_eq!(
            status(&server, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")),
            200,
            "{host}"
        );
    }
    server.assert_serves_others();
}

#[test]
fn a_target_with_a_host_of_its_own_must_agree_with_the_host_field() {
    let server = Setup::new().start();
    let ask = |target: &str, host: &str| {
        status(
            &server,
            &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        )
    };
    assert_eq!(ask("https://localhost/", "localhost"), 200);
    assert_eq!(ask("https://elsewhere.test/", "localhost"), 400);
    assert_eq!(ask("https://localhost/", "elsewhere.test"), 400);
    assert_eq!(ask("https://user@localhost/", "localhost"), 400);
    assert_eq!(ask("https://elsewhere.test/", "elsewhere.test"), 421);
    assert_eq!(ask("localhost:443", "localhost:443") / 100, 4);
    assert_eq!(
        status(
            &server,
            "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n"
        ) / 100,
        4
    );
    assert_eq!(
        status(&server, "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n") / 100,
        4
    );
}

#[test]
fn a_host_that_the_connection_was_not_made_for_is_answered_421() {
    let other =
        "[[site]]\nhosts = [\"other.test\"]\n[[site.route]]\nrespond = { body = \"other\\n\" }";
    let server = Setup::new().sites(other).start();
    let ask = |sni, host: &str| {
        Client::connect_as(&server, sni).ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    };
    assert_eq!(ask("localhost", "localhost").text(), "hello\n");
    assert_eq!(ask("other.test", "other.test").text(), "other\n");
    for (sni, host) in [
        ("localhost", "other.test"),
        ("other.test", "localhost"),
        ("unknown.test", "localhost.unknown.test"),
        ("localhost", "unknown.test"),
        ("localhost", "127.0.0.1"),
    ] {
        let response = ask(sni, host);
        assert_eq!(response.status, 421, "{host} over a connection for {sni}");
        assert!(response.text().contains(host), "{}", response.text());
    }
}

#[test]
fn http2_authorities_are_held_to_the_same() {
    let other =
        "[[site]]\nhosts = [\"other.test\"]\n[[site.route]]\nrespond = { body = \"other\\n\" }";
    let server = Setup::new().sites(other).start();
    let ask = |fields: &[(&str, &str)]| {
        let start = [(":method", "GET"), (":scheme", "https"), (":path", "/")];
        Http2::connect(&server).ask(1, &[&start[..], fields].concat())
    };
    assert_eq!(ask(&[(":authority", "localhost")]), End::Status(1, 200));
    assert_eq!(ask(&[("host", "localhost")]), End::Status(1, 200));
    assert_eq!(
        ask(&[(":authority", "localhost"), ("host", "localhost")]),
        End::Status(1, 200)
    );
    assert_eq!(ask(&[(":authority", "other.test")]), End::Status(1, 421));
    assert_eq!(ask(&[]), End::Status(1, 400));
    assert_eq!(
        ask(&[(":authority", "localhost"), ("host", "other.test")]),
        End::Status(1, 400)
    );
    for wrong in ["user@localhost", "local host", "", "localhost/x", "<b>"] {
        let end = ask(&[(":authority", wrong)]);
        let refused = [End::Status(1, 400), End::Reset(1, PROTOCOL_ERROR)];
        assert!(refused.contains(&end), "{wrong:?}: {end:?}");
    }
    server.assert_serves_others();
}
