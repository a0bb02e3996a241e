//! Why a key in a token cannot be used, and what the user can do about it. No PIN is in any of it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use cryptoki::error::{Error as CryptokiError, RvError};
use ravelin_pki::KeyType;

use super::TokenUri;

/// Why a key in a token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The PKCS#11 module is missing or broken.
    #[error("the PKCS#11 module \"{}\" cannot be loaded", module.display())]
    Module {
        /// Its path.
        module: PathBuf,
        /// What the system or the module says.
        source: ModuleAnswer,
    },
    /// The token is not there, or was never.
    #[error("there is no token for \"{uri}\"; there are: {there_are}")]
    NoToken {
        /// What was looked for.
        uri: Box<TokenUri>,
        /// The labels of those that are there.
        there_are: String,
    },
    /// More than one token fits.
    #[error("more than one token fits \"{uri}\": {there_are}")]
    SeveralTokens {
        /// What was looked for.
        uri: Box<TokenUri>,
        /// The labels of those that fit.
        there_are: String,
    },
    /// The token is there, the key is not.
    #[error("the token has no private key for \"{uri}\"")]
    NoKey {
        /// What was looked for.
        uri: Box<TokenUri>,
    },
    /// More than one key fits.
    #[error("{count} private keys fit \"{uri}\"")]
    SeveralKeys {
        /// What was looked for.
        uri: Box<TokenUri>,
        /// How many.
        count: usize,
    },
    /// A key was to be made where there is one.
    #[error("the token has a key for \"{uri}\" already, of the kind {key}")]
    KeyThere {
        /// Which.
        uri: Box<TokenUri>,
        /// Its kind.
        key: String,
    },
    /// The key has no public half in the token, or one that cannot be read.
    #[error("the public half of \"{uri}\" cannot be read from the token")]
    NoPublicHalf {
        /// Which key.
        uri: Box<TokenUri>,
    },
    /// The key is not the one that it was.
    #[error("the key \"{uri}\" in the token is another than the certificate's")]
    OtherKey {
        /// Which key.
        uri: Box<TokenUri>,
    },
    /// Keys of this kind cannot be made or used.
    #[error("the token \"{token}\" makes no keys of the kind {key_type}")]
    Kind {
        /// The token's label.
        token: String,
        /// The kind.
        key_type: KeyType,
    },
    /// The token wants its PIN for each signature.
    #[error("the key \"{uri}\" asks for the PIN at each signature, which is not supported")]
    AlwaysAsks {
        /// Which key.
        uri: Box<TokenUri>,
    },
    /// The token needs its PIN, and nobody gave one.
    #[error("the token \"{token}\" needs its PIN, and there is nobody to ask for it")]
    PinNeeded {
        /// The token's label.
        token: String,
    },
    /// The file with the PIN cannot be read.
    #[error("the file with the PIN, \"{}\", cannot be read", file.display())]
    PinFile {
        /// Its path.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The PIN is wrong.
    #[error("the PIN is not that of the token \"{token}\"{left}")]
    PinWrong {
        /// The token's label.
        token: String,
        /// What the token says about further tries.
        left: TriesLeft,
    },
    /// The PIN was refused before, and was not tried again: a few tries lock a token.
    #[error("the token \"{token}\" refused this PIN before, and was not asked again")]
    PinRefused {
        /// The token's label.
        token: String,
    },
    /// One try is left, and it is not spent on a file.
    #[error(
        "the token \"{token}\" takes one more PIN before it locks: the one in a file is not tried"
    )]
    PinLastTry {
        /// The token's label.
        token: String,
    },
    /// Too many wrong PINs.
    #[error("the token \"{token}\" is locked: too many wrong PINs")]
    PinLocked {
        /// The token's label.
        token: String,
    },
    /// A signature is not of the key, or none: the token is broken, or the module lies.
    #[error("the token's signature is not one of the key \"{uri}\"")]
    Signature {
        /// Which key.
        uri: Box<TokenUri>,
    },
    /// The system gave no randomness, for the identifier of a key.
    #[error("no key could be made: the system gave no randomness")]
    Random,
    /// The token or its module failed.
    #[error("the token \"{token}\" failed")]
    Failed {
        /// The token's label, or the URI where it is not found yet.
        token: String,
        /// What the module answered.
        source: ModuleAnswer,
    },
}

