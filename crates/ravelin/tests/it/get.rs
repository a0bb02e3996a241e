//! `ravelin get` and its sisters, against servers that are scripted octet by octet, those of others, and our own.

mod broken;
mod download;
mod http3;
mod httpbin;
mod many;
mod peers;
mod refused;
mod ways;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::foreign::run_python;
use crate::server::{Ended, PATIENCE, Place};

/// A server of plain HTTP that answers each request as it is told, and tells what it was asked.
struct Scripted {
    port: u16,
    asked: Receiver<String>,
}

impl Scripted {
    /// Answers with what `answer` makes of the head and body of a request, and ends each connection.
    fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, asked) = channel();
        // It ends with the test, whose process it is in.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let request = request(&mut stream);
                let _ = stream.write_all(&answer(&request));
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { port, asked }
    }

    /// Answers all requests alike.
    fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::answering(move |_| answer.clone())
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request that was made.
    fn asked(&self) -> String {
        self.asked.recv_timeout(PATIENCE).unwrap()
    }

    fn was_asked_no_more(&self) -> bool {
        self.asked.try_recv().is_err()
    }
}

/// A request, to the end of its body.
fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length: usize =
                length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return text,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}

/// A good answer with this body.
fn good(body: &str) -> Vec<u8> {
    answer("200 OK", "", body)
}

fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    )
    .into()
}

fn get(place: &Place, arguments: &[&str]) -> Ended {
    let all: Vec<&str> = ["get"].iter().chain(arguments).copied().collect();
    place.run(&all)
}

#[test]
fn what_is_asked_for_is_what_the_items_say() {
    let place = Place::new();
    let server = Scripted::always(good(""));
    let url = server.url("/a?x=1");
    place.write("field.txt", "from a file");
    place
        .run(&[
            "post",
            &url,
            "X-A:b",
            "User-Agent:",
            "Empty;",
            "q==1 2",
            "s=text",
            "n:=[1, 2.50]",
            "f=@field.txt",
        ])
        .expect(0, &[]);
    let asked = server.asked();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /a?x=1&q=1+2 HTTP/1.1\r\nhost: 127.0.0.1:"),
        "{head}"
    );
    for field in [
        "x-a: b",
        "empty: ",
        "content-type: application/json",
        "accept: application/json, */*;q=0.5",
    ] {
        assert!(
            head.lines().any(|line| line == field),
            "no {field:?} in {head}"
        );
    }
    assert!(!head.contains("user-agent"), "{head}");
    let sent: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({"s": "text", "n": [1, 2.5], "f": "from a file"})
    );

    place
        .run(&["put", &url, "--form", "a=1 &", "b=2"])
        .expect(0, &[]);
    let asked = server.asked();
    assert!(
        asked.contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{asked}"
    );
    assert!(asked.ends_with("\r\n\r\na=1+%26&b=2"), "{asked}");

    place
        .run(&["post", &url, "up@field.txt", "k=v"])
        .expect(0, &[]);
    let asked = server.asked();
    let part = "Content-Disposition: form-data; name=\"up\"; filename=\"field.txt\"\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nfrom a file\r\n--ravelin-";
    assert!(asked.contains(part), "{asked}");
    assert!(asked.contains("name=\"k\"\r\n\r\nv\r\n"), "{asked}");

    place
        .run(&["patch", &url, "--body", "field.txt"])
        .expect(0, &[]);
    assert!(
        server
            .asked()
            .ends_with("content-length: 11\r\n\r\nfrom a file")
    );
}

#[test]
fn what_is_no_request_is_refused_before_anything_is_sent() {
    let place = Place::new();
    let server = Scripted::always(good(""));
    let url = server.url("/");
    for (arguments, said) in [
        (&["get", &url, "a=b"][..], "which GET has none of"),
        (&["post", &url, "oops"], "is no item of a request"),
        (&["post", &url, "a:=oops"], "is no JSON"),
        (&["get", &url, "Bad Name:x"], "is no name of a header field"),
        (&["get", &url, "A:b\nc"], "is no value of a header field"),
        (&["get", "ftp://a/"], "neither https nor http"),
        (&["get", "https://"], "is no address"),
        (&["get", &url, "--ca", "none"], "trusts nobody"),
        (&["get", &url, "--pin", "sha256/x"], "is no pin"),
        (&["get", &url, "--proxy", "gopher://a"], "is no proxy"),
        (
            &["get", &url, "--session", "../x"],
            "is no name for a session",
        ),
        (&["get", &url, "--checksum", "sha256:00"], "is no hash"),
    ] {
        place.run(arguments).expect(2, &[said]);
    }
    assert!(server.was_asked_no_more());
}

#[test]
fn statuses_of_failure_fail_where_that_is_asked_for_and_are_answers_else() {
    let place = Place::new();
    let server = Scripted::always(answer("404 Not Found", "X-Y: z\r\n", "nothing here\n"));
    let seen = get(&place, &[&server.url("/"), "--head"]);
    seen.expect(0, &[]);
    assert!(
        seen.stdout
            .starts_with("HTTP/1.1 404 Not Found\nconnection: close\n"),
        "{}",
        seen.stdout
    );
    assert!(
        seen.stdout.ends_with("x-y: z\n\nnothing here\n"),
        "{}",
        seen.stdout
    );
    let failed = get(&place, &[&server.url("/"), "--fail"]);
    failed.expect(1, &["the server says 404 Not Found"]);
    assert_eq!(failed.stdout, "");
}

