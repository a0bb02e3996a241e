//! The seam between the HTTP drivers and what answers requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};

use crate::body::{Body, RequestBody};
use crate::connection::Connection;

/// What answers the requests of one worker. An app lives on its worker's thread and never leaves
/// it.
pub(crate) trait App {
    /// Answers one request.
    fn call(&self, request: Request<RequestBody>, connection: &Arc<Connection>) -> Answer;

    /// Whether the app may answer a request to switch protocols with 101.
    fn switches_protocols(&self) -> bool {
        false
    }
}

/// A response, at once where it can be: most are, and then nothing is boxed or woken.
pub(crate) enum Answer {
    Ready(Response<Body>),
    Later(Pin<Box<dyn Future<Output = Response<Body>>>>),
}
