//! What the certificate may do: `basicConstraints`, `keyUsage` and `extKeyUsage`, and whether they go
//! together and with the key.

use super::rule as r;
use super::{Findings, Place, Subject, entry, quoted};
use crate::extension::KeyUsage;
use crate::oid::Oid;
use crate::public_key::KeyType;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    // What version 1 cannot say is told once, with the version.
    if subject.certificate.version() < 3 {
        return;
    }
    basic_constraints(subject, findings);
    key_usage(subject, findings);
    extended_key_usage(subject, findings);
}

fn basic_constraints(subject: &Subject<'_>, findings: &mut Findings) {
    const FIELD: &str = "basicConstraints";
    let certificate = subject.certificate;
    let constraints = certificate.basic_constraints();
    if subject.ca && !certificate.is_ca() {
        findings.add(
            &r::NOT_A_CA,
            FIELD,
            "it issued a certificate and does not say that it is a CA",
        );
    }
    let critical = certificate
        .extension(&Oid::BASIC_CONSTRAINTS)
        .is_some_and(|extension| extension.critical);
    if certificate.is_ca() && !critical {
        findings.add(
            &r::BC_NOT_CRITICAL,
            FIELD,
            "it is of a CA, and not critical",
        );
    }
    if let Some(length) = constraints.and_then(|constraints| constraints.path_length) {
        if !certificate.is_ca() {
            let problem = format!("it has the path length {length} and is of no CA");
            findings.add(&r::BC_PATH_LENGTH, FIELD, problem);
        } else if certificate
            .key_usage()
            .is_none_or(|usage| !usage.has(KeyUsage::KEY_CERT_SIGN))
        {
            let problem = format!("it has the path length {length} and may sign no certificates");
            findings.add(&r::BC_PATH_LENGTH_KEY_USAGE, FIELD, problem);
        }
    }
    if subject.place == Place::Leaf && certificate.is_ca() {
        findings.add(
            &r::LEAF_IS_CA,
            FIELD,
            "a CA's certificate is used for a host",
        );
    }
}

fn key_usage(subject: &Subject<'_>, findings: &mut Findings) {
    const FIELD: &str = "keyUsage";
    let certificate = subject.certificate;
    let Some(usage) = certificate.key_usage() else {
        if subject.ca {
            findings.add(
                &r::KU_MISSING_CA,
                FIELD,
                "a CA does not say what its key may do",
            );
        } else {
            findings.add(&r::KU_MISSING, FIELD, "it does not say what the key may do");
        }
        return;
    };
    if certificate
        .extension(&Oid::KEY_USAGE)
        .is_some_and(|extension| !extension.critical)
    {
        findings.add(&r::KU_NOT_CRITICAL, FIELD, "it is not critical");
    }
    if usage.bits() == 0 {
        findings.add(&r::KU_EMPTY, FIELD, "it allows nothing at all");
        return;
    }
    let cert_sign = usage.has(KeyUsage::KEY_CERT_SIGN);
    if subject.ca && !cert_sign {
        findings.add(
            &r::KU_NO_CERT_SIGN,
            FIELD,
            "a CA may sign no certificates: keyCertSign is missing",
        );
    } else if cert_sign && !certificate.is_ca() {
        findings.add(
            &r::KU_CERT_SIGN,
            FIELD,
            "keyCertSign is set, and it is of no CA",
        );
    }
    let only = KeyUsage::ENCIPHER_ONLY.and(KeyUsage::DECIPHER_ONLY);
    if usage.bits() & only.bits() != 0 && !usage.has(KeyUsage::KEY_AGREEMENT) {
        let problem = "encipherOnly and decipherOnly mean nothing without keyAgreement";
        findings.add(&r::KU_ONLY_BITS, FIELD, problem);
    }
    let wrong: Vec<_> = foreign(subject)
        .into_iter()
        .filter(|bit| usage.has(*bit))
        .collect();
    if !wrong.is_empty() {
        let names: Vec<_> = wrong.iter().flat_map(|bit| bit.names()).collect();
        let kind = certificate.public_key().kind();
        let problem = format!("an {kind} key cannot do {}", names.join(" and "));
        findings.add(&r::KU_KEY, FIELD, problem);
    }
    if !subject.ca {
        for_purposes(subject, usage, findings);
    }
}

