//! Keystores and bundles that were cut off, changed, or made to cost time and memory.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use proptest::prelude::*;
use ravelin_pki::der::{Tag, Writer};
use ravelin_pki::keystore::{jks, pkcs12};
use ravelin_pki::pbe::PbeError;
use ravelin_pki::pkcs7::{self, Bundle};
use ravelin_pki::{KeyStoreError, Passphrase, oid::Oid};

use crate::identity::Identity;
use crate::peers::python;

struct Files {
    /// With a MAC, and of one round, so that many can be tried.
    pkcs12: Vec<u8>,
    without_mac: Vec<u8>,
    jks: Vec<u8>,
    pkcs7: Vec<u8>,
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let identity = Identity::new("x");
        let folder = &identity.folder;
        for (name, more) in [("mac", "-nomaciter"), ("plain", "-nomac")] {
            let export = format!(
                "pkcs12 -export -inkey leaf.key -in chain.pem -name leaf -iter 1 \
                 -passout file:pass -out {name} {more}"
            );
            folder.run(&export).unwrap();
        }
        let bundle = Bundle {
            certificates: identity.chain.clone(),
            crls: Vec::new(),
        };
        let store = identity.store("leaf");
        Files {
            pkcs12: folder.read("mac"),
            without_mac: folder.read("plain"),
            jks: jks::write(&store, &"x".into(), SystemTime::UNIX_EPOCH).unwrap(),
            pkcs7: bundle.to_der(),
        }
    })
}

/// Changes one bit, and reads before and behind it.
fn flipped(file: &[u8], place: usize, bit: u8) -> Vec<u8> {
    let mut file = file.to_vec();
    let place = place % file.len();
    file[place] ^= 1 << bit;
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_bit_is_never_read_as_something_else(
        place in 0..100_000_usize,
        bit in 0..8_u8,
    ) {
        let files = files();
        let passphrase = Passphrase::from("x");
        let original = pkcs12::read(&files.pkcs12, &passphrase).unwrap();
        let changed = pkcs12::read(&flipped(&files.pkcs12, place, bit), &passphrase);
        // The MAC's algorithm has parameters that say nothing, and may say anything.
        prop_assert!(changed.is_err() || changed.as_ref() == Ok(&original), "{changed:?}");
        let changed = jks::read(&flipped(&files.jks, place, bit), &passphrase);
        prop_assert!(changed.is_err(), "{changed:?}");
        // Nothing protects these: what comes out may differ, or not come out.
        let changed = pkcs12::read(&flipped(&files.without_mac, place, bit), &passphrase);
        if let Ok(changed) = changed {
            prop_assert!(changed.entries.len() <= original.entries.len() + 3);
        }
        let _ = pkcs7::read(&flipped(&files.pkcs7, place, bit));
    }

    #[test]
    fn what_is_cut_off_is_refused(cut in 0..100_000_usize) {
        let files = files();
        let passphrase = Passphrase::from("x");
        let cut = |file: &'static [u8]| &file[..cut % file.len()];
        prop_assert!(pkcs12::read(cut(&files.pkcs12), &passphrase).is_err());
        prop_assert!(pkcs12::read(cut(&files.without_mac), &passphrase).is_err());
        prop_assert!(jks::read(cut(&files.jks), &passphrase).is_err());
        prop_assert!(pkcs7::read(cut(&files.pkcs7)).is_err());
    }

    #[test]
    fn anything_at_all_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let passphrase = Passphrase::empty();
        let behind = |start: &[u8]| [start, &bytes].concat();
        prop_assert!(pkcs12::read(&behind(&[0x30, 0x80, 2, 1, 3]), &passphrase).is_err());
        prop_assert!(jks::read(&behind(&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]), &passphrase).is_err());
        prop_assert!(pkcs7::read(&behind(&[0x30, 0x80])).is_err());
    }
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

