//! The driver over real sockets, with apps that do what tower services may do.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::*;
use crate::body::Pieces;
use crate::lease::Registry;
use crate::worker::Turn;

#[test]
fn a_length_that_the_body_does_not_have_is_not_said() {
    let app = |_| {
        let mut response = Response::new(Body::empty());
        let five = HeaderValue::from_static("5");
        response.headers_mut().insert(header::CONTENT_LENGTH, five);
        Answer::Ready(response)
    };
    let said = talk(app, &[get("/"), last("GET")].concat());
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 2, "{said}");
    assert_eq!(said.matches("content-length: 0").count(), 2, "{said}");
}

#[test]
fn no_length_is_said_that_nobody_knows() {
    let pieces = || Response::new(Body::stream(Pieces(vec!["c", "ab"])));
    let said = talk(move |_| Answer::Ready(pieces()), &last("HEAD"));
    assert!(!said.contains("content-length"), "{said}");
    assert!(said.ends_with("\r\n\r\n"), "{said}");
    let said = talk(move |_| Answer::Ready(pieces()), &last("GET"));
    assert!(said.contains("transfer-encoding: chunked"), "{said}");

    // RFC 9110, section 8.6.
    let nothing = |_| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let zero = HeaderValue::from_static("0");
        response.headers_mut().insert(header::CONTENT_LENGTH, zero);
        Answer::Ready(response)
    };
    let said = talk(nothing, &last("GET"));
    assert!(!said.contains("content-length"), "{said}");
}

