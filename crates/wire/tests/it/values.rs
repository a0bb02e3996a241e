//! One of each kind: every message and every extension, written, read, cut and changed.

use ravelin_wire::extension::{
    CertificateStatus, CertificateStatusRequest, DelegatedCredential, EchConfig, EchConfigContents,
    EncryptedClientHello, Extension, Extensions, HpkeSuite, KeyShareEntry, OcspStatusRequest,
    OfferedPsks, OidFilter, ParameterValue, PskIdentity, ServerName, SrtpProtection,
    StatusRequestItem, TransportParameter,
};
use ravelin_wire::handshake::{
    Agreed, Certificate, CertificateEntry, CertificateRequest, ClientHello, ClientKeyExchange,
    ClientShare, CompressedCertificate, DhParameters, DigitallySigned, EcParameters, Handshake,
    NewSessionTicket, ServerHello, ServerKeyExchange, ServerParameters,
};
use ravelin_wire::registry::{
    CertificateCompression, CertificateStatusType, CertificateType, CipherSuite,
    ClientCertificateType, CompressionMethod, EcPointFormat, ExtensionType, HandshakeType,
    HeartbeatMode, HpkeAead, HpkeKdf, HpkeKem, KeyUpdateRequest, MaxFragmentLength, NameType,
    NamedGroup, ProtocolVersion, PskKeyExchangeMode, QuicTransportParameter, SignatureScheme,
};
use ravelin_wire::writer::{Encode, EncodeError};

use crate::properties::covers;

const TLS13: Agreed = Agreed {
    version: ProtocolVersion::TLS_1_3,
    suite: Some(CipherSuite::TLS_AES_128_GCM_SHA256),
    certificate_type: CertificateType::X509,
};

const fn tls(version: ProtocolVersion, suite: CipherSuite) -> Agreed {
    Agreed {
        version,
        suite: Some(suite),
        certificate_type: CertificateType::X509,
    }
}

fn in_client_hello() -> Vec<Extension<'static>> {
    use ExtensionType as E;
    let ocsp = OcspStatusRequest {
        responder_id_list: vec![b"responder"],
        request_extensions: b"extensions",
    };
    vec![
        Extension::ServerName(vec![ServerName {
            name_type: NameType::HOST_NAME,
            name: b"wire.test",
        }]),
        Extension::MaxFragmentLength(MaxFragmentLength(4)),
        Extension::Present(E::TRUNCATED_HMAC),
        Extension::StatusRequest(CertificateStatusRequest::Ocsp(ocsp.clone())),
        Extension::StatusRequestV2(vec![StatusRequestItem {
            status_type: CertificateStatusType::OCSP_MULTI,
            request: ocsp,
        }]),
        Extension::SupportedGroups(vec![NamedGroup(0x4a4a), NamedGroup::X25519MLKEM768]),
        Extension::EcPointFormats(vec![EcPointFormat(0)]),
        Extension::SignatureAlgorithms(vec![SignatureScheme::ED25519]),
        Extension::SignatureAlgorithmsCert(vec![SignatureScheme::RSA_PKCS1_SHA256]),
        Extension::DelegatedCredentialSchemes(vec![SignatureScheme::ED25519]),
        Extension::UseSrtp(SrtpProtection {
            profiles: vec![1, 7],
            mki: b"mki",
        }),
        Extension::Heartbeat(HeartbeatMode(1)),
        Extension::Alpn(vec![b"h2", b"http/1.1"]),
        Extension::Present(E::NEXT_PROTOCOL_NEGOTIATION),
        Extension::ApplicationSettingsFor(E::APPLICATION_SETTINGS, vec![b"h2"]),
        Extension::Present(E::SIGNED_CERTIFICATE_TIMESTAMP),
        Extension::CertificateTypes(E::SERVER_CERTIFICATE_TYPE, vec![CertificateType::X509]),
        Extension::Padding(&[0; 9]),
        Extension::CompressCertificate(vec![CertificateCompression::BROTLI]),
        Extension::RecordSizeLimit(16385),
        Extension::SessionTicket(b"ticket"),
        Extension::SupportedVersions(vec![ProtocolVersion::TLS_1_3, ProtocolVersion(0x7f1c)]),
        Extension::Cookie(b"cookie"),
        Extension::PskKeyExchangeModes(vec![PskKeyExchangeMode(1)]),
        Extension::CertificateAuthorities(vec![b"name", b"another"]),
        Extension::Present(E::POST_HANDSHAKE_AUTH),
        Extension::KeyShares(vec![
            KeyShareEntry {
                group: NamedGroup(0x1a1a),
                key_exchange: &[0],
            },
            KeyShareEntry {
                group: NamedGroup::X25519,
                key_exchange: &[7; 32],
            },
        ]),
        Extension::QuicTransportParameters(
            E::QUIC_TRANSPORT_PARAMETERS,
            vec![
                TransportParameter {
                    id: QuicTransportParameter::INITIAL_MAX_DATA,
                    value: ParameterValue::Number(1 << 40),
                },
                TransportParameter {
                    id: QuicTransportParameter(27 + 31 * 99),
                    value: ParameterValue::Octets(b"grease"),
                },
            ],
        ),
        Extension::EncryptedClientHello(EncryptedClientHello::Outer {
            suite: HpkeSuite {
                kdf_id: HpkeKdf(1),
                aead_id: HpkeAead(1),
            },
            config_id: 9,
            enc: &[3; 32],
            payload: &[4; 40],
        }),
        Extension::EncryptedClientHello(EncryptedClientHello::Inner),
        Extension::EchOuterExtensions(vec![E::KEY_SHARE]),
        Extension::RenegotiationInfo(b""),
        Extension::Unknown {
            extension_type: ExtensionType(0x0a0a),
            body: b"",
        },
        Extension::Present(E::EARLY_DATA),
        Extension::PreSharedKeys(OfferedPsks {
            identities: vec![PskIdentity {
                identity: b"ticket",
                obfuscated_ticket_age: 0xfeed_beef,
            }],
            binders: vec![&[5; 32]],
        }),
    ]
}

