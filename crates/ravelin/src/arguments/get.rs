//! `ravelin get`, `post`, `put`, `patch`, `delete` and `head`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ravelin_client::Proxy;
use ravelin_pki::Fingerprint;

use super::HomeArgument;
use super::ca::Span;
use super::key::PassphraseArguments;
use crate::get::checksum::Checksum;

/// A request, and what comes of it.
#[derive(Debug, Args)]
pub(crate) struct RequestArguments {
    /// Where: https://HOST/PATH; without a scheme it is https. Then items, and further addresses, which begin with
    /// https:// or http://. Name:value is a header field ("Name;" an empty one, "Name:" leaves it out), name==value
    /// goes into the query, name=text and name:=JSON into the body, name@FILE is a file of a form, and name=@FILE and
    /// name:=@FILE are read from one; \ before a character takes its meaning from it
    #[arg(value_name = "URL|ITEM", required_unless_present = "urls")]
    pub(crate) words: Vec<String>,
    /// Ask for the addresses in this file too, one a line; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) urls: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) body: BodyArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
    #[command(flatten)]
    pub(crate) login: LoginArguments,
    #[command(flatten)]
    pub(crate) way: WayArguments,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// What is sent.
#[derive(Debug, Args)]
pub(crate) struct BodyArguments {
    /// Send the items as a form in place of JSON
    #[arg(long, short = 'f', help_heading = "What is sent")]
    pub(crate) form: bool,
    /// Send the items as parts (multipart/form-data), as forms with files are
    #[arg(long, conflicts_with = "form", help_heading = "What is sent")]
    pub(crate) multipart: bool,
    /// Send this file as it is; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["form", "multipart"], help_heading = "What is sent")]
    pub(crate) body: Option<PathBuf>,
    /// The version of HTTP; 3 goes over QUIC (UDP), and through no proxy [default: 2 where the server speaks it, else 1.1]
    #[arg(long, value_name = "VERSION", help_heading = "What is sent")]
    pub(crate) http: Option<HttpVersion>,
    /// Print the command by which curl would send the same, and send nothing
    #[arg(long, help_heading = "What is sent")]
    pub(crate) curl: bool,
}

/// What is shown, and where the body goes.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct OutputArguments {
    /// Write the body to this file, which gets its name when it is whole
    #[arg(
        long,
        short,
        value_name = "FILE",
        help_heading = "What comes of it",
        conflicts_with = "download"
    )]
    pub(crate) output: Option<PathBuf>,
    /// Write the body to a file of this folder, called as the server calls it; none is replaced
    #[arg(long, short, help_heading = "What comes of it")]
    pub(crate) download: bool,
    /// What the file has to be: sha256:… or sha512:…, in hexadecimal digits
    #[arg(long, value_name = "HASH", help_heading = "What comes of it")]
    pub(crate) checksum: Option<Checksum>,
    /// Show the head of the answer before its body
    #[arg(long = "head", short = 'i', help_heading = "What comes of it")]
    pub(crate) show_head: bool,
    /// Tell what is sent and received, redirects too, on standard error; passwords and cookies are left out
    #[arg(long, short, help_heading = "What comes of it")]
    pub(crate) verbose: bool,
    /// Leave the body as it came, on a terminal too
    #[arg(long, conflicts_with = "format", help_heading = "What comes of it")]
    pub(crate) raw: bool,
    /// Lay JSON out in a pipe too, as on a terminal
    #[arg(long, help_heading = "What comes of it")]
    pub(crate) format: bool,
    /// Take an HTTP status of failure, 400 and above, for a failure: print no body, exit with 1
    #[arg(long, help_heading = "What comes of it")]
    pub(crate) fail: bool,
    /// Tell how long each part took
    #[arg(long, help_heading = "What comes of it")]
    pub(crate) timing: bool,
    /// Tell by which rule the server is verified, and the TLS handshake step by step
    #[arg(long, help_heading = "What comes of it")]
    pub(crate) explain: bool,
}

/// Who is believed, and who the client is.
#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// Trust these roots: a file, a folder of files, "system" or "local"; "none" asks no CA, so that --pin alone
    /// counts; repeatable [default: local and system, where SSL_CERT_FILE and SSL_CERT_DIR stand for the system's]
    #[arg(
        long,
        value_name = "FILE|DIR|system|local|none",
        help_heading = "Who is believed"
    )]
    pub(crate) ca: Vec<PathBuf>,
    /// Ask besides that the server's key is this one: sha256/ and the base64 of the SHA-256 of its public key;
    /// repeatable, one has to be it
    #[arg(long, value_name = "PIN", help_heading = "Who is believed")]
    pub(crate) pin: Vec<Pin>,
    /// Ask besides that these CRLs, which have to be current, say that the certificate was not revoked; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Who is believed")]
    pub(crate) crl: Vec<PathBuf>,
    /// Believe any server. Whoever is on the way can read and change everything
    #[arg(long, short = 'k', conflicts_with_all = ["pin", "crl"], help_heading = "Who is believed")]
    pub(crate) insecure: bool,
    /// Show this certificate where the server asks for one: PEM with its intermediates, or PKCS#12 with its key
    #[arg(long, value_name = "FILE", help_heading = "Who is believed")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, where it is in a file of its own; it may be encrypted
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        help_heading = "Who is believed"
    )]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Who asks.
