//! The way to a server, and what goes with a request to which server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::thread;

use super::{Scripted, answer, get, good};
use crate::server::Place;

/// Copies both ways until both have ended.
fn join(one: TcpStream, other: TcpStream) {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        })
    };
    copy(one.try_clone().unwrap(), other.try_clone().unwrap());
    copy(other, one);
}

/// A proxy that takes connections one by one, and connects where `agree` leads.
fn proxy(agree: impl Fn(&mut TcpStream) -> u16 + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let to = agree(&mut stream);
            join(stream, TcpStream::connect(("127.0.0.1", to)).unwrap());
        }
    });
    port
}

#[test]
fn proxies_of_http_are_asked_to_connect_and_told_plain_requests() {
    let place = Place::new();
    let server = place.serve(&[]);
    let to = server.port();
    let port = proxy(move |stream| {
        let asked = super::request(stream);
        assert!(asked.starts_with("CONNECT localhost:"), "{asked}");
        assert!(
            asked.contains("Proxy-Authorization: Basic YWRhOnB3\r\n"),
            "{asked}"
        );
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        to
    });
    let through = format!("http://ada:pw@127.0.0.1:{port}");
    let seen = get(&place, &[&server.url("/"), "--proxy", &through]);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "hello\n");

    let plain = Scripted::always(good("from the proxy"));
    let mut command = place.command(&["get", "http://nowhere.test/x?y"]);
    let seen = command.env("http_proxy", plain.url("")).output().unwrap();
    assert_eq!(seen.stdout, b"from the proxy");
    assert!(
        plain
            .asked()
            .starts_with("GET http://nowhere.test/x?y HTTP/1.1\r\nhost: nowhere.test\r\n")
    );
    let refusing = Scripted::always("HTTP/1.1 403 Forbidden\r\n\r\n");
    get(
        &place,
        &["https://nowhere.test/", "--proxy", &refusing.url("")],
    )
    .expect(
        3,
        &["does not connect to \"nowhere.test:443\": it answers \"HTTP/1.1 403 Forbidden\""],
    );
}

#[test]
fn proxies_of_socks_are_told_names_and_logged_in_to() {
    let place = Place::new();
    let server = place.serve(&[]);
    let to = server.port();
    let port = proxy(move |stream| {
        let mut exchange = |expected: &[u8], answer: &[u8]| {
            let mut octets = vec![0; expected.len()];
            stream.read_exact(&mut octets).unwrap();
            assert_eq!(octets, expected);
            stream.write_all(answer).unwrap();
        };
        exchange(&[5, 2, 0, 2], &[5, 2]);
        exchange(b"\x01\x03ada\x02pw", &[1, 0]);
        let name = [&b"\x05\x01\x00\x03\x09localhost"[..], &to.to_be_bytes()].concat();
        exchange(&name, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]);
        to
    });
    let through = format!("socks5h://ada:pw@127.0.0.1:{port}");
    let seen = get(&place, &[&server.url("/"), "--proxy", &through]);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "hello\n");
    let refusing = proxy_that_says(b"\x05\x00\x05\x02\x00\x01");
    get(
        &place,
        &[
            "https://nowhere.test/",
            "--proxy",
            &format!("socks5h://127.0.0.1:{refusing}"),
        ],
    )
    .expect(3, &["its rules forbid it"]);
}

fn proxy_that_says(what: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(what).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    port
}

#[test]
fn names_lead_where_the_command_says_and_certificates_are_for_the_name() {
    let place = Place::new();
    let server = place.serve(&["--host", "app.test"]);
    let port = server.port();
    let url = format!("https://app.test:{port}/");
    let resolve = format!("app.test:{port}:127.0.0.1");
    let seen = get(&place, &[&url, "--resolve", &resolve]);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "hello\n");
    let resolve = format!("other.test:{port}:127.0.0.1");
    get(
        &place,
        &[
            &format!("https://other.test:{port}/"),
            "--resolve",
            &resolve,
        ],
    )
    .expect(1, &["\"other.test\" is not one of its names"]);
    get(&place, &["https://nowhere.test/"]).expect(3, &["cannot find \"nowhere.test\""]);
}

#[test]
fn a_socket_of_unix_stands_for_any_host() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path("socket")).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).unwrap();
        assert!(buffer[..read].starts_with(b"GET /v1/info HTTP/1.1\r\nhost: docker\r\n"));
        stream.write_all(&good("here")).unwrap();
    });
    let seen = get(
        &place,
        &["http://docker/v1/info", "--unix-socket", "socket"],
    );
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "here");
}

#[test]
fn passwords_and_cookies_stay_with_their_origin() {
    let place = Place::new();
    let other = Scripted::always(good("there"));
    let location = format!("Location: {}\r\nSet-Cookie: k=v\r\n", other.url("/b"));
    let first = Scripted::always(answer("307 Temporary Redirect", &location, ""));
    let url = first.url("/a");
    // Ports are no borders for cookies, names are.
    let named = url.replace("127.0.0.1", "localhost");
    get(
        &place,
        &[&named, "--user", "ada:pw", "Cookie:own=1", "X-Kept:1"],
    )
    .expect(0, &[]);
    let asked = first.asked();
    assert!(
        asked.contains("authorization: Basic YWRhOnB3\r\n") && asked.contains("cookie: own=1\r\n")
    );
    let asked = other.asked();
    assert!(
        !asked.contains("authorization") && !asked.contains("cookie"),
        "{asked}"
    );
    assert!(asked.contains("x-kept: 1\r\n"), "{asked}");
}

