//! `handshake = true`: a client is shown the TLS handshake of its own connection, and of no other.
//!
//! A browser gets a page, whoever asks for JSON gets that, and all others a text for a terminal. All of it is
//! made of the recording of the connection that the request came by, so that nobody can ask for another.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use ravelin_lens::connection::Limits;
use ravelin_lens::explain::Language;
use ravelin_lens::json;
use ravelin_lens::ledger::Secrets;
use ravelin_lens::page::{self, Audience};
use ravelin_lens::text::{self, Detail};

use crate::body::Body;
use crate::connection::Connection;
use crate::negotiation;
use crate::reply;

/// How wide a text is for who did not say.
const TEXT_COLUMNS: usize = 100;

/// Answers with what was recorded of the connection so far.
pub(crate) fn answer(head: &Parts, connection: &Connection) -> Response<Body> {
    let error = |status| reply::error(status, &head.headers);
    if !matches!(head.method, Method::GET | Method::HEAD) {
        let mut response = error(StatusCode::METHOD_NOT_ALLOWED);
        let allow = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    let recorder = connection
        .tls
        .as_ref()
        .and_then(|tls| tls.recorder.as_ref());
    // A connection without TLS, or one that began before the route was there.
    let Some(recorder) = recorder else {
        let detail = "this connection began before its handshake could be recorded: connect anew";
        return reply::error_with(StatusCode::NOT_FOUND, &head.headers, Some(detail));
    };
    let story = recorder.look(|recording| recording.story(Limits::default()));
    let language = language(head);
    let accept = head.headers.get(header::ACCEPT);
    let (content_type, body) = if negotiation::wants_html(accept) {
        let options = page::Options {
            language,
            secrets: Secrets::Shown,
            subject: None,
            audience: Audience::Visitor,
        };
        match page::page(&[&story], &options) {
            Ok(page) => ("text/html; charset=utf-8", page),
            Err(_) => return error(StatusCode::INTERNAL_SERVER_ERROR),
        }
    } else if negotiation::wants(accept, "application/json") {
        let document = json::document(&[&story], language, Secrets::Shown);
        match serde_json::to_string(&document) {
            Ok(text) => ("application/json", text),
            Err(_) => return error(StatusCode::INTERNAL_SERVER_ERROR),
        }
    } else {
        let options = text::Options {
            language,
            width: TEXT_COLUMNS,
            colour: false,
            detail: Detail::Steps,
            secrets: Secrets::Shown,
        };
        ("text/plain; charset=utf-8", text::text(&story, &options))
    };
    let length = body.len();
    let body = match head.method {
        Method::HEAD => Body::empty(),
        _ => Body::from(Bytes::from(body)),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        // It has the keys of the connection in it: not for any cache, nor for another page's frame or script.
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "accept, accept-language"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::try_from(page::content_security_policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The language that the client likes best of those that there are; English where it said nothing.
fn language(head: &Parts) -> Language {
    let accepted = head.headers.get_all(header::ACCEPT_LANGUAGE);
    let offered = Language::ALL.map(|language| (language.tag(), language));
    negotiation::language(accepted, &offered).unwrap_or_default()
}
