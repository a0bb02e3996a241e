//! The TLS handshakes of a request, recorded as they run and told at its end.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use ravelin_client::{BoxedIo, Look, Onlooker};
use ravelin_lens::connection::Limits;
use ravelin_lens::explain::Language;
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::recorder::{self, Recorder, Recording};
use ravelin_lens::text::{self, Detail, Options};
use ravelin_tls::Witness;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::words;

/// The recorders of all connections.
#[derive(Clone, Default)]
pub(super) struct Recorders(Arc<Mutex<Vec<(String, Recorder)>>>);

/// Secrets never show.
impl fmt::Debug for Recorders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorders")
    }
}

impl Recorders {
    /// Tells of each connection, without its secrets and what was sent over it.
    pub(super) fn tell(&self) {
        let recorders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (host, recorder) in recorders.iter() {
            let is_quic = recorder.look(Recording::is_quic);
            let is_answered = |recording: &Recording| {
                let mut heard = recording.heard().iter();
                heard.any(|heard| heard.side == Side::Server)
            };
            // Over QUIC each address of a name is tried by a handshake.
            if is_quic && !recorder.look(is_answered) {
                continue;
            }
            let story = recorder.look(|recording| recording.story(Limits::default()));
            let options = Options {
                language: Language::English,
                width: words::show::columns(),
                colour: true,
                detail: Detail::Steps,
                secrets: Secrets::Hidden,
            };
            words::get::handshake(host, is_quic, &text::text(&story, &options));
        }
    }
}

impl Onlooker for Recorders {
    fn witness(&self) -> Witness {
        recorder::witness()
    }

    fn look(&self, host: &str) -> Box<dyn Look> {
        let recorder = Recorder::new(MOST_OCTETS);
        let mut recorders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorders.push((host.to_owned(), recorder.clone()));
        Box::new(Looking(recorder))
    }
}

struct Looking(Recorder);

impl Look for Looking {
    fn under(&mut self, stream: BoxedIo) -> BoxedIo {
        Box::new(Heard {
            stream,
            recorder: self.0.clone(),
        })
    }

    fn within(&self, call: &mut dyn FnMut()) {
        self.0.scope(call);
    }

    fn heard(&self, is_of_server: bool, octets: &[u8]) {
        let side = if is_of_server {
            Side::Server
        } else {
            Side::Client
        };
        self.0.shook(side, octets);
    }
}

/// A stream whose octets are taken down.
struct Heard {
    stream: BoxedIo,
    recorder: Recorder,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match &polled {
            Poll::Ready(Ok(())) => {
                let read = &buffer.filled()[before..];
                if read.is_empty() && buffer.remaining() > 0 {
                    self.recorder.ended(Side::Server, false);
                }
                self.recorder.sent(Side::Server, read);
            }
            Poll::Ready(Err(_)) => self.recorder.ended(Side::Server, true),
            Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, octets);
        if let Poll::Ready(Ok(written)) = polled {
            self.recorder.sent(Side::Client, &octets[..written]);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A handshake with long chains, and the beginning of what follows.
const MOST_OCTETS: usize = 1 << 20;
