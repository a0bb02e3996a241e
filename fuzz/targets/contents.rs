//! Files of any kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_pki::contents::{self, Item};

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = contents::read(bytes, &mut |_| None) else {
        return;
    };
    assert!(!read.items.is_empty());
    let certificates = read.certificates();
    let order = contents::ordered(&certificates, None);
    assert!(order.len() <= certificates.len());
    for index in order {
        // What is sound is found again in the form that it is written in.
        let again = contents::read(certificates[index].der(), &mut |_| None).unwrap();
        assert!(matches!(again.items[0].item, Item::Certificate(_)));
    }
});
