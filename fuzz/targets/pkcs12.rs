//! PKCS#12 keystores, in DER and BER, with and without a MAC.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_pki::Passphrase;
use ravelin_pki::keystore::pkcs12;

fuzz_target!(|bytes: &[u8]| {
    for passphrase in ["", "x"] {
        if let Ok(store) = pkcs12::read(bytes, &Passphrase::from(passphrase)) {
            assert!(pkcs12::is_pkcs12(bytes));
            // No chain goes round in a circle.
            for (_, chain) in store.keys() {
                assert!(chain.len() <= 16);
            }
        }
    }
});
