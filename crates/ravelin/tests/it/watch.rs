//! `ravelin cert watch`: dates as openssl gives them, all formats, servers that answer and that do not.

use std::net::TcpListener;
use std::path::Path;

use crate::server::{Place, free_port};
use crate::show::{python, tool};

/// Makes `NAME.pem` and `NAME.key` for `NAME.test`, with openssl.
fn certificate(place: &Place, name: &str, days: u32) {
    tool(
        place,
        &format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key \
             -out {name}.pem -subj /CN={name}.test -days {days}"
        ),
    );
}

/// What Python says of the JSON that a command printed: `value` holds it.
fn of_json(place: &Place, json: &str, expression: &str) -> String {
    place.write("watched.json", json);
    let program =
        format!("import json\nvalue = json.load(open('watched.json'))\nprint({expression})");
    python(place, &program, &[]).trim().to_owned()
}

#[test]
fn what_ends_first_is_at_the_top_and_ends_when_openssl_says() {
    let place = Place::new();
    for (name, days) in [("long", 400), ("short", 9), ("middle", 90)] {
        certificate(&place, name, days);
    }
    let shown = place.run(&["cert", "watch", "long.pem", "short.pem", "middle.pem"]);
    shown.expect(0, &[]);
    let names: Vec<&str> = shown
        .stdout
        .lines()
        .skip(1)
        .take(3)
        .filter_map(|line| {
            line.split_whitespace()
                .find(|word| word.rsplit('.').next() == Some("test"))
        })
        .collect();
    assert_eq!(
        names,
        ["short.test", "middle.test", "long.test"],
        "{shown:?}"
    );
    let end = tool(
        &place,
        "openssl x509 -in short.pem -noout -enddate -dateopt iso_8601",
    );
    let end = end.trim().trim_start_matches("notAfter=").replace(' ', "T");
    let json = place.run(&["cert", "watch", "--json", "long.pem", "short.pem"]);
    let first = of_json(
        &place,
        &json.stdout,
        "value['certificates'][0]['not_after']",
    );
    assert_eq!(first, end);
}

#[test]
fn the_exit_code_tells_what_is_due_from_what_cannot_be_read() {
    let place = Place::new();
    certificate(&place, "a", 9);
    place.write(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n",
    );
    let closed = format!("127.0.0.1:{}", free_port());
    let code = |arguments: &[&str]| {
        let ended = place.run(&[&["cert", "watch"], arguments].concat());
        ended.status.code().unwrap()
    };
    // A third of nine days is three.
    assert_eq!(code(&["a.pem"]), 0);
    assert_eq!(code(&["a.pem", "--within", "8d"]), 0);
    assert_eq!(code(&["a.pem", "--within", "10d"]), 1);
    assert_eq!(code(&["a.pem", &closed]), 3);
    assert_eq!(code(&["a.pem", &closed, "--within", "10d"]), 3);
    for unread in ["missing.pem", "broken.pem", "a.key", "user"] {
        assert_eq!(code(&["a.pem", unread]), 4, "{unread}");
    }
    assert_eq!(
        code(&["missing.pem", &closed, "a.pem", "--within", "10d"]),
        4
    );
    assert_eq!(code(&["http://a.test", "a.pem"]), 4);
    assert_eq!(code(&["--within", "soon", "a.pem"]), 2);
    let ended = place.run(&["cert", "watch", "a.pem", "missing.pem"]);
    ended.expect(4, &["missing.pem"]);
    assert!(ended.stdout.contains("a.test"), "{ended:?}");
}

#[test]
fn what_is_expired_or_not_valid_yet_has_to_be_looked_at() {
    let place = Place::new();
    python(&place, OUTSIDE_ITS_TIME, &[]);
    for (file, said) in [("past.pem", "ago"), ("future.pem", "not valid before")] {
        let ended = place.run(&["cert", "watch", file]);
        ended.expect(1, &[]);
        assert!(ended.stdout.contains(said), "{ended:?}");
    }
}

