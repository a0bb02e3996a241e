//! The command line, as types. Help, completions and man pages come from here.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ravelin_pki::HostName;

/// HTTPS you can see through.
#[derive(Debug, Parser)]
#[command(
    name = "ravelin",
    version,
    about,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        ravelin serve ./public        https://localhost:8443 shows the folder\n  \
        ravelin ca trust              browsers and curl accept its certificate"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArguments),
    Check(CheckArguments),
    #[command(subcommand)]
    Ca(CaCommand),
}

/// Put HTTPS on a folder, or on all sites of a config file
///
/// Without a certificate of your own, Ravelin makes one from a local CA in its home folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin serve ./public\n  \
    ravelin serve --config ravelin.toml\n  \
    ravelin serve ./public --listen 0.0.0.0:443 --cert fullchain.pem --key privkey.pem")]
pub(crate) struct ServeArguments {
    /// The folder to serve
    #[arg(value_name = "DIR", required_unless_present = "config", conflicts_with = "config")]
    pub(crate) folder: Option<PathBuf>,
    /// Serve what this file says (see docs/config.md)
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen; repeatable [default: 127.0.0.1:8443 and [::1]:8443]
    #[arg(long, short, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// A name to serve the folder as; repeatable [default: the names in --cert, else localhost,
    /// 127.0.0.1 and ::1]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) host: Vec<HostName>,
    /// The certificate and its intermediates, in PEM
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "config")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert", conflicts_with = "config")]
    pub(crate) key: Option<PathBuf>,
    /// Show a page that lists folders without an index
    #[arg(long, conflicts_with = "config")]
    pub(crate) listing: bool,
    /// Print a line a request to standard output
    #[arg(long, conflicts_with = "config")]
    pub(crate) log: bool,
    /// Threads that serve, 0 for one a core [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Check a config file and report every error in it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin check ravelin.toml\n  \
    ravelin check ravelin.toml && systemctl reload ravelin")]
pub(crate) struct CheckArguments {
    /// The config file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Have the local CA trusted, or not
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Put the local root into the trust stores of this system and its browsers
    #[command(after_help = "Examples:\n  ravelin ca trust\n  sudo ravelin ca trust --home ~/.local/share/ravelin")]
    Trust(HomeArgument),
    /// Take the local root out of them again
    #[command(after_help = "Examples:\n  ravelin ca untrust\n  sudo ravelin ca untrust --home ~/.local/share/ravelin")]
    Untrust(HomeArgument),
    /// Print the local root in PEM
    #[command(after_help = "Examples:\n  ravelin ca root > root.pem\n  curl --cacert <(ravelin ca root) https://localhost:8443")]
    Root(HomeArgument),
}

#[derive(Debug, Args)]
pub(crate) struct HomeArgument {
    /// Where keys and certificates are kept [default: $RAVELIN_HOME, else
    /// $XDG_DATA_HOME/ravelin, else ~/.local/share/ravelin]
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
}
