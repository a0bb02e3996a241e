//! What is said of certificates that are asked for over ACME.

use std::time::SystemTime;

use ravelin_certs::acme::{AcmeError, Failed, Keeper};
use ravelin_pki::{HostName, Leaf};

use super::{event, in_seconds, say_failure, warn};
use crate::failure::{Failure, chain};

/// That a CA is asked.
pub(crate) fn asking(keeper: &Keeper) {
    let ways: Vec<_> = keeper.kinds().iter().map(|kind| kind.name()).collect();
    event(format_args!(
        "asking {} for a certificate for {}, by {}",
        keeper.directory(),
        listed(keeper.names()),
        ways.join(" or ")
    ));
}

/// That a certificate has come.
pub(crate) fn new(leaf: &Leaf) {
    event(format_args!(
        "there is a certificate for {}, until {}",
        listed(leaf.names()),
        in_seconds(leaf.not_after())
    ));
}

/// That none has come, and when the next try is.
pub(crate) fn failed(names: &[HostName], error: &AcmeError, until: SystemTime, has_one: bool) {
    let names = listed(names);
    let failure = Failure::network(format!("no certificate for {names}: {}", chain(error)));
    say_failure(&failure.hint(error.hint()));
    let meanwhile = if has_one {
        "the one that there is is served on"
    } else {
        "clients get an alert until there is one"
    };
    warn(format_args!(
        "{meanwhile}; the next try is at {}, or on SIGHUP",
        in_seconds(until)
    ));
}

/// That an earlier start has tried, and when the next try is.
pub(crate) fn waiting(names: &[HostName], failed: &Failed) {
    let tries = if failed.count == 1 { "try" } else { "tries" };
    let or = if failed.is_bidden {
        ": the CA wants it so"
    } else {
        ", or on SIGHUP"
    };
    warn(format_args!(
        "no certificate for {} has come of {} {tries}: {}; the next is at {}{or}",
        listed(names),
        failed.count,
        failed.why,
        in_seconds(failed.until())
    ));
}

/// Many are named by the first and a number.
fn listed(names: &[HostName]) -> String {
    match names {
        [first, rest @ ..] if rest.len() > 3 => format!("{first} and {} more names", rest.len()),
        names => {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            names.join(", ")
        }
    }
}
