//! Host names: those of the sites, and those that the local certificate authority may sign for.

use std::collections::HashMap;
use std::ops::Range;

use ravelin_pki::{HostName, HostNameError};

use super::super::fault::Fault;
use super::super::placed::At;
use super::super::problem::Problems;
use super::super::raw;
use super::Check;

/// The names of `server.local_names`.
pub(super) fn local_names(server: &raw::Server, problems: &mut Problems) -> Vec<HostName> {
    let mut names: Vec<HostName> = Vec::new();
    for at in server.local_names.value().into_iter().flatten() {
        if let Some(name) = problems.take(&at.place, parse(&at.value))
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Which host was named where, in which site.
#[derive(Default)]
pub(super) struct Hosts(HashMap<HostName, (usize, Range<usize>)>);

impl Hosts {
    /// The hosts of the site with the number `site`, each with its place.
    pub(super) fn of_site(
        &mut self,
        site: usize,
        hosts: &[At<String>],
        check: &mut Check<'_>,
    ) -> Vec<(Range<usize>, HostName)> {
        let mut list = Vec::new();
        for at in hosts {
            let Some(host) = check.problems.take(&at.place, parse(&at.value)) else {
                continue;
            };
            if let Some((other, earlier)) = self.0.get(&host) {
                let fault = if *other == site {
                    Fault::HostTwice(host)
                } else {
                    Fault::HostElsewhere(host)
                };
                check.problems.again(&at.place, earlier, fault);
                continue;
            }
            self.0.insert(host.clone(), (site, at.place.clone()));
            list.push((at.place.clone(), host));
        }
        list
    }
}

pub(super) fn parse(text: &str) -> Result<HostName, Fault> {
    text.parse().map_err(|error| match error {
        HostNameError::Wildcard(_) => Fault::Wildcard(text.to_owned()),
        HostNameError::Empty | HostNameError::Invalid(_) => Fault::Host {
            text: text.to_owned(),
            mend: mend(text),
        },
    })
}

/// What somebody who wrote `text` may have meant.
fn mend(text: &str) -> String {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split(['/', '?', '#']).next().unwrap_or_default();
    if bare != text && bare.parse::<HostName>().is_ok() {
        return format!("write the name alone, {bare:?}");
    }
    match bare.rsplit_once(':') {
        Some((name, _)) if name.parse::<HostName>().is_ok() => {
            format!("write the name alone, {name:?}; ports are in `server.listen`")
        }
        _ => {
            "write a name like \"app.localhost\" or \"*.example.org\", or an IP address".to_owned()
        }
    }
}
