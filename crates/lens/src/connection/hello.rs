//! The hellos: what the client offers, what the server takes of it, and data that the client sends before.

use std::time::SystemTime;

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{CertificateStatus, ClientHello, RANDOM_OCTETS, ServerHello};
use ravelin_wire::record::Record;
use ravelin_wire::registry::{CipherSuite, ExtensionType, ProtocolVersion};
use ravelin_wire::sslv2;

use super::keys::{Keys, Seal};
use super::proofs::CertificateKind;
use super::{Connection, Phase};
use crate::digest::{Hash, Octets};
use crate::knowledge::Knowledge;
use crate::ledger::{By, Side};
use crate::protection::Protection;
use crate::schedule::tls13::{Input, Schedule};
use crate::story::{
    Claim, EarlyData, Epoch, FaultKind, Missing, Refutation, Sealed, Verdict, What,
};

/// Of how many pre-shared keys that a client offers the binders are checked.
const MOST_BINDERS: usize = 8;

/// What a client offered, as far as it is needed later.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) random: [u8; RANDOM_OCTETS],
    /// The ticket of TLS 1.2 and before.
    pub(super) ticket: Vec<u8>,
    /// The versions that it speaks.
    pub(super) versions: Vec<ProtocolVersion>,
    /// The schedules of the pre-shared keys whose binders are right, and which they are.
    pub(super) schedules: Vec<(usize, Schedule)>,
    early: Option<Early>,
}

/// What 0-RTT data may be encrypted with: the suite is that of the first pre-shared key, which nobody says.
struct Early {
    secret: Octets,
    hash: Hash,
    suites: Vec<CipherSuite>,
    /// The hash of the hello.
    digest: Option<Octets>,
}

impl std::fmt::Debug for Early {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Early").finish_non_exhaustive()
    }
}

impl<K: Knowledge> Connection<K> {
    pub(super) fn client_hello(&mut self, step: usize, hello: &ClientHello<'_>, bytes: &[u8]) {
        let is_second = self.story.agreement.retried && matches!(self.phase, Phase::Hello);
        if !is_second && !matches!(self.phase, Phase::Hello) {
            // Before TLS 1.3 a handshake may follow within the connection.
            if self.agreed.is_tls13() {
                return;
            }
            self.phase = Phase::Hello;
            self.transcript.clear();
            self.story.agreement.resumption = None;
        } else if !is_second {
            self.transcript.clear();
        }
        let agreement = &mut self.story.agreement;
        agreement.client_random.get_or_insert(*hello.random);
        agreement.server_name = hello
            .server_name()
            .map(|name| String::from_utf8_lossy(name).into_owned());
        let mut offer = Hello {
            random: *hello.random,
            ticket: Vec::new(),
            versions: hello.versions(),
            schedules: Vec::new(),
            early: None,
        };
        let mut is_early = false;
        for extension in hello.extensions() {
            match extension {
                Extension::SessionTicket(ticket) => offer.ticket = ticket.to_vec(),
                Extension::Present(ExtensionType::EARLY_DATA) => is_early = true,
                _ => {}
            }
        }
        if is_second {
            self.check_retry(step, hello);
        }
        self.identities = Default::default();
        self.client_schemes(hello);
        self.check_binders(step, hello, bytes, &mut offer);
        self.transcript.add("client_hello", bytes);
        if is_early {
            self.story.agreement.early_data = EarlyData::Offered;
            offer.early = self.early_secret(hello, &offer);
            self.guards[Side::Client as usize].change(Epoch::EarlyData, Err(Sealed::NoKeys));
        }
        self.hello = Some(offer);
    }

    /// Checks that the client has the pre-shared keys that it names (RFC 8446, section 4.2.11.2).
    fn check_binders(
        &mut self,
        step: usize,
        hello: &ClientHello<'_>,
        bytes: &[u8],
        offer: &mut Hello,
    ) {
        let offered = hello.extensions().find_map(|extension| match extension {
            Extension::PreSharedKeys(psks) => Some(psks),
            _ => None,
        });
        let Some(psks) = offered else { return };
        let end = bytes.len().saturating_sub(psks.binder_octets());
        let partial = bytes.get(..end).unwrap_or_default();
        let pairs = psks.identities.iter().zip(&psks.binders);
        for (index, (identity, binder)) in pairs.enumerate().take(MOST_BINDERS) {
            let claim = Claim::Binder(index);
            let psk = self.knowledge.psk(identity.identity);
            let (Some(psk), Some(hash)) = (psk, hash_of_octets(binder.len(), hello)) else {
                let verdict = Verdict::NotDerivable(Missing::Psk);
                self.check(step, claim, verdict, Vec::new());
                continue;
            };
            let digest = self.transcript.digest_with(partial);
            let digest = digest.or_else(|| self.transcript.digest_by(&[hash], partial));
            let ledger = &mut self.story.ledger;
            let through = "client_hello without binders";
            let hash_id = ledger.transcript(hash, through, digest);
            let schedule = Schedule::new(ledger, hash, 0, 0, Input::Known(psk.key));
            let id = schedule.binder(ledger, psk.kind, hash_id);
            let verdict = match ledger.value(id) {
                None => Verdict::NotDerivable(Missing::Transcript),
                Some(computed) if computed == *binder => Verdict::Confirmed,
                Some(_) => Verdict::Refuted(Refutation::Differs),
            };
            if verdict == Verdict::Confirmed {
                ledger.witness(id, binder, By::Peer);
                offer.schedules.push((index, schedule));
            }
            self.check(step, claim, verdict, vec![id, hash_id]);
        }
    }