/// A PKCS#12 file: parts, and behind them a MAC of so many rounds.
fn pkcs12_of(parts: impl FnOnce(&mut Writer), mac: Option<u64>) -> Vec<u8> {
    let mut safe = Writer::new();
    safe.sequence(parts);
    let mut pfx = Writer::new();
    pfx.sequence(|w| {
        w.unsigned(3);
        w.sequence(|w| {
            w.oid(&oid("1.2.840.113549.1.7.1"));
            w.constructed(Tag::context_constructed(0), |w| {
                w.octet_string(safe.bytes());
            });
        });
        if let Some(rounds) = mac {
            w.sequence(|w| {
                w.sequence(|w| {
                    w.sequence(|w| w.oid(&oid("1.3.14.3.2.26")));
                    w.octet_string(&[0; 20]);
                });
                w.octet_string(&[0; 8]);
                w.unsigned(rounds);
            });
        }
    });
    pfx.into_bytes()
}

/// Plain data with key bags, each under so many rounds.
fn keys(writer: &mut Writer, count: usize, rounds: u64) {
    let mut bags = Writer::new();
    bags.sequence(|w| {
        for _ in 0..count {
            w.sequence(|w| {
                w.oid(&oid("1.2.840.113549.1.12.10.1.2"));
                w.constructed(Tag::context_constructed(0), |w| {
                    w.sequence(|w| {
                        w.sequence(|w| {
                            w.oid(&oid("1.2.840.113549.1.12.1.3"));
                            w.sequence(|w| {
                                w.octet_string(&[0; 8]);
                                w.unsigned(rounds);
                            });
                        });
                        w.octet_string(&[0; 8]);
                    });
                });
            });
        }
    });
    writer.sequence(|w| {
        w.oid(&oid("1.2.840.113549.1.7.1"));
        w.constructed(Tag::context_constructed(0), |w| {
            w.octet_string(bags.bytes());
        });
    });
}

#[test]
fn a_keystore_cannot_ask_for_minutes() {
    let begin = Instant::now();
    for file in [
        pkcs12_of(|_| {}, Some(50_000_001)),
        pkcs12_of(|_| {}, Some(u64::from(u32::MAX))),
        pkcs12_of(|_| {}, Some(u64::MAX)),
        pkcs12_of(|w| keys(w, 1, 1 << 31), None),
    ] {
        let error = pkcs12::read(&file, &"x".into()).unwrap_err();
        assert_eq!(error, KeyStoreError::Encryption(PbeError::TooCostly));
    }
    assert!(begin.elapsed().as_secs() < 2, "{:?}", begin.elapsed());
    // Nor in many parts: what does not open ends it, what is not encrypted costs nothing.
    let many = pkcs12_of(|w| keys(w, 9_000, 1_000_000), None);
    let error = pkcs12::read(&many, &"x".into()).unwrap_err();
    assert_eq!(error, KeyStoreError::WrongPassphrase);
}

#[test]
fn a_keystore_cannot_be_nested_or_numerous_without_end() {
    let plain = |bags: &[u8]| {
        pkcs12_of(
            |w| {
                w.sequence(|w| {
                    w.oid(&oid("1.2.840.113549.1.7.1"));
                    w.constructed(Tag::context_constructed(0), |w| w.octet_string(bags));
                });
            },
            None,
        )
    };
    let mut nested = vec![0x30, 0];
    for _ in 0..6 {
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.sequence(|w| {
                w.oid(&oid("1.2.840.113549.1.12.10.1.6"));
                w.constructed(Tag::context_constructed(0), |w| w.raw(&nested));
            });
        });
        nested = writer.into_bytes();
    }
    let error = pkcs12::read(&plain(&nested), &"".into()).unwrap_err();
    assert!(matches!(error, KeyStoreError::TooDeep), "{error:?}");

    let mut numerous = Writer::new();
    numerous.sequence(|w| {
        for _ in 0..10_001 {
            w.sequence(|w| {
                w.oid(&oid("1.2.840.113549.1.12.10.1.3"));
                w.constructed(Tag::context_constructed(0), |w| {
                    w.sequence(|w| {
                        w.oid(&oid("1.2.840.113549.1.9.22.1"));
                        w.constructed(Tag::context_constructed(0), |w| w.octet_string(&[0x30, 0]));
                    });
                });
            });
        }
    });
    let error = pkcs12::read(&plain(numerous.bytes()), &"".into()).unwrap_err();
    assert_eq!(error, KeyStoreError::TooMany);

    // A number of entries that nothing follows costs no memory.
    let mut jks = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff];
    jks.extend([0; 40]);
    let error = ravelin_pki::keystore::jks::read(&jks, &"".into()).unwrap_err();
    assert!(matches!(error, KeyStoreError::Damaged { .. }), "{error:?}");
}

