//! Any tower service as an app.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode, header};
use tower_service::Service;

use crate::app::{Answer, App};
use crate::body::{Body, BoxError, RequestBody};
use crate::connection::Connection;
use crate::reply;

/// One worker's clone of a service. It is cloned again for each request: tower services may be
/// polled for readiness by one caller at a time.
pub(crate) struct TowerApp<S>(RefCell<S>);

impl<S> TowerApp<S> {
    pub(crate) fn new(service: S) -> Self {
        Self(RefCell::new(service))
    }
}

impl<S, B> App for TowerApp<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + 'static,
    S::Error: std::fmt::Display,
    S::Future: 'static,
    B: http_body::Body + 'static,
    B::Error: Into<BoxError>,
{
    fn switches_protocols(&self) -> bool {
        true
    }

    fn call(&self, mut request: Request<RequestBody>, connection: &Arc<Connection>) -> Answer {
        request.extensions_mut().insert(connection.clone());
        let mut service = self.0.borrow().clone();
        Answer::Later(Box::pin(async move {
            let answered = match poll_fn(|cx| service.poll_ready(cx)).await {
                Ok(()) => service.call(request).await,
                Err(error) => Err(error),
            };
            match answered {
                Ok(response) => adapted(response),
                // What went wrong inside is not the client's business.
                Err(_) => reply::error(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new()),
            }
        }))
    }
}

fn adapted<B>(response: Response<B>) -> Response<Body>
where
    B: http_body::Body + 'static,
    B::Error: Into<BoxError>,
{
    let mut response = response.map(Body::stream);
    let upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if !upgrade {
        // Fields of one connection, not of the response (RFC 9113, section 8.2.2).
        for name in [
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
        ] {
            response.headers_mut().remove(name);
        }
        response.headers_mut().remove("keep-alive");
    }
    response
}
