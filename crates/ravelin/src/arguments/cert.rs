//! `ravelin cert`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use ravelin_pki::{GeneralName, HostName, KeyType, Mailbox, Purpose};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::HomeArgument;
use super::key::{PassphraseArguments, ProtectionArguments};
use super::reading::{CertConvertArguments, CertShowArguments};
use super::watch::CertWatchArguments;

/// Make, read, judge and convert certificates
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    ravelin cert new app.localhost 127.0.0.1\n  \
    ravelin cert show example.org:443\n  \
    ravelin cert request --out . example.org\n  \
    ravelin cert sign example.org.csr")]
pub(crate) enum CertCommand {
    New(CertNewArguments),
    Request(CertRequestArguments),
    Sign(CertSignArguments),
    Show(CertShowArguments),
    Convert(CertConvertArguments),
    Verify(CertVerifyArguments),
    Lint(CertLintArguments),
    Watch(CertWatchArguments),
}

/// Make a key and a certificate for these names, from the local CA
///
/// The files are named after the first name: NAME.pem, with the intermediate, and NAME.key. Both are
/// written or none is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert new app.localhost '*.app.localhost' 127.0.0.1 ::1\n  \
    ravelin cert new --client ada@example.org --p12\n  \
    ravelin cert new --self-signed --days 7 --out /tmp demo.test")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct CertNewArguments {
    /// The names: hosts (*.example.org too), addresses, mailboxes or URIs, told apart by their look
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<GeneralName>,
    #[command(flatten)]
    pub(crate) purpose: PurposeArguments,
    /// As this template of the CA's policy says
    #[arg(long, value_name = "NAME", conflicts_with = "PurposeArguments")]
    pub(crate) template: Option<String>,
    /// How many days it is valid [default: 90, or what the policy says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
    /// The kind of key: p256, p384, p521, ed25519, rsa2048, rsa3072, rsa4096, mldsa44, mldsa65 or
    /// mldsa87
    #[arg(long = "key", short, value_name = "TYPE", default_value = "p256")]
    pub(crate) key_type: KeyType,
    /// The folder to write to
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Sign it with its own key: for one machine that is told to trust it, and no CA
    #[arg(long, conflicts_with_all = ["home", "template"])]
    pub(crate) self_signed: bool,
    /// Write NAME.p12 too, with key and chain: for browsers, Windows and Java
    #[arg(long)]
    pub(crate) p12: bool,
    /// Write NAME.jks too, for Java of old
    #[arg(long)]
    pub(crate) jks: bool,
    #[command(flatten)]
    pub(crate) protection: ProtectionArguments,
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// What a certificate is for.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct PurposeArguments {
    /// For a server, which is the default
    #[arg(long)]
    pub(crate) server: bool,
    /// For a client: it proves who connects
    #[arg(long)]
    pub(crate) client: bool,
    /// For both, as peers and proxies need it
    #[arg(long)]
    pub(crate) both: bool,
    /// For mail: signed and encrypted (S/MIME)
    #[arg(long)]
    pub(crate) email: bool,
    /// For signing programs
    #[arg(long)]
    pub(crate) code: bool,
}

/// Ask another CA: make a request (CSR) and, unless there is one, its key
///
/// Writes NAME.csr, to be sent to the CA, and NAME.key, to be kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert request example.org www.example.org\n  \
    ravelin cert request --key-file old.key --subject organization=Example example.org")]
pub(crate) struct CertRequestArguments {
    /// The names: hosts (*.example.org too), addresses, mailboxes or URIs, told apart by their look
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<GeneralName>,
    #[command(flatten)]
    pub(crate) purpose: PurposeArguments,
    /// The kind of key to make: as for "ravelin cert new"
    #[arg(
        long = "key",
        short,
        value_name = "TYPE",
        default_value = "p256",
        conflicts_with = "key_file"
    )]
    pub(crate) key_type: KeyType,
    /// The key to ask for a certificate of
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// An attribute of the subject: country=DE, organization=…, unit=…, state=…, locality=…,
    /// name=…; repeatable
    #[arg(long, value_name = "KIND=VALUE")]
    pub(crate) subject: Vec<String>,
    /// Ask that servers must staple OCSP responses
    #[arg(long)]
    pub(crate) must_staple: bool,
    /// The folder to write to
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    #[command(flatten)]
    pub(crate) protection: ProtectionArguments,
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Sign a request (CSR) with the local CA
///
/// Names that were asked for are kept or the request is refused; a table shows what is given
/// otherwise, and why.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert sign example.test.csr\n  \
    ravelin cert sign --days 30 --template server example.test.csr --out certs")]
