//! The small registries, those of HPKE, of QUIC and of SSL 2.

use super::CipherSuite;
use super::table::code_points;

code_points! {
    /// How records are compressed (RFC 3749). The length of what secrets are compressed with tells
    /// them (CRIME, 2012): TLS 1.3 has none of it.
    CompressionMethod(u8), "TLS Compression Method Identifiers", None;
    NULL = 0, Recommended, "RFC 3749";
    DEFLATE = 1, Broken, "RFC 3749";
    LZS = 64, Broken, "RFC 3943";
}

code_points! {
    /// Whether heartbeats may be sent (RFC 6520, section 2).
    HeartbeatMode(u8), "TLS Heartbeat Modes", None;
    PEER_ALLOWED_TO_SEND as "peer_allowed_to_send" = 1, Legacy, "RFC 6520";
    PEER_NOT_ALLOWED_TO_SEND as "peer_not_allowed_to_send" = 2, Legacy, "RFC 6520";
}

code_points! {
    /// Whether a change of keys asks for one in return (RFC 8446, section 4.6.3).
    KeyUpdateRequest(u8), "KeyUpdateRequest", None;
    UPDATE_NOT_REQUESTED as "update_not_requested" = 0, Recommended, "RFC 8446";
    UPDATE_REQUESTED as "update_requested" = 1, Recommended, "RFC 8446";
}

code_points! {
    /// How long a fragment may be, as a power of two (RFC 6066, section 4). RFC 8449 does it better.
    MaxFragmentLength(u8), "MaxFragmentLength", None;
    OCTETS_512 as "2^9" = 1, Special, "RFC 6066";
    OCTETS_1024 as "2^10" = 2, Special, "RFC 6066";
    OCTETS_2048 as "2^11" = 3, Special, "RFC 6066";
    OCTETS_4096 as "2^12" = 4, Special, "RFC 6066";
}

impl MaxFragmentLength {
    /// The most octets of plaintext in a record; `None` where the code is not assigned.
    #[must_use]
    pub fn octets(self) -> Option<usize> {
        (1..=4).contains(&self.0).then(|| 256 << self.0)
    }
}

code_points! {
    /// What kind of name a server is asked for by (RFC 6066, section 3).
    NameType(u8), "NameType", None;
    HOST_NAME as "host_name" = 0, Recommended, "RFC 6066";
}

code_points! {
    /// What goes with a pre-shared key (RFC 8446, section 4.2.9).
    PskKeyExchangeMode(u8), "TLS PskKeyExchangeMode", Steps;
    // Without forward secrecy: for those who cannot afford a key exchange.
    PSK_KE as "psk_ke" = 0, Special, "RFC 8446";
    PSK_DHE_KE as "psk_dhe_ke" = 1, Recommended, "RFC 8446";
}

