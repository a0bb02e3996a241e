//! `ravelin seal`: files hashed, encrypted and signed.

mod decrypt;
mod encrypt;
mod hash;
mod place;
mod plugins;
mod random;
mod sign;
mod verify;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) use encrypt::Recipients;
pub(crate) use hash::Tally;

use crate::arguments::seal::SealCommand;
use crate::failure::Failure;
use crate::key;

pub(crate) fn run(command: &SealCommand) -> Result<ExitCode, Failure> {
    match command {
        SealCommand::Hash(arguments) => hash::run(arguments),
        SealCommand::Encrypt(arguments) => encrypt::run(arguments),
        SealCommand::Decrypt(arguments) => decrypt::run(arguments),
        SealCommand::Sign(arguments) => sign::run(arguments),
        SealCommand::Verify(arguments) => verify::run(arguments),
        SealCommand::Random(arguments) => random::run(arguments),
    }
}

/// Where the result goes that was not said: beside the file, or to where standard input's goes.
fn beside(file: &Path, ending: &str) -> PathBuf {
    if key::is_standard(file) {
        return PathBuf::from("-");
    }
    let mut name = OsString::from(file);
    name.push(ending);
    PathBuf::from(name)
}
