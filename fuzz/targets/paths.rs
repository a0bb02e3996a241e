//! Request paths: what is let through does not leave the folder.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let Some(relative) = ravelin_server::fuzzing::path(raw) else {
        return;
    };
    assert!(!relative.starts_with(b"/"), "{raw:?}");
    assert!(!relative.contains(&0), "{raw:?}");
    for segment in relative.split(|byte| *byte == b'/') {
        assert!(segment != b"." && segment != b"..", "{raw:?}");
    }
});
