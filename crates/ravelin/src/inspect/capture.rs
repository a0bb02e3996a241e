//! The connections of a capture: a list of all, or one of them whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::thread::available_parallelism;

use ravelin_lens::capture::{CaptureError, StreamId};
use ravelin_lens::connection::Limits;
use ravelin_lens::credentials::{self, Believed};
use ravelin_lens::explain::Language;
use ravelin_lens::keylog::KeyLog;
use ravelin_lens::knowledge::Knowledge;
use ravelin_lens::proof::Logs;
use ravelin_lens::server_key::ServerKey;
use ravelin_lens::survey::{Keys, Survey, Told, Totals};
use ravelin_pki::HostName;

use super::walk::{self, Page, Tour};
use super::{answer, holds, json, language, limits, options, tell, write_page};
use crate::arguments::inspect::{CaptureArguments, InspectArguments};
use crate::failure::Failure;
use crate::words::inspect::WalkWords;
use crate::{cert, key, words};

pub(super) fn run(file: &Path, arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    let capture = Capture {
        file,
        keys: keys(&arguments.capture, language(arguments))?,
        arguments,
    };
    if let Some(stream) = arguments.capture.stream {
        return capture.one(StreamId(stream));
    }
    let wants_one = || {
        let what = match (arguments.step, &arguments.html) {
            (true, _) => "a walk leads through one connection of a capture",
            (false, Some(_)) => "a page shows one connection of a capture",
            (false, None) => return Ok(()),
        };
        Err(Failure::usage(what).hint("say which one: --stream N".to_owned()))
    };
    if capture.is_stdin() {
        wants_one()?;
    }
    let (listed, only) = capture.list()?;
    match only {
        // A list of one is of no use to anybody, where it can be read again.
        Some(stream) if !capture.is_stdin() => capture.one(stream),
        _ => wants_one().map(|()| listed),
    }
}

/// A capture to be looked at.
struct Capture<'a> {
    file: &'a Path,
    keys: Keys,
    arguments: &'a InspectArguments,
}

