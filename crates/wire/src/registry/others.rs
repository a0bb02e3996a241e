//! s
use super::table::code_points;
code_points! {
    /// stub
    CompressionMethod(u8), "CompressionMethod", None;
}
code_points! {
    /// stub
    HeartbeatMode(u8), "HeartbeatMode", None;
}
code_points! {
    /// stub
    HpkeAead(u16), "HpkeAead", None;
}
code_points! {
    /// stub
    HpkeKdf(u16), "HpkeKdf", None;
}
code_points! {
    /// stub
    HpkeKem(u16), "HpkeKem", None;
}
code_points! {
    /// stub
    KeyUpdateRequest(u8), "KeyUpdateRequest", None;
}
code_points! {
    /// stub
    MaxFragmentLength(u8), "MaxFragmentLength", None;
}
code_points! {
    /// stub
    NameType(u8), "NameType", None;
    HOST_NAME = 0, Special, "x";
}
code_points! {
    /// stub
    PskKeyExchangeMode(u8), "PskKeyExchangeMode", None;
}
code_points! {
    /// stub
    QuicTransportParameter(u64), "QuicTransportParameter", None;
    MAX_IDLE_TIMEOUT = 1, Special, "x";
    MAX_UDP_PAYLOAD_SIZE = 3, Special, "x";
    INITIAL_MAX_DATA = 4, Special, "x";
    INITIAL_MAX_STREAM_DATA_BIDI_LOCAL = 5, Special, "x";
    INITIAL_MAX_STREAM_DATA_BIDI_REMOTE = 6, Special, "x";
    INITIAL_MAX_STREAM_DATA_UNI = 7, Special, "x";
    INITIAL_MAX_STREAMS_BIDI = 8, Special, "x";
    INITIAL_MAX_STREAMS_UNI = 9, Special, "x";
    ACK_DELAY_EXPONENT = 10, Special, "x";
    MAX_ACK_DELAY = 11, Special, "x";
    ACTIVE_CONNECTION_ID_LIMIT = 14, Special, "x";
    MAX_DATAGRAM_FRAME_SIZE = 32, Special, "x";
}
code_points! {
    /// stub
    SslV2CipherKind(u32), "SslV2CipherKind", None;
}
