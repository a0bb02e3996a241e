//! The handshakes of TLS 1.2 and before, from the server's hello on (RFC 5246, section 7).

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{
    ClientShare, Handshake, ServerHello, ServerKeyExchange, ServerParameters,
};
use ravelin_wire::registry::{ExtensionType, ProtocolVersion};

use super::hello::ocsp_response;
use super::keys::Keys;
use super::tls13::body_of;
use super::{Connection, Phase};
use crate::digest::{Hash, Octets, Prf, ssl3_padding};
use crate::knowledge::Knowledge;
use crate::ledger::{By, QuantityId, Side, ssl3_sender};
use crate::protection::{self, Protection};
use crate::schedule::tls12::{Schedule, Seed, WriteKeys};
use crate::story::{Claim, Epoch, Missing, Refutation, Resumption, Sealed, Verdict};

/// Where the handshake is.
#[derive(Debug)]
pub(super) struct Tls12 {
    /// None where it is not known here.
    prf: Option<Prf>,
    randoms: (QuantityId, QuantityId),
    /// What the server calls the session.
    session_id: Vec<u8>,
    extended: bool,
    encrypt_then_mac: bool,
    /// The server's public value, as it was sent.
    share: Vec<u8>,
    schedule: Option<Schedule>,
    keys: Option<[WriteKeys; 2]>,
    finished: [bool; 2],
    /// Whether the server began a key exchange, so that it does not go on with a session from before.
    is_full: bool,
    /// How many handshakes came before this one.
    before: u32,
}

impl<K: Knowledge> Connection<K> {
    /// The server has chosen one of these versions.
    pub(super) fn begin_tls12(&mut self, hello: &ServerHello<'_>, bytes: &[u8]) {
        let prf = prf(hello);
        self.transcript.hash_with(prf.map_or(&[], Prf::hashes));
        self.transcript.add("server_hello", bytes);
        let (mut extended, mut encrypt_then_mac, mut renegotiation) = (false, false, false);
        for extension in hello.extensions() {
            match extension {
                Extension::Present(ExtensionType::EXTENDED_MAIN_SECRET) => extended = true,
                Extension::Present(ExtensionType::ENCRYPT_THEN_MAC) => encrypt_then_mac = true,
                Extension::RenegotiationInfo(_) => renegotiation = true,
                _ => self.server_extension(extension),
            }
        }
        let agreement = &mut self.story.agreement;
        agreement.extended_main_secret = extended;
        agreement.encrypt_then_mac = encrypt_then_mac;
        agreement.secure_renegotiation = renegotiation;
        let before = match agreement.complete {
            Some(_) => agreement.rekeyed[0] + 1,
            None => 0,
        };
        let ledger = &mut self.story.ledger;
        let client_random = self.hello.as_ref().map(|hello| hello.random);
        let mut random = |name, side, random: Option<[u8; 32]>| {
            let value = random.map(|random| Octets::new(random.to_vec()));
            ledger.given(name, Some(side), value)
        };
        let randoms = (
            random("client_random", Side::Client, client_random),
            random("server_random", Side::Server, Some(*hello.random)),
        );
        self.phase = Phase::Tls12(Box::new(Tls12 {
            prf,
            randoms,
            session_id: hello.legacy_session_id_echo.to_vec(),
            extended,
            encrypt_then_mac,
            share: Vec::new(),
            schedule: None,
            keys: None,
            finished: [false; 2],
            is_full: false,
            before,
        }));
    }

    pub(super) fn tell_tls12(
        &mut self,
        state: &mut Tls12,
        side: Side,
        step: usize,
        message: &Handshake<'_>,
        bytes: &[u8],
    ) {
        match message {
            Handshake::HelloRequest => return,
            Handshake::Certificate(certificate) => {
                self.certificate(side, body_of(bytes), certificate);
            }
            Handshake::CertificateStatus(status) => {
                self.story.agreement.ocsp_response = ocsp_response(status);
            }
            Handshake::ServerKeyExchange(exchange) => self.server_share(state, step, exchange),
            Handshake::ServerHelloDone => state.is_full = true,
            Handshake::CertificateRequest(request) => self.certificate_request(request),
            Handshake::CertificateVerify(signed) => {
                self.story.agreement.client_signature = signed.algorithm;
                let main_secret = state.schedule.map(|schedule| schedule.main());
                self.check_signature_over_messages(side, step, signed, main_secret);
            }
            Handshake::NewSessionTicket(_) => self.story.agreement.tickets += 1,
            Handshake::NextProtocol {
                selected_protocol, ..
            } => self.story.agreement.alpn = Some(selected_protocol.to_vec()),
            Handshake::ClientKeyExchange(exchange) => {
                self.add(side, message, bytes);
                let identity = exchange.psk_identity;
                let premaster = self.premaster(state, identity, &exchange.share);
                self.main_secret(state, premaster);
                return;
            }
            Handshake::Finished(verify_data) => {
                self.check_verify_data(state, side, step, verify_data);
                self.add(side, message, bytes);
                state.finished[side as usize] = true;
                if state.finished == [true; 2] {
                    self.complete_tls12(state, step);
                }
                return;
            }
            _ => {}
        }
        self.add(side, message, bytes);
    }

