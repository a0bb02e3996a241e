//! PKCS#7 bundles, in PEM, DER and BER.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_pki::pkcs7;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = pkcs7::read(bytes) {
        // What was read is written as it is read, sorted.
        let once = pkcs7::read(&bundle.to_der()).unwrap();
        assert_eq!(once.certificates.len(), bundle.certificates.len());
        assert_eq!(once.crls.len(), bundle.crls.len());
        assert_eq!(pkcs7::read(once.to_pem().as_bytes()).unwrap(), once);
    }
});
