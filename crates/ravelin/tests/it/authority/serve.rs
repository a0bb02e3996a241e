//! `ravelin ca serve`: who asks it of a certificate is told what is in the journal, by OCSP and CRL.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};

use crate::certificates::{ROOT, make};
use crate::foreign::{Ran, run};
use crate::server::{PATIENCE, Place, SOON};

/// A CA that answers, until it is dropped.
struct Answering {
    process: Child,
    address: String,
    /// What it says after that.
    said: Receiver<String>,
}

impl Answering {
    fn start(place: &Place) -> Self {
        let mut command = place.command(&["ca", "serve", "--log", "--listen", "127.0.0.1:0"]);
        let log = std::fs::File::create(place.path("access.log")).unwrap();
        command.stdout(log).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let mut lines = stderr.lines().map(Result::unwrap);
        let address = lines
            .find_map(|line| Some(line[line.find("http://")?..].to_owned()))
            .expect("it says where it answers");
        // Whatever it says later has to go somewhere.
        let (sender, said) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(sender.send(line))));
        Self {
            process,
            address,
            said,
        }
    }

    fn wait_said(&self, text: &str) {
        while !self.said.recv_timeout(SOON).unwrap().contains(text) {}
    }

    /// Asks for the status of a certificate, with what issued it, as openssl does.
    fn ocsp(&self, place: &Place, certificate: &str, issuer: &str) -> Ran {
        let url = format!("{}/ocsp", self.address);
        let asked = ["ocsp", "-issuer", issuer, "-cert", certificate];
        let judged = ["-CAfile", ROOT, "-verify_other", issuer, "-url", &url];
        run(place, "openssl", &[&asked[..], &judged].concat())
    }

    fn stop(mut self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The second certificate of a file, in a file of its own.
fn issuer_of(place: &Place, file: &str) -> String {
    let chain = std::fs::read_to_string(place.path(file)).unwrap();
    let end = "-----END CERTIFICATE-----\n";
    let (_, rest) = chain.split_once(end).unwrap();
    let (issuer, _) = rest.split_once(end).unwrap();
    place.write("issuer.pem", format!("{issuer}{end}"));
    "issuer.pem".to_owned()
}

#[test]
fn openssl_is_told_of_a_revocation_at_once_and_curl_gets_the_list() {
    let place = Place::new();
    make(&place, &["a.test"]);
    make(&place, &["b.test"]);
    let issuer = issuer_of(&place, "a.test.pem");
    let answering = Answering::start(&place);
    let good = answering.ocsp(&place, "a.test.pem", &issuer).well();
    assert!(good.text().contains("a.test.pem: good"), "{}", good.text());
    let revoke = ["ca", "revoke", "a.test", "--reason", "keyCompromise"];
    place.run(&revoke).expect(0, &["revoked "]);
    let revoked = answering.ocsp(&place, "a.test.pem", &issuer).well();
    assert!(
        revoked.text().contains("a.test.pem: revoked") && revoked.text().contains("keyCompromise"),
        "{}",
        revoked.text()
    );
    let other = answering.ocsp(&place, "b.test.pem", &issuer).well();
    assert!(
        other.text().contains("b.test.pem: good"),
        "{}",
        other.text()
    );

    // The list and the certificate are where the issuer's digits say.
    let arguments = ["x509", "-noout", "-pubkey", "-in", &issuer];
    place.write(
        "issuer.pub",
        run(&place, "openssl", &arguments).well().text(),
    );
    let arguments = [
        "pkey",
        "-pubin",
        "-in",
        "issuer.pub",
        "-outform",
        "DER",
        "-out",
        "issuer.spki",
    ];
    run(&place, "openssl", &arguments).well();
    let digest = run(&place, "openssl", &["dgst", "-sha256", "-r", "issuer.spki"]).well();
    let id = &digest.text()[..16];
    for (path, kind) in [
        (format!("crl/{id}.crl"), "crl"),
        (format!("issuer/{id}.cer"), "x509"),
    ] {
        let url = format!("{}/{path}", answering.address);
        run(&place, "curl", &["-sSf", "-o", "fetched", &url]).well();
        let arguments = [kind, "-inform", "DER", "-in", "fetched", "-noout", "-text"];
        let shown = run(&place, "openssl", &arguments).well().text();
        assert!(shown.contains("Ravelin local"), "{shown}");
        assert_eq!(shown.contains("Key Compromise"), kind == "crl", "{shown}");
    }
    answering.stop();
}

#[test]
fn small_clients_and_caches_get_what_they_need_and_each_request_is_logged() {
    let place = Place::new();
    make(&place, &["a.test"]);
    let issuer = issuer_of(&place, "a.test.pem");
    let answering = Answering::start(&place);
    let asked = [
        "ocsp",
        "-issuer",
        &issuer,
        "-cert",
        "a.test.pem",
        "-no_nonce",
    ];
    run(
        &place,
        "openssl",
        &[&asked[..], &["-reqout", "request.der"]].concat(),
    )
    .well();
    let url = format!("{}/ocsp", answering.address);
    let kind = "content-type: application/ocsp-request";
    let post = ["-sS", "-i", "--data-binary", "@request.der", "-H", kind];
    // The first is signed, the second is at hand.
    for _ in 0..2 {
        let ran = run(
            &place,
            "curl",
            &[&post[..], &["-o", "answer", &url]].concat(),
        );
        ran.well();
        let answer = std::fs::read(place.path("answer")).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = answer.split_at(end.unwrap() + 4);
        let head = String::from_utf8_lossy(head).to_lowercase();
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{head}");
        assert!(!head.contains("transfer-encoding"), "{head}");
    }

    // GET and HEAD say the same; and who has it is told so (RFC 9110, section 13.1.2).
    let encode = ["base64", "-A", "-in", "request.der"];
    let encoded = run(&place, "openssl", &encode).well().text();
    let encoded = encoded.trim().replace('+', "%2B").replace('/', "%2F");
    let url = format!("{url}/{encoded}");
    let head = |more: &[&str]| {
        let all = [&["-sS", "-D", "-", "-o", "/dev/null"], more, &[&url]].concat();
        run(&place, "curl", &all).well().text().to_lowercase()
    };
    let fields = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("date: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let got = head(&[]);
    assert!(got.contains("cache-control: public"), "{got}");
    assert!(got.contains("content-length: "), "{got}");
    assert_eq!(fields(&head(&["-I"])), fields(&got));
    let etag = got.lines().find(|line| line.starts_with("etag: ")).unwrap();
    let kept = etag.replace("etag", "if-none-match");
    let unchanged = head(&["-H", &kept]);
    assert!(unchanged.starts_with("http/1.1 304"), "{unchanged}");
    assert!(unchanged.contains(etag), "{unchanged}");

    let log = place.path("access.log");
    answering.stop();
    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 5, "{log}");
    assert!(lines[0].contains("\"POST /ocsp HTTP/1.1\" 200 "), "{log}");
    assert!(lines[3].contains("\"HEAD /ocsp/"), "{log}");
    assert!(lines[4].contains("\" 304 "), "{log}");
}

#[test]
fn a_running_request_ends_before_the_responder_does_and_a_second_signal_does_not_wait() {
    let place = Place::new();
    make(&place, &["a.test"]);
    for twice in [false, true] {
        let mut answering = Answering::start(&place);
        let address = answering.address.trim_start_matches("http://").to_owned();
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        // Half a request; the server has begun with it when it asks for the rest.
        let head =
            "POST /ocsp HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
        tcp.write_all(head.as_bytes()).unwrap();
        let mut interim = [0; 25];
        tcp.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        let pid = Pid::from_child(&answering.process);
        kill_process(pid, Signal::TERM).unwrap();
        answering.wait_said("stopping: running requests end first");
        if twice {
            kill_process(pid, Signal::TERM).unwrap();
            assert_eq!(answering.process.wait().unwrap().code(), Some(128 + 15));
        } else {
            tcp.write_all(b"none").unwrap();
            let mut answer = Vec::new();
            tcp.read_to_end(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
            assert!(answering.process.wait().unwrap().success());
        }
    }
}
