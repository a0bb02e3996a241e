//! The access log, read the way others read it, with what curl knows of the same requests.

use std::fs;
use std::time::Instant;

use serde_json::Value;

use crate::client::Client;
use crate::foreign::httpx::Httpx;
use crate::foreign::{curl, fetch, run_python};
use crate::life::config;
use crate::server::{Place, SOON, Server};

#[test]
fn a_json_line_tells_all_about_a_request() {
    let server = logging("format = \"json\"\nto = \"access.log\"");
    for (version, option) in [("HTTP/1.1", "--http1.1"), ("HTTP/2", "--http2")] {
        let path = format!("/?{version}");
        let got = fetch(
            &server,
            &path,
            &[option, "--user-agent", "a \"quoted\" agent"],
        );
        let line = last_line(&server, &path);
        let text = |key: &str| {
            line[key]
                .as_str()
                .unwrap_or_else(|| panic!("{key}: {line}"))
        };
        assert_eq!(text("host"), format!("localhost:{}", server.port()));
        assert_eq!(text("client"), "127.0.0.1");
        assert_eq!((text("method"), text("protocol")), ("GET", version));
        assert_eq!(
            (line["status"].as_u64(), line["bytes"].as_u64()),
            (Some(200), Some(6))
        );
        assert_eq!(
            (text("tls"), &line["resumed"]),
            ("TLSv1.3", &Value::Bool(false))
        );
        assert_eq!(
            (text("suite"), text("group")),
            ("TLS_AES_128_GCM_SHA256", "X25519")
        );
        assert_eq!(text("user_agent"), "a \"quoted\" agent");
        assert!(line["duration_us"].is_u64(), "{line}");
        let time = text("time");
        assert!(
            time.ends_with('Z') && time.len() == "2026-01-01T00:00:00.000Z".len(),
            "{time}"
        );
        assert_eq!(got.status, 200);
    }
    let options = [
        "--tls-max",
        "1.2",
        "--ciphers",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ];
    fetch(&server, "/old", &options);
    let line = last_line(&server, "/old");
    assert_eq!(line["tls"], "TLSv1.2");
    assert_eq!(line["suite"], "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(line["status"], 404);
    server.stop();
}

#[test]
fn the_bytes_are_those_that_were_sent() {
    let server = logging("format = \"json\"\nto = \"access.log\"");
    let large: Vec<u8> = vec![b'x'; 64 << 20];
    server.place.write("public/large.bin", &large);
    let etag = fetch(&server, "/", &[]).field("etag").unwrap().to_owned();
    for (version, option) in [(1, "--http1.1"), (2, "--http2")] {
        let logged = |path: &str| {
            let line = last_line(&server, path);
            (
                line["status"].as_u64().unwrap(),
                line["bytes"].as_u64().unwrap(),
            )
        };
        let path = |name: &str| format!("/{name}?{version}");
        let download = |path: &str, more: &[&str]| {
            let url = server.url(path);
            let mut all = vec![option, "--output", "/dev/null", url.as_str()];
            all.extend(more);
            curl(&server, &all).well();
        };
        download(&path("large.bin?part"), &["--range", "5-14"]);
        assert_eq!(logged(&path("large.bin?part")), (206, 10));
        download(&path("large.bin?whole"), &[]);
        assert_eq!(logged(&path("large.bin?whole")), (200, 64 << 20));
        let known = format!("If-None-Match: {etag}");
        fetch(&server, &path(""), &[option, "--header", &known]);
        assert_eq!(logged(&path("")), (304, 0));
        fetch(&server, &path("index.html"), &[option, "--head"]);
        assert_eq!(logged(&path("index.html")), (200, 0));

        // One that ends in the middle: more than was read, less than all.
        let mut client = Httpx::new(&server, version);
        client.open(&path("large.bin?cut"));
        client.ask("read 1000000");
        drop(client);
        let (status, bytes) = logged(&path("large.bin?cut"));
        assert_eq!(status, 200);
        assert!((1_000_000..64 << 20).contains(&bytes), "{bytes}");
    }
    server.stop();
}

#[test]
fn a_resumed_session_is_told() {
    let place = Place::new();
    let server = logging_in(&place, "format = \"json\"\nto = \"access.log\"");
    let (port, root) = (server.port().to_string(), place.root());
    // It resumes twice, see there.
    run_python(&place, "standard.py", &[&port, root.to_str().unwrap()]).well();
    wait_for(&server, |log| log.matches("\"resumed\":true").count() == 2);
}

#[test]
fn a_combined_line_is_what_others_can_read() {
    let server = logging("format = \"combined\"");
    fetch(
        &server,
        "/?q=1",
        &[
            "--http2",
            "--user-agent",
            "tester",
            "--referer",
            "https://a.test/",
        ],
    );
    let printed = server.wait_printed(1);
    let port = server.port();
    let (head, tail) = printed.trim_end().split_once("] ").unwrap();
    assert!(head.starts_with("127.0.0.1 - - ["), "{printed}");
    assert!(head.ends_with(" +0000"), "{printed}");
    let expected = format!(
        "\"GET /?q=1 HTTP/2\" 200 6 \"https://a.test/\" \"tester\" \"localhost:{port}\" \
         TLSv1.3 TLS_AES_128_GCM_SHA256 X25519 full "
    );
    let duration = tail
        .strip_prefix(&expected)
        .unwrap_or_else(|| panic!("{printed}"));
    assert!(duration.parse::<u64>().is_ok(), "{printed}");
    let ended = server.stop();
    assert_eq!(ended.stdout, printed, "nothing else is on standard output");
}

#[test]
fn a_log_that_is_full_is_rotated() {
    let place = Place::new();
    let server = logging_in(
        &place,
        "to = \"access.log\"\nrotate_size = \"64KiB\"\nkeep = 2\nformat = \"json\"",
    );
    let url = format!("https://127.0.0.1:{}/?{}", server.port(), "x".repeat(500));
    let load = ["-n", "1000", "-c", "1", &url];
    crate::foreign::run(&place, "h2load", &load).well();
    server.stop();
    let size = |name: &str| fs::metadata(place.path(name)).map(|file| file.len());
    for name in ["access.log", "access.log.1", "access.log.2"] {
        assert!(size(name).unwrap() <= 128 * 1024, "{name}");
        let text = fs::read_to_string(place.path(name)).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["status"], 200);
        }
    }
    assert!(size("access.log.3").is_err(), "no more than two are kept");
}

