//! What is stapled to which certificate, from the start on and while the server runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_certs::local::load_policy;
use ravelin_certs::responder::ResponderError;
use ravelin_certs::{FileStore, LocalAuthority};
use ravelin_pki::ocsp::CertificateStatus;
use ravelin_pki::{Certificate, CertificateDer};
use ravelin_tls::Tickets;

use super::staple::{LOOKED_AT_AGAIN, Staple, StapledBy, Stapler, is_wanted};
use super::{Prepared, Source, configured, read_chain};
use crate::arguments::HomeArgument;
use crate::config::{CertificateSource, Config};
use crate::failure::{self, Failure};
use crate::{ravelin_home, words};

#[cfg(test)]
mod tests;

/// Staples to certificates of the local CA what it says of them, and what was stapled before where it
/// fails. The second value tells whether it did.
pub(super) fn begin(
    sources: &mut [Source],
    home: &HomeArgument,
    now: SystemTime,
    before: Option<&Prepared>,
) -> (Option<Arc<Stapler>>, bool) {
    let asks = |source: &Source| {
        source.stapled_by == StapledBy::Nobody && is_wanted(&source.leaf)
            || source.stapled_by == StapledBy::LocalCa
    };
    let mut stapler = None;
    let mut fails = false;
    if sources.iter().any(asks) {
        let leaves = sources.iter().filter(|source| asks(source));
        match open(home, leaves, before) {
            Ok(found) => stapler = found,
            Err(failure) => {
                fails = true;
                words::staple::not_renewed(&failure.message, None);
            }
        }
    }
    for source in sources.iter_mut().filter(|source| asks(source)) {
        source.stapled_by = StapledBy::LocalCa;
        source.staple_again(before);
    }
    let news = refresh(sources, stapler.as_deref(), now);
    if let Some(error) = &news.failed {
        fails = true;
        words::staple::not_renewed(&failure::chain(error), first_end(sources));
    }
    for source in sources {
        let status = source.staple.as_ref().map(|staple| staple.status);
        if let Some(revoked @ CertificateStatus::Revoked { .. }) = status {
            words::staple::turned(&source.leaf.title(), revoked);
        }
        // It is another CA's: nothing will come of it later.
        if source.stapled_by == StapledBy::LocalCa && source.staple.is_none() && !fails {
            source.stapled_by = StapledBy::Nobody;
        }
        if source.staple.is_none() && source.leaf.must_staple() {
            words::staple::missing(&source.leaf.title());
        }
    }
    (stapler, fails)
}

/// The local CA, where its folder is, and it has issued one of these: looking makes none.
fn open<'s>(
    home: &HomeArgument,
    sources: impl Iterator<Item = &'s Source>,
    before: Option<&Prepared>,
) -> Result<Option<Arc<Stapler>>, Failure> {
    let Some(store) = ravelin_home::open_if_there(home)? else {
        return Ok(None);
    };
    let before = before.and_then(|before| before.stapler.as_ref());
    let leaves = sources.map(|source| &*source.leaf);
    Stapler::open(&store, leaves, before).map_err(|error| Failure::of(&error).hint(error.hint()))
}

/// What has changed.
#[derive(Default)]
struct News {
    /// Whether anything has.
    any: bool,
    renewed: Vec<Arc<Certificate>>,
    /// Whose staple now says something else.
    turned: Vec<(Arc<Certificate>, CertificateStatus)>,
    /// Whose staple is over, and was not followed by another.
    dropped: Vec<(Arc<Certificate>, StapledBy)>,
    failed: Option<ResponderError>,
}

