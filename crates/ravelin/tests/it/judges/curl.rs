//! curl, over HTTP/1.1 and HTTP/2.

use crate::foreign::{Response, curl, fetch};
use crate::server::{Place, Server};

/// The two versions, as curl is asked for them and as it calls them.
const VERSIONS: [(&str, &str); 2] = [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")];

#[test]
fn a_page_comes_whole_in_the_version_that_was_asked_for() {
    let server = Place::new().serve(&[]);
    for (option, version) in VERSIONS {
        let got = fetch(&server, "/", &[option]);
        assert_eq!((got.version.as_str(), got.status, got.text()), (version, 200, "hello\n"));
        assert_eq!(got.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(got.header("content-length"), Some("6"));
        assert!(got.header("etag").is_some_and(|etag| etag.starts_with('"')));
        assert!(got.header("last-modified").is_some());
        assert!(got.header("date").is_some());
        assert_eq!(got.header("server"), None);
    }
}
