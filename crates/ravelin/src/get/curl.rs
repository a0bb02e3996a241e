//! The command by which curl sends the same request.

use std::fmt::Write as _;
use std::process::ExitCode;

use http::{Method, header};
use ravelin_client::{Client, Credentials, Piece, Request};

use super::items::Items;
use crate::arguments::get::{HttpVersion, RequestArguments, Resolve};
use crate::failure::Failure;
use crate::words;

pub(super) fn print(
    requests: &[Request],
    items: &Items,
    arguments: &RequestArguments,
) -> Result<ExitCode, Failure> {
    for request in requests {
        words::result(&(command(request, items, arguments)? + "\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn command(
    request: &Request,
    items: &Items,
    arguments: &RequestArguments,
) -> Result<String, Failure> {
    let mut words = Words("curl".to_owned());
    let method = request.method();
    if *method == Method::HEAD {
        words.option("--head");
    } else if *method != Method::GET {
        words.pair("--request", method.as_str());
    }
    fields(&mut words, request)?;
    credentials(&mut words, request);
    body(&mut words, request, items)?;
    trust(&mut words, arguments);
    way(&mut words, arguments);
    words.word(request.url().as_str());
    Ok(words.0)
}

struct Words(String);

impl Words {
    fn option(&mut self, option: &str) {
        self.0.push(' ');
        self.0.push_str(option);
    }

    fn word(&mut self, word: &str) {
        self.option(&quoted(word));
    }

    fn pair(&mut self, option: &str, value: &str) {
        self.option(option);
        self.word(value);
    }
}

fn fields(words: &mut Words, request: &Request) -> Result<(), Failure> {
    let client = Client::builder()
        .build()
        .map_err(|error| Failure::of(&error))?;
    let all = client.fields(request);
    for (name, value) in &all {
        // curl says these by itself.
        if matches!(
            *name,
            header::HOST | header::CONTENT_LENGTH | header::ACCEPT_ENCODING
        ) && !request.given().contains_key(name)
        {
            continue;
        }
        let is_of_parts = value
            .as_bytes()
            .starts_with(b"multipart/form-data; boundary=ravelin-");
        if *name == header::CONTENT_TYPE && is_of_parts {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        words.pair(
            "--header",
            &if value.is_empty() {
                format!("{name};")
            } else {
                format!("{name}: {value}")
            },
        );
    }
    for name in [header::USER_AGENT, header::ACCEPT] {
        if !all.contains_key(&name) {
            words.pair("--header", &format!("{name}:"));
        }
    }
    if all.contains_key(header::ACCEPT_ENCODING) {
        words.option("--compressed");
    }
    Ok(())
}

fn credentials(words: &mut Words, request: &Request) {
    match request.who() {
        Some(Credentials::Basic { user, password }) => {
            words.pair("--user", &format!("{user}:{password}"));
        }
        Some(Credentials::Digest { user, password }) => {
            words.option("--digest");
            words.pair("--user", &format!("{user}:{password}"));
        }
        Some(Credentials::Bearer(token)) => {
            words.pair("--header", &format!("Authorization: Bearer {token}"));
        }
        None => {}
    }
}

fn body(words: &mut Words, request: &Request, items: &Items) -> Result<(), Failure> {
    match request.content().pieces() {
        [] => {
            if matches!(
                *request.method(),
                Method::POST | Method::PUT | Method::PATCH
            ) {
                words.pair("--data-raw", "");
                words.pair("--header", "Content-Type:");
            }
        }
        [Piece::Bytes(bytes)] => {
            let text = std::str::from_utf8(bytes).map_err(|_| {
                Failure::usage("the body is no text that a command could have in it")
            })?;
            words.pair("--data-raw", text);
        }
        [Piece::File { path, .. }] => {
            words.pair("--data-binary", &format!("@{}", path.display()));
        }
        [Piece::Stream(_)] => words.pair("--data-binary", "@-"),
        // curl puts them together by itself, between boundaries of its own.
        _ => {
            for (option, part) in items.parts_for_curl() {
                words.pair(option, &part);
            }
        }
    }
    Ok(())
}

fn trust(words: &mut Words, arguments: &RequestArguments) {
    let wanted = &arguments.trust;
    if wanted.insecure || wanted.ca.iter().any(|ca| ca.as_os_str() == "none") {
        words.option("--insecure");
    }
    for ca in &wanted.ca {
        if ca.is_dir() {
            words.pair("--capath", &ca.display().to_string());
        } else if ca.is_file() {
            words.pair("--cacert", &ca.display().to_string());
        }
    }
    let pins: Vec<String> = wanted
        .pin
        .iter()
        .map(|pin| format!("sha256//{}", pin.base64()))
        .collect();
    if !pins.is_empty() {
        words.pair("--pinnedpubkey", &pins.join(";"));
    }
    for crl in &wanted.crl {
        words.pair("--crlfile", &crl.display().to_string());
    }
    if let Some(cert) = &wanted.cert {
        words.pair("--cert", &cert.display().to_string());
    }
    if let Some(key) = &wanted.key {
        words.pair("--key", &key.display().to_string());
    }
}

/// curl takes all addresses of a host at once: the last it is told replace those before.
fn resolve(words: &mut Words, resolved: &[Resolve]) {
    let mut told: Vec<(String, String)> = Vec::new();
    for resolve in resolved {
        let place = format!("{}:{}", resolve.host.to_ascii_lowercase(), resolve.port);
        match told.iter_mut().find(|(before, _)| *before == place) {
            Some((_, addresses)) => {
                let _ = write!(addresses, ",{}", resolve.address);
            }
            None => told.push((place, resolve.address.to_string())),
        }
    }
    for (place, addresses) in told {
        words.pair("--resolve", &format!("{place}:{addresses}"));
    }
}

fn way(words: &mut Words, arguments: &RequestArguments) {
    let way = &arguments.way;
    match arguments.body.http {
        Some(HttpVersion::Http1) => words.option("--http1.1"),
        Some(HttpVersion::Http2) => words.option("--http2"),
        Some(HttpVersion::Http3) => words.option("--http3-only"),
        None => {}
    }
    match way.redirects {
        Some(0) => {}
        most => {
            words.option("--location");
            words.pair("--max-redirs", &most.unwrap_or(10).to_string());
        }
    }
    resolve(words, &way.resolve);
    if let Some(path) = &way.unix_socket {
        words.pair("--unix-socket", &path.display().to_string());
    }
    if let Some(choice) = &way.proxy {
        match &choice.0 {
            Some(proxy) => words.pair("--proxy", &proxy.to_string()),
            None => words.pair("--noproxy", "*"),
        }
    }
    if let Some(span) = way.timeout {
        words.pair("--max-time", &span.0.as_secs().to_string());
    }
    if let Some(file) = &arguments.output.output {
        words.pair("--output", &file.display().to_string());
    }
    if arguments.output.fail {
        words.option("--fail");
    }
}

/// A word that every shell of POSIX reads as it is.
fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./:@=,+%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut text = String::new();
    let _ = write!(text, "'{}'", word.replace('\'', "'\\''"));
    text
}
