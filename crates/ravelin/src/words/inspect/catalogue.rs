//! The shape of the catalogue: each language fills the same structure, so that the compiler sees that nothing is
//! forgotten.
//!
//! Sentences have places for values, `{count}` say. What varies in number stands twice, for one and for many.

use ravelin_lens::explain::{Language, fill_in};

use super::chinese::CHINESE;
use super::english::ENGLISH;

/// A catalogue: its shape, and for tests all that is in it.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($field:ident,)* }) => {
        $(#[$meta])*
        pub(super) struct $name {
            $(pub(super) $field: &'static str,)*
        }

        #[cfg(test)]
        impl $name {
            /// All texts with their names.
            pub(super) fn texts(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($field), self.$field)),*]
            }
        }
    };
}

pub(super) use words;

words! {
    /// What `ravelin inspect` says beside the explorer, in one language.
    Words {
        error, warning, hint, unknown_log, unlisted_log, exported_sealed, exported_cut, connected, written, second_connection, both_connections, continued_exchange, continued_psk,
        continued_ticket, continued_session, anew_no_ticket, anew_refused, first, second, handshake_octets,
        flights, milliseconds, listening, open, client, client_failed, client_left, client_silent, client_alert,
        not_accepted, plain_http, ssh, sslv2, proxy_header, dtls, no_tls, no_hello, offers, ja4, ja4_raw,
        ja3, ja3_text, closest, alike, none, asks_for, no_name, versions, hello, suites, groups, signatures,
        shares, extensions, stands_out, alpn, alpn_none, grease, grease_yes, ech, ech_outer, ech_inner, no,
        refuses, refuses_none, refuses_version, refuses_rsa, refuses_ecdsa, refuses_ed25519, refuses_group,
        refuses_suite, refuses_static, refuses_http2, refuses_nameless, number, between, version, suite,
        group, checks, name, remarks, comma, resumed, quic, wrong_keys, sealed, alert, reset, cut, closed, not_ended, total, tls_one,
        tls_many, without_keys, sealed_one, sealed_many, one_whole, place, headless, preface, odd_one, odd_many, bad_line, bad_lines,
        line_too_long, line_shape, line_label, line_random, line_secret, line_labels,
    }
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }
}

/// A sentence for one or for many, with the number and other values in it.
pub(super) fn counted(
    number: u64,
    [one, many]: [&'static str; 2],
    values: &[(&str, &str)],
) -> String {
    let count = number.to_string();
    let mut all = vec![("count", &*count)];
    all.extend_from_slice(values);
    fill_in(if number == 1 { one } else { many }, &all)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::errors;
    use super::{CHINESE, ENGLISH};

    fn places(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    fn is_chinese(character: char) -> bool {
        matches!(character, '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
    }

    /// Names of fingerprints and protocols, and what is nothing but values, are the same everywhere.
    const SAME: [&str; 10] = [
        "ja4", "ja3", "alpn", "grease", "ech", "hello", "quic", "bad_file", "capture", "quoted",
    ];

    fn same_and_apart(
        english: &[(&'static str, &'static str)],
        chinese: &[(&'static str, &'static str)],
    ) {
        assert_eq!(english.len(), chinese.len());
        for ((name, english), (_, chinese)) in english.iter().zip(chinese) {
            assert!(!english.is_empty() && !chinese.is_empty(), "{name}");
            assert_eq!(places(english), places(chinese), "{name}");
            assert!(!english.contains(is_chinese), "{name}: {english}");
            let says_something = SAME.contains(name) || chinese.contains(is_chinese);
            assert!(says_something, "{name}: {chinese}");
        }
    }

    #[test]
    fn both_languages_have_the_same_places_for_values_and_no_sentence_of_the_other() {
        same_and_apart(&ENGLISH.texts(), &CHINESE.texts());
        let [english, chinese] = errors::texts();
        same_and_apart(&english, &chinese);
    }
}