/// What keys of a kind cannot be used for: RFC 3279, section 2.3.1; RFC 8813, section 3; RFC 9295,
/// section 3; RFC 9881, section 5.
fn foreign(subject: &Subject<'_>) -> Vec<KeyUsage> {
    let encryption = [KeyUsage::KEY_ENCIPHERMENT, KeyUsage::DATA_ENCIPHERMENT];
    let agreement = [
        KeyUsage::KEY_AGREEMENT,
        KeyUsage::ENCIPHER_ONLY,
        KeyUsage::DECIPHER_ONLY,
    ];
    match subject.certificate.public_key().key_type() {
        Some(KeyType::Rsa(_)) => agreement.to_vec(),
        Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521) => encryption.to_vec(),
        Some(_) => [&encryption[..], &agreement].concat(),
        // Keys that agree on secrets sign nothing.
        None if subject.certificate.public_key().algorithm().oid == Oid::X25519 => {
            let signatures = [
                KeyUsage::DIGITAL_SIGNATURE,
                KeyUsage::CONTENT_COMMITMENT,
                KeyUsage::KEY_CERT_SIGN,
                KeyUsage::CRL_SIGN,
            ];
            [&encryption[..], &signatures].concat()
        }
        None => Vec::new(),
    }
}

/// Whether the key may do what its purposes take (RFC 5280, section 4.2.1.12).
fn for_purposes(subject: &Subject<'_>, usage: KeyUsage, findings: &mut Findings) {
    const FIELD: &str = "keyUsage";
    let signs = usage.has(KeyUsage::DIGITAL_SIGNATURE);
    let commits = usage.has(KeyUsage::CONTENT_COMMITMENT);
    let encrypts = usage.has(KeyUsage::KEY_ENCIPHERMENT);
    let agrees = usage.has(KeyUsage::KEY_AGREEMENT);
    if subject.is_server() {
        if !signs && !encrypts && !agrees {
            findings.add(
                &r::KU_SERVER,
                FIELD,
                "nothing that it allows is what a TLS server does",
            );
        }
        if !signs {
            let problem = "digitalSignature is missing, which TLS 1.3 takes";
            findings.add(&r::KU_SIGNATURE, FIELD, problem);
        }
    }
    for purpose in subject.certificate.extended_key_usage().unwrap_or_default() {
        let enough = match purpose {
            oid if *oid == Oid::CODE_SIGNING => signs,
            oid if *oid == Oid::CLIENT_AUTH => signs || agrees,
            oid if *oid == Oid::EMAIL_PROTECTION => signs || commits || encrypts || agrees,
            oid if [Oid::TIME_STAMPING, Oid::OCSP_SIGNING].contains(oid) => signs || commits,
            _ => true,
        };
        if !enough {
            let problem = format!("it does not allow what {} takes", purpose.name_or_dots());
            findings.add(&r::KU_PURPOSE, FIELD, problem);
        }
    }
}

fn extended_key_usage(subject: &Subject<'_>, findings: &mut Findings) {
    const FIELD: &str = "extKeyUsage";
    let Some(purposes) = subject.certificate.extended_key_usage() else {
        if subject.is_server() {
            findings.add(
                &r::EKU_MISSING,
                FIELD,
                "it does not say that it is for servers",
            );
        }
        return;
    };
    if purposes.is_empty() {
        findings.add(&r::EKU_EMPTY, FIELD, "the list of purposes is empty");
        return;
    }
    let mut seen = std::collections::HashSet::new();
    for (index, purpose) in purposes.iter().enumerate() {
        if !seen.insert(purpose) {
            let problem = format!("{} is there twice", quoted(purpose.name_or_dots()));
            findings.add(
                &r::EKU_DOUBLED,
                format!("{FIELD}, {}", entry(index)),
                problem,
            );
        }
    }
    let server = seen.contains(&Oid::SERVER_AUTH);
    let any = seen.contains(&Oid::ANY_EXTENDED_KEY_USAGE);
    match (subject.place, server, any) {
        (_, true, _) => {}
        (Place::Leaf, _, true) => findings.add(
            &r::EKU_ANY,
            FIELD,
            "it is for everything but nothing by name",
        ),
        (Place::Leaf, ..) => findings.add(&r::EKU_NO_SERVER, FIELD, "it is not for servers"),
        (_, _, true) => findings.add(
            &r::EKU_CA_ANY,
            FIELD,
            "the CA is for everything but nothing by name",
        ),
        _ => findings.add(&r::EKU_CA_NO_SERVER, FIELD, "the CA certifies no servers"),
    }
    let critical = subject
        .certificate
        .extension(&Oid::EXTENDED_KEY_USAGE)
        .is_some_and(|extension| extension.critical);
    if seen.contains(&Oid::TIME_STAMPING) && !subject.ca && (purposes.len() > 1 || !critical) {
        let problem = "timeStamping has to be the only purpose, and critical";
        findings.add(&r::EKU_TIME_STAMPING, FIELD, problem);
    }
    if seen.contains(&Oid::OCSP_SIGNING) && !subject.ca && purposes.len() > 1 {
        let problem = "what signs OCSP responses is for something else as well";
        findings.add(&r::EKU_OCSP, FIELD, problem);
    }
}
