//! Reading and writing at once, with errors that say which of the two failed.

use std::io::{self, Read, Write};

/// Which side of a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// What is read from.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// What is written to.
    #[error("writing failed")]
    Write(#[source] io::Error),
}

/// Copies all of `input`.
pub fn copy(input: &mut dyn Read, output: &mut dyn Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match fill(input, &mut buffer).map_err(CopyError::Read)? {
            0 => return Ok(()),
            read => output
                .write_all(&buffer[..read])
                .map_err(CopyError::Write)?,
        }
    }
}

/// Reads until the buffer is full or nothing more comes.
pub(crate) fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Four chunks of age's.
const BUFFER: usize = 256 << 10;
