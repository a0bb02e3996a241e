//! Finding paths: from a certificate up, by the names of issuers, until an anchor is reached.
//!
//! A signature is checked before a path goes on through it, so that whoever wants many paths needs the
//! keys for them; how many there may be nevertheless is bounded by [`super::Limits`].

use super::path::Examination;
use super::problem::Problem;
use super::rules::{Limits, Question, Revocation};
use super::verdict::{Failure, Path};
use super::{Judge, NameIndex, named, title};
use crate::certificate::Certificate;
use crate::fingerprint::Fingerprint;
use crate::fingerprint::hex;
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::signature::SignatureError;

/// A search for paths from one certificate.
pub(super) struct Search<'v, 'w> {
    pub(super) judge: &'v Judge<'v>,
    /// What came with the leaf.
    pub(super) others: &'v [Certificate],
    pub(super) by_subject: &'w NameIndex,
    pub(super) question: &'w Question,
    pub(super) work: &'w mut Work,
    pub(super) role: Role,
    /// The only anchor that counts, for the signer of a CRL (RFC 5280, section 6.3.3 (f)).
    pub(super) anchor: Option<&'v Certificate>,
    /// Signers of CRLs whose paths are being sought at the moment, so that none waits for itself.
    pub(super) signers: Vec<&'v Certificate>,
    pub(super) paths: Vec<Path<'v>>,
}

/// What the certificate at the end of a path is judged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What was asked about.
    Leaf,
    /// The signer of a CRL.
    CrlSigner,
}

/// The work that was done for one verdict.
#[derive(Debug, Default)]
pub(super) struct Work {
    signatures: usize,
    candidates: usize,
    paths: usize,
    comparisons: usize,
}

/// That a bound was reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exhausted {
    limit: usize,
    what: &'static str,
}

/// Why a path ends where it does.
enum End {
    Anchored,
    /// No certificate has the issuer's name.
    NoIssuer,
    /// The last certificate did not make the signature of the one before it.
    Unsigned(SignatureError),
    /// It goes round in a circle, or is too long.
    Nowhere(Option<Exhausted>),
}

