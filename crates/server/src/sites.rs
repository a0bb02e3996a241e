//! From a request to the site, the route and the handler that answer it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::{HashMap, HashMapExt};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use ravelin_pki::HostName;

use crate::app::{Answer, App};
use crate::body::{Body, RequestBody};
use crate::connection::Connection;
use crate::files::{FileRequest, FileServer};
use crate::host::{self, AskedHost};
use crate::path::RequestPath;
use crate::reply;
use crate::site::{Files, Handler, PathPattern, Route, Site, Template, TemplatePart};
use crate::worker::Place;

/// All sites of a server, as all workers see them. Replaced whole when the configuration changes.
pub(crate) struct Sites {
    sites: Vec<PreparedSite>,
    exact: HashMap<Box<str>, usize>,
    /// By the name behind `*.`.
    wildcard: HashMap<Box<str>, usize>,
    addresses: HashMap<std::net::IpAddr, usize>,
}

/// A site and what can be worked out of it once.
struct PreparedSite {
    site: Site,
    /// The routes in the order in which they are tried: exact paths, then long prefixes first.
    order: Vec<usize>,
}

impl Sites {
    pub(crate) fn new(sites: Vec<Site>) -> Self {
        let mut all = Self {
            sites: Vec::with_capacity(sites.len()),
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            addresses: HashMap::new(),
        };
        for (index, site) in sites.into_iter().enumerate() {
            for host in &site.hosts {
                match host {
                    HostName::Dns(name) => match name.strip_prefix("*.") {
                        Some(parent) => all.wildcard.entry(parent.into()).or_insert(index),
                        None => all.exact.entry(name.as_str().into()).or_insert(index),
                    },
                    HostName::Ip(ip) => all.addresses.entry(*ip).or_insert(index),
                };
            }
            let mut order: Vec<_> = (0..site.routes.len()).collect();
            order.sort_by_key(|route| match &site.routes[*route].path {
                PathPattern::Exact(_) => (0, 0),
                PathPattern::Prefix(prefix) => (1, usize::MAX - prefix.len()),
            });
            all.sites.push(PreparedSite { site, order });
        }
        all
    }

    /// The site that answers to `host`.
    pub(crate) fn find(&self, host: &AskedHost<'_>) -> Option<usize> {
        match host {
            AskedHost::Dns(name) => {
                let name: &str = name;
                let exact = self.exact.get(name);
                exact.or_else(|| self.wildcard.get(name.split_once('.')?.1)).copied()
            }
            AskedHost::Ip(ip) => self.addresses.get(ip).copied(),
        }
    }
}

/// The sites as one worker serves them.
pub(crate) struct SiteApp {
    current: Arc<ArcSwap<Sites>>,
    place: Place,
    prepared: RefCell<Rc<Prepared>>,
}

/// One state of the sites, with the handlers' own state on this worker.
struct Prepared {
    sites: Arc<Sites>,
    /// By their options, so that sites which serve the same folder share a cache, and a reload
    /// that does not touch a folder keeps it. Made when first asked for.
    files: RefCell<HashMap<Arc<Files>, Rc<FileServer>>>,
}

impl SiteApp {
    pub(crate) fn new(current: Arc<ArcSwap<Sites>>, place: &Place) -> Self {
        let prepared = Prepared { sites: current.load_full(), files: RefCell::default() };
        Self { current, place: place.clone(), prepared: RefCell::new(Rc::new(prepared)) }
    }

    /// The sites as they are now.
    fn prepared(&self) -> Rc<Prepared> {
        let mut prepared = self.prepared.borrow_mut();
        let current = self.current.load();
        if !Arc::ptr_eq(&current, &prepared.sites) {
            let used = |options: &Arc<Files>| {
                current.sites.iter().flat_map(|site| &site.site.routes).any(
                    |route| matches!(&route.handler, Handler::Files(files) if files == options),
                )
            };
            let mut files = prepared.files.take();
            files.retain(|options, _| used(options));
            *prepared =
                Rc::new(Prepared { sites: current.clone(), files: RefCell::new(files) });
        }
        prepared.clone()
    }
}

impl App for SiteApp {
    fn call(&self, request: Request<RequestBody>, connection: &Arc<Connection>) -> Answer {
        let (head, body) = request.into_parts();
        let asked = match host::asked(&head) {
            Ok(asked) => asked,
            Err(problem) => {
                let detail = Some(problem.as_str());
                return Answer::Ready(reply::error_with(StatusCode::BAD_REQUEST, &head.headers, detail));
            }
        };
        let prepared = self.prepared();
        let found = prepared.sites.find(&asked).filter(|_| asked.may_come_by(connection));
        let Some(index) = found else { return Answer::Ready(misdirected(&head.headers, &asked)) };
        let site = &prepared.sites.sites[index];

        let mut answer = prepared.answer(site, &head, body, &asked, &self.place);
        if let Some(hsts) = &site.site.hsts
            && connection.tls.is_some()
            && !asked.is_private()
        {
            answer.set_missing([(&header::STRICT_TRANSPORT_SECURITY, hsts)]);
        }
        answer
    }
}

