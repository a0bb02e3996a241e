//! `ravelin seal decrypt`: age files, CMS of certificates, and what openssl enc made.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ravelin_pki::{PrivateKey, encrypted_key};
use ravelin_seal::age_file::{AgeError, AgeFile, Identities, Opener};
use ravelin_seal::contents::{Contents, pem_body};
use ravelin_seal::envelope::{self, EnvelopeError};
use ravelin_seal::openssl_enc::{self, OpensslEncError};
use zeroize::Zeroizing;

use super::place::{Destination, Source, Writing, check, unread, unwritten};
use super::plugins::plugins;
use crate::arguments::seal::SealDecryptArguments;
use crate::failure::Failure;
use crate::words::seal as say;
use crate::{key, passphrase};

pub(super) fn run(arguments: &SealDecryptArguments) -> Result<ExitCode, Failure> {
    let mut source = Source::open(&arguments.file)?;
    let contents = source.contents()?;
    let out = out(arguments)?;
    check(&out, arguments.force)?;
    match (contents, arguments.openssl_enc) {
        (Some(Contents::OpensslEnc), true) => from_openssl(arguments, source, &out)?,
        (Some(Contents::OpensslEnc), false) => {
            return Err(Failure::usage(format!(
                "\"{}\" was made by openssl enc, and nothing in it tells whether it was changed",
                source.what()
            ))
            .hint("to open it all the same, add --openssl-enc".to_owned()));
        }
        (Some(Contents::Age), false) => from_age(arguments, source, &out)?,
        (Some(Contents::Cms | Contents::CmsPem), false) => {
            from_cms(arguments, source, contents == Some(Contents::CmsPem), &out)?;
        }
        (_, true) => {
            let why = OpensslEncError::OtherFormat;
            return Err(Failure::usage(format!("\"{}\": {why}", source.what())));
        }
        (None, false) => {
            return Err(Failure::usage(format!(
                "\"{}\" is neither an age file nor CMS",
                source.what()
            )));
        }
    }
    if !key::is_standard(&out) {
        say::decrypted(&out);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the content goes: to the name that the file had before it was encrypted.
fn out(arguments: &SealDecryptArguments) -> Result<PathBuf, Failure> {
    let file = &arguments.file;
    match &arguments.out {
        Some(out) => Ok(out.clone()),
        None if key::is_standard(file) => Ok(PathBuf::from("-")),
        None => match file.extension().and_then(|ending| ending.to_str()) {
            Some("age" | "cms" | "enc" | "p7m") => Ok(file.with_extension("")),
            _ => Err(Failure::usage(format!(
                "the name of \"{}\" does not say what its content is called",
                key::shown(file)
            ))
            .hint("say where to write with --out FILE, or --out - for standard output".to_owned())),
        },
    }
}

fn destination(
    arguments: &SealDecryptArguments,
    out: &Path,
    held: bool,
) -> Result<Destination, Failure> {
    let writing = Writing {
        force: arguments.force,
        private: true,
        held,
    };
    Destination::open(out, writing)
}

fn from_age(arguments: &SealDecryptArguments, source: Source, out: &Path) -> Result<(), Failure> {
    let what = source.what().to_owned();
    let failed = |error: AgeError, written: &str| match &error {
        AgeError::Read(cause) => unread(&what, cause),
        AgeError::Write(cause) => unwritten(written, cause),
        AgeError::NoPlugin { .. } | AgeError::PluginBroken(_) => {
            Failure::local(format!("cannot decrypt \"{what}\": {error}"))
        }
        _ => Failure::answer(format!("cannot decrypt \"{what}\": {error}")),
    };
    let file = AgeFile::read(source).map_err(|error| failed(error, ""))?;
    // What comes out of an age file is genuine as far as it comes.
    let open = || destination(arguments, out, false);
    let (opened, destination) = if file.wants_passphrase() {
        let passphrase = passphrase::of_existing(&arguments.passphrase, &what)?;
        let mut destination = open()?;
        let opener = Opener::Passphrase(&passphrase);
        (file.decrypt(&opener, &mut destination), destination)
    } else {
        let identities = identities(arguments, &what)?;
        let mut destination = open()?;
        let opener = Opener::Identities(&identities);
        (file.decrypt(&opener, &mut destination), destination)
    };
    opened.map_err(|error| failed(error, destination.what()))?;
    destination.finish()
}

fn identities(arguments: &SealDecryptArguments, what: &str) -> Result<Identities, Failure> {
    let mut text = Zeroizing::new(String::new());
    for file in need_keys(arguments, what)? {
        let mut bytes = Zeroizing::new(key::read_file(file)?);
        if Contents::of(&bytes) == Some(Contents::Age) {
            bytes = unlocked(arguments, file, &bytes)?;
        }
        let wrong = |why: &str| unusable(file, why);
        let one = std::str::from_utf8(&bytes).map_err(|_| wrong("it is no text"))?;
        Identities::of_file(one).map_err(|error| wrong(&error.to_string()))?;
        text.push_str(one);
        text.push('\n');
    }
    let identities =
        Identities::of_file(&text).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(identities.with_plugins(&plugins()))
}

/// What is in a file of identities that is itself an age file, under a passphrase.
fn unlocked(
    arguments: &SealDecryptArguments,
    file: &Path,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let wrong = |error: AgeError| match error {
        AgeError::WrongPassphrase => Failure::answer(format!("\"{}\": {error}", key::shown(file))),
        _ => unusable(file, &error.to_string()),
    };
    let locked = AgeFile::read(bytes).map_err(wrong)?;
    if !locked.wants_passphrase() {
        return Err(unusable(file, "it is itself encrypted for keys"));
    }
    let passphrase = passphrase::of_existing(&arguments.passphrase, &key::shown(file))?;
    let mut text = Zeroizing::new(Vec::new());
    let opener = Opener::Passphrase(&passphrase);
    locked.decrypt(&opener, &mut *text).map_err(wrong)?;
    Ok(text)
}

fn unusable(file: &Path, why: &str) -> Failure {
    let file = key::shown(file);
    Failure::usage(format!("cannot use the key in \"{file}\": {why}"))
}

fn need_keys<'a>(
    arguments: &'a SealDecryptArguments,
    what: &str,
) -> Result<&'a [PathBuf], Failure> {
    if arguments.key.is_empty() {
        return Err(Failure::usage(format!(
            "\"{what}\" is encrypted for keys, and none is given"
        ))
        .hint("name the file with yours: --key FILE".to_owned()));
    }
    Ok(&arguments.key)
}

