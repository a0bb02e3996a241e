//! How things are signed: the schemes of TLS 1.3, and the pairs of TLS 1.2 that they grew out of.

use super::table::code_points;

// How schemes are judged: MD5 is broken, for it lets a man in the middle make two handshakes that
// are signed alike (SLOTH, 2016). SHA-1 and DSA are legacy, as RFC 9155 deprecates them, and SHA-224
// with them. PKCS#1 v1.5 with SHA-2 is recommended by IANA, for certificates and TLS 1.2. RFC 9963
// has it back in TLS 1.3 for the keys of clients that can do no other: legacy, as its name says.
code_points! {
    /// How a handshake or a certificate is signed (RFC 8446, section 4.2.3). The octets of a pair of
    /// TLS 1.2 (RFC 5246, section 7.4.1.4.1) are taken together: a pair without a line here is shown
    /// by [`hash`](Self::hash) and [`signature`](Self::signature).
    SignatureScheme(u16), "TLS SignatureScheme", Pairs;
    RSA_PKCS1_MD5 as "rsa_pkcs1_md5" = 0x0101, Broken, "RFC 5246";
    ECDSA_MD5 as "ecdsa_md5" = 0x0103, Broken, "RFC 5246";
    RSA_PKCS1_SHA1 as "rsa_pkcs1_sha1" = 0x0201, Legacy, "RFC 8446";
    DSA_SHA1 as "dsa_sha1" = 0x0202, Legacy, "RFC 5246";
    ECDSA_SHA1 as "ecdsa_sha1" = 0x0203, Legacy, "RFC 8446";
    RSA_PKCS1_SHA224 as "rsa_pkcs1_sha224" = 0x0301, Legacy, "RFC 5246";
    DSA_SHA224 as "dsa_sha224" = 0x0302, Legacy, "RFC 5246";
    ECDSA_SHA224 as "ecdsa_sha224" = 0x0303, Legacy, "RFC 5246";
    RSA_PKCS1_SHA256 as "rsa_pkcs1_sha256" = 0x0401, Recommended, "RFC 8446";
    DSA_SHA256 as "dsa_sha256" = 0x0402, Legacy, "RFC 5246";
    ECDSA_SECP256R1_SHA256 as "ecdsa_secp256r1_sha256" = 0x0403, Recommended, "RFC 8446";
    RSA_PKCS1_SHA256_LEGACY as "rsa_pkcs1_sha256_legacy" = 0x0420, Legacy, "RFC 9963";
    RSA_PKCS1_SHA384 as "rsa_pkcs1_sha384" = 0x0501, Recommended, "RFC 8446";
    DSA_SHA384 as "dsa_sha384" = 0x0502, Legacy, "RFC 5246";
    ECDSA_SECP384R1_SHA384 as "ecdsa_secp384r1_sha384" = 0x0503, Recommended, "RFC 8446";
    RSA_PKCS1_SHA384_LEGACY as "rsa_pkcs1_sha384_legacy" = 0x0520, Legacy, "RFC 9963";
    RSA_PKCS1_SHA512 as "rsa_pkcs1_sha512" = 0x0601, Recommended, "RFC 8446";
    DSA_SHA512 as "dsa_sha512" = 0x0602, Legacy, "RFC 5246";
    ECDSA_SECP521R1_SHA512 as "ecdsa_secp521r1_sha512" = 0x0603, Recommended, "RFC 8446";
    RSA_PKCS1_SHA512_LEGACY as "rsa_pkcs1_sha512_legacy" = 0x0620, Legacy, "RFC 9963";
    ECCSI_SHA256 as "eccsi_sha256" = 0x0704, Special, "draft-wang-tls-raw-public-key-with-ibc";
    ISO_IBS1 as "iso_ibs1" = 0x0705, Special, "draft-wang-tls-raw-public-key-with-ibc";
    ISO_IBS2 as "iso_ibs2" = 0x0706, Special, "draft-wang-tls-raw-public-key-with-ibc";
    ISO_CHINESE_IBS as "iso_chinese_ibs" = 0x0707,
        Special, "draft-wang-tls-raw-public-key-with-ibc";
    SM2SIG_SM3 as "sm2sig_sm3" = 0x0708, Special, "RFC 8998";
    GOSTR34102012_256A as "gostr34102012_256a" = 0x0709, Special, "RFC 9367";
    GOSTR34102012_256B as "gostr34102012_256b" = 0x070a, Special, "RFC 9367";
    GOSTR34102012_256C as "gostr34102012_256c" = 0x070b, Special, "RFC 9367";
    GOSTR34102012_256D as "gostr34102012_256d" = 0x070c, Special, "RFC 9367";
    GOSTR34102012_512A as "gostr34102012_512a" = 0x070d, Special, "RFC 9367";
    GOSTR34102012_512B as "gostr34102012_512b" = 0x070e, Special, "RFC 9367";
    GOSTR34102012_512C as "gostr34102012_512c" = 0x070f, Special, "RFC 9367";
    RSA_PSS_RSAE_SHA256 as "rsa_pss_rsae_sha256" = 0x0804, Recommended, "RFC 8446";
    RSA_PSS_RSAE_SHA384 as "rsa_pss_rsae_sha384" = 0x0805, Recommended, "RFC 8446";
    RSA_PSS_RSAE_SHA512 as "rsa_pss_rsae_sha512" = 0x0806, Recommended, "RFC 8446";
    ED25519 as "ed25519" = 0x0807, Recommended, "RFC 8446";
    ED448 as "ed448" = 0x0808, Recommended, "RFC 8446";
    RSA_PSS_PSS_SHA256 as "rsa_pss_pss_sha256" = 0x0809, Recommended, "RFC 8446";
    RSA_PSS_PSS_SHA384 as "rsa_pss_pss_sha384" = 0x080a, Recommended, "RFC 8446";
    RSA_PSS_PSS_SHA512 as "rsa_pss_pss_sha512" = 0x080b, Recommended, "RFC 8446";
    ECDSA_BRAINPOOLP256R1TLS13_SHA256 as "ecdsa_brainpoolP256r1tls13_sha256" = 0x081a,
        Special, "RFC 8734";
    ECDSA_BRAINPOOLP384R1TLS13_SHA384 as "ecdsa_brainpoolP384r1tls13_sha384" = 0x081b,
        Special, "RFC 8734";
    ECDSA_BRAINPOOLP512R1TLS13_SHA512 as "ecdsa_brainpoolP512r1tls13_sha512" = 0x081c,
        Special, "RFC 8734";
    // IANA keeps these two for the pairs of RFC 9189, without a name.
    GOSTR34102012_256_INTRINSIC as "gostr34102012_256_intrinsic" = 0x0840, Special, "RFC 9189";
    GOSTR34102012_512_INTRINSIC as "gostr34102012_512_intrinsic" = 0x0841, Special, "RFC 9189";
    MLDSA44 as "mldsa44" = 0x0904, Special, "draft-ietf-tls-mldsa";
    MLDSA65 as "mldsa65" = 0x0905, Special, "draft-ietf-tls-mldsa";
    MLDSA87 as "mldsa87" = 0x0906, Special, "draft-ietf-tls-mldsa";
    SLHDSA_SHA2_128S as "slhdsa_sha2_128s" = 0x0911, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_128F as "slhdsa_sha2_128f" = 0x0912, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_192S as "slhdsa_sha2_192s" = 0x0913, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_192F as "slhdsa_sha2_192f" = 0x0914, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_256S as "slhdsa_sha2_256s" = 0x0915, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHA2_256F as "slhdsa_sha2_256f" = 0x0916, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_128S as "slhdsa_shake_128s" = 0x0917, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_128F as "slhdsa_shake_128f" = 0x0918, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_192S as "slhdsa_shake_192s" = 0x0919, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_192F as "slhdsa_shake_192f" = 0x091a, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_256S as "slhdsa_shake_256s" = 0x091b, Special, "draft-reddy-tls-slhdsa";
    SLHDSA_SHAKE_256F as "slhdsa_shake_256f" = 0x091c, Special, "draft-reddy-tls-slhdsa";
}

