//! Why the local CA cannot be used, and what the user can do about it.

use std::path::Path;

use ravelin_pki::{
    AuthorityError, HostName, KeyError, NameConstraints, PemError, RevocationListTemplateError,
};

use crate::journal::JournalError;
use crate::policy::PolicyFileError;
use crate::store::{StoreError, shell_word};
use crate::token::{TokenError, TokenUri, TokenUriError};

/// Why the local CA cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A name is outside what the root was made for, and roots are fixed once made.
    #[error(
        "the local CA may not certify \"{name}\": it was made for {permitted} and what is below \
         them"
    )]
    NotPermitted {
        /// The name that was asked for.
        name: HostName,
        /// What the root permits.
        permitted: Box<NameConstraints>,
        /// Where the root is kept.
        location: String,
    },
    /// The root's certificate is damaged. It is not replaced: someone may trust it.
    #[error("the local CA's root certificate \"{location}\" is damaged: {reason}")]
    RootDamaged {
        /// Where it is kept.
        location: String,
        /// What is wrong, in words.
        reason: &'static str,
        /// What is wrong with the file, where that is it.
        source: Option<PemError>,
    },
    /// The root's key is damaged.
    #[error("the local CA's root key \"{location}\" is damaged")]
    RootKeyDamaged {
        /// Where it is kept.
        location: String,
        /// What is wrong.
        source: KeyError,
    },
    /// The file that says in which token the root's key is cannot be read.
    #[error("\"{location}\" does not say in which token the local CA's root key is")]
    KeyUri {
        /// Where it is kept.
        location: String,
        /// What is wrong.
        source: TokenUriError,
    },
    /// A key is in a token that cannot be used.
    #[error("the key that \"{location}\" names cannot be used")]
    KeyInToken {
        /// The file that names it.
        location: String,
        /// What is wrong.
        source: TokenError,
    },
    /// No key could be made in a token.
    #[error("no key could be made in the token \"{uri}\"")]
    NewKey {
        /// Where.
        uri: Box<TokenUri>,
        /// What is wrong.
        source: TokenError,
    },
    /// The root's key is needed and not there.
    #[error("the local CA's root key \"{location}\" is missing, and is needed now")]
    RootKeyMissing {
        /// Where it should be.
        location: String,
    },
    /// The root's key is another root's.
    #[error("the local CA's root key \"{key}\" does not belong to its certificate \"{root}\"")]
    RootKeyMismatch {
        /// Where the key is kept.
        key: String,
        /// Where the certificate is kept.
        root: String,
    },
    /// The root's time is over, or still to come.
    #[error(
        "the local CA's root certificate \"{location}\" is {}",
        if *expired { "expired" } else { "not valid yet: is this machine's clock right?" }
    )]
    RootNotValid {
        /// Where it is kept.
        location: String,
        /// Whether its time is over.
        expired: bool,
    },
    /// There is a CA already where one was to be made.
    #[error("there is a CA already: \"{location}\"")]
    AlreadyThere {
        /// Where its root is kept.
        location: String,
    },
    /// The root took the place of another, and both are trusted. A third would leave those behind who
    /// trust the first alone.
    #[error("a rollover to \"{root}\" is under way: it and the root before it are both trusted")]
    RolloverOpen {
        /// The subject of the root.
        root: String,
        /// Where it is kept.
        location: String,
    },
    /// No certificates are issued for this purpose.
    #[error("a local CA issues no certificates for \"{purpose}\"")]
    Purpose {
        /// Its name or number.
        purpose: String,
    },
    /// The policy's file is wrong.
    #[error("the policy \"{location}\" cannot be used")]
    Policy {
        /// Where it is.
        location: String,
        /// What is wrong, and in which line.
        source: PolicyFileError,
    },
    /// The journal cannot be written or read, without which nothing is issued.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A CRL could not be made.
    #[error("no CRL could be made")]
    Crl(#[source] RevocationListTemplateError),
    /// A certificate could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LocalError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let folders = |location: &str| {
            let folder = Path::new(location).parent().unwrap_or("ca".as_ref());
            let home = folder.parent().unwrap_or(".".as_ref());
            (shell_word(folder), shell_word(home))
        };
        let anew = |location: &str| {
            let (folder, home) = folders(location);
            format!(
                "to make a new local CA: ravelin ca untrust --home {home}; rm -r {folder}; start \
                 again, then ravelin ca trust --home {home}"
            )
        };
        match self {
            Self::NotPermitted { name, location, .. } => Some(format!(
                "a CA for it too, in a home of its own: ravelin ca init --home DIR --permit {name}; \
                 or, {}",
                anew(location)
            )),
            Self::RolloverOpen { location, .. } => {
                let (_, home) = folders(location);
                Some(format!(
                    "when all have the new root: ravelin ca rollover --finish --home {home}"
                ))
            }
            Self::RootNotValid {
                location,
                expired: true,
            } => Some(anew(location)),
            // Trust stores cannot be asked for a certificate that cannot be read.
            Self::RootDamaged { location, .. } => {
                let (folder, home) = folders(location);
                Some(format!(
                    "put it back from a backup; or take \"Ravelin local CA\" out of the trust \
                     stores by hand, rm -r {folder}, start again, then ravelin ca trust --home \
                     {home}"
                ))
            }
            Self::RootKeyDamaged { location, .. }
            | Self::RootKeyMissing { location }
            | Self::RootKeyMismatch { root: location, .. } => {
                Some(format!("put it back from a backup; or, {}", anew(location)))
            }
            Self::RootNotValid { .. } => Some("set the clock".to_owned()),
            Self::Store(error) => error.hint(),
            Self::Journal(error) => error.hint(),
            Self::KeyUri { source, .. } => source.hint(),
            // Nobody trusts an intermediate by itself: where its key is gone, another does.
            Self::KeyInToken {
                location,
                source: source @ (TokenError::NoKey { .. } | TokenError::OtherKey { .. }),
            } if !location.ends_with("root.key") => Some(format!(
                "{}; or, to have a new intermediate made: rm {}",
                source.hint().unwrap_or_default(),
                shell_word(location.as_ref())
            )),
            Self::KeyInToken { source, .. } | Self::NewKey { source, .. } => source.hint(),
            Self::AlreadyThere { location } => {
                let (_, home) = folders(location);
                Some(format!(
                    "name another folder with --home DIR; to replace the root by a new one while \
                     both are trusted: ravelin ca rollover --home {home}"
                ))
            }
            Self::Policy { .. } => Some("docs/certificates.md shows a whole policy".to_owned()),
            Self::Authority(_) | Self::Purpose { .. } | Self::Crl(_) => None,
        }
    }
}
