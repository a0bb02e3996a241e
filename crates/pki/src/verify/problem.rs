//! What can be wrong with a path: in a sentence, with the rule that says so and what mends it.

use std::fmt;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use crate::mailbox::Mailbox;
use crate::name::HostName;
use crate::revocation_list::RevocationReason;
use crate::signature::SignatureError;

/// What is wrong with one certificate of a path.
///
/// `Display` says it of the certificate: "it expired 3 days ago, …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither the anchors nor the other certificates at hand have its issuer's name.
    #[error("the certificate of its issuer, \"{issuer}\"{}, is not at hand", with_key(key_identifier.as_deref()))]
    IssuerMissing {
        /// The issuer's name.
        issuer: String,
        /// Which key of the issuer, in hexadecimal digits, where the certificate says so.
        key_identifier: Option<String>,
        /// Where the certificate says that its issuer's is (RFC 5280, section 4.2.2.1).
        addresses: Vec<String>,
    },
    /// It signed itself, and is no anchor.
    #[error("it is self-signed, and not one of the {anchors} certificates that are trusted")]
    NotTrusted {
        /// How many anchors there are.
        anchors: usize,
    },
    /// The issuer that has the right name did not make its signature.
    #[error("{}", signed(issuer, source))]
    Signature {
        /// The issuer's name.
        issuer: String,
        /// Whether it is wrong or could not be checked.
        source: SignatureError,
    },
    /// The algorithm that is signed is not the one beside the signature.
    #[error("it names two different signature algorithms")]
    AlgorithmsDiffer,
    /// Its time has not come.
    #[error("it is not valid before {}, which is in {}", date(*not_before), span(*wait))]
    NotYetValid {
        /// The first second of its life.
        not_before: SystemTime,
        /// How long until then.
        wait: Duration,
    },
    /// Its time is over.
    #[error("it expired {} ago, at {}", span(*ago), date(*not_after))]
    Expired {
        /// The last second of its life.
        not_after: SystemTime,
        /// How long ago that was.
        ago: Duration,
    },
    /// It issued the next certificate and is no CA.
    #[error("it is not the certificate of a CA, and issued \"{issued}\"")]
    NotCa {
        /// The certificate that it issued.
        issued: String,
        /// Whether it says so itself; else it says nothing.
        stated: bool,
    },
    /// Its key may not sign certificates.
    #[error("its key is for {}, not for signing certificates", list(has))]
    MayNotSign {
        /// What the key may do.
        has: Vec<&'static str>,
    },
    /// There are more CAs below it than it allows.
    #[error("it allows {} below it, and there are {found}", cas(*allowed))]
    TooManyBelow {
        /// How many it allows.
        allowed: u32,
        /// How many there are.
        found: u32,
    },
    /// One of its names is not among those that a CA above it may certify.
    #[error("its {kind} \"{name}\" is outside of what \"{ca}\" may certify: {constraints}")]
    NameNotPermitted {
        /// The kind of name.
        kind: &'static str,
        /// The name.
        name: String,
        /// The CA.
        ca: String,
        /// All that the CA may certify, and all that it may not.
        constraints: String,
    },
    /// An extension must be understood and is not.
    #[error("its critical extension \"{name}\" is not one that is understood here")]
    UnknownCriticalExtension {
        /// The extension.
        name: String,
    },
    /// A policy is asked for, by a certificate or by the rules, and the path has none.
    #[error("no certificate policy that is acceptable holds for the path down to it")]
    NoPolicy,
    /// It maps `anyPolicy`.
    #[error("it maps anyPolicy to another policy, or another to it")]
    AnyPolicyMapped,
    /// It is not for the purpose that was asked for.
    #[error("it is for {}, not for {wanted}", list(has))]
    Purpose {
        /// The purpose.
        wanted: &'static str,
        /// The purposes that it has.
        has: Vec<String>,
    },
    /// Its key may do nothing of what the purpose needs.
    #[error("its key is for {}; {wanted} needs one for {}", list(has), needs.join(" or "))]
    KeyUsage {
        /// The purpose.
        wanted: &'static str,
        /// What the key may do.
        has: Vec<&'static str>,
        /// What it would have to, one of them.
        needs: Vec<&'static str>,
    },
    /// It is a CA's, where a leaf was asked for.
    #[error("it is the certificate of a CA, which is not taken as one for {wanted}")]
    CaAsLeaf {
        /// The purpose.
        wanted: &'static str,
    },
    /// It is not for the host.
    #[error("\"{host}\" is not one of its names; {}", has_names(names, common_name.as_deref()))]
    WrongHost {
        /// The host that was asked for.
        host: HostName,
        /// All its names.
        names: Vec<String>,
        /// Its common name, which was not looked at.
        common_name: Option<String>,
    },
    /// It is not for the mailbox.
    #[error("\"{mailbox}\" is not one of its mailboxes; {}", has_names(has, None))]
    WrongMailbox {
        /// The mailbox that was asked for.
        mailbox: Mailbox,
        /// All its mailboxes.
        has: Vec<String>,
    },
    /// Its key is too short.
    #[error("its key, {kind}, is shorter than {minimum} bits")]
    WeakKey {
        /// The kind.
        kind: String,
        /// The shortest that is taken.
        minimum: u16,
    },
    /// Its signature is over a hash that is broken.
    #[error("its signature is made with {algorithm}, which can be forged")]
    WeakSignature {
        /// The algorithm.
        algorithm: String,
    },
    /// Its serial number is one that RFC 5280 forbids.
    #[error("its serial number {number} is {fault}")]
    SerialNumber {
        /// The number.
        number: String,
        /// What it is.
        fault: &'static str,
    },
    /// Its issuer took it back.
    #[error("it was revoked at {}{}", date(*at), because(*reason))]
    Revoked {
        /// When.
        at: SystemTime,
        /// Why.
        reason: RevocationReason,
    },
    /// Whether it was revoked cannot be told.
    #[error("whether it was revoked cannot be told: {0}")]
    RevocationUnknown(NoStatus),
    /// The certificates at hand make more work than one verdict may.
    #[error("more than {limit} {what} would be needed to judge it")]
    TooMuchWork {
        /// The bound.
        limit: usize,
        /// What of.
        what: &'static str,
    },
}

