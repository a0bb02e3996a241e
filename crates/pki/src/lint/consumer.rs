//! Who refuses what: for each rule, the programs that take no certificate which breaks it.
//!
//! What is said of OpenSSL, Python, rustls, Go, Java and Chromium was seen: tests/it/lint.rs asks them
//! all about a chain for each defect. What is said of Firefox, Apple and Windows is from their source
//! or documents, named below.

use std::fmt;

use super::Rule;
use super::rule as r;

/// A program, or a family of them, that certificates are shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// OpenSSL 3 with `-x509_strict`, before 3.5 where ML-DSA is concerned.
    OpenSsl,
    /// Python from 3.13 on: OpenSSL with `VERIFY_X509_STRICT`, and keys and hashes of security level 2.
    Python,
    /// rustls, by rustls-webpki 0.103 with aws-lc-rs.
    Rustls,
    /// Go's crypto/x509, from 1.23 on.
    Go,
    /// Java's PKIX trust manager.
    Java,
    /// Chromium, Chrome and Edge, under a root that their user trusts.
    Chromium,
    /// Firefox, by `mozilla::pkix` (pkixcheck.cpp of NSS, and Firefox's NSSCertDBTrustDomain.cpp).
    Firefox,
    /// macOS, iOS and their kin (Apple's HT210176 and 102028).
    Apple,
    /// Windows (KB2661254).
    Windows,
}

impl Consumer {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::OpenSsl,
        Self::Python,
        Self::Rustls,
        Self::Go,
        Self::Java,
        Self::Chromium,
        Self::Firefox,
        Self::Apple,
        Self::Windows,
    ];

    /// Whether it takes no chain in which a certificate breaks the rule: the root, or one below it.
    pub(super) fn refuses(self, rule: &Rule, root: bool) -> bool {
        REFUSALS.iter().any(|(refused, reach, by)| {
            refused.id == rule.id
                && by.contains(&self)
                && match reach {
                    Reach::All => true,
                    Reach::Below => !root,
                    Reach::Root => root,
                }
        })
    }
}

/// `Python 3.13`: as people call it.
impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenSsl => "OpenSSL (strict)",
            Self::Python => "Python 3.13",
            Self::Rustls => "rustls",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Apple => "Apple",
            Self::Windows => "Windows",
        })
    }
}

/// Which certificates of a chain a consumer looks at.
enum Reach {
    All,
    /// All but the root.
    Below,
    Root,
}

use Consumer::{Apple, Chromium, Firefox, Go, Java, OpenSsl, Python, Rustls, Windows};
use Reach::{All, Below, Root};

const EVERYONE: &[Consumer] = &Consumer::ALL;
const SIX: &[Consumer] = &[OpenSsl, Python, Rustls, Go, Java, Chromium];
const SEVEN: &[Consumer] = &[OpenSsl, Python, Rustls, Go, Java, Chromium, Firefox];
const STRICT: &[Consumer] = &[OpenSsl, Python];