/// Staples what the local CA says now, and takes away what is over.
fn refresh(sources: &mut [Source], stapler: Option<&Stapler>, now: SystemTime) -> News {
    let mut news = News::default();
    // Thousands of sites may share one certificate.
    let mut done: HashMap<*const Certificate, Source> = HashMap::new();
    for source in sources {
        if source.stapled_by == StapledBy::Nobody {
            continue;
        }
        let shared = Arc::as_ptr(&source.leaf);
        if let Some(done) = done.get(&shared) {
            if done.staple != source.staple && done.stapled_by == source.stapled_by {
                source.clone_from(done);
            }
            continue;
        }
        if source.stapled_by == StapledBy::LocalCa
            && let Some(stapler) = stapler
        {
            match stapler.staple(&source.leaf, now) {
                Ok(staple) if source.staple.as_ref() == Some(&staple) => {}
                Ok(staple) => {
                    let before = source.staple.as_ref().map(|staple| staple.status);
                    if before.is_some_and(|before| before != staple.status) {
                        news.turned.push((source.leaf.clone(), staple.status));
                    } else {
                        news.renewed.push(source.leaf.clone());
                    }
                    source.set_staple(Some(staple));
                    news.any = true;
                }
                Err(ResponderError::Unknown { .. }) => {}
                Err(error) => {
                    news.failed.get_or_insert(error);
                }
            }
        }
        if source
            .staple
            .as_ref()
            .is_some_and(|staple| staple.is_over(now))
        {
            source.set_staple(None);
            news.any = true;
            let by = source.stapled_by.clone();
            news.dropped.push((source.leaf.clone(), by));
        }
        done.insert(shared, source.clone());
    }
    news
}

/// When the first response of the local CA is over.
fn first_end(sources: &[Source]) -> Option<SystemTime> {
    let ends = sources.iter().filter_map(|source| {
        let staple = source.staple.as_ref()?;
        (source.stapled_by == StapledBy::LocalCa).then_some(staple.until)
    });
    ends.min()
}

impl Source {
    fn set_staple(&mut self, staple: Option<Staple>) {
        let response = staple.as_ref().map(|staple| &*staple.response);
        self.served = self.served.with_staple(response);
        self.staple = staple;
    }

    /// Staples what was stapled to the same certificate before, from the same place.
    fn staple_again(&mut self, before: Option<&Prepared>) {
        let same = |known: &&Source| {
            known.stapled_by == self.stapled_by && known.leaf.der() == self.leaf.der()
        };
        let known = before.and_then(|before| before.sources.iter().find(same));
        if let Some(staple) = known.and_then(|known| known.staple.clone()) {
            self.set_staple(Some(staple));
        }
    }

    /// Staples the response in a file. One that is wrong is told of and left out, since the site must
    /// not go down with it; the one from before is kept while it holds.
    pub(super) fn staple_file(
        &mut self,
        file: &Path,
        issuer: Option<&CertificateDer<'_>>,
        now: SystemTime,
        before: Option<&Prepared>,
    ) {
        self.stapled_by = StapledBy::File(file.to_owned());
        let mut chain = vec![Certificate::clone(&self.leaf)];
        chain.extend(issuer.and_then(|der| Certificate::from_der(der).ok()));
        match Staple::load(file, &chain, now) {
            Ok(staple) => self.set_staple(Some(staple)),
            Err(error) => {
                self.staple_again(before);
                if self
                    .staple
                    .as_ref()
                    .is_some_and(|staple| staple.is_over(now))
                {
                    self.set_staple(None);
                }
                let kept = self.staple.as_ref().map(|staple| staple.until);
                words::staple::file_failed(file, &error, kept);
            }
        }
    }
}

impl Prepared {
    /// How long until staples are to be looked at; never where there are none.
    pub(crate) fn until_restapling(&self, now: SystemTime) -> Option<Duration> {
        let sources = self.sources.iter();
        let stapled = sources.filter(|source| match source.stapled_by {
            StapledBy::Nobody => false,
            StapledBy::File(_) => source.staple.is_some(),
            StapledBy::LocalCa => true,
        });
        let ends = stapled.map(|source| source.staple.as_ref().map(|staple| staple.until));
        let left = ends.map(|end| match end {
            Some(end) => end.duration_since(now).unwrap_or_default(),
            None => LOOKED_AT_AGAIN,
        });
        Some(left.min()?.min(LOOKED_AT_AGAIN))
    }

