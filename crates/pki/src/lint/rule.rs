//! Every rule: its name, how much it matters, where it is written, and what mends a breach of it.
//! The modules beside this one say when a rule is broken.

use super::{Rule, Severity};

/// Declares the rules: a static each, and the list of all.
macro_rules! rules {
    ($($name:ident: $severity:ident, $id:literal, $source:literal, $mend:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            severity: Severity::$severity,
            source: $source,
            mend: $mend,
        };)*

        /// All rules, in the order of the fields that they are about.
        #[must_use]
        pub fn rules() -> &'static [&'static Rule] {
            static ALL: &[&Rule] = &[$(&$name,)*];
            ALL
        }
    };
}

rules! {
    // Version and serial number.
    VERSION_OLD_CA: Error, "ca-version-not-3", "RFC 5280, section 4.1.2.1",
        "reissue the CA with version 3, basicConstraints and keyUsage";
    VERSION_OLD: Error, "version-not-3", "RFC 5280, section 4.1.2.1",
        "reissue with version 3 and a subjectAltName";
    VERSION_OLD_EXTENSIONS: Error, "extensions-in-old-version", "RFC 5280, section 4.1.2.1",
        "reissue with version 3";
    UNIQUE_IDENTIFIER: Error, "unique-identifier", "RFC 5280, section 4.1.2.8",
        "reissue without issuerUniqueID and subjectUniqueID";
    SERIAL_NEGATIVE: Error, "serial-negative", "RFC 5280, section 4.1.2.2",
        "reissue with a positive serial number of 16 random octets";
    SERIAL_ZERO: Error, "serial-zero", "RFC 5280, section 4.1.2.2",
        "reissue with a positive serial number of 16 random octets";
    SERIAL_LONG: Error, "serial-too-long", "RFC 5280, section 4.1.2.2",
        "reissue with a serial number of at most 20 octets";
    SERIAL_GUESSABLE: Notice, "serial-guessable", "CA/B Baseline Requirements, section 7.1.2.7",
        "reissue with a serial number of at least 64 random bits";

    // Signature.
    ALGORITHMS_DIFFER: Error, "signature-algorithms-differ", "RFC 5280, section 4.1.1.2",
        "reissue it: the issuer's software is broken, or the certificate was tampered with";
    ALGORITHM_PARAMETERS: Error, "signature-parameters", "RFC 4055, section 5; RFC 5758, section 3.2",
        "reissue with software that writes NULL for RSA and nothing for other algorithms";
    HASH_BROKEN: Error, "hash-md5", "RFC 6151, section 2",
        "reissue with a signature over SHA-256";
    HASH_WEAK: Error, "hash-sha1", "RFC 8446, section 4.4.2.4",
        "reissue with a signature over SHA-256";
    HASH_WEAK_ROOT: Notice, "root-hash-weak", "RFC 5280, section 6.1.1 (d)",
        "nothing: nobody checks a root's signature upon itself; a new root should use SHA-256";

    // Names.
    ISSUER_EMPTY: Error, "issuer-empty", "RFC 5280, section 4.1.2.4",
        "reissue the issuer with a subject, and then this";
    CA_SUBJECT_EMPTY: Error, "ca-subject-empty", "RFC 5280, section 4.1.2.6",
        "reissue the CA with a subject";
    ATTRIBUTE_LONG: Error, "attribute-too-long", "RFC 5280, appendix A.1",
        "reissue with a shorter value";
    ATTRIBUTE_EMPTY: Error, "attribute-empty", "RFC 5280, appendix A.1",
        "reissue without the attribute, or with a value";
    ATTRIBUTE_TYPE: Error, "attribute-string-type", "RFC 5280, section 4.1.2.4 and appendix A.1",
        "reissue with UTF8String, or with the type that the attribute has in RFC 5280";
    ATTRIBUTE_OLD_TYPE: Warning, "attribute-string-type-old", "RFC 5280, section 4.1.2.4",
        "reissue with UTF8String or PrintableString";
    ATTRIBUTE_DOUBLED: Warning, "attribute-doubled", "X.501, section 9.3",
        "reissue with each kind of attribute once in a relative distinguished name";
    ATTRIBUTE_SPACES: Notice, "attribute-spaces", "RFC 5280, section 7.1",
        "reissue without white space around the value";
    PRINTABLE_CHARACTERS: Error, "printable-string-characters", "X.680, section 41.4",
        "reissue with the value as UTF8String";
    COUNTRY_CODE: Error, "country-code", "RFC 5280, appendix A.1; ISO 3166-1",
        "reissue with a country code of two capital letters";
    EMAIL_IN_SUBJECT: Warning, "email-in-subject", "RFC 5280, section 4.1.2.6",
        "reissue with the address in the subjectAltName";

    // Validity.
    VALIDITY_NEGATIVE: Error, "validity-negative", "RFC 5280, section 4.1.2.5",
        "reissue with a notAfter behind the notBefore";
    EXPIRED: Error, "expired", "RFC 5280, section 6.1.3 (a)(2)",
        "renew it";
    NOT_YET_VALID: Error, "not-yet-valid", "RFC 5280, section 6.1.3 (a)(2)",
        "wait, or look whether the clock is right";
    VALIDITY_ENCODING: Error, "validity-encoding", "RFC 5280, section 4.1.2.5",
        "reissue with UTCTime until 2049 and GeneralizedTime from 2050 on";
    LIFE_APPLE: Warning, "life-over-825-days", "Apple, HT210176",
        "reissue for at most 825 days";

    // Keys.
    RSA_TINY: Error, "rsa-below-1024", "NIST SP 800-131A, revision 2, section 3",
        "make a new key, of 2048 bits or ECDSA P-256, and reissue";
    RSA_SHORT: Error, "rsa-below-2048", "NIST SP 800-131A, revision 2, section 3",
        "make a new key, of 2048 bits or ECDSA P-256, and reissue";
    RSA_MODULUS: Error, "rsa-modulus", "FIPS 186-5, appendix A.1; NIST SP 800-89, section 5.3.3",
        "make a new key: whoever sees this one can break it";
    RSA_EXPONENT: Error, "rsa-exponent", "RFC 8017, section 3.1",
        "make a new key with the exponent 65537, and reissue";
    RSA_EXPONENT_SMALL: Warning, "rsa-exponent-small", "FIPS 186-5, appendix A.1.1",
        "make a new key with the exponent 65537, and reissue";
    RSA_LENGTH_ODD: Notice, "rsa-length-unusual", "CA/B Baseline Requirements, section 6.1.5",
        "make a new key of 2048, 3072 or 4096 bits";
    KEY_PARAMETERS: Error, "key-parameters", "RFC 3279, section 2.3.1; RFC 8410, section 3; RFC 9881, section 2",
        "reissue with software that writes NULL for RSA and nothing for Ed25519 and ML-DSA";
    KEY_MALFORMED: Error, "key-malformed", "RFC 5280, section 4.1.2.7",
        "make a new key and reissue";
    CURVE_EXPLICIT: Error, "curve-explicit", "RFC 5480, section 2.1.1",
        "make the key again with a named curve, and reissue";
    CURVE_UNUSUAL: Warning, "curve-unusual", "RFC 8422, section 5.1.1",
        "make a new key on the curve P-256, and reissue";
    KEY_P521: Notice, "key-p521", "RFC 8446, section 4.2.3: a scheme that Chromium does not offer",
        "where browsers are to take it, make a new key on the curve P-256, and reissue";
    KEY_EDWARDS: Notice, "key-edwards", "CA/B Baseline Requirements, section 6.1.5",
        "where browsers are to take it, make a new key on the curve P-256, and reissue";
    KEY_ED448: Notice, "key-ed448", "CA/B Baseline Requirements, section 6.1.5",
        "where others than OpenSSL are to take it, make a new key on the curve P-256, and reissue";
    KEY_ML_DSA: Notice, "key-ml-dsa", "RFC 9881, section 1",
        "where others than the newest programs are to take it, use an ECDSA key beside it";
    KEY_UNKNOWN: Warning, "key-unknown", "RFC 5280, section 4.1.2.7",
        "make a new key on the curve P-256, and reissue";

    // Identifiers of keys.
    AKI_MISSING: Error, "authority-key-identifier-missing", "RFC 5280, section 4.2.1.1",
        "reissue with an authorityKeyIdentifier (openssl: authorityKeyIdentifier = keyid)";
    AKI_NO_KEY: Error, "authority-key-identifier-without-key", "RFC 5280, section 4.2.1.1",
        "reissue with a keyIdentifier in the authorityKeyIdentifier";
    AKI_HALF: Error, "authority-key-identifier-half", "RFC 5280, section 4.2.1.1",
        "reissue with authorityCertIssuer and authorityCertSerialNumber, or with neither";
    AKI_CRITICAL: Error, "authority-key-identifier-critical", "RFC 5280, section 4.2.1.1",
        "reissue with an authorityKeyIdentifier that is not critical";
    AKI_WRONG: Error, "authority-key-identifier-of-another", "RFC 4158, section 3.5.12",
        "send the issuer's certificate whose subjectKeyIdentifier it names, or reissue";
    SKI_MISSING_CA: Error, "ca-subject-key-identifier-missing", "RFC 5280, section 4.2.1.2",
        "reissue the CA with a subjectKeyIdentifier (openssl: subjectKeyIdentifier = hash)";
    SKI_MISSING: Warning, "subject-key-identifier-missing", "RFC 5280, section 4.2.1.2",
        "reissue with a subjectKeyIdentifier (openssl: subjectKeyIdentifier = hash)";
    SKI_CRITICAL: Error, "subject-key-identifier-critical", "RFC 5280, section 4.2.1.2",
        "reissue with a subjectKeyIdentifier that is not critical";

    // Constraints and usages.
    NOT_A_CA: Error, "ca-flag-missing", "RFC 5280, section 4.2.1.9",
        "reissue the CA with basicConstraints = critical, CA:TRUE";
    BC_NOT_CRITICAL: Error, "ca-basic-constraints-not-critical", "RFC 5280, section 4.2.1.9",
        "reissue the CA with basicConstraints = critical, CA:TRUE";
    BC_PATH_LENGTH: Error, "path-length-without-ca", "RFC 5280, section 4.2.1.9",
        "reissue with basicConstraints = critical, CA:FALSE";
    BC_PATH_LENGTH_KEY_USAGE: Error, "path-length-without-cert-sign", "RFC 5280, section 4.2.1.9",
        "reissue the CA with keyUsage = critical, keyCertSign, cRLSign";
    LEAF_IS_CA: Warning, "leaf-is-ca", "RFC 5280, section 4.2.1.9; CA/B Baseline Requirements, section 7.1.2.7.8",
        "use a leaf that a CA issued: ravelin cert new makes one";
    KU_MISSING_CA: Error, "ca-key-usage-missing", "RFC 5280, section 4.2.1.3",
        "reissue the CA with keyUsage = critical, keyCertSign, cRLSign";
    KU_MISSING: Notice, "key-usage-missing", "RFC 5280, section 4.2.1.3",
        "reissue with keyUsage = critical, digitalSignature";
    KU_NOT_CRITICAL: Warning, "key-usage-not-critical", "RFC 5280, section 4.2.1.3",
        "reissue with a critical keyUsage";
    KU_EMPTY: Error, "key-usage-empty", "RFC 5280, section 4.2.1.3",
        "reissue with keyUsage = critical, digitalSignature";
    KU_NO_CERT_SIGN: Error, "ca-cert-sign-missing", "RFC 5280, section 4.2.1.3",
        "reissue the CA with keyUsage = critical, keyCertSign, cRLSign";
    KU_CERT_SIGN: Error, "cert-sign-without-ca", "RFC 5280, section 4.2.1.3",
        "reissue with keyUsage = critical, digitalSignature";
    KU_ONLY_BITS: Error, "key-usage-only-without-agreement", "RFC 5280, section 4.2.1.3",
        "reissue with keyAgreement, or without encipherOnly and decipherOnly";
    KU_KEY: Error, "key-usage-not-of-key", "RFC 3279, section 2.3.1; RFC 8813, section 3; RFC 9295, section 3; RFC 9881, section 5",
        "reissue with keyUsage = critical, digitalSignature";
    KU_SERVER: Warning, "key-usage-no-server", "RFC 8446, section 4.4.2.2; RFC 5280, section 4.2.1.12",
        "reissue with keyUsage = critical, digitalSignature";
    KU_SIGNATURE: Warning, "key-usage-no-signature", "RFC 8446, section 4.4.2.2",
        "reissue with digitalSignature in the keyUsage";
    KU_PURPOSE: Warning, "key-usage-not-of-purpose", "RFC 5280, section 4.2.1.12",
        "reissue with digitalSignature in the keyUsage";
    EKU_EMPTY: Error, "extended-key-usage-empty", "RFC 5280, section 4.2.1.12",
        "reissue with extendedKeyUsage = serverAuth";
    EKU_DOUBLED: Notice, "extended-key-usage-doubled", "RFC 5280, section 4.2.1.12",
        "reissue with each purpose once";
    EKU_MISSING: Notice, "extended-key-usage-missing", "Apple, HT210176",
        "reissue with extendedKeyUsage = serverAuth";
    EKU_ANY: Warning, "extended-key-usage-any", "RFC 5280, section 4.2.1.12",
        "reissue with the purposes by name: extendedKeyUsage = serverAuth";
    EKU_NO_SERVER: Notice, "extended-key-usage-no-server", "RFC 5280, section 4.2.1.12",
        "nothing, if it is for no server; else reissue with extendedKeyUsage = serverAuth";
    EKU_CA_ANY: Warning, "ca-extended-key-usage-any", "CA/B Baseline Requirements, section 7.1.2.10.6",
        "reissue the CA with extendedKeyUsage = serverAuth, or without one";
    EKU_CA_NO_SERVER: Notice, "ca-extended-key-usage-no-server", "CA/B Baseline Requirements, section 7.1.2.10.6",
        "nothing, if it is for no servers; else reissue the CA with extendedKeyUsage = serverAuth";
    EKU_TIME_STAMPING: Error, "extended-key-usage-time-stamping", "RFC 3161, section 2.3",
        "reissue with timeStamping as the only purpose, in a critical extendedKeyUsage";
    EKU_OCSP: Warning, "extended-key-usage-ocsp", "CA/B Baseline Requirements, section 7.1.2.8.5",
        "reissue the responder's certificate with OCSPSigning as its only purpose";

    // Alternative names.
    SAN_MISSING: Error, "alternative-name-missing", "RFC 9525, section 2",
        "reissue with the host in the subjectAltName: nobody looks into the common name any more";
    NAMES_MISSING: Error, "names-missing", "RFC 5280, section 4.1.2.6",
        "reissue with a subjectAltName";
    SAN_EMPTY: Error, "alternative-name-empty", "RFC 5280, section 4.2.1.6",
        "reissue with the names that it is for";
    SAN_NOT_CRITICAL: Error, "alternative-name-not-critical", "RFC 5280, section 4.2.1.6",
        "reissue with a critical subjectAltName, or with a subject";
    SAN_CRITICAL: Warning, "alternative-name-critical", "RFC 5280, section 4.2.1.6",
        "reissue with a subjectAltName that is not critical";
    SAN_DOUBLED: Notice, "alternative-name-doubled", "RFC 5280, section 4.2.1.6",
        "reissue with each name once";
    DNS_IS_ADDRESS: Error, "dns-name-is-address", "RFC 5280, section 4.2.1.6",
        "reissue with the address as iPAddress (openssl: IP:192.0.2.1)";
    DNS_SYNTAX: Error, "dns-name-syntax", "RFC 5280, section 4.2.1.6; RFC 1034, section 3.5",
        "reissue with a DNS name: labels of letters, digits and hyphens";
    DNS_UNDERSCORE: Warning, "dns-name-underscore", "RFC 1034, section 3.5; CA/B Baseline Requirements, section 7.1.2.7.12",
        "give the host a name without \"_\", and reissue";
    DNS_WILDCARD: Error, "dns-name-wildcard", "RFC 9525, section 6.3",
        "reissue with \"*\" as the whole first label";
    DNS_WIDE_WILDCARD: Warning, "dns-name-wide-wildcard", "RFC 6125, section 7.2; CA/B Baseline Requirements, section 3.2.2.6",
        "reissue with at least two labels behind \"*\"";
    DNS_IDN: Error, "dns-name-idn", "RFC 5280, section 7.2; RFC 5891, section 4.2",
        "reissue with the A-label that the name has in IDNA 2008";
    DNS_LONG: Error, "dns-name-too-long", "RFC 1034, section 3.1",
        "reissue with labels of at most 63 octets and 253 in all";
    IP_LENGTH: Error, "ip-address-length", "RFC 5280, section 4.2.1.6",
        "reissue with the 4 octets of an IPv4 or the 16 of an IPv6 address";
    EMAIL_SYNTAX: Error, "email-address-syntax", "RFC 5280, section 4.2.1.6; RFC 5321, section 4.1.2",
        "reissue with an address such as ada@example.org";
    URI_SYNTAX: Error, "uri-syntax", "RFC 5280, section 4.2.1.6; RFC 3986, section 3",
        "reissue with a URI that has a scheme";

    // Other extensions.
    CRITICAL_UNKNOWN: Error, "critical-extension-unknown", "RFC 5280, section 4.2",
        "reissue without the extension, or with it not critical";
    NC_LEAF: Error, "name-constraints-without-ca", "RFC 5280, section 4.2.1.10",
        "reissue without nameConstraints";
    NC_NOT_CRITICAL: Error, "name-constraints-not-critical", "RFC 5280, section 4.2.1.10",
        "reissue the CA with critical nameConstraints";
    NC_EMPTY: Error, "name-constraints-empty", "RFC 5280, section 4.2.1.10",
        "reissue with a permitted or excluded name, or without nameConstraints";
    POLICY_DOUBLED: Error, "policy-doubled", "RFC 5280, section 4.2.1.4",
        "reissue with each policy once";
    POLICY_EMPTY: Error, "policies-empty", "RFC 5280, section 4.2.1.4",
        "reissue with a policy, or without certificatePolicies";
    POLICY_QUALIFIER: Notice, "policy-qualifier", "RFC 5280, section 4.2.1.4; CA/B Baseline Requirements, section 7.1.2.7.9",
        "reissue without qualifiers: nobody reads them";
    POLICY_LEAF: Error, "policy-extension-without-ca", "RFC 5280, sections 4.2.1.5, 4.2.1.11 and 4.2.1.14",
        "reissue without it: it is for CAs";
    POLICY_NOT_CRITICAL: Warning, "policy-extension-not-critical", "RFC 5280, sections 4.2.1.11 and 4.2.1.14",
        "reissue with the extension critical";
    POLICY_CRITICAL: Notice, "policy-extension-critical", "RFC 5280, section 4.2; rustls-webpki 0.103",
        "nothing, as RFC 5280 wants it so; where rustls is to take it, reissue without it";
    POLICY_ANY_MAPPED: Error, "policy-any-mapped", "RFC 5280, section 4.2.1.5",
        "reissue without mappings to or from anyPolicy";
    AIA_CRITICAL: Error, "info-access-critical", "RFC 5280, section 4.2.2.1",
        "reissue with an authorityInfoAccess that is not critical";
    AIA_EMPTY: Error, "info-access-empty", "RFC 5280, section 4.2.2.1",
        "reissue with an address, or without authorityInfoAccess";
    AIA_LOCATION: Warning, "info-access-location", "RFC 5280, section 4.2.2.1; CA/B Baseline Requirements, section 7.1.2.7.7",
        "reissue with an address that begins with http://";
    CRL_EMPTY: Error, "crl-point-empty", "RFC 5280, section 4.2.1.13",
        "reissue with the address of the CRL";
    CRL_LOCATION: Warning, "crl-point-location", "RFC 5280, section 4.2.1.13; CA/B Baseline Requirements, section 7.1.2.11.2",
        "reissue with an address that begins with http://";
    CRL_CRITICAL: Warning, "crl-point-critical", "RFC 5280, section 4.2.1.13",
        "reissue with a cRLDistributionPoints that is not critical";
    DEPRECATED: Warning, "extension-deprecated", "RFC 3280, section 4.2.1.4, which RFC 5280 left out; Netscape Certificate Extensions, 1997",
        "reissue without it: nobody has read it for twenty years";
    MUST_NOT_BE_CRITICAL: Error, "extension-critical", "RFC 5280, sections 4.2.1.7, 4.2.1.8, 4.2.1.15 and 4.2.2.2",
        "reissue with the extension not critical";
    POISON: Error, "precertificate", "RFC 6962, section 3.1",
        "use the certificate that the CA made of this precertificate";
    SCT_EMPTY: Error, "sct-list-empty", "RFC 6962, section 3.3",
        "reissue with a timestamp, or without the list";

    // Chains.
    ORDER: Error, "chain-order", "RFC 8446, section 4.4.2",
        "put each certificate behind the one that it issued";
    ISSUER_MISSING: Error, "issuer-missing", "RFC 8446, section 4.4.2",
        "put the certificate of its issuer behind it";
    SIGNATURE_WRONG: Error, "signature-wrong", "RFC 5280, section 6.1.3 (a)(1)",
        "send the certificate of the CA that issued it: this one only has its name";
    OUTLIVES: Warning, "outlives-issuer", "RFC 5280, section 6.1.3 (a)(2)",
        "reissue with an end before that of its issuer, or renew the issuer first";
    PATH_TOO_LONG: Error, "path-too-long", "RFC 5280, section 6.1.4 (l) and (m)",
        "issue below a CA with a larger pathLenConstraint";
    NAME_NOT_PERMITTED: Error, "name-not-permitted", "RFC 5280, section 6.1.3 (b) and (c)",
        "use a CA that may certify the name";
    POLICY_UNMET: Error, "required-policy-missing", "RFC 5280, sections 4.2.1.11, 6.1.3 (f) and 6.1.5 (g)",
        "reissue with a policy that all CAs above have, or use a CA that asks for none";

    // The CA/Browser Forum's baseline, for what is publicly trusted.
    BR_LIFE: Error, "baseline-life", "CA/B Baseline Requirements, section 6.3.2 (ballot SC-081v3)",
        "have it reissued for a shorter time: ACME clients do it by themselves";
    BR_COMMON_NAME: Error, "baseline-common-name", "CA/B Baseline Requirements, section 7.1.4.3",
        "have it reissued with the common name among the alternative names, or with none";
    BR_INTERNAL_NAME: Error, "baseline-internal-name", "CA/B Baseline Requirements, section 4.2.2",
        "have such names certified by a CA of your own";
    BR_RESERVED_ADDRESS: Error, "baseline-reserved-address", "CA/B Baseline Requirements, section 4.2.2",
        "have such addresses certified by a CA of your own";
    BR_NAME_KIND: Error, "baseline-name-kind", "CA/B Baseline Requirements, section 7.1.2.7.12",
        "have it reissued with DNS names and addresses alone";
    BR_POLICY: Error, "baseline-policy-missing", "CA/B Baseline Requirements, section 7.1.2.7.9",
        "have it reissued with the policy 2.23.140.1.2.1 (or .2, .3, or 2.23.140.1.1)";
    BR_EKU: Error, "baseline-extended-key-usage", "CA/B Baseline Requirements, section 7.1.2.7.10",
        "have it reissued with serverAuth and without anyExtendedKeyUsage";
    BR_SCT: Warning, "baseline-sct-missing", "RFC 6962, section 3; Chrome Certificate Transparency Policy",
        "have it reissued by a CA that logs, or send timestamps in the handshake";
    BR_AIA: Error, "baseline-info-access-missing", "CA/B Baseline Requirements, section 7.1.2.7.6",
        "have it reissued with the address of its issuer's certificate";
    BR_ISSUER: Warning, "baseline-issuer-address-missing", "CA/B Baseline Requirements, section 7.1.2.7.7",
        "have it reissued with the address of its issuer's certificate";
    BR_REVOCATION: Error, "baseline-revocation-missing", "CA/B Baseline Requirements, sections 7.1.2.7.7 and 7.1.2.11.2",
        "have it reissued with the address of a CRL or of an OCSP responder";
    BR_KEY: Error, "baseline-key", "CA/B Baseline Requirements, sections 6.1.5 and 7.1.3.1",
        "have it reissued for an RSA key of 2048 bits or an ECDSA key on P-256 or P-384";
    BR_SERIAL: Error, "baseline-serial", "CA/B Baseline Requirements, section 7.1.2.7",
        "have it reissued with a serial number of at least 64 random bits";
    BR_SHA1: Error, "baseline-hash", "CA/B Baseline Requirements, section 7.1.3.2",
        "have it reissued with a signature over SHA-256";
}
