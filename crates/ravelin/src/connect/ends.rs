//! Standard input and output, and the connection between them.
//!
//! Both have threads of their own: whoever does not read what we write must not keep what comes from elsewhere.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use ravelin_client::BoxedIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use super::harmless::Harmless;
use crate::failure::{Failure, chain};

/// Why no more is carried.
#[derive(Debug)]
pub(crate) enum Error {
    /// Standard input cannot be read.
    Input(io::Error),
    /// Standard output cannot be written.
    Output(io::Error),
    /// The connection broke, or ended without a word.
    Peer {
        source: io::Error,
        /// Whether nothing had come before.
        first: bool,
    },
    /// The other side ended before it had taken all of our input.
    Unsent(io::Error),
}

impl Error {
    /// In words for the person at the terminal, who calls the other side so.
    pub(crate) fn of(self, peer: &str) -> Failure {
        match self {
            Self::Input(error) => Failure::local(format!("cannot read standard input: {error}")),
            Self::Output(error) => {
                Failure::local(format!("cannot write to standard output: {error}"))
            }
            Self::Unsent(error) => {
                Failure::network(format!("{peer} ended before it had taken all: {error}"))
            }
            Self::Peer { source, .. } if source.kind() == io::ErrorKind::UnexpectedEof => {
                Failure::network(format!(
                    "{peer} ended the connection without saying so (close_notify)"
                ))
                .hint(
                    "somebody may have cut off what it said; many programs are just careless"
                        .to_owned(),
                )
            }
            Self::Peer { source, .. } => Failure::network(format!(
                "the connection with {peer} broke: {}",
                chain(&source)
            )),
        }
    }
}

/// Standard input, in pieces.
pub(crate) struct Input(Receiver<io::Result<Vec<u8>>>);

impl Input {
    /// Begins to read.
    pub(crate) fn new(crlf: bool) -> Self {
        let (sender, receiver) = channel(QUEUED);
        thread::spawn(move || read(&sender, crlf));
        Self(receiver)
    }

    /// What somebody else reads.
    pub(super) fn of(pieces: Receiver<io::Result<Vec<u8>>>) -> Self {
        Self(pieces)
    }
}

/// Reads until the end, or until nobody wants any more.
fn read(sender: &Sender<io::Result<Vec<u8>>>, crlf: bool) {
    let mut stdin = io::stdin().lock();
    let mut after_return = false;
    loop {
        let mut piece = vec![0; PIECE];
        let piece = match stdin.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                Ok(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let piece = piece.map(|piece| {
            if crlf {
                with_returns(&piece, &mut after_return)
            } else {
                piece
            }
        });
        let ended = piece.is_err();
        if sender.blocking_send(piece).is_err() || ended {
            return;
        }
    }
}

/// Puts a CR before each LF that has none. `after_return` is whether the piece before ended with one.
fn with_returns(piece: &[u8], after_return: &mut bool) -> Vec<u8> {
    let mut lines = Vec::with_capacity(piece.len() + 16);
    for octet in piece {
        if *octet == b'\n' && !*after_return {
            lines.push(b'\r');
        }
        lines.push(*octet);
        *after_return = *octet == b'\r';
    }
    lines
}

/// Standard output.
pub(crate) struct Output {
    pieces: Sender<Vec<u8>>,
    /// What came of the writing.
    written: oneshot::Receiver<io::Result<()>>,
}

impl Output {
    /// Begins to write what comes, as it is; to a terminal, so that it does no harm.
    pub(crate) fn new() -> io::Result<Self> {
        let stdout = io::stdout();
        let mut harmless = stdout.is_terminal().then(Harmless::default);
        Self::by(move |piece| {
            let mut stdout = stdout.lock();
            match &mut harmless {
                Some(harmless) => stdout.write_all(harmless.show(piece).as_bytes())?,
                None => stdout.write_all(piece)?,
            }
            stdout.flush()
        })
    }

    /// Begins to hand on what comes.
    pub(super) fn by(
        mut write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (pieces, mut queued) = channel::<Vec<u8>>(QUEUED);
        let (done, written) = oneshot::channel();
        thread::Builder::new().spawn(move || {
            let mut result = Ok(());
            while let (Ok(()), Some(piece)) = (&result, queued.blocking_recv()) {
                result = write(&piece);
            }
            // Who waits for it may be gone.
            let _ = done.send(result);
        })?;
        Ok(Self { pieces, written })
    }
}

/// Whether the other side is told when our input ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// As soon as it does.
    Said,
    /// As soon as it does, where there was any input.
    SaidIfAny,
    /// Not before the other side has ended.
    Kept,
}

