//! The store as a folder: one plain file an object, mode 0600, in folders of mode 0700.
//!
//! A file is written beside its place, synced, and renamed into it. Beside the objects lie `.lock`,
//! held by whoever writes, and `.leases/`. Both are let go by the kernel when their holder dies.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::modes::{self, Readers, folder_maker, new_file, set_private};
use super::{Lease, Object, ObjectName, Store, StoreError, Version};

/// A folder of plain files. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct FileStore {
    pub(super) folder: PathBuf,
}

impl FileStore {
    /// Opens a folder, and makes it (mode 0700) if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] where the folder cannot be made or is none. A folder that cannot be
    /// written to can be opened, and read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        make_folder(&folder)?;
        Ok(Self { folder })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, name: &ObjectName) -> PathBuf {
        self.folder.join(name.as_str())
    }

    /// Keeps other writers out until the file is dropped. Writers hold it for milliseconds, so it is
    /// waited for without end.
    pub(super) fn lock(&self) -> Result<File, StoreError> {
        let path = self.folder.join(LOCK);
        let file = open_lock(&path)?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }

    /// Puts `bytes` in the place of `path`, whole or not at all. The lock must be held.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let folder = path.parent().unwrap_or(&self.folder);
        make_folder(folder)?;
        let temporary = temporary_path(path);
        let written = write_synced(&temporary, bytes)
            .map_err(failed("write", path))
            .and_then(|()| fs::rename(&temporary, path).map_err(failed("write", path)));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        sync_folder(folder)
    }
}

impl Store for FileStore {
    fn get(&self, name: &ObjectName) -> Result<Option<Object>, StoreError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Object {
                version: Version::of(&bytes),
                bytes,
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    fn put_if_unchanged(
        &self,
        name: &ObjectName,
        bytes: &[u8],
        expected: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let _lock = self.lock()?;
        let current = self.get(name)?.map(|object| object.version);
        if current.as_ref() != expected {
            return Err(StoreError::Changed {
                location: self.location(name),
            });
        }
        self.replace(&self.path(name), bytes)?;
        Ok(Version::of(bytes))
    }

    fn delete(&self, name: &ObjectName) -> Result<bool, StoreError> {
        let _lock = self.lock()?;
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => {
                sync_folder(path.parent().unwrap_or(&self.folder))?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("delete", &path)(error)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectName>, StoreError> {
        let mut names = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                // Somebody removed it since it was seen.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed("read", &folder)(error)),
            };
            for entry in entries {
                let path = entry.map_err(failed("read", &folder))?.path();
                let name = path.strip_prefix(&self.folder).ok().and_then(Path::to_str);
                // Files that people put beside the objects are not ours to list.
                let Some(Ok(name)) = name.map(str::parse::<ObjectName>) else {
                    continue;
                };
                if path.is_dir() {
                    folders.push(path);
                } else if name.as_str().starts_with(prefix) {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(names)
    }

    fn lease(&self, name: &ObjectName, patience: Duration) -> Result<Lease, StoreError> {
        let path = self.folder.join(LEASES).join(name.as_str());
        make_folder(path.parent().unwrap_or(&self.folder))?;
        let file = open_lock(&path)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    // flock has no deadline of its own that could be waited on.
                    thread::sleep(LEASE_POLL);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Leased {
                        location: path.display().to_string(),
                        patience,
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
        // The count lies in a file of its own, for renaming would take the locked file away.
        let count = with_suffix(&path, ".count");
        let _lock = self.lock()?;
        let last: u64 = match fs::read_to_string(&count) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(failed("read", &count)(error)),
        };
        let token = last + 1;
        self.replace(&count, format!("{token}\n").as_bytes())?;
        Ok(Lease::new(token, Box::new(file)))
    }

    fn location(&self, name: &ObjectName) -> String {
        self.path(name).display().to_string()
    }
}

const LOCK: &str = ".lock";
const LEASES: &str = ".leases";
const LEASE_POLL: Duration = Duration::from_millis(10);

/// `root.pem` is written as `.root.pem.new`: hidden, so that it is no object. The lock is held, so
/// one name is enough, and the next writer of the object writes over what a crash left of the last:
/// nothing has to be swept from a folder in which people may have files of their own.
fn temporary_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file(Readers::Owner)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    set_private(&file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(super) fn open_lock(path: &Path) -> Result<File, StoreError> {
    new_file(Readers::Owner)
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed("write", path))
}

/// Makes a folder and those above it, each synced into the one above.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match folder_maker().create(folder) {
        Ok(()) => sync_folder(parent.unwrap_or(Path::new("."))),
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(failed("make the folder", folder)(error)),
    }
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    modes::sync_folder(folder).map_err(failed("write", folder))
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io {
        action,
        path: path.clone(),
        source,
    }
}
