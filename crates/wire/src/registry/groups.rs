//! Where key exchange takes place: groups, and how points of curves are written.

use super::table::code_points;

// How groups are judged. IANA recommends x25519, x448, secp256r1, secp384r1 and X25519MLKEM768, and
// discourages curves below 250 bits (RFC 9847). Below 192 bits a secret is found in some 2^80 steps,
// which those can pay who want it: broken. The other curves over binary fields have nothing that
// prime ones have not, and RFC 8422 drops them: legacy. The finite fields of RFC 7919 are sound in
// TLS 1.3; in TLS 1.2 it is their suites that RFC 10015 takes out. Kyber's drafts were for trying.
code_points! {
    /// A group for key exchange (RFC 8446, section 4.2.7), a curve to TLS 1.2.
    NamedGroup(u16), "TLS Supported Groups", Pairs;
    SECT163K1 as "sect163k1" = 0x0001, Broken, "RFC 8422";
    SECT163R1 as "sect163r1" = 0x0002, Broken, "RFC 8422";
    SECT163R2 as "sect163r2" = 0x0003, Broken, "RFC 8422";
    SECT193R1 as "sect193r1" = 0x0004, Legacy, "RFC 8422";
    SECT193R2 as "sect193r2" = 0x0005, Legacy, "RFC 8422";
    SECT233K1 as "sect233k1" = 0x0006, Legacy, "RFC 8422";
    SECT233R1 as "sect233r1" = 0x0007, Legacy, "RFC 8422";
    SECT239K1 as "sect239k1" = 0x0008, Legacy, "RFC 8422";
    SECT283K1 as "sect283k1" = 0x0009, Legacy, "RFC 8422";
    SECT283R1 as "sect283r1" = 0x000a, Legacy, "RFC 8422";
    SECT409K1 as "sect409k1" = 0x000b, Legacy, "RFC 8422";
    SECT409R1 as "sect409r1" = 0x000c, Legacy, "RFC 8422";
    SECT571K1 as "sect571k1" = 0x000d, Legacy, "RFC 8422";
    SECT571R1 as "sect571r1" = 0x000e, Legacy, "RFC 8422";
    SECP160K1 as "secp160k1" = 0x000f, Broken, "RFC 8422";
    SECP160R1 as "secp160r1" = 0x0010, Broken, "RFC 8422";
    SECP160R2 as "secp160r2" = 0x0011, Broken, "RFC 8422";
    SECP192K1 as "secp192k1" = 0x0012, Legacy, "RFC 8422";
    SECP192R1 as "secp192r1" = 0x0013, Legacy, "RFC 8422";
    SECP224K1 as "secp224k1" = 0x0014, Legacy, "RFC 8422";
    SECP224R1 as "secp224r1" = 0x0015, Legacy, "RFC 8422";
    SECP256K1 as "secp256k1" = 0x0016, Special, "RFC 8422";
    SECP256R1 as "secp256r1" = 0x0017, Recommended, "RFC 8422";
    SECP384R1 as "secp384r1" = 0x0018, Recommended, "RFC 8422";
    SECP521R1 as "secp521r1" = 0x0019, Special, "RFC 8422";
    BRAINPOOLP256R1 as "brainpoolP256r1" = 0x001a, Special, "RFC 7027";
    BRAINPOOLP384R1 as "brainpoolP384r1" = 0x001b, Special, "RFC 7027";
    BRAINPOOLP512R1 as "brainpoolP512r1" = 0x001c, Special, "RFC 7027";
    X25519 as "x25519" = 0x001d, Recommended, "RFC 8446";
    X448 as "x448" = 0x001e, Recommended, "RFC 8446";
    BRAINPOOLP256R1TLS13 as "brainpoolP256r1tls13" = 0x001f, Special, "RFC 8734";
    BRAINPOOLP384R1TLS13 as "brainpoolP384r1tls13" = 0x0020, Special, "RFC 8734";
    BRAINPOOLP512R1TLS13 as "brainpoolP512r1tls13" = 0x0021, Special, "RFC 8734";
    GC256A = 0x0022, Special, "RFC 9189";
    GC256B = 0x0023, Special, "RFC 9189";
    GC256C = 0x0024, Special, "RFC 9189";
    GC256D = 0x0025, Special, "RFC 9189";
    GC512A = 0x0026, Special, "RFC 9189";
    GC512B = 0x0027, Special, "RFC 9189";
    GC512C = 0x0028, Special, "RFC 9189";
    CURVESM2 as "curveSM2" = 0x0029, Special, "RFC 8998";
    FFDHE2048 as "ffdhe2048" = 0x0100, Special, "RFC 7919";
    FFDHE3072 as "ffdhe3072" = 0x0101, Special, "RFC 7919";
    FFDHE4096 as "ffdhe4096" = 0x0102, Special, "RFC 7919";
    FFDHE6144 as "ffdhe6144" = 0x0103, Special, "RFC 7919";
    FFDHE8192 as "ffdhe8192" = 0x0104, Special, "RFC 7919";
    MLKEM512 = 0x0200, Special, "draft-ietf-tls-mlkem";
    MLKEM768 = 0x0201, Special, "draft-ietf-tls-mlkem";
    MLKEM1024 = 0x0202, Special, "draft-ietf-tls-mlkem";
    SECP256R1MLKEM512 as "SecP256r1MLKEM512" = 0x11e9,
        Special, "draft-rosomakho-tls-ecdhe-mlkem512";
    MLKEM512X25519 = 0x11ea, Special, "draft-rosomakho-tls-ecdhe-mlkem512";
    SECP256R1MLKEM768 as "SecP256r1MLKEM768" = 0x11eb, Special, "RFC 10024";
    X25519MLKEM768 = 0x11ec, Recommended, "RFC 10024";
    SECP384R1MLKEM1024 as "SecP384r1MLKEM1024" = 0x11ed, Special, "RFC 10024";
    CURVESM2MLKEM768 as "curveSM2MLKEM768" = 0x11ee, Special, "draft-yang-tls-hybrid-sm2-mlkem";
    CECPQ2 = 0x4138, Legacy, "Google, 2018";
    X25519KYBER768DRAFT00 as "X25519Kyber768Draft00" = 0x6399,
        Legacy, "draft-tls-westerbaan-xyber768d00";
    SECP256R1KYBER768DRAFT00 as "SecP256r1Kyber768Draft00" = 0x639a,
        Legacy, "draft-kwiatkowski-tls-ecdhe-kyber";
    X25519KYBER512DRAFT00 as "X25519Kyber512Draft00" = 0xfe30, Legacy, "Cloudflare, 2022";
    X25519KYBER768DRAFT00_OLD as "X25519Kyber768Draft00 (Cloudflare)" = 0xfe31,
        Legacy, "Cloudflare, 2022";
    ARBITRARY_EXPLICIT_PRIME_CURVES as "arbitrary_explicit_prime_curves" = 0xff01,
        Legacy, "RFC 8422";
    ARBITRARY_EXPLICIT_CHAR2_CURVES as "arbitrary_explicit_char2_curves" = 0xff02,
        Legacy, "RFC 8422";
}

