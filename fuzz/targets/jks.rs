//! Java's keystores: JKS and JCEKS.
#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use ravelin_pki::Passphrase;
use ravelin_pki::keystore::jks;

fuzz_target!(|bytes: &[u8]| {
    let passphrase = Passphrase::from("x");
    if let Ok(store) = jks::read(bytes, &passphrase)
        // Two names of a file may be one to Java.
        && let Ok(written) = jks::write(&store, &passphrase, SystemTime::UNIX_EPOCH)
    {
        let again = jks::read(&written, &passphrase).unwrap();
        assert_eq!(again.entries.len(), store.entries.len());
    }
});
