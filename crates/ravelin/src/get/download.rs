//! A body that becomes a file: half of it is kept under another name, and goes on where it ended.
//!
//! While it comes, it is in `FILE.part`, and `FILE.part.from` says what it is the beginning of. It gets its name
//! when it is whole, and has the hash that was asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};

use http::header::{self, HeaderMap, HeaderValue};
use ravelin_client::{Request, Response, Url};
use serde::{Deserialize, Serialize};

use super::answer::write_pieces;
use super::checksum::Checksum;
use super::show::broken;
use crate::arguments::get::OutputArguments;
use crate::failure::Failure;
use crate::words;
use crate::words::get::Progress;

/// Where a body goes.
pub(super) struct Goal {
    /// Its name, as far as that is known before the server has answered.
    path: PathBuf,
    part: PathBuf,
    note: PathBuf,
    /// Whether the server may call it, and nothing is replaced.
    is_called_by_server: bool,
    /// Whether it is a device, a pipe or a terminal: written as it is, and never replaced by a file.
    is_special: bool,
    checksum: Option<Checksum>,
    /// What there is of it.
    begun: Option<Begun>,
    /// Whether nothing is told of how far it is: several at once would tell it over each other.
    pub(super) is_silent: bool,
}

/// What the octets of a part are the beginning of.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    url: String,
    /// The `ETag`, or else the `Last-Modified`, of what they are from.
    validator: String,
    #[serde(skip)]
    octets: u64,
}

impl Goal {
    /// Where the body of an address goes, where it becomes a file: one that is called `name` unless the command or
    /// the server says what it is called.
    pub(super) fn of(
        arguments: &OutputArguments,
        name: PathBuf,
        url: &Url,
    ) -> Result<Option<Self>, Failure> {
        let path = match (&arguments.output, arguments.download) {
            (Some(path), _) => path.clone(),
            (None, true) => name,
            (None, false) => {
                return match arguments.checksum {
                    None => Ok(None),
                    Some(_) => Err(Failure::usage("--checksum is about a file")
                        .hint("add --output FILE, or --download".to_owned())),
                };
            }
        };
        let facts = fs::metadata(&path).ok();
        if facts.as_ref().is_some_and(fs::Metadata::is_dir) {
            let shown = path.display();
            return Err(Failure::usage(format!("\"{shown}\" is a folder"))
                .hint("name a file in it, or go there and use --download".to_owned()));
        }
        let is_special = facts.is_some_and(|facts| !facts.is_file()) && !arguments.download;
        if is_special && arguments.checksum.is_some() {
            return Err(Failure::usage(
                "--checksum is about a file that can be read again",
            ));
        }
        // What a link leads to is written, and not put in the place of the link.
        let path = match fs::canonicalize(&path) {
            Ok(whole) if path.is_symlink() && !arguments.download => whole,
            _ => path,
        };
        let beside = |ending: &str| {
            let mut name = path.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        };
        let (part, note) = (beside(".part"), beside(".part.from"));
        let begun = begun(&part, &note, url).filter(|_| !is_special);
        Ok(Some(Self {
            part: if is_special { path.clone() } else { part },
            path,
            is_special,
            note,
            is_called_by_server: arguments.download,
            checksum: arguments.checksum.clone(),
            begun,
            is_silent: false,
        }))
    }

    /// Asks for the rest where there is a beginning (RFC 9110, section 14.2); for all where it has changed
    /// (section 13.1.5).
    pub(super) fn resume(&self, request: Request) -> Request {
        let mut headers = request.given().clone();
        if let Some(begun) = &self.begun
            && let Ok(range) = HeaderValue::try_from(format!("bytes={}-", begun.octets))
            && let Ok(validator) = HeaderValue::try_from(&begun.validator)
        {
            headers.insert(header::RANGE, range);
            headers.insert(header::IF_RANGE, validator);
        }
        request.headers(headers)
    }

    /// Fetches the body into its file.
    pub(super) async fn fetch(&mut self, response: &mut Response) -> Result<(), Failure> {
        let start = self.start(response)?;
        if response.status().as_u16() == 416 {
            // All of it had come, and only its name was missing.
            return self.finish(response);
        }
        let mut file = self.open(start)?;
        self.take_note(response)?;
        let all = response.length().map(|length| start + length);
        let is_shown = !self.is_silent && io::stderr().is_terminal();
        let mut progress = is_shown.then(|| Progress::new("received", all));
        let mut there = start;
        loop {
            let pieces = match response.chunks().await {
                Ok(pieces) => pieces,
                Err(error) => {
                    drop(progress.take());
                    return Err(self.half(broken(error), there));
                }
            };
            if pieces.is_empty() {
                break;
            }
            write_pieces(&mut file, &pieces)
                .map_err(|error| self.half(self.unwritable(&error), there))?;
            there += pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
            if let Some(progress) = &progress {
                progress.show(there);
            }
        }
        drop(progress);
        if self.is_special {
            return Ok(());
        }
        file.sync_all()
            .map_err(|error| self.half(self.unwritable(&error), there))?;
        drop(file);
        self.finish(response)
    }

