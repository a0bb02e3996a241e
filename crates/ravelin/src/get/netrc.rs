//! Users and passwords of hosts in a netrc file, as ftp and curl read it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ravelin_certs::store::shell_word;

use crate::failure::Failure;

/// The user and password of a host; none where the file has none, or there is none.
pub(super) fn find(asked: Option<&Path>, host: &str) -> Result<Option<(String, String)>, Failure> {
    let path = match asked {
        Some(path) if path.as_os_str() == "none" => return Ok(None),
        Some(path) => path.to_owned(),
        None => match usual() {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let shown = path.display();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && asked.is_none() => return Ok(None),
        Err(error) => return Err(Failure::local(format!("cannot read \"{shown}\": {error}"))),
    };
    let found = entry(&text, host);
    if found.is_some() {
        let facts = std::fs::metadata(&path).map_err(|error| Failure::of(&error))?;
        if facts.mode() & 0o077 != 0 {
            return Err(Failure::local(format!(
                "\"{shown}\" has passwords in it, and others may read it"
            ))
            .hint(format!("chmod 600 {}", shell_word(&path))));
        }
    }
    Ok(found)
}

fn usual() -> Option<PathBuf> {
    let named = std::env::var_os("NETRC").filter(|value| !value.is_empty());
    named
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".netrc")))
}

/// The entry of a host, or the default one.
fn entry(text: &str, host: &str) -> Option<(String, String)> {
    let tokens = tokens(text);
    let mut tokens = tokens.iter().map(String::as_str);
    let (mut user, mut password) = (None, None);
    let mut is_ours = false;
    while let Some(token) = tokens.next() {
        match token {
            "machine" | "default" => {
                if is_ours && (user.is_some() || password.is_some()) {
                    break;
                }
                is_ours = token == "default"
                    || tokens
                        .next()
                        .is_some_and(|name| name.eq_ignore_ascii_case(host));
            }
            "login" if is_ours => user = tokens.next().map(str::to_owned),
            "password" if is_ours => password = tokens.next().map(str::to_owned),
            "login" | "password" | "account" => {
                tokens.next();
            }
            _ => {}
        }
    }
    (user.is_some() || password.is_some())
        .then(|| (user.unwrap_or_default(), password.unwrap_or_default()))
}

/// Words with space between them; one in quotes may have space in it. What follows `macdef` up to an empty line is
/// a macro, and no word of ours.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (token, behind) = match rest.strip_prefix('"') {
                Some(inner) => quoted(inner),
                None => {
                    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    (rest[..end].to_owned(), &rest[end..])
                }
            };
            if token == "macdef" {
                in_macro = true;
                break;
            }
            tokens.push(token);
            rest = behind.trim_start();
        }
    }
    tokens
}

fn quoted(text: &str) -> (String, &str) {
    let mut token = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (token, &text[at + 1..]),
            '\\' => token.extend(characters.next().map(|(_, next)| next)),
            other => token.push(other),
        }
    }
    (token, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_of_the_host_counts_and_then_the_default() {
        let text = "# mine\nmachine a.example login ada password \"p \\\"w\"\n\
            macdef init\nmachine evil.example login x password y\n\n\
            machine b.example\n  login bob\n  password pw#1\ndefault login anonymous password -\n";
        let some = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(entry(text, "a.example"), some("ada", "p \"w"));
        assert_eq!(entry(text, "B.example"), some("bob", "pw#1"));
        assert_eq!(entry(text, "evil.example"), some("anonymous", "-"));
        assert_eq!(entry("machine a login", "b"), None);
    }
}
