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
use ravelin_lens::survey::{Keys, Survey, Told};
use ravelin_pki::HostName;

use super::believed::Beliefs;
use super::walk::{self, Page, Tour};
use super::{export, json, language, limits, options, outcome, refuted, tell, write_page};
use crate::arguments::inspect::{CaptureArguments, InspectArguments};
use crate::failure::Failure;
use crate::words::inspect::{Errors, Line, OneFor, WalkWords};
use crate::{key, words};

pub(super) fn run(file: &Path, arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    let capture = Capture {
        file,
        keys: keys(&arguments.capture, language(arguments))?,
        beliefs: Beliefs::new(arguments)?,
        arguments,
        errors: super::errors(arguments),
    };
    if capture.is_stdin() && arguments.pcapng.is_some() {
        return Err(capture.errors.read_twice());
    }
    if let Some(stream) = arguments.capture.stream {
        return capture.one(StreamId(stream));
    }
    let wants_one = || {
        let what = match (arguments.step, &arguments.html, &arguments.pcapng) {
            (true, ..) => OneFor::Step,
            (false, Some(_), _) => OneFor::Page,
            (false, None, Some(_)) => OneFor::Pcapng,
            (false, None, None) => return Ok(()),
        };
        Err(capture.errors.which(what))
    };
    if !capture.tells_the_only_one() {
        wants_one()?;
    }
    let listed = capture.list()?;
    match listed.only {
        // A list of one is of no use to anybody.
        Some(stream) if capture.tells_the_only_one() => capture.one(stream),
        _ => {
            wants_one()?;
            listed.outcome(&capture)
        }
    }
}

/// What came of the connections of a list.
struct Listed {
    /// The number of the only one, where there is one alone.
    only: Option<StreamId>,
    /// Of how many something does not hold.
    bad: u64,
    /// How many have other keys than those that are known.
    wrong_keys: u64,
}

impl Listed {
    fn outcome(&self, capture: &Capture<'_>) -> Result<ExitCode, Failure> {
        let name = capture.errors.file(capture.file);
        match (self.wrong_keys, self.bad) {
            (0, 0) => Ok(ExitCode::SUCCESS),
            (0, bad) => Err(capture.errors.some_do_not_hold(bad, &name)),
            (wrong, _) => Err(capture.errors.wrong_keys_of(wrong, &name)),
        }
    }
}

/// A capture to be looked at.
struct Capture<'a> {
    file: &'a Path,
    keys: Keys,
    beliefs: Beliefs,
    arguments: &'a InspectArguments,
    errors: Errors,
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
            return Err(self.errors.not_there(self.file, stream, &totals));
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
        let language = language(self.arguments);
        self.beliefs.hint(language, &[&told.story]);
        if let Some(file) = &self.arguments.pcapng {
            export::write(file, &told, self.source()?, language)?;
        }
        self.check(result)?;
        outcome(&told.story, &self.errors.file(self.file), self.errors)
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

    /// Whether the only connection of a capture is told whole. JSON follows what was asked for, and not what is in
    /// the file; standard input is read once.
    fn tells_the_only_one(&self) -> bool {
        !self.is_stdin() && !self.arguments.json
    }

    /// Tells of each connection in a line.
    fn list(&self) -> Result<Listed, Failure> {
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
            (told.stream, refuted(&told.story).is_some(), Line::of(&told))
        };
        let (mut bad, mut wrong_keys, mut first) = (0, 0, None);
        let mut failure = None;
        let (totals, result) = survey.read(
            self.source()?,
            &self.keys,
            sum_up,
            |(stream, is_bad, line)| {
                bad += u64::from(is_bad);
                wrong_keys += u64::from(line.has_wrong_keys());
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
        let listed = Listed {
            only: first.filter(|_| totals.tls == 1),
            bad,
            wrong_keys,
        };
        if listed.only.is_some() && self.tells_the_only_one() {
            // It is told whole, and then what is wrong with the file.
            return Ok(listed);
        }
        list.end(&totals, self.keys.is_empty())?;
        self.check(result)?;
        if totals.tls == 0 {
            return Err(self.errors.nothing_in(self.file, &totals));
        }
        Ok(listed)
    }

    /// Whom the clients meant to reach, where that was said.
    fn host(&self) -> Option<HostName> {
        let name = self.arguments.connection.sni.as_ref()?;
        name.0.to_str().parse().ok()
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
            Err(error) => Err(self.errors.not_read(self.file, &error)),
        }
    }

    /// What is wrong with the file. What could be read of it has been told.
    fn check(&self, result: Result<(), CaptureError>) -> Result<(), Failure> {
        result.map_err(|error| self.errors.capture(self.file, &error))
    }
}

/// All secrets that were named.
fn keys(arguments: &CaptureArguments, language: Language) -> Result<Keys, Failure> {
    let (mut log, errors) = (KeyLog::default(), Errors::of(language));
    for file in &arguments.keylog {
        let failed = |error| errors.key_log(file, &error);
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
            return Err(errors.no_secrets(file));
        }
    }
    words::inspect::bad_lines(language, &log);
    let mut more: Vec<Box<dyn Knowledge + Send + Sync>> = Vec::new();
    for file in &arguments.rsa_key {
        let key = key::read_file(file).map_err(|error| errors.unread(error))?;
        let opens = ServerKey::from_pem(&key).map_err(|error| errors.server_key(file, &error))?;
        more.push(Box::new(opens));
    }
    Ok(Keys::new(log, more))
}
