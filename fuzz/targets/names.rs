//! Host names and mailboxes, from the command line and from requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_pki::distinguished_name::unprintable;
use ravelin_pki::{HostName, Mailbox};

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<HostName>() {
        let written = name.to_string();
        assert_eq!(written.parse::<HostName>().as_ref(), Ok(&name), "{written}");
        assert!(
            written.bytes().all(|byte| byte.is_ascii_graphic()),
            "{written:?}"
        );
        let _ = (name.is_private(), name.is_wildcard(), name.covers(&name));
    }
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        let written = mailbox.to_string();
        assert_eq!(written.parse().as_ref(), Ok(&mailbox), "{written}");
        assert!(!written.chars().any(unprintable), "{written:?}");
    }
    if let Some(unicode) = ravelin_pki::name::in_unicode(text) {
        // It is shown on terminals.
        assert!(!unicode.chars().any(unprintable), "{unicode:?}");
        assert!(!unicode.is_ascii(), "{unicode:?}");
    }
    if let Some(host) = ravelin_server::fuzzing::host(text) {
        // It is put into redirects and pages.
        assert!(
            host.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)),
            "{host:?}"
        );
        assert_eq!(ravelin_server::fuzzing::host(&host).as_ref(), Some(&host));
    }
});