fn in_server_hello() -> Vec<Extension<'static>> {
    vec![
        Extension::SelectedVersion(ProtocolVersion::TLS_1_3),
        Extension::KeyShare(KeyShareEntry {
            group: NamedGroup::X25519,
            key_exchange: &[6; 32],
        }),
        Extension::PreSharedKey(1),
        Extension::NextProtocols(vec![b"spdy/3"]),
    ]
}

fn in_retry() -> Vec<Extension<'static>> {
    vec![
        Extension::SelectedVersion(ProtocolVersion::TLS_1_3),
        Extension::KeyShareGroup(NamedGroup::SECP384R1),
        Extension::Cookie(b"cookie"),
        Extension::EchConfirmation(b"confirm!"),
    ]
}

fn in_encrypted_extensions() -> Vec<Extension<'static>> {
    use ExtensionType as E;
    vec![
        Extension::Present(E::SERVER_NAME),
        Extension::Alpn(vec![b"h2"]),
        Extension::ApplicationSettings(E::APPLICATION_SETTINGS_OLD, b"settings"),
        Extension::CertificateType(E::CLIENT_CERTIFICATE_TYPE, CertificateType(2)),
        Extension::EchRetryConfigs(vec![
            EchConfig {
                version: 0xfe0d,
                contents: EchConfigContents::Known {
                    config_id: 1,
                    kem_id: HpkeKem(32),
                    public_key: &[8; 32],
                    cipher_suites: vec![HpkeSuite {
                        kdf_id: HpkeKdf(1),
                        aead_id: HpkeAead(3),
                    }],
                    maximum_name_length: 64,
                    public_name: b"front.test",
                    extensions: vec![(0x7777, b"body")],
                },
            },
            EchConfig {
                version: 0xfe0a,
                contents: EchConfigContents::Unknown(b"of a draft"),
            },
        ]),
    ]
}

