//! `ravelin cert show`: files that others wrote, servers, and files that are nothing of all that.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::Place;

/// A program text in the Python of `./test`, which has `cryptography`.
pub(crate) fn python(place: &Place, program: &str, arguments: &[&str]) -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python3");
    let mut command = Command::new(python);
    place.furnish(&mut command);
    run(command.args(["-c", program]).args(arguments))
}

/// Runs a program, which must do what it is asked, and gives what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("./test installs {command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{said}");
    text
}

/// A program with its arguments in one line; no argument has a space in it.
pub(crate) fn tool(place: &Place, line: &str) -> String {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    place.furnish(&mut command);
    run(command.args(words))
}

fn vectors() -> PathBuf {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/lib");
    std::fs::read_dir(&lib)
        .unwrap_or_else(|error| panic!("./test makes {}: {error}", lib.display()))
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .join("site-packages/cryptography_vectors")
        })
        .find(|path| path.exists())
        .unwrap()
}

#[test]
fn json_says_what_python_reads_in_all_certificates_of_its_vectors() {
    let place = Place::new();
    let files: Vec<PathBuf> = ["x509", "x509/custom"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(vectors().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "pem" || ending == "der")
        })
        .collect();
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    let mut arguments = vec!["cert", "show", "--json"];
    arguments.extend(&files);
    let shown = place.run(&arguments);
    place.write("shown.json", &shown.stdout);
    let compared = python(&place, COMPARE, &["shown.json"]);
    let compared: usize = compared.trim().parse().unwrap();
    assert!(compared >= 100, "{compared} certificates were compared");
}

#[test]
fn each_kind_of_file_is_known_without_being_told() {
    let place = Place::new();
    tool(
        &place,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=a.test -days 9",
    );
    tool(
        &place,
        "openssl req -new -key k.pem -subj /CN=a.test -out r.pem",
    );
    tool(&place, "openssl x509 -in c.pem -outform DER -out c.der");
    tool(&place, "openssl req -in r.pem -outform DER -out r.der");
    tool(&place, "openssl ec -in k.pem -outform DER -out sec1.der");
    tool(
        &place,
        "openssl pkcs8 -topk8 -in k.pem -nocrypt -outform DER -out pkcs8.der",
    );
    tool(
        &place,
        "openssl pkcs8 -topk8 -in k.pem -passout pass:secret -outform DER -out enc.der",
    );
    tool(
        &place,
        "openssl ec -in k.pem -aes128 -passout pass:secret -out traditional.pem",
    );
    tool(
        &place,
        "openssl pkey -in k.pem -pubout -outform DER -out pub.der",
    );
    tool(&place, "openssl genrsa -traditional -out rsa.pem 2048");
    tool(
        &place,
        "openssl rsa -in rsa.pem -traditional -outform DER -out pkcs1.der",
    );
    tool(
        &place,
        "openssl rsa -in rsa.pem -RSAPublicKey_out -outform DER -out rsapub.der",
    );
    tool(
        &place,
        "openssl crl2pkcs7 -nocrl -certfile c.pem -outform DER -out c.p7b",
    );
    tool(
        &place,
        "openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass:secret -out c.p12",
    );
    tool(
        &place,
        "keytool -importkeystore -srckeystore c.p12 -srcstorepass secret -destkeystore c.jks -deststoretype JKS -deststorepass secret -noprompt",
    );
    tool(&place, "openssl base64 -in c.der -out bare.txt");
    tool(&place, "openssl x509 -in c.pem -trustout -out trusted.pem");
    place.write("secret.txt", "secret\n");
    for (file, kind, says) in [
        ("c.pem", "certificate", "a.test"),
        ("c.der", "certificate", "a.test"),
        ("bare.txt", "certificate", "a.test"),
        ("trusted.pem", "certificate", "a.test"),
        ("r.pem", "request", "ECDSA P-256"),
        ("r.der", "request", "ECDSA P-256"),
        ("sec1.der", "private_key", "SEC1"),
        ("pkcs8.der", "private_key", "PKCS#8"),
        ("enc.der", "private_key", "ECDSA P-256"),
        ("traditional.pem", "private_key", "SEC1"),
        ("pub.der", "public_key", "ECDSA P-256"),
        ("pkcs1.der", "private_key", "RSA 2048"),
        ("rsapub.der", "public_key", "RSA 2048"),
        ("c.p7b", "pkcs7", "a.test"),
        ("c.p12", "keystore", "a.test"),
        ("c.jks", "keystore", "a.test"),
    ] {
        let json = [
            "cert",
            "show",
            "--json",
            "--passphrase-file",
            "secret.txt",
            file,
        ];
        let shown = place.run(&json);
        shown.expect(0, &[]);
        assert!(
            shown.stdout.contains(&format!("\"type\": \"{kind}\"")),
            "{file}: {shown:?}"
        );
        assert!(shown.stdout.contains(says), "{file}: {shown:?}");
        let page = place.run(&["cert", "show", "--passphrase-file", "secret.txt", file]);
        page.expect(0, &[]);
        assert!(
            !page.stdout.contains('\u{1b}'),
            "no colours in a pipe: {page:?}"
        );
        for secret in ["PRIVATE KEY-----", "secret\n"] {
            assert!(!page.stdout.contains(secret), "{file}: {page:?}");
        }
    }
}

