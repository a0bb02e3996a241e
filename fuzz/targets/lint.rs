//! Certificates in DER, one behind the other, and the time that they are judged at.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use ravelin_pki::Certificate;
use ravelin_pki::lint::{self, Consumer, Options};

fuzz_target!(|input: (Vec<Vec<u8>>, u32, Option<bool>)| {
    let (ders, now, public) = input;
    let chain: Vec<_> = ders
        .iter()
        .take(8)
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.into());
    let report = lint::lint(&chain, now, Options { public });
    for finding in report.findings() {
        assert!(finding.certificate < chain.len());
        let text = finding.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.len() < 2000, "{text}");
    }
    for consumer in Consumer::ALL {
        assert!(report.refusals(consumer).count() <= report.findings().len());
    }
});
