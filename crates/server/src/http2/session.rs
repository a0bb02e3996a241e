//! One connection's HTTP/2 (RFC 9113), without its IO: bytes come in by [`Session::receive`] and go
//! out by [`Session::output`]. What each frame means is in [`control`](super::control) and
//! [`requests`](super::requests); responses are in [`responses`](super::responses).

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::calm::Calm;
use super::control::{length_is, on_stream};
use super::ending::Ending;
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::{self, Code, Failure, Header, flag, kind, setting};
use super::head::HeadLimits;
use super::hpack::{Decoder, Encoder};
use super::output::Output;
use super::requests::Block;
use super::signal::Signals;
use super::streams::Streams;
use crate::app::App;
use crate::body::Progress;
use crate::connection::Connection;
use crate::limits::Limits;
use crate::worker::Dates;

/// What a client may send before a handler has asked for it, per stream and per connection.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The windows and settings that hold before anyone has said anything (sections 6.5.2 and 6.9.2).
const INITIAL_WINDOW: u32 = 65_535;
pub(super) const LEAST_MAX_FRAME: u32 = 16 * 1024;

/// What our PING carries, whose answer says that the client has seen our GOAWAY.
pub(super) const SEEN: [u8; 8] = *b"goodbye?";

pub(super) struct Session {
    pub(super) app: Rc<dyn App>,
    pub(super) connection: Arc<Connection>,
    pub(super) dates: Rc<Dates>,
    pub(super) head_limits: HeadLimits,
    pub(super) most_streams: usize,
    pub(super) stage: Stage,
    pub(super) ending: Ending,
    /// A frame of which not all has come.
    partial: Vec<u8>,
    /// A header block of which not all has come.
    pub(super) block: Option<Block>,
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
    pub(super) peer: PeerSettings,
    pub(super) window: SendWindow,
    pub(super) receive_window: ReceiveWindow,
    pub(super) streams: Streams,
    pub(super) signals: Signals,
    /// The highest stream that the client has opened.
    pub(super) last_stream: u32,
    /// The highest that was not ignored: what the client is told may not grow (section 6.8).
    pub(super) last_served: u32,
    pub(super) output: Output,
    pub(super) calm: Calm,
    pub(super) progress: Arc<Progress>,
    pub(super) requests: u64,
    /// Bytes of request bodies that came after the responses.
    pub(super) unwanted: u64,
    /// Fields of the last request: the next will have as many.
    pub(super) expected_fields: usize,
    /// Bytes of responses so far.
    pub(super) responded: u64,
    /// Bytes of frames that answer nothing but frames.
    pub(super) acknowledged: u64,
}

/// What the client has to send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The preface, of which this much has come (section 3.4).
    Preface(usize),
    /// Its settings.
    Settings,
    Frames,
}

#[derive(Debug)]
pub(super) struct PeerSettings {
    pub(super) initial_window: u32,
    pub(super) max_frame: usize,
}

impl Session {
    pub(super) fn new(
        app: Rc<dyn App>,
        connection: Arc<Connection>,
        limits: &Limits,
        dates: Rc<Dates>,
    ) -> Self {
        let mut session = Self {
            app,
            connection,
            dates,
            head_limits: HeadLimits {
                size: limits.header_bytes,
                fields: limits.header_fields,
            },
            most_streams: limits.http2_streams as usize,
            stage: Stage::Preface(0),
            ending: Ending::Open,
            partial: Vec::new(),
            block: None,
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            peer: PeerSettings {
                initial_window: INITIAL_WINDOW,
                max_frame: LEAST_MAX_FRAME as usize,
            },
            window: SendWindow::new(INITIAL_WINDOW),
            receive_window: ReceiveWindow::new(CONNECTION_WINDOW),
            streams: Streams::default(),
            signals: Signals::default(),
            last_stream: 0,
            last_served: 0,
            output: Output::default(),
            calm: Calm::default(),
            progress: Arc::default(),
            requests: 0,
            unwanted: 0,
            expected_fields: 0,
            responded: 0,
            acknowledged: 0,
        };
        session.greet(limits);
        session
    }

    fn greet(&mut self, limits: &Limits) {
        let mut settings = Vec::with_capacity(18);
        let header_list = u32::try_from(limits.header_bytes).unwrap_or(u32::MAX);
        for (id, value) in [
            (setting::MAX_CONCURRENT_STREAMS, limits.http2_streams),
            (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW),
            (setting::MAX_HEADER_LIST_SIZE, header_list),
        ] {
            settings.extend_from_slice(&id.to_be_bytes());
            settings.extend_from_slice(&value.to_be_bytes());
        }
        let out = self.output.buffer();
        frame::put(out, kind::SETTINGS, 0, 0, &settings);
        frame::put_window_update(out, 0, CONNECTION_WINDOW - INITIAL_WINDOW);
    }

