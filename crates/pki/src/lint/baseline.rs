//! The CA/Browser Forum's Baseline Requirements for TLS server certificates, version 2.2: what
//! browsers ask of the certificates that they trust by themselves.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::field::{DAY, at};
use super::rule as r;
use super::{Findings, Subject, entry, quoted};
use crate::certificate::Certificate;
use crate::extension::ExtensionValue;
use crate::general_name::GeneralName;
use crate::name::HostName;
use crate::oid::Oid;
use crate::public_key::KeyType;

/// The policies that one of has to be in each (section 7.1.6.1).
pub(super) const POLICIES: [Oid; 4] = [
    Oid::DOMAIN_VALIDATED,
    Oid::ORGANIZATION_VALIDATED,
    Oid::INDIVIDUAL_VALIDATED,
    Oid::EXTENDED_VALIDATION,
];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if !subject.is_server() {
        return;
    }
    let certificate = subject.certificate;
    life(certificate, findings);
    names(certificate, findings);
    extensions(certificate, findings);
    key(certificate, findings);
    let serial = certificate.serial_number().der_content();
    if serial.strip_prefix(&[0]).unwrap_or(serial).len() < 8 {
        let problem = "the serial number has less than 64 bits, so not as many random ones";
        findings.add(&r::BR_SERIAL, "serialNumber", problem);
    }
    let algorithm = &certificate.signature_algorithm().oid;
    if [Oid::SHA1_WITH_RSA, Oid::ECDSA_SHA1, Oid::MD5_WITH_RSA].contains(algorithm) {
        findings.add(
            &r::BR_SHA1,
            "signatureAlgorithm",
            "the hash is none that is allowed",
        );
    }
}

/// The most that a certificate may be valid, by the day it was issued (section 6.3.2; ballot
/// SC-081v3): the last that begins before.
const LIVES: [(u64, u32); 5] = [
    (1_519_862_400, 825), // 1 March 2018
    (1_598_918_400, 398), // 1 September 2020
    (1_773_532_800, 200), // 15 March 2026
    (1_805_068_800, 100), // 15 March 2027
    (1_868_227_200, 47),  // 15 March 2029
];

/// The most that a certificate may be valid which need not be revoked, in the same way (section 1.6.1,
/// "Short-lived Subscriber Certificate"; ballot SC-063v4).
const SHORT_LIVES: [(u64, u32); 2] = [
    (1_710_460_800, 10), // 15 March 2024
    (1_773_532_800, 7),  // 15 March 2026
];

/// How many days hold for a certificate that was issued then.
fn days_for(limits: &[(u64, u32)], issued: SystemTime) -> Option<u32> {
    let (_, days) = limits
        .iter()
        .rev()
        .find(|(since, _)| at(*since) <= issued)?;
    Some(*days)
}

/// From the first second to the last, both included (section 1.6.1, "Validity Period").
fn validity_period(certificate: &Certificate) -> Option<Duration> {
    let (from, to) = (certificate.not_before(), certificate.not_after());
    Some(to.duration_since(from).ok()? + Duration::from_secs(1))
}

fn is_short_lived(certificate: &Certificate) -> bool {
    let most = days_for(&SHORT_LIVES, certificate.not_before());
    validity_period(certificate)
        .zip(most)
        .is_some_and(|(life, most)| life <= most * DAY)
}

fn life(certificate: &Certificate, findings: &mut Findings) {
    let Some(most) = days_for(&LIVES, certificate.not_before()) else {
        return;
    };
    if validity_period(certificate).is_some_and(|life| life > most * DAY) {
        let problem = format!("it is valid for more than {most} days, the most when it was issued");
        findings.add(&r::BR_LIFE, "validity", problem);
    }
}

fn names(certificate: &Certificate, findings: &mut Findings) {
    let names = certificate.alternative_names();
    if let Some(common_name) = certificate.common_name() {
        let covered = names
            .iter()
            .any(|name| name.to_string().eq_ignore_ascii_case(common_name));
        if !covered {
            let problem = format!("{} is not among the alternative names", quoted(common_name));
            findings.add(&r::BR_COMMON_NAME, "subject, commonName", problem);
        }
    }
    for (index, name) in names.iter().enumerate() {
        let field = format!("subjectAltName, {}", entry(index));
        if !matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)) {
            let problem = format!("a {} has no place here", name.kind());
            findings.add(&r::BR_NAME_KIND, field, problem);
            continue;
        }
        match name.host() {
            Some(HostName::Dns(host)) if HostName::is_private_dns(&host) => {
                let problem = format!("{} means something in private networks alone", quoted(host));
                findings.add(&r::BR_INTERNAL_NAME, field, problem);
            }
            Some(HostName::Ip(address)) if is_reserved(address) => {
                let problem = format!("{address} is no address of the internet");
                findings.add(&r::BR_RESERVED_ADDRESS, field, problem);
            }
            _ => {}
        }
    }
}

