//! A server that cannot start says what is wrong and what helps, and its exit code tells which kind
//! of wrong it was.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;

use crate::foreign::{fetch, run};
use crate::judges::openssl::make_certificate;
use crate::life::config;
use crate::server::{Place, SOON, free_port};

#[test]
fn it_says_what_it_serves_where_and_who_vouches_for_it() {
    let place = Place::new();
    let server = place.serve(&[]);
    let said = server.said();
    assert!(said.contains("public"), "{said}");
    let port = server.port();
    assert_eq!(
        server.urls(),
        [
            format!("https://localhost:{port}"),
            format!("https://127.0.0.1:{port}")
        ]
    );
    assert!(
        said.contains("made by your local CA, good until 20"),
        "{said}"
    );
    assert!(said.contains("ravelin ca trust"), "{said}");
    let root = place.root();
    assert!(
        said.contains(&format!("curl --cacert {}", root.display())),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "no colours in a pipe: {said}");
    assert_eq!(server.stop().stdout, "");
}

#[test]
fn a_redirect_on_any_port_says_which_it_got() {
    let server = Place::new().serve_config(&config("redirect = [\"127.0.0.1:0\"]", "one"));
    let said = server.said();
    let plain = said
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("redirect     from "))
        .unwrap_or_else(|| panic!("no word of the redirect: {said}"));
    let got = fetch(&server, &format!("{plain}/word"), &[]);
    assert_eq!(got.status, 308);
    let https = format!("https://127.0.0.1:{}/word", server.port());
    assert_eq!(got.field("location"), Some(&*https));
}

#[test]
fn a_port_in_use_is_a_local_failure() {
    let server = Place::new().serve(&[]);
    let address = server.address().to_string();
    let ended = Place::new().run(&["serve", "public", "--listen", &address]);
    ended.expect(
        4,
        &[&format!("cannot listen on {address}"), "hint: ", "--listen"],
    );
    assert_eq!(fetch(&server, "/", &[]).status, 200);
}

#[test]
fn an_address_of_another_machine_is_a_local_failure() {
    let ended = Place::new().run(&["serve", "public", "--listen", "192.0.2.1:8443"]);
    ended.expect(4, &["cannot listen on 192.0.2.1:8443", "hint: "]);
}

#[test]
fn a_folder_that_is_not_there_is_a_local_failure() {
    let place = Place::new();
    place
        .run(&["serve", "nowhere"])
        .expect(4, &["cannot serve \"nowhere\"", "No such file"]);
    place
        .run(&["serve", "public/index.html"])
        .expect(2, &["it is a file", "hint: "]);
    place.run(&["serve"]).expect(2, &["<DIR>"]);
}

#[test]
fn a_config_that_is_not_there_is_a_local_failure_and_a_wrong_one_is_not() {
    let place = Place::new();
    place
        .run(&["serve", "--config", "nowhere.toml"])
        .expect(4, &["nowhere.toml"]);
    place.write("ravelin.toml", "[[site]]\nhosts = [\"localhost\"]\n");
    let ended = place.run(&["serve", "--config", "ravelin.toml"]);
    ended.expect(2, &["ravelin.toml:1:"]);
    assert!(
        !place.home().exists(),
        "nothing is made for a config that is wrong"
    );
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_named() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    make_certificate(&place, "other-cert.pem", "other-key.pem", &["localhost"]);
    place.write("garbage.pem", "no PEM at all\n");
    let serve = |cert: &str, key: &str| {
        place.run(&[
            "serve",
            "public",
            "--listen",
            "127.0.0.1:0",
            "--cert",
            cert,
            "--key",
            key,
        ])
    };
    serve("nowhere.pem", "key.pem").expect(4, &["cannot read \"nowhere.pem\""]);
    serve("cert.pem", "nowhere.pem").expect(4, &["cannot read \"nowhere.pem\""]);
    serve("cert.pem", "public").expect(4, &["cannot read \"public\""]);
    serve("garbage.pem", "key.pem").expect(2, &["garbage.pem"]);
    serve("cert.pem", "garbage.pem").expect(2, &["garbage.pem"]);
    serve("key.pem", "key.pem").expect(2, &["key.pem"]);
    serve("cert.pem", "cert.pem").expect(2, &["cert.pem"]);
    serve("cert.pem", "other-key.pem").expect(2, &["cert.pem", "other-key.pem", "hint: "]);
    let ended = place.run(&["serve", "public", "--cert", "cert.pem"]);
    ended.expect(2, &["--key"]);
}

