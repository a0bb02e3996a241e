//! What the pages that the server writes by itself share.

use http::HeaderValue;

/// The `Content-Security-Policy` of the server's own pages ([`listing`](crate::listing) and
/// [`error_page`](crate::error_page)): their style and their icon are in them, and nothing else is
/// loaded, run, submitted or framed, whatever a file's name may be.
pub const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);
