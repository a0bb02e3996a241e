//! An answer of which some is taken off its connection before it is shown.
//!
//! Answers to several requests come together and are shown one after the other. What waits is held, in memory and
//! what is longer in a file without a name: were it left on the connection, the one that is waited for would not come
//! through behind it (HTTP/2 has one window for all streams of a connection).

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, Read as _, Seek as _, Write as _};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use ravelin_client::Response;

use super::show::broken;
use crate::failure::Failure;

/// An answer, and what there is of it.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) began: Instant,
    held: VecDeque<Bytes>,
    octets: usize,
    /// What came behind `held`.
    rest: Option<File>,
    /// What is behind both: the end, or why there is none.
    end: Option<Result<(), Failure>>,
}

impl Answer {
    pub(super) fn new(response: Response, began: Instant) -> Self {
        Self {
            response,
            began,
            held: VecDeque::new(),
            octets: 0,
            rest: None,
            end: None,
        }
    }

    /// Whether a head was asked for.
    pub(super) fn is_head(&self) -> bool {
        self.response.hops().last().map(|hop| &hop.method) == Some(&Method::HEAD)
    }

    /// Takes the body off its connection, until it is over or its turn has come.
    pub(super) async fn hold(&mut self, is_turn: impl Fn() -> bool) -> Result<(), Failure> {
        while self.end.is_none() && !is_turn() {
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.keep(chunk)?,
                Ok(None) => self.end = Some(Ok(())),
                Err(error) => self.end = Some(Err(broken(error))),
            }
        }
        match &mut self.rest {
            Some(file) => file.rewind().map_err(|error| unheld(&error)),
            None => Ok(()),
        }
    }

    /// The next piece of the body; none at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(chunk) = self.held.pop_front() {
            return Ok(Some(chunk));
        }
        if let Some(file) = &mut self.rest {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece).map_err(|error| unheld(&error))?;
            if read > 0 {
                piece.truncate(read);
                return Ok(Some(piece.into()));
            }
            self.rest = None;
        }
        match self.end.take() {
            Some(Ok(())) => Ok(None),
            Some(Err(failure)) => Err(failure),
            None => self.response.chunk().await.map_err(broken),
        }
    }

    /// The next pieces of the body, those that are there; none at its end.
    pub(super) async fn chunks(&mut self) -> Result<Vec<Bytes>, Failure> {
        if self.held.is_empty() && self.rest.is_none() && self.end.is_none() {
            return self.response.chunks().await.map_err(broken);
        }
        Ok(self.chunk().await?.into_iter().collect())
    }

    fn keep(&mut self, chunk: Bytes) -> Result<(), Failure> {
        if self.rest.is_none() && self.octets + chunk.len() <= MOST_IN_MEMORY {
            self.octets += chunk.len();
            self.held.push_back(chunk);
            return Ok(());
        }
        let file = match &mut self.rest {
            Some(file) => file,
            None => self
                .rest
                .insert(tempfile::tempfile().map_err(|error| unheld(&error))?),
        };
        file.write_all(&chunk).map_err(|error| unheld(&error))
    }
}

/// Writes all pieces, as few calls as it takes.
pub(super) fn write_pieces(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = &mut slices[..];
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn unheld(error: &std::io::Error) -> Failure {
    Failure::local(format!(
        "cannot hold what waits for its turn in a file: {error}"
    ))
    .hint("with --parallel 1 nothing waits, and TMPDIR says where such files are".to_owned())
}

/// How much of an answer is held in memory.
const MOST_IN_MEMORY: usize = 256 << 10;

/// How much is read from its file at once.
const PIECE: usize = 64 << 10;
