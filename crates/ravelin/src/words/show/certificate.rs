//! What is said of a certificate and of what is like one: keys, names, extensions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ravelin_pki::contents::Issuer;
use ravelin_pki::extension::{DistributionPoint, DistributionPointName};
use ravelin_pki::fingerprint::hex;
use ravelin_pki::{
    Certificate, DistinguishedName, Extension, ExtensionValue, GeneralName, KeyUsage, Oid,
    PublicKey,
};

use super::super::{DIM, GREEN, beside_unicode};
use super::layout::{Page, colour_of, distance, minute, share_gone, span};

/// All of one certificate.
pub(super) fn show(page: &mut Page, certificate: &Certificate, kind: &str, issuer: Issuer) {
    page.title(&certificate.title(), kind);
    names(page, "names", certificate.alternative_names());
    page.row("subject", name(certificate.subject_name()));
    let by = match issuer {
        Issuer::Itself => " (itself)",
        Issuer::At(_) => "",
        Issuer::Impostor(_) => " (one of that name is here, and did not sign it)",
        Issuer::Missing if certificate.is_self_issued() => " (itself, and the signature is wrong)",
        Issuer::Missing => " (not here)",
    };
    page.row(
        "issuer",
        format!("{}{by}", page.short(&name(certificate.issuer_name()))),
    );
    serial(page, certificate);
    validity(page, certificate);
    key(page, certificate.public_key());
    let algorithm = certificate.signature_algorithm().name();
    if certificate.algorithms_agree() {
        page.row("signed with", algorithm);
    } else {
        page.alarm(
            "signed with",
            format!("{algorithm}, and another algorithm within what is signed"),
        );
    }
    if certificate.version() < 3 {
        page.caution("version", certificate.version().to_string());
    }
    extensions(page, certificate.extensions());
    page.row("SHA-256", certificate.fingerprint_sha256().to_string());
    page.row("SHA-1", hex(&certificate.fingerprint_sha1()));
}

/// What a name says, or that it says nothing.
pub(super) fn name(name: &DistinguishedName) -> String {
    if name.is_empty() {
        "(empty)".to_owned()
    } else {
        name.to_string()
    }
}

pub(super) fn names(page: &mut Page, label: &str, names: &[GeneralName]) {
    let shown: Vec<String> = names.iter().map(general_name).collect();
    page.list(label, &shown);
}

/// A name, with its kind where its look does not tell.
fn general_name(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(dns) => beside_unicode(&name.to_string(), dns),
        GeneralName::Email(_) | GeneralName::Uri(_) => name.to_string(),
        GeneralName::Ip(octets) if matches!(octets.len(), 4 | 16) => name.to_string(),
        other => format!("{} {other}", other.kind()),
    }
}

fn serial(page: &mut Page, certificate: &Certificate) {
    let serial = certificate.serial_number();
    let octets = serial.der_content().len();
    let shown = page.short(&serial.to_string());
    // RFC 5280, section 4.1.2.2; a zero in front that keeps it positive counts as an octet.
    if serial.is_negative() {
        page.caution("serial", format!("{shown} (negative)"));
    } else if serial.is_zero() {
        page.caution("serial", format!("{shown} (zero)"));
    } else if octets > 20 {
        page.caution(
            "serial",
            format!("{shown} ({octets} bytes, 20 are allowed)"),
        );
    } else {
        page.row("serial", shown);
    }
}

fn validity(page: &mut Page, certificate: &Certificate) {
    let (now, from, until) = (page.now, certificate.not_before(), certificate.not_after());
    page.row("valid", format!("{} to {}", minute(from), minute(until)));
    page.styled("", colour_of(now, from, until), state(page, certificate));
}

/// `ends in 12 days; 86 % of its 90 days are gone`.
fn state(page: &Page, certificate: &Certificate) -> String {
    let (now, from, until) = (page.now, certificate.not_before(), certificate.not_after());
    let Ok(life) = until.duration_since(from) else {
        return "never: it ends before it begins".to_owned();
    };
    if now < from {
        return format!("not yet: begins {}", distance(now, from));
    }
    match share_gone(now, from, until) {
        Some(share) => format!(
            "ends {}; {share} % of {} gone",
            distance(now, until),
            span(life)
        ),
        None => format!("expired {}", distance(now, until)),
    }
}

