//! Records that nobody sealed, and keys that are not theirs.

use proptest::prelude::*;
use ravelin_lens::protection::{Keys, Protection};
use ravelin_wire::record::Record;
use ravelin_wire::registry::{CipherSuite, CodePoint as _, ContentType, Mac, ProtocolVersion};

proptest! {
    /// No key opens what was not sealed with it: MACs have eight octets at least, so that chance does not
    /// open one in the life of this test. All suites that are known, in all versions.
    #[test]
    fn any_octets_are_refused_and_never_shown(
        version in prop::sample::select(&[0x300_u16, 0x301, 0x302, 0x303][..]),
        fragment in prop::collection::vec(any::<u8>(), 0..400),
        content_type in any::<u8>(),
        encrypt_then_mac in any::<bool>(),
        key in any::<[u8; 48]>(),
    ) {
        let version = ProtocolVersion(version);
        let record = Record {
            content_type: ContentType(content_type),
            legacy_version: version,
            fragment: &fragment,
        };
        for mut protection in protections(version, encrypt_then_mac, &key) {
            prop_assert!(protection.open(&record).is_err(), "{protection:?}");
            prop_assert_eq!(protection.sequence(), 0);
            protection.skip(u64::MAX);
            prop_assert!(protection.open(&record).is_err(), "{protection:?}");
        }
    }
}

/// Of each cipher and MAC one.
fn protections(version: ProtocolVersion, encrypt_then_mac: bool, key: &[u8]) -> Vec<Protection> {
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for assignment in CipherSuite::REGISTRY.assignments {
        let suite = CipherSuite::from_code(assignment.code);
        let Some(cipher) = suite.cipher() else {
            continue;
        };
        let parts = (cipher, suite.mac(), suite.is_tls13());
        if seen.contains(&parts) {
            continue;
        }
        seen.push(parts);
        let mac = suite.mac().map_or(0, Mac::key_octets);
        let (key, mac_key) = (key.get(..cipher.final_key_octets()), key.get(..mac));
        if suite.is_tls13() {
            let iv = [7; 12];
            all.extend(Protection::tls13(suite, key.unwrap(), &iv));
        } else {
            let iv = vec![7; cipher.fixed_iv_octets(version)];
            let keys = Keys {
                mac_key,
                key,
                iv: Some(&iv),
            };
            all.extend(Protection::tls12(version, suite, encrypt_then_mac, keys));
        }
    }
    assert!(all.len() > 10, "{version}: {all:?}");
    all
}
