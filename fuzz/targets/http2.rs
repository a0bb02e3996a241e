//! HTTP/2: however the frames of a connection are cut, the answers are the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_server::fuzzing::converse;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, cuts) = input;
    assert_eq!(converse(&bytes, &[]), converse(&bytes, &cuts));
});