#[test]
fn what_is_encrypted_stays_so_without_its_passphrase_and_says_so() {
    let place = Place::new();
    tool(
        &place,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:secret -keyout k.pem -out c.pem -subj /CN=a.test -days 9",
    );
    tool(
        &place,
        "openssl pkcs12 -export -in c.pem -inkey k.pem -passin pass:secret -passout pass:secret -out c.p12",
    );
    place.write("wrong.txt", "wrong\n");
    let both = std::fs::read_to_string(place.path("c.pem")).unwrap()
        + &std::fs::read_to_string(place.path("k.pem")).unwrap();
    place.write("both.pem", both);
    let shown = place.run(&["cert", "show", "both.pem"]);
    shown.expect(0, &[]);
    assert!(
        shown.stdout.contains("CN=a.test") && shown.stdout.contains("encrypted"),
        "{shown:?}"
    );
    for file in ["k.pem", "c.p12"] {
        place.run(&["cert", "show", file]).expect(
            2,
            &["a passphrase is needed", "hint: ", "--passphrase-file"],
        );
        let wrong = place.run(&["cert", "show", "--passphrase-file", "wrong.txt", file]);
        assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
        let said = wrong
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(said.contains("the passphrase of the"), "{wrong:?}");
    }
}

#[test]
fn what_is_nothing_of_ours_is_called_by_its_name() {
    let place = Place::new();
    let utf16: Vec<u8> = "-----BEGIN"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (file, bytes, says) in [
        ("empty", &b" \n"[..], "it is empty"),
        ("utf16", &[&[0xff, 0xfe][..], &utf16].concat(), "UTF-16"),
        ("utf16-without-mark", &utf16, "UTF-16"),
        ("page", b"<!DOCTYPE html><title>404", "a web page"),
        ("json", b"{\"certificate\": \"MIIB\"}", "JSON"),
        ("gzip", &[0x1f, 0x8b, 8, 0], "gzip"),
        ("ssh", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA ada", "SSH"),
        ("text", b"hello, world\n", "plain text"),
        ("cut", b"MIIBgzCCASmgAwIBAgIUZ", "base64 of a certificate"),
        (
            "noise",
            &[0x81, 0xa5, 0xff, 0, 1, 2],
            "begins with 81 a5 ff",
        ),
    ] {
        place.write(file, bytes);
        let path = format!("./{file}");
        place
            .run(&["cert", "show", &path])
            .expect(2, &["error: ", says]);
    }
    place
        .run(&["cert", "show", "missing.pem"])
        .expect(4, &["cannot read \"missing.pem\""]);
    place.run(&["cert", "show"]).expect(2, &[]);
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let place = Place::new();
    tool(
        &place,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=a.test -days 9",
    );
    let shown = place.run(&["cert", "show", "missing.pem", "c.pem"]);
    shown.expect(4, &["missing.pem"]);
    assert!(shown.stdout.contains("CN=a.test"), "{shown:?}");
    let pem = std::fs::read_to_string(place.path("c.pem")).unwrap();
    place.write("half.pem", format!("{pem}{}", &pem[..200]));
    let shown = place.run(&["cert", "show", "half.pem"]);
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert!(
        shown.stdout.contains("CN=a.test") && shown.stdout.contains("damaged"),
        "{shown:?}"
    );
}

#[test]
fn thousands_of_certificates_and_a_megabyte_of_names_take_no_time() {
    let place = Place::new();
    tool(
        &place,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=a.test -days 9",
    );
    let mut config = "[req]\ndistinguished_name=d\nx509_extensions=e\n[d]\n[e]\n\
         subjectAltName=@n\n[n]\n"
        .to_owned();
    for number in 0..40_000 {
        config += &[
            "DNS.",
            &number.to_string(),
            "=",
            &format!("host-{number:020}.test\n"),
        ]
        .concat();
    }
    place.write("big.conf", config);
    tool(
        &place,
        "openssl req -x509 -new -key k.pem -config big.conf -subj /CN=big -days 9 -out big.pem",
    );
    let shown = place.run(&["cert", "show", "big.pem"]);
    shown.expect(0, &[]);
    assert!(shown.stdout.contains("and 39,976 more"), "{}", shown.stdout);
    assert!(shown.stdout.len() < 4000, "{}", shown.stdout.len());
    let all = place.run(&["cert", "show", "--all", "big.pem"]);
    assert!(all.stdout.contains("host-00000000000000039999.test"));
    // Five thousand times the same name: what would cost a signature for each pair of them.
    let pem = std::fs::read_to_string(place.path("c.pem")).unwrap();
    place.write("many.pem", pem.repeat(5000));
    let shown = place.run(&["cert", "show", "many.pem"]);
    shown.expect(0, &[]);
    assert!(shown.stdout.contains("and 4,800 more"), "{}", shown.stdout);
    let json = place.run(&["cert", "show", "--json", "many.pem"]);
    assert_eq!(
        json.stdout.matches("\"type\": \"certificate\"").count(),
        5000
    );
}

#[test]
fn a_server_shows_its_chain_however_it_is_named() {
    let place = Place::new();
    let server = place.serve(&["--host", "localhost", "--host", "127.0.0.1"]);
    let port = server.port();
    for name in ["localhost", "127.0.0.1", "https://localhost"] {
        let shown = place.run(&["cert", "show", &format!("{name}:{port}")]);
        shown.expect(0, &[]);
        for says in [
            "TLS 1.3, TLS13_AES_128_GCM_SHA256",
            "X25519MLKEM768",
            "sent as number 2",
            "not here",
            "no OCSP response",
        ] {
            assert!(shown.stdout.contains(says), "{says}: {}", shown.stdout);
        }
    }
    let target = format!("127.0.0.1:{port}");
    let json = place.run(&["cert", "show", "--json", &target]);
    place.write("shown.json", &json.stdout);
    let facts = python(
        &place,
        "import json,sys; s=json.load(open('shown.json'))['sources'][0]; c=s['connection']; \
         print(c['version'], c['holds_key'], len(s['items']), s['items'][0]['signed_by']==s['items'][1]['sha256'])",
        &[],
    );
    assert_eq!(facts.trim(), "TLS 1.3 True 2 True");
    let pem = place.run(&["cert", "show", "--pem", &target]);
    place.write("chain.pem", &pem.stdout);
    let judged = tool(
        &place,
        &format!(
            "openssl verify -CAfile {} -untrusted chain.pem chain.pem",
            place.root().display()
        ),
    );
    assert!(judged.contains("OK"), "{judged}");
}

#[test]
fn what_is_no_server_of_tls_is_a_failure_of_the_network() {
    let place = Place::new();
    let closed = crate::server::free_port();
    place
        .run(&["cert", "show", &format!("127.0.0.1:{closed}")])
        .expect(3, &["cannot connect to", "Connection refused"]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    place
        .run(&["cert", "show", &format!("127.0.0.1:{port}")])
        .expect(3, &["does not speak TLS", "hint: "]);
    answering.join().unwrap();
    place
        .run(&["cert", "show", "http://localhost"])
        .expect(4, &["no file", "hint: "]);
}

#[test]
fn what_cannot_be_read_has_its_error_beside_it_in_json() {
    let place = Place::new();
    crate::certificates::make(&place, &["a.test"]);
    place.write("none.pem", "nothing");
    let shown = place.run(&[
        "cert",
        "show",
        "--json",
        "a.test.pem",
        "gone.pem",
        "none.pem",
    ]);
    // What is said to people, and the exit code, are those of the same without --json.
    let page = place.run(&["cert", "show", "a.test.pem", "gone.pem", "none.pem"]);
    assert_eq!(shown.status.code(), page.status.code());
    assert_eq!(shown.stderr, page.stderr);
    assert_ne!(shown.status.code(), Some(0));
    let facts: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let [good, gone, none] = facts["sources"].as_array().unwrap().as_slice() else {
        panic!("{facts}");
    };
    assert_eq!(good["items"].as_array().unwrap().len(), 2);
    assert!(good.get("error").is_none());
    for (unread, name) in [(gone, "gone.pem"), (none, "none.pem")] {
        assert_eq!(unread["source"], name);
        assert_eq!(unread["items"], serde_json::json!([]));
        let error = unread["error"].as_str().unwrap();
        assert!(
            shown.stderr.contains(&format!("error: {error}\n")),
            "{error}"
        );
    }
    // Where nothing can be read, that is said in JSON too.
    let shown = place.run(&["cert", "show", "--json", "gone.pem"]);
    shown.expect(4, &["error: cannot read \"gone.pem\""]);
    let facts: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(facts["sources"][0]["source"], "gone.pem");
}

/// Reads each certificate with `cryptography`, where that reads it, and compares what it says.
const COMPARE: &str = r#"
import json, sys, warnings, hashlib, base64
warnings.simplefilter("ignore")
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
compared = 0
for source in json.load(open(sys.argv[1]))["sources"]:
    data = open(source["source"], "rb").read()
    shown = [item for item in source["items"] if item["type"] == "certificate"]
    try:
        if source["source"].endswith(".der"):
            read = [x509.load_der_x509_certificate(data)]
        else:
            read = x509.load_pem_x509_certificates(data)
        for certificate in read:
            certificate.version, certificate.extensions, certificate.subject
    except Exception:
        continue
    by_hash = {item["sha256"]: item for item in shown}
    for certificate in read:
        der = certificate.public_bytes(serialization.Encoding.DER)
        item = by_hash.get(hashlib.sha256(der).hexdigest())
        if item is None:
            # What is stricter here says why.
            assert any(i["type"] == "damaged" and i["why"] for i in source["items"]), source["source"]
            continue
        where = source["source"]
        assert item["sha1"] == hashlib.sha1(der).hexdigest(), where
        if certificate.serial_number > 0:
            assert int(item["serial"], 16) == certificate.serial_number, where
        stamp = lambda t: t.strftime("%04d-%%m-%%dT%%H:%%M:%%SZ" % t.year)
        assert item["not_before"] == stamp(certificate.not_valid_before_utc), where
        assert item["not_after"] == stamp(certificate.not_valid_after_utc), where
        attributes = [a.value for a in certificate.subject]
        ours = [a["value"] for a in item["subject"]["attributes"]]
        assert len(ours) == len(attributes), where
        for mine, theirs in zip(ours, attributes):
            assert isinstance(theirs, bytes) or mine == theirs, (where, mine, theirs)
        try:
            key = certificate.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        except Exception:
            key = None
        pin = base64.b64encode(hashlib.sha256(key).digest()).decode() if key else None
        # Python writes keys anew: those in unusual forms come out in the usual one.
        if key and key in der:
            assert item["key"]["pin_sha256"] == pin, where
        extensions = certificate.extensions
        assert [e["oid"] for e in item["extensions"]] == [e.oid.dotted_string for e in extensions], where
        assert [e["critical"] for e in item["extensions"]] == [e.critical for e in extensions], where
        def value(kind):
            try:
                return extensions.get_extension_for_class(kind).value
            except x509.ExtensionNotFound:
                return None
        names = value(x509.SubjectAlternativeName)
        kinds = {"DNS name": x509.DNSName, "email address": x509.RFC822Name, "URI": x509.UniformResourceIdentifier}
        for kind, of in kinds.items():
            ours = [n["value"] for n in item["names"] if n["kind"] == kind]
            assert ours == (list(names.get_values_for_type(of)) if names else []), where
        basic = value(x509.BasicConstraints)
        assert item["ca"] == bool(basic and basic.ca), where
        assert item["path_length"] == (basic.path_length if basic else None), where
        purposes = value(x509.ExtendedKeyUsage)
        assert (item["extended_key_usage"] is None) == (purposes is None), where
        if purposes:
            assert len(item["extended_key_usage"]) == len(list(purposes)), where
        usage = value(x509.KeyUsage)
        assert (item["key_usage"] is None) == (usage is None), where
        if usage:
            assert ("digitalSignature" in item["key_usage"]) == usage.digital_signature, where
            assert ("keyCertSign" in item["key_usage"]) == usage.key_cert_sign, where
            assert ("cRLSign" in item["key_usage"]) == usage.crl_sign, where
        scts = value(x509.PrecertificateSignedCertificateTimestamps)
        assert [s["log"] for s in item["scts"]] == [s.log_id.hex() for s in scts or []], where
        compared += 1
print(compared)
"#;

#[test]
fn international_names_are_shown_in_both_forms_where_that_misleads_nobody() {
    let place = Place::new();
    // The second is Cyrillic and looks Latin.
    let names = ["bücher.localhost", "xn--80ak6aa92e.localhost"];
    place
        .run(&["cert", "new", names[0], names[1]])
        .expect(0, &[]);
    let shown = place.run(&["cert", "show", "xn--bcher-kva.localhost.pem"]);
    let row = "names       xn--bcher-kva.localhost (bücher.localhost),\n              \
               xn--80ak6aa92e.localhost\n";
    assert!(shown.stdout.contains(row), "{}", shown.stdout);
    let host = ["--host", "bücher.localhost"];
    let verify = ["cert", "verify", "xn--bcher-kva.localhost.pem"];
    let verified = place.run(&[&verify[..], &host].concat());
    for line in [
        "good for xn--bcher-kva.localhost (bücher.localhost), until",
        "path         xn--bcher-kva.localhost (bücher.localhost), until",
    ] {
        assert!(verified.stdout.contains(line), "{}", verified.stdout);
    }
}
