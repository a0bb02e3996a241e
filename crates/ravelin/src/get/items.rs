//! The items of a request: header fields, a query, and a body put together from names and values.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use http::{HeaderName, HeaderValue, Method};
use ravelin_client::{Body, Piece};
use ravelin_server::media;
use serde_json::Value;

use super::nested;
use crate::arguments::get::BodyArguments;
use crate::failure::Failure;
use crate::key;

/// What the items of a command line say.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) removed: Vec<HeaderName>,
    pub(super) query: Vec<(String, String)>,
    data: Vec<(String, Datum)>,
}

/// A value of the body.
#[derive(Debug)]
enum Datum {
    Text(String),
    /// As it stands in the JSON.
    Json(String),
    /// A file of a form, and its type where that was given.
    File(PathBuf, Option<String>),
}

/// A body, and what it is.
#[derive(Debug, Default)]
pub(super) struct MadeBody {
    pub(super) body: Body,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) is_json: bool,
}

/// What stands between a name and a value. Of several at one place the longest counts.
const SEPARATORS: [&str; 7] = [":=@", ":=", "==", "=@", "=", "@", ":"];

impl Items {
    pub(super) fn read(words: &[String], arguments: &BodyArguments) -> Result<Self, Failure> {
        let mut items = Self::default();
        for word in words {
            items.add(word)?;
        }
        if arguments.body.is_some() && !items.data.is_empty() {
            return Err(Failure::usage(
                "the body is --body FILE or made of items, not both",
            ));
        }
        Ok(items)
    }

    fn add(&mut self, word: &str) -> Result<(), Failure> {
        let Some((name, separator, value)) = split(word) else {
            return self.add_empty_header(word);
        };
        match separator {
            ":" if value.is_empty() => self.removed.push(header_name(&name)?),
            ":" => {
                let name = header_name(&name)?;
                self.headers.push((name, header_value(&value)?));
            }
            "==" => self.query.push((name, value)),
            "=" => self.data.push((name, Datum::Text(value))),
            ":=" => self.data.push((name, json(&value)?)),
            "=@" => {
                let text = text_of(Path::new(&value))?;
                self.data.push((name, Datum::Text(text)));
            }
            ":=@" => {
                let datum = json(&text_of(Path::new(&value))?)?;
                self.data.push((name, datum));
            }
            _ => {
                let (path, kind) = match value.split_once(";type=") {
                    Some((path, kind)) => (path, Some(kind.to_owned())),
                    None => (value.as_str(), None),
                };
                self.data.push((name, Datum::File(path.into(), kind)));
            }
        }
        Ok(())
    }

    fn add_empty_header(&mut self, word: &str) -> Result<(), Failure> {
        let name = word.strip_suffix(';').ok_or_else(|| {
            Failure::usage(format!("\"{word}\" is no item of a request")).hint(
                "items are Name:value, name==value, name=text, name:=JSON, name@FILE, name=@FILE and name:=@FILE"
                    .to_owned(),
            )
        })?;
        let name = header_name(name)?;
        self.headers.push((name, HeaderValue::from_static("")));
        Ok(())
    }

    /// A GET with a body is a mistake as a rule.
    pub(super) fn refuse_body(&self, method: &Method) -> Result<(), Failure> {
        match self.data.first() {
            None => Ok(()),
            Some((name, _)) => Err(Failure::usage(format!(
                "\"{name}\" is for a body, which {method} has none of"
            ))
            .hint(format!(
                "\"ravelin post\" sends a body; for the query write {name}==…"
            ))),
        }
    }

    pub(super) fn body(&self, arguments: &BodyArguments) -> Result<MadeBody, Failure> {
        if let Some(file) = &arguments.body {
            return of_file(file);
        }
        if self.data.is_empty() {
            return Ok(MadeBody::default());
        }
        let has_files = self
            .data
            .iter()
            .any(|(_, datum)| matches!(datum, Datum::File(..)));
        if arguments.multipart || has_files {
            return self.multipart();
        }
        if arguments.form {
            return Ok(self.form());
        }
        let mut body = Value::Null;
        for (name, datum) in &self.data {
            let value = match datum {
                Datum::Text(text) => Value::String(text.clone()),
                Datum::Json(text) => serde_json::from_str(text).unwrap_or_default(),
                Datum::File(..) => continue,
            };
            nested::put(&mut body, name, value)?;
        }
        Ok(MadeBody {
            body: body.to_string().into(),
            content_type: Some(HeaderValue::from_static("application/json")),
            is_json: true,
        })
    }

