//! Segments that come in any order, twice, not at all, or with something else in them.

use std::fs;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use ravelin_lens::capture::{Capture, Closed, Consumer, Limits, Notice, Opening, StreamId};
use ravelin_lens::ledger::Side::{self, Client, Server};

use super::packets::{ACK, Ear, FIN, Heard, RST, SYN, Segment, pcap, pcap_at};

const IP: u32 = 101;

/// A connection whose turns these are, each cut into segments of this size, and the handshake before it.
fn conversation(isn: [u32; 2], turns: &[(Side, &[u8])], size: usize) -> Vec<Segment> {
    let mut next = isn.map(|isn| isn.wrapping_add(1));
    let mut segments = vec![
        Segment::new(Client, isn[0], 0, SYN, b""),
        Segment::new(Server, isn[1], next[0], SYN | ACK, b""),
        Segment::new(Client, next[0], next[1], ACK, b""),
    ];
    for (side, octets) in turns {
        let (from, to) = (*side as usize, 1 - *side as usize);
        for part in octets.chunks(size) {
            segments.push(Segment::new(*side, next[from], next[to], ACK, part));
            next[from] = next[from].wrapping_add(part.len() as u32);
        }
    }
    segments.push(Segment::new(Client, next[0], next[1], FIN | ACK, b""));
    segments.push(Segment::new(
        Server,
        next[1],
        next[0].wrapping_add(1),
        FIN | ACK,
        b"",
    ));
    segments
}

fn hear(segments: &[Segment]) -> Heard {
    let packets: Vec<_> = segments.iter().map(Segment::ipv4).collect();
    Ear::only(&pcap(IP, &packets))
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).expect("text")
}

#[test]
fn what_both_sides_said_is_told_in_order_across_the_wrap_of_sequence_numbers() {
    let turns: [(Side, &[u8]); 3] = [
        (Client, b"request one"),
        (Server, b"a long answer"),
        (Client, b"thanks"),
    ];
    for isn in [[0, 0], [u32::MAX - 5, u32::MAX], [1 << 31, (1 << 31) - 3]] {
        let heard = hear(&conversation(isn, &turns, 4));
        assert_eq!(text(&heard.octets[0]), "request onethanks");
        assert_eq!(text(&heard.octets[1]), "a long answer");
        let expected = [(Client, 11), (Server, 13), (Client, 6)];
        assert_eq!(heard.turns, expected);
        assert_eq!(heard.ended, [Some(false); 2]);
        assert_eq!(heard.closed, Some(Closed::Finished));
        let opening = heard.opening.expect("it was opened");
        assert!(opening.whole);
        assert_eq!(opening.client.to_string(), "10.0.0.1:50000");
        assert_eq!(opening.server.to_string(), "10.0.0.2:443");
    }
}

#[test]
fn what_comes_early_and_lies_behind_the_end_is_not_told() {
    let mut segments = conversation([0, 0], &[(Client, b"hello")], 5);
    segments.truncate(3);
    segments.push(Segment::new(Client, 9, 1, ACK, b"from behind"));
    segments.push(Segment::new(Client, 1, 1, FIN | ACK, b"hello"));
    segments.push(Segment::new(Server, 1, 7, ACK, b"answer"));
    let heard = hear(&segments);
    assert_eq!(text(&heard.octets[0]), "hello");
    assert_eq!(text(&heard.octets[1]), "answer");
    assert_eq!(heard.ended, [Some(false), None]);
    assert_eq!(heard.lost, [vec![], vec![]]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_order_any_cut_and_any_repetition_gives_the_same_conversation(
        isn in any::<[u32; 2]>(),
        turns in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..60)), 1..12),
        size in 1_usize..30,
        again in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3), 0..12),
        places in prop::collection::vec(0_usize..13, 200),
    ) {
        let side = |is_client| if is_client { Client } else { Server };
        let turns: Vec<_> = turns.iter().map(|(client, octets)| (side(*client), &octets[..])).collect();
        let all = conversation(isn, &turns, size);
        let expected = hear(&all);
        let (handshake, rest) = all.split_at(3);
        let mut segments = rest.to_vec();
        for (index, kind) in again {
            // What is sent again is sent later, and may be cut in another way.
            let at = index.index(rest.len());
            let mut copy = rest[at].clone();
            match rest.get(at + 1) {
                Some(next) if kind == 1 && next.side == copy.side => {
                    copy.octets.extend(&next.octets);
                }
                _ if kind == 2 && !copy.octets.is_empty() => {
                    copy.octets.remove(0);
                    copy.sequence = copy.sequence.wrapping_add(1);
                }
                _ => {}
            }
            segments.insert(segments.len().min(at + 1), copy);
        }
        // Each moves back by a few places.
        let mut order: Vec<_> = (0..segments.len()).collect();
        order.sort_by_key(|at| at + places[at % places.len()]);
        let mut shuffled = handshake.to_vec();
        shuffled.extend(order.into_iter().map(|at| segments[at].clone()));
        let heard = hear(&shuffled);
        prop_assert_eq!(&heard.octets, &expected.octets);
        prop_assert_eq!(&heard.lost, &expected.lost);
        prop_assert_eq!(&heard.notices, &[]);
        prop_assert_eq!(&heard.turns, &expected.turns);
        prop_assert_eq!(heard.ended, expected.ended);
        prop_assert_eq!(heard.closed, expected.closed);
    }
}

