//! Certificates of a CA that is asked over ACME: one task for each set of names asks when it is time, while whoever
//! serves goes on, and tells of each certificate that comes.

mod answers;
mod requests;

use std::collections::{BTreeSet, HashMap};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_certs::acme::{Issuer, Keeper, Outcome};
use ravelin_pki::{CertificateDer, Fingerprint, HostName, Leaf};
use ravelin_tls::Challenges;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::arguments::HomeArgument;
use crate::config::AcmeConfig;
use crate::failure::Failure;
use crate::{plain_http, ravelin_home, words};
use answers::Shown;
use requests::Requests;

/// Clocks jump and machines sleep: whether something is due is looked for at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

/// While another process is about the same certificate, and after a disk that failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Nothing is due more often than this, whatever the clock does.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// A certificate that has come.
pub(crate) struct News {
    pub(crate) names: Names,
    pub(crate) leaf: Box<Leaf>,
}

/// A set of names, in order.
pub(crate) type Names = BTreeSet<HostName>;

/// What is kept, and who asks for it.
pub(crate) struct Acme {
    config: AcmeConfig,
    issuer: Arc<Issuer>,
    roots: Vec<CertificateDer<'static>>,
    shown: Shown,
    /// Where challenges are answered, before that has begun.
    listeners: Vec<TcpListener>,
    tasks: HashMap<Names, Task>,
    tell: mpsc::UnboundedSender<News>,
}

/// Who keeps the certificate of one set of names.
struct Task {
    has_tls: bool,
    hurry: Arc<Notify>,
    handle: JoinHandle<()>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Acme {
    /// Reads and opens what is needed. Nobody is asked yet.
    pub(crate) fn open(
        config: &AcmeConfig,
        home: &HomeArgument,
        tell: &mpsc::UnboundedSender<News>,
    ) -> Result<Self, Failure> {
        let challenges = Challenges::new().map_err(|error| Failure::of(&error))?;
        let requests = Requests::new(config, home)?;
        Ok(Self {
            config: config.clone(),
            roots: requests.roots.clone(),
            issuer: issuer(config, requests, home)?,
            shown: Shown::new(challenges),
            listeners: plain_http::open(&config.http)?,
            tasks: HashMap::new(),
            tell: tell.clone(),
        })
    }

    /// Takes over another config, for what is asked from now on. Where challenges are answered does not change.
    pub(crate) fn change(
        &mut self,
        config: &AcmeConfig,
        home: &HomeArgument,
    ) -> Result<(), Failure> {
        if config.http != self.config.http {
            words::warn("a changed place for challenges needs a restart");
        }
        let config = AcmeConfig {
            http: self.config.http.clone(),
            ..config.clone()
        };
        let requests = Requests::new(&config, home)?;
        if config != self.config || requests.roots != self.roots {
            self.roots.clone_from(&requests.roots);
            self.issuer = issuer(&config, requests, home)?;
            self.config = config;
            self.tasks.clear();
        }
        Ok(())
    }

    /// What is shown over TLS to ACME servers.
    pub(crate) fn challenges(&self) -> &Challenges {
        &self.shown.tls
    }

    /// The certificate that there is for these names, be it out of date.
    pub(crate) fn kept(&self, names: &Names) -> Result<Option<Leaf>, Failure> {
        let keeper = self.keeper(names, true)?;
        keeper
            .kept()
            .map_err(|error| Failure::of(&error).hint(error.hint()))
    }

    /// Answers challenges, and keeps certificates for these sets of names and no others. With each comes whether TLS
    /// begins with the connection where it is shown. Within a runtime.
    pub(crate) fn keep(&mut self, wanted: HashMap<Names, bool>) -> Result<(), Failure> {
        for listener in std::mem::take(&mut self.listeners) {
            tokio::spawn(self.shown.clone().serve(listener));
        }
        self.tasks
            .retain(|names, task| wanted.get(names) == Some(&task.has_tls));
        for (names, has_tls) in wanted {
            if self.tasks.contains_key(&names) {
                continue;
            }
            let keeping = Keeping {
                keeper: self.keeper(&names, has_tls)?,
                names: names.clone(),
                shown: self.shown.clone(),
                hurry: Arc::default(),
                tell: self.tell.clone(),
            };
            let hurry = keeping.hurry.clone();
            let handle = tokio::spawn(keeping.run());
            let task = Task {
                has_tls,
                hurry,
                handle,
            };
            self.tasks.insert(names, task);
        }
        Ok(())
    }

    /// Tries at once what has failed and would be tried later.
    pub(crate) fn hurry(&self) {
        for task in self.tasks.values() {
            task.hurry.notify_one();
        }
    }

    fn keeper(&self, names: &Names, has_tls: bool) -> Result<Keeper, Failure> {
        let list: Vec<_> = names.iter().cloned().collect();
        let kinds = self.config.kinds(has_tls);
        Keeper::new(&self.issuer, &list, &kinds)
            .map_err(|error| Failure::of(&error).hint(error.hint()))
    }
}

fn issuer(
    config: &AcmeConfig,
    requests: Requests,
    home: &HomeArgument,
) -> Result<Arc<Issuer>, Failure> {
    let store = ravelin_home::open(home)?;
    let issuer = Issuer::new(config.settings.clone(), &store, Arc::new(requests));
    Ok(Arc::new(issuer))
}

/// The work of one task.
struct Keeping {
    keeper: Keeper,
    names: Names,
    shown: Shown,
    hurry: Arc<Notify>,
    tell: mpsc::UnboundedSender<News>,
}

impl Keeping {
    async fn run(self) {
        let mut known = self
            .keeper
            .kept()
            .ok()
            .flatten()
            .map(|leaf| fingerprint(&leaf));
        let mut not_before = SystemTime::UNIX_EPOCH;
        let mut at_once = false;
        let now = SystemTime::now();
        if let Ok(Some(failed)) = self.keeper.failed(now) {
            words::acme::waiting(self.keeper.names(), &failed);
        }
        loop {
            let now = SystemTime::now();
            let due = self.keeper.due(now).unwrap_or(now).max(not_before);
            if !at_once
                && let Ok(left) = due.duration_since(now)
                && !left.is_zero()
            {
                tokio::select! {
                    () = tokio::time::sleep(left.min(LONGEST_SLEEP)) => {}
                    () = self.hurry.notified() => at_once = true,
                }
                continue;
            }
            if self.keeper.will_order(at_once, now).unwrap_or(false) {
                words::acme::asking(&self.keeper);
            }
            let outcome = self
                .keeper
                .act(&self.shown, known.as_ref(), at_once, now)
                .await;
            at_once = false;
            let pause = match outcome {
                Outcome::Nothing => SHORTEST_PAUSE,
                Outcome::Busy => PAUSE,
                Outcome::New(leaf) => {
                    known = Some(fingerprint(&leaf));
                    let names = self.names.clone();
                    // Whoever listened is gone: the process ends.
                    let _ = self.tell.send(News { names, leaf });
                    SHORTEST_PAUSE
                }
                Outcome::Failed(error, until) => {
                    words::acme::failed(self.keeper.names(), &error, until, known.is_some());
                    let left = until.duration_since(SystemTime::now());
                    left.unwrap_or_default().max(PAUSE)
                }
            };
            not_before = SystemTime::now() + pause;
        }
    }
}

fn fingerprint(leaf: &Leaf) -> Fingerprint {
    leaf.certificate().fingerprint_sha256()
}
