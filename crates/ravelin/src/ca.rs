//! `ravelin ca`: the local root, who trusts it, and what was issued.

mod init;
mod inventory;
mod moving;
mod serve;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ravelin_certs::trust::{self, Outcome, TrustChange, TrustEnvironment};
use ravelin_certs::{FileStore, LocalAuthority, LocalError, LocalRoot};

use crate::arguments::HomeArgument;
use crate::arguments::ca::CaCommand;
use crate::failure::{ANSWER_IS_NO, Failure, LOCAL_FAILURE};
use crate::{passphrase, ravelin_home, words};

pub(crate) fn run(command: &CaCommand) -> Result<ExitCode, Failure> {
    let environment = TrustEnvironment::of_this_machine(|name| std::env::var_os(name));
    match command {
        CaCommand::Init(arguments) => init::run(arguments),
        CaCommand::List(arguments) => inventory::list(arguments),
        CaCommand::Revoke(arguments) => inventory::revoke(arguments),
        CaCommand::Crl(arguments) => inventory::crl(arguments),
        CaCommand::Serve(arguments) => serve::run(arguments),
        CaCommand::Audit(arguments) => inventory::audit(arguments),
        CaCommand::Rollover(arguments) => moving::rollover(arguments),
        CaCommand::Export(arguments) => moving::export(arguments),
        CaCommand::Import(arguments) => moving::import(arguments),
        CaCommand::Trust(home) => {
            let (root, created) = load_or_make(home)?;
            if created {
                words::root_made(&root);
            }
            let changes = trust::install(root.trusted(), &environment);
            words::trust_changes(&changes);
            words::restart_programs(&changes);
            Ok(outcome(&changes, &[Outcome::Added, Outcome::AlreadyThere]))
        }
        CaCommand::Untrust(home) => {
            let changes = trust::remove(load(home)?.trusted(), &environment);
            words::trust_changes(&changes);
            Ok(outcome(&changes, &[Outcome::Removed, Outcome::NotThere]))
        }
        CaCommand::Status(home) => {
            let root = load(home)?;
            let stores = trust::status(root.trusted(), &environment);
            words::trust_status(&root, &stores)?;
            Ok(outcome(&stores, &[Outcome::AlreadyThere]))
        }
        CaCommand::Root(home) => {
            words::result(&load(home)?.certificate.to_pem())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The root, made where there is none.
fn load_or_make(home: &HomeArgument) -> Result<(LocalRoot, bool), Failure> {
    let store = ravelin_home::open(home)?;
    // Not `LocalAuthority::open` at once: a root whose key was moved away can be trusted too.
    if let Some(root) = LocalRoot::load(&store).map_err(|error| failure(&error))? {
        return Ok((root, false));
    }
    LocalAuthority::open(&store, &[], SystemTime::now()).map_err(|error| failure(&error))?;
    let root = LocalRoot::load(&store).map_err(|error| failure(&error))?;
    root.map(|root| (root, true)).ok_or_else(|| none(home))
}

/// The root, if there is one: to look at it or take it away, none is made.
fn load(home: &HomeArgument) -> Result<LocalRoot, Failure> {
    let store = store(home)?;
    LocalRoot::load(&store)
        .map_err(|error| failure(&error))?
        .ok_or_else(|| none(home))
}

/// The CA with all that it does, if there is one.
fn load_authority(home: &HomeArgument) -> Result<LocalAuthority, Failure> {
    let store = store(home)?;
    LocalAuthority::load_with_tokens(&store, &passphrase::tokens())
        .map_err(|error| failure(&error))?
        .ok_or_else(|| none(home))
}

/// The store, where its folder is: looking makes none.
fn store(home: &HomeArgument) -> Result<FileStore, Failure> {
    if ravelin_home::folder(home)?.exists() {
        ravelin_home::open(home)
    } else {
        Err(none(home))
    }
}

fn none(home: &HomeArgument) -> Failure {
    let folder = ravelin_home::folder(home).unwrap_or_default();
    Failure::answer(format!("there is no local CA in \"{}\"", folder.display())).hint(
        "\"ravelin ca trust\" makes one, and so does the first \"ravelin serve\"; one that is \
         elsewhere is named with --home DIR"
            .to_owned(),
    )
}

/// What is in the way of the command, or wrong in the policy, is no fault of the machine.
fn failure(error: &LocalError) -> Failure {
    let failure = match error {
        LocalError::AlreadyThere { .. } | LocalError::Policy { .. } => {
            Failure::usage(crate::failure::chain(error))
        }
        LocalError::RolloverOpen { .. } => Failure::answer(crate::failure::chain(error)),
        _ => Failure::of(error),
    };
    failure.hint(error.hint())
}

/// The exit code: whether a store could not be used, or is not as was asked for.
fn outcome(stores: &[TrustChange], good: &[Outcome]) -> ExitCode {
    if stores
        .iter()
        .any(|store| matches!(store.outcome, Outcome::Failed { .. }))
    {
        ExitCode::from(LOCAL_FAILURE)
    } else if stores.iter().all(|store| {
        good.contains(&store.outcome) || matches!(store.outcome, Outcome::LeftAlone { .. })
    }) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ANSWER_IS_NO)
    }
}

/// A year of the Julian calendar.
const YEAR: Duration = Duration::from_secs(31_557_600);
