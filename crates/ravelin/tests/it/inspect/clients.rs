//! `ravelin inspect --listen`: what clients of others offer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::browser::UNATTENDED;
use crate::foreign::run;
use crate::server::{Listening, Place};

/// What is told of the first client that `connect` brings.
fn told(place: &Place, connect: impl FnOnce(u16)) -> (i32, String, String) {
    told_in("en", place, connect)
}

fn told_in(language: &str, place: &Place, connect: impl FnOnce(u16)) -> (i32, String, String) {
    let arguments = ["inspect", "--listen", "127.0.0.1:0", "--once"];
    let more = ["--lang", language, "--detail", "brief"];
    let listening = Listening::start(place, &[arguments, more].concat());
    connect(listening.port());
    let ended = listening.wait();
    (
        ended.status.code().unwrap_or(-1),
        ended.stdout,
        ended.stderr,
    )
}

#[test]
fn curl_is_told_its_fingerprint_and_known_again() {
    let place = Place::new();
    let mut answer = String::new();
    let (code, told, said) = told(&place, |port| {
        let url = format!("https://localhost:{port}/");
        answer = run(&place, "curl", &["-sk", &url]).well().text();
    });
    assert_eq!(code, 0, "{said}");
    let ja4 = answer
        .lines()
        .find_map(|line| line.strip_prefix("JA4 "))
        .unwrap();
    for text in [
        ja4,
        "closest known curl ",
        "TLS_AES_256_GCM_SHA384",
        "asks for      localhost",
        "ALPN          h2, http/1.1",
        "GREASE        no",
        "one that agrees on keys in X25519MLKEM768 alone",
        "✓ The Finished message of the client",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
}

#[test]
fn curl_is_told_all_of_it_in_chinese() {
    let place = Place::new();
    let (code, told, said) = told_in("zh", &place, |port| {
        let url = format!("https://localhost:{port}/");
        run(&place, "curl", &["-sk", &url]).well();
    });
    assert_eq!(code, 0, "{said}");
    for text in [
        "客户端提供的内容",
        "最接近        curl ",
        "请求访问      localhost",
        "会被它拒绝的服务器",
        "只用 X25519MLKEM768 做密钥交换的服务器",
        "推荐",
        "✓ 客户端的 Finished 消息",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
    assert!(said.contains("正在监听 127.0.0.1:"), "{said}");
    assert_eq!(english(&told), None, "{told}");
}

#[test]
fn a_list_is_in_chinese_and_its_columns_stand_below_each_other() {
    let place = Place::new();
    let server = place.serve(&[]);
    let address = format!("localhost:{}", server.port());
    let made = place.run(&["inspect", &address, "--resume", "--pcapng", "two.pcapng"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let listed = place.run(&["inspect", "--pcap", "two.pcapng", "--lang", "zh"]);
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    for text in ["2 条 TLS 连接", "（会话恢复）", "查看其中一条的全部内容"] {
        assert!(
            listed.stdout.contains(text),
            "no \"{text}\" in: {}",
            listed.stdout
        );
    }
    assert_eq!(english(&listed.stdout), None, "{}", listed.stdout);
    let mut lines = listed.stdout.lines();
    let (heading, line) = (lines.next().unwrap(), lines.next().unwrap());
    let column = |line: &str, text: &str| {
        let before = line.split_once(text).unwrap().0;
        let wide = |character: char| if character >= '\u{2e80}' { 2 } else { 1 };
        before.chars().map(wide).sum::<usize>()
    };
    assert_eq!(column(heading, "密码套件"), column(line, "TLS_AES"));
    assert_eq!(column(heading, "主机名"), column(line, "localhost"));
}

/// A sentence of English: four words of small letters, each after the other.
fn english(text: &str) -> Option<&str> {
    let is_word = |word: &str| word.chars().all(|letter| letter.is_ascii_lowercase());
    let mut lines = text.lines();
    lines.find(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut four = words.windows(4);
        four.any(|four| four.iter().all(|word| !word.is_empty() && is_word(word)))
    })
}

#[test]
fn openssl_of_one_version_is_told_what_it_refuses() {
    let place = Place::new();
    let (code, told, said) = told(&place, |port| {
        let address = format!("localhost:{port}");
        run(
            &place,
            "openssl",
            &["s_client", "-tls1_2", "-connect", &address],
        );
    });
    assert_eq!(code, 0, "{said}");
    for text in [
        "versions      TLS 1.2\n",
        "one that speaks TLS 1.3 alone",
        "one that speaks HTTP/2 alone",
        "ECH           no",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
}

#[test]
fn python_does_not_trust_the_certificate_and_its_hello_is_told_all_the_same() {
    let place = Place::new();
    let (code, told, said) = told(&place, |port| {
        let program = format!(
            "import urllib.request; urllib.request.urlopen('https://localhost:{port}/', timeout=20)"
        );
        let ran = run(&place, "python3", &["-c", &program]);
        assert_ne!(ran.code, 0);
    });
    assert_eq!(code, 3, "{said}");
    assert!(told.contains("closest known Python "), "{told}");
    assert!(said.contains("unknown_ca"), "{said}");
}

#[test]
fn chromium_greases_and_is_known_again() {
    let place = Place::new();
    let (code, told, _) = told(&place, |port| {
        let profile = tempfile::tempdir().unwrap();
        let profile = format!("--user-data-dir={}", profile.path().display());
        let url = format!("https://localhost:{port}/");
        let own = [
            "--disable-quic",
            "--ignore-certificate-errors",
            "--dump-dom",
            &profile,
            &url,
        ];
        run(&place, "chromium", &[&UNATTENDED[..], &own].concat());
    });
    assert!(matches!(code, 0 | 3), "{code}");
    for text in [
        "closest known Chromium ",
        "GREASE        yes",
        "X25519MLKEM768",
    ] {
        assert!(told.contains(text), "no \"{text}\" in: {told}");
    }
}

#[test]
fn plain_http_is_told_as_such_and_answered() {
    let place = Place::new();
    let mut answer = String::new();
    let (code, told, _) = told(&place, |port| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        stream.read_to_string(&mut answer).unwrap();
    });
    assert_eq!(code, 3);
    assert!(told.contains("The client speaks plain HTTP"), "{told}");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with("https://...\n"), "{answer}");
}

/// Browsers open connections ahead, and say nothing on them until they need one.
#[test]
fn nobody_waits_for_a_client_that_says_nothing() {
    let place = Place::new();
    let mut silent = None;
    let (code, told, said) = told(&place, |port| {
        silent = Some(TcpStream::connect(("127.0.0.1", port)).unwrap());
        let url = format!("https://localhost:{port}/");
        run(&place, "curl", &["-sk", "--max-time", "8", &url]).well();
    });
    drop(silent);
    assert_eq!(code, 0, "{said}");
    assert!(told.contains("closest known curl "), "{told}");
}

#[test]
fn who_asks_for_a_page_gets_that_of_its_own_handshake() {
    let place = Place::new();
    let mut page = String::new();
    let (code, _, said) = told(&place, |port| {
        let url = format!("https://localhost:{port}/");
        let accept = "Accept: text/html,*/*;q=0.8";
        page = run(&place, "curl", &["-sk", "-H", accept, &url])
            .well()
            .text();
    });
    assert_eq!(code, 0, "{said}");
    assert!(page.starts_with("<!doctype html>"), "{page}");
    for text in [
        "<h1>localhost</h1>",
        "ClientHello",
        "client_handshake_traffic_secret",
    ] {
        assert!(page.contains(text), "no \"{text}\" in: {page}");
    }
}

#[test]
fn a_client_that_says_nothing_is_given_up() {
    let place = Place::new();
    let (code, told, _) = told(&place, |port| {
        drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    });
    assert_eq!(code, 3);
    assert!(told.contains("The client sent no whole hello"), "{told}");
}
