//! Responses: sent at once where they are at hand and the client's windows have room, else in turns
//! (RFC 9113, sections 5.2 and 8.1).

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body as _;

use super::ending::Ending;
use super::flow::SendWindow;
use super::frame::{self, Code, Header, flag, kind};
use super::hpack::Additions;
use super::session::Session;
use super::signal::Cause;
use super::streams::{BodyInTransit, Sending, Stream};
use crate::body::Body;
use crate::prepared::PreparedFields;

/// What one stream may send before the others have their turn.
const TURN: usize = 256 * 1024;

/// What a frame of a body counts in its turn beside its bytes, so that empty ones end it too.
const FRAME: usize = 1024;

/// DATA frames are not larger, even where the client takes such.
const MAX_DATA: usize = 64 * 1024;

/// How far a response has come that was just begun.
pub(super) enum Begun {
    Whole,
    /// The rest of the body is to follow, first these bytes of it.
    Part(Body, Bytes),
    /// HTTP/2 has no such response.
    Impossible(Code),
}

/// What becomes of a stream after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It waits for something.
    Wait,
    /// It goes on when the others have had their turn.
    Again,
    /// Its response is complete, or there will be none.
    Over,
    /// It was reset.
    Reset,
}

impl Session {
    /// Sends the head of a response, and its body if it is at hand.
    pub(super) fn respond(
        &mut self,
        id: u32,
        response: Response<Body>,
        is_head: bool,
        window: &mut SendWindow,
    ) -> Begun {
        let (head, mut body) = response.into_parts();
        match head.status {
            // Section 8.6: there is no switching of protocols.
            StatusCode::SWITCHING_PROTOCOLS => return Begun::Impossible(Code::Http11Required),
            status if status.is_informational() => return Begun::Impossible(Code::Internal),
            _ => {}
        }
        let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status);
        let hint = if bodiless {
            None
        } else {
            body.size_hint().exact()
        };
        // That of an empty body says nothing that END_STREAM does not.
        let length = hint.filter(|length| *length > 0);
        let ready = if is_head || bodiless {
            Some(Bytes::new())
        } else {
            body.take_ready()
        };
        let ends = ready.as_ref().is_some_and(Bytes::is_empty);
        self.send_head(id, &head, &body, length, ends);
        match ready {
            Some(_) if ends => Begun::Whole,
            Some(mut bytes) => {
                self.send_data(id, &mut bytes, true, window);
                if bytes.is_empty() {
                    Begun::Whole
                } else {
                    Begun::Part(body, bytes)
                }
            }
            None => Begun::Part(body, Bytes::new()),
        }
    }

    /// Lets streams that are ready send, for as long as there is room. What becomes ready meanwhile
    /// has to wait: a future that has used up its share of the thread wakes itself at once.
    pub(super) fn work(&mut self) {
        if !self.streams.is_empty() {
            for (id, cause) in self.signals.take() {
                match cause {
                    Cause::Answer => self.streams.enqueue(id),
                    Cause::Request => self.look_after_request(id),
                }
            }
        }
        while !self.output.is_full()
            && let Some(stream) = self.streams.take_next()
        {
            self.run(stream);
        }
        if self.ending == Ending::Leaving && self.streams.is_empty() {
            self.conclude();
        }
    }

    /// Whether a stream has something to do.
    pub(super) fn has_work(&self) -> bool {
        self.streams.has_next()
    }

    /// Gives `stream` a turn, and keeps it unless that was its last.
    pub(super) fn run(&mut self, mut stream: Box<Stream>) {
        let id = stream.id;
        match self.step(&mut stream) {
            Step::Over | Step::Reset => self.let_go(&stream),
            step => {
                self.streams.insert(stream);
                // What the handler has taken of the request while it ran.
                self.look_after_request(id);
                if step == Step::Again {
                    self.streams.enqueue(id);
                }
            }
        }
    }

    fn step(&mut self, stream: &mut Stream) -> Step {
        if let Sending::Answer(later) = &mut stream.sending {
            let polled = later.as_mut().poll(&mut Context::from_waker(&stream.waker));
            let Poll::Ready(response) = polled else {
                return Step::Wait;
            };
            stream.sending = Sending::Done;
            match self.respond(stream.id, response, stream.is_head, &mut stream.window) {
                Begun::Whole => {}
                Begun::Part(body, rest) => {
                    stream.sending = Sending::Body(BodyInTransit {
                        body,
                        rest,
                        waits_for_handler: false,
                    });
                }
                Begun::Impossible(code) => {
                    self.reset(stream.id, code);
                    return Step::Reset;
                }
            }
        }
        let step = self.send_body(stream);
        if step != Step::Over {
            return step;
        }
        stream.sending = Sending::Done;
        match stream.receiving() {
            None => Step::Over,
            Some(_) => Step::Wait,
        }
    }

    /// Sends what there is of the body and what the windows have room for.
    fn send_body(&mut self, stream: &mut Stream) -> Step {
        let id = stream.id;
        let Sending::Body(transit) = &mut stream.sending else {
            return Step::Over;
        };
        let BodyInTransit {
            body,
            rest,
            waits_for_handler,
        } = transit;
        *waits_for_handler = false;
        let mut turn = 0;
        loop {
            if rest.is_empty() {
                let room = stream.window.room().min(self.window.room());
                // A body whose end is known is not read before it can be sent.
                if room == 0 && body.size_hint().exact().is_some_and(|length| length > 0) {
                    return self.wait_for_window(id);
                }
                let frame = match Pin::new(&mut *body)
                    .poll_frame(&mut Context::from_waker(&stream.waker))
                {
                    Poll::Pending => {
                        *waits_for_handler = true;
                        return Step::Wait;
                    }
                    Poll::Ready(None) => {
                        self.send_end(id);
                        return Step::Over;
                    }
                    Poll::Ready(Some(Err(_))) => {
                        self.reset(id, Code::Internal);
                        return Step::Reset;
                    }
                    Poll::Ready(Some(Ok(frame))) => frame,
                };
                match frame.into_data() {
                    Ok(data) => *rest = data,
                    Err(frame) => {
                        let trailers = frame.into_trailers().unwrap_or_default();
                        self.send_trailers(id, &trailers);
                        return Step::Over;
                    }
                }
            }
            let last = body.is_end_stream();
            if last && rest.is_empty() {
                // The last piece is empty: there is no frame to say in that it is the last.
                self.send_end(id);
                return Step::Over;
            }
            turn += FRAME + self.send_data(id, rest, last, &mut stream.window);
            if rest.is_empty() {
                if last {
                    return Step::Over;
                }
            } else if stream.window.room().min(self.window.room()) == 0 {
                return self.wait_for_window(id);
            }
            if turn >= TURN || self.output.is_full() {
                return Step::Again;
            }
        }
    }

    fn wait_for_window(&mut self, id: u32) -> Step {
        if self.ending == Ending::HalfClosed {
            // No WINDOW_UPDATE will come.
            self.reset(id, Code::Cancel);
            return Step::Reset;
        }
        if self.window.room() == 0 {
            self.streams.starve(id);
        }
        Step::Wait
    }

    /// Looks at what has become of a request's body on the handler's side.
    fn look_after_request(&mut self, id: u32) {
        self.credit(id, 0);
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let Some(receiving) = stream.receiving() else {
            return;
        };
        if receiving.expects_continue && receiving.inbox.is_waiting() {
            receiving.expects_continue = false;
            if matches!(stream.sending, Sending::Answer(_)) {
                self.send_continue(id);
            }
        }
    }

    /// Takes note that a stream is over: what it has received, nobody will take any more.
    pub(super) fn let_go(&mut self, stream: &Stream) {
        if let Some(receiving) = &stream.receiving {
            let unreleased = receiving.window.unreleased();
            self.release(unreleased);
        }
    }

    fn send_head(&mut self, id: u32, head: &Parts, body: &Body, length: Option<u64>, ends: bool) {
        let additions = Additions {
            date: self.dates.now(),
            length,
            prepared: body.prepared().map(PreparedFields::http2),
        };
        let start = self.begin_headers(id, ends);
        let out = self.output.buffer();
        self.encoder
            .head(out, head.status, &head.headers, &additions);
        self.end_headers(start);
    }

    fn send_continue(&mut self, id: u32) {
        let start = self.begin_headers(id, false);
        self.encoder
            .interim(self.output.buffer(), StatusCode::CONTINUE);
        self.end_headers(start);
    }

    fn send_trailers(&mut self, id: u32, trailers: &HeaderMap) {
        let start = self.begin_headers(id, true);
        self.encoder.trailers(self.output.buffer(), trailers);
        self.end_headers(start);
    }

    fn send_end(&mut self, id: u32) {
        frame::put(self.output.buffer(), kind::DATA, flag::END_STREAM, id, &[]);
    }

    /// Begins a HEADERS frame, and returns where.
    fn begin_headers(&mut self, id: u32, ends: bool) -> usize {
        let out = self.output.buffer();
        let start = out.len();
        let end = if ends { flag::END_STREAM } else { 0 };
        frame::put(out, kind::HEADERS, flag::END_HEADERS | end, id, &[]);
        start
    }

    /// Writes the length of the HEADERS frame that began at `start`; in several frames where the
    /// client takes none so long (section 4.3).
    fn end_headers(&mut self, start: usize) {
        let most = self.peer.max_frame;
        let out = self.output.buffer();
        let length = out.len() - start - frame::HEADER;
        self.responded += length as u64;
        let Some(mut header) = Header::read(&out[start..]) else {
            return;
        };
        header.length = length;
        if length <= most {
            out[start..start + frame::HEADER].copy_from_slice(&header.to_bytes());
            return;
        }
        let block = out.split_off(start + frame::HEADER);
        out.truncate(start);
        let chunks = block.chunks(most);
        let last = chunks.len() - 1;
        for (n, chunk) in chunks.enumerate() {
            let ends = if n == last { flag::END_HEADERS } else { 0 };
            let (kind, flags) = match n {
                0 => (kind::HEADERS, header.flags & flag::END_STREAM),
                _ => (kind::CONTINUATION, 0),
            };
            frame::put(out, kind, flags | ends, header.stream, chunk);
        }
    }

    /// Sends of `bytes` what the windows have room for, up to a turn's worth, and returns how much
    /// that was.
    fn send_data(
        &mut self,
        id: u32,
        bytes: &mut Bytes,
        last: bool,
        window: &mut SendWindow,
    ) -> usize {
        let most = self.peer.max_frame.min(MAX_DATA);
        let mut sent = 0;
        while !bytes.is_empty() && sent < TURN {
            let room = window.room().min(self.window.room()).min(most);
            if room == 0 {
                break;
            }
            let piece = bytes.split_to(room.min(bytes.len()));
            let length = piece.len();
            let header = Header {
                length,
                kind: kind::DATA,
                flags: if last && bytes.is_empty() {
                    flag::END_STREAM
                } else {
                    0
                },
                stream: id,
            };
            self.output.buffer().extend_from_slice(&header.to_bytes());
            self.output.push(piece);
            window.take(length);
            self.window.take(length);
            sent += length;
        }
        self.responded += sent as u64;
        sent
    }
}