#[test]
fn a_key_that_may_not_be_read_is_a_local_failure() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    fs::set_permissions(place.path("key.pem"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(place.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["serve", "public", "--cert", "cert.pem", "--key", "key.pem"];
    let mut command = place.command(&arguments);
    if rustix::process::geteuid().is_root() {
        // Root may read everything, and others may not run what lies in root's folders.
        let binary = place.path("ravelin");
        fs::copy(env!("CARGO_BIN_EXE_ravelin"), &binary).unwrap();
        command = std::process::Command::new(binary);
        place.furnish(&mut command);
        command.args(arguments).uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("cannot read \"key.pem\": Permission denied"),
        "{said}"
    );
}

#[test]
fn a_certificate_that_is_out_of_date_stops_no_site_but_does_not_pass_a_check() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["localhost"]);
    let expired =
        "openssl x509 -in cert.pem -signkey key.pem -out old.pem -days -1 -copy_extensions copy";
    run(&place, "sh", &["-c", expired]).well();
    let says = "warning: the certificate in \"old.pem\" expired on 20";
    let server = place.serve(&["--cert", "old.pem", "--key", "key.pem"]);
    assert!(server.said().contains(says), "{}", server.said());

    let text = config("", "one")
        + "[[site]]\nhosts = [\"localhost\"]\nroute = [{ files = \"public\" }]\n\
           certificate = { cert = \"old.pem\", key = \"key.pem\" }\n";
    let text = text.replacen(
        "hosts = [\"localhost\", \"127.0.0.1\"]",
        "hosts = [\"a.localhost\", \"127.0.0.1\"]",
        1,
    );
    let server = place.serve_config(&text);
    assert!(server.said().contains(says), "{}", server.said());
    let url = format!("https://127.0.0.1:{}/word", server.port());
    assert_eq!(fetch(&server, &url, &[]).text(), "one");
    place
        .run(&["check", "ravelin.toml"])
        .expect(2, &["expired on 20"]);
}

#[test]
fn a_wildcard_that_no_client_accepts_is_refused() {
    let ended = Place::new().run(&["serve", "public", "--host", "*.localhost"]);
    ended.expect(2, &["no client accepts", "hint: ", "*.app.localhost"]);
}

#[test]
fn a_host_that_the_certificate_is_not_for_is_refused() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["www.example.com"]);
    let files = ["--cert", "cert.pem", "--key", "key.pem"];
    let all = [
        &["serve", "public", "--host", "foo.example.com"],
        &files[..],
    ]
    .concat();
    place.run(&all).expect(
        2,
        &[
            "\"cert.pem\" does not cover \"foo.example.com\"",
            "hint: it covers www.example.com",
        ],
    );
}

#[test]
fn a_folder_that_would_publish_private_keys_is_refused() {
    let place = Place::new();
    place.write("mixed/index.html", "hello\n");
    make_certificate(&place, "cert.pem", "mixed/key.pem", &["localhost"]);
    let files = ["--cert", "cert.pem", "--key", "mixed/key.pem"];
    let serve = |arguments: &[&str], said: &str| {
        let all = [&["serve"], arguments, &["--listen", "127.0.0.1:0"]].concat();
        place.run(&all).expect(2, &[said, "hint: "]);
    };
    let key = "the private key \"key.pem\" lies in it";
    serve(&[&["mixed"], &files[..]].concat(), key);
    let store = "the keys of the local CA lie in it";
    serve(&["."], store);
    serve(&["public", "--home", "public/certs"], store);
    assert!(!place.path("public/certs").exists(), "nothing was made");
    place.serve(&[]).stop();
    serve(&["home/leaves"], store);

    let text = config("", "one").replace("\"public\"", "\".\"");
    place.write("ravelin.toml", text);
    let ended = place.run(&["serve", "--config", "ravelin.toml"]);
    ended.expect(2, &["keys of the local CA lie in the folder", "hint: "]);
    place
        .run(&["check", "ravelin.toml"])
        .expect(2, &["keys of the local CA"]);
}

