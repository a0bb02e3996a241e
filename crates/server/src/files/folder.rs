//! A folder that nothing escapes from.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::listing;

/// Entries that are looked at for a listing, ten times what a page shows: a folder of millions of
/// files must not cost a megabyte of memory for each of its visitors.
const MOST_LISTED: usize = 10 * listing::MOST_ENTRIES;

/// How often a path is tried again that the kernel could not resolve for all that was renamed.
const RETRIES: usize = 16;

/// An open folder. Paths in it are resolved by the kernel so that neither `..` nor a symbolic link
/// leads out of it (`openat2` with `RESOLVE_BENEATH`), however the tree changes meanwhile.
#[derive(Debug)]
pub(crate) struct Folder {
    opened: OwnedFd,
    /// Whether the system has no `openat2`: a kernel before 5.6, or a sandbox that does not know it.
    stepwise: bool,
}

/// What a path in a folder leads to.
#[derive(Debug)]
pub(crate) enum Found {
    File(File, Stat),
    Folder(OwnedFd),
}

/// Why a path leads to nothing that can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is nothing, or it lies outside the folder, or it is neither a file nor a folder.
    NotFound,
    /// The server's user may not read it.
    Forbidden,
    /// The system refused: too many open files, an I/O error.
    Failed(Errno),
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let no_mode = Mode::empty();
        match rustix::fs::openat2(CWD, path, flags, no_mode, ResolveFlags::empty()) {
            // Old sandboxes say EPERM to calls that they do not know. Here, where nothing else says
            // so, it tells them from files that may not be read.
            Err(Errno::NOSYS | Errno::PERM) => Ok(Self {
                opened: rustix::fs::open(path, flags, no_mode)?,
                stepwise: true,
            }),
            opened => Ok(Self {
                opened: opened?,
                stepwise: false,
            }),
        }
    }

    /// Whether `path` still leads to this folder.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        match (rustix::fs::fstat(&self.opened), rustix::fs::stat(path)) {
            (Ok(own), Ok(there)) => own.st_dev == there.st_dev && own.st_ino == there.st_ino,
            _ => false,
        }
    }

    /// Opens what `relative`, which has no leading slash, leads to; the folder itself where it is
    /// empty.
    pub(crate) fn find(&self, relative: &[u8]) -> Result<Found, Missing> {
        let relative = if relative.is_empty() { b"." } else { relative };
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = if self.stepwise {
            self.find_stepwise(relative, flags)
        } else {
            self.find_beneath(relative, flags)
        };
        let file = opened.map_err(Missing::from)?;
        let stat = rustix::fs::fstat(&file).map_err(Missing::from)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(Found::File(file.into(), stat)),
            FileType::Directory => Ok(Found::Folder(file)),
            _ => Err(Missing::NotFound),
        }
    }

    fn find_beneath(&self, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let open = || rustix::fs::openat2(&self.opened, relative, flags, Mode::empty(), resolve);
        // The kernel gives up on a path with `..` in a link where anything anywhere has been
        // renamed meanwhile, since it cannot tell whether that led out.
        let mut opened = open();
        for _ in 0..RETRIES {
            if !matches!(opened, Err(Errno::AGAIN)) {
                break;
            }
            opened = open();
        }
        opened
    }

    /// Without `openat2`: one step at a time, and no symbolic links at all.
    fn find_stepwise(&self, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let mut at = rustix::io::dup(&self.opened)?;
        let mut segments = relative
            .split(|&b| b == b'/')
            .filter(|s| !s.is_empty())
            .peekable();
        while let Some(segment) = segments.next() {
            if segment == b".." {
                return Err(Errno::XDEV);
            }
            let last = segments.peek().is_none();
            let flags = if last {
                flags
            } else {
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC
            };
            at = rustix::fs::openat(&at, segment, flags | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(at)
    }

    /// Another handle on the same folder, for another thread.
    pub(crate) fn share(&self) -> io::Result<Self> {
        Ok(Self {
            opened: rustix::io::dup(&self.opened)?,
            stepwise: self.stepwise,
        })
    }

    /// What lies in the folder at `relative` and could be served: links that lead out, sockets and
    /// the like are left out, and dotfiles.
    pub(crate) fn entries(&self, relative: &[u8]) -> Result<Vec<listing::Entry>, Missing> {
        let Found::Folder(opened) = self.find(relative)? else {
            return Err(Missing::NotFound);
        };
        let mut entries = Vec::new();
        for entry in Dir::read_from(&opened).map_err(Missing::from)? {
            let name = entry
                .map_err(Missing::from)?
                .file_name()
                .to_bytes()
                .to_vec();
            // Dotfiles, and the folder itself and the one above.
            if name.starts_with(b".") {
                continue;
            }
            if entries.len() == MOST_LISTED {
                break;
            }
            let stat = rustix::fs::statat(&opened, &name[..], AtFlags::SYMLINK_NOFOLLOW);
            let Ok(mut stat) = stat else { continue };
            let mut kind = FileType::from_raw_mode(stat.st_mode);
            if kind == FileType::Symlink {
                (kind, stat) = match self.find(&[relative, &name].concat()) {
                    Ok(Found::File(_, stat)) => (FileType::RegularFile, stat),
                    Ok(Found::Folder(_)) => (FileType::Directory, stat),
                    Err(_) => continue,
                };
            }
            if matches!(kind, FileType::RegularFile | FileType::Directory) {
                let identity = Identity::from(&stat);
                entries.push(listing::Entry {
                    name: OsString::from_vec(name),
                    folder: kind == FileType::Directory,
                    size: identity.size(),
                    modified: Some(identity.modified()),
                });
            }
        }
        Ok(entries)
    }

    /// Whether nothing at all has the name `relative`, not even a link that leads nowhere yet.
    pub(crate) fn is_vacant(&self, relative: &[u8]) -> bool {
        let found = rustix::fs::statat(&self.opened, relative, AtFlags::SYMLINK_NOFOLLOW);
        found.is_err_and(|error| error == Errno::NOENT)
    }

    /// The state of the file at `relative`, without opening it. A link that leads out shows another
    /// identity than the file that was found before: the caller opens anew, and is refused there.
    pub(crate) fn identity(&self, relative: &[u8]) -> Option<Identity> {
        rustix::fs::statat(&self.opened, relative, AtFlags::empty())
            .ok()
            .map(|stat| (&stat).into())
    }
}

impl From<Errno> for Missing {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ACCESS | Errno::PERM => Self::Forbidden,
            // EXDEV and ELOOP: the path leads out. ENXIO: a socket. The others: no such name.
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::XDEV
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::INVAL
            | Errno::NXIO => Self::NotFound,
            other => Self::Failed(other),
        }
    }
}

