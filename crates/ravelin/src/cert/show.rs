//! `ravelin cert show`: what is in files, and what servers show. Nothing is verified.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_pki::contents::{self, Contents, Found, Item, Locked};
use ravelin_pki::{Certificate, Passphrase};

use crate::arguments::key::PassphraseArguments;
use crate::arguments::reading::CertShowArguments;
use crate::failure::{ANSWER_IS_NO, Failure};
use crate::words::show::{Connection, Limits, Source, Unread, json, locked_name, pages, pem};
use crate::{key, passphrase, words};

pub(super) mod connect;
pub(crate) mod target;

use target::Target;

pub(super) fn run(arguments: &CertShowArguments) -> Result<ExitCode, Failure> {
    // All are told apart before the first is read: a mistake costs no connection.
    let targets: Vec<Target> = arguments
        .targets
        .iter()
        .map(|target| Target::read(target))
        .collect::<Result<_, _>>()?;
    // One that cannot be read does not keep the others from being shown.
    let read: Vec<Result<Source, Unread>> = targets
        .into_iter()
        .map(|target| {
            let name = target.shown();
            source(target, arguments).map_err(|failure| Unread { name, failure })
        })
        .collect();
    let now = SystemTime::now();
    if arguments.json {
        json(&read, now)?;
    }
    let mut sources = Vec::new();
    let mut failures = Vec::new();
    for one in read {
        match one {
            Ok(source) => sources.push(source),
            Err(unread) => failures.push(unread.failure),
        }
    }
    if sources.is_empty() {
        return fail(failures);
    }
    if arguments.json {
        // All has been said.
    } else if arguments.pem {
        pem(&sources)?;
    } else {
        let limits = if arguments.all {
            Limits::NONE
        } else {
            Limits::USUAL
        };
        pages(&sources, limits, now)?;
    }
    if !failures.is_empty() {
        return fail(failures);
    }
    let mut items = sources.iter().flat_map(|source| &source.contents.items);
    if items.any(|found| found.item.is_faulty()) {
        return Ok(ExitCode::from(ANSWER_IS_NO));
    }
    Ok(ExitCode::SUCCESS)
}

fn source(target: Target, arguments: &CertShowArguments) -> Result<Source, Failure> {
    match target {
        Target::File(file) => Ok(Source {
            contents: read(&file, &arguments.passphrase)?,
            name: key::shown(&file),
            connection: None,
        }),
        Target::Server { host, port, name } => server(&host, port, name),
    }
}

/// Tells of all failures; the last one's exit code is the command's.
fn fail(mut failures: Vec<Failure>) -> Result<ExitCode, Failure> {
    let last = failures.pop();
    failures.iter().for_each(words::say_failure);
    last.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// What is in a file. What is encrypted and has no passphrase stays so, beside what is not.
pub(super) fn read(file: &Path, arguments: &PassphraseArguments) -> Result<Contents, Failure> {
    let bytes = key::read_file(file)?;
    let name = key::shown(file);
    let mut known: Option<Passphrase> = None;
    let mut failure: Option<Failure> = None;
    let mut ask = |what: Locked| {
        if known.is_none() && failure.is_none() {
            match passphrase::of_existing(arguments, &locked_name(what, &name)) {
                Ok(passphrase) => known = Some(passphrase),
                Err(error) => failure = Some(error),
            }
        }
        known.clone()
    };
    let contents = contents::read(&bytes, &mut ask).map_err(|error| {
        Failure::usage(format!("cannot use \"{name}\": {error}"))
            .hint(error.hint().map(str::to_owned))
    })?;
    let given = arguments.passphrase_file.is_some() || arguments.passphrase_fd.is_some();
    let only_locked = contents
        .items
        .iter()
        .all(|found| matches!(found.item, Item::Locked { .. }));
    match failure {
        Some(failure) if given || only_locked => Err(failure),
        _ => Ok(contents),
    }
}

fn server(host: &str, port: u16, name: String) -> Result<Source, Failure> {
    let (address, observation) = connect::observe(host, port)?;
    let items = observation
        .chain
        .iter()
        .map(|der| Found {
            line: None,
            item: match Certificate::from_der(der) {
                Ok(certificate) => Item::Certificate(Box::new(certificate)),
                Err(error) => Item::Damaged {
                    what: "certificate",
                    why: Box::new(error),
                    rather: None,
                },
            },
        })
        .collect();
    Ok(Source {
        name,
        contents: Contents { items },
        connection: Some(Connection {
            address: address.to_string(),
            observation,
        }),
    })
}