#[test]
fn json_is_laid_out_where_that_is_asked_for_and_left_alone_in_a_pipe() {
    let place = Place::new();
    let body = "{\"b\":1.0,\"a\":[\"\u{1b}[31m\"]}";
    let body = body.replace('\u{1b}', "\\u001b");
    let server = Scripted::always(good(&body));
    assert_eq!(get(&place, &[&server.url("/")]).stdout, body);
    let laid_out = get(&place, &[&server.url("/"), "--format"]).stdout;
    assert_eq!(
        laid_out,
        "{\n  \"b\": 1.0,\n  \"a\": [\n    \"\\u001b[31m\"\n  ]\n}\n"
    );
}

#[test]
fn what_is_told_of_a_request_has_no_passwords_and_no_escapes_in_it() {
    let place = Place::new();
    let server = Scripted::always(answer(
        "200 OK",
        "Set-Cookie: id=topsecret; Path=/\r\nX-E: \u{9b}31m\r\n",
        "",
    ));
    let url = server.url("/");
    let told = get(
        &place,
        &[
            &url,
            "--verbose",
            "--timing",
            "--user",
            "ada:topsecret",
            "Cookie:k=topsecret",
        ],
    );
    told.expect(
        0,
        &[
            "> GET / HTTP/1.1",
            "> authorization: (hidden)",
            "< set-cookie: id=(hidden); Path=/",
            "< x-e: \\u{9b}31m",
            "total",
        ],
    );
    assert!(!told.stderr.contains("topsecret"), "{}", told.stderr);
}

#[test]
fn a_terminal_shows_json_in_colours_and_nothing_that_a_server_wants_of_it() {
    let place = Place::new();
    let shown = |server: &Scripted| {
        let program = env!("CARGO_BIN_EXE_ravelin");
        let url = server.url("/");
        let command = ["", "/usr/bin/env", "TERM=xterm", program, "get", &url];
        let seen = run_python(&place, "terminal.py", &command);
        assert_eq!(seen.code, 0, "{}", seen.text());
        seen.text().replace("\r\n", "\n")
    };
    let text = Scripted::always(good("a\tb\n\u{1b}[2J\u{9b}1m\u{202e}evil\r\n"));
    assert_eq!(shown(&text), "a    b\n\\u{1b}[2J\\u{9b}1m\\u{202e}evil\n");
    let json = Scripted::always(good("{\"k\":1}"));
    let coloured = shown(&json);
    assert!(
        coloured.contains("\u{1b}[") && coloured.contains("\n  "),
        "{coloured:?}"
    );
    let binary = Scripted::always(good("\0\u{1}"));
    assert!(shown(&binary).contains("what came is no text: --output FILE keeps it"));
}

#[test]
fn the_command_for_curl_asks_for_the_same() {
    let place = Place::new();
    let server = Scripted::always(good(""));
    let url = server.url("/a b?q='x'");
    place.write("a \"b\";c.txt", "of a file");
    for arguments in [
        &["get", &url, "X-A:it's", "Empty;"][..],
        &["post", &url, "name=it's \"quoted\"", "n:=1"],
        &[
            "post",
            &url,
            "a=\\@b;type=c",
            "f@a \"b\";c.txt;type=text/x-y",
            "--multipart",
        ],
        &["put", &url, "--form", "a=1", "b=&"],
        &["delete", &url, "--user", "ada:pass word"],
        &[
            "get",
            &url,
            "--bearer",
            "t0ken",
            "User-Agent:",
            "--http",
            "1.1",
        ],
    ] {
        place.run(arguments).expect(0, &[]);
        let ours = server.asked();
        let all: Vec<&str> = arguments.iter().copied().chain(["--curl"]).collect();
        let command = place.run(&all).stdout;
        assert!(server.was_asked_no_more());
        crate::foreign::run(&place, "sh", &["-c", &command]).well();
        assert_eq!(compared(&server.asked()), compared(&ours), "{command}");
    }
}

/// A request with its fields in order and in lower case, but for the codings that each program knows.
fn compared(request: &str) -> (String, Vec<String>, String) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap().to_owned();
    let mut fields: Vec<String> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            format!("{}:{}", name.to_ascii_lowercase(), value.trim())
        })
        .filter(|field| !field.starts_with("accept-encoding:"))
        .collect();
    fields.sort();
    // What stands between the parts of a form is another each time.
    let boundary = head.split("boundary=").nth(1);
    let boundary = boundary.and_then(|rest| rest.lines().next());
    let body = boundary.map_or(body.to_owned(), |boundary| body.replace(boundary, "…"));
    for field in &mut fields {
        *field = boundary.map_or(field.clone(), |boundary| field.replace(boundary, "…"));
    }
    (first, fields, body)
}
