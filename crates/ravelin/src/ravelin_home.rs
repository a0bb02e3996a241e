//! The folder that everything durable is kept in.

use std::path::PathBuf;

use ravelin_certs::{FileStore, store};

use crate::arguments::HomeArgument;
use crate::failure::Failure;

/// Opens the store in the folder that was named, or in the user's own.
pub(crate) fn open(argument: &HomeArgument) -> Result<FileStore, Failure> {
    FileStore::open(folder(argument)?).map_err(|error| Failure::of(&error).hint(error.hint()))
}

/// The same, where the folder is there: looking makes none. Where nobody can say which folder it would
/// be, there is none.
pub(crate) fn open_if_there(argument: &HomeArgument) -> Result<Option<FileStore>, Failure> {
    if folder(argument).is_ok_and(|folder| folder.exists()) {
        open(argument).map(Some)
    } else {
        Ok(None)
    }
}

/// That folder, whether it is there or not.
pub(crate) fn folder(argument: &HomeArgument) -> Result<PathBuf, Failure> {
    match &argument.home {
        Some(home) => Ok(home.clone()),
        None => store::default_home(|name| std::env::var_os(name))
            .map_err(|error| Failure::of(&error).hint(error.hint())),
    }
}
