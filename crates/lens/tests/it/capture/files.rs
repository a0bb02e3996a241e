//! Files of all formats, whole, cut and damaged; editcap and text2pcap write some of them.

use std::fs;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use ravelin_lens::capture::{Capture, CaptureError, Damage, Limits};
use ravelin_lens::ledger::Side::{Client, Server};

use super::packets::{ACK, Ear, FIN, SYN, Segment, ethernet, pcap};

const ETHERNET: u32 = 1;

fn packets() -> Vec<Vec<u8>> {
    let segments = [
        Segment::new(Client, 0, 0, SYN, b""),
        Segment::new(Server, 0, 1, SYN | ACK, b""),
        Segment::new(Client, 1, 1, ACK, b"hello"),
        Segment::new(Server, 1, 6, ACK, b"good day"),
        Segment::new(Client, 6, 9, FIN | ACK, b""),
        Segment::new(Server, 9, 7, FIN | ACK, b""),
    ];
    segments
        .iter()
        .map(|segment| ethernet(0x0800, &segment.ipv4()))
        .collect()
}

fn whole() -> Vec<u8> {
    pcap(ETHERNET, &packets())
}

/// A file as another program writes it in another format.
fn converted(arguments: &[&str], file: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
    fs::write(&from, file).expect("written");
    let output = Command::new("editcap")
        .args(arguments)
        .args([&from, &to])
        .output()
        .expect("editcap runs");
    assert!(output.status.success(), "{output:?}");
    fs::read(to).expect("editcap wrote it")
}

#[test]
fn every_format_of_editcap_says_the_same_at_the_same_time() {
    let expected = Ear::only(&whole());
    assert_eq!(expected.octets[1], b"good day");
    let times = expected.times.clone();
    assert_eq!(times[0], UNIX_EPOCH + Duration::from_millis(2));
    for format in ["pcap", "nsecpcap", "pcapng"] {
        assert_eq!(
            Ear::only(&converted(&["-F", format], &whole())),
            expected,
            "{format}"
        );
    }
}

#[test]
fn secrets_that_editcap_puts_into_a_file_are_handed_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("keys");
    let line = format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48));
    fs::write(&log, &line).expect("written");
    let secrets = format!("tls,{}", log.display());
    let file = converted(&["--inject-secrets", &secrets, "-F", "pcapng"], &whole());
    let (ear, result) = Ear::hear(&file);
    result.expect("a good file");
    assert_eq!(ear.secrets, line.as_bytes());
    assert_eq!(ear.streams.len(), 1);
}

/// A block of pcapng in this byte order.
fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |word: u32| {
        if big {
            word.to_be_bytes()
        } else {
            word.to_le_bytes()
        }
    };
    let padded = body.len().next_multiple_of(4);
    let length = word(padded as u32 + 12);
    let padding = vec![0; padded - body.len()];
    [&word(kind), &length, body, &padding, &length].concat()
}

