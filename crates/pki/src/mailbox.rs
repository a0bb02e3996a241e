//! Mailboxes (RFC 5321, RFC 6531): whom a certificate for mail is for, and how two are compared.

use std::fmt;
use std::str::FromStr;

use crate::der::{Reader, Tag};
use crate::name::HostName;

/// A mailbox: `ada@example.org`.
///
/// Two are equal if they are the same for a certificate (RFC 5280, section 7.5; RFC 9598, section 5):
/// their hosts without regard to case, and what stands before the `@` octet by octet, as only its host
/// knows what that means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    local: String,
    /// In lower case, as A-labels.
    host: String,
}

/// Why a text is no mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an email address, such as \"ada@example.org\"")]
pub struct MailboxError(String);

impl Mailbox {
    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The host, in lower case; labels of other alphabets as A-labels.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The mailbox that others wrote into a certificate, an `rfc822Name` or an `emailAddress`: whatever
    /// it is called there, as long as it has a host.
    pub(crate) fn in_certificate(text: &str) -> Option<Self> {
        let (local, host) = text.rsplit_once('@')?;
        let host = if host.is_ascii() {
            host.to_ascii_lowercase()
        } else {
            // Forbidden by RFC 9598, and what RFC 8398 before it had.
            host.parse::<HostName>().ok()?.to_string()
        };
        (!local.is_empty() && !host.is_empty()).then(|| Self {
            local: local.to_owned(),
            host,
        })
    }

    /// The mailbox in a `SmtpUTF8Mailbox` (RFC 9598, section 3), by its DER.
    pub(crate) fn in_smtp_utf8(der: &[u8]) -> Option<Self> {
        let text = Reader::only(der, Tag::UTF8_STRING).ok()?.text().ok()?;
        Self::in_certificate(&text)
    }
}

impl FromStr for Mailbox {
    type Err = MailboxError;

    /// Reads atoms with dots (RFC 5321, section 4.1.2), of letters of any alphabet (RFC 6531, section
    /// 3.3), before the `@`. Quoted ones are valid and used by nobody. The host becomes A-labels.
    fn from_str(text: &str) -> Result<Self, MailboxError> {
        let error = || MailboxError(text.chars().take(320).collect());
        let (local, host) = text.rsplit_once('@').ok_or_else(error)?;
        let letter = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        let good = local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(letter));
        match host.parse() {
            Ok(HostName::Dns(host)) if good && local.len() <= 64 && !host.contains('*') => {
                Ok(Self {
                    local: local.to_owned(),
                    host,
                })
            }
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Writer;

    #[test]
    fn hosts_are_compared_without_case_and_the_rest_with_it() {
        let asked: Mailbox = "Ada.L@EXAMPLE.org".parse().unwrap();
        assert_eq!(
            Mailbox::in_certificate("Ada.L@example.ORG"),
            Some(asked.clone())
        );
        assert_ne!(Mailbox::in_certificate("ada.l@example.org"), Some(asked));
        let asked: Mailbox = "ada@bücher.example".parse().unwrap();
        assert_eq!(
            Mailbox::in_certificate("ada@XN--BCHER-KVA.example"),
            Some(asked.clone())
        );
        assert_eq!(Mailbox::in_certificate("ada@bücher.example"), Some(asked));
        for nobody in ["example.org", "@example.org", "ada@", ""] {
            assert_eq!(Mailbox::in_certificate(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn letters_of_all_alphabets_are_read() {
        let mut der = Writer::new();
        der.utf8("用户@example.org");
        let asked: Mailbox = "用户@example.org".parse().unwrap();
        assert_eq!(Mailbox::in_smtp_utf8(der.bytes()), Some(asked));
        assert_eq!(Mailbox::in_smtp_utf8(&[12, 1]), None);
        for bad in [
            "",
            "ada",
            "a@1.2.3.4",
            "a b@c.example",
            ".a@b.example",
            "a@*.b.example",
        ] {
            assert!(bad.parse::<Mailbox>().is_err(), "{bad:?}");
        }
    }
}
