//! Where everything durable is kept: small named objects, written whole or not at all.
//!
//! [`Store`] is what a place must be able to do; [`FileStore`] is a folder of plain files that a
//! person can read and back up. What the objects mean is their owners' business.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ravelin_pki::Fingerprint;

mod append;
mod file;
pub(crate) mod modes;
pub(crate) mod offsets;
mod staging;
mod together;

pub use append::{AppendFile, LockedFile};
pub(crate) use append::{ReadFrom, make_private};
pub use file::FileStore;
pub use together::{NewFile, finish_writing, write_together};

/// A place that keeps objects. Two processes, or two machines, may use one place at once.
pub trait Store: fmt::Debug + Send + Sync {
    /// The object, or `None` where there is none of that name.
    fn get(&self, name: &ObjectName) -> Result<Option<Object>, StoreError>;

    /// Writes an object if it is still as it was when `expected` was read, or still not there for
    /// `None`. After a crash at any instant, the object is the old one or the new one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] where somebody else was faster.
    fn put_if_unchanged(
        &self,
        name: &ObjectName,
        bytes: &[u8],
        expected: Option<&Version>,
    ) -> Result<Version, StoreError>;

    /// Deletes an object; `false` where there was none.
    fn delete(&self, name: &ObjectName) -> Result<bool, StoreError>;

    /// The names of all objects that start with `prefix`, sorted.
    fn list(&self, prefix: &str) -> Result<Vec<ObjectName>, StoreError>;

    /// Takes the lease called `name`, waiting for its holder up to `patience`. It is held until it
    /// is dropped, or its process dies.
    ///
    /// # Errors
    ///
    /// [`StoreError::Leased`] where somebody else still holds it.
    fn lease(&self, name: &ObjectName, patience: Duration) -> Result<Lease, StoreError>;

    /// Where an object is kept, in words that help a person to find it: the path of a file.
    fn location(&self, name: &ObjectName) -> String;
}

/// The name of an object: `ca/root.pem`. Segments of lower-case letters, digits, `-`, `_` and `.`,
/// none of which starts with a dot, with slashes between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(String);

