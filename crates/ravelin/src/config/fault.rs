//! What can be wrong with a config file, and every word said about it: what is wrong in the
//! `Display` of [`Fault`], how to mend it in [`Fault::hint`].
//!
//! No text here holds a password or a hash; `secret` sees to the lines of the file shown with it.

use std::net::SocketAddr;
use std::path::PathBuf;

use ravelin_pki::HostName;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    // The form of the file.
    #[error("{0}")]
    Syntax(String),
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    #[error("unknown key `{key}`")]
    UnknownKey { key: String, known: Vec<String> },
    #[error("{what} must be {wanted}, not {found}")]
    WrongType {
        what: String,
        wanted: String,
        found: &'static str,
        example: Option<String>,
    },
    #[error("`{table}` is a list of tables, not a single one")]
    SingleTable { table: String },
    #[error("`{key}` must be {}", list(.allowed, "or"))]
    NotOneOf {
        key: String,
        allowed: Vec<String>,
        example: Option<String>,
    },
    #[error("`{key}` must be {}", range(*.least, *.most))]
    OutOfRange {
        key: String,
        least: i128,
        most: i128,
        example: Option<String>,
    },
    #[error("`{key}` must not be empty")]
    Empty {
        key: String,
        example: Option<String>,
    },
    #[error("`{key}` is missing")]
    MissingKey {
        key: String,
        example: Option<String>,
    },
    #[error("`{table}` needs one of {}", code_list(.keys))]
    NoneOf {
        table: String,
        keys: Vec<String>,
        example: Option<String>,
    },
    #[error("`{table}` may have only one of {}", code_list(.keys))]
    SeveralOf { table: String, keys: Vec<String> },

    // Values.
    #[error("{0:?} is not a time")]
    Time(String),
    #[error("a time of zero lets nothing happen")]
    ZeroTime,
    #[error("{0:?} is longer than a year")]
    LongTime(String),
    #[error("{0:?} is not a size")]
    Size(String),
    #[error("the size is larger than any memory")]
    HugeSize,
    #[error("the size must be from {least} to {most}")]
    SizeRange {
        least: &'static str,
        most: &'static str,
    },

    // [server]
    #[error("{text:?} does not say where to listen")]
    Listen { text: String, mend: String },
    #[error("{0} is given twice")]
    AddressTwice(SocketAddr),
    #[error("one of {0} and {1} takes the connections of the other")]
    AddressWithin(SocketAddr, SocketAddr),
    #[error("{0} cannot both serve HTTPS and redirect to it")]
    AddressForBoth(SocketAddr),

    // [log]
    #[error("`{0}` means nothing where the log goes to standard output")]
    RotatedStdout(&'static str),
    #[error("the folder {0:?} of the log is not there")]
    LogFolder(PathBuf),
    #[error("the log {0:?} is a folder")]
    LogIsFolder(PathBuf),
    #[error("the log {0:?} cannot be written: permission denied")]
    LogDenied(PathBuf),

    // Hosts
    #[error("{text:?} is not a host name")]
    Host { text: String, mend: String },
    #[error("{0:?} has a `*` that is not its whole first label")]
    Wildcard(String),
    #[error("`{0}` is given twice")]
    HostTwice(HostName),
    #[error("`{0}` already belongs to another site")]
    HostElsewhere(HostName),
    #[error("the local certificate authority may not sign for `{0}`")]
    NotLocal(HostName),

    #[error("no client accepts a certificate for `{0}`")]
    TooWide(HostName),

    // Certificates and keys
    #[error("{0:?} is not there")]
    FileMissing(PathBuf),
    #[error("{path:?} cannot be read: {why}")]
    FileUnreadable { path: PathBuf, why: String },
    #[error("{0:?} is a folder, not a file")]
    FileIsFolder(PathBuf),
    #[error("{path:?} cannot be used: {why}")]
    Pem {
        path: PathBuf,
        why: String,
        mend: &'static str,
    },
    #[error("the key does not belong to the certificate in {0:?}")]
    KeyMismatch(PathBuf),
    #[error("the certificate in {path:?} expired on {day}")]
    Expired { path: PathBuf, day: String },
    #[error("the certificate in {path:?} is not valid before {day}")]
    NotYetValid { path: PathBuf, day: String },
    #[error("the certificate does not cover `{host}`")]
    NotCovered { host: HostName, names: Vec<String> },
    #[error("the private key {0:?} lies in the folder that is served")]
    KeyServed(PathBuf),
    #[error("the keys of the local CA lie in the folder that is served")]
    StoreServed,
    #[error("the log {0:?} lies in the folder that is served")]
    LogServed(PathBuf),
    #[error("this file, which holds password hashes, lies in the folder that is served")]
    ConfigServed,

    // Headers
    #[error("{0:?} is not a header name")]
    HeaderName(String),
    #[error("the value of `{0}` has characters that a header cannot have")]
    HeaderValue(String),
    #[error("the header `{0}` is given twice")]
    HeaderTwice(String),
    #[error("the header `{0}` is the server's own to set")]
    HeaderOwned(String),
    #[error("the header `Strict-Transport-Security` has a key of its own")]
    HeaderHsts,
    #[error("{0:?} is not a Strict-Transport-Security policy")]
    Hsts(String),

    // Paths
    #[error("the path {0:?} does not start with `/`")]
    PathRelative(String),
    #[error("the path {path:?} has a `*` elsewhere than in a `/*` at its end")]
    PathStar { path: String, mend: String },
    #[error("the path {0:?} has a `.` or `..` segment, so no request ever matches it")]
    PathDots(String),
    #[error("the path {0:?} has an empty segment, so no request ever matches it")]
    PathEmptySegment(String),
    #[error("the path {0:?} has a query or fragment, and routes match the path alone")]
    PathQuery(String),
    #[error("{found:?} is not a percent-encoded character")]
    Percent { found: String },
    #[error("the path {path:?} holds {found}, which no route can take")]
    PathForbidden { path: String, found: &'static str },
    #[error("the path {path:?} has a placeholder, and only `/*` at its end stands for other text")]
    PathPlaceholder { path: String, mend: String },
    #[error("another route of this site already takes the path {0:?}")]
    PathTwice(String),

    // Templates, redirects and rewrites
    #[error("the rewritten path {text:?} {why}")]
    Rewrite { text: String, why: &'static str },
    #[error("unknown placeholder `{{{name}}}`")]
    Placeholder { name: String, known: &'static str },
    #[error("a `{{` is never closed")]
    OpenBrace,
    #[error("`{{rest}}` is always empty, because the path {0:?} has no `*`")]
    EmptyRest(String),
    #[error("{0:?} is neither a path nor a URL")]
    Target(String),
    #[error("{0:?} leaves the host to whoever writes the link")]
    OpenTarget(String),
    #[error("{0:?} is not a host and port to redirect to")]
    TargetHost(String),
    #[error("{0:?} has characters that a URL cannot have")]
    TargetCharacter(String),
    #[error("the redirect never ends: {from} leads back to itself")]
    Loop { from: String },
    #[error("`{0}` means nothing in a route without `files`")]
    OnlyForFiles(&'static str),

    // Files
    #[error("the folder {0:?} is not there")]
    RootMissing(PathBuf),
    #[error("{0:?} is a file, not a folder")]
    RootIsFile(PathBuf),
    #[error("the folder {path:?} cannot be read: {why}")]
    RootUnreadable { path: PathBuf, why: String },
    #[error("`index` must be the name of a file, not {0:?}")]
    Index(String),
    #[error("the fallback {0:?} is not inside the folder that is served")]
    FallbackOutside(String),
    #[error("the fallback {0:?} is not there")]
    FallbackMissing(PathBuf),
    #[error("the fallback {0:?} has a dot file in its path, which is never served")]
    FallbackHidden(String),

    // Fixed responses
    #[error("a response with status {0} has no body")]
    NoBody(u16),
    #[error("{0:?} is not a content type")]
    ContentType(String),

    // Who may come in, and how often
    #[error("the realm has characters that it cannot have")]
    Realm,
    #[error("{0:?} is not a user name")]
    UserName(String),
    #[error("the password of user `{0}` is not an argon2 hash")]
    Password(String),

    // Tunnels
    #[error("{what}")]
    Tunnel { what: String, mend: String },
}

impl Fault {
    /// How to mend it.
    #[allow(clippy::too_many_lines, reason = "a table: one entry a fault")]
    pub(super) fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Syntax(what) => return syntax_hint(what).map(str::to_owned),
            Self::NotUtf8 => "save the file as UTF-8".to_owned(),
            Self::UnknownKey { key, known } => match nearest(key, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are {}", code_list(known)),
            },
            Self::SingleTable { .. } => {
                "put its name in two brackets, as in `[[site]]` and `[[site.route]]`".to_owned()
            }
            Self::WrongType { example, .. }
            | Self::NotOneOf { example, .. }
            | Self::OutOfRange { example, .. }
            | Self::Empty { example, .. }
            | Self::MissingKey { example, .. }
            | Self::NoneOf { example, .. } => {
                return example.as_ref().map(|e| format!("write {e}"));
            }
            Self::SizeRange { .. } => return None,
            Self::SeveralOf { .. } => {
                "keep one, and make a `[[site.route]]` of its own for each of the \
                     others"
                    .to_owned()
            }

            Self::Time(_) => {
                "write a whole number and its unit: \"500ms\", \"10s\", \"5m\", \"2h\" \
                     or \"1d\""
                    .to_owned()
            }
            Self::ZeroTime => "the shortest time is \"1ms\"".to_owned(),
            Self::LongTime(_) => "the longest time is \"365d\"".to_owned(),
            Self::Size(_) => {
                "write a whole number and its unit: \"512B\", \"32KiB\", \"10MiB\" or \
                     \"1GiB\""
                    .to_owned()
            }
            Self::HugeSize => "the largest size is \"8388607TiB\"".to_owned(),

            Self::Listen { mend, .. } | Self::Host { mend, .. } | Self::Tunnel { mend, .. } => {
                mend.clone()
            }
            Self::AddressTwice(_)
            | Self::AddressWithin(..)
            | Self::HostTwice(_)
            | Self::HeaderTwice(_) => "remove one of the two".to_owned(),
            Self::AddressForBoth(_) => "give the redirect a port of its own".to_owned(),

            Self::RotatedStdout(_) => {
                "name a file, to = \"access.log\", or leave the key out".to_owned()
            }
            Self::LogIsFolder(path) => format!(
                "name a file in it: to = \"{}\"",
                path.join("access.log").display()
            ),
            Self::LogDenied(_) => {
                "let the user who runs ravelin write there, or log elsewhere".to_owned()
            }

            Self::Wildcard(_) => "`*.example.org` stands for every name with one label more than \
                     `example.org`; no other form does"
                .to_owned(),
            Self::HostElsewhere(_) => {
                "give each name to one site, and tell its paths apart with routes".to_owned()
            }
            Self::NotLocal(host) => format!(
                "name the files of a certificate, certificate = {{ cert = \
                     \"fullchain.pem\", key = \"key.pem\" }}, or, where only machines that \
                     trust your local root come, add {:?} to `server.local_names`",
                host.to_string().trim_start_matches("*."),
            ),

            Self::TooWide(host) => too_wide_hint(host),

            Self::FileMissing(_) => "relative paths start at the folder of this file".to_owned(),
            Self::FileUnreadable { .. } | Self::RootUnreadable { .. } => {
                "let the user who runs ravelin read it".to_owned()
            }
            Self::FileIsFolder(_) => "name the PEM file itself".to_owned(),
            Self::Pem { mend, .. } => (*mend).to_owned(),
            Self::KeyMismatch(_) => {
                "name the key that this certificate was asked for with; the site's own \
                     certificate must be the first in its file"
                    .to_owned()
            }
            Self::Expired { .. } => "renew it, or name the file of the newer one".to_owned(),
            Self::NotYetValid { .. } => "check the clock of this machine".to_owned(),
            Self::NotCovered { names, .. } if names.is_empty() => {
                "it has no names at all; get one with the names of the site".to_owned()
            }
            Self::NotCovered { names, .. } => format!("it covers {}", code_list(names)),
            Self::KeyServed(_) => "keep keys out of the folders that are served".to_owned(),
            Self::StoreServed => {
                "keep them elsewhere (--home or RAVELIN_HOME), or serve a folder of its own"
                    .to_owned()
            }
            Self::LogServed(_) => "keep logs out of the folders that are served".to_owned(),
            Self::ConfigServed => {
                "move the site's files to a folder of their own, such as ./public".to_owned()
            }

            Self::HeaderName(_) => {
                "a name has ASCII letters, digits and hyphens, like \"X-Frame-Options\"".to_owned()
            }
            Self::HeaderValue(_) => {
                "a value has printable ASCII characters, all on one line".to_owned()
            }
            Self::HeaderOwned(_) | Self::OnlyForFiles(_) => "remove it".to_owned(),
            Self::HeaderHsts => "set `hsts` on the site: hsts = \"max-age=31536000\"".to_owned(),
            Self::Hsts(_) => "write \"max-age=SECONDS\", and \"; includeSubDomains\" and \"; \
                     preload\" where wanted; or false"
                .to_owned(),

            Self::PathRelative(path) => format!("write path = {:?}", format!("/{path}")),
            Self::PathStar { mend, .. } | Self::PathPlaceholder { mend, .. } => {
                format!("write path = {mend:?}")
            }
            Self::PathDots(_) | Self::PathEmptySegment(_) => {
                "clients and server resolve such segments before they look for a route: \
                     write the path without them"
                    .to_owned()
            }
            Self::PathQuery(path) => format!(
                "write path = {:?}",
                path.split(['?', '#']).next().unwrap_or("/")
            ),
            Self::Percent { .. } => {
                "a percent sign has two hexadecimal digits behind it; a real one is \
                     written %25"
                    .to_owned()
            }
            Self::PathForbidden { .. } => "write the path without it".to_owned(),
            Self::PathTwice(_) => "join the two routes, or give one another path".to_owned(),

            Self::Rewrite { .. } => "write it as \"/folder/{rest}\"".to_owned(),
            Self::Placeholder { known, .. } => format!("the placeholders here are {known}"),
            Self::OpenBrace => "close it; a brace that is meant as such is written %7B".to_owned(),
            Self::EmptyRest(path) => format!(
                "write path = \"{}/*\", or leave the placeholder out",
                path.trim_end_matches('/')
            ),
            Self::Target(_) => "start it with `/`, `https://`, `http://` or `{path}`".to_owned(),
            Self::OpenTarget(_) => {
                "of the placeholders, only {host} may stand in the host of a URL".to_owned()
            }
            Self::TargetHost(_) => "write https://HOST/PATH or https://HOST:PORT/PATH".to_owned(),
            Self::TargetCharacter(_) => {
                "write other characters percent-encoded: a space is %20".to_owned()
            }
            Self::Loop { .. } => "send it to a path that another route takes".to_owned(),

            Self::LogFolder(path) | Self::RootMissing(path) => {
                format!("make it: mkdir -p {}", path.display())
            }
            Self::RootIsFile(path) => format!(
                "name the folder that the file is in: root = \"{}\"",
                path.parent().unwrap_or(path).display()
            ),
            Self::Index(_) => "write index = \"index.html\"".to_owned(),
            Self::FallbackOutside(_) => {
                "name a file relative to the root: fallback = \"index.html\"".to_owned()
            }
            Self::FallbackMissing(_) => "the path of the fallback starts at the root".to_owned(),
            Self::FallbackHidden(_) => "give the file a name without a dot in front".to_owned(),

            Self::NoBody(_) => "leave the body out, or answer with another status".to_owned(),
            Self::ContentType(_) => "write it as \"text/html; charset=utf-8\"".to_owned(),

            Self::Realm => "use ASCII letters, digits, spaces and punctuation, but neither \" nor \
                     \\"
            .to_owned(),
            Self::UserName(_) => {
                "it must have a character, and neither a colon nor a control character".to_owned()
            }
            Self::Password(_) => "make the hash with: ravelin password".to_owned(),
        };
        Some(text)
    }
}

/// What to write in place of a wildcard that no client accepts.
pub(crate) fn too_wide_hint(host: &HostName) -> String {
    let host = host.to_string();
    let parent = host.trim_start_matches("*.");
    format!(
        "they want two labels behind the `*`: write each name, \"app.{parent}\", or \"*.app.{parent}\""
    )
}

/// The known word that is a slip of the fingers away from `word`, if there is one.
fn nearest<'k>(word: &str, known: &'k [String]) -> Option<&'k str> {
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= known.len().max(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.as_str())
}

/// "`a`, `b` and `c`".
fn code_list(words: &[String]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    list(&quoted, "and")
}

/// "a, b or c".
fn list(words: &[String], and: &str) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {and} {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn range(least: i128, most: i128) -> String {
    if most < i64::MAX.into() {
        format!("from {least} to {most}")
    } else {
        format!("at least {least}")
    }
}

/// How to mend what the TOML parser complains of.
fn syntax_hint(what: &str) -> Option<&'static str> {
    if what.starts_with("duplicate key") {
        Some("give each key and each table once; `[[site]]` and `[[site.route]]` may repeat")
    } else if what.starts_with("string values must be quoted") {
        Some("put text in quotes: \"text\"")
    } else if what.starts_with("unclosed") || what.starts_with("invalid basic string") {
        Some("look for a bracket or a quote that is missing on this line")
    } else {
        None
    }
}
