//! Tunnels whose other side is down, slow, floods or cuts off, and whose files change under them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Tunnels, assert_cut, connect, echo, exactly, many, rest, service, tls};
use crate::foreign::{run, run_python};
use crate::inspect::certify;
use crate::server::{Place, free_port, wait_until};

fn file(to: &str, more: &str) -> String {
    format!(
        "[[tunnel]]\nname = \"a\"\nlisten = \"127.0.0.1:0\"\nto = {to}\ntls = \"terminate\"\n{more}\n"
    )
}

#[test]
fn a_service_that_is_down_is_told_of_and_the_next_one_asked() {
    let place = Place::new();
    let (down, up) = (free_port(), echo("up\n"));
    let tunnels = Tunnels::of_file(&place, &file(&format!("\"{down}\""), ""));
    assert_cut(rest(tunnels.tls(0, "localhost")));
    let what = format!("tunnel \"a\": 127.0.0.1:{down}: cannot connect: Connection refused");
    tunnels.0.wait_said(0, &what);
    tunnels.0.stop();
    let both = file(&format!("[\"{down}\", \"{up}\"]"), "");
    let tunnels = Tunnels::of_file(&place, &both);
    for _ in 0..3 {
        assert_eq!(exactly(tunnels.tls(0, "localhost"), 3), "up\n");
    }
    // It comes back, and is the first again once it has rested.
    let listener = TcpListener::bind(("127.0.0.1", down)).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"me\n");
        }
    });
    wait_until("the first server is asked again", || {
        exactly(tunnels.tls(0, "localhost"), 3) == "me\n"
    });
}

#[test]
fn connections_are_dealt_out() {
    let place = Place::new();
    let (one, two) = (echo("1"), echo("2"));
    let to = format!("[\"{one}\", \"{two}\"]");
    // One worker, so that the turns are in order.
    let turns = format!("workers = 1\n{}", file(&to, "balance = \"round-robin\""));
    let tunnels = Tunnels::of_file(&place, &turns);
    let answers: Vec<_> = (0..4)
        .map(|_| exactly(tunnels.tls(0, "localhost"), 1))
        .collect();
    assert_eq!(answers, ["1", "2", "1", "2"]);
    tunnels.0.stop();
    let fewest = file(&to, "balance = \"least-connections\"");
    let tunnels = Tunnels::of_file(&place, &fewest);
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut tls = tunnels.tls(0, "localhost");
        let mut octet = [0];
        tls.read_exact(&mut octet).unwrap();
        held.push((octet[0], tls));
    }
    assert_eq!(held.iter().filter(|(which, _)| *which == b'1').count(), 2);
}

#[test]
fn a_client_that_stalls_or_speaks_no_tls_is_not_waited_for() {
    let place = Place::new();
    let limits = "limits = { handshake_timeout = \"300ms\", idle_timeout = \"400ms\" }";
    let to = format!("\"{}\"", echo(""));
    let tunnels = Tunnels::of_file(&place, &file(&to, limits));
    // A record that never becomes whole, cut at several places.
    let hello = [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 1];
    for cut in [0, 1, 5, 12] {
        let begun = Instant::now();
        let mut tcp = tunnels.tcp(0);
        tcp.write_all(&hello[..cut]).unwrap();
        assert_cut(rest(&mut tcp));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    tunnels
        .0
        .wait_said(0, "the handshake took more than 0 seconds");
    let mut tcp = tunnels.tcp(0);
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let _ = tcp.read(&mut [0; 16]);
    tunnels
        .0
        .wait_said(0, "no TLS with the client: what came is not TLS");
    // One that lies still is ended, and one that moves is not.
    let mut moves = tunnels.tls(0, "localhost");
    let still = tunnels.tls(0, "localhost");
    for _ in 0..8 {
        thread::sleep(Duration::from_millis(100));
        moves.write_all(b"x").unwrap();
        assert_eq!(exactly(&mut moves, 1), "x");
    }
    assert!(rest(still).is_err(), "it is cut off, and says no end");
}

#[test]
fn what_is_cut_off_on_one_side_is_not_a_good_end_on_the_other() {
    let place = Place::new();
    let (heard, hear) = std::sync::mpsc::channel();
    let to = service(move |mut stream| {
        let mut octets = Vec::new();
        let ended = stream.read_to_end(&mut octets);
        let _ = heard.send((octets.len(), ended.map_err(|error| error.kind())));
    });
    let tunnels = Tunnels::of_file(&place, &file(&format!("\"{to}\""), ""));
    let mut whole = tunnels.tls(0, "localhost");
    whole.write_all(b"whole").unwrap();
    whole.conn.send_close_notify();
    whole.flush().unwrap();
    assert_eq!(hear.recv().unwrap(), (5, Ok(5)));
    let mut half = tunnels.tls(0, "localhost");
    half.write_all(b"half").unwrap();
    // TCP ends, and TLS has not.
    half.sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear.recv().unwrap(), (4, Err(ErrorKind::ConnectionReset)));
}

