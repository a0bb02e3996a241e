//! What holds of any bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use ravelin_wire::alert::Alert;
use ravelin_wire::dissect::{Content, Field};
use ravelin_wire::handshake::{Agreed, Handshake, JoinError, Joiner};
use ravelin_wire::reader::Meaning;
use ravelin_wire::record::{Next, Record};
use ravelin_wire::registry::{CertificateType, CipherSuite, HandshakeType, ProtocolVersion};
use ravelin_wire::sslv2;
use ravelin_wire::writer::Encode;

/// All contexts in which a message may be something else.
fn agreements() -> impl Strategy<Value = Agreed> {
    let versions = prop::sample::select(vec![
        ProtocolVersion::SSL_3,
        ProtocolVersion::TLS_1_0,
        ProtocolVersion::TLS_1_2,
        ProtocolVersion::TLS_1_3,
    ]);
    let suites = prop::sample::select(vec![
        None,
        Some(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA),
        Some(CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA),
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
        Some(CipherSuite::TLS_DHE_PSK_WITH_AES_128_CBC_SHA),
        Some(CipherSuite::TLS_RSA_PSK_WITH_AES_128_CBC_SHA),
        Some(CipherSuite::TLS_DH_ANON_WITH_AES_128_CBC_SHA),
        Some(CipherSuite::TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA),
    ]);
    let kinds = prop::sample::select(vec![CertificateType::X509, CertificateType::RAW_PUBLIC_KEY]);
    (versions, suites, kinds).prop_map(|(version, suite, certificate_type)| Agreed {
        version,
        suite,
        certificate_type,
    })
}

/// Octets that look like messages now and then: lengths that fit are likelier than by chance.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => vec(any::<u8>(), 0..8),
        2 => vec(any::<u8>(), 0..12).prop_map(|body| [&[body.len() as u8][..], &body].concat()),
        2 => (any::<u8>(), vec(any::<u8>(), 0..12))
            .prop_map(|(code, body)| [&[0, code, 0, body.len() as u8][..], &body].concat()),
        1 => Just(vec![0; 3]),
    ];
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn message(message_type: u8, body: &[u8]) -> Vec<u8> {
    let [.., high, middle, low] = body.len().to_be_bytes();
    [&[message_type, high, middle, low], body].concat()
}

/// Every octet belongs to exactly one leaf, and groups enclose just what is in them.
pub(crate) fn covers(field: &Field, octets: usize) {
    let mut at = 0;
    for leaf in field.leaves() {
        assert_eq!(leaf.range.start, at, "a gap or an overlap before {leaf:?}");
        let empty = leaf.range.is_empty();
        let wrong = matches!(leaf.content, Content::Leaf(Meaning::Wrong(_)));
        assert!(!empty || wrong, "an empty leaf: {leaf:?}");
        at = leaf.range.end;
    }
    assert_eq!(at, octets, "the last octets are in no leaf");
    encloses(field);
}

