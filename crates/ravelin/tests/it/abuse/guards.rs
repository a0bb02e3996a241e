//! Passwords that are guessed or gone around, and clients that come too often.

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::client::http2::{End, Http2};
use crate::client::{Client, Response};
use crate::server::{Server, Setup};

fn guarded() -> Server {
    // As cheap as a hash may be: the machine is busy.
    let cheap = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(1024, 1, 1, None).unwrap(),
    );
    let salt = SaltString::from_b64("c29tZXNhbHQ").unwrap();
    let hash = cheap.hash_password(b"lovelace", &salt).unwrap();
    Setup::new()
        .folder(|folder| {
            std::fs::create_dir(folder.join("public/admin")).unwrap();
            std::fs::write(folder.join("public/admin/x"), "secret\n").unwrap();
            std::fs::write(folder.join("public/admin/index.html"), "secret\n").unwrap();
            std::os::unix::fs::symlink("admin/x", folder.join("public/limited")).unwrap();
        })
        .sites(&format!(
            "[[site.route]]\npath = \"/admin/*\"\nfiles = \"./public\"\nrewrite = \"/admin/{{rest}}\"\n\
             auth = {{ realm = \"Staff\", users = {{ ada = \"{hash}\" }} }}\n\
             [[site.route]]\npath = \"/limited\"\nrespond = {{ body = \"few\\n\" }}\n\
             rate_limit = {{ requests = 5, per = \"1h\" }}\n"
        ))
        .start()
}

fn ask(client: &mut Client, path: &str, authorization: &str) -> Response {
    client.ask(format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n"
    ))
}

/// `ada:lovelace`, and others that are not she.
const ADA: &str = "Authorization: Basic YWRhOmxvdmVsYWNl\r\n";

#[test]
fn without_the_right_password_there_is_a_challenge_and_nothing_else() {
    let server = guarded();
    let mut client = Client::connect(&server);
    for wrong in [
        "",
        // ada:wrong, bob:lovelace, ada, ada:, :lovelace
        "Authorization: Basic YWRhOndyb25n\r\n",
        "Authorization: Basic Ym9iOmxvdmVsYWNl\r\n",
        "Authorization: Basic YWRh\r\n",
        "Authorization: Basic YWRhOg==\r\n",
        "Authorization: Basic OmxvdmVsYWNl\r\n",
        "Authorization: Basic %%%\r\n",
        "Authorization: Basic\r\n",
        "Authorization: Bearer YWRhOmxvdmVsYWNl\r\n",
        "Authorization: \r\n",
        "Authorization: Basic YWRhOmxvdmVsYWNl, x\r\n",
    ] {
        let response = ask(&mut client, "/admin/x", wrong);
        assert_eq!(response.status, 401, "{wrong:?}");
        let challenge = response.field("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Basic realm=\"Staff\""),
            "{challenge}"
        );
        assert!(!response.text().contains("secret"), "{wrong:?}");
    }
    assert_eq!(ask(&mut client, "/admin/x", ADA).text(), "secret\n");
    assert_eq!(ask(&mut client, "/admin/", ADA).text(), "secret\n");
    // A second field of that name is not a second guess.
    let twice = ask(
        &mut client,
        "/admin/x",
        &format!("Authorization: Basic eDp5\r\n{ADA}"),
    );
    assert_eq!(twice.status, 401);
    server.assert_serves_others();
}

#[test]
fn no_spelling_of_a_path_goes_around_its_password() {
    let server = guarded();
    let mut client = Client::connect(&server);
    for path in [
        "/admin/x",
        "/%61dmin/x",
        "/%61%64%6d%69%6e/x",
        "/admin/%78",
        "/ADMIN/x",
        "/Admin/x",
        "//admin/x",
        "/./admin/x",
        "/x/../admin/x",
        "/admin%2fx",
        "/admin%2Fx",
        "/admin//x",
        "/admin/./x",
        "/admin\\x",
        "/admin;/x",
        "/admin/x?y",
        "/admin/x;y",
        "/admin/x%00",
        "/admin/x/",
        "https://localhost/admin/x",
        "/admin",
        "/admin?",
        "/admin/",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let mut client = Client::connect(&server);
            client.send(format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            ));
            let answer = String::from_utf8(client.rest()).unwrap();
            let status = answer.get(9..12).unwrap_or_default();
            assert!(!answer.contains("secret"), "{method} {path}: {answer}");
            assert!(
                ["401", "404", "400", "405", "308"].contains(&status)
                    || method == "OPTIONS" && status == "204" && !path.starts_with("/admin/"),
                "{method} {path}: {answer}"
            );
        }
    }
    // A precompressed sibling, a range and a condition tell nothing either.
    for field in [
        "Range: bytes=0-3\r\n",
        "If-None-Match: *\r\n",
        "If-Match: \"x\"\r\n",
        "Accept-Encoding: br\r\n",
    ] {
        assert_eq!(ask(&mut client, "/admin/x", field).status, 401, "{field}");
        assert_eq!(
            ask(&mut client, "/admin/nothing", field).status,
            401,
            "{field}"
        );
    }
    let http2 = Http2::connect(&server).ask(1, &crate::client::http2::get("/%61dmin/x"));
    assert_eq!(http2, End::Status(1, 401));
}

#[test]
fn a_thousand_wrong_passwords_keep_nobody_out() {
    let server = guarded();
    server.assert_memory_bounded(64, || {
        let mut clients: Vec<_> = (0..20).map(|_| Client::connect(&server)).collect();
        for round in 0..50 {
            for client in &mut clients {
                client.send(format!(
                    "GET /admin/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YWRhOj{:02}=\r\n\r\n",
                    round + 10
                ));
            }
            if round % 10 == 0 {
                server.assert_serves_others();
            }
            for client in &mut clients {
                let status = client.response().status;
                assert!([401, 429].contains(&status), "{status}");
            }
        }
    });
    server.assert_serves_others();
}

#[test]
fn a_client_that_comes_too_often_is_told_when_to_come_back() {
    let server = guarded();
    let mut client = Client::connect(&server);
    for _ in 0..5 {
        assert_eq!(client.get("/limited").text(), "few\n");
    }
    let response = client.get("/limited");
    assert_eq!(response.status, 429);
    let seconds: u64 = response.field("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
    // Neither another connection, nor another protocol, nor another spelling is another client.
    assert_eq!(Client::connect(&server).get("/%6cimited").status, 429);
    assert_eq!(
        Http2::connect(&server).ask(1, &crate::client::http2::get("/limited")),
        End::Status(1, 429)
    );
    // Other routes are not limited.
    assert_eq!(client.get("/index.html").status, 200);
    server.assert_serves_others();
}