    /// Takes bytes from the client, and returns how many: fewer than there are when so much waits
    /// to be written that a client which does not read could make us hold ever more.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() && !self.output.is_full() && self.ending != Ending::Failed {
            if let Err(failure) = self.take_some(&mut rest) {
                self.fail(failure);
            }
        }
        if self.ending == Ending::Failed {
            rest = &[];
        }
        bytes.len() - rest.len()
    }

    /// Takes a frame, or what there is of it, from the front of `input`.
    fn take_some(&mut self, input: &mut &[u8]) -> Result<(), Failure> {
        if let Stage::Preface(seen) = self.stage {
            let n = input.len().min(frame::PREFACE.len() - seen);
            if input[..n] != frame::PREFACE[seen..seen + n] {
                return Err(Failure::Connection(Code::Protocol, "not HTTP/2"));
            }
            *input = &input[n..];
            self.stage = if seen + n < frame::PREFACE.len() {
                Stage::Preface(seen + n)
            } else {
                Stage::Settings
            };
            return Ok(());
        }
        if self.partial.is_empty() {
            if let Some(header) = Header::read(input) {
                self.check(header)?;
                let end = frame::HEADER + header.length;
                if let Some((whole, rest)) = input.split_at_checked(end) {
                    *input = rest;
                    return self.frame(header, &whole[frame::HEADER..]);
                }
            }
            self.partial.extend_from_slice(input);
            *input = &[];
            return Ok(());
        }
        self.complete(input, frame::HEADER);
        let Some(header) = Header::read(&self.partial) else {
            return Ok(());
        };
        self.check(header)?;
        let end = frame::HEADER + header.length;
        self.complete(input, end);
        if self.partial.len() < end {
            return Ok(());
        }
        let mut partial = std::mem::take(&mut self.partial);
        let result = self.frame(header, &partial[frame::HEADER..]);
        partial.clear();
        self.partial = partial;
        result
    }

    /// Moves bytes from the front of `input` to the frame under way, until that has `length`.
    fn complete(&mut self, input: &mut &[u8], length: usize) {
        let n = input.len().min(length.saturating_sub(self.partial.len()));
        self.partial.extend_from_slice(&input[..n]);
        *input = &input[n..];
    }

    /// What a frame's header alone can tell: the rest of a frame that may not come is not waited
    /// for.
    fn check(&self, header: Header) -> Result<(), Failure> {
        let protocol = |words| Err(Failure::Connection(Code::Protocol, words));
        if header.length > frame::MAX_PAYLOAD {
            let words = "a frame longer than SETTINGS_MAX_FRAME_SIZE";
            return Err(Failure::Connection(Code::FrameSize, words));
        }
        if self.stage == Stage::Settings && (header.kind != kind::SETTINGS || header.has(flag::ACK))
        {
            return protocol("the first frame is not SETTINGS");
        }
        let continued = self.block.as_ref().map(|block| block.stream);
        if header.kind == kind::CONTINUATION {
            if continued != Some(header.stream) {
                return protocol("a CONTINUATION of nothing");
            }
        } else if continued.is_some() {
            return protocol("a header block is not continued");
        }
        Ok(())
    }

    fn frame(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        let mut noise = frame::HEADER + payload.len();
        match header.kind {
            kind::DATA => {
                self.data(header, payload)?;
                noise = 0;
            }
            kind::HEADERS => {
                self.headers(header, payload)?;
                noise = 0;
            }
            kind::CONTINUATION => {
                self.continuation(header, payload)?;
                noise = frame::HEADER;
            }
            kind::PRIORITY => on_stream(header).and(length_is(payload, 5))?,
            kind::RST_STREAM => self.reset_by_client(header, payload)?,
            kind::SETTINGS => self.settings(header, payload)?,
            kind::PUSH_PROMISE => {
                let words = "a PUSH_PROMISE from a client";
                return Err(Failure::Connection(Code::Protocol, words));
            }
            kind::PING => self.ping(header, payload)?,
            kind::GOAWAY => self.goodbye(header, payload)?,
            kind::WINDOW_UPDATE => self.window_update(header, payload)?,
            // Section 5.5: unknown frames are ignored.
            _ => {}
        }
        if noise > 0 {
            self.calm.add_noise(noise);
        }
        self.check_calm()
    }

    fn check_calm(&self) -> Result<(), Failure> {
        let bodies = self.progress.received() + self.responded / 32;
        if self.calm.is_flooded(self.requests, bodies) {
            let words = "too many frames beside requests";
            return Err(Failure::Connection(Code::EnhanceYourCalm, words));
        }
        Ok(())
    }

    /// Fails for a stream that the client has not opened, or cannot (section 5.1.1).
    pub(super) fn check_opened(&self, stream: u32) -> Result<(), Failure> {
        if stream > self.last_stream || stream.is_multiple_of(2) {
            let words = "a frame on a stream that was not opened";
            return Err(Failure::Connection(Code::Protocol, words));
        }
        Ok(())
    }

    pub(super) fn count_reset(&mut self) -> Result<(), Failure> {
        if self.calm.add_reset(Instant::now()) {
            return Ok(());
        }
        let words = "too many streams are reset";
        Err(Failure::Connection(Code::EnhanceYourCalm, words))
    }

    /// Answers an error of the client's.
    fn fail(&mut self, failure: Failure) {
        let failure = match failure {
            Failure::Connection(..) => failure,
            Failure::Stream(stream, code) => {
                self.reset(stream, code);
                match self.count_reset().and_then(|()| self.check_calm()) {
                    Ok(()) => return,
                    Err(failure) => failure,
                }
            }
        };
        if let Failure::Connection(code, words) = failure {
            frame::put_goaway(self.output.buffer(), self.last_served, code, words);
            self.ending.advance(Ending::Failed);
            self.streams.clear();
            self.block = None;
            self.partial = Vec::new();
        }
    }

    /// Ends a stream with an error (section 5.4.2).
    pub(super) fn reset(&mut self, stream: u32, code: Code) {
        if let Some(stream) = self.streams.remove(stream) {
            self.let_go(&stream);
        }
        frame::put_reset(self.output.buffer(), stream, code);
        self.streams.remember_reset(stream);
    }

    /// Tells the client to open no more streams. `false` where it knows.
    pub(super) fn announce(&mut self) -> bool {
        let new = self.ending.advance(Ending::Announced);
        if new {
            let out = self.output.buffer();
            frame::put_goaway(out, frame::MAX_WINDOW, Code::NoError, "");
            frame::put(out, kind::PING, 0, 0, &SEEN);
        }
        new
    }

    /// Says which streams are the last.
    pub(super) fn conclude(&mut self) {
        if self.ending.advance(Ending::Concluded) {
            frame::put_goaway(self.output.buffer(), self.last_served, Code::NoError, "");
        }
    }

    /// Takes note that the client will send nothing more. It may be gone, or have ended only its own
    /// side (RFC 8446, section 6.1): what it has asked for is still answered.
    pub(super) fn receive_end(&mut self) {
        if self.ending.advance(Ending::HalfClosed) {
            self.streams.end_requests();
        }
    }

    /// Whether everything was done and said.
    pub(super) fn is_over(&self) -> bool {
        self.ending.is_over(self.streams.len()) && self.output.is_empty()
    }

    /// Whether no request is being answered.
    pub(super) fn is_idle(&self) -> bool {
        self.streams.is_empty() && self.output.is_empty()
    }

    /// Whether a request, or the preface, has begun to come and is not complete.
    pub(super) fn is_in_head(&self) -> bool {
        let in_frame = !self.partial.is_empty();
        in_frame || self.block.is_some() || matches!(self.stage, Stage::Preface(1..))
    }

    /// Whether a handler works that does not itself wait for the client. For a client that may be
    /// gone, which only writing would show, a handler does not work for ever.
    pub(super) fn is_working(&self) -> bool {
        if self.ending == Ending::HalfClosed {
            return false;
        }
        let working = self.streams.iter().filter(|stream| stream.is_working());
        working.count() > self.progress.waiting()
    }

    /// Begins a poll of the connection: until [`Session::sleep`] streams do not wake it.
    pub(super) fn listen(&self) {
        if !self.streams.is_empty() {
            self.signals.listen();
        }
    }

    /// Ends a poll. `false` where a stream has become ready meanwhile.
    pub(super) fn sleep(&self, waker: &Waker) -> bool {
        self.streams.is_empty() || self.signals.sleep(waker)
    }

    /// Gives back memory that an idle connection does not need.
    pub(super) fn shrink(&mut self) {
        self.output.shrink();
        self.decoder.shrink();
        self.streams.clear();
        if self.partial.is_empty() {
            self.partial = Vec::new();
        }
    }
}
