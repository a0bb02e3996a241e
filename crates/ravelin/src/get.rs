//! `ravelin get` and its sisters: an HTTPS request, and what comes of it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use http::Method;
use ravelin_client::{Builder, Client, Jar, Proxies, Request, Response, Retries, Versions};

use crate::arguments::get::{HttpVersion, RequestArguments};
use crate::failure::Failure;
use crate::words;

mod addresses;
mod answer;
pub(crate) mod checksum;
mod curl;
mod download;
mod explain;
mod items;
mod json;
mod login;
mod many;
mod nested;
mod netrc;
pub(crate) mod refused;
mod session;
mod show;
mod trust;

use answer::Answer;
use explain::Recorders;
use items::Items;
use session::Session;
pub(crate) use trust::{Beliefs, identity};

/// Asks, and shows what comes.
pub(crate) fn run(method: &Method, arguments: Box<RequestArguments>) -> Result<ExitCode, Failure> {
    let (addresses, items) = addresses::read(&arguments)?;
    let items = Items::read(&items, &arguments.body)?;
    if *method == Method::GET || *method == Method::HEAD {
        items.refuse_body(method)?;
    }
    let mut requests = requests(method, &addresses, &arguments, &items)?;
    let mut session = Session::open(&arguments, requests[0].url())?;
    let given = login::given(&arguments, requests[0].url())?;
    for request in &mut requests {
        login::login(request, given.as_ref(), &arguments, session.as_ref())?;
    }
    if arguments.body.curl {
        return curl::print(&requests, &items, &arguments);
    }
    let beliefs = Beliefs::new(&arguments.trust, &arguments.home)?;
    let recorders = arguments.output.explain.then(Recorders::default);
    let client = client(&arguments, &beliefs, session.as_ref(), recorders.clone())?;
    if arguments.output.explain {
        words::get::rule(&beliefs);
    }
    let runtime = crate::event_loop::new()?;
    let first = requests[0].clone();
    let asking = Asking {
        client,
        arguments,
        beliefs,
        is_one_of_many: requests.len() > 1,
        told: RefCell::default(),
    };
    let (asking, result) = crate::event_loop::run(&runtime, async {
        let result = asking.all(requests).await;
        asking.client.close().await;
        (asking, result)
    });
    if let Some(session) = &mut session {
        session.keep(asking.client.cookies(), &first)?;
    }
    if let Some(recorders) = &recorders {
        recorders.tell();
    }
    // Threads that wait for a name or a file are left behind.
    runtime.shutdown_background();
    result
}

/// What all requests of a command have in common.
struct Asking {
    client: Client,
    arguments: Box<RequestArguments>,
    beliefs: Beliefs,
    is_one_of_many: bool,
    /// Of which hosts it was told why they are not believed, or would not be.
    told: RefCell<HashSet<String>>,
}

impl Asking {
    async fn all(&self, mut requests: Vec<Request>) -> Result<ExitCode, Failure> {
        if self.is_one_of_many {
            return many::ask(self, requests, self.arguments.way.parallel.into()).await;
        }
        let request = requests.remove(0);
        let name = download::name_of_url(request.url());
        let asked = self.alone(request, name).await;
        asked.map(|()| ExitCode::SUCCESS)
    }

    /// Asks for one address, whose answer is shown or becomes a file, called `name` where nobody knows better.
    async fn alone(&self, request: Request, name: PathBuf) -> Result<(), Failure> {
        let output = &self.arguments.output;
        let Some(mut goal) = download::Goal::of(output, name, request.url())? else {
            let mut answer = self.send(request).await?;
            return self.show(&mut answer).await.map(drop);
        };
        goal.is_silent = self.is_one_of_many;
        let mut answer = self.send(goal.resume(request)).await?;
        let fetched = self.fetch(&mut answer, &mut goal).await;
        self.tell_timing(&answer);
        fetched
    }

    async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let request = if self.is_one_of_many {
            request
        } else {
            show::tell_upload(request)
        };
        let began = Instant::now();
        match self.client.send(request).await {
            Ok(response) => {
                if self.arguments.trust.insecure {
                    self.warn(&response);
                }
                Ok(Answer::new(response, began))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Why there is no answer. Of a host that is not believed it is told once.
    fn failure(&self, error: &ravelin_client::Error) -> Failure {
        if let ravelin_client::Error::Refused { host, refused } = error
            && !self.told.borrow_mut().insert(host.clone())
        {
            return refused::again(host, refused);
        }
        refused::failure(error, &self.arguments, &self.beliefs)
    }

    /// What nobody asked, of the server that answered in the end.
    fn warn(&self, response: &Response) {
        let hop = response.hops().last();
        if let Some((hop, tls)) = hop.and_then(|hop| Some((hop, hop.tls.as_ref()?))) {
            let host = hop.url.host_str().unwrap_or_default();
            if self.told.borrow_mut().insert(host.to_owned()) {
                refused::warn(tls, host.trim_matches(['[', ']']), &self.beliefs);
            }
        }
    }

    /// Shows an answer. Whether somebody reads on.
    async fn show(&self, answer: &mut Answer) -> Result<bool, Failure> {
        let output = &self.arguments.output;
        let shown = async {
            self.show_head(answer)?;
            if output.fail {
                refuse_status(&answer.response)?;
            }
            show::body(answer, output).await
        };
        let shown = shown.await;
        self.tell_timing(answer);
        shown
    }

    async fn fetch(&self, answer: &mut Answer, goal: &mut download::Goal) -> Result<(), Failure> {
        self.show_head(answer)?;
        // A page that says that there is nothing is not what a file is to be called by its name for.
        if answer.response.status().as_u16() != 416 {
            refuse_status(&answer.response)?;
        }
        goal.fetch(&mut answer.response).await
    }

    fn show_head(&self, answer: &Answer) -> Result<(), Failure> {
        if self.arguments.output.show_head || answer.is_head() {
            words::get::head(&answer.response)?;
        }
        Ok(())
    }

    fn tell_timing(&self, answer: &Answer) {
        if self.arguments.output.timing {
            let hops = answer.response.hops();
            words::get::timing(hops, answer.began.elapsed(), self.is_one_of_many);
        }
    }
}

fn refuse_status(response: &Response) -> Result<(), Failure> {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        return Err(Failure::answer(format!("the server says {status}")));
    }
    Ok(())
}

/// The same request to each address.
fn requests(
    method: &Method,
    addresses: &[String],
    arguments: &RequestArguments,
    items: &Items,
) -> Result<Vec<Request>, Failure> {
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
    let mut requests = Vec::new();
    for address in addresses {
        let url = whole_url(address);
        let mut request = Request::new(method.clone(), &url).map_err(|error| {
            Failure::usage(crate::failure::chain(&error))
                .hint("an address is https://HOST/PATH, or HOST/PATH".to_owned())
        })?;
        request.add_query(&items.query);
        let request = request.headers(headers.clone());
        let request = request.without(items.removed.clone());
        requests.push(request.body(body.body.clone()));
    }
    if requests.len() > 1 {
        addresses::refuse_what_is_for_one(arguments, &requests, &body.body)?;
    }
    Ok(requests)
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
            Some(HttpVersion::Http3) => Versions::Http3,
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