#[test]
fn every_format_is_watched_that_takes_no_passphrase() {
    let place = Place::new();
    certificate(&place, "a", 90);
    std::fs::create_dir(place.path("in")).unwrap();
    for line in [
        "openssl x509 -in a.pem -outform DER -out in/a.der",
        "openssl crl2pkcs7 -nocrl -certfile a.pem -out in/a.p7b",
        "openssl pkcs12 -export -nokeys -in a.pem -passout pass: -out in/empty.p12",
        "openssl pkcs12 -export -inkey a.key -in a.pem -passout pass:changeit -out in/java.p12",
        "openssl pkcs12 -export -inkey a.key -in a.pem -passout pass:secret -out locked.p12",
        "keytool -importcert -noprompt -alias a -file a.pem -keystore in/a.jks -storetype JKS -storepass changeit",
    ] {
        tool(&place, line);
    }
    std::fs::copy(place.path("a.pem"), place.path("in/a.pem")).unwrap();
    // Folders hold other things as well.
    std::fs::copy(place.path("a.key"), place.path("in/a.key")).unwrap();
    place.write("in/README", "Certificates are kept here.\n");
    place.write("in/nothing", "");
    let json = place.run(&["cert", "watch", "in", "--json"]);
    json.expect(0, &[]);
    let sources = of_json(
        &place,
        &json.stdout,
        "' '.join(sorted(one['source'] for one in value['certificates']))",
    );
    assert_eq!(
        sources,
        "in/a.der in/a.jks in/a.p7b in/a.pem in/empty.p12 in/java.p12"
    );
    let one = of_json(
        &place,
        &json.stdout,
        "len(set(one['sha256'] for one in value['certificates']))",
    );
    assert_eq!(one, "1");

    std::fs::copy(place.path("locked.p12"), place.path("in/locked.p12")).unwrap();
    place
        .run(&["cert", "watch", "in"])
        .expect(0, &["in/locked.p12", "passphrase"]);
    // What was named itself is not passed over as if all were well.
    place
        .run(&["cert", "watch", "locked.p12"])
        .expect(4, &["locked.p12", "passphrase"]);
}

#[test]
fn folders_are_read_once_whatever_links_and_pipes_are_in_them() {
    let place = Place::new();
    for name in ["a", "b"] {
        certificate(&place, name, 90);
    }
    for folder in ["in/below", "elsewhere"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
    }
    std::fs::rename(place.path("a.pem"), place.path("in/a.pem")).unwrap();
    std::fs::copy(place.path("b.pem"), place.path("in/below/b.pem")).unwrap();
    std::fs::rename(place.path("b.pem"), place.path("elsewhere/b.pem")).unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, place.path(name)).unwrap();
    link("a.pem", "in/0123abcd.0");
    link("..", "in/up");
    link("../elsewhere/b.pem", "in/linked.pem");
    tool(&place, "mkfifo in/pipe");
    let sources = |arguments: &[&str]| {
        let json = place.run(&[&["cert", "watch", "--json"], arguments].concat());
        json.expect(0, &[]);
        let sources = "' '.join(sorted(one['source'] for one in value['certificates']))";
        of_json(&place, &json.stdout, sources)
    };
    assert_eq!(sources(&["in"]), "in/0123abcd.0 in/linked.pem");
    assert_eq!(
        sources(&["in", "--recursive"]),
        "in/0123abcd.0 in/below/b.pem in/linked.pem"
    );
    // Named, and in a folder that is named.
    assert_eq!(
        sources(&["in/0123abcd.0", "in", "in"]),
        "in/0123abcd.0 in/linked.pem"
    );
}

#[test]
fn servers_show_their_whole_chain_in_the_same_order_each_time() {
    let place = Place::new();
    let server = place.serve(&[]);
    let here = format!("localhost:{}", server.port());
    let closed = format!("127.0.0.1:{}", free_port());
    let garbage = TcpListener::bind("127.0.0.1:0").unwrap();
    let deaf = garbage.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in garbage.incoming() {
            let _ = std::io::Write::write_all(&mut stream.unwrap(), b"220 mail.test ESMTP\r\n");
        }
    });
    let mut before = None;
    for _ in 0..3 {
        let arguments = ["cert", "watch", "--json", &closed, &here, &deaf];
        let json = place.run(&arguments);
        json.expect(3, &[&closed, &deaf]);
        let seen = of_json(
            &place,
            &json.stdout,
            "[(one['source'], one['name'], one['position'], one['ends_first']) \
             for one in value['certificates']], [one['source'] for one in value['unread']]",
        );
        assert_eq!(*before.get_or_insert(seen.clone()), seen);
    }
    let seen = before.unwrap();
    assert!(
        seen.starts_with(&format!("[('{here}', 'localhost', 1, True), ('{here}', '")),
        "{seen}"
    );
    assert!(
        seen.ends_with(&format!("] ['{closed}', '{deaf}']")),
        "{seen}"
    );
    place
        .run(&["cert", "watch", &here, "--within", "91d"])
        .expect(1, &[]);
}

