//! What all tables have to hold to, and suites taken apart by hand.

use std::collections::HashSet;

use super::*;

/// Every registry there is.
const ALL: &[&Registry] = &[
    AlertDescription::REGISTRY,
    AlertLevel::REGISTRY,
    CertificateCompression::REGISTRY,
    CertificateStatusType::REGISTRY,
    CertificateType::REGISTRY,
    CipherSuite::REGISTRY,
    ClientCertificateType::REGISTRY,
    CompressionMethod::REGISTRY,
    ContentType::REGISTRY,
    EcCurveType::REGISTRY,
    EcPointFormat::REGISTRY,
    ExtensionType::REGISTRY,
    HandshakeType::REGISTRY,
    HashAlgorithm::REGISTRY,
    HeartbeatMode::REGISTRY,
    HpkeAead::REGISTRY,
    HpkeKdf::REGISTRY,
    HpkeKem::REGISTRY,
    KeyUpdateRequest::REGISTRY,
    MaxFragmentLength::REGISTRY,
    NameType::REGISTRY,
    NamedGroup::REGISTRY,
    ProtocolVersion::REGISTRY,
    PskKeyExchangeMode::REGISTRY,
    QuicTransportParameter::REGISTRY,
    SignatureAlgorithm::REGISTRY,
    SignatureScheme::REGISTRY,
    SslV2CipherKind::REGISTRY,
];

#[test]
fn tables_rise_so_that_they_can_be_searched() {
    for registry in ALL {
        for pair in registry.assignments.windows(2) {
            assert!(
                pair[0].code < pair[1].code,
                "{}: {:?} before {:?}",
                registry.name,
                pair[0],
                pair[1]
            );
        }
    }
    for pair in suites_openssl::NAMES.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{pair:?}");
    }
}

#[test]
fn no_name_stands_twice_in_a_registry() {
    for registry in ALL {
        let mut names = HashSet::new();
        for assignment in registry.assignments {
            assert!(
                names.insert(assignment.name),
                "{}: {}",
                registry.name,
                assignment.name
            );
        }
    }
    let mut names = HashSet::new();
    for (_, name) in suites_openssl::NAMES {
        assert!(names.insert(name), "{name}");
    }
}

#[test]
fn every_line_says_what_it_is_and_where_it_is_defined() {
    for registry in ALL {
        for line in registry.assignments {
            let place = format!("{}: {}", registry.name, line.name);
            for text in [line.name, line.reference] {
                assert!(
                    !text.is_empty() && text == text.trim() && text.is_ascii(),
                    "{place}"
                );
            }
            if let Some(number) = line.reference.strip_prefix("RFC ") {
                assert!(
                    (2246..=10024).contains(&number.parse().unwrap()),
                    "{place}: {}",
                    line.reference
                );
            }
            if let Some(draft) = line.reference.strip_prefix("draft-") {
                let version = draft.rsplit('-').next().unwrap();
                let numbered = version.len() == 2 && version.parse::<u8>().is_ok();
                assert!(!numbered, "{place}: a draft has a name here, no version");
            }
        }
    }
}

#[test]
fn codes_fit_their_width_and_none_that_is_assigned_is_grease() {
    for registry in ALL {
        for line in registry.assignments {
            assert_eq!(line.code & registry.mask(), line.code, "{}", line.name);
            assert!(!registry.is_grease(line.code), "{}", line.name);
            assert!(
                !matches!(line.judgement, Judgement::Grease | Judgement::Unknown),
                "{}: what is assigned is known",
                line.name
            );
        }
    }
}

#[test]
fn grease_is_found_by_rule() {
    // RFC 8701, section 2.
    let pairs: Vec<u16> = (0..=u16::MAX)
        .filter(|&code| CipherSuite(code).is_grease())
        .collect();
    assert_eq!(
        pairs,
        [
            0x0a0a, 0x1a1a, 0x2a2a, 0x3a3a, 0x4a4a, 0x5a5a, 0x6a6a, 0x7a7a, 0x8a8a, 0x9a9a, 0xaaaa,
            0xbaba, 0xcaca, 0xdada, 0xeaea, 0xfafa
        ]
    );
    let modes: Vec<u8> = (0..=u8::MAX)
        .filter(|&code| PskKeyExchangeMode(code).is_grease())
        .collect();
    assert_eq!(modes, [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4]);
    // RFC 9000, section 18.1.
    let parameters: Vec<u64> = (0..100)
        .filter(|&code| QuicTransportParameter(code).is_grease())
        .collect();
    assert_eq!(parameters, [27, 58, 89]);
    assert!(!ContentType(0x0a).is_grease());
    assert_eq!(NamedGroup(0x3a3a).judgement(), Judgement::Grease);
    assert_eq!(NamedGroup(0x3a3b).judgement(), Judgement::Unknown);
}

