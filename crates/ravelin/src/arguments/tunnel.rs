//! `ravelin tunnel`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ravelin_pki::HostName;
use ravelin_tls::starttls::Protocol;
use ravelin_tunnel::{Balance, Place, ProxyVersion, Rule, Target};

use super::HomeArgument;
use super::acme::AcmeArguments;
use super::ca::Span;
use super::get::Pin;
use crate::config::{Mode, place_of, target_of};
use crate::listen_on::ListenOn;

/// Put TLS in front of a service, or between clients and a TLS server
///
/// Clients come in at LISTEN and get to TO, or to the first of several that answers. TLS with clients ends here, or TLS
/// with servers begins here, or both. The side without TLS stays on this machine, unless --cleartext says otherwise.
/// Many tunnels in one process are written in a file; it and the certificates are taken over when they change.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin tunnel 8443 8080           # https://localhost:8443 for a service on 8080\n  \
    ravelin tunnel '*:5433' unix:/run/postgresql/.s.PGSQL.5432 --starttls postgres --cert chain.pem --key key.pem\n  \
    ravelin tunnel 5432 db.example.org:5432 --tls originate --to-starttls postgres --to-ca company.pem\n  \
    ravelin tunnel '*:8443' 8080 --client-ca clients.pem --allow ou=backup --allow uri=spiffe://example.org/web/*\n  \
    ravelin tunnel '*:443' 8080 --acme --host app.example.org --agree-to-terms\n  \
    ravelin tunnel --config tunnels.toml")]
pub(crate) struct TunnelArguments {
    /// Where clients come in: PORT for this machine alone, *:PORT for everyone, ADDR:PORT, or unix:PATH
    #[arg(
        value_name = "LISTEN",
        required_unless_present = "config",
        conflicts_with = "config"
    )]
    pub(crate) listen: Option<Places>,
    /// Where they get: PORT of this machine, HOST:PORT or unix:PATH; several stand by for each other
    #[arg(
        value_name = "TO",
        required_unless_present = "config",
        conflicts_with = "config",
        value_parser = to
    )]
    pub(crate) to: Vec<Target>,
    /// Run the tunnels of this file (see docs/tunnel.md)
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check the file and report every error in it, and run nothing
    #[arg(long, requires = "config")]
    pub(crate) check: bool,
    /// Where TLS is
    #[arg(
        long,
        value_name = "SIDE",
        value_enum,
        default_value = "terminate",
        hide_default_value = false,
        conflicts_with = "config"
    )]
    pub(crate) tls: Side,
    /// Let the side without TLS be on a network, where everybody on the way can read and change what is sent
    #[arg(long, conflicts_with = "config")]
    pub(crate) cleartext: bool,
    /// Print one line per connection to standard output
    #[arg(long, conflicts_with = "config")]
    pub(crate) log: bool,
    /// Give numbers for Prometheus at /metrics over plain HTTP: PORT for this machine alone, *:PORT or ADDR:PORT
    #[arg(long, value_name = "WHERE", conflicts_with = "config")]
    pub(crate) metrics: Option<ListenOn>,
    /// Threads that carry octets, at most 1024; 0 for one per core [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub(crate) workers: Option<u16>,
    #[command(flatten)]
    pub(crate) home: HomeArgument,

    #[command(flatten)]
    pub(crate) clients: ClientsArguments,
    #[command(flatten)]
    pub(crate) servers: ServersArguments,
    #[command(flatten)]
    pub(crate) acme: AcmeArguments,
}

/// What clients see, and what is asked of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clients")]
#[group(skip)]
pub(crate) struct ClientsArguments {
    /// The certificate and its intermediates, in PEM [default: one of the local CA]
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
    /// A name for the certificate of the local CA, or of --acme; repeatable [default: localhost, 127.0.0.1 and ::1]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "cert"])]
    pub(crate) host: Vec<HostName>,
    /// Let in clients with a certificate of one of these CAs alone: a file, or "local"; repeatable
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(crate) client_ca: Vec<PathBuf>,
    /// Of those let in who fits one of these rules alone: cn=, ou=, dns=, uri= or pin=sha256/…, with commas between
    /// what has to fit together; repeatable
    #[arg(long, value_name = "RULE", requires = "client_ca", conflicts_with = "config", value_parser = rule)]
    pub(crate) allow: Vec<Rule>,
    /// Clients begin in clear, as this protocol does: smtp, imap, pop3, ldap, postgres or mysql
    #[arg(long, value_name = "PROTOCOL", conflicts_with = "config", value_parser = protocol)]
    pub(crate) starttls: Option<Protocol>,
    /// Speak these protocols of ALPN, best first, with commas between
    #[arg(long, value_name = "NAMES", conflicts_with = "config")]
    pub(crate) alpn: Option<String>,
    /// Believe a header of the PROXY protocol at the beginning of each connection
    #[arg(long, conflicts_with = "config")]
    pub(crate) proxy_header: bool,
    /// End connections that lie still for so long [default: 1h]
    #[arg(long, value_name = "TIME", conflicts_with = "config")]
    pub(crate) idle_timeout: Option<Span>,
    /// Hold so many connections at most
    #[arg(long, value_name = "N", conflicts_with = "config")]
    pub(crate) connections: Option<usize>,
}

