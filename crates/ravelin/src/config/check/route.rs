//! `[[site.route]]`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use ravelin_server::site::{Handler, PathPattern, Route};

use super::super::DEFAULT_BODY_LIMIT;
use super::super::fault::Fault;
use super::super::placed::At;
use super::super::raw;
use super::{Check, access, files, header, path, redirect, value};

/// A route and where its handler is given.
pub(super) struct PlacedRoute {
    pub(super) route: Route,
    pub(super) place: Range<usize>,
}

/// The routes of a site. One whose path or handler was refused is left out.
pub(super) fn routes(site: &raw::Site, check: &mut Check<'_>) -> Vec<PlacedRoute> {
    let mut routes = Vec::new();
    let mut known: HashMap<String, Range<usize>> = HashMap::new();
    for at in site.route.value().into_iter().flatten() {
        let (place, text) = match at.value.path.given() {
            Some(path) => (&path.place, path.value.as_str()),
            None => (&at.place, "/*"),
        };
        let pattern = check.problems.take(place, path::pattern(text));
        if let Some(pattern) = &pattern {
            let text = path::text(pattern);
            if let Some(earlier) = known.get(&text) {
                check.problems.again(place, earlier, Fault::PathTwice(text));
            } else {
                known.insert(text, place.clone());
            }
        }
        routes.extend(route(&at.value, pattern, check));
    }
    routes
}

fn route(
    raw: &raw::Route,
    pattern: Option<PathPattern>,
    check: &mut Check<'_>,
) -> Option<PlacedRoute> {
    let handler = handler(raw, pattern.as_ref(), check);
    let rewrite = raw.rewrite.given().and_then(|at| {
        if raw.files.given().is_none() && handler.is_some() {
            let fault = Fault::OnlyForFiles("rewrite");
            check.problems.add(&at.place, fault);
        }
        let template = redirect::rewrite(&at.value, pattern.as_ref());
        check.problems.take(&at.place, template)
    });
    let headers = header::headers(&raw.headers, check);
    let auth = access::auth(&raw.auth, check);
    let rate_limit = access::rate_limit(&raw.rate_limit, check);
    let body_limit = value::size(&raw.body_limit, DEFAULT_BODY_LIMIT, check);
    let (place, handler) = handler?;
    Some(PlacedRoute {
        route: Route {
            path: pattern?,
            headers,
            rewrite,
            auth,
            rate_limit,
            body_limit,
            handler,
        },
        place,
    })
}

/// What the route does, and where that is given. Where there are several, each is checked; that
/// there are is noted by `shape`.
fn handler(
    raw: &raw::Route,
    pattern: Option<&PathPattern>,
    check: &mut Check<'_>,
) -> Option<(Range<usize>, Handler)> {
    let mut handler = None;
    if let Some(at) = raw.files.given() {
        let files = files::files(at, check);
        handler = Some((at.place.clone(), Handler::Files(Arc::new(files))));
    }
    if let Some(at) = raw.redirect.given()
        && let Some(redirect) = redirect::redirect(at, pattern, check)
    {
        handler = Some((at.place.clone(), redirect));
    }
    if let Some(at) = raw.respond.given() {
        handler = Some((at.place.clone(), respond(at, check)));
    }
    // The schema has seen that it is `true`.
    if let Some(at) = raw.handshake.given() {
        handler = Some((at.place.clone(), Handler::Handshake));
    }
    handler
}

fn respond(at: &At<raw::Respond>, check: &mut Check<'_>) -> Handler {
    let raw = &at.value;
    let status = raw.status.copied_or(200);
    let body = raw.body.value().cloned().unwrap_or_default();
    // RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5.
    if matches!(status, 204 | 205 | 304)
        && !body.is_empty()
        && let Some(at) = raw.body.given()
    {
        check.problems.add(&at.place, Fault::NoBody(status));
    }
    let given = raw.content_type.given().and_then(|at| {
        check
            .problems
            .take(&at.place, header::content_type(&at.value))
    });
    let plain = || HeaderValue::from_static("text/plain; charset=utf-8");
    Handler::Respond {
        // The schema has kept it between 200 and 599.
        status: StatusCode::from_u16(status).unwrap_or_default(),
        content_type: given.or_else(|| (!body.is_empty()).then(plain)),
        body: Bytes::from(body),
    }
}
