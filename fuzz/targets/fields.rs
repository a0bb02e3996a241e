//! Header fields that decide what of a file is sent, and how.
#![no_main]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Method, header};
use libfuzzer_sys::fuzz_target;
use ravelin_server::conditional::range::{self, Multipart, Selection};
use ravelin_server::conditional::{EntityTag, Validators, decide};
use ravelin_server::negotiation::{AcceptEncoding, Coding, wants_html};

fuzz_target!(|input: (u64, Vec<(u8, Vec<u8>)>)| {
    let (length, fields) = input;
    let names = [
        header::RANGE,
        header::IF_RANGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::ACCEPT_ENCODING,
        header::ACCEPT,
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in &fields {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.append(names[usize::from(*name) % names.len()].clone(), value);
    }

    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let etag = EntityTag::of(&length.to_le_bytes());
    let validators = Validators {
        etag: Some(&etag),
        modified: Some(modified),
    };
    let _ = decide(&Method::GET, &headers, validators);
    let _ = decide(
        &Method::PUT,
        &headers,
        Validators {
            etag: None,
            modified: None,
        },
    );

    let _ = wants_html(headers.get(header::ACCEPT));
    let coding = AcceptEncoding::of(&headers).choose(&[Coding::Brotli, Coding::Zstd, Coding::Gzip]);
    assert!(coding == Coding::Identity || AcceptEncoding::of(&headers).takes(coding));

    if let Some(range) = headers.get(header::RANGE) {
        match range::select(range, length) {
            Selection::Whole | Selection::Unsatisfiable => {}
            Selection::One(part) => {
                assert!(part.start() < part.end() && part.end() <= length);
                let _ = part.content_range(length);
            }
            Selection::Many(parts) => {
                assert!(parts.len() > 1);
                assert!(
                    parts
                        .iter()
                        .all(|part| part.start() < part.end() && part.end() <= length)
                );
                // No more than the whole would be (CVE-2011-3192).
                let multipart = Multipart::new(&parts, length, None, 7);
                assert!(
                    multipart.length() <= length.saturating_add(1024),
                    "{parts:?}"
                );
            }
        }
    }
});
