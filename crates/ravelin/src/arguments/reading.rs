//! `ravelin cert show` and `ravelin cert convert`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ravelin_pki::keystore::Pkcs12For;

use super::key::{PassphraseArguments, ProtectionArguments};

/// Show what is in a file, or what a server shows
///
/// Reads certificates, requests, CRLs, OCSP messages, keys, PKCS#7, PKCS#12 and Java keystores, in
/// PEM, DER or bare base64. Nothing is verified: that is what "ravelin cert verify" does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert show fullchain.pem\n  \
    ravelin cert show example.org:443\n  \
    ravelin cert show --json keystore.p12 --passphrase-file secret.txt\n  \
    ravelin cert show --pem example.org > chain.pem")]
pub(crate) struct CertShowArguments {
    /// A file, - for standard input, or a server: HOST:PORT, HOST or https://HOST
    #[arg(value_name = "WHAT", required = true)]
    pub(crate) targets: Vec<OsString>,
    /// Print JSON (docs/certificates.md names its fields)
    #[arg(long, conflicts_with = "pem")]
    pub(crate) json: bool,
    /// Print the certificates in PEM, and nothing else
    #[arg(long)]
    pub(crate) pem: bool,
    /// Leave nothing out, however long it gets
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Write certificates and keys in another format
///
/// The ending of OUT says which: .pem, .crt, .der, .p7b, .p7c, .p12, .pfx or .jks. Chains are put in
/// order, keys are checked against their certificates, and files with keys are yours alone to read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert convert keystore.p12 server.pem\n  \
    ravelin cert convert fullchain.pem privkey.pem server.p12 --for windows\n  \
    ravelin cert convert --to der ca.pem ca.crt")]
pub(crate) struct CertConvertArguments {
    /// The files to read; - for standard input
    #[arg(value_name = "IN", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// The file to write; - for standard output
    #[arg(value_name = "OUT", required = true)]
    pub(crate) output: PathBuf,
    /// The format to write [default: what the ending of OUT says]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Option<Format>,
    /// Who is to read a PKCS#12 file
    #[arg(long = "for", value_name = "WHO", default_value = "openssl3")]
    pub(crate) reader: Reader,
    /// The private key, where it is in a file of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The name of the key in a keystore [default: the one it has, or the certificate's]
    #[arg(long, value_name = "NAME")]
    pub(crate) alias: Option<String>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    #[command(flatten)]
    pub(crate) protection: ProtectionArguments,
    /// Replace OUT if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// PEM: keys, then certificates, leaf first
    Pem,
    /// DER: one certificate, request, CRL or key
    Der,
    /// PKCS#7 in PEM: certificates and CRLs
    P7b,
    /// PKCS#7 in DER
    P7c,
    /// PKCS#12: keys and certificates under a passphrase
    P12,
    /// Java's own format of old
    Jks,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Reader {
    /// OpenSSL 3 and all that is up to date
    Openssl3,
    /// The keychain of macOS and iOS, OpenSSL 1, Windows Server 2016
    Macos,
    /// Windows 10, Server 2019 and later
    Windows,
    /// Java 8u301, 11.0.12, 17 and later
    Java,
}

impl From<Reader> for Pkcs12For {
    fn from(reader: Reader) -> Self {
        match reader {
            Reader::Openssl3 => Self::OpenSsl3,
            Reader::Macos => Self::MacOs,
            Reader::Windows => Self::Windows,
            Reader::Java => Self::Java,
        }
    }
}
