//! A command that did not do what it was asked: why, what helps, and the exit code.

use std::error::Error;
use std::process::ExitCode;

pub(crate) use ravelin_certs::causes::chain;
use ravelin_lens::explain::Language;

/// What went wrong, in words for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whole reports, such as a config's, that stand for themselves.
    pub(crate) report: Option<String>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// That of the words before both.
    pub(crate) language: Language,
    kind: Kind,
}

/// The exit codes, the same for all commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// The command ran, and the answer is no.
    Answer = ANSWER_IS_NO,
    /// The command or the config is wrong.
    Usage = 2,
    /// The network or the peer failed.
    Network = NETWORK_FAILURE,
    /// Something local failed: permissions, disk, a port in use.
    Local = LOCAL_FAILURE,
}

/// The command ran, and the answer is no.
pub(crate) const ANSWER_IS_NO: u8 = 1;

/// The network or the peer failed.
pub(crate) const NETWORK_FAILURE: u8 = 3;

/// Something local failed.
pub(crate) const LOCAL_FAILURE: u8 = 4;

/// A signal has ended what was under way, such as a server before its requests had: what a shell says of a
/// process that was killed by SIGHUP, SIGINT, SIGQUIT or SIGTERM.
pub(crate) const HUNG_UP: u8 = 128 + 1;
pub(crate) const INTERRUPTED: u8 = 128 + 2;
pub(crate) const QUIT: u8 = 128 + 3;
pub(crate) const TERMINATED: u8 = 128 + 15;

impl Failure {
    pub(crate) fn answer(message: impl Into<String>) -> Self {
        Self::new(Kind::Answer, message.into())
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message.into())
    }

    pub(crate) fn network(message: impl Into<String>) -> Self {
        Self::new(Kind::Network, message.into())
    }

    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(Kind::Local, message.into())
    }

    /// A local failure whose words are an error's and its causes'.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        Self::local(chain(error))
    }

    fn new(kind: Kind, message: String) -> Self {
        Self {
            report: None,
            message,
            hint: None,
            language: Language::English,
            kind,
        }
    }

    /// A report that has everything in it: nothing more is said.
    pub(crate) fn report(report: String) -> Self {
        Self {
            report: Some(report),
            ..Self::new(Kind::Usage, String::new())
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// In which language it is told.
    pub(crate) fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Whether the command is wrong.
    pub(crate) fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }

    /// The same with what it is about before it: one of several that were asked for.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The one of the two with the higher exit code.
    pub(crate) fn or_worse(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.kind as u8 > self.kind as u8 => other,
            _ => self,
        }
    }
}