#[test]
fn a_code_is_shown_by_name_or_else_by_number() {
    assert_eq!(
        CipherSuite::TLS_AES_128_GCM_SHA256.to_string(),
        "TLS_AES_128_GCM_SHA256"
    );
    assert_eq!(format!("{:?}", NamedGroup::X25519), "x25519");
    assert_eq!(format!("{:>8}|", NamedGroup::X25519), "  x25519|");
    assert_eq!(CipherSuite(0x1a1a).to_string(), "GREASE 0x1a1a");
    assert_eq!(ExtensionType(0x0fff).to_string(), "0x0fff");
    assert_eq!(ContentType(7).to_string(), "0x07");
    assert_eq!(SslV2CipherKind(0x12).to_string(), "0x000012");
    assert_eq!(QuicTransportParameter(0x4b).to_string(), "0x4b");
    assert_eq!(QuicTransportParameter(27).to_string(), "GREASE 0x1b");
}

#[test]
fn numbers_are_cut_to_the_width_of_the_registry() {
    assert_eq!(ContentType::from_code(0x116), ContentType::HANDSHAKE);
    assert_eq!(
        CipherSuite::from_code(0x1_1301),
        CipherSuite::TLS_AES_128_GCM_SHA256
    );
    assert_eq!(
        SslV2CipherKind::from_code(0xff01_0080),
        SslV2CipherKind::SSL_CK_RC4_128_WITH_MD5
    );
    assert_eq!(QuicTransportParameter::from_code(u64::MAX).code(), u64::MAX);
    assert_eq!(SslV2CipherKind::REGISTRY.octets, 3);
    assert_eq!(CertificateCompression::REGISTRY.octets, 2);
}

#[test]
fn drafts_of_tls_1_3_are_told_by_number() {
    assert_eq!(ProtocolVersion::TLS_1_3_DRAFT_23.draft(), Some(23));
    assert_eq!(ProtocolVersion(0x7f05).draft(), Some(5));
    assert_eq!(ProtocolVersion::TLS_1_3.draft(), None);
    assert!(ProtocolVersion::TLS_1_3.is_tls13() && ProtocolVersion(0x7f1c).is_tls13());
    assert!(!ProtocolVersion::TLS_1_2.is_tls13());
}

#[test]
fn every_suite_comes_apart() {
    for line in CipherSuite::REGISTRY.assignments {
        let suite = CipherSuite::from_code(line.code);
        if suite.is_signal() {
            assert_eq!(suite.cipher(), None);
            assert_eq!(suite.key_exchange(), None);
            assert_eq!(suite.hash(), None);
            continue;
        }
        let cipher = suite
            .cipher()
            .unwrap_or_else(|| panic!("{suite}: no cipher"));
        assert!(suite.hash().is_some(), "{suite}: no hash");
        if suite == CipherSuite::TLS_NULL_WITH_NULL_NULL {
            assert_eq!(suite.key_exchange(), None);
            continue;
        }
        assert!(suite.key_exchange().is_some(), "{suite}: no key exchange");
        assert!(
            suite.authentication().is_some(),
            "{suite}: no authentication"
        );
        assert_eq!(
            suite.mac().is_none(),
            cipher.is_aead(),
            "{suite}: MAC or AEAD, one of them"
        );
        assert!(cipher.final_key_octets() >= cipher.key_octets());
        assert_eq!(cipher.tag_octets() > 0, cipher.is_aead(), "{suite}");
        assert_eq!(cipher.block_octets() > 1, cipher.is_cbc(), "{suite}");
        assert_eq!(
            suite.is_tls13(),
            suite.authentication() == Some(Authentication::Any)
        );
        if suite.is_tls13() {
            assert!(cipher.is_aead() && suite.forward_secret(), "{suite}");
        }
    }
    assert_eq!(CipherSuite(0x0a0a).cipher(), None);
    assert_eq!(CipherSuite(0x0a0a).openssl_name(), None);
    assert!(!CipherSuite(0xffff).forward_secret());
}

