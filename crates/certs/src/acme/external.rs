//! The account of another kind, which a person has with a CA, that an account of ACME is bound to (RFC 8555, section 7.3.4).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use instant_acme::ExternalAccountKey;
use zeroize::Zeroizing;

/// Its identifier and its key, as the CA gives both to who has such an account.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalAccount {
    id: String,
    key: Arc<Zeroizing<Vec<u8>>>,
}

/// Why a text is no key of such an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExternalAccountError {
    /// It is not base64.
    #[error("the key of the external account is not base64url")]
    NotBase64,
    /// It is too short for a key of HMAC.
    #[error("the key of the external account is shorter than 16 octets")]
    Short,
}

impl ExternalAccount {
    /// With a key in base64url, as CAs show it, or in base64.
    pub fn new(id: &str, key: &str) -> Result<Self, ExternalAccountError> {
        let text = Zeroizing::new(key.trim().replace('+', "-").replace('/', "_"));
        let key = LENIENT.decode(text.as_bytes());
        let key = Zeroizing::new(key.map_err(|_| ExternalAccountError::NotBase64)?);
        if key.len() < 16 {
            return Err(ExternalAccountError::Short);
        }
        Ok(Self {
            id: id.to_owned(),
            key: Arc::new(key),
        })
    }

    pub(super) fn key(&self) -> ExternalAccountKey {
        ExternalAccountKey::new(self.id.clone(), &self.key)
    }
}

/// The key never shows.
impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalAccount")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_both_alphabets_and_never_shown() {
        let key = |text: &str| ExternalAccount::new("kid-1", text);
        let one = key("-_8AAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!(key("+/8AAAAAAAAAAAAAAAAAAA==\n").unwrap(), one);
        assert_eq!(key("no key"), Err(ExternalAccountError::NotBase64));
        assert_eq!(key("AAAA"), Err(ExternalAccountError::Short));
        assert_eq!(format!("{one:?}"), "ExternalAccount { id: \"kid-1\", .. }");
    }
}
