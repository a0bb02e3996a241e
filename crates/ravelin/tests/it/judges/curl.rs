//! curl, over HTTP/1.1 and HTTP/2.

use std::fmt::Write as _;

use crate::foreign::{curl, fetch, run};
use crate::server::{Place, Server};

/// The two versions, as curl is asked for them and as it calls them.
const VERSIONS: [(&str, &str); 2] = [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")];

#[test]
fn a_page_comes_whole_in_the_version_that_was_asked_for() {
    let server = Place::new().serve(&[]);
    for (option, version) in VERSIONS {
        let got = fetch(&server, "/", &[option]);
        assert_eq!(
            (got.version.as_str(), got.status, got.text()),
            (version, 200, "hello\n")
        );
        assert_eq!(got.field("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(got.field("content-length"), Some("6"));
        assert!(got.field("etag").is_some_and(|etag| etag.starts_with('"')));
        assert!(got.field("last-modified").is_some());
        assert!(got.field("date").is_some());
        assert_eq!(got.field("server"), None);
    }
}

#[test]
fn http2_is_what_a_client_gets_that_does_not_care() {
    let server = Place::new().serve(&[]);
    assert_eq!(fetch(&server, "/", &[]).version, "HTTP/2");
}

#[test]
fn a_head_has_the_headers_of_a_get_and_no_body() {
    let server = Place::new().serve(&[]);
    for (option, _) in VERSIONS {
        let get = fetch(&server, "/", &[option]);
        let head = fetch(&server, "/", &[option, "--head"]);
        assert_eq!((head.status, head.body.len()), (200, 0));
        let but_date = |mut headers: Vec<(String, String)>| {
            headers.retain(|(name, _)| name != "date");
            headers
        };
        assert_eq!(but_date(head.fields), but_date(get.fields));
    }
}

#[test]
fn parts_of_a_file_come_alone_and_together() {
    let place = Place::new();
    place.write("public/digits.bin", "0123456789");
    place.write("public/long.bin", "0123456789".repeat(1_000));
    let server = place.serve(&[]);
    for (option, _) in VERSIONS {
        for (range, status, body, content_range) in [
            ("0-3", 206, "0123", Some("bytes 0-3/10")),
            ("7-", 206, "789", Some("bytes 7-9/10")),
            ("-2", 206, "89", Some("bytes 8-9/10")),
            ("4-400", 206, "456789", Some("bytes 4-9/10")),
        ] {
            let got = fetch(&server, "/digits.bin", &[option, "--range", range]);
            assert_eq!((got.status, got.text()), (status, body), "{range}");
            assert_eq!(got.field("content-range"), content_range);
        }
        let none = fetch(&server, "/digits.bin", &[option, "--range", "10-"]);
        assert_eq!(
            (none.status, none.field("content-range")),
            (416, Some("bytes */10"))
        );

        let several = fetch(&server, "/long.bin", &[option, "--range", "0-1,9005-9005"]);
        assert_eq!(several.status, 206);
        let kind = several.field("content-type").unwrap();
        let boundary = kind
            .strip_prefix("multipart/byteranges; boundary=")
            .unwrap();
        let mut expected = String::new();
        for (place, part) in [("0-1", "01"), ("9005-9005", "5")] {
            write!(
                expected,
                "--{boundary}\r\nContent-Type: application/octet-stream\r\n\
                 Content-Range: bytes {place}/10000\r\n\r\n{part}\r\n"
            )
            .unwrap();
        }
        write!(expected, "--{boundary}--\r\n").unwrap();
        assert_eq!(several.text().to_lowercase(), expected.to_lowercase());
        assert_eq!(
            several.field("content-length"),
            Some(&*several.body.len().to_string())
        );
    }
}

#[test]
fn a_download_that_was_cut_goes_on_where_it_ended() {
    let place = Place::new();
    let whole: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    place.write("public/large.bin", &whole);
    let half = place.write("half.bin", &whole[..500_001]);
    let server = place.serve(&[]);
    let (url, half) = (server.url("/large.bin"), half.to_str().unwrap().to_owned());
    curl(&server, &["--continue-at", "-", "--output", &half, &url]).well();
    assert!(std::fs::read(&half).unwrap() == whole);
}

#[test]
fn what_a_client_has_already_is_not_sent_again() {
    let server = Place::new().serve(&[]);
    let got = fetch(&server, "/", &[]);
    let etag = format!("If-None-Match: {}", got.field("etag").unwrap());
    let since = format!("If-Modified-Since: {}", got.field("last-modified").unwrap());
    for (option, _) in VERSIONS {
        let ask = |field: &str| fetch(&server, "/", &[option, "--header", field]);
        for known in [&etag, &since] {
            let got = ask(known);
            assert_eq!((got.status, got.body.len()), (304, 0), "{known}");
            assert_eq!(
                Some(got.field("etag").unwrap()),
                etag.split_once(' ').map(|two| two.1)
            );
        }
        assert_eq!(ask("If-None-Match: \"other\"").status, 200);
        assert_eq!(
            ask("If-Modified-Since: Thu, 01 Jan 1998 00:00:00 GMT").status,
            200
        );
        assert_eq!(ask("If-Match: \"other\"").status, 412);
        let other = ["--header", "If-Range: \"other\"", "--range", "0-1", option];
        assert_eq!(fetch(&server, "/", &other).status, 200);
    }
}

#[test]
fn text_is_compressed_as_the_client_can_read_it() {
    let place = Place::new();
    let text = "A ravelin stands in front of a gate.\n".repeat(2_000);
    place.write("public/long.txt", &text);
    let noise: Vec<u8> = (0..u32::from(u16::MAX))
        .map(|n| ((n * n) >> 7) as u8)
        .collect();
    place.write("public/picture.png", noise);
    let server = place.serve(&[]);
    for (option, _) in VERSIONS {
        for coding in ["br", "zstd", "gzip"] {
            let accept = format!("Accept-Encoding: {coding}");
            let packed = fetch(&server, "/long.txt", &[option, "--header", &accept]);
            assert_eq!(packed.field("content-encoding"), Some(coding));
            assert!(
                packed
                    .field("vary")
                    .unwrap()
                    .eq_ignore_ascii_case("accept-encoding")
            );
            assert!(
                packed.body.len() < text.len() / 10,
                "{coding}: {}",
                packed.body.len()
            );
            // curl takes all its codings and shows what they hold.
            let read = fetch(
                &server,
                "/long.txt",
                &[option, "--compressed", "--header", &accept],
            );
            assert!(read.text() == text, "{coding}");

            let picture = fetch(&server, "/picture.png", &[option, "--header", &accept]);
            assert_eq!(picture.field("content-encoding"), None);
        }
        let plain = fetch(&server, "/long.txt", &[option]);
        assert_eq!(plain.field("content-encoding"), None);
        assert!(plain.text() == text);
    }
}

#[test]
fn a_sibling_that_is_compressed_already_is_sent_as_it_is() {
    let place = Place::new();
    place.write("public/app.js", "let answer = 42;\n".repeat(100));
    place.write("app.js", "// made by the build\n");
    run(&place, "gzip", &["app.js"]).well();
    std::fs::rename(place.path("app.js.gz"), place.path("public/app.js.gz")).unwrap();
    let server = place.serve(&[]);
    let got = fetch(
        &server,
        "/app.js",
        &["--compressed", "--header", "Accept-Encoding: gzip"],
    );
    assert_eq!(got.field("content-encoding"), Some("gzip"));
    assert_eq!(got.text(), "// made by the build\n");
    assert!(
        got.field("content-type")
            .unwrap()
            .starts_with("text/javascript")
    );
}

#[test]
fn a_body_that_is_announced_beyond_the_limit_is_refused() {
    let server = Place::new().serve_config(&site(
        "[[site.route]]\nbody_limit = \"1KiB\"\nrespond = { body = \"thanks\\n\" }\n",
    ));
    for (option, _) in VERSIONS {
        let fits = server.place.write("fits", vec![b'x'; 1024]);
        let exceeds = server.place.write("exceeds", vec![b'x'; 1025]);
        let post = |file: &std::path::Path, more: &[&str]| {
            let data = format!("@{}", file.display());
            let mut all = vec![option, "--data-binary", &data];
            all.extend(more);
            fetch(&server, "/", &all)
        };
        assert_eq!(post(&fits, &[]).status, 200);
        assert_eq!(post(&exceeds, &[]).status, 413);
        assert_eq!(
            post(&fits, &["--header", "Transfer-Encoding: chunked"]).status,
            200
        );
    }
}

#[test]
fn an_answer_reaches_a_client_that_is_still_sending() {
    let server = Place::new().serve_config(&site(
        "[[site.route]]\nbody_limit = \"1KiB\"\nrespond = { body = \"thanks\\n\" }\n\
         [[site.route]]\npath = \"/free\"\nbody_limit = \"1GiB\"\nrespond = { status = 403 }\n",
    ));
    // No more than the server goes on reading once it has answered: curl may not look up before.
    let large = server.place.write("large", vec![b'x'; 200_000]);
    let data = format!("@{}", large.display());
    for (option, _) in VERSIONS {
        for (path, status) in [("/", 413), ("/free", 403)] {
            let got = fetch(&server, path, &[option, "--data-binary", &data]);
            assert_eq!(got.status, status, "{option} {path}");
        }
    }
}

#[test]
fn redirects_lead_where_they_say() {
    let server = Place::new().serve_config(&site(
        "[[site.route]]\npath = \"/old/*\"\nredirect = \"/new/{rest}\"\n\
         [[site.route]]\npath = \"/moved\"\nredirect = { to = \"/hello\", status = 302 }\n\
         [[site.route]]\npath = \"/hello\"\nrespond = { body = \"hello\\n\" }\n\
         [[site.route]]\nfiles = \"./public\"\n",
    ));
    server.place.write("public/new/page.html", "new\n");
    for (option, _) in VERSIONS {
        let got = fetch(&server, "/old/page.html?a=b", &[option]);
        assert_eq!(
            (got.status, got.field("location")),
            (308, Some("/new/page.html?a=b"))
        );
        let followed = curl(
            &server,
            &[option, "--location", &server.url("/old/page.html")],
        );
        assert_eq!(followed.well().text(), "new\n");
        let followed = curl(&server, &[option, "--location", &server.url("/moved")]);
        assert_eq!(followed.well().text(), "hello\n");
        // A folder has a slash at its end, so that what is relative in its page is found.
        let folder = fetch(&server, "/new", &[option]);
        assert!(matches!(folder.status, 301 | 308), "{folder:?}");
        assert_eq!(folder.field("location"), Some("/new/"));
    }
}

#[test]
fn a_host_that_is_not_served_is_misdirected() {
    let server = Place::new().serve_config(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n\
         [[site]]\nhosts = [\"a.localhost\"]\nroute = [{ respond = { body = \"a\" } }]\n\
         [[site]]\nhosts = [\"b.test\", \"*.b.test\"]\nroute = [{ respond = { body = \"b\" } }]\n",
    );
    let port = server.port();
    for (option, _) in VERSIONS {
        for (host, body) in [("a.localhost", "a"), ("b.test", "b"), ("any.b.test", "b")] {
            let connect = format!("{host}:{port}:127.0.0.1:{port}");
            let url = format!("https://{host}:{port}/");
            let got = fetch(&server, &url, &[option, "--connect-to", &connect]);
            assert_eq!((got.status, got.text()), (200, body), "{host}");
        }
        // The name of one site in the handshake, another in the request.
        for host in ["b.test", "elsewhere.example", "127.0.0.1"] {
            let connect = format!("a.localhost:{port}:127.0.0.1:{port}");
            let url = format!("https://a.localhost:{port}/");
            let field = format!("Host: {host}:{port}");
            let got = fetch(
                &server,
                &url,
                &[option, "--connect-to", &connect, "--header", &field],
            );
            assert_eq!(got.status, 421, "{host}");
        }
    }
}

#[test]
fn addresses_are_hosts_too() {
    let server = Place::new().serve(&[]);
    for (option, _) in VERSIONS {
        let got = fetch(
            &server,
            &format!("https://127.0.0.1:{}/", server.port()),
            &[option],
        );
        assert_eq!(got.status, 200);
    }
    let six = server.place.serve(&["--listen", "[::1]:0"]);
    let url = format!("https://[::1]:{}/", six.port());
    assert_eq!(fetch(&six, &url, &["-6"]).status, 200);
}

#[test]
fn without_the_root_the_certificate_is_not_taken() {
    let server = Place::new().serve(&[]);
    let ran = run(&server.place, "curl", &["-sS", "-4", &server.url("/")]);
    assert_eq!(ran.code, 60, "{}", ran.stderr);
}

#[test]
fn hsts_is_for_public_hosts_alone() {
    let place = Place::new();
    own_certificate(&place, "www.example.com");
    let server = place.serve_config(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n\
         [[site]]\nhosts = [\"www.example.com\"]\nroute = [{ files = \"public\" }]\n\
         certificate = { cert = \"cert.pem\", key = \"key.pem\" }\n\
         [[site]]\nhosts = [\"localhost\", \"nas.internal\", \"127.0.0.1\"]\n\
         route = [{ files = \"public\" }]\n",
    );
    let port = server.port();
    for (option, _) in VERSIONS {
        for (host, root, hsts) in [
            (
                "www.example.com",
                place.path("cert.pem"),
                Some("max-age=31536000"),
            ),
            ("localhost", place.root(), None),
            ("nas.internal", place.root(), None),
            ("127.0.0.1", place.root(), None),
        ] {
            let resolve = format!("{host}:{port}:127.0.0.1");
            let url = format!("https://{host}:{port}/");
            let root = root.to_str().unwrap();
            let got = fetch(
                &server,
                &url,
                &[option, "--resolve", &resolve, "--cacert", root],
            );
            assert_eq!(
                (got.status, got.field("strict-transport-security")),
                (200, hsts),
                "{host}"
            );
        }
    }
}

#[test]
fn plain_http_is_sent_on_to_https() {
    let (place, plain) = (Place::new(), crate::server::free_port());
    let server = place.serve_config(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nredirect = [\"127.0.0.1:{plain}\"]\n\
         [[site]]\nhosts = [\"localhost\"]\nroute = [{{ files = \"public\" }}]\n"
    ));
    let url = format!("http://localhost:{plain}/a/page.html?q=1");
    let got = fetch(&server, &url, &[]);
    assert!(matches!(got.status, 301 | 308), "{got:?}");
    assert_eq!(
        got.field("location"),
        Some(&*server.url("/a/page.html?q=1"))
    );
    let followed = curl(
        &server,
        &["--location", &format!("http://localhost:{plain}/")],
    );
    assert_eq!(followed.well().text(), "hello\n");

    // Plain HTTP to the port of HTTPS.
    let wrong = format!("http://localhost:{}/page.html", server.port());
    let got = fetch(&server, &wrong, &[]);
    assert_eq!(got.status, 400);
    assert!(
        got.text().contains(&server.url("/page.html")),
        "{}",
        got.text()
    );
}

/// A config of `localhost` on any port, with these routes.
fn site(routes: &str) -> String {
    format!("[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nhosts = [\"localhost\"]\n{routes}")
}

/// A certificate that signs itself, `cert.pem` and `key.pem`, made by openssl.
fn own_certificate(place: &Place, host: &str) {
    crate::judges::openssl::make_certificate(place, "cert.pem", "key.pem", &[host]);
}

#[test]
fn curl_and_wget_agree_on_a_file() {
    let place = Place::new();
    let noise: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    place.write("public/noise.bin", &noise);
    let server: Server = place.serve(&[]);
    let root = place.root();
    let certificate = format!("--ca-certificate={}", root.display());
    let url = server.url("/noise.bin");
    let by_wget = run(&place, "wget", &["-q", "-4", "-O", "-", &certificate, &url]).well();
    assert!(by_wget.stdout == noise);
    for (option, _) in VERSIONS {
        assert!(curl(&server, &[option, &url]).well().stdout == noise);
    }
}