fn in_certificate() -> Vec<Extension<'static>> {
    vec![
        Extension::CertificateStatus(CertificateStatus::Ocsp(b"response")),
        Extension::SignedCertificateTimestamps(vec![&[0; 60], b"of another version"]),
        Extension::DelegatedCredential(DelegatedCredential {
            valid_time: 86_400,
            expected_cert_verify_algorithm: SignatureScheme::ED25519,
            public_key: b"key",
            algorithm: SignatureScheme::ECDSA_SECP256R1_SHA256,
            signature: b"signature",
        }),
    ]
}

fn client_hello(extensions: Option<Vec<Extension<'static>>>) -> Handshake<'static> {
    Handshake::ClientHello(ClientHello {
        legacy_version: ProtocolVersion::TLS_1_2,
        random: &[1; 32],
        legacy_session_id: &[2; 32],
        cipher_suites: vec![
            CipherSuite(0x2a2a),
            CipherSuite::TLS_AES_128_GCM_SHA256,
            CipherSuite(0x00ff),
        ],
        legacy_compression_methods: vec![CompressionMethod(0)],
        extensions: extensions.map(Extensions),
    })
}

fn server_hello(
    random: &'static [u8; 32],
    extensions: Option<Vec<Extension<'static>>>,
) -> Handshake<'static> {
    Handshake::ServerHello(ServerHello {
        legacy_version: ProtocolVersion::TLS_1_2,
        random,
        legacy_session_id_echo: &[2; 32],
        cipher_suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        legacy_compression_method: CompressionMethod(0),
        extensions: extensions.map(Extensions),
    })
}

/// Every kind of message, in each of its forms.
fn messages() -> Vec<(Agreed, Handshake<'static>)> {
    let hellos = Agreed::default();
    let mut messages = vec![
        (hellos, Handshake::HelloRequest),
        (hellos, client_hello(None)),
        (hellos, client_hello(Some(Vec::new()))),
        (hellos, client_hello(Some(in_client_hello()))),
        (hellos, server_hello(&[3; 32], None)),
        (hellos, server_hello(&[3; 32], Some(in_server_hello()))),
        (hellos, server_hello(&ServerHello::RETRY, Some(in_retry()))),
    ];
    messages.extend(tls13_messages().into_iter().map(|message| (TLS13, message)));
    messages.extend(older_messages());
    messages
}

