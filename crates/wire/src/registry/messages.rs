//! What frames the protocol: versions, records, messages, extensions and alerts.

use super::table::code_points;

code_points! {
    /// A version of the protocol, or of one that shares its records.
    ProtocolVersion(u16), "Protocol versions", Pairs;
    SSL_2 as "SSL 2.0" = 0x0002, Broken, "RFC 6176";
    TLCP = 0x0101, Special, "GB/T 38636-2020";
    SSL_3 as "SSL 3.0" = 0x0300, Broken, "RFC 6101";
    TLS_1_0 as "TLS 1.0" = 0x0301, Legacy, "RFC 2246";
    TLS_1_1 as "TLS 1.1" = 0x0302, Legacy, "RFC 4346";
    TLS_1_2 as "TLS 1.2" = 0x0303, Recommended, "RFC 5246";
    TLS_1_3 as "TLS 1.3" = 0x0304, Recommended, "RFC 8446";
    TLS_1_3_DRAFT_14 as "TLS 1.3 (draft 14)" = 0x7f0e, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_15 as "TLS 1.3 (draft 15)" = 0x7f0f, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_16 as "TLS 1.3 (draft 16)" = 0x7f10, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_17 as "TLS 1.3 (draft 17)" = 0x7f11, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_18 as "TLS 1.3 (draft 18)" = 0x7f12, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_19 as "TLS 1.3 (draft 19)" = 0x7f13, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_20 as "TLS 1.3 (draft 20)" = 0x7f14, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_21 as "TLS 1.3 (draft 21)" = 0x7f15, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_22 as "TLS 1.3 (draft 22)" = 0x7f16, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_23 as "TLS 1.3 (draft 23)" = 0x7f17, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_24 as "TLS 1.3 (draft 24)" = 0x7f18, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_25 as "TLS 1.3 (draft 25)" = 0x7f19, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_26 as "TLS 1.3 (draft 26)" = 0x7f1a, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_27 as "TLS 1.3 (draft 27)" = 0x7f1b, Legacy, "draft-ietf-tls-tls13";
    TLS_1_3_DRAFT_28 as "TLS 1.3 (draft 28)" = 0x7f1c, Legacy, "draft-ietf-tls-tls13";
    DTLS_1_3 as "DTLS 1.3" = 0xfefc, Special, "RFC 9147";
    DTLS_1_2 as "DTLS 1.2" = 0xfefd, Special, "RFC 6347";
    DTLS_1_0 as "DTLS 1.0" = 0xfeff, Legacy, "RFC 4347";
}

impl ProtocolVersion {
    /// Of which draft of TLS 1.3 it is: drafts numbered themselves 0x7f00 and more (RFC 8446 did so
    /// until its 28th).
    #[must_use]
    pub fn draft(self) -> Option<u8> {
        let [0x7f, draft] = self.0.to_be_bytes() else {
            return None;
        };
        Some(draft)
    }

    /// Whether it is TLS 1.3 or a draft of it.
    #[must_use]
    pub fn is_tls13(self) -> bool {
        self == Self::TLS_1_3 || self.draft().is_some()
    }
}

code_points! {
    /// What a record carries (RFC 8446, section 5.1).
    ContentType(u8), "TLS ContentType", None;
    CHANGE_CIPHER_SPEC as "change_cipher_spec" = 20, Recommended, "RFC 8446";
    ALERT as "alert" = 21, Recommended, "RFC 8446";
    HANDSHAKE as "handshake" = 22, Recommended, "RFC 8446";
    APPLICATION_DATA as "application_data" = 23, Recommended, "RFC 8446";
    HEARTBEAT as "heartbeat" = 24, Legacy, "RFC 6520";
    TLS12_CID as "tls12_cid" = 25, Special, "RFC 9146";
    ACK as "ACK" = 26, Special, "RFC 9147";
    RETURN_ROUTABILITY_CHECK as "return_routability_check" = 27, Special, "RFC 9853";
}