    fn early_secret(&self, hello: &ClientHello<'_>, offer: &Hello) -> Option<Early> {
        let label = "CLIENT_EARLY_TRAFFIC_SECRET";
        let secret = self.knowledge.logged(&offer.random, label).or_else(|| {
            let (0, schedule) = offer.schedules.first()? else {
                return None;
            };
            let stage = self.story.ledger.value(schedule.stage())?;
            let hash = hash_of_octets(stage.len(), hello)?;
            let whole = self.transcript.digest_by(&[hash], &[])?;
            Some(hash.expand_label(stage, "c e traffic", &whole, hash.octets()))
        })?;
        let hash = hash_of_octets(secret.len(), hello)?;
        let suites = hello.cipher_suites.iter().copied();
        let fits =
            |suite: &CipherSuite| suite.is_tls13() && suite.hash().and_then(Hash::of) == Some(hash);
        Some(Early {
            secret,
            hash,
            digest: self.transcript.digest_by(&[hash], &[]),
            suites: suites.filter(fits).take(MOST_BINDERS).collect(),
        })
    }

    /// Finds the suite of 0-RTT data: the one whose keys open it.
    pub(super) fn try_early_data(&mut self, record: &Record<'_>) {
        let Some(hello) = &mut self.hello else { return };
        let Some(early) = hello.early.take() else {
            return;
        };
        let tried = early.suites.iter().find_map(|suite| {
            let cipher = suite.cipher()?;
            let key = early
                .hash
                .expand_label(&early.secret, "key", &[], cipher.key_octets());
            let iv = early
                .hash
                .expand_label(&early.secret, "iv", &[], cipher.nonce_octets());
            let mut protection = Protection::tls13(*suite, &key, &iv)?;
            protection.open(record).ok()?;
            let fresh = Protection::tls13(*suite, &key, &iv)?;
            Some((cipher, fresh))
        });
        let next = self.guards[Side::Client as usize].next.take();
        let Some((cipher, protection)) = tried else {
            let wrong = Sealed::WrongKeys { after: 0 };
            let guard = &mut self.guards[Side::Client as usize];
            guard.change(Epoch::EarlyData, Err(wrong));
            guard.next = next;
            let (sequence, step) = (0, Some(self.story.steps.len()));
            self.fault(Side::Client, step, FaultKind::Undecryptable { sequence });
            return;
        };
        let known = hello.schedules.iter_mut().find(|(index, _)| *index == 0);
        let (key_octets, iv_octets) = (cipher.key_octets(), cipher.nonce_octets());
        let ledger = &mut self.story.ledger;
        if self
            .knowledge
            .logged(&hello.random, "CLIENT_EARLY_TRAFFIC_SECRET")
            .is_some()
        {
            let (name, side) = ("client_early_traffic_secret", Some(Side::Client));
            ledger.testify(name, side, early.secret.clone(), By::KeyLog);
        }
        let schedule = match known {
            Some((_, schedule)) => schedule.with_cipher(key_octets, iv_octets),
            None => Schedule::new(ledger, early.hash, key_octets, iv_octets, Input::Unknown),
        };
        let whole = ledger.transcript(early.hash, "client_hello", early.digest);
        let keys = schedule.early_traffic(ledger, whole);
        if let Some(value) = self
            .knowledge
            .logged(&hello.random, "EARLY_EXPORTER_SECRET")
        {
            ledger.testify("early_exporter_secret", None, value, By::KeyLog);
        }
        schedule.early_exporter(ledger, whole);
        let guard = &mut self.guards[Side::Client as usize];
        let gap = guard.gap;
        guard.change(
            Epoch::EarlyData,
            Ok(Keys::of_traffic(Epoch::EarlyData, protection, keys)),
        );
        guard.next = next;
        guard.gap = gap;
    }

    pub(super) fn server_hello(&mut self, step: usize, hello: &ServerHello<'_>, bytes: &[u8]) {
        if !matches!(self.phase, Phase::Hello) {
            return;
        }
        let version = hello.version();
        let suite = hello.cipher_suite;
        self.agreed.version = version;
        self.agreed.suite = Some(suite);
        let agreement = &mut self.story.agreement;
        agreement.version = Some(version);
        agreement.suite = Some(suite);
        if let Some(step) = self.story.steps.get_mut(step) {
            step.agreed = self.agreed;
        }
        if hello.is_retry() {
            self.retry(hello, bytes);
            return;
        }
        self.check_downgrade(step, hello);
        let agreement = &mut self.story.agreement;
        if agreement.retried {
            agreement.early_data = match agreement.early_data {
                EarlyData::None => EarlyData::None,
                _ => EarlyData::Rejected,
            };
        }
        if version.is_tls13() {
            self.transcript_for_tls13(suite);
            self.transcript.add("server_hello", bytes);
            self.transcript.forget();
            self.begin_tls13(hello);
        } else {
            self.begin_tls12(hello, bytes);
        }
    }

