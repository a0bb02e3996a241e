//! The driver over a socket whose ends hold little: how a connection ends.

use std::future::poll_fn;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime;

use super::*;
use crate::http2::{Driver, End, serve};
use crate::lease::Registry;
use crate::stream::Stream;
use crate::worker::Turn;

#[test]
fn a_connection_is_not_over_before_the_socket_has_taken_all_of_the_answer() {
    run(async {
        let (server, mut client) = sockets(SMALL).await;
        client.write_all(&large(&goodbye())).await.unwrap();
        let limits = Limits::default();
        let lease = Registry::new(Turn::default()).enter(&limits);
        let app = Rc::<TestApp>::default();
        let session = Session::new(app, somewhere(), &limits, Rc::default());
        let mut driver = Driver::new(Stream::plain(server), session, &lease);
        let driving = async {
            let end = poll_fn(|cx| driver.poll(cx)).await;
            drop(driver);
            end
        };
        let reading = async move {
            let mut received = Vec::new();
            client.read_to_end(&mut received).await.unwrap();
            received
        };
        let (end, received) = tokio::join!(driving, reading);
        assert_eq!(end, End::Farewell);
        assert_eq!(body_bytes(&received), 300_000);
    });
}

#[test]
fn what_a_client_sends_behind_the_end_does_not_cost_it_the_answer() {
    run(async {
        let (server, mut client) = sockets(1 << 20).await;
        client.write_all(&large(&goodbye())).await.unwrap();
        let reading = async move {
            let (mut received, mut piece) = (Vec::new(), vec![0; SMALL as usize]);
            loop {
                match client.read(&mut piece).await.unwrap() {
                    0 => return received,
                    n => received.extend_from_slice(&piece[..n]),
                }
                client.write_all(&window(0, SMALL)).await.unwrap();
            }
        };
        let received = served(server, reading).await;
        assert_eq!(body_bytes(&received), 300_000);
    });
}

#[test]
fn a_client_that_has_ended_its_own_side_gets_its_answers() {
    run(async {
        let (server, mut client) = sockets(SMALL).await;
        let more = [
            get(3, "/busy"),
            post(5, "/echo", &[]),
            post(7, "/hello", &[]),
        ];
        client.write_all(&large(&more.concat())).await.unwrap();
        client.shutdown().await.unwrap();
        let reading = async move {
            let mut received = Vec::new();
            client.read_to_end(&mut received).await.unwrap();
            received
        };
        let received = served(server, reading).await;
        assert_eq!(body_bytes(&received), 300_000 + 5);
        assert_eq!(count(&received, kind::HEADERS), 4);
        assert_eq!(count(&received, kind::RST_STREAM), 0);
    });
}

/// What `client` comes to beside a server of the other end.
async fn served<T>(server: TcpStream, client: impl Future<Output = T>) -> T {
    let limits = Limits::default();
    let lease = Registry::new(Turn::default()).enter(&limits);
    let app = Rc::<TestApp>::default();
    let stream = Stream::plain(server);
    let serving = serve(stream, app, somewhere(), &lease, &limits, Rc::default());
    tokio::join!(serving, client).1
}

fn run(test: impl Future<Output = ()>) {
    let mut runtime = runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

/// A request for 300,000 bytes, with windows that have room for them, and `more` behind it.
fn large(more: &[u8]) -> Vec<u8> {
    [
        &hello(&[(setting::INITIAL_WINDOW_SIZE, 1_000_000)])[..],
        &window(0, 1_000_000),
        &get(1, "/large"),
        more,
    ]
    .concat()
}

fn goodbye() -> Vec<u8> {
    framed(kind::GOAWAY, 0, 0, &[0; 8])
}

const SMALL: u32 = 16 * 1024;

/// Both ends of a connection: the server's, which may hold about `unsent` bytes, and a client's
/// that holds little.
async fn sockets(unsent: u32) -> (TcpStream, TcpStream) {
    let listener = TcpSocket::new_v4().unwrap();
    listener.set_send_buffer_size(unsent).unwrap();
    listener.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = listener.listen(1).unwrap();
    let client = TcpSocket::new_v4().unwrap();
    client.set_recv_buffer_size(SMALL).unwrap();
    let client = client
        .connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    (listener.accept().await.unwrap().0, client)
}

fn body_bytes(received: &[u8]) -> usize {
    frames(received)
        .filter(|header| header.kind == kind::DATA)
        .map(|header| header.length)
        .sum()
}

fn count(received: &[u8], kind: u8) -> usize {
    frames(received)
        .filter(|header| header.kind == kind)
        .count()
}

fn frames(mut received: &[u8]) -> impl Iterator<Item = Header> {
    std::iter::from_fn(move || {
        let header = Header::read(received)?;
        received = received.get(frame::HEADER + header.length..)?;
        Some(header)
    })
}
