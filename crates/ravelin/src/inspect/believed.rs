//! Who is believed: the roots of chains, and the logs of Certificate Transparency.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ravelin_lens::credentials::{self, Believed};
use ravelin_lens::proof::{Logs, LogsError, MAX_LIST_OCTETS};
use ravelin_lens::story::{Missing, Story, Verdict};
use ravelin_pki::{HostName, Trust};

use crate::arguments::inspect::InspectArguments;
use crate::failure::{Failure, chain};
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
            Some(file) => logs(file)?,
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
    pub(super) fn hint(&self, stories: &[&Story]) {
        let is_open = Verdict::NotDerivable(Missing::LogKey);
        let mut checks = stories.iter().flat_map(|story| &story.checks);
        if checks.any(|check| check.verdict == is_open) {
            words::inspect::unknown_log(!self.logs.is_empty());
        }
    }
}

fn logs(file: &Path) -> Result<Logs, Failure> {
    let shown = file.display();
    let mut json = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MAX_LIST_OCTETS as u64 + 1).read_to_end(&mut json))
        .map_err(|error| Failure::local(format!("cannot read \"{shown}\": {error}")))?;
    Logs::from_json(&json).map_err(|error| {
        let why = chain(&error);
        let failure = Failure::usage(format!("\"{shown}\" has no logs that can be used: {why}"));
        match error {
            LogsError::Json(_) => failure.hint(words::inspect::LISTS_OF_LOGS.to_owned()),
            _ => failure,
        }
    })
}
