//! What the workers of a server run: configured sites, or a tower service.

use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, StatusCode};

use crate::app::{Answer, App};
use crate::body::RequestBody;
use crate::connection::Connection;
use crate::host;
use crate::log::{AccessLog, LogSender};
use crate::record::Recorded;
use crate::reply;
use crate::sites::{self, SiteApp, Sites};
use crate::tower::TowerApp;
use crate::worker::{Apps, Place};

/// Where the access log's senders come from: one a worker.
pub(crate) type Log = Option<Arc<AccessLog>>;

fn recorded(app: Rc<dyn App>, log: Option<LogSender>) -> Rc<dyn App> {
    match log {
        Some(log) => Rc::new(Recorded { app, log }),
        None => app,
    }
}

/// Configured sites on HTTPS, and a redirect to them on plain HTTP.
pub(crate) struct SiteApps {
    pub(crate) sites: Arc<ArcSwap<Sites>>,
    pub(crate) log: Log,
    /// The port that plain requests are sent to.
    pub(crate) https_port: Arc<ArcSwap<u16>>,
}

impl Apps for SiteApps {
    fn secure(&self, place: &Place) -> Rc<dyn App> {
        let app = Rc::new(SiteApp::new(self.sites.clone(), place));
        recorded(app, self.log.as_ref().map(|log| log.sender()))
    }

    fn plain(&self, _: &Place) -> Rc<dyn App> {
        let app = ToHttps {
            sites: self.sites.clone(),
            port: self.https_port.clone(),
        };
        recorded(Rc::new(app), self.log.as_ref().map(|log| log.sender()))
    }
}

/// Answers plain HTTP with the same address under `https:`.
struct ToHttps {
    sites: Arc<ArcSwap<Sites>>,
    port: Arc<ArcSwap<u16>>,
}

impl App for ToHttps {
    fn call(&self, request: Request<RequestBody>, _: &Arc<Connection>) -> Answer {
        let (head, _body) = request.into_parts();
        let asked = match host::asked(&head) {
            Ok(asked) => asked,
            Err(problem) => {
                let detail = Some(problem.as_str());
                let status = StatusCode::BAD_REQUEST;
                return Answer::Ready(reply::error_with(status, &head.headers, detail));
            }
        };
        // Sending strangers' hosts on would make us a redirector for anyone's links.
        if self.sites.load().find(&asked).is_none() {
            return Answer::Ready(sites::misdirected(&head.headers, &asked));
        }
        let target = head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let location = match **self.port.load() {
            443 => format!("https://{asked}{target}"),
            port => format!("https://{asked}:{port}{target}"),
        };
        Answer::Ready(
            reply::redirect(StatusCode::PERMANENT_REDIRECT, &location)
                .unwrap_or_else(|| reply::error(StatusCode::BAD_REQUEST, &head.headers)),
        )
    }
}

/// A tower service on HTTPS; the same on plain HTTP, for whoever opens such a listener.
pub(crate) struct TowerApps<S> {
    pub(crate) service: S,
    pub(crate) log: Log,
}

impl<S, B> Apps for TowerApps<S>
where
    S: tower_service::Service<Request<RequestBody>, Response = http::Response<B>>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Error: std::fmt::Display,
    S::Future: 'static,
    B: http_body::Body + 'static,
    B::Error: Into<crate::body::BoxError>,
{
    fn secure(&self, _: &Place) -> Rc<dyn App> {
        let app = Rc::new(TowerApp::new(self.service.clone()));
        recorded(app, self.log.as_ref().map(|log| log.sender()))
    }

    fn plain(&self, place: &Place) -> Rc<dyn App> {
        self.secure(place)
    }
}
