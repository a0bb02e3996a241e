//! `ravelin listen`.

use std::path::PathBuf;

use clap::Args;

use super::HomeArgument;
use super::inspect::{Version, VersionParser};
use crate::listen_on::ListenOn;

/// Be a TLS server for tests: print what clients send, echo it, answer with a file, or run a command for each
///
/// Without anything else, what a client sends comes to standard output and standard input goes to it, one client after
/// the other. Each client is told of on standard error. Without a certificate of your own, Ravelin makes one from a
/// local CA in its home folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin listen 4433                # then: ravelin connect localhost:4433\n  \
    ravelin listen 4433 --echo --client-auth ca.pem\n  \
    ravelin listen 4433 --exec sort\n  \
    ravelin listen 4433 --respond response.http --once")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct ListenArguments {
    /// Where: PORT for this machine alone, *:PORT for everyone, or ADDR:PORT
    #[arg(value_name = "WHERE")]
    pub(crate) listen: ListenOn,
    /// Send back what comes
    #[arg(long, conflicts_with_all = ["exec", "respond"])]
    pub(crate) echo: bool,
    /// Run this command of the shell for each client, which is its standard input and output; RAVELIN_PEER is the
    /// client's address, RAVELIN_CLIENT the name in its certificate
    #[arg(long, value_name = "COMMAND", conflicts_with = "respond")]
    pub(crate) exec: Option<String>,
    /// Send this file to each client that has sent something, up to an empty line or a silence, and end
    #[arg(long, value_name = "FILE")]
    pub(crate) respond: Option<PathBuf>,
    /// End after one client
    #[arg(long)]
    pub(crate) once: bool,
    /// Let in clients with a certificate of one of these CAs alone; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) client_auth: Vec<PathBuf>,
    /// Let in clients without a certificate too
    #[arg(long, requires = "client_auth")]
    pub(crate) client_optional: bool,
    /// The certificate and its intermediates, in PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Speak these protocols of ALPN, best first, with commas between
    #[arg(long, value_name = "NAMES")]
    pub(crate) alpn: Option<String>,
    /// Speak this version alone [default: both]
    #[arg(long, value_name = "VERSION", value_parser = VersionParser)]
    pub(crate) tls: Option<Version>,
    /// Append the secrets of the connections to this file, as SSLKEYLOGFILE has them
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,
    /// Tell nothing on standard error but what goes wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}
