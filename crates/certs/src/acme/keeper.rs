//! The certificate of a set of names, kept from the first order to the last renewal.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ravelin_pki::{Certificate, Fingerprint, HostName, Leaf};

use super::answer::{Answers, Kind};
use super::error::AcmeError;
use super::memory::{Failed, Memory, Suggested, seconds, time};
use super::order::{Issuer, Wanted};
use super::renewal;
use crate::causes;
use crate::names::stem;
use crate::store::{ObjectName, Store as _, StoreError};

/// Keeps the certificate of a set of names.
///
/// What is due, and when, is in the store and in nothing else, so that several processes may keep the same certificate:
/// one of them orders, and the others take what came of it.
#[derive(Debug)]
pub struct Keeper {
    issuer: Arc<Issuer>,
    names: Vec<HostName>,
    kinds: Vec<Kind>,
    certificate: ObjectName,
    memory: ObjectName,
    lease: ObjectName,
}

/// What came of doing what was due.
pub enum Outcome {
    /// Nothing was to be done, or nothing but to ask when to renew.
    Nothing,
    /// There is another certificate than before.
    New(Box<Leaf>),
    /// Another process is about it.
    Busy,
    /// There is no new certificate, and nothing is tried before that time.
    Failed(AcmeError, SystemTime),
}

/// Keys never show.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::New(leaf) => f.debug_tuple("New").field(leaf).finish(),
            Self::Busy => f.write_str("Busy"),
            Self::Failed(error, at) => f.debug_tuple("Failed").field(error).field(at).finish(),
        }
    }
}

impl Keeper {
    /// For these names, of which there has to be one, proved in one of these ways, best first.
    ///
    /// # Errors
    ///
    /// There is no name.
    pub fn new(
        issuer: &Arc<Issuer>,
        names: &[HostName],
        kinds: &[Kind],
    ) -> Result<Self, StoreError> {
        let stem = stem(names).unwrap_or_default();
        Ok(Self {
            certificate: issuer.object(&format!("{stem}.pem"))?,
            memory: issuer.object(&format!("{stem}.json"))?,
            lease: issuer.object(&stem)?,
            issuer: issuer.clone(),
            names: names.to_vec(),
            kinds: kinds.to_vec(),
        })
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        &self.names
    }

    /// How they are proved, best first.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The certificate that is kept, even where its time is over. One that is damaged is as none.
    pub fn kept(&self) -> Result<Option<Leaf>, StoreError> {
        let object = self.issuer.store.get(&self.certificate)?;
        let leaf = object.and_then(|object| Leaf::from_pem(&object.bytes, &object.bytes).ok());
        Ok(leaf.filter(|leaf| {
            self.names
                .iter()
                .all(|name| leaf.certificate().covers(name))
        }))
    }

