//! Reading and writing a file at a place, whatever its cursor says: one call on Unix, two elsewhere.
//!
//! Without Unix it was compiled and tested on Linux alone; never on Windows.

#[cfg(not(unix))]
pub(crate) use elsewhere::{read_at, read_exact_at, write_all_at};
#[cfg(unix)]
pub(crate) use unix::{read_at, read_exact_at, write_all_at};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt as _;

    pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        file.read_exact_at(buffer, offset)
    }

    pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }
}

/// A handle has one cursor: no two threads use one here.
#[cfg(any(not(unix), test))]
mod elsewhere {
    use std::fs::File;
    use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

    pub(crate) fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }

    pub(crate) fn read_exact_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }

    pub(crate) fn write_all_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{elsewhere, unix};

    #[test]
    fn both_ways_read_and_write_the_same_places() {
        let file = tempfile::tempfile().unwrap();
        elsewhere::write_all_at(&file, b"abcdef", 0).unwrap();
        unix::write_all_at(&file, b"XY", 2).unwrap();
        elsewhere::write_all_at(&file, b"gh", 6).unwrap();
        let (mut one, mut other) = ([0; 4], [0; 4]);
        unix::read_exact_at(&file, &mut one, 1).unwrap();
        elsewhere::read_exact_at(&file, &mut other, 1).unwrap();
        assert_eq!([&one, &other], [b"bXYe", b"bXYe"]);
        assert_eq!(unix::read_at(&file, &mut one, 6).unwrap(), 2);
        assert_eq!(elsewhere::read_at(&file, &mut other, 6).unwrap(), 2);
        assert_eq!(&one[..2], b"gh");
        assert!(elsewhere::read_exact_at(&file, &mut other, 6).is_err());
    }
}
