//! The door to the session for the fuzz target: bytes in, what they make the server say out.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use http::{Request, Response};

use super::ending::Ending;
use super::frame::{self, Header, PREFACE, kind};
use super::session::Session;
use crate::app::{Answer, App};
use crate::body::{Body, RequestBody};
use crate::connection::Connection;
use crate::limits::Limits;

/// What a server has said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// The frames of each stream but `WINDOW_UPDATE`, those of bodies joined.
    pub streams: BTreeMap<u32, (Vec<u8>, Vec<u8>)>,
    /// The connection was ended for an error.
    pub failed: bool,
}

/// What a server says to a client that sends these bytes behind the preface and its settings, each
/// frame in pieces of these lengths. Not across frames: what is said may depend on how many of them
/// have come when a handler has its turn.
#[must_use]
pub fn converse(mut bytes: &[u8], cuts: &[u8]) -> Said {
    let address = ([127, 0, 0, 1], 1).into();
    let connection = Connection {
        peer: address,
        local: address,
        tls: None,
    };
    let limits = Limits {
        header_bytes: 1000,
        header_fields: 20,
        ..Limits::default()
    };
    let mut session = Session::new(Rc::new(Echo), connection.into(), &limits, Rc::default());
    let mut hello = PREFACE.to_vec();
    frame::put(&mut hello, kind::SETTINGS, 0, 0, &[]);
    let mut out = Vec::new();
    talk(&mut session, &hello, &mut out);
    let mut cuts = cuts.iter().cycle();
    while !bytes.is_empty() {
        let end = Header::read(bytes).map_or(bytes.len(), |head| frame::HEADER + head.length);
        let (mut frame, rest) = bytes.split_at(end.min(bytes.len()));
        while !frame.is_empty() {
            let cut = cuts
                .next()
                .map_or(frame.len(), |cut| usize::from(*cut).max(1));
            let (piece, behind) = frame.split_at(cut.min(frame.len()));
            talk(&mut session, piece, &mut out);
            frame = behind;
        }
        bytes = rest;
    }
    said(&out, session.ending == Ending::Failed)
}

fn talk(session: &mut Session, mut bytes: &[u8], out: &mut Vec<u8>) {
    loop {
        bytes = &bytes[session.receive(bytes)..];
        session.work();
        while !session.output.is_empty() {
            let (pieces, n) = session.output.pieces();
            let length = pieces[..n].iter().map(|piece| piece.len()).sum();
            for piece in &pieces[..n] {
                out.extend_from_slice(piece);
            }
            session.output.advance(length);
        }
        if bytes.is_empty() {
            return;
        }
    }
}

fn said(mut out: &[u8], failed: bool) -> Said {
    let mut streams = BTreeMap::<u32, (Vec<u8>, Vec<u8>)>::new();
    while let Some(header) = Header::read(out) {
        let (whole, rest) = out.split_at(frame::HEADER + header.length);
        let stream = streams.entry(header.stream).or_default();
        match header.kind {
            kind::DATA => stream.1.extend_from_slice(&whole[frame::HEADER..]),
            kind::WINDOW_UPDATE => {}
            _ => stream.0.extend_from_slice(whole),
        }
        out = rest;
    }
    Said { streams, failed }
}

/// Answers with the request's head, or with its body where that is at hand.
struct Echo;

impl App for Echo {
    fn call(&self, request: Request<RequestBody>, _: &Arc<Connection>) -> Answer {
        let (head, body) = request.into_parts();
        if head.uri.path().len() % 2 == 0 {
            return Answer::Later(Box::pin(async { Response::new(Body::stream(body)) }));
        }
        let mut response = Response::new(Body::from(bytes::Bytes::from(head.uri.to_string())));
        *response.headers_mut() = head.headers;
        response
            .headers_mut()
            .insert(http::header::DATE, http::HeaderValue::from_static("now"));
        Answer::Ready(response)
    }
}
