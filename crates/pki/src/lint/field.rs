//! The plain fields: version, serial number, algorithms, validity.

use std::time::{Duration, SystemTime};

use super::rule as r;
use super::{Findings, Place, Subject, quoted};
use crate::certificate::Certificate;
use crate::der::{Element, Reader, Tag};
use crate::oid::Oid;
use crate::signature::{AlgorithmIdentifier, Hash};

pub(super) fn check(subject: &Subject<'_>, now: SystemTime, findings: &mut Findings) {
    let raw = Raw::of(subject.certificate);
    version(subject, raw.as_ref(), findings);
    serial_number(subject.certificate, findings);
    algorithms(subject, findings);
    validity(subject, raw.as_ref(), now, findings);
}

/// What the values of a certificate do not tell about how they are written.
struct Raw<'c> {
    times: [Element<'c>; 2],
    unique_identifiers: bool,
}

impl<'c> Raw<'c> {
    /// Nothing can fail here, as the certificate was read already.
    fn of(certificate: &'c Certificate) -> Option<Self> {
        let mut fields = Reader::only(certificate.signed().message(), Tag::SEQUENCE)
            .ok()?
            .reader();
        fields.optional(Tag::context_constructed(0)).ok()?;
        // serialNumber, signature, issuer.
        for _ in 0..3 {
            fields.next().ok()?;
        }
        let mut validity = fields.sequence().ok()?;
        let times = [validity.next().ok()?, validity.next().ok()?];
        // subject, subjectPublicKeyInfo.
        for _ in 0..2 {
            fields.next().ok()?;
        }
        let unique_identifiers = matches!(fields.peek(), Some(Tag(0x81 | 0x82)));
        Some(Self {
            times,
            unique_identifiers,
        })
    }
}

fn version(subject: &Subject<'_>, raw: Option<&Raw<'_>>, findings: &mut Findings) {
    let version = subject.certificate.version();
    if version < 3 {
        if !subject.certificate.extensions().is_empty() {
            findings.add(
                &r::VERSION_OLD_EXTENSIONS,
                "version",
                format!("it has extensions, which certificates of version {version} cannot have"),
            );
        } else if subject.ca {
            findings.add(
                &r::VERSION_OLD_CA,
                "version",
                format!("a CA of version {version} cannot say that it is one, or what it may do"),
            );
        } else {
            findings.add(
                &r::VERSION_OLD,
                "version",
                format!("a certificate of version {version} cannot say what it is for"),
            );
        }
    }
    if raw.is_some_and(|raw| raw.unique_identifiers) {
        findings.add(
            &r::UNIQUE_IDENTIFIER,
            "issuerUniqueID or subjectUniqueID",
            "it has a unique identifier, which no CA may write",
        );
    }
}

fn serial_number(certificate: &Certificate, findings: &mut Findings) {
    let serial = certificate.serial_number();
    let octets = serial.der_content();
    let shown = quoted(serial);
    if serial.is_zero() {
        findings.add(&r::SERIAL_ZERO, "serialNumber", "the serial number is zero");
    } else if serial.is_negative() {
        let problem = format!("the serial number {shown} is negative");
        findings.add(&r::SERIAL_NEGATIVE, "serialNumber", problem);
    }
    if octets.len() > 20 {
        let problem = format!(
            "the serial number has {} octets; 20 is the most",
            octets.len()
        );
        findings.add(&r::SERIAL_LONG, "serialNumber", problem);
    } else if !serial.is_zero() && octets.len() < 8 {
        let problem = format!("the serial number {shown} is short enough to be guessed");
        findings.add(&r::SERIAL_GUESSABLE, "serialNumber", problem);
    }
}

