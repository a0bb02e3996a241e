//! PEM files, as users give them: certificates and keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_pki::{Certificate, PrivateKey, pem};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificates) = pem::certificates(bytes) {
        // What was read is written as it is read.
        let written: String = certificates
            .iter()
            .map(|der| pem::encode("CERTIFICATE", der))
            .collect();
        assert_eq!(pem::certificates(written.as_bytes()).unwrap(), certificates);
        for der in &certificates {
            let _ = Certificate::from_der(der);
        }
    }
    let _ = pem::private_key(bytes).map(|key| PrivateKey::from_der(&key));
});
