//! `ravelin connect` and `ravelin listen`, with OpenSSL, Python and curl at the other end.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::thread;

use crate::foreign::{run, run_python, run_with_input};
use crate::inspect::{Peer, certify};
use crate::server::{Ended, Listening, Place, wait_until};

/// More than fits into any buffer on the way.
fn many() -> String {
    let letter = |n: u32| char::from(b' ' + (n.wrapping_mul(n) >> 7) as u8 % 95);
    (0..3_000_000_u32).map(letter).collect()
}

/// Runs `ravelin connect` with this input.
fn connect(place: &Place, input: &str, arguments: &[&str]) -> Ended {
    place.write("input", input);
    let mut command = place.command(&[&["connect"], arguments].concat());
    command.stdin(File::open(place.path("input")).unwrap());
    Listening::of(&mut command).wait()
}

/// A listener of ours, told of by its root.
fn listen(place: &Place, arguments: &[&str]) -> (Listening, String) {
    let listening = Listening::start(place, &[&["listen", "0", "--once"], arguments].concat());
    let name = format!("localhost:{}", listening.port());
    (listening, name)
}

#[test]
fn octets_come_through_as_they_are_both_ways() {
    let place = Place::new();
    let (listening, name) = listen(&place, &["--echo"]);
    let seen = connect(&place, &many(), &[&name]);
    seen.expect(
        0,
        &[
            "connected",
            "TLS 1.3",
            "X25519MLKEM768",
            "verified     localhost",
        ],
    );
    assert!(seen.stdout == many());
    listening.wait().expect(0, &["client       127.0.0.1"]);
}

#[test]
fn each_side_may_end_before_the_other() {
    let place = Place::new();
    // Ours ends at once, and what the listener sends is not cut off.
    place.write("file", many());
    let mut listener = place.command(&["listen", "0", "--once"]);
    listener.stdin(File::open(place.path("file")).unwrap());
    let listening = Listening::of(&mut listener);
    let name = format!("localhost:{}", listening.port());
    let seen = connect(&place, "", &[&name, "--quiet"]);
    seen.expect(0, &[]);
    assert!(seen.stdout == many() && seen.stderr.is_empty());
    listening.wait().expect(0, &[]);
    // The listener has nothing to say, and ours is not cut off.
    let (listening, name) = listen(&place, &[]);
    connect(&place, &many(), &[&name, "--quiet"]).expect(0, &[]);
    assert!(listening.wait().stdout == many());
}

#[test]
fn openssl_is_a_server_like_others() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-rev", "-alpn", "a,b"]);
    let name = peer.name();
    for version in ["1.2", "1.3"] {
        let seen = connect(
            &place,
            "ravelin\nstressed\n",
            &[&name, "--ca", "root.pem", "--tls", version, "--alpn", "b,a"],
        );
        // It ends when it is told that we do.
        seen.expect(0, &[]);
        assert_eq!(seen.stdout, "nilevar\ndesserts\n");
        assert!(seen.stderr.contains(&format!("TLS {version}")), "{seen:?}");
        assert!(
            seen.stderr.contains(", a\n"),
            "the server's choice: {seen:?}"
        );
    }
}

