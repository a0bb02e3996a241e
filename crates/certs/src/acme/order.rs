//! One order, from the account to the chain (RFC 8555, section 7.4).

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, Identifier, NewOrder, Order, OrderStatus,
};
use ravelin_pki::{
    Certificate, CertificateRequest, Fingerprint, GeneralName, HostName, Leaf, PrivateKey,
    Template, pem,
};
use tokio::time::sleep;

use super::answer::{Answers, Kind, Shown, answer};
use super::error::{AcmeError, Problem};
use super::memory::{Suggested, seconds};
use super::transport::{Clock, Http, Transport};
use super::{Settings, account};
use crate::store::{FileStore, ObjectName, Store as _, StoreError};

/// An account with a CA, which may not be made yet.
#[derive(Debug)]
pub struct Issuer {
    pub(super) settings: Settings,
    pub(super) store: FileStore,
    http: Arc<dyn Http>,
    /// One order after the other: those of many names at once look like an attack, and each needs the account.
    turn: tokio::sync::Mutex<()>,
}

/// What there is to an order.
pub(super) struct Wanted<'a> {
    pub(super) names: &'a [HostName],
    /// The proofs that can be given, best first.
    pub(super) kinds: &'a [Kind],
    pub(super) answers: &'a dyn Answers,
    /// The certificate that will be replaced (RFC 9773, section 5).
    pub(super) replaces: Option<&'a Certificate>,
}