#[test]
fn a_public_name_without_a_certificate_gets_a_way_out() {
    let place = Place::new();
    let ended = place.run(&["serve", "public", "--host", "www.example.com"]);
    assert_ne!(ended.status.code(), Some(0));
    assert!(
        ended.stderr.contains("--cert FILE --key FILE"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_hosts_are_those_of_the_certificate_or_those_named() {
    let place = Place::new();
    make_certificate(&place, "cert.pem", "key.pem", &["www.example.com"]);
    let server = place.serve(&["--cert", "cert.pem", "--key", "key.pem"]);
    assert_eq!(
        server.urls(),
        [format!("https://www.example.com:{}", server.port())]
    );
    let server = place.serve(&["--host", "a.localhost", "--host", "nas.internal"]);
    let port = server.port();
    let urls = ["a.localhost", "nas.internal"].map(|host| format!("https://{host}:{port}"));
    assert_eq!(server.urls(), urls);
}

#[test]
fn a_port_alone_is_both_loopback_addresses() {
    let port = free_port();
    let server = Place::new().serve(&["--listen", &port.to_string()]);
    for (family, host) in [("-4", "localhost"), ("-4", "127.0.0.1"), ("-6", "[::1]")] {
        let got = fetch(&server, &format!("https://{host}:{port}/"), &[family]);
        assert_eq!(got.status, 200, "{host}");
    }
}

#[test]
fn the_second_start_keeps_root_and_certificate() {
    let place = Place::new();
    place.serve(&[]).stop();
    let root = fs::read(place.root()).unwrap();
    let leaf = || {
        run(&place, "sh", &["-c", "cat home/leaves/*"])
            .well()
            .stdout
    };
    let before = leaf();
    place.serve(&[]).stop();
    assert_eq!(fs::read(place.root()).unwrap(), root);
    assert_eq!(leaf(), before);
}

#[test]
fn words_that_cannot_be_written_do_not_end_the_server() {
    let place = Place::new();
    let mut command = place.command(&["serve", "public", "--listen", "127.0.0.1:0"]);
    // What writes to it always meets a full disk.
    command.stderr(fs::File::create("/dev/full").unwrap());
    let notices = UnixDatagram::bind(place.path("deaf")).unwrap();
    notices.set_read_timeout(Some(SOON)).unwrap();
    command.env("NOTIFY_SOCKET", place.path("deaf"));
    let mut deaf = command.spawn().unwrap();
    let told = || {
        let mut message = [0; 64];
        let length = notices.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert_eq!(told().trim_end(), "READY=1");
    let pid = rustix::process::Pid::from_raw(deaf.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    assert!(told().starts_with("RELOADING=1"));
    assert_eq!(told().trim_end(), "READY=1");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(deaf.wait().unwrap().success());
}

#[test]
fn a_result_that_cannot_be_written_is_a_local_failure() {
    let place = Place::new();
    place.serve(&[]).stop();
    for arguments in [&["ca", "root"][..], &["man"], &["completions", "bash"]] {
        let mut command = place.command(arguments);
        command.stdout(fs::File::create("/dev/full").unwrap());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
    let line = format!("{} man | head -c 1", env!("CARGO_BIN_EXE_ravelin"));
    let ran = run(&place, "bash", &["-o", "pipefail", "-c", &line]).well();
    assert_eq!(
        ran.stderr, "",
        "a pipe that is closed early has seen enough"
    );
}

#[test]
fn each_address_is_a_site_of_its_own() {
    let port = free_port();
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:{port}\", \"127.0.0.2:{port}\"]\n\
         [[site]]\nhosts = [\"127.0.0.1\"]\nroute = [{{ respond = {{ body = \"one\" }} }}]\n\
         [[site]]\nhosts = [\"127.0.0.2\"]\nroute = [{{ respond = {{ body = \"two\" }} }}]\n"
    );
    let server = Place::new().serve_config(&text);
    for (host, word) in [("127.0.0.1", "one"), ("127.0.0.2", "two")] {
        let got = fetch(&server, &format!("https://{host}:{port}/"), &[]);
        assert_eq!(got.text(), word, "{host}");
    }
}

#[test]
fn commands_that_are_shown_can_be_pasted() {
    let place = Place::new();
    let server = place.serve(&["--home", "my certs"]);
    let said = server.said();
    for command in [
        "ravelin ca trust --home 'my certs'\n",
        "curl --cacert 'my certs/ca/root.pem' ",
    ] {
        assert!(said.contains(command), "{said}");
    }
}

#[test]
fn no_more_workers_are_taken_than_a_config_may_name() {
    let ended = Place::new().run(&["serve", "public", "--workers", "1025"]);
    ended.expect(2, &["--workers", "1024"]);
}