/// RFC 8446, section 4.6.3: OpenSSL updates its keys, and asks for ours to be.
#[test]
fn openssl_updates_keys_while_octets_come_and_go() {
    let place = Place::new();
    certify(&place);
    let mut peer = Peer::start(&place, "sh", |port| {
        let server = format!("openssl s_server -accept {port} -cert c.pem -key k.pem -tls1_3");
        vec!["-c".to_owned(), format!("exec stdbuf -o0 {server} >heard")]
    });
    let mut command = place.command(&["connect", &peer.name(), "--ca", "root.pem"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut to_client = client.stdin.take().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let heard = |word| {
        let all = fs::read_to_string(place.path("heard")).unwrap();
        all.matches(word).count()
    };
    for round in 0..3 {
        // It takes what it reads at once for one command.
        peer.tell("K\n");
        wait_until("the keys are new", || heard("SSL_do_handshake") > round);
        peer.tell(&format!("round {round}\n"));
        assert_eq!(lines.next().unwrap().unwrap(), format!("round {round}"));
        // With the new keys, and behind the word that they are new.
        writeln!(to_client, "heard").unwrap();
    }
    drop(to_client);
    let ended = client.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    wait_until("all is heard", || heard("heard\n") == 3);
}

#[test]
fn openssl_is_a_client_like_others() {
    let place = Place::new();
    certify(&place);
    place.write("answer", "hello\n");
    let arguments = ["--respond", "answer", "--cert", "c.pem", "--key", "k.pem"];
    let (listening, name) = listen(&place, &arguments);
    place.write("input", "hello?\n");
    let arguments =
        format!("s_client -connect {name} -CAfile root.pem -verify_return_error -quiet");
    let arguments: Vec<_> = arguments.split(' ').collect();
    let input = File::open(place.path("input")).unwrap();
    let seen = run_with_input(&place, "openssl", &arguments, input.into());
    assert_eq!(seen.well().text(), "hello\n");
    listening.wait().expect(0, &["client       127.0.0.1"]);
}

#[test]
fn a_server_that_ends_without_a_word_may_have_been_cut_off() {
    let place = Place::new();
    certify(&place);
    let script = "\
import os, socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('c.pem', 'k.pem')
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
tls = context.wrap_socket(listener.accept()[0], server_side=True)
tls.sendall(b'half')
os.close(tls.detach())
";
    let mut python = Python::start(&place, script);
    let name = format!("localhost:{}", python.port());
    // A goodbye that it has not read would make its end a reset.
    let seen = connect(&place, "", &[&name, "--ca", "root.pem", "--stay"]);
    seen.expect(3, &["without saying so", "hint:"]);
    assert_eq!(seen.stdout, "half", "what came is not kept back");
}

#[test]
fn a_client_without_a_certificate_is_told_so_though_the_handshake_went_well() {
    let place = Place::new();
    certify(&place);
    let required = [
        "--cert",
        "c.pem",
        "--key",
        "k.pem",
        "--client-auth",
        "root.pem",
    ];
    let (listening, name) = listen(&place, &required);
    connect(&place, "", &[&name, "--ca", "root.pem"])
        .expect(3, &["certificate_required", "--cert FILE --key FILE"]);
    listening.wait().expect(3, &["no TLS with 127.0.0.1"]);
    // With one, the command is told whose it is.
    let (listening, name) = listen(
        &place,
        &[&required[..], &["--exec", "echo $RAVELIN_CLIENT"]].concat(),
    );
    let seen = connect(
        &place,
        "",
        &[
            &name, "--ca", "root.pem", "--cert", "c.pem", "--key", "k.pem",
        ],
    );
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "localhost\n");
    listening.wait().expect(0, &["localhost"]);
    // And one who does not have to show one gets in without.
    let optional = [&required[..], &["--client-optional", "--echo"]].concat();
    let (listening, name) = listen(&place, &optional);
    let seen = connect(&place, "in", &[&name, "--ca", "root.pem"]);
    assert_eq!(seen.stdout, "in", "{seen:?}");
    listening.wait().expect(0, &[]);
}

#[test]
fn a_server_that_is_not_believed_is_sent_nothing() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-rev"]);
    let name = peer.name();
    let unknown = connect(&place, "secret\n", &[&name, "--ca", "system"]);
    unknown.expect(1, &["not believed, and nothing was sent", "searched"]);
    let named = connect(
        &place,
        "secret\n",
        &[&name, "--ca", "root.pem", "--sni", "other.example"],
    );
    named.expect(1, &["other.example"]);
    let seen = connect(&place, "drawer\n", &[&name, "--insecure"]);
    assert!(seen.stdout.starts_with("reward\n"), "{seen:?}");
    assert!(
        seen.stderr.contains("nobody knows who that server is"),
        "{seen:?}"
    );
}

#[test]
fn mail_begins_in_clear() {
    let place = Place::new();
    certify(&place);
    // What OpenSSL's client says of it is the judge's part elsewhere; here a server is scripted.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("localhost:{}", listener.local_addr().unwrap().port());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail ESMTP\r\n").unwrap();
        let mut heard = [0; 512];
        let _ = stream.read(&mut heard).unwrap();
        stream.write_all(b"250 no TLS here\r\n").unwrap();
        let _ = stream.read(&mut heard);
    });
    connect(
        &place,
        "",
        &[&name, "--starttls", "smtp", "--ca", "root.pem"],
    )
    .expect(
        3,
        &[
            "does not offer to begin TLS",
            "may have taken the offer away",
        ],
    );
    server.join().unwrap();
}

#[test]
fn secrets_are_written_down_where_that_is_asked_for_and_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let (listening, name) = listen(&place, &["--echo", "--keylog", "theirs"]);
    connect(&place, "a", &[&name, "--keylog", "ours"]).expect(0, &[]);
    listening.wait().expect(0, &[]);
    let [ours, theirs] = ["ours", "theirs"].map(|file| {
        let file = place.path(file);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = fs::read_to_string(file).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
    assert_eq!(ours, theirs);
    assert!(
        ours.iter()
            .any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 "))
    );
}

#[test]
fn a_file_answers_curl_and_a_command_speaks_with_it() {
    let place = Place::new();
    certify(&place);
    place.write(
        "answer",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n",
    );
    let served = ["--cert", "c.pem", "--key", "k.pem"];
    for (service, said) in [
        (["--respond", "answer"], "fine\n"),
        (
            [
                "--exec",
                "read line; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n%s\\n' \"$line\"",
            ],
            "GET / HTTP/1.1",
        ),
    ] {
        let (listening, name) = listen(&place, &[&served[..], &service].concat());
        let url = format!("https://{name}/");
        let seen = run(
            &place,
            "curl",
            &["-sS", "--http1.1", "--cacert", "root.pem", &url],
        );
        assert_eq!(seen.well().text().trim_end(), said.trim_end());
        listening.wait().expect(0, &[]);
    }
}

#[test]
fn a_port_that_another_has_is_told_with_what_helps() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = [
        "cannot listen on",
        "another program listens there",
        "ss -ltnp",
        "0 takes a port",
    ];
    place.run(&["listen", &port, "--echo"]).expect(4, &told);
}