    /// Where the body begins in the file.
    fn start(&self, response: &Response) -> Result<u64, Failure> {
        let begun = self.begun.as_ref().map_or(0, |begun| begun.octets);
        let range = response.headers().get(header::CONTENT_RANGE);
        let range = range.and_then(|value| value.to_str().ok());
        match response.status().as_u16() {
            206 => {
                let first = range.and_then(|range| {
                    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
                    first.parse::<u64>().ok()
                });
                if first == Some(begun) && begun > 0 {
                    words::get::resumed(&self.part, begun);
                    return Ok(begun);
                }
                Err(
                    Failure::network("the server sends another part than was asked for").hint(
                        format!("without \"{}\" it begins anew", self.part.display()),
                    ),
                )
            }
            416 => {
                let whole = range.and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
                if begun > 0 && whole == Some(begun) {
                    return Ok(begun);
                }
                Err(
                    Failure::network("the server has no such part").hint(format!(
                        "without \"{}\" it begins anew",
                        self.part.display()
                    )),
                )
            }
            _ => Ok(0),
        }
    }

    fn open(&self, start: u64) -> Result<File, Failure> {
        let opened = if self.is_special {
            OpenOptions::new().write(true).open(&self.part)
        } else if start > 0 {
            OpenOptions::new().append(true).open(&self.part)
        } else {
            // Nothing there says any more what the octets are from.
            let _ = fs::remove_file(&self.note);
            let _ = fs::remove_file(&self.part);
            // Not through a link that somebody else has put there.
            File::create_new(&self.part)
        };
        opened.map_err(|error| self.unwritable(&error))
    }

    /// Writes down what it is the beginning of, where a server says how that can be told.
    fn take_note(&self, response: &Response) -> Result<(), Failure> {
        let Some(validator) = validator(response.headers()).filter(|_| !self.is_special) else {
            return Ok(());
        };
        let begun = Begun {
            url: asked(response),
            validator,
            octets: 0,
        };
        let text = serde_json::to_string(&begun).map_err(|error| Failure::of(&error))?;
        fs::write(&self.note, text).map_err(|error| self.unwritable(&error))
    }

    /// Gives a whole file its name.
    fn finish(&self, response: &Response) -> Result<(), Failure> {
        if let Some(checksum) = &self.checksum {
            let other = checksum
                .other_of(&self.part)
                .map_err(|error| self.unwritable(&error))?;
            if let Some(other) = other {
                let _ = fs::remove_file(&self.part);
                let _ = fs::remove_file(&self.note);
                return Err(Failure::answer(format!(
                    "what came is not what it has to be: its hash is {other}, not {checksum:?}"
                ))
                .hint("it was thrown away".to_owned()));
            }
        }
        let path = if self.is_called_by_server {
            self.link_as_called(response)?
        } else {
            fs::rename(&self.part, &self.path).map_err(|error| self.unwritable(&error))?;
            self.path.clone()
        };
        let _ = fs::remove_file(&self.note);
        words::get::written(&path, fs::metadata(&path).map_or(0, |facts| facts.len()));
        Ok(())
    }

    /// Gives it the name that the server says, or that with a number where there is such a file.
    fn link_as_called(&self, response: &Response) -> Result<PathBuf, Failure> {
        let called = name_of_headers(response.headers()).unwrap_or_else(|| self.path.clone());
        for number in 0..MOST_NUMBERED {
            let path = numbered(&called, number);
            // A link replaces nothing, whoever makes a file of that name just now.
            match fs::hard_link(&self.part, &path) {
                Ok(()) => {
                    let _ = fs::remove_file(&self.part);
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(self.unwritable(&error)),
            }
        }
        let shown = called.display();
        Err(Failure::local(format!(
            "there are too many files called \"{shown}\""
        )))
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::local(format!("cannot write \"{}\": {error}", self.part.display()))
    }

    /// Says what became of the beginning.
    fn half(&self, failure: Failure, octets: u64) -> Failure {
        let part = self.part.display();
        if self.is_special {
            return failure;
        }
        failure.hint(if self.note.exists() {
            format!("{octets} octets are in \"{part}\"; the same command goes on from there")
        } else {
            format!("{octets} octets are in \"{part}\"; the server does not say how to go on")
        })
    }
}

/// What there is of the body of an address.
fn begun(part: &Path, note: &Path, url: &Url) -> Option<Begun> {
    let octets = fs::metadata(part).ok()?.len();
    let text = fs::read_to_string(note).ok()?;
    let begun: Begun = serde_json::from_str(&text).ok()?;
    (octets > 0 && begun.url == url.as_str()).then_some(Begun { octets, ..begun })
}

/// The address that was asked for at first: redirects may lead elsewhere each time.
fn asked(response: &Response) -> String {
    let first = response.hops().first();
    first.map_or_else(String::new, |hop| hop.url.to_string())
}

/// What tells that the same is still there: weak tags do not tell it to the octet.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    text(header::ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(header::LAST_MODIFIED))
}

