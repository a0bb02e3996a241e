//! Protocols that begin in clear, on either side of a tunnel: stunnel and the usual clients at the other ends.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use super::peers::stunnel;
use super::{Tunnels, assert_cut, connect, echo, exactly, rest, service, tls};
use crate::foreign::{python, run, run_python};
use crate::inspect::{Peer, certify};
use crate::server::{Place, wait_until};

/// What services greet with.
const GREETINGS: [(&str, &str); 3] = [
    ("smtp", "220 mail.internal ESMTP\r\n"),
    ("imap", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"),
    ("pop3", "+OK POP3 <1.2@mail.internal>\r\n"),
];

/// The names that stunnel has for protocols.
fn name_of(protocol: &str) -> &str {
    match protocol {
        "postgres" => "pgsql",
        protocol => protocol,
    }
}

#[test]
fn stunnel_begins_tls_with_us() {
    let place = Place::new();
    let root = place.root();
    for (protocol, greeting) in GREETINGS
        .into_iter()
        .chain([("postgres", ""), ("ldap", "")])
    {
        let to = echo(greeting).to_string();
        let tunnels = Tunnels::start(&place, &["0", &to, "--starttls", protocol]);
        let port = tunnels.port(0);
        let peer = stunnel(&place, |own| {
            format!(
                "[s]\nclient = yes\naccept = 127.0.0.1:{own}\nconnect = 127.0.0.1:{port}\nprotocol = {}\n\
                 CAfile = {}\nverifyChain = yes\n",
                name_of(protocol),
                root.display()
            )
        });
        let own = peer.name().rsplit_once(':').unwrap().1.parse().unwrap();
        let mut stream = connect(own);
        if !greeting.is_empty() {
            // stunnel passes our greeting on, as far as it is one.
            line(&mut stream);
        }
        stream.write_all(b"in TLS\r\n").unwrap();
        assert_eq!(exactly(&stream, 8), "in TLS\r\n", "{protocol}");
    }
}

#[test]
fn we_begin_tls_with_stunnel() {
    let place = Place::new();
    certify(&place);
    let of_mail = GREETINGS.map(|(protocol, greeting)| (protocol, mail(protocol, greeting)));
    for (protocol, to) in of_mail.into_iter().chain([("postgres", echo(""))]) {
        let peer = stunnel(&place, |own| {
            format!(
                "[s]\naccept = 127.0.0.1:{own}\nconnect = 127.0.0.1:{to}\nprotocol = {}\ncert = c.pem\nkey = k.pem\n",
                name_of(protocol)
            )
        });
        let name = peer.name();
        let tunnels = Tunnels::start(
            &place,
            &[
                "0",
                &name,
                "--tls",
                "originate",
                "--to-ca",
                "root.pem",
                "--to-starttls",
                protocol,
            ],
        );
        let mut stream = tunnels.tcp(0);
        if protocol == "postgres" {
            // A startup message, as it is without TLS: 8 octets and version 3.0.
            let startup = [0, 0, 0, 8, 0, 3, 0, 0];
            stream.write_all(&startup).unwrap();
            assert_eq!(exactly(&stream, 8).as_bytes(), startup);
            continue;
        }
        let greeting = line(&mut stream);
        let good = ["220 ", "* OK ", "+OK "];
        assert!(
            good.iter().any(|good| greeting.starts_with(good)),
            "{greeting}"
        );
        stream.write_all(b"a NOOP\r\n").unwrap();
        let answer = line(&mut stream);
        let good = ["250 ", "a OK ", "+OK"];
        assert!(good.iter().any(|good| answer.starts_with(good)), "{answer}");
    }
}

/// A line, up to its end and nothing behind it.
fn line(stream: &mut std::net::TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet).unwrap();
        line.extend(octet);
    }
    String::from_utf8(line).unwrap()
}

#[test]
fn pythons_clients_of_mail_come_through() {
    let place = Place::new();
    let root = place.root();
    for (protocol, greeting) in GREETINGS {
        let to = mail(protocol, greeting).to_string();
        let tunnels = Tunnels::start(&place, &["0", &to, "--starttls", protocol]);
        let port = tunnels.port(0).to_string();
        let arguments = [protocol, &port, root.to_str().unwrap()];
        let seen = run_python(&place, "mail.py", &arguments).well();
        assert_eq!(seen.text(), "well\n", "{protocol}");
    }
}

