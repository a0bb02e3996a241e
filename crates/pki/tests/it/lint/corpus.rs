//! One chain for each defect: the good one, and what was done to it. It is one table, read from top to
//! bottom beside the rules, and so is long.

#![allow(
    clippy::semicolon_if_nothing_returned,
    reason = "a table of one-line changes is read more easily without"
)]

use std::time::Duration;

use ravelin_pki::constraints::Subtree;
use ravelin_pki::der::Tag;
use ravelin_pki::extension::{AccessDescription, DistributionPoint, PolicyInformation};
use ravelin_pki::{
    Extension, ExtensionValue, GeneralName, KeyType, KeyUsage, NameConstraints, Oid,
};

use super::forge::*;

/// A name, the rules that are broken, and how.
pub(crate) type Case = (&'static str, &'static [&'static str], fn(&mut Chain));

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.to_owned())
}

fn and(name: GeneralName) -> Extension {
    alternative_names(true, vec![dns(HOST), name])
}

fn constrained(critical: bool, to: &str) -> Extension {
    let constraints = NameConstraints::default().permitting(Subtree::Dns(to.to_owned()));
    let value = ExtensionValue::NameConstraints(constraints);
    Extension::of(Oid::NAME_CONSTRAINTS, critical, value)
}

fn policies(policies: &[Oid]) -> Extension {
    let value = policies
        .iter()
        .cloned()
        .map(PolicyInformation::of)
        .collect();
    Extension::of(
        Oid::CERTIFICATE_POLICIES,
        false,
        ExtensionValue::CertificatePolicies(value),
    )
}

fn asks_for_a_policy(ca: &mut Draft) {
    let required = [0x30, 3, 0x80, 1, 0];
    ca.with(raw(Oid::POLICY_CONSTRAINTS, true, &required));
}

fn access(method: Oid, location: GeneralName) -> Extension {
    let value = ExtensionValue::InfoAccess(vec![AccessDescription { method, location }]);
    Extension::of(Oid::AUTHORITY_INFO_ACCESS, false, value)
}

fn uri(text: &str) -> GeneralName {
    GeneralName::Uri(text.to_owned())
}

