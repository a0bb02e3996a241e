//! HTTP/1.1 framing: however the bytes of a connection are cut, the verdict is the same, and what
//! passes is read by another parser in the same way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_server::fuzzing::{Judged, judge};

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, cuts) = input;
    let whole = judge(&[&bytes]);
    let mut pieces = Vec::new();
    let mut left = &bytes[..];
    for cut in cuts {
        let (piece, rest) = left.split_at(usize::from(cut).min(left.len()));
        pieces.push(piece);
        left = rest;
    }
    pieces.push(left);
    let cut = judge(&pieces);
    assert_eq!(whole.refusal, cut.refusal);
    assert_eq!(whole.requests, cut.requests);
    agree_with_httparse(&whole);
});

fn agree_with_httparse(judged: &Judged) {
    for request in &judged.requests {
        let mut fields = vec![httparse::EMPTY_HEADER; request.fields.len()];
        let mut other = httparse::Request::new(&mut fields);
        let parsed = other
            .parse(&request.block)
            .expect("another parser refuses what passed");
        // httparse does not skip empty lines with us, but it takes them.
        assert_eq!(parsed, httparse::Status::Complete(request.block.len()));
        assert_eq!(other.method.map(str::as_bytes), Some(&request.method[..]));
        assert_eq!(other.path.map(str::as_bytes), Some(&request.target[..]));
        assert_eq!(other.headers.len(), request.fields.len());
        for (theirs, (name, value)) in other.headers.iter().zip(&request.fields) {
            assert_eq!(theirs.name.as_bytes(), name);
            assert_eq!(theirs.value.trim_ascii(), value);
        }
    }
}