code_points! {
    /// A key encapsulation of HPKE, which encrypts a `ClientHello` (RFC 9180, section 7.1).
    HpkeKem(u16), "HPKE KEM Identifiers", None;
    DHKEM_P256_HKDF_SHA256 as "DHKEM(P-256, HKDF-SHA256)" = 0x0010, Recommended, "RFC 9180";
    DHKEM_P384_HKDF_SHA384 as "DHKEM(P-384, HKDF-SHA384)" = 0x0011, Recommended, "RFC 9180";
    DHKEM_P521_HKDF_SHA512 as "DHKEM(P-521, HKDF-SHA512)" = 0x0012, Recommended, "RFC 9180";
    DHKEM_CP256_HKDF_SHA256 as "DHKEM(CP-256, HKDF-SHA256)" = 0x0013,
        Special, "draft-irtf-cfrg-dnhpke";
    DHKEM_CP384_HKDF_SHA384 as "DHKEM(CP-384, HKDF-SHA384)" = 0x0014,
        Special, "draft-irtf-cfrg-dnhpke";
    DHKEM_CP521_HKDF_SHA512 as "DHKEM(CP-521, HKDF-SHA512)" = 0x0015,
        Special, "draft-irtf-cfrg-dnhpke";
    DHKEM_SECP256K1_HKDF_SHA256 as "DHKEM(secp256k1, HKDF-SHA256)" = 0x0016, Special,
        "draft-wahby-cfrg-hpke-kem-secp256k1";
    DHKEM_X25519_HKDF_SHA256 as "DHKEM(X25519, HKDF-SHA256)" = 0x0020, Recommended, "RFC 9180";
    DHKEM_X448_HKDF_SHA512 as "DHKEM(X448, HKDF-SHA512)" = 0x0021, Recommended, "RFC 9180";
    X25519KYBER768DRAFT00 as "X25519Kyber768Draft00" = 0x0030,
        Legacy, "draft-westerbaan-cfrg-hpke-xyber768d00";
    ML_KEM_512 as "ML-KEM-512" = 0x0040, Special, "draft-ietf-hpke-pq";
    ML_KEM_768 as "ML-KEM-768" = 0x0041, Special, "draft-ietf-hpke-pq";
    ML_KEM_1024 as "ML-KEM-1024" = 0x0042, Special, "draft-ietf-hpke-pq";
    MLKEM768_P256 as "MLKEM768-P256" = 0x0050, Special, "draft-ietf-hpke-pq";
    MLKEM1024_P384 as "MLKEM1024-P384" = 0x0051, Special, "draft-ietf-hpke-pq";
    // draft-ietf-hpke-pq calls it MLKEM768-X25519.
    X_WING as "X-Wing" = 0x647a, Special, "draft-connolly-cfrg-xwing-kem";
}

code_points! {
    /// A key derivation of HPKE (RFC 9180, section 7.2).
    HpkeKdf(u16), "HPKE KDF Identifiers", None;
    HKDF_SHA256 as "HKDF-SHA256" = 0x0001, Recommended, "RFC 9180";
    HKDF_SHA384 as "HKDF-SHA384" = 0x0002, Recommended, "RFC 9180";
    HKDF_SHA512 as "HKDF-SHA512" = 0x0003, Recommended, "RFC 9180";
    SHAKE128 = 0x0010, Special, "draft-ietf-hpke-pq";
    SHAKE256 = 0x0011, Special, "draft-ietf-hpke-pq";
    TURBOSHAKE128 as "TurboSHAKE128" = 0x0012, Special, "draft-ietf-hpke-pq";
    TURBOSHAKE256 as "TurboSHAKE256" = 0x0013, Special, "draft-ietf-hpke-pq";
}

code_points! {
    /// An encryption of HPKE (RFC 9180, section 7.3).
    HpkeAead(u16), "HPKE AEAD Identifiers", None;
    AES_128_GCM as "AES-128-GCM" = 0x0001, Recommended, "RFC 9180";
    AES_256_GCM as "AES-256-GCM" = 0x0002, Recommended, "RFC 9180";
    CHACHA20_POLY1305 as "ChaCha20Poly1305" = 0x0003, Recommended, "RFC 9180";
    EXPORT_ONLY as "Export-only" = 0xffff, Special, "RFC 9180";
}

