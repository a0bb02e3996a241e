//! Why there is no certificate of a CA, and what the user can do about it.

use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use http::StatusCode;
use ravelin_pki::{AuthorityError, HostName, KeyError, LeafError, PemError, SignError};

use super::answer::Kind;
use super::transport::{Transport, TransportError};
use crate::store::StoreError;

/// Why a CA gave no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The CA cannot be reached, or is not believed.
    #[error("cannot ask the ACME server \"{url}\"")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The CA says no, and not in the words of ACME.
    #[error("the ACME server answers \"{url}\" with status {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// The CA has terms, and nobody has agreed to them.
    #[error("the ACME server has terms of service that are not agreed to")]
    Terms {
        /// Where they are to be read.
        terms: String,
    },
    /// The CA wants its accounts bound to others that people have with it (RFC 8555, section 7.3.4).
    #[error("the ACME server wants an account that is bound to another that you have with it")]
    Binding,
    /// The CA says no to a request.
    #[error("the ACME server refuses {what}: {problem}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// What it says.
        problem: Problem,
        /// When to come again, where it says so.
        until: Option<SystemTime>,
    },
    /// The CA has looked, and the name does not lead here.
    #[error("{kind} for \"{name}\" has failed: {problem}")]
    Validation {
        /// The name.
        name: HostName,
        /// How it looked.
        kind: Kind,
        /// What it saw.
        problem: Problem,
    },
    /// The CA would take other proofs than can be given.
    #[error("the ACME server takes none of the proofs that can be given for \"{name}\"; it takes {}", .offered.join(", "))]
    NoChallenge {
        /// The name.
        name: HostName,
        /// The challenges that it offers.
        offered: Vec<String>,
    },
    /// The CA has not come to an end.
    #[error("the ACME server took more than {seconds} seconds over {what}")]
    TooSlow {
        /// Over what.
        what: &'static str,
        /// How long that was waited for.
        seconds: u64,
    },
    /// The CA does not do what RFC 8555 says.
    #[error("the ACME server does not speak ACME as it should: {why}")]
    Protocol {
        /// What is wrong.
        why: String,
    },
    /// An answer to a challenge cannot be shown.
    #[error("the answer to the challenge for \"{name}\" cannot be shown: {why}")]
    Show {
        /// The name.
        name: HostName,
        /// Why.
        why: String,
    },
    /// What the CA gave is no chain.
    #[error("the certificate that the ACME server gave cannot be read")]
    Pem(#[source] PemError),
    /// What the CA gave does not fit the key.
    #[error("the certificate that the ACME server gave cannot be used")]
    Leaf(#[source] LeafError),
    /// What the CA gave is not for all names.
    #[error("the certificate that the ACME server gave does not cover \"{name}\"")]
    Names {
        /// One that it is not for.
        name: HostName,
    },
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The request could not be signed.
    #[error("the request for a certificate could not be signed")]
    Sign(#[from] SignError),
    /// The certificate for `tls-alpn-01` could not be made.
    #[error("the answer to a challenge could not be made")]
    Answer(#[from] AuthorityError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a CA says is wrong (RFC 7807; RFC 8555, section 6.7), within bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind, as RFC 8555 calls it: `rateLimited`.
    pub kind: String,
    /// In its words.
    pub detail: String,
    /// What is wrong with single names.
    pub parts: Vec<(String, Problem)>,
}

impl Problem {
    pub(super) fn of(problem: &instant_acme::Problem) -> Self {
        let parts = problem.subproblems.iter().take(MOST_PARTS).map(|part| {
            let name = part.identifier.as_ref();
            let name = name.map(|name| name.authorized(false).to_string());
            let problem = Self::new(part.r#type.as_deref(), part.detail.as_deref());
            (cut(&name.unwrap_or_default()), problem)
        });
        Self {
            parts: parts.collect(),
            ..Self::new(problem.r#type.as_deref(), problem.detail.as_deref())
        }
    }

    fn new(kind: Option<&str>, detail: Option<&str>) -> Self {
        let kind = kind.unwrap_or_default();
        Self {
            kind: cut(kind
                .strip_prefix("urn:ietf:params:acme:error:")
                .unwrap_or(kind)),
            detail: cut(detail.unwrap_or_default()),
            parts: Vec::new(),
        }
    }

    /// Whether it, or a part of it, is of this kind.
    fn has(&self, kind: &str) -> bool {
        self.kind == kind || self.parts.iter().any(|(_, part)| part.kind == kind)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.detail, &*self.kind) {
            ("", "") => f.write_str("it does not say why")?,
            ("", kind) => f.write_str(kind)?,
            (detail, "") => f.write_str(detail)?,
            (detail, kind) => write!(f, "{detail} ({kind})")?,
        }
        for (name, part) in &self.parts {
            write!(f, "; for \"{name}\": {part}")?;
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

impl AcmeError {
    /// What became of a request.
    pub(super) fn of(
        error: instant_acme::Error,
        what: &'static str,
        transport: &Transport,
    ) -> Self {
        use instant_acme::Error as Of;
        match error {
            Of::Api(problem) => Self::Refused {
                what,
                problem: Problem::of(&problem),
                until: transport.retry_after(),
            },
            Of::Other(error) => match error.downcast::<TransportError>() {
                Ok(error) => (*error).into(),
                Err(error) => Self::Protocol {
                    why: error.to_string(),
                },
            },
            error => Self::Protocol {
                why: error.to_string(),
            },
        }
    }

    /// Before when the CA does not want to be asked again.
    #[must_use]
    pub fn until(&self) -> Option<SystemTime> {
        match self {
            Self::Refused { until, .. } => *until,
            _ => None,
        }
    }

    /// Whether the account is not known to the CA any more.
    pub(super) fn is_of_a_lost_account(&self) -> bool {
        matches!(self, Self::Refused { problem, .. } if problem.has("accountDoesNotExist"))
    }

    /// Whether the CA did not take a nonce (RFC 8555, section 6.5.1).
    pub(super) fn is_of_a_nonce(&self) -> bool {
        matches!(self, Self::Refused { problem, .. } if problem.has("badNonce"))
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { url, .. } => Some(format!(
                "see whether it can be reached (ravelin get {url}); where it has a root of its own, name that: \
                 ca = \"root.pem\" in [acme], or --acme-ca"
            )),
            Self::Status { .. } | Self::Protocol { .. } => {
                Some("see whether that is the directory of an ACME server".to_owned())
            }
            Self::Terms { terms } => Some(format!(
                "read them at {terms}, and then say so: agree_to_terms = true in [acme], or --agree-to-terms"
            )),
            Self::Binding => Some(
                "the CA gives you an identifier and a key for it: external_account = { id = \"…\", key = \"FILE\" } \
                 in [acme], or --acme-eab-id and --acme-eab-key"
                    .to_owned(),
            ),
            Self::Refused { problem, .. } => refused(problem),
            Self::Validation {
                name,
                kind,
                problem,
            } => Some(unproved(name, *kind, problem)),
            Self::NoChallenge { offered, .. } => no_challenge(offered),
            Self::Leaf(error) => error.hint().map(str::to_owned),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}

impl From<TransportError> for AcmeError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreachable { url, source } => Self::Unreachable { url, source },
            TransportError::Status { url, status } => Self::Status { url, status },
        }
    }
}

/// What helps where a CA says no at once.
fn refused(problem: &Problem) -> Option<String> {
    let hints = [
        (
            "rateLimited",
            "it has a limit that is used up: wait, and try things out with a CA for tests \
             (https://acme-staging-v02.api.letsencrypt.org/directory)",
        ),
        (
            "rejectedIdentifier",
            "this CA does not sign for that name: it has to be one that the whole internet knows",
        ),
        (
            "unsupportedIdentifier",
            "this CA does not sign for names of that kind; some want a profile for addresses: profile = \"shortlived\"",
        ),
        (
            "caa",
            "a CAA record in DNS keeps this CA from signing: dig CAA and the name",
        ),
        (
            "dns",
            "the CA cannot look the name up in DNS: dig and the name",
        ),
        (
            "externalAccountRequired",
            "the CA gives you an identifier and a key for it: external_account in [acme], or --acme-eab-id",
        ),
        (
            "userActionRequired",
            "the CA has something for you to do or to agree to: it says what above",
        ),
        (
            "invalidContact",
            "write contact as an address that takes mail: contact = \"mailto:ada@example.org\"",
        ),
        (
            "unsupportedContact",
            "write contact as an address that takes mail: contact = \"mailto:ada@example.org\"",
        ),
        (
            "invalidProfile",
            "this CA has no such profile: see meta.profiles in its directory",
        ),
        (
            "serverInternal",
            "the CA has trouble of its own: it is asked again later",
        ),
        (
            "unauthorized",
            "where the account was closed, delete its file in the store and begin with another",
        ),
    ];
    let hint = hints.iter().find(|(kind, _)| problem.has(kind));
    hint.map(|(_, hint)| (*hint).to_owned())
}

/// What helps where a CA has looked and not found us.
fn unproved(name: &HostName, kind: Kind, problem: &Problem) -> String {
    let port = kind.port();
    let way = match kind {
        Kind::TlsAlpn => format!(
            "it connects to port {port} of \"{name}\": a tunnel has to be reached there, with no firewall and no other \
             end of TLS between; or answer on port 80, http = \"*:80\" in [acme] or --acme-http '*:80'"
        ),
        Kind::Http => format!(
            "it connects to port {port} of \"{name}\": what `http` in [acme] or --acme-http names has to be reached there"
        ),
    };
    // Some call that unauthorized, too.
    if problem.detail.starts_with("Failed to connect") {
        return way;
    }
    match &*problem.kind {
        "dns" => format!(
            "\"{name}\" has no address that the CA finds: dig {name} A {name} AAAA, and wait where it is new"
        ),
        "caa" => format!("a CAA record keeps this CA from signing for \"{name}\": dig CAA {name}"),
        "unauthorized" | "incorrectResponse" | "tls" => format!(
            "somebody else answers: dig {name} A {name} AAAA, all of which have to lead here; {way}"
        ),
        _ => way,
    }
}

fn no_challenge(offered: &[String]) -> Option<String> {
    if offered.iter().any(|kind| kind == Kind::Http.name()) {
        return Some(
            "let it look over plain HTTP: http = \"*:80\" in [acme], or --acme-http '*:80'"
                .to_owned(),
        );
    }
    let dns = offered.iter().all(|kind| kind.starts_with("dns-"));
    dns.then(|| {
        "proofs by DNS cannot be given yet: name each host instead of a wildcard".to_owned()
    })
}

const LONGEST_TEXT: usize = 1000;
const MOST_PARTS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> Problem {
        Problem::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_a_ca_says_is_told_with_its_parts_and_within_bounds() {
        let compound = problem(
            r#"{"type": "urn:ietf:params:acme:error:malformed", "detail": "Some are wrong",
                "subproblems": [
                  {"type": "urn:ietf:params:acme:error:caa", "detail": "not ours",
                   "identifier": {"type": "dns", "value": "a.test"}},
                  {"type": "urn:ietf:params:acme:error:rejectedIdentifier"}]}"#,
        );
        assert_eq!(
            compound.to_string(),
            "Some are wrong (malformed); for \"a.test\": not ours (caa); for \"\": rejectedIdentifier"
        );
        assert!(
            refused(&compound)
                .unwrap()
                .contains("does not sign for that name")
        );
        assert_eq!(problem("{}").to_string(), "it does not say why");
        let long = format!(r#"{{"detail": "{}"}}"#, "a".repeat(100_000));
        assert_eq!(problem(&long).to_string().len(), LONGEST_TEXT);
    }

    #[test]
    fn hints_name_the_port_and_the_name() {
        let name: HostName = "a.test".parse().unwrap();
        let refused = problem(r#"{"type": "urn:ietf:params:acme:error:connection"}"#);
        let hint = unproved(&name, Kind::TlsAlpn, &refused);
        assert!(hint.contains("port 443 of \"a.test\"") && hint.contains("--acme-http"));
        let hint = unproved(&name, Kind::Http, &refused);
        assert!(hint.contains("port 80 of \"a.test\""));
        let dns = problem(r#"{"type": "urn:ietf:params:acme:error:dns"}"#);
        assert!(unproved(&name, Kind::Http, &dns).contains("dig a.test A"));
    }
}