code_points! {
    /// A handshake message (RFC 8446, section 4). Messages of TLS 1.2 carry their names there: IANA
    /// adds `_RESERVED` to those that TLS 1.3 does without.
    HandshakeType(u8), "TLS HandshakeType", None;
    HELLO_REQUEST as "hello_request" = 0, Legacy, "RFC 5246";
    CLIENT_HELLO as "client_hello" = 1, Recommended, "RFC 8446";
    SERVER_HELLO as "server_hello" = 2, Recommended, "RFC 8446";
    HELLO_VERIFY_REQUEST as "hello_verify_request" = 3, Special, "RFC 6347";
    NEW_SESSION_TICKET as "new_session_ticket" = 4, Recommended, "RFC 8446";
    END_OF_EARLY_DATA as "end_of_early_data" = 5, Recommended, "RFC 8446";
    HELLO_RETRY_REQUEST as "hello_retry_request" = 6, Legacy, "draft-ietf-tls-tls13";
    ENCRYPTED_EXTENSIONS as "encrypted_extensions" = 8, Recommended, "RFC 8446";
    REQUEST_CONNECTION_ID as "request_connection_id" = 9, Special, "RFC 9147";
    NEW_CONNECTION_ID as "new_connection_id" = 10, Special, "RFC 9147";
    CERTIFICATE as "certificate" = 11, Recommended, "RFC 8446";
    SERVER_KEY_EXCHANGE as "server_key_exchange" = 12, Recommended, "RFC 5246";
    CERTIFICATE_REQUEST as "certificate_request" = 13, Recommended, "RFC 8446";
    SERVER_HELLO_DONE as "server_hello_done" = 14, Recommended, "RFC 5246";
    CERTIFICATE_VERIFY as "certificate_verify" = 15, Recommended, "RFC 8446";
    CLIENT_KEY_EXCHANGE as "client_key_exchange" = 16, Recommended, "RFC 5246";
    CLIENT_CERTIFICATE_REQUEST as "client_certificate_request" = 17, Special, "RFC 9261";
    FINISHED as "finished" = 20, Recommended, "RFC 8446";
    CERTIFICATE_URL as "certificate_url" = 21, Legacy, "RFC 6066";
    CERTIFICATE_STATUS as "certificate_status" = 22, Recommended, "RFC 6066";
    SUPPLEMENTAL_DATA as "supplemental_data" = 23, Legacy, "RFC 4680";
    KEY_UPDATE as "key_update" = 24, Recommended, "RFC 8446";
    COMPRESSED_CERTIFICATE as "compressed_certificate" = 25, Recommended, "RFC 8879";
    EKT_KEY as "ekt_key" = 26, Special, "RFC 8870";
    NEXT_PROTOCOL as "next_protocol" = 67, Legacy, "draft-agl-tls-nextprotoneg";
    CHANNEL_ID as "channel_id" = 203, Legacy, "draft-balfanz-tls-channelid";
    MESSAGE_HASH as "message_hash" = 254, Recommended, "RFC 8446";
}

