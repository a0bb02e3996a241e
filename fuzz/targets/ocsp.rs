//! OCSP requests and responses.
#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::{OcspRequest, OcspResponse};

fuzz_target!(|der: &[u8]| {
    if let Ok(request) = OcspRequest::from_der(der) {
        assert!((1..=100).contains(&request.cert_ids().len()));
        let again = OcspRequest::create(request.cert_ids(), request.nonce());
        let read = OcspRequest::from_der(again.der()).expect("what is written is read");
        assert_eq!(read.cert_ids(), request.cert_ids());
        assert_eq!(read.nonce(), request.nonce());
    }
    if let Ok(response) = OcspResponse::from_der(der)
        && let Some(basic) = response.basic()
    {
        let _ = basic.nonce();
        for certificate in &basic.certificates {
            let _ = basic.responder_of(certificate, SystemTime::UNIX_EPOCH);
            let _ = response.verify(certificate, certificate, None, SystemTime::UNIX_EPOCH);
        }
    }
});
