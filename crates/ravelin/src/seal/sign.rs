//! `ravelin seal sign`: a signature beside a file, by a key that is in another or in a token.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use ravelin_certs::token::{TokenError, TokenKey, TokenUri, TokenUriError};
use ravelin_pki::{Certificate, Signer};
use ravelin_seal::signed::{self, SignedError};

use super::beside;
use super::place::{Destination, Source, Writing, refuse_terminal, unread, unwritten};
use crate::arguments::seal::SealSignArguments;
use crate::failure::{Failure, chain};
use crate::words::seal as say;
use crate::{cert, key, passphrase};

pub(super) fn run(arguments: &SealSignArguments) -> Result<ExitCode, Failure> {
    let certificates = cert::certificates(&arguments.cert)?;
    let own = signer(arguments, &certificates)?;
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
        signed::sign(&mut source, &*own, &certificates, SystemTime::now()).map_err(|error| {
            match &error {
                SignedError::Read(cause) => unread(source.what(), cause),
                SignedError::OtherKey { .. } => other_key(&error),
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

/// The key: from a file, or in a token, which is not asked for its public half, since the certificate has it.
fn signer(
    arguments: &SealSignArguments,
    certificates: &[Certificate],
) -> Result<Box<dyn Signer>, Failure> {
    let (Some(text), [own, ..]) = (token(&arguments.key), certificates) else {
        let bytes = key::read_file(&arguments.key)?;
        let own = key::read_key(&arguments.key, &bytes, &arguments.passphrase)?;
        return Ok(Box::new(own));
    };
    let uri: TokenUri = text
        .parse()
        .map_err(|error: TokenUriError| Failure::usage(chain(&error)).hint(error.hint()))?;
    let key = TokenKey::expected(&passphrase::tokens(), &uri, own.public_key().clone());
    key.ready().map_err(|error| match &error {
        TokenError::OtherKey { .. } => other_key(&error),
        _ => Failure::of(&error).hint(error.hint()),
    })?;
    Ok(Box::new(key))
}

fn other_key(error: &dyn Error) -> Failure {
    let hint = "the first certificate in --cert must be the one of --key";
    Failure::usage(error.to_string()).hint(hint.to_owned())
}

/// The URI, where a key is named by one.
fn token(key: &Path) -> Option<&str> {
    key.to_str().filter(|text| text.starts_with("pkcs11:"))
}
