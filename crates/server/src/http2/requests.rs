//! Requests: HEADERS, CONTINUATION and DATA frames (RFC 9113, sections 6.1, 6.2 and 6.10).

use bytes::Bytes;
use http::{Response, StatusCode, Version, header};

use super::control::on_stream;
use super::ending::Ending;
use super::flow::SendWindow;
use super::frame::{self, Code, Failure, Header, flag};
use super::head::{Flaw, Head};
use super::hpack::Undecodable;
use super::responses::Begun;
use super::session::{STREAM_WINDOW, Session};
use super::signal::Cause;
use super::streams::{BodyInTransit, Receiving, Sending, Stream};
use crate::app::{Answer, Refused};
use crate::body::{Body, RequestBody};
use crate::error_page;
use crate::inbox::{self, Cut};

/// How long a header block may be as it comes, in header lists that we would take: a longer one is
/// not even decoded.
const BLOCK_LISTS: usize = 4;

/// Frames that a header block may come in, so that empty ones do not come for ever
/// (CVE-2024-27316, "CONTINUATION flood").
const BLOCK_FRAMES: usize = 128;

/// A header block on its way.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    purpose: Purpose,
    /// `END_STREAM` came with it.
    ends: bool,
    fragments: Vec<u8>,
    frames: usize,
}

/// What a header block is for. Each has to be decoded: those behind it refer to its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Request,
    Trailers,
    /// A stream that is none any more for us: one that we have reset, or behind the last.
    Nothing,
    /// A stream that gets an error.
    Error(Code),
}

impl Session {
    pub(super) fn headers(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        on_stream(header)?;
        let mut fragment = frame::without_padding(header, payload)?;
        if header.has(flag::PRIORITY) {
            // Section 5.3.2: the priority is not looked at.
            let words = "a HEADERS frame is too short for its priority";
            fragment = fragment
                .get(5..)
                .ok_or(Failure::Connection(Code::FrameSize, words))?;
        }
        let block = Block {
            stream: header.stream,
            purpose: self.purpose(header.stream)?,
            ends: header.has(flag::END_STREAM),
            fragments: Vec::new(),
            frames: 1,
        };
        if block.purpose != Purpose::Request {
            self.calm.add_noise(frame::HEADER + payload.len());
        }
        self.last_stream = self.last_stream.max(header.stream);
        if block.purpose != Purpose::Nothing {
            self.last_served = self.last_served.max(header.stream);
        }
        if header.has(flag::END_HEADERS) {
            return self.decode(&block, fragment);
        }
        let fragments = fragment.to_vec();
        self.block = Some(Block { fragments, ..block });
        Ok(())
    }

    pub(super) fn continuation(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        let Some(mut block) = self.block.take() else {
            return Ok(());
        };
        block.frames += 1;
        block.fragments.extend_from_slice(payload);
        let longest = self.head_limits.size.max(4096) * BLOCK_LISTS;
        if block.fragments.len() > longest || block.frames > BLOCK_FRAMES {
            let words = "a header block does not end";
            return Err(Failure::Connection(Code::EnhanceYourCalm, words));
        }
        if header.has(flag::END_HEADERS) {
            let fragments = std::mem::take(&mut block.fragments);
            return self.decode(&block, &fragments);
        }
        self.block = Some(block);
        Ok(())
    }

    /// What a header block on `stream` is for (section 5.1).
    fn purpose(&mut self, stream: u32) -> Result<Purpose, Failure> {
        if stream > self.last_stream && !stream.is_multiple_of(2) {
            return Ok(match self.ending {
                Ending::Concluded => {
                    // What belongs to it is ignored as well (section 6.8).
                    self.streams.remember_reset(stream);
                    Purpose::Nothing
                }
                _ if self.streams.len() >= self.most_streams => Purpose::Error(Code::RefusedStream),
                _ => Purpose::Request,
            });
        }
        if let Some(stream) = self.streams.get_mut(stream) {
            return Ok(match stream.receiving() {
                Some(_) => Purpose::Trailers,
                None => Purpose::Error(Code::StreamClosed),
            });
        }
        if self.streams.was_reset(stream) {
            return Ok(Purpose::Nothing);
        }
        Err(if stream == self.last_stream {
            Failure::Connection(Code::StreamClosed, "HEADERS on a closed stream")
        } else {
            Failure::Connection(Code::Protocol, "a stream out of order")
        })
    }