fn bytes(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// An intermediate whose key is openssl's, and which signs the leaf with it.
fn intermediate_by_openssl(
    chain: &mut Chain,
    generate: &str,
    hash: &'static str,
    algorithm: &[u8],
) {
    let (private, public) = openssl_key(generate);
    chain.intermediate.key = public;
    chain.leaf.signer = ForgeKey::Openssl(private, hash);
    chain.leaf.inner_algorithm = algorithm.to_vec();
    chain.leaf.outer_algorithm = algorithm.to_vec();
}

fn sign_with_sha1(draft: &mut Draft, key: &ravelin_pki::PrivateKey) {
    draft.signer = ForgeKey::Openssl(key.to_pem().unwrap(), "sha1");
    draft.inner_algorithm = ECDSA_SHA1.to_vec();
    draft.outer_algorithm = ECDSA_SHA1.to_vec();
}

const UNKNOWN: &str = "1.3.6.1.4.1.99999.1";

pub(crate) const CASES: &[Case] = &[
    ("good", &[], |_| {}),
    // The leaf.
    ("leaf-no-aki", &["authority-key-identifier-missing"], |c| {
        c.leaf.without(&Oid::AUTHORITY_KEY_IDENTIFIER)
    }),
    (
        "leaf-aki-critical",
        &["authority-key-identifier-critical"],
        |c| c.leaf.critical(&Oid::AUTHORITY_KEY_IDENTIFIER, true),
    ),
    (
        "leaf-aki-of-another",
        &["authority-key-identifier-of-another"],
        |c| c.leaf.with(authority_key(&LEAF_KEY)),
    ),
    ("leaf-no-ski", &["subject-key-identifier-missing"], |c| {
        c.leaf.without(&Oid::SUBJECT_KEY_IDENTIFIER)
    }),
    (
        "leaf-ski-critical",
        &["subject-key-identifier-critical"],
        |c| c.leaf.critical(&Oid::SUBJECT_KEY_IDENTIFIER, true),
    ),
    ("leaf-no-san", &["alternative-name-missing"], |c| {
        c.leaf.without(&Oid::SUBJECT_ALT_NAME);
        c.leaf.named(&[(Oid::COMMON_NAME, HOST)]);
    }),
    ("leaf-no-name", &["names-missing"], |c| {
        c.leaf.without(&Oid::SUBJECT_ALT_NAME)
    }),
    ("leaf-san-empty", &["alternative-name-empty"], |c| {
        c.leaf.with(raw(Oid::SUBJECT_ALT_NAME, true, &[0x30, 0]))
    }),
    (
        "leaf-san-not-critical",
        &["alternative-name-not-critical"],
        |c| c.leaf.critical(&Oid::SUBJECT_ALT_NAME, false),
    ),
    (
        "leaf-san-critical-with-subject",
        &["alternative-name-critical"],
        |c| c.leaf.named(&[(Oid::COMMON_NAME, HOST)]),
    ),
    ("leaf-san-underscore", &["dns-name-underscore"], |c| {
        c.leaf.with(and(dns("a_b.example.com")))
    }),
    ("leaf-san-ip-as-dns", &["dns-name-is-address"], |c| {
        c.leaf.with(and(dns("192.0.2.1")))
    }),
    ("leaf-san-space", &["dns-name-syntax"], |c| {
        c.leaf.with(and(dns("a b.example.com")))
    }),
    ("leaf-san-empty-entry", &["dns-name-syntax"], |c| {
        c.leaf.with(and(dns("")))
    }),
    ("leaf-san-trailing-dot", &["dns-name-syntax"], |c| {
        c.leaf.with(and(dns("a.example.com.")))
    }),
    ("leaf-san-leading-dot", &["dns-name-syntax"], |c| {
        c.leaf.with(and(dns(".example.com")))
    }),
    ("leaf-san-partial-wildcard", &["dns-name-wildcard"], |c| {
        c.leaf.with(and(dns("w*.example.com")))
    }),
    ("leaf-san-inner-wildcard", &["dns-name-wildcard"], |c| {
        c.leaf.with(and(dns("a.*.example.com")))
    }),
    ("leaf-san-wide-wildcard", &["dns-name-wide-wildcard"], |c| {
        c.leaf.with(and(dns("*.com")))
    }),
    ("leaf-san-bad-idn", &["dns-name-idn"], |c| {
        c.leaf.with(and(dns("xn--zz.example.com")))
    }),
    ("leaf-san-long-label", &["dns-name-too-long"], |c| {
        c.leaf
            .with(and(dns(&format!("{}.example.com", "a".repeat(64)))))
    }),
    ("leaf-san-url-in-dns", &["dns-name-syntax"], |c| {
        c.leaf.with(and(dns("https://www.example.com/")))
    }),
    ("leaf-san-bad-ip", &["ip-address-length"], |c| {
        c.leaf.with(and(GeneralName::Ip(vec![1, 2, 3])))
    }),
    ("leaf-san-relative-uri", &["uri-syntax"], |c| {
        c.leaf.with(and(uri("//example.com")))
    }),
    ("leaf-san-bad-email", &["email-address-syntax"], |c| {
        c.leaf.with(and(GeneralName::Email("nobody".into())))
    }),
    ("leaf-san-doubled", &["alternative-name-doubled"], |c| {
        c.leaf.with(and(dns(HOST)))
    }),
    ("leaf-no-eku", &["extended-key-usage-missing"], |c| {
        c.leaf.without(&Oid::EXTENDED_KEY_USAGE)
    }),
    ("leaf-eku-client", &["extended-key-usage-no-server"], |c| {
        c.leaf.with(extended_key_usage(&[Oid::CLIENT_AUTH]))
    }),
    ("leaf-eku-any", &["extended-key-usage-any"], |c| {
        c.leaf
            .with(extended_key_usage(&[Oid::ANY_EXTENDED_KEY_USAGE]))
    }),
    ("leaf-eku-any-and-server", &[], |c| {
        c.leaf.with(extended_key_usage(&[
            Oid::SERVER_AUTH,
            Oid::ANY_EXTENDED_KEY_USAGE,
        ]));
    }),
    ("leaf-eku-critical", &[], |c| {
        c.leaf.critical(&Oid::EXTENDED_KEY_USAGE, true)
    }),
    ("leaf-eku-empty", &["extended-key-usage-empty"], |c| {
        c.leaf.with(raw(Oid::EXTENDED_KEY_USAGE, false, &[0x30, 0]))
    }),
    ("leaf-eku-doubled", &["extended-key-usage-doubled"], |c| {
        c.leaf
            .with(extended_key_usage(&[Oid::SERVER_AUTH, Oid::SERVER_AUTH]))
    }),
    ("leaf-no-bc", &[], |c| {
        c.leaf.without(&Oid::BASIC_CONSTRAINTS)
    }),
    ("leaf-bc-not-critical", &[], |c| {
        c.leaf.critical(&Oid::BASIC_CONSTRAINTS, false)
    }),
    ("leaf-bc-path-length", &["path-length-without-ca"], |c| {
        c.leaf.with(basic_constraints(true, false, Some(0)))
    }),
    ("leaf-is-ca", &["ca-subject-empty", "leaf-is-ca"], |c| {
        c.intermediate.with(basic_constraints(true, true, None));
        c.leaf.with(basic_constraints(true, true, None));
        c.leaf.with(key_usage(
            true,
            KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN),
        ));
    }),
    ("leaf-no-ku", &["key-usage-missing"], |c| {
        c.leaf.without(&Oid::KEY_USAGE)
    }),
    ("leaf-ku-not-critical", &["key-usage-not-critical"], |c| {
        c.leaf.critical(&Oid::KEY_USAGE, false)
    }),
    ("leaf-ku-empty", &["key-usage-empty"], |c| {
        c.leaf.with(raw(Oid::KEY_USAGE, true, &[3, 1, 0]))
    }),
    ("leaf-ku-cert-sign", &["cert-sign-without-ca"], |c| {
        c.leaf.with(key_usage(
            true,
            KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN),
        ));
    }),
    (
        "leaf-ku-encipherment-alone",
        &["key-usage-not-of-key", "key-usage-no-signature"],
        |c| c.leaf.with(key_usage(true, KeyUsage::KEY_ENCIPHERMENT)),
    ),
    (
        "leaf-ku-crl-sign-alone",
        &["key-usage-no-server", "key-usage-no-signature"],
        |c| c.leaf.with(key_usage(true, KeyUsage::CRL_SIGN)),
    ),
    (
        "leaf-ku-encipher-only",
        &["key-usage-only-without-agreement"],
        |c| {
            c.leaf.with(key_usage(
                true,
                KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::ENCIPHER_ONLY),
            ));
        },
    ),
    ("leaf-nc", &["name-constraints-without-ca"], |c| {
        c.leaf.with(constrained(true, "example.com"))
    }),
    ("leaf-serial-negative", &["serial-negative"], |c| {
        c.leaf.serial[0] = 0x81
    }),
    ("leaf-serial-zero", &["serial-zero"], |c| {
        c.leaf.serial = vec![0]
    }),
    ("leaf-serial-long", &["serial-too-long"], |c| {
        c.leaf.serial = vec![0x41; 21]
    }),
    ("leaf-serial-short", &["serial-guessable"], |c| {
        c.leaf.serial = vec![5]
    }),
    (
        "leaf-v1",
        &["version-not-3", "alternative-name-missing"],
        |c| {
            c.leaf.version = 0;
            c.leaf.extensions.clear();
            c.leaf.named(&[(Oid::COMMON_NAME, HOST)]);
        },
    ),
    (
        "leaf-v1-with-extensions",
        &["extensions-in-old-version"],
        |c| c.leaf.version = 0,
    ),
    (
        "leaf-v2-with-extensions",
        &["extensions-in-old-version"],
        |c| c.leaf.version = 1,
    ),
    (
        "leaf-v3-without-extensions",
        &[
            "alternative-name-missing",
            "key-usage-missing",
            "extended-key-usage-missing",
            "authority-key-identifier-missing",
            "subject-key-identifier-missing",
        ],
        |c| {
            c.leaf.extensions.clear();
            c.leaf.named(&[(Oid::COMMON_NAME, HOST)]);
        },
    ),
    (
        "leaf-generalized-time",
        &["validity-encoding", "validity-encoding"],
        |c| c.leaf.generalized = true,
    ),
    ("leaf-expired", &["expired"], |c| {
        c.leaf.not_after = c.leaf.not_before + Duration::from_secs(60)
    }),
    ("leaf-not-yet-valid", &["not-yet-valid"], |c| {
        c.leaf.not_before += DAY * 2
    }),
    ("leaf-ends-before-it-begins", &["validity-negative"], |c| {
        c.leaf.not_after = c.leaf.not_before - DAY
    }),
    ("leaf-400-days", &[], |c| {
        c.leaf.not_after = c.leaf.not_before + DAY * 400
    }),
    ("leaf-900-days", &["life-over-825-days"], |c| {
        c.leaf.not_after = c.leaf.not_before + DAY * 900
    }),
    (
        "leaf-outlives-issuer",
        &["life-over-825-days", "outlives-issuer"],
        |c| c.leaf.not_after = c.intermediate.not_after + DAY * 30,
    ),
    (
        "leaf-algorithms-differ",
        &["signature-algorithms-differ"],
        |c| c.leaf.inner_algorithm = ECDSA_SHA384.to_vec(),
    ),
    ("leaf-sha1", &["hash-sha1"], |c| {
        sign_with_sha1(&mut c.leaf, &INTERMEDIATE_KEY)
    }),
    ("leaf-md5", &["hash-md5"], |c| {
        let generate = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
        intermediate_by_openssl(c, generate, "md5", &RSA_MD5);
    }),
    ("leaf-sha256-no-null", &["signature-parameters"], |c| {
        let generate = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
        intermediate_by_openssl(c, generate, "sha256", &RSA_SHA256_NO_NULL);
    }),
    ("leaf-bad-signature", &["signature-wrong"], |c| {
        c.leaf.signer = ForgeKey::Ours(&LEAF_KEY)
    }),
    (
        "leaf-unknown-critical",
        &["critical-extension-unknown"],
        |c| c.leaf.with(raw(UNKNOWN.parse().unwrap(), true, &[5, 0])),
    ),
    ("leaf-precertificate", &["precertificate"], |c| {
        c.leaf.with(raw(Oid::CT_POISON, true, &[5, 0]))
    }),
    (
        "leaf-inhibit-any-policy",
        &["policy-extension-without-ca", "policy-extension-critical"],
        |c| c.leaf.with(raw(Oid::INHIBIT_ANY_POLICY, true, &[2, 1, 0])),
    ),
    ("leaf-netscape", &["extension-deprecated"], |c| {
        c.leaf
            .with(raw(Oid::NETSCAPE_CERT_TYPE, false, &[3, 2, 6, 0x40]))
    }),
    ("leaf-unique-identifier", &["unique-identifier"], |c| {
        c.leaf.unique_identifier = true
    }),
    ("leaf-policies-doubled", &["policy-doubled"], |c| {
        c.leaf.with(policies(&[
            UNKNOWN.parse().unwrap(),
            UNKNOWN.parse().unwrap(),
        ]));
    }),
    ("leaf-aia-ldap", &["info-access-location"], |c| {
        c.leaf
            .with(access(Oid::CA_ISSUERS, uri("ldap://example.com/")))
    }),
    ("leaf-ocsp-https", &["info-access-location"], |c| {
        c.leaf
            .with(access(Oid::OCSP, uri("https://ocsp.example.com/")))
    }),
    ("leaf-ocsp-no-uri", &["info-access-location"], |c| {
        c.leaf.with(access(Oid::OCSP, dns("ocsp.example.com")))
    }),
    ("leaf-aia-critical", &["info-access-critical"], |c| {
        let mut extension = access(Oid::OCSP, uri("http://ocsp.example.com/"));
        extension.critical = true;
        c.leaf.with(extension);
    }),
    ("leaf-crl-no-name", &["crl-point-empty"], |c| {
        let value = ExtensionValue::DistributionPoints(vec![DistributionPoint::default()]);
        c.leaf
            .with(Extension::of(Oid::CRL_DISTRIBUTION_POINTS, false, value));
    }),
    (
        "leaf-country-code",
        &["country-code", "alternative-name-critical"],
        |c| {
            c.leaf
                .named(&[(Oid::COUNTRY, "DEU"), (Oid::COMMON_NAME, HOST)])
        },
    ),
    (
        "leaf-country-lower",
        &["country-code", "alternative-name-critical"],
        |c| {
            c.leaf
                .named(&[(Oid::COUNTRY, "de"), (Oid::COMMON_NAME, HOST)])
        },
    ),
    (
        "leaf-long-common-name",
        &["attribute-too-long", "alternative-name-critical"],
        |c| c.leaf.named(&[(Oid::COMMON_NAME, &"a".repeat(65))]),
    ),
    (
        "leaf-printable-string",
        &["printable-string-characters", "alternative-name-critical"],
        |c| {
            c.leaf.subject = raw_name(&Oid::COMMON_NAME, Tag::PRINTABLE_STRING, b"www_example@com");
        },
    ),
    (
        "leaf-teletex-string",
        &["attribute-string-type-old", "alternative-name-critical"],
        |c| {
            c.leaf.subject = raw_name(&Oid::COMMON_NAME, Tag::TELETEX_STRING, b"www.example.com");
        },
    ),
    (
        "leaf-empty-attribute",
        &["attribute-empty", "alternative-name-critical"],
        |c| {
            c.leaf
                .named(&[(Oid::ORGANIZATION, ""), (Oid::COMMON_NAME, HOST)])
        },
    ),
    ("leaf-rsa-1024", &["rsa-below-2048"], |c| {
        c.leaf_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:1024")
    }),
    ("leaf-rsa-512", &["rsa-below-1024"], |c| {
        c.leaf_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:512")
    }),
    ("leaf-rsa-2048", &[], |c| c.leaf_of(KeyType::Rsa(2048))),
    ("leaf-rsa-exponent-3", &["rsa-exponent-small"], |c| {
        c.leaf_by_openssl(
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3",
        );
    }),
    ("leaf-rsa-even-modulus", &["rsa-modulus"], |c| {
        c.leaf_of(KeyType::Rsa(2048));
        // The last octet of the modulus is in front of the exponent: 02 03 01 00 01.
        let at = c.leaf.key.len() - 6;
        c.leaf.key[at] &= 0xfe;
        c.leaf_key = None;
    }),
    ("leaf-rsa-no-null", &["key-parameters"], |c| {
        c.leaf_of(KeyType::Rsa(2048));
        let body = &c.leaf.key[4..];
        let without = [&bytes("300b06092a864886f70d010101")[..], &body[15..]].concat();
        let length = u16::try_from(without.len()).unwrap().to_be_bytes();
        c.leaf.key = [&[0x30, 0x82, length[0], length[1]][..], &without].concat();
        c.leaf_key = None;
    }),
    ("leaf-p384", &[], |c| c.leaf_of(KeyType::EcdsaP384)),
    ("leaf-p521", &["key-p521"], |c| {
        c.leaf_of(KeyType::EcdsaP521)
    }),
    ("leaf-ed25519", &["key-edwards"], |c| {
        c.leaf_of(KeyType::Ed25519)
    }),
    ("leaf-ml-dsa-65", &["key-ml-dsa"], |c| {
        c.leaf_of(KeyType::MlDsa65)
    }),
    ("leaf-secp256k1", &["curve-unusual"], |c| {
        c.leaf_by_openssl("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1")
    }),
    ("leaf-explicit-curve", &["curve-explicit"], |c| {
        c.leaf_by_openssl(
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        );
    }),
    (
        "leaf-string-type",
        &["attribute-string-type", "alternative-name-critical"],
        |c| {
            c.leaf.subject = raw_name(&Oid::COUNTRY, Tag::UTF8_STRING, b"DE");
        },
    ),
    (
        "leaf-attribute-doubled",
        &["attribute-doubled", "alternative-name-critical"],
        |c| {
            let one = raw_name(&Oid::COMMON_NAME, Tag::UTF8_STRING, b"a");
            // The one attribute of the one set, twice.
            let attribute = &one[4..];
            let set = [attribute, attribute].concat();
            let length = u8::try_from(set.len()).unwrap();
            c.leaf.subject = [&[0x30, length + 2, 0x31, length][..], &set].concat();
        },
    ),
    (
        "leaf-attribute-spaces",
        &["attribute-spaces", "alternative-name-critical"],
        |c| c.leaf.named(&[(Oid::COMMON_NAME, " a")]),
    ),
    (
        "leaf-email-in-subject",
        &["email-in-subject", "alternative-name-critical"],
        |c| {
            c.leaf.named(&[(Oid::EMAIL_ADDRESS, "ada@example.com")]);
        },
    ),
    ("leaf-rsa-exponent-even", &["rsa-exponent"], |c| {
        c.leaf_of(KeyType::Rsa(2048));
        // 65537 is in the last three octets.
        *c.leaf.key.last_mut().unwrap() = 2;
        c.leaf_key = None;
    }),
    ("leaf-rsa-2050", &["rsa-length-unusual"], |c| {
        c.leaf_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:2050")
    }),
    ("leaf-no-point", &["key-malformed"], |c| {
        let at = c.leaf.key.len() - 65;
        c.leaf.key[at] = 5;
        c.leaf_key = None;
    }),
    ("leaf-ed448", &["key-ed448"], |c| {
        c.leaf_by_openssl("-algorithm ED448")
    }),
    (
        "leaf-x25519",
        &["key-unknown", "key-usage-not-of-key"],
        |c| {
            let (_, key) = openssl_key("-algorithm X25519");
            c.leaf.key = key;
            c.leaf_key = None;
        },
    ),
    (
        "leaf-aki-without-key",
        &["authority-key-identifier-without-key"],
        |c| {
            c.leaf
                .with(raw(Oid::AUTHORITY_KEY_IDENTIFIER, false, &[0x30, 0]));
        },
    ),
    (
        "leaf-aki-half",
        &[
            "authority-key-identifier-half",
            "authority-key-identifier-of-another",
        ],
        |c| {
            let whole = authority_key(&INTERMEDIATE_KEY).der;
            let half = [&[0x30, whole[1] + 3][..], &whole[2..], &[0x82, 1, 5]].concat();
            c.leaf
                .with(raw(Oid::AUTHORITY_KEY_IDENTIFIER, false, &half));
        },
    ),
    (
        "leaf-ku-not-of-purpose",
        &["key-usage-no-signature", "key-usage-not-of-purpose"],
        |c| {
            c.leaf
                .with(extended_key_usage(&[Oid::SERVER_AUTH, Oid::CODE_SIGNING]));
            c.leaf.with(key_usage(true, KeyUsage::KEY_AGREEMENT));
        },
    ),
    (
        "leaf-eku-time-stamping",
        &["extended-key-usage-time-stamping"],
        |c| {
            c.leaf
                .with(extended_key_usage(&[Oid::SERVER_AUTH, Oid::TIME_STAMPING]));
            c.intermediate.without(&Oid::EXTENDED_KEY_USAGE);
        },
    ),
    ("leaf-eku-ocsp", &["extended-key-usage-ocsp"], |c| {
        c.leaf
            .with(extended_key_usage(&[Oid::SERVER_AUTH, Oid::OCSP_SIGNING]));
    }),
    ("leaf-policies-empty", &["policies-empty"], |c| {
        c.leaf
            .with(raw(Oid::CERTIFICATE_POLICIES, false, &[0x30, 0]));
    }),
    ("leaf-policy-qualifier", &["policy-qualifier"], |c| {
        let mut policy = PolicyInformation::of(UNKNOWN.parse().unwrap());
        policy.cps.push("https://example.com/cps".to_owned());
        let value = ExtensionValue::CertificatePolicies(vec![policy]);
        c.leaf
            .with(Extension::of(Oid::CERTIFICATE_POLICIES, false, value));
    }),
    ("leaf-aia-empty", &["info-access-empty"], |c| {
        c.leaf
            .with(raw(Oid::AUTHORITY_INFO_ACCESS, false, &[0x30, 0]))
    }),
    ("leaf-crl-ldap", &["crl-point-location"], |c| {
        let point = DistributionPoint::at(vec![uri("ldap://example.com/cn=a")]);
        let value = ExtensionValue::DistributionPoints(vec![point]);
        c.leaf
            .with(Extension::of(Oid::CRL_DISTRIBUTION_POINTS, false, value));
    }),
    ("leaf-crl-critical", &["crl-point-critical"], |c| {
        let point = DistributionPoint::at(vec![uri("http://example.com/a.crl")]);
        let value = ExtensionValue::DistributionPoints(vec![point]);
        c.leaf
            .with(Extension::of(Oid::CRL_DISTRIBUTION_POINTS, true, value));
    }),
    (
        "leaf-issuer-alternative-name-critical",
        &["extension-critical"],
        |c| {
            let value = ExtensionValue::IssuerAltName(vec![dns("ca.example.com")]);
            c.leaf
                .with(Extension::of(Oid::ISSUER_ALT_NAME, true, value));
        },
    ),
    ("leaf-sct-list-empty", &["sct-list-empty"], |c| {
        c.leaf.with(raw(Oid::SCT_LIST, false, &[4, 2, 0, 0]))
    }),
    // The intermediate.
    (
        "intermediate-no-bc",
        &["ca-flag-missing", "cert-sign-without-ca"],
        |c| c.intermediate.without(&Oid::BASIC_CONSTRAINTS),
    ),
    (
        "intermediate-no-ca",
        &["ca-flag-missing", "cert-sign-without-ca"],
        |c| c.intermediate.with(basic_constraints(true, false, None)),
    ),
    (
        "intermediate-bc-not-critical",
        &["ca-basic-constraints-not-critical"],
        |c| c.intermediate.critical(&Oid::BASIC_CONSTRAINTS, false),
    ),
    (
        "intermediate-no-ku",
        &["path-length-without-cert-sign", "ca-key-usage-missing"],
        |c| c.intermediate.without(&Oid::KEY_USAGE),
    ),
    (
        "intermediate-ku-not-critical",
        &["key-usage-not-critical"],
        |c| c.intermediate.critical(&Oid::KEY_USAGE, false),
    ),
    (
        "intermediate-no-cert-sign",
        &["path-length-without-cert-sign", "ca-cert-sign-missing"],
        |c| c.intermediate.with(key_usage(true, KeyUsage::CRL_SIGN)),
    ),
    (
        "intermediate-path-length-without-ku",
        &["path-length-without-cert-sign", "ca-key-usage-missing"],
        |c| c.intermediate.without(&Oid::KEY_USAGE),
    ),
    (
        "intermediate-no-ski",
        &["ca-subject-key-identifier-missing"],
        |c| c.intermediate.without(&Oid::SUBJECT_KEY_IDENTIFIER),
    ),
    (
        "intermediate-no-aki",
        &["authority-key-identifier-missing"],
        |c| c.intermediate.without(&Oid::AUTHORITY_KEY_IDENTIFIER),
    ),
    (
        "intermediate-inhibit-any-policy",
        &["policy-extension-critical"],
        |c| {
            c.intermediate
                .with(raw(Oid::INHIBIT_ANY_POLICY, true, &[2, 1, 0]));
        },
    ),
    (
        "intermediate-nc-not-critical",
        &["name-constraints-not-critical"],
        |c| c.intermediate.with(constrained(false, "example.com")),
    ),
    ("intermediate-nc-elsewhere", &["name-not-permitted"], |c| {
        c.intermediate.with(constrained(true, "example.org"))
    }),
    ("intermediate-nc-empty", &["name-constraints-empty"], |c| {
        c.intermediate
            .with(raw(Oid::NAME_CONSTRAINTS, true, &[0x30, 0]))
    }),
    (
        "intermediate-eku-client",
        &["ca-extended-key-usage-no-server"],
        |c| c.intermediate.with(extended_key_usage(&[Oid::CLIENT_AUTH])),
    ),
    ("intermediate-no-eku", &[], |c| {
        c.intermediate.without(&Oid::EXTENDED_KEY_USAGE)
    }),
    (
        "intermediate-eku-any",
        &["ca-extended-key-usage-any"],
        |c| {
            c.intermediate
                .with(extended_key_usage(&[Oid::ANY_EXTENDED_KEY_USAGE]));
        },
    ),
    ("intermediate-v1", &["ca-version-not-3"], |c| {
        c.intermediate.version = 0;
        c.intermediate.extensions.clear();
    }),
    (
        "intermediate-no-subject",
        &["issuer-empty", "ca-subject-empty"],
        |c| {
            c.intermediate.named(&[]);
            c.leaf.issuer = name(&[]);
        },
    ),
    (
        "intermediate-expired",
        &["expired", "outlives-issuer"],
        |c| {
            c.intermediate.not_before -= DAY * 10;
            c.intermediate.not_after = c.intermediate.not_before + DAY;
        },
    ),
    ("intermediate-serial-negative", &["serial-negative"], |c| {
        c.intermediate.serial[0] = 0x81
    }),
    ("intermediate-sha1", &["hash-sha1"], |c| {
        sign_with_sha1(&mut c.intermediate, &ROOT_KEY)
    }),
    ("intermediate-rsa-1024", &["rsa-below-2048"], |c| {
        let generate = "-algorithm RSA -pkeyopt rsa_keygen_bits:1024";
        intermediate_by_openssl(c, generate, "sha256", &RSA_SHA256);
    }),
    ("intermediate-p521", &[], |c| {
        let generate = "-algorithm EC -pkeyopt ec_paramgen_curve:P-521";
        intermediate_by_openssl(c, generate, "sha256", &ECDSA_SHA256);
    }),
    (
        "intermediate-inhibit-any-policy-not-critical",
        &["policy-extension-not-critical"],
        |c| {
            c.intermediate
                .with(raw(Oid::INHIBIT_ANY_POLICY, false, &[2, 1, 0]));
        },
    ),
    (
        "intermediate-any-policy-mapped",
        &["policy-any-mapped"],
        |c| {
            let value =
                ExtensionValue::PolicyMappings(vec![(Oid::ANY_POLICY, UNKNOWN.parse().unwrap())]);
            c.intermediate
                .with(Extension::of(Oid::POLICY_MAPPINGS, false, value));
        },
    ),
    (
        "intermediate-asks-for-a-policy",
        &["policy-extension-critical", "required-policy-missing"],
        |c| asks_for_a_policy(&mut c.intermediate),
    ),
    (
        "intermediate-asks-for-a-policy-that-is-there",
        &["policy-extension-critical"],
        |c| {
            asks_for_a_policy(&mut c.intermediate);
            for certificate in [&mut c.intermediate, &mut c.leaf] {
                certificate.with(policies(&[UNKNOWN.parse().unwrap()]));
            }
        },
    ),
    ("intermediate-of-another-name", &["issuer-missing"], |c| {
        c.leaf.issuer = name(&[(Oid::COMMON_NAME, "Another")])
    }),
    ("intermediate-needless", &["chain-order"], |c| {
        c.leaf.issuer = c.root.issuer.clone();
        c.leaf.with(authority_key(&ROOT_KEY));
        c.leaf.signer = ForgeKey::Ours(&ROOT_KEY);
    }),
    // The root.
    (
        "root-no-bc",
        &["ca-flag-missing", "cert-sign-without-ca"],
        |c| c.root.without(&Oid::BASIC_CONSTRAINTS),
    ),
    (
        "root-bc-not-critical",
        &["ca-basic-constraints-not-critical"],
        |c| c.root.critical(&Oid::BASIC_CONSTRAINTS, false),
    ),
    ("root-no-ku", &["ca-key-usage-missing"], |c| {
        c.root.without(&Oid::KEY_USAGE)
    }),
    ("root-ku-not-critical", &["key-usage-not-critical"], |c| {
        c.root.critical(&Oid::KEY_USAGE, false)
    }),
    ("root-no-cert-sign", &["ca-cert-sign-missing"], |c| {
        c.root.with(key_usage(true, KeyUsage::CRL_SIGN))
    }),
    ("root-no-ski", &["ca-subject-key-identifier-missing"], |c| {
        c.root.without(&Oid::SUBJECT_KEY_IDENTIFIER)
    }),
    ("root-v1", &["ca-version-not-3"], |c| {
        c.root.version = 0;
        c.root.extensions.clear();
    }),
    ("root-expired", &["expired", "outlives-issuer"], |c| {
        c.root.not_before -= DAY * 10;
        c.root.not_after = c.root.not_before + DAY;
    }),
    ("root-sha1", &["root-hash-weak"], |c| {
        sign_with_sha1(&mut c.root, &ROOT_KEY)
    }),
    ("root-serial-negative", &["serial-negative"], |c| {
        c.root.serial[0] = 0x81
    }),
    (
        "root-nc-not-critical",
        &["name-constraints-not-critical"],
        |c| c.root.with(constrained(false, "example.com")),
    ),
    ("root-path-length-0", &["path-too-long"], |c| {
        c.root.with(basic_constraints(true, true, Some(0)))
    }),
    (
        "root-eku-client",
        &["ca-extended-key-usage-no-server"],
        |c| c.root.with(extended_key_usage(&[Oid::CLIENT_AUTH])),
    ),
];
