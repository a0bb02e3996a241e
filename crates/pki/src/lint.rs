//! What is wrong with a certificate or a chain, by which rule, who will refuse it, and what mends it.
//!
//! The form of the DER is [`Certificate::from_der`]'s business, whether a chain is trusted that of
//! path validation: here are the rules that a certificate can break and still be read.
//!
//! ```
//! use std::time::SystemTime;
//! use ravelin_pki::lint::{self, Consumer, Options};
//! use ravelin_pki::{Authority, NameConstraints, PrivateKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::now();
//! let root = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
//! let report = lint::lint(&[root.certificate().clone()], now, Options::default());
//! assert!(report.findings().is_empty());
//! assert!(report.refusals(Consumer::Python).next().is_none());
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

use crate::certificate::Certificate;
use crate::oid::Oid;

mod alternative_name;
mod baseline;
mod chain;
mod consumer;
mod extension;
mod field;
mod key;
mod name;
mod rule;
mod usage;

pub use consumer::Consumer;
pub use rule::rules;

/// Says all that is wrong with a chain: the leaf or any single certificate first, behind it those that
/// issued it, with or without the root.
///
/// `now` is the time that it is judged at.
#[must_use]
pub fn lint(chain: &[Certificate], now: SystemTime, options: Options) -> Report {
    let public = options
        .public
        .unwrap_or_else(|| chain.first().is_some_and(looks_public));
    let mut findings = Findings::default();
    for (index, certificate) in chain.iter().enumerate() {
        let subject = Subject::of(chain, index, certificate);
        findings.begin(index);
        field::check(&subject, now, &mut findings);
        key::check(&subject, &mut findings);
        name::check(&subject, &mut findings);
        alternative_name::check(&subject, &mut findings);
        usage::check(&subject, &mut findings);
        extension::check(&subject, &mut findings);
        if public {
            baseline::check(&subject, &mut findings);
        }
    }
    chain::check(chain, &mut findings);
    let roots = (0..chain.len())
        .map(|index| Subject::of(chain, index, &chain[index]).place == Place::Root)
        .collect();
    Report {
        findings: findings.list,
        roots,
        public,
    }
}

/// How to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether the CA/Browser Forum's baseline applies, as it does to what browsers trust by
    /// themselves. Where nothing is said, it applies to certificates that look like it: those with
    /// a policy of the Forum or with timestamps of Certificate Transparency logs.
    pub public: Option<bool>,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    /// Which of the certificates are roots: most consumers take but their name and key.
    roots: Vec<bool>,
    public: bool,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// Which certificate of the chain: 0 is the first.
    pub certificate: usize,
    /// The field, as RFC 5280 calls it: `subjectAltName, 2nd entry`.
    pub field: String,
    /// What is wrong, as a sentence without a full stop.
    pub problem: String,
}

/// A rule that certificates can break.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which never changes: `serial-negative`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is written: `RFC 5280, section 4.1.2.2`.
    pub source: &'static str,
    /// What mends a breach.
    pub mend: &'static str,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; it may be meant so.
    Notice,
    /// Against advice, or refused by some.
    Warning,
    /// Against a rule that is no mere advice.
    Error,
}

impl Report {
    /// All findings, certificate by certificate; those about the chain as a whole are last.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The worst of all findings.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.findings
            .iter()
            .map(|finding| finding.rule.severity)
            .max()
    }

    /// Whether the CA/Browser Forum's baseline was applied.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// The findings because of which a consumer refuses the chain as that of a TLS server, though it
    /// trusts the root. Where there are none, nothing is known that it would refuse.
    pub fn refusals(&self, consumer: Consumer) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| {
            let root = self.roots.get(finding.certificate) == Some(&true);
            consumer.refuses(finding.rule, root)
        })
    }
}

