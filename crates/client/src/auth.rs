//! Who asks: the credentials of a request.

use std::fmt;

use base64::Engine as _;
use http::HeaderValue;

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password, as they are (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token (RFC 6750).
    Bearer(String),
    /// A user and a password of which a hash is sent, when the server asks for it (RFC 7616).
    Digest {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
}

/// Passwords never show.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
            Self::Digest { .. } => "Digest",
        })
    }
}

impl Credentials {
    /// What `Authorization` says from the start; none where the server has to ask first, or what there is fits into
    /// no header field.
    #[must_use]
    pub fn at_once(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Basic { user, password } => {
                let pair = format!("{user}:{password}");
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                format!("Basic {pair}")
            }
            Self::Bearer(token) => format!("Bearer {token}"),
            Self::Digest { .. } => return None,
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
