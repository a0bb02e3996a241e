//! Files for people, such as a key and its certificate: written together or not at all, wherever
//! they are asked for.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreError;
use super::file::{failed, sync_folder};

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

/// Writes files so that either all of them are there afterwards, whole and synced, or none; after a
/// crash between two of them, the first ones may be there. Put what is of no use alone, such as a
/// key, first.
///
/// # Errors
///
/// [`StoreError::AlreadyThere`] where one is there and `replace` is not set;
/// [`StoreError::Io`] where the system refuses.
pub fn write_together(files: &[NewFile<'_>], replace: bool) -> Result<(), StoreError> {
    let mut written = Written::default();
    for file in files {
        let temporary = beside(&file.path, "new");
        write_synced(&temporary, file).map_err(failed("write", &file.path))?;
        written.temporary.push(temporary);
    }
    let _turn = replace.then(|| take_turn(files)).flatten();
    for (file, temporary) in files.iter().zip(written.temporary.clone()) {
        if replace {
            written.keep_old(&file.path)?;
        }
        publish(&temporary, &file.path, replace)?;
        written.published.push(file.path.clone());
    }
    for file in files {
        sync_folder(folder_of(&file.path))?;
    }
    written.done();
    Ok(())
}

/// Two that replace the same files at once would leave the key of one beside the certificate of the
/// other. The lock is on the folder, which others may have a lock on for reasons of their own: who
/// waits too long goes on without.
fn take_turn(files: &[NewFile<'_>]) -> Option<File> {
    let folder = File::open(folder_of(&files.first()?.path)).ok()?;
    let until = Instant::now() + TURN_PATIENCE;
    while folder.try_lock().is_err() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(folder)
}

/// Renaming a few files takes milliseconds.
const TURN_PATIENCE: Duration = Duration::from_secs(5);

/// What has to be taken back when something fails.
#[derive(Default)]
struct Written {
    temporary: Vec<PathBuf>,
    /// Files that were replaced, and where they are now.
    old: Vec<(PathBuf, PathBuf)>,
    published: Vec<PathBuf>,
}

impl Written {
    fn keep_old(&mut self, path: &Path) -> Result<(), StoreError> {
        let old = beside(path, "old");
        match fs::hard_link(path, &old) {
            Ok(()) => self.old.push((path.to_owned(), old)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("replace", path)(error)),
        }
        Ok(())
    }

    fn done(mut self) {
        self.published.clear();
        for (_, old) in self.old.drain(..) {
            let _ = fs::remove_file(old);
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for path in &self.published {
            let _ = fs::remove_file(path);
        }
        for (path, old) in &self.old {
            let _ = fs::rename(old, path);
        }
        for path in &self.temporary {
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
    let mut handle = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if file.private { 0o600 } else { 0o644 })
        .open(temporary)?;
    let written = handle
        .write_all(file.bytes)
        .and_then(|()| handle.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(temporary);
    }
    written
}

/// `.a.pem.1234-5f1d6a02.new` for `a.pem`: hidden, and of this call alone. The number of the process
/// would not do: in a container it is the same each time, and what one left that was killed would be
/// in the way of all that follow.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let digits = RandomState::new().hash_one(path) as u32;
    name.push(format!(".{}-{digits:08x}.{suffix}", std::process::id()));
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