fn tls13_messages() -> Vec<Handshake<'static>> {
    vec![
        Handshake::NewSessionTicket(NewSessionTicket::Tls13 {
            ticket_lifetime: 7200,
            ticket_age_add: 0xdead_beef,
            ticket_nonce: &[0, 1],
            ticket: &[9; 50],
            extensions: Extensions(vec![Extension::MaxEarlyDataSize(16_384)]),
        }),
        Handshake::EndOfEarlyData,
        Handshake::EncryptedExtensions(Extensions(in_encrypted_extensions())),
        Handshake::Certificate(Certificate::Tls13 {
            certificate_request_context: b"",
            certificate_list: vec![
                CertificateEntry {
                    cert_data: b"leaf",
                    extensions: Extensions(in_certificate()),
                },
                CertificateEntry {
                    cert_data: b"issuer",
                    extensions: Extensions::default(),
                },
            ],
        }),
        Handshake::CompressedCertificate(CompressedCertificate {
            algorithm: CertificateCompression::ZLIB,
            uncompressed_length: 0x01_02_03,
            compressed_certificate_message: b"compressed",
        }),
        Handshake::CertificateRequest(CertificateRequest::Tls13 {
            certificate_request_context: b"context",
            extensions: Extensions(vec![Extension::OidFilters(vec![OidFilter {
                certificate_extension_oid: b"oid",
                certificate_extension_values: b"values",
            }])]),
        }),
        Handshake::CertificateVerify(DigitallySigned {
            algorithm: Some(SignatureScheme::ED25519),
            signature: &[4; 64],
        }),
        Handshake::Finished(&[5; 32]),
        Handshake::KeyUpdate(KeyUpdateRequest(1)),
        Handshake::Unknown {
            handshake_type: HandshakeType(99),
            body: b"who knows",
        },
    ]
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn older_messages() -> Vec<(Agreed, Handshake<'static>)> {
    use CipherSuite as S;
    let tls12 = tls(
        ProtocolVersion::TLS_1_2,
        S::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    );
    let tls10 = |suite| tls(ProtocolVersion::TLS_1_0, suite);
    let dh = || {
        ServerParameters::Dh(DhParameters {
            p: &[1; 9],
            g: &[2],
            ys: &[3; 9],
        })
    };
    let ec = || {
        ServerParameters::Ec(EcParameters {
            named_curve: NamedGroup::SECP256R1,
            public: &[4; 65],
        })
    };
    let signed = |algorithm| {
        Some(DigitallySigned {
            algorithm,
            signature: &[8; 64],
        })
    };
    let server = |hint, parameters, signature| {
        Handshake::ServerKeyExchange(ServerKeyExchange {
            psk_identity_hint: hint,
            parameters,
            signature,
        })
    };
    let client = |psk_identity, share| {
        Handshake::ClientKeyExchange(ClientKeyExchange {
            psk_identity,
            share,
        })
    };
    let secret = |has_length| ClientShare::EncryptedSecret {
        encrypted: &[7; 64],
        has_length,
    };
    let rsa_key = ServerParameters::Rsa {
        modulus: &[1; 64],
        exponent: &[1, 0, 1],
    };
    let srp = ServerParameters::Srp {
        n: &[1; 9],
        g: &[2],
        s: &[3; 4],
        b: &[4; 9],
    };
    let scheme = Some(SignatureScheme::RSA_PKCS1_SHA256);
    let bare_key = Agreed {
        certificate_type: CertificateType::RAW_PUBLIC_KEY,
        ..tls12
    };
    let request = |algorithms| {
        Handshake::CertificateRequest(CertificateRequest::Tls12 {
            certificate_types: vec![ClientCertificateType(1), ClientCertificateType(64)],
            supported_signature_algorithms: algorithms,
            certificate_authorities: vec![b"name"],
        })
    };
    let verify = |algorithm| {
        Handshake::CertificateVerify(DigitallySigned {
            algorithm,
            signature: &[5; 64],
        })
    };
    let ssl3 = tls(ProtocolVersion::SSL_3, S::TLS_RSA_WITH_AES_128_CBC_SHA);
    let old_rsa = tls10(S::TLS_RSA_WITH_AES_128_CBC_SHA);
    let export = tls10(S::TLS_RSA_EXPORT_WITH_RC4_40_MD5);
    let old_dhe = tls10(S::TLS_DHE_RSA_WITH_AES_128_CBC_SHA);
    let anonymous = tls10(S::TLS_DH_ANON_WITH_AES_128_CBC_SHA);
    let psk = tls10(S::TLS_PSK_WITH_AES_128_CBC_SHA);
    let dhe_psk = tls10(S::TLS_DHE_PSK_WITH_AES_128_CBC_SHA);
    let ecdhe_psk = tls10(S::TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA);
    let rsa_psk = tls10(S::TLS_RSA_PSK_WITH_AES_128_CBC_SHA);
    let srp_bare = tls10(S::TLS_SRP_SHA_WITH_AES_128_CBC_SHA);
    let unsure = Agreed {
        suite: None,
        ..tls12
    };
    vec![
        (
            tls12,
            Handshake::Certificate(Certificate::Tls12(vec![b"leaf", b"issuer"])),
        ),
        (
            bare_key,
            Handshake::Certificate(Certificate::RawPublicKey(b"key")),
        ),
        (tls12, server(None, ec(), signed(scheme))),
        (old_dhe, server(None, dh(), signed(None))),
        (anonymous, server(None, dh(), None)),
        (export, server(None, rsa_key, signed(None))),
        (psk, server(Some(b"hint"), ServerParameters::None, None)),
        (dhe_psk, server(Some(b""), dh(), None)),
        (ecdhe_psk, server(Some(b"hint"), ec(), None)),
        (srp_bare, server(None, srp, None)),
        (
            unsure,
            server(None, ServerParameters::Opaque(b"something"), None),
        ),
        (tls12, request(Some(vec![SignatureScheme::ED25519]))),
        (old_rsa, request(None)),
        (tls12, Handshake::ServerHelloDone),
        (tls12, verify(scheme)),
        (old_rsa, verify(None)),
        (tls12, client(None, ClientShare::Ec(&[4; 65]))),
        (tls12, client(None, ClientShare::None)),
        (old_dhe, client(None, ClientShare::Dh(&[3; 9]))),
        (old_rsa, client(None, secret(true))),
        (ssl3, client(None, secret(false))),
        (psk, client(Some(b"me"), ClientShare::None)),
        (dhe_psk, client(Some(b"me"), ClientShare::Dh(&[3; 9]))),
        (ecdhe_psk, client(Some(b"me"), ClientShare::Ec(&[4; 65]))),
        (rsa_psk, client(Some(b"me"), secret(true))),
        (srp_bare, client(None, ClientShare::Dh(&[3; 9]))),
        (unsure, client(None, ClientShare::Opaque(b"something"))),
        (
            tls12,
            Handshake::CertificateStatus(CertificateStatus::OcspMulti(vec![b"response", b""])),
        ),
        (
            tls12,
            Handshake::NewSessionTicket(NewSessionTicket::Tls12 {
                ticket_lifetime_hint: 300,
                ticket: b"ticket",
            }),
        ),
        (
            tls12,
            Handshake::NextProtocol {
                selected_protocol: b"spdy/3",
                padding: &[0; 5],
            },
        ),
    ]
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for (agreed, message) in messages() {
        let bytes = message.encode().unwrap();
        let (tree, read) = Handshake::dissect(&bytes, agreed);
        covers(&tree, bytes.len());
        assert_eq!(read.as_ref(), Ok(&message), "{tree:#?}");
        assert_eq!(Handshake::decode(&bytes, agreed), Ok(message));
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error_and_covered_all_the_same() {
    for (agreed, message) in messages() {
        let bytes = message.encode().unwrap();
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            let (tree, read) = Handshake::dissect(cut, agreed);
            covers(&tree, cut.len());
            assert!(read.is_err(), "{message:?} cut to {end}");
            assert_eq!(read, Handshake::decode(cut, agreed));
        }
    }
}

#[test]
fn a_message_with_any_octet_changed_is_covered() {
    for (agreed, message) in messages() {
        let mut bytes = message.encode().unwrap();
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                bytes[at] ^= change;
                let (tree, read) = Handshake::dissect(&bytes, agreed);
                covers(&tree, bytes.len());
                assert_eq!(read, Handshake::decode(&bytes, agreed));
                bytes[at] ^= change;
            }
        }
    }
}

