//! `ravelin get` and its sisters: an HTTPS request, and what comes of it.

use std::process::ExitCode;
use std::sync::Arc;

use http::Method;
use ravelin_client::{Body, Builder, Client, Jar, Proxies, Request, Response, Retries, Versions};

use crate::arguments::get::{HttpVersion, RequestArguments};
use crate::failure::Failure;
use crate::words;

pub(crate) mod checksum;
mod curl;
mod download;
mod explain;
mod items;
mod json;
mod login;
mod netrc;
pub(crate) mod refused;
mod session;
mod show;
mod trust;

use explain::Recorders;
use items::Items;
use session::Session;
pub(crate) use trust::{Beliefs, identity};

/// Asks, and shows what comes.
pub(crate) fn run(method: &Method, arguments: &RequestArguments) -> Result<ExitCode, Failure> {
    let items = Items::read(&arguments.items, &arguments.body)?;
    if *method == Method::GET || *method == Method::HEAD {
        items.refuse_body(method)?;
    }
    let mut request = request(method, arguments, &items)?;
    let mut session = Session::open(arguments, request.url())?;
    request = login::login(request, arguments, session.as_ref())?;
    if arguments.body.curl {
        return curl::print(&request, arguments);
    }
    let beliefs = Beliefs::new(&arguments.trust, &arguments.home)?;
    let recorders = arguments.output.explain.then(Recorders::default);
    let client = client(arguments, &beliefs, session.as_ref(), recorders.clone())?;
    if arguments.output.explain {
        words::get::rule(&beliefs);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of(&error))?;
    let result = runtime.block_on(ask(&client, request.clone(), arguments, &beliefs));
    if let Some(session) = &mut session {
        session.keep(client.cookies(), &request)?;
    }
    if let Some(recorders) = &recorders {
        recorders.tell();
    }
    // Threads that wait for a name or a file are left behind.
    runtime.shutdown_background();
    result
}

async fn ask(
    client: &Client,
    request: Request,
    arguments: &RequestArguments,
    beliefs: &Beliefs,
) -> Result<ExitCode, Failure> {
    let output = &arguments.output;
    let mut goal = download::Goal::of(output, request.url())?;
    let request = match &goal {
        Some(goal) => goal.resume(request),
        None => request,
    };
    let request = show::tell_upload(request);
    let began = std::time::Instant::now();
    let mut response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => return Err(refused::failure(&error, arguments, beliefs)),
    };
    if arguments.trust.insecure {
        warn(&response, beliefs);
    }
    let result = finish(&mut response, arguments, goal.as_mut()).await;
    if output.timing {
        words::get::timing(response.hops(), began.elapsed());
    }
    result
}

/// What nobody asked, of the server that answered in the end.
fn warn(response: &Response, beliefs: &Beliefs) {
    let hop = response.hops().last();
    if let Some((hop, tls)) = hop.and_then(|hop| Some((hop, hop.tls.as_ref()?))) {
        let host = hop.url.host_str().unwrap_or_default();
        refused::warn(tls, host.trim_matches(['[', ']']), beliefs);
    }
}

async fn finish(
    response: &mut Response,
    arguments: &RequestArguments,
    goal: Option<&mut download::Goal>,
) -> Result<ExitCode, Failure> {
    let output = &arguments.output;
    let is_head = response.hops().last().map(|hop| &hop.method) == Some(&Method::HEAD);
    if output.show_head || is_head {
        words::get::head(response)?;
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    // A page that says that there is nothing is not what a file is to be called by its name for.
    let is_range_answer = goal.is_some() && status.as_u16() == 416;
    if failed && !is_range_answer && (output.fail || goal.is_some()) {
        return Err(Failure::answer(format!("the server says {status}")));
    }
    match goal {
        Some(goal) => goal.fetch(response).await?,
        None => show::body(response, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn request(
    method: &Method,
    arguments: &RequestArguments,
    items: &Items,
) -> Result<Request, Failure> {
    let url = whole_url(&arguments.url);
    let mut request = Request::new(method.clone(), &url).map_err(|error| {
        Failure::usage(crate::failure::chain(&error))
            .hint("an address is https://HOST/PATH, or HOST/PATH".to_owned())
    })?;
    request.add_query(&items.query);
    let body = items.body(&arguments.body)?;
    let mut headers = http::HeaderMap::new();
    if let Some(content_type) = body.content_type {
        headers.insert(http::header::CONTENT_TYPE, content_type);
        if body.is_json {
            let accept = http::HeaderValue::from_static("application/json, */*;q=0.5");
            headers.insert(http::header::ACCEPT, accept);
        }
    }
    for (name, value) in &items.headers {
        headers.remove(name);
        headers.append(name, value.clone());
    }
    let body: Body = body.body;
    Ok(request
        .headers(headers)
        .without(items.removed.clone())
        .body(body))
}

/// An address as people type it: without a scheme it is https.
fn whole_url(text: &str) -> String {
    if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    }
}

fn client(
    arguments: &RequestArguments,
    beliefs: &Beliefs,
    session: Option<&Session>,
    recorders: Option<Recorders>,
) -> Result<Client, Failure> {
    let way = &arguments.way;
    let is_verbose = arguments.output.verbose;
    let mut builder = Client::builder()
        .trust(beliefs.trust.clone())
        .versions(match arguments.body.http {
            None => Versions::Any,
            Some(HttpVersion::Http1) => Versions::Http1,
            Some(HttpVersion::Http2) => Versions::Http2,
        })
        .allow_http(way.allow_http)
        .redirects(way.redirects.unwrap_or(10))
        .proxies(proxies(arguments)?)
        .cookies(session.map_or_else(Jar::default, Session::cookies))
        // A range of what is compressed is of no use to who has the beginning of what is not.
        .decompress(arguments.output.output.is_none() && !arguments.output.download)
        .retries(Retries {
            most: way.retry.unwrap_or(0),
            ..Retries::default()
        })
        .telling(move |notice| words::get::notice(notice, is_verbose));
    if let Some(identity) = identity(&arguments.trust)? {
        builder = builder.identity(identity);
    }
    if let Some(recorders) = recorders {
        builder = builder.onlooker(Arc::new(recorders));
    }
    let client = bounded(builder, arguments).build();
    client.map_err(|error| Failure::usage(crate::failure::chain(&error)))
}

fn bounded(mut builder: Builder, arguments: &RequestArguments) -> Builder {
    let way = &arguments.way;
    for resolve in &way.resolve {
        builder = builder.resolve(&resolve.host, resolve.port, vec![resolve.address]);
    }
    if let Some(path) = &way.unix_socket {
        builder = builder.unix_socket(path);
    }
    if let Some(span) = way.connect_timeout {
        builder = builder.connect_timeout(span.0);
    }
    if let Some(span) = way.stall_timeout {
        builder = builder.stall_timeout(span.0);
    }
    if let Some(span) = way.timeout {
        builder = builder.timeout(span.0);
    }
    if let Some(octets) = way.max_size {
        builder = builder.longest(octets);
    }
    builder
}

fn proxies(arguments: &RequestArguments) -> Result<Proxies, Failure> {
    match &arguments.way.proxy {
        Some(choice) => Ok(choice.0.clone().map_or_else(Proxies::none, Proxies::all)),
        None => Proxies::from_environment(|name| std::env::var(name).ok()).map_err(|error| {
            Failure::usage(error.to_string())
                .hint("it is in the environment; --proxy none goes through none".to_owned())
        }),
    }
}
