//! `ravelin ca`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use ravelin_certs::journal::event::RevocationReason;
use ravelin_certs::token::TokenUri;
use ravelin_pki::KeyType;
use ravelin_pki::constraints::Subtree;

use super::HomeArgument;
use super::key::{PassphraseArguments, ProtectionArguments};
use crate::listen_on::ListenOn;

/// Run a CA of your own: make it, have it trusted, see and revoke what it issued
///
/// The local CA makes the certificates of private names. It is made on first use, on this machine,
/// and may sign for private names and addresses alone, unless "ravelin ca init" made it otherwise.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    ravelin ca trust              # browsers and curl accept the local certificates\n  \
    ravelin ca status             # who trusts them already?\n  \
    ravelin ca list --expiring 30d")]
pub(crate) enum CaCommand {
    Init(Box<CaInitArguments>),
    List(CaListArguments),
    Revoke(CaRevokeArguments),
    Crl(CaCrlArguments),
    Serve(CaServeArguments),
    Audit(CaAuditArguments),
    Rollover(CaRolloverArguments),
    Export(CaExportArguments),
    Import(CaImportArguments),
    /// Put the local root into the trust stores of this system, its browsers and Java
    ///
    /// Makes the local CA where there is none yet. What needs more rights than yours is reported
    /// with the command that does it.
    #[command(after_help = "Examples:\n  \
        ravelin ca trust\n  \
        ravelin ca trust --home /srv/ravelin")]
    Trust(HomeArgument),
    /// Take the local root out of them again
    #[command(after_help = "Examples:\n  \
        ravelin ca untrust\n  \
        ravelin ca untrust --home /srv/ravelin")]
    Untrust(HomeArgument),
    /// Show the local root and which stores trust it
    ///
    /// The exit code is 1 where one of them does not.
    #[command(after_help = "Examples:\n  \
        ravelin ca status\n  \
        ravelin ca status || ravelin ca trust")]
    Status(HomeArgument),
    /// Print the local root in PEM
    #[command(after_help = "Examples:\n  \
        ravelin ca root > root.pem\n  \
        curl --cacert <(ravelin ca root) https://localhost:8443")]
    Root(HomeArgument),
}

/// Make a CA for a home, an office or a fleet: a root and an intermediate
///
/// What it issues is told by its policy, ca/policy.toml in the home folder, which is written with
/// what is set here. Without options, the CA is the same as the one that is made on first use.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca init --organization Example --permit corp.example.com --permit 10.0.0.0/8\n  \
    ravelin ca init --home /srv/pki --key p384 --years 20 --any-name --address http://pki.internal")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct CaInitArguments {
    /// The organization in the names of root and intermediates
    #[arg(long, value_name = "TEXT")]
    pub(crate) organization: Option<String>,
    /// The common name of the root [default: "ORGANIZATION root CA" with digits of its key]
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// The kind of the keys: p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, mldsa44, mldsa65
    /// or mldsa87
    #[arg(long = "key", short, value_name = "TYPE", default_value = "p256")]
    pub(crate) key_type: KeyType,
    /// How many years the root is valid
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) years: u32,
    /// How many days an intermediate is valid
    #[arg(long, value_name = "N", default_value_t = 1826, value_parser = clap::value_parser!(u32).range(1..=18_250))]
    pub(crate) intermediate_days: u32,
    /// A set of names that it may certify, besides private ones: corp.example.com (with all below
    /// it), 10.0.0.0/8, @example.com (mailboxes), uri:example.com; repeatable
    #[arg(long, value_name = "NAMES", conflicts_with = "any_name")]
    pub(crate) permit: Vec<Subtree>,
    /// A set of names that it may not certify, though a wider one is permitted; repeatable
    #[arg(long, value_name = "NAMES")]
    pub(crate) exclude: Vec<Subtree>,
    /// Permit only what --permit names, no private names
    #[arg(long, requires = "permit")]
    pub(crate) only: bool,
    /// Let it certify any name: who steals its key can speak for every site to those who trust it
    #[arg(long)]
    pub(crate) any_name: bool,
    /// How many CAs may stand below the root: its intermediates are the first
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) path_length: u32,
    /// Make the keys in a PKCS#11 token: pkcs11:token=NAME?module-path=/usr/lib/…/module.so. Its PIN
    /// is asked for, or read from the file that pin-source= names
    #[arg(long, value_name = "URI")]
    pub(crate) token: Option<TokenUri>,
    /// Where "ravelin ca serve" will be reached, http://…: written into certificates, so that CRLs,
    /// OCSP responses and the issuer's certificate are found
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Show what was issued: the inventory of the CA
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca list\n  \
    ravelin ca list --expiring 30d\n  \
    ravelin ca list example --state revoked --json")]
