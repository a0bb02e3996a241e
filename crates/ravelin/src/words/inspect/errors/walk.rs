//! Why there is no walk.

use std::io;

use ravelin_lens::explain::fill_in;

use super::Errors;
use crate::failure::Failure;

impl Errors {
    /// Standard input or output is no terminal.
    pub(crate) fn no_terminal(self) -> Failure {
        Failure::usage(self.words.no_terminal).hint(self.words.no_terminal_hint.to_owned())
    }

    /// The terminal cannot be drawn on.
    pub(crate) fn dumb_terminal(self, term: &str) -> Failure {
        let words = self.words;
        let what = match term {
            "" => words.no_term.to_owned(),
            term => fill_in(words.dumb_term, &[("term", term)]),
        };
        Failure::usage(fill_in(words.dumb, &[("what", &what)])).hint(words.dumb_hint.to_owned())
    }

    /// The terminal could be neither drawn on nor read.
    pub(crate) fn terminal_failed(self, error: &io::Error) -> Failure {
        let values = [("error", &*error.to_string())];
        Failure::local(fill_in(self.words.terminal_failed, &values))
    }

    /// Standard input is the capture already.
    pub(crate) fn keys_or_capture(self) -> Failure {
        Failure::usage(self.words.keys_or_capture).hint(self.words.keys_or_capture_hint.to_owned())
    }

    /// Clients come one after the other.
    pub(crate) fn one_client(self) -> Failure {
        Failure::usage(self.words.one_client).hint(self.words.one_client_hint.to_owned())
    }
}