impl Prepared {
    fn answer(
        self: &Rc<Self>,
        site: &PreparedSite,
        head: &Parts,
        body: RequestBody,
        asked: &AskedHost<'_>,
        place: &Place,
    ) -> Answer {
        let Ok(path) = RequestPath::new(head.uri.path()) else {
            return Answer::Ready(reply::error(StatusCode::NOT_FOUND, &head.headers));
        };
        let matching = site.order.iter().find_map(|index| {
            let route = &site.site.routes[*index];
            Some((route, path.rest(&route.path)?))
        });
        let mut answer = match matching {
            Some((route, rest)) => {
                let mut answer = self.answer_route(route, rest, &path, head, body, asked, place);
                answer.set_missing(route.headers.iter().map(|(name, value)| (name, value)));
                answer
            }
            None => Answer::Ready(reply::error(StatusCode::NOT_FOUND, &head.headers)),
        };
        answer.set_missing(site.site.headers.iter().map(|(name, value)| (name, value)));
        answer
    }

    fn answer_route(
        self: &Rc<Self>,
        route: &Route,
        rest: &str,
        path: &RequestPath<'_>,
        head: &Parts,
        mut body: RequestBody,
        asked: &AskedHost<'_>,
        place: &Place,
    ) -> Answer {
        if body.limit(route.body_limit).is_err() {
            let mut response = reply::error(StatusCode::PAYLOAD_TOO_LARGE, &head.headers);
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Answer::Ready(response);
        }
        let words = Words { rest, host: asked, path: path.raw(), query: head.uri.query() };
        match &route.handler {
            Handler::Files(options) => {
                let server = self.files(options, place);
                let rewritten = route.rewrite.as_ref().map(|to| words.fill(to));
                let (path, query) = match &rewritten {
                    None => (Ok(path.clone()), head.uri.query()),
                    Some(to) => {
                        let (path, query) = match to.split_once('?') {
                            Some((path, query)) => (path, Some(query)),
                            None => (to.as_str(), head.uri.query()),
                        };
                        (RequestPath::new(path), query)
                    }
                };
                match path {
                    Ok(path) => server.answer(&FileRequest {
                        method: &head.method,
                        headers: &head.headers,
                        path: &path,
                        query,
                    }),
                    Err(_) => Answer::Ready(reply::error(StatusCode::NOT_FOUND, &head.headers)),
                }
            }
            Handler::Redirect { to, status } => {
                let mut location = words.fill(to);
                if let Some(query) = head.uri.query()
                    && !location.contains('?')
                {
                    location = format!("{location}?{query}");
                }
                Answer::Ready(
                    reply::redirect(*status, &location)
                        .unwrap_or_else(|| reply::error(StatusCode::BAD_REQUEST, &head.headers)),
                )
            }
            Handler::Respond { status, body, content_type } => {
                let mut response = Response::new(Body::from(body.clone()));
                *response.status_mut() = *status;
                if let Some(content_type) = content_type {
                    response.headers_mut().insert(header::CONTENT_TYPE, content_type.clone());
                }
                response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
                if head.method == http::Method::HEAD {
                    *response.body_mut() = Body::empty();
                }
                Answer::Ready(response)
            }
        }
    }

    fn files(&self, options: &Arc<Files>, place: &Place) -> Rc<FileServer> {
        let mut files = self.files.borrow_mut();
        if let Some(server) = files.get(options) {
            return server.clone();
        }
        let server = Rc::new(FileServer::new(options.clone(), place));
        files.insert(options.clone(), server.clone());
        server
    }
}

impl Answer {
    /// Sets headers that the response has not got, now or when it comes.
    fn set_missing<'a>(
        &mut self,
        fields: impl IntoIterator<Item = (&'a http::HeaderName, &'a HeaderValue)>,
    ) {
        let mut fields = fields.into_iter().peekable();
        if fields.peek().is_none() {
            return;
        }
        match self {
            Self::Ready(response) => set_missing(response, fields),
            Self::Later(later) => {
                let fields: Vec<_> =
                    fields.map(|(name, value)| (name.clone(), value.clone())).collect();
                let later = std::mem::replace(later, Box::pin(std::future::pending()));
                *self = Self::Later(Box::pin(async move {
                    let mut response = later.await;
                    set_missing(&mut response, fields.iter().map(|(name, value)| (name, value)));
                    response
                }));
            }
        }
    }
}

fn set_missing<'a>(
    response: &mut Response<Body>,
    fields: impl Iterator<Item = (&'a http::HeaderName, &'a HeaderValue)>,
) {
    for (name, value) in fields {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
}

/// Answers a request that came by a connection, or to a server, that is not for it (RFC 9110,
/// section 15.5.20).
pub(crate) fn misdirected(headers: &HeaderMap, asked: &AskedHost<'_>) -> Response<Body> {
    let detail = format!("this connection is not for {asked}");
    reply::error_with(StatusCode::MISDIRECTED_REQUEST, headers, Some(&detail))
}

/// What the placeholders of a [`Template`] stand for.
struct Words<'a> {
    rest: &'a str,
    host: &'a AskedHost<'a>,
    path: &'a str,
    query: Option<&'a str>,
}

impl Words<'_> {
    fn fill(&self, template: &Template) -> String {
        let mut filled = String::new();
        for part in &template.0 {
            match part {
                TemplatePart::Text(text) => filled.push_str(text),
                TemplatePart::Rest => filled.push_str(&plain(self.rest)),
                TemplatePart::Host => filled.push_str(&self.host.to_string()),
                TemplatePart::Path => filled.push_str(&plain(self.path)),
                TemplatePart::Query => {
                    if let Some(query) = self.query {
                        filled.push('?');
                        filled.push_str(query);
                    }
                }
            }
        }
        filled
    }
}

/// Browsers read a backslash as a slash: `/\\elsewhere.example` must not become a host.
fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\\') { text.replace('\\', "%5C").into() } else { text.into() }
}