/// No program at hand writes PBMAC1: Python's `hashlib` makes one over what openssl wrote.
#[test]
fn a_mac_by_pbmac1_is_verified() {
    let identity = Identity::new("pässwörd");
    let folder = &identity.folder;
    folder
        .run(
            "pkcs12 -export -inkey leaf.key -in chain.pem -name leaf -nomac -passout file:pass \
             -out plain.p12",
        )
        .unwrap();
    for (hash, arcs, key) in [("sha256", 9, 32), ("sha512", 11, 64), ("sha256", 9, 20)] {
        let arguments = [folder.name(), hash, &arcs.to_string(), &key.to_string()];
        python(PBMAC1, &arguments);
        let file = folder.read("pbmac1.p12");
        let store = pkcs12::read(&file, &"pässwörd".into());
        identity.assert_in(&store.unwrap(), hash);
        let wrong = pkcs12::read(&file, &"wrong".into());
        assert_eq!(wrong, Err(KeyStoreError::WrongPassphrase));
    }
    // A short key could be guessed without the passphrase.
    python(PBMAC1, &[folder.name(), "sha256", "9", "19"]);
    let error = pkcs12::read(&folder.read("pbmac1.p12"), &"pässwörd".into()).unwrap_err();
    let nonsense = matches!(error, KeyStoreError::Encryption(PbeError::Nonsense { .. }));
    assert!(nonsense, "{error:?}");
}

const PBMAC1: &str = r"
import hashlib, hmac, os, sys
os.chdir(sys.argv[1])
hash, arc, octets = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
def tlv(tag, *parts):
    content = b''.join(parts)
    length = len(content)
    if length < 128: return bytes([tag, length]) + content
    count = (length.bit_length() + 7) // 8
    return bytes([tag, 128 | count]) + length.to_bytes(count, 'big') + content
def take(der):
    length, start = der[1], 2
    if length > 127:
        start = 2 + (length & 127)
        length = int.from_bytes(der[2:start], 'big')
    return der[start:start + length]
oid = lambda text: tlv(6, bytes.fromhex(text))
passphrase = open('pass', 'rb').read().rstrip(b'\n')
outer = take(open('plain.p12', 'rb').read())
safe = take(outer[3:])       # behind the version: type, [0] content
content = take(take(safe[2 + safe[1]:]))
prf = tlv(0x30, oid('2a864886f70d02%02x' % arc), tlv(5))
salt = b'saltsalt'
derivation = tlv(0x30, oid('2a864886f70d01050c'),
    tlv(0x30, tlv(4, salt), tlv(2, b'\x08\x00'), tlv(2, bytes([octets])), prf))
algorithm = tlv(0x30, oid('2a864886f70d01050e'), tlv(0x30, derivation, prf))
key = hashlib.pbkdf2_hmac(hash, passphrase, salt, 2048, octets)
mac = hmac.new(key, content, hash).digest()
data = tlv(0x30, tlv(0x30, algorithm, tlv(4, mac)), tlv(4, b'NOT USED'), tlv(2, b'\x01'))
open('pbmac1.p12', 'wb').write(tlv(0x30, outer, data))
";
