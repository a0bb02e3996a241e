//! The shape of the catalogue: each language fills the same structures, so that the compiler sees that
//! nothing is forgotten.
//!
//! Sentences have places for values, `{suite}` say. What varies in number stands twice, for one and
//! for many. Tables are looked into by name or number; a test holds those of all languages together.

use std::fmt::Write as _;

/// All words of one language.
pub(crate) struct Catalogue {
    pub(crate) labels: Labels,
    pub(crate) phrases: Phrases,
    pub(crate) counts: Counts,
    pub(crate) says: Says,
    pub(crate) reasons: Reasons,
    pub(crate) values: Values,
    pub(crate) problems: Problems,
    pub(crate) derivations: Derivations,
    pub(crate) findings: Findings,
    pub(crate) chains: Chains,
    pub(crate) encodings: Encodings,
    pub(crate) faults: Faults,
    pub(crate) whole: Whole,
    pub(crate) weaknesses: Weaknesses,
    pub(crate) page: PageWords,
    /// What fields are: by name, or by `parent.name` where the name alone says too little.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// What extensions are for, by their type.
    pub(crate) extensions: &'static [(u16, &'static str)],
    /// What alerts say, by their description.
    pub(crate) alerts: &'static [(u8, &'static str)],
    /// What messages are that are told of by name alone.
    pub(crate) rare_messages: &'static [(u8, &'static str)],
    /// What derived quantities are, by name.
    pub(crate) quantities: &'static [(&'static str, Reason)],
    /// What the judge of certificates names by a word or two, by its own words.
    pub(crate) terms: &'static [(&'static str, &'static str)],
}

/// Why something is there, and what would be without it. Of a quantity: what it is, and what for.
pub(crate) struct Reason {
    pub(crate) why: &'static str,
    pub(crate) without: &'static str,
}

/// What can be counted: `{}` is the number.
pub(crate) struct Count {
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
}

/// A weakness: what it is, and how it is mended.
pub(crate) struct Advice {
    pub(crate) what: &'static str,
    pub(crate) mend: &'static str,
}

/// Is shown every text, with where it stands.
#[cfg(test)]
pub(crate) trait Texts {
    fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str));
}

macro_rules! words {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident: $text:ty { $($field:ident,)* })*) => {$(
        $(#[$meta])*
        #[allow(missing_docs, reason = "each is named after what it says")]
        $vis struct $name {
            $($vis $field: $text,)*
        }

        #[cfg(test)]
        impl Texts for $name {
            fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str)) {
                $(self.$field.visit(&format!("{path}.{}", stringify!($field)), see);)*
            }
        }
    )*};
}

