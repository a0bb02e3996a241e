//! Configuration and certificates change while connections and downloads are under way.

use std::fs;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::client::Client;
use crate::foreign::httpx::Httpx;
use crate::foreign::{curl, fetch, run};
use crate::judges::openssl::{make_certificate, s_client};
use crate::life::{config, large_file, serve};
use crate::server::{Place, Server, free_port, wait_until};

#[test]
fn a_changed_config_is_taken_over_on_sighup_and_by_itself() {
    let server = serve(&Place::new());
    let mut clients = [Httpx::new(&server, 1), Httpx::new(&server, 2)];
    let before = clients.each_mut().map(|client| client.get("/word").port);

    // SIGHUP may come before or after the server has seen the change itself.
    server.place.write("ravelin.toml", config("", "two"));
    server.reload();
    assert_eq!(fetch(&server, "/word", &[]).text(), "two");

    let said = server.said().len();
    server.place.replace("ravelin.toml", config("", "three"));
    wait_until("a file that changes is noticed", || {
        fetch(&server, "/word", &[]).text() == "three"
    });
    server.wait_said(said, "reloaded: a file has changed");

    // Connections have lived on, and see what is new.
    for (client, before) in clients.iter_mut().zip(before) {
        assert_eq!(client.ask("text /word"), "\"three\"");
        assert_eq!(client.get("/word").port, before);
    }
}

#[test]
fn a_wrong_config_changes_nothing_and_is_reported_with_its_line() {
    let server = serve(&Place::new());
    let wrong = config("wrokers = 2", "two");
    server.place.write("ravelin.toml", &wrong);
    let said = server.reload();
    assert!(said.contains("ravelin.toml:3:"), "{said}");
    assert!(said.contains("did you mean `workers`?"), "{said}");
    assert!(
        said.contains("nothing was reloaded: the server goes on as before"),
        "{said}"
    );
    assert_eq!(fetch(&server, "/word", &[]).text(), "one");

    fs::remove_file(server.place.path("ravelin.toml")).unwrap();
    let said = server.reload();
    assert!(said.contains("cannot be read"), "{said}");
    assert_eq!(fetch(&server, "/word", &[]).text(), "one");

    server.place.write("ravelin.toml", config("", "three"));
    server.reload();
    wait_until("the right config is taken", || {
        fetch(&server, "/word", &[]).text() == "three"
    });
}

#[test]
fn replaced_certificates_are_shown_to_new_connections() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    let files = "certificate = { cert = \"cert.pem\", key = \"key.pem\" }\n";
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nhosts = [\"localhost\"]\n\
         {files}route = [{{ files = \"public\" }}]\n"
    );
    assert_new_certificate_is_shown(&place.serve_config(&text));
}

#[test]
fn replaced_certificates_of_the_command_line_are_shown_too() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    assert_new_certificate_is_shown(&place.serve(&["--cert", "cert.pem", "--key", "key.pem"]));
}

fn assert_new_certificate_is_shown(server: &Server) {
    let place = &server.place;
    let old = fs::read_to_string(place.path("cert.pem")).unwrap();
    assert_eq!(shown(server, &old), old);
    // The client trusts the file of the local root, and this server has none.
    fs::create_dir_all(place.home().join("ca")).unwrap();
    fs::write(place.root(), &old).unwrap();
    let mut client = Httpx::new(server, 1);
    let port = client.get("/").port;

    make_certificate(place, "next-cert.pem", "next-key.pem", &["localhost"]);
    let new = fs::read_to_string(place.path("next-cert.pem")).unwrap();
    // One after the other, as certificate tools do: for a moment they do not fit.
    for file in ["key.pem", "cert.pem"] {
        fs::rename(place.path(&format!("next-{file}")), place.path(file)).unwrap();
    }
    server.wait_said(0, "reloaded: a file has changed");
    assert_eq!(shown(server, &new), new);
    assert_eq!(client.get("/").port, port, "the open connection goes on");
}

/// The certificate that a new handshake shows; it must verify against `root`.
fn shown(server: &Server, root: &str) -> String {
    let root = server.place.write("shown-root.pem", root);
    let ran = s_client(server, &["-CAfile", root.to_str().unwrap()]).well();
    let text = ran.text();
    let (_, pem) = text.split_once("-----BEGIN").unwrap();
    let (pem, _) = pem.split_once("-----END CERTIFICATE-----").unwrap();
    format!("-----BEGIN{pem}-----END CERTIFICATE-----\n")
}

#[test]
fn a_key_that_does_not_fit_any_more_changes_nothing() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    let server = place.serve(&["--cert", "cert.pem", "--key", "key.pem"]);
    let old = fs::read_to_string(place.path("cert.pem")).unwrap();
    make_certificate(&place, "other-cert.pem", "key.pem", &["localhost"]);
    let said = server.reload();
    assert!(said.contains("key.pem"), "{said}");
    assert!(said.contains("nothing was reloaded"), "{said}");
    assert_eq!(shown(&server, &old), old);
}