impl SignatureScheme {
    /// The first octet, which names a hash where it is a pair of TLS 1.2.
    #[must_use]
    pub fn hash(self) -> HashAlgorithm {
        HashAlgorithm(self.0.to_be_bytes()[0])
    }

    /// The second octet, which names what signs where it is a pair of TLS 1.2.
    #[must_use]
    pub fn signature(self) -> SignatureAlgorithm {
        SignatureAlgorithm(self.0.to_be_bytes()[1])
    }

    /// Whether a quantum computer that factors and takes logarithms leaves it standing.
    #[must_use]
    pub fn is_post_quantum(self) -> bool {
        (Self::MLDSA44..=Self::MLDSA87).contains(&self)
            || (Self::SLHDSA_SHA2_128S..=Self::SLHDSA_SHAKE_256F).contains(&self)
    }
}

code_points! {
    /// The hash of a pair of TLS 1.2 (RFC 5246, section 7.4.1.4.1).
    HashAlgorithm(u8), "TLS HashAlgorithm", None;
    // Nothing signs without a hash; the schemes that hash for themselves have "Intrinsic".
    NONE as "none" = 0, Legacy, "RFC 5246";
    MD5 as "md5" = 1, Broken, "RFC 5246";
    SHA1 as "sha1" = 2, Legacy, "RFC 5246";
    SHA224 as "sha224" = 3, Legacy, "RFC 5246";
    SHA256 as "sha256" = 4, Recommended, "RFC 5246";
    SHA384 as "sha384" = 5, Recommended, "RFC 5246";
    SHA512 as "sha512" = 6, Recommended, "RFC 5246";
    INTRINSIC as "Intrinsic" = 8, Recommended, "RFC 8422";
}

code_points! {
    /// What signs in a pair of TLS 1.2 (RFC 5246, section 7.4.1.4.1).
    SignatureAlgorithm(u8), "TLS SignatureAlgorithm", None;
    ANONYMOUS as "anonymous" = 0, Broken, "RFC 5246";
    RSA as "rsa" = 1, Recommended, "RFC 5246";
    DSA as "dsa" = 2, Legacy, "RFC 5246";
    ECDSA as "ecdsa" = 3, Recommended, "RFC 8422";
    ED25519 as "ed25519" = 7, Recommended, "RFC 8422";
    ED448 as "ed448" = 8, Recommended, "RFC 8422";
    GOSTR34102012_256 as "gostr34102012_256" = 64, Special, "RFC 9189";
    GOSTR34102012_512 as "gostr34102012_512" = 65, Special, "RFC 9189";
}
