//! `ravelin seal sign`: a signature beside a file.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_seal::signed::{self, SignedError};

use super::beside;
use super::place::{Destination, Source, Writing, refuse_terminal, unread, unwritten};
use crate::arguments::seal::SealSignArguments;
use crate::failure::{Failure, chain};
use crate::words::seal as say;
use crate::{cert, key};

pub(super) fn run(arguments: &SealSignArguments) -> Result<ExitCode, Failure> {
    let certificates = cert::certificates(&arguments.cert)?;
    let bytes = key::read_file(&arguments.key)?;
    let own = key::read_key(&arguments.key, &bytes, &arguments.passphrase)?;
    let mut source = Source::open(&arguments.file)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| beside(&arguments.file, ".p7s"));
    let writing = Writing {
        force: arguments.force,
        ..Writing::default()
    };
    if !arguments.pem {
        refuse_terminal(&out)?;
    }
    let mut destination = Destination::open(&out, writing)?;
    let signature =
        signed::sign(&mut source, &own, &certificates, SystemTime::now()).map_err(|error| {
            match &error {
                SignedError::Read(cause) => unread(source.what(), cause),
                SignedError::OtherKey { .. } => Failure::usage(error.to_string())
                    .hint("the first certificate in --cert must be the one of --key".to_owned()),
                _ => Failure::local(chain(&error)),
            }
        })?;
    let written = if arguments.pem {
        destination.write_all(signed::to_pem(&signature).as_bytes())
    } else {
        destination.write_all(&signature)
    };
    written.map_err(|error| unwritten(destination.what(), &error))?;
    destination.finish()?;
    if !key::is_standard(&out) {
        say::signed(&out, &certificates[0]);
    }
    Ok(ExitCode::SUCCESS)
}