#[test]
fn a_download_under_way_lives_through_reloads() {
    let place = Place::new();
    let large = large_file(&place);
    let server = serve(&place);
    let mut clients = [Httpx::new(&server, 1), Httpx::new(&server, 2)];
    for client in &mut clients {
        client.open("/large.bin");
    }
    for turn in 0..5 {
        // Another route of the same site changes, a site comes, limits change.
        let mut text = config(
            "[server.limits]\nidle_timeout = \"40s\"",
            &format!("turn {turn}"),
        );
        text += "[[site]]\nhosts = [\"new.localhost\"]\nroute = [{ respond = {} }]\n";
        place.replace("ravelin.toml", text);
        let said = server.reload();
        assert!(said.contains("reloaded: "), "{said}");
        for client in &mut clients {
            client.ask("read 1000000");
        }
    }
    for client in &mut clients {
        client.assert_rest_is(&large);
    }
}

#[test]
fn listeners_come_and_go() {
    let (first, second, plain) = (free_port(), free_port(), free_port());
    let text = |listen: &[u16], redirect: &[u16]| {
        let addresses = |ports: &[u16]| {
            let all: Vec<_> = ports
                .iter()
                .map(|port| format!("\"127.0.0.1:{port}\""))
                .collect();
            all.join(", ")
        };
        format!(
            "[server]\nlisten = [{}]\nredirect = [{}]\n\
             [[site]]\nhosts = [\"localhost\"]\nroute = [{{ files = \"public\" }}]\n",
            addresses(listen),
            addresses(redirect)
        )
    };
    let place = Place::new();
    let server = place.serve_config(&text(&[first], &[]));
    let mut client = Httpx::new(&server, 1);
    let connection = client.get("/").port;
    let get = |port: u16| fetch(&server, &format!("https://localhost:{port}/"), &[]).status;

    place.write("ravelin.toml", text(&[first, second], &[plain]));
    assert!(server.reload().contains("reloaded: "));
    assert_eq!((get(first), get(second)), (200, 200));
    let redirect = fetch(&server, &format!("http://localhost:{plain}/"), &[]);
    assert_eq!(
        redirect.field("location"),
        Some(&*format!("https://localhost:{first}/"))
    );

    // They change places, and back.
    let answers = |url: String, status: &str| {
        wait_until("the protocol has changed", || {
            let arguments = ["-o", "body", "-w", "%{http_code}", url.as_str()];
            curl(&server, &arguments).text() == status
        });
    };
    for (secure, other) in [(plain, second), (second, plain)] {
        place.write("ravelin.toml", text(&[first, secure], &[other]));
        assert!(server.reload().contains("reloaded: "));
        answers(format!("https://localhost:{secure}/"), "200");
        answers(format!("http://localhost:{other}/"), "308");
    }

    place.write("ravelin.toml", text(&[second], &[]));
    assert!(server.reload().contains("reloaded: "));
    assert_eq!(get(second), 200);
    for closed in [first, plain] {
        wait_until("it listens no more", || {
            TcpStream::connect(("127.0.0.1", closed)).is_err()
        });
    }
    assert_eq!(client.get("/").port, connection, "its connections live on");

    // An address that is taken: the reload says so and leaves all as it was, also what would
    // have changed places.
    let taken = std::net::TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let port = taken.local_addr().unwrap().port();
    place.write("ravelin.toml", text(&[first, port], &[second]));
    let said = server.reload();
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
    assert!(said.contains("nothing was reloaded"), "{said}");
    assert_eq!(get(second), 200);
    assert!(TcpStream::connect(("127.0.0.1", first)).is_err());
}

