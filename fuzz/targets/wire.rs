//! TLS in bytes: records, messages in all their contexts, SSL 2.0's hellos. Trees cover all octets, and what
//! was read is written as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_wire::dissect::Field;
use ravelin_wire::handshake::{Agreed, Handshake, Joiner};
use ravelin_wire::record::{Next, Record};
use ravelin_wire::registry::{CertificateType, CipherSuite, ProtocolVersion};
use ravelin_wire::sslv2;
use ravelin_wire::writer::Encode;

fuzz_target!(|data: &[u8]| {
    let Some(([version, suite, kind], stream)) = data.split_first_chunk() else {
        return;
    };
    let agreed = Agreed {
        version: ProtocolVersion(0x0300 | u16::from(version % 5)),
        suite: Some(CipherSuite(u16::from(*suite))),
        certificate_type: CertificateType(kind % 3),
    };
    let mut joiner = Joiner::new(1 << 16);
    let mut rest = stream;
    while let Next::Record(record) = Record::next(rest) {
        let (bytes, next) = rest.split_at(record.octets());
        covers(&Record::dissect(bytes).0, bytes.len());
        rest = next;
        joiner.push(record.fragment);
        while let Ok(Some(message)) = joiner.next_message() {
            let (tree, read) = Handshake::dissect(message.bytes, agreed);
            covers(&tree, message.bytes.len());
            assert_eq!(read, Handshake::decode(message.bytes, agreed));
            if let Ok(read) = read {
                let written = read.encode().expect("it had room");
                // QUIC's numbers may be written longer than they need be, and are short afterwards.
                if written != message.bytes {
                    assert!(written.len() < message.bytes.len());
                    let again = Handshake::decode(&written, agreed).expect("it was read before");
                    // Not the values: what is malformed behind a number begins earlier now.
                    assert_eq!(again.encode().as_ref(), Ok(&written));
                }
            }
        }
    }
    let (tree, message) = sslv2::Message::dissect(stream);
    covers(&tree, stream.len());
    if let Ok(message) = message {
        message.encode().expect("it had room");
    }
});

fn covers(tree: &Field, octets: usize) {
    let mut at = 0;
    for leaf in tree.leaves() {
        assert_eq!(leaf.range.start, at);
        at = leaf.range.end;
    }
    assert_eq!(at, octets);
}