#[test]
fn redirects_from_https_to_http_are_not_followed_unless_that_is_said() {
    let place = Place::new();
    let plain = Scripted::always(good("plain"));
    let site = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nhosts = [\"localhost\"]\n[[site.route]]\n\
         redirect = {{ to = \"{}\" }}\n",
        plain.url("/x")
    );
    let server = place.serve_config(&site);
    get(&place, &[&server.url("/")]).expect(
        3,
        &[
            "redirects from https to \"http://127.0.0.1:",
            "--allow-http",
        ],
    );
    assert!(plain.was_asked_no_more());
    let seen = get(&place, &[&server.url("/"), "--allow-http"]);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "plain");
}

#[test]
fn posts_become_gets_where_the_status_says_so_and_stay_posts_else() {
    let place = Place::new();
    for (status, asked) in [
        ("302 Found", "GET /b "),
        ("303 See Other", "GET /b "),
        ("308 Permanent Redirect", "POST /b "),
    ] {
        let server = Scripted::answering(move |request| {
            if request.contains(" /a ") {
                answer(status, "Location: /b\r\n", "")
            } else {
                good("")
            }
        });
        place
            .run(&["post", &server.url("/a"), "k=v"])
            .expect(0, &[]);
        server.asked();
        let second = server.asked();
        assert!(second.starts_with(asked), "{second}");
        assert_eq!(
            second.contains("{\"k\":\"v\"}"),
            asked.starts_with("POST"),
            "{second}"
        );
    }
    let server = Scripted::always(answer("307 Temporary Redirect", "Location: /b\r\n", ""));
    place
        .run(&["post", &server.url("/a"), "--body", "-"])
        .expect(3, &["sent once more, and came from a pipe"]);
}

#[test]
fn sessions_keep_cookies_and_logins_for_their_owner_alone() {
    let place = Place::new();
    let server = Scripted::always(answer(
        "200 OK",
        "Set-Cookie: id=7; Path=/\r\nSet-Cookie: x=1; Domain=com\r\n",
        "",
    ));
    let url = server.url("/");
    let arguments = [url.as_str(), "--session", "work"];
    get(&place, &[&arguments[..], &["--user", "ada:pw"]].concat())
        .expect(0, &["a cookie of \"127.0.0.1\""]);
    server.asked();
    get(&place, &arguments).expect(0, &[]);
    let asked = server.asked();
    assert!(
        asked.contains("cookie: id=7\r\n") && asked.contains("authorization: Basic YWRhOnB3\r\n"),
        "{asked}"
    );
    get(&place, &[&url]).expect(0, &[]);
    assert!(!server.asked().contains("cookie"));
    let file = place
        .home()
        .join(format!("sessions/127.0.0.1_{}/work.json", server.port));
    assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn netrc_is_read_where_nobody_else_may() {
    let place = Place::new();
    let server = Scripted::always(good(""));
    let netrc = place.write("user/.netrc", "machine 127.0.0.1 login ada password pw\n");
    let mode =
        |mode| std::fs::set_permissions(&netrc, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    get(&place, &[&server.url("/")]).expect(4, &["others may read it", "chmod 600"]);
    get(&place, &[&server.url("/"), "--netrc", "none"]).expect(0, &[]);
    assert!(!server.asked().contains("authorization"));
    mode(0o600);
    get(&place, &[&server.url("/")]).expect(0, &[]);
    assert!(server.asked().contains("authorization: Basic YWRhOnB3\r\n"));
}

#[test]
fn what_may_pass_is_asked_again_and_nothing_that_would_be_done_twice() {
    let place = Place::new();
    let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
    let server = Scripted::always(busy);
    get(&place, &[&server.url("/"), "--retry", "1", "--fail"]).expect(1, &["again ", "503"]);
    server.asked();
    server.asked();
    assert!(server.was_asked_no_more());
    place
        .run(&["post", &server.url("/"), "--retry", "1", "--fail"])
        .expect(1, &["503"]);
    server.asked();
    assert!(server.was_asked_no_more());
}

/// What comes through a pipe has no length, and is sent in chunks.
#[test]
fn what_is_piped_in_is_sent_as_it_comes() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while !all.ends_with(b"0\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            all.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(&good("")).unwrap();
        String::from_utf8(all).unwrap()
    });
    let command = format!(
        "echo piped | {} put {url} --body -",
        env!("CARGO_BIN_EXE_ravelin")
    );
    crate::foreign::run(&place, "sh", &["-c", &command]).well();
    let sent = server.join().unwrap();
    assert!(sent.contains("transfer-encoding: chunked\r\n"), "{sent}");
    assert!(
        sent.ends_with("\r\n\r\n6\r\npiped\n\r\n0\r\n\r\n"),
        "{sent}"
    );
    let gone = place.run(&["put", &url, "--body", "nothing"]);
    gone.expect(4, &["cannot read \"nothing\""]);
}