code_points! {
    /// An extension (RFC 8446, section 4.2): those of IANA, and those that browsers and servers used
    /// without it.
    ExtensionType(u16), "TLS ExtensionType Values", Pairs;
    SERVER_NAME as "server_name" = 0, Recommended, "RFC 6066";
    MAX_FRAGMENT_LENGTH as "max_fragment_length" = 1, Special, "RFC 6066";
    // Has the server fetch what a stranger names.
    CLIENT_CERTIFICATE_URL as "client_certificate_url" = 2, Legacy, "RFC 6066";
    TRUSTED_CA_KEYS as "trusted_ca_keys" = 3, Legacy, "RFC 6066";
    // Ten octets of HMAC let an attacker tell plaintexts apart (Paterson and others, 2011).
    TRUNCATED_HMAC as "truncated_hmac" = 4, Broken, "RFC 6066";
    STATUS_REQUEST as "status_request" = 5, Recommended, "RFC 6066";
    USER_MAPPING as "user_mapping" = 6, Special, "RFC 4681";
    CLIENT_AUTHZ as "client_authz" = 7, Special, "RFC 5878";
    SERVER_AUTHZ as "server_authz" = 8, Special, "RFC 5878";
    CERT_TYPE as "cert_type" = 9, Legacy, "RFC 6091";
    SUPPORTED_GROUPS as "supported_groups" = 10, Recommended, "RFC 8422";
    EC_POINT_FORMATS as "ec_point_formats" = 11, Recommended, "RFC 8422";
    SRP as "srp" = 12, Special, "RFC 5054";
    SIGNATURE_ALGORITHMS as "signature_algorithms" = 13, Recommended, "RFC 8446";
    USE_SRTP as "use_srtp" = 14, Special, "RFC 5764";
    // Without use over TCP, and what Heartbleed came by.
    HEARTBEAT as "heartbeat" = 15, Legacy, "RFC 6520";
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION as "application_layer_protocol_negotiation" = 16,
        Recommended, "RFC 7301";
    // RFC 8446 (section 4.4.2.1) takes it back.
    STATUS_REQUEST_V2 as "status_request_v2" = 17, Legacy, "RFC 6961";
    SIGNED_CERTIFICATE_TIMESTAMP as "signed_certificate_timestamp" = 18, Special, "RFC 6962";
    CLIENT_CERTIFICATE_TYPE as "client_certificate_type" = 19, Special, "RFC 7250";
    SERVER_CERTIFICATE_TYPE as "server_certificate_type" = 20, Special, "RFC 7250";
    PADDING as "padding" = 21, Recommended, "RFC 7685";
    ENCRYPT_THEN_MAC as "encrypt_then_mac" = 22, Special, "RFC 7366";
    // "extended_master_secret" until RFC 9846.
    EXTENDED_MAIN_SECRET as "extended_main_secret" = 23, Recommended, "RFC 7627";
    TOKEN_BINDING as "token_binding" = 24, Legacy, "RFC 8472";
    CACHED_INFO as "cached_info" = 25, Special, "RFC 7924";
    TLS_LTS as "tls_lts" = 26, Special, "draft-gutmann-tls-lts";
    COMPRESS_CERTIFICATE as "compress_certificate" = 27, Recommended, "RFC 8879";
    RECORD_SIZE_LIMIT as "record_size_limit" = 28, Recommended, "RFC 8449";
    PWD_PROTECT as "pwd_protect" = 29, Special, "RFC 8492";
    PWD_CLEAR as "pwd_clear" = 30, Special, "RFC 8492";
    PASSWORD_SALT as "password_salt" = 31, Special, "RFC 8492";
    TICKET_PINNING as "ticket_pinning" = 32, Special, "RFC 8672";
    TLS_CERT_WITH_EXTERN_PSK as "tls_cert_with_extern_psk" = 33, Special, "RFC 8773";
    DELEGATED_CREDENTIAL as "delegated_credential" = 34, Recommended, "RFC 9345";
    SESSION_TICKET as "session_ticket" = 35, Recommended, "RFC 5077";
    TLMSP as "TLMSP" = 36, Special, "ETSI TS 103 523-2";
    TLMSP_PROXYING as "TLMSP_proxying" = 37, Special, "ETSI TS 103 523-2";
    TLMSP_DELEGATE as "TLMSP_delegate" = 38, Special, "ETSI TS 103 523-2";
    SUPPORTED_EKT_CIPHERS as "supported_ekt_ciphers" = 39, Special, "RFC 8870";
    KEY_SHARE_DRAFT as "key_share (draft)" = 40, Legacy, "draft-ietf-tls-tls13";
    PRE_SHARED_KEY as "pre_shared_key" = 41, Recommended, "RFC 8446";
    // What is sent early can be replayed: each application has to say that it can bear that.
    EARLY_DATA as "early_data" = 42, Special, "RFC 8446";
    SUPPORTED_VERSIONS as "supported_versions" = 43, Recommended, "RFC 8446";
    COOKIE as "cookie" = 44, Recommended, "RFC 8446";
    PSK_KEY_EXCHANGE_MODES as "psk_key_exchange_modes" = 45, Recommended, "RFC 8446";
    TICKET_EARLY_DATA_INFO as "ticket_early_data_info" = 46, Legacy, "draft-ietf-tls-tls13";
    CERTIFICATE_AUTHORITIES as "certificate_authorities" = 47, Recommended, "RFC 8446";
    OID_FILTERS as "oid_filters" = 48, Recommended, "RFC 8446";
    POST_HANDSHAKE_AUTH as "post_handshake_auth" = 49, Recommended, "RFC 8446";
    SIGNATURE_ALGORITHMS_CERT as "signature_algorithms_cert" = 50, Recommended, "RFC 8446";
    KEY_SHARE as "key_share" = 51, Recommended, "RFC 8446";
    TRANSPARENCY_INFO as "transparency_info" = 52, Special, "RFC 9162";
    CONNECTION_ID_DEPRECATED as "connection_id_deprecated" = 53, Legacy, "RFC 9146";
    CONNECTION_ID as "connection_id" = 54, Special, "RFC 9146";
    EXTERNAL_ID_HASH as "external_id_hash" = 55, Special, "RFC 8844";
    EXTERNAL_SESSION_ID as "external_session_id" = 56, Special, "RFC 8844";
    QUIC_TRANSPORT_PARAMETERS as "quic_transport_parameters" = 57, Recommended, "RFC 9001";
    TICKET_REQUEST as "ticket_request" = 58, Recommended, "RFC 9149";
    DNSSEC_CHAIN as "dnssec_chain" = 59, Special, "RFC 9102";
    SEQUENCE_NUMBER_ENCRYPTION_ALGORITHMS as "sequence_number_encryption_algorithms" = 60,
        Special, "draft-pismenny-tls-dtls-plaintext-sequence-number";
    RRC as "rrc" = 61, Special, "RFC 9853";
    TLS_FLAGS as "tls_flags" = 62, Special, "draft-ietf-tls-tlsflags";
    SERVER_PADDING as "server_padding" = 4832, Special, "Google, 2026";
    NEXT_PROTOCOL_NEGOTIATION as "next_protocol_negotiation" = 13172, Legacy,
        "draft-agl-tls-nextprotoneg";
    APPLICATION_SETTINGS_OLD as "application_settings_old" = 17513, Legacy, "draft-vvv-tls-alps";
    APPLICATION_SETTINGS as "application_settings" = 17613, Special, "draft-vvv-tls-alps";
    CHANNEL_ID_OLD as "channel_id_old" = 30031, Legacy, "draft-balfanz-tls-channelid";
    CHANNEL_ID as "channel_id" = 30032, Legacy, "draft-balfanz-tls-channelid";
    PAKE as "pake" = 0x8a3b, Special, "draft-bmw-tls-pake13";
    PADDING_OLD as "padding (draft)" = 35655, Legacy, "draft-agl-tls-padding";
    TRUST_ANCHORS as "trust_anchors" = 0xca34, Special, "draft-ietf-tls-trust-anchor-ids";
    ECH_OUTER_EXTENSIONS as "ech_outer_extensions" = 0xfd00, Recommended, "RFC 9849";
    ENCRYPTED_CLIENT_HELLO as "encrypted_client_hello" = 0xfe0d, Recommended, "RFC 9849";
    RENEGOTIATION_INFO as "renegotiation_info" = 0xff01, Recommended, "RFC 5746";
    QUIC_TRANSPORT_PARAMETERS_DRAFT as "quic_transport_parameters (draft)" = 0xffa5, Legacy,
        "draft-ietf-quic-tls";
    ENCRYPTED_SERVER_NAME as "encrypted_server_name" = 0xffce, Legacy, "draft-ietf-tls-esni";
}

