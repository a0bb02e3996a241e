//! Reading in large pieces, to where the kernel copies fast.

use std::io::{self, Read};

use zeroize::Zeroizing;

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

/// Octets that begin a few behind the beginning of a page.
///
/// What is copied by `rep movsb`, as the kernel and the C library do, takes four times as long on Zen where it goes
/// to a place that lies 1 to 31 octets further into its page than where it comes from: with what `malloc` gives,
/// which begins 16 octets into a page, reading a file took longer than encrypting it.
pub(crate) struct Room {
    all: Zeroizing<Vec<u8>>,
    begin: usize,
    length: usize,
}

impl Room {
    pub(crate) fn new(length: usize, behind: usize) -> Self {
        let all = Zeroizing::new(vec![0; length + behind + PAGE]);
        let begin = all.as_ptr().align_offset(PAGE).min(PAGE) + behind;
        Self { all, begin, length }
    }

    pub(crate) fn octets(&mut self) -> &mut [u8] {
        &mut self.all[self.begin..self.begin + self.length]
    }
}

const PAGE: usize = 4096;