pub(crate) struct CaListArguments {
    /// Only those with this in a name or the subject
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Only those that are good and end within this time: 30d, 12h
    #[arg(long, value_name = "TIME")]
    pub(crate) expiring: Option<Span>,
    /// Only those of this state
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<ListedState>,
    /// Only those whose serial number begins with these hexadecimal digits
    #[arg(long, value_name = "DIGITS")]
    pub(crate) serial: Option<String>,
    /// Show at most so many; 0 for all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) limit: u64,
    /// Print JSON: an array of objects
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ListedState {
    Valid,
    Expired,
    Revoked,
    NotYetValid,
}

/// Revoke a certificate
///
/// The next CRL has it, and "ravelin ca serve" tells of it at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca revoke app.internal.pem --reason keyCompromise\n  \
    ravelin ca revoke 5ac18e5e1cbba6 --reason superseded\n  \
    ravelin ca revoke 5ac18e5e1cbba6 --undo       # it was on hold")]
pub(crate) struct CaRevokeArguments {
    /// Which: a file, one of its names, or twelve digits or more of the beginning of its serial number
    #[arg(value_name = "CERT")]
    pub(crate) which: String,
    /// Why: unspecified, keyCompromise, cACompromise, affiliationChanged, superseded,
    /// cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise
    #[arg(
        long,
        value_name = "REASON",
        default_value = "unspecified",
        conflicts_with = "undo"
    )]
    pub(crate) reason: RevocationReason,
    /// Take back the reason certificateHold
    #[arg(long)]
    pub(crate) undo: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Sign the lists of what was revoked (CRLs), one an issuer
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca crl --out /var/www/crl\n  \
    ravelin ca crl --days 1 --pem --out .")]
pub(crate) struct CaCrlArguments {
    /// The folder to write to: a file ISSUER.crl each
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// How many days the lists are good
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub(crate) days: u32,
    /// Write PEM in place of DER
    #[arg(long)]
    pub(crate) pem: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Answer for the CA over HTTP: OCSP, CRLs and its certificates
///
/// Plain HTTP is what clients expect: all of it is signed, and a client that had to check this
/// server's own certificate first would go round in a circle. What is revoked is told at once. The
/// addresses that "ravelin ca init --address URL" writes into certificates are those served here:
/// URL/ocsp, URL/crl/ISSUER.crl and URL/issuer/ISSUER.cer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca serve\n  \
    ravelin ca serve --listen '*:80' --home /srv/pki")]
pub(crate) struct CaServeArguments {
    /// Where to listen: PORT for this machine alone, *:PORT for everyone, or ADDR:PORT; repeatable
    /// [default: 8080]
    #[arg(long, short, value_name = "WHERE")]
    pub(crate) listen: Vec<ListenOn>,
    /// Print one line per request on standard output
    #[arg(long)]
    pub(crate) log: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Check that the journal is whole: nothing changed, taken out or put in
///
/// The exit code is 1 where something is wrong. The last line's hash, noted elsewhere, later tells
/// whether the journal's end was cut off.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca audit\n  \
    ravelin ca audit --head 1204:5f1d…")]
pub(crate) struct CaAuditArguments {
    /// A head that an earlier audit printed: NUMBER:HASH
    #[arg(long, value_name = "HEAD")]
    pub(crate) head: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Replace the root by a new one, while both are trusted
///
/// The old root signs the new one too, so that whoever trusts only the old one accepts what the new
/// one issues. When all have the new root, end the overlap with --finish.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca rollover && ravelin ca trust\n  \
    ravelin ca rollover --finish")]
pub(crate) struct CaRolloverArguments {
    /// The kind of the new root's key [default: that of the old one]
    #[arg(long = "key", short, value_name = "TYPE")]
    pub(crate) key_type: Option<KeyType>,
    /// How many years the new root is valid
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) years: u32,
    /// End the overlap: take the old roots out of the trust stores, and stop sending the
    /// cross-certificate
    #[arg(long, conflicts_with_all = ["key_type", "years"])]
    pub(crate) finish: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Write the whole CA, encrypted, into one file: keys, certificates, policy and journal
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca export backup.ravelin-ca\n  \
    ravelin ca export --new-passphrase-file secret.txt backup.ravelin-ca")]
pub(crate) struct CaExportArguments {
    /// The file to write
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) protection: ProtectionArguments,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Take in a CA that was exported, where there is none
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin ca import backup.ravelin-ca\n  \
    ravelin ca import --home /srv/pki --passphrase-file secret.txt backup.ravelin-ca")]
pub(crate) struct CaImportArguments {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// A span of time, as people write it: `30d`, `12h`, `90m`, `45s`, `2w`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not a span of time, such as 30d, 12h or 2w");
        let (digits, unit) = text.split_at(text.len().saturating_sub(1));
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(wrong()),
        };
        let count: u32 = digits.parse().map_err(|_| wrong())?;
        Ok(Self(Duration::from_secs(u64::from(count) * seconds)))
    }
}
