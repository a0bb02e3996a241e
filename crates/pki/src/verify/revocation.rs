//! Whether the certificates of a path were revoked, by the CRLs at hand (RFC 5280, section 6.3), or
//! by what their issuer itself says.

use std::fmt;
use std::time::SystemTime;

use super::List;
use super::problem::{NoStatus, Problem};
use super::rules::Revocation;
use super::search::{Exhausted, Role, Search};
use super::verdict::{Failure, Path, Status};
use super::{named, title};
use crate::certificate::Certificate;
use crate::distinguished_name::DistinguishedName;
use crate::extension::{DistributionPoint, DistributionPointName, KeyUsage};
use crate::general_name::GeneralName;
use crate::ocsp::CertificateStatus;
use crate::revocation_list::{RevocationList, RevocationReason, RevokedCertificate};
use crate::serial::SerialNumber;
use crate::signature::Hash;

/// The bits of all reasons but the one that stands for no reason (section 4.2.1.13).
const ALL_REASONS: u16 = 0x7f80;

/// How deep signers of CRLs are looked up whose own certificates are in CRLs of others.
const MOST_SIGNERS: usize = 3;

/// What issuers have written down of what they issued, without a CRL or an OCSP response between.
pub trait IssuerBooks: fmt::Debug + Send + Sync {
    /// Whether the certificate of this serial number was revoked; [`CertificateStatus::Unknown`] where
    /// the books are not this issuer's.
    fn status(&self, issuer: &Certificate, serial: &SerialNumber) -> CertificateStatus;
}

enum Found {
    Good,
    Revoked {
        at: SystemTime,
        reason: RevocationReason,
    },
    Nothing(NoStatus),
}

