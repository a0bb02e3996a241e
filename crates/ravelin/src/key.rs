//! `ravelin key`: private keys, made, shown and converted.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use ravelin_certs::store::{NewFile, shell_word, write_together};
use ravelin_pki::encrypted_key::{self, EncryptedKeyError};
use ravelin_pki::{Derivation, KeyForm, Passphrase, PrivateKey, PrivateKeyDer, pem};

use crate::arguments::key::{
    FormArguments, KeyCommand, KeyConvertArguments, KeyNewArguments, KeyShowArguments,
    PassphraseArguments,
};
use crate::failure::Failure;
use crate::{passphrase, words};

pub(crate) fn run(command: &KeyCommand) -> Result<ExitCode, Failure> {
    match command {
        KeyCommand::New(arguments) => new(arguments),
        KeyCommand::Show(arguments) => show(arguments),
        KeyCommand::Convert(arguments) => convert(arguments),
    }
}

fn new(arguments: &KeyNewArguments) -> Result<ExitCode, Failure> {
    let key = PrivateKey::generate_of(arguments.key_type).map_err(|error| Failure::of(&error))?;
    let protection = passphrase::of_new(&arguments.protection, &shown(&arguments.file))?;
    let bytes = written(&key, &arguments.form, protection.as_ref())?;
    put(&arguments.file, &bytes, arguments.force)?;
    if !is_standard(&arguments.file) {
        words::key::made(&key, &arguments.file, protection.is_some());
    }
    Ok(ExitCode::SUCCESS)
}

fn show(arguments: &KeyShowArguments) -> Result<ExitCode, Failure> {
    let bytes = read_file(&arguments.file)?;
    let encrypted = encrypted_key::is_encrypted(&bytes);
    let key = read_key(&arguments.file, &bytes, &arguments.passphrase)?;
    if arguments.public {
        words::result(&pem::encode("PUBLIC KEY", key.public_key().der()))?;
    } else if arguments.json {
        words::key::json(&key, encrypted)?;
    } else {
        words::key::page(&key, encrypted)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn convert(arguments: &KeyConvertArguments) -> Result<ExitCode, Failure> {
    let bytes = read_file(&arguments.input)?;
    let key = read_key(&arguments.input, &bytes, &arguments.passphrase)?;
    let protection = passphrase::of_new(&arguments.protection, &shown(&arguments.output))?;
    let bytes = written(&key, &arguments.form, protection.as_ref())?;
    put(&arguments.output, &bytes, arguments.force)?;
    if !is_standard(&arguments.output) {
        words::key::converted(&key, &arguments.output, protection.is_some());
    }
    Ok(ExitCode::SUCCESS)
}

/// A key in a form, under a passphrase where there is one.
pub(crate) fn written(
    key: &PrivateKey,
    form: &FormArguments,
    passphrase: Option<&Passphrase>,
) -> Result<Vec<u8>, Failure> {
    let wanted = KeyForm::from(form.form);
    let der = key.to_der(wanted).map_err(|error| {
        Failure::usage(error.to_string()).hint("--form pkcs8 is for keys of all kinds".to_owned())
    })?;
    match passphrase {
        Some(passphrase) => encrypt(&der, form, passphrase),
        None if form.der => Ok(der.secret_der().to_vec()),
        None => {
            let label = match wanted {
                KeyForm::Pkcs8 => "PRIVATE KEY",
                KeyForm::Sec1 => "EC PRIVATE KEY",
                KeyForm::Pkcs1 => "RSA PRIVATE KEY",
            };
            Ok(pem::encode(label, der.secret_der()).into_bytes())
        }
    }
}

fn encrypt(
    der: &PrivateKeyDer<'static>,
    form: &FormArguments,
    passphrase: &Passphrase,
) -> Result<Vec<u8>, Failure> {
    let PrivateKeyDer::Pkcs8(pkcs8) = der else {
        return Err(Failure::usage(
            "keys in the forms SEC1 and PKCS#1 are not encrypted: that was MD5",
        )
        .hint("leave --form out".to_owned()));
    };
    let encrypted = if form.der {
        encrypted_key::encrypt(pkcs8, passphrase, Derivation::default())
    } else {
        encrypted_key::encrypt_to_pem(pkcs8, passphrase, Derivation::default())
            .map(String::into_bytes)
    };
    encrypted.map_err(|error| Failure::of(&error))
}

/// A key from a file, for whose passphrase is asked where it has one.
pub(crate) fn read_key(
    file: &Path,
    bytes: &[u8],
    arguments: &PassphraseArguments,
) -> Result<PrivateKey, Failure> {
    let what = shown(file);
    if !encrypted_key::is_encrypted(bytes) {
        return PrivateKey::from_pem(bytes)
            .map_err(|error| Failure::usage(format!("cannot use the key in \"{what}\": {error}")));
    }
    let passphrase = passphrase::of_existing(arguments, &what)?;
    let der = encrypted_key::decrypt(bytes, &passphrase).map_err(|error| {
        let failure = match error {
            EncryptedKeyError::WrongPassphrase => Failure::answer(format!("\"{what}\": {error}")),
            _ => Failure::usage(format!("cannot use the key in \"{what}\": {error}")),
        };
        failure.hint(error.hint().map(str::to_owned))
    })?;
    PrivateKey::from_der(&der)
        .map_err(|error| Failure::usage(format!("cannot use the key in \"{what}\": {error}")))
}

/// A file that somebody named, or standard input.
pub(crate) fn read_file(file: &Path) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let read = if is_standard(file) {
        std::io::stdin()
            .lock()
            .take(LONGEST + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
    };
    let file = shown(file);
    match read {
        Err(source) => Err(ReadError::Io { file, source }),
        Ok(_) if bytes.len() as u64 > LONGEST => Err(ReadError::TooLong { file }),
        Ok(_) => Ok(bytes),
    }
}

/// A file that somebody named cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The system refuses.
    #[error("cannot read \"{file}\"")]
    Io {
        file: String,
        source: std::io::Error,
    },
    /// It is longer than any of its kind.
    #[error("\"{file}\" is longer than {} MiB, which no key or certificate is", LONGEST >> 20)]
    TooLong { file: String },
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { .. } => Self::of(&error),
            ReadError::TooLong { .. } => Self::usage(error.to_string()),
        }
    }
}

/// Writes a key where it was asked for, or to standard output.
fn put(file: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if is_standard(file) {
        return words::result_bytes(bytes);
    }
    let new = NewFile {
        path: file.to_owned(),
        bytes,
        private: true,
    };
    write_together(&[new], force).map_err(|error| {
        let hint = match &error {
            ravelin_certs::StoreError::AlreadyThere { path } => Some(format!(
                "to replace it, add --force; to see what it is: ravelin key show {}",
                shell_word(path)
            )),
            other => other.hint(),
        };
        Failure::of(&error).hint(hint)
    })
}

/// What messages call a file.
pub(crate) fn shown(file: &Path) -> String {
    if is_standard(file) {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

pub(crate) fn is_standard(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// The largest files that there are, bundles of thousands of certificates and CRLs, are smaller.
const LONGEST: u64 = 256 << 20;