    fn form(&self) -> MadeBody {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, datum) in &self.data {
            if let Datum::Text(text) | Datum::Json(text) = datum {
                pairs.append_pair(name, text);
            }
        }
        MadeBody {
            body: pairs.finish().into(),
            content_type: Some(HeaderValue::from_static(
                "application/x-www-form-urlencoded",
            )),
            is_json: false,
        }
    }

    /// The options by which curl writes the same parts.
    pub(super) fn parts_for_curl(&self) -> Vec<(&'static str, String)> {
        let quoted =
            |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let parts = self.data.iter().map(|(name, datum)| match datum {
            Datum::Text(text) | Datum::Json(text) => ("--form-string", format!("{name}={text}")),
            Datum::File(path, kind) => {
                let kind = kind.clone().unwrap_or_else(|| type_of(path));
                let path = quoted(&path.display().to_string());
                ("--form", format!("{name}=@{path};type={kind}"))
            }
        });
        parts.collect()
    }

    /// RFC 7578.
    fn multipart(&self) -> Result<MadeBody, Failure> {
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| Failure::local("the system gives no random octets"))?;
        let boundary = format!("ravelin-{:032x}", u128::from_be_bytes(random));
        let mut pieces = Vec::new();
        for (name, datum) in &self.data {
            let mut head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
                escaped(name)
            );
            match datum {
                Datum::Text(text) | Datum::Json(text) => {
                    pieces.push(Piece::Bytes(format!("{head}\r\n\r\n{text}\r\n").into()));
                }
                Datum::File(path, kind) => {
                    let called = path.file_name().unwrap_or_default().to_string_lossy();
                    let kind = kind.clone().unwrap_or_else(|| type_of(path));
                    let called = escaped(&called);
                    let _ = write!(
                        head,
                        "; filename=\"{called}\"\r\nContent-Type: {kind}\r\n\r\n"
                    );
                    pieces.push(Piece::Bytes(head.into()));
                    pieces.push(Piece::file(path).map_err(|error| unreadable(path, &error))?);
                    pieces.push(Piece::Bytes("\r\n".into()));
                }
            }
        }
        pieces.push(Piece::Bytes(format!("--{boundary}--\r\n").into()));
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Ok(MadeBody {
            body: Body::of(pieces),
            content_type: HeaderValue::try_from(content_type).ok(),
            is_json: false,
        })
    }
}

fn of_file(file: &Path) -> Result<MadeBody, Failure> {
    if key::is_standard(file) {
        return Ok(MadeBody {
            body: Body::stream(tokio::fs::File::from_std(standard_input()?)),
            content_type: Some(HeaderValue::from_static("application/octet-stream")),
            is_json: false,
        });
    }
    Ok(MadeBody {
        body: Body::file(file).map_err(|error| unreadable(file, &error))?,
        content_type: HeaderValue::try_from(type_of(file)).ok(),
        is_json: false,
    })
}

/// Standard input as a file, which is read without blocking what else goes on.
fn standard_input() -> Result<std::fs::File, Failure> {
    use std::os::fd::AsFd as _;
    let owned = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Failure::of(&error))?;
    Ok(owned.into())
}

/// Name, separator and value. A backslash takes the meaning from the character behind it.
fn split(word: &str) -> Option<(String, &'static str, String)> {
    let mut name = String::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if first == '\\' {
            let mut behind = rest[1..].chars();
            match behind.next() {
                Some(next) if is_special(next) => name.push(next),
                Some(next) => name.extend(['\\', next]),
                None => name.push('\\'),
            }
            rest = behind.as_str();
            continue;
        }
        if let Some(separator) = SEPARATORS.into_iter().find(|one| rest.starts_with(one)) {
            return Some((name, separator, unescaped(&rest[separator.len()..])));
        }
        name.push(first);
        rest = &rest[first.len_utf8()..];
    }
    None
}

/// In a value no character has a meaning: backslashes stay, but for one that keeps the separator from growing.
fn unescaped(value: &str) -> String {
    match value.strip_prefix('\\') {
        Some(rest) if rest.starts_with(['=', '@', ':']) => rest.to_owned(),
        _ => value.to_owned(),
    }
}

fn is_special(character: char) -> bool {
    matches!(character, ':' | '=' | '@' | ';' | '\\')
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    name.parse()
        .map_err(|_| Failure::usage(format!("\"{name}\" is no name of a header field")))
}

fn header_value(value: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(value.trim())
        .map_err(|_| Failure::usage(format!("{value:?} is no value of a header field")))
}

fn json(text: &str) -> Result<Datum, Failure> {
    match serde_json::from_str::<Value>(text) {
        Ok(_) => Ok(Datum::Json(text.trim().to_owned())),
        Err(error) => Err(Failure::usage(format!("\"{text}\" is no JSON: {error}"))
            .hint("with = in place of := it is text".to_owned())),
    }
}

fn text_of(file: &Path) -> Result<String, Failure> {
    String::from_utf8(key::read_file(file)?)
        .map_err(|_| Failure::usage(format!("\"{}\" is no text", file.display())))
}

fn type_of(path: &Path) -> String {
    let kind = media::of_name(path.as_os_str().as_encoded_bytes());
    kind.to_str()
        .unwrap_or("application/octet-stream")
        .to_owned()
}

/// As browsers write names into a part (WHATWG HTML, multipart/form-data encoding).
fn escaped(name: &str) -> String {
    let name = name.replace('"', "%22");
    name.replace('\r', "%0D").replace('\n', "%0A")
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::local(format!("cannot read \"{}\": {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(word: &str) -> (String, &'static str, String) {
        split(word).unwrap()
    }

    #[test]
    fn items_are_split_at_the_first_separator_the_longest_first() {
        for (word, name, separator, value) in [
            ("X-A:b", "X-A", ":", "b"),
            ("X-A:", "X-A", ":", ""),
            ("q==a=b", "q", "==", "a=b"),
            ("k=v", "k", "=", "v"),
            ("k=http://a", "k", "=", "http://a"),
            ("k:=[1]", "k", ":=", "[1]"),
            ("k@f", "k", "@", "f"),
            ("k=@f", "k", "=@", "f"),
            ("k:=@f", "k", ":=@", "f"),
            (r"a\:b=c", "a:b", "=", "c"),
            (r"a\=b:c", "a=b", ":", "c"),
            (r"k=\@f", "k", "=", "@f"),
            (r"k=C:\new", "k", "=", r"C:\new"),
            (r"a\\:c", r"a\", ":", "c"),
            ("=v", "", "=", "v"),
        ] {
            let expected = (name.to_owned(), separator, value.to_owned());
            assert_eq!(parts(word), expected, "{word}");
        }
        assert!(split("nothing").is_none() && split(r"a\:b").is_none() && split("A;").is_none());
    }
}