#[test]
fn a_port_is_opened_to_everyone_and_closed_again() {
    let port = free_port();
    let text = |listen: &str| config("", "one").replace("127.0.0.1:0", listen);
    let (all, one) = (format!("0.0.0.0:{port}"), format!("127.0.0.1:{port}"));
    let server = Place::new().serve_config(&text(&one));
    let status = |host: &str| {
        let url = format!("https://{host}:{port}/");
        let arguments = ["-k", "-o", "body", "-w", "%{http_code}", url.as_str()];
        curl(&server, &arguments).text()
    };
    assert_eq!(status("127.0.0.2"), "000");
    // Unknown there, but heard.
    for (listen, beyond) in [(&all, "421"), (&one, "000"), (&all, "421")] {
        server.place.write("ravelin.toml", text(listen));
        let said = server.reload();
        assert!(said.contains("reloaded: "), "{said}");
        wait_until("it listens there or no more", || {
            status("127.0.0.2") == beyond
        });
        wait_until("it listens here", || status("127.0.0.1") == "200");
    }
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew_on_sighup() {
    let place = Place::new();
    let server = place.serve_config(&config("[log]\nto = \"access.log\"\nformat = \"json\"", ""));
    let lines =
        |name: &str| fs::read_to_string(place.path(name)).map_or(0, |text| text.lines().count());
    fetch(&server, "/", &[]);
    wait_until("the line is written", || lines("access.log") == 1);
    fs::rename(place.path("access.log"), place.path("moved.log")).unwrap();
    fetch(&server, "/", &[]);
    wait_until("it goes on where it was", || lines("moved.log") == 2);
    server.reload();
    fetch(&server, "/", &[]);
    wait_until("it begins anew", || lines("access.log") == 1);
    assert_eq!(lines("moved.log"), 2);
}

#[test]
fn a_config_that_is_a_link_is_followed_when_the_link_changes() {
    let place = Place::new();
    place.write("one.toml", config("", "one"));
    place.write("two.toml", config("", "two"));
    std::os::unix::fs::symlink("one.toml", place.path("ravelin.toml")).unwrap();
    let mut command = place.command(&["serve", "--config", "ravelin.toml"]);
    let server = Server::start(&place, &mut command);
    assert_eq!(fetch(&server, "/word", &[]).text(), "one");
    run(&place, "ln", &["-sf", "two.toml", "ravelin.toml"]).well();
    assert!(Path::new(&place.path("ravelin.toml")).is_symlink());
    server.wait_said(0, "reloaded: a file has changed");
    assert_eq!(fetch(&server, "/word", &[]).text(), "two");
}

#[test]
fn a_changed_config_is_noticed_beside_a_log_that_is_written_all_the_time() {
    let place = Place::new();
    let log = "[log]\nto = \"access.log\"";
    let server = place.serve_config(&config(log, "one"));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(&server);
            while !over.load(Ordering::Relaxed) {
                client.get("/word");
            }
        });
        wait_until("the log is under way", || {
            fs::metadata(place.path("access.log")).is_ok_and(|log| log.len() > 0)
        });
        place.replace("ravelin.toml", config(log, "two"));
        let reloaded = catch_unwind(AssertUnwindSafe(|| {
            server.wait_said(0, "reloaded: a file has changed");
        }));
        over.store(true, Ordering::Relaxed);
        reloaded.unwrap();
    });
    assert_eq!(fetch(&server, "/word", &[]).text(), "two");
}

/// As Kubernetes mounts secrets: no event ever names the files themselves.
#[test]
fn certificates_behind_a_link_to_their_folder_are_noticed_when_it_is_turned() {
    let place = Place::new();
    for version in ["..1", "..2"] {
        fs::create_dir_all(place.path(&format!("tls/{version}"))).unwrap();
        let file = |name: &str| format!("tls/{version}/{name}");
        make_certificate(&place, &file("tls.crt"), &file("tls.key"), &["localhost"]);
    }
    let link = |to: &str, name: &str| {
        let new = place.path(&format!("tls/{name}.new"));
        std::os::unix::fs::symlink(to, &new).unwrap();
        fs::rename(new, place.path(&format!("tls/{name}"))).unwrap();
    };
    link("..1", "..data");
    link("..data/tls.crt", "tls.crt");
    link("..data/tls.key", "tls.key");
    let server = place.serve(&["--cert", "tls/tls.crt", "--key", "tls/tls.key"]);
    let new = fs::read_to_string(place.path("tls/..2/tls.crt")).unwrap();
    link("..2", "..data");
    server.wait_said(0, "reloaded: a file has changed");
    assert_eq!(shown(&server, &new), new);
}

#[test]
fn a_certificate_that_comes_after_the_config_that_names_it_is_noticed() {
    let place = Place::new();
    let server = serve(&place);
    fs::create_dir(place.path("later")).unwrap();
    let text = "[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nhosts = [\"localhost\"]\n\
                certificate = { cert = \"later/cert.pem\", key = \"later/key.pem\" }\n\
                route = [{ files = \"public\" }]\n";
    place.replace("ravelin.toml", text);
    server.wait_said(0, "nothing was reloaded");
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    for file in ["key.pem", "cert.pem"] {
        fs::rename(place.path(file), place.path(&format!("later/{file}"))).unwrap();
    }
    server.wait_said(0, "reloaded: a file has changed");
}

#[test]
fn a_folder_of_certificates_that_is_made_anew_is_watched_again() {
    let place = Place::new();
    let make = || {
        fs::create_dir(place.path("tls")).unwrap();
        make_certificate(&place, "tls/cert.pem", "tls/key.pem", &["localhost"]);
    };
    make();
    let server = place.serve(&["--cert", "tls/cert.pem", "--key", "tls/key.pem"]);
    for _ in 0..2 {
        let before = server.said().len();
        fs::remove_dir_all(place.path("tls")).unwrap();
        make();
        server.wait_said(before, "reloaded: a file has changed");
    }
}
