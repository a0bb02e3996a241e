//! What goes wrong with `ravelin inspect`, with what may help, in the language of the explorer.
//!
//! What the system, rustls and the readers of keys say stays as they say it, in English.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;

use ravelin_lens::explain::{Language, fill_in};
use ravelin_pki::pem::PemError;

use super::catalogue::{counted, words};
use crate::dial::{Bound, DialError};
use crate::failure::Failure;
use crate::key::ReadError;

mod captures;
mod chinese;
mod english;
mod handshakes;
mod outcome;
mod walk;

pub(crate) use captures::OneFor;
pub(crate) use handshakes::{Help, Why};

words! {
    /// What goes wrong, in one language.
    ErrorWords {
        no_host, no_host_hint, not_reached, refused_hint, timeout_hint, unreachable_hint, no_address,
        late_one, late_many, too_much, no_tls, plain_http, plain_http_hint, http2, ssh, greeting,
        greeting_hint, sslv2, proxy_header, dtls, unknown, unknown_hint, no_handshake, ended, reset, alert,
        taken_back, unreadable, incompatible, misbehaved, in_clear_hint, maybe_in_clear_hint,
        want_certificate_hint, certificate_hint, offer_hint, name_hint, alpn_hint, version_hint,
        no_starttls, starttls_ended, starttls_silent_hint, not_offered, not_offered_hint, not_begun,
        other_protocol, already_tls, already_tls_hint, starttls_long, injected, no_server, no_server_hint,
        no_name, bad_file, keys_differ, keys_differ_hint, no_client, not_read, not_written, not_listened,
        in_use_hint, privileged_hint, not_here_hint, standard_input, quoted, capture, capture_unread,
        no_capture, no_capture_hint, gzip, truncated, truncated_hint, damaged, damaged_hint, too_long,
        too_short, two_lengths, byte_order, format_version, interface, interfaces, twice, twice_hint,
        one_for_step, one_for_page, one_for_pcapng, which_hint, nothing_in_file, nothing_in_file_hint,
        nothing_in_stream, no_stream, list_hint, key_log_unread, no_secrets, no_secrets_hint, not_rsa,
        rsa_hint, quic, wrong_keys, wrong_keys_one, wrong_keys_many, wrong_keys_hint, does_not_hold,
        more_do_not_hold, one_does_not_hold, which_fails_hint, trust_hint, host_hint, not_resumed, bad_logs,
        lists_hint, logs_long, logs_json, logs_base64, logs_key, no_terminal, no_terminal_hint, no_term,
        dumb_term, dumb, dumb_hint, terminal_failed, keys_or_capture, keys_or_capture_hint, one_client,
        one_client_hint,
    }
}

/// All texts of both languages with their names, English first.
#[cfg(test)]
pub(super) fn texts() -> [Vec<(&'static str, &'static str)>; 2] {
    [&english::ENGLISH, &chinese::CHINESE].map(ErrorWords::texts)
}

/// Makes failures in one language.
#[derive(Clone, Copy)]
pub(crate) struct Errors {
    language: Language,
    words: &'static ErrorWords,
}

impl Errors {
    pub(crate) fn of(language: Language) -> Self {
        let words = match language {
            Language::English => &english::ENGLISH,
            Language::Chinese => &chinese::CHINESE,
        };
        Self { language, words }
    }

    /// Nobody answers.
    pub(crate) fn not_dialled(self, error: &DialError) -> Failure {
        let words = self.words;
        let (text, values, source) = match error {
            DialError::NotFound { host, source } => (words.no_host, ("host", host), source),
            DialError::NotReached { name, source } => (words.not_reached, ("name", name), source),
        };
        let why = self.system(source);
        let failure = Failure::network(fill_in(text, &[(values.0, values.1), ("error", &why)]));
        failure.hint(self.dial_hint(error, source).map(str::to_owned))
    }