/// Addresses that the registries of IANA mark as reserved (RFC 6890).
fn is_reserved(address: IpAddr) -> bool {
    let private = HostName::Ip(address).is_private();
    private
        || match address {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                v4.is_multicast()
                    || v4.is_documentation()
                    || a == 0
                    || a >= 240
                    || (a == 100 && (64..128).contains(&b))
                    || (a == 198 && (18..20).contains(&b))
                    || (a == 192 && b == 0 && c == 0)
            }
            // Global unicast is 2000::/3, without the documentation's (RFC 3849, RFC 9637).
            IpAddr::V6(v6) => {
                let segments = v6.segments();
                segments[0] & 0xe000 != 0x2000
                    || (segments[0] == 0x2001 && segments[1] == 0x0db8)
                    || (segments[0] == 0x3fff && segments[1] < 0x1000)
            }
        }
}

fn extensions(certificate: &Certificate, findings: &mut Findings) {
    if !policies(certificate).any(|policy| POLICIES.contains(policy)) {
        let problem = "no policy says how the holder was validated";
        findings.add(&r::BR_POLICY, "certificatePolicies", problem);
    }
    let purposes = certificate.extended_key_usage().unwrap_or_default();
    if !purposes.contains(&Oid::SERVER_AUTH) {
        findings.add(
            &r::BR_EKU,
            "extKeyUsage",
            "it does not say that it is for servers",
        );
    } else if purposes.contains(&Oid::ANY_EXTENDED_KEY_USAGE) {
        findings.add(&r::BR_EKU, "extKeyUsage", "it is for everything");
    }
    let scts = match certificate
        .extension(&Oid::SCT_LIST)
        .map(|extension| &extension.value)
    {
        Some(ExtensionValue::SctList(scts)) => scts.len(),
        _ => 0,
    };
    if scts == 0 && certificate.extension(&Oid::CT_POISON).is_none() {
        let problem = "no log of Certificate Transparency has promised to show it";
        findings.add(&r::BR_SCT, "signedCertificateTimestampList", problem);
    }
    let access = certificate.authority_info_access();
    if access.is_empty() {
        let problem = "it does not say where anything about its issuer is";
        findings.add(&r::BR_AIA, "authorityInfoAccess", problem);
    } else if !access.iter().any(|access| access.method == Oid::CA_ISSUERS) {
        let problem = "it does not say where its issuer's certificate is";
        findings.add(&r::BR_ISSUER, "authorityInfoAccess", problem);
    }
    let ocsp = access.iter().any(|access| access.method == Oid::OCSP);
    if !ocsp && certificate.crl_distribution_points().is_empty() && !is_short_lived(certificate) {
        let problem = "it does not say where one can learn that it is revoked";
        findings.add(&r::BR_REVOCATION, "cRLDistributionPoints", problem);
    }
}

fn key(certificate: &Certificate, findings: &mut Findings) {
    let key = certificate.public_key();
    let allowed = match key.key_type() {
        Some(KeyType::Rsa(bits)) => bits >= 2048 && bits % 8 == 0,
        Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521) => true,
        _ => false,
    };
    if !allowed {
        let problem = format!(
            "a key of the kind {} is none that is allowed",
            quoted(key.kind())
        );
        findings.add(&r::BR_KEY, "subjectPublicKeyInfo", problem);
    }
}

/// The policies of a certificate.
pub(super) fn policies(certificate: &Certificate) -> impl Iterator<Item = &Oid> {
    let policies = match certificate.extension(&Oid::CERTIFICATE_POLICIES) {
        Some(extension) => match &extension.value {
            ExtensionValue::CertificatePolicies(policies) => policies.as_slice(),
            _ => &[],
        },
        None => &[],
    };
    policies.iter().map(|information| &information.policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_ballots_are_right() {
        let day = |text: &str| {
            let format = time::macros::format_description!("[year]-[month]-[day]");
            let date = time::Date::parse(text, &format).unwrap();
            SystemTime::from(date.midnight().assume_utc())
        };
        let days = [
            "2018-03-01",
            "2020-09-01",
            "2026-03-15",
            "2027-03-15",
            "2029-03-15",
        ];
        assert_eq!(LIVES.map(|(since, _)| at(since)), days.map(day));
        let days = ["2024-03-15", "2026-03-15"];
        assert_eq!(SHORT_LIVES.map(|(since, _)| at(since)), days.map(day));
    }

    #[test]
    fn reserved_addresses_are_known() {
        for text in [
            "10.0.0.1",
            "192.0.2.1",
            "100.64.0.1",
            "240.0.0.1",
            "::1",
            "fd00::1",
            "2001:db8::1",
        ] {
            assert!(is_reserved(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "198.17.0.1", "2606:4700::1111"] {
            assert!(!is_reserved(text.parse().unwrap()), "{text}");
        }
    }
}