/// Why nothing is known of whether a certificate was revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoStatus {
    /// No CRL is about it.
    #[error("no CRL of \"{issuer}\" is at hand")]
    NoCrl {
        /// Who would have signed it.
        issuer: String,
        /// Where the certificate says that there is one.
        addresses: Vec<String>,
    },
    /// There are CRLs of its issuer, but none is about it.
    #[error("no CRL of \"{issuer}\" at hand is about certificates of its kind or place")]
    OutOfScope {
        /// Who signed them.
        issuer: String,
    },
    /// The CRL is too old.
    #[error("the CRL of \"{issuer}\" should have been replaced {} ago, at {}", span(*ago), date(*next_update))]
    Stale {
        /// Who signed it.
        issuer: String,
        /// When it had to be replaced.
        next_update: SystemTime,
        /// How long ago that was.
        ago: Duration,
    },
    /// The CRL is from the future.
    #[error("the CRL of \"{issuer}\" is not valid before {}", date(*this_update))]
    NotYetValid {
        /// Who signed it.
        issuer: String,
        /// When it begins to count.
        this_update: SystemTime,
    },
    /// No key that may have signed it did.
    #[error("the CRL of \"{issuer}\" was not signed by a key that may sign its CRLs")]
    Signature {
        /// Who should have signed it.
        issuer: String,
    },
    /// Its signature can be forged.
    #[error("the CRL of \"{issuer}\" is signed with SHA-1, which can be forged")]
    WeakSignature {
        /// Who signed it.
        issuer: String,
    },
    /// A critical extension of the CRL or of an entry is not understood.
    #[error("the CRL of \"{issuer}\" has a critical extension that is not understood here")]
    UnknownCriticalExtension {
        /// Who signed it.
        issuer: String,
    },
    /// The CRLs are about some reasons alone.
    #[error("the CRLs of \"{issuer}\" at hand are about some reasons for revoking alone")]
    SomeReasons {
        /// Who signed them.
        issuer: String,
    },
}

