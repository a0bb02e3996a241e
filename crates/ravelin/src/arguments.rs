//! The command line, as types. Help, completions and man pages come from here.
#![allow(
    clippy::doc_markdown,
    reason = "these are texts for the terminal, not Markdown"
)]

pub(crate) mod acme;
pub(crate) mod ca;
pub(crate) mod cert;
pub(crate) mod connect;
pub(crate) mod get;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod listen;
pub(crate) mod reading;
pub(crate) mod seal;
#[cfg(test)]
mod tests;
pub(crate) mod tunnel;
pub(crate) mod watch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ravelin_pki::HostName;

use crate::listen_on::ListenOn;
use ca::CaCommand;
use cert::CertCommand;
use connect::ConnectArguments;
use get::RequestArguments;
use inspect::InspectArguments;
use key::KeyCommand;
use listen::ListenArguments;
use seal::SealCommand;
use tunnel::TunnelArguments;

/// HTTPS you can see through.
#[derive(Debug, Parser)]
#[command(
    name = "ravelin",
    version,
    about,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        ravelin serve ./public        # https://localhost:8443 shows the folder\n  \
        ravelin ca trust              # browsers and curl accept its certificate"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArguments),
    Check(CheckArguments),
    Inspect(Box<InspectArguments>),
    /// Make an HTTPS request, and show what comes
    ///
    /// JSON is laid out and coloured on a terminal, and what a server sends cannot play with it; in a pipe the body is
    /// as it came. Redirects are followed, never from https to http. Where the server is not believed, nothing is
    /// sent, and what is told is which certificate, by which rule, and what mends it.
    ///
    /// The exit code is 0 where there is an answer; 1 where the server is not believed, or with --fail for a status of
    /// 400 and above; 3 where the network or the server failed, which a body that is cut off is too.
    #[command(after_help = "Examples:\n  \
        ravelin get https://example.org/\n  \
        ravelin get api.example.org/users page==2 'Accept:application/json' --fail\n  \
        ravelin get https://localhost:8443/ --explain\n  \
        ravelin get https://example.org/big.iso --download\n  \
        ravelin get --urls addresses.txt --download --parallel 16")]
    Get(Box<RequestArguments>),
    /// Send a body with POST: items as JSON, a form or parts, or a file
    #[command(after_help = "Examples:\n  \
        ravelin post https://example.org/users name=Ada age:=36 'lives[in]=London'\n  \
        ravelin post https://example.org/photos photo@ada.jpg title=Ada\n  \
        ravelin post https://example.org/users --body ada.json")]
    Post(Box<RequestArguments>),
    /// Send a body with PUT: what is at the address afterwards
    #[command(after_help = "Examples:\n  \
        ravelin put https://example.org/users/1 name=Ada\n  \
        ravelin put https://example.org/backup.tar --body backup.tar")]
    Put(Box<RequestArguments>),
    /// Send a body with PATCH: what changes at the address
    #[command(after_help = "Examples:\n  \
        ravelin patch https://example.org/users/1 age:=37\n  \
        ravelin patch https://example.org/users/1 --body changes.json 'Content-Type:application/merge-patch+json'")]
    Patch(Box<RequestArguments>),
    /// Ask a server to delete what is at an address
    #[command(after_help = "Examples:\n  \
        ravelin delete https://example.org/users/1\n  \
        ravelin delete https://example.org/users/1 --bearer TOKEN --fail")]
    Delete(Box<RequestArguments>),
    /// Ask for the head of an answer alone, and show it
    #[command(after_help = "Examples:\n  \
        ravelin head https://example.org/\n  \
        ravelin head https://example.org/ --redirects 0 --timing")]
    Head(Box<RequestArguments>),
    Connect(Box<ConnectArguments>),
    Listen(Box<ListenArguments>),
    Tunnel(Box<TunnelArguments>),
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(subcommand)]
    Cert(CertCommand),
    #[command(subcommand)]
    Ca(CaCommand),
    #[command(subcommand)]
    Seal(SealCommand),
    /// Hash a password for the config of a server
    ///
    /// Asks for it on a terminal, or reads one line of standard input. The hash goes to
    /// `auth.users` of a route.
    #[command(after_help = "Examples:\n  \
        ravelin password\n  \
        printf %s \"$PASSWORD\" | ravelin password")]
    Password,
    Completions(CompletionsArguments),
    Man(ManArguments),
}

/// Put HTTPS on a folder, or on all sites of a config file
///
/// Without a certificate of your own, Ravelin makes one from a local CA in its home folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin serve ./public\n  \
    ravelin serve ./public --listen 9443 --host app.localhost --log\n  \
    ravelin serve ./public --explain   # each visitor's own handshake at /handshake\n  \
    ravelin serve ./public --listen '*:443' --cert fullchain.pem --key privkey.pem\n  \
    ravelin serve --config ravelin.toml")]
pub(crate) struct ServeArguments {
    /// The folder to serve
    #[arg(
        value_name = "DIR",
        required_unless_present = "config",
        conflicts_with = "config"
    )]
    pub(crate) folder: Option<PathBuf>,
    /// Serve what this file says (see docs/config.md)
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen: PORT for this machine alone, *:PORT for everyone, or ADDR:PORT; repeatable
    /// [default: 8443]
    #[arg(long, short, value_name = "WHERE")]
    pub(crate) listen: Vec<ListenOn>,
    /// A name to serve the folder as; repeatable [default: the names in --cert, else localhost,
    /// 127.0.0.1 and ::1]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) host: Vec<HostName>,
    /// The certificate and its intermediates, in PEM
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "config")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        conflicts_with = "config"
    )]
    pub(crate) key: Option<PathBuf>,
    /// Show a page that lists folders without an index
    #[arg(long, conflicts_with = "config")]
    pub(crate) listing: bool,
    /// Show each visitor the TLS handshake of their own connection, at /handshake
    #[arg(long, conflicts_with = "config")]
    pub(crate) explain: bool,
    /// Print one line per request to standard output
    #[arg(long, conflicts_with = "config")]
    pub(crate) log: bool,
    /// Threads that serve, at most 1024; 0 for one per core [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub(crate) workers: Option<u16>,
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

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin completions bash > ~/.local/share/bash-completion/completions/ravelin\n  \
    ravelin completions fish > ~/.config/fish/completions/ravelin.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual, or write all its pages into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin man | man -l -\n  \
    ravelin man ~/.local/share/man/man1")]
pub(crate) struct ManArguments {
    /// The folder for one page a command; without it, the first page is printed
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct HomeArgument {
    /// Where keys and certificates are kept [default: $RAVELIN_HOME, else
    /// $XDG_DATA_HOME/ravelin, else ~/.local/share/ravelin]
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
}