    fn decode(&mut self, block: &Block, fragments: &[u8]) -> Result<(), Failure> {
        let expected = if block.purpose == Purpose::Request {
            self.expected_fields
        } else {
            0
        };
        let mut head = Head::new(self.head_limits, expected);
        let decoded = match block.purpose {
            Purpose::Request | Purpose::Trailers => self
                .decoder
                .decode(fragments, |field, size| head.push(field, size)),
            Purpose::Nothing | Purpose::Error(_) => self.decoder.decode(fragments, |_, _| {}),
        };
        decoded.map_err(|Undecodable(words)| Failure::Connection(Code::Compression, words))?;
        match block.purpose {
            Purpose::Request => self.request(block.stream, head, block.ends),
            Purpose::Trailers => self.trailers(block.stream, head, block.ends),
            Purpose::Nothing => Ok(()),
            Purpose::Error(code) => Err(Failure::Stream(block.stream, code)),
        }
    }

    /// Has a request answered, at once where that can be.
    fn request(&mut self, id: u32, head: Head, ends: bool) -> Result<(), Failure> {
        self.requests += 1;
        self.expected_fields = head.fields();
        let length = match (head.flaw(), head.content_length()) {
            (Some(Flaw::TooLarge), _) => {
                self.refuse(id, ends, head.is_head());
                return Ok(());
            }
            (Some(Flaw::Malformed), _) | (_, Err(_)) => return Err(self.malformed(id)),
            (None, Ok(length)) => length,
        };
        let mut receiving = None;
        let body = if ends {
            if length.is_some_and(|length| length > 0) {
                return Err(self.malformed(id));
            }
            RequestBody::none()
        } else {
            let (inbox, outlet) = inbox::channel();
            let waker = self.signals.waker(id, Cause::Request);
            let expects_continue = head.expects_continue();
            receiving = Some(Receiving {
                expects_continue,
                ..Receiving::new(inbox, STREAM_WINDOW, length, waker)
            });
            RequestBody::inbox(outlet, length, Some(self.progress.clone()))
        };
        let is_head = head.is_head();
        let request = match head.into_request(body) {
            Ok(request) => request,
            Err(Flaw::TooLarge) => {
                self.refuse(id, ends, is_head);
                return Ok(());
            }
            Err(Flaw::Malformed) => return Err(self.malformed(id)),
        };
        match self.app.call(request, &self.connection) {
            Answer::Ready(response) => {
                self.answer(id, response, receiving, is_head);
                Ok(())
            }
            Answer::Later(later) => {
                let window = SendWindow::new(self.peer.initial_window);
                let sending = Sending::Answer(later);
                let mut stream = Stream::new(id, window, sending, &self.signals);
                stream.receiving = receiving;
                stream.is_head = is_head;
                self.run(stream);
                Ok(())
            }
        }
    }

    /// Sends a response, and keeps the stream where it or the request is not over.
    fn answer(
        &mut self,
        id: u32,
        response: Response<Body>,
        receiving: Option<Receiving>,
        is_head: bool,
    ) {
        let mut window = SendWindow::new(self.peer.initial_window);
        let sending = match self.respond(id, response, is_head, &mut window) {
            Begun::Whole if receiving.is_none() => return,
            Begun::Whole => Sending::Done,
            Begun::Part(body, rest) => Sending::Body(BodyInTransit {
                body,
                rest,
                waits_for_handler: false,
            }),
            Begun::Impossible(code) => {
                self.reset(id, code);
                return;
            }
        };
        let mut stream = Stream::new(id, window, sending, &self.signals);
        stream.receiving = receiving;
        stream.is_head = is_head;
        self.run(stream);
    }

    /// Answers a request with too many or too long header fields.
    fn refuse(&mut self, id: u32, ends: bool, is_head: bool) {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        let (content_type, body) = error_page::body(status, None, None);
        self.log_refused(status, if is_head { 0 } else { body.len() });
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        let receiving = (!ends).then(|| {
            // Nobody has the other end: what comes is dropped.
            let (inbox, _) = inbox::channel();
            let waker = self.signals.waker(id, Cause::Request);
            Receiving::new(inbox, STREAM_WINDOW, None, waker)
        });
        self.answer(id, response, receiving, is_head);
    }

    /// What is no request resets its stream (section 8.1.1).
    fn malformed(&self, id: u32) -> Failure {
        self.log_refused(StatusCode::BAD_REQUEST, 0);
        Failure::Stream(id, Code::Protocol)
    }

