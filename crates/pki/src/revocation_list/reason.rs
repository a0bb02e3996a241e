//! Why a certificate was revoked (RFC 5280, section 5.3.1).

use std::fmt;
use std::str::FromStr;

/// Why a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum RevocationReason {
    /// It is not told why.
    #[default]
    Unspecified,
    /// Others have its key, or may have it.
    KeyCompromise,
    /// Others have the key of a CA, or may have it.
    CaCompromise,
    /// Its holder's name or affiliation is another now.
    AffiliationChanged,
    /// Another has taken its place.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// It is held for a while, and may come back.
    CertificateHold,
    /// It is not held any more, in a delta.
    RemoveFromCrl,
    /// Its holder may no longer do what it says.
    PrivilegeWithdrawn,
    /// Others have the key of an attribute authority.
    AaCompromise,
}

/// Why a text is not a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a reason to revoke; there are: {}", RevocationReason::ALL.map(RevocationReason::name).join(", "))]
pub struct RevocationReasonError {
    text: String,
}

impl RevocationReason {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// Its name in RFC 5280.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// Its number among the `CRLReason`s. There is no 7.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The reason of a number; none where the number stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Its bit among the `ReasonFlags` of distribution points (section 4.2.1.13), the first of which
    /// is the highest. What is unspecified, or no revocation, has none.
    #[must_use]
    pub const fn flag(self) -> Option<u16> {
        match self {
            Self::Unspecified | Self::RemoveFromCrl => None,
            Self::PrivilegeWithdrawn => Some(0x8000 >> 7),
            Self::AaCompromise => Some(0x8000 >> 8),
            other => Some(0x8000 >> other.code()),
        }
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RevocationReason {
    type Err = RevocationReasonError;

    /// Reads the names of RFC 5280; case, hyphens and underscores make no difference:
    /// `keyCompromise`, `key-compromise`.
    fn from_str(text: &str) -> Result<Self, RevocationReasonError> {
        let plain = text.replace(['-', '_'], "");
        Self::ALL
            .into_iter()
            .find(|reason| reason.name().eq_ignore_ascii_case(&plain))
            .ok_or_else(|| RevocationReasonError {
                text: text.chars().take(80).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_say_the_same() {
        for reason in RevocationReason::ALL {
            assert_eq!(RevocationReason::from_code(reason.code()), Some(reason));
            assert_eq!(reason.to_string().parse(), Ok(reason));
        }
        assert_eq!(
            "key-compromise".parse(),
            Ok(RevocationReason::KeyCompromise)
        );
        assert_eq!(RevocationReason::from_code(7), None);
        let error = "stolen".parse::<RevocationReason>().unwrap_err();
        assert!(error.to_string().contains("keyCompromise"), "{error}");
    }

    #[test]
    fn flags_are_those_of_the_standard() {
        use RevocationReason as R;
        // ReasonFlags: unused (0), keyCompromise (1) … privilegeWithdrawn (7), aACompromise (8).
        assert_eq!(R::KeyCompromise.flag(), Some(0x4000));
        assert_eq!(R::CertificateHold.flag(), Some(0x0200));
        assert_eq!(R::PrivilegeWithdrawn.flag(), Some(0x0100));
        assert_eq!(R::AaCompromise.flag(), Some(0x0080));
    }
}
