use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;

/// What `HAProxy` 2.6.12 sends, with `proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c`,
/// for a client with a certificate.
const WITH_CERTIFICATE: &str = "0d0a0d0a000d0a515549540a2111007c7f0000017f0000019a7698c7030004e75021c5\
    01000268320200096c6f63616c686f73740500002000520700000000210007544c5376312e3322000b636c69656e742e74657374\
    250005454332353624001165636473612d776974682d534841323536230016544c535f4145535f3235365f47434d5f534841333834";
/// The same for one without.
const WITHOUT_CERTIFICATE: &str = "0d0a0d0a000d0a515549540a2111006e7f0000017f0000019a8498c70300044dfe208f\
    01000268320200096c6f63616c686f73740500002000440100000000210007544c5376312e3325000545433235362400\
    1165636473612d776974682d534841323536230016544c535f4145535f3235365f47434d5f534841333834";
/// For a client of IPv6, and for one of a Unix socket.
const OF_IPV6: &str = "0d0a0d0a000d0a515549540a2121002400000000000000000000000000000001\
    00000000000000000000000000000001dd2898c9";
const OF_UNIX: &str = "0d0a0d0a000d0a515549540a20000000";

fn octets(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn addresses(source: &str, destination: &str) -> Addresses {
    Addresses {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

/// The header that these octets are.
fn whole(octets: &[u8]) -> Header {
    let (header, length) = read(octets).unwrap().unwrap();
    assert_eq!(length, octets.len());
    header
}

fn haproxy_s() -> Header {
    Header {
        addresses: Some(addresses("127.0.0.1:39542", "127.0.0.1:39111")),
        alpn: Some(b"h2".to_vec()),
        authority: Some("localhost".to_owned()),
        tls: Some(ClientTls {
            version: Some("TLSv1.3".to_owned()),
            cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
            certificate: Some(ClientCertificate {
                verified: true,
                common_name: Some("client.test".to_owned()),
            }),
        }),
    }
}

#[test]
fn what_haproxy_sends_is_read() {
    assert_eq!(whole(&octets(WITH_CERTIFICATE)), haproxy_s());
    let without = whole(&octets(WITHOUT_CERTIFICATE));
    assert_eq!(without.tls.unwrap().certificate, None);
    let of_ipv6 = whole(&octets(OF_IPV6));
    let expected = addresses("[::1]:56616", "[::1]:39113");
    assert_eq!(of_ipv6.addresses, Some(expected));
    assert_eq!(whole(&octets(OF_UNIX)), Header::default());
    let line = b"PROXY TCP4 127.0.0.1 127.0.0.1 38314 39112\r\n";
    assert_eq!(
        whole(line).addresses,
        Some(addresses("127.0.0.1:38314", "127.0.0.1:39112"))
    );
}

#[test]
fn what_follows_a_header_is_left_and_what_is_missing_is_waited_for() {
    for header in [
        octets(WITH_CERTIFICATE),
        octets(OF_UNIX),
        b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 65535\r\n".to_vec(),
        b"PROXY UNKNOWN whatever\r\n".to_vec(),
    ] {
        let more = [&header[..], b"\r\n\r\n\0\r\n"].concat();
        let (_, length) = read(&more).unwrap().unwrap();
        assert_eq!(length, header.len());
        for cut in 0..header.len() {
            assert_eq!(read(&header[..cut]), Ok(None), "cut at {cut}");
        }
    }
}

#[test]
fn lines_that_may_be_read_in_two_ways_are_refused() {
    for line in [
        "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\n",
        "PROXY TCP4  127.0.0.1 127.0.0.1 1 2\r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 1 2 \r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 01 2\r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 +1 2\r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 1 65536\r\n",
        "PROXY TCP4 127.0.0.01 127.0.0.1 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 127.0.0.1 127.0.0.1 1 2\r\n",
        "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 1\r\n",
        "PROXY UDP4 127.0.0.1 127.0.0.1 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
        "PROXY TCP4 \x1b[31m\u{20ac} 127.0.0.1 1 2\r\n",
    ] {
        let error = read(line.as_bytes()).unwrap_err();
        let is_line = matches!(error, ProxyProtocolError::Line(_));
        assert!(is_line, "{line:?}: {error}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}

#[test]
fn another_beginning_is_told_at_its_first_octet_that_differs() {
    for (octets, error) in [
        (&b"G"[..], ProxyProtocolError::NotProxied),
        (b"PROXX", ProxyProtocolError::NotProxied),
        (b"\r\n\r\n\0\r\nQUIX", ProxyProtocolError::NotProxied),
        (b"\r\n\r\n\0\r\nQUIT\n\x31", ProxyProtocolError::Version(3)),
        (b"\r\n\r\n\0\r\nQUIT\n\x22", ProxyProtocolError::Command(2)),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x41",
            ProxyProtocolError::Family(0x41),
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x20\x13",
            ProxyProtocolError::Family(0x13),
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\x01",
            ProxyProtocolError::TooLong,
        ),
    ] {
        assert_eq!(read(octets), Err(error), "{octets:?}");
        assert_eq!(read(&octets[..octets.len() - 1]), Ok(None), "{octets:?}");
    }
    let endless = [b"PROXY UNKNOWN ", &[b'x'; 93][..]].concat();
    assert_eq!(read(&endless[..106]), Ok(None));
    assert_eq!(read(&endless), Err(ProxyProtocolError::TooLong));
}

#[test]
fn values_that_are_wrong_in_themselves_are_refused() {
    let with = |family: u8, body: &[u8]| {
        let length = (body.len() as u16).to_be_bytes();
        read(&[&SIGNATURE[..], &[0x21, family], &length, body].concat())
    };
    let tls = |values: &[u8]| {
        let value = [&[1, 0, 0, 0, 0], values].concat();
        with(0, &[&[0x20, 0, value.len() as u8], &value[..]].concat())
    };
    for (read, error) in [
        (with(0x11, &[0; 11]), ProxyProtocolError::Short),
        (with(0x21, &[0; 35]), ProxyProtocolError::Short),
        (with(0x31, &[0; 215]), ProxyProtocolError::Short),
        (with(0x11, &[0; 13]), ProxyProtocolError::Short),
        (with(0, b"\x01\0\x03h2"), ProxyProtocolError::Short),
        (with(0, b"\x02\0\x01\xff"), ProxyProtocolError::Value(2)),
        (with(0, b"\x02\0\x01\n"), ProxyProtocolError::Value(2)),
        (with(0, b"\x03\0\x03abc"), ProxyProtocolError::Value(3)),
        (with(0, b"\x03\0\x04abcd"), ProxyProtocolError::Checksum),
        (with(0, b"\x01\0\0\x01\0\0"), ProxyProtocolError::Twice(1)),
        (with(0, b"\x20\0\x04abcd"), ProxyProtocolError::Value(0x20)),
        (tls(b"\x22\0\x02a"), ProxyProtocolError::Short),
        (tls(b"\x22\0\0\x22\0\0"), ProxyProtocolError::Twice(0x22)),
        (tls(b"\x22\0\x01\x7f"), ProxyProtocolError::Value(0x22)),
    ] {
        assert_eq!(read, Err(error));
    }
    let mut changed = octets(WITH_CERTIFICATE);
    changed[20] ^= 1;
    assert_eq!(read(&changed), Err(ProxyProtocolError::Checksum));
    // A proxy that speaks for itself may say anything.
    let local = [&SIGNATURE[..], b"\x20\x11\0\x02ab"].concat();
    assert_eq!(whole(&local), Header::default());
}

#[test]
fn addresses_of_both_families_are_written_as_one() {
    for (source, destination, line) in [
        ("192.0.2.1:1", "192.0.2.2:2", "TCP4 192.0.2.1 192.0.2.2 1 2"),
        (
            "[::ffff:192.0.2.1]:1",
            "192.0.2.2:2",
            "TCP4 192.0.2.1 192.0.2.2 1 2",
        ),
        (
            "[2001:db8::1]:1",
            "192.0.2.2:2",
            "TCP6 2001:db8::1 ::ffff:192.0.2.2 1 2",
        ),
    ] {
        let addresses = addresses(source, destination);
        let written = write_v1(Some(&addresses));
        assert_eq!(written, format!("PROXY {line}\r\n").as_bytes());
        let header = Header {
            addresses: Some(addresses),
            ..Header::default()
        };
        assert_eq!(whole(&write_v2(&header)), whole(&written));
    }
    assert_eq!(whole(&write_v1(None)), Header::default());
    let longest = "[1111:2222:3333:4444:5555:6666:7777:8888]:65535";
    assert!(write_v1(Some(&addresses(longest, longest))).len() <= MOST_LINE);
}

#[test]
fn a_header_is_written_as_haproxy_writes_it() {
    // But for the checksum, the identifier and what its own certificate is.
    let mut ours = write_v2(&haproxy_s());
    let theirs = octets(WITH_CERTIFICATE);
    assert_eq!(ours[..14], theirs[..14]);
    assert_eq!(ours[16..28], theirs[16..28]);
    for value in [
        &b"\x01\0\x02h2"[..],
        b"\x02\0\x09localhost",
        b"\x07\0\0\0\0\x21\0\x07TLSv1.3\x22\0\x0bclient.test",
        b"\x23\0\x16TLS_AES_256_GCM_SHA384",
    ] {
        for octets in [&ours, &theirs] {
            assert!(octets.windows(value.len()).any(|window| window == value));
        }
    }
    ours.truncate(100);
    assert_eq!(read(&ours), Ok(None));
    // A value that does not fit is left out.
    let header = Header {
        authority: Some("x".repeat(600)),
        alpn: Some(b"h2".to_vec()),
        ..Header::default()
    };
    let read = whole(&write_v2(&header));
    assert_eq!((read.authority, read.alpn), (None, header.alpn));
}

fn any_header() -> impl Strategy<Value = Header> {
    let text = || of("[^\\p{Cc}]{0,70}");
    let addresses = of(any::<(SocketAddr, SocketAddr)>()).prop_map(|addresses| {
        addresses.map(|(source, destination)| Addresses {
            source,
            destination,
        })
    });
    let certificate =
        of(
            (any::<bool>(), text()).prop_map(|(verified, common_name)| ClientCertificate {
                verified,
                common_name,
            }),
        );
    let tls = of(
        (text(), text(), certificate).prop_map(|(version, cipher, certificate)| ClientTls {
            version,
            cipher,
            certificate,
        }),
    );
    (addresses, of(vec(any::<u8>(), 0..20)), text(), tls).prop_map(
        |(addresses, alpn, authority, tls)| Header {
            addresses,
            alpn,
            authority,
            tls,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(header in any_header()) {
        let mut read = whole(&write_v2(&header));
        // Both are of one family then, and IPv6 has more to it than is sent.
        if let (Some(read), Some(written)) = (&mut read.addresses, header.addresses) {
            let [source, destination] = [read.source, read.destination].map(|one| one.ip().to_canonical());
            prop_assert_eq!(source, written.source.ip().to_canonical());
            prop_assert_eq!(destination, written.destination.ip().to_canonical());
            prop_assert_eq!(read.source.port(), written.source.port());
            *read = written;
        }
        prop_assert_eq!(read, header);
    }

    #[test]
    fn a_header_that_is_changed_is_read_refused_or_waited_for_and_never_read_in_two_ways(
        which in 0..6_usize,
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        more in vec(any::<u8>(), 0..9),
    ) {
        let mut said = match which {
            0 => octets(WITHOUT_CERTIFICATE),
            1 => octets(OF_IPV6),
            2 => octets(OF_UNIX),
            3 => b"PROXY TCP4 127.0.0.1 127.0.0.1 38314 39112\r\n".to_vec(),
            4 => b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n".to_vec(),
            _ => write_v2(&haproxy_s()),
        };
        for (at, octet) in flips {
            let at = at.index(said.len());
            said[at] = octet;
        }
        said.extend(more);
        let whole = read(&said);
        if let Ok(Some((_, length))) = &whole {
            prop_assert!(*length <= said.len());
        }
        let early = (0..said.len()).map(|cut| read(&said[..cut])).find(|read| *read != Ok(None));
        if let Some(early) = early {
            prop_assert_eq!(early, whole);
        }
    }
}
