//! Small responses that many handlers give.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::error_page;

/// The page, or the line of text, that says why there is nothing better to send.
pub(crate) fn error(status: StatusCode, headers: &HeaderMap) -> Response<Body> {
    error_with(status, headers, None)
}

/// [`error`] with a sentence of its own.
pub(crate) fn error_with(
    status: StatusCode,
    headers: &HeaderMap,
    detail: Option<&str>,
) -> Response<Body> {
    let (content_type, body) = error_page::body(status, headers.get(header::ACCEPT), detail);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, body.len().into());
    // A page for browsers, a line for others: a cache must not give one of them the other's.
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept"));
    *response.body_mut() = body.into();
    response
}

/// Sends the client to `location`.
pub(crate) fn redirect(status: StatusCode, location: &str) -> Option<Response<Body>> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::try_from(location).ok()?);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    Some(response)
}
