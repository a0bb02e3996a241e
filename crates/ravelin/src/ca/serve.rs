//! `ravelin ca serve`: the CA's face to the world, over plain HTTP.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use ravelin_certs::responder::Answer;
use ravelin_certs::{LocalRegister, Responder};
use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::ocsp::MAX_REQUEST_OCTETS;
use ravelin_pki::{HostName, PrivateKey, Template};
use ravelin_server::{Builder, Listener, RequestBody, worker_count};
use ravelin_tls::{Certificates, ServedCertificate, ServerTls, Tickets};
use tokio::signal::unix::{SignalKind, signal};
use tower_service::Service;

use super::{failure, load_authority};
use crate::arguments::ca::CaServeArguments;
use crate::config::LogConfig;
use crate::failure::{Failure, chain};
use crate::listen_on::ListenOn;
use crate::serve::{self, listeners};
use crate::words;

pub(super) fn run(arguments: &CaServeArguments) -> Result<ExitCode, Failure> {
    let authority = load_authority(&arguments.home)?;
    let issuers = authority
        .issuer_certificates()
        .map_err(|error| failure(&error))?;
    let register = LocalRegister::new(authority).map_err(|error| failure(&error))?;
    let runtime = crate::event_loop::new()?;
    let (mut terminate, mut interrupt) = {
        let _runtime = runtime.enter();
        let handler = |kind| signal(kind).map_err(|error| Failure::of(&error));
        (
            handler(SignalKind::terminate())?,
            handler(SignalKind::interrupt())?,
        )
    };
    let addresses = if arguments.listen.is_empty() {
        vec![ListenOn::this_machine(PORT)]
    } else {
        arguments.listen.clone()
    };
    let addresses: Vec<_> = addresses
        .iter()
        .flat_map(|listen| listen.addresses().iter().copied())
        .collect();
    let listening = listeners::bind(&addresses, worker_count(0))?;
    let addresses: Vec<_> = listening.iter().map(Listener::address).collect();

    let log = arguments
        .log
        .then(|| serve::start_log(&LogConfig::to_stdout()))
        .transpose()?;
    let service = CaService(Arc::new(Responder::new(register)));
    let mut builder = Builder::new(no_tls()?).on_notice(|notice| words::notice(&notice));
    if let Some(log) = &log {
        builder = builder.log(log.clone());
    }
    let mut server = builder
        .serve(service)
        .map_err(|error| Failure::of(&error))?;
    for listener in listening {
        server.listen_plain(listener);
    }
    words::ca_serve::started(&addresses, &issuers);
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let shut = || server.shutdown();
        serve::stop(words::STOPPING, shut, &mut terminate, &mut interrupt, log).await
    })
}

/// Servers have a TLS configuration, and this one opens no address that speaks TLS.
fn no_tls() -> Result<ServerTls, Failure> {
    let key = PrivateKey::generate().map_err(|error| Failure::of(&error))?;
    let name = HostName::Dns("localhost".to_owned());
    let template = Template::leaf(vec![(&name).into()]);
    let life = Duration::from_secs(60);
    let certificate = self_signed_certificate(&template, &key, life, SystemTime::now())
        .map_err(|error| Failure::of(&error))?;
    let key = key.der().map_err(|error| Failure::of(&error))?;
    let served = ServedCertificate::new(vec![certificate], key, &[name])
        .map_err(|error| Failure::of(&error))?;
    let tickets = Tickets::new().map_err(|error| Failure::of(&error))?;
    let certificates = Arc::new(Certificates::new(served));
    ServerTls::new(certificates, &tickets, ravelin_server::ALPN)
        .map_err(|error| Failure::of(&error))
}

/// The responder as a service of HTTP.
#[derive(Clone)]
struct CaService(Arc<Responder<LocalRegister>>);

impl Service<Request<RequestBody>> for CaService {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let responder = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = Limited::new(body, MAX_REQUEST_OCTETS).collect().await;
            let Ok(body) = body.map(http_body_util::Collected::to_bytes) else {
                return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE));
            };
            let (method, path, now) = (head.method.as_str(), head.uri.path(), SystemTime::now());
            // What was answered before is answered here: to have a thread do it costs more than it does.
            let answer = match responder.answer_at_hand(method, path, &body, now) {
                Some(answer) => answer,
                None => {
                    // The inventory is on a disk, and the key may be in a token.
                    let (method, uri) = (head.method.clone(), head.uri.clone());
                    let answered = tokio::task::spawn_blocking(move || {
                        responder.answer(method.as_str(), uri.path(), &body, now)
                    });
                    match answered.await {
                        Ok(answer) => answer,
                        Err(_) => return Ok(empty(StatusCode::INTERNAL_SERVER_ERROR)),
                    }
                }
            };
            if let Some(problem) = &answer.problem {
                words::warn(chain(problem));
            }
            Ok(response(&head.headers, answer))
        })
    }
}

fn response(asked: &HeaderMap, answer: Answer) -> Response<Full<Bytes>> {
    // Caches ask whether theirs is still the last one (RFC 9110, section 13.1.2).
    let kept = asked.get(header::IF_NONE_MATCH);
    let unchanged = kept
        .and_then(|kept| kept.to_str().ok())
        .zip(answer.header("etag"))
        .is_some_and(|(kept, etag)| kept.split(',').any(|one| one.trim() == etag));
    let status = if unchanged { 304 } else { answer.status };
    let mut response = Response::builder().status(status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = if unchanged {
        Full::default()
    } else {
        // Many clients of OCSP are small, and do without chunks.
        response = response.header(header::CONTENT_LENGTH, answer.body.len());
        Full::new(Bytes::from_owner(answer.body))
    };
    response.body(body).unwrap_or_default()
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, 0.into());
    response
}

/// Where it listens unless told otherwise.
const PORT: u16 = 8080;