code_points! {
    /// A parameter of a connection over QUIC (RFC 9000, section 18): those of IANA for good, and of
    /// those for the time being the ones that are met.
    QuicTransportParameter(u64, variable), "QUIC Transport Parameters", Quic;
    ORIGINAL_DESTINATION_CONNECTION_ID as "original_destination_connection_id" = 0x00,
        Recommended, "RFC 9000";
    MAX_IDLE_TIMEOUT as "max_idle_timeout" = 0x01, Recommended, "RFC 9000";
    STATELESS_RESET_TOKEN as "stateless_reset_token" = 0x02, Recommended, "RFC 9000";
    MAX_UDP_PAYLOAD_SIZE as "max_udp_payload_size" = 0x03, Recommended, "RFC 9000";
    INITIAL_MAX_DATA as "initial_max_data" = 0x04, Recommended, "RFC 9000";
    INITIAL_MAX_STREAM_DATA_BIDI_LOCAL as "initial_max_stream_data_bidi_local" = 0x05,
        Recommended, "RFC 9000";
    INITIAL_MAX_STREAM_DATA_BIDI_REMOTE as "initial_max_stream_data_bidi_remote" = 0x06,
        Recommended, "RFC 9000";
    INITIAL_MAX_STREAM_DATA_UNI as "initial_max_stream_data_uni" = 0x07, Recommended, "RFC 9000";
    INITIAL_MAX_STREAMS_BIDI as "initial_max_streams_bidi" = 0x08, Recommended, "RFC 9000";
    INITIAL_MAX_STREAMS_UNI as "initial_max_streams_uni" = 0x09, Recommended, "RFC 9000";
    ACK_DELAY_EXPONENT as "ack_delay_exponent" = 0x0a, Recommended, "RFC 9000";
    MAX_ACK_DELAY as "max_ack_delay" = 0x0b, Recommended, "RFC 9000";
    DISABLE_ACTIVE_MIGRATION as "disable_active_migration" = 0x0c, Recommended, "RFC 9000";
    PREFERRED_ADDRESS as "preferred_address" = 0x0d, Recommended, "RFC 9000";
    ACTIVE_CONNECTION_ID_LIMIT as "active_connection_id_limit" = 0x0e, Recommended, "RFC 9000";
    INITIAL_SOURCE_CONNECTION_ID as "initial_source_connection_id" = 0x0f, Recommended, "RFC 9000";
    RETRY_SOURCE_CONNECTION_ID as "retry_source_connection_id" = 0x10, Recommended, "RFC 9000";
    VERSION_INFORMATION as "version_information" = 0x11, Recommended, "RFC 9368";
    RESET_STREAM_AT as "reset_stream_at" = 0x1d, Special, "draft-ietf-quic-reliable-stream-reset";
    MAX_DATAGRAM_FRAME_SIZE as "max_datagram_frame_size" = 0x20, Special, "RFC 9221";
    INITIAL_MAX_PATH_ID as "initial_max_path_id" = 0x3e, Special, "draft-ietf-quic-multipath";
    CIBIR_ENCODING as "cibir_encoding" = 0x1000, Special, "draft-banks-quic-cibir";
    LOSS_BITS as "loss_bits" = 0x1057, Special, "draft-ferrieuxhamchaoui-quic-lossbits";
    DISCARD as "discard" = 0x173e, Special, "QUIC working group";
    GOOGLE_HANDSHAKE_MESSAGE as "google_handshake_message" = 0x26ab, Special, "Google";
    GREASE_QUIC_BIT as "grease_quic_bit" = 0x2ab2, Recommended, "RFC 9287";
    INITIAL_RTT as "initial_rtt" = 0x3127, Special, "Google";
    GOOGLE_CONNECTION_OPTIONS as "google_connection_options" = 0x3128, Special, "Google";
    USER_AGENT as "user_agent" = 0x3129, Legacy, "Google";
    SUPPORT_HANDSHAKE_DONE as "support_handshake_done" = 0x312a, Legacy, "Google";
    KEY_UPDATE_NOT_YET_SUPPORTED as "key_update_not_yet_supported" = 0x312b, Legacy, "Google";
    GOOGLE_QUIC_PARAMS as "google_quic_params" = 0x4751, Legacy, "Google";
    GOOGLE_VERSION as "google_version" = 0x4752, Special, "Google";
    ENABLE_TIME_STAMP as "enable_time_stamp" = 0x7157, Legacy, "draft-huitema-quic-ts";
    ENABLE_TIME_STAMP_V2 as "enable_time_stamp_v2" = 0x7158, Special, "draft-huitema-quic-ts";
    MIN_ACK_DELAY_00 as "min_ack_delay (draft 00)" = 0xde1a,
        Legacy, "draft-iyengar-quic-delayed-ack";
    PARTIAL_RELIABILITY as "partial_reliability" = 0xff00, Legacy, "Facebook";
    VERSION_INFORMATION_DRAFT as "version_information (draft)" = 0x00ff_73db,
        Legacy, "draft-ietf-quic-version-negotiation";
    ADDRESS_DISCOVERY as "address_discovery" = 0x9f81_a176,
        Special, "draft-ietf-quic-address-discovery";
    MIN_ACK_DELAY_01 as "min_ack_delay (draft 01)" = 0xff03_de1a,
        Legacy, "draft-ietf-quic-ack-frequency";
    MIN_ACK_DELAY_05 as "min_ack_delay (draft 05)" = 0xff04_de1a,
        Legacy, "draft-ietf-quic-ack-frequency";
    MIN_ACK_DELAY as "min_ack_delay" = 0xff04_de1b, Special, "draft-ietf-quic-ack-frequency";
    RESET_STREAM_AT_07 as "reset_stream_at (draft 07)" = 0x0017_f758_6d2c_b571,
        Legacy, "draft-ietf-quic-reliable-stream-reset";
    ENABLE_MULTIPATH_04 as "enable_multipath (draft 04)" = 0x0f73_9bbc_1b66_6d04,
        Legacy, "draft-ietf-quic-multipath";
    ENABLE_MULTIPATH_05 as "enable_multipath (draft 05)" = 0x0f73_9bbc_1b66_6d05,
        Legacy, "draft-ietf-quic-multipath";
    ENABLE_MULTIPATH_06 as "enable_multipath (draft 06)" = 0x0f73_9bbc_1b66_6d06,
        Legacy, "draft-ietf-quic-multipath";
    INITIAL_MAX_PATHS_07 as "initial_max_paths (draft 07)" = 0x0f73_9bbc_1b66_6d07,
        Legacy, "draft-ietf-quic-multipath";
    INITIAL_MAX_PATH_ID_09 as "initial_max_path_id (draft 09)" = 0x0f73_9bbc_1b66_6d09,
        Legacy, "draft-ietf-quic-multipath";
    INITIAL_MAX_PATH_ID_13 as "initial_max_path_id (draft 13)" = 0x0f73_9bbc_1b66_6d0d,
        Legacy, "draft-ietf-quic-multipath";
    BDP_FRAME as "bdp_frame" = 0x4143_4142_1337_0002, Special, "draft-kuhn-quic-bdpframe-extension";
}