    fn dial_hint(self, error: &DialError, source: &io::Error) -> Option<&'static str> {
        let words = self.words;
        match (error, source.kind()) {
            (_, ErrorKind::TimedOut) => Some(words.timeout_hint),
            (DialError::NotFound { .. }, _) => Some(words.no_host_hint),
            (_, ErrorKind::ConnectionRefused) => Some(words.refused_hint),
            (_, ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
                Some(words.unreachable_hint)
            }
            _ => None,
        }
    }

    /// What the system says, or a bound of ours that was reached.
    fn system(self, error: &io::Error) -> String {
        let words = self.words;
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(Bound::Time(patience)) => {
                let seconds = patience.as_secs_f32();
                let text = [words.late_one, words.late_many];
                let text = text[usize::from(patience.as_millis() != 1000)];
                fill_in(text, &[("count", &seconds.to_string())])
            }
            Some(Bound::Octets) => words.too_much.to_owned(),
            Some(Bound::NoAddress) => words.no_address.to_owned(),
            None => error.to_string(),
        }
    }

    /// No server can be called so.
    pub(crate) fn no_server(self, host: &str) -> Failure {
        let text = fill_in(self.words.no_server, &[("host", host)]);
        Failure::usage(text).hint(self.words.no_server_hint.to_owned())
    }

    /// It is no name that could be asked for.
    pub(crate) fn no_name(self, host: &str) -> Failure {
        Failure::usage(fill_in(self.words.no_name, &[("host", host)]))
    }

    /// A file cannot be read.
    pub(crate) fn not_read(self, file: &Path, error: &io::Error) -> Failure {
        let file = file.display().to_string();
        let values = [("file", &*file), ("error", &*self.system(error))];
        Failure::local(fill_in(self.words.not_read, &values))
    }

    /// A file of keys or certificates cannot be read.
    pub(crate) fn unread(self, error: ReadError) -> Failure {
        match error {
            ReadError::Io { file, source } => self.not_read(Path::new(&file), &source),
            long @ ReadError::TooLong { .. } => long.into(),
        }
    }

    /// A file cannot be written.
    pub(crate) fn not_written(self, file: &Path, error: &io::Error) -> Failure {
        let file = file.display().to_string();
        let values = [("file", &*file), ("error", &*self.system(error))];
        Failure::local(fill_in(self.words.not_written, &values))
    }

    /// A file holds no certificate, or no key.
    pub(crate) fn bad_pem(self, file: &Path, error: &PemError) -> Failure {
        // The reader's hints are in English.
        let hint = error.hint().filter(|_| self.language == Language::English);
        self.bad_file(file, error).hint(hint.map(str::to_owned))
    }

    fn bad_file(self, file: &Path, error: &dyn Display) -> Failure {
        let (file, error) = (file.display().to_string(), error.to_string());
        let values = [("file", &*file), ("error", &*error)];
        Failure::usage(fill_in(self.words.bad_file, &values))
    }

    /// rustls takes what was asked for no client.
    pub(crate) fn no_client(self, error: &rustls::Error) -> Failure {
        match error {
            rustls::Error::InconsistentKeys(_) => {
                Failure::usage(self.words.keys_differ).hint(self.words.keys_differ_hint.to_owned())
            }
            error => {
                let values = [("error", &*error.to_string())];
                Failure::usage(fill_in(self.words.no_client, &values))
            }
        }
    }

    /// Nobody can connect.
    pub(crate) fn not_listened(self, address: SocketAddr, error: &io::Error) -> Failure {
        let words = self.words;
        let hint = match error.kind() {
            ErrorKind::AddrInUse => Some(words.in_use_hint),
            ErrorKind::PermissionDenied => Some(words.privileged_hint),
            ErrorKind::AddrNotAvailable => Some(words.not_here_hint),
            _ => None,
        };
        let (address, error) = (address.to_string(), error.to_string());
        let values = [("address", &*address), ("error", &*error)];
        Failure::local(fill_in(words.not_listened, &values)).hint(hint.map(str::to_owned))
    }
}
