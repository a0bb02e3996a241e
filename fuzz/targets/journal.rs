//! Lines of the journal, as anyone may have changed them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_certs::journal::{Entry, Event};

fuzz_target!(|bytes: &[u8]| {
    let Ok(entry) = Entry::from_line(bytes) else {
        return;
    };
    // What was read is one line again, and is read as it was.
    let line = entry.to_line().unwrap();
    assert_eq!(line.matches('\n').count(), 1);
    let again = Entry::from_line(line.trim_end_matches('\n').as_bytes()).unwrap();
    if !matches!(entry.event, Event::Other(_)) {
        assert_eq!(again, entry);
    }
});