code_points! {
    /// What a hello of SSL 2 offers, in three octets: a cipher of SSL 2, or a suite of SSL 3 and later
    /// behind a zero (RFC 5246, appendix E.2).
    SslV2CipherKind(u32, 3), "SSL 2.0 Cipher Kinds", None;
    SSL_CK_RC4_128_WITH_MD5 = 0x01_0080, Broken, "SSL 2.0, 1995";
    SSL_CK_RC4_128_EXPORT40_WITH_MD5 = 0x02_0080, Broken, "SSL 2.0, 1995";
    SSL_CK_RC2_128_CBC_WITH_MD5 = 0x03_0080, Broken, "SSL 2.0, 1995";
    SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5 = 0x04_0080, Broken, "SSL 2.0, 1995";
    SSL_CK_IDEA_128_CBC_WITH_MD5 = 0x05_0080, Broken, "SSL 2.0, 1995";
    SSL_CK_DES_64_CBC_WITH_MD5 = 0x06_0040, Broken, "SSL 2.0, 1995";
    SSL_CK_DES_64_CBC_WITH_SHA = 0x06_0140, Broken, "SSLeay";
    SSL_CK_DES_192_EDE3_CBC_WITH_MD5 = 0x07_00c0, Broken, "SSL 2.0, 1995";
    SSL_CK_DES_192_EDE3_CBC_WITH_SHA = 0x07_01c0, Broken, "SSLeay";
    SSL_CK_RC4_64_WITH_MD5 = 0x08_0080, Broken, "Microsoft";
    SSL_CK_DES_64_CFB64_WITH_MD5_1 = 0xff_8000, Broken, "SSLeay";
    SSL_CK_NULL = 0xff_8010, Broken, "SSLeay";
}

impl SslV2CipherKind {
    /// The suite of SSL 3 and later that it stands for; `None` where it is a cipher of SSL 2.
    #[must_use]
    pub fn suite(self) -> Option<CipherSuite> {
        u16::try_from(self.0).ok().map(CipherSuite)
    }
}
