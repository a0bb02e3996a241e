//! Files for people, such as a key and its certificate: written together or not at all, wherever
//! they are asked for.
//!
//! No file system gives two files their names at one instant. What is to happen is therefore written
//! down first (`intent`), and whoever writes into the folder after a crash brings all of it to
//! one side: before that, a reader may find the key of one pair beside the certificate of the other.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreError;
use super::file::{failed, sync_folder};
use super::modes::{Readers, new_file};
use intent::Intent;

mod intent;

/// A file to be written.
#[derive(Debug)]
pub struct NewFile<'b> {
    /// Where. Its folder must be there.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: &'b [u8],
    /// Whether it is for its owner alone: mode 0600, else 0644 without what the umask takes.
    pub private: bool,
}

/// Writes files so that either all of them are there afterwards, whole and synced, or none. After a
/// crash while they get their names, some have them and others not, until the next call for the
/// folder, or [`finish_writing`], gives them to the others too, or takes them back. Put what is of no
/// use alone, such as a key, first.
///
/// Files in several folders, names that are not UTF-8, a folder that cannot be locked or that another
/// process keeps locked, and systems other than Unix have no such next call: what a crash left is left.
///
/// # Errors
///
/// [`StoreError::AlreadyThere`] where one is there and `replace` is not set;
/// [`StoreError::Io`] where the system refuses.
pub fn write_together(files: &[NewFile<'_>], replace: bool) -> Result<(), StoreError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let folder = folder_of(&first.path);
    let turn = take_turn(folder);
    if turn.is_some() {
        intent::finish(folder)?;
    }
    let mut written = Written::new(folder, turn);
    for file in files {
        written.write(file)?;
    }
    for file in files {
        written.look_at_old(file, replace)?;
    }
    written.publish(files, replace)?;
    written.done();
    Ok(())
}

/// Ends what a process that was killed began to write together in a folder: all of it has its new
/// names afterwards, or all is as it was. It is left as it is where somebody changed one of the files
/// since, and where what it left is not this user's.
///
/// # Errors
///
/// [`StoreError::Io`] where the system refuses.
pub fn finish_writing(folder: &Path) -> Result<(), StoreError> {
    if !intent::is_in(folder) {
        return Ok(());
    }
    match take_turn(folder) {
        Some(_turn) => intent::finish(folder),
        None => Ok(()),
    }
}

/// One at a time in a folder: two that replace the same files would leave the key of one beside the
/// certificate of the other. The lock is on the folder, which others may have a lock on for reasons of
/// their own: who waits too long goes on without, and so does who cannot lock it, as on NFS.
fn take_turn(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    let until = Instant::now() + TURN_PATIENCE;
    loop {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => return None,
        }
    }
}

/// Renaming a few files takes milliseconds.
const TURN_PATIENCE: Duration = Duration::from_secs(5);

/// What has been done, and has to be taken back when something fails.
struct Written<'f> {
    folder: &'f Path,
    turn: Option<File>,
    /// The new content of each file.
    temporary: Vec<PathBuf>,
    /// Files that are replaced, and where else they are.
    old: Vec<Option<PathBuf>>,
    published: Vec<PathBuf>,
    intent: Option<Intent>,
    finished: bool,
}

impl<'f> Written<'f> {
    fn new(folder: &'f Path, turn: Option<File>) -> Self {
        Self {
            folder,
            turn,
            temporary: Vec::new(),
            old: Vec::new(),
            published: Vec::new(),
            intent: None,
            finished: false,
        }
    }

    fn write(&mut self, file: &NewFile<'_>) -> Result<(), StoreError> {
        let temporary = self.beside(&file.path, "new")?;
        write_synced(&temporary, file).map_err(failed("write", &file.path))?;
        self.temporary.push(temporary);
        Ok(())
    }

    /// Keeps what is replaced under another name, until all is done.
    fn look_at_old(&mut self, file: &NewFile<'_>, replace: bool) -> Result<(), StoreError> {
        let path = &file.path;
        let there = fs::symlink_metadata(path).is_ok();
        if there && !replace {
            return Err(StoreError::AlreadyThere { path: path.clone() });
        }
        if !there {
            self.old.push(None);
            return Ok(());
        }
        let old = self.beside(path, "old")?;
        // FAT knows no links.
        fs::hard_link(path, &old)
            .or_else(|_| write_new(&old, &fs::read(path)?, Readers::Owner))
            .map_err(failed("replace", path))?;
        self.old.push(Some(old));
        Ok(())
    }