impl NamedGroup {
    /// Whether a quantum computer that breaks curves and finite fields leaves it standing: ML-KEM, or
    /// an ancestor of it, alone or beside a curve.
    #[must_use]
    pub fn is_post_quantum(self) -> bool {
        matches!(
            self,
            Self::MLKEM512
                | Self::MLKEM768
                | Self::MLKEM1024
                | Self::SECP256R1MLKEM512
                | Self::MLKEM512X25519
                | Self::SECP256R1MLKEM768
                | Self::X25519MLKEM768
                | Self::SECP384R1MLKEM1024
                | Self::CURVESM2MLKEM768
                | Self::CECPQ2
                | Self::X25519KYBER512DRAFT00
                | Self::X25519KYBER768DRAFT00_OLD
                | Self::X25519KYBER768DRAFT00
                | Self::SECP256R1KYBER768DRAFT00
        )
    }
}

code_points! {
    /// How a point of a curve is written (RFC 8422, section 5.1.2).
    EcPointFormat(u8), "TLS EC Point Formats", None;
    UNCOMPRESSED as "uncompressed" = 0, Recommended, "RFC 8422";
    ANSIX962_COMPRESSED_PRIME as "ansiX962_compressed_prime" = 1, Legacy, "RFC 8422";
    ANSIX962_COMPRESSED_CHAR2 as "ansiX962_compressed_char2" = 2, Legacy, "RFC 8422";
}

code_points! {
    /// How a server of TLS 1.2 says which curve it uses (RFC 8422, section 5.4).
    EcCurveType(u8), "TLS EC Curve Types", None;
    EXPLICIT_PRIME as "explicit_prime" = 1, Legacy, "RFC 8422";
    EXPLICIT_CHAR2 as "explicit_char2" = 2, Legacy, "RFC 8422";
    NAMED_CURVE as "named_curve" = 3, Recommended, "RFC 8422";
}