/// A service of mail that knows enough to be greeted and left, and never speaks of TLS.
fn mail(protocol: &'static str, greeting: &'static str) -> u16 {
    service(move |mut stream| {
        let _ = stream.write_all(greeting.as_bytes());
        let mut said = Vec::new();
        let mut some = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut some) {
            said.extend_from_slice(&some[..read]);
            while let Some(end) = said.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = said.drain(..=end).collect();
                let given = String::from_utf8_lossy(&line).into_owned();
                let line = given.to_ascii_uppercase();
                let tag = given.split(' ').next().unwrap_or_default();
                let answer = match protocol {
                    "smtp" if line.starts_with("QUIT") => "221 bye\r\n".to_owned(),
                    "smtp" => "250 mail.internal\r\n".to_owned(),
                    "pop3" => "+OK\r\n".to_owned(),
                    _ if line.contains("CAPABILITY") => {
                        format!("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done\r\n")
                    }
                    _ if line.contains("LOGOUT") => format!("* BYE\r\n{tag} OK done\r\n"),
                    _ => format!("{tag} OK done\r\n"),
                };
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    })
}

#[test]
fn nobody_goes_on_without_tls_or_slips_commands_before_it() {
    let place = Place::new();
    let to = echo("220 mail.internal ESMTP\r\n").to_string();
    let tunnels = Tunnels::start(&place, &["0", &to, "--starttls", "smtp"]);
    let mut stream = tunnels.tcp(0);
    stream
        .write_all(b"EHLO me\r\nMAIL FROM:<a@b>\r\nQUIT\r\n")
        .unwrap();
    let said = rest(&mut stream).unwrap();
    assert!(said.contains("STARTTLS"), "{said}");
    assert!(said.contains("\r\n530 5.7.0 "), "{said}");
    let mut stream = tunnels.tcp(0);
    stream
        .write_all(b"EHLO me\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n")
        .unwrap();
    let said = rest(&mut stream).unwrap_or_default();
    assert!(!said.contains("220 2.0.0"), "{said}");
    tunnels
        .0
        .wait_said(0, "octets came in clear where TLS had to begin");
    // Where the service is down, its clients are told in their own words.
    let down = crate::server::free_port().to_string();
    let tunnels = Tunnels::start(&place, &["0", &down, "--starttls", "smtp"]);
    let said = rest(tunnels.tcp(0)).unwrap();
    assert!(said.starts_with("421 "), "{said}");
    // And where it is there and says nothing.
    let silent = format!(
        "[[tunnel]]\nlisten = \"127.0.0.1:0\"\nto = \"{}\"\ntls = \"terminate\"\nstarttls = \"smtp\"\n\
         connect_timeout = \"300ms\"\n",
        service(|stream| {
            let _ = rest(stream);
        })
    );
    let tunnels = Tunnels::of_file(&place, &silent);
    let said = rest(tunnels.tcp(0)).unwrap();
    assert!(said.starts_with("421 "), "{said}");
    tunnels
        .0
        .wait_said(0, "it took more than 0.3 seconds to answer");
    assert_cut(tls(tunnels.tcp(0), "localhost", None).and_then(rest));
}

/// A server of `MySQL`.
fn mysql(place: &Place) -> Peer {
    let (python, script) = python("mysql.py");
    Peer::start(place, python.to_str().unwrap(), |port| {
        [script.to_str().unwrap(), "serve", port]
            .map(str::to_owned)
            .to_vec()
    })
}

#[test]
fn packets_of_mysql_are_numbered_as_each_side_counts_them() {
    let place = Place::new();
    certify(&place);
    let server = mysql(&place);
    let plain = server.name();
    let files = ["--cert", "c.pem", "--key", "k.pem"];
    let terminate = [&["0", &*plain, "--starttls", "mysql"], &files[..]].concat();
    let in_front = Tunnels::start(&place, &terminate);
    // mysql-mimic with TLS loses what a client sends behind its request for it without a pause, as real servers do
    // not: another tunnel has it in its stead.
    let secure = format!("localhost:{}", in_front.port(0));
    let mut to_secure = vec![
        "0",
        &secure,
        "--to-starttls",
        "mysql",
        "--to-ca",
        "root.pem",
        "--tls",
        "originate",
    ];
    let originate = to_secure.clone();
    to_secure.pop();
    let both = [&to_secure[..], &["both", "--starttls", "mysql"], &files[..]].concat();
    for (arguments, root) in [
        (&terminate, "root.pem"),
        (&originate, "none"),
        (&both, "root.pem"),
    ] {
        let tunnels = Tunnels::start(&place, arguments);
        let port = tunnels.port(0).to_string();
        let seen = run_python(&place, "mysql.py", &["ask", &port, root]).well();
        assert_eq!(seen.text(), "1000 499500\n", "{arguments:?}");
    }
    // Who does not begin TLS where it has to gets nothing.
    let tunnels = Tunnels::start(&place, &terminate);
    let port = tunnels.port(0).to_string();
    let refused = run_python(&place, "mysql.py", &["ask", &port, "none"]);
    assert!(refused.stderr.contains("3159"), "{}", refused.stderr);
}

