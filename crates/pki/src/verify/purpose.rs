//! What a certificate is good for: extended key usages, which CAs hand down in practice; the bits of its
//! key's usage; the host that it is for (RFC 9525).

use super::problem::Problem;
use super::rules::{Question, Rules};
use crate::certificate::Certificate;
use crate::extension::KeyUsage;
use crate::general_name::GeneralName;
use crate::mailbox::Mailbox;
use crate::oid::Oid;
use crate::template::Purpose;

/// Judges the leaf.
pub(super) fn check_leaf(
    leaf: &Certificate,
    rules: &Rules,
    question: &Question,
    fail: &mut impl FnMut(Problem),
) {
    if let Some(purpose) = question.purpose {
        if leaf.is_ca() && !rules.ca_as_leaf {
            let wanted = words(purpose);
            fail(Problem::CaAsLeaf { wanted });
        }
        // These two must be said (RFC 6960, section 4.2.2.2; RFC 3161, section 2.3).
        let must_be_said = matches!(purpose, Purpose::OcspSigning | Purpose::TimeStamping);
        let has = leaf.extended_key_usage();
        if !is_for(has, purpose, rules.any_purpose_counts) || (must_be_said && has.is_none()) {
            fail(wrong(has, purpose));
        }
        usage(leaf, purpose, fail);
    }
    if let Some(host) = &question.host {
        // Nobody takes a wildcard right below the top of the DNS.
        let covers = leaf
            .names()
            .iter()
            .any(|name| name.covers(host) && !name.is_too_wide());
        if !covers {
            let names = leaf.alternative_names().iter();
            fail(Problem::WrongHost {
                host: host.clone(),
                names: names.map(ToString::to_string).collect(),
                common_name: leaf.common_name().map(super::printable),
            });
        }
    }
    if let Some(mailbox) = &question.mailbox {
        let has = mailboxes(leaf);
        if !has.contains(mailbox) {
            fail(Problem::WrongMailbox {
                mailbox: mailbox.clone(),
                has: has
                    .iter()
                    .map(|has| super::printable(&has.to_string()))
                    .collect(),
            });
        }
    }
}

/// The mailboxes that a certificate is for: those among its names or, where there are none, those in its
/// subject, which readers of mail must know as well (RFC 8550, section 3).
fn mailboxes(leaf: &Certificate) -> Vec<Mailbox> {
    let names = leaf.alternative_names();
    if names.iter().any(GeneralName::is_mailbox) {
        return names.iter().filter_map(GeneralName::mailbox).collect();
    }
    let attributes = leaf.subject_name().attributes();
    attributes
        .filter(|attribute| attribute.kind == Oid::EMAIL_ADDRESS)
        .filter_map(|attribute| Mailbox::in_certificate(&attribute.value))
        .collect()
}

/// Judges a CA above a leaf that is to be good for a purpose. RFC 5280 asks nothing of CAs here, but
/// Windows, NSS, OpenSSL, Go and webpki all do.
pub(super) fn check_issuer(
    certificate: &Certificate,
    purpose: Purpose,
    fail: &mut impl FnMut(Problem),
) {
    let has = certificate.extended_key_usage();
    // Delegated OCSP responders are below CAs of other purposes.
    if purpose != Purpose::OcspSigning && !is_for(has, purpose, true) {
        fail(wrong(has, purpose));
    }
}

fn is_for(has: Option<&[Oid]>, purpose: Purpose, any_counts: bool) -> bool {
    let any = |oid: &Oid| any_counts && *oid == Oid::ANY_EXTENDED_KEY_USAGE;
    has.is_none_or(|has| has.iter().any(|oid| *oid == purpose.oid() || any(oid)))
}

fn wrong(has: Option<&[Oid]>, purpose: Purpose) -> Problem {
    Problem::Purpose {
        wanted: words(purpose),
        has: has
            .unwrap_or_default()
            .iter()
            .map(Oid::name_or_dots)
            .collect(),
    }
}

/// Whether the key may do at least one of the things that the purpose needs (RFC 5280, section
/// 4.2.1.12).
fn usage(leaf: &Certificate, purpose: Purpose, fail: &mut impl FnMut(Problem)) {
    let needs: &[KeyUsage] = match purpose {
        Purpose::Server => &[
            KeyUsage::DIGITAL_SIGNATURE,
            KeyUsage::KEY_ENCIPHERMENT,
            KeyUsage::KEY_AGREEMENT,
        ],
        Purpose::Client => &[KeyUsage::DIGITAL_SIGNATURE, KeyUsage::KEY_AGREEMENT],
        Purpose::Email => &[
            KeyUsage::DIGITAL_SIGNATURE,
            KeyUsage::CONTENT_COMMITMENT,
            KeyUsage::KEY_ENCIPHERMENT,
            KeyUsage::KEY_AGREEMENT,
        ],
        Purpose::Code => &[KeyUsage::DIGITAL_SIGNATURE],
        Purpose::OcspSigning | Purpose::TimeStamping => {
            &[KeyUsage::DIGITAL_SIGNATURE, KeyUsage::CONTENT_COMMITMENT]
        }
    };
    if let Some(usage) = leaf.key_usage()
        && !needs.iter().any(|need| usage.has(*need))
    {
        fail(Problem::KeyUsage {
            wanted: words(purpose),
            has: usage.names().collect(),
            needs: needs.iter().flat_map(|need| need.names()).collect(),
        });
    }
}

fn words(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Server => "TLS servers",
        Purpose::Client => "TLS clients",
        Purpose::Email => "mail",
        Purpose::Code => "signing programs",
        Purpose::OcspSigning => "signing OCSP responses",
        Purpose::TimeStamping => "time stamps",
    }
}