#[test]
fn prometheus_reads_the_metrics_and_they_are_openssl_s_dates() {
    let place = Place::new();
    certificate(&place, "a", 90);
    certificate(&place, "b", 9);
    let both = ["a.pem", "b.pem", "a.pem"].map(|name| std::fs::read(place.path(name)).unwrap());
    // All that has to be escaped in a label, and the same certificate twice in one file.
    place.write("chain \"of\\\n two.pem", both.concat());
    let metrics = place.run(&[
        "cert",
        "watch",
        "--prometheus",
        "chain \"of\\\n two.pem",
        "missing.pem",
    ]);
    metrics.expect(4, &["missing.pem"]);
    place.write("metrics", &metrics.stdout);
    let values = python(&place, METRICS, &["metrics"]);
    let end = |name: &str| {
        let program = "import sys\nfrom cryptography import x509\n\
            file = open(sys.argv[1], 'rb').read()\n\
            print(int(x509.load_pem_x509_certificate(file).not_valid_after_utc.timestamp()))";
        python(&place, program, &[name]).trim().to_owned()
    };
    let (a, b) = (end("a.pem"), end("b.pem"));
    assert_eq!(
        values.lines().collect::<Vec<_>>(),
        [
            format!("a.test 1 {a}"),
            format!("b.test 2 {b}"),
            format!("a.test 3 {a}"),
            "readable 1".to_owned(),
            "missing.pem 0".to_owned(),
        ]
    );
}

#[test]
fn nothing_of_a_certificate_or_a_file_s_name_moves_the_cursor() {
    let place = Place::new();
    python(&place, HOSTILE, &[]);
    std::fs::create_dir(place.path("in")).unwrap();
    std::fs::rename(
        place.path("hostile.pem"),
        place.path("in/\u{1b}[2J\u{202e}\n.pem"),
    )
    .unwrap();
    place.write("in/\u{1b}[1A.p12", "-----BEGIN CERTIFICATE-----\n");
    for form in [&[][..], &["--json"], &["--prometheus"]] {
        let ended = place.run(&[&["cert", "watch", "in"], form].concat());
        for text in [&ended.stdout, &ended.stderr] {
            let shown = |character: char| {
                character == '\n' || !ravelin_pki::distinguished_name::unprintable(character)
            };
            assert!(text.chars().all(shown), "{text:?}");
        }
        assert!(ended.stdout.contains("[2J"), "{ended:?}");
    }
}

#[test]
fn the_system_s_roots_are_all_read() {
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    assert!(
        Path::new(bundle).exists(),
        "./test installs ca-certificates"
    );
    let place = Place::new();
    let json = place.run(&["cert", "watch", "--json", bundle]);
    let count = of_json(&place, &json.stdout, "len(value['certificates'])");
    let text = std::fs::read_to_string(bundle).unwrap();
    assert_eq!(count, text.matches("BEGIN CERTIFICATE").count().to_string());
}

const OUTSIDE_ITS_TIME: &str = r"
from datetime import datetime, timedelta, timezone
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'a.test')])
now = datetime.now(timezone.utc)
for file, start, end in [('past.pem', -90, -3), ('future.pem', 3, 93)]:
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=start)).not_valid_after(now + timedelta(days=end))
        .sign(key, hashes.SHA256()))
    open(file, 'wb').write(certificate.public_bytes(serialization.Encoding.PEM))
";

const HOSTILE: &str = r"
from datetime import datetime, timedelta, timezone
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
text = 'a\x1b[2J\r\n\u202e\x9b1A\x07'
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
now = datetime.now(timezone.utc)
certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
    .public_key(key.public_key()).serial_number(x509.random_serial_number())
    .not_valid_before(now).not_valid_after(now + timedelta(days=90))
    .sign(key, hashes.SHA256()))
open('hostile.pem', 'wb').write(certificate.public_bytes(serialization.Encoding.PEM))
";

const METRICS: &str = r#"
import sys
from prometheus_client.parser import text_string_to_metric_families
families = {f.name: f for f in text_string_to_metric_families(open(sys.argv[1]).read())}
samples = [s for f in families.values() for s in f.samples]
assert len({(s.name, tuple(sorted(s.labels.items()))) for s in samples}) == len(samples)
assert all(f.type == "gauge" and f.documentation for f in families.values())
ends = families["ravelin_certificate_not_after_seconds"].samples
for s in sorted(ends, key=lambda s: s.labels["position"]):
    assert "of\\" in s.labels["source"], s.labels
    print(s.labels["name"], s.labels["position"], int(s.value))
for s in families["ravelin_certificate_source_readable"].samples:
    print("readable" if '"of' in s.labels["source"] else s.labels["source"], int(s.value))
due = families["ravelin_certificate_due_seconds"].samples
assert all(e.value > d.value > 0 for e, d in zip(ends, due))
"#;
