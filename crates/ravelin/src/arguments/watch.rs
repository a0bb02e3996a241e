//! `ravelin cert watch`.

use std::ffi::OsString;

use clap::Args;

use super::ca::Span;

/// Say what expires when, in files, in folders and on servers
///
/// Each certificate is listed, what ends first at the top, and nothing is verified beyond dates. A
/// certificate is due when less is left than 21 days or a third of its life, whichever is less: 21 days
/// of 90, 15 of 47, 2 of 6; --within says otherwise. Files and keystores that take a passphrase are
/// passed over with a notice. A file in a folder that holds no certificate is passed over; one that is
/// named is an error.
///
/// The exit code is the highest of these: 0 all are good; 1 one is due, expired or not valid yet; 3 a
/// server showed none; 4 a file or folder gave none, or could not be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert watch /etc/letsencrypt/live --recursive\n  \
    ravelin cert watch example.org:443 mail.example.org:465 --within 14d\n  \
    ravelin cert watch --prometheus certs example.org > certificates.prom")]
pub(crate) struct CertWatchArguments {
    /// A file, a folder, - for standard input, or a server: HOST:PORT, HOST or https://HOST
    #[arg(value_name = "WHAT", required = true)]
    pub(crate) targets: Vec<OsString>,
    /// What ends within this time is due: 30d, 12h [default: 21d, or a third of the life if that is less]
    #[arg(long, value_name = "TIME")]
    pub(crate) within: Option<Span>,
    /// Look into folders in folders; links to folders are not followed
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// Print JSON (docs/certificates.md names its fields)
    #[arg(long, conflicts_with = "prometheus")]
    pub(crate) json: bool,
    /// Print metrics in Prometheus' text format, for its textfile collector
    #[arg(long)]
    pub(crate) prometheus: bool,
}
