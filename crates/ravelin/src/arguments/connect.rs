//! `ravelin connect`.

use std::path::PathBuf;

use clap::Args;
use ravelin_tls::starttls::Protocol;

use super::HomeArgument;
use super::ca::Span;
use super::get::{ProxyChoice, Resolve, TrustArguments};
use super::inspect::{Version, VersionParser};

/// Speak with a server over TLS: standard input goes there, what it says comes to standard output
///
/// What was agreed on, and who the server is, is told on standard error. Where the server is not believed, nothing is
/// sent. The end of the input is said to the server (close_notify), which may go on; the end of the server ends all.
/// On a terminal, lines are edited before they are sent, arrows bring back those before, and what the server sends
/// cannot play with it.
///
/// The exit code is 0 where the server said that it ends; 1 where it is not believed; 3 where the network or the server
/// failed, which an end that was not said is too: somebody may have cut it off.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[command(after_help = "Examples:\n  \
    ravelin connect example.org:443 --crlf\n  \
    printf 'GET / HTTP/1.0\\r\\n\\r\\n' | ravelin connect example.org --stay\n  \
    ravelin connect mail.example.org:587 --starttls smtp --crlf\n  \
    ravelin connect db.example.org --starttls postgres --ca company.pem")]
pub(crate) struct ConnectArguments {
    /// The server: HOST, HOST:PORT or https://HOST; an IPv6 address in brackets before its port
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// Begin in clear, as this protocol does: smtp, imap, pop3, ftp, xmpp, ldap, postgres, mysql, sieve or nntp
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) starttls: Option<Protocol>,
    /// Offer these protocols by ALPN, best first, with commas between
    #[arg(long, value_name = "NAMES")]
    pub(crate) alpn: Option<String>,
    /// Ask for this name, which the certificate has to be for, in place of HOST
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// Offer this version alone [default: both]
    #[arg(long, value_name = "VERSION", value_parser = VersionParser)]
    pub(crate) tls: Option<Version>,
    /// Append the secrets of the connection to this file, as SSLKEYLOGFILE has them: who has it can read all that was
    /// sent
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,
    /// Send a line's end as CR LF, as mail, HTTP and most old protocols want it
    #[arg(long)]
    pub(crate) crlf: bool,
    /// At the end of the input say nothing and wait for the server's end: some servers take the client's for a wish to
    /// hear no more
    #[arg(long)]
    pub(crate) stay: bool,
    /// On a terminal, leave the line to the terminal, as it is done elsewhere
    #[arg(long)]
    pub(crate) no_edit: bool,
    /// Tell nothing on standard error but what goes wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
    /// Go through a proxy: http://, https://, socks5:// or socks5h://HOST:PORT
    #[arg(long, value_name = "URL|none", help_heading = "The way there")]
    pub(crate) proxy: Option<ProxyChoice>,
    /// Connect to this address for a host and port: HOST:PORT:ADDRESS; repeatable, also for several addresses
    /// of a host
    #[arg(long, value_name = "WHERE", help_heading = "The way there")]
    pub(crate) resolve: Vec<Resolve>,
    /// How long connecting may take, with the handshake [default: 10s]
    #[arg(long, value_name = "TIME", help_heading = "The way there")]
    pub(crate) connect_timeout: Option<Span>,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}
