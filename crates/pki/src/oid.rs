//! Object identifiers (X.660): the numbers by which certificates name everything, and their names in
//! the standards.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An object identifier. `Display` writes it with dots: `2.5.4.3`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(Cow<'static, [u8]>);

/// Why a text is not an object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an object identifier, such as \"1.3.6.1.4.1.99999.1\"")]
pub struct OidError(String);

impl Oid {
    /// An identifier from its DER content, for constants.
    #[must_use]
    pub(crate) const fn from_static(content: &'static [u8]) -> Self {
        Self(Cow::Borrowed(content))
    }

    /// An identifier from its DER content (X.690, 8.19); none where that is malformed, has a number
    /// beyond 64 bits, or is longer than 64 octets.
    #[must_use]
    pub fn from_der_content(content: &[u8]) -> Option<Self> {
        // The last octet first: it alone tells most of them apart, and comparing them whole took a sixth of
        // reading a certificate.
        let is = |oid: &Self| oid.0.last() == content.last() && oid.0 == content;
        if let Some(known) = KNOWN.iter().find(|(oid, _)| is(oid)) {
            // Nothing has to be allocated for the usual ones.
            return Some(known.0.clone());
        }
        let whole = content.last().is_some_and(|last| last & 0x80 == 0) && content.len() <= 64;
        let mut first = true;
        let mut bits = 0;
        for octet in content {
            if first && *octet == 0x80 {
                return None;
            }
            bits = if first { 7 } else { bits + 7 };
            if bits > 63 {
                return None;
            }
            first = octet & 0x80 == 0;
        }
        whole.then(|| Self(Cow::Owned(content.to_vec())))
    }

    /// The content octets of its DER.
    #[must_use]
    pub fn der_content(&self) -> &[u8] {
        &self.0
    }

    /// Its name in the standards, where Ravelin knows it: `commonName`.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        let known = KNOWN.iter().find(|(oid, _)| oid == self);
        known.map(|(_, name)| *name)
    }

    /// Its name where it is known, else the numbers.
    #[must_use]
    pub fn name_or_dots(&self) -> String {
        self.name().map_or_else(|| self.to_string(), str::to_owned)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut number = 0_u64;
        let mut is_first = true;
        for octet in self.0.iter() {
            number = number << 7 | u64::from(octet & 0x7f);
            if octet & 0x80 != 0 {
                continue;
            }
            if is_first {
                let arc = (number / 40).min(2);
                write!(f, "{arc}.{}", number - arc * 40)?;
                is_first = false;
            } else {
                write!(f, ".{number}")?;
            }
            number = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let error = || OidError(text.chars().take(80).collect());
        let numbers: Vec<u64> = text
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| error())?;
        let [first @ 0..=2, second, rest @ ..] = numbers.as_slice() else {
            return Err(error());
        };
        if *second > if *first < 2 { 39 } else { 1 << 40 } {
            return Err(error());
        }
        let mut content = Vec::new();
        push(&mut content, first * 40 + second);
        for number in rest {
            push(&mut content, *number);
        }
        Self::from_der_content(&content).ok_or_else(error)
    }
}

fn push(content: &mut Vec<u8>, number: u64) {
    let groups = (64 - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group == 0 { 0 } else { 0x80 };
        content.push((number >> (7 * group)) as u8 & 0x7f | more);
    }
}

/// Declares the identifiers that Ravelin knows: a constant each, and the table of names.
macro_rules! known {
    ($($constant:ident = $content:literal, $name:literal;)*) => {
        #[allow(missing_docs, reason = "the names are those of the standards")]
        impl Oid {
            $(pub const $constant: Self = Self::from_static($content);)*
        }

        const KNOWN: &[(Oid, &str)] = &[$((Oid::$constant, $name),)*];
    };
}

