//! What `ravelin cert new` says at its end works as it is printed: nginx, Python and curl, in a folder
//! whose name has to be quoted.

use std::fs;
use std::process::{Command, Stdio};

use super::{ROOT, make};
use crate::foreign::{run, run_python};
use crate::server::{Place, free_port};

/// The lines that are printed for a program, without its name in front.
fn lines(said: &str, program: &str) -> Vec<String> {
    let mut lines = said.lines().skip_while(|line| !line.starts_with(program));
    let Some(first) = lines.next() else {
        panic!("nothing for {program} in: {said}")
    };
    let more = lines.take_while(|line| line.starts_with("     "));
    let text = |line: &str| line[13..].to_owned();
    std::iter::once(first).chain(more).map(text).collect()
}

fn place() -> (Place, String, String) {
    let place = Place::new();
    fs::create_dir(place.path("it's mine")).unwrap();
    let server = make(&place, &["--out", "it's mine", "localhost", "127.0.0.1"]);
    let client = make(
        &place,
        &["--out", "it's mine", "--client", "ada@client.test"],
    );
    (place, server, client)
}

#[test]
fn a_python_server_asks_python_and_curl_for_their_certificates_and_gets_them() {
    let (place, server, client) = place();
    place.write("server.txt", lines(&server, "Python").join("\n"));
    place.write("requests.txt", lines(&client, "Python").join("\n"));
    place.write("trusting.txt", lines(&server, "curl").join("\n"));
    place.write("proving.txt", lines(&client, "curl").join("\n"));
    let ran = run_python(&place, "instructed.py", &[ROOT]).well();
    assert_eq!(ran.text(), "ada@client.test\nada@client.test\n");
}

#[test]
fn nginx_serves_with_the_lines_that_are_printed() {
    let place = Place::new();
    // nginx knows no quotes in quotes: there the folder has a blank alone. Its workers would outlive a
    // master that is killed.
    fs::create_dir(place.path("the certs")).unwrap();
    let said = make(&place, &["--out", "the certs", "localhost"]);
    let port = free_port();
    let conf = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
        http {{ access_log off;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            server {{ listen 127.0.0.1:{port} ssl; {} location / {{ return 200 hello; }} }}
        }}",
        lines(&said, "nginx").join("\n")
    );
    // Names of files are looked for beside the config.
    place.write("nginx.conf", conf);
    let prefix = format!("{}/", place.path("").display());
    let mut nginx = Command::new("sh");
    place.furnish(&mut nginx);
    let path = "PATH=$PATH:/usr/sbin; exec nginx -p \"$0\" -c nginx.conf";
    nginx.args(["-c", path, &prefix]).stderr(Stdio::null());
    let mut nginx = nginx.spawn().unwrap();
    let curl = lines(&said, "curl").join("").replace("curl ", "");
    let command =
        format!("curl -sS -4 --retry 60 --retry-connrefused --retry-delay 1 {curl}:{port}/");
    let ran = run(&place, "sh", &["-c", &command]);
    nginx.kill().unwrap();
    nginx.wait().unwrap();
    assert_eq!(ran.well().text(), "hello");
}
