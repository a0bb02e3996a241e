//! What a proxy says of the connection that it passes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_tls::proxy_protocol::{read, write_v1, write_v2};

fuzz_target!(|octets: &[u8]| {
    let whole = read(octets);
    // It is read in one way, as soon as it can be.
    for cut in 0..octets.len().min(150) {
        let early = read(&octets[..cut]);
        if early != Ok(None) {
            assert_eq!(early, whole);
        }
    }
    let Ok(Some((header, length))) = whole else {
        return;
    };
    assert!(length <= octets.len());
    // What was read is written as it is read again, but for values that are longer than those that are written.
    let written = write_v2(&header);
    let (again, all) = read(&written).unwrap().unwrap();
    assert_eq!(all, written.len());
    if let Some(authority) = again.authority {
        assert!(!authority.contains(char::is_control));
        assert_eq!(Some(authority), header.authority);
    }
    let line = write_v1(header.addresses.as_ref());
    let (of_line, _) = read(&line).unwrap().unwrap();
    assert_eq!(of_line.addresses, again.addresses);
});