/// How servers are verified, and which is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Servers")]
#[group(skip)]
pub(crate) struct ServersArguments {
    /// Trust these roots: a file, a folder of files, "system" or "local"; "none" asks no CA, so that --to-pin alone
    /// counts; repeatable [default: local and system]
    #[arg(
        long,
        value_name = "FILE|DIR|system|local|none",
        conflicts_with = "config"
    )]
    pub(crate) to_ca: Vec<PathBuf>,
    /// Ask besides that the server's key is this one: sha256/ and base64; repeatable, one has to be it
    #[arg(long, value_name = "PIN", conflicts_with = "config")]
    pub(crate) to_pin: Vec<Pin>,
    /// The name that certificates have to be for [default: the host of TO]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) to_name: Option<HostName>,
    /// Show this certificate to servers that ask for one, in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "to_key",
        conflicts_with = "config"
    )]
    pub(crate) to_cert: Option<PathBuf>,
    /// The private key of --to-cert, in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "to_cert",
        conflicts_with = "config"
    )]
    pub(crate) to_key: Option<PathBuf>,
    /// Take servers alone that fit one of these rules, written as in --allow; repeatable
    #[arg(long, value_name = "RULE", conflicts_with = "config", value_parser = rule)]
    pub(crate) to_allow: Vec<Rule>,
    /// Servers begin in clear, as this protocol does: smtp, imap, pop3, ldap, postgres or mysql
    #[arg(long, value_name = "PROTOCOL", conflicts_with = "config", value_parser = protocol)]
    pub(crate) to_starttls: Option<Protocol>,
    /// Tell servers who the client is, by a header of the PROXY protocol
    #[arg(long, value_name = "VERSION", value_parser = proxy_version, conflicts_with = "config")]
    pub(crate) to_proxy_header: Option<ProxyVersion>,
    /// Which of several servers is asked: first, round-robin or least-connections [default: first]
    #[arg(long, value_name = "HOW", value_parser = balance, conflicts_with = "config")]
    pub(crate) balance: Option<Balance>,
}

/// Where TLS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// With clients: it ends here
    Terminate,
    /// With servers: it begins here
    Originate,
    /// On both sides
    Both,
    /// From client to server, through here
    Pass,
}

impl Side {
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Terminate => Mode::Terminate,
            Self::Originate => Mode::Originate,
            Self::Both => Mode::Both,
            Self::Pass => Mode::Pass,
        }
    }
}

/// All places that one text stands for.
#[derive(Debug, Clone)]
pub(crate) struct Places(pub(crate) Vec<Place>);

impl FromStr for Places {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        place_of(text, |path| PathBuf::from(path)).map(Self)
    }
}

fn to(text: &str) -> Result<Target, String> {
    target_of(text, |path| PathBuf::from(path))
}

/// `cn=Ada,ou=backup`.
fn rule(text: &str) -> Result<Rule, String> {
    let mut rule = Rule::default();
    for part in text.split(',') {
        let Some((key, value)) = part.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            return Err(format!(
                "{part:?} is no rule: write cn=, ou=, dns=, uri= or pin= and a value"
            ));
        };
        let value = value.to_owned();
        match key {
            "cn" => rule.cn = Some(value),
            "ou" => rule.ou = Some(value),
            "dns" => rule.dns = Some(value),
            "uri" => rule.uri = Some(value),
            "pin" => rule.pin = Some(value.parse::<Pin>()?.0),
            _ => return Err(format!("{key:?} is none of cn, ou, dns, uri and pin")),
        }
    }
    Ok(rule)
}

fn protocol(text: &str) -> Result<Protocol, String> {
    let taken = ["smtp", "imap", "pop3", "ldap", "postgres", "mysql"];
    let known = taken.contains(&text).then(|| text.parse().ok()).flatten();
    known.ok_or_else(|| format!("{text:?} is none of smtp, imap, pop3, ldap, postgres and mysql"))
}

fn proxy_version(text: &str) -> Result<ProxyVersion, String> {
    match text {
        "v1" => Ok(ProxyVersion::V1),
        "v2" => Ok(ProxyVersion::V2),
        _ => Err(format!("{text:?} is neither v1 nor v2")),
    }
}

fn balance(text: &str) -> Result<Balance, String> {
    match text {
        "first" => Ok(Balance::First),
        "round-robin" => Ok(Balance::RoundRobin),
        "least-connections" => Ok(Balance::LeastConnections),
        _ => Err(format!(
            "{text:?} is none of first, round-robin and least-connections"
        )),
    }
}

impl TunnelArguments {
    /// The addresses of --metrics.
    pub(crate) fn metrics(&self) -> Vec<SocketAddr> {
        let on = self.metrics.iter();
        on.flat_map(|on| on.addresses().to_vec()).collect()
    }
}