pub(crate) struct CertSignArguments {
    /// The request, in PEM or DER; - for standard input
    #[arg(value_name = "CSR")]
    pub(crate) request: PathBuf,
    /// The template of the CA's policy [default: the one for what the request asks]
    #[arg(long, value_name = "NAME")]
    pub(crate) template: Option<String>,
    /// How many days it is valid [default: 90, or what the policy says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
    /// The folder to write NAME.pem to
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

/// Judge certificates: is there a path to a root that is trusted, and if not, why?
///
/// Each file is one question: its first certificate, with the others to help. The exit code is 1
/// where one of them fails.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert verify fullchain.pem --host example.org\n  \
    ravelin cert verify client.pem --ca corp-root.pem --purpose client --crl corp.crl\n  \
    ravelin cert verify --at 2027-06-01 certs/*.pem")]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct CertVerifyArguments {
    /// Certificates with their chains, in PEM or DER
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The host it must be good for: a name or an address
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<HostName>,
    /// The mailbox it must be good for
    #[arg(long, value_name = "ADDRESS", conflicts_with = "host")]
    pub(crate) email: Option<Mailbox>,
    /// What is trusted: a file of roots, "system" or "local"; repeatable [default: local and system]
    #[arg(long, value_name = "FILE|system|local")]
    pub(crate) ca: Vec<PathBuf>,
    /// Intermediates that may help, beside those in FILE; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Vec<PathBuf>,
    /// Judge as of this time: 2027-06-01, or 2027-06-01T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Moment>,
    /// Lists of what was revoked (CRLs), in PEM or DER; repeatable. A certificate that none of them
    /// tells of fails
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,
    /// What it must be good for
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<VerifiedPurpose>,
    /// Fetch issuers that are missing from where certificates say they are, over HTTP
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Show all paths that were tried, not only the nearest
    #[arg(long, conflicts_with = "json")]
    pub(crate) paths: bool,
    /// Print JSON: an array of objects
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum VerifiedPurpose {
    Server,
    Client,
    Email,
    Code,
    Ocsp,
    Timestamp,
    Any,
}

impl VerifiedPurpose {
    /// The purpose that it stands for; none for any.
    pub(crate) fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Server => Some(Purpose::Server),
            Self::Client => Some(Purpose::Client),
            Self::Email => Some(Purpose::Email),
            Self::Code => Some(Purpose::Code),
            Self::Ocsp => Some(Purpose::OcspSigning),
            Self::Timestamp => Some(Purpose::TimeStamping),
            Self::Any => None,
        }
    }
}

/// Say all that is wrong with a certificate, and who will refuse it
///
/// By RFC 5280 and, for what browsers trust by themselves, the baseline requirements of the
/// CA/Browser Forum. Whether a chain is trusted is asked with "ravelin cert verify". The exit code is
/// 1 where there is an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    ravelin cert lint fullchain.pem\n  \
    ravelin cert lint --public --json site.pem")]
pub(crate) struct CertLintArguments {
    /// Certificates with their chains, in PEM or DER
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Ask for what the CA/Browser Forum asks of public certificates [default: of those that look it]
    #[arg(long, conflicts_with = "private")]
    pub(crate) public: bool,
    /// Do not ask for it
    #[arg(long)]
    pub(crate) private: bool,
    /// Judge as of this time: 2027-06-01, or 2027-06-01T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Moment>,
    /// Print JSON: an array of objects
    #[arg(long)]
    pub(crate) json: bool,
}

/// A moment, as a day or in RFC 3339.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) SystemTime);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = if text.contains('T') {
            text.to_owned()
        } else {
            format!("{text}T00:00:00Z")
        };
        OffsetDateTime::parse(&whole, &Rfc3339)
            .map(|time| Self(time.into()))
            .map_err(|_| {
                format!(
                    "\"{text}\" is no day and no time, such as 2027-06-01 or 2027-06-01T12:00:00Z"
                )
            })
    }
}
