//! Code points and the parts of suites, as openssl, gnutls and tshark have them.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

use ravelin_wire::registry::{
    AlertDescription, AlertLevel, Authentication, CertificateCompression, CertificateStatusType,
    CertificateType, Cipher, CipherSuite, ClientCertificateType, CodePoint, CompressionMethod,
    ContentType, EcCurveType, EcPointFormat, ExtensionType, HandshakeType, HashAlgorithm,
    KeyExchange, KeyUpdateRequest, Mac, MaxFragmentLength, NameType, NamedGroup, ProtocolVersion,
    PskKeyExchangeMode, SignatureAlgorithm, SignatureScheme, SslV2CipherKind,
};

/// The standard output of a program that has to be there.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn openssl_agrees_on_names_and_parts_of_suites() {
    let list = output(
        "openssl",
        &[
            "ciphers",
            "-V",
            "-stdname",
            "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
        ],
    );
    let mut seen = 0;
    for line in list.lines() {
        // 0xC0,0x2B - TLS_… - ECDHE-… TLSv1.2 Kx=ECDH Au=ECDSA Enc=AESGCM(128) Mac=AEAD
        let words: Vec<&str> = line.split_whitespace().collect();
        let [code, "-", name, "-", openssl_name, version, parts @ ..] = &words[..] else {
            panic!("{line}");
        };
        let suite = CipherSuite::from_code(octets(code));
        let said = |key: &str| {
            parts
                .iter()
                .find_map(|part| part.strip_prefix(key))
                .unwrap()
        };
        assert_eq!(suite.to_string(), *name);
        assert_eq!(suite.openssl_name(), Some(*openssl_name), "{suite}");
        assert_eq!(suite.is_tls13(), *version == "TLSv1.3", "{suite}");
        assert_eq!(kx(suite), said("Kx="), "{suite}");
        assert_eq!(au(suite), said("Au="), "{suite}");
        assert_eq!(enc(suite), said("Enc="), "{suite}");
        assert_eq!(mac(suite), said("Mac="), "{suite}");
        seen += 1;
    }
    assert!(seen > 150, "openssl lists {seen} suites");
}

fn kx(suite: CipherSuite) -> &'static str {
    match suite.key_exchange().unwrap() {
        KeyExchange::Any => "any",
        KeyExchange::Rsa => "RSA",
        KeyExchange::Dhe => "DH",
        KeyExchange::Ecdhe => "ECDH",
        KeyExchange::Psk => "PSK",
        KeyExchange::DhePsk => "DHEPSK",
        KeyExchange::EcdhePsk => "ECDHEPSK",
        KeyExchange::RsaPsk => "RSAPSK",
        KeyExchange::Srp => "SRP",
        other => panic!("{suite}: openssl has no {other:?}"),
    }
}

fn au(suite: CipherSuite) -> &'static str {
    match suite.authentication().unwrap() {
        Authentication::Any => "any",
        Authentication::Rsa => "RSA",
        Authentication::Dss => "DSS",
        Authentication::Ecdsa => "ECDSA",
        Authentication::Psk => "PSK",
        Authentication::Password => "SRP",
        Authentication::Anonymous => "None",
        other => panic!("{suite}: openssl has no {other:?}"),
    }
}

fn enc(suite: CipherSuite) -> String {
    let cipher = suite.cipher().unwrap();
    let name = match cipher {
        Cipher::Null => return "None".to_owned(),
        Cipher::Aes128Cbc | Cipher::Aes256Cbc => "AES",
        Cipher::Aes128Gcm | Cipher::Aes256Gcm => "AESGCM",
        Cipher::Aes128Ccm | Cipher::Aes256Ccm => "AESCCM",
        Cipher::Aes128Ccm8 | Cipher::Aes256Ccm8 => "AESCCM8",
        Cipher::Camellia128Cbc | Cipher::Camellia256Cbc => "Camellia",
        Cipher::Aria128Gcm | Cipher::Aria256Gcm => "ARIAGCM",
        Cipher::ChaCha20Poly1305 => "CHACHA20/POLY1305",
        other => panic!("{suite}: openssl has no {other:?}"),
    };
    format!("{name}({})", 8 * cipher.key_octets())
}

