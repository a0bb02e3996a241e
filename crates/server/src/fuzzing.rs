//! Doors to private parsers of outside bytes, for the targets in `fuzz/`. No part of the interface.

#![allow(missing_docs)]

use crate::framing::{Framing, Verdict};
use crate::path::RequestPath;

pub use crate::http2::fuzzing::{Said, converse};

/// What became of the bytes of one HTTP/1.1 connection.
#[derive(Debug)]
pub struct Judged {
    pub requests: Vec<Judgement>,
    /// Why the rest was refused.
    pub refusal: Option<&'static str>,
}

/// A header block that passed, as it was read, and the body behind it.
#[derive(Debug, PartialEq, Eq)]
pub struct Judgement {
    /// From the request line on.
    pub block: Vec<u8>,
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// Judges the bytes of a connection that come in these pieces.
#[must_use]
pub fn judge(pieces: &[&[u8]]) -> Judged {
    let mut framing = Framing::new(4096, 20, false);
    let mut requests: Vec<Judgement> = Vec::new();
    for piece in pieces {
        let mut left = *piece;
        while !left.is_empty() {
            if framing.is_in_body() {
                match framing.next_piece(left) {
                    Ok(piece) => {
                        let taken = piece.framing + piece.data;
                        if let Some(request) = requests.last_mut() {
                            request.body.extend_from_slice(&left[piece.framing..taken]);
                        }
                        left = &left[taken..];
                    }
                    Err(refusal) => {
                        return Judged {
                            requests,
                            refusal: Some(refusal.reason),
                        };
                    }
                }
                continue;
            }
            let (block, taken) = match framing.inspect(left) {
                Ok(Verdict::Pass(n)) => (left[..n].to_vec(), n),
                Ok(Verdict::Complete(n)) => (framing.take_held(), n),
                Ok(Verdict::Held | Verdict::Wait) => break,
                Err(refusal) => {
                    return Judged {
                        requests,
                        refusal: Some(refusal.reason),
                    };
                }
            };
            left = &left[taken..];
            let head = framing.head();
            let of = |range: &std::ops::Range<u32>| {
                block[range.start as usize..range.end as usize].to_vec()
            };
            let start = head.method.start;
            requests.push(Judgement {
                method: block[head.method.clone()].to_vec(),
                target: block[head.target.clone()].to_vec(),
                fields: head
                    .fields
                    .iter()
                    .map(|(name, value)| (of(name), of(value)))
                    .collect(),
                block: block[start..].to_vec(),
                body: Vec::new(),
            });
        }
    }
    Judged {
        requests,
        refusal: None,
    }
}

/// The name that a request path stands for in a folder; `None` where it is refused.
#[must_use]
pub fn path(raw: &str) -> Option<Vec<u8>> {
    RequestPath::new(raw)
        .ok()
        .map(|path| path.relative().to_vec())
}

/// The host that the text of a `Host` field stands for; `None` where it is refused.
#[must_use]
pub fn host(text: &str) -> Option<String> {
    crate::host::parse(text).map(|host| host.to_string())
}

/// The link that a plain request is answered with.
#[must_use]
pub fn https_link(request: &[u8]) -> Option<String> {
    crate::handshake::https_link(request)
}
