//! CRLs in DER and PEM.
#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::RevocationList;

fuzz_target!(|bytes: &[u8]| {
    let Ok(lists) = RevocationList::from_file(bytes) else {
        return;
    };
    for list in lists {
        assert_eq!(RevocationList::from_der(list.der()).as_ref(), Ok(&list));
        assert_eq!(list.entries().count(), list.len());
        // To look each up takes long only where there are thousands.
        for entry in list.entries().take(200) {
            let found = list.lookup(&entry.serial_number);
            assert!(found.is_some() || !entry.certificate_issuer.is_empty());
        }
        let _ = list.is_current_at(SystemTime::UNIX_EPOCH);
        let _ = (list.number(), list.base_number(), list.freshest_crl());
        let _ = (list.unknown_critical_extension(), list.algorithms_agree());
        let _ = list.issuing_distribution_point();
    }
});