words! {
    /// Headings, names of columns and the like, for all faces.
    #[derive(Debug)]
    pub struct Labels: &'static str {
        title, client, server, octets, records, record, step, steps, version, suite, group,
        signature, protocol, why, without, fields, hex, checks, check, derived, key_schedule,
        formula, result, unknown, hidden, whole, agreed, round_trips, duration,
        forward_secrecy, key_exchange_post_quantum, authentication_post_quantum, passive,
        active, chain, weakest, weaknesses, faults, offset, end, key, nonce, sequence,
        additional_data, padding, clear, early_data, handshake_keys, application_keys,
        confirmed, refuted, not_derivable, stated, recommended, special, legacy, broken,
        grease, unassigned, note, minor, serious, critical, sealed, contents, inputs, complete,
        plain, colon,
    }

    /// What the page says besides: see [`crate::page`].
    #[derive(Debug)]
    pub struct PageWords: &'static str {
        skip, contents, intro, intro_visitor, secrets_shown, secrets_hidden, help,
        help_tree, help_graph, more_connections, connection, more_steps, more_octets, more_fields,
        more_records, more_quantities, round_trips, forward_secret, quantum_safe, yes, partly, no,
        diagram, diagram_description, graph_description, used_for, used_of, tested, carries,
        verdict, made_by, secret_left_out, failed,
    }

    /// What joins words to sentences.
    pub(crate) struct Phrases: &'static str {
        the_client, the_server, the_client_first, the_server_first, and_two, and_last, comma, clause, quote, semicolon,
        stop, and_more, nothing, unknown_value, or_none,
    }

    /// What is counted.
    pub(crate) struct Counts: Count {
        octets, following, suites, certificates, records, keys, seconds, minutes, hours, days, years,
        cas, authorities, bits, round_trips, microseconds, milliseconds,
    }

    /// What each message says.
    pub(crate) struct Says: &'static str {
        offers, offers_again, offer_share, offer_shares, offer_no_shares, offer_groups, offer_psks, offer_early_data,
        offer_protocols, asks_for, asks_for_nobody, asks_outer, asks_greased, chooses, choose_share, choose_psk,
        resumes_session, retries, retry_group, retry_cookie, retry_other, encrypted_extensions,
        no_encrypted_extensions, answer_protocol, answer_early_data, answer_name, answer_certificate,
        answer_others, certificates, certificate_subject, raw_public_key, no_certificates,
        compressed_certificate, asks_certificate, asks_certificate_schemes, asks_certificate_authorities,
        status, status_other, exchange_group, exchange_prime, exchange_rsa, exchange_psk, exchange_password,
        exchange_other, exchange_signed, exchange_unsigned, hello_done, client_share, client_encrypts,
        client_psk, client_empty, client_other, signs, signs_unnamed, finished, early_over, ticket_tls13,
        ticket_lifetime, ticket_early_data, ticket_tls12, ticket_hint, updates_keys,
        updates_keys_both, hello_request, next_protocol, other_message, changes_cipher, changes_nothing,
        alert_closes, alert_fatal, alert_warning, heartbeat_asks, heartbeat_answers, heartbeat_lies,
        application_data, early_application_data, clear_application_data, sslv2_client_hello,
        sslv2_server_hello, sslv2_error, sealed, sealed_no_keys, sealed_wrong_keys, sealed_wrong_keys_at_once,
        sealed_lost, sealed_unknown_cipher, other_record, foreign, unreadable,
    }

    /// Why each message exists, and what an attacker could do without it.
    pub(crate) struct Reasons: Reason {
        client_hello, client_hello_again, server_hello_tls13, server_hello_tls12, hello_retry_request,
        encrypted_extensions, server_certificate_tls13, server_certificate_tls12, client_certificate,
        compressed_certificate, certificate_request, certificate_status, server_key_exchange,
        server_hello_done, client_key_exchange, server_certificate_verify, client_certificate_verify,
        server_finished_tls13, client_finished_tls13, server_finished_tls12, client_finished_tls12,
        end_of_early_data, new_session_ticket_tls13, new_session_ticket_tls12, key_update, hello_request,
        next_protocol, rare_message, unknown_message, change_cipher_spec_tls13, change_cipher_spec_tls12,
        close_notify, fatal_alert, warning_alert, heartbeat, application_data, early_application_data,
        sslv2_client_hello, sslv2_server_hello, sslv2_error, sealed, other_record, foreign,
    }

    /// What the octets of fields mean.
    pub(crate) struct Values: &'static str {
        code, grease, unassigned_code, number, milliseconds_since_1970, unread, wrong,
        extension_unknown, extension_grease, field_unknown,
    }

    /// What is wrong with octets.
    pub(crate) struct Problems: &'static str {
        at, truncated, too_long, trailing, uneven, empty, size, value, other,
    }

    /// How quantities come about, and how sure they are.
    pub(crate) struct Derivations: &'static str {
        given, name_empty_hash, name_ticket_psk, zeros, transcript, transcript_of, of_client, of_server, part, stated, confirmed,
        refuted, not_derivable, not_derivable_given, by_key_log, by_recorder, by_decryption, by_peer,
        quantity_unknown, ssl3_inside,     }

    /// What was put to the test, and what came out.
    pub(crate) struct Findings: &'static str {
        finished, handshake_signature, share_signature, binder, chain, certificate_timestamp, no_downgrade,
        retry_kept, records, shared_secret, confirmed, refuted, not_derivable, differs, bad_signature,
        wrong_key_for_scheme, scheme_not_offered, bad_certificate, bad_chain, downgraded, changed_hello,
        missing_keys, missing_transcript, missing_certificate, missing_psk, missing_log_key, missing_roots,
        missing_algorithm, timestamp_in_certificate, timestamp_in_ocsp, timestamp_in_handshake, log_unknown,
        log_known, log_since, log_pending, log_qualified, log_usable, log_read_only, log_retired, log_rejected,
        log_no_state,
    }

    /// What is wrong with certificates.
    pub(crate) struct Chains: &'static str {
        of, or, nothing, issuer_missing, issuer_of_key_missing, not_trusted, signature_wrong,
        signature_unsupported, algorithms_differ, not_yet_valid, expired, not_ca, may_not_sign, too_many_below,
        no_ca, name_not_permitted, unknown_critical, no_policy, any_policy_mapped, purpose, key_usage,
        ca_as_leaf, wrong_host, wrong_mailbox, has_no_names, has_names, common_name, weak_key, weak_signature,
        serial_number, revoked, revocation_unknown, too_much_work, unreadable_field, unreadable_extension,
        unreadable_key, trailing, may_not_delegate, credential_over, credential_too_long,
        credential_unwritable,
    }

    /// What is wrong with their DER.
    pub(crate) struct Encodings: &'static str {
        at, truncated, too_long, trailing, unexpected, missing, indefinite, long_length, unsupported,
        bad_integer, out_of_range, bad_boolean, written_default, bad_bit_string, bad_object_identifier,
        bad_string, bad_time, empty, doubled, too_many, too_deep,
    }

    /// What is wrong with what was sent, and how it ended.
    pub(crate) struct Faults: &'static str {
        at, malformed, record_too_long, empty_record, message_too_long, out_of_order, interleaved, lost,
        truncated, foreign, undecryptable, http_request, http_response, http2, ssh, greeting, sslv2,
        proxy_header, dtls, unknown, end_open, end_said, end_cut, end_hidden, end_reset, end_alert,
    }

    /// What to think of the whole.
    pub(crate) struct Whole: &'static str {
        agreed_version, agreed_suite, agreed_group, agreed_host, agreed_protocol, agreed_resumed,
        agreed_unknown, agreed_incomplete, took_round_trips, took_early, took_retry, took_octets, took_time,
        secrecy_full, secrecy_unknown, secrecy_none, secrecy_partly, leak_rsa, leak_static, leak_psk,
        leak_early_data, leak_ticket, leak_other, leak_null, quantum_exchange_safe, quantum_exchange_unsafe,
        quantum_exchange_unsafe_key,
        quantum_exchange_psk, quantum_exchange_unknown, quantum_signature_safe, quantum_signature_unsafe,
        quantum_signature_unsafe_key, quantum_signature_psk, quantum_signature_none, quantum_signature_unknown, sees_name, sees_no_name,
        sees_outer_name, ech_grease, ech_refused, ech_not_taken, ech_unknown, sees_offered_protocols, sees_protocol, sees_server_certificate,
        sees_client_certificate, sees_offer, sees_ticket, sees_lengths, sees_everything, can_cut,
        can_replay, can_strip, can_impersonate, can_splice, can_synchronise, can_read_nothing,
        link_version, link_suite, link_group, link_signature, link_certificate_key,
        link_certificate_signature, weakest, weakest_strong, none_weak,
    }

    /// What is weak, and how to mend it.
    pub(crate) struct Weaknesses: Advice {
        old_version, draft_version, null_cipher, broken_cipher, small_blocks, no_aead, export_suite,
        anonymous, rsa_transport, static_exchange, psk_alone, weak_group, finite_field, weak_signature,
        weak_certificate_key, weak_certificate_signature, no_extended_main_secret, no_secure_renegotiation,
        compression, early_data, downgraded, refuted, heartbleed, not_quantum_exchange, name_in_clear,
        tickets_of_tls12, truncated, renegotiation, legacy_suite, fault,
    }
}

