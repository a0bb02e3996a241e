//! The link that a plain request on the HTTPS port is answered with: nothing in it means anything
//! but itself in a page or on a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|request: &[u8]| {
    if let Some(link) = ravelin_server::fuzzing::https_link(request) {
        assert!(link.starts_with("https://"), "{link:?}");
        assert!(link.bytes().all(|byte| byte.is_ascii_graphic()), "{link:?}");
        assert!(!link.contains(['<', '>', '"', '\'', '\\', '`']), "{link:?}");
    }
});
