//! What is below TCP: links, tags, both versions of IP, and what is cut or cannot be read.

use ravelin_lens::ledger::Side::{Client, Server};

use super::packets::{
    ACK, Ear, FIN, SYN, Segment, ethernet, fragments4, fragments6, ipv4, pcap, pcap_at,
};

fn segments() -> Vec<Segment> {
    vec![
        Segment::new(Client, 0, 0, SYN, b""),
        Segment::new(Server, 0, 1, SYN | ACK, b""),
        Segment::new(Client, 1, 1, ACK, b"hello"),
        Segment::new(Client, 6, 1, FIN | ACK, b""),
        Segment::new(Server, 1, 7, FIN | ACK, b""),
    ]
}

/// How a link carries a packet of IP.
type Frame<'f> = &'f dyn Fn(&[u8]) -> Vec<u8>;

#[test]
fn every_link_that_is_known_carries_the_same() {
    let tagged = |tags: &[u16], ip: &[u8]| {
        let mut frame = vec![2; 12];
        for tag in tags {
            frame.extend(tag.to_be_bytes());
            frame.extend([0, 7]);
        }
        frame.extend([8, 0]);
        frame.extend(ip);
        frame
    };
    // Shorter frames are filled up to 60 octets.
    let filled = |ip: &[u8]| [&ethernet(0x0800, ip)[..], &[0; 8]].concat();
    let cases: [(&str, u32, Frame<'_>); 11] = [
        ("Ethernet", 1, &filled),
        ("VLAN", 1, &|ip| tagged(&[0x8100], ip)),
        ("QinQ", 1, &|ip| tagged(&[0x88a8, 0x8100], ip)),
        ("cooked", 113, &|ip| [&[0; 14], &[8, 0][..], ip].concat()),
        ("cooked 2", 276, &|ip| [&[8, 0], &[0; 18][..], ip].concat()),
        ("NULL", 0, &|ip| [&[2, 0, 0, 0], ip].concat()),
        ("LOOP", 108, &|ip| [&[0, 0, 0, 2], ip].concat()),
        ("IP", 101, &|ip| ip.to_vec()),
        ("IPv4", 228, &|ip| ip.to_vec()),
        ("IP of OpenBSD", 14, &|ip| ip.to_vec()),
        ("length of frame checks", 1 | 0x5400_0000, &|ip| {
            ethernet(0x0800, ip)
        }),
    ];
    for (name, link, frame) in cases {
        let packets: Vec<_> = segments()
            .iter()
            .map(|segment| frame(&segment.ipv4()))
            .collect();
        assert_eq!(
            Ear::only(&pcap(link, &packets)).octets[0],
            b"hello",
            "{name}"
        );
    }
}

#[test]
fn extension_headers_of_ipv6_are_passed_over() {
    let options = [43, 0, 1, 4, 0, 0, 0, 0];
    let routing = [44, 0, 0, 0, 0, 0, 0, 0];
    // Not cut in pieces, though it says how (RFC 6946).
    let fragment = [51, 0, 0, 0, 1, 2, 3, 4];
    let authentication = [60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let destination = [6, 0, 1, 4, 0, 0, 0, 0];
    let all = [
        &options[..],
        &routing,
        &fragment,
        &authentication,
        &destination,
    ]
    .concat();
    for (next, extensions) in [(6, &[][..]), (0, &all)] {
        let packets: Vec<_> = segments()
            .iter()
            .map(|segment| segment.ipv6(next, extensions))
            .collect();
        let heard = Ear::only(&pcap(229, &packets));
        assert_eq!(heard.octets[0], b"hello");
        let client = heard.opening.expect("it was opened").client.to_string();
        assert_eq!(client, "[101:101:101:101:101:101:101:101]:50000");
    }
}

#[test]
fn what_cannot_be_read_is_counted() {
    let segment = Segment::new(Client, 1, 1, ACK, b"hell");
    let fragment6 = segment.ipv6(44, &[6, 0, 0, 1, 0, 0, 0, 0]);
    let segment = segment.ipv4();
    let mut first = segment.clone();
    first[6] = 0x20;
    let mut last = segment.clone();
    last[7] = 1;
    // All parts but the last have a multiple of 8 octets.
    let mut uneven = first.clone();
    uneven.pop();
    uneven[3] -= 1;
    let arp = ethernet(0x0806, &[0; 28]);
    let packets: Vec<_> = [
        &first,
        &last,
        &ipv4(Client, 1, &[0; 8]),
        &segment[..30].to_vec(),
        &uneven,
    ]
    .into_iter()
    .map(|ip| ethernet(0x0800, ip))
    .chain([ethernet(0x86dd, &fragment6), arp, vec![0; 9]])
    .collect();
    let (ear, summary) = Ear::hear(&pcap(1, &packets));
    let summary = summary.expect("a good file");
    assert!(ear.streams.is_empty());
    assert_eq!((summary.packets, summary.fragments), (8, 3));
    assert_eq!((summary.others, summary.malformed), (2, 3));
    let (_, summary) = Ear::hear(&pcap(147, &packets));
    assert_eq!(summary.expect("a good file").unknown_links, 8);
}

#[test]
fn octets_that_were_not_captured_are_told_as_lost() {
    let mut segments = segments();
    segments.insert(3, Segment::new(Client, 6, 1, ACK, b"0123456789"));
    segments[4].sequence = 16;
    segments[5].acknowledgement = 17;
    let mut packets: Vec<_> = segments.iter().map(Segment::ipv4).collect();
    packets[3].truncate(44);
    let heard = Ear::only(&pcap(101, &packets));
    assert_eq!(heard.octets[0], b"hello0123");
    assert_eq!(heard.lost[0], [(9, 6)]);
    // The same, where the one before it comes late.
    packets.swap(2, 3);
    let late = Ear::only(&pcap(101, &packets));
    assert_eq!((&late.octets, &late.lost), (&heard.octets, &heard.lost));
}

#[test]
fn what_a_network_card_is_to_cut_has_no_length_of_its_own() {
    let mut packets: Vec<_> = segments().iter().map(Segment::ipv4).collect();
    packets[2][2..4].fill(0);
    let timed: Vec<_> = packets.into_iter().map(|packet| (0, packet)).collect();
    assert_eq!(Ear::only(&pcap_at(101, &timed)).octets[0], b"hello");
}

/// A connection whose only octets, `said`, are in the third packet.
fn spoken(said: &[u8]) -> Vec<Segment> {
    let mut segments = segments();
    segments[2].octets = said.to_vec();
    segments[3].sequence = 1 + said.len() as u32;
    segments[4].acknowledgement = 2 + said.len() as u32;
    segments
}

/// The packets of [`spoken`], of which the third is in fragments, in this order.
fn fragmented(said: &[u8], change: impl Fn(&mut Vec<Vec<u8>>)) -> [Vec<Vec<u8>>; 2] {
    let segments = spoken(said);
    let with = |packets: Vec<Vec<u8>>, mut fragments: Vec<Vec<u8>>| {
        change(&mut fragments);
        let [before, after] = [packets[..2].to_vec(), packets[3..].to_vec()];
        [before, fragments, after].concat()
    };
    let v4: Vec<_> = segments.iter().map(Segment::ipv4).collect();
    let v6: Vec<_> = segments.iter().map(|it| it.ipv6(6, &[])).collect();
    // Behind the header of a fragment may be more headers than that of TCP.
    let options = segments[2].ipv6(60, &[6, 0, 1, 4, 0, 0, 0, 0]);
    let fragments = [fragments4(&v4[2], 7, 1000), fragments6(&options, 7, 1000)];
    let [first, second] = fragments;
    [with(v4, first), with(v6, second)]
}

#[test]
fn fragments_are_put_together_in_whatever_order_they_come() {
    let said: Vec<u8> = (0..5000_u32).map(|at| ((at * at) >> 3) as u8).collect();
    let changes: [fn(&mut Vec<Vec<u8>>); 4] = [
        |_| {},
        |fragments| fragments.reverse(),
        |fragments| fragments.rotate_left(2),
        |fragments| fragments.extend_from_within(1..4),
    ];
    for change in changes {
        for packets in fragmented(&said, change) {
            let heard = Ear::only(&pcap(101, &packets));
            assert!(heard.octets[0] == said, "{packets:02x?}");
            assert_eq!(heard.lost, [[], []]);
        }
    }
}

#[test]
fn fragments_that_clash_or_are_missing_make_no_packet() {
    let said = [7; 5000];
    let changes: [fn(&mut Vec<Vec<u8>>); 5] = [
        // One comes twice, and not the same.
        |fragments| {
            let mut other = fragments[1].clone();
            *other.last_mut().expect("octets") ^= 1;
            fragments.insert(1, other);
        },
        // One begins within another.
        |fragments| {
            let place = if fragments[0][0] == 0x45 { 7 } else { 43 };
            fragments[2][place] -= 8;
        },
        // Two say that they are the last.
        |fragments| {
            let place = if fragments[0][0] == 0x45 { 6 } else { 43 };
            fragments[2][place] &= !if place == 6 { 0x20 } else { 1 };
            fragments.rotate_right(1);
        },
        |fragments| drop(fragments.remove(2)),
        |fragments| drop(fragments.remove(0)),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        for packets in fragmented(&said, change) {
            let heard = Ear::only(&pcap(101, &packets));
            assert_eq!(heard.octets[0], b"", "{number}");
            assert_eq!(heard.lost[0], [(0, 5000)], "{number}");
        }
    }
}

#[test]
fn fragments_wait_half_a_minute_and_no_more_than_256_packets_do() {
    let said = [7; 5000];
    let [packets, _] = fragmented(&said, |_| {});
    let heard = |seconds: u64, others: u16| {
        let mut timed: Vec<_> = packets.iter().map(|packet| (0, packet.clone())).collect();
        for packet in &mut timed[4..] {
            packet.0 = seconds * 1_000_000;
        }
        for number in 0..others {
            let other = fragments4(&packets[0][..], 1000 + number, 8).swap_remove(0);
            timed.insert(4, (0, other));
        }
        Ear::only(&pcap_at(101, &timed)).octets[0].len()
    };
    assert_eq!(heard(30, 255), 5000);
    assert_eq!(heard(31, 255), 0);
    assert_eq!(heard(30, 256), 0);
    assert_eq!(heard(30, 20_000), 0);
}
