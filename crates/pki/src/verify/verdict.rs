//! The answer: yes or no, the paths that were tried, and what is wrong with each.

use std::fmt;

use super::problem::Problem;
use crate::certificate::Certificate;
use crate::oid::Oid;

/// Whether a certificate holds, and why.
#[derive(Debug, Clone)]
pub struct Verdict<'v> {
    /// Paths in the order they were tried. The last one holds, if one does.
    pub(super) paths: Vec<Path<'v>>,
    pub(super) remarks: Vec<Remark>,
}

/// A path from a certificate towards an anchor, whole or as far as it could be found.
#[derive(Debug, Clone)]
pub struct Path<'v> {
    /// The leaf, the certificates of its issuers in their order, and, where one was reached, the
    /// anchor. Never empty.
    pub certificates: Vec<&'v Certificate>,
    /// Whether the last certificate is an anchor.
    pub is_anchored: bool,
    /// All that is wrong with it, from the leaf up; nothing where it holds.
    pub failures: Vec<Failure>,
    /// The policies that it is valid for (RFC 5280, section 6.1.5(g)): `anyPolicy` alone stands for
    /// all.
    pub policies: Vec<Oid>,
    /// What is known of each certificate's revocation, the anchor's not among them; empty where
    /// nothing was looked up.
    pub statuses: Vec<Status>,
}

/// What is wrong, with which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The place of the certificate in the path: 0 is the leaf.
    pub certificate: usize,
    /// What a person would call the certificate.
    pub title: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Whether a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was not, says a CRL or the issuer itself.
    Good,
    /// It was.
    Revoked,
    /// Nothing at hand says anything of it.
    Unknown,
}

/// What is no failure and yet worth telling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// The leaf is not the first of the certificates that were given.
    #[error(
        "the first certificate, \"{first}\", is a CA's; \"{leaf}\", which comes as number {place}, \
         seems to be the one that was meant"
    )]
    LeafNotFirst {
        /// The first one.
        first: String,
        /// The one that seems to be the leaf.
        leaf: String,
        /// Its place, from 1.
        place: usize,
    },
    /// The certificates behind the leaf are not each followed by its issuer, as TLS 1.2 asks
    /// (RFC 5246, section 7.4.2).
    #[error(
        "the certificates are in the wrong order: some clients need each issuer behind what it issued"
    )]
    WrongOrder,
    /// A certificate that came with the leaf is in no path.
    #[error("\"{title}\", which comes as number {place}, is not needed")]
    NotNeeded {
        /// The certificate.
        title: String,
        /// Its place, from 1.
        place: usize,
    },
}

impl<'v> Verdict<'v> {
    /// Whether there is a path that holds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.path().is_some()
    }

    /// The path that holds.
    #[must_use]
    pub fn path(&self) -> Option<&Path<'v>> {
        self.paths.iter().find(|path| path.holds())
    }

    /// The path that holds, or else the one that is nearest to it: what to tell people about.
    #[must_use]
    pub fn best(&self) -> &Path<'v> {
        let nearest = self.paths.iter().min_by_key(|path| path.weight());
        nearest.unwrap_or_else(|| unreachable!("a path that was not found is a path of one"))
    }

    /// All that is wrong with the best path; nothing where it holds.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.best().failures
    }

    /// All paths that were tried, in their order.
    #[must_use]
    pub fn paths(&self) -> &[Path<'v>] {
        &self.paths
    }

    /// What is worth telling though nothing fails because of it.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

impl Path<'_> {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }

    fn weight(&self) -> u32 {
        let weights = self.failures.iter().map(|failure| failure.problem.weight());
        weights.fold(0, u32::saturating_add)
    }
}

/// `"example.org": it expired …`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\": {}", self.title, self.problem)
    }
}

/// One line a path, one below it for each failure.
impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let best = self.best();
        f.write_str(if best.holds() {
            "valid: "
        } else {
            "not valid: "
        })?;
        write!(f, "{best}")?;
        for failure in &best.failures {
            write!(f, "\n  {failure}\n    {}", failure.problem.rule())?;
        }
        Ok(())
    }
}

/// `"example.org" <- "Example intermediate" <- "Example CA"`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, certificate) in self.certificates.iter().enumerate() {
            let arrow = if index > 0 { " <- " } else { "" };
            write!(f, "{arrow}\"{}\"", super::title(certificate))?;
        }
        f.write_str(if self.is_anchored { "" } else { " <- ?" })
    }
}
