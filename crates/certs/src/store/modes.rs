//! Who may read what is written, whose a file is, and folders on the disk: what each kind of system has
//! its own words for. Elsewhere than on Unix, the rights of the folder hold for what is in it.
//!
//! Without Unix it was compiled and tested on Linux alone, where all in it is to be had; never on
//! Windows.

#[cfg(not(unix))]
use elsewhere as system;
#[cfg(unix)]
use unix as system;

pub(crate) use system::{
    folder_maker, give_to_owner_of, is_mine, new_file, set_private, sync_folder,
};

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner: mode 0600.
    Owner,
    /// All, but for whom the umask keeps out: mode 0644.
    All,
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
    };
    use std::path::Path;

    use super::Readers;

    /// Options for a file that is made for `readers` where it is not there. A link is not followed:
    /// in a folder of several users it may lead anywhere.
    pub(crate) fn new_file(readers: Readers) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        options.mode(match readers {
            Readers::Owner => 0o600,
            Readers::All => 0o644,
        });
        options
    }

    /// Makes a file its owner's alone: the umask may have taken bits away, and a dead writer's file
    /// may have others.
    pub(crate) fn set_private(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(0o600))
    }

    /// Makes folders of mode 0700.
    pub(crate) fn folder_maker() -> DirBuilder {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        builder
    }

    /// Whether nobody but this user, and root, can have written a file.
    pub(crate) fn is_mine(file: &Metadata) -> bool {
        file.uid() == rustix::process::geteuid().as_raw() && file.mode() & 0o022 == 0
    }

    /// Gives a file to whom another belongs.
    pub(crate) fn give_to_owner_of(other: &Path, file: &Path) -> io::Result<()> {
        let (wanted, is) = (std::fs::metadata(other)?, std::fs::metadata(file)?);
        if (wanted.uid(), wanted.gid()) == (is.uid(), is.gid()) {
            return Ok(());
        }
        chown(file, Some(wanted.uid()), Some(wanted.gid()))
    }

    /// A rename is durable once its folder is.
    pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// Compiled in tests too, so that it is seen to compile.
#[cfg(any(not(unix), test))]
#[cfg_attr(unix, allow(dead_code, reason = "used elsewhere than on Unix"))]
#[allow(clippy::unnecessary_wraps, reason = "on Unix they can fail")]
mod elsewhere {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    use super::Readers;

    /// The folder says who may read what is made in it.
    pub(crate) fn new_file(_: Readers) -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn set_private(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn folder_maker() -> DirBuilder {
        DirBuilder::new()
    }

    /// Who can write a file is not known.
    pub(crate) fn is_mine(_: &Metadata) -> bool {
        false
    }

    pub(crate) fn give_to_owner_of(_: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Folders cannot be opened as files: that a rename is durable is left to the file system.
    pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }
}