pub(super) fn key(page: &mut Page, key: &PublicKey) {
    let mut kind = key.kind();
    if let Some(exponent) = key.rsa_exponent().filter(|exponent| *exponent != 65_537)
        && key.rsa_modulus().is_some()
    {
        kind = format!("{kind}, exponent {exponent}");
    }
    page.row("key", kind);
    page.row("key SHA-256", key.fingerprint().to_string());
    page.row("pin-sha256", pin(key));
}

/// The pin of RFC 7469, section 2.4, which curl takes as `--pinnedpubkey sha256//…`.
pub(super) fn pin(key: &PublicKey) -> String {
    STANDARD.encode(key.fingerprint().as_bytes())
}

/// What the extensions say, in an order that a person asks in, and the unknown ones at the end.
pub(super) fn extensions(page: &mut Page, extensions: &[Extension]) {
    for oid in &ORDER {
        if let Some(extension) = extensions.iter().find(|e| e.oid == *oid) {
            known(page, extension);
        }
    }
    for extension in extensions.iter().filter(|e| !ORDER.contains(&e.oid)) {
        unknown(page, extension);
    }
}

fn known(page: &mut Page, extension: &Extension) {
    match &extension.value {
        ExtensionValue::BasicConstraints(constraints) => {
            let text = match (constraints.ca, constraints.path_length) {
                (false, None) => "no".to_owned(),
                (false, Some(length)) => format!("no, though a path length of {length} is given"),
                (true, None) => "yes".to_owned(),
                (true, Some(0)) => "yes, for certificates that are no CA's".to_owned(),
                (true, Some(1)) => "yes, with one CA below at most".to_owned(),
                (true, Some(length)) => format!("yes, with {length} CAs below at most"),
            };
            page.row("CA", text);
        }
        ExtensionValue::KeyUsage(usage) => page.row("usage", usages(*usage)),
        ExtensionValue::ExtendedKeyUsage(purposes) => page.list("purposes", &oids(purposes)),
        ExtensionValue::NameConstraints(constraints) => {
            let shown = |subtrees: &[ravelin_pki::constraints::Subtree]| {
                subtrees.iter().map(ToString::to_string).collect::<Vec<_>>()
            };
            page.list("only for", &shown(constraints.permitted()));
            page.list("not for", &shown(constraints.excluded()));
        }
        ExtensionValue::CertificatePolicies(_)
        | ExtensionValue::PolicyMappings(_)
        | ExtensionValue::PolicyConstraints(_)
        | ExtensionValue::InhibitAnyPolicy(_) => policies(page, &extension.value),
        ExtensionValue::InfoAccess(list) => {
            let most = page.limits.names;
            for access in list.iter().take(most) {
                let place = general_name(&access.location);
                let (label, text) = match &access.method {
                    oid if *oid == Oid::CA_ISSUERS => ("issuer at", place),
                    oid if *oid == Oid::OCSP => ("OCSP at", place),
                    other => ("service at", format!("{place} ({})", other.name_or_dots())),
                };
                page.row(label, page.short(&text));
            }
            if list.len() > most {
                page.styled("", DIM, super::layout::more(list.len() - most));
            }
        }
        ExtensionValue::DistributionPoints(points) => {
            let label = match &extension.oid {
                oid if *oid == Oid::FRESHEST_CRL => "delta at",
                _ => "CRL at",
            };
            page.lines(label, &places(points), page.limits.names);
        }
        ExtensionValue::TlsFeature(features) => {
            let shown: Vec<String> = features
                .iter()
                .map(|feature| match feature {
                    5 => "staple an OCSP response".to_owned(),
                    17 => "staple OCSP responses of the chain".to_owned(),
                    other => format!("speak the extension {other}"),
                })
                .collect();
            page.list("server must", &shown);
        }
        ExtensionValue::SctList(scts) => {
            let shown: Vec<String> = scts
                .iter()
                .map(|sct| format!("{}, {}", hex(&sct.log), minute(sct.time)))
                .collect();
            let label = if scts.len() == 1 { "log" } else { "logs" };
            page.lines(label, &shown, page.limits.names);
        }
        ExtensionValue::SubjectKeyIdentifier(id) => page.row("key id", page.hex(id)),
        ExtensionValue::AuthorityKeyIdentifier(id) => {
            if let Some(id) = &id.key_identifier {
                page.row("issuer key", page.hex(id));
            }
            if let Some(serial) = &id.serial_number {
                let names: Vec<String> = id.issuer.iter().map(ToString::to_string).collect();
                let issuer = format!("{serial} of {}", names.join(", "));
                page.row("issuer's", page.short(&issuer));
            }
        }
        ExtensionValue::IssuerAltName(list) => names(page, "issuer too", list),
        // The row of names has them.
        ExtensionValue::SubjectAltName(_) => {}
        _ => unknown(page, extension),
    }
}