fn mac(suite: CipherSuite) -> &'static str {
    match suite.mac() {
        None => "AEAD",
        Some(Mac::Md5) => "MD5",
        Some(Mac::Sha1) => "SHA1",
        Some(Mac::Sha256) => "SHA256",
        Some(Mac::Sha384) => "SHA384",
        other => panic!("{suite}: openssl has no {other:?}"),
    }
}

#[test]
fn gnutls_agrees_on_suites() {
    let list = output("gnutls-cli", &["--list"]);
    let mut seen = 0;
    for line in list.lines() {
        // TLS_RSA_ARCFOUR_128_SHA1  0x00, 0x05  TLS1.0
        let Some((name, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let Some((code, _)) = rest
            .trim_start()
            .rsplit_once('\t')
            .filter(|_| rest.contains("0x"))
        else {
            continue;
        };
        let suite = CipherSuite::from_code(octets(code));
        assert_eq!(gnutls_spelling(suite), name, "{suite}");
        seen += 1;
    }
    assert!(seen > 150, "gnutls lists {seen} suites");
}

/// The name that gnutls makes of the one of IANA.
fn gnutls_spelling(suite: CipherSuite) -> String {
    let mut name = suite.to_string();
    if name.ends_with("_SHA") {
        name.push('1');
    }
    if !suite.is_tls13() {
        name = name.replace("POLY1305_SHA256", "POLY1305");
    }
    name.replace("_WITH_", "_")
        .replace("RC4", "ARCFOUR")
        .replace("_anon_", "_ANON_")
        .replace("PSK_DHE", "DHE_PSK")
}

/// `0xC0,0x2B` as a number.
fn octets(text: &str) -> u64 {
    text.split(',').fold(0, |code, octet| {
        let octet = octet
            .trim()
            .strip_prefix("0x")
            .unwrap_or_else(|| panic!("{text}"));
        code << 8 | u64::from_str_radix(octet, 16).unwrap()
    })
}

/// What tshark calls the values of a field, by code; some fields have two tables.
fn tshark(field: &str) -> &'static BTreeMap<u64, Vec<String>> {
    type Fields = BTreeMap<String, BTreeMap<u64, Vec<String>>>;
    static FIELDS: OnceLock<Fields> = OnceLock::new();
    let fields = FIELDS.get_or_init(|| {
        let mut fields = Fields::new();
        let list = output("tshark", &["-G", "values"]);
        // Of a million lines: V  tls.handshake.ciphersuite  0  TLS_NULL_WITH_NULL_NULL
        for line in list.lines().filter(|line| line.starts_with("V\ttls.")) {
            let [_, field, code, name] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let codes = fields.entry(field.to_owned()).or_default();
            codes.entry(number(code)).or_default().push(name.to_owned());
        }
        fields
    });
    fields
        .get(field)
        .unwrap_or_else(|| panic!("tshark has no values of {field}"))
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

/// Sees that every code that both have a name for has the same one, up to spelling, but for those
/// that `differ`, and that these are `at_least` so many.
fn compare<C: CodePoint>(field: &str, at_least: usize, differ: &[C]) {
    let mut agreed = 0;
    for (&code, names) in tshark(field) {
        let point = C::from_code(code);
        if names.iter().any(|name| name == "Reserved (GREASE)") {
            assert!(point.is_grease(), "{field}: {point} is GREASE to tshark");
            continue;
        }
        let Some(assignment) = point.assignment() else {
            continue;
        };
        let ours = letters(assignment.name);
        let quoted = format!("({})", assignment.name);
        if names
            .iter()
            .any(|name| letters(name) == ours || name.contains(&quoted))
        {
            agreed += 1;
        } else {
            assert!(
                differ.contains(&point),
                "{field} {code:#x}: {point} to us, {names:?} to tshark"
            );
        }
    }
    assert!(agreed >= at_least, "{field}: {agreed} agree");
}

/// The letters and digits alone: `Bad Record MAC` is `bad_record_mac`.
fn letters(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[test]
fn tshark_agrees_on_suites() {
    compare::<CipherSuite>(
        "tls.handshake.ciphersuite",
        400,
        &[
            // tshark gives drafts the name of what became of them, and two suites one name.
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_OLD,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256_OLD,
            CipherSuite::TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256_OLD,
            CipherSuite::SSL_RSA_OLDFIPS_WITH_3DES_EDE_CBC_SHA,
            CipherSuite::SSL_RSA_OLDFIPS_WITH_DES_CBC_SHA,
        ],
    );
}

#[test]
fn tshark_agrees_on_what_ssl_2_offers() {
    let mut agreed = 0;
    for (&code, names) in tshark("tls.handshake.cipherspec") {
        let kind = SslV2CipherKind::from_code(code);
        if kind.suite().is_none() {
            // SSL2_RC4_128_WITH_MD5 there, SSL_CK_RC4_128_WITH_MD5 here.
            let ours = kind.to_string().replace("SSL_CK_", "SSL2_");
            assert_eq!(*names, [ours]);
            agreed += 1;
        }
    }
    assert!(agreed >= 8, "{agreed} agree");
}

#[test]
fn tshark_agrees_on_groups_and_signatures() {
    compare::<NamedGroup>(
        "tls.handshake.extensions_supported_group",
        38,
        // The numbers of liboqs before there were any of IANA.
        &[
            NamedGroup::MLKEM512,
            NamedGroup::MLKEM768,
            NamedGroup::MLKEM1024,
        ],
    );
    compare::<SignatureScheme>("tls.handshake.sig_hash_alg", 17, &[]);
    compare::<HashAlgorithm>("tls.handshake.sig_hash_hash", 7, &[]);
    compare::<SignatureAlgorithm>("tls.handshake.sig_hash_sig", 4, &[]);
    compare::<EcCurveType>("tls.handshake.server_curve_type", 3, &[]);
    compare::<EcPointFormat>("tls.handshake.extensions_ec_point_format", 3, &[]);
}

#[test]
fn tshark_agrees_on_what_frames_the_protocol() {
    compare::<ProtocolVersion>(
        "tls.handshake.extensions.supported_version",
        23,
        // "GMTLS".
        &[ProtocolVersion::TLCP],
    );
    // "Connection ID".
    compare::<ContentType>("tls.record.content_type", 5, &[ContentType::TLS12_CID]);
    compare::<HandshakeType>(
        "tls.handshake.type",
        19,
        // "Client Certificate URL", and "Encrypted Extensions" as drafts had it for a while.
        &[HandshakeType::CERTIFICATE_URL, HandshakeType::NEXT_PROTOCOL],
    );
    compare::<ExtensionType>(
        "tls.handshake.extension.type",
        52,
        &[
            // "extended_master_secret", from before RFC 9846.
            ExtensionType::EXTENDED_MAIN_SECRET,
            // "delegated_credentials", from before RFC 9345.
            ExtensionType::DELEGATED_CREDENTIAL,
            // "Reserved (key_share)".
            ExtensionType::KEY_SHARE_DRAFT,
            // "application_settings", from before there was a second.
            ExtensionType::APPLICATION_SETTINGS_OLD,
            // "quic_transport_parameters (drafts version)".
            ExtensionType::QUIC_TRANSPORT_PARAMETERS_DRAFT,
        ],
    );
    compare::<AlertDescription>("tls.alert_message.desc", 36, &[]);
    compare::<AlertLevel>("tls.alert_message.level", 2, &[]);
}

#[test]
fn tshark_agrees_on_the_small_registries() {
    compare::<ClientCertificateType>("tls.handshake.cert_type", 10, &[]);
    compare::<CertificateType>("tls.handshake.cert_type.type", 3, &[]);
    compare::<CertificateStatusType>("tls.handshake.extensions_status_request_type", 2, &[]);
    compare::<CertificateCompression>("tls.compress_certificate.algorithm", 3, &[]);
    compare::<CompressionMethod>("tls.handshake.comp_method", 3, &[]);
    compare::<NameType>("tls.handshake.extensions_server_name_type", 1, &[]);
    compare::<PskKeyExchangeMode>("tls.extension.psk_ke_mode", 2, &[]);
    compare::<KeyUpdateRequest>("tls.handshake.key_update.request_update", 2, &[]);
    for (&code, octets) in tshark("tls.handshake.max_fragment_length") {
        let ours = MaxFragmentLength::from_code(code).octets().unwrap();
        assert_eq!(*octets, [ours.to_string()]);
    }
}