#[test]
fn a_body_is_read_on_when_the_answer_is_out() {
    const LENGTH: usize = 300_000;
    let (read, mut had) = tokio::sync::mpsc::unbounded_channel();
    let app = move |request: Request<RequestBody>| {
        let read = read.clone();
        tokio::task::spawn_local(async move {
            let body = request
                .into_body()
                .collect()
                .await
                .map(|body| body.to_bytes().len());
            let _ = read.send(body.ok());
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::ACCEPTED;
        Answer::Ready(response)
    };
    let mut request =
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n").into_bytes();
    request.resize(request.len() + LENGTH, b'x');
    request.extend_from_slice(&last("GET"));
    let said = talk(app, &request);
    assert_eq!(said.matches("HTTP/1.1 202").count(), 2, "{said}");
    assert_eq!(had.try_recv().ok(), Some(Some(LENGTH)));
}

#[test]
fn a_client_that_waits_for_a_word_gets_it_from_an_answer_made_of_its_body() {
    let app = |request: Request<RequestBody>| {
        Answer::Ready(Response::new(Body::stream(request.into_body())))
    };
    run(async {
        let (server, mut client) = sockets().await;
        let serving = serve_plain(server, app);
        let asking = async move {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                        Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
            client.write_all(head.as_bytes()).await.unwrap();
            let mut word = [0; CONTINUE.len()];
            client.read_exact(&mut word).await.unwrap();
            assert_eq!(word, CONTINUE);
            client.write_all(b"abc").await.unwrap();
            let mut said = String::new();
            client.read_to_string(&mut said).await.unwrap();
            said
        };
        let said = tokio::join!(serving, asking).1;
        assert!(said.ends_with("\r\n3\r\nabc\r\n0\r\n\r\n"), "{said}");
    });
}

#[test]
fn a_last_answer_is_not_lost_to_what_the_client_sends_behind_its_request() {
    const LENGTH: usize = 300_000;
    let app = |_| {
        let mut response = Response::new(Body::from(Bytes::from(vec![b'x'; LENGTH])));
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        Answer::Ready(response)
    };
    run(async {
        // A client whose end holds little: most of the answer waits in the server's socket, which
        // is where it would be lost.
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(16 * 1024).unwrap();
        let mut client = client
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let server = listener.accept().await.unwrap().0;
        client.write_all(&get("/").repeat(2_000)).await.unwrap();
        let reading = async move {
            let mut said = Vec::new();
            client.read_to_end(&mut said).await.unwrap();
            said
        };
        let said = tokio::join!(serve_plain(server, app), reading).1;
        assert_eq!(memchr::memchr_iter(b'x', &said).count(), LENGTH);
    });
}

#[test]
fn a_client_that_is_gone_is_noticed_by_a_handler_that_is_busy() {
    run(async {
        let (server, mut client) = sockets().await;
        let app = |_| Answer::Later(Box::pin(std::future::pending()));
        client.write_all(&get("/")).await.unwrap();
        // Closing resets the connection.
        client.set_zero_linger().unwrap();
        let leaving = async move { drop(client) };
        tokio::join!(serve_plain(server, app), leaving);
    });
}

#[test]
fn a_request_behind_a_switch_that_is_not_taken_is_answered_at_once() {
    let app = |_| Answer::Ready(Response::new(Body::from(Bytes::from("no"))));
    let upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    let said = talk(app, &[upgrade.as_bytes(), &last("GET")].concat());
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 2, "{said}");
}

#[test]
fn a_connection_that_has_switched_counts_until_it_is_closed() {
    run(async {
        let (server, mut client) = sockets().await;
        let (give, given) = oneshot::channel();
        let give = RefCell::new(Some(give));
        let app = move |mut request: Request<RequestBody>| {
            give.borrow_mut()
                .take()
                .unwrap()
                .send(hyper::upgrade::on(&mut request))
                .unwrap();
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let upgrade = HeaderValue::from_static("upgrade");
            response.headers_mut().insert(header::CONNECTION, upgrade);
            response
                .headers_mut()
                .insert(header::UPGRADE, HeaderValue::from_static("x"));
            Answer::Ready(response)
        };
        let registry = Registry::new(Turn::default());
        let (over, mut is_over) = oneshot::channel();
        let serving = async {
            serve_in(&registry, server, app).await;
            over.send(()).unwrap();
        };
        let talking = async {
            let upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
            client.write_all(upgrade.as_bytes()).await.unwrap();
            let switched = given.await.unwrap().await.unwrap();
            let mut said = vec![0; 12];
            client.read_exact(&mut said).await.unwrap();
            assert_eq!(said, b"HTTP/1.1 101");
            assert_eq!(registry.open(), 1);
            assert!(is_over.try_recv().is_err());
            drop(switched);
        };
        tokio::join!(serving, talking);
        assert_eq!(registry.open(), 0);
    });
}

#[test]
fn what_is_refused_is_told_of() {
    let (app, refused) = TestApp::new(|_| Answer::Ready(Response::new(Body::empty())));
    run(async {
        let (server, mut client) = sockets().await;
        client
            .write_all(b"\r\nGET /a HTTP/1.1\r\nHost : a\r\n\r\n")
            .await
            .unwrap();
        let reading = async move { client.read_to_string(&mut String::new()).await };
        let registry = Registry::new(Turn::default());
        let serving = serve_app(&registry, server, Rc::new(app));
        tokio::join!(serving, reading).1.unwrap();
    });
    assert_eq!(*refused.borrow(), ["400 GET /a HTTP/1.1"]);
}

/// An app that is a function.
struct TestApp<F> {
    answer: F,
    refused: Rc<RefCell<Vec<String>>>,
}

impl<F: Fn(Request<RequestBody>) -> Answer> TestApp<F> {
    fn new(answer: F) -> (Self, Rc<RefCell<Vec<String>>>) {
        let refused = Rc::default();
        let app = Self {
            answer,
            refused: Rc::clone(&refused),
        };
        (app, refused)
    }
}

impl<F: Fn(Request<RequestBody>) -> Answer> App for TestApp<F> {
    fn call(&self, request: Request<RequestBody>, _: &Arc<Connection>) -> Answer {
        (self.answer)(request)
    }

    fn switches_protocols(&self) -> bool {
        true
    }

    fn refused(&self, refused: &Refused<'_>, _: &Connection) {
        let line = String::from_utf8_lossy(refused.line);
        let said = format!("{} {line}", refused.status.as_u16());
        self.refused.borrow_mut().push(said);
    }
}

/// All that `answer` has said when a client has sent `request` and read to the end.
fn talk(answer: impl Fn(Request<RequestBody>) -> Answer + 'static, request: &[u8]) -> String {
    let mut said = String::new();
    run(async {
        let (server, client) = sockets().await;
        let (mut reading, mut writing) = client.into_split();
        let sending = async move {
            // The server may have closed before it has read all. Then our side ends too.
            let _ = writing.write_all(request).await;
        };
        let reading = reading.read_to_string(&mut said);
        let talking = async { tokio::join!(serve_plain(server, answer), sending, reading).2 };
        let patience = Duration::from_secs(2);
        tokio::time::timeout(patience, talking)
            .await
            .unwrap()
            .unwrap();
    });
    said
}

async fn serve_plain(server: TcpStream, answer: impl Fn(Request<RequestBody>) -> Answer + 'static) {
    serve_in(&Registry::new(Turn::default()), server, answer).await;
}

async fn serve_in(
    registry: &Rc<Registry>,
    server: TcpStream,
    answer: impl Fn(Request<RequestBody>) -> Answer + 'static,
) {
    serve_app(registry, server, Rc::new(TestApp::new(answer).0)).await;
}

async fn serve_app(registry: &Rc<Registry>, server: TcpStream, app: Rc<dyn App>) {
    let limits = Limits::default();
    let lease = registry.enter(&limits);
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let connection = Connection {
        peer: nobody,
        local: nobody,
        tls: None,
    };
    let (stream, dates) = (Stream::plain(server), Dates::default());
    serve(stream, app, Arc::new(connection), &lease, &limits, &dates).await;
}

fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    (listener.accept().await.unwrap().0, client)
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

fn last(method: &str) -> Vec<u8> {
    format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").into_bytes()
}
