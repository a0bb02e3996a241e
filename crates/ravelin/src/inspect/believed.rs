//! Who is believed: the roots of chains, and the logs of Certificate Transparency.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ravelin_lens::credentials::{self, Believed};
use ravelin_lens::explain::Language;
use ravelin_lens::proof::{Logs, MAX_LIST_OCTETS};
use ravelin_lens::story::{Missing, Story, Verdict};
use ravelin_pki::{HostName, Trust};

use crate::arguments::inspect::InspectArguments;
use crate::failure::Failure;
use crate::words::inspect::Errors;
use crate::{cert, words};

pub(super) struct Beliefs {
    /// None where there are no roots on this machine, and none were asked for.
    trust: Option<Trust>,
    logs: Logs,
}

impl Beliefs {
    pub(super) fn new(arguments: &InspectArguments) -> Result<Self, Failure> {
        let wanted = &arguments.connection;
        let trust = match cert::verify::trusted(&wanted.ca, &arguments.home) {
            Ok((trust, _)) => Some(trust),
            // All else of a capture can be told without them.
            Err(_) if arguments.capture.pcap.is_some() && wanted.ca.is_empty() => None,
            Err(failure) => return Err(failure),
        };
        let logs = match &wanted.ct_logs {
            Some(file) => logs(file, super::errors(arguments))?,
            None => Logs::default(),
        };
        Ok(Self { trust, logs })
    }

    pub(super) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Judges the chains of a connection, and what logs promised.
    pub(super) fn judge(&self, story: &mut Story, host: Option<&HostName>) {
        let believed = Believed {
            trust: self.trust(),
            logs: &self.logs,
            host,
        };
        credentials::check(story, believed);
    }

    /// Says what is missing where promises could not be checked for want of the keys of their logs.
    pub(super) fn hint(&self, language: Language, stories: &[&Story]) {
        let is_open = Verdict::NotDerivable(Missing::LogKey);
        let mut checks = stories.iter().flat_map(|story| &story.checks);
        if checks.any(|check| check.verdict == is_open) {
            words::inspect::unknown_log(language, !self.logs.is_empty());
        }
    }
}

fn logs(file: &Path, errors: Errors) -> Result<Logs, Failure> {
    let mut json = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MAX_LIST_OCTETS as u64 + 1).read_to_end(&mut json))
        .map_err(|error| errors.not_read(file, &error))?;
    Logs::from_json(&json).map_err(|error| errors.logs(file, &error))
}
