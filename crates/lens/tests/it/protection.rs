//! Records, opened with keys that others made: those of RFC 8448, and of openssl and gnutls.

use ravelin_lens::protection::{Keys, OpenError, Protection};
use ravelin_wire::alert::Alert;
use ravelin_wire::record::{Next, Record};
use ravelin_wire::registry::{AlertDescription, CipherSuite, ContentType, ProtocolVersion};

use crate::rfc8448::octets;

mod broken;
mod peers;

/// RFC 8448, section 3: what the client sends under its application traffic keys.
#[test]
fn the_application_data_of_rfc_8448_opens() {
    let data = octets(
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a\
         20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
    );
    let alert = octets("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3");
    let mut keys = rfc8448_keys();
    let opened = keys.open(&record(&data)).unwrap();
    let counted: Vec<u8> = (0..50).collect();
    assert_eq!(*opened.content, counted);
    assert_eq!(opened.content_type, ContentType::APPLICATION_DATA);
    assert_eq!(opened.padding, 0);
    assert_eq!(opened.nonce, *octets("5b78923dee08579033e523d9"));
    assert_eq!(opened.additional_data, [0x17, 3, 3, 0, 0x43]);
    assert_eq!(keys.sequence(), 1);

    let opened = keys.open(&record(&alert)).unwrap();
    assert_eq!(opened.content_type, ContentType::ALERT);
    assert_eq!(opened.nonce, *octets("5b78923dee08579033e523d8"));
    let alert = Alert::dissect(&opened.content).1.unwrap();
    assert_eq!(alert.description, AlertDescription::CLOSE_NOTIFY);
}

#[test]
fn a_record_that_does_not_open_leaves_the_next_its_number() {
    let alert = octets("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3");
    let mut keys = rfc8448_keys();
    assert_eq!(keys.open(&record(&alert)), Err(OpenError::NotAuthentic));
    assert_eq!(keys.sequence(), 0);
    keys.skip(1);
    assert!(keys.open(&record(&alert)).is_ok());
}

#[test]
fn keys_are_not_shown() {
    let shown = format!("{:?}", rfc8448_keys());
    assert!(shown.contains("TLS_AES_128_GCM_SHA256"), "{shown}");
    assert!(!shown.contains("23"), "{shown}");
    let keys = Keys {
        key: Some(&[23]),
        ..Keys::default()
    };
    assert!(!format!("{keys:?}").contains("23"));
}

#[test]
fn keys_of_other_lengths_and_ciphers_of_other_versions_are_refused() {
    let suite = CipherSuite::TLS_AES_128_GCM_SHA256;
    assert!(Protection::tls13(suite, &[0; 32], &[0; 12]).is_none());
    assert!(Protection::tls13(suite, &[0; 16], &[0; 4]).is_none());
    let cbc = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    assert!(Protection::tls13(cbc, &[0; 16], &[0; 12]).is_none());
    let keys = |mac_key, key, iv| Keys {
        mac_key: Some(mac_key),
        key: Some(key),
        iv: Some(iv),
    };
    let tls12 = |version, suite, keys| Protection::tls12(version, suite, false, keys).is_some();
    let (old, new) = (ProtocolVersion::TLS_1_0, ProtocolVersion::TLS_1_2);
    assert!(tls12(old, cbc, keys(&[0; 20], &[0; 16], &[0; 16])));
    assert!(tls12(new, cbc, keys(&[0; 20], &[0; 16], &[])));
    assert!(!tls12(old, cbc, keys(&[0; 20], &[0; 16], &[])));
    assert!(!tls12(old, cbc, keys(&[0; 16], &[0; 16], &[0; 16])));
    assert!(!tls12(old, cbc, keys(&[0; 20], &[0; 32], &[0; 16])));
    let gcm = CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256;
    assert!(tls12(new, gcm, keys(&[], &[0; 16], &[0; 4])));
    assert!(!tls12(old, gcm, keys(&[], &[0; 16], &[0; 4])));
    assert!(!tls12(new, suite, keys(&[], &[0; 16], &[0; 4])));
}

/// The client's application traffic keys of RFC 8448, section 3.
fn rfc8448_keys() -> Protection {
    let key = octets("17422dda596ed5d9acd890e3c63f5051");
    let iv = octets("5b78923dee08579033e523d9");
    Protection::tls13(CipherSuite::TLS_AES_128_GCM_SHA256, &key, &iv).unwrap()
}

fn record(bytes: &[u8]) -> Record<'_> {
    match Record::next(bytes) {
        Next::Record(record) => record,
        other => panic!("{other:?}"),
    }
}
