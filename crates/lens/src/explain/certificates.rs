//! What is wrong with certificates, as the judge of `ravelin-pki` and its readers found it.

use std::time::{Duration, SystemTime};

use ravelin_pki::CertificateError;
use ravelin_pki::der::{DerError, DerProblem};
use ravelin_pki::signature::SignatureError;
use ravelin_pki::verify::{Failure, Problem};
use time::OffsetDateTime;

use super::catalogue::{Catalogue, fill, grouped};
use super::visible;
use crate::story::BadCertificate;

/// How many names of a certificate are told: some have hundreds.
const SHOWN_NAMES: usize = 12;

/// All that is wrong with a chain, from the leaf up.
pub(super) fn chain(words: &Catalogue, failures: &[Failure]) -> String {
    let told: Vec<String> = failures
        .iter()
        .map(|failure| self::failure(words, failure))
        .collect();
    told.join(words.phrases.semicolon)
}

/// What is wrong with one certificate of a chain, which it names.
fn failure(words: &Catalogue, failure: &Failure) -> String {
    let values = [
        ("title", &*words.quoted(failure.title.as_bytes())),
        ("problem", &*problem(words, &failure.problem)),
    ];
    fill(words.chains.of, &values)
}

/// Why a certificate, or a key, is of no use.
pub(super) fn bad_certificate(words: &Catalogue, why: &BadCertificate) -> String {
    let chains = &words.chains;
    match why {
        BadCertificate::Unreadable(error) => unreadable(words, error),
        BadCertificate::UnreadableKey(error) => {
            let values = [("where", &*der(words, *error))];
            fill(chains.unreadable_key, &values)
        }
        BadCertificate::MayNotDelegate => chains.may_not_delegate.to_owned(),
        BadCertificate::CredentialOver => chains.credential_over.to_owned(),
        BadCertificate::CredentialTooLong => chains.credential_too_long.to_owned(),
        BadCertificate::CredentialUnwritable => chains.credential_unwritable.to_owned(),
    }
}

fn unreadable(words: &Catalogue, error: &CertificateError) -> String {
    let chains = &words.chains;
    match error {
        CertificateError::Field { field, source } => fill(
            chains.unreadable_field,
            &[("field", *field), ("where", &der(words, *source))],
        ),
        CertificateError::TrailingData { octets } => fill(
            chains.trailing,
            &[("octets", &words.counts.octets.of(*octets as u64))],
        ),
        CertificateError::Extension { name, source } => fill(
            chains.unreadable_extension,
            &[
                ("name", &words.quoted(name.as_bytes())),
                ("where", &der(words, *source)),
            ],
        ),
    }
}

fn der(words: &Catalogue, error: DerError) -> String {
    let encodings = &words.encodings;
    let octets = |octets: usize| words.counts.octets.of(octets as u64);
    let what = match error.problem {
        DerProblem::Truncated => encodings.truncated.to_owned(),
        DerProblem::TooLong { claimed, left } => fill(
            encodings.too_long,
            &[("claimed", &octets(claimed)), ("left", &octets(left))],
        ),
        DerProblem::Trailing { octets: more } => {
            fill(encodings.trailing, &[("octets", &octets(more))])
        }
        DerProblem::Unexpected { expected, found } => fill(
            encodings.unexpected,
            &[
                ("expected", &expected.to_string()),
                ("found", &found.to_string()),
            ],
        ),
        DerProblem::Missing { expected } => {
            fill(encodings.missing, &[("expected", &expected.to_string())])
        }
        DerProblem::Indefinite => encodings.indefinite.to_owned(),
        DerProblem::LongLength => encodings.long_length.to_owned(),
        DerProblem::Unsupported => encodings.unsupported.to_owned(),
        DerProblem::BadInteger => encodings.bad_integer.to_owned(),
        DerProblem::OutOfRange => encodings.out_of_range.to_owned(),
        DerProblem::BadBoolean => encodings.bad_boolean.to_owned(),
        DerProblem::WrittenDefault => encodings.written_default.to_owned(),
        DerProblem::BadBitString => encodings.bad_bit_string.to_owned(),
        DerProblem::BadObjectIdentifier => encodings.bad_object_identifier.to_owned(),
        DerProblem::BadString => encodings.bad_string.to_owned(),
        DerProblem::BadTime => encodings.bad_time.to_owned(),
        DerProblem::Empty => encodings.empty.to_owned(),
        DerProblem::Doubled => encodings.doubled.to_owned(),
        DerProblem::TooMany { most } => {
            fill(encodings.too_many, &[("most", &grouped(most as u64))])
        }
        DerProblem::TooDeep => encodings.too_deep.to_owned(),
    };
    fill(
        encodings.at,
        &[("offset", &grouped(error.at as u64)), ("what", &what)],
    )
}

