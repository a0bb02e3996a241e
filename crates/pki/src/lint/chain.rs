//! What is wrong between the certificates of a chain.

use super::rule as r;
use super::{Findings, entry, extension, quoted};
use crate::certificate::Certificate;
use crate::general_name::GeneralName;
use crate::signature::SignatureError;
use crate::verify::policy::Policies;
use crate::verify::{PolicyRules, Problem};

/// What is longer is no chain but a heap of certificates, whose pairs say nothing.
const LONGEST: usize = 32;

pub(super) fn check(chain: &[Certificate], findings: &mut Findings) {
    let chain = &chain[..chain.len().min(LONGEST)];
    for (index, pair) in chain.windows(2).enumerate() {
        findings.begin(index);
        link(&pair[0], &pair[1], chain, findings);
    }
    for (index, certificate) in chain.iter().enumerate() {
        findings.begin(index);
        path_length(chain, index, certificate, findings);
    }
    for index in 0..chain.len() {
        findings.begin(index);
        permitted(&chain[index], &chain[index + 1..], findings);
    }
    required_policies(chain, findings);
}

fn link(
    certificate: &Certificate,
    issuer: &Certificate,
    chain: &[Certificate],
    findings: &mut Findings,
) {
    if !certificate.issuer_name().matches(issuer.subject_name()) {
        let problem = format!(
            "it is issued by {}, and what follows is {}",
            quoted(certificate.issuer()),
            quoted(issuer.subject())
        );
        let named = |other: &Certificate| {
            other != certificate && certificate.issuer_name().matches(other.subject_name())
        };
        let elsewhere = chain.iter().any(named);
        let rule = if elsewhere {
            &r::ORDER
        } else {
            &r::ISSUER_MISSING
        };
        findings.add(rule, "issuer", problem);
        return;
    }
    if !extension::names_key_of(certificate, issuer) {
        let problem = "it names another key or certificate than the one that follows";
        findings.add(&r::AKI_WRONG, "authorityKeyIdentifier", problem);
    }
    let signature = certificate.verify_signature(issuer.public_key());
    if matches!(
        signature,
        Err(SignatureError::Wrong | SignatureError::WrongKey { .. })
    ) {
        let problem = "the certificate that follows has the issuer's name and did not sign this";
        findings.add(&r::SIGNATURE_WRONG, "signatureValue", problem);
    }
    if certificate.not_after() > issuer.not_after() {
        findings.add(
            &r::OUTLIVES,
            "notAfter",
            "it ends after the certificate that issued it",
        );
    }
}

/// The CAs between one and the end of the path, without those that issued themselves (RFC 5280,
/// section 4.2.1.9).
fn path_length(
    chain: &[Certificate],
    index: usize,
    certificate: &Certificate,
    findings: &mut Findings,
) {
    let Some(bound) = certificate
        .basic_constraints()
        .and_then(|constraints| constraints.path_length)
    else {
        return;
    };
    let between = chain.get(1..index).unwrap_or_default();
    let between = between.iter().filter(|ca| !ca.is_self_issued()).count();
    if certificate.is_ca() && between > bound as usize {
        let problem = format!("{between} CAs follow it, and {bound} may");
        findings.add(&r::PATH_TOO_LONG, "basicConstraints", problem);
    }
}

/// Names times constraints that are compared at most: thousands of each are an attack and no CA's.
const MOST_COMPARISONS: usize = 250_000;

fn permitted(certificate: &Certificate, above: &[Certificate], findings: &mut Findings) {
    let subject = certificate.subject_name();
    let subject = (!subject.is_empty()).then(|| GeneralName::Directory(subject.clone()));
    for ca in above {
        let Some(constraints) = ca.name_constraints() else {
            continue;
        };
        // They bind not CAs that issued themselves (section 6.1.3 (b)).
        if certificate.is_self_issued() && certificate.is_ca() {
            continue;
        }
        let subtrees = constraints.permitted().len() + constraints.excluded().len();
        let most = MOST_COMPARISONS / subtrees.max(1);
        let field = |index| format!("subjectAltName, {}", entry(index));
        let names = certificate.alternative_names().iter().enumerate();
        let names = names.map(|(index, name)| (field(index), name));
        let names = subject
            .iter()
            .map(|name| ("subject".to_owned(), name))
            .chain(names);
        for (field, name) in names.take(most) {
            if !constraints.permits_name(name) {
                let problem = format!(
                    "{} is outside what {} may certify",
                    quoted(name),
                    quoted(ca.subject())
                );
                findings.add(&r::NAME_NOT_PERMITTED, field, problem);
            }
        }
    }
}

/// Whether a policy holds where a CA asks for one: the one rule about policies that certificates make
/// for themselves, and not the program that judges them. The root's own do not count (RFC 5280, section
/// 6.1), and what is no chain by its names is told as such.
fn required_policies(chain: &[Certificate], findings: &mut Findings) {
    let linked = chain
        .windows(2)
        .all(|pair| pair[0].issuer_name().matches(pair[1].subject_name()));
    let path = match chain.split_last() {
        Some((root, path)) if root.is_self_issued() && !path.is_empty() => path,
        _ => chain,
    };
    if !linked || path.is_empty() {
        return;
    }
    let rules = PolicyRules::default();
    let mut policies = Policies::new(&rules, path.len());
    let mut fail = |index, problem| {
        if problem == Problem::NoPolicy {
            let problem = "a CA above asks for a policy, and none holds from there down to it";
            findings.begin(index);
            findings.add(&r::POLICY_UNMET, "certificatePolicies", problem);
        }
    };
    for (index, certificate) in path.iter().enumerate().rev() {
        policies.process(certificate, index == 0, &mut |problem| fail(index, problem));
        if index > 0 {
            policies.prepare(certificate, &mut |problem| fail(index, problem));
        }
    }
    policies.finish(&path[0], &mut |problem| fail(0, problem));
}