/// One that is wrong does not hide those behind it.
#[test]
fn a_malformed_extension_is_kept_and_the_next_is_read() {
    let hello = client_hello(Some(vec![
        Extension::Unknown {
            extension_type: ExtensionType::SUPPORTED_GROUPS,
            body: &[0, 9, 0, 29],
        },
        Extension::RecordSizeLimit(16_385),
    ]));
    let bytes = hello.encode().unwrap();
    let Ok(Handshake::ClientHello(read)) = Handshake::decode(&bytes, Agreed::default()) else {
        panic!("it is read");
    };
    let extensions: Vec<_> = read.extensions().collect();
    let Extension::Malformed { body, error, .. } = extensions[0] else {
        panic!("{extensions:?}");
    };
    assert_eq!(*body, [0, 9, 0, 29]);
    let at = bytes.len() - 10;
    assert_eq!(
        error.to_string(),
        format!("\"named_group_list\" at octet {at}: says that 9 octets follow, and 2 do")
    );
    assert_eq!(*extensions[1], Extension::RecordSizeLimit(16_385));
    assert_eq!(Handshake::ClientHello(read).encode().unwrap(), bytes);
}

#[test]
fn what_has_no_room_in_its_length_is_an_error() {
    let ticket = vec![0; 1 << 16];
    let message = Handshake::NewSessionTicket(NewSessionTicket::Tls12 {
        ticket_lifetime_hint: 0,
        ticket: &ticket,
    });
    let error = EncodeError {
        field: "ticket",
        octets: 1 << 16,
        most: (1 << 16) - 1,
    };
    assert_eq!(message.encode(), Err(error));
}
