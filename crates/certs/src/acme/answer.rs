//! Challenges, and what is shown to a CA that looks whether a name leads here.

use std::fmt;
use std::time::{Duration, SystemTime};

use instant_acme::{ChallengeType, KeyAuthorization};
use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::{CertificateDer, GeneralName, HostName, PrivateKey, PrivateKeyDer, Template};

use super::error::AcmeError;

/// A way of proving that a name leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A certificate that is shown over TLS on port 443 (RFC 8737).
    TlsAlpn,
    /// A text at a path over plain HTTP on port 80 (RFC 8555, section 8.3).
    Http,
}

impl Kind {
    /// As RFC 8555 and RFC 8737 call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsAlpn => "tls-alpn-01",
            Self::Http => "http-01",
        }
    }

    /// The port that the CA connects to.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::TlsAlpn => 443,
            Self::Http => 80,
        }
    }

    pub(super) fn as_type(self) -> ChallengeType {
        match self {
            Self::TlsAlpn => ChallengeType::TlsAlpn01,
            Self::Http => ChallengeType::Http01,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is to be shown.
pub enum Answer {
    /// A certificate, to who asks for the name with `acme-tls/1` alone by ALPN.
    TlsAlpn {
        /// The certificate, signed by itself.
        certificate: CertificateDer<'static>,
        /// Its key.
        key: PrivateKeyDer<'static>,
    },
    /// A text, at `/.well-known/acme-challenge/` and the token.
    Http {
        /// Letters, digits, `-` and `_`, 128 at most.
        token: String,
        /// The text.
        content: String,
    },
}

/// Shows the token alone.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TlsAlpn { .. } => f.write_str("TlsAlpn"),
            Self::Http { token, .. } => f.debug_tuple("Http").field(token).finish(),
        }
    }
}

/// Who shows answers to CAs.
pub trait Answers: Send + Sync {
    /// Shows an answer from now on.
    ///
    /// # Errors
    ///
    /// In words, why it cannot.
    fn show(&self, name: &HostName, answer: &Answer) -> Result<(), String>;

    /// Shows it no more.
    fn withdraw(&self, name: &HostName, answer: &Answer);
}

/// What is shown for a name. `token` is the CA's word, and becomes part of a path.
pub(super) fn answer(
    kind: Kind,
    name: &HostName,
    token: &str,
    authorization: &KeyAuthorization,
    now: SystemTime,
) -> Result<Answer, AcmeError> {
    let is_token = (1..=128).contains(&token.len())
        && token
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    if !is_token {
        return Err(AcmeError::Protocol {
            why: format!("the token for \"{name}\" is none"),
        });
    }
    match kind {
        Kind::Http => Ok(Answer::Http {
            token: token.to_owned(),
            content: authorization.as_str().to_owned(),
        }),
        Kind::TlsAlpn => {
            let mut digest = [0; 32];
            digest.copy_from_slice(authorization.digest().as_ref());
            let mut template = Template::leaf(vec![GeneralName::from(name)]);
            template.acme_identifier = Some(digest);
            let key = PrivateKey::generate()?;
            let certificate = self_signed_certificate(&template, &key, LIFE, now)?;
            Ok(Answer::TlsAlpn {
                certificate,
                key: key.der()?,
            })
        }
    }
}

/// Shown answers, until this is dropped.
pub(super) struct Shown<'a> {
    answers: &'a dyn Answers,
    shown: Vec<(HostName, Answer)>,
}

impl<'a> Shown<'a> {
    pub(super) fn by(answers: &'a dyn Answers) -> Self {
        Self {
            answers,
            shown: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, name: &HostName, answer: Answer) -> Result<(), AcmeError> {
        self.answers
            .show(name, &answer)
            .map_err(|why| AcmeError::Show {
                name: name.clone(),
                why,
            })?;
        self.shown.push((name.clone(), answer));
        Ok(())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        for (name, answer) in &self.shown {
            self.answers.withdraw(name, answer);
        }
    }
}

/// Longer than any order takes.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
