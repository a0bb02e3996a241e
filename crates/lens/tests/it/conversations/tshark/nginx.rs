//! curl with nginx: HTTP/2 with data over it.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use super::super::{Known, Program, Recorder, Recording, Workshop};
use super::judge;

/// A page that curl fetches over HTTP/2.
fn page(shop: &Workshop, version: &str) -> Recording {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = free.local_addr().unwrap();
    drop(free);
    let config = format!(
        "daemon off; master_process off; error_log stderr notice; pid nginx.pid; events {{}}\n\
         http {{ access_log off; client_body_temp_path .; proxy_temp_path .;\n\
         fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;\n\
         server {{ listen {server} ssl http2; ssl_certificate certificate.pem;\n\
         ssl_certificate_key key.pem; return 200 \"a page over HTTP/2\\n\"; }} }}\n"
    );
    std::fs::write(shop.path("nginx.conf"), config).unwrap();
    let run = "PATH=$PATH:/usr/sbin; exec nginx -p . -c nginx.conf -e stderr";
    let mut command = Command::new("sh");
    let mut nginx = Program::start(command.args(["-c", run]).current_dir(shop.folder.path()));
    // It listens before it says so.
    nginx.hear("using the \"");
    let recorder = Recorder::start(server, 1);
    let log = shop.path(&format!("keys-{version}"));
    let output = Command::new("curl")
        .args(["--insecure", "--silent", "--http2", "--tls-max", version])
        .arg(format!("https://localhost:{}/", recorder.address.port()))
        .env("SSLKEYLOGFILE", &log)
        .output()
        .expect("curl is installed");
    assert_eq!(output.stdout, b"a page over HTTP/2\n");
    Recording {
        passed: recorder.finish().remove(0),
        known: Known::read(&log),
    }
}

#[test]
fn tshark_agrees_on_http2_of_nginx_and_curl() {
    let shop = Workshop::ecdsa();
    let recordings = ["1.2", "1.3"].map(|version| page(&shop, version));
    for story in super::tell(&recordings) {
        assert_eq!(story.agreement.alpn.as_deref(), Some(&b"h2"[..]));
    }
    judge("HTTP/2", &recordings, 400);
}
