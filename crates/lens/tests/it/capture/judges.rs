//! Captures that are written here, and streams that are taken out of them, with tshark as judge.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ravelin_lens::capture::write::{Recorded, Said, write};
use ravelin_lens::keylog::KeyLog;
use ravelin_lens::knowledge::Knowledge as _;
use ravelin_lens::ledger::Side::{self, Client, Server};
use ravelin_lens::server_key::ServerKey;

use super::packets::{ACK, Ear, Heard, SYN, Segment, ethernet, fragments4, pcap};

/// What tshark says.
fn tshark(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(arguments)
        .output()
        .expect("tshark runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// What tshark takes each side of a stream to say: the client's first.
fn followed(file: &Path, stream: usize) -> [Vec<u8>; 2] {
    let text = tshark(file, &["-q", "-z", &format!("follow,tcp,raw,{stream}")]);
    let mut sides = [Vec::new(), Vec::new()];
    for line in text.lines() {
        let digits = line.trim_start();
        if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            let side = usize::from(line.starts_with('\t'));
            sides[side].extend(crate::rfc8448::octets(digits).iter());
        }
    }
    sides
}

/// Octets that look like chance, and are the same each time.
fn noise(seed: u64, octets: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    };
    (0..octets).map(|_| next()).collect()
}

/// Two segments are swapped, one comes twice, one is cut in another way when it comes again.
fn untidy(port: u16) -> Vec<Vec<u8>> {
    let octets = noise(u64::from(port), 3000);
    let isn = u32::MAX - 1000;
    let mut segments = vec![
        Segment::new(Client, isn, 0, SYN, b""),
        Segment::new(Server, 7, isn.wrapping_add(1), SYN | ACK, b""),
    ];
    let at = |start: usize, end: usize| {
        let sequence = isn.wrapping_add(1 + start as u32);
        Segment::new(Client, sequence, 8, ACK, &octets[start..end])
    };
    for (start, end) in [
        (0, 500),
        (1000, 1500),
        (500, 1000),
        (1000, 1500),
        (1400, 1700),
        (2000, 3000),
        (1600, 2100),
    ] {
        segments.push(at(start, end));
    }
    let acknowledged = isn.wrapping_add(3001);
    segments.push(Segment::new(Server, 8, acknowledged, ACK, &octets[..700]));
    let packets = segments.iter();
    packets
        .map(|segment| ethernet(0x0800, &segment.ipv4_from(port)))
        .collect()
}

#[test]
fn streams_are_those_of_tshark_where_segments_come_in_disorder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("untidy.pcap");
    let packets: Vec<_> = (5000..5004).flat_map(untidy).collect();
    let file = pcap(1, &packets);
    fs::write(&path, &file).expect("written");
    let (ear, result) = Ear::hear(&file);
    result.expect("a good file");
    assert_eq!(ear.streams.len(), 4);
    for (number, heard) in ear.streams.values().enumerate() {
        assert_eq!(heard.octets[0].len(), 3000);
        assert_eq!(heard.octets, followed(&path, number));
    }
}

#[test]
fn fragments_are_put_together_as_tshark_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("fragments.pcap");
    let said = noise(5, 9000);
    let packets = |port: u16| {
        [
            Segment::new(Client, 0, 0, SYN, b""),
            Segment::new(Server, 0, 1, SYN | ACK, b""),
            Segment::new(Client, 1, 1, ACK, &said[..6000]),
            Segment::new(Client, 6001, 1, ACK, &said[6000..]),
        ]
        .map(|segment| segment.ipv4_from(port))
    };
    // What two packets carry comes mixed up, and the end of each first.
    let mixed = |port: u16| {
        let [syn, answer, first, second] = packets(port);
        let mut fragments = fragments4(&first, port, 1480);
        fragments.extend(fragments4(&second, port + 1, 1480));
        fragments.reverse();
        fragments.swap(1, 5);
        [vec![syn, answer], fragments].concat()
    };
    let all: Vec<_> = [mixed(5000), mixed(6000)].concat();
    let file = pcap(101, &all);
    fs::write(&path, &file).expect("written");
    let (ear, result) = Ear::hear(&file);
    assert_eq!(result.expect("a good file").fragments, 16);
    for (number, heard) in ear.streams.values().enumerate() {
        assert!(heard.octets[0] == said);
        assert_eq!(heard.octets, followed(&path, number));
    }
}

