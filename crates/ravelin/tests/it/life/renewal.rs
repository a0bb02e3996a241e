//! A local certificate is renewed while the server runs, on a clock that faketime moves.

use std::process::Command;

use crate::foreign::httpx::Httpx;
use crate::foreign::run;
use crate::judges::openssl::{make_certificate, s_client};
use crate::life::config;
use crate::server::{Place, Server};

#[test]
fn a_local_certificate_is_renewed_without_a_restart() {
    let place = Place::new();
    place.serve(&[]).stop();
    let (begins, ends) = validity(&place, "home/leaves/*.pem");
    // Two thirds of its life, less what a start takes: `until_renewal` then waits for real.
    let renewal = begins + (ends - begins) / 3 * 2;
    let server = serve_at(&place, renewal - START, &FOLDER);
    let mut client = Httpx::new(&server, 1);
    assert_eq!(shown(&server).1, ends, "it is not renewed before its time");

    server.wait_said(0, "renewed the local certificate");
    let (_, new_end) = shown(&server);
    assert!(new_end > ends + 24 * 3600, "{new_end} is not after {ends}");
    let _ = client.ask("get /");
    assert_eq!(
        validity(&place, "home/leaves/*.pem").1,
        new_end,
        "the store has it too"
    );
}

#[test]
fn a_local_certificate_is_renewed_though_files_of_others_are_broken() {
    let place = Place::new();
    let text = config("", "one")
        + "[[site]]\nhosts = [\"own.localhost\"]\nroute = [{ files = \"public\" }]\n\
           certificate = { cert = \"cert.pem\", key = \"key.pem\" }\n";
    make_certificate(&place, "cert.pem", "key.pem", &["own.localhost"]);
    place.serve_config(&text).stop();
    let (begins, ends) = validity(&place, "home/leaves/*.pem");
    let server = serve_at(
        &place,
        begins + (ends - begins) / 3 * 2 - START,
        &["--config", "ravelin.toml"],
    );
    place.write("cert.pem", "broken");
    server.wait_said(0, "renewed the local certificate");
    assert!(shown(&server).1 > ends);
}

#[test]
fn a_local_certificate_that_cannot_be_renewed_serves_on() {
    let place = Place::new();
    place.serve(&[]).stop();
    let (begins, ends) = validity(&place, "home/leaves/*.pem");
    // No writer gets past it, whatever its rights.
    std::fs::remove_file(place.home().join(".lock")).unwrap();
    std::fs::create_dir(place.home().join(".lock")).unwrap();
    let server = serve_at(&place, begins + (ends - begins) / 3 * 2 + 5, &FOLDER);
    let said = server.said();
    let warning = "warning: the local certificate could not be renewed, and is good until 20";
    assert!(said.contains(warning), "{said}");
    assert_eq!(shown(&server).1, ends);
}

/// Seconds that a start may take on a busy machine; a renewal before its time would not be told of.
pub(crate) const START: i64 = 20;

const FOLDER: [&str; 3] = ["public", "--listen", "127.0.0.1:0"];

/// A server whose clock on the wall begins at this second.
pub(crate) fn serve_at(place: &Place, second: i64, arguments: &[&str]) -> Server {
    // Not by way of the faketime program, which would stay between us and the server's end.
    let library = run(place, "faketime", &["-f", "+0", "printenv", "LD_PRELOAD"]).well();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ravelin"));
    place.furnish(&mut command);
    command.env("LD_PRELOAD", library.text().trim());
    command.env("FAKETIME", format!("@{}", date(place, second)));
    // Only the clock on the wall: timers go on as they are.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.env("DONT_FAKE_MONOTONIC", "1");
    command.arg("serve").args(arguments);
    Server::start(place, &mut command)
}

/// Until when the certificate is good that a new handshake shows.
fn shown(server: &Server) -> (i64, i64) {
    // openssl's own clock is the real one, and has not moved.
    let ran = s_client(server, &["-no_check_time"]).well();
    server.place.write("shown.pem", ran.stdout);
    validity(&server.place, "shown.pem")
}

/// From when until when a certificate is good, in seconds since 1970.
fn validity(place: &Place, file: &str) -> (i64, i64) {
    let script = format!(
        "openssl x509 -noout -startdate -enddate -in {file} | sed 's/.*=//' \
         | while read -r date; do date -d \"$date\" +%s; done"
    );
    let ran = run(place, "sh", &["-c", &script]).well();
    let text = ran.text();
    let (begins, ends) = text.trim().split_once('\n').unwrap();
    (begins.parse().unwrap(), ends.parse().unwrap())
}

fn date(place: &Place, seconds: i64) -> String {
    let at = format!("@{seconds}");
    run(place, "date", &["-d", &at, "+%Y-%m-%d %H:%M:%S"])
        .well()
        .text()
        .trim()
        .to_owned()
}
