//! Validating one path (RFC 5280, section 6.1): every certificate from the anchor down to the leaf, and
//! all that is wrong with each instead of the first thing alone.
//!
//! Signatures were checked when the path was found ([`super::search`]); revocation comes behind
//! ([`super::revocation`]).

use super::names::Constraints;
use super::policy::Policies;
use super::problem::Problem;
use super::rules::{Question, Rules};
use super::search::{Role, Work};
use super::verdict::Failure;
use super::{purpose, title};
use crate::certificate::Certificate;
use crate::extension::{ExtensionValue, KeyUsage};
use crate::oid::Oid;
use crate::public_key::KeyType;
use crate::signature::Hash;

/// A path to be judged.
pub(super) struct Examination<'e, 'v> {
    pub(super) rules: &'e Rules,
    pub(super) question: &'e Question,
    pub(super) role: Role,
    /// The leaf first; the anchor last, where one was reached.
    pub(super) certificates: &'e [&'v Certificate],
    pub(super) is_anchored: bool,
}

impl Examination<'_, '_> {
    /// All that is wrong, and the policies that the path is valid for.
    pub(super) fn run(&self, work: &mut Work) -> (Vec<Failure>, Vec<Oid>) {
        let mut failures = Vec::new();
        let mut fail = |place: usize, problem| {
            failures.push(Failure {
                certificate: place,
                title: title(self.certificates[place]),
                problem,
            });
        };
        // A leaf that is trusted itself is judged all the same.
        let top = self.certificates.len() - 1;
        let length = if self.is_anchored {
            top.max(1)
        } else {
            top + 1
        };
        let mut constraints = Constraints::default();
        if length == top {
            let anchor = self.certificates[top];
            self.key(anchor, &mut |problem| fail(top, problem));
            if self.rules.anchor_limits {
                self.anchor(&mut |problem| fail(top, problem));
                constraints.add(anchor);
            }
        }
        let mut policies = Policies::new(&self.rules.policies, length);
        let mut valid_for = Vec::new();
        for place in (0..length).rev() {
            let certificate = self.certificates[place];
            let fail = &mut |problem| fail(place, problem);
            self.form(certificate, fail);
            self.validity(certificate, fail);
            if place == 0 || !certificate.is_self_issued() {
                constraints.check(certificate, &self.rules.limits, work, fail);
            }
            policies.process(certificate, place == 0, fail);
            extensions(certificate, fail);
            if place > 0 {
                policies.prepare(certificate, fail);
                constraints.add(certificate);
                self.issuer(place, fail);
            }
        }
        let leaf = self.certificates[0];
        valid_for.extend(policies.finish(leaf, &mut |problem| fail(0, problem)));
        match self.role {
            Role::Leaf => {
                purpose::check_leaf(leaf, self.rules, self.question, &mut |problem| {
                    fail(0, problem);
                });
            }
            // That it may sign CRLs was seen when it was chosen.
            Role::CrlSigner => {}
        }
        (failures, valid_for)
    }

    /// What of an anchor counts beside its name and key (RFC 5937).
    fn anchor(&self, fail: &mut impl FnMut(Problem)) {
        let top = self.certificates.len() - 1;
        self.validity(self.certificates[top], fail);
        extensions(self.certificates[top], fail);
        self.issuer(top, fail);
    }

    /// Section 6.1.4 (k) to (n): whether it may have issued the certificate before it.
    fn issuer(&self, place: usize, fail: &mut impl FnMut(Problem)) {
        let certificate = self.certificates[place];
        let constraints = certificate.basic_constraints();
        // An anchor of version 1 has no way to say that it is a CA.
        let is_old_anchor =
            self.is_anchored && place == self.certificates.len() - 1 && certificate.version() == 1;
        if !certificate.is_ca() && !is_old_anchor {
            fail(Problem::NotCa {
                issued: title(self.certificates[place - 1]),
                stated: constraints.is_some(),
            });
        }
        if let Some(allowed) = constraints.and_then(|constraints| constraints.path_length) {
            let between = self.certificates[1..place].iter();
            let found = between.filter(|below| !below.is_self_issued()).count() as u32;
            if found > allowed {
                fail(Problem::TooManyBelow { allowed, found });
            }
        }
        if let Some(usage) = certificate.key_usage()
            && !usage.has(KeyUsage::KEY_CERT_SIGN)
        {
            let has = usage.names().collect();
            fail(Problem::MayNotSign { has });
        }
        if let (Role::Leaf, Some(purpose)) = (self.role, self.question.purpose) {
            purpose::check_issuer(certificate, purpose, fail);
        }
    }

    fn validity(&self, certificate: &Certificate, fail: &mut impl FnMut(Problem)) {
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        // At most one of the two is an error of `duration_since`.
        if let Ok(wait) = not_before.duration_since(self.question.at)
            && !wait.is_zero()
        {
            fail(Problem::NotYetValid { not_before, wait });
        }
        if let Ok(ago) = self.question.at.duration_since(not_after)
            // The last second counts whole.
            && ago.as_secs() > 0
        {
            fail(Problem::Expired { not_after, ago });
        }
    }

    /// What is asked of every certificate below the anchor, whatever its place.
    fn form(&self, certificate: &Certificate, fail: &mut impl FnMut(Problem)) {
        if !certificate.algorithms_agree() {
            fail(Problem::AlgorithmsDiffer);
        }
        self.key(certificate, fail);
        let algorithm = certificate.signature_algorithm().signature_algorithm();
        if !self.rules.sha1
            && let Some(algorithm) = algorithm
            && algorithm.hash() == Some(Hash::Sha1)
        {
            let algorithm = algorithm.to_string();
            fail(Problem::WeakSignature { algorithm });
        }
        let serial = certificate.serial_number();
        let fault = match serial {
            _ if !self.rules.serial_numbers => None,
            serial if serial.is_negative() => Some("negative"),
            serial if serial.is_zero() => Some("zero"),
            serial if serial.der_content().len() > 20 => Some("longer than 20 octets"),
            _ => None,
        };
        if let Some(fault) = fault {
            let number = serial.to_string();
            fail(Problem::SerialNumber { number, fault });
        }
    }

    fn key(&self, certificate: &Certificate, fail: &mut impl FnMut(Problem)) {
        let minimum = self.rules.minimum_rsa_bits;
        let kind = certificate.public_key().key_type();
        if let Some(KeyType::Rsa(bits) | KeyType::RsaPss(bits)) = kind
            && bits < minimum
        {
            let kind = certificate.public_key().kind();
            fail(Problem::WeakKey { kind, minimum });
        }
    }
}

/// Section 6.1.4 (o) and 6.1.5 (f).
fn extensions(certificate: &Certificate, fail: &mut impl FnMut(Problem)) {
    for extension in certificate.extensions() {
        // Those that are read and yet mean nothing here are as good as unknown.
        let is_known = match &extension.value {
            ExtensionValue::Unread => extension.oid == Oid::OCSP_NO_CHECK,
            ExtensionValue::SctList(_)
            | ExtensionValue::TlsFeature(_)
            | ExtensionValue::IssuerAltName(_)
            | ExtensionValue::CrlNumber(_)
            | ExtensionValue::CrlReason(_)
            | ExtensionValue::InvalidityDate(_)
            | ExtensionValue::CertificateIssuer(_)
            | ExtensionValue::IssuingDistributionPoint(_) => false,
            _ => true,
        };
        if extension.critical && !is_known {
            let name = extension.oid.name_or_dots();
            fail(Problem::UnknownCriticalExtension { name });
        }
    }
}
