//! What a word on the command line means: a file or a server.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ravelin_pki::HostName;

use crate::dial;
use crate::failure::Failure;
use crate::key;
use crate::words::HOW_SERVERS_ARE_GIVEN;

/// What is to be shown.
#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    /// A file, or `-`.
    File(PathBuf),
    /// A server.
    Server {
        host: String,
        port: u16,
        /// As it is shown: `example.org:443`.
        name: String,
    },
}

impl Target {
    /// Tells them apart: what there is a file of is that file; what looks like a path or ends as such
    /// files do is one that is missing; all else is a server.
    pub(in crate::cert) fn read(word: &OsStr) -> Result<Self, Failure> {
        let path = Path::new(word);
        let Some(text) = word.to_str() else {
            return Ok(Self::File(path.to_owned()));
        };
        if text == "-" || path.exists() || looks_like_a_file(text) {
            return Ok(Self::File(path.to_owned()));
        }
        Self::server(text, 443).ok_or_else(|| {
            Failure::local(format!(
                "there is no file \"{text}\", and no host can be called so"
            ))
            .hint(HOW_SERVERS_ARE_GIVEN.to_owned())
        })
    }

    /// What messages call it.
    pub(in crate::cert) fn shown(&self) -> String {
        match self {
            Self::File(path) => key::shown(path),
            Self::Server { name, .. } => name.clone(),
        }
    }

    /// The server that `text` names, at `usual` where it names no port.
    pub(crate) fn server(text: &str, usual: u16) -> Option<Self> {
        let (text, scheme) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (rest, true),
            Some(_) => return None,
            None => (text, false),
        };
        let text = match text.find(['/', '?', '#']) {
            Some(end) if scheme => &text[..end],
            Some(_) => return None,
            None => text,
        };
        let usual = usual.to_string();
        let usual = usual.as_str();
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                // Whatever is in brackets is an address.
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (
                    address,
                    port.strip_prefix(':')
                        .or(port.is_empty().then_some(usual))?,
                )
            }
            None if text.parse::<std::net::Ipv6Addr>().is_ok() => (text, usual),
            None => text.split_once(':').unwrap_or((text, usual)),
        };
        let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
        let name: HostName = host
            .parse()
            .ok()
            .filter(|name: &HostName| !name.is_wildcard())?;
        let host = name.to_string();
        let name = dial::shown(&host, port);
        Some(Self::Server { host, port, name })
    }
}

/// Files that are missing must not be taken for hosts: `ca.pem` would be one.
fn looks_like_a_file(text: &str) -> bool {
    if text.contains("://") {
        return false;
    }
    let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known));
    // A single word that is neither `localhost` nor has a port is more likely a mistyped file.
    let word = !text.contains(['.', ':']) && !text.eq_ignore_ascii_case("localhost");
    known || word || text.contains(['/', '\\'])
}

const ENDINGS: [&str; 20] = [
    "pem", "crt", "cer", "cert", "der", "key", "csr", "req", "crl", "p7b", "p7c", "p7s", "p12",
    "pfx", "jks", "jceks", "keystore", "ors", "pub", "txt",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn server(word: &str) -> Option<(String, u16)> {
        match Target::read(OsStr::new(word)) {
            Ok(Target::Server { host, port, .. }) => Some((host, port)),
            _ => None,
        }
    }

    #[test]
    fn servers_are_known_however_they_are_written() {
        for (word, host, port) in [
            ("example.org", "example.org", 443),
            ("example.org:8443", "example.org", 8443),
            ("https://example.org/a?b", "example.org", 443),
            ("https://example.org:444", "example.org", 444),
            ("[::1]:8443", "::1", 8443),
            ("[::1]", "::1", 443),
            ("::1", "::1", 443),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("localhost", "localhost", 443),
            ("bücher.example", "xn--bcher-kva.example", 443),
        ] {
            assert_eq!(server(word), Some((host.to_owned(), port)), "{word}");
        }
    }

    #[test]
    fn missing_files_are_not_taken_for_servers() {
        for word in [
            "ca.pem",
            "no/such",
            "keystore",
            "server.P12",
            "./x",
            "a.crt",
        ] {
            let target = Target::read(OsStr::new(word)).ok();
            assert_eq!(target, Some(Target::File(word.into())), "{word}");
        }
        for word in [
            "http://example.org",
            "a b.example",
            "*.a.test",
            "a.test:0",
            "a.test:x",
            "[a]:1",
        ] {
            assert!(Target::read(OsStr::new(word)).is_err(), "{word}");
        }
    }
}
