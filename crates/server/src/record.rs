//! The access log's entry for one response, written when its body has ended, however it ended.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};

use crate::app::{Answer, App, Refused};
use crate::body::{Body, RequestBody};
use crate::connection::Connection;
use crate::log::{Entry, LogSender, Text, Tls};

/// An app whose answers are logged.
pub(crate) struct Recorded {
    pub(crate) app: Rc<dyn App>,
    pub(crate) log: LogSender,
}

/// An entry under way. Dropping it sends it to the log.
pub(crate) struct Record {
    entry: Option<Entry>,
    started: Instant,
    log: LogSender,
}

impl App for Recorded {
    fn switches_protocols(&self) -> bool {
        self.app.switches_protocols()
    }

    fn call(&self, request: Request<RequestBody>, connection: &Arc<Connection>) -> Answer {
        let mut record = Box::new(Record {
            entry: Some(entry(&request, connection)),
            started: Instant::now(),
            log: self.log.clone(),
        });
        match self.app.call(request, connection) {
            Answer::Ready(mut response) => {
                attach(record, &mut response);
                Answer::Ready(response)
            }
            // Where the client leaves first, the future is dropped and the entry tells of a 499.
            Answer::Later(later) => Answer::Later(Box::pin(async move {
                record.set_status(StatusCode::from_u16(499).unwrap_or_default());
                let mut response = later.await;
                attach(record, &mut response);
                response
            })),
        }
    }

    fn refused(&self, refused: &Refused<'_>, connection: &Connection) {
        let (method, path, version) = read_line(refused);
        let duration = refused
            .since
            .map_or(Duration::ZERO, |since| since.elapsed());
        self.log.send(Entry {
            time: SystemTime::now() - duration,
            host: Text::None,
            client: connection.peer.ip(),
            method,
            path,
            version,
            tls: tls(connection),
            status: refused.status,
            bytes: refused.bytes as u64,
            duration,
            user_agent: None,
            referer: None,
        });
    }
}

/// What can be made of a request line, which may be anything.
fn read_line(refused: &Refused<'_>) -> (Option<Method>, Text, Version) {
    let mut words = refused.line.splitn(3, |&byte| byte == b' ');
    let method = words.next().and_then(|word| Method::from_bytes(word).ok());
    let path = words
        .next()
        .filter(|_| method.is_some())
        .and_then(|word| HeaderValue::from_bytes(word).ok());
    let version = match words.next() {
        Some(b"HTTP/1.0") => Version::HTTP_10,
        _ => refused.version,
    };
    (method, path.into(), version)
}

fn attach(mut record: Box<Record>, response: &mut Response<Body>) {
    record.set_status(response.status());
    response.body_mut().set_record(record);
}

fn entry(request: &Request<RequestBody>, connection: &Connection) -> Entry {
    let headers = request.headers();
    let host = match (request.uri().authority(), headers.get(header::HOST)) {
        (Some(authority), _) => Text::Authority(authority.clone()),
        (None, Some(host)) => Text::Field(host.clone()),
        (None, None) => Text::None,
    };
    Entry {
        time: SystemTime::now(),
        host,
        client: connection.peer.ip(),
        method: Some(request.method().clone()),
        path: request
            .uri()
            .path_and_query()
            .cloned()
            .map_or(Text::None, Text::Path),
        version: request.version(),
        tls: tls(connection),
        status: StatusCode::OK,
        bytes: 0,
        duration: Duration::ZERO,
        user_agent: headers.get(header::USER_AGENT).cloned(),
        referer: headers.get(header::REFERER).cloned(),
    }
}

fn tls(connection: &Connection) -> Option<Tls> {
    let tls = connection.tls.as_ref()?;
    Some(Tls {
        version: tls.version,
        suite: tls.suite,
        group: tls.group,
        resumed: tls.resumed,
    })
}

impl Record {
    pub(crate) fn add_bytes(&mut self, bytes: u64) {
        if let Some(entry) = &mut self.entry {
            entry.bytes += bytes;
        }
    }

    fn set_status(&mut self, status: StatusCode) {
        if let Some(entry) = &mut self.entry {
            entry.status = status;
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(mut entry) = self.entry.take() {
            entry.duration = self.started.elapsed();
            self.log.send(entry);
        }
    }
}
