//! Key logs, and where they are cut: the cut changes nothing, and each line is good, bad, or says nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_lens::keylog::{KeyLog, MAX_TOLD};

fuzz_target!(|data: &[u8]| {
    let Some((cut, log)) = data.split_first_chunk::<2>() else {
        return;
    };
    let whole = KeyLog::of(log);
    let cut = usize::from(u16::from_be_bytes(*cut)) % (log.len() + 1);
    let mut parts = KeyLog::default();
    parts.push(&log[..cut]);
    parts.push(&log[cut..]);
    parts.finish();
    assert_eq!(parts.len(), whole.len());
    assert_eq!(parts.bad_lines(), whole.bad_lines());
    let lines = log.split(|octet| *octet == b'\n').count() as u64;
    assert!(whole.len() as u64 + whole.bad() <= lines);
    assert!(whole.bad_lines().len() <= MAX_TOLD);
});
