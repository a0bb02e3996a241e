//! What is wrong with captures, and with what opens them.

use std::io;
use std::path::Path;

use ravelin_lens::capture::{CaptureError, Damage, StreamId};
use ravelin_lens::explain::fill_in;
use ravelin_lens::proof::{LogsError, MAX_LIST_OCTETS};
use ravelin_lens::server_key::ServerKeyError;
use ravelin_lens::survey::Totals;

use super::Errors;
use crate::failure::Failure;
use crate::words::inspect::LISTS_OF_LOGS;

/// What is for one connection of a capture alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneFor {
    Step,
    Page,
    Pcapng,
}

impl Errors {
    /// A file as it is called within a sentence; "-" is standard input.
    pub(crate) fn file(self, file: &Path) -> String {
        if file == Path::new("-") {
            self.words.standard_input.to_owned()
        } else {
            fill_in(self.words.quoted, &[("file", &file.display().to_string())])
        }
    }

    /// What is wrong with the file. What could be read of it has been told.
    pub(crate) fn capture(self, file: &Path, error: &CaptureError) -> Failure {
        let words = self.words;
        let why = match error {
            CaptureError::Read(error) => {
                fill_in(words.capture_unread, &[("error", &error.to_string())])
            }
            CaptureError::NoCapture => words.no_capture.to_owned(),
            CaptureError::Gzip => words.gzip.to_owned(),
            CaptureError::Truncated { offset } => {
                fill_in(words.truncated, &[("offset", &offset.to_string())])
            }
            CaptureError::Damaged { offset, what } => {
                let (offset, what) = (offset.to_string(), self.damage(*what));
                fill_in(words.damaged, &[("offset", &offset), ("what", &what)])
            }
            other => other.to_string(),
        };
        let values = [("name", &*self.file(file)), ("error", &*why)];
        let text = fill_in(words.capture, &values);
        match error {
            CaptureError::Gzip => {
                let file = file.display();
                Failure::usage(text).hint(format!("gunzip -c {file} | ravelin inspect --pcap -"))
            }
            CaptureError::NoCapture => Failure::usage(text).hint(words.no_capture_hint.to_owned()),
            CaptureError::Truncated { .. } => {
                Failure::local(text).hint(words.truncated_hint.to_owned())
            }
            CaptureError::Damaged { .. } => {
                Failure::local(text).hint(words.damaged_hint.to_owned())
            }
            _ => Failure::local(text),
        }
    }

    fn damage(self, damage: Damage) -> String {
        let words = self.words;
        match damage {
            Damage::TooLong(octets) => fill_in(words.too_long, &[("octets", &octets.to_string())]),
            Damage::TooShort => words.too_short.to_owned(),
            Damage::Lengths => words.two_lengths.to_owned(),
            Damage::ByteOrder => words.byte_order.to_owned(),
            Damage::Version(version) => {
                fill_in(words.format_version, &[("version", &version.to_string())])
            }
            Damage::Interface(number) => {
                fill_in(words.interface, &[("interface", &number.to_string())])
            }
            Damage::TooManyInterfaces => words.interfaces.to_owned(),
            other => other.to_string(),
        }
    }

    /// What reads a capture twice cannot read standard input.
    pub(crate) fn read_twice(self) -> Failure {
        Failure::usage(self.words.twice).hint(self.words.twice_hint.to_owned())
    }

    /// It is to be said which connection is meant.
    pub(crate) fn which(self, one: OneFor) -> Failure {
        let what = match one {
            OneFor::Step => self.words.one_for_step,
            OneFor::Page => self.words.one_for_page,
            OneFor::Pcapng => self.words.one_for_pcapng,
        };
        Failure::usage(what).hint(self.words.which_hint.to_owned())
    }

    /// Nothing in the file is TLS.
    pub(crate) fn nothing_in(self, file: &Path, totals: &Totals) -> Failure {
        let (others, packets) = (
            totals.others.to_string(),
            totals.capture.packets.to_string(),
        );
        let values = [
            ("name", &*self.file(file)),
            ("others", &*others),
            ("packets", &*packets),
        ];
        Failure::answer(fill_in(self.words.nothing_in_file, &values))
            .hint(self.words.nothing_in_file_hint.to_owned())
    }

    /// The connection that was asked for is not there, or is no TLS.
    pub(crate) fn not_there(self, file: &Path, stream: StreamId, totals: &Totals) -> Failure {
        let (number, count) = (stream.0.to_string(), totals.capture.connections.to_string());
        let name = self.file(file);
        let values = [("number", &*number), ("count", &*count), ("name", &*name)];
        let failure = if stream.0 < totals.capture.connections {
            Failure::answer(fill_in(self.words.nothing_in_stream, &values))
        } else {
            Failure::usage(fill_in(self.words.no_stream, &values))
        };
        let file = file.display().to_string();
        failure.hint(fill_in(self.words.list_hint, &[("file", &file)]))
    }

    /// A key log cannot be read.
    pub(crate) fn key_log(self, file: &Path, error: &io::Error) -> Failure {
        let (file, error) = (file.display().to_string(), error.to_string());
        let values = [("file", &*file), ("error", &*error)];
        Failure::local(fill_in(self.words.key_log_unread, &values))
    }

    /// A key log has nothing in it.
    pub(crate) fn no_secrets(self, file: &Path) -> Failure {
        let file = file.display().to_string();
        Failure::usage(fill_in(self.words.no_secrets, &[("file", &file)]))
            .hint(self.words.no_secrets_hint.to_owned())
    }

    /// A key opens nothing.
    pub(crate) fn server_key(self, file: &Path, error: &ServerKeyError) -> Failure {
        let why = match error {
            ServerKeyError::NotRsa(kind) => {
                fill_in(self.words.not_rsa, &[("kind", &kind.to_string())])
            }
            ServerKeyError::Key(error) => error.to_string(),
        };
        self.bad_file(file, &why)
            .hint(self.words.rsa_hint.to_owned())
    }

    /// QUIC is not written.
    pub(crate) fn quic(self) -> Failure {
        Failure::usage(self.words.quic)
    }

    /// A list of logs is none.
    pub(crate) fn logs(self, file: &Path, error: &LogsError) -> Failure {
        let words = self.words;
        let why = match error {
            LogsError::TooLong => {
                let mib = (MAX_LIST_OCTETS >> 20).to_string();
                fill_in(words.logs_long, &[("mib", &mib)])
            }
            LogsError::Json(error) => fill_in(words.logs_json, &[("error", &error.to_string())]),
            LogsError::Base64 { log, source } => {
                let error = source.to_string();
                fill_in(words.logs_base64, &[("log", log), ("error", &error)])
            }
            LogsError::Key { log, source } => {
                let error = source.to_string();
                fill_in(words.logs_key, &[("log", log), ("error", &error)])
            }
        };
        let file = file.display().to_string();
        let values = [("file", &*file), ("error", &*why)];
        let failure = Failure::usage(fill_in(words.bad_logs, &values));
        match error {
            LogsError::Json(_) => {
                failure.hint(fill_in(words.lists_hint, &[("lists", LISTS_OF_LOGS)]))
            }
            _ => failure,
        }
    }
}