fn from_cms(
    arguments: &SealDecryptArguments,
    source: Source,
    armoured: bool,
    out: &Path,
) -> Result<(), Failure> {
    let what = source.what().to_owned();
    let [file] = need_keys(arguments, &what)? else {
        return Err(Failure::usage("CMS is opened with one key at a time"));
    };
    let own = private_key(arguments, file)?;
    // The one tag that says whether it is genuine comes last.
    let mut destination = destination(arguments, out, true)?;
    let mut source = BufReader::with_capacity(BUFFER, source);
    let opened = if armoured {
        let mut body = BufReader::with_capacity(BUFFER, pem_body(&mut source));
        envelope::open(&mut body, &own, &mut destination)
    } else {
        envelope::open(&mut source, &own, &mut destination)
    };
    opened.map_err(|error| match &error {
        EnvelopeError::Read(cause) => unread(&what, cause),
        EnvelopeError::Write(cause) => unwritten(destination.what(), cause),
        _ => Failure::answer(format!("cannot decrypt \"{what}\": {error}"))
            .hint(error.hint().map(str::to_owned)),
    })?;
    destination.finish()
}

fn private_key(arguments: &SealDecryptArguments, file: &Path) -> Result<PrivateKey, Failure> {
    let bytes = Zeroizing::new(key::read_file(file)?);
    if !encrypted_key::is_encrypted(&bytes)
        && bytes.windows(14).any(|part| part == b"AGE-SECRET-KEY")
    {
        return Err(Failure::usage(format!(
            "\"{}\" is a key of age, and CMS asks for the private key of a certificate",
            key::shown(file)
        )));
    }
    key::read_key(file, &bytes, &arguments.passphrase)
}

fn from_openssl(
    arguments: &SealDecryptArguments,
    mut source: Source,
    out: &Path,
) -> Result<(), Failure> {
    let passphrase = passphrase::of_existing(&arguments.passphrase, source.what())?;
    let mut destination = destination(arguments, out, true)?;
    let options = arguments.openssl_options();
    openssl_enc::decrypt(options, &passphrase, &mut source, &mut destination).map_err(|error| {
        match &error {
            OpensslEncError::Read(cause) => unread(source.what(), cause),
            OpensslEncError::Write(cause) => unwritten(destination.what(), cause),
            _ => Failure::answer(format!("cannot decrypt \"{}\": {error}", source.what()))
                .hint(matches!(error, OpensslEncError::WrongPassphrase).then(|| {
                "say how it was made: --cipher, --md and --iter are openssl's; without -pbkdf2 it \
                     cannot be opened"
                    .to_owned()
            })),
        }
    })?;
    destination.finish()
}

const BUFFER: usize = 256 << 10;
