//! Tunnels whose certificates are asked for over ACME.

use std::collections::HashMap;

use ravelin_certs::acme::{LETS_ENCRYPT, Settings};
use ravelin_tls::Certificates;
use ravelin_tunnel::{Entry, Tunnels};

use super::Running;
use super::prepare::names_of;
use crate::acme::{Acme, Names, News};
use crate::arguments::tunnel::TunnelArguments;
use crate::config::{self, AcmeConfig, TunnelConfig, TunnelsConfig};
use crate::failure::Failure;
use crate::listen_on::ListenOn;
use crate::{certificates, words};

/// The CA that the command line names.
pub(super) fn of_arguments(arguments: &TunnelArguments) -> Result<Option<AcmeConfig>, Failure> {
    let acme = &arguments.acme;
    let external = acme.acme_eab_id.as_ref().zip(acme.acme_eab_key.as_ref());
    let external = external.map(|(id, key)| config::external_account_of(id, key));
    let external = external.transpose();
    let external_account = external.map_err(|(what, mend)| Failure::usage(what).hint(mend))?;
    let http = acme.acme_http.iter().flat_map(ListenOn::addresses);
    let directory = acme.acme_directory.as_deref().unwrap_or(LETS_ENCRYPT);
    Ok(acme.acme.then(|| AcmeConfig {
        settings: Settings {
            directory: directory.to_owned(),
            contact: acme.acme_contact.clone(),
            agrees_to_terms: acme.agree_to_terms,
            external_account,
            profile: acme.acme_profile.clone(),
        },
        ca: acme.acme_ca.clone(),
        http: http.copied().collect(),
    }))
}

/// Whether what the command line says of it goes together.
pub(super) fn fits(acme: &AcmeConfig, tunnel: &TunnelConfig) -> Result<(), Failure> {
    let wrong = |(what, mend): (String, String)| Err(Failure::usage(what).hint(mend));
    let directory = &acme.settings.directory;
    if !acme.settings.agrees_to_terms {
        return wrong(config::not_agreed(directory, "--agree-to-terms"));
    }
    let mut hosts = tunnel.hosts.iter();
    if let Some(refused) = hosts.find_map(|host| config::unsignable(host, directory)) {
        return wrong(refused);
    }
    if tunnel.starttls.is_some() && acme.http.is_empty() {
        return wrong((
            "a CA cannot look over TLS where clients begin in clear".to_owned(),
            "let it look over plain HTTP: --acme-http '*:80'".to_owned(),
        ));
    }
    Ok(())
}

/// The sets of names that certificates are asked for, and whether TLS begins with the connection where one is shown.
fn wanted(config: &TunnelsConfig) -> HashMap<Names, bool> {
    // Whichever tunnel the name leads to shows what is to be seen.
    let mut tunnels = config.tunnels.iter();
    let has_tls = tunnels.any(|tunnel| tunnel.mode.terminates() && tunnel.starttls.is_none());
    let names = config.tunnels.iter().filter_map(names_of);
    names.map(|names| (names, has_tls)).collect()
}

impl Running<'_> {
    /// Asks for what there is to ask for by the config, and for nothing else.
    pub(super) fn keep_certificates(&mut self) -> Result<(), Failure> {
        let wanted = wanted(&self.config);
        match &mut self.acme {
            Some(acme) => acme.keep(wanted),
            None => Ok(()),
        }
    }

    /// What asks for certificates by another config: none where that has none.
    pub(super) fn change_acme(&mut self, config: &TunnelsConfig) -> Result<(), Failure> {
        let home = &self.arguments.home;
        match (&mut self.acme, &config.acme) {
            (Some(acme), Some(config)) => acme.change(config, home),
            (acme @ None, Some(config)) => {
                *acme = Some(Acme::open(config, home, &self.tell)?);
                Ok(())
            }
            // It keeps nothing any more, and is there for when it is wanted again.
            (_, None) => Ok(()),
        }
    }

    /// Shows a certificate that has come, from the next connection on.
    pub(super) fn show(&mut self, news: &News, tunnels: &mut Tunnels) {
        match self.try_to_show(news, tunnels) {
            Ok(()) => words::acme::new(&news.leaf),
            Err(failure) => words::say_failure(&failure),
        }
    }

    fn try_to_show(&mut self, news: &News, tunnels: &mut Tunnels) -> Result<(), Failure> {
        let served = certificates::of_leaf(&news.leaf)?;
        for (tunnel, config) in self.prepared.tunnels.iter_mut().zip(&self.config.tunnels) {
            if names_of(config).as_ref() == Some(&news.names)
                && let Entry::Terminate(terminate) = &mut tunnel.entry
            {
                let certificates = Certificates::new(served.clone());
                terminate.tls = terminate.tls.with_certificates(certificates.into());
                terminate.not_after = Some(news.leaf.not_after());
            }
        }
        tunnels
            .set(self.prepared.tunnels.clone(), Vec::new())
            .map_err(|error| Failure::of(&error))
    }
}