/// Under which policies it was issued, and which a path must have.
fn policies(page: &mut Page, value: &ExtensionValue) {
    match value {
        ExtensionValue::CertificatePolicies(policies) => {
            let shown: Vec<String> = policies
                .iter()
                .map(|information| {
                    let name = information.policy.name_or_dots();
                    let words = std::iter::once(name).chain(information.cps.iter().cloned());
                    words.collect::<Vec<_>>().join(" ")
                })
                .collect();
            page.list("policies", &shown);
        }
        ExtensionValue::PolicyMappings(mappings) => {
            let shown: Vec<String> = mappings
                .iter()
                .map(|(issuer, subject)| {
                    format!("{} is {}", issuer.name_or_dots(), subject.name_or_dots())
                })
                .collect();
            page.list("mappings", &shown);
        }
        ExtensionValue::PolicyConstraints(constraints) => {
            let mut shown = Vec::new();
            if let Some(skip) = constraints.require_explicit_policy {
                shown.push(format!("required after {skip} certificates"));
            }
            if let Some(skip) = constraints.inhibit_policy_mapping {
                shown.push(format!("not mapped after {skip} certificates"));
            }
            page.list("policies", &shown);
        }
        ExtensionValue::InhibitAnyPolicy(skip) => {
            page.row("any policy", format!("not after {skip} certificates"));
        }
        _ => {}
    }
}

/// An extension that is not read: its name or number, and its octets.
fn unknown(page: &mut Page, extension: &Extension) {
    let critical = if extension.critical { ", critical" } else { "" };
    let octets = page.hex(&extension.der);
    let text = format!("{}{critical}: {octets}", extension.oid.name_or_dots());
    if extension.critical && extension.value == ExtensionValue::Unread {
        page.caution("extension", text);
    } else {
        page.row("extension", text);
    }
}

pub(super) fn places(points: &[DistributionPoint]) -> Vec<String> {
    let mut places = Vec::new();
    for point in points {
        match &point.name {
            Some(DistributionPointName::Full(names)) => {
                places.extend(names.iter().map(general_name));
            }
            Some(DistributionPointName::Relative(_)) => {
                places.push("a name below the issuer's".to_owned());
            }
            None => places.push("wherever the CRL's issuer has it".to_owned()),
        }
    }
    places
}

pub(super) fn usages(usage: KeyUsage) -> String {
    let names: Vec<_> = usage.names().collect();
    if names.is_empty() {
        "none at all".to_owned()
    } else {
        names.join(", ")
    }
}

pub(super) fn oids(oids: &[Oid]) -> Vec<String> {
    oids.iter().map(Oid::name_or_dots).collect()
}

/// The mark of something that is in order.
pub(super) fn good(page: &mut Page, label: &str, value: &str) {
    page.styled(label, GREEN, value);
}

/// The extensions that have words of their own.
static ORDER: [Oid; 18] = [
    Oid::BASIC_CONSTRAINTS,
    Oid::KEY_USAGE,
    Oid::EXTENDED_KEY_USAGE,
    Oid::NAME_CONSTRAINTS,
    Oid::TLS_FEATURE,
    Oid::CERTIFICATE_POLICIES,
    Oid::POLICY_MAPPINGS,
    Oid::POLICY_CONSTRAINTS,
    Oid::INHIBIT_ANY_POLICY,
    Oid::ISSUER_ALT_NAME,
    Oid::AUTHORITY_INFO_ACCESS,
    Oid::SUBJECT_INFO_ACCESS,
    Oid::CRL_DISTRIBUTION_POINTS,
    Oid::FRESHEST_CRL,
    Oid::SCT_LIST,
    Oid::SUBJECT_KEY_IDENTIFIER,
    Oid::AUTHORITY_KEY_IDENTIFIER,
    // In the row of names.
    Oid::SUBJECT_ALT_NAME,
];
