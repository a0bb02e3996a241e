//! `ravelin key`, and how passphrases are given.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ravelin_pki::{KeyForm, KeyType};

/// Make, show and convert private keys
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    ravelin key new server.key\n  \
    ravelin key show server.key\n  \
    ravelin key convert server.key --form sec1 legacy.key")]
pub(crate) enum KeyCommand {
    New(KeyNewArguments),
    Show(KeyShowArguments),
    Convert(KeyConvertArguments),
}

/// Make a private key, in a file of mode 0600
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin key new server.key\n  \
    ravelin key new --type rsa3072 --encrypt archive.key")]
pub(crate) struct KeyNewArguments {
    /// The file to write; - for standard output
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The kind of key: p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, mldsa44, mldsa65 or
    /// mldsa87
    #[arg(long = "type", short, value_name = "TYPE", default_value = "p256")]
    pub(crate) key_type: KeyType,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) protection: ProtectionArguments,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Show what kind of key a file holds, and nothing secret of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin key show server.key\n  \
    ravelin key show --public server.key > server.pub")]
pub(crate) struct KeyShowArguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print the public half in PEM instead
    #[arg(long, conflicts_with = "json")]
    pub(crate) public: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Write a key in another form, or under another passphrase
///
/// Reads PKCS#8, SEC1 and PKCS#1, in PEM or DER, encrypted or not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin key convert --form pkcs8 old.key new.key\n  \
    ravelin key convert --encrypt server.key archive.key\n  \
    ravelin key convert --passphrase-file secret.txt archive.key server.key")]
pub(crate) struct KeyConvertArguments {
    /// The key to read; - for standard input
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// The file to write; - for standard output
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    #[command(flatten)]
    pub(crate) protection: ProtectionArguments,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// How a key is written.
#[derive(Debug, Args)]
pub(crate) struct FormArguments {
    /// The form: pkcs8 for all, sec1 for ECDSA, pkcs1 for RSA
    #[arg(long, value_name = "FORM", default_value = "pkcs8")]
    pub(crate) form: Form,
    /// Write DER in place of PEM
    #[arg(long)]
    pub(crate) der: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    Pkcs8,
    Sec1,
    Pkcs1,
}

impl From<Form> for KeyForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Pkcs8 => Self::Pkcs8,
            Form::Sec1 => Self::Sec1,
            Form::Pkcs1 => Self::Pkcs1,
        }
    }
}

/// Where the passphrase of what is read comes from. It is never an argument: those can be seen by
/// everyone on the machine.
#[derive(Debug, Args, Default)]
pub(crate) struct PassphraseArguments {
    /// Take the passphrase from the first line of this file [default: it is asked for]
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Take it from the first line of this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

/// Where the passphrase of what is written comes from.
#[derive(Debug, Args, Default)]
pub(crate) struct ProtectionArguments {
    /// Encrypt the key with a passphrase, which is asked for
    #[arg(long)]
    pub(crate) encrypt: bool,
    /// Encrypt it with the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_fd")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// Encrypt it with the first line of this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) new_passphrase_fd: Option<u32>,
}