    fn publish(&mut self, files: &[NewFile<'_>], replace: bool) -> Result<(), StoreError> {
        let recoverable = self.turn.is_some() && files.len() > 1;
        if recoverable {
            self.intent = Intent::of(files, &self.temporary, &self.old)?;
        }
        if let Some(intent) = &self.intent {
            intent.write(self.folder)?;
        }
        for (file, temporary) in files.iter().zip(&self.temporary) {
            publish(temporary, &file.path, replace)?;
            self.published.push(file.path.clone());
        }
        let mut folders: Vec<_> = files.iter().map(|file| folder_of(&file.path)).collect();
        folders.dedup();
        folders.into_iter().try_for_each(sync_folder)
    }

    fn done(mut self) {
        self.finished = true;
        if let Some(intent) = &self.intent {
            intent.forget(self.folder);
        }
        for old in self.old.iter().flatten() {
            let _ = fs::remove_file(old);
        }
    }

    /// A name of a file's own. With the turn, one is enough, and what a crash left there is of no use:
    /// without an intent, nothing is in its place yet.
    fn beside(&self, path: &Path, suffix: &str) -> Result<PathBuf, StoreError> {
        if self.turn.is_none() {
            // The number of the process would not do: in a container it is the same each time, and
            // what one left that was killed would be in the way of all that follow.
            let digits = RandomState::new().hash_one(path) as u32;
            return Ok(hidden(path, &format!("{digits:08x}.{suffix}")));
        }
        let beside = hidden(path, suffix);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("replace", &beside)(error))
            }
            _ => Ok(beside),
        }
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Some(intent) = &self.intent {
            // Where that fails, it is tried again by whoever writes into the folder next.
            if intent.take_back(self.folder).is_ok() {
                intent.forget(self.folder);
            }
            return;
        }
        for (path, old) in self.published.iter().zip(&self.old) {
            let _ = match old {
                Some(old) => fs::rename(old, path),
                None => fs::remove_file(path),
            };
        }
        for path in self.temporary.iter().chain(self.old.iter().flatten()) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Gives a file its name. A link, unlike a rename, fails where the name is taken.
fn publish(temporary: &Path, path: &Path, replace: bool) -> Result<(), StoreError> {
    if replace {
        return fs::rename(temporary, path).map_err(failed("write", path));
    }
    match fs::hard_link(temporary, path) {
        Ok(()) => {
            let _ = fs::remove_file(temporary);
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(StoreError::AlreadyThere {
            path: path.to_owned(),
        }),
        // FAT knows no links.
        Err(_) if !path.exists() => fs::rename(temporary, path).map_err(failed("write", path)),
        Err(error) => Err(failed("write", path)(error)),
    }
}

fn write_synced(temporary: &Path, file: &NewFile<'_>) -> io::Result<()> {
    let readers = if file.private {
        Readers::Owner
    } else {
        Readers::All
    };
    write_new(temporary, file.bytes, readers)
}

fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut options = new_file(readers);
    let mut handle = options.write(true).create_new(true).open(path)?;
    let written = handle.write_all(bytes).and_then(|()| handle.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// `.a.pem.new` for `a.pem`: hidden, and beside it.
fn hidden(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn files<'b>(folder: &Path, names: &[&str], bytes: &'b [u8]) -> Vec<NewFile<'b>> {
        let new = |name: &&str| NewFile {
            path: folder.join(name),
            bytes,
            private: name.ends_with("key"),
        };
        names.iter().map(new).collect()
    }

    fn listed(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_are_written_and_a_key_is_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        write_together(&files(folder.path(), &["a.key", "a.pem"], b"1"), false).unwrap();
        assert_eq!(listed(folder.path()), ["a.key", "a.pem"]);
        let mode = |name| {
            fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(mode("a.key") & 0o777, 0o600);
        assert_eq!(mode("a.pem") & 0o444, 0o444);
    }

    #[test]
    fn none_is_written_where_one_is_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pem"), "old").unwrap();
        let error = write_together(&files(folder.path(), &["a.key", "a.pem"], b"1"), false);
        assert!(
            matches!(error, Err(StoreError::AlreadyThere { .. })),
            "{error:?}"
        );
        assert_eq!(listed(folder.path()), ["a.pem"]);
        assert_eq!(fs::read(folder.path().join("a.pem")).unwrap(), b"old");
    }

    #[test]
    fn what_is_replaced_comes_back_when_something_fails() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.key"), "old").unwrap();
        // A folder cannot be replaced by a file.
        fs::create_dir(folder.path().join("a.pem")).unwrap();
        write_together(&files(folder.path(), &["a.key", "a.pem"], b"1"), true).unwrap_err();
        assert_eq!(listed(folder.path()), ["a.key", "a.pem"]);
        assert_eq!(fs::read(folder.path().join("a.key")).unwrap(), b"old");
        fs::remove_dir(folder.path().join("a.pem")).unwrap();
        write_together(&files(folder.path(), &["a.key", "a.pem"], b"1"), true).unwrap();
        assert_eq!(listed(folder.path()), ["a.key", "a.pem"]);
        assert_eq!(fs::read(folder.path().join("a.key")).unwrap(), b"1");
    }
}