#[test]
fn who_floods_is_held_back_and_takes_no_memory() {
    let place = Place::new();
    // It reads nothing, and sends as much as it can.
    let to = service(|mut stream| {
        let much = vec![b'x'; 1 << 20];
        while stream.write_all(&much).is_ok() {}
    });
    let tunnels = Tunnels::of_file(&place, &file(&format!("\"{to}\""), ""));
    let memory = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", tunnels.0.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let first = tunnels.tls(0, "localhost");
    let before = memory();
    let mut all = vec![first];
    for _ in 0..20 {
        let mut flooding = tunnels.tls(0, "localhost");
        flooding.sock.set_nonblocking(true).unwrap();
        // Until nothing is taken any more.
        let much = many();
        let mut idle = 0;
        while idle < 5 {
            match flooding.write(&much[..100_000]) {
                Ok(some) if some > 0 => idle = 0,
                _ => {
                    idle += 1;
                    thread::sleep(Duration::from_millis(2));
                }
            }
        }
        all.push(flooding);
    }
    // What was read at once may wait, each way: 256 KiB.
    let grown = memory() - before;
    assert!(grown < 20 * 600, "{grown} KiB for 20 floods both ways");
}

#[test]
fn one_that_carries_much_lets_others_have_their_turn() {
    let place = Place::new();
    let much = service(|mut stream| {
        let much = vec![b'x'; 1 << 20];
        while stream.write_all(&much).is_ok() {}
    });
    let config = format!(
        "workers = 1\n{}{}",
        file(&format!("\"{much}\""), ""),
        file(&format!("\"{}\"", echo("")), "").replace("\"a\"", "\"b\"")
    );
    let tunnels = Tunnels::of_file(&place, &config);
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let mut tls = tunnels.tls(0, "localhost");
            let stop = stop.clone();
            thread::spawn(move || {
                let mut piece = vec![0; 1 << 18];
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    tls.read_exact(&mut piece).unwrap();
                }
            })
        })
        .collect();
    let begun = Instant::now();
    let mut tls = tunnels.tls(1, "localhost");
    for _ in 0..20 {
        tls.write_all(b"ping").unwrap();
        assert_eq!(exactly(&mut tls, 4), "ping");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
}

#[test]
fn a_tunnel_holds_as_many_connections_as_it_may() {
    let place = Place::new();
    let to = format!("\"{}\"", echo("in\n"));
    let tunnels = Tunnels::of_file(&place, &file(&to, "limits = { connections = 2 }"));
    let held: Vec<_> = (0..2).map(|_| tunnels.tls(0, "localhost")).collect();
    assert_cut(tls(tunnels.tcp(0), "localhost", None).and_then(rest));
    tunnels
        .0
        .wait_said(0, "tunnel \"a\" holds as many connections as it may");
    drop(held);
    wait_until("there is room again", || {
        tls(tunnels.tcp(0), "localhost", None).is_ok()
    });
}

#[test]
fn changed_files_are_taken_over_and_wrong_ones_are_not() {
    let place = Place::new();
    certify(&place);
    place.write("chain.pem", std::fs::read(place.path("c.pem")).unwrap());
    place.write("key.pem", std::fs::read(place.path("k.pem")).unwrap());
    let (one, two) = (echo("one\n"), echo("two\n"));
    let with = |to: u16| {
        file(
            &format!("\"{to}\""),
            "certificate = { cert = \"chain.pem\", key = \"key.pem\" }",
        )
    };
    let tunnels = Tunnels::of_file(&place, &with(one));
    let port = tunnels.port(0);
    let mut held = tunnels.tls(0, "localhost");
    assert_eq!(exactly(&mut held, 4), "one\n");
    place.replace("tunnels.toml", with(two));
    tunnels.0.wait_reloaded();
    // On the same port, and what was open goes on.
    assert_eq!(
        exactly(tls(connect(port), "localhost", None).unwrap(), 4),
        "two\n"
    );
    held.write_all(b"still here").unwrap();
    assert_eq!(exactly(&mut held, 10), "still here");
    // Another certificate is shown, without the tunnel being told.
    let before = shown(&tunnels);
    certify(&place);
    place.replace("key.pem", std::fs::read(place.path("k.pem")).unwrap());
    place.replace("chain.pem", std::fs::read(place.path("c.pem")).unwrap());
    wait_until("the new certificate is shown", || shown(&tunnels) != before);
    place.replace("tunnels.toml", "[[tunnel]]\nlisten = \"127.0.0.1:0\"\n");
    tunnels
        .0
        .wait_said(0, "nothing was reloaded: the tunnels go on as before");
    assert_eq!(
        exactly(tls(connect(port), "localhost", None).unwrap(), 4),
        "two\n"
    );
}

