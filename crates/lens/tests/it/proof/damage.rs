//! Keys, signatures and promises of any octets: a verdict that they do not hold, and no panic.

use proptest::prelude::*;
use ravelin_lens::ledger::Side;
use ravelin_lens::proof::{HandshakeSignature, Logs, Signer, timestamps};
use ravelin_lens::story::Verdict;
use ravelin_pki::der::{Tag, Writer};
use ravelin_wire::handshake::DigitallySigned;
use ravelin_wire::registry::{CodePoint as _, ProtocolVersion, SignatureScheme};

/// `rsaEncryption` (RFC 3279, section 2.3.1) and `id-dsa` (section 2.3.2).
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// RSA and DSA are worked out here: their keys are any numbers, as long as chance confirms nothing.
    #[test]
    fn keys_of_any_numbers_confirm_nothing(
        numbers in prop::collection::vec(prop::collection::vec(any::<u8>(), 20..140), 6),
        signature in prop::collection::vec(any::<u8>(), 0..140),
        version in prop::sample::select(&[0x300_u16, 0x301, 0x303, 0x304][..]),
    ) {
        let mut rsa = Writer::new();
        rsa.sequence(|w| numbers[..2].iter().for_each(|number| w.positive(number)));
        let mut dsa = Writer::new();
        dsa.positive(&numbers[3]);
        let mut made = Writer::new();
        made.sequence(|w| numbers[4..].iter().for_each(|number| w.positive(number)));
        let spkis = [
            spki(RSA, Writer::null, rsa.bytes()),
            spki(
                DSA,
                |w| w.sequence(|w| numbers[..3].iter().for_each(|number| w.positive(number))),
                dsa.bytes(),
            ),
            signature.clone(),
        ];
        let version = ProtocolVersion(version);
        let schemes = SignatureScheme::REGISTRY.assignments.iter();
        let schemes = schemes.map(|assignment| Some(SignatureScheme::from_code(assignment.code)));
        for algorithm in schemes.chain([None]) {
            for signature in [&signature[..], made.bytes()] {
                let signed = DigitallySigned { algorithm, signature };
                for spki in &spkis {
                    let signature = HandshakeSignature {
                        version,
                        side: Side::Client,
                        signer: Signer::RawKey(spki),
                        signed: &signed,
                        offered: None,
                    };
                    prop_assert_ne!(signature.over_hash(b"hash"), Verdict::Confirmed);
                    let messages = signature.over_messages(&[b"messages"], Some(b"secret"));
                    prop_assert_ne!(messages, Verdict::Confirmed);
                }
            }
        }
    }

    #[test]
    fn lists_and_promises_of_any_octets_are_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Logs::from_json(&octets).is_err());
        let chain = [octets.clone(), octets.clone()];
        let seen = timestamps(&chain, Some(&octets), &[&octets], &Logs::default());
        prop_assert!(seen.is_empty());
    }
}

fn spki(oid: &[u8], parameters: impl FnOnce(&mut Writer), bits: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence(|w| {
        w.sequence(|w| {
            w.primitive(Tag::OBJECT_IDENTIFIER, oid);
            parameters(w);
        });
        w.octet_bits(bits);
    });
    writer.into_bytes()
}
