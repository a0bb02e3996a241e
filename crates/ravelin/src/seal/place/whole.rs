//! A file that is there whole or not at all: it gets its name when all of it is on the disk.
//!
//! Until then it has none, where the file system can do that (`O_TMPFILE`): a process that is killed leaves nothing
//! behind. Elsewhere it is hidden beside its place.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, OFlags, linkat};
use tempfile::{Builder, TempPath};

/// A file that is being written.
pub(super) struct WholeFile {
    file: File,
    path: PathBuf,
    /// Where it is in the meantime, if it has a name already.
    hidden: Option<TempPath>,
}

impl WholeFile {
    /// Begins one that is to be at `path`, with this mode.
    pub(super) fn begin(path: &Path, mode: u32) -> io::Result<Self> {
        if let Some(file) = nameless(folder(path), mode)? {
            return Ok(Self {
                file,
                path: path.to_owned(),
                hidden: None,
            });
        }
        Self::begin_hidden(path, mode)
    }

    fn begin_hidden(path: &Path, mode: u32) -> io::Result<Self> {
        let begun = hidden()
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder(path))
            // Its own text names the file that nobody asked for.
            .map_err(|error| io::Error::from(error.kind()))?;
        let (file, hidden) = begun.into_parts();
        Ok(Self {
            file,
            path: path.to_owned(),
            hidden: Some(hidden),
        })
    }

    /// Gives it its name; with `force` even where that is another's.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` where there is something of this name.
    pub(super) fn finish(self, force: bool) -> io::Result<()> {
        self.file.sync_all()?;
        let hidden = match self.hidden {
            Some(hidden) => hidden,
            None => match link(&self.file, &self.path) {
                Err(error) if force && error.kind() == io::ErrorKind::AlreadyExists => {
                    // Only a renaming replaces, and it asks for a name, if for a moment.
                    let link = |name: &Path| link(&self.file, name);
                    let linked = hidden().make_in(folder(&self.path), link)?;
                    linked.into_temp_path()
                }
                linked => return linked,
            },
        };
        let kept = if force {
            hidden.persist(&self.path)
        } else {
            hidden.persist_noclobber(&self.path)
        };
        kept.map_err(|error| error.error)
    }
}

impl Write for WholeFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file in a folder that has no name; none where the file system cannot do that, or it could not get a name later.
fn nameless(folder: &Path, mode: u32) -> io::Result<Option<File>> {
    use rustix::io::Errno;
    let opened = OpenOptions::new()
        .write(true)
        .mode(mode)
        .custom_flags(OFlags::TMPFILE.bits().cast_signed())
        .open(folder);
    match opened {
        Ok(file) => Ok(by_number(&file).exists().then_some(file)),
        Err(error) => match Errno::from_io_error(&error) {
            // What file systems and kernels say that do not know it.
            Some(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => Ok(None),
            _ => Err(error),
        },
    }
}

fn link(file: &File, path: &Path) -> io::Result<()> {
    // By the link in /proc: without one, it takes a capability.
    linkat(CWD, by_number(file), CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)
}

fn by_number(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Names that nobody takes for the whole.
fn hidden() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".ravelin-").suffix(".part");
    builder
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_get_their_names_where_they_can_be_without_one_and_where_they_cannot() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        for begin in [WholeFile::begin, WholeFile::begin_hidden] {
            let write = |text: &str, force| {
                let mut file = begin(&path, 0o600).unwrap();
                file.write_all(text.as_bytes()).unwrap();
                file.finish(force)
            };
            write("first", false).unwrap();
            let error = write("second", false).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).unwrap(), b"first");
            write("third", true).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"third");
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            drop(begin(&path, 0o600).unwrap());
            fs::remove_file(&path).unwrap();
            write("anew", true).unwrap();
            fs::remove_file(&path).unwrap();
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        }
    }
}
