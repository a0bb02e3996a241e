//! The distinguished names of subject and issuer: lengths, types and characters.

use super::rule as r;
use super::{Findings, Rule, Subject, quoted};
use crate::der::Tag;
use crate::distinguished_name::{Attribute, DistinguishedName};
use crate::general_name::GeneralName;
use crate::oid::Oid;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let certificate = subject.certificate;
    if certificate.issuer_name().is_empty() {
        findings.add(&r::ISSUER_EMPTY, "issuer", "the issuer has no name");
    }
    if certificate.subject_name().is_empty() && subject.ca {
        findings.add(&r::CA_SUBJECT_EMPTY, "subject", "a CA has no name");
    }
    attributes(certificate.subject_name(), "subject", findings);
    // An issuer's name is told where it is the subject.
    if !certificate.is_self_issued() {
        attributes(certificate.issuer_name(), "issuer", findings);
    }
    if let Some(address) = certificate.subject_name().get(&Oid::EMAIL_ADDRESS) {
        let named =
            |name: &GeneralName| matches!(name, GeneralName::Email(email) if email == address);
        if !certificate.alternative_names().iter().any(named) {
            let problem = format!("{} is not among the alternative names", quoted(address));
            findings.add(&r::EMAIL_IN_SUBJECT, "subject, emailAddress", problem);
        }
    }
}

fn attributes(name: &DistinguishedName, place: &str, findings: &mut Findings) {
    for part in name.parts() {
        for (index, attribute) in part.iter().enumerate() {
            let field = || {
                format!(
                    "{place}, {}",
                    quoted(attribute.kind.name_or_dots()).replace('"', "")
                )
            };
            // A few at most, as a larger set is no certificate's.
            if part[..index.min(16)]
                .iter()
                .any(|other| other.kind == attribute.kind)
            {
                let problem = "the attribute is there twice in one relative distinguished name";
                findings.add(&r::ATTRIBUTE_DOUBLED, field(), problem);
            }
            if let Some((rule, problem)) = value(attribute) {
                findings.add(rule, field(), problem);
            }
            if let Some(problem) = too_long(attribute) {
                findings.add(&r::ATTRIBUTE_LONG, field(), problem);
            }
        }
    }
}

fn value(attribute: &Attribute) -> Option<(&'static Rule, String)> {
    let Attribute { kind, tag, value } = attribute;
    let shown = quoted(value);
    if value.is_empty() {
        return Some((&r::ATTRIBUTE_EMPTY, "the attribute has no value".to_owned()));
    }
    if *tag == Tag::PRINTABLE_STRING && !value.bytes().all(is_printable) {
        let problem = format!("{shown} has characters that a PrintableString does not have");
        return Some((&r::PRINTABLE_CHARACTERS, problem));
    }
    if *kind == Oid::COUNTRY || *kind == Oid::JURISDICTION_COUNTRY {
        let letters = value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase());
        if !letters {
            return Some((&r::COUNTRY_CODE, format!("{shown} is no country code")));
        }
    }
    let allowed: &[Tag] = match kind {
        _ if [Oid::COUNTRY, Oid::SERIAL_NUMBER, Oid::DN_QUALIFIER].contains(kind) => {
            &[Tag::PRINTABLE_STRING]
        }
        _ if [Oid::DOMAIN_COMPONENT, Oid::EMAIL_ADDRESS].contains(kind) => &[Tag::IA5_STRING],
        _ if kind.name().is_some() => &[Tag::UTF8_STRING, Tag::PRINTABLE_STRING],
        // What other attributes allow is not known here.
        _ => return spaces(value),
    };
    if allowed.contains(tag) {
        return spaces(value);
    }
    let old = [Tag::TELETEX_STRING, Tag::BMP_STRING, Tag::UNIVERSAL_STRING].contains(tag);
    let rule = if old && allowed.len() > 1 {
        &r::ATTRIBUTE_OLD_TYPE
    } else {
        &r::ATTRIBUTE_TYPE
    };
    Some((rule, format!("{shown} is written as {tag}")))
}

fn spaces(value: &str) -> Option<(&'static Rule, String)> {
    (value.trim() != value).then(|| {
        let problem = format!("{} has white space around it", quoted(value));
        (&r::ATTRIBUTE_SPACES, problem)
    })
}

/// The upper bounds of RFC 5280, appendix A.1, in characters.
fn too_long(attribute: &Attribute) -> Option<String> {
    let kind = &attribute.kind;
    let bounds = [
        (Oid::COMMON_NAME, 64),
        (Oid::ORGANIZATION, 64),
        (Oid::ORGANIZATIONAL_UNIT, 64),
        (Oid::SERIAL_NUMBER, 64),
        (Oid::TITLE, 64),
        (Oid::LOCALITY, 128),
        (Oid::STATE, 128),
        (Oid::PSEUDONYM, 128),
        (Oid::EMAIL_ADDRESS, 255),
        (Oid::SURNAME, 32_768),
        (Oid::GIVEN_NAME, 32_768),
        (Oid::INITIALS, 32_768),
        (Oid::GENERATION_QUALIFIER, 32_768),
    ];
    let (_, most) = bounds.into_iter().find(|(oid, _)| oid == kind)?;
    let length = attribute.value.chars().count();
    (length > most).then(|| format!("the value has {length} characters; {most} is the most"))
}

/// X.680, section 41.4.
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}