#[test]
fn what_is_refused_before_it_is_a_request_has_its_line_too() {
    let server = logging("format = \"json\"\nto = \"access.log\"");
    let mut client = Client::connect(&server);
    let refused = client.ask("GET /bad HTTP/1.1\r\nHost : localhost\r\n\r\n");
    let line = last_line(&server, "/bad");
    assert_eq!(
        (&line["status"], &line["method"]),
        (&400.into(), &"GET".into())
    );
    assert_eq!(
        (&line["tls"], &line["client"]),
        (&"TLSv1.3".into(), &"127.0.0.1".into())
    );
    assert_eq!(line["bytes"].as_u64(), Some(refused.body.len() as u64));

    // Plain HTTP, and a header block that is too large.
    let plain = format!("http://127.0.0.1:{}/plain", server.port());
    curl(&server, &["--output", "/dev/null", &plain]).well();
    let line = last_line(&server, "/plain");
    assert_eq!((&line["status"], &line["tls"]), (&400.into(), &Value::Null));
    let large = format!("X: {}", "x".repeat(40_000));
    for option in ["--http1.1", "--http2"] {
        fetch(&server, "/large", &[option, "--header", &large]);
    }
    let log = wait_for(&server, |log| log.matches("\"status\":431").count() == 2);
    assert_eq!(log.matches("\"protocol\":\"HTTP/2\"").count(), 1, "{log}");
    server.stop();
}

fn logging(keys: &str) -> Server {
    logging_in(&Place::new(), keys)
}

fn logging_in(place: &Place, keys: &str) -> Server {
    place.serve_config(&config(&format!("[log]\n{keys}"), "one"))
}

/// The last line about a path, once it is there.
fn last_line(server: &Server, path: &str) -> Value {
    let find = |log: &str| {
        let mut lines = log
            .lines()
            .rev()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["path"] == path)
    };
    let log = wait_for(server, |log| find(log).is_some());
    find(&log).unwrap()
}

/// Waits until what is in the log is as it is to be. A line is written when its response is over.
fn wait_for(server: &Server, done: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let log = fs::read_to_string(server.place.path("access.log")).unwrap();
        let whole = log.rfind('\n').map_or("", |end| &log[..=end]);
        if done(whole) {
            return whole.to_owned();
        }
        assert!(begun.elapsed() < SOON, "the log does not have it: {log}");
        std::thread::yield_now();
    }
}