    /// The server asks the client to begin again (RFC 8446, section 4.1.4).
    fn retry(&mut self, hello: &ServerHello<'_>, bytes: &[u8]) {
        let agreement = &mut self.story.agreement;
        agreement.retried = true;
        if agreement.early_data == EarlyData::Offered {
            agreement.early_data = EarlyData::Rejected;
        }
        match hello.cipher_suite.hash().and_then(Hash::of) {
            Some(hash) => self.transcript.fold(hash),
            None => self.transcript.miss(),
        }
        self.transcript.add("hello_retry_request", bytes);
    }

    fn transcript_for_tls13(&mut self, suite: CipherSuite) {
        match suite.hash().and_then(Hash::of) {
            Some(hash) => self.transcript.hash_with(&[hash]),
            None => self.transcript.miss(),
        }
    }

    /// Whether `side` may begin with a message of SSL 2.
    pub(super) fn may_be_sslv2(&self, side: Side) -> bool {
        let stream = &self.streams[side as usize];
        stream.offset == 0 && matches!(self.guards[side as usize].seal, Seal::Clear)
    }

    /// Tells a message of SSL 2, which may ask for TLS (RFC 5246, appendix E.2).
    pub(super) fn sslv2(&mut self, side: Side, at: SystemTime, bytes: &[u8]) {
        self.story.traffic[side as usize].records += 1;
        let step = self.step(side, at, What::SslV2, bytes, bytes.len());
        match sslv2::Message::decode(bytes) {
            Ok(sslv2::Message::ClientHello(hello)) => {
                let mut random = [0; RANDOM_OCTETS];
                let octets = hello.challenge.len().min(RANDOM_OCTETS);
                let challenge = hello.challenge.get(..octets).unwrap_or_default();
                if let Some(place) = random.get_mut(RANDOM_OCTETS - octets..) {
                    place.copy_from_slice(challenge);
                }
                self.story.agreement.client_random.get_or_insert(random);
                self.hello = Some(Hello {
                    random,
                    ticket: Vec::new(),
                    versions: vec![hello.version],
                    schedules: Vec::new(),
                    early: None,
                });
                // Without the length before it, which belongs to the record.
                let message = bytes.get(sslv2::HEADER_OCTETS..).unwrap_or_default();
                self.transcript.add("client_hello", message);
            }
            Ok(sslv2::Message::ServerHello(hello)) => {
                self.story.agreement.version = Some(ProtocolVersion::SSL_2);
                if !hello.certificate.is_empty() {
                    self.story.agreement.server_chain = vec![hello.certificate.to_vec()];
                }
            }
            Ok(sslv2::Message::Error(_)) => {}
            Err(error) => {
                let offset = self.streams[side as usize].offset + error.at as u64;
                self.fault_at(side, offset, Some(step), FaultKind::Malformed(error));
            }
        }
    }

    /// What the server said of the extensions that both versions have.
    pub(super) fn server_extension(&mut self, extension: &Extension<'_>) {
        let agreement = &mut self.story.agreement;
        match extension {
            Extension::Alpn(protocols) => {
                agreement.alpn = protocols.first().map(|protocol| protocol.to_vec());
            }
            Extension::CertificateType(ExtensionType::SERVER_CERTIFICATE_TYPE, kind) => {
                self.identities[Side::Server as usize].kind = CertificateKind(*kind);
            }
            Extension::CertificateType(ExtensionType::CLIENT_CERTIFICATE_TYPE, kind) => {
                self.identities[Side::Client as usize].kind = CertificateKind(*kind);
            }
            _ => {}
        }
    }
}

/// The hash with digests of so many octets, of those that the suites have which a client offers.
fn hash_of_octets(octets: usize, hello: &ClientHello<'_>) -> Option<Hash> {
    let offers = |wanted| {
        let mut hashes = hello.cipher_suites.iter().filter_map(|suite| suite.hash());
        hashes.any(|hash| Hash::of(hash) == Some(wanted))
    };
    [Hash::Sha256, Hash::Sha384, Hash::Sha512, Hash::Sm3]
        .into_iter()
        .find(|hash| hash.octets() == octets && offers(*hash))
}

/// The OCSP response of the server's own certificate.
pub(super) fn ocsp_response(status: &CertificateStatus<'_>) -> Option<Vec<u8>> {
    match status {
        CertificateStatus::Ocsp(response) => Some(response.to_vec()),
        CertificateStatus::OcspMulti(responses) => {
            let first = responses.first().filter(|response| !response.is_empty())?;
            Some(first.to_vec())
        }
        CertificateStatus::Unknown { .. } => None,
    }
}
