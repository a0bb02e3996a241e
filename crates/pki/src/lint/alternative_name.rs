//! The subject's alternative names: whether they are there, and each in a form that somebody takes.

use std::collections::HashSet;
use std::net::IpAddr;

use super::rule as r;
use super::{Findings, Place, Rule, Subject, entry, quoted};
use crate::general_name::GeneralName;
use crate::oid::Oid;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let certificate = subject.certificate;
    let empty_subject = certificate.subject_name().is_empty();
    let Some(extension) = certificate.extension(&Oid::SUBJECT_ALT_NAME) else {
        let nameless = subject.place == Place::Leaf && empty_subject;
        if nameless || (subject.is_server() && certificate.common_name().is_none()) {
            let problem = "neither the subject nor this names anybody";
            findings.add(&r::NAMES_MISSING, FIELD, problem);
        } else if subject.is_server() {
            findings.add(&r::SAN_MISSING, FIELD, "it names no host");
        }
        return;
    };
    let names = certificate.alternative_names();
    if names.is_empty() {
        findings.add(&r::SAN_EMPTY, FIELD, "the list of names is empty");
        return;
    }
    if empty_subject && !extension.critical {
        findings.add(
            &r::SAN_NOT_CRITICAL,
            FIELD,
            "there is no subject, and this is not critical",
        );
    } else if !empty_subject && extension.critical {
        findings.add(
            &r::SAN_CRITICAL,
            FIELD,
            "there is a subject, and this is critical",
        );
    }
    let mut seen = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        let field = format!("{FIELD}, {}", entry(index));
        if !seen.insert(name) {
            findings.add(
                &r::SAN_DOUBLED,
                field.as_str(),
                format!("{} is there twice", quoted(name)),
            );
        }
        if let Some((rule, problem)) = form(name) {
            findings.add(rule, field, problem);
        }
    }
}

const FIELD: &str = "subjectAltName";

fn form(name: &GeneralName) -> Option<(&'static Rule, String)> {
    match name {
        GeneralName::Dns(name) => dns(name),
        GeneralName::Ip(octets) => (octets.len() != 4 && octets.len() != 16).then(|| {
            let problem = format!(
                "an address has 4 or 16 octets, and this one {}",
                octets.len()
            );
            (&r::IP_LENGTH, problem)
        }),
        GeneralName::Email(mailbox) => (!is_mailbox(mailbox)).then(|| {
            (
                &r::EMAIL_SYNTAX,
                format!("{} is no email address", quoted(mailbox)),
            )
        }),
        GeneralName::Uri(uri) => (!is_absolute(uri)).then(|| {
            (
                &r::URI_SYNTAX,
                format!("{} is no URI with a scheme", quoted(uri)),
            )
        }),
        _ => None,
    }
}

fn dns(name: &str) -> Option<(&'static Rule, String)> {
    let shown = quoted(name);
    if name.parse::<IpAddr>().is_ok() {
        return Some((
            &r::DNS_IS_ADDRESS,
            format!("{shown} is an address and not a DNS name"),
        ));
    }
    if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
        return Some((&r::DNS_LONG, format!("{shown} is too long for a DNS name")));
    }
    let below = name.strip_prefix("*.").unwrap_or(name);
    if below.contains('*') {
        return Some((
            &r::DNS_WILDCARD,
            format!("{shown} has a \"*\" that is not its whole first label"),
        ));
    }
    for label in below.split('.') {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if label.is_empty() || !label.bytes().all(plain) {
            return Some((&r::DNS_SYNTAX, format!("{shown} is no DNS name")));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some((
                &r::DNS_SYNTAX,
                format!("{shown} has a label with a hyphen at an end"),
            ));
        }
        if label.contains('_') {
            return Some((
                &r::DNS_UNDERSCORE,
                format!("{shown} has a \"_\", which names of hosts have not"),
            ));
        }
        if is_bad_a_label(label) {
            return Some((
                &r::DNS_IDN,
                format!(
                    "{} in {shown} is the form of no international name",
                    quoted(label)
                ),
            ));
        }
    }
    if name.starts_with("*.") && !below.contains('.') {
        let problem =
            format!("{shown} stands for a whole top-level domain, and browsers refuse it");
        return Some((&r::DNS_WIDE_WILDCARD, problem));
    }
    None
}

/// A label that says it is an A-label and cannot be turned into a U-label and back.
fn is_bad_a_label(label: &str) -> bool {
    if !label
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    {
        return false;
    }
    let (unicode, result) = idna::domain_to_unicode(label);
    result.is_err()
        || !idna::domain_to_ascii_strict(&unicode)
            .is_ok_and(|back| back.eq_ignore_ascii_case(label))
}

/// The form of RFC 5321, section 4.1.2, without the comments and quotes that nobody writes.
fn is_mailbox(text: &str) -> bool {
    matches!(text.parse::<GeneralName>(), Ok(GeneralName::Email(_)))
}

fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_names_are_told_apart() {
        let rule = |name: &str| dns(name).map(|(rule, _)| rule.id);
        for good in [
            "a.example",
            "*.a.example",
            "xn--bcher-kva.example",
            "localhost",
            "1a.b",
        ] {
            assert_eq!(rule(good), None, "{good}");
        }
        for (bad, id) in [
            ("192.0.2.1", "dns-name-is-address"),
            ("::1", "dns-name-is-address"),
            ("", "dns-name-syntax"),
            ("a..b", "dns-name-syntax"),
            ("a.b.", "dns-name-syntax"),
            ("-a.b", "dns-name-syntax"),
            ("a b.c", "dns-name-syntax"),
            ("a_b.c", "dns-name-underscore"),
            ("a*.b.c", "dns-name-wildcard"),
            ("*", "dns-name-wildcard"),
            ("a.*.c", "dns-name-wildcard"),
            ("*.com", "dns-name-wide-wildcard"),
            ("xn--zz.example", "dns-name-idn"),
            ("xn--bcher-KVA-.example", "dns-name-syntax"),
        ] {
            assert_eq!(rule(bad), Some(id), "{bad}");
        }
    }
}