/// Puts values into the places of a sentence, `{name}` say. A place without a value stays as it is.
#[must_use]
pub fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => {
                let _ = write!(filled, "{{{name}}}");
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

impl Count {
    /// So many.
    pub(crate) fn of(&self, number: u64) -> String {
        let text = if number == 1 { self.one } else { self.many };
        fill(text, &[("", &grouped(number))])
    }
}

/// A number whose digits are told apart in threes, which both languages do alike.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Phrases {
    /// Things, one after the other: a, b and c.
    pub(crate) fn list<S: AsRef<str>>(&self, things: &[S]) -> String {
        let Some((last, before)) = things.split_last() else {
            return self.or_none.to_owned();
        };
        match before {
            [] => last.as_ref().to_owned(),
            [first] => [first.as_ref(), self.and_two, last.as_ref()].concat(),
            _ => {
                let before: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
                [&before.join(self.comma), self.and_last, last.as_ref()].concat()
            }
        }
    }

    /// At most so many things of a list that can be long, and how many more there are.
    pub(crate) fn short_list<S: AsRef<str>>(&self, things: &[S], most: usize) -> String {
        if things.len() <= most + 1 {
            return self.list(things);
        }
        let shown: Vec<&str> = things.iter().take(most).map(AsRef::as_ref).collect();
        let more = grouped((things.len() - most) as u64);
        let more = fill(self.and_more, &[("count", &more)]);
        [&shown.join(self.comma), &*more].concat()
    }
}

