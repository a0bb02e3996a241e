//! What a CA may do that Pebble does not: suggest when to renew, refuse for a while, break down, or be no CA at all.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use bytes::Bytes;
use http::{Request, Response};
use ravelin_certs::acme::{
    AcmeError, Answer, Answers, Http, HttpFuture, Issuer, Keeper, Kind, Outcome, Settings,
};
use ravelin_certs::{FileStore, Store as _};
use ravelin_pki::authority::leaf_template;
use ravelin_pki::{
    Authority, CertificateRequest, Fingerprint, GeneralName, HostName, NameConstraints, PrivateKey,
    pem,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const CA: &str = "https://ca.test";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A CA in memory, which believes everybody.
#[derive(Debug)]
struct Ca {
    authority: Authority,
    now: Mutex<SystemTime>,
    /// What orders said, each a JSON.
    orders: Mutex<Vec<Value>>,
    chain: Mutex<String>,
    /// The window that is suggested, in days from its clock.
    window: Mutex<Option<(i64, i64)>>,
    /// What is answered to the next orders in place of what they ask for.
    instead: Mutex<VecDeque<Response<Bytes>>>,
    /// The token of challenges; none where nothing is to be proved.
    token: Mutex<Option<&'static str>>,
    /// Whether orders are never answered.
    hangs: AtomicBool,
}

impl Ca {
    fn new(now: SystemTime) -> Arc<Self> {
        let key = PrivateKey::generate().unwrap();
        Arc::new(Self {
            authority: Authority::root("CA", key, &NameConstraints::local(), now - DAY).unwrap(),
            now: Mutex::new(now),
            orders: Mutex::default(),
            chain: Mutex::default(),
            window: Mutex::default(),
            instead: Mutex::default(),
            token: Mutex::default(),
            hangs: AtomicBool::default(),
        })
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let now = *self.now.lock().unwrap();
        let path = request.uri().path();
        let order = |status: &str| {
            let mut order = json!({
                "status": status, "finalize": format!("{CA}/finalize"),
                "authorizations": [format!("{CA}/authz")], "certificate": format!("{CA}/chain"),
            });
            let said = self.orders.lock().unwrap();
            if let Some(replaces) = said.last().and_then(|said| said.get("replaces")) {
                order["replaces"] = replaces.clone();
            }
            order
        };
        match path {
            "/dir" => answer(
                200,
                &json!({
                    "newNonce": format!("{CA}/nonce"), "newAccount": format!("{CA}/account"),
                    "newOrder": format!("{CA}/order"), "renewalInfo": format!("{CA}/renewal"),
                    "meta": {"termsOfService": "https://ca.test/terms"},
                }),
            ),
            "/nonce" => answer(200, &json!({})),
            "/account" => answer(201, &json!({"status": "valid"})),
            "/order" => {
                self.orders.lock().unwrap().push(payload(request));
                let instead = self.instead.lock().unwrap().pop_front();
                let waits = self.token.lock().unwrap().is_some();
                instead
                    .unwrap_or_else(|| answer(201, &order(if waits { "pending" } else { "ready" })))
            }
            "/authz" => {
                let name = self.orders.lock().unwrap().last().unwrap()["identifiers"][0].clone();
                let token = *self.token.lock().unwrap();
                let status = if token.is_some() { "pending" } else { "valid" };
                answer(
                    200,
                    &json!({"identifier": name, "status": status, "challenges": [
                    {"type": "http-01", "url": format!("{CA}/challenge"), "status": status,
                     "token": token.unwrap_or("abc")}]}),
                )
            }
            "/orders/1" => answer(200, &order("ready")),
            "/finalize" => {
                let csr = payload(request)["csr"].as_str().unwrap().to_owned();
                let csr = BASE64_URL_SAFE_NO_PAD.decode(csr).unwrap();
                let csr = CertificateRequest::from_der(&csr).unwrap();
                csr.verify_signature().unwrap();
                let names: Vec<HostName> = csr
                    .alternative_names()
                    .iter()
                    .filter_map(GeneralName::host)
                    .collect();
                let der =
                    self.authority
                        .issue(&leaf_template(&names), csr.public_key(), 90 * DAY, now);
                *self.chain.lock().unwrap() = pem::encode("CERTIFICATE", &der.unwrap());
                answer(200, &order("valid"))
            }
            "/chain" => {
                let mut response = answer(200, &json!({}));
                *response.body_mut() = self.chain.lock().unwrap().clone().into();
                response
            }
            path if path.starts_with("/renewal/") => match *self.window.lock().unwrap() {
                Some((start, end)) => {
                    let at = |days: i64| {
                        let at = time::OffsetDateTime::from(now) + time::Duration::days(days);
                        at.format(&time::format_description::well_known::Rfc3339)
                            .unwrap()
                    };
                    let window = json!({"suggestedWindow": {"start": at(start), "end": at(end)}});
                    let mut response = answer(200, &window);
                    response
                        .headers_mut()
                        .insert("Retry-After", "21600".parse().unwrap());
                    response
                }
                None => answer(
                    404,
                    &json!({"type": "urn:ietf:params:acme:error:malformed"}),
                ),
            },
            other => panic!("{other} is asked for"),
        }
    }
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("Replay-Nonce", "abc")
        .header("Location", format!("{CA}/orders/1"))
        .body(body.to_string().into())
        .unwrap()
}

/// What a signed request says.
fn payload(request: &Request<Bytes>) -> Value {
    let jws: Value = serde_json::from_slice(request.body()).unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD
        .decode(jws["payload"].as_str().unwrap())
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// Requests to the CA, without a network.
#[derive(Debug)]
struct Wire(Arc<Ca>);

impl Http for Wire {
    fn send(&self, request: Request<Bytes>) -> HttpFuture {
        if request.uri().path() == "/order" && self.0.hangs.load(Ordering::Relaxed) {
            return Box::pin(std::future::pending());
        }
        let answer = self.0.answer(&request);
        Box::pin(async move { Ok(answer) })
    }
}

/// Nobody looks.
struct Nothing;

impl Answers for Nothing {
    fn show(&self, _: &HostName, _: &Answer) -> Result<(), String> {
        Ok(())
    }

    fn withdraw(&self, _: &HostName, _: &Answer) {}
}

/// A CA and who keeps a certificate of it, with a clock that is moved.
struct World {
    ca: Arc<Ca>,
    keeper: Keeper,
    now: SystemTime,
    store: FileStore,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        // Certificates say seconds.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        let ca = Ca::new(now);
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        Self {
            keeper: keeper(&ca, &store, true),
            ca,
            now,
            store,
            _folder: folder,
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        *self.ca.now.lock().unwrap() = self.now;
    }

    async fn act(&self, known: Option<&Fingerprint>, at_once: bool) -> Outcome {
        self.keeper.act(&Nothing, known, at_once, self.now).await
    }

    /// The fingerprint of the certificate that comes.
    async fn comes(&self, known: Option<&Fingerprint>) -> Fingerprint {
        match self.act(known, false).await {
            Outcome::New(leaf) => leaf.certificate().fingerprint_sha256(),
            other => panic!("{other:?}"),
        }
    }

    /// Why none comes, and how long is waited.
    async fn fails(&self, at_once: bool) -> (AcmeError, Duration) {
        match self.act(None, at_once).await {
            Outcome::Failed(error, until) => {
                (error, until.duration_since(self.now).unwrap_or_default())
            }
            other => panic!("{other:?}"),
        }
    }

    fn orders(&self) -> usize {
        self.ca.orders.lock().unwrap().len()
    }
}

fn keeper(ca: &Arc<Ca>, store: &FileStore, agrees_to_terms: bool) -> Keeper {
    let settings = Settings {
        directory: format!("{CA}/dir"),
        contact: Vec::new(),
        external_account: None,
        agrees_to_terms,
        profile: Some("short".to_owned()),
    };
    let issuer = Arc::new(Issuer::new(settings, store, Arc::new(Wire(ca.clone()))));
    let names = ["a.test".parse().unwrap(), "b.test".parse().unwrap()];
    // Orders name both, and the CA asks for a proof of the first alone.
    Keeper::new(&issuer, &names, &[Kind::Http]).unwrap()
}

#[tokio::test]
async fn a_certificate_is_renewed_when_two_thirds_of_its_life_are_gone_and_not_before() {
    let mut world = World::new();
    let first = world.comes(None).await;
    assert!(matches!(
        world.act(Some(&first), false).await,
        Outcome::Nothing
    ));
    world.pass(50 * DAY);
    assert!(matches!(
        world.act(Some(&first), true).await,
        Outcome::Nothing
    ));
    assert!(world.keeper.due(world.now).unwrap() > world.now);
    world.pass(11 * DAY);
    let second = world.comes(Some(&first)).await;
    assert_ne!(first, second);
    assert_eq!(world.orders(), 2);
    // Whoever has the first yet, such as another process, is given the second without an order.
    assert_eq!(world.comes(Some(&first)).await, second);
    assert_eq!(world.orders(), 2);
}

#[tokio::test]
async fn a_ca_that_wants_a_certificate_replaced_gets_that_done_early() {
    let mut world = World::new();
    let first = world.comes(None).await;
    world.pass(DAY);
    *world.ca.window.lock().unwrap() = Some((-2, -1));
    let second = world.comes(Some(&first)).await;
    assert_ne!(first, second);
    let said = world.ca.orders.lock().unwrap()[1].clone();
    let replaced = said["replaces"].as_str().unwrap();
    assert_eq!(replaced.split('.').count(), 2, "{said}");
    assert_eq!(said["profile"], "short");
    // It goes on wanting that of the new one too, and is not followed at each word.
    assert!(matches!(
        world.act(Some(&second), false).await,
        Outcome::Nothing
    ));
    assert_eq!(world.orders(), 2);
    // One that is told to wait waits for longer than two thirds.
    *world.ca.window.lock().unwrap() = Some((70, 71));
    world.pass(DAY);
    assert!(matches!(
        world.act(Some(&second), false).await,
        Outcome::Nothing
    ));
    world.pass(62 * DAY);
    *world.ca.window.lock().unwrap() = Some((7, 8));
    assert!(matches!(
        world.act(Some(&second), false).await,
        Outcome::Nothing
    ));
}

#[tokio::test]
async fn a_ca_that_says_when_to_come_again_is_obeyed_across_starts() {
    let mut world = World::new();
    let mut limited = answer(
        429,
        &json!({
        "type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}),
    );
    limited
        .headers_mut()
        .insert("Retry-After", "7200".parse().unwrap());
    world.ca.instead.lock().unwrap().push_back(limited);
    let (error, wait) = world.fails(false).await;
    assert_eq!(
        error.to_string(),
        "the ACME server refuses the order: too many (rateLimited)"
    );
    assert!((7195..=7205).contains(&wait.as_secs()), "{wait:?}");
    let again = keeper(&world.ca, &world.store, true);
    let failed = again.failed(world.now).unwrap().unwrap();
    assert!(failed.is_bidden && failed.count == 1, "{failed:?}");
    // Not even for who is in a hurry.
    assert!(matches!(world.act(None, true).await, Outcome::Nothing));
    assert_eq!(world.orders(), 1);
    world.pass(Duration::from_secs(7300));
    world.comes(None).await;
    assert!(again.failed(world.now).unwrap().is_none());
}

#[tokio::test]
async fn one_that_is_broken_is_asked_less_and_less_often() {
    let mut world = World::new();
    let mut waits = Vec::new();
    for _ in 0..4 {
        let html = Response::builder()
            .status(503)
            .body("<html>".into())
            .unwrap();
        world.ca.instead.lock().unwrap().push_back(html);
        let (error, wait) = world.fails(false).await;
        assert_eq!(
            error.to_string(),
            "the ACME server answers \"https://ca.test/order\" with status 503 Service Unavailable"
        );
        assert!(
            matches!(world.act(None, false).await, Outcome::Nothing),
            "before its time"
        );
        waits.push(wait);
        world.pass(wait + Duration::from_secs(1));
    }
    assert!(
        waits.windows(2).all(|pair| pair[1] > pair[0] * 3 / 2),
        "{waits:?}"
    );
    assert!(waits[0] >= Duration::from_secs(59), "{waits:?}");
}

#[tokio::test]
async fn a_crash_in_the_midst_of_an_order_is_a_failure_too() {
    let world = World::new();
    world.ca.hangs.store(true, Ordering::Relaxed);
    // Dropped where the process would be gone.
    let acting = tokio::time::timeout(Duration::from_millis(100), world.act(None, false)).await;
    assert!(acting.is_err());
    let failed = world.keeper.failed(world.now).unwrap().unwrap();
    assert_eq!((failed.count, &*failed.why), (1, "it was interrupted"));
    let wait = failed.until().duration_since(world.now).unwrap();
    assert!((5..60).contains(&wait.as_secs()), "{wait:?}");
    assert!(matches!(world.act(None, false).await, Outcome::Nothing));
}

#[tokio::test]
async fn tokens_that_are_none_and_terms_that_nobody_agreed_to_end_it() {
    let world = World::new();
    *world.ca.token.lock().unwrap() = Some("../../etc/passwd");
    let (error, _) = world.fails(false).await;
    let said = "the ACME server does not speak ACME as it should: the token for \"a.test\" is none";
    assert_eq!(error.to_string(), said);
    let account = world.store.list("acme/").unwrap();
    let account = account
        .iter()
        .find(|name| name.as_str().ends_with("account.json"));
    world.store.delete(account.unwrap()).unwrap();
    let other = keeper(&world.ca, &world.store, false);
    let Outcome::Failed(error, _) = other.act(&Nothing, None, true, world.now).await else {
        panic!("nobody has agreed");
    };
    assert!(
        error.hint().unwrap().contains("https://ca.test/terms"),
        "{error:?}"
    );
}