/// What the file of an address is called.
pub(super) fn name_of_url(url: &Url) -> PathBuf {
    let last = url
        .path_segments()
        .and_then(Iterator::last)
        .unwrap_or_default();
    let last = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    harmless(&last).unwrap_or_else(|| "index.html".into())
}

/// `Content-Disposition` (RFC 6266).
fn name_of_headers(headers: &HeaderMap) -> Option<PathBuf> {
    let value = headers.get(header::CONTENT_DISPOSITION)?;
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let (mut plain, mut extended) = (None, None);
    let mut rest = text.split_once(';')?.1;
    while let Some((key, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let (value, next) = match behind.strip_prefix('"') {
            Some(inner) => {
                let end = inner.find('"').unwrap_or(inner.len());
                (&inner[..end], inner.get(end + 1..).unwrap_or_default())
            }
            None => behind.split_at(behind.find(';').unwrap_or(behind.len())),
        };
        match key.trim_matches([' ', ';']).to_ascii_lowercase().as_str() {
            "filename" => plain = Some(value.trim().to_owned()),
            "filename*" => {
                let encoded = value
                    .trim()
                    .get(..7)
                    .filter(|charset| charset.eq_ignore_ascii_case("utf-8''"));
                extended = encoded.map(|_| {
                    let octets = percent_encoding::percent_decode_str(&value.trim()[7..]);
                    octets.decode_utf8_lossy().into_owned()
                });
            }
            _ => {}
        }
        rest = next;
    }
    harmless(&extended.or(plain)?)
}

/// A name that a server gives, as one that cannot leave the folder, hide, or play with a terminal; none where
/// nothing is left of it.
fn harmless(name: &str) -> Option<PathBuf> {
    let last = name.rsplit(['/', '\\']).next()?;
    let name: String = last
        .chars()
        .filter(|character| !ravelin_pki::distinguished_name::unprintable(*character))
        .collect();
    let name = name.trim().trim_start_matches(['.', '-', ' ']);
    let mut end = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let name = &name[..end];
    (!name.is_empty()).then(|| name.into())
}

/// `name-1.ending`.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match path.extension() {
        Some(ending) => format!("{stem}-{number}.{}", ending.to_string_lossy()).into(),
        None => format!("{stem}-{number}").into(),
    }
}

/// File systems take 255 octets, and an ending is put behind.
const LONGEST_NAME: usize = 200;

const MOST_NUMBERED: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn called(value: &str) -> Option<String> {
        let value = HeaderValue::from_str(value).unwrap();
        let headers = HeaderMap::from_iter([(header::CONTENT_DISPOSITION, value)]);
        name_of_headers(&headers).map(|path| path.display().to_string())
    }

    #[test]
    fn names_of_servers_stay_in_the_folder() {
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(called("attachment; filename=a.txt"), some("a.txt"));
        assert_eq!(
            called("attachment; filename=\"a b.txt\"; x=y"),
            some("a b.txt")
        );
        assert_eq!(
            called("attachment; filename=x; filename*=UTF-8''%e2%82%ac.txt"),
            some("€.txt")
        );
        for (value, name) in [
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"/etc/cron.d/x\"", Some("x")),
            ("attachment; filename=\"..\\\\..\\\\x.exe\"", Some("x.exe")),
            (
                "attachment; filename*=UTF-8''..%2f..%2f.bashrc",
                Some("bashrc"),
            ),
            (
                "attachment; filename*=utf-8''a%1b%5b31m%00b",
                Some("a[31mb"),
            ),
            ("attachment; filename=\"-rf\"", Some("rf")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
        ] {
            assert_eq!(called(value).as_deref(), name, "{value}");
        }
        let url = |text: &str| {
            name_of_url(&Url::parse(text).unwrap())
                .display()
                .to_string()
        };
        assert_eq!(url("https://a/b/c%20d.iso?x"), "c d.iso");
        assert_eq!(url("https://a/%2e%2e%2f%2e%2e%2fx"), "x");
        assert_eq!(url("https://a/"), "index.html");
    }
}
