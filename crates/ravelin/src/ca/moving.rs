//! `ravelin ca rollover`, `export` and `import`: a new root, and a CA in another place.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::LocalAuthority;
use ravelin_certs::local::{ExportError, NewRoot};
use ravelin_certs::store::{NewFile, write_together};
use ravelin_certs::trust::{self, TrustEnvironment, TrustedRoot};
use ravelin_pki::KeyType;

use super::{YEAR, failure, load_authority, none};
use crate::arguments::ca::{CaExportArguments, CaImportArguments, CaRolloverArguments};
use crate::failure::Failure;
use crate::{key, passphrase, ravelin_home, words};

pub(super) fn rollover(arguments: &CaRolloverArguments) -> Result<ExitCode, Failure> {
    let authority = load_authority(&arguments.home)?;
    let store = ravelin_home::open(&arguments.home)?;
    if arguments.finish {
        let former = LocalAuthority::finish_rollover(&store).map_err(|error| failure(&error))?;
        let environment = TrustEnvironment::of_this_machine(|name| std::env::var_os(name));
        for (root, location) in &former {
            let root = TrustedRoot {
                certificate: root,
                file: Path::new(location),
            };
            words::trust_changes(&trust::remove(root, &environment));
        }
        words::ca::rollover_finished(&former);
        return Ok(ExitCode::SUCCESS);
    }
    let old_key = authority.root_certificate().public_key().key_type();
    let new = NewRoot {
        key_type: arguments.key_type.or(old_key).unwrap_or(KeyType::EcdsaP256),
        life: YEAR * arguments.years,
    };
    let rollover = LocalAuthority::rollover(&store, &passphrase::tokens(), new, SystemTime::now())
        .map_err(|error| failure(&error))?
        .ok_or_else(|| none(&arguments.home))?;
    words::ca::rolled_over(&rollover, store.folder());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn export(arguments: &CaExportArguments) -> Result<ExitCode, Failure> {
    let authority = load_authority(&arguments.home)?;
    let what = key::shown(&arguments.file);
    let passphrase = passphrase::of_new_required(&arguments.protection, &what)?;
    let bytes = authority
        .export(&passphrase, SystemTime::now())
        .map_err(|error| of_export(&error, &arguments.file))?;
    let new = NewFile {
        path: arguments.file.clone(),
        bytes: &bytes,
        private: true,
    };
    write_together(&[new], arguments.force)
        .map_err(|error| Failure::of(&error).hint(error.hint()))?;
    words::ca::exported(&arguments.file, authority.root_certificate());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn import(arguments: &CaImportArguments) -> Result<ExitCode, Failure> {
    let bytes = key::read_file(&arguments.file)?;
    let what = key::shown(&arguments.file);
    let passphrase = passphrase::of_existing(&arguments.passphrase, &what)?;
    let store = ravelin_home::open(&arguments.home)?;
    let authority = LocalAuthority::import(&store, &bytes, &passphrase, SystemTime::now())
        .map_err(|error| of_export(&error, &arguments.file))?;
    words::ca::imported(authority.root_certificate(), store.folder());
    Ok(ExitCode::SUCCESS)
}

fn of_export(error: &ExportError, file: &Path) -> Failure {
    let file = file.display();
    let failure = match error {
        ExportError::WrongPassphrase => Failure::answer(format!("\"{file}\": {error}")),
        ExportError::Format | ExportError::Newer => {
            Failure::usage(format!("cannot read \"{file}\": {error}"))
        }
        ExportError::AlreadyThere { .. } | ExportError::Remains { .. } => {
            Failure::usage(error.to_string())
        }
        ExportError::Local(local) => failure(local),
        ExportError::Store(_) | ExportError::Randomness => Failure::of(error),
    };
    failure.hint(error.hint())
}
