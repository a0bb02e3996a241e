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
    HELLO_REQUEST as "hello_request" = 0, Legacy, "RFC 5246";
    CLIENT_HELLO as "client_hello" = 1, Recommended, "RFC 8446";
    SERVER_HELLO as "server_hello" = 2, Recommended, "RFC 8446";
}

code_points! {
    /// An extension (RFC 8446, section 4.2).
    ExtensionType(u16), "TLS ExtensionType Values", Pairs;
    SERVER_NAME as "server_name" = 0, Recommended, "RFC 6066";
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
