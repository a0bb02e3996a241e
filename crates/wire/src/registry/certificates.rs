//! Certificates and what is said around them.

use super::table::code_points;

code_points! {
    /// What stands for a certificate (RFC 7250, section 3).
    CertificateType(u8), "TLS Certificate Types", None;
    X509 = 0, Recommended, "RFC 6091";
    OPENPGP as "OpenPGP" = 1, Legacy, "RFC 6091";
    RAW_PUBLIC_KEY as "Raw Public Key" = 2, Special, "RFC 7250";
    IEEE1609_DOT2 as "1609Dot2" = 3, Special, "RFC 8902";
}

code_points! {
    /// How the state of a certificate is told (RFC 6066, section 8).
    CertificateStatusType(u8), "TLS Certificate Status Types", None;
    OCSP as "ocsp" = 1, Recommended, "RFC 6066";
    // RFC 8446 (section 4.4.2.1) takes it back.
    OCSP_MULTI as "ocsp_multi" = 2, Legacy, "RFC 6961";
}

code_points! {
    /// The kind of certificate that a server of TLS 1.2 asks for (RFC 5246, section 7.4.4).
    ClientCertificateType(u8), "TLS ClientCertificateType Identifiers", None;
    RSA_SIGN as "rsa_sign" = 1, Recommended, "RFC 5246";
    DSS_SIGN as "dss_sign" = 2, Legacy, "RFC 5246";
    RSA_FIXED_DH as "rsa_fixed_dh" = 3, Legacy, "RFC 5246";
    DSS_FIXED_DH as "dss_fixed_dh" = 4, Legacy, "RFC 5246";
    RSA_EPHEMERAL_DH as "rsa_ephemeral_dh" = 5, Legacy, "RFC 6101";
    DSS_EPHEMERAL_DH as "dss_ephemeral_dh" = 6, Legacy, "RFC 6101";
    FORTEZZA_DMS as "fortezza_dms" = 20, Legacy, "RFC 6101";
    GOSTR341094 as "gostr341094" = 21, Legacy, "draft-chudov-cryptopro-cptls";
    GOSTR34102001 as "gostr34102001" = 22, Legacy, "draft-chudov-cryptopro-cptls";
    ECDSA_SIGN as "ecdsa_sign" = 64, Recommended, "RFC 8422";
    RSA_FIXED_ECDH as "rsa_fixed_ecdh" = 65, Legacy, "RFC 8422";
    ECDSA_FIXED_ECDH as "ecdsa_fixed_ecdh" = 66, Legacy, "RFC 8422";
    GOST_SIGN256 as "gost_sign256" = 67, Special, "RFC 9189";
    GOST_SIGN512 as "gost_sign512" = 68, Special, "RFC 9189";
    IBC_PARAMS as "ibc_params" = 80, Special, "GB/T 38636-2020";
}

code_points! {
    /// How certificates are compressed (RFC 8879, section 3). Unlike a record, a certificate holds no
    /// secret that its length could tell.
    CertificateCompression(u16), "TLS Certificate Compression Algorithm IDs", None;
    ZLIB as "zlib" = 1, Recommended, "RFC 8879";
    BROTLI as "brotli" = 2, Recommended, "RFC 8879";
    ZSTD as "zstd" = 3, Recommended, "RFC 8879";
}
