//! `ravelin seal encrypt`: with a passphrase, for recipients of age, or for certificates.

use std::path::Path;
use std::process::ExitCode;

use ravelin_pki::{Certificate, Passphrase, pem};
use ravelin_seal::age_file::{self, AgeError, Lock, Recipient};
use ravelin_seal::contents::pem_writer;
use ravelin_seal::envelope::{self, EnvelopeError};

use super::beside;
use super::place::{Destination, Source, Writing, check, refuse_terminal, unread, unwritten};
use super::plugins::plugins;
use crate::arguments::key::ProtectionArguments;
use crate::arguments::seal::SealEncryptArguments;
use crate::failure::{Failure, chain};
use crate::words::seal as say;
use crate::{key, passphrase};

pub(super) fn run(arguments: &SealEncryptArguments) -> Result<ExitCode, Failure> {
    let recipients = recipients(arguments)?;
    let mut source = Source::open(&arguments.file)?;
    let ending = match &recipients {
        Recipients::Certificates(_) => ".cms",
        _ => ".age",
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| beside(&arguments.file, ending));
    let writing = Writing {
        force: arguments.force,
        ..Writing::default()
    };
    check(&out, arguments.force)?;
    if !arguments.armor {
        refuse_terminal(&out)?;
    }
    let passphrase = match &recipients {
        Recipients::Passphrase => new_passphrase(arguments, source.what())?,
        _ => Passphrase::empty(),
    };
    let mut destination = Destination::open(&out, writing)?;
    match &recipients {
        Recipients::Passphrase => {
            let lock = Lock::Passphrase(&passphrase, arguments.work_factor);
            to_age(&lock, arguments, &mut source, &mut destination)?;
        }
        Recipients::Age(recipients) => {
            let lock = Lock::Recipients(recipients);
            to_age(&lock, arguments, &mut source, &mut destination)?;
        }
        Recipients::Certificates(certificates) => {
            to_certificates(certificates, arguments, &mut source, &mut destination)?;
        }
    }
    destination.finish()?;
    if !key::is_standard(&out) {
        say::encrypted(&out, &recipients);
    }
    Ok(ExitCode::SUCCESS)
}

fn new_passphrase(arguments: &SealEncryptArguments, what: &str) -> Result<Passphrase, Failure> {
    let place = ProtectionArguments {
        encrypt: true,
        new_passphrase_file: arguments.new_passphrase_file.clone(),
        new_passphrase_fd: arguments.new_passphrase_fd,
    };
    passphrase::of_new_required(&place, what)
}

/// For whom a file is.
pub(crate) enum Recipients {
    /// For whoever knows a passphrase.
    Passphrase,
    Age(Vec<Recipient>),
    Certificates(Vec<Certificate>),
}

fn recipients(arguments: &SealEncryptArguments) -> Result<Recipients, Failure> {
    let (mut keys, mut certificates) = (Vec::<Recipient>::new(), Vec::new());
    for who in &arguments.to {
        match who.to_str() {
            Some(text) if text.starts_with("age1") && !who.exists() => {
                keys.push(
                    text.parse()
                        .map_err(|error: AgeError| Failure::usage(error.to_string()))?,
                );
            }
            _ => of_file(who, &mut keys, &mut certificates)?,
        }
    }
    match (keys.is_empty(), certificates.is_empty()) {
        (true, true) if arguments.to.is_empty() => Ok(Recipients::Passphrase),
        (false, true) => {
            let plugins = plugins();
            let keys = keys.into_iter().map(|one| one.with_plugins(&plugins));
            Ok(Recipients::Age(keys.collect()))
        }
        (true, false) => Ok(Recipients::Certificates(certificates)),
        (true, true) => Err(Failure::usage("there is nobody in what --to names")),
        (false, false) => Err(Failure::usage(
            "one file cannot be for keys of age and for certificates",
        )
        .hint("encrypt it twice".to_owned())),
    }
}

/// Recipients of age, or the first certificate: those behind it are its issuers.
fn of_file(
    file: &Path,
    keys: &mut Vec<Recipient>,
    certificates: &mut Vec<Certificate>,
) -> Result<(), Failure> {
    let what = key::shown(file);
    let bytes = key::read_file(file)?;
    if let Ok(ders) = pem::certificates(&bytes) {
        let certificate = Certificate::from_der(&ders[0]).map_err(|error| {
            Failure::usage(format!(
                "cannot read a certificate from \"{what}\": {}",
                chain(&error)
            ))
        })?;
        envelope::check(&certificate).map_err(|error| {
            Failure::usage(format!("\"{what}\": {error}")).hint(error.hint().map(str::to_owned))
        })?;
        certificates.push(certificate);
        return Ok(());
    }
    let wrong = |why: String| {
        Failure::usage(format!(
            "\"{what}\" has neither a certificate nor recipients of age: {why}"
        ))
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is no text".to_owned()))?;
    keys.extend(Recipient::of_file(text).map_err(|error| wrong(error.to_string()))?);
    Ok(())
}

fn to_age(
    lock: &Lock<'_>,
    arguments: &SealEncryptArguments,
    source: &mut Source,
    destination: &mut Destination,
) -> Result<(), Failure> {
    age_file::encrypt(lock, arguments.armor, source, destination).map_err(|error| match &error {
        AgeError::Read(cause) => unread(source.what(), cause),
        AgeError::Write(cause) => unwritten(destination.what(), cause),
        AgeError::NoPlugin { .. } | AgeError::Plugin { .. } | AgeError::PluginBroken(_) => {
            Failure::local(format!("cannot encrypt \"{}\": {error}", source.what()))
        }
        _ => Failure::usage(error.to_string()),
    })
}

fn to_certificates(
    certificates: &[Certificate],
    arguments: &SealEncryptArguments,
    source: &mut Source,
    destination: &mut Destination,
) -> Result<(), Failure> {
    let sealed = if arguments.armor {
        let mut text = pem_writer("CMS", &mut *destination);
        envelope::seal(certificates, source, &mut text)
            .and_then(|()| text.finish().map_err(EnvelopeError::Write))
    } else {
        envelope::seal(certificates, source, destination)
    };
    sealed.map_err(|error| match &error {
        EnvelopeError::Read(cause) => unread(source.what(), cause),
        EnvelopeError::Write(cause) => unwritten(destination.what(), cause),
        _ => Failure::usage(error.to_string()).hint(error.hint().map(str::to_owned)),
    })
}