/// Suites of every kind of name, taken apart by hand.
const TAKEN_APART: &[(&str, &str)] = &[
    (
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "Rsa Rsa Aes128Cbc Sha1 Sha256",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "Ecdhe Rsa Aes256Cbc Sha384 Sha384",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
        "Ecdhe Ecdsa Aes128Ccm8 - Sha256",
    ),
    ("TLS_AES_128_CCM_8_SHA256", "Any Any Aes128Ccm8 - Sha256"),
    (
        "TLS_PSK_DHE_WITH_AES_256_CCM_8",
        "DhePsk Psk Aes256Ccm8 - Sha256",
    ),
    ("TLS_SM4_GCM_SM3", "Any Any Sm4Gcm - Sm3"),
    ("ECC_SM4_CBC_SM3", "Sm2 Sm2 Sm4Cbc Sm3 Sm3"),
    (
        "TLS_AES_128_GCM_ASCONHASH256",
        "Any Any Aes128Gcm - AsconHash256",
    ),
    ("TLS_AEGIS_256_SHA512", "Any Any Aegis256 - Sha512"),
    (
        "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC",
        "Gost Gost KuznyechikCtr KuznyechikOmac Streebog256",
    ),
    (
        "TLS_GOSTR341112_256_WITH_MAGMA_MGM_S",
        "Any Any MagmaMgmS - Streebog256",
    ),
    ("TLS_SHA384_SHA384", "Any Any IntegritySha384 - Sha384"),
    (
        "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256_OLD",
        "Dhe Rsa ChaCha20Poly1305Old - Sha256",
    ),
    (
        "TLS_KRB5_EXPORT_WITH_DES_CBC_40_MD5",
        "Krb5 Krb5 Des40Cbc Md5 Sha256",
    ),
];

#[test]
fn a_suite_comes_apart_as_its_rfc_says() {
    for (name, expected) in TAKEN_APART {
        let line = CipherSuite::REGISTRY
            .assignments
            .iter()
            .find(|line| line.name == *name);
        let suite = CipherSuite::from_code(line.unwrap().code);
        let mac = suite
            .mac()
            .map_or_else(|| "-".to_owned(), |mac| format!("{mac:?}"));
        let parts = format!(
            "{:?} {:?} {:?} {mac} {:?}",
            suite.key_exchange().unwrap(),
            suite.authentication().unwrap(),
            suite.cipher().unwrap(),
            suite.hash().unwrap(),
        );
        assert_eq!(parts, *expected, "{name}");
    }
    assert!(CipherSuite::TLS_KRB5_EXPORT_WITH_DES_CBC_40_MD5.is_export());
    assert!(!CipherSuite::TLS_KRB5_WITH_DES_CBC_MD5.is_export());
}

#[test]
fn vectors_come_from_where_each_version_has_them() {
    use ProtocolVersion as V;
    let of = |cipher: Cipher, version| {
        (
            cipher.fixed_iv_octets(version),
            cipher.record_iv_octets(version),
        )
    };
    // RFC 2246, section 6.3; RFC 4346, section 6.2.3.2; RFC 5246, section 6.2.3.2.
    assert_eq!(of(Cipher::Aes256Cbc, V::SSL_3), (16, 0));
    assert_eq!(of(Cipher::Aes256Cbc, V::TLS_1_0), (16, 0));
    assert_eq!(of(Cipher::Aes256Cbc, V::TLS_1_1), (0, 16));
    assert_eq!(of(Cipher::TripleDesEdeCbc, V::TLS_1_2), (0, 8));
    assert_eq!(of(Cipher::Sm4Cbc, V::TLCP), (0, 16));
    // RFC 5288, section 3; RFC 6655, section 3; RFC 7905, section 2; RFC 8446, section 5.3.
    assert_eq!(of(Cipher::Aes128Gcm, V::TLS_1_2), (4, 8));
    assert_eq!(of(Cipher::Aes128Gcm, V::TLS_1_3), (12, 0));
    assert_eq!(of(Cipher::Aes128Gcm, V::TLS_1_3_DRAFT_18), (12, 0));
    assert_eq!(of(Cipher::Aes256Ccm8, V::TLS_1_2), (4, 8));
    assert_eq!(of(Cipher::ChaCha20Poly1305, V::TLS_1_2), (12, 0));
    assert_eq!(of(Cipher::ChaCha20Poly1305, V::TLS_1_3), (12, 0));
    assert_eq!(of(Cipher::ChaCha20Poly1305Old, V::TLS_1_2), (0, 0));
    assert_eq!(of(Cipher::Rc4_128, V::TLS_1_0), (0, 0));
}

