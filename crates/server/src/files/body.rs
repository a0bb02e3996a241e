//! The bytes of a file, read as the client takes them.

use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags};
use tokio::task::JoinHandle;

/// How much is read at once: many TLS records for one system call, and still a small part of a
/// core's second-level cache, where encryption finds it again.
const CHUNK: usize = 128 * 1024;

/// How much is read at first; each chunk is twice the one before. A client that asks for many
/// files and takes none of them makes us hold no more than this of each.
const FIRST_CHUNK: usize = 16 * 1024;

/// Pieces of a file and of memory, one after the other.
pub(crate) struct FileBody {
    file: Arc<File>,
    pieces: VecDeque<Piece>,
    remaining: u64,
    chunk: usize,
    /// A read that has to wait for the disk, on a thread that may.
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    buffers: Buffers,
}

/// A part of a [`FileBody`].
pub(crate) enum Piece {
    /// Bytes of the file, from the first number up to the second.
    Range(u64, u64),
    /// Bytes at hand.
    Bytes(Bytes),
}

impl FileBody {
    pub(crate) fn new(file: Arc<File>, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<_> = pieces.into_iter().collect();
        let remaining = pieces.iter().map(Piece::len).sum();
        Self {
            file,
            pieces,
            remaining,
            chunk: FIRST_CHUNK,
            reading: None,
            buffers: Buffers::default(),
        }
    }

    /// Bytes that are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let (start, end) = match self.pieces.front_mut() {
            None => return Poll::Ready(None),
            Some(Piece::Bytes(bytes)) => {
                let bytes = std::mem::take(bytes);
                self.pieces.pop_front();
                self.remaining -= bytes.len() as u64;
                return Poll::Ready(Some(Ok(bytes)));
            }
            Some(Piece::Range(start, end)) => (*start, *end),
        };
        let buffer = match &mut self.reading {
            Some(reading) => {
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                read.unwrap_or_else(|error| Err(io::Error::other(error)))
            }
            None => {
                let length = (end - start).min(self.chunk as u64) as usize;
                self.chunk = CHUNK.min(self.chunk * 2);
                match read_cached(&self.file, self.buffers.take(length), start) {
                    Ok(read) => read,
                    Err(buffer) => {
                        let file = self.file.clone();
                        let read = move || read_waiting(&file, buffer, start);
                        self.reading = Some(tokio::task::spawn_blocking(read));
                        return self.poll_chunk(cx);
                    }
                }
            }
        };
        let buffer = match buffer {
            Ok(buffer) if !buffer.is_empty() => buffer,
            // The length was promised: cutting the connection is the only honest end.
            Ok(_) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let start = start + buffer.len() as u64;
        if start == end {
            self.pieces.pop_front();
        } else if let Some(piece) = self.pieces.front_mut() {
            *piece = Piece::Range(start, end);
        }
        self.remaining -= buffer.len() as u64;
        Poll::Ready(Some(Ok(self.buffers.lend(buffer))))
    }
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Range(start, end) => end - start,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

/// Reads what the page cache has. The buffer comes back where the disk would have to be asked:
/// that would hold up all other connections of the worker.
fn read_cached(file: &File, mut buffer: Vec<u8>, at: u64) -> Result<io::Result<Vec<u8>>, Vec<u8>> {
    let slice = &mut [IoSliceMut::new(&mut buffer)];
    match rustix::io::preadv2(file, slice, at, ReadWriteFlags::NOWAIT) {
        Ok(n) => {
            buffer.truncate(n);
            Ok(Ok(buffer))
        }
        // File systems without RWF_NOWAIT say EOPNOTSUPP, old kernels ENOSYS.
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => Err(buffer),
        Err(error) => Ok(Err(error.into())),
    }
}

fn read_waiting(file: &File, mut buffer: Vec<u8>, at: u64) -> io::Result<Vec<u8>> {
    let n = file.read_at(&mut buffer, at)?;
    buffer.truncate(n);
    Ok(buffer)
}

/// Buffers that come back when they were sent, so that a long download neither allocates nor
/// clears memory for each of its chunks.
#[derive(Clone, Default)]
struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    fn take(&self, length: usize) -> Vec<u8> {
        let returned = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match returned {
            Some(mut buffer) => {
                buffer.resize(length, 0);
                buffer
            }
            None => vec![0; length],
        }
    }

    fn lend(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent {
            buffer,
            home: self.clone(),
        })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.home
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer);
    }
}