    /// The directory of the CA.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.issuer.settings.directory
    }

    /// Whether [`Self::act`] would order a certificate.
    pub fn will_order(&self, at_once: bool, now: SystemTime) -> Result<bool, StoreError> {
        let leaf = self.kept()?;
        let memory = Memory::read(&self.issuer.store, &self.memory)?;
        let leaf = leaf.as_ref().map(Leaf::certificate);
        Ok(self.is_due(leaf, &memory, at_once, now))
    }

    /// What failed last, if that is still to be waited for.
    pub fn failed(&self, now: SystemTime) -> Result<Option<Failed>, StoreError> {
        let memory = Memory::read(&self.issuer.store, &self.memory)?;
        Ok(memory.failed.filter(|failed| self.holds_back(failed, now)))
    }

    /// When there is next something to be done.
    pub fn due(&self, now: SystemTime) -> Result<SystemTime, StoreError> {
        let leaf = self.kept()?;
        let memory = Memory::read(&self.issuer.store, &self.memory)?;
        let leaf = leaf.as_ref().map(Leaf::certificate);
        let order = self.order_at(leaf, &memory, now);
        Ok(match leaf {
            Some(leaf) => order.min(ask_at(leaf, &memory, now)),
            None => order,
        })
    }

    /// Does what is due. `known` is the certificate that the caller has. With `at_once` nothing that failed is waited
    /// for, but what the CA itself has said.
    pub async fn act(
        &self,
        answers: &dyn Answers,
        known: Option<&Fingerprint>,
        at_once: bool,
        now: SystemTime,
    ) -> Outcome {
        match self.try_to_act(answers, known, at_once, now).await {
            Ok(outcome) => outcome,
            Err(AcmeError::Store(StoreError::Leased { .. })) => Outcome::Busy,
            Err(error) => {
                let until = self.note(&error, now);
                Outcome::Failed(error, until)
            }
        }
    }

    async fn try_to_act(
        &self,
        answers: &dyn Answers,
        known: Option<&Fingerprint>,
        at_once: bool,
        now: SystemTime,
    ) -> Result<Outcome, AcmeError> {
        let store = &self.issuer.store;
        let _lease = store.lease(&self.lease, Duration::ZERO)?;
        let kept = self.kept()?;
        let certificate = kept.as_ref().map(Leaf::certificate);
        // Another process was faster.
        if let (Some(leaf), Some(certificate)) = (&kept, certificate)
            && known != Some(&certificate.fingerprint_sha256())
            && certificate.is_valid_at(now)
        {
            return Ok(Outcome::New(Box::new(leaf.clone())));
        }
        let mut memory = Memory::read(store, &self.memory)?;
        if let Some(certificate) = certificate
            && ask_at(certificate, &memory, now) <= now
        {
            memory.suggested = Some(self.issuer.suggestion(certificate, now).await);
            memory.write(store, &self.memory)?;
        }
        if !self.is_due(certificate, &memory, at_once, now) {
            return Ok(Outcome::Nothing);
        }
        // Written before, so that a program that dies of it does not come back at once.
        let mut begun = self.failure(memory.failed.as_ref(), "it was interrupted", None, now);
        begun.until = seconds(now) + begun.until.saturating_sub(seconds(now)) / 6;
        memory.failed = Some(begun);
        memory.write(store, &self.memory)?;
        let begun = Instant::now();
        let wanted = Wanted {
            names: &self.names,
            kinds: &self.kinds,
            answers,
            replaces: certificate,
        };
        let leaf = self.issuer.obtain(&wanted, now).await?;
        self.put(&leaf)?;
        let came_at = now + begun.elapsed();
        let memory = Memory {
            came_at: Some(seconds(came_at)),
            ..Memory::default()
        };
        memory.write(store, &self.memory)?;
        Ok(Outcome::New(Box::new(leaf)))
    }

    fn put(&self, leaf: &Leaf) -> Result<(), StoreError> {
        let store = &self.issuer.store;
        let before = store.get(&self.certificate)?.map(|object| object.version);
        let text = leaf.key_pem() + &leaf.chain_pem();
        store.put_if_unchanged(&self.certificate, text.as_bytes(), before.as_ref())?;
        Ok(())
    }

    fn is_due(
        &self,
        kept: Option<&Certificate>,
        memory: &Memory,
        at_once: bool,
        now: SystemTime,
    ) -> bool {
        let mut memory = memory.clone();
        if at_once {
            memory.failed = memory.failed.filter(|failed| failed.is_bidden);
        }
        self.order_at(kept, &memory, now) <= now
    }

    /// When a certificate is to be ordered.
    fn order_at(&self, kept: Option<&Certificate>, memory: &Memory, now: SystemTime) -> SystemTime {
        let due = kept.map_or(now, |certificate| {
            let suggested = memory.suggested_for(certificate);
            let due = renewal::due(certificate, suggested.and_then(Suggested::window));
            let came_at = memory.came_at.map_or(certificate.not_before(), time);
            due.max(renewal::not_before(certificate, came_at))
        });
        let failed = memory.failed.as_ref();
        let failed = failed.filter(|failed| self.holds_back(failed, now));
        failed.map_or(due, |failed| due.max(failed.until()))
    }

    /// Whether a failure is to be waited for. One that was of another way is not, unless the CA wants it so.
    fn holds_back(&self, failed: &Failed, now: SystemTime) -> bool {
        (failed.is_bidden || failed.way == self.way()) && failed.until() > now
    }

    /// Notes that an order has failed, and when to try again.
    fn note(&self, error: &AcmeError, now: SystemTime) -> SystemTime {
        let store = &self.issuer.store;
        let mut memory = Memory::read(store, &self.memory).unwrap_or_default();
        let mut before = memory.failed.take();
        // It was counted when it was begun.
        if let Some(before) = &mut before {
            before.count = before.count.saturating_sub(1);
        }
        let failed = self.failure(before.as_ref(), &causes::chain(error), error.until(), now);
        let until = failed.until();
        memory.failed = Some(failed);
        // Whoever asks is told when it is anyhow; a disk that takes nothing is told of by the next order.
        let _ = memory.write(store, &self.memory);
        until
    }

    fn failure(
        &self,
        before: Option<&Failed>,
        why: &str,
        bidden: Option<SystemTime>,
        now: SystemTime,
    ) -> Failed {
        let count = before.map_or(0, |before| before.count).saturating_add(1);
        let own = now + renewal::pause(count, self.memory.as_str().as_bytes());
        Failed {
            count,
            until: seconds(bidden.map_or(own, |bidden| bidden.max(own))),
            why: why.to_owned(),
            is_bidden: bidden.is_some(),
            way: self.way(),
        }
    }

    fn way(&self) -> String {
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        kinds.join(" ")
    }
}

/// When the CA is to be asked what it suggests.
fn ask_at(certificate: &Certificate, memory: &Memory, now: SystemTime) -> SystemTime {
    let suggested = memory.suggested_for(certificate);
    suggested.map_or(now, |suggested| time(suggested.again))
}
