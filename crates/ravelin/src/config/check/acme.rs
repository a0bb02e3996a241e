//! `[acme]`, and tunnels whose certificates come from there.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;

use ravelin_certs::acme::{ExternalAccount, LETS_ENCRYPT, Settings};
use ravelin_pki::HostName;
use ravelin_tunnel::Place;

use super::super::acme::{
    AcmeConfig, Wrong, contact_of, directory_of, external_account_of, not_agreed, unsignable,
};
use super::super::fault::Fault;
use super::super::placed::{At, Key};
use super::super::tunnel_keys as keys;
use super::Check;
use super::tunnel::{files, places};

/// The table, where it is there.
pub(super) fn table(
    key: &Key<keys::Acme>,
    taken: &HashMap<Place, Range<usize>>,
    check: &mut Check<'_>,
) -> Option<AcmeConfig> {
    let at = key.given()?;
    let raw = &at.value;
    let directory = raw.directory.given().and_then(|at| {
        let directory = directory_of(&at.value).map_err(fault);
        check.problems.take(&at.place, directory)
    });
    let directory = directory.unwrap_or_else(|| LETS_ENCRYPT.to_owned());
    if !raw.agree_to_terms.copied_or(false) {
        let place = raw.agree_to_terms.given().map_or(&at.place, |at| &at.place);
        let wrong = not_agreed(&directory, "agree_to_terms = true");
        check.problems.add(place, fault(wrong));
    }
    let mut contact = Vec::new();
    for (place, text) in raw.contact.texts() {
        contact.extend(check.problems.take(place, contact_of(text).map_err(fault)));
    }
    Some(AcmeConfig {
        settings: Settings {
            directory,
            contact,
            agrees_to_terms: raw.agree_to_terms.copied_or(false),
            external_account: external_account(&raw.external_account, check),
            profile: raw.profile.value().cloned(),
        },
        ca: files(&raw.ca, check),
        http: http(raw, taken, check),
    })
}

fn external_account(
    key: &Key<keys::ExternalAccount>,
    check: &mut Check<'_>,
) -> Option<ExternalAccount> {
    let raw = key.value()?;
    let (id, file) = (raw.id.value()?, raw.key.given()?);
    let path = check.path(&file.value);
    check.watch(&path);
    let account = external_account_of(id, &path).map_err(fault);
    check.problems.take(&file.place, account)
}

/// Where challenges are answered: nowhere where a tunnel is.
fn http(
    raw: &keys::Acme,
    taken: &HashMap<Place, Range<usize>>,
    check: &mut Check<'_>,
) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for (at, place) in places(&raw.http, check) {
        if let Some(earlier) = taken.get(&place) {
            let what = format!("{place} is a tunnel's");
            let wrong = (
                what,
                "give challenges a place of their own, such as \"*:80\"".to_owned(),
            );
            check.problems.again(&at, earlier, fault(wrong));
        }
        match place {
            Place::Tcp(address) => all.push(address),
            Place::Unix(_) => {
                let what = "CAs connect to a port, not to a Unix socket".to_owned();
                check
                    .problems
                    .add(&at, fault((what, "write \"*:80\"".to_owned())));
            }
        }
    }
    all
}

/// Whether a tunnel can have its certificate from there.
pub(super) fn tunnel(
    raw: &At<keys::Tunnel>,
    source: &Range<usize>,
    hosts: &[(Range<usize>, HostName)],
    acme: &Key<keys::Acme>,
    check: &mut Check<'_>,
) {
    let Some(acme) = acme.value() else {
        let what = "`certificate = \"acme\"` needs a table `[acme]`".to_owned();
        let mend = "write [acme] and, below it, agree_to_terms = true, once you have read the terms of the CA";
        check.problems.add(source, fault((what, mend.to_owned())));
        return;
    };
    if raw.value.hosts.given().is_none() {
        let what = "no CA can guess which names it is to sign for".to_owned();
        let mend = "name them: hosts = [\"db.example.org\"]".to_owned();
        check.problems.add(source, fault((what, mend)));
    }
    let directory = acme.directory.value();
    let directory = directory.map_or(LETS_ENCRYPT, String::as_str);
    for (place, host) in hosts {
        if let Some(wrong) = unsignable(host, directory) {
            check.problems.add(place, fault(wrong));
        }
    }
    if let Some(at) = raw.value.starttls.given()
        && acme.http.given().is_none()
    {
        let what = "a CA cannot look over TLS where clients begin in clear".to_owned();
        let mend = "let it look over plain HTTP: http = \"*:80\" in [acme]".to_owned();
        check.problems.again(source, &at.place, fault((what, mend)));
    }
}

fn fault((what, mend): Wrong) -> Fault {
    Fault::Tunnel { what, mend }
}
