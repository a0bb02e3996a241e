//! From a request to the site, the route and the handler that answer it.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use foldhash::{HashMap, HashMapExt};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use ravelin_pki::HostName;

use crate::app::{Answer, App};
use crate::auth::{AuthError, Authenticator, Checks, Verdict};
use crate::body::{Body, RequestBody};
use crate::connection::Connection;
use crate::explained;
use crate::files::{FileRequest, FileServer};
use crate::host::{self, AskedHost};
use crate::path::{self, RequestPath};
use crate::rate::{RateLimiter, RetryAfter};
use crate::reply;
use crate::site::{Files, Handler, PathPattern, Route, Site, Template, TemplatePart};
use crate::worker::Place;

/// All sites of a server, as all workers see them. Replaced whole when the configuration changes.
pub(crate) struct Sites {
    all: Vec<PreparedSite>,
    exact: HashMap<Box<str>, usize>,
    /// By the name behind `*.`.
    wildcard: HashMap<Box<str>, usize>,
    addresses: HashMap<std::net::IpAddr, usize>,
    /// The folders that are served, numbered. Routes that serve the same one share its cache.
    folders: HashMap<Arc<Files>, usize>,
    checks: Checks,
}

/// A site and what can be worked out of it once.
struct PreparedSite {
    site: Site,
    /// The routes in the order in which they are tried: exact paths, then long prefixes first.
    order: Vec<usize>,
    /// What guards each route.
    guards: Vec<Guard>,
    /// The number of each route's folder; of no account for those without one.
    folders: Vec<usize>,
}

/// What a route asks of a client before it answers. Shared by all workers.
struct Guard {
    rate: Option<Arc<RateLimiter>>,
    auth: Option<Authenticator>,
}

impl Sites {
    /// Prepares `sites`. Routes that ask the same of their clients as they did `before` go on with
    /// what is known of those: a reload gives nobody a fresh limit.
    pub(crate) fn new(sites: Vec<Site>, before: Option<&Self>) -> Result<Self, AuthError> {
        let mut prepared = Self {
            all: Vec::with_capacity(sites.len()),
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            addresses: HashMap::new(),
            folders: HashMap::new(),
            checks: before.map_or_else(Checks::default, |before| before.checks.clone()),
        };
        for (index, mut site) in sites.into_iter().enumerate() {
            if site.hosts.iter().all(HostName::is_private) {
                site.hsts = None;
            }
            for host in &site.hosts {
                match host {
                    HostName::Dns(name) => match name.strip_prefix("*.") {
                        Some(parent) => prepared.wildcard.entry(parent.into()).or_insert(index),
                        None => prepared.exact.entry(name.as_str().into()).or_insert(index),
                    },
                    HostName::Ip(ip) => prepared.addresses.entry(*ip).or_insert(index),
                };
            }
            let mut order: Vec<_> = (0..site.routes.len()).collect();
            order.sort_by_key(|route| match &site.routes[*route].path {
                PathPattern::Exact(_) => (0, 0),
                PathPattern::Prefix(prefix) => (1, usize::MAX - prefix.len()),
            });
            let known = before.and_then(|before| before.known(&site));
            let guards = site
                .routes
                .iter()
                .map(|route| {
                    let known = known.and_then(|known| known.known(route));
                    Guard::new(route, known, &prepared.checks)
                })
                .collect::<Result<_, _>>()?;
            let folders = site
                .routes
                .iter()
                .map(|route| prepared.number(route))
                .collect();
            prepared.all.push(PreparedSite {
                site,
                order,
                guards,
                folders,
            });
        }
        Ok(prepared)
    }

    /// The site that `site` is a later state of: it has the first of its names that were known.
    fn known(&self, site: &Site) -> Option<&PreparedSite> {
        let index = |host: &HostName| match host {
            HostName::Dns(name) => match name.strip_prefix("*.") {
                Some(parent) => self.wildcard.get(parent),
                None => self.exact.get(name.as_str()),
            },
            HostName::Ip(ip) => self.addresses.get(ip),
        };
        site.hosts
            .iter()
            .find_map(index)
            .map(|index| &self.all[*index])
    }

