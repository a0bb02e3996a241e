//! Certificates in DER.
#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::{Certificate, HostName};

fuzz_target!(|der: &[u8]| {
    let Ok(certificate) = Certificate::from_der(der) else {
        return;
    };
    assert_eq!(certificate.der().as_ref(), der);
    let localhost = HostName::Dns("localhost".to_owned());
    let _ = (
        certificate.subject(),
        certificate.issuer(),
        certificate.common_name(),
    );
    let _ = certificate.covers(&localhost);
    for name in certificate.names() {
        assert!(name.is_wildcard() || certificate.covers(name), "{name}");
    }
    let _ = certificate
        .name_constraints()
        .map(|constraints| constraints.permits(&localhost));
    let _ = (
        certificate.renew_at(),
        certificate.is_valid_at(SystemTime::UNIX_EPOCH),
    );
    let _ = certificate.is_signed_by(&certificate);
});