#[cfg(test)]
mod visits {
    use super::{Advice, Catalogue, Count, Reason, Texts};

    impl Texts for &'static str {
        fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str)) {
            see(path.to_owned(), self);
        }
    }

    impl Texts for Reason {
        fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str)) {
            see(format!("{path}.why"), self.why);
            see(format!("{path}.without"), self.without);
        }
    }

    impl Texts for Count {
        fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str)) {
            see(format!("{path}.one"), self.one);
            see(format!("{path}.many"), self.many);
        }
    }

    impl Texts for Advice {
        fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str)) {
            see(format!("{path}.what"), self.what);
            see(format!("{path}.mend"), self.mend);
        }
    }

    impl Texts for Catalogue {
        fn visit(&self, path: &str, see: &mut dyn FnMut(String, &'static str)) {
            self.labels.visit(&format!("{path}labels"), see);
            self.phrases.visit(&format!("{path}phrases"), see);
            self.counts.visit(&format!("{path}counts"), see);
            self.says.visit(&format!("{path}says"), see);
            self.reasons.visit(&format!("{path}reasons"), see);
            self.values.visit(&format!("{path}values"), see);
            self.problems.visit(&format!("{path}problems"), see);
            self.derivations.visit(&format!("{path}derivations"), see);
            self.findings.visit(&format!("{path}findings"), see);
            self.chains.visit(&format!("{path}chains"), see);
            self.encodings.visit(&format!("{path}encodings"), see);
            self.faults.visit(&format!("{path}faults"), see);
            self.whole.visit(&format!("{path}whole"), see);
            self.weaknesses.visit(&format!("{path}weaknesses"), see);
            self.page.visit(&format!("{path}page"), see);
            for (name, text) in self.fields {
                see(format!("{path}fields.{name}"), text);
            }
            for (code, text) in self.extensions {
                see(format!("{path}extensions.{code}"), text);
            }
            for (code, text) in self.alerts {
                see(format!("{path}alerts.{code}"), text);
            }
            for (code, text) in self.rare_messages {
                see(format!("{path}rare_messages.{code}"), text);
            }
            for (name, reason) in self.quantities {
                reason.visit(&format!("{path}quantities.{name}"), see);
            }
            for (name, text) in self.terms {
                see(format!("{path}terms.{name}"), text);
            }
        }
    }
}