impl<'v> Search<'v, '_> {
    /// The status of all certificates of a path but the anchor.
    pub(super) fn revocation(
        &mut self,
        path: &[&'v Certificate],
        failures: &mut Vec<Failure>,
    ) -> Vec<Status> {
        let rule = self.judge.rules.revocation;
        let mut statuses = Vec::with_capacity(path.len());
        for place in 0..path.len() - 1 {
            let mut fail = |problem| {
                failures.push(Failure {
                    certificate: place,
                    title: title(path[place]),
                    problem,
                });
            };
            statuses.push(match self.status(path, place) {
                Found::Good => Status::Good,
                Found::Revoked { at, reason } => {
                    fail(Problem::Revoked { at, reason });
                    Status::Revoked
                }
                Found::Nothing(why) => {
                    let must_be_known = match rule {
                        Revocation::Ignored | Revocation::WhereKnown => false,
                        Revocation::Leaf => place == 0,
                        Revocation::Whole => true,
                    };
                    if must_be_known {
                        fail(Problem::RevocationUnknown(why));
                    }
                    Status::Unknown
                }
            });
        }
        statuses
    }

    /// Whoever says that it was revoked counts: the books of the issuer, or a CRL.
    fn status(&mut self, path: &[&'v Certificate], place: usize) -> Found {
        let told = self.judge.books.map(|books| {
            let serial = path[place].serial_number();
            books.status(path[place + 1], serial)
        });
        match told {
            Some(CertificateStatus::Good) => match self.status_in_lists(path, place) {
                Found::Nothing(_) => Found::Good,
                found => found,
            },
            Some(CertificateStatus::Revoked { at, reason }) => Found::Revoked { at, reason },
            Some(CertificateStatus::Unknown) | None => self.status_in_lists(path, place),
        }
    }

    /// Section 6.3.3: CRLs are taken, one after the other, until they cover all reasons.
    fn status_in_lists(&mut self, path: &[&'v Certificate], place: usize) -> Found {
        let certificate = path[place];
        let mut why = None;
        let mut covered = 0;
        // Where no distribution point says otherwise, the issuer's own CRL counts.
        let issuer = GeneralName::Directory(certificate.issuer_name().clone());
        let implied = DistributionPoint::at(vec![issuer]);
        let points = certificate.crl_distribution_points().iter();
        for point in points.chain([&implied]) {
            for list in self.lists_for(point, certificate) {
                let Some(reasons) = scope(&list.list, point, certificate) else {
                    let issuer = list.list.issuer_name().to_string();
                    why.get_or_insert(NoStatus::OutOfScope { issuer });
                    continue;
                };
                // Section 6.3.3 (e): a list that adds nothing is not asked.
                if list.list.is_delta() || reasons & !covered == 0 {
                    continue;
                }
                if let Err(fault) = self.usable(list, path, place) {
                    // What is wrong with a list that was meant says more than what was not meant.
                    why = Some(fault);
                    continue;
                }
                let delta = self.delta_to(list, path, place);
                if let Some(entry) = look_up(&list.list, delta, certificate) {
                    return Found::Revoked {
                        at: entry.revoked_at,
                        reason: entry.reason,
                    };
                }
                covered |= reasons;
                if covered == ALL_REASONS {
                    return Found::Good;
                }
            }
        }
        if covered != 0 {
            let issuer = certificate.issuer_name().to_string();
            why = Some(NoStatus::SomeReasons { issuer });
        }
        Found::Nothing(why.unwrap_or_else(|| no_list(certificate)))
    }

    /// CRLs of the issuer that a distribution point names, or else the certificate's.
    fn lists_for(&self, point: &DistributionPoint, certificate: &Certificate) -> Vec<&'v List> {
        let judge = self.judge;
        let mut places: Vec<usize> = Vec::new();
        let mut of = |name: &DistinguishedName| {
            let found = judge.lists_by_issuer.get(name).iter();
            places.extend(
                found.filter(|place| judge.lists[**place].list.issuer_name().matches(name)),
            );
        };
        if point.crl_issuer.is_empty() {
            of(certificate.issuer_name());
        } else {
            point.crl_issuer.iter().for_each(|name| {
                if let GeneralName::Directory(name) = name {
                    of(name);
                }
            });
        }
        places.iter().map(|place| &judge.lists[*place]).collect()
    }

    /// Whether a list counts: its dates, its extensions, its signature.
    fn usable(
        &mut self,
        list: &'v List,
        path: &[&'v Certificate],
        place: usize,
    ) -> Result<(), NoStatus> {
        let crl = &list.list;
        let issuer = || crl.issuer_name().to_string();
        if crl.unknown_critical_extension().is_some() {
            return Err(NoStatus::UnknownCriticalExtension { issuer: issuer() });
        }
        let algorithm = crl.signed().algorithm().signature_algorithm();
        if let Some(algorithm) = algorithm
            && !self.judge.rules.sha1
            && algorithm.hash() == Some(Hash::Sha1)
        {
            return Err(NoStatus::WeakSignature { issuer: issuer() });
        }
        if !crl.algorithms_agree() || !self.is_signed(list, path, place) {
            return Err(NoStatus::Signature { issuer: issuer() });
        }
        let at = self.question.at;
        if crl.this_update() > at {
            return Err(NoStatus::NotYetValid {
                issuer: issuer(),
                this_update: crl.this_update(),
            });
        }
        if let Some(next_update) = crl.next_update()
            && let Ok(ago) = at.duration_since(next_update)
            && ago.as_secs() > 0
        {
            return Err(NoStatus::Stale {
                issuer: issuer(),
                next_update,
                ago,
            });
        }
        Ok(())
    }

    /// The newest delta to a list that counts (section 6.3.3 (c)).
    fn delta_to(
        &mut self,
        list: &'v List,
        path: &[&'v Certificate],
        place: usize,
    ) -> Option<&'v RevocationList> {
        let judge = self.judge;
        let base = &list.list;
        let number = base.number()?;
        let places = judge.lists_by_issuer.get(base.issuer_name()).iter();
        let mut deltas: Vec<&List> = places
            .map(|place| &judge.lists[*place])
            .filter(|List { list: delta, .. }| {
                let reaches = |from| !is_greater(from, number);
                delta.issuer_name().matches(base.issuer_name())
                    && delta.issuing_distribution_point() == base.issuing_distribution_point()
                    && delta.authority_key_identifier() == base.authority_key_identifier()
                    && delta.base_number().is_some_and(reaches)
                    && delta
                        .number()
                        .is_some_and(|later| is_greater(later, number))
            })
            .collect();
        deltas.sort_by_key(|delta| std::cmp::Reverse(delta.list.this_update()));
        let usable = deltas
            .into_iter()
            .find(|delta| self.usable(delta, path, place).is_ok())?;
        Some(&usable.list)
    }

    /// Section 6.3.3 (f) and (g): whether a list was signed by the issuer of the certificate, or by
    /// another that may, with a path of its own to the same anchor.
    fn is_signed(&mut self, list: &'v List, path: &[&'v Certificate], place: usize) -> bool {
        let issuer = path[place + 1];
        if self.is_signed_by(list, issuer) {
            return true;
        }
        let anchor = path[path.len() - 1];
        let name = list.list.issuer_name();
        let judge = self.judge;
        let known = named(&judge.known, &judge.by_subject, name);
        let others = named(self.others, self.by_subject, name);
        let signers: Vec<&Certificate> = others.chain(known).chain([anchor]).collect();
        for signer in signers {
            let is_sought = |other: &Certificate| other.der() == signer.der();
            // A signer of indirect CRLs may be told by its issuer to answer for itself as well: where
            // its own path is being judged, that path is what decides.
            if signer.der() == path[place].der()
                && self.signers.last().is_some_and(|last| is_sought(last))
                && self.is_signed_by(list, signer)
            {
                return true;
            }
            if signer.der() == issuer.der()
                || self.signers.len() >= MOST_SIGNERS
                || self.signers.iter().any(|other| is_sought(other))
                || self.work.candidate(&judge.rules.limits).is_err()
                || !self.is_signed_by(list, signer)
            {
                continue;
            }
            if signer.der() == anchor.der() || self.has_path(signer, anchor) {
                return true;
            }
        }
        false
    }

    fn is_signed_by(&mut self, list: &List, signer: &Certificate) -> bool {
        let may = signer
            .key_usage()
            .is_none_or(|usage| usage.has(KeyUsage::CRL_SIGN));
        if !may || !list.list.issuer_name().matches(signer.subject_name()) {
            return false;
        }
        let judge = self.judge;
        let key = signer.public_key();
        let check = || {
            self.work.signature(&judge.rules.limits)?;
            Ok(list.list.verify_signature(key))
        };
        let result: Result<_, Exhausted> = judge.signature(list.fingerprint, key, check);
        result.is_ok_and(|result| result.is_ok())
    }

    fn has_path(&mut self, signer: &'v Certificate, anchor: &'v Certificate) -> bool {
        let mut signers = self.signers.clone();
        signers.push(signer);
        let search = Search {
            judge: self.judge,
            others: self.others,
            by_subject: self.by_subject,
            question: self.question,
            work: self.work,
            role: Role::CrlSigner,
            anchor: Some(anchor),
            signers,
            paths: Vec::new(),
        };
        search.run(signer).last().is_some_and(Path::holds)
    }
}

/// Section 6.3.3 (b) and (d): for which reasons a list says something of a certificate at a
/// distribution point; none where it says nothing.
fn scope(
    list: &RevocationList,
    point: &DistributionPoint,
    certificate: &Certificate,
) -> Option<u16> {
    let reasons = point.reasons.unwrap_or(ALL_REASONS) & ALL_REASONS;
    let by_other = !point.crl_issuer.is_empty();
    let Some(about) = list.issuing_distribution_point() else {
        // Only an indirect CRL speaks for another issuer.
        return (!by_other).then_some(reasons);
    };
    if by_other && !about.indirect {
        return None;
    }
    if let Some(here) = &about.name {
        let here = full_names(here, list.issuer_name());
        let meant = match &point.name {
            Some(name) => {
                let crl_issuer = point.crl_issuer.iter().find_map(|name| match name {
                    GeneralName::Directory(name) => Some(name),
                    _ => None,
                });
                full_names(name, crl_issuer.unwrap_or(certificate.issuer_name()))
            }
            None => point.crl_issuer.clone(),
        };
        if !here
            .iter()
            .any(|here| meant.iter().any(|meant| same_name(here, meant)))
        {
            return None;
        }
    }
    let is_ca = certificate.is_ca();
    let left_out = about.only_user_certificates && is_ca
        || about.only_ca_certificates && !is_ca
        || about.only_attribute_certificates;
    (!left_out).then(|| reasons & about.only_some_reasons.unwrap_or(ALL_REASONS))
}

/// Section 6.3.3 (i) to (k): a delta is asked first, and can take back what the list says.
fn look_up(
    list: &RevocationList,
    delta: Option<&RevocationList>,
    certificate: &Certificate,
) -> Option<RevokedCertificate> {
    let (issuer, serial) = (certificate.issuer_name(), certificate.serial_number());
    let found = delta
        .and_then(|delta| delta.lookup_of(issuer, serial))
        .or_else(|| list.lookup_of(issuer, serial))?;
    (found.reason != RevocationReason::RemoveFromCrl).then_some(found)
}

/// The names of a distribution point; a relative one is relative to the name of the CRL's issuer.
fn full_names(name: &DistributionPointName, issuer: &DistinguishedName) -> Vec<GeneralName> {
    match name {
        DistributionPointName::Full(names) => names.clone(),
        DistributionPointName::Relative(set) => {
            let name = issuer.with_part(set).ok();
            name.into_iter().map(GeneralName::Directory).collect()
        }
    }
}

fn same_name(a: &GeneralName, b: &GeneralName) -> bool {
    match (a, b) {
        (GeneralName::Directory(a), GeneralName::Directory(b)) => a.matches(b),
        (a, b) => a == b,
    }
}

/// Whether a CRL number, which is never negative, is greater than another.
fn is_greater(a: &crate::SerialNumber, b: &crate::SerialNumber) -> bool {
    let digits = |number: &crate::SerialNumber| {
        let octets = number.der_content();
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        octets[zeros..].to_vec()
    };
    let (a, b) = (digits(a), digits(b));
    (a.len(), a) > (b.len(), b)
}

fn no_list(certificate: &Certificate) -> NoStatus {
    let points = certificate.crl_distribution_points().iter();
    let names = points.filter_map(|point| match &point.name {
        Some(DistributionPointName::Full(names)) => Some(names),
        _ => None,
    });
    let addresses = names.flatten().filter_map(|name| match name {
        GeneralName::Uri(_) => Some(name.to_string()),
        _ => None,
    });
    NoStatus::NoCrl {
        issuer: certificate.issuer_name().to_string(),
        addresses: addresses.collect(),
    }
}
