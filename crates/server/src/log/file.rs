//! The file that the access log goes to: set aside when it is long enough, opened anew on request.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Rotation;
use super::writer::Sink;

pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Its length, as far as this process made it.
    length: u64,
    /// None where the path is no regular file: `/dev/null` must not be renamed.
    rotation: Option<Rotation>,
}

impl LogFile {
    pub(super) fn open(path: &Path, rotation: Option<Rotation>) -> io::Result<Self> {
        let file = open(path)?;
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length: metadata.len(),
            rotation: rotation.filter(|_| metadata.is_file()),
        })
    }

    /// Moves each old file one number up and the current one to `.1`, and begins a new one.
    fn rotate(&mut self, keep: u32) -> io::Result<()> {
        let file = if self.is_in_place()? {
            // Before anything is moved: where no file can be made, the old ones stay as they are.
            let new = self.beside("new");
            let file = open(&new)?;
            for number in (1..=keep).rev() {
                let older = self.beside(&number.to_string());
                let younger = match number {
                    1 => self.path.clone(),
                    _ => self.beside(&(number - 1).to_string()),
                };
                match fs::rename(younger, older) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            fs::rename(new, &self.path)?;
            file
        } else {
            open(&self.path)?
        };
        self.length = file.metadata()?.len();
        self.file = file;
        Ok(())
    }

    /// Whether the path still leads to the file that is written. Where somebody has removed that or
    /// moved it away, it has been set aside already.
    fn is_in_place(&self) -> io::Result<bool> {
        let own = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) => Ok((own.dev(), own.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(".");
        path.push(suffix);
        path.into()
    }
}

impl Sink for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let written = self.file.write(lines)?;
        self.length += written as u64;
        Ok(written)
    }

    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        if let Some(Rotation { bytes: most, keep }) = self.rotation
            && self.length > 0
            && self.length.saturating_add(bytes) > most
        {
            return self.rotate(keep).inspect_err(|_| {
                // The log goes on in the file it has. Counting from here tries again when as much
                // has been written once more, and not at each write.
                self.length = 0;
            });
        }
        Ok(())
    }

    fn replace(&mut self, file: File) {
        // A length that cannot be read only shifts the next rotation.
        self.length = file.metadata().map_or(0, |metadata| metadata.len());
        self.file = file;
    }
}

/// Opens the file to append to it; what clients asked for is nobody else's business.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}
