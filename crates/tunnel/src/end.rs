//! One end of a tunnel: a socket, and TLS over it where that ends or begins here.
//!
//! Both directions of a tunnel use an end, in turns: one reads what comes, the other sends. What is read goes
//! through a buffer of the worker, so that an idle connection holds none.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead as _, ErrorKind, IoSlice, Write as _};

use ravelin_tls::pieces::{self, pieces};
use rustls::Connection;

use crate::socket::Socket;

/// How much is read at once. Measured with a GB, five rounds in turns: to the service 1.9 s of CPU with 64 KiB, 1.7 with
/// 128, 1.6 with 256; from it, 1.08 s with 64 KiB, 1.01 with 128, 0.88 with 256.
const READ: usize = 256 << 10;

/// Where a worker's connections read into, and decrypt into: nothing stays here between two polls.
pub(crate) struct Scratch {
    read: RefCell<Box<[u8]>>,
    opened: RefCell<Vec<u8>>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            read: RefCell::new(vec![0; READ].into_boxed_slice()),
            opened: RefCell::new(Vec::with_capacity(READ)),
        }
    }

    /// What has come through a socket.
    pub(crate) fn read<T>(&self, socket: &Socket, look: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let mut buffer = self.read.borrow_mut();
        let octets = socket.try_read(&mut buffer)?;
        Ok(look(&buffer[..octets]))
    }
}

/// What came of taking octets from an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// So many went on. None, where what came was of TLS alone.
    Some(usize),
    /// There is nothing now.
    Nothing,
    /// The end has said that nothing more will come.
    End,
}

#[derive(Debug)]
pub(crate) struct End {
    pub(crate) socket: Socket,
    /// Boxed: most of a connection's size, and not there on both sides.
    tls: Option<RefCell<Box<Connection>>>,
    /// What was read before anybody knew whose it is.
    early: RefCell<Vec<u8>>,
    /// Clear text that the socket did not take yet.
    unsent: RefCell<Vec<u8>>,
    /// Whether the other end has said in TLS that nothing more will come.
    has_ended: Cell<bool>,
}

impl End {
    /// An end in clear, of which `early` was read already.
    pub(crate) fn plain(socket: Socket, early: Vec<u8>) -> Self {
        Self {
            socket,
            tls: None,
            early: RefCell::new(early),
            unsent: RefCell::default(),
            has_ended: Cell::new(false),
        }
    }

    /// An end with TLS, of which `early` octets were read already.
    pub(crate) fn tls(socket: Socket, mut tls: Connection, early: Vec<u8>) -> Self {
        // What may wait is bounded by what is read at once.
        tls.set_buffer_limit(None);
        Self {
            tls: Some(RefCell::new(Box::new(tls))),
            ..Self::plain(socket, early)
        }
    }

    /// What was agreed in TLS, where there is any.
    pub(crate) fn with_tls<T>(&self, look: impl FnOnce(&Connection) -> T) -> Option<T> {
        self.tls.as_ref().map(|tls| look(&tls.borrow()))
    }

    /// Waits until more may have come.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Takes what has come, decrypts it, and hands it to `to`.
    ///
    /// # Errors
    ///
    /// The connection failed, TLS did, or TCP ended where TLS had not (`UnexpectedEof`).
    pub(crate) fn take(&self, scratch: &Scratch, to: &impl Sink) -> io::Result<Taken> {
        let early = std::mem::take(&mut *self.early.borrow_mut());
        if !early.is_empty() {
            return self.open(&early, scratch, to);
        }
        if self.has_ended.get() {
            return Ok(Taken::End);
        }
        let taken = scratch.read(&self.socket, |octets| match octets {
            [] if self.tls.is_none() => Ok(Taken::End),
            [] => Err(ErrorKind::UnexpectedEof.into()),
            octets => self.open(octets, scratch, to),
        });
        match taken {
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Taken::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Takes what the handshake has brought along, which may be all that ever comes.
    pub(crate) fn take_first(&self, scratch: &Scratch, to: &impl Sink) -> io::Result<Taken> {
        self.open(&[], scratch, to)
    }

    /// Decrypts octets, where TLS is, and hands on what was in them: all of it together, since each `write` of a
    /// socket costs more than copying a record does.
    fn open(&self, octets: &[u8], scratch: &Scratch, to: &impl Sink) -> io::Result<Taken> {
        let Some(tls) = &self.tls else {
            to.put(octets)?;
            return Ok(Taken::Some(octets.len()));
        };
        let mut opened = scratch.opened.borrow_mut();
        opened.clear();
        let mut tls = tls.borrow_mut();
        let mut octets = Gently(octets);
        loop {
            let state = match tls.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    // The alert that says what was wrong is worth one try.
                    let _ = send_records(&mut tls, &self.socket);
                    return Err(io::Error::new(ErrorKind::InvalidData, error));
                }
            };
            let mut left = state.plaintext_bytes_to_read();
            while left > 0 {
                let mut reader = tls.reader();
                let chunk = reader.fill_buf()?;
                for piece in pieces(chunk) {
                    opened.extend_from_slice(piece);
                }
                let taken = chunk.len();
                reader.consume(taken);
                left = left.saturating_sub(taken);
            }
            if state.peer_has_closed() {
                self.has_ended.set(true);
                break;
            }
            if octets.0.is_empty() {
                break;
            }
            tls.read_tls(&mut octets)?;
        }
        // A new key, or an answer to one.
        if tls.wants_write() {
            send_records(&mut tls, &self.socket)?;
        }
        drop(tls);
        to.put(&opened)?;
        Ok(Taken::Some(opened.len()))
    }
}