impl Problem {
    /// The rule that was broken, and where it is written.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::IssuerMissing { .. } => "RFC 5280, section 6.1, condition (b)",
            Self::NotTrusted { .. } => "RFC 5280, section 6.1.1 (d)",
            Self::Signature { .. } => "RFC 5280, section 6.1.3 (a)(1)",
            Self::AlgorithmsDiffer => "RFC 5280, section 4.1.1.2",
            Self::NotYetValid { .. } | Self::Expired { .. } => "RFC 5280, section 6.1.3 (a)(2)",
            Self::Revoked { .. } => "RFC 5280, section 6.1.3 (a)(3)",
            Self::RevocationUnknown(_) => "RFC 5280, section 6.3.3",
            Self::NameNotPermitted { .. } => "RFC 5280, section 6.1.3 (b) and (c)",
            Self::NoPolicy => "RFC 5280, sections 6.1.3 (f) and 6.1.5 (g)",
            Self::AnyPolicyMapped => "RFC 5280, section 6.1.4 (a)",
            Self::NotCa { .. } => "RFC 5280, section 6.1.4 (k)",
            Self::TooManyBelow { .. } => "RFC 5280, section 6.1.4 (l) and (m)",
            Self::MayNotSign { .. } => "RFC 5280, section 6.1.4 (n)",
            Self::UnknownCriticalExtension { .. } => "RFC 5280, section 4.2",
            Self::Purpose { .. } => "RFC 5280, section 4.2.1.12",
            Self::KeyUsage { .. } => "RFC 5280, section 4.2.1.3",
            Self::CaAsLeaf { .. } => "CA/Browser Forum baseline requirements, section 7.1.2.7",
            Self::WrongHost { .. } => "RFC 9525, section 6",
            Self::WrongMailbox { .. } => "RFC 5280, section 7.5; RFC 9598, section 5",
            Self::WeakKey { .. } => "CA/Browser Forum baseline requirements, section 6.1.5",
            Self::WeakSignature { .. } => "CA/Browser Forum baseline requirements, section 7.1.3.2",
            Self::SerialNumber { .. } => "RFC 5280, section 4.1.2.2",
            Self::TooMuchWork { .. } => "a bound of Ravelin's own, against denial of service",
        }
    }

    /// What mends it, where something does.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let say = |text: &str| Some(text.to_owned());
        match self {
            Self::IssuerMissing { addresses, .. } => match addresses.first() {
                Some(address) => Some(format!(
                    "its issuer's certificate can be had from \"{address}\": put it behind the \
                     leaf in the same file"
                )),
                None => say(
                    "put its issuer's certificate behind it in the same file, or name the root \
                     among those that are trusted",
                ),
            },
            Self::NotTrusted { .. } => {
                say("if it is to be trusted, name it among the certificates that are")
            }
            Self::Signature { source, .. } => match source {
                SignatureError::Wrong => say(
                    "the issuer has another key of the same name, or the certificate was changed \
                     after it was signed: ask for the issuer's certificate that belongs to it",
                ),
                SignatureError::Unsupported { .. } | SignatureError::KeySize { .. } => {
                    say("have it issued again with ECDSA, RSA of 2048 bits or more, or Ed25519")
                }
                SignatureError::WrongKey { .. } => None,
            },
            Self::NotYetValid { .. } => say("see whether the clock is right; else wait"),
            Self::Expired { .. } => say("have it issued again; see whether the clock is right"),
            Self::NotCa { .. } | Self::MayNotSign { .. } | Self::TooManyBelow { .. } => {
                say("have the next certificate issued by a CA that may")
            }
            Self::NameNotPermitted { .. } => {
                say("leave the name out, or have it issued by a CA that may certify it")
            }
            Self::Purpose { wanted, .. } => Some(format!("have it issued again for {wanted}")),
            Self::KeyUsage { needs, .. } => Some(format!(
                "have it issued again with the key usage {}",
                needs.join(" or ")
            )),
            Self::CaAsLeaf { .. } => {
                say("issue a certificate that is no CA's for it, and trust the CA")
            }
            Self::WrongHost { host, .. } => Some(format!(
                "have it issued again with the name \"{host}\", or use one of its names"
            )),
            Self::WrongMailbox { mailbox, has } => Some(match has.as_slice() {
                [one] if one.to_lowercase() == mailbox.to_string().to_lowercase() => {
                    format!("ask for \"{one}\": before the @, the case of letters counts")
                }
                _ => format!("have it issued again with the name \"{mailbox}\""),
            }),
            Self::WeakKey { .. } => say("make a new key: ECDSA P-256, or RSA of 2048 bits or more"),
            Self::WeakSignature { .. } => say("have it issued again with SHA-256"),
            Self::SerialNumber { .. } | Self::AlgorithmsDiffer => {
                say("have it issued again by software that follows RFC 5280")
            }
            Self::Revoked { .. } => say("have a new one issued, with a new key"),
            Self::RevocationUnknown(why) => why.hint(),
            Self::NoPolicy => say("accept any policy, or have it issued under one that is"),
            Self::UnknownCriticalExtension { .. }
            | Self::AnyPolicyMapped
            | Self::TooMuchWork { .. } => None,
        }
    }

    /// How far a path with this problem is from holding: of several paths, the one of least weight
    /// is the one that was meant.
    pub(super) fn weight(&self) -> u32 {
        match self {
            Self::Signature { .. } => 1000,
            Self::TooMuchWork { .. } => 500,
            Self::IssuerMissing { .. } => 200,
            Self::NotTrusted { .. } => 100,
            Self::NotCa { .. } => 50,
            _ => 10,
        }
    }
}