    /// The number of the folder that `route` serves.
    fn number(&mut self, route: &Route) -> usize {
        let next = self.folders.len();
        match &route.handler {
            Handler::Files(files) => *self.folders.entry(files.clone()).or_insert(next),
            _ => 0,
        }
    }

    /// The site that answers to `host`.
    pub(crate) fn find(&self, host: &AskedHost<'_>) -> Option<usize> {
        match host {
            AskedHost::Dns(name) => {
                let name: &str = name;
                let exact = self.exact.get(name);
                exact
                    .or_else(|| self.wildcard.get(name.split_once('.')?.1))
                    .copied()
            }
            AskedHost::Ip(ip) => self.addresses.get(ip).copied(),
        }
    }
}

impl PreparedSite {
    /// The route that `route` is a later state of, and its guard.
    fn known(&self, route: &Route) -> Option<(&Route, &Guard)> {
        let mut routes = self.site.routes.iter().zip(&self.guards);
        routes.find(|(known, _)| known.path == route.path)
    }
}

impl Guard {
    fn new(
        route: &Route,
        known: Option<(&Route, &Self)>,
        checks: &Checks,
    ) -> Result<Self, AuthError> {
        let rate = match known {
            Some((known, guard)) if known.rate_limit == route.rate_limit => guard.rate.clone(),
            _ => route
                .rate_limit
                .map(|limit| Arc::new(RateLimiter::new(limit))),
        };
        let auth = match (known, &route.auth) {
            (Some((known, guard)), auth) if known.auth == *auth => guard.auth.clone(),
            (_, Some(auth)) => Some(Authenticator::new(auth, checks)?),
            (_, None) => None,
        };
        Ok(Self { rate, auth })
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
    /// By the numbers of their folders, made when first asked for. A reload that does not touch a
    /// folder keeps its server.
    servers: Box<[OnceCell<Rc<FileServer>>]>,
}

impl SiteApp {
    pub(crate) fn new(current: Arc<ArcSwap<Sites>>, place: &Place) -> Self {
        let prepared = Prepared::new(current.load_full(), &[]);
        Self {
            current,
            place: place.clone(),
            prepared: RefCell::new(Rc::new(prepared)),
        }
    }

    /// The sites as they are now.
    fn prepared(&self) -> Rc<Prepared> {
        let mut prepared = self.prepared.borrow_mut();
        let current = self.current.load();
        if !Arc::ptr_eq(&current, &prepared.sites) {
            *prepared = Rc::new(Prepared::new(current.clone(), &prepared.servers));
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
                return Answer::Ready(reply::error_with(
                    StatusCode::BAD_REQUEST,
                    &head.headers,
                    detail,
                ));
            }
        };
        let prepared = self.prepared();
        let found = prepared
            .sites
            .find(&asked)
            .filter(|_| asked.may_come_by(connection));
        let Some(index) = found else {
            return Answer::Ready(misdirected(&head.headers, &asked));
        };
        let site = &prepared.sites.all[index];

        let mut answer = prepared.answer(index, &head, body, &asked, connection, &self.place);
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
    /// Takes over those of the servers before whose folders are still served.
    fn new(sites: Arc<Sites>, before: &[OnceCell<Rc<FileServer>>]) -> Self {
        let servers: Box<[_]> = sites.folders.iter().map(|_| OnceCell::new()).collect();
        for server in before.iter().filter_map(OnceCell::get) {
            if let Some(number) = sites.folders.get(server.options()) {
                // Each folder has one number: the cell is empty.
                let _ = servers[*number].set(server.clone());
            }
        }
        Self { sites, servers }
    }

