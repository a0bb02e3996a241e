//! The other extensions: identifiers of keys, name constraints, policies, addresses, and those that
//! should not be there.

use std::collections::HashSet;

use super::rule as r;
use super::{Findings, Rule, Subject, entry, quoted};
use crate::certificate::Certificate;
use crate::extension::{DistributionPointName, Extension, ExtensionValue};
use crate::general_name::GeneralName;
use crate::oid::Oid;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if subject.certificate.version() == 3 {
        key_identifiers(subject, findings);
    }
    for extension in subject.certificate.extensions() {
        criticality(extension, findings);
        match &extension.value {
            ExtensionValue::NameConstraints(_) => name_constraints(subject, extension, findings),
            ExtensionValue::CertificatePolicies(_) => policies(extension, findings),
            ExtensionValue::PolicyMappings(_)
            | ExtensionValue::PolicyConstraints(_)
            | ExtensionValue::InhibitAnyPolicy(_) => policy_rules(subject, extension, findings),
            ExtensionValue::InfoAccess(_) => info_access(extension, findings),
            ExtensionValue::DistributionPoints(_) => distribution_points(extension, findings),
            ExtensionValue::SctList(list) if list.is_empty() => {
                findings.add(
                    &r::SCT_EMPTY,
                    field(extension),
                    "the list of timestamps is empty",
                );
            }
            _ if DEPRECATED.contains(&extension.oid) => {
                findings.add(
                    &r::DEPRECATED,
                    field(extension),
                    "nobody reads this extension any more",
                );
            }
            _ => {}
        }
    }
}

fn field(extension: &Extension) -> String {
    extension.oid.name_or_dots()
}

const DEPRECATED: [Oid; 3] = [
    Oid::NETSCAPE_CERT_TYPE,
    Oid::NETSCAPE_COMMENT,
    Oid::PRIVATE_KEY_USAGE_PERIOD,
];

fn key_identifiers(subject: &Subject<'_>, findings: &mut Findings) {
    let certificate = subject.certificate;
    // Who issued itself needs not say with which key (RFC 5280, section 4.2.1.1).
    match certificate.authority_key_identifier() {
        None if !certificate.is_self_issued() => {
            let problem = "it does not say with which key of its issuer it is signed";
            findings.add(&r::AKI_MISSING, "authorityKeyIdentifier", problem);
        }
        Some(identifier) => {
            if identifier.key_identifier.is_none() {
                let problem = "it has no keyIdentifier";
                findings.add(&r::AKI_NO_KEY, "authorityKeyIdentifier", problem);
            }
            if identifier.issuer.is_empty() != identifier.serial_number.is_none() {
                let problem =
                    "of authorityCertIssuer and authorityCertSerialNumber, one is missing";
                findings.add(&r::AKI_HALF, "authorityKeyIdentifier", problem);
            }
        }
        None => {}
    }
    if certificate.subject_key_identifier().is_none() {
        if subject.ca {
            let problem = "a CA's key has no name that others could refer to";
            findings.add(&r::SKI_MISSING_CA, "subjectKeyIdentifier", problem);
        } else {
            let problem = "the key has no name that others could refer to";
            findings.add(&r::SKI_MISSING, "subjectKeyIdentifier", problem);
        }
    }
}

fn criticality(extension: &Extension, findings: &mut Findings) {
    if extension.oid == Oid::CT_POISON {
        findings.add(
            &r::POISON,
            field(extension),
            "this is a precertificate, which nobody may accept",
        );
        return;
    }
    if !extension.critical {
        return;
    }
    let rule = match &extension.oid {
        oid if *oid == Oid::AUTHORITY_KEY_IDENTIFIER => &r::AKI_CRITICAL,
        oid if *oid == Oid::SUBJECT_KEY_IDENTIFIER => &r::SKI_CRITICAL,
        oid if *oid == Oid::AUTHORITY_INFO_ACCESS => &r::AIA_CRITICAL,
        oid if *oid == Oid::CRL_DISTRIBUTION_POINTS => &r::CRL_CRITICAL,
        oid if MUST_NOT_BE_CRITICAL.contains(oid) => &r::MUST_NOT_BE_CRITICAL,
        oid if oid.name().is_none() => {
            let problem = format!("{} is critical, and unknown", quoted(oid));
            findings.add(&r::CRITICAL_UNKNOWN, field(extension), problem);
            return;
        }
        _ => return,
    };
    findings.add(
        rule,
        field(extension),
        "it is critical, so that whoever does not know it refuses the certificate",
    );
}

const MUST_NOT_BE_CRITICAL: [Oid; 6] = [
    Oid::SUBJECT_DIRECTORY_ATTRIBUTES,
    Oid::FRESHEST_CRL,
    Oid::SUBJECT_INFO_ACCESS,
    Oid::ISSUER_ALT_NAME,
    Oid::SCT_LIST,
    Oid::TLS_FEATURE,
];

