//! The folder that everything durable is kept in.

use ravelin_certs::{FileStore, store};

use crate::arguments::HomeArgument;
use crate::failure::Failure;

/// Opens the store in the folder that was named, or in the user's own.
pub(crate) fn open(argument: &HomeArgument) -> Result<FileStore, Failure> {
    let home = match &argument.home {
        Some(home) => home.clone(),
        None => store::default_home(|name| std::env::var_os(name))
            .map_err(|error| Failure::of(&error).hint(error.hint()))?,
    };
    FileStore::open(home).map_err(|error| Failure::of(&error).hint(error.hint()))
}
