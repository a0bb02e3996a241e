//! `ravelin inspect`.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, ValueEnum};
use ravelin_lens::recorder;
use ravelin_tls::starttls::Protocol;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::ServerName;

use super::HomeArgument;
use super::ca::Span;
use crate::listen_on::ListenOn;

/// See a TLS handshake: connect to a server, or be the server and see what a client offers
///
/// The handshake is recorded with its secrets, decrypted, computed anew from first principles, and told step
/// by step. A server is looked at whatever its certificate is; whether that is good is told like all else.
///
/// The exit code is 0 where the handshake went well and all that could be put to the test holds; 1 where
/// something does not hold, the certificate's chain included; 3 where the handshake failed, of which what was
/// seen is told all the same.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin inspect example.org\n  \
    ravelin inspect example.org --resume --tls 1.2\n  \
    ravelin inspect example.org --step\n  \
    ravelin inspect mail.example.org:587 --starttls smtp --detail fields\n  \
    ravelin inspect --pcap traffic.pcapng --keylog keys.log --html handshake.html\n  \
    ravelin inspect --listen 8443   # then open https://localhost:8443 in a browser")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct InspectArguments {
    /// The server: HOST, HOST:PORT or https://HOST; an IPv6 address in brackets before its port
    #[arg(
        value_name = "HOST",
        required_unless_present_any = ["listen", "pcap"],
        conflicts_with_all = ["listen", "pcap"]
    )]
    pub(crate) host: Option<String>,
    /// Be the server, and show what each client offers: PORT for this machine alone, *:PORT for everyone, or
    /// ADDR:PORT
    #[arg(long, short, value_name = "WHERE")]
    pub(crate) listen: Option<ListenOn>,
    /// End after the first client
    #[arg(long, requires = "listen")]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) capture: CaptureArguments,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    /// How long a connection may take: 10s, 1m [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<Span>,
    /// How much is told
    #[arg(long, short, value_name = "WHAT", default_value = "steps")]
    pub(crate) detail: Detail,
    /// Walk through it on the terminal with the arrow keys, in place of printing it
    #[arg(long, conflicts_with = "json")]
    pub(crate) step: bool,
    /// Print JSON (docs/inspect.schema.json names its fields)
    #[arg(long, conflicts_with_all = ["listen", "detail"])]
    pub(crate) json: bool,
    /// Write one page of HTML too, which needs nothing but a browser
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    pub(crate) html: Option<PathBuf>,
    /// Write a capture of the connection with its secrets too, which Wireshark opens decrypted
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "hide_secrets"])]
    pub(crate) pcapng: Option<PathBuf>,
    /// Leave out keys, secrets and application data
    #[arg(long)]
    pub(crate) hide_secrets: bool,
    /// The language: en or zh [default: that of the locale]
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<Tongue>,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Where a connection is that was captured, and what opens it.
#[derive(Debug, Args)]
pub(crate) struct CaptureArguments {
    /// Look at the connections of a capture, pcap or pcapng, in place of making one; "-" reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "starttls", "resume", "http"])]
    pub(crate) pcap: Option<PathBuf>,
    /// The secrets of the connections, as SSLKEYLOGFILE has them; repeatable
    #[arg(long, value_name = "FILE", requires = "pcap")]
    pub(crate) keylog: Vec<PathBuf>,
    /// The server's RSA key, in PEM, which opens connections without forward secrecy; repeatable
    #[arg(long, value_name = "FILE", requires = "pcap")]
    pub(crate) rsa_key: Vec<PathBuf>,
    /// Tell of this connection alone, by its number in the list
    #[arg(long, value_name = "N", requires = "pcap")]
    pub(crate) stream: Option<u64>,
}