#[test]
fn a_hole_that_the_other_side_does_not_have_is_told_in_its_place() {
    let long = vec![b'x'; 400];
    let turns: [(Side, &[u8]); 3] = [(Client, b"abcdefghij"), (Server, &long), (Client, b"end")];
    let mut segments = conversation([7, 9], &turns, 5);
    segments.remove(3);
    let heard = hear(&segments);
    assert_eq!(heard.lost[0], [(0, 5)]);
    assert_eq!(text(&heard.octets[0]), "fghijend");
    // The answer did not have to wait for the end of the capture.
    assert_eq!(heard.turns[0], (Client, 5));
    assert_eq!(heard.octets[1], long);
    assert_eq!(heard.closed, Some(Closed::Finished));
}

#[test]
fn the_end_of_a_stream_that_is_missing_is_told() {
    let turns: [(Side, &[u8]); 1] = [(Server, b"abcdefghij")];
    let mut segments = conversation([7, 9], &turns, 5);
    segments.remove(4);
    let heard = hear(&segments);
    assert_eq!(text(&heard.octets[1]), "abcde");
    assert_eq!(heard.lost[1], [(5, 5)]);
}

#[test]
fn a_direction_that_is_not_in_the_capture_holds_the_other_up_no_longer_than_a_moment() {
    let long = vec![b'y'; 500];
    let turns: [(Side, &[u8]); 3] = [(Client, b"hello"), (Server, &long), (Client, b"bye")];
    let mut segments = conversation([7, 9], &turns, 10);
    segments.retain(|segment| segment.side == Server || segment.flags == SYN);
    let heard = hear(&segments);
    assert_eq!(heard.octets[1], long);
    assert_eq!(heard.octets[0], b"");
}

#[test]
fn octets_that_came_twice_and_differ_are_those_that_came_first() {
    let mut segments = conversation([0, 0], &[(Client, b"abcdefgh")], 4);
    let evil = Segment::new(Client, 5, 1, ACK, b"eXgh");
    let late = segments.remove(3);
    segments.insert(4, evil);
    segments.insert(5, late);
    let heard = hear(&segments);
    assert_eq!(text(&heard.octets[0]), "abcdefgh");
    assert_eq!(heard.notices, [Notice::Overlap { offset: 5 }]);
}

#[test]
fn signs_of_life_probes_and_repeated_handshakes_are_no_data() {
    let mut segments = conversation([0, 0], &[(Client, b"abcd"), (Server, b"efgh")], 4);
    let probes = [
        Segment::new(Client, 0, 0, SYN, b""),
        Segment::new(Server, 0, 1, SYN | ACK, b""),
        Segment::new(Client, 4, 5, ACK, b"\0"),
        Segment::new(Client, 4, 5, ACK, b""),
        Segment::new(Server, 5, 5, ACK, b""),
    ];
    segments.splice(5..5, probes);
    let heard = hear(&segments);
    assert_eq!(
        (text(&heard.octets[0]), text(&heard.octets[1])),
        ("abcd", "efgh")
    );
    assert_eq!(heard.closed, Some(Closed::Finished));
}

#[test]
fn a_reset_ends_a_connection_and_one_from_elsewhere_does_not() {
    let mut segments = conversation([0, 0], &[(Client, b"abcd"), (Server, b"efgh")], 4);
    segments.truncate(5);
    segments.insert(4, Segment::new(Server, 0x4000_0000, 0, RST, b""));
    segments.push(Segment::new(Server, 5, 0, RST, b""));
    segments.push(Segment::new(Client, 5, 5, ACK, b"too late"));
    let heard = hear(&segments);
    assert_eq!(text(&heard.octets[1]), "efgh");
    assert_eq!(heard.ended, [None, Some(true)]);
    assert_eq!(heard.closed, Some(Closed::Reset));
    let refused = [
        Segment::new(Client, 100, 0, SYN, b""),
        Segment::new(Server, 0, 101, RST | ACK, b""),
    ];
    assert_eq!(hear(&refused).closed, Some(Closed::Reset));
}

#[test]
fn ports_that_are_used_again_are_another_connection() {
    let mut segments = conversation([0, 0], &[(Client, b"one")], 4);
    segments.extend(conversation([5_000, 9_000], &[(Client, b"two")], 4));
    segments.truncate(segments.len() - 2);
    segments.extend(conversation([1, 2], &[(Client, b"three")], 4));
    let packets: Vec<_> = segments.iter().map(Segment::ipv4).collect();
    let (ear, result) = Ear::hear(&pcap(IP, &packets));
    assert_eq!(result.expect("a good file").connections, 3);
    let heard: Vec<_> = ear.streams.values().collect();
    let said: Vec<_> = heard.iter().map(|heard| text(&heard.octets[0])).collect();
    assert_eq!(said, ["one", "two", "three"]);
    let closed: Vec<_> = heard.iter().filter_map(|heard| heard.closed).collect();
    assert_eq!(
        closed,
        [Closed::Finished, Closed::Replaced, Closed::Finished]
    );
}