/// What a token says about how many wrong PINs it takes before it locks. It gives no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriesLeft {
    /// It says nothing: all of them, or it does not count.
    #[default]
    Enough,
    /// A wrong PIN was given since the last right one.
    Fewer,
    /// One more wrong PIN locks it.
    One,
    /// None: it is locked.
    None,
}

/// Follows "the PIN is not that of the token".
impl fmt::Display for TriesLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enough => "",
            Self::Fewer => "; a few more wrong ones may lock it",
            Self::One => "; one more wrong one locks it",
            Self::None => "; it is locked now",
        })
    }
}

/// What a PKCS#11 module answered, in a few words: the standard's own go on for paragraphs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ModuleAnswer {
    text: String,
    /// Whether it may be right after looking for the token again.
    pub(super) lost: bool,
}

impl From<CryptokiError> for ModuleAnswer {
    fn from(error: CryptokiError) -> Self {
        let text = match &error {
            CryptokiError::LibraryLoading(error) => error.to_string(),
            CryptokiError::Pkcs11(RvError::VendorDefined(code), function) => {
                format!("C_{function:?} answered 0x{code:x}, a code of the vendor's own")
            }
            CryptokiError::Pkcs11(code, function) => {
                format!(
                    "C_{function:?} answered \"{}\"",
                    words(&format!("{code:?}"))
                )
            }
            other => other.to_string(),
        };
        let lost = matches!(
            error,
            CryptokiError::Pkcs11(
                RvError::CryptokiNotInitialized
                    | RvError::DeviceError
                    | RvError::DeviceRemoved
                    | RvError::FunctionFailed
                    | RvError::GeneralError
                    | RvError::KeyHandleInvalid
                    | RvError::ObjectHandleInvalid
                    | RvError::SessionClosed
                    | RvError::SessionHandleInvalid
                    | RvError::TokenNotPresent
                    | RvError::TokenNotRecognized
                    | RvError::UserNotLoggedIn,
                _
            )
        );
        Self { text, lost }
    }
}

/// `DeviceRemoved` as "device removed".
fn words(camel: &str) -> String {
    let mut words = String::with_capacity(camel.len() + 8);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

impl TokenError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Module { .. } => {
                "install the package that the module belongs to, or correct \"module-path\""
            }
            Self::NoToken { .. } => "put the token in, or correct the URI",
            Self::SeveralTokens { .. } => "add serial= to the URI",
            Self::NoKey { .. } | Self::OtherKey { .. } => {
                "put in the token that has it, or put the key back from a backup"
            }
            Self::SeveralKeys { .. } => "add id= to the URI",
            Self::KeyThere { .. } => "give the new key another object= in the URI",
            Self::NoPublicHalf { .. } => {
                "put the public key or the certificate into the token, with the same CKA_ID"
            }
            Self::PinNeeded { .. } => {
                "put the PIN into a file of your own, and add pin-source=file:/path to the URI"
            }
            Self::PinFile { .. } => "it holds the PIN and nothing else, on one line",
            Self::PinWrong { .. } | Self::PinRefused { .. } => {
                "correct the PIN before the next try: tokens lock after a few wrong ones"
            }
            Self::PinLastTry { .. } => {
                "log in by hand with the right PIN, such as by pkcs11-tool -l -O"
            }
            Self::PinLocked { .. } => "its security officer can set a new PIN",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether a session that was good before may have been lost, and a new one may do.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Failed { source, .. } if source.lost)
    }
}
