//! `[[site]]`.

use ravelin_pki::HostName;
use ravelin_server::site::Site;

use super::super::placed::{At, Key, Switch};
use super::super::raw;
use super::super::{CertificateSource, ConfiguredSite, default_hsts};
use super::host::Hosts;
use super::{Check, certificate, header, redirect, route};

/// All sites.
pub(super) fn sites(file: &raw::File, check: &mut Check<'_>) -> Vec<ConfiguredSite> {
    let mut hosts = Hosts::default();
    let sites = file.site.value().into_iter().flatten();
    sites
        .enumerate()
        .map(|(number, at)| site(number, at, &mut hosts, check))
        .collect()
}

fn site(
    number: usize,
    at: &At<raw::Site>,
    known: &mut Hosts,
    check: &mut Check<'_>,
) -> ConfiguredSite {
    let raw = &at.value;
    let hosts = match raw.hosts.value() {
        Some(hosts) => known.of_site(number, hosts, check),
        None => Vec::new(),
    };
    let certificate = if check.problems.was_cut(&at.place, "certificate") {
        CertificateSource::Local
    } else {
        certificate::source(&raw.certificate, &hosts, check)
    };
    let routes = route::routes(raw, check);
    let hosts: Vec<HostName> = hosts.into_iter().map(|(_, host)| host).collect();
    redirect::find_loops(&routes, &hosts, check);
    let site = Site {
        headers: header::headers(&raw.headers, check),
        hsts: hsts(&raw.hsts, check),
        routes: routes.into_iter().map(|placed| placed.route).collect(),
        hosts,
    };
    ConfiguredSite { site, certificate }
}

fn hsts(key: &Key<Switch>, check: &mut Check<'_>) -> Option<http::HeaderValue> {
    let Some(at) = key.given() else {
        return Some(default_hsts());
    };
    match &at.value {
        Switch::On(true) => Some(default_hsts()),
        Switch::On(false) => None,
        Switch::Text(text) => check.problems.take(&at.place, header::hsts(text)),
    }
}