    fn log_refused(&self, status: StatusCode, bytes: usize) {
        let refused = Refused {
            line: b"",
            version: Version::HTTP_2,
            since: None,
            status,
            bytes,
        };
        self.app.refused(&refused, &self.connection);
    }

    /// The end of a request's body, with fields behind it (section 8.1).
    fn trailers(&mut self, id: u32, head: Head, ends: bool) -> Result<(), Failure> {
        let malformed = Failure::Stream(id, Code::Protocol);
        let Some(receiving) = self.streams.get_mut(id).and_then(Stream::receiving) else {
            return Ok(());
        };
        let complete = ends && receiving.left.is_none_or(|left| left == 0);
        match head.into_trailers() {
            Ok(trailers) if complete => {
                receiving.inbox.finish(Some(trailers));
                receiving.ended = true;
            }
            _ => {
                receiving.inbox.cut(Cut::Malformed);
                return Err(malformed);
            }
        }
        self.request_ended(id);
        Ok(())
    }

    pub(super) fn data(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        on_stream(header).and_then(|()| self.check_opened(header.stream))?;
        let id = header.stream;
        let length = payload.len();
        let data = frame::without_padding(header, payload)?;
        self.calm.add_noise(frame::HEADER + length - data.len());
        let overrun = "more DATA than the connection's window has room for";
        let received = self.receive_window.receive(length);
        received.map_err(|_| Failure::Connection(Code::FlowControl, overrun))?;

        let Some(receiving) = self.streams.get_mut(id).and_then(Stream::receiving) else {
            // Nobody waits for it, but it has used the connection's window (section 5.1).
            self.calm.add_noise(data.len());
            self.release(length);
            let expected = self.streams.was_reset(id);
            return if expected {
                Ok(())
            } else {
                Err(Failure::Stream(id, Code::StreamClosed))
            };
        };
        if receiving.window.receive(length).is_err() {
            self.release(length);
            return Err(Failure::Stream(id, Code::FlowControl));
        }
        let ends = header.has(flag::END_STREAM);
        if let Some(left) = &mut receiving.left {
            // Section 8.1.1: a length that was said has to be true.
            let wanted = left.checked_sub(data.len() as u64);
            match wanted.filter(|left| !ends || *left == 0) {
                Some(wanted) => *left = wanted,
                None => {
                    receiving.inbox.cut(Cut::Malformed);
                    return Err(Failure::Stream(id, Code::Protocol));
                }
            }
        }
        receiving.expects_continue = false;
        if !data.is_empty() {
            receiving.inbox.push(Bytes::copy_from_slice(data));
        }
        if ends {
            receiving.inbox.finish(None);
            receiving.ended = true;
        }
        let padding = length - data.len();
        self.credit(id, padding);
        if ends {
            self.request_ended(id);
        } else {
            self.lose_patience(id, data.len());
        }
        Ok(())
    }

    /// Ends a stream of whose request too much comes after the response.
    fn lose_patience(&mut self, id: u32, bytes: usize) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let done = matches!(stream.sending, Sending::Done);
        if let Some(receiving) = stream.receiving()
            && done
            && receiving.inbox.is_abandoned()
        {
            self.unwanted += bytes as u64;
            receiving.patience = receiving.patience.saturating_sub(bytes);
            if receiving.patience == 0 {
                self.reset(id, Code::NoError);
            }
        }
    }

    /// Ends a stream whose response was sent before its request was complete.
    fn request_ended(&mut self, id: u32) {
        let done = self
            .streams
            .get_mut(id)
            .is_some_and(|stream| matches!(stream.sending, Sending::Done));
        if done && let Some(stream) = self.streams.remove(id) {
            self.let_go(&stream);
        }
    }

    /// Lets the client send what the handler of a stream has taken, and `more`.
    pub(super) fn credit(&mut self, id: u32, more: usize) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let Some(receiving) = &mut stream.receiving else {
            return;
        };
        let bytes = receiving.taken() + more;
        if bytes == 0 {
            return;
        }
        let increment = receiving.window.release(bytes);
        if let Some(increment) = increment.filter(|_| !receiving.ended) {
            frame::put_window_update(self.output.buffer(), id, increment);
        }
        self.release(bytes);
    }

    /// Lets the client send `bytes` again on the connection.
    pub(super) fn release(&mut self, bytes: usize) {
        if let Some(increment) = self.receive_window.release(bytes) {
            frame::put_window_update(self.output.buffer(), 0, increment);
        }
    }
}
