//! PKCS#11 URIs, from policies, plans and the files that name a CA's key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_certs::token::TokenUri;

fuzz_target!(|text: &str| {
    match text.parse::<TokenUri>() {
        Ok(uri) => {
            let written = uri.to_string();
            assert_eq!(written.parse::<TokenUri>().as_ref(), Ok(&uri), "{written}");
            // It is one line of a file.
            assert!(
                written.bytes().all(|byte| byte.is_ascii_graphic()),
                "{written:?}"
            );
            assert!(uri.module().is_absolute() && uri.is_in(&uri));
            assert!(uri.pin_source().is_none_or(|file| file.is_absolute()));
        }
        // What stands behind the PIN's name is never repeated.
        Err(error) => {
            if let Some((_, pin)) = text.split_once("?pin-value=")
                && pin.len() > 60
            {
                assert!(!format!("{error} {error:?}").contains(pin));
            }
        }
    }
});