impl Issuer {
    /// For this CA. Nobody is asked before there is something to be ordered.
    #[must_use]
    pub fn new(settings: Settings, store: &FileStore, http: Arc<dyn Http>) -> Self {
        Self {
            settings,
            store: store.clone(),
            http,
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// With whom the account is.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// `acme/acme-v02.api.letsencrypt.org-1a2b3c4d/…`.
    pub(super) fn object(&self, name: &str) -> Result<ObjectName, StoreError> {
        let directory = &self.settings.directory;
        let rest = directory.split("://").nth(1).unwrap_or(directory);
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let readable: String = host
            .to_ascii_lowercase()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'))
            .map(|c| if c == ':' { '-' } else { c })
            .take(100)
            .collect();
        let digits = Fingerprint::of(directory.as_bytes()).to_string();
        let readable = readable.trim_start_matches('.');
        format!("acme/{readable}-{}/{name}", &digits[..8]).parse()
    }

    /// Asks for a certificate, with a key of its own.
    pub(super) async fn obtain(
        &self,
        wanted: &Wanted<'_>,
        now: SystemTime,
    ) -> Result<Leaf, AcmeError> {
        let _turn = self.turn.lock().await;
        let transport = self.transport(now);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.order(wanted, &transport).await {
                // The CA has lost the account, or it is one of a CA for tests that was started again.
                Err(error) if error.is_of_a_lost_account() && tries < MOST_TRIES => {
                    self.store.delete(&self.object(ACCOUNT)?)?;
                }
                // Each request was sent three times already: something between takes nonces away.
                Err(error) if error.is_of_a_nonce() && tries < MOST_TRIES => {}
                other => return other,
            }
        }
    }

    /// When the CA suggests to renew a certificate, and when to ask that again.
    pub(super) async fn suggestion(&self, of: &Certificate, now: SystemTime) -> Suggested {
        let _turn = self.turn.lock().await;
        let asking = self.window(of, now);
        let asked = tokio::time::timeout(PATIENCE, asking).await;
        // That a CA suggests nothing, or cannot be asked now, changes nothing: it is renewed by its own time.
        let (window, again) = asked
            .ok()
            .flatten()
            .map_or((None, ASK_AGAIN), |(window, again)| {
                (Some(window), again.clamp(ASK_SOONEST, ASK_LATEST))
            });
        Suggested {
            certificate: of.fingerprint_sha256().to_string(),
            again: seconds(now + again),
            window,
        }
    }

    async fn window(&self, of: &Certificate, now: SystemTime) -> Option<((u64, u64), Duration)> {
        let id = identifier(of)?;
        let name = self.object(ACCOUNT).ok()?;
        self.store.get(&name).ok()??;
        let transport = self.transport(now);
        let account = account::open(&self.store, &name, &self.settings, &transport);
        let (info, again) = account.await.ok()?.renewal_info(&id).await.ok()?;
        let window = info.suggested_window;
        let seconds = |time: time::OffsetDateTime| u64::try_from(time.unix_timestamp()).ok();
        Some(((seconds(window.start)?, seconds(window.end)?), again))
    }

    fn transport(&self, now: SystemTime) -> Transport {
        Transport::new(self.http.clone(), &self.settings.directory, Clock::at(now))
    }

    async fn order(&self, wanted: &Wanted<'_>, transport: &Transport) -> Result<Leaf, AcmeError> {
        let name = self.object(ACCOUNT)?;
        let account = account::open(&self.store, &name, &self.settings, transport).await?;
        let mut order = self.begin(&account, wanted, transport).await?;
        let mut shown = Shown::by(wanted.answers);
        prove(&mut order, wanted, &mut shown, transport).await?;
        proved(&mut order, transport).await?;
        drop(shown);
        let key = PrivateKey::generate()?;
        let names: Vec<GeneralName> = wanted.names.iter().map(GeneralName::from).collect();
        let request = CertificateRequest::create(&Template::leaf(names), &key)?;
        let told = |error| AcmeError::of(error, "the certificate", transport);
        order.finalize_csr(request.der()).await.map_err(told)?;
        issued(&mut order, transport).await?;
        let chain = order.certificate().await.map_err(told)?;
        let chain = chain.ok_or_else(|| AcmeError::Protocol {
            why: "there is no certificate in the end".to_owned(),
        })?;
        let chain = pem::certificates(chain.as_bytes()).map_err(AcmeError::Pem)?;
        let leaf = Leaf::new(chain, key.der()?).map_err(AcmeError::Leaf)?;
        let missing = wanted
            .names
            .iter()
            .find(|name| !leaf.certificate().covers(name));
        match missing {
            Some(name) => Err(AcmeError::Names { name: name.clone() }),
            None => Ok(leaf),
        }
    }

    async fn begin(
        &self,
        account: &Account,
        wanted: &Wanted<'_>,
        transport: &Transport,
    ) -> Result<Order, AcmeError> {
        let identifiers: Vec<Identifier> = wanted
            .names
            .iter()
            .map(|name| match name {
                HostName::Dns(name) => Identifier::Dns(name.clone()),
                HostName::Ip(address) => Identifier::Ip(*address),
            })
            .collect();
        let plain = || {
            let order = NewOrder::new(&identifiers);
            match &self.settings.profile {
                Some(profile) => order.profile(profile),
                None => order,
            }
        };
        if let Some(id) = wanted.replaces.and_then(identifier) {
            match account.new_order(&plain().replaces(id)).await {
                Ok(order) => return Ok(order),
                // Not every CA knows of replacing, and none lets a certificate be replaced twice.
                Err(error) => {
                    let error = AcmeError::of(error, "the order", transport);
                    if error.until().is_some() || error.is_of_a_lost_account() {
                        return Err(error);
                    }
                }
            }
        }
        let order = account.new_order(&plain()).await;
        order.map_err(|error| AcmeError::of(error, "the order", transport))
    }
}

/// Shows what each name is proved by, and tells the CA to look.
async fn prove(
    order: &mut Order,
    wanted: &Wanted<'_>,
    shown: &mut Shown<'_>,
    transport: &Transport,
) -> Result<(), AcmeError> {
    let told = |error| AcmeError::of(error, "a proof", transport);
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(told)?;
        let name = authorization.identifier().to_string();
        let name = wanted.names.iter().find(|own| own.to_string() == name);
        let name = name.ok_or_else(|| AcmeError::Protocol {
            why: "it wants a proof for another name".to_owned(),
        })?;
        match authorization.status {
            AuthorizationStatus::Pending => {}
            // Proved before, not long ago.
            AuthorizationStatus::Valid => continue,
            other => {
                return Err(AcmeError::Protocol {
                    why: format!("the authorization of \"{name}\" begins as {other:?}"),
                });
            }
        }
        let offered: Vec<String> = authorization
            .challenges
            .iter()
            .map(|challenge| name_of(&challenge.r#type))
            .collect();
        let mut kinds = wanted.kinds.iter().copied();
        let kind = kinds.find(|kind| offered.iter().any(|own| own == kind.name()));
        let Some((kind, mut challenge)) =
            kind.and_then(|kind| Some((kind, authorization.challenge(kind.as_type())?)))
        else {
            return Err(AcmeError::NoChallenge {
                name: name.clone(),
                offered,
            });
        };
        let content = challenge.key_authorization();
        let now = transport.clock().now();
        shown.show(name, answer(kind, name, &challenge.token, &content, now)?)?;
        challenge.set_ready().await.map_err(told)?;
    }
    Ok(())
}

/// Waits until the CA has seen all proofs.
async fn proved(order: &mut Order, transport: &Transport) -> Result<(), AcmeError> {
    let what = "its look at the names";
    let mut pace = Pace::new(what);
    loop {
        let state = order.refresh().await;
        let state = state.map_err(|error| AcmeError::of(error, what, transport))?;
        match state.status {
            OrderStatus::Ready | OrderStatus::Valid | OrderStatus::Processing => return Ok(()),
            OrderStatus::Invalid => {
                let why = state.error.as_ref().map(Problem::of);
                return Err(failed(order, why, transport).await);
            }
            // Some CAs leave an order pending whose names have failed.
            OrderStatus::Pending if pace.is_slow() => {
                if let Some(error) = failed_name(order, transport).await? {
                    return Err(error);
                }
            }
            OrderStatus::Pending => {}
        }
        pace.wait(transport).await?;
    }
}

/// Waits until the CA has signed.
async fn issued(order: &mut Order, transport: &Transport) -> Result<(), AcmeError> {
    let what = "the certificate";
    let mut pace = Pace::new(what);
    loop {
        match order.state().status {
            OrderStatus::Valid => return Ok(()),
            OrderStatus::Invalid => {
                let why = order.state().error.as_ref().map(Problem::of);
                return Err(failed(order, why, transport).await);
            }
            _ => {}
        }
        pace.wait(transport).await?;
        let state = order.refresh().await;
        state.map_err(|error| AcmeError::of(error, what, transport))?;
    }
}

/// Why an order came to nothing: the name that failed, where one did.
async fn failed(order: &mut Order, why: Option<Problem>, transport: &Transport) -> AcmeError {
    if let Ok(Some(error)) = failed_name(order, transport).await {
        return error;
    }
    match why {
        Some(problem) => AcmeError::Refused {
            what: "the order",
            problem,
            until: None,
        },
        None => AcmeError::Protocol {
            why: "the order is invalid, and it does not say why".to_owned(),
        },
    }
}

/// The first name that was looked for in vain.
async fn failed_name(
    order: &mut Order,
    transport: &Transport,
) -> Result<Option<AcmeError>, AcmeError> {
    // Authorizations are kept as they were when they were first asked for: asked for anew, they are as they are now.
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let told = |error| AcmeError::of(error, "a proof", transport);
        let authorization = authorization.map_err(told)?;
        if authorization.status != AuthorizationStatus::Invalid {
            continue;
        }
        let name = authorization.identifier().to_string();
        for challenge in &authorization.challenges {
            let kind = [Kind::TlsAlpn, Kind::Http]
                .into_iter()
                .find(|kind| kind.as_type() == challenge.r#type);
            if let (Some(problem), Some(kind), Ok(name)) =
                (&challenge.error, kind, name.parse::<HostName>())
            {
                return Ok(Some(AcmeError::Validation {
                    name,
                    kind,
                    problem: Problem::of(problem),
                }));
            }
        }
    }
    Ok(None)
}

/// How often a CA is asked whether it is done: soon at first, and then as it wishes.
struct Pace {
    begun: Instant,
    next: Duration,
    what: &'static str,
    rounds: u32,
}

impl Pace {
    fn new(what: &'static str) -> Self {
        Self {
            begun: Instant::now(),
            next: FIRST_WAIT,
            what,
            rounds: 0,
        }
    }

    fn is_slow(&self) -> bool {
        self.rounds % 4 == 3
    }

    async fn wait(&mut self, transport: &Transport) -> Result<(), AcmeError> {
        if self.begun.elapsed() > PATIENCE {
            return Err(AcmeError::TooSlow {
                what: self.what,
                seconds: PATIENCE.as_secs(),
            });
        }
        let asked = transport.retry_after();
        let asked = asked.and_then(|at| at.duration_since(transport.clock().now()).ok());
        sleep(asked.map_or(self.next, |asked| asked.min(LONGEST_WAIT))).await;
        self.next = self.next.mul_f32(1.6).min(LONGEST_PAUSE);
        self.rounds += 1;
        Ok(())
    }
}

/// What a CA calls a certificate when it is asked about it (RFC 9773, section 4.1).
fn identifier(certificate: &Certificate) -> Option<CertificateIdentifier<'static>> {
    let issuer = certificate.authority_key_identifier()?;
    let issuer = issuer.key_identifier.as_deref()?;
    let serial = certificate.serial_number().der_content();
    Some(CertificateIdentifier::new(issuer.into(), serial.into()).into_owned())
}

fn name_of(kind: &instant_acme::ChallengeType) -> String {
    use instant_acme::ChallengeType as Of;
    match kind {
        Of::Http01 => "http-01".to_owned(),
        Of::Dns01 => "dns-01".to_owned(),
        Of::TlsAlpn01 => "tls-alpn-01".to_owned(),
        Of::DeviceAttest01 => "device-attest-01".to_owned(),
        Of::Unknown(kind) => kind.chars().take(50).collect(),
        _ => "others".to_owned(),
    }
}

pub(super) const ACCOUNT: &str = "account.json";

/// How often an order is begun where no name is what it fails by.
const MOST_TRIES: usize = 3;

/// How long a CA may take over the names, and over the certificate.
const PATIENCE: Duration = Duration::from_secs(3 * 60);
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// When a CA is asked again what it suggests: RFC 9773, section 4.3.3, has it say so, within reason.
const ASK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
const ASK_SOONEST: Duration = Duration::from_secs(60);
const ASK_LATEST: Duration = Duration::from_secs(24 * 60 * 60);