#[derive(Debug, Args)]
pub(crate) struct LoginArguments {
    /// Log in with a user and a password, which is asked for where it is not given: USER or USER:PASSWORD
    #[arg(long, short, value_name = "USER", help_heading = "Who asks")]
    pub(crate) user: Option<String>,
    /// Log in with a token
    #[arg(
        long,
        value_name = "TOKEN",
        conflicts_with = "user",
        help_heading = "Who asks"
    )]
    pub(crate) bearer: Option<String>,
    /// Send a hash of the password in place of the password, when the server asks for it
    #[arg(long, requires = "user", help_heading = "Who asks")]
    pub(crate) digest: bool,
    /// Read users and passwords of hosts from here, in place of ~/.netrc or $NETRC; "none" reads none
    #[arg(long, value_name = "FILE|none", help_heading = "Who asks")]
    pub(crate) netrc: Option<PathBuf>,
    /// Keep cookies and the login under a name, for this host, and use those that were kept
    #[arg(long, value_name = "NAME", help_heading = "Who asks")]
    pub(crate) session: Option<String>,
}

/// How to get there, and how long it may take.
#[derive(Debug, Args)]
pub(crate) struct WayArguments {
    /// Go through a proxy: http://, https://, socks5:// or socks5h://HOST:PORT; "none" goes through none
    /// [default: what https_proxy, http_proxy, all_proxy and no_proxy say]
    #[arg(long, value_name = "URL|none", help_heading = "The way there")]
    pub(crate) proxy: Option<ProxyChoice>,
    /// Connect to this address for a host and port: HOST:PORT:ADDRESS; repeatable, also for several addresses
    /// of a host
    #[arg(long, value_name = "WHERE", help_heading = "The way there")]
    pub(crate) resolve: Vec<Resolve>,
    /// Connect to this socket, whatever the host is
    #[arg(long, value_name = "PATH", help_heading = "The way there")]
    pub(crate) unix_socket: Option<PathBuf>,
    /// How many of several addresses are asked for at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "The way there")]
    pub(crate) parallel: u16,
    /// How many redirects are followed; 0 shows the first [default: 10]
    #[arg(long, value_name = "N", help_heading = "The way there")]
    pub(crate) redirects: Option<usize>,
    /// Follow redirects from https to http too
    #[arg(long, help_heading = "The way there")]
    pub(crate) allow_http: bool,
    /// How long connecting may take [default: 10s]
    #[arg(long, value_name = "TIME", help_heading = "The way there")]
    pub(crate) connect_timeout: Option<Span>,
    /// How long it may be that nothing moves [default: 60s]
    #[arg(long, value_name = "TIME", help_heading = "The way there")]
    pub(crate) stall_timeout: Option<Span>,
    /// How long all may take together [default: as long as something moves]
    #[arg(long, value_name = "TIME", help_heading = "The way there")]
    pub(crate) timeout: Option<Span>,
    /// Ask again so often where the network fails or the server says that it is busy, waiting longer each time;
    /// never where asking twice means something else than asking once [default: 0]
    #[arg(long, value_name = "N", help_heading = "The way there")]
    pub(crate) retry: Option<u32>,
    /// The most octets that a body may have, decompressed
    #[arg(long, value_name = "OCTETS", help_heading = "The way there")]
    pub(crate) max_size: Option<u64>,
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HttpVersion {
    /// HTTP/1.1
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2
    #[value(name = "2")]
    Http2,
    /// HTTP/3, over QUIC
    #[value(name = "3")]
    Http3,
}

/// `sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin(pub(crate) Fingerprint);

impl Pin {
    /// Its part behind `sha256/`.
    pub(crate) fn base64(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(self.0.as_bytes())
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use base64::Engine as _;
        let wrong = || format!("\"{text}\" is no pin: sha256/ and 44 characters of base64");
        // As curl writes it too.
        let digits = text
            .strip_prefix("sha256/")
            .or(text.strip_prefix("sha256//"));
        let digits = digits.ok_or_else(wrong)?.trim_start_matches('/');
        let octets = base64::engine::general_purpose::STANDARD
            .decode(digits)
            .map_err(|_| wrong())?;
        ravelin_pki::fingerprint::hex(&octets)
            .parse()
            .map(Self)
            .map_err(|_| wrong())
    }
}

/// A proxy, or none.
#[derive(Debug, Clone)]
pub(crate) struct ProxyChoice(pub(crate) Option<Proxy>);

impl FromStr for ProxyChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            _ => text
                .parse::<Proxy>()
                .map(|proxy| Self(Some(proxy)))
                .map_err(|error| error.to_string()),
        }
    }
}

/// `example.org:443:127.0.0.1`.
#[derive(Debug, Clone)]
pub(crate) struct Resolve {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) address: IpAddr,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (host, rest) = match text.strip_prefix('[') {
                Some(rest) => rest.split_once("]:")?,
                None => text.split_once(':')?,
            };
            let (port, address) = rest.split_once(':')?;
            let address = address.trim_matches(['[', ']']);
            Some(Self {
                host: host.to_owned(),
                port: port.parse().ok()?,
                address: address.parse().ok()?,
            })
        };
        read().ok_or_else(|| format!("\"{text}\" is not HOST:PORT:ADDRESS"))
    }
}