/// How to connect to a server, and how to judge it.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArguments {
    /// Begin in clear, as this protocol does: smtp, imap, pop3, ftp, xmpp, ldap, postgres, mysql, sieve or
    /// nntp
    #[arg(long, value_name = "PROTOCOL", conflicts_with_all = ["listen", "http"])]
    pub(crate) starttls: Option<Protocol>,
    /// Connect a second time with the ticket of the first, and tell both
    #[arg(long, conflicts_with = "listen")]
    pub(crate) resume: bool,
    /// Offer this version alone [default: both]
    #[arg(long, value_name = "VERSION", value_parser = VersionParser, conflicts_with = "listen")]
    pub(crate) tls: Option<Version>,
    /// Offer these protocols by ALPN, best first, with commas between; "" offers none
    /// [default: h2,http/1.1; none with --starttls]
    #[arg(long, value_name = "NAMES", conflicts_with = "listen")]
    pub(crate) alpn: Option<String>,
    /// Offer this group for the key exchange: X25519MLKEM768, X25519, P-256, P-384, SecP256r1MLKEM768,
    /// MLKEM768 or MLKEM1024; repeatable, best first [default: the first four]
    #[arg(long, value_name = "NAME", conflicts_with = "listen")]
    pub(crate) group: Vec<Group>,
    /// Show this certificate where the server asks for one; with --listen, serve it
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Ask for this name in place of HOST, and judge the certificate by it
    #[arg(long, value_name = "NAME", conflicts_with = "listen")]
    pub(crate) sni: Option<Name>,
    /// What is trusted: a file of roots, "system" or "local"; repeatable [default: local and system]
    #[arg(long, value_name = "FILE|system|local", conflicts_with = "listen")]
    pub(crate) ca: Vec<PathBuf>,
    /// The logs of Certificate Transparency whose promises are checked: a list in JSON, version 3, as Google and
    /// Apple publish it
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    pub(crate) ct_logs: Option<PathBuf>,
    /// Send a GET request for / over HTTP/1.1, so that application data shows too
    #[arg(long, conflicts_with = "listen")]
    pub(crate) http: bool,
    /// Connect to this address in place of HOST's
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "listen")]
    pub(crate) connect: Option<SocketAddr>,
}

/// A version that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

impl Version {
    /// As rustls has it.
    pub(crate) fn alone(self) -> &'static SupportedProtocolVersion {
        match self {
            Self::Tls12 => &TLS12,
            Self::Tls13 => &TLS13,
        }
    }
}

/// Reads versions, and says of others why they are none to be asked for.
#[derive(Debug, Clone)]
pub(crate) struct VersionParser;

impl TypedValueParser for VersionParser {
    type Value = Version;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Version, clap::Error> {
        let read = |value: &str| match value {
            "1.2" => Ok(Version::Tls12),
            "1.3" => Ok(Version::Tls13),
            "1.1" | "1.0" | "3.0" => Err(
                "1.2 and 1.3 are offered here: what is older is broken, and is told of captures (--pcap)",
            ),
            _ => Err("1.2 and 1.3 are offered here"),
        };
        read.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(["1.2", "1.3"].map(PossibleValue::new).into_iter()))
    }
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Detail {
    /// The diagram, what was put to the test, and what to think of the whole
    Brief,
    /// Each step too, and where the keys come from
    Steps,
    /// Every field of every message
    Fields,
    /// The octets too
    Octets,
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tongue {
    /// English
    En,
    /// Simplified Chinese
    Zh,
}

/// The name of a group that can be offered.
#[derive(Debug, Clone)]
pub(crate) struct Group(pub(crate) String);

impl FromStr for Group {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match recorder::group(name) {
            Some(_) => Ok(Self(name.to_owned())),
            None => {
                let known: Vec<_> = recorder::group_names().collect();
                Err(format!("\"{name}\" is none of {}", known.join(", ")))
            }
        }
    }
}

/// The name of a server, or its address.
#[derive(Debug, Clone)]
pub(crate) struct Name(pub(crate) ServerName<'static>);

impl FromStr for Name {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        ServerName::try_from(name.to_owned())
            .map(Self)
            .map_err(|_| format!("\"{name}\" is no name for a server"))
    }
}
