//! Several addresses at once.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::SystemTime;

use super::refused::Made;
use super::{Scripted, answer, get, good, request};
use crate::server::{PATIENCE, Place, free_port};

#[test]
fn addresses_are_asked_together_and_shown_in_their_order() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, came) = channel();
    let mut waits = Some(came);
    // Longer than what is held in memory.
    let long = "0123456789abcdef".repeat(40_000);
    let body = long.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let asked = request(&mut stream);
            let (sender, body) = (sender.clone(), body.clone());
            let waits = asked.contains("/first").then(|| waits.take().unwrap());
            thread::spawn(move || match waits {
                // It answers when the two others have been read to their ends.
                Some(came) => {
                    came.recv_timeout(PATIENCE).unwrap();
                    came.recv_timeout(PATIENCE).unwrap();
                    stream.write_all(&good("first\n")).unwrap();
                }
                None => {
                    let is_long = asked.contains("/long");
                    let text = if is_long { body.as_str() } else { "last\n" };
                    stream.write_all(&good(text)).unwrap();
                    wait_for_its_end(stream);
                    sender.send(()).unwrap();
                }
            });
        }
    });
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    place.write(
        "addresses",
        format!("# two\n{}\n\n  {}\n", url("/long"), url("/last")),
    );
    let seen = get(&place, &[&url("/first"), "--urls", "addresses"]);
    seen.expect(0, &[]);
    assert!(
        seen.stdout == format!("first\n{long}last\n"),
        "out of order"
    );
}

/// The client has read all, and closes.
fn wait_for_its_end(stream: TcpStream) {
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = BufReader::new(stream).read_line(&mut String::new());
}

#[test]
fn errors_name_their_address_and_the_worst_of_them_counts() {
    let place = Place::new();
    let server = Scripted::answering(|request| match request.split(' ').nth(1) {
        Some("/bad") => answer("404 Not Found", "", "nothing"),
        _ => good("good\n"),
    });
    let gone = format!("http://127.0.0.1:{}/gone", free_port());
    let (bad, good) = (server.url("/bad"), server.url("/good"));
    let seen = get(&place, &[&good, &gone, "X-A:b", &bad, &good, "--fail"]);
    let about = |url: &str, what: &str| format!("error: {url}: {what}");
    let network = about(&gone, "cannot connect");
    let status = about(&bad, "the server says 404");
    seen.expect(3, &[&network, &status]);
    assert_eq!(seen.stdout, "good\ngood\n");
    for _ in 0..3 {
        assert!(server.asked().contains("x-a: b\r\n"));
    }
    get(&place, &[&good, &bad, "--fail"]).expect(1, &[]);
    // One by one, in the order of the command.
    get(&place, &[&good, &bad, &good, "--parallel", "1"]).expect(0, &[]);
    let paths: Vec<String> = (0..5)
        .map(|_| server.asked().split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(paths[2..], ["/good", "/bad", "/good"]);
}

#[test]
fn what_is_for_one_address_is_refused_for_several() {
    let place = Place::new();
    place.write("none", "# nothing\n\n");
    let (one, other) = ("http://127.0.0.1:1/", "http://localhost:1/");
    for (more, said) in [
        (&["--output", "file"][..], "--output is for one file"),
        (&["--session", "me"], "--session is for one host"),
        (&["--urls", "none"], "there is no address in \"none\""),
        (&["--urls", "missing"], "missing"),
    ] {
        let seen = get(&place, &[&[one, other], more].concat());
        let code = if more[1] == "missing" { 4 } else { 2 };
        seen.expect(code, &[said]);
    }
    let post = ["post", one, other, "--body", "-"];
    place.run(&post).expect(2, &["can be sent once"]);
    get(&place, &["--urls", "-", "ftp://nowhere/"]).expect(2, &[]);
}

#[test]
fn downloads_of_one_name_become_files_of_several() {
    let place = Place::new();
    let server = Scripted::answering(|request| good(request.split(' ').nth(1).unwrap()));
    let urls = [server.url("/a/f.txt"), server.url("/b/f.txt")];
    get(&place, &[&urls[0], &urls[1], "--download"]).expect(0, &["f.txt", "f-1.txt"]);
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    let mut bodies = [read("f.txt"), read("f-1.txt")];
    bodies.sort();
    assert_eq!(bodies, ["/a/f.txt", "/b/f.txt"]);
}

/// Nginx, which says how many connections there were, and ends each after a few requests as it does after a thousand
/// where nothing is said.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    fn start(place: &Place) -> Self {
        let made = Made::new(place, SystemTime::now());
        made.leaf(place, "localhost", SystemTime::now());
        let port = free_port();
        let config = format!(
            "daemon off; master_process off; error_log stderr; pid nginx.pid; events {{}}\n\
             http {{ log_format short '$connection $http2'; access_log access.log short;\n\
             client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .;\n\
             scgi_temp_path .; keepalive_requests 20;\n\
             server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate chain.pem;\n\
             ssl_certificate_key key.pem; location / {{ return 200 $uri\\n; }} }} }}\n"
        );
        place.write("nginx.conf", config);
        let mut command = Command::new("sh");
        place.furnish(&mut command);
        let run = "PATH=$PATH:/usr/sbin; exec nginx -p . -c nginx.conf -e stderr";
        let child = command.args(["-c", run]).stderr(Stdio::null());
        let child = child.spawn().unwrap();
        crate::server::wait_until("nginx listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { child, port }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_connection_of_http2_does_for_all_and_another_goes_on_where_the_server_ends_it() {
    let place = Place::new();
    let nginx = Nginx::start(&place);
    let paths: Vec<String> = (0..100).map(|number| format!("/{number}")).collect();
    let url = |path: &String| format!("https://localhost:{}{path}\n", nginx.port);
    place.write("addresses", paths.iter().map(url).collect::<String>());
    let all = [
        "--urls",
        "addresses",
        "--ca",
        "root.pem",
        "--parallel",
        "16",
    ];
    let seen = get(&place, &all);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout.lines().collect::<Vec<_>>(), paths);
    let log = fs::read_to_string(place.path("access.log")).unwrap();
    assert!(log.lines().all(|line| line.ends_with(" h2")), "{log}");
    let mut connections: Vec<&str> = log.lines().collect();
    connections.sort_unstable();
    connections.dedup();
    assert!((5..12).contains(&connections.len()), "{connections:?}");
    get(&place, &[&all[..], &["--http", "1.1"]].concat()).expect(0, &[]);
}