#[test]
fn what_is_written_is_read_again_and_tshark_finds_nothing_wrong_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("written.pcapng");
    let [request, answer] = [noise(1, 5001), noise(2, 100_000)];
    let begin = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    let said = |side, milliseconds, octets| Said {
        side,
        at: begin + Duration::from_millis(milliseconds),
        octets,
        missing: 0,
    };
    let said = vec![
        said(Client, 0, &request[..]),
        said(Server, 5, &answer),
        said(Client, 9, b""),
        said(Client, 10, b"bye"),
    ];
    let ends = [
        ("192.0.2.1:40000", "198.51.100.7:443"),
        ("[2001:db8::1]:40000", "[2001:db8::2]:443"),
        ("192.0.2.1:40000", "[2001:db8::2]:8443"),
    ];
    let recorded = ends.map(|(client, server)| Recorded {
        client: client.parse().expect("an address"),
        server: server.parse().expect("an address"),
        said: said.clone(),
        key_log: b"",
    });
    let mut file = Vec::new();
    write(&mut file, &recorded).expect("written");
    fs::write(&path, &file).expect("written");
    let (ear, result) = Ear::hear(&file);
    result.expect("a good file");
    for (number, heard) in ear.streams.values().enumerate() {
        let opening = heard.opening.expect("it was opened");
        assert_eq!(opening.server.port(), recorded[number].server.port());
        assert_eq!(opening.at, begin);
        assert_eq!(heard.octets[0], [&request[..], b"bye"].concat());
        assert_eq!(heard.octets[1], answer);
        assert_eq!(heard.ended, [Some(false); 2]);
        assert_eq!(heard.octets, followed(&path, number));
    }
    let wrong = "tcp.analysis.flags || _ws.malformed || tcp.checksum.status != 1 \
                 || (ip && ip.checksum.status != 1)";
    let checks = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
    ];
    assert_eq!(tshark(&path, &[&checks[..], &["-Y", wrong]].concat()), "");
    let all = tshark(&path, &["-T", "fields", "-e", "frame.time_epoch"]);
    assert_eq!(all.lines().next(), Some("1700000000.123456789"));
}

#[test]
fn what_is_missing_is_missing_for_wireshark_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("holes.pcapng");
    let said = |side, octets, missing| Said {
        side,
        at: UNIX_EPOCH + Duration::from_secs(9),
        octets,
        missing,
    };
    let recorded = Recorded {
        client: ([192, 0, 2, 1], 40_000).into(),
        server: ([192, 0, 2, 2], 443).into(),
        said: vec![
            said(Client, b"begin", 0),
            said(Server, b"answer", 0),
            said(Client, b"end", 1000),
        ],
        key_log: b"",
    };
    let mut file = Vec::new();
    write(&mut file, &[recorded]).expect("written");
    fs::write(&path, &file).expect("written");
    let heard = Ear::only(&file);
    assert_eq!(heard.lost[0], [(5, 1000)]);
    assert_eq!(heard.octets[0], b"beginend");
    let lost = tshark(&path, &["-Y", "tcp.analysis.lost_segment && tcp.len == 3"]);
    assert_eq!(lost.lines().count(), 1, "{lost}");
}

type Record = Arc<Mutex<Vec<(Side, SystemTime, Vec<u8>)>>>;

/// Stands between a client and a server, and writes down what they say.
fn relay(listener: &TcpListener, server: &str) -> Record {
    let record = Record::default();
    let (client, _) = listener.accept().expect("a client");
    let server = TcpStream::connect(server).expect("a server");
    let pipe = |side, mut from: TcpStream, mut to: TcpStream| {
        let record = Arc::clone(&record);
        thread::spawn(move || {
            let mut octets = vec![0; 1 << 16];
            while let Ok(read @ 1..) = from.read(&mut octets) {
                let said = (side, SystemTime::now(), octets[..read].to_vec());
                record.lock().expect("nobody panicked").push(said);
                if to.write_all(&octets[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        })
    };
    let copy = |stream: &TcpStream| stream.try_clone().expect("a copy");
    let pipes = [
        pipe(Client, copy(&client), copy(&server)),
        pipe(Server, server, client),
    ];
    for pipe in pipes {
        pipe.join().expect("it ended");
    }
    record
}

/// A web page over TLS by OpenSSL, as it was said, and the key log.
fn openssl(folder: &Path, version: &str) -> (Record, Vec<u8>) {
    let [key, certificate, log] = ["key", "certificate", "log"].map(|name| folder.join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl runs").success());
    let mut server = Command::new("openssl")
        .args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-www",
            version,
            "-key",
        ])
        .arg(&key)
        .arg("-cert")
        .arg(&certificate)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl runs");
    let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
    let address = lines.find_map(|line| {
        let line = line.expect("a line");
        line.strip_prefix("ACCEPT ").map(str::to_owned)
    });
    let address = address.expect("it says where it listens");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let relay_address = listener.local_addr().expect("an address").to_string();
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-connect",
            &relay_address,
            version,
            "-keylogfile",
        ])
        .arg(&log)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl runs");
    let mut stdin = client.stdin.take().expect("its input");
    stdin
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .expect("it listens");
    let record = relay(&listener, &address);
    let _ = client.wait_with_output();
    server.kill().expect("it ran");
    server.wait().expect("it ended");
    (record, fs::read(log).expect("a key log"))
}