fn problem(words: &Catalogue, problem: &Problem) -> String {
    let chains = &words.chains;
    let quoted = |text: &str| words.quoted(text.as_bytes());
    match problem {
        Problem::IssuerMissing {
            issuer,
            key_identifier,
            ..
        } => match key_identifier {
            Some(key) => fill(
                chains.issuer_of_key_missing,
                &[("issuer", &quoted(issuer)), ("key", key)],
            ),
            None => fill(chains.issuer_missing, &[("issuer", &quoted(issuer))]),
        },
        Problem::NotTrusted { anchors } => fill(
            chains.not_trusted,
            &[(
                "certificates",
                &words.counts.certificates.of(*anchors as u64),
            )],
        ),
        Problem::Signature { issuer, source } => {
            let sentence = match source {
                SignatureError::Unsupported { .. } => chains.signature_unsupported,
                _ => chains.signature_wrong,
            };
            fill(sentence, &[("issuer", &quoted(issuer))])
        }
        Problem::AlgorithmsDiffer => chains.algorithms_differ.to_owned(),
        Problem::NotYetValid { not_before, wait } => fill(
            chains.not_yet_valid,
            &[
                ("time", &moment(*not_before)),
                ("span", &span(words, *wait)),
            ],
        ),
        Problem::Expired { not_after, ago } => fill(
            chains.expired,
            &[("time", &moment(*not_after)), ("span", &span(words, *ago))],
        ),
        Problem::NotCa { issued, .. } => fill(chains.not_ca, &[("issued", &quoted(issued))]),
        Problem::TooManyBelow { allowed, found } => too_many_below(words, *allowed, *found),
        Problem::UnknownCriticalExtension { name } => {
            fill(chains.unknown_critical, &[("name", &quoted(name))])
        }
        Problem::NoPolicy => chains.no_policy.to_owned(),
        Problem::AnyPolicyMapped => chains.any_policy_mapped.to_owned(),
        Problem::WeakKey { kind, minimum } => fill(
            chains.weak_key,
            &[
                ("kind", kind),
                ("bits", &words.counts.bits.of(u64::from(*minimum))),
            ],
        ),
        Problem::WeakSignature { algorithm } => {
            fill(chains.weak_signature, &[("algorithm", algorithm)])
        }
        Problem::SerialNumber { number, fault } => fill(
            chains.serial_number,
            &[("number", number), ("fault", term(words, fault))],
        ),
        Problem::Revoked { at, reason } => fill(
            chains.revoked,
            &[("time", &moment(*at)), ("reason", reason.name())],
        ),
        // Of handshakes no CRLs are asked, so that nothing more is known of why.
        Problem::RevocationUnknown(_) => chains.revocation_unknown.to_owned(),
        Problem::TooMuchWork { limit, what } => fill(
            chains.too_much_work,
            &[
                ("limit", &grouped(*limit as u64)),
                ("what", term(words, what)),
            ],
        ),
        Problem::MayNotSign { .. }
        | Problem::NameNotPermitted { .. }
        | Problem::Purpose { .. }
        | Problem::KeyUsage { .. }
        | Problem::CaAsLeaf { .. }
        | Problem::WrongHost { .. }
        | Problem::WrongMailbox { .. } => not_for_that(words, problem),
    }
}