    fn server_share(&mut self, state: &mut Tls12, step: usize, exchange: &ServerKeyExchange<'_>) {
        let agreement = &mut self.story.agreement;
        match &exchange.parameters {
            ServerParameters::Ec(parameters) => {
                agreement.group = Some(parameters.named_curve);
                state.share = parameters.public.to_vec();
            }
            ServerParameters::Dh(parameters) => state.share = parameters.ys.to_vec(),
            _ => {}
        }
        if let Some(signature) = &exchange.signature {
            agreement.server_signature = signature.algorithm;
        }
        self.check_share(step, exchange, state.randoms);
    }

    /// What the key exchange agreed on.
    fn premaster(
        &self,
        state: &Tls12,
        identity: Option<&[u8]>,
        share: &ClientShare<'_>,
    ) -> Option<Octets> {
        let shared = match share {
            ClientShare::EncryptedSecret { encrypted, .. } => {
                Some(self.knowledge.decrypted_premaster(encrypted)?)
            }
            ClientShare::Ec(_) => Some(self.knowledge.shared_secret(&state.share)?),
            ClientShare::Dh(_) => {
                let secret = self.knowledge.shared_secret(&state.share)?;
                // RFC 5246 (section 8.1.2) leaves the zeros before it out.
                let zeros = secret.iter().take_while(|octet| **octet == 0).count();
                Some(Octets::new(secret.get(zeros..)?.to_vec()))
            }
            ClientShare::None if identity.is_some() => None,
            ClientShare::None | ClientShare::Opaque(_) => return None,
        };
        let Some(identity) = identity else {
            return shared;
        };
        // RFC 4279 (section 2): both with their lengths, and zeros where there is nothing but the key.
        let psk = self.knowledge.psk(identity)?.key;
        let shared = shared.unwrap_or_else(|| Octets::new(vec![0; psk.len()]));
        let mut premaster = Octets::default();
        for part in [&shared, &psk] {
            premaster.extend_from_slice(&(part.len() as u16).to_be_bytes());
            premaster.extend_from_slice(part);
        }
        Some(premaster)
    }

    /// Derives the main secret of a new session, and the keys of both sides.
    fn main_secret(&mut self, state: &mut Tls12, premaster: Option<Octets>) {
        let Some(prf) = state.prf else { return };
        self.testify_logged("CLIENT_RANDOM", "master_secret", None);
        let logged = self.hello.as_ref().and_then(|hello| {
            let label = "PMS_CLIENT_RANDOM";
            self.knowledge.logged(&hello.random, label)
        });
        let digest = self.transcript.digest();
        let ledger = &mut self.story.ledger;
        let premaster = ledger.given("premaster_secret", None, premaster);
        if let Some(logged) = logged {
            ledger.witness(premaster, &logged, By::KeyLog);
        }
        let seed = if state.extended {
            let hash = prf.hashes().last().copied().unwrap_or(Hash::Sha256);
            Seed::Session(ledger.transcript(hash, self.transcript.last(), digest))
        } else {
            Seed::Randoms
        };
        let schedule = Schedule::new(ledger, prf, premaster, state.randoms, seed);
        self.exchanged(premaster, vec![schedule.main()]);
        self.write_keys(state, schedule);
    }

    /// The server goes on with a session from before.
    fn resume(&mut self, state: &mut Tls12) {
        let Some(hello) = &self.hello else { return };
        let by_ticket = !hello.ticket.is_empty();
        let session = if by_ticket {
            &hello.ticket
        } else {
            &state.session_id
        };
        self.story.agreement.resumption = Some(if by_ticket {
            Resumption::Ticket
        } else {
            Resumption::SessionId
        });
        let Some(prf) = state.prf else { return };
        let known = self.knowledge.main_secret(session);
        let logged = self.knowledge.logged(&hello.random, "CLIENT_RANDOM");
        let ledger = &mut self.story.ledger;
        let main = ledger.given("master_secret", None, known);
        if let Some(logged) = logged {
            ledger.witness(main, &logged, By::KeyLog);
        }
        self.write_keys(state, Schedule::resume(prf, main, state.randoms));
    }

    fn write_keys(&mut self, state: &mut Tls12, schedule: Schedule) {
        state.schedule = Some(schedule);
        if let Some(suite) = self.agreed.suite {
            let ledger = &mut self.story.ledger;
            state.keys = schedule.write_keys(ledger, self.agreed.version, suite);
        }
    }

    /// From here on `side` encrypts. In TLS 1.3 it says nothing.
    pub(super) fn change_cipher(&mut self, side: Side) {
        let mut state = match std::mem::take(&mut self.phase) {
            Phase::Tls12(state) => state,
            other => {
                self.phase = other;
                self.change_blindly(side);
                return;
            }
        };
        if state.schedule.is_none() && side == Side::Server && !state.is_full {
            // The server's keys follow before any key exchange.
            self.resume(&mut state);
        }
        let epoch = Epoch::Application(state.before);
        let keys = self.keys_of(&state, epoch, side);
        self.guards[side as usize].change(epoch, keys);
        self.phase = Phase::Tls12(state);
    }