    /// Staples what is new, takes away what is over, and tells of it. Whether [`Self::tls`] has
    /// changed.
    ///
    /// # Errors
    ///
    /// When rustls does not take the configuration.
    pub(crate) fn restaple(
        &mut self,
        config: &Config,
        home: &HomeArgument,
        tickets: &Tickets,
        now: SystemTime,
    ) -> Result<bool, Failure> {
        let local = |source: &Source| source.stapled_by == StapledBy::LocalCa;
        if self.stapler.is_none() && self.sources.iter().any(local) {
            // It was told why, and will be told when it has come back.
            let leaves = self.sources.iter().filter(|source| local(source));
            self.stapler = open(home, leaves, None).ok().flatten();
            if self.stapler.is_none() {
                return Ok(false);
            }
        }
        let mut sources = self.sources.clone();
        let news = refresh(&mut sources, self.stapler.as_deref(), now);
        if let Some(error) = &news.failed
            && !self.staples_fail
        {
            words::staple::not_renewed(&failure::chain(error), first_end(&sources));
        }
        if self.staples_fail && news.failed.is_none() {
            words::staple::again();
        }
        self.staples_fail = news.failed.is_some();
        if news.any {
            self.tls = configured(config, &sources, tickets)?;
            self.sources = sources;
        }
        words::staple::renewed(&news.renewed);
        for (leaf, status) in &news.turned {
            words::staple::turned(&leaf.title(), *status);
        }
        for (leaf, by) in &news.dropped {
            words::staple::dropped(leaf, by);
        }
        Ok(news.any)
    }
}

/// What a config will have stapled to the certificate of a site.
pub(crate) enum Planned {
    /// What is in a file, until then.
    File(PathBuf, SystemTime),
    /// What the local CA says.
    LocalCa,
    /// Nothing, though the certificate says that it must be.
    Missing,
}

/// What will be stapled, by the names of the certificates or sites. Nothing is made for it.
pub(crate) fn planned(
    config: &Config,
    home: Option<&Path>,
    now: SystemTime,
) -> Vec<(String, Planned)> {
    let store = home.filter(|home| home.exists());
    let store = store.and_then(|home| FileStore::open(home).ok());
    let authority = store
        .as_ref()
        .and_then(|store| LocalAuthority::load(store).ok()?);
    let is_ours = |leaf: &Certificate| {
        let issuers = authority.as_ref().and_then(|ca| ca.issuers().ok());
        issuers.is_some_and(|issuers| {
            let mut issuers = issuers.iter();
            issuers.any(|issuer| leaf.is_signed_by(issuer.certificate()))
        })
    };
    let asks_by_policy = || {
        let policy = store.as_ref().and_then(|store| load_policy(store).ok());
        policy.is_some_and(|policy| {
            let mut templates = policy.templates.iter();
            !policy.authority.ocsp.is_empty()
                || templates.any(|template| template.name == "server" && template.must_staple)
        })
    };
    let mut planned: Vec<(String, Planned)> = Vec::new();
    for site in &config.sites {
        let (name, plan) = match &site.certificate {
            CertificateSource::Local => {
                let hosts = &site.site.hosts;
                let kept = authority.as_ref().and_then(|ca| ca.kept_leaf(hosts, now));
                let asks = match kept {
                    Some(kept) => is_wanted(kept.certificate()),
                    None => asks_by_policy(),
                };
                let name = hosts.first().map(ToString::to_string).unwrap_or_default();
                (name, asks.then_some(Planned::LocalCa))
            }
            CertificateSource::Files { cert, staple, .. } => {
                let Ok((chain, leaf)) = read_chain(cert) else {
                    continue;
                };
                let issuer = chain.get(1).and_then(|der| Certificate::from_der(der).ok());
                let name = leaf.title();
                let asks = is_wanted(&leaf);
                let is_ours = asks && is_ours(&leaf);
                let must = leaf.must_staple();
                let chain: Vec<_> = std::iter::once(leaf).chain(issuer).collect();
                let file = staple.as_ref().and_then(|file| {
                    let staple = Staple::load(file, &chain, now).ok()?;
                    Some(Planned::File(file.clone(), staple.until))
                });
                let plan = match file {
                    Some(file) => Some(file),
                    None if staple.is_none() && is_ours => Some(Planned::LocalCa),
                    None => must.then_some(Planned::Missing),
                };
                (name, plan)
            }
        };
        if let Some(plan) = plan
            && !planned.iter().any(|(known, _)| *known == name)
        {
            planned.push((name, plan));
        }
    }
    planned
}