fn name_constraints(subject: &Subject<'_>, extension: &Extension, findings: &mut Findings) {
    let ExtensionValue::NameConstraints(constraints) = &extension.value else {
        return;
    };
    if !subject.ca {
        findings.add(
            &r::NC_LEAF,
            field(extension),
            "it is of no CA, which has no names to constrain",
        );
    }
    if !extension.critical {
        let problem = "it is not critical, so that who does not know it may ignore it";
        findings.add(&r::NC_NOT_CRITICAL, field(extension), problem);
    }
    if constraints.permitted().is_empty() && constraints.excluded().is_empty() {
        findings.add(&r::NC_EMPTY, field(extension), "it constrains nothing");
    }
}

fn policies(extension: &Extension, findings: &mut Findings) {
    let ExtensionValue::CertificatePolicies(policies) = &extension.value else {
        return;
    };
    if policies.is_empty() {
        findings.add(
            &r::POLICY_EMPTY,
            field(extension),
            "the list of policies is empty",
        );
    }
    let mut seen = HashSet::new();
    for (index, information) in policies.iter().enumerate() {
        let at = format!("{}, {}", field(extension), entry(index));
        if !seen.insert(&information.policy) {
            let problem = format!(
                "{} is there twice",
                quoted(information.policy.name_or_dots())
            );
            findings.add(&r::POLICY_DOUBLED, at, problem);
        } else if information.other_qualifiers || !information.cps.is_empty() {
            findings.add(
                &r::POLICY_QUALIFIER,
                at,
                "something is said about the policy",
            );
        }
    }
}

fn policy_rules(subject: &Subject<'_>, extension: &Extension, findings: &mut Findings) {
    if !subject.ca {
        findings.add(
            &r::POLICY_LEAF,
            field(extension),
            "it is of no CA, which has no paths to rule",
        );
    }
    if extension.critical {
        let problem = "it is critical, and rustls does not know it";
        findings.add(&r::POLICY_CRITICAL, field(extension), problem);
    }
    match &extension.value {
        ExtensionValue::PolicyMappings(mappings) => {
            let any = |(ours, theirs): &(Oid, Oid)| {
                *ours == Oid::ANY_POLICY || *theirs == Oid::ANY_POLICY
            };
            if mappings.iter().any(any) {
                findings.add(
                    &r::POLICY_ANY_MAPPED,
                    field(extension),
                    "anyPolicy is mapped",
                );
            }
        }
        _ if !extension.critical => {
            findings.add(
                &r::POLICY_NOT_CRITICAL,
                field(extension),
                "it is not critical",
            );
        }
        _ => {}
    }
}

fn info_access(extension: &Extension, findings: &mut Findings) {
    let ExtensionValue::InfoAccess(list) = &extension.value else {
        return;
    };
    if list.is_empty() {
        findings.add(
            &r::AIA_EMPTY,
            field(extension),
            "the list of addresses is empty",
        );
    }
    // What services a subject has is not bound to HTTP (RFC 5280, section 4.2.2.2).
    if extension.oid != Oid::AUTHORITY_INFO_ACCESS {
        return;
    }
    for (index, access) in list.iter().enumerate() {
        if [Oid::OCSP, Oid::CA_ISSUERS].contains(&access.method) {
            let at = format!("{}, {}", field(extension), entry(index));
            location(&access.location, &r::AIA_LOCATION, at, findings);
        }
    }
}

fn distribution_points(extension: &Extension, findings: &mut Findings) {
    let ExtensionValue::DistributionPoints(points) = &extension.value else {
        return;
    };
    if points.is_empty() {
        findings.add(
            &r::CRL_EMPTY,
            field(extension),
            "the list of addresses is empty",
        );
    }
    for (index, point) in points.iter().enumerate() {
        let at = format!("{}, {}", field(extension), entry(index));
        match &point.name {
            None if point.crl_issuer.is_empty() => {
                findings.add(
                    &r::CRL_EMPTY,
                    at,
                    "it says neither where the CRL is nor who signs it",
                );
            }
            Some(DistributionPointName::Full(names)) => {
                for name in names {
                    location(name, &r::CRL_LOCATION, at.as_str(), findings);
                }
            }
            _ => {}
        }
    }
}

/// An address that can be fetched from: plain HTTP, as whoever needs it to check a certificate
/// cannot check one first.
fn location(
    name: &GeneralName,
    rule: &'static Rule,
    at: impl Into<String>,
    findings: &mut Findings,
) {
    let scheme = match name {
        GeneralName::Uri(uri) => uri.split_once("://").map(|(scheme, _)| scheme),
        // A folder of the issuer's directory: old, and allowed.
        GeneralName::Directory(_) => return,
        _ => None,
    };
    if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) {
        let problem = format!("{} is no address that begins with http://", quoted(name));
        findings.add(rule, at, problem);
    }
}

/// What a certificate says its issuer's key is called, where it says so.
pub(super) fn names_key_of(certificate: &Certificate, issuer: &Certificate) -> bool {
    let Some(identifier) = certificate.authority_key_identifier() else {
        return true;
    };
    let key = match (&identifier.key_identifier, issuer.subject_key_identifier()) {
        (Some(named), Some(key)) => named == key,
        _ => true,
    };
    let serial = identifier
        .serial_number
        .as_ref()
        .is_none_or(|serial| serial == issuer.serial_number());
    key && serial
}
