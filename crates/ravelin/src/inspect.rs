//! `ravelin inspect`: a handshake, recorded and told step by step.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ravelin_certs::store::{NewFile, StoreError, write_together};
use ravelin_lens::connection::Limits;
use ravelin_lens::explain::Language;
use ravelin_lens::json;
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::page::{self, Audience};
use ravelin_lens::story::{Check, Claim, Story, Verdict};
use ravelin_lens::text::{self, Options};

use crate::arguments::inspect::{Detail, InspectArguments, Tongue};
use crate::dial::Bounds;
use crate::failure::Failure;
use crate::words;
use crate::words::inspect::Errors;

mod believed;
mod capture;
mod client;
mod export;
mod failed;
mod server;
mod walk;

pub(crate) fn run(arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    look(arguments).map_err(|failure| failure.in_language(language(arguments)))
}

fn look(arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    if arguments.step {
        walk::check(arguments)?;
    }
    match (&arguments.host, &arguments.listen, &arguments.capture.pcap) {
        (_, _, Some(file)) => capture::run(file, arguments),
        (_, Some(listen), _) => server::run(listen, arguments),
        (Some(host), _, _) => client::run(host, arguments),
        (None, None, None) => Err(Failure::usage("there is no server to look at")),
    }
}

/// Writes the page of connections, where one is wanted.
fn write_page(
    stories: &[&Story],
    subject: &str,
    arguments: &InspectArguments,
) -> Result<(), Failure> {
    let Some(file) = &arguments.html else {
        return Ok(());
    };
    let options = options(arguments);
    let page = page::page(
        stories,
        &page::Options {
            language: options.language,
            secrets: options.secrets,
            subject: Some(subject),
            audience: Audience::Onlooker,
        },
    )
    .map_err(|error| Failure::of(&error))?;
    write(file, page.as_bytes(), options.secrets, options.language)
}

/// Writes a file in place of what was there. One with secrets in it is for nobody else on this machine.
fn write(file: &Path, bytes: &[u8], secrets: Secrets, language: Language) -> Result<(), Failure> {
    let new = NewFile {
        path: file.to_owned(),
        bytes,
        private: secrets == Secrets::Shown,
    };
    write_together(&[new], true).map_err(|error| match error {
        StoreError::Io { path, source, .. } => Errors::of(language).not_written(&path, &source),
        other => Failure::of(&other),
    })?;
    words::inspect::written(language, file);
    Ok(())
}

/// Tells of a connection, as it is asked for.
fn tell(story: &Story, arguments: &InspectArguments) -> Result<(), Failure> {
    words::result(&text::text(story, &options(arguments)))
}

/// Connections as JSON.
fn json(stories: &[&Story], arguments: &InspectArguments) -> Result<(), Failure> {
    let options = options(arguments);
    let document = json::document(stories, options.language, options.secrets);
    let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::of(&error))?;
    words::result(&(text + "\n"))
}

fn options(arguments: &InspectArguments) -> Options {
    Options {
        language: language(arguments),
        width: words::show::columns(),
        // What standard output is no terminal for, or nobody wants, is taken out where it is written.
        colour: true,
        detail: match arguments.detail {
            Detail::Brief => text::Detail::Brief,
            Detail::Steps => text::Detail::Steps,
            Detail::Fields => text::Detail::Fields,
            Detail::Octets => text::Detail::Octets,
        },
        secrets: if arguments.hide_secrets {
            Secrets::Hidden
        } else {
            Secrets::Shown
        },
    }
}

/// The language of everything that is told.
fn language(arguments: &InspectArguments) -> Language {
    match arguments.lang {
        Some(Tongue::En) => Language::English,
        Some(Tongue::Zh) => Language::Chinese,
        None => Language::from_locale(&locale()),
    }
}

/// What goes wrong, in that language.
fn errors(arguments: &InspectArguments) -> Errors {
    Errors::of(language(arguments))
}

/// The locale of messages, as POSIX finds it (base definitions, section 8.2).
fn locale() -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}

fn bounds(arguments: &InspectArguments) -> Bounds {
    Bounds {
        patience: arguments.timeout.map_or(PATIENCE, |span| span.0),
        octets: MOST_OCTETS,
    }
}

/// What is to be said of a connection that was looked at, where the answer is no. `name` is what was looked at.
fn outcome(story: &Story, name: &str, errors: Errors) -> Result<ExitCode, Failure> {
    if let Some(check) = refuted(story) {
        return Err(errors.does_not_hold(name, check));
    }
    if story.has_wrong_keys() {
        return Err(errors.wrong_keys());
    }
    Ok(ExitCode::SUCCESS)
}

/// The first of what was put to the test and came out wrong.
fn refuted(story: &Story) -> Option<&Check> {
    // Whom the server believes, our roots do not say.
    let own = Claim::Chain(Side::Client);
    let mut checks = story.checks.iter().filter(|check| check.claim != own);
    checks.find(|check| matches!(check.verdict, Verdict::Refuted(_)))
}

fn limits() -> Limits {
    Limits::default()
}

/// For finding, connecting and the handshake together, where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is read, and how much is recorded: a handshake with long chains, and the beginning of a page.
const MOST_OCTETS: usize = 1 << 20;