#[test]
fn wireshark_opens_what_is_written_decrypted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tls.pcapng");
    let mut all = Vec::new();
    for version in ["-tls1_2", "-tls1_3"] {
        let (record, log) = openssl(folder.path(), version);
        let record = std::mem::take(&mut *record.lock().expect("nobody panicked"));
        all.push((record, log));
        fs::remove_file(folder.path().join("log")).expect("it was there");
    }
    let recorded = all.iter().enumerate().map(|(number, (record, log))| {
        let said = record.iter().map(|(side, at, octets)| Said {
            side: *side,
            at: *at,
            octets,
            missing: 0,
        });
        Recorded {
            client: ([127, 0, 0, 1], 40_000 + number as u16).into(),
            server: ([127, 0, 0, 1], 443).into(),
            said: said.collect(),
            key_log: log,
        }
    });
    let recorded: Vec<_> = recorded.collect();
    let mut file = Vec::new();
    write(&mut file, &recorded).expect("written");
    fs::write(&path, &file).expect("written");
    let fields = [
        "-T",
        "fields",
        "-e",
        "tcp.stream",
        "-e",
        "http.request.method",
    ];
    let decrypted = tshark(&path, &[&["-Y", "http.request"], &fields[..]].concat());
    assert_eq!(decrypted, "0\tGET\n1\tGET\n");
    // The same file tells its secrets here.
    let (ear, result) = Ear::hear(&file);
    result.expect("a good file");
    let keys = KeyLog::of(&ear.secrets);
    assert_eq!(keys.bad_lines(), []);
    let heard: Vec<&Heard> = ear.streams.values().collect();
    for (heard, label) in heard
        .iter()
        .zip(["CLIENT_RANDOM", "SERVER_TRAFFIC_SECRET_0"])
    {
        // Behind the headers of record and message and the version.
        let random = heard.octets[0][11..43].try_into().expect("32 octets");
        assert!(keys.logged(&random, label).is_some(), "{label}");
    }
}

#[test]
fn a_server_key_opens_what_openssl_encrypts_to_it_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let [key, clear, sealed] = ["key", "clear", "sealed"].map(|name| folder.path().join(name));
    let run = |arguments: &[&str]| {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("openssl runs");
        assert!(output.status.success(), "{output:?}");
    };
    run(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        "key",
    ]);
    let server = ServerKey::from_pem(&fs::read(&key).expect("a key")).expect("an RSA key");
    for (octets, opens) in [(48, true), (47, false)] {
        let premaster = noise(3, octets);
        fs::write(&clear, &premaster).expect("written");
        let arguments = [
            "pkeyutl", "-encrypt", "-inkey", "key", "-in", "clear", "-out", "sealed",
        ];
        run(&[&arguments[..], &["-pkeyopt", "rsa_padding_mode:pkcs1"]].concat());
        let mut encrypted = fs::read(&sealed).expect("encrypted");
        let opened = server.decrypted_premaster(&encrypted);
        assert_eq!(opened.is_some(), opens);
        assert!(opened.is_none_or(|opened| *opened == premaster));
        encrypted[200] ^= 1;
        assert!(server.decrypted_premaster(&encrypted).is_none());
    }
    run(&["genpkey", "-algorithm", "ED25519", "-out", "key"]);
    let other = ServerKey::from_pem(&fs::read(&key).expect("a key"));
    let message = other.err().expect("no RSA key").to_string();
    assert!(message.ends_with("and this is an Ed25519 key"), "{message}");
}

/// For captures of what machines really send, which are too large to be kept here, or private:
///
///     CAPTURE=FILE cargo nextest run -p ravelin-lens --run-ignored only any_capture
///
/// Connections whose beginning is in the file have the same numbers in tshark. Those of which something is
/// missing are left out: tshark says so in words of its own.
#[test]
#[ignore = "needs a file"]
fn any_capture_is_read_as_tshark_reads_it() {
    let path = std::env::var("CAPTURE").expect("CAPTURE names a file");
    let (ear, result) = Ear::hear(&fs::read(&path).expect("the file"));
    result.expect("a good file");
    let whole = |(_, heard): &(usize, &Heard)| heard.lost.iter().all(Vec::is_empty);
    let whole: Vec<_> = ear.streams.values().enumerate().filter(whole).collect();
    assert!(!whole.is_empty());
    for (number, heard) in whole {
        let expected = followed(Path::new(&path), number);
        assert!(heard.octets == expected, "{number}");
    }
}