/// Carries octets both ways until the other side ends, or nobody reads what it says. Where it ends first, our input is
/// carried on as long as there is some: the other side may only have said that it has nothing more to say.
pub(crate) async fn carry(
    io: BoxedIo,
    input: &mut Input,
    output: Output,
    goodbye: Goodbye,
) -> Result<(), Error> {
    let (from_peer, mut to_peer) = tokio::io::split(io);
    let idle = Cell::new(None);
    let ended = {
        let upward = upward(input, &mut to_peer, goodbye, &idle);
        let downward = downward(from_peer, output.pieces);
        tokio::pin!(upward, downward);
        let mut sent = None;
        let received = loop {
            tokio::select! {
                received = &mut downward => break received,
                ended = &mut upward, if sent.is_none() => {
                    if let Err(Error::Input(_)) = ended {
                        break ended;
                    }
                    sent = Some(ended);
                }
            }
        };
        match (received, sent) {
            (Ok(()), Some(sent)) => sent,
            (Ok(()), None) => tokio::select! {
                sent = &mut upward => sent,
                () = silence(&idle) => Ok(()),
            },
            (failed, _) => failed,
        }
    };
    // Who is gone hears no goodbye.
    let _ = tokio::time::timeout(FAREWELL, to_peer.shutdown()).await;
    // All that came is written before the end is told.
    match output.written.await {
        Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => ended,
    }
}

/// Carries our input. `idle` is since when there is none.
async fn upward(
    input: &mut Input,
    to_peer: &mut WriteHalf<BoxedIo>,
    goodbye: Goodbye,
    idle: &Cell<Option<Instant>>,
) -> Result<(), Error> {
    let mut any = false;
    loop {
        idle.set(Some(Instant::now()));
        let Some(piece) = input.0.recv().await else {
            break;
        };
        idle.set(None);
        any = true;
        let piece = piece.map_err(Error::Input)?;
        to_peer.write_all(&piece).await.map_err(Error::Unsent)?;
        to_peer.flush().await.map_err(Error::Unsent)?;
    }
    if goodbye == Goodbye::Said || goodbye == Goodbye::SaidIfAny && any {
        // One that is gone says so by its own end.
        let _ = to_peer.shutdown().await;
    }
    Ok(())
}

/// Ends when there was no input for a while.
async fn silence(idle: &Cell<Option<Instant>>) {
    loop {
        tokio::time::sleep(SILENCE / 10).await;
        if idle.get().is_some_and(|since| since.elapsed() >= SILENCE) {
            return;
        }
    }
}

async fn downward(mut from_peer: ReadHalf<BoxedIo>, pieces: Sender<Vec<u8>>) -> Result<(), Error> {
    let mut first = true;
    let mut buffer = vec![0; PIECE];
    loop {
        match from_peer.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(read) => {
                let piece = buffer.get(..read).unwrap_or_default().to_vec();
                if pieces.send(piece).await.is_err() {
                    return Ok(());
                }
            }
            Err(source) => return Err(Error::Peer { source, first }),
        }
        first = false;
    }
}

/// How many octets are read at once.
const PIECE: usize = 64 << 10;

/// How many pieces wait.
pub(super) const QUEUED: usize = 4;

/// How long there may be no input once the other side has ended.
const SILENCE: Duration = Duration::from_millis(500);

/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_ends_with_both_and_none_twice() {
        let mut after_return = false;
        assert_eq!(
            with_returns(b"a\nb\r\nc\r", &mut after_return),
            b"a\r\nb\r\nc\r"
        );
        assert_eq!(with_returns(b"\n\n", &mut after_return), b"\n\r\n");
    }
}
