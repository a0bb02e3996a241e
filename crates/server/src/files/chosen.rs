//! The form of a file that a client gets: what is said of it, and as much of it as was asked for.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::body::{FileBody, Piece};
use super::cache::{Coded, Content, Entry};
use crate::body::Body;
use crate::conditional::range::{self, ByteRange, Multipart, Selection};
use crate::conditional::{self, Decision, EntityTag, Validators};
use crate::negotiation::Coding;
use crate::prepared::PreparedFields;
use crate::reply;
use crate::site::Files;

/// The form of a file that is sent.
pub(super) struct Chosen<'a> {
    pub(super) options: &'a Files,
    /// The file that was asked for.
    pub(super) source: &'a Entry,
    /// The bytes: of the file, of a precompressed one beside it, or made on the way.
    pub(super) content: &'a Content,
    pub(super) etag: &'a EntityTag,
    pub(super) coding: Coding,
    /// Whether it was made on the way: parts of it are not offered.
    pub(super) made: bool,
}

impl<'a> Chosen<'a> {
    /// The file as it is.
    pub(super) fn plain(options: &'a Files, source: &'a Entry) -> Self {
        Self {
            options,
            source,
            content: &source.content,
            etag: &source.etag,
            coding: Coding::Identity,
            made: false,
        }
    }

    /// The file as it was compressed; as it is, where that made it no shorter.
    pub(super) fn coded(
        options: &'a Files,
        source: &'a Entry,
        coding: Coding,
        coded: Option<&'a Coded>,
    ) -> Self {
        let plain = Self::plain(options, source);
        match coded {
            None => plain,
            Some(coded) => Self {
                content: &coded.content,
                etag: &coded.etag,
                coding,
                made: true,
                ..plain
            },
        }
    }

    pub(super) fn validators(&self) -> Validators<'a> {
        Validators {
            etag: Some(self.etag),
            modified: Some(self.source.modified),
        }
    }

    /// The answer with this form, as far as the client has not got it already.
    pub(super) fn send(&self, method: &Method, headers: &HeaderMap) -> Response<Body> {
        let length = self.content.len();
        let selection = match conditional::decide(method, headers, self.validators()) {
            Decision::Whole => Selection::Whole,
            Decision::Ranges => match headers.get(header::RANGE) {
                Some(range) => range::select(range, length),
                None => Selection::Whole,
            },
            Decision::NotModified => return self.not_modified(),
            Decision::PreconditionFailed => {
                return reply::error(StatusCode::PRECONDITION_FAILED, headers);
            }
        };
        if selection == Selection::Whole {
            return self.whole(*method == Method::HEAD);
        }
        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        self.describe(fields);
        fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let pieces = match selection {
            Selection::Whole => Vec::new(),
            Selection::Unsatisfiable => {
                let mut response = reply::error(StatusCode::RANGE_NOT_SATISFIABLE, headers);
                response
                    .headers_mut()
                    .insert(header::CONTENT_RANGE, range::unsatisfied(length));
                return response;
            }
            Selection::One(part) => {
                fields.insert(header::CONTENT_TYPE, self.source.content_type.clone());
                fields.insert(header::CONTENT_RANGE, part.content_range(length));
                fields.insert(header::CONTENT_LENGTH, part.len().into());
                vec![piece(self.content, part)]
            }
            Selection::Many(parts) => {
                let multipart =
                    Multipart::new(&parts, length, Some(&self.source.content_type), random());
                fields.insert(header::CONTENT_TYPE, multipart.content_type());
                fields.insert(header::CONTENT_LENGTH, multipart.length().into());
                let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
                for part in multipart.parts() {
                    pieces.push(Piece::Bytes(part.head.clone()));
                    pieces.push(piece(self.content, part.range));
                }
                pieces.push(Piece::Bytes(multipart.closing().clone()));
                pieces
            }
        };
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        if *method != Method::HEAD {
            *response.body_mut() = match self.content {
                Content::File { file, .. } => Body::file(FileBody::new(file.clone(), pieces)),
                Content::Memory(_) => joined(pieces).into(),
            };
        }
        response
    }

    /// All of it.
    fn whole(&self, head: bool) -> Response<Body> {
        let length = self.content.len();
        let fields = || {
            let mut fields = self.fields();
            fields.insert(header::CONTENT_LENGTH, length.into());
            fields
        };
        if head || length == 0 {
            let mut response = Response::new(Body::empty());
            *response.headers_mut() = fields();
            return response;
        }
        let body = match self.content {
            Content::Memory(bytes) => bytes.clone().into(),
            Content::File { file, .. } => {
                Body::file(FileBody::new(file.clone(), [Piece::Range(0, length)]))
            }
        };
        let mut response = Response::new(body);
        if self.coding == Coding::Identity {
            let prepared = &self.source.prepared;
            let prepared = prepared.get_or_init(|| Rc::new(PreparedFields::new(fields())));
            response.body_mut().set_prepared(prepared.clone());
        } else {
            *response.headers_mut() = fields();
        }
        response
    }

    pub(super) fn not_modified(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        self.describe(response.headers_mut());
        response
    }

    /// The headers of a 200, but for the length.
    pub(super) fn fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        self.describe(&mut fields);
        if !self.made {
            fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        fields.insert(header::CONTENT_TYPE, self.source.content_type.clone());
        fields
    }

    /// The headers that a 200 and its 304 share (RFC 9110, section 15.4.5).
    fn describe(&self, headers: &mut HeaderMap) {
        headers.reserve(8);
        headers.insert(header::ETAG, self.etag.header().clone());
        headers.insert(header::LAST_MODIFIED, self.source.last_modified.clone());
        if let Some(coding) = self.coding.header().or(self.source.coding.header()) {
            headers.insert(header::CONTENT_ENCODING, coding);
        }
        let negotiated = self.options.compress || self.options.precompressed;
        if self.coding != Coding::Identity || self.source.compressible && negotiated {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Some(cache_control) = &self.options.cache_control {
            headers.insert(header::CACHE_CONTROL, cache_control.clone());
        }
    }
}

fn piece(content: &Content, part: ByteRange) -> Piece {
    match content {
        Content::Memory(bytes) => {
            Piece::Bytes(bytes.slice(part.start() as usize..part.end() as usize))
        }
        Content::File { .. } => Piece::Range(part.start(), part.end()),
    }
}

fn joined(mut pieces: Vec<Piece>) -> Bytes {
    if let [Piece::Bytes(only)] = &mut pieces[..] {
        return std::mem::take(only);
    }
    let mut whole = Vec::new();
    for piece in pieces {
        if let Piece::Bytes(bytes) = piece {
            whole.extend_from_slice(&bytes);
        }
    }
    whole.into()
}

/// Bits that nobody can foresee: `RandomState` is seeded by the system.
fn random() -> u128 {
    use std::hash::BuildHasher;
    let state = std::hash::RandomState::new();
    u128::from(state.hash_one(0)) << 64 | u128::from(state.hash_one(1))
}
