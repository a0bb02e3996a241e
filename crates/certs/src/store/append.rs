//! A file that only grows: whole lines are added behind its end, by one process at a time, and are
//! on the disk when adding returns.
//!
//! What the lines mean, and whether the last one is whole, is their owner's business.

use std::borrow::Borrow;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::file::{failed, make_folder, open_lock, sync_folder};
use super::modes::{Readers, new_file, set_private};
use super::offsets::{read_at, write_all_at};
use super::{FileStore, ObjectName, StoreError};

/// The place of a file that only grows. Several processes may use one at once.
#[derive(Debug, Clone)]
pub struct AppendFile {
    path: PathBuf,
}

/// The file, while nobody else may change it: until the value is dropped, or its process dies.
#[derive(Debug)]
pub struct LockedFile {
    path: PathBuf,
    file: File,
    length: u64,
    _lock: File,
}

impl FileStore {
    /// The file called `name` that only grows. Nothing is made yet.
    #[must_use]
    pub fn append_file(&self, name: &ObjectName) -> AppendFile {
        AppendFile {
            path: self.path(name),
        }
    }

    /// A file for what can be made again from the rest of the store, such as an index: made here,
    /// empty and of mode 0600, where it is not there. It is written by whoever asks for it.
    pub fn derived_file(&self, name: &ObjectName) -> Result<PathBuf, StoreError> {
        let path = self.path(name);
        make_folder(path.parent().unwrap_or(self.folder()))?;
        make_private(&path)?;
        Ok(path)
    }
}

impl AppendFile {
    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file for reading, and its length in bytes; `None` where there is none yet. It may grow
    /// while it is read, and its end may be a line that is still being written.
    pub fn read(&self) -> Result<Option<(File, u64)>, StoreError> {
        match File::open(&self.path) {
            Ok(file) => {
                let length = file.metadata().map_err(failed("read", &self.path))?.len();
                Ok(Some((file, length)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &self.path)(error)),
        }
    }

    /// Keeps all others from changing the file, waiting for whoever does: that takes milliseconds.
    /// The file is made where it is not there.
    pub fn lock(&self) -> Result<LockedFile, StoreError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        make_folder(folder)?;
        // A file of its own: the other one may be put back from a backup, and a lock on what was
        // there before would keep nobody out.
        let lock_path = lock_path(&self.path);
        let lock = open_lock(&lock_path)?;
        lock.lock().map_err(failed("lock", &lock_path))?;
        if !self.path.exists() {
            make_private(&self.path)?;
            sync_folder(folder)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path)
            .map_err(failed("write", &self.path))?;
        let length = file.metadata().map_err(failed("read", &self.path))?.len();
        Ok(LockedFile {
            path: self.path.clone(),
            file,
            length,
            _lock: lock,
        })
    }
}

impl LockedFile {
    /// The file's length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The file, for reading.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Cuts off what lies behind `length`: what a crash left half-written.
    pub fn cut(&mut self, length: u64) -> Result<(), StoreError> {
        if length < self.length {
            self.file
                .set_len(length)
                .and_then(|()| self.file.sync_all())
                .map_err(failed("write", &self.path))?;
            self.length = length;
        }
        Ok(())
    }

    /// Adds `bytes` behind the end, and returns when they are on the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], with the file as long as it was: a disk that filled up half-way leaves
    /// nothing behind. Where even that fails, the owner finds a line that is not whole, or one that
    /// nobody was told of.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written =
            write_all_at(&self.file, bytes, self.length).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _ = self.file.set_len(self.length);
            let _ = self.file.sync_all();
            return Err(failed("write", &self.path)(error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Reads a file from an offset up to an end, without moving the place at which others read it.
#[derive(Debug)]
pub(crate) struct ReadFrom<F> {
    pub(crate) file: F,
    pub(crate) offset: u64,
    pub(crate) end: u64,
}

impl<F: Borrow<File>> Read for ReadFrom<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = read_at(self.file.borrow(), &mut buffer[..wanted], self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

pub(crate) fn make_private(path: &Path) -> Result<(), StoreError> {
    let made = new_file(Readers::Owner)
        .write(true)
        .create_new(true)
        .open(path);
    match made {
        Ok(file) => set_private(&file).map_err(failed("write", path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("write", path)(error)),
    }
}

/// `journal.jsonl` is locked by `.journal.jsonl.lock`: hidden, so that it is no object.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".lock");
    path.with_file_name(name)
}
