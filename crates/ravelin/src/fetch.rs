//! One small thing over plain HTTP, for those who asked for it: an issuer's certificate, which is signed
//! itself, is at addresses that begin with `http://` (RFC 5280, section 8).

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// What is at `address`; the reason in words where it cannot be had. Follows three redirects.
pub(crate) fn get(address: &str) -> Result<Vec<u8>, String> {
    let mut address = address.to_owned();
    for _ in 0..4 {
        match request(&address)? {
            Answer::Body(body) => return Ok(body),
            Answer::Redirect(to) => address = to,
        }
    }
    Err("it redirects again and again".to_owned())
}

enum Answer {
    Body(Vec<u8>),
    Redirect(String),
}

fn request(address: &str) -> Result<Answer, String> {
    let rest = address
        .strip_prefix("http://")
        .ok_or("only addresses that begin with http:// are fetched")?;
    if !address.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("it is no address".to_owned());
    }
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let with_port = if has_port(authority) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let failed = |error: io::Error| error.to_string();
    let place = with_port
        .to_socket_addrs()
        .map_err(failed)?
        .next()
        .ok_or("its host has no address")?;
    let mut stream = TcpStream::connect_timeout(&place, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    // HTTP/1.0: the answer ends with the connection, and comes in one piece.
    let slash = if path.starts_with('?') { "/" } else { "" };
    write!(
        stream,
        "GET {slash}{path} HTTP/1.0\r\nHost: {authority}\r\nAccept: */*\r\n\r\n"
    )
    .map_err(failed)?;
    let mut answer = Vec::new();
    stream
        .take(LONGEST)
        .read_to_end(&mut answer)
        .map_err(failed)?;
    read(&answer)
}

fn read(answer: &[u8]) -> Result<Answer, String> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("what it gave is no HTTP")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default();
    let field = |name: &str| {
        let mut fields = head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        fields
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    match status {
        "200" => {
            let body = &answer[end + 4..];
            match field("content-length").and_then(|length| length.parse::<usize>().ok()) {
                Some(length) if body.len() < length => Err("what it gave is cut off".to_owned()),
                Some(length) => Ok(Answer::Body(body[..length].to_vec())),
                None => Ok(Answer::Body(body.to_vec())),
            }
        }
        "301" | "302" | "303" | "307" | "308" => {
            let to = field("location").ok_or("it redirects to nowhere")?;
            Ok(Answer::Redirect(to))
        }
        _ => Err(format!(
            "it answers with status {}",
            status.escape_default()
        )),
    }
}

fn has_port(authority: &str) -> bool {
    let after = authority
        .rsplit_once(']')
        .map_or(authority, |(_, after)| after);
    after.contains(':')
}

const PATIENCE: Duration = Duration::from_secs(10);

/// A hundred times what a chain takes.
const LONGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_or_refused_in_words() {
        let body = |answer: &[u8]| match read(answer) {
            Ok(Answer::Body(body)) => Ok(body),
            Ok(Answer::Redirect(to)) => Err(to),
            Err(why) => Err(why),
        };
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nxy").unwrap(), b"xy");
        assert_eq!(
            body(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy").unwrap(),
            b"x"
        );
        for (answer, why) in [
            (
                &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxy"[..],
                "cut off",
            ),
            (
                b"HTTP/1.1 302 Found\r\nLocation: http://a/\r\n\r\n",
                "http://a/",
            ),
            (b"HTTP/1.1 302 Found\r\n\r\n", "nowhere"),
            (b"HTTP/1.1 404 Not Found\r\n\r\n", "404"),
            (b"nonsense", "no HTTP"),
            (b"", "no HTTP"),
        ] {
            let told = body(answer).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        assert!(has_port("[::1]:80") && !has_port("[::1]") && has_port("a:1") && !has_port("a"));
    }
}