impl NoStatus {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCrl { addresses, .. } => addresses
                .first()
                .map(|address| format!("its CRL can be had from \"{address}\"")),
            Self::Stale { .. } => Some("ask its issuer for a newer CRL".to_owned()),
            _ => None,
        }
    }
}

fn with_key(identifier: Option<&str>) -> String {
    identifier.map_or_else(String::new, |key| format!(" (key {key})"))
}

fn signed(issuer: &str, source: &SignatureError) -> String {
    match source {
        SignatureError::Wrong | SignatureError::WrongKey { .. } => {
            format!("its signature was not made with the key of \"{issuer}\"")
        }
        SignatureError::Unsupported { .. } | SignatureError::KeySize { .. } => {
            format!("its signature by \"{issuer}\" cannot be checked")
        }
    }
}

fn cas(number: u32) -> String {
    match number {
        0 => "no CA".to_owned(),
        1 => "one CA".to_owned(),
        _ => format!("{number} CAs"),
    }
}

fn because(reason: RevocationReason) -> String {
    match reason {
        RevocationReason::Unspecified => String::new(),
        reason => format!(", for the reason {reason}"),
    }
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "nothing".to_owned();
    }
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    items.join(", ")
}

/// At most so many names are shown: some certificates have hundreds.
const SHOWN_NAMES: usize = 12;

fn has_names(names: &[String], common_name: Option<&str>) -> String {
    let mut text = match names.len() {
        0 => "it has none".to_owned(),
        1..=SHOWN_NAMES => format!("it has: {}", names.join(", ")),
        more => format!(
            "it has: {} and {} more",
            names[..SHOWN_NAMES].join(", "),
            more - SHOWN_NAMES
        ),
    };
    if let Some(name) = common_name {
        let _ = fmt::Write::write_fmt(
            &mut text,
            format_args!(" (its common name \"{name}\" is not looked at)"),
        );
    }
    text
}

/// The two largest units: `3 days`, `5 hours`, `1 year 20 days`.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [
        (365 * 86_400, "year"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let count = |number: u64, unit: &str| match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    };
    let first = units.iter().position(|(size, _)| seconds >= *size);
    let (size, unit) = units[first.unwrap_or(units.len() - 1)];
    let rest = seconds % size / 86_400;
    let years = size > 86_400 && rest > 0;
    let more = if years {
        format!(" {}", count(rest, "day"))
    } else {
        String::new()
    };
    count(seconds / size, unit) + &more
}

/// `2026-11-24 12:00:00 UTC`. All that certificates can say is within the years 0 to 9999.
fn date(time: SystemTime) -> String {
    let date = OffsetDateTime::from(time);
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    format!(
        "{year:04}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC",
        u8::from(month)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_in_units_that_people_use() {
        let shown = [0, 1, 59, 60, 7200, 86_400, 3 * 86_400 + 5, 366 * 86_400]
            .map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(
            shown,
            [
                "0 seconds",
                "1 second",
                "59 seconds",
                "1 minute",
                "2 hours",
                "1 day",
                "3 days",
                "1 year 1 day"
            ]
        );
    }

    #[test]
    fn a_long_list_of_names_is_cut_and_the_common_name_is_told_apart() {
        let names: Vec<String> = (0..14).map(|n| format!("{n}.example")).collect();
        let text = has_names(&names, Some("example"));
        assert!(
            text.ends_with("11.example and 2 more (its common name \"example\" is not looked at)")
        );
        assert_eq!(has_names(&[], None), "it has none");
    }

    #[test]
    fn a_sentence_says_when() {
        let problem = Problem::Expired {
            not_after: SystemTime::UNIX_EPOCH,
            ago: Duration::from_secs(3 * 86_400),
        };
        assert_eq!(
            problem.to_string(),
            "it expired 3 days ago, at 1970-01-01 00:00:00 UTC"
        );
        assert_eq!(problem.rule(), "RFC 5280, section 6.1.3 (a)(2)");
        assert!(problem.hint().is_some());
    }
}