/// Where octets go that were taken from an end.
pub(crate) trait Sink {
    /// Takes them.
    fn put(&self, octets: &[u8]) -> io::Result<()>;
}

impl Sink for End {
    /// Sends octets, encrypted where TLS is, or keeps what the socket does not take now: [`End::flush`] is to be
    /// called before more, and tells of a socket that failed.
    fn put(&self, octets: &[u8]) -> io::Result<()> {
        let Some(tls) = &self.tls else {
            let mut unsent = self.unsent.borrow_mut();
            let mut octets = octets;
            if unsent.is_empty() && !octets.is_empty() {
                let sent = self.socket.try_write(octets).unwrap_or(0);
                octets = &octets[sent..];
            }
            unsent.extend_from_slice(octets);
            return Ok(());
        };
        let mut tls = tls.borrow_mut();
        let written = pieces::write(&mut tls.writer(), octets, &[])?;
        debug_assert_eq!(written, octets.len(), "there is no limit to what may wait");
        Ok(())
    }
}

impl End {
    /// Sends what waits. Whether all is sent.
    fn send(&self) -> io::Result<bool> {
        if let Some(tls) = &self.tls {
            return send_records(&mut tls.borrow_mut(), &self.socket);
        }
        let mut unsent = self.unsent.borrow_mut();
        if unsent.is_empty() {
            return Ok(true);
        }
        let sent = no_block(self.socket.try_write(&unsent))?;
        if sent == unsent.len() {
            *unsent = Vec::new();
            return Ok(true);
        }
        unsent.drain(..sent);
        Ok(false)
    }

    /// Sends all that waits.
    pub(crate) async fn flush(&self) -> io::Result<()> {
        while !self.send()? {
            self.socket.writable().await?;
        }
        Ok(())
    }

    /// Says that nothing more will be sent: in TLS, where there is any, and in TCP.
    pub(crate) async fn end(&self) -> io::Result<()> {
        if let Some(tls) = &self.tls {
            tls.borrow_mut().send_close_notify();
        }
        self.flush().await?;
        self.socket.end_writing()
    }

    /// Leaves, with a word to the other end that what it got is not all there was.
    pub(crate) fn cut(&self) {
        self.socket.reset_when_dropped();
    }
}

/// Sends what rustls has made. Whether all of it is sent.
pub(crate) fn send_records(tls: &mut Connection, socket: &Socket) -> io::Result<bool> {
    while tls.wants_write() {
        match tls.write_tls(&mut Outgoing(socket)) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Sends all of it.
pub(crate) async fn send_all(socket: &Socket, mut octets: &[u8]) -> io::Result<()> {
    while !octets.is_empty() {
        match socket.try_write(octets) {
            Ok(sent) => octets = &octets[sent..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => socket.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn no_block(sent: io::Result<usize>) -> io::Result<usize> {
    match sent {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        sent => sent,
    }
}

/// Octets as rustls reads them, copied in pieces.
struct Gently<'o>(&'o [u8]);

impl io::Read for Gently<'_> {
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.0.len());
        let (these, behind) = self.0.split_at(room);
        for piece in pieces(these) {
            buffer.write_all(piece)?;
        }
        self.0 = behind;
        Ok(room)
    }
}

/// A socket as rustls writes to it.
struct Outgoing<'s>(&'s Socket);

impl io::Write for Outgoing<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.try_write(octets)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
