//! What is said of the OCSP responses that are stapled to certificates.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_pki::Certificate;
use ravelin_pki::ocsp::CertificateStatus;

use super::{BOLD, event, tell, until, warn};
use crate::certificates::staple::{StapleError, StapledBy};
use crate::certificates::{Planned, Source};
use crate::failure::chain;

/// What is stapled from the start on.
pub(super) fn started(sources: &[Source]) {
    let stapled = sources.iter().filter_map(|source| {
        let staple = source.staple.as_ref()?;
        Some((&source.stapled_by, staple))
    });
    let mut files = BTreeSet::new();
    let mut local = false;
    for (by, staple) in stapled {
        match by {
            StapledBy::File(file) => _ = files.insert((file, staple.until)),
            StapledBy::LocalCa => local = true,
            StapledBy::Nobody => {}
        }
    }
    if local {
        say!("stapled      OCSP responses of the local CA, renewed by themselves");
    }
    for (file, end) in files.iter().take(SHOWN) {
        say!(
            "stapled      {}, good until {}",
            file.display(),
            until(*end)
        );
    }
    if files.len() > SHOWN {
        say!("             and {} more", files.len() - SHOWN);
    }
}

const SHOWN: usize = 8;

/// What a config will have stapled, in lines for `ravelin check`.
pub(crate) fn planned(planned: &[(String, Planned)]) -> String {
    let line = |(name, plan): &(String, Planned)| match plan {
        Planned::LocalCa => format!("stapled      {name}: an OCSP response of the local CA\n"),
        Planned::File(file, end) => {
            format!(
                "stapled      {name}: {}, good until {}\n",
                file.display(),
                until(*end)
            )
        }
        Planned::Missing => format!(
            "not stapled  {name}: its certificate must be (RFC 7633), and clients that heed it will \
             refuse it\n"
        ),
    };
    planned.iter().map(line).collect()
}

/// A file has nothing to staple. The response from before is sent until `kept`, if it still holds.
pub(crate) fn file_failed(file: &Path, error: &StapleError, kept: Option<SystemTime>) {
    let instead = match kept {
        Some(end) => format!("the one from before is sent until {}", until(end)),
        None => "nothing is stapled".to_owned(),
    };
    warn(format_args!(
        "the staple \"{}\" cannot be used: {}; {instead}",
        file.display(),
        chain(error)
    ));
    say!("{BOLD}hint:{BOLD:#} {}", error.hint());
}

/// The local CA gives nothing new to staple. What was stapled before ends then, at the earliest.
pub(crate) fn not_renewed(why: &str, end: Option<SystemTime>) {
    match end {
        Some(end) => warn(format_args!(
            "the stapled OCSP responses could not be renewed, and the first is over {}: {why}; \
             trying again every minute",
            until(end)
        )),
        None => warn(format_args!(
            "the local CA gives no OCSP response to staple: {why}; trying again every minute"
        )),
    }
}

/// The local CA answers again.
pub(crate) fn again() {
    event("the local CA gives OCSP responses to staple again");
}

/// New responses say what the old ones said.
pub(crate) fn renewed(leaves: &[Arc<Certificate>]) {
    if let Some((first, others)) = leaves.split_first() {
        let more = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        event(format_args!(
            "renewed the OCSP response stapled to {}{more}",
            first.title()
        ));
    }
}

/// A certificate was revoked, or a hold taken back.
pub(crate) fn turned(name: &str, status: CertificateStatus) {
    match status {
        CertificateStatus::Revoked { .. } => warn(format_args!(
            "the certificate for {name} was revoked: the stapled OCSP response tells clients"
        )),
        _ => event(format_args!(
            "the certificate for {name} is good again: the stapled OCSP response tells clients"
        )),
    }
}

/// Nothing is stapled any more.
pub(crate) fn dropped(leaf: &Certificate, by: &StapledBy) {
    let name = leaf.title();
    match by {
        StapledBy::File(file) => warn(format_args!(
            "nothing is stapled to {name} any more: the OCSP response in \"{}\" is out of date",
            file.display()
        )),
        _ => warn(format_args!(
            "nothing is stapled to {name} any more: its OCSP response is out of date"
        )),
    }
    if leaf.must_staple() {
        missing(&name);
    }
}

/// There is nothing to staple to a certificate that says it must be.
pub(crate) fn missing(name: &str) {
    warn(format_args!(
        "the certificate for {name} must be stapled (RFC 7633), and there is nothing to staple: \
         clients that heed it refuse it"
    ));
}