impl From<&Stat> for Identity {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        reason = "the fields' types differ between platforms, and none of them is negative"
    )]
    fn from(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

impl Identity {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// All of it, for a hash: an inode's number is nobody else's business.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let (modified, changed) = (self.modified, self.changed);
        let times = [modified.0, modified.1, changed.0, changed.1].map(i64::to_le_bytes);
        let numbers = [self.device, self.inode, self.size].map(u64::to_le_bytes);
        [numbers.as_flattened(), times.as_flattened()].concat()
    }

    pub(crate) fn modified(&self) -> SystemTime {
        time(self.modified)
    }

    pub(crate) fn modified_second(&self) -> i64 {
        self.modified.0
    }

    /// When content, name or rights changed last.
    pub(crate) fn changed(&self) -> SystemTime {
        time(self.changed)
    }
}

fn time((seconds, nanos): (i64, i64)) -> SystemTime {
    let nanos = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::from_secs(seconds) + nanos,
        Err(_) => UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("a/b/c")).unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        symlink("../../../file", place.path().join("a/b/c/link")).unwrap();
        symlink("../elsewhere", place.path().join("out")).unwrap();
        place
    }

    #[test]
    fn links_are_followed_whatever_is_renamed_meanwhile() {
        let place = place();
        let folder = Folder::open(place.path()).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (one, other) = (place.path().join("one"), place.path().join("other"));
                fs::create_dir(&one).unwrap();
                while !done.load(Ordering::Relaxed) {
                    fs::rename(&one, &other).unwrap();
                    fs::rename(&other, &one).unwrap();
                }
            });
            let mut missed = 0;
            for _ in 0..20_000 {
                missed += usize::from(folder.find(b"a/b/c/link").is_err());
            }
            done.store(true, Ordering::Relaxed);
            assert_eq!(missed, 0);
        });
    }

    #[test]
    fn without_openat2_files_are_found_and_links_are_not() {
        let place = place();
        let folder = Folder {
            stepwise: true,
            ..Folder::open(place.path()).unwrap()
        };
        for path in [&b"file"[..], b"a/b/c", b"a/b/", b""] {
            assert!(folder.find(path).is_ok());
        }
        for path in [&b"a/b/c/link"[..], b"out", b"../x", b"a/../file"] {
            assert_eq!(folder.find(path).unwrap_err(), Missing::NotFound);
        }
    }
}