/// A database of this test, and the folder of its programs.
struct Database {
    place: Place,
    folder: PathBuf,
}

impl Database {
    /// A cluster with a user `ada` whose password is `secret`, which listens at a Unix socket alone; with `tls`, on a
    /// port too, where nobody gets in without TLS.
    fn start(tls: Option<u16>) -> Self {
        let place = Place::new();
        let versions = std::fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is there: ./test installs it");
        let newest = versions.flatten().map(|entry| entry.path()).max().unwrap();
        let database = Self {
            folder: newest.join("bin"),
            place,
        };
        certify(&database.place);
        database.place.write("password", "secret\n");
        // It refuses to run as root, and its files have to be its own.
        database.sh(
            "chmod 755 . && mkdir -p data && (id -u postgres >/dev/null) && chown -R postgres . ",
        );
        let initdb = database.folder.join("initdb");
        database.postgres(&format!(
            "{} -D data -U ada --pwfile=password --auth=scram-sha-256 --no-sync >/dev/null",
            initdb.display()
        ));
        let listen = match tls {
            Some(port) => {
                database.postgres(
                    "cp c.pem k.pem data && chmod 600 data/k.pem && \
                     printf 'local all all scram-sha-256\\nhostssl all all 127.0.0.1/32 scram-sha-256\\n' > data/pg_hba.conf",
                );
                format!(
                    "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file=c.pem -c ssl_key_file=k.pem"
                )
            }
            None => "-c listen_addresses=".to_owned(),
        };
        let pg_ctl = database.folder.join("pg_ctl");
        let socket = database.place.path("");
        database.postgres(&format!(
            "{} -D data -w -s -l log -o '{listen} -c unix_socket_directories={} -c fsync=off' start",
            pg_ctl.display(),
            socket.display()
        ));
        database
    }

    fn sh(&self, script: &str) -> String {
        let ran = run(&self.place, "sh", &["-c", script]);
        assert_eq!(ran.code, 0, "{script}: {} {}", ran.text(), ran.stderr);
        ran.text()
    }

    /// As the user that owns databases.
    fn postgres(&self, script: &str) -> String {
        let script = script.replace('\'', "'\\''");
        self.sh(&format!(
            "if [ $(id -u) = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups sh -c '{script}'; \
             else sh -c '{script}'; fi"
        ))
    }

    /// What `psql` prints of a question, over this way.
    fn ask(&self, way: &str) -> String {
        self.sh(&format!(
            "PGPASSWORD=secret psql -X -A -t 'user=ada dbname=postgres connect_timeout=20 {way}' \
             -c \"select count(*), ssl from generate_series(1, 200000) cross join \
             (select ssl from pg_stat_ssl where pid = pg_backend_pid()) s group by ssl\""
        ))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let pg_ctl = self.folder.join("pg_ctl");
        self.postgres(&format!(
            "{} -D data -w -s -m immediate stop; true",
            pg_ctl.display()
        ));
    }
}

#[test]
fn psql_comes_through_to_a_database_without_tls() {
    let database = Database::start(None);
    let place = Place::new();
    let socket = database.place.path(".s.PGSQL.5432");
    wait_until("the database listens", || socket.exists());
    let to = format!("unix:{}", socket.display());
    let tunnels = Tunnels::start(&place, &["0", &to, "--starttls", "postgres"]);
    let port = tunnels.port(0);
    let root = place.root();
    let way = format!(
        "host=localhost hostaddr=127.0.0.1 port={port} sslmode=verify-full sslrootcert={}",
        root.display()
    );
    assert_eq!(database.ask(&way), "200000|f\n");
    // Who wants none is told that it has to.
    let none = format!("host=127.0.0.1 port={port} sslmode=disable");
    let refused = run(
        &database.place,
        "psql",
        &[
            "-X",
            &format!("user=ada dbname=postgres {none}"),
            "-c",
            "select 1",
        ],
    );
    assert!(
        refused.code != 0 && refused.stderr.contains("TLS is required"),
        "{}",
        refused.stderr
    );
}

#[test]
fn psql_without_tls_comes_through_to_a_database_with_it() {
    let port = crate::server::free_port();
    let database = Database::start(Some(port));
    let to = format!("localhost:{port}");
    let arguments = [
        "0",
        &to,
        "--tls",
        "originate",
        "--to-ca",
        "root.pem",
        "--to-starttls",
        "postgres",
    ];
    let tunnels = Tunnels::start(&database.place, &arguments);
    let own = tunnels.port(0);
    // psql asks for TLS first, and goes on without where there is none to be had.
    for mode in ["prefer", "disable"] {
        let way = format!("host=127.0.0.1 port={own} sslmode={mode}");
        assert_eq!(database.ask(&way), "200000|t\n");
    }
}