impl Capture<'_> {
    /// Tells of one connection, whole.
    fn one(&self, stream: StreamId) -> Result<ExitCode, Failure> {
        let survey = Survey {
            connection: limits(),
            capture: ravelin_lens::capture::Limits::default(),
            only: Some(stream),
            threads: 1,
        };
        let mut found = None;
        let (totals, result) = survey.read(self.source()?, &self.keys, |told| found = Some(told));
        let Some(mut told) = found else {
            self.check(result)?;
            return Err(self.not_there(stream, totals));
        };
        self.judge(&mut told)?;
        let subject = format!("{} → {}", told.opening.client, told.opening.server);
        if self.arguments.step {
            // A signal may end the walk.
            write_page(&[&told.story], &subject, self.arguments)?;
            if let Some(code) = self.walk_through(&told)? {
                return Ok(code);
            }
        } else {
            if self.arguments.json {
                json(&[&told.story], self.arguments)?;
            } else {
                words::result(&words::inspect::captured(language(self.arguments), &told))?;
                tell(&told.story, self.arguments)?;
            }
            write_page(&[&told.story], &subject, self.arguments)?;
        }
        self.check(result)?;
        Ok(answer(holds(&told.story)))
    }

    fn walk_through(&self, told: &Told) -> Result<Option<ExitCode>, Failure> {
        let options = options(self.arguments);
        let before = Page {
            title: WalkWords::of(options.language).captured,
            text: words::inspect::captured(options.language, told),
        };
        let tour = Tour::new(&told.story, &options, vec![before], Vec::new());
        walk::walk(vec![tour], &options)
    }

    /// Tells of each connection in a line, and of the number of the only one, where there is one alone.
    fn list(&self) -> Result<(ExitCode, Option<StreamId>), Failure> {
        let survey = Survey {
            connection: Limits::brief(),
            capture: ravelin_lens::capture::Limits::default(),
            only: None,
            threads: available_parallelism().map_or(1, usize::from),
        };
        let mut list = words::inspect::List::new(language(self.arguments), self.arguments.json);
        let (mut good, mut first) = (true, None);
        let mut failure = None;
        let (totals, result) = survey.read(self.source()?, &self.keys, |told| {
            good &= holds(&told.story);
            let written = match first {
                // It may be the only one, of which more is told than a line.
                None => {
                    first = Some(told.stream);
                    list.hold(&told);
                    Ok(())
                }
                Some(_) => list.add(&told),
            };
            if let Err(error) = written {
                failure.get_or_insert(error);
            }
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        let only = first.filter(|_| totals.tls == 1);
        if only.is_none() || self.is_stdin() {
            list.end(&totals, self.keys.is_empty())?;
        }
        self.check(result)?;
        if totals.tls == 0 {
            return Err(Failure::answer(format!(
                "there is no TLS in \"{}\"",
                self.file.display()
            )));
        }
        Ok((answer(good), only))
    }

    /// Judges the chains of a connection by who is trusted here, at the time when it was made.
    fn judge(&self, told: &mut Told) -> Result<(), Failure> {
        let wanted = &self.arguments.connection;
        let (trust, _) = cert::verify::trusted(&wanted.ca, &self.arguments.home)?;
        let name = match &wanted.sni {
            Some(name) => Some(name.0.to_str().into_owned()),
            None => told.story.agreement.server_name.clone(),
        };
        let host: Option<HostName> = name.and_then(|name| name.parse().ok());
        let believed = Believed {
            trust: Some(&trust),
            logs: &Logs::default(),
            host: host.as_ref(),
        };
        credentials::check(&mut told.story, believed);
        Ok(())
    }

    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    fn source(&self) -> Result<Box<dyn Read + Send>, Failure> {
        if self.is_stdin() {
            return Ok(Box::new(io::stdin()));
        }
        match File::open(self.file) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(Failure::local(format!(
                "cannot read \"{}\": {error}",
                self.file.display()
            ))),
        }
    }

    /// What is wrong with the file. What could be read of it has been told.
    fn check(&self, result: Result<(), CaptureError>) -> Result<(), Failure> {
        let Err(error) = result else {
            return Ok(());
        };
        let failure = Failure::local(format!("\"{}\": {error}", self.file.display()));
        Err(match error {
            CaptureError::Gzip => failure.hint(format!(
                "gunzip -c {} | ravelin inspect --pcap -",
                self.file.display()
            )),
            CaptureError::NoCapture => failure
                .hint("tcpdump -w FILE makes captures, and so do tshark and Wireshark".to_owned()),
            _ => failure,
        })
    }

    fn not_there(&self, stream: StreamId, totals: Totals) -> Failure {
        let connections = totals.capture.connections;
        let file = self.file.display();
        if stream.0 < connections {
            Failure::answer(format!(
                "there is no TLS in connection {} of \"{file}\"",
                stream.0
            ))
        } else {
            Failure::usage(format!(
                "there is no connection {} in \"{file}\", which has {connections}",
                stream.0
            ))
        }
        .hint(format!("ravelin inspect --pcap {file}   # lists them"))
    }
}

/// All secrets that were named.
fn keys(arguments: &CaptureArguments, language: Language) -> Result<Keys, Failure> {
    let mut log = KeyLog::default();
    for file in &arguments.keylog {
        let failed = |error| {
            Failure::local(format!(
                "cannot read the key log \"{}\": {error}",
                file.display()
            ))
        };
        let mut source = File::open(file).map_err(failed)?;
        let mut part = vec![0; 1 << 16];
        loop {
            match source.read(&mut part).map_err(failed)? {
                0 => break,
                read => log.push(&part[..read]),
            }
        }
        log.finish();
        if log.is_empty() {
            return Err(
                Failure::usage(format!("there are no secrets in \"{}\"", file.display())).hint(
                    "a key log is what programs write where the environment variable \
                     SSLKEYLOGFILE names a file"
                        .to_owned(),
                ),
            );
        }
    }
    words::inspect::bad_lines(language, &log);
    let mut more: Vec<Box<dyn Knowledge + Send + Sync>> = Vec::new();
    for file in &arguments.rsa_key {
        let opens = ServerKey::from_pem(&key::read_file(file)?);
        let opens =
            opens.map_err(|error| Failure::usage(format!("\"{}\": {error}", file.display())))?;
        more.push(Box::new(opens));
    }
    Ok(Keys::new(log, more))
}