fn algorithms(subject: &Subject<'_>, findings: &mut Findings) {
    let certificate = subject.certificate;
    if !certificate.algorithms_agree() {
        findings.add(
            &r::ALGORITHMS_DIFFER,
            "signature and signatureAlgorithm",
            "the algorithm within what is signed is not the one outside",
        );
    }
    let algorithm = certificate.signature_algorithm();
    let name = algorithm.name();
    let weak = if algorithm.oid == Oid::MD5_WITH_RSA {
        Some((
            &r::HASH_BROKEN,
            "MD5, for which anyone can make two certificates with one signature",
        ))
    } else if is_sha1(algorithm) {
        Some((
            &r::HASH_WEAK,
            "SHA-1, for which two certificates with one signature can be made",
        ))
    } else {
        None
    };
    if let Some((rule, what)) = weak {
        let itself = subject.place == Place::Root || certificate.is_self_issued();
        let rule = if itself { &r::HASH_WEAK_ROOT } else { rule };
        let problem = format!("it is signed with {}, over {what}", quoted(name));
        findings.add(rule, "signatureAlgorithm", problem);
    }
    if !parameters_fit(algorithm) {
        findings.add(
            &r::ALGORITHM_PARAMETERS,
            "signatureAlgorithm",
            format!(
                "the parameters of {} are not as they have to be",
                quoted(algorithm.name())
            ),
        );
    }
}

fn is_sha1(algorithm: &AlgorithmIdentifier) -> bool {
    [Oid::SHA1_WITH_RSA, Oid::ECDSA_SHA1, Oid::DSA_WITH_SHA1].contains(&algorithm.oid)
        || algorithm
            .signature_algorithm()
            .and_then(crate::SignatureAlgorithm::hash)
            == Some(Hash::Sha1)
}

/// NULL for RSA with PKCS#1 (RFC 4055, section 5), nothing for ECDSA (RFC 5758, section 3.2), Ed25519
/// (RFC 8410, section 3) and ML-DSA (RFC 9881, section 2).
fn parameters_fit(algorithm: &AlgorithmIdentifier) -> bool {
    let rsa = [
        Oid::MD5_WITH_RSA,
        Oid::SHA1_WITH_RSA,
        Oid::SHA256_WITH_RSA,
        Oid::SHA384_WITH_RSA,
        Oid::SHA512_WITH_RSA,
    ];
    let none = [
        Oid::ECDSA_SHA1,
        Oid::ECDSA_SHA256,
        Oid::ECDSA_SHA384,
        Oid::ECDSA_SHA512,
        Oid::ED25519,
        Oid::ED448,
        Oid::ML_DSA_44,
        Oid::ML_DSA_65,
        Oid::ML_DSA_87,
    ];
    if rsa.contains(&algorithm.oid) {
        algorithm.parameters.as_deref() == Some(&[5, 0])
    } else if none.contains(&algorithm.oid) {
        algorithm.parameters.is_none()
    } else {
        true
    }
}

fn validity(
    subject: &Subject<'_>,
    raw: Option<&Raw<'_>>,
    now: SystemTime,
    findings: &mut Findings,
) {
    let certificate = subject.certificate;
    let (from, to) = (certificate.not_before(), certificate.not_after());
    if to < from {
        findings.add(
            &r::VALIDITY_NEGATIVE,
            "validity",
            "it ends before it begins",
        );
    } else if now > to {
        let days = days(now, to);
        findings.add(
            &r::EXPIRED,
            "notAfter",
            format!("it expired {days} days ago"),
        );
    } else if now < from {
        let days = days(from, now);
        let problem = format!("it is not valid yet, but in {days} days");
        findings.add(&r::NOT_YET_VALID, "notBefore", problem);
    }
    if subject.is_server()
        && from >= at(APPLES_RULE)
        && to.duration_since(from).is_ok_and(|life| life > 825 * DAY)
    {
        let problem = format!("it is valid for {} days", days(to, from));
        findings.add(&r::LIFE_APPLE, "validity", problem);
    }
    for (element, field) in raw
        .iter()
        .flat_map(|raw| raw.times)
        .zip(["notBefore", "notAfter"])
    {
        // UTCTime cannot say a year from 2050 on, so only the other way can be wrong.
        let before_2050 = element.time().is_ok_and(|time| time < at(YEAR_2050));
        if element.tag == Tag::GENERALIZED_TIME && before_2050 {
            let problem = "a year before 2050 is written as GeneralizedTime, not UTCTime";
            findings.add(&r::VALIDITY_ENCODING, field, problem);
        }
    }
}

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// 1 July 2019: what was issued before is exempt.
const APPLES_RULE: u64 = 1_561_939_200;

const YEAR_2050: u64 = 2_524_608_000;

/// A time, in seconds since 1970.
pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Whole days from one time to a later one.
fn days(later: SystemTime, earlier: SystemTime) -> u64 {
    later
        .duration_since(earlier)
        .map_or(0, |time| time.as_secs() / DAY.as_secs())
}
