//! Private keys under a passphrase: PEM with headers, PKCS#8, their schemes and parameters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_pki::{Passphrase, encrypted_key};

fuzz_target!(|bytes: &[u8]| {
    let passphrase = Passphrase::from("x");
    if encrypted_key::decrypt(bytes, &passphrase).is_ok() {
        // What opens takes a passphrase, and another does not open it: but for padding by chance,
        // which makes no key.
        assert!(encrypted_key::is_encrypted(bytes));
        assert!(encrypted_key::decrypt(bytes, &"y".into()).is_err());
    }
});
