//! The session, with bytes in and bytes out, and the driver over a socket.

mod answers;
mod arbitrary;
mod connections;
mod refusals;

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;

use super::frame::{self, Code, Header, MAX_WINDOW, PREFACE, flag, kind, setting};
use super::session::Session;
use crate::app::{Answer, App};
use crate::body::{Body, Pieces, RequestBody};
use crate::connection::Connection;
use crate::limits::Limits;

/// Answers by the path: `/hello`, `/large` (300,000 bytes), `/stream` (two pieces), `/hollow` (the
/// last piece is empty), `/echo` (the body, when it is complete), `/ignore` (without reading),
/// `/never`, `/switch`.
#[derive(Default)]
struct TestApp {
    seen: RefCell<Vec<String>>,
}

impl App for TestApp {
    fn call(&self, request: Request<RequestBody>, _: &Arc<Connection>) -> Answer {
        let line = format!(
            "{} {} {:?}",
            request.method(),
            request.uri(),
            request.headers()
        );
        self.seen.borrow_mut().push(line);
        match request.uri().path() {
            "/hello" => Answer::Ready(Response::new(Body::from(Bytes::from_static(b"hello")))),
            "/large" => Answer::Ready(Response::new(Body::from(Bytes::from(vec![b'x'; 300_000])))),
            "/stream" => Answer::Ready(Response::new(Body::stream(Pieces(vec!["two", "one"])))),
            "/hollow" => Answer::Ready(Response::new(Body::stream(Told(Pieces(vec!["", "one"]))))),
            "/echo" => Answer::Later(Box::pin(async move {
                match request.into_body().collect().await {
                    Ok(body) => Response::new(Body::from(body.to_bytes())),
                    Err(_) => status(StatusCode::BAD_REQUEST),
                }
            })),
            "/never" => Answer::Later(Box::pin(async move {
                let _body = request.into_body();
                std::future::pending().await
            })),
            "/busy" => {
                let mut turns = 0;
                Answer::Later(Box::pin(std::future::poll_fn(move |cx| {
                    turns += 1;
                    cx.waker().wake_by_ref();
                    if turns < 5 {
                        Poll::Pending
                    } else {
                        Poll::Ready(status(StatusCode::OK))
                    }
                })))
            }
            "/wide" => {
                let mut response = status(StatusCode::OK);
                let value = http::HeaderValue::from_bytes(&vec![b'x'; 20_000]).unwrap();
                response.headers_mut().append("x-a", value.clone());
                response.headers_mut().append("x-b", value);
                Answer::Ready(response)
            }
            "/switch" => Answer::Ready(status(StatusCode::SWITCHING_PROTOCOLS)),
            _ => Answer::Ready(status(StatusCode::NOT_FOUND)),
        }
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A body that knows which piece is its last.
struct Told(Pieces);

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.0.is_empty()
    }
}

struct Client {
    session: Session,
    app: Rc<TestApp>,
    /// What the session has sent and nobody has looked at yet.
    received: Vec<u8>,
    decoder: super::hpack::Decoder,
}

/// What a session sends, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Settings(u8),
    Head(u32, bool),
    Data(u32, usize, bool),
    Reset(u32, u32),
    Ping(u8),
    GoAway(u32, u32),
    Window(u32, u32),
    Other(u8),
}

impl Client {
    /// Before the preface.
    fn raw(limits: &Limits) -> Self {
        let app = Rc::new(TestApp::default());
        let session = Session::new(app.clone(), somewhere(), limits, Rc::default());
        Self {
            session,
            app,
            received: Vec::new(),
            decoder: super::hpack::Decoder::default(),
        }
    }

    fn new() -> Self {
        Self::with_settings(&[])
    }

    fn with_settings(settings: &[(u16, u32)]) -> Self {
        let mut client = Self::raw(&Limits::default());
        client.send(&hello(settings));
        assert_eq!(
            client.said(),
            [
                Said::Settings(0),
                Said::Window(0, 983_041),
                Said::Settings(1)
            ]
        );
        client
    }

    /// Sends, and takes what comes back.
    fn send(&mut self, mut bytes: &[u8]) {
        loop {
            let taken = self.session.receive(bytes);
            bytes = &bytes[taken..];
            self.turn();
            if bytes.is_empty() {
                break;
            }
        }
    }

    /// Lets the session work until it has nothing more to do.
    fn turn(&mut self) {
        loop {
            self.session.work();
            let rests = self.session.streams.is_empty() || self.session.signals.is_empty();
            if self.session.output.is_empty() && rests {
                return;
            }
            let (pieces, n) = self.session.output.pieces();
            let length = pieces[..n].iter().map(|piece| piece.len()).sum();
            for piece in &pieces[..n] {
                self.received.extend_from_slice(piece);
            }
            self.session.output.advance(length);
        }
    }

    fn frames(&mut self) -> Vec<(Header, Vec<u8>)> {
        let received = std::mem::take(&mut self.received);
        let (mut rest, mut frames) = (&received[..], Vec::new());
        while let Some(header) = Header::read(rest) {
            frames.push((header, rest[9..9 + header.length].to_vec()));
            rest = &rest[9 + header.length..];
        }
        assert!(rest.is_empty());
        frames
    }

    fn said(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        for (header, payload) in self.frames() {
            let ends = header.has(flag::END_STREAM);
            said.push(match header.kind {
                kind::SETTINGS => Said::Settings(header.flags),
                kind::HEADERS => {
                    self.decoder.decode(&payload, |_, _| {}).unwrap();
                    Said::Head(header.stream, ends)
                }
                kind::DATA => Said::Data(header.stream, header.length, ends),
                kind::RST_STREAM => Said::Reset(header.stream, frame::number(&payload, 0)),
                kind::PING => Said::Ping(header.flags),
                kind::GOAWAY => {
                    Said::GoAway(frame::number(&payload, 0), frame::number(&payload, 4))
                }
                kind::WINDOW_UPDATE => Said::Window(header.stream, frame::number(&payload, 0)),
                other => Said::Other(other),
            });
        }
        said
    }

    /// Sends, and says what comes back.
    fn ask(&mut self, bytes: &[u8]) -> Vec<Said> {
        self.send(bytes);
        self.said()
    }
}

/// A connection as handlers see it.
fn somewhere() -> Arc<Connection> {
    let address = ([127, 0, 0, 1], 1).into();
    Arc::new(Connection {
        peer: address,
        local: address,
        tls: None,
    })
}

fn hello(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in settings {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    [PREFACE, &framed(kind::SETTINGS, 0, 0, &payload)].concat()
}

fn framed(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::put(&mut out, kind, flags, stream, payload);
    out
}

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

fn request_fields<'a>(method: &'a str, path: &'a str) -> [(&'a str, &'a str); 4] {
    [
        (":method", method),
        (":scheme", "https"),
        (":authority", "a.test"),
        (":path", path),
    ]
}

fn get(stream: u32, path: &str) -> Vec<u8> {
    let flags = flag::END_HEADERS | flag::END_STREAM;
    framed(
        kind::HEADERS,
        flags,
        stream,
        &block(&request_fields("GET", path)),
    )
}

fn post(stream: u32, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let fields = [&request_fields("POST", path)[..], more].concat();
    framed(kind::HEADERS, flag::END_HEADERS, stream, &block(&fields))
}

fn data(stream: u32, bytes: &[u8], ends: bool) -> Vec<u8> {
    framed(kind::DATA, u8::from(ends), stream, bytes)
}

fn window(stream: u32, increment: u32) -> Vec<u8> {
    framed(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

fn goaway(code: Code) -> Said {
    Said::GoAway(0, code as u32)
}
