//! Clients that take their time: each is cut off when its limit is over, and none keeps others out.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::http2::{End, Http2, get};
use crate::client::{Client, is_cut, read};
use crate::server::{PATIENCE, Server, Setup, raise_file_limit, wait_until};

/// Rates are measured over ten seconds; the machine may be busy.
const RATE_WINDOW_AND_SLACK: Duration = Duration::from_secs(16);

fn large_file(setup: Setup) -> Setup {
    setup.folder(|folder| {
        let file = std::fs::File::create(folder.join("public/large.bin")).unwrap();
        file.set_len(1 << 30).unwrap();
    })
}

#[test]
fn headers_that_come_too_slowly_are_answered_408() {
    let server = Setup::new().limit("header_timeout", "\"1s\"").start();
    // Byte by byte, each well before the limit.
    let mut client = Client::connect(&server);
    let begun = Instant::now();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ".bytes();
    for byte in request.chain(std::iter::repeat(b'a')) {
        if client.try_send([byte]).is_err() || begun.elapsed() > Duration::from_secs(4) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(begun.elapsed() < PATIENCE);
    assert_eq!(client.response().status, 408);
    client.assert_closed();
    // Silence in the middle of a header is no different.
    let mut client = Client::connect(&server);
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost:").status, 408);
    client.assert_closed();
    server.assert_serves_others();
}

#[test]
fn two_thousand_dribbled_headers_keep_nobody_out() {
    raise_file_limit();
    let server = Setup::new().limit("header_timeout", "\"60s\"").start();
    let clients = server.assert_memory_bounded(100, || {
        let mut clients: Vec<_> = (0..2000).map(|_| Client::connect(&server)).collect();
        for piece in ["GET / HTTP/1.1\r\n", "Host: local", "host\r\nX: "] {
            for client in &mut clients {
                client.send(piece);
            }
            server.assert_serves_others();
        }
        clients
    });
    drop(clients);
    server.assert_serves_others();
}

#[test]
fn connections_with_nothing_asked_on_them_are_closed_after_the_idle_timeout() {
    let server = Setup::new().limit("idle_timeout", "\"1s\"").start();
    let begun = Instant::now();
    let mut fresh = Client::connect(&server);
    let mut used = Client::connect(&server);
    assert_eq!(used.get("/index.html").status, 200);
    let mut http2 = Http2::connect(&server);
    assert_eq!(http2.ask(1, &get("/index.html")), End::Status(1, 200));
    // Told, not cut: each ends with a close_notify.
    assert!(fresh.try_response().unwrap().is_none());
    assert!(used.try_response().unwrap().is_none());
    assert_eq!(http2.goodbye(), crate::client::http2::NO_ERROR);
    http2.assert_closed();
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    // One that asks now and then stays.
    let mut lively = Client::connect(&server);
    for _ in 0..6 {
        assert_eq!(lively.get("/index.html").status, 200);
        std::thread::sleep(Duration::from_millis(400));
    }
}

#[test]
fn http2_pings_do_not_keep_an_idle_connection_open() {
    use crate::client::http2::{PING, frame};
    let server = Setup::new().limit("idle_timeout", "\"1s\"").start();
    let mut client = Http2::connect(&server);
    let begun = Instant::now();
    let pings = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(100));
        frame(PING, 0, 0, &[0; 8])
    });
    let seen = client.flood(pings.take(100));
    assert!(
        seen.iter()
            .any(|frame| frame.kind == crate::client::http2::GOAWAY),
        "still open"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_body_that_comes_too_slowly_is_cut_off() {
    let server = Setup::new().limit("idle_timeout", "\"2s\"").start();
    // Nobody reads the body of a request for a file, but the connection waits for it.
    let mut client = Client::connect(&server);
    client.send("POST /index.html HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\na");
    let begun = Instant::now();
    while begun.elapsed() < RATE_WINDOW_AND_SLACK && client.try_send("a").is_ok() {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        begun.elapsed() < RATE_WINDOW_AND_SLACK,
        "a slow body may go on and on"
    );
    assert_eq!(client.response().status, 405);
    server.assert_serves_others();
}

#[test]
fn a_client_that_reads_too_slowly_is_cut_off_and_takes_little_memory() {
    let server = large_file(Setup::new().limit("idle_timeout", "\"2s\"")).start();
    server.assert_memory_bounded(24, || {
        let mut clients: Vec<_> = (0..20)
            .map(|_| {
                let mut client = Client::connect(&server);
                client.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
                client
            })
            .collect();
        server.assert_serves_others();
        let begun = Instant::now();
        wait_until("the cut", || {
            let mut connections = clients.iter().map(|client| &client.tls.sock);
            !connections.any(|connection| is_open_at_server(&server, connection))
        });
        // What the kernels hold between them is read out quickly once the server has cut it.
        for client in &mut clients {
            read_to_the_cut(client);
        }
        assert!(begun.elapsed() < RATE_WINDOW_AND_SLACK + Duration::from_secs(10));
    });
    server.assert_serves_others();
}

/// Reads what was on its way: much less than the file.
fn read_to_the_cut(client: &mut Client) {
    let mut total = 0;
    let mut piece = vec![0; 1 << 20];
    loop {
        match read(&mut client.tls, &mut piece) {
            Ok(0) => break,
            Ok(n) => total += n,
            Err(error) if is_cut(&error) => break,
            Err(error) => panic!("never cut: {error}"),
        }
        assert!(
            total < 256 << 20,
            "a client that did not read for so long gets the rest of its file"
        );
    }
}

#[test]
fn a_client_that_reads_a_byte_a_second_is_cut_off() {
    let server = large_file(Setup::new().limit("idle_timeout", "\"2s\"")).start();
    let mut client = Client::connect(&server);
    client.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let begun = Instant::now();
    let mut taken = 0;
    // The server's end shows as an error only when all is read: ask the server's own table.
    while begun.elapsed() < RATE_WINDOW_AND_SLACK && is_open_at_server(&server, &client.tls.sock) {
        taken += read(&mut client.tls, &mut [0; 1]).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(
        begun.elapsed() < RATE_WINDOW_AND_SLACK,
        "still open after {taken} bytes"
    );
    server.assert_serves_others();
}

/// Whether the server's side of the connection still belongs to a process: `/proc/net/tcp` gives an
/// inode of 0 to those that were closed.
fn is_open_at_server(server: &Server, client: &TcpStream) -> bool {
    let local = format!(":{:04X}", server.address().port());
    let remote = format!(":{:04X}", client.local_addr().unwrap().port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[1].ends_with(&local) && fields[2].ends_with(&remote) && fields[9] != "0"
    })
}

#[test]
fn http2_streams_whose_windows_stay_shut_are_cut_off_and_take_little_memory() {
    let server = large_file(Setup::new().limit("idle_timeout", "\"2s\"")).start();
    server.assert_memory_bounded(24, || {
        let begun = Instant::now();
        // Windows of no bytes, of a few, and wide ones of a connection that is never read from.
        let mut clients = Vec::new();
        for window in [0, 1, 10, 1 << 30] {
            let mut client = Http2::connect_with(&server, &[(4, window)]);
            if window > 10 {
                use crate::client::http2::{WINDOW_UPDATE, frame};
                client.send(&frame(WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes()));
            }
            let requests: Vec<_> = (0..100)
                .flat_map(|n| crate::client::http2::headers(2 * n + 1, &get("/large.bin")))
                .collect();
            client.send(&requests);
            clients.push(client);
        }
        server.assert_serves_others();
        wait_until("the cut", || {
            let mut connections = clients.iter().map(|client| &client.tls.sock);
            !connections.any(|connection| is_open_at_server(&server, connection))
        });
        assert!(begun.elapsed() < RATE_WINDOW_AND_SLACK + Duration::from_secs(10));
        for client in &mut clients {
            let mut total = 0;
            while let Some(frame) = client.next() {
                total += frame.payload.len();
                assert!(total < 256 << 20, "never cut");
            }
        }
    });
    server.assert_serves_others();
}

#[test]
fn five_thousand_idle_connections_keep_nobody_out() {
    raise_file_limit();
    let server = Setup::new().start();
    let idle = server.assert_memory_bounded(150, || {
        // Only the sockets are kept: the clients' memory is not what is looked at.
        let connect = || {
            (0..2500)
                .map(|_| Client::connect(&server).tls.into_parts().1)
                .collect::<Vec<_>>()
        };
        let idle = std::thread::scope(|scope| {
            let half = scope.spawn(connect);
            (connect(), half.join().unwrap())
        });
        server.assert_serves_others();
        idle
    });
    drop(idle);
    server.assert_serves_others();
}
