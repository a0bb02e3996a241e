//! What is sent: pieces from memory, from files, and from a pipe, one behind the other.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// A body to be sent.
#[derive(Debug, Clone, Default)]
pub struct Body {
    pieces: Vec<Piece>,
}

/// A piece of a body.
#[derive(Clone)]
pub enum Piece {
    /// Octets.
    Bytes(Bytes),
    /// A file, of so many octets when it was looked at. One that has fewer when it is sent is an error.
    File {
        /// Where.
        path: PathBuf,
        /// How many octets.
        length: u64,
    },
    /// Whatever a stream gives, once.
    Stream(OnceStream),
}

/// A stream that whoever comes first takes.
#[derive(Clone)]
pub struct OnceStream(Arc<Mutex<Option<Reader>>>);

type Reader = Pin<Box<dyn AsyncRead + Send>>;

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} octets", bytes.len()),
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Stream(_) => f.write_str("a stream"),
        }
    }
}

impl Body {
    /// Of these pieces.
    #[must_use]
    pub fn of(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// Whatever `stream` gives. It cannot be sent a second time, so that a redirect that asks for that fails.
    #[must_use]
    pub fn stream(stream: impl AsyncRead + Send + 'static) -> Self {
        let stream = OnceStream(Arc::new(Mutex::new(Some(Box::pin(stream)))));
        Self::of(vec![Piece::Stream(stream)])
    }

    /// A file.
    ///
    /// # Errors
    ///
    /// It cannot be looked at, or is a folder.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(Self::of(vec![Piece::file(path)?]))
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many octets there are, where that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let mut all = 0;
        for piece in &self.pieces {
            all += match piece {
                Piece::Bytes(bytes) => bytes.len() as u64,
                Piece::File { length, .. } => *length,
                Piece::Stream(_) => return None,
            };
        }
        Some(all)
    }

    /// The pieces.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether it can be sent more than once.
    #[must_use]
    pub fn can_repeat(&self) -> bool {
        let mut pieces = self.pieces.iter();
        pieces.all(|piece| !matches!(piece, Piece::Stream(_)))
    }
}

impl Piece {
    /// A file.
    ///
    /// # Errors
    ///
    /// It cannot be looked at, or is a folder.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let facts = std::fs::metadata(&path)?;
        if facts.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let length = facts.len();
        Ok(Self::File { path, length })
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self::of(vec![Piece::Bytes(bytes.into())])
    }
}

/// What could not be read of a body that was to be sent.
#[derive(Debug, thiserror::Error)]
#[error("cannot read \"{what}\"")]
pub(crate) struct Unreadable {
    what: String,
    #[source]
    source: io::Error,
}

impl Unreadable {
    /// The same once more: errors of IO cannot be cloned.
    pub(crate) fn repeated(&self) -> io::Error {
        io::Error::new(self.source.kind(), format!("{self}: {}", self.source))
    }
}

/// A body on its way.
pub(crate) struct Outgoing {
    /// What is being read.
    what: String,
    pieces: std::vec::IntoIter<Piece>,
    open: Option<Open>,
    left: Option<u64>,
    sent: Option<Sent>,
}

/// Who is told how many octets went out so far.
pub(crate) type Sent = Arc<dyn Fn(u64) + Send + Sync>;

enum Open {
    Opening(Pin<Box<dyn Future<Output = io::Result<File>> + Send>>, u64),
    /// With how many octets are missing, where that is known.
    Reading(Reader, Option<u64>),
}

impl Outgoing {
    pub(crate) fn new(body: &Body, sent: Option<Sent>) -> Self {
        Self {
            what: String::new(),
            left: body.length(),
            pieces: body.pieces.clone().into_iter(),
            open: None,
            sent,
        }
    }

    fn next_piece(&mut self) -> Option<Result<Bytes, io::Error>> {
        match self.pieces.next()? {
            Piece::Bytes(bytes) => return Some(Ok(bytes)),
            Piece::File { path, length } => {
                self.what = path.display().to_string();
                self.open = Some(Open::Opening(Box::pin(File::open(path)), length));
            }
            Piece::Stream(OnceStream(stream)) => {
                "a pipe".clone_into(&mut self.what);
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                match stream.take() {
                    Some(stream) => self.open = Some(Open::Reading(stream, None)),
                    None => return Some(Err(io::Error::other("it was sent already"))),
                }
            }
        }
        Some(Ok(Bytes::new()))
    }

    fn poll_octets(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        loop {
            match &mut self.open {
                None => match self.next_piece() {
                    None => return Poll::Ready(None),
                    Some(Ok(bytes)) if bytes.is_empty() => {}
                    Some(result) => return Poll::Ready(Some(result)),
                },
                Some(Open::Opening(opening, length)) => {
                    let length = *length;
                    match ready!(opening.as_mut().poll(cx)) {
                        Ok(file) => {
                            self.open = Some(Open::Reading(Box::pin(file), Some(length)));
                        }
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                Some(Open::Reading(reader, missing)) => {
                    let most = missing.map_or(PIECE, |missing| missing.min(PIECE as u64) as usize);
                    let mut octets = BytesMut::with_capacity(most);
                    let mut room = (&mut octets).limit(most);
                    let reading = pin!(reader.read_buf(&mut room));
                    let read = match ready!(reading.poll(cx)) {
                        Ok(read) => read,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    if read == 0 {
                        let short = missing.is_some_and(|missing| missing > 0);
                        self.open = None;
                        if short {
                            let why = "it is shorter than it was";
                            return Poll::Ready(Some(Err(io::Error::other(why))));
                        }
                        continue;
                    }
                    if let Some(missing) = missing {
                        *missing -= read as u64;
                    }
                    return Poll::Ready(Some(Ok(octets.freeze())));
                }
            }
        }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let polled = ready!(self.poll_octets(cx));
        if let Some(Ok(bytes)) = &polled {
            let octets = bytes.len() as u64;
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(octets);
            }
            if let Some(sent) = &self.sent {
                sent(octets);
            }
        }
        let what = &self.what;
        let unreadable = |source| {
            let what = what.clone();
            io::Error::other(Unreadable { what, source })
        };
        Poll::Ready(polled.map(|result| result.map(Frame::data).map_err(unreadable)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// How much of a file is read at once.
const PIECE: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn pieces_follow_each_other_and_streams_are_sent_once() {
        let file = std::env::current_exe().unwrap();
        let octets = std::fs::read(&file).unwrap();
        let body = Body::of(vec![
            Piece::Bytes("before ".into()),
            Piece::file(&file).unwrap(),
            Piece::Bytes(" behind".into()),
        ]);
        assert_eq!(body.length(), Some(octets.len() as u64 + 14));
        for _ in 0..2 {
            let sent = Outgoing::new(&body, None)
                .collect()
                .await
                .unwrap()
                .to_bytes();
            assert_eq!(sent, [b"before ", &octets[..], b" behind"].concat());
        }
        let once = Body::stream(&b"once"[..]);
        let outgoing = || Outgoing::new(&once, None);
        assert_eq!(outgoing().collect().await.unwrap().to_bytes(), "once");
        assert!(outgoing().collect().await.is_err());
        assert!(!once.can_repeat() && once.length().is_none());
    }
}