known! {
    // Attributes of names: X.520, RFC 4519, RFC 2985, CA/Browser Forum.
    COMMON_NAME = b"\x55\x04\x03", "commonName";
    SURNAME = b"\x55\x04\x04", "surname";
    SERIAL_NUMBER = b"\x55\x04\x05", "serialNumber";
    COUNTRY = b"\x55\x04\x06", "countryName";
    LOCALITY = b"\x55\x04\x07", "localityName";
    STATE = b"\x55\x04\x08", "stateOrProvinceName";
    STREET = b"\x55\x04\x09", "streetAddress";
    ORGANIZATION = b"\x55\x04\x0a", "organizationName";
    ORGANIZATIONAL_UNIT = b"\x55\x04\x0b", "organizationalUnitName";
    TITLE = b"\x55\x04\x0c", "title";
    BUSINESS_CATEGORY = b"\x55\x04\x0f", "businessCategory";
    POSTAL_CODE = b"\x55\x04\x11", "postalCode";
    GIVEN_NAME = b"\x55\x04\x2a", "givenName";
    INITIALS = b"\x55\x04\x2b", "initials";
    GENERATION_QUALIFIER = b"\x55\x04\x2c", "generationQualifier";
    DN_QUALIFIER = b"\x55\x04\x2e", "dnQualifier";
    PSEUDONYM = b"\x55\x04\x41", "pseudonym";
    ORGANIZATION_IDENTIFIER = b"\x55\x04\x61", "organizationIdentifier";
    USER_ID = b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "userId";
    DOMAIN_COMPONENT = b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "domainComponent";
    EMAIL_ADDRESS = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress";
    JURISDICTION_LOCALITY = b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionLocalityName";
    JURISDICTION_STATE = b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "jurisdictionStateOrProvinceName";
    JURISDICTION_COUNTRY = b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionCountryName";

    // Extensions: RFC 5280, RFC 6960, RFC 7633, RFC 6962.
    SUBJECT_DIRECTORY_ATTRIBUTES = b"\x55\x1d\x09", "subjectDirectoryAttributes";
    SUBJECT_KEY_IDENTIFIER = b"\x55\x1d\x0e", "subjectKeyIdentifier";
    KEY_USAGE = b"\x55\x1d\x0f", "keyUsage";
    PRIVATE_KEY_USAGE_PERIOD = b"\x55\x1d\x10", "privateKeyUsagePeriod";
    SUBJECT_ALT_NAME = b"\x55\x1d\x11", "subjectAltName";
    ISSUER_ALT_NAME = b"\x55\x1d\x12", "issuerAltName";
    BASIC_CONSTRAINTS = b"\x55\x1d\x13", "basicConstraints";
    CRL_NUMBER = b"\x55\x1d\x14", "cRLNumber";
    CRL_REASON = b"\x55\x1d\x15", "reasonCode";
    HOLD_INSTRUCTION = b"\x55\x1d\x17", "holdInstructionCode";
    INVALIDITY_DATE = b"\x55\x1d\x18", "invalidityDate";
    DELTA_CRL_INDICATOR = b"\x55\x1d\x1b", "deltaCRLIndicator";
    ISSUING_DISTRIBUTION_POINT = b"\x55\x1d\x1c", "issuingDistributionPoint";
    CERTIFICATE_ISSUER = b"\x55\x1d\x1d", "certificateIssuer";
    NAME_CONSTRAINTS = b"\x55\x1d\x1e", "nameConstraints";
    CRL_DISTRIBUTION_POINTS = b"\x55\x1d\x1f", "cRLDistributionPoints";
    CERTIFICATE_POLICIES = b"\x55\x1d\x20", "certificatePolicies";
    ANY_POLICY = b"\x55\x1d\x20\x00", "anyPolicy";
    POLICY_MAPPINGS = b"\x55\x1d\x21", "policyMappings";
    AUTHORITY_KEY_IDENTIFIER = b"\x55\x1d\x23", "authorityKeyIdentifier";
    POLICY_CONSTRAINTS = b"\x55\x1d\x24", "policyConstraints";
    EXTENDED_KEY_USAGE = b"\x55\x1d\x25", "extKeyUsage";
    FRESHEST_CRL = b"\x55\x1d\x2e", "freshestCRL";
    INHIBIT_ANY_POLICY = b"\x55\x1d\x36", "inhibitAnyPolicy";
    AUTHORITY_INFO_ACCESS = b"\x2b\x06\x01\x05\x05\x07\x01\x01", "authorityInfoAccess";
    QC_STATEMENTS = b"\x2b\x06\x01\x05\x05\x07\x01\x03", "qcStatements";
    SUBJECT_INFO_ACCESS = b"\x2b\x06\x01\x05\x05\x07\x01\x0b", "subjectInfoAccess";
    TLS_FEATURE = b"\x2b\x06\x01\x05\x05\x07\x01\x18", "tlsfeature";
    ACME_IDENTIFIER = b"\x2b\x06\x01\x05\x05\x07\x01\x1f", "acmeIdentifier";
    SCT_LIST = b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02", "signedCertificateTimestampList";
    CT_POISON = b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03", "precertificatePoison";
    NETSCAPE_CERT_TYPE = b"\x60\x86\x48\x01\x86\xf8\x42\x01\x01", "netscapeCertType";
    NETSCAPE_COMMENT = b"\x60\x86\x48\x01\x86\xf8\x42\x01\x0d", "netscapeComment";

    // Extended key usages: RFC 5280, section 4.2.1.12, and others.
    ANY_EXTENDED_KEY_USAGE = b"\x55\x1d\x25\x00", "anyExtendedKeyUsage";
    SERVER_AUTH = b"\x2b\x06\x01\x05\x05\x07\x03\x01", "serverAuth";
    CLIENT_AUTH = b"\x2b\x06\x01\x05\x05\x07\x03\x02", "clientAuth";
    CODE_SIGNING = b"\x2b\x06\x01\x05\x05\x07\x03\x03", "codeSigning";
    EMAIL_PROTECTION = b"\x2b\x06\x01\x05\x05\x07\x03\x04", "emailProtection";
    TIME_STAMPING = b"\x2b\x06\x01\x05\x05\x07\x03\x08", "timeStamping";
    OCSP_SIGNING = b"\x2b\x06\x01\x05\x05\x07\x03\x09", "OCSPSigning";
    SERVER_GATED_CRYPTO = b"\x60\x86\x48\x01\x86\xf8\x42\x04\x01", "nsSGC";
    SMARTCARD_LOGON = b"\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x02", "smartcardLogon";

    // Other names: RFC 9598.
    SMTP_UTF8_MAILBOX = b"\x2b\x06\x01\x05\x05\x07\x08\x09", "id-on-SmtpUTF8Mailbox";

    // Access methods, policy qualifiers and OCSP: RFC 5280, RFC 6960.
    OCSP = b"\x2b\x06\x01\x05\x05\x07\x30\x01", "ocsp";
    OCSP_BASIC = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01", "ocspBasic";
    OCSP_NONCE = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x02", "ocspNonce";
    OCSP_NO_CHECK = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x05", "ocspNoCheck";
    CA_ISSUERS = b"\x2b\x06\x01\x05\x05\x07\x30\x02", "caIssuers";
    CPS = b"\x2b\x06\x01\x05\x05\x07\x02\x01", "cps";
    USER_NOTICE = b"\x2b\x06\x01\x05\x05\x07\x02\x02", "unotice";

    // Policies of the CA/Browser Forum.
    DOMAIN_VALIDATED = b"\x67\x81\x0c\x01\x02\x01", "domain-validated";
    ORGANIZATION_VALIDATED = b"\x67\x81\x0c\x01\x02\x02", "organization-validated";
    INDIVIDUAL_VALIDATED = b"\x67\x81\x0c\x01\x02\x03", "individual-validated";
    EXTENDED_VALIDATION = b"\x67\x81\x0c\x01\x01", "extended-validation";

    // Requests and containers: RFC 2985, RFC 5652, RFC 5083.
    CHALLENGE_PASSWORD = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07", "challengePassword";
    EXTENSION_REQUEST = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", "extensionRequest";
    DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", "data";
    SIGNED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "signedData";
    CONTENT_TYPE = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", "contentType";
    MESSAGE_DIGEST = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", "messageDigest";
    SIGNING_TIME = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05", "signingTime";
    ENVELOPED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", "envelopedData";
    AUTH_ENVELOPED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", "authEnvelopedData";

    // Keys and signatures: RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8410, RFC 9881.
    RSA_ENCRYPTION = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "rsaEncryption";
    MD5_WITH_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "md5WithRSAEncryption";
    SHA1_WITH_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "sha1WithRSAEncryption";
    MGF1 = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08", "mgf1";
    RSA_PSS = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "rsassaPss";
    SHA256_WITH_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "sha256WithRSAEncryption";
    SHA384_WITH_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", "sha384WithRSAEncryption";
    SHA512_WITH_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", "sha512WithRSAEncryption";
    DSA = b"\x2a\x86\x48\xce\x38\x04\x01", "id-dsa";
    DSA_WITH_SHA1 = b"\x2a\x86\x48\xce\x38\x04\x03", "dsa-with-sha1";
    DSA_WITH_SHA256 = b"\x60\x86\x48\x01\x65\x03\x04\x03\x02", "dsa-with-sha256";
    EC_PUBLIC_KEY = b"\x2a\x86\x48\xce\x3d\x02\x01", "id-ecPublicKey";
    P256 = b"\x2a\x86\x48\xce\x3d\x03\x01\x07", "secp256r1";
    P384 = b"\x2b\x81\x04\x00\x22", "secp384r1";
    P521 = b"\x2b\x81\x04\x00\x23", "secp521r1";
    SECP256K1 = b"\x2b\x81\x04\x00\x0a", "secp256k1";
    ECDSA_SHA1 = b"\x2a\x86\x48\xce\x3d\x04\x01", "ecdsa-with-SHA1";
    ECDSA_SHA256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02", "ecdsa-with-SHA256";
    ECDSA_SHA384 = b"\x2a\x86\x48\xce\x3d\x04\x03\x03", "ecdsa-with-SHA384";
    ECDSA_SHA512 = b"\x2a\x86\x48\xce\x3d\x04\x03\x04", "ecdsa-with-SHA512";
    X25519 = b"\x2b\x65\x6e", "id-X25519";
    ED25519 = b"\x2b\x65\x70", "id-Ed25519";
    ED448 = b"\x2b\x65\x71", "id-Ed448";
    ML_DSA_44 = b"\x60\x86\x48\x01\x65\x03\x04\x03\x11", "id-ml-dsa-44";
    ML_DSA_65 = b"\x60\x86\x48\x01\x65\x03\x04\x03\x12", "id-ml-dsa-65";
    ML_DSA_87 = b"\x60\x86\x48\x01\x65\x03\x04\x03\x13", "id-ml-dsa-87";
    SHA1 = b"\x2b\x0e\x03\x02\x1a", "id-sha1";
    SHA256 = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", "id-sha256";
    SHA384 = b"\x60\x86\x48\x01\x65\x03\x04\x02\x02", "id-sha384";
    SHA512 = b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", "id-sha512";

    // How content is encrypted to keys: RFC 8017, RFC 5753, RFC 3565, RFC 5084.
    RSAES_OAEP = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07", "rsaesOaep";
    DH_SHA1_KDF = b"\x2b\x81\x05\x10\x86\x48\x3f\x00\x02", "dhSinglePass-stdDH-sha1kdf-scheme";
    DH_SHA256_KDF = b"\x2b\x81\x04\x01\x0b\x01", "dhSinglePass-stdDH-sha256kdf-scheme";
    DH_SHA384_KDF = b"\x2b\x81\x04\x01\x0b\x02", "dhSinglePass-stdDH-sha384kdf-scheme";
    DH_SHA512_KDF = b"\x2b\x81\x04\x01\x0b\x03", "dhSinglePass-stdDH-sha512kdf-scheme";
    AES128_WRAP = b"\x60\x86\x48\x01\x65\x03\x04\x01\x05", "id-aes128-wrap";
    AES256_WRAP = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2d", "id-aes256-wrap";
    AES128_GCM = b"\x60\x86\x48\x01\x65\x03\x04\x01\x06", "id-aes128-GCM";
    AES256_GCM = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2e", "id-aes256-GCM";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_octets_say_the_same() {
        for text in [
            "2.5.4.3",
            "1.3.6.1.5.5.7.3.1",
            "2.999.1",
            "0.9.2342.19200300.100.1.25",
            "1.2.840.113549.1.1.11",
        ] {
            let oid: Oid = text.parse().unwrap();
            assert_eq!(oid.to_string(), text);
            assert_eq!(Oid::from_der_content(oid.der_content()), Some(oid));
        }
        for text in [
            "",
            "1",
            "3.1",
            "1.40",
            "1..2",
            "1.2.x",
            "1.2.18446744073709551615",
        ] {
            assert!(text.parse::<Oid>().is_err(), "{text:?}");
        }
        for content in [
            &[][..],
            &[0x80, 1],
            &[0x55, 0x80],
            &[0x55, 0x81],
            &[0xff; 65],
        ] {
            assert_eq!(Oid::from_der_content(content), None, "{content:?}");
        }
    }

    #[test]
    fn no_two_known_ones_are_the_same() {
        for (index, (oid, name)) in KNOWN.iter().enumerate() {
            assert!(
                !KNOWN[..index]
                    .iter()
                    .any(|(other, taken)| other == oid || taken == name),
                "{name}"
            );
            assert_eq!(oid.to_string().parse().as_ref(), Ok(oid), "{name}");
        }
        assert_eq!(Oid::SERVER_AUTH.to_string(), "1.3.6.1.5.5.7.3.1");
        assert_eq!(Oid::ML_DSA_44.to_string(), "2.16.840.1.101.3.4.3.17");
        assert_eq!(Oid::SCT_LIST.to_string(), "1.3.6.1.4.1.11129.2.4.2");
    }
}