    /// Answers from a site: by its route, behind what guards that, with the headers of both.
    fn answer(
        &self,
        site: usize,
        head: &Parts,
        mut body: RequestBody,
        asked: &AskedHost<'_>,
        connection: &Connection,
        place: &Place,
    ) -> Answer {
        let PreparedSite {
            site,
            order,
            guards,
            folders,
        } = &self.sites.all[site];
        let error = |status| Answer::Ready(reply::error(status, &head.headers));
        let Ok(path) = RequestPath::new(head.uri.path()) else {
            return error(StatusCode::NOT_FOUND);
        };
        let matching = order.iter().find_map(|index| {
            let rest = path.rest(&site.routes[*index].path)?;
            Some((*index, rest))
        });
        let mut answer = match matching {
            Some((index, rest)) => {
                let route = &site.routes[index];
                let mut answer = if body.limit(route.body_limit).is_err() {
                    let mut response = reply::error(StatusCode::PAYLOAD_TOO_LARGE, &head.headers);
                    if head.version < Version::HTTP_2 {
                        let close = HeaderValue::from_static("close");
                        response.headers_mut().insert(header::CONNECTION, close);
                    }
                    Answer::Ready(response)
                } else {
                    let visit = Visit {
                        head,
                        path: &path,
                        rest,
                        folder: folders[index],
                        asked,
                        client: connection.peer.ip(),
                        connection,
                        place,
                    };
                    self.pass(&guards[index], route, &visit)
                };
                answer.set_missing(route.headers.iter().map(|(name, value)| (name, value)));
                answer
            }
            None => error(StatusCode::NOT_FOUND),
        };
        answer.set_missing(site.headers.iter().map(|(name, value)| (name, value)));
        answer
    }

    /// Lets a request through to its handler, or not: too many from this client, or a password that
    /// is not right.
    fn pass(&self, guard: &Guard, route: &Route, visit: &Visit<'_>) -> Answer {
        let headers = &visit.head.headers;
        if let Some(rate) = &guard.rate
            && let Err(later) = rate.check(visit.client, Instant::now())
        {
            return Answer::Ready(too_many(headers, later));
        }
        let Some(auth) = &guard.auth else {
            return self.handle(route, visit);
        };
        let verdict = auth.cached(headers.get(header::AUTHORIZATION), Instant::now());
        if let Some(verdict) = verdict {
            return match refusal(auth, &verdict, headers) {
                None => self.handle(route, visit),
                Some(response) => Answer::Ready(response),
            };
        }
        // The answer is prepared before the password is checked, which takes a while on another
        // thread, and thrown away if it is wrong: handlers of files change nothing.
        let answer = self.handle(route, visit);
        let (auth, headers, client) = (auth.clone(), headers.clone(), visit.client);
        Answer::Later(Box::pin(async move {
            let authorization = headers.get(header::AUTHORIZATION);
            let verdict = auth.verify(authorization, client, Instant::now()).await;
            match (refusal(&auth, &verdict, &headers), answer) {
                (Some(response), _) | (None, Answer::Ready(response)) => response,
                (None, Answer::Later(later)) => later.await,
            }
        }))
    }

