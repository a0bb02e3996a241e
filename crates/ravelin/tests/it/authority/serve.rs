//! `ravelin ca serve`: who asks it of a certificate is told what is in the journal, by OCSP and CRL.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::certificates::{ROOT, make};
use crate::foreign::{Ran, run};
use crate::server::Place;

/// A CA that answers, until it is dropped.
struct Answering {
    process: Child,
    address: String,
}

impl Answering {
    fn start(place: &Place) -> Self {
        let mut command = place.command(&["ca", "serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let mut lines = stderr.lines().map(Result::unwrap);
        let address = lines
            .find_map(|line| Some(line[line.find("http://")?..].to_owned()))
            .expect("it says where it answers");
        // Whatever it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
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
