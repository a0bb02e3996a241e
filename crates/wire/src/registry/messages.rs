//! What frames the protocol: versions, records, messages, extensions and alerts.

use super::table::code_points;

code_points! {
    /// A version of the protocol.
    ProtocolVersion(u16), "Protocol versions", Pairs;
    SSL_2 as "SSL 2.0" = 0x0002, Broken, "RFC 6176";
    SSL_3 as "SSL 3.0" = 0x0300, Broken, "RFC 6101";
    TLS_1_0 as "TLS 1.0" = 0x0301, Legacy, "RFC 2246";
    TLS_1_1 as "TLS 1.1" = 0x0302, Legacy, "RFC 4346";
    TLS_1_2 as "TLS 1.2" = 0x0303, Recommended, "RFC 5246";
    TLS_1_3 as "TLS 1.3" = 0x0304, Recommended, "RFC 8446";
}

code_points! {
    /// What a record carries (RFC 8446, section 5.1).
    ContentType(u8), "TLS ContentType", None;
    CHANGE_CIPHER_SPEC as "change_cipher_spec" = 20, Recommended, "RFC 8446";
    ALERT as "alert" = 21, Recommended, "RFC 8446";
    HANDSHAKE as "handshake" = 22, Recommended, "RFC 8446";
    APPLICATION_DATA as "application_data" = 23, Recommended, "RFC 8446";
    HEARTBEAT as "heartbeat" = 24, Legacy, "RFC 6520";
}

code_points! {
    /// A handshake message (RFC 8446, section 4).
    HandshakeType(u8), "TLS HandshakeType", None;
    HELLO_REQUEST = 0, Special, "x";
    CLIENT_HELLO = 1, Special, "x";
    SERVER_HELLO = 2, Special, "x";
    NEW_SESSION_TICKET = 4, Special, "x";
    END_OF_EARLY_DATA = 5, Special, "x";
    ENCRYPTED_EXTENSIONS = 8, Special, "x";
    CERTIFICATE = 11, Special, "x";
    SERVER_KEY_EXCHANGE = 12, Special, "x";
    CERTIFICATE_REQUEST = 13, Special, "x";
    SERVER_HELLO_DONE = 14, Special, "x";
    CERTIFICATE_VERIFY = 15, Special, "x";
    CLIENT_KEY_EXCHANGE = 16, Special, "x";
    FINISHED = 20, Special, "x";
    CERTIFICATE_STATUS = 22, Special, "x";
    KEY_UPDATE = 24, Special, "x";
    COMPRESSED_CERTIFICATE = 25, Special, "x";
    NEXT_PROTOCOL = 67, Special, "x";
}

code_points! {
    /// An extension (RFC 8446, section 4.2).
    ExtensionType(u16), "TLS ExtensionType Values", Pairs;
    SERVER_NAME = 0, Special, "x";
    MAX_FRAGMENT_LENGTH = 1, Special, "x";
    CLIENT_CERTIFICATE_URL = 2, Special, "x";
    TRUNCATED_HMAC = 4, Special, "x";
    STATUS_REQUEST = 5, Special, "x";
    SUPPORTED_GROUPS = 10, Special, "x";
    EC_POINT_FORMATS = 11, Special, "x";
    SIGNATURE_ALGORITHMS = 13, Special, "x";
    USE_SRTP = 14, Special, "x";
    HEARTBEAT = 15, Special, "x";
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16, Special, "x";
    STATUS_REQUEST_V2 = 17, Special, "x";
    SIGNED_CERTIFICATE_TIMESTAMP = 18, Special, "x";
    CLIENT_CERTIFICATE_TYPE = 19, Special, "x";
    SERVER_CERTIFICATE_TYPE = 20, Special, "x";
    PADDING = 21, Special, "x";
    ENCRYPT_THEN_MAC = 22, Special, "x";
    EXTENDED_MASTER_SECRET = 23, Special, "x";
    COMPRESS_CERTIFICATE = 27, Special, "x";
    RECORD_SIZE_LIMIT = 28, Special, "x";
    DELEGATED_CREDENTIAL = 34, Special, "x";
    SESSION_TICKET = 35, Special, "x";
    PRE_SHARED_KEY = 41, Special, "x";
    EARLY_DATA = 42, Special, "x";
    SUPPORTED_VERSIONS = 43, Special, "x";
    COOKIE = 44, Special, "x";
    PSK_KEY_EXCHANGE_MODES = 45, Special, "x";
    CERTIFICATE_AUTHORITIES = 47, Special, "x";
    OID_FILTERS = 48, Special, "x";
    POST_HANDSHAKE_AUTH = 49, Special, "x";
    SIGNATURE_ALGORITHMS_CERT = 50, Special, "x";
    KEY_SHARE = 51, Special, "x";
    QUIC_TRANSPORT_PARAMETERS = 57, Special, "x";
    NEXT_PROTOCOL_NEGOTIATION = 13172, Special, "x";
    APPLICATION_SETTINGS_OLD = 17513, Special, "x";
    APPLICATION_SETTINGS = 17613, Special, "x";
    ECH_OUTER_EXTENSIONS = 64768, Special, "x";
    ENCRYPTED_CLIENT_HELLO = 65037, Special, "x";
    RENEGOTIATION_INFO = 65281, Special, "x";
    QUIC_TRANSPORT_PARAMETERS_DRAFT = 65445, Special, "x";
}

code_points! {
    /// How grave an alert is (RFC 8446, section 6).
    AlertLevel(u8), "AlertLevel", None;
    WARNING as "warning" = 1, Recommended, "RFC 8446";
    FATAL as "fatal" = 2, Recommended, "RFC 8446";
}

code_points! {
    /// What an alert says (RFC 8446, section 6).
    AlertDescription(u8), "TLS Alerts", None;
    CLOSE_NOTIFY as "close_notify" = 0, Recommended, "RFC 8446";
}