    fn handle(&self, route: &Route, visit: &Visit<'_>) -> Answer {
        let head = visit.head;
        let error = |status| Answer::Ready(reply::error(status, &head.headers));
        match &route.handler {
            Handler::Files(options) => {
                let server = self.file_server(options, visit);
                let request = |path| FileRequest {
                    method: &head.method,
                    headers: &head.headers,
                    asked: visit.path,
                    path,
                    query: head.uri.query(),
                };
                let Some(rewrite) = &route.rewrite else {
                    return server.answer(&request(visit.path));
                };
                let rewritten = visit.fill(rewrite);
                // Files take no query: what a rewriting says of one is for nobody.
                let path = rewritten.split('?').next().unwrap_or_default();
                match RequestPath::new(path) {
                    Ok(path) => server.answer(&request(&path)),
                    Err(_) => error(StatusCode::NOT_FOUND),
                }
            }
            Handler::Redirect { to, status } => {
                let location = with_query(visit.fill(to), head.uri.query());
                match reply::redirect(*status, &location) {
                    Some(response) => Answer::Ready(response),
                    None => error(StatusCode::BAD_REQUEST),
                }
            }
            Handler::Respond {
                status,
                body,
                content_type,
            } => {
                let mut response = Response::new(Body::from(body.clone()));
                *response.status_mut() = *status;
                if let Some(content_type) = content_type {
                    response
                        .headers_mut()
                        .insert(header::CONTENT_TYPE, content_type.clone());
                }
                // Neither of them has a body, nor says how long it is (RFC 9110, section 8.6).
                let bodiless = matches!(*status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
                if !bodiless {
                    response
                        .headers_mut()
                        .insert(header::CONTENT_LENGTH, body.len().into());
                }
                if bodiless || head.method == http::Method::HEAD {
                    *response.body_mut() = Body::empty();
                }
                Answer::Ready(response)
            }
            Handler::Handshake => Answer::Ready(explained::answer(head, visit.connection)),
        }
    }

    fn file_server(&self, options: &Arc<Files>, visit: &Visit<'_>) -> &FileServer {
        self.servers[visit.folder]
            .get_or_init(|| Rc::new(FileServer::new(options.clone(), visit.place)))
    }
}

/// Keeps the client's query, unless `location` has one of its own. It comes before the fragment (RFC
/// 3986, section 3).
fn with_query(location: String, query: Option<&str>) -> String {
    let end = location.find('#').unwrap_or(location.len());
    let (target, fragment) = location.split_at(end);
    match query {
        Some(query) if !target.contains('?') => format!("{target}?{query}{fragment}"),
        _ => location,
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
                let fields: Vec<_> = fields
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                let later = std::mem::replace(later, Box::pin(std::future::pending()));
                *self = Self::Later(Box::pin(async move {
                    let mut response = later.await;
                    set_missing(
                        &mut response,
                        fields.iter().map(|(name, value)| (name, value)),
                    );
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
    let mut headers = std::mem::take(response.headers_mut());
    response.body_mut().unprepare(&mut headers);
    for (name, value) in fields {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    *response.headers_mut() = headers;
}

/// The answer to a client whose password was not taken; none where it was.
fn refusal(auth: &Authenticator, verdict: &Verdict, headers: &HeaderMap) -> Option<Response<Body>> {
    match verdict {
        Verdict::Allowed { .. } => None,
        Verdict::Later(later) => Some(too_many(headers, *later)),
        Verdict::Denied => {
            let mut response = reply::error(StatusCode::UNAUTHORIZED, headers);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, auth.challenge());
            Some(response)
        }
    }
}

/// RFC 6585, section 4.
fn too_many(headers: &HeaderMap, later: RetryAfter) -> Response<Body> {
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, headers);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, later.header());
    response
}

/// Answers a request that came by a connection, or to a server, that is not for it (RFC 9110,
/// section 15.5.20).
pub(crate) fn misdirected(headers: &HeaderMap, asked: &AskedHost<'_>) -> Response<Body> {
    let detail = format!("this connection is not for {asked}");
    reply::error_with(StatusCode::MISDIRECTED_REQUEST, headers, Some(&detail))
}

/// A request that has found its route.
struct Visit<'a> {
    head: &'a Parts,
    path: &'a RequestPath<'a>,
    /// What follows the route's prefix, as the client wrote it.
    rest: &'a str,
    /// The number of the route's folder.
    folder: usize,
    asked: &'a AskedHost<'a>,
    client: IpAddr,
    connection: &'a Connection,
    place: &'a Place,
}

impl Visit<'_> {
    /// Puts what was asked for in the place of a template's placeholders.
    fn fill(&self, template: &Template) -> String {
        let mut filled = String::new();
        for part in &template.0 {
            match part {
                TemplatePart::Text(text) => filled.push_str(text),
                TemplatePart::Rest => filled.push_str(&path::plain(self.rest)),
                TemplatePart::Host => filled.push_str(&self.asked.to_string()),
                TemplatePart::Path => filled.push_str(&path::plain(self.path.raw())),
                TemplatePart::Query => {
                    if let Some(query) = self.head.uri.query() {
                        filled.push('?');
                        filled.push_str(query);
                    }
                }
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests;