/// `error: serialNumber: the serial number is negative (RFC 5280, section 4.1.2.2)`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule {
            severity, source, ..
        } = self.rule;
        write!(f, "{severity}: {}: {} ({source})", self.field, self.problem)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A certificate, and what its place in the chain says about it.
struct Subject<'c> {
    certificate: &'c Certificate,
    place: Place,
    /// Whether it is a CA's, by what it says or by what it issued.
    ca: bool,
    /// Whether servers are among what it is for, or may be.
    server: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Leaf,
    Intermediate,
    /// It issued itself.
    Root,
}

impl<'c> Subject<'c> {
    fn of(chain: &[Certificate], index: usize, certificate: &'c Certificate) -> Self {
        let issued = index > 0
            && chain[index - 1]
                .issuer_name()
                .matches(certificate.subject_name());
        let ca = certificate.is_ca() || issued;
        // One of version 1 says nothing; where it stands alone and issued itself, it is a root.
        let old_root = index == 0
            && certificate.version() < 3
            && certificate.is_self_issued()
            && certificate.extensions().is_empty();
        let place = match ca || old_root {
            true if certificate.is_self_issued() => Place::Root,
            true => Place::Intermediate,
            false => Place::Leaf,
        };
        // One that names hosts and says that it is a CA is used as a leaf all the same.
        let place = if index == 0 && ca && !certificate.names().is_empty() {
            Place::Leaf
        } else {
            place
        };
        let server = certificate.extended_key_usage().is_none_or(|purposes| {
            purposes.contains(&Oid::SERVER_AUTH) || purposes.contains(&Oid::ANY_EXTENDED_KEY_USAGE)
        });
        Self {
            certificate,
            place,
            ca: ca || old_root,
            server,
        }
    }

    /// Whether it is the end of the chain, and for servers.
    fn is_server(&self) -> bool {
        self.place == Place::Leaf && self.server
    }
}

/// Findings while they are made.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    certificate: usize,
    /// How often each rule was broken by this certificate.
    counts: HashMap<&'static str, usize>,
}

/// Of one rule in one certificate, more are not told: a list of ten thousand bad names is one mistake.
const MOST_OF_A_RULE: usize = 10;

impl Findings {
    fn begin(&mut self, certificate: usize) {
        self.certificate = certificate;
        self.counts.clear();
    }

    fn add(&mut self, rule: &'static Rule, field: impl Into<String>, problem: impl Into<String>) {
        let count = self.counts.entry(rule.id).or_default();
        *count += 1;
        if *count <= MOST_OF_A_RULE {
            self.list.push(Finding {
                rule,
                certificate: self.certificate,
                field: field.into(),
                problem: problem.into(),
            });
        }
    }
}

/// A value of a certificate as it is quoted: cut off, and without what moves a cursor.
fn quoted(value: impl fmt::Display) -> String {
    let text = value.to_string();
    let mut shown: String = text
        .chars()
        .take(80)
        .map(|c| {
            if crate::distinguished_name::unprintable(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if shown.len() < text.len() && text.chars().nth(80).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// `2nd entry`, for the index 1.
fn entry(index: usize) -> String {
    let number = index + 1;
    let ending = match (number % 10, number % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending} entry")
}

/// Whether it has what only CAs that browsers trust write.
fn looks_public(certificate: &Certificate) -> bool {
    certificate.extension(&Oid::SCT_LIST).is_some()
        || baseline::policies(certificate).any(|policy| baseline::POLICIES.contains(policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rules_are_unique_and_plain() {
        let mut seen = std::collections::HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            assert!(
                rule.id
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                rule.id
            );
            assert!(
                !rule.source.is_empty() && !rule.mend.ends_with('.'),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn entries_are_counted_as_people_do() {
        for (index, text) in [
            (0, "1st"),
            (1, "2nd"),
            (2, "3rd"),
            (10, "11th"),
            (21, "22nd"),
        ] {
            assert_eq!(entry(index), format!("{text} entry"));
        }
    }
}