impl<'v> Search<'v, '_> {
    /// All paths that were tried. There is at least one, and the last one holds if one does.
    pub(super) fn run(mut self, leaf: &'v Certificate) -> Vec<Path<'v>> {
        let mut certificates = vec![leaf];
        if let Err(exhausted) = self.extend(&mut certificates)
            && !self.found()
        {
            self.finish(&[leaf], End::Nowhere(Some(exhausted)));
        }
        self.paths
    }

    fn found(&self) -> bool {
        self.paths.last().is_some_and(Path::holds)
    }

    /// Tries all issuers of the last certificate, the likeliest first, until a path holds.
    fn extend(&mut self, certificates: &mut Vec<&'v Certificate>) -> Result<(), Exhausted> {
        let limits = self.judge.rules.limits;
        let Some(&last) = certificates.last() else {
            return Ok(());
        };
        if certificates.len() == 1 && self.is_anchor(last) {
            self.work.path(&limits)?;
            self.finish(certificates, End::Anchored);
            if self.found() {
                return Ok(());
            }
        }
        let candidates = self.issuers_of(last);
        if candidates.is_empty() {
            if certificates.len() > 1 || !self.is_anchor(last) {
                self.work.path(&limits)?;
                self.finish(certificates, End::NoIssuer);
            }
            return Ok(());
        }
        let before = self.paths.len();
        for (candidate, is_anchor) in candidates {
            self.work.candidate(&limits)?;
            let is_new = |other: &&Certificate| !same_holder(other, candidate);
            // An anchor ends the path, so it may be what a certificate in it was made anew from.
            let ends = is_anchor && last.der() != candidate.der();
            if !ends && !certificates.iter().all(is_new) {
                continue;
            }
            let signed = self.check(last, candidate, certificates.len() > 1)?;
            certificates.push(candidate);
            match signed {
                Err(error) => {
                    self.work.path(&limits)?;
                    self.finish(certificates, End::Unsigned(error));
                }
                Ok(()) if is_anchor => {
                    self.work.path(&limits)?;
                    self.finish(certificates, End::Anchored);
                }
                Ok(()) if certificates.len() > limits.path_length => {
                    let limit = limits.path_length;
                    let what = "certificates in a path";
                    self.work.path(&limits)?;
                    self.finish(certificates, End::Nowhere(Some(Exhausted { limit, what })));
                }
                Ok(()) => self.extend(certificates)?,
            }
            certificates.pop();
            if self.found() {
                return Ok(());
            }
        }
        if self.paths.len() == before {
            self.work.path(&limits)?;
            self.finish(certificates, End::Nowhere(None));
        }
        Ok(())
    }

    fn is_anchor(&self, certificate: &Certificate) -> bool {
        match self.anchor {
            Some(anchor) => anchor.der() == certificate.der(),
            None => self.judge.trust.has(certificate),
        }
    }

    /// Certificates with the name of the issuer, and whether they are anchors: those first whose
    /// key is the one that is asked for, then anchors, then those that are valid.
    fn issuers_of(&self, certificate: &'v Certificate) -> Vec<(&'v Certificate, bool)> {
        let name = certificate.issuer_name();
        let anchors = self.judge.trust.named(name);
        let anchors = anchors.filter(|anchor| self.is_anchor(anchor));
        let mut found: Vec<(&Certificate, bool)> = anchors.map(|anchor| (anchor, true)).collect();
        let known = named(&self.judge.known, &self.judge.by_subject, name);
        let others = named(self.others, self.by_subject, name);
        for other in others.chain(known) {
            if !found.iter().any(|(known, _)| known.der() == other.der()) {
                found.push((other, false));
            }
        }
        found.sort_by_key(|(issuer, is_anchor)| {
            (
                key_fit(certificate, issuer),
                !is_anchor,
                !issuer.is_valid_at(self.question.at),
            )
        });
        found
    }

    /// Checks a signature; those of leaves are not kept in memory, as they come but once.
    fn check(
        &mut self,
        certificate: &Certificate,
        issuer: &Certificate,
        keep: bool,
    ) -> Result<Result<(), SignatureError>, Exhausted> {
        let judge = self.judge;
        let mut check = || {
            self.work.signature(&judge.rules.limits)?;
            Ok(certificate.verify_signature(issuer.public_key()))
        };
        if keep {
            let signed = Fingerprint::of(certificate.der());
            judge.signature(signed, issuer.public_key(), check)
        } else {
            check()
        }
    }

    /// Judges a path, and keeps it.
    fn finish(&mut self, certificates: &[&'v Certificate], end: End) {
        let is_anchored = matches!(end, End::Anchored);
        let examination = Examination {
            rules: &self.judge.rules,
            question: self.question,
            role: self.role,
            certificates,
            is_anchored,
        };
        let (mut failures, policies) = examination.run(self.work);
        let mut statuses = Vec::new();
        match end {
            End::Anchored if self.judge.rules.revocation != Revocation::Ignored => {
                statuses = self.revocation(certificates, &mut failures);
            }
            End::Anchored => {}
            _ => failures.extend(self.explain(certificates, end)),
        }
        failures.sort_by_key(|failure| failure.certificate);
        self.paths.push(Path {
            certificates: certificates.to_vec(),
            is_anchored,
            failures,
            policies,
            statuses,
        });
    }

    /// Why there is no anchor at the end of a path.
    fn explain(&self, certificates: &[&'v Certificate], end: End) -> Option<Failure> {
        let top = certificates.len() - 1;
        let last = certificates[top];
        let (place, problem) = match end {
            End::Anchored => return None,
            End::Unsigned(source) => (
                top.saturating_sub(1),
                Problem::Signature {
                    issuer: last.subject_name().to_string(),
                    source,
                },
            ),
            End::NoIssuer if !is_self_signed(last) => (top, issuer_missing(last)),
            End::NoIssuer | End::Nowhere(None) if is_self_signed(last) => (
                top,
                Problem::NotTrusted {
                    anchors: self.judge.trust.anchors.len(),
                },
            ),
            End::NoIssuer | End::Nowhere(None) => (top, issuer_missing(last)),
            End::Nowhere(Some(Exhausted { limit, what })) => {
                (top, Problem::TooMuchWork { limit, what })
            }
        };
        Some(Failure {
            certificate: place,
            title: title(certificates[place]),
            problem,
        })
    }
}

impl Work {
    pub(super) fn signature(&mut self, limits: &Limits) -> Result<(), Exhausted> {
        count(&mut self.signatures, 1, limits.signatures, "signatures")
    }

    pub(super) fn candidate(&mut self, limits: &Limits) -> Result<(), Exhausted> {
        count(
            &mut self.candidates,
            1,
            limits.candidates,
            "attempts at an issuer",
        )
    }

    fn path(&mut self, limits: &Limits) -> Result<(), Exhausted> {
        count(&mut self.paths, 1, limits.paths, "paths")
    }

    pub(super) fn comparisons(&mut self, number: usize, limits: &Limits) -> Result<(), Exhausted> {
        let what = "comparisons of names with constraints";
        count(&mut self.comparisons, number, limits.comparisons, what)
    }
}

impl From<Exhausted> for Problem {
    fn from(Exhausted { limit, what }: Exhausted) -> Self {
        Self::TooMuchWork { limit, what }
    }
}

fn count(done: &mut usize, more: usize, limit: usize, what: &'static str) -> Result<(), Exhausted> {
    *done = done.saturating_add(more);
    if *done > limit {
        return Err(Exhausted { limit, what });
    }
    Ok(())
}

/// Whether both certify the same name and key: a path through both would go round in a circle.
fn same_holder(a: &Certificate, b: &Certificate) -> bool {
    a.public_key() == b.public_key() && a.subject_name().matches(b.subject_name())
}

fn is_self_signed(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && certificate.is_signed_by(certificate)
}

/// How well an issuer's key fits what the certificate says of it: 0 where it is named, 2 where another
/// is.
fn key_fit(certificate: &Certificate, issuer: &Certificate) -> u8 {
    let Some(wanted) = certificate.authority_key_identifier() else {
        return 1;
    };
    let key = wanted.key_identifier.as_deref();
    match (key, issuer.subject_key_identifier()) {
        (Some(wanted), Some(has)) => u8::from(wanted != has) * 2,
        _ => match &wanted.serial_number {
            Some(serial) => u8::from(serial != issuer.serial_number()) * 2,
            None => 1,
        },
    }
}

fn issuer_missing(certificate: &Certificate) -> Problem {
    let identifier = certificate.authority_key_identifier();
    let key = identifier.and_then(|identifier| identifier.key_identifier.as_deref());
    let access = certificate.authority_info_access().iter();
    let addresses = access
        .filter(|access| access.method == Oid::CA_ISSUERS)
        .filter(|access| matches!(access.location, GeneralName::Uri(_)))
        .map(|access| access.location.to_string());
    Problem::IssuerMissing {
        issuer: certificate.issuer_name().to_string(),
        key_identifier: key.map(hex),
        addresses: addresses.collect(),
    }
}