#[test]
fn an_end_that_is_kept_waits_for_theirs() {
    let place = Place::new();
    place.write("answer", many());
    let (listening, name) = listen(&place, &["--respond", "answer"]);
    let seen = connect(&place, "GET / HTTP/1.0\n\n", &[&name, "--crlf", "--stay"]);
    seen.expect(0, &[]);
    assert!(seen.stdout == many());
    listening.wait().expect(0, &[]);
}

/// What is seen of `ravelin connect` on a terminal, as `tests/peers/typist.py` has it.
fn on_a_terminal(
    place: &Place,
    steps: &[[&str; 2]],
    arguments: &[&str],
    code: i64,
) -> serde_json::Value {
    let steps = serde_json::to_string(steps).unwrap();
    let program = [&steps, env!("CARGO_BIN_EXE_ravelin"), "connect"];
    let ran = run_python(place, "typist.py", &[&program, arguments].concat()).well();
    let seen: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(seen["code"], code, "{seen}");
    assert_eq!(seen["same"], true, "the settings of the terminal: {seen}");
    seen["seen"].clone()
}

#[test]
fn a_terminal_edits_lines_below_what_the_server_says() {
    let place = Place::new();
    let command = "read -r a; echo \"got $a\"; printf 'Name: '; read -r b; echo \"$b too\"; cat";
    let (listening, name) = listen(&place, &["--exec", command]);
    let steps = [
        // The cursor goes back, and a letter that was left out comes in.
        ["verified", "helo\u{1b}[D\u{1b}[Dl\r"],
        ["got hello\r\n", ""],
        // It is asked for in the middle of a line, and stays before what is typed: the line before, changed.
        ["Name: ", "\u{1b}[A!\r"],
        ["hello! too", "not sent\u{15}\u{4}"],
    ];
    let seen = on_a_terminal(&place, &steps, &[&name], 0);
    assert!(
        seen.as_str().unwrap().contains("Name: hello!\r\n"),
        "{seen}"
    );
    listening.wait().expect(0, &[]);
}

#[test]
fn a_terminal_is_given_back_to_who_interrupts() {
    let place = Place::new();
    let (listening, name) = listen(&place, &["--echo"]);
    // As it ends what does not edit.
    let interrupted = -2;
    on_a_terminal(&place, &[["verified", "half\u{3}"]], &[&name], interrupted);
    listening.wait().expect(3, &[]);
    let (listening, name) = listen(&place, &["--echo"]);
    let seen = on_a_terminal(
        &place,
        &[["verified", "a\n\u{4}"]],
        &[&name, "--no-edit"],
        0,
    );
    assert!(!seen.as_str().unwrap().contains("\u{1b}[K"), "{seen}");
    listening.wait().expect(0, &[]);
}

#[test]
fn escape_sequences_do_nothing_to_a_terminal_and_are_left_alone_in_a_pipe() {
    let place = Place::new();
    let evil = "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[5n\u{9b}1m\rover\n";
    place.write("evil", evil);
    for more in [&[][..], &["--no-edit"]] {
        let (listening, name) = listen(&place, &["--respond", "evil"]);
        let arguments = [&[name.as_str()], more].concat();
        let seen = on_a_terminal(&place, &[["verified", "a\n\n"]], &arguments, 0);
        let seen = seen.as_str().unwrap();
        let harmless = "^[]0;title^G^[[2J^[[5n\\u{9b}1m^Mover\r\n";
        assert!(seen.contains(harmless), "{seen:?}");
        let sequences = seen.split('\u{1b}').skip(1);
        // Our own: to the beginning of the row, which is cleared, and to the cursor; and dim words.
        let ours = |sequence: &str| {
            sequence.starts_with("[K") || sequence.starts_with("[2m") || sequence.starts_with("[0m")
        };
        assert!(sequences.clone().all(ours), "{seen:?}");
        listening.wait().expect(0, &[]);
    }
    let (listening, name) = listen(&place, &["--respond", "evil"]);
    let seen = connect(&place, "a\n\n", &[&name, "--stay", "--quiet"]);
    assert_eq!(seen.stdout, evil);
    listening.wait().expect(0, &[]);
}

/// A server of Python's, which ends by itself or is killed when dropped.
struct Python(Child);

impl Python {
    fn start(place: &Place, script: &str) -> Self {
        let mut command = std::process::Command::new("python3");
        place.furnish(&mut command);
        command.args(["-c", script]).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn port(&mut self) -> u16 {
        let mut line = String::new();
        let stdout = self.0.stdout.as_mut().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        line.trim().parse().unwrap()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
