//! `ravelin serve DIR`: the config that a folder and a few options stand for.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use ravelin_pki::HostName;
use ravelin_server::Limits;
use ravelin_server::site::{Files, Handler, PathPattern, Route, Site};

use crate::arguments::ServeArguments;
use crate::certificates;
use crate::config::{
    self, CertificateSource, Config, ConfiguredSite, LogConfig, Unservable, Unserved,
};
use crate::failure::Failure;

/// The config that `ravelin serve DIR` stands for.
pub(super) fn config(
    folder: &Path,
    arguments: &ServeArguments,
    home: Option<&Path>,
) -> Result<Config, Failure> {
    let metadata = std::fs::metadata(folder).map_err(|error| {
        Failure::local(format!("cannot serve \"{}\": {error}", folder.display()))
    })?;
    if !metadata.is_dir() {
        return Err(Failure::usage(format!(
            "cannot serve \"{}\": it is a file, not a folder",
            folder.display()
        ))
        .hint("name the folder that the file is in".to_owned()));
    }
    check_unserved(folder, arguments, home)?;
    let root = std::path::absolute(folder).map_err(|error| Failure::of(&error))?;
    let certificate = match (&arguments.cert, &arguments.key) {
        (Some(cert), Some(key)) => CertificateSource::Files {
            cert: cert.clone(),
            key: key.clone(),
            staple: None,
        },
        _ => CertificateSource::Local,
    };
    let hosts = if !arguments.host.is_empty() {
        arguments.host.clone()
    } else if let CertificateSource::Files { cert, .. } = &certificate {
        certificates::names_in(cert)?
    } else {
        vec![
            HostName::Dns("localhost".to_owned()),
            HostName::Ip(Ipv4Addr::LOCALHOST.into()),
            HostName::Ip(Ipv6Addr::LOCALHOST.into()),
        ]
    };
    match &certificate {
        CertificateSource::Files { cert, .. } => check_covered(&hosts, cert)?,
        CertificateSource::Local => {
            if let Some(host) = hosts.iter().find(|host| host.is_too_wide()) {
                let failure = format!("no client accepts a certificate for \"{host}\"");
                return Err(Failure::usage(failure).hint(config::too_wide_hint(host)));
            }
        }
    }
    if hosts.is_empty() {
        return Err(Failure::usage("the certificate has no host names in it")
            .hint("say which name to serve: --host NAME".to_owned()));
    }
    let mut files = Files::new(root);
    files.listing = arguments.listing;
    let route = |path, handler| Route {
        path,
        headers: Vec::new(),
        rewrite: None,
        auth: None,
        rate_limit: None,
        body_limit: config::DEFAULT_BODY_LIMIT,
        handler,
    };
    let mut routes = vec![route(
        PathPattern::Prefix("/".to_owned()),
        Handler::Files(Arc::new(files)),
    )];
    if arguments.explain {
        let path = PathPattern::Exact("/handshake".to_owned());
        routes.push(route(path, Handler::Handshake));
    }
    let site = Site {
        hosts,
        headers: Vec::new(),
        hsts: Some(config::default_hsts()),
        routes,
    };
    let log = arguments.log.then(LogConfig::to_stdout);
    Ok(Config {
        listen: config::default_listen(),
        redirect: Vec::new(),
        workers: 0,
        limits: Limits::default(),
        log,
        sites: vec![ConfiguredSite { site, certificate }],
        local_names: Vec::new(),
        watched: Vec::new(),
    })
}

/// Refuses names that the certificate is not for: every client would.
fn check_covered(hosts: &[HostName], cert: &Path) -> Result<(), Failure> {
    let names = certificates::names_in(cert)?;
    let covered = |host: &HostName| names.iter().any(|name| name.covers(host) || name == host);
    match hosts.iter().find(|host| !covered(host)) {
        None => Ok(()),
        Some(host) => {
            let names: Vec<_> = names.iter().map(HostName::to_string).collect();
            Err(Failure::usage(format!(
                "the certificate in \"{}\" does not cover \"{host}\"",
                cert.display()
            ))
            .hint(format!("it covers {}", names.join(", "))))
        }
    }
}

/// Refuses a folder with private keys in it: `ravelin serve .` is typed where the keys are, too.
fn check_unserved(
    folder: &Path,
    arguments: &ServeArguments,
    home: Option<&Path>,
) -> Result<(), Failure> {
    let mut unserved = Unserved::default();
    if let Some(home) = home {
        unserved.add_store(home);
    }
    if let Some(key) = arguments.key.as_ref().filter(|key| key.is_file()) {
        unserved.add(key, Unservable::Key);
    }
    let Some((below, what)) = unserved.below(folder).into_iter().next() else {
        return Ok(());
    };
    let (what, hint) = match what {
        Unservable::Store => (
            "the keys of the local CA lie in it".to_owned(),
            "keep them elsewhere (--home or RAVELIN_HOME), or serve a folder of its own",
        ),
        _ => (
            format!("the private key \"{}\" lies in it", below.display()),
            "keep keys out of the folder that is served",
        ),
    };
    Err(
        Failure::usage(format!("cannot serve \"{}\": {what}", folder.display()))
            .hint(hint.to_owned()),
    )
}
