//! The connections of a capture: a list of all, or one of them whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::thread::available_parallelism;

use ravelin_lens::capture::{CaptureError, StreamId};
use ravelin_lens::connection::Limits;
use ravelin_lens::credentials::Chains;
use ravelin_lens::explain::Language;
use ravelin_lens::keylog::KeyLog;
use ravelin_lens::knowledge::Knowledge;
use ravelin_lens::server_key::ServerKey;
use ravelin_lens::survey::{Keys, Survey, Told, Totals};
use ravelin_pki::HostName;

use super::believed::Beliefs;
use super::walk::{self, Page, Tour};
use super::{answer, export, holds, json, language, limits, options, tell, write_page};
use crate::arguments::inspect::{CaptureArguments, InspectArguments};
use crate::failure::{Failure, chain};
use crate::words::inspect::{Line, WalkWords};
use crate::{key, words};

pub(super) fn run(file: &Path, arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    let capture = Capture {
        file,
        keys: keys(&arguments.capture, language(arguments))?,
        beliefs: Beliefs::new(arguments)?,
        arguments,
    };
    if capture.is_stdin() && arguments.pcapng.is_some() {
        return Err(Failure::usage(
            "standard input is read once, and --pcapng reads a capture twice",
        )
        .hint("write it to a file first".to_owned()));
    }
    if let Some(stream) = arguments.capture.stream {
        return capture.one(StreamId(stream));
    }
    let wants_one = || {
        let what = match (arguments.step, &arguments.html, &arguments.pcapng) {
            (true, ..) => "a walk leads through one connection of a capture",
            (false, Some(_), _) => "a page shows one connection of a capture",
            (false, None, Some(_)) => "--pcapng writes one connection of a capture",
            (false, None, None) => return Ok(()),
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
    beliefs: Beliefs,
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
        let (totals, result) = survey.read(
            self.source()?,
            &self.keys,
            |told| told,
            |told| found = Some(told),
        );
        let Some(mut told) = found else {
            self.check(result)?;
            return Err(self.not_there(stream, totals));
        };
        let host = self.host().or_else(|| {
            let name = told.story.agreement.server_name.as_deref();
            name.and_then(|name| name.parse().ok())
        });
        self.beliefs.judge(&mut told.story, host.as_ref());
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
        self.beliefs.hint(&[&told.story]);
        if let Some(file) = &self.arguments.pcapng {
            export::write(file, &told, self.source()?, language(self.arguments))?;
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
        let chains = Chains::new(self.beliefs.trust(), self.host());
        let sum_up = |mut told: Told| {
            chains.check(&mut told.story);
            (told.stream, holds(&told.story), Line::of(&told))
        };
        let (mut good, mut first) = (true, None);
        let mut failure = None;
        let (totals, result) = survey.read(
            self.source()?,
            &self.keys,
            sum_up,
            |(stream, it_holds, line)| {
                good &= it_holds;
                let written = match first {
                    // It may be the only one, of which more is told than a line.
                    None => {
                        first = Some(stream);
                        list.hold(&line);
                        Ok(())
                    }
                    Some(_) => list.add(&line),
                };
                if let Err(error) = written {
                    failure.get_or_insert(error);
                }
            },
        );
        if let Some(failure) = failure {
            return Err(failure);
        }
        let only = first.filter(|_| totals.tls == 1);
        if only.is_some() && !self.is_stdin() {
            // It is told whole, and then what is wrong with the file.
            return Ok((answer(good), only));
        }
        list.end(&totals, self.keys.is_empty())?;
        self.check(result)?;
        if totals.tls == 0 {
            return Err(Failure::answer(format!(
                "there is no TLS in {}",
                self.name()
            )));
        }
        Ok((answer(good), only))
    }

    /// Whom the clients meant to reach, where that was said.
    fn host(&self) -> Option<HostName> {
        let name = self.arguments.connection.sni.as_ref()?;
        name.0.to_str().parse().ok()
    }

    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    /// As it is called in messages.
    fn name(&self) -> String {
        if self.is_stdin() {
            "standard input".to_owned()
        } else {
            format!("\"{}\"", self.file.display())
        }
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
        let file = self.file.display();
        let what = format!("{}: {}", self.name(), chain(&error));
        Err(match error {
            CaptureError::Gzip => {
                Failure::usage(what).hint(format!("gunzip -c {file} | ravelin inspect --pcap -"))
            }
            CaptureError::NoCapture => Failure::usage(what)
                .hint("tcpdump -w FILE makes captures, and so do tshark and Wireshark".to_owned()),
            _ => Failure::local(what),
        })
    }

    fn not_there(&self, stream: StreamId, totals: Totals) -> Failure {
        let connections = totals.capture.connections;
        let (file, name) = (self.file.display(), self.name());
        if stream.0 < connections {
            Failure::answer(format!(
                "there is no TLS in connection {} of {name}",
                stream.0
            ))
        } else {
            Failure::usage(format!(
                "there is no connection {} in {name}, which has {connections}",
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