static REFUSALS: &[(&Rule, Reach, &[Consumer])] = &[
    (&r::VERSION_OLD_CA, Below, SEVEN),
    (&r::VERSION_OLD_CA, Root, STRICT),
    (&r::VERSION_OLD, Below, &[Rustls]),
    (&r::VERSION_OLD_EXTENSIONS, Below, SIX),
    (&r::UNIQUE_IDENTIFIER, Below, &[Rustls]),
    (&r::SERIAL_NEGATIVE, All, &[Go]),
    (&r::ALGORITHMS_DIFFER, Below, SEVEN),
    (
        &r::HASH_BROKEN,
        Below,
        &[Python, Rustls, Go, Java, Chromium, Firefox, Apple],
    ),
    (
        &r::HASH_WEAK,
        Below,
        &[Python, Rustls, Go, Chromium, Firefox, Apple],
    ),
    (&r::ISSUER_EMPTY, Below, &[OpenSsl, Python, Java, Firefox]),
    (&r::CA_SUBJECT_EMPTY, All, STRICT),
    (&r::PRINTABLE_CHARACTERS, Below, &[Go, Chromium]),
    // RFC 5280, section 6.1.3 (a)(2), is the one rule that nobody leaves out.
    (&r::VALIDITY_NEGATIVE, Below, EVERYONE),
    (&r::EXPIRED, Below, EVERYONE),
    (&r::EXPIRED, Root, &[OpenSsl, Python, Go]),
    (&r::NOT_YET_VALID, Below, EVERYONE),
    (&r::LIFE_APPLE, Below, &[Apple]),
    (
        &r::RSA_TINY,
        Below,
        &[Python, Rustls, Java, Chromium, Apple, Windows],
    ),
    (&r::RSA_SHORT, Below, &[Python, Rustls, Apple]),
    (&r::CURVE_EXPLICIT, Below, SEVEN),
    (&r::CURVE_UNUSUAL, Below, &[Rustls, Go, Chromium, Firefox]),
    (&r::KEY_P521, Below, &[Chromium]),
    (&r::KEY_EDWARDS, Below, &[Chromium, Firefox]),
    (&r::KEY_ED448, Below, &[Rustls, Chromium, Firefox]),
    (&r::KEY_MALFORMED, Below, &[OpenSsl, Python, Go, Java]),
    (&r::KEY_ML_DSA, Below, &[OpenSsl]),
    (&r::AKI_MISSING, All, STRICT),
    (&r::AKI_WRONG, All, STRICT),
    (&r::AKI_NO_KEY, All, STRICT),
    (&r::AKI_HALF, Below, &[Chromium]),
    (&r::AKI_CRITICAL, Below, SIX),
    (&r::SKI_MISSING_CA, All, STRICT),
    (&r::SKI_CRITICAL, Below, SIX),
    (&r::NOT_A_CA, Below, SEVEN),
    (&r::NOT_A_CA, Root, &[OpenSsl, Python, Go, Java]),
    (&r::BC_NOT_CRITICAL, All, STRICT),
    (&r::BC_PATH_LENGTH, All, STRICT),
    (&r::BC_PATH_LENGTH_KEY_USAGE, All, STRICT),
    (&r::LEAF_IS_CA, All, &[Rustls, Firefox]),
    (&r::KU_MISSING_CA, All, STRICT),
    (&r::KU_EMPTY, Below, &[OpenSsl, Python, Java, Firefox]),
    (
        &r::KU_NO_CERT_SIGN,
        Below,
        &[OpenSsl, Python, Go, Java, Chromium, Firefox],
    ),
    (&r::KU_NO_CERT_SIGN, Root, &[OpenSsl, Python, Go, Java]),
    (&r::KU_CERT_SIGN, All, STRICT),
    (&r::KU_SERVER, Below, STRICT),
    (&r::KU_SIGNATURE, Below, &[Java, Chromium]),
    (
        &r::EKU_EMPTY,
        Below,
        &[OpenSsl, Python, Rustls, Java, Chromium, Firefox],
    ),
    (&r::EKU_MISSING, Below, &[Apple]),
    (
        &r::EKU_ANY,
        Below,
        &[OpenSsl, Python, Rustls, Firefox, Apple],
    ),
    (
        &r::EKU_NO_SERVER,
        Below,
        &[OpenSsl, Python, Rustls, Go, Java, Chromium, Firefox, Apple],
    ),
    (&r::EKU_CA_ANY, Below, &[OpenSsl, Python, Rustls, Firefox]),
    (
        &r::EKU_CA_NO_SERVER,
        Below,
        &[OpenSsl, Python, Rustls, Go, Chromium, Firefox],
    ),
    (&r::EKU_CA_NO_SERVER, Root, &[OpenSsl, Python, Go]),
    (&r::SAN_MISSING, Below, &[Rustls, Go, Chromium, Apple]),
    (&r::NAMES_MISSING, Below, SIX),
    (&r::SAN_EMPTY, Below, SIX),
    (
        &r::SAN_NOT_CRITICAL,
        Below,
        &[OpenSsl, Python, Java, Chromium],
    ),
    (&r::IP_LENGTH, Below, &[Go, Java, Chromium]),
    (&r::URI_SYNTAX, Below, &[Java]),
    (&r::CRITICAL_UNKNOWN, Below, SIX),
    (&r::NC_EMPTY, Below, &[Go, Chromium]),
    (&r::POLICY_DOUBLED, Below, &[Go, Chromium]),
    (&r::POLICY_CRITICAL, Below, &[Rustls]),
    (&r::POLICY_EMPTY, Below, &[Chromium]),
    (&r::POLICY_UNMET, Below, &[Go, Java, Chromium]),
    (&r::POLICY_ANY_MAPPED, Below, &[Chromium]),
    (&r::AIA_EMPTY, Below, &[Chromium]),
    (&r::CRL_CRITICAL, Below, &[Java, Chromium]),
    (&r::MUST_NOT_BE_CRITICAL, Below, SIX),
    (&r::AIA_CRITICAL, Below, SIX),
    (&r::CRL_EMPTY, Below, STRICT),
    (&r::POISON, Below, SIX),
    // Chromium fetches it where the certificate says from where.
    (&r::ISSUER_MISSING, Below, SIX),
    (&r::SIGNATURE_WRONG, Below, EVERYONE),
    (&r::PATH_TOO_LONG, Below, SEVEN),
    (&r::PATH_TOO_LONG, Root, &[OpenSsl, Python, Go]),
    (&r::NAME_NOT_PERMITTED, All, SIX),
    // Known for certificates under roots that come with the system: the baseline is not applied to
    // others. Apple's 102028; Chromium's docs on certificate lifetimes and on transparency.
    (&r::BR_LIFE, Below, &[Chromium, Apple]),
    (&r::BR_SCT, Below, &[Chromium]),
    // mozilla::pkix wants the NULL that RFC 3279 asks for, and Go does.
    (&r::KEY_PARAMETERS, Below, &[Go, Firefox]),
];
