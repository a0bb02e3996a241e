//! `ravelin ca`: the local root, and who trusts it.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::trust::{self, Outcome, TrustEnvironment, TrustedRoot};
use ravelin_certs::LocalAuthority;

use crate::arguments::{CaCommand, HomeArgument};
use crate::failure::{ANSWER_IS_NO, Failure};
use crate::{ravelin_home, words};

pub(crate) fn run(command: &CaCommand) -> Result<ExitCode, Failure> {
    match command {
        CaCommand::Root(home) => {
            words::result(&open(home)?.root_pem());
            Ok(ExitCode::SUCCESS)
        }
        CaCommand::Trust(home) => {
            let authority = open(home)?;
            let changes = with_root(&authority, |root, place| trust::install(root, place));
            Ok(report(&changes))
        }
        CaCommand::Untrust(home) => {
            let authority = open(home)?;
            let changes = with_root(&authority, |root, place| trust::remove(root, place));
            Ok(report(&changes))
        }
    }
}

fn open(home: &HomeArgument) -> Result<LocalAuthority, Failure> {
    let store = ravelin_home::open(home)?;
    LocalAuthority::open(&store, &[], SystemTime::now())
        .map_err(|error| Failure::of(&error).hint(error.hint()))
}

fn with_root<T>(
    authority: &LocalAuthority,
    act: impl FnOnce(TrustedRoot<'_>, &TrustEnvironment) -> T,
) -> T {
    let file = authority.root_location();
    let root =
        TrustedRoot { certificate: authority.root_certificate(), file: Path::new(&file) };
    act(root, &TrustEnvironment::of_this_machine(|name| std::env::var_os(name)))
}

fn report(changes: &[trust::TrustChange]) -> ExitCode {
    words::trust_changes(changes);
    let failed = changes.iter().any(|change| matches!(change.outcome, Outcome::Failed { .. }));
    if failed { ExitCode::from(ANSWER_IS_NO) } else { ExitCode::SUCCESS }
}