code_points! {
    /// How grave an alert is (RFC 8446, section 6).
    AlertLevel(u8), "AlertLevel", None;
    WARNING as "warning" = 1, Recommended, "RFC 8446";
    FATAL as "fatal" = 2, Recommended, "RFC 8446";
}

code_points! {
    /// What an alert says (RFC 8446, section 6). Alerts of older versions carry their names there:
    /// IANA adds `_RESERVED` to those that TLS 1.3 does without.
    AlertDescription(u8), "TLS Alerts", None;
    CLOSE_NOTIFY as "close_notify" = 0, Recommended, "RFC 8446";
    END_OF_EARLY_DATA as "end_of_early_data" = 1, Legacy, "draft-ietf-tls-tls13";
    UNEXPECTED_MESSAGE as "unexpected_message" = 10, Recommended, "RFC 8446";
    BAD_RECORD_MAC as "bad_record_mac" = 20, Recommended, "RFC 8446";
    // Who tells bad padding from a bad MAC decrypts for whoever asks (Vaudenay, 2002).
    DECRYPTION_FAILED as "decryption_failed" = 21, Broken, "RFC 2246";
    RECORD_OVERFLOW as "record_overflow" = 22, Recommended, "RFC 8446";
    DECOMPRESSION_FAILURE as "decompression_failure" = 30, Legacy, "RFC 5246";
    HANDSHAKE_FAILURE as "handshake_failure" = 40, Recommended, "RFC 8446";
    NO_CERTIFICATE as "no_certificate" = 41, Legacy, "RFC 6101";
    BAD_CERTIFICATE as "bad_certificate" = 42, Recommended, "RFC 8446";
    UNSUPPORTED_CERTIFICATE as "unsupported_certificate" = 43, Recommended, "RFC 8446";
    CERTIFICATE_REVOKED as "certificate_revoked" = 44, Recommended, "RFC 8446";
    CERTIFICATE_EXPIRED as "certificate_expired" = 45, Recommended, "RFC 8446";
    CERTIFICATE_UNKNOWN as "certificate_unknown" = 46, Recommended, "RFC 8446";
    ILLEGAL_PARAMETER as "illegal_parameter" = 47, Recommended, "RFC 8446";
    UNKNOWN_CA as "unknown_ca" = 48, Recommended, "RFC 8446";
    ACCESS_DENIED as "access_denied" = 49, Recommended, "RFC 8446";
    DECODE_ERROR as "decode_error" = 50, Recommended, "RFC 8446";
    DECRYPT_ERROR as "decrypt_error" = 51, Recommended, "RFC 8446";
    TOO_MANY_CIDS_REQUESTED as "too_many_cids_requested" = 52, Special, "RFC 9147";
    EXPORT_RESTRICTION as "export_restriction" = 60, Legacy, "RFC 2246";
    PROTOCOL_VERSION as "protocol_version" = 70, Recommended, "RFC 8446";
    INSUFFICIENT_SECURITY as "insufficient_security" = 71, Recommended, "RFC 8446";
    INTERNAL_ERROR as "internal_error" = 80, Recommended, "RFC 8446";
    INAPPROPRIATE_FALLBACK as "inappropriate_fallback" = 86, Recommended, "RFC 7507";
    USER_CANCELED as "user_canceled" = 90, Recommended, "RFC 8446";
    NO_RENEGOTIATION as "no_renegotiation" = 100, Special, "RFC 5246";
    MISSING_EXTENSION as "missing_extension" = 109, Recommended, "RFC 8446";
    UNSUPPORTED_EXTENSION as "unsupported_extension" = 110, Recommended, "RFC 8446";
    CERTIFICATE_UNOBTAINABLE as "certificate_unobtainable" = 111, Legacy, "RFC 6066";
    UNRECOGNIZED_NAME as "unrecognized_name" = 112, Recommended, "RFC 6066";
    BAD_CERTIFICATE_STATUS_RESPONSE as "bad_certificate_status_response" = 113, Recommended,
        "RFC 6066";
    BAD_CERTIFICATE_HASH_VALUE as "bad_certificate_hash_value" = 114, Legacy, "RFC 6066";
    UNKNOWN_PSK_IDENTITY as "unknown_psk_identity" = 115, Recommended, "RFC 4279";
    CERTIFICATE_REQUIRED as "certificate_required" = 116, Recommended, "RFC 8446";
    GENERAL_ERROR as "general_error" = 117, Recommended, "RFC 9846";
    NO_APPLICATION_PROTOCOL as "no_application_protocol" = 120, Recommended, "RFC 7301";
    ECH_REQUIRED as "ech_required" = 121, Recommended, "RFC 9849";
}
