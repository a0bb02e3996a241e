//! What is below TCP: links, tags, both versions of IP, and what is cut or cannot be read.

use ravelin_lens::ledger::Side::{Client, Server};

use super::packets::{ACK, Ear, FIN, SYN, Segment, ethernet, ipv4, pcap, pcap_at};

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
    let segment = segments()[2].ipv4();
    let mut first = segment.clone();
    first[6] = 0x20;
    let mut last = segment.clone();
    last[7] = 1;
    let fragment6 = segments()[2].ipv6(44, &[6, 0, 0, 1, 0, 0, 0, 0]);
    let arp = ethernet(0x0806, &[0; 28]);
    let packets: Vec<_> = [
        &first,
        &last,
        &ipv4(Client, 1, &[0; 8]),
        &segment[..30].to_vec(),
    ]
    .into_iter()
    .map(|ip| ethernet(0x0800, ip))
    .chain([ethernet(0x86dd, &fragment6), arp, vec![0; 9]])
    .collect();
    let (ear, summary) = Ear::hear(&pcap(1, &packets));
    let summary = summary.expect("a good file");
    assert!(ear.streams.is_empty());
    assert_eq!((summary.packets, summary.fragments), (7, 3));
    assert_eq!((summary.others, summary.malformed), (2, 2));
    let (_, summary) = Ear::hear(&pcap(147, &packets));
    assert_eq!(summary.expect("a good file").unknown_links, 7);
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