    /// A change of ciphers before any server's hello says that what follows cannot be read, unless it is one of
    /// those that make TLS 1.3 look like an older version.
    fn change_blindly(&mut self, side: Side) {
        if !matches!(self.phase, Phase::Hello) {
            return;
        }
        let is_tls13 = match side {
            _ if !self.transcript.is_whole() => false,
            Side::Client => {
                let mut versions = self.hello.iter().flat_map(|hello| &hello.versions);
                versions.any(|version| version.is_tls13())
            }
            Side::Server => self.story.agreement.retried,
        };
        if !is_tls13 {
            let guard = &mut self.guards[side as usize];
            guard.change(Epoch::Application(0), Err(Sealed::Lost));
        }
    }

    fn keys_of(&self, state: &Tls12, epoch: Epoch, side: Side) -> Result<Keys, Sealed> {
        let ledger = &self.story.ledger;
        let schedule = state.schedule.as_ref().ok_or(Sealed::NoKeys)?;
        if ledger.value(schedule.main()).is_none() {
            return Err(Sealed::NoKeys);
        }
        let keys = state.keys.ok_or(Sealed::UnknownCipher)?[side as usize];
        let value = |id: Option<QuantityId>| id.and_then(|id| ledger.value(id));
        let values = protection::Keys {
            mac_key: value(keys.mac_key),
            key: value(keys.key),
            iv: value(keys.iv),
        };
        let suite = self.agreed.suite.ok_or(Sealed::UnknownCipher)?;
        let protection =
            Protection::tls12(self.agreed.version, suite, state.encrypt_then_mac, values)
                .ok_or(Sealed::UnknownCipher)?;
        Ok(Keys {
            epoch,
            protection,
            secret: Some(schedule.main()),
            key: keys.key,
            iv: keys.iv,
            mac_key: keys.mac_key,
            opened: 0,
        })
    }

    /// Whether a Finished message says what it must (RFC 5246, section 7.4.9).
    fn check_verify_data(&mut self, state: &Tls12, side: Side, step: usize, said: &[u8]) {
        let claim = Claim::Finished(side);
        let Some((schedule, prf)) = state.schedule.zip(state.prf) else {
            let verdict = Verdict::NotDerivable(Missing::Keys);
            self.check(step, claim, verdict, Vec::new());
            return;
        };
        let before = if prf == Prf::Ssl3 {
            self.ssl3_inside(side, schedule.main())
        } else {
            let digest = self.transcript.digest();
            let hash = prf.hashes().last().copied().unwrap_or(Hash::Sha256);
            let last = self.transcript.last();
            self.story.ledger.transcript(hash, last, digest)
        };
        let ledger = &mut self.story.ledger;
        let id = schedule.verify_data(ledger, side, before);
        let verdict = match ledger.value(id) {
            Some(computed) if computed == said => Verdict::Confirmed,
            Some(_) => Verdict::Refuted(Refutation::Differs),
            None if self.transcript.is_whole() => Verdict::NotDerivable(Missing::Keys),
            None => Verdict::NotDerivable(Missing::Transcript),
        };
        if !matches!(verdict, Verdict::NotDerivable(_)) {
            ledger.witness(id, said, By::Peer);
        }
        self.check(step, claim, verdict, vec![id, before]);
    }

    /// What the Finished message of `side` has inside in SSL 3.0 (RFC 6101, section 5.6.9).
    fn ssl3_inside(&mut self, side: Side, main: QuantityId) -> QuantityId {
        let digest = self.story.ledger.value(main).and_then(|secret| {
            let sender = ssl3_sender(side).as_bytes();
            let more = |hash| {
                let [padding, _] = ssl3_padding(hash);
                Octets::new([sender, secret, &padding].concat())
            };
            self.transcript.digest_each(Prf::Ssl3.hashes(), more)
        });
        let last = self.transcript.last();
        self.story.ledger.ssl3_inside(last, side, main, digest)
    }

    fn complete_tls12(&mut self, state: &Tls12, step: usize) {
        let agreement = &mut self.story.agreement;
        if state.before == 0 {
            agreement.complete = Some(step);
        } else {
            agreement.rekeyed = [state.before; 2];
        }
        self.transcript.forget();
    }
}

/// How a server's choice derives keys; `None` where that is not known here.
fn prf(hello: &ServerHello<'_>) -> Option<Prf> {
    let version = hello.version();
    if version == ProtocolVersion::TLS_1_2 {
        return hello.cipher_suite.hash().and_then(Hash::of).map(Prf::Tls12);
    }
    match version {
        ProtocolVersion::SSL_3 => Some(Prf::Ssl3),
        ProtocolVersion::TLS_1_0 | ProtocolVersion::TLS_1_1 => Some(Prf::Tls10),
        _ => None,
    }
}
