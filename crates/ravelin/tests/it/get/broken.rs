//! Servers that stall, lie, and never end.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use super::{Scripted, answer, get, good};
use crate::server::Place;

/// A body that ends too soon is no short body.
#[test]
fn bodies_that_are_cut_off_are_failures() {
    let place = Place::new();
    for (answer, told) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            "cut off after 4 octets",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "cut off after 4 octets",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
            "cut off after 4 octets",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "gave no answer that can be read",
        ),
        ("SSH-2.0-OpenSSH\r\n", "gave no answer that can be read"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "gave no answer that can be read",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
            "is not gzip as it says",
        ),
        ("", "gave no answer that can be read"),
    ] {
        let server = Scripted::always(answer);
        get(&place, &[&server.url("/")]).expect(3, &[told]);
    }
}

#[test]
fn servers_that_stall_at_any_octet_are_left() {
    let place = Place::new();
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let places = [0, 1, 12, 30, 37, 38, 40];
    thread::spawn(move || {
        let mut kept = Vec::new();
        for end in places.into_iter().cycle() {
            let (mut stream, _) = listener.accept().unwrap();
            super::request(&mut stream);
            let _ = stream.write_all(&whole[..end]);
            kept.push(stream);
        }
    });
    let asking: Vec<_> = places
        .iter()
        .map(|_| {
            let (place, url) = (place.clone(), url.clone());
            thread::spawn(move || get(&place, &[&url, "--stall-timeout", "1s"]))
        })
        .collect();
    for asked in asking {
        asked
            .join()
            .unwrap()
            .expect(3, &["nothing came from or went to"]);
    }
    get(&place, &[&url, "--timeout", "1s"]).expect(3, &["took more than 1 seconds"]);
}

#[test]
fn heads_without_end_and_bodies_that_are_too_long_are_left() {
    let place = Place::new();
    let mut endless = b"HTTP/1.1 200 OK\r\n".to_vec();
    for number in 0..40_000 {
        endless.extend(format!("X-{number}: y\r\n").bytes());
    }
    let server = Scripted::always(endless);
    get(&place, &[&server.url("/")]).expect(3, &["gave no answer that can be read"]);
    let server = Scripted::always(good(&"x".repeat(2000)));
    get(&place, &[&server.url("/"), "--max-size", "1000"]).expect(3, &["more than 1000 octets"]);
}

/// 300 MB of zeros in a few KiB of zstd.
#[test]
fn what_grows_without_measure_is_not_decompressed_to_its_end() {
    let place = Place::new();
    let made = crate::foreign::run(
        &place,
        "sh",
        &[
            "-c",
            "head -c 300000000 /dev/zero | zstd -q -3 -c >bomb.zst",
        ],
    );
    made.well();
    let bomb = std::fs::read(place.path("bomb.zst")).unwrap();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let mut all = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    )
    .into_bytes();
    all.extend(bomb);
    let server = Scripted::always(all);
    let mut command = place.command(&["get", &server.url("/")]);
    let ended = command
        .stdout(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("while it is decompressed"), "{said}");
}

#[test]
fn redirects_end_and_lead_to_no_other_kind_of_place() {
    let place = Place::new();
    let to = |location: &str| {
        Scripted::always(answer(
            "302 Found",
            &format!("Location: {location}\r\n"),
            "",
        ))
    };
    get(
        &place,
        &[&to("/again").url("/"), "--redirects", "3", "--verbose"],
    )
    .expect(3, &["redirects more than 3 times", "> GET /again HTTP/1.1"]);
    for location in [
        "file:///etc/passwd",
        "ftp://a/",
        "javascript:alert(1)",
        "http://",
    ] {
        get(&place, &[&to(location).url("/")]).expect(3, &["where nobody can go"]);
    }
    let first = get(&place, &[&to("/x").url("/"), "--redirects", "0", "--head"]);
    assert!(first.stdout.contains("302 Found\n") && first.stdout.contains("location: /x\n"));
}

/// What is written to a full disk is not thought to be there.
#[test]
fn a_full_disk_is_told() {
    let place = Place::new();
    let server = Scripted::always(good(&"x".repeat(10_000)));
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = place.command(&["get", &server.url("/")]);
    let ended = command.stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(4));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        said.contains("cannot write to standard output: No space left on device"),
        "{said}"
    );
    // A device stays a device.
    get(&place, &[&server.url("/"), "--output", "/dev/full"])
        .expect(4, &["cannot write \"/dev/full\": No space left on device"]);
    assert!(!std::fs::metadata("/dev/full").unwrap().is_file());
    get(&place, &[&server.url("/"), "--output", "public"]).expect(2, &["is a folder"]);
}

#[test]
fn a_download_that_fills_the_disk_keeps_its_part_and_gets_no_name() {
    let place = Place::new();
    let body = "x".repeat(200_000);
    let server = Scripted::always(answer("200 OK", "ETag: \"v1\"\r\n", &body));
    let script = "mkdir small && mount -t tmpfs -o size=64k none small && cd small || exit 99
        \"$@\" 2>&1; code=$?; ls; exit $code";
    let program = env!("CARGO_BIN_EXE_ravelin");
    let url = server.url("/");
    let shell = ["--map-root-user", "--mount", "sh", "-c", script, "sh"];
    let command = [program, "get", &url, "--output", "file"];
    let seen = crate::foreign::run(&place, "unshare", &[&shell[..], &command].concat());
    assert_eq!(seen.code, 4, "{}", seen.text());
    for said in [
        "cannot write \"file.part\": No space left on device",
        "octets are in \"file.part\"",
        "\nfile.part\n",
    ] {
        assert!(seen.text().contains(said), "no {said:?} in {}", seen.text());
    }
    assert!(!seen.text().contains("\nfile\n"), "{}", seen.text());
}
