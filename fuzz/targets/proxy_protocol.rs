//! What a proxy says of the connection that it passes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_tls::proxy_protocol::{Header, read, write_v1, write_v2};

fuzz_target!(|octets: &[u8]| {
    let whole = read(octets);
    // It is read in one way, as soon as it can be.
    for cut in 0..octets.len().min(150) {
        let early = read(&octets[..cut]);
        if early != Ok(None) {
            assert_eq!(early, whole);
        }
    }
    let (header, length) = match whole {
        Ok(Some(read)) => read,
        Ok(None) => return,
        Err(error) => {
            let told = error.to_string();
            assert!(told.chars().count() < 300 && !told.contains(char::is_control));
            return;
        }
    };
    assert!(length <= octets.len());
    assert!(texts(&header).all(|text| !text.contains(char::is_control)));
    // What was read is written as it is read again, but for values that are longer than those that are written.
    let written = write_v2(&header);
    let (again, all) = read(&written).unwrap().unwrap();
    assert_eq!(all, written.len());
    if octets.len() <= 512 {
        let addresses = again.addresses;
        assert_eq!(
            again,
            Header {
                addresses,
                ..header
            }
        );
    }
    let line = write_v1(header.addresses.as_ref());
    let (of_line, _) = read(&line).unwrap().unwrap();
    assert_eq!(of_line.addresses, again.addresses);
});

/// What comes to be shown and logged.
fn texts(header: &Header) -> impl Iterator<Item = &String> {
    let tls = header.tls.iter();
    let of_tls = tls.flat_map(|tls| {
        let certificate = tls.certificate.as_ref();
        let name = certificate.and_then(|certificate| certificate.common_name.as_ref());
        [tls.version.as_ref(), tls.cipher.as_ref(), name]
    });
    header.authority.iter().chain(of_tls.flatten())
}