/// What the certificate is for, and what it was used for.
fn not_for_that(words: &Catalogue, problem: &Problem) -> String {
    let chains = &words.chains;
    match problem {
        Problem::MayNotSign { has } => fill(chains.may_not_sign, &[("has", &usages(words, has))]),
        Problem::NameNotPermitted {
            kind,
            name,
            ca,
            constraints,
        } => fill(
            chains.name_not_permitted,
            &[
                ("kind", term(words, kind)),
                ("name", &words.quoted(name.as_bytes())),
                ("ca", &words.quoted(ca.as_bytes())),
                ("constraints", &visible(constraints.as_bytes())),
            ],
        ),
        Problem::Purpose { wanted, has } => fill(
            chains.purpose,
            &[
                ("has", &usages(words, has)),
                ("wanted", term(words, wanted)),
            ],
        ),
        Problem::KeyUsage { wanted, has, needs } => fill(
            chains.key_usage,
            &[
                ("has", &usages(words, has)),
                ("wanted", term(words, wanted)),
                ("needs", &needs.join(chains.or)),
            ],
        ),
        Problem::CaAsLeaf { wanted } => fill(chains.ca_as_leaf, &[("wanted", term(words, wanted))]),
        Problem::WrongHost {
            host,
            names,
            common_name,
        } => {
            let host = words.quoted(host.to_string().as_bytes());
            let names = has_names(words, names, common_name.as_deref());
            fill(chains.wrong_host, &[("host", &host), ("names", &names)])
        }
        Problem::WrongMailbox { mailbox, has } => {
            let mailbox = words.quoted(mailbox.to_string().as_bytes());
            let names = has_names(words, has, None);
            fill(
                chains.wrong_mailbox,
                &[("mailbox", &mailbox), ("names", &names)],
            )
        }
        // All others are told without this.
        _ => String::new(),
    }
}

fn too_many_below(words: &Catalogue, allowed: u32, found: u32) -> String {
    let allowed = match allowed {
        0 => words.chains.no_ca.to_owned(),
        _ => words.counts.cas.of(u64::from(allowed)),
    };
    let values = [("allowed", &*allowed), ("found", &*found.to_string())];
    fill(words.chains.too_many_below, &values)
}

/// What keys and certificates may be used for: names of the RFC, as they are.
fn usages<S: AsRef<str>>(words: &Catalogue, has: &[S]) -> String {
    let names: Vec<String> = has
        .iter()
        .map(|usage| visible(usage.as_ref().as_bytes()))
        .collect();
    match names.as_slice() {
        [] => words.chains.nothing.to_owned(),
        names => names.join(words.phrases.comma),
    }
}

fn has_names(words: &Catalogue, names: &[String], common_name: Option<&str>) -> String {
    let chains = &words.chains;
    let shown: Vec<String> = names.iter().map(|name| visible(name.as_bytes())).collect();
    let mut text = match shown.as_slice() {
        [] => chains.has_no_names.to_owned(),
        shown => {
            let list = words.phrases.short_list(shown, SHOWN_NAMES);
            fill(chains.has_names, &[("names", &list)])
        }
    };
    if let Some(name) = common_name {
        let name = words.quoted(name.as_bytes());
        text += &fill(chains.common_name, &[("name", &name)]);
    }
    text
}

/// What the judge names by a word or two: purposes, kinds of names, bounds.
fn term<'t>(words: &Catalogue, term: &'t str) -> &'t str {
    let mut known = words.terms.iter();
    known
        .find(|(english, _)| *english == term)
        .map_or(term, |(_, own)| *own)
}

/// The two largest units: `3 days`, `1 year 20 days`.
fn span(words: &Catalogue, duration: Duration) -> String {
    let (seconds, counts) = (duration.as_secs(), &words.counts);
    let (days, years) = (seconds / DAY, seconds / (365 * DAY));
    match (years, days % 365) {
        (0, _) => match seconds {
            DAY.. => counts.days.of(days),
            3600.. => counts.hours.of(seconds / 3600),
            60.. => counts.minutes.of(seconds / 60),
            _ => counts.seconds.of(seconds),
        },
        (years, 0) => counts.years.of(years),
        (years, days) => format!("{} {}", counts.years.of(years), counts.days.of(days)),
    }
}

const DAY: u64 = 86_400;

/// `2026-11-24 12:00:00 UTC`.
fn moment(time: SystemTime) -> String {
    let (date, time) = {
        let time = OffsetDateTime::from(time);
        (time.date(), time.time())
    };
    let (hour, minute, second) = time.as_hms();
    format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
}