fn encloses(field: &Field) {
    if let Content::Group { fields, .. } = &field.content {
        if let (Some(first), Some(last)) = (fields.first(), fields.last()) {
            assert_eq!(field.range, first.range.start..last.range.end, "{field:?}");
        }
        fields.iter().for_each(encloses);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_octet_of_any_message_belongs_to_one_leaf(
        message_type in 0..30_u8,
        body in octets(),
        agreed in agreements(),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = message(message_type, &body);
        if !whole {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        let (tree, dissected) = Handshake::dissect(&bytes, agreed);
        covers(&tree, bytes.len());
        prop_assert_eq!(&dissected, &Handshake::decode(&bytes, agreed));
        let wrong = tree
            .leaves()
            .filter(|leaf| matches!(leaf.content, Content::Leaf(Meaning::Wrong(_))))
            .count();
        prop_assert!(dissected.is_ok() || wrong > 0, "what is wrong is nowhere in the tree");
    }

    #[test]
    fn what_was_read_is_written_as_it_was(
        message_type in 0..30_u8,
        body in octets(),
        agreed in agreements(),
    ) {
        let bytes = message(message_type, &body);
        if let Ok(message) = Handshake::decode(&bytes, agreed) {
            let written = message.encode().unwrap();
            // QUIC's numbers may be written longer than they need be, and nothing else.
            if written != bytes {
                prop_assert!(written.len() < bytes.len());
                let again = Handshake::decode(&written, agreed).unwrap();
                // Not the values: what is malformed behind a number begins earlier now.
                prop_assert_eq!(again.encode().unwrap(), written);
            }
        }
    }

    #[test]
    fn any_record_alert_and_sslv2_message_is_covered(bytes in octets()) {
        covers(&Record::dissect(&bytes).0, bytes.len());
        covers(&Alert::dissect(&bytes).0, bytes.len());
        let (tree, message) = sslv2::Message::dissect(&bytes);
        covers(&tree, bytes.len());
        if let Ok(message) = message {
            let again = message.encode().unwrap();
            prop_assert_eq!(sslv2::Message::decode(&again), Ok(message));
        }
    }

    #[test]
    fn records_are_cut_alike_however_they_arrive(
        fragments in vec((20..25_u8, vec(any::<u8>(), 0..40)), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut stream = Vec::new();
        for (content_type, fragment) in &fragments {
            stream.extend([*content_type, 3, 3, 0, fragment.len() as u8]);
            stream.extend(fragment);
        }
        let cut = cut.index(stream.len() + 1);
        let mut rest = stream.get(..cut).unwrap();
        let mut seen = 0;
        let missing = loop {
            match Record::next(rest) {
                Next::Record(record) => {
                    prop_assert_eq!(record.fragment, &fragments[seen].1[..]);
                    seen += 1;
                    rest = rest.get(record.octets()..).unwrap();
                }
                Next::Incomplete { missing } => break missing,
                Next::NoRecord(foreign) => panic!("{foreign}"),
            }
        };
        prop_assert!(missing > 0);
        prop_assert!(cut + missing <= stream.len() || cut == stream.len());
    }

    #[test]
    fn messages_are_joined_alike_however_they_are_split(
        bodies in vec(vec(any::<u8>(), 0..30), 0..8),
        sizes in vec(1..9_usize, 1..60),
    ) {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| message(1, body)).collect();
        let mut joiner = Joiner::new(64);
        let mut joined = Vec::new();
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (fragment, left) = rest.split_at((*size).min(rest.len()));
            rest = left;
            joiner.push(fragment);
            while let Some(message) = joiner.next_message().unwrap() {
                prop_assert_eq!(
                    stream.get(message.at as usize..).unwrap().get(..message.bytes.len()),
                    Some(message.bytes)
                );
                joined.push(message.bytes.get(4..).unwrap().to_vec());
            }
        }
        prop_assert_eq!(joined, bodies);
        prop_assert_eq!(joiner.pending(), 0);
    }
}

#[test]
fn a_message_beyond_the_limit_is_an_error_before_it_is_kept() {
    let mut joiner = Joiner::new(100);
    joiner.push(&[11, 0, 0, 97, 0]);
    let error = JoinError {
        octets: 101,
        limit: 100,
    };
    assert_eq!(joiner.next_message(), Err(error));
}

/// A long list of things is as deep as a short one.
#[test]
fn the_tree_of_a_message_stays_flat_and_its_size_in_proportion() {
    let suites = vec![0x13; 60_000];
    let mut body = vec![3, 3];
    body.extend([0; 33]);
    body.extend((suites.len() as u16).to_be_bytes());
    body.extend(&suites);
    body.extend([1, 0]);
    let bytes = message(HandshakeType::CLIENT_HELLO.0, &body);
    let (tree, hello) = Handshake::dissect(&bytes, Agreed::default());
    assert!(hello.is_ok());
    assert!(tree.leaves().count() < bytes.len());
}