impl ObjectName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectName {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        // A leading dot would let `..` in; hidden names are the store's own.
        let sound = text.len() <= 512
            && text.split('/').all(|segment| {
                (1..=200).contains(&segment.len())
                    && !segment.starts_with('.')
                    && segment
                        .bytes()
                        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
            });
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(StoreError::Name {
                name: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was read: the bytes, and their version for [`Store::put_if_unchanged`].
#[derive(Clone, PartialEq, Eq)]
pub struct Object {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// The version of that content.
    pub version: Version,
}

/// The content may be a key: `Debug` shows its length alone.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Tells one content of an object from another: a digest, so that equal contents are equal
/// versions wherever they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Fingerprint);

impl Version {
    /// The version of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Fingerprint::of(bytes))
    }
}

/// The right to do something that only one may do at a time. Dropped, it is given back.
pub struct Lease {
    token: u64,
    _guard: Box<dyn Any + Send>,
}

impl Lease {
    /// A lease for implementors of [`Store`]: `guard` gives it back when it is dropped.
    #[must_use]
    pub fn new(token: u64, guard: Box<dyn Any + Send>) -> Self {
        Self {
            token,
            _guard: guard,
        }
    }

    /// The fencing token: each holder's is greater than that of all before. Whoever takes orders
    /// from holders can so refuse one that was late.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.token
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// The folder for a [`FileStore`] where the user names none: `$RAVELIN_HOME`, else
/// `$XDG_DATA_HOME/ravelin`, else `~/.local/share/ravelin` (XDG base directories, 0.8).
///
/// `variable` looks up the environment: `|name| std::env::var_os(name)`.
///
/// # Errors
///
/// [`StoreError::NoHome`] where none of them is set.
pub fn default_home(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, StoreError> {
    // Set but empty counts as not set, as in a shell's ${NAME:-…}.
    let path = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(home) = path("RAVELIN_HOME") {
        return Ok(home);
    }
    // The specification has relative paths ignored.
    if let Some(data) = path("XDG_DATA_HOME").filter(|data| data.is_absolute()) {
        return Ok(data.join("ravelin"));
    }
    path("HOME")
        .map(|home| home.join(".local/share/ravelin"))
        .ok_or(StoreError::NoHome)
}

/// Why the store does not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The environment does not tell where the home folder is.
    #[error("there is no folder for certificates: neither RAVELIN_HOME nor HOME is set")]
    NoHome,
    /// Not a name for an object.
    #[error("\"{name}\" is not a name for an object in the store")]
    Name {
        /// What was given.
        name: String,
    },
    /// Somebody else wrote the object since it was read.
    #[error("\"{location}\" was changed by another process meanwhile")]
    Changed {
        /// Where the object is kept.
        location: String,
    },
    /// Somebody else holds the lease.
    #[error("another process has held \"{location}\" for more than {} seconds", patience.as_secs())]
    Leased {
        /// Where the lease is kept.
        location: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// A file is there already, and was not to be replaced.
    #[error("\"{}\" is there already", path.display())]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// The system refused. Its reason is the source; nothing was half-written.
    #[error("cannot {action} \"{}\"", path.display())]
    Io {
        /// What was tried: `write`, `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl StoreError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        use std::io::ErrorKind;
        match self {
            Self::NoHome => Some("name a folder with --home or RAVELIN_HOME".to_owned()),
            Self::Leased { .. } => {
                Some("see whether another ravelin process hangs, and end it".to_owned())
            }
            Self::Io { path, source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(
                    "free some space, or name another folder with --home or RAVELIN_HOME"
                        .to_owned(),
                ),
                ErrorKind::ReadOnlyFilesystem => {
                    Some("name another folder with --home or RAVELIN_HOME".to_owned())
                }
                ErrorKind::PermissionDenied => Some(format!(
                    "see who owns it (ls -ld {}), or name another folder with --home or \
                     RAVELIN_HOME",
                    shell_word(path)
                )),
                _ => None,
            },
            Self::AlreadyThere { .. } => Some(
                "name another place with --out, or replace what is there with --force".to_owned(),
            ),
            Self::Name { .. } | Self::Changed { .. } => None,
        }
    }
}

/// `path` for a command line that the user copies.
#[must_use]
pub fn shell_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+~@%".contains(c);
    if text.chars().all(plain) && !text.is_empty() {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_store() {
        for text in ["ca/root.pem", "leaves/_.a.localhost-0f.pem", "a"] {
            assert!(text.parse::<ObjectName>().is_ok(), "{text}");
        }
        for text in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/../b",
            "..",
            ".lock",
            "a/.b",
            "A",
            "a\0",
            "a\\b",
        ] {
            assert!(text.parse::<ObjectName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_home_folder_is_the_first_that_is_named() {
        let home = |set: &[(&str, &str)]| {
            let set: Vec<(String, OsString)> = set
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).into()))
                .collect();
            default_home(move |name| set.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
        };
        let all = [
            ("RAVELIN_HOME", "/r"),
            ("XDG_DATA_HOME", "/x"),
            ("HOME", "/h"),
        ];
        assert_eq!(home(&all).unwrap(), Path::new("/r"));
        assert_eq!(home(&all[1..]).unwrap(), Path::new("/x/ravelin"));
        assert_eq!(
            home(&all[2..]).unwrap(),
            Path::new("/h/.local/share/ravelin")
        );
        let relative = [("RAVELIN_HOME", ""), ("XDG_DATA_HOME", "x"), ("HOME", "/h")];
        assert_eq!(
            home(&relative).unwrap(),
            Path::new("/h/.local/share/ravelin")
        );
        assert!(matches!(home(&[]), Err(StoreError::NoHome)));
    }

    #[test]
    fn paths_in_hints_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word(Path::new("/a/b-c")), "/a/b-c");
        assert_eq!(shell_word(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