#[test]
fn export_keys_are_stretched_as_rfc_2246_has_it() {
    let of = |suite: CipherSuite| {
        let cipher = suite.cipher().unwrap();
        (cipher.key_octets(), cipher.final_key_octets())
    };
    assert_eq!(of(CipherSuite::TLS_RSA_EXPORT_WITH_RC4_40_MD5), (5, 16));
    assert_eq!(of(CipherSuite::TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5), (5, 16));
    assert_eq!(of(CipherSuite::TLS_RSA_EXPORT_WITH_DES40_CBC_SHA), (5, 8));
    assert_eq!(of(CipherSuite::TLS_RSA_EXPORT1024_WITH_RC4_56_SHA), (7, 16));
    assert_eq!(of(CipherSuite::TLS_RSA_WITH_RC4_128_SHA), (16, 16));
}

#[test]
fn what_is_recommended_is_forward_secret_and_an_aead() {
    for line in CipherSuite::REGISTRY.assignments {
        let suite = CipherSuite::from_code(line.code);
        if suite.judgement() == Judgement::Recommended {
            assert!(
                suite.forward_secret() && suite.cipher().unwrap().is_aead(),
                "{suite}"
            );
        }
        let weak = suite.is_export()
            || suite.authentication() == Some(Authentication::Anonymous)
            || suite.mac() == Some(Mac::Md5)
            || matches!(
                suite.cipher(),
                Some(
                    Cipher::Null
                        | Cipher::IntegritySha256
                        | Cipher::IntegritySha384
                        | Cipher::Rc4_128
                        | Cipher::Rc2Cbc128
                        | Cipher::DesCbc
                        | Cipher::TripleDesEdeCbc
                        | Cipher::IdeaCbc
                        | Cipher::FortezzaCbc
                )
            );
        assert_eq!(weak, suite.judgement() == Judgement::Broken, "{suite}");
        let old = !weak
            && (suite.mac().is_some()
                || matches!(
                    suite.key_exchange(),
                    Some(
                        KeyExchange::Rsa
                            | KeyExchange::RsaPsk
                            | KeyExchange::Dh
                            | KeyExchange::Dhe
                            | KeyExchange::DhePsk
                            | KeyExchange::Ecdh
                    )
                ));
        if old {
            assert_eq!(suite.judgement(), Judgement::Legacy, "{suite}");
        }
    }
}

#[test]
fn a_hello_of_ssl_2_offers_suites_behind_a_zero() {
    assert_eq!(
        SslV2CipherKind(0x2f).suite(),
        Some(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA)
    );
    assert_eq!(SslV2CipherKind::SSL_CK_RC4_128_WITH_MD5.suite(), None);
}

#[test]
fn pairs_of_tls_1_2_come_apart() {
    let scheme = SignatureScheme(0x0303);
    assert_eq!(scheme.hash(), HashAlgorithm::SHA224);
    assert_eq!(scheme.signature(), SignatureAlgorithm::ECDSA);
    assert!(SignatureScheme::MLDSA65.is_post_quantum());
    assert!(!SignatureScheme(0x0907).is_post_quantum());
    assert!(!SignatureScheme::ED25519.is_post_quantum());
}

#[test]
fn groups_that_outlast_quantum_computers_are_told() {
    for line in NamedGroup::REGISTRY.assignments {
        let named = ["MLKEM", "Kyber", "CECPQ2"]
            .iter()
            .any(|part| line.name.contains(part));
        assert_eq!(
            NamedGroup::from_code(line.code).is_post_quantum(),
            named,
            "{}",
            line.name
        );
    }
}

#[test]
fn fragments_are_as_long_as_rfc_6066_says() {
    let octets: Vec<_> = (0..6)
        .map(|code| MaxFragmentLength(code).octets())
        .collect();
    assert_eq!(
        octets,
        [None, Some(512), Some(1024), Some(2048), Some(4096), None]
    );
}