#[test]
fn who_is_the_client_is_told_by_the_hello_where_the_beginning_is_missing() {
    let client_hello = b"\x16\x03\x01\x00\x04\x01\0\0\0";
    let server_hello = b"\x16\x03\x03\x00\x04\x02\0\0\0";
    for (side, hello, client) in [
        (Client, client_hello, "10.0.0.1:50000"),
        (Server, client_hello, "10.0.0.2:443"),
        (Client, server_hello, "10.0.0.2:443"),
        (Server, server_hello, "10.0.0.1:50000"),
        (Server, b"something", "10.0.0.1:50000"),
        (Client, b"something", "10.0.0.1:50000"),
    ] {
        let heard = hear(&[Segment::new(side, 77, 88, ACK, hello)]);
        let opening = heard.opening.expect("it was opened");
        assert!(!opening.whole);
        assert_eq!(opening.client.to_string(), client);
    }
}

#[test]
fn idle_connections_are_forgotten_by_the_clock_of_the_capture() {
    let segments = conversation([0, 0], &[(Client, b"abcd"), (Client, b"efgh")], 4);
    let limits = Limits {
        idle: Duration::from_secs(60),
        ..Limits::default()
    };
    let times = [0, 1, 2, 3].into_iter().chain([1_000_000_000; 3]);
    let packets: Vec<_> = times.zip(segments.iter().map(Segment::ipv4)).collect();
    let (ear, _) = Ear::hear_within(limits, &pcap_at(IP, &packets));
    let closed: Vec<_> = ear.streams.values().map(|heard| heard.closed).collect();
    assert_eq!(closed[0], Some(Closed::Idle));
    assert_eq!(
        text(&ear.streams.values().next().expect("one").octets[0]),
        "abcd"
    );
}

#[test]
fn what_waits_is_bounded_for_one_connection_and_for_all() {
    let limits = Limits {
        held_octets: 20_000,
        held_octets_in_all: 50_000,
        ..Limits::default()
    };
    let mut packets = Vec::new();
    for port in 1..20 {
        packets.push(Segment::new(Client, 0, 0, SYN, b"").ipv4_from(port));
    }
    for round in 0..30_u32 {
        for port in 1..20 {
            let sequence = 1 + (2 * round + 1) * 1000;
            packets.push(Segment::new(Client, sequence, 0, ACK, &[1; 1000]).ipv4_from(port));
        }
    }
    let (ear, _) = Ear::hear_within(limits, &pcap(IP, &packets));
    for heard in ear.streams.values() {
        assert_eq!(heard.octets[0].len(), 30_000);
        let lost: u64 = heard.lost[0].iter().map(|(_, octets)| octets).sum();
        assert_eq!(lost, 30_000);
    }
}

#[test]
fn more_connections_than_allowed_make_room_and_are_told_to() {
    let limits = Limits {
        connections: 100,
        ..Limits::default()
    };
    let packets: Vec<_> = (1..=1000)
        .map(|port| Segment::new(Client, 0, 0, SYN, b"").ipv4_from(port))
        .collect();
    let (ear, _) = Ear::hear_within(limits, &pcap(IP, &packets));
    assert_eq!(ear.streams.len(), 1000);
    let crowded = ear
        .streams
        .values()
        .filter(|heard| heard.closed == Some(Closed::Crowded));
    assert!((900..1000).contains(&crowded.count()));
}

/// Hears nothing.
struct Deaf;

impl Consumer for Deaf {
    fn opened(&mut self, _: StreamId, _: &Opening) {}

    fn data(&mut self, _: StreamId, _: Side, _: SystemTime, _: &[u8]) {}
}

#[test]
fn a_hundred_thousand_open_connections_take_less_than_64_mb() {
    let status = |field: &str| {
        let status = fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find(|line| line.starts_with(field));
        let digits = line.expect("the field").split_whitespace().nth(1);
        digits.expect("a number").parse::<u64>().expect("a number")
    };
    let mut packets = pcap(IP, &[]);
    for connection in 0..100_000_u32 {
        let mut packet = Segment::new(Client, 0, 0, SYN, b"hello").ipv4();
        packet[12..16].copy_from_slice(&connection.to_be_bytes());
        packets.extend(&pcap(IP, &[packet])[24..]);
    }
    let before = status("VmRSS");
    let mut capture = Capture::new(&packets[..], Limits::default());
    capture.read(&mut Deaf).expect("a good file");
    assert_eq!(capture.summary().connections, 100_000);
    let kilobytes = status("VmHWM").saturating_sub(before);
    assert!(kilobytes < 64_000, "{kilobytes}");
}