/// Two sections of different order; interfaces whose clocks differ; blocks of packets old, simple and new; and
/// one that nobody knows.
fn sections() -> Vec<u8> {
    let packets = packets();
    let mut file = Vec::new();
    for big in [true, false] {
        let word = |word: u32| {
            if big {
                word.to_be_bytes()
            } else {
                word.to_le_bytes()
            }
        };
        let half = |half: u16| {
            if big {
                half.to_be_bytes()
            } else {
                half.to_le_bytes()
            }
        };
        let offset = if big {
            1_000_i64.to_be_bytes()
        } else {
            1_000_i64.to_le_bytes()
        };
        let section = [&word(0x1a2b_3c4d)[..], &half(1), &half(0), &[0xff; 8]].concat();
        file.extend(block(big, 0x0a0d_0d0a, &section));
        let plain = [&half(1)[..], &half(0), &word(0)].concat();
        file.extend(block(big, 1, &plain));
        // A clock of 2^-10 seconds, which begins 1000 s after 1970.
        let options = [
            &half(9)[..],
            &half(1),
            &[0x8a, 0, 0, 0],
            &half(14),
            &half(8),
            &offset,
            &half(0),
            &half(0),
        ];
        file.extend(block(big, 1, &[&plain, &options.concat()[..]].concat()));
        file.extend(block(big, 0x0bad_cafe, b"whatever"));
        let sent = if big { &packets[..3] } else { &packets[3..] };
        for (at, packet) in sent.iter().enumerate() {
            let length = word(packet.len() as u32);
            let stamp = [word(0), word(512)].concat();
            let body = match at {
                0 => block(
                    big,
                    2,
                    &[&half(1), &half(0), &stamp[..], &length, &length, packet].concat(),
                ),
                1 => block(big, 3, &[&length, &packet[..]].concat()),
                _ => block(
                    big,
                    6,
                    &[&word(1), &stamp[..], &length, &length, packet].concat(),
                ),
            };
            file.extend(body);
        }
    }
    file
}

#[test]
fn sections_interfaces_and_blocks_of_all_kinds_are_read() {
    let heard = Ear::only(&sections());
    assert_eq!(heard.octets, [b"hello".to_vec(), b"good day".to_vec()]);
    let at = UNIX_EPOCH + Duration::from_millis(1_000_500);
    assert_eq!(heard.times, [at, at]);
}

#[test]
fn a_file_that_is_cut_anywhere_says_where_and_tells_all_packets_before() {
    let all = packets().len() as u64;
    for file in [whole(), sections()] {
        let mut seen = 0;
        for cut in 0..=file.len() {
            let mut ear = Ear::default();
            let mut capture = Capture::new(&file[..cut], Limits::default());
            let result = capture.read(&mut ear);
            let packets = capture.summary().packets;
            assert!(
                packets == seen || packets == seen + 1,
                "in order, none left out"
            );
            seen = packets;
            match result {
                Ok(()) => assert!(cut > 4),
                Err(CaptureError::NoCapture) => assert!(cut < 4),
                Err(CaptureError::Truncated { offset }) => assert!(offset < cut as u64),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(seen, all);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let damage = |file: &[u8]| match Ear::hear(file).1 {
        Err(CaptureError::Damaged { offset, what }) => (offset, what),
        other => panic!("{other:?}"),
    };
    let mut file = whole();
    file[24 + 8..24 + 12].fill(0xff);
    assert_eq!(damage(&file), (24, Damage::TooLong(u32::MAX)));
    let mut file = whole();
    file[4] = 7;
    assert_eq!(damage(&file), (0, Damage::Version(7)));
    let mut file = sections();
    file[27] = 0;
    assert_eq!(damage(&file), (0, Damage::Lengths));
    let section = &sections()[..28];
    let packet = block(true, 6, &[0; 32]);
    assert_eq!(
        damage(&[section, &packet].concat()),
        (28, Damage::Interface(0))
    );
    assert!(matches!(
        Ear::hear(b"\x1f\x8b\x08\0").1,
        Err(CaptureError::Gzip)
    ));
    assert!(matches!(
        Ear::hear(b"GET / HTTP/1.1").1,
        Err(CaptureError::NoCapture)
    ));
}

proptest! {
    #[test]
    fn whatever_is_in_a_file_nothing_panics(
        beginning in 0_usize..4,
        octets in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let (pcap, pcapng) = (whole(), sections());
        let beginning = [&pcap[..24], &pcap[..90], &pcapng[..80], &[]][beginning];
        let _ = Ear::hear(&[beginning, &octets].concat());
    }

    #[test]
    fn whatever_is_changed_in_a_file_nothing_panics(
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        is_pcap in any::<bool>(),
    ) {
        let mut file = if is_pcap { whole() } else { sections() };
        let at = at.index(file.len());
        file[at] = octet;
        let _ = Ear::hear(&file);
    }
}