fn shown(tunnels: &Tunnels) -> Vec<u8> {
    let tls = tunnels.tls(0, "localhost");
    tls.conn.peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn a_tunnel_that_stops_lets_open_connections_end_first() {
    let place = Place::new();
    let to = format!("\"{}\"", echo("in\n"));
    let tunnels = Tunnels::of_file(&place, &file(&to, ""));
    let port = tunnels.port(0);
    let mut held = tunnels.tls(0, "localhost");
    assert_eq!(exactly(&mut held, 3), "in\n");
    tunnels.0.signal(Signal::TERM);
    tunnels
        .0
        .wait_said(0, "stopping: open connections end first");
    wait_until("nobody is let in any more", || {
        TcpStream::connect(("127.0.0.1", port)).is_err()
    });
    held.write_all(b"bye").unwrap();
    assert_eq!(exactly(&mut held, 3), "bye");
    held.conn.send_close_notify();
    held.flush().unwrap();
    assert_eq!(rest(held).unwrap(), "");
    tunnels.0.wait().expect(0, &[]);
}

#[test]
fn a_session_is_resumed_and_never_where_other_clients_are_let_in() {
    let place = Place::new();
    certify(&place);
    let to = format!("\"{}\"", echo("in\n"));
    let tunnels = Tunnels::of_file(&place, &format!("[log]\n{}", file(&to, "")));
    let name = format!("localhost:{}", tunnels.port(0));
    let resume = |more: &str| {
        let line = format!(
            "(sleep 0.3; echo) | openssl s_client -connect {name} -4 {more} -quiet -no_ign_eof 2>&1; true"
        );
        run(&place, "sh", &["-c", &line]).well();
    };
    resume("-sess_out session");
    resume("-sess_in session");
    let lines = tunnels.0.wait_printed(2);
    assert!(
        lines.lines().nth(1).unwrap().contains(" resumed "),
        "{lines}"
    );
    place.replace(
        "tunnels.toml",
        format!("[log]\n{}", file(&to, "client_ca = \"root.pem\"")),
    );
    tunnels.0.wait_reloaded();
    resume("-sess_in session");
    let lines = tunnels.0.wait_printed(3);
    let last = lines.lines().nth(2).unwrap();
    assert!(
        !last.contains("resumed") && last.contains("no TLS with the client"),
        "{lines}"
    );
}

#[test]
fn prometheus_reads_the_numbers() {
    let place = Place::new();
    let to = format!("\"{}\"", echo("in\n"));
    let metrics = free_port();
    let config = format!("metrics = \"127.0.0.1:{metrics}\"\n{}", file(&to, ""));
    let tunnels = Tunnels::of_file(&place, &config);
    let mut tls = tunnels.tls(0, "localhost");
    assert_eq!(exactly(&mut tls, 3), "in\n");
    let url = format!("http://127.0.0.1:{metrics}/metrics");
    let numbers = || run_python(&place, "metrics.py", &[&url]).well().text();
    let numbers_now = numbers();
    for (name, value) in [("connections_total", 1), ("connections_open", 1)] {
        let line = format!("ravelin_tunnel_{name} a {value}");
        assert!(numbers_now.contains(&line), "{numbers_now}");
    }
    tls.conn.send_close_notify();
    tls.flush().unwrap();
    rest(tls).unwrap();
    wait_until("the octets are counted", || {
        numbers().contains("ravelin_tunnel_sent_bytes_total a 3")
    });
    let not_there = format!("http://127.0.0.1:{metrics}/");
    let curl = run(&place, "curl", &["-sS", "-w", "%{http_code}", &not_there]).well();
    assert!(curl.text().ends_with("404"), "{}", curl.text());
}

#[test]
fn what_goes_over_a_network_in_clear_has_to_be_asked_for() {
    let place = Place::new();
    let refused = |arguments: &[&str], said: &[&str]| {
        place
            .run(&[&["tunnel"], arguments].concat())
            .expect(2, said);
    };
    refused(
        &["0", "192.0.2.1:80"],
        &[
            "what goes to 192.0.2.1:80 goes over a network without TLS",
            "--cleartext",
        ],
    );
    refused(
        &["*:0", "192.0.2.1:443", "--tls", "originate"],
        &[
            "clients come to 0.0.0.0:0 without TLS, over a network",
            "--cleartext",
        ],
    );
    refused(
        &["0", "8080", "--to-name", "a.b"],
        &["no TLS with servers begins here"],
    );
    refused(
        &["0", "8080", "--tls", "originate", "--starttls", "smtp"],
        &["begin with --to-"],
    );
    refused(
        &["0", "db"],
        &["is no server: write PORT of this machine, HOST:PORT"],
    );
    refused(&["0", "1", "--allow", "cn=A"], &["--client-ca"]);
}
