//! The handshake of TLS 1.3, from the server's hello on (RFC 8446, section 4).

use ravelin_wire::extension::{Extension, Extensions};
use ravelin_wire::handshake::{
    Certificate, CompressedCertificate, DigitallySigned, HEADER_OCTETS, Handshake,
    NewSessionTicket, ServerHello,
};
use ravelin_wire::reader::{DecodeError, Problem};
use ravelin_wire::registry::ExtensionType;

use super::Connection;
use super::keys::Keys;
use super::transcript::Transcript;
use crate::digest::Hash;
use crate::knowledge::Knowledge;
use crate::ledger::{By, QuantityId, Side};
use crate::proof;
use crate::protection::Protection;
use crate::schedule::tls13::{Input, Schedule, TrafficKeys};
use crate::story::{
    Claim, EarlyData, Epoch, FaultKind, Missing, Refutation, Resumption, Sealed, Verdict,
};

/// How many quantities a handshake derives from the server's hello on, and two tickets after it.
const QUANTITIES: usize = 48;

/// Where the handshake is.
#[derive(Debug)]
pub(super) struct Tls13 {
    hash: Hash,
    schedule: Schedule,
    /// The traffic keys of each side, of the handshake.
    handshake: [TrafficKeys; 2],
    /// Those of application data, once they follow.
    application: Option<[TrafficKeys; 2]>,
    resumption: Option<QuantityId>,
    updates: [u32; 2],
    finished: [bool; 2],
    /// The handshake up to the request for a certificate after it, and what answers it.
    later: Option<Transcript>,
}

impl<K: Knowledge> Connection<K> {
    /// The server's hello is in the transcript: the keys of the handshake follow.
    pub(super) fn begin_tls13(&mut self, hello: &ServerHello<'_>) {
        let suite = hello.cipher_suite;
        let known = suite.hash().and_then(Hash::of).zip(suite.cipher());
        let Some((hash, cipher)) = known else {
            for guard in &mut self.guards {
                guard.change(Epoch::Handshake, Err(Sealed::UnknownCipher));
            }
            return;
        };
        let (mut selected, mut share) = (None, None);
        for extension in hello.extensions() {
            match extension {
                Extension::PreSharedKey(index) => selected = Some(usize::from(*index)),
                Extension::KeyShare(entry) => share = Some(entry),
                _ => {}
            }
        }
        let agreement = &mut self.story.agreement;
        agreement.extended_main_secret = true;
        agreement.group = share.map(|share| share.group);
        agreement.resumption = selected.map(|_| Resumption::Psk {
            key_exchange: share.is_some(),
        });
        let (key_octets, iv_octets) = (cipher.key_octets(), cipher.nonce_octets());
        let known = selected.and_then(|selected| {
            let offered = &self.hello.as_ref()?.schedules;
            let (_, schedule) = offered.iter().find(|(index, _)| *index == selected)?;
            Some(schedule.with_cipher(key_octets, iv_octets))
        });
        let ledger = &mut self.story.ledger;
        ledger.reserve(QUANTITIES);
        let mut schedule = known.unwrap_or_else(|| {
            let psk = selected.map_or(Input::Absent, |_| Input::Unknown);
            Schedule::new(ledger, hash, key_octets, iv_octets, psk)
        });
        if self.is_quic {
            schedule = schedule.for_quic();
        }
        let shared_secret = match share {
            None => Input::Absent,
            Some(share) => match self.knowledge.shared_secret(share.key_exchange) {
                Some(secret) => Input::Known(secret),
                None => Input::Unknown,
            },
        };
        let shared_secret = schedule.handshake(ledger, shared_secret);
        let hellos = ledger.transcript(hash, self.transcript.last(), self.transcript.digest());
        let handshake = [Side::Client, Side::Server].map(|side| {
            let label = match side {
                Side::Client => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                Side::Server => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            };
            let name = match side {
                Side::Client => "client_handshake_traffic_secret",
                Side::Server => "server_handshake_traffic_secret",
            };
            self.testify_logged(label, name, Some(side));
            schedule.handshake_traffic(&mut self.story.ledger, side, hellos)
        });
        if share.is_some() {
            self.exchanged(shared_secret, handshake.map(|keys| keys.secret).to_vec());
        }
        schedule.main(&mut self.story.ledger);
        let mut state = Tls13 {
            hash,
            schedule,
            handshake,
            application: None,
            resumption: None,
            updates: [0; 2],
            finished: [false; 2],
            later: None,
        };
        for side in [Side::Client, Side::Server] {
            let keys = self.traffic_keys(Epoch::Handshake, handshake[side as usize]);
            // 0-RTT data may still come, whether the server takes it or not.
            let guard = &mut self.guards[side as usize];
            match keys {
                Ok(keys) if guard.epoch == Epoch::EarlyData => guard.next = Some(Box::new(keys)),
                Err(_) if guard.epoch == Epoch::EarlyData => {}
                keys => guard.change(Epoch::Handshake, keys),
            }
        }
        // Some logs have the secrets of application data alone: the handshake is passed over then.
        if state
            .handshake
            .iter()
            .any(|keys| self.story.ledger.value(keys.secret).is_none())
        {
            self.application_keys(&mut state, false);
            for side in [Side::Client, Side::Server] {
                self.foresee_application(&state, side);
            }
        }
        self.phase = super::Phase::Tls13(Box::new(state));
    }

    fn foresee_application(&mut self, state: &Tls13, side: Side) {
        let Some(keys) = state.application else {
            return;
        };
        if let Ok(keys) = self.traffic_keys(Epoch::Application(0), keys[side as usize]) {
            let guard = &mut self.guards[side as usize];
            if guard.keys().is_none() && guard.next.is_none() {
                guard.next = Some(Box::new(keys));
            }
        }
    }

    /// Takes down what a key log has of this handshake under a label.
    pub(super) fn testify_logged(&mut self, label: &str, name: &'static str, side: Option<Side>) {
        let Some(hello) = &self.hello else { return };
        if let Some(value) = self.knowledge.logged(&hello.random, label) {
            self.story.ledger.testify(name, side, value, By::KeyLog);
        }
    }

    fn traffic_keys(&self, epoch: Epoch, keys: TrafficKeys) -> Result<Keys, Sealed> {
        let ledger = &self.story.ledger;
        let (Some(key), Some(iv)) = (ledger.value(keys.key), ledger.value(keys.iv)) else {
            return Err(Sealed::NoKeys);
        };
        let suite = self.agreed.suite.ok_or(Sealed::UnknownCipher)?;
        let protection = Protection::tls13(suite, key, iv).ok_or(Sealed::UnknownCipher)?;
        Ok(Keys::of_traffic(epoch, protection, keys))
    }

    pub(super) fn tell_tls13(
        &mut self,
        state: &mut Tls13,
        side: Side,
        step: usize,
        message: &Handshake<'_>,
        bytes: &[u8],
    ) {
        if self.story.agreement.complete.is_some() {
            self.tell_after(state, side, step, message, bytes);
            return;
        }
        match message {
            Handshake::EncryptedExtensions(extensions) => self.encrypted_extensions(extensions),
            Handshake::CertificateRequest(request) => self.certificate_request(request),
            Handshake::Certificate(certificate) => {
                self.certificate(side, body_of(bytes), certificate);
            }
            Handshake::CompressedCertificate(compressed) => self.compressed(side, step, compressed),
            Handshake::CertificateVerify(signed) => {
                self.check_certificate_verify(state, side, step, signed);
            }
            Handshake::EndOfEarlyData => {
                self.add(side, message, bytes);
                let keys = self.traffic_keys(Epoch::Handshake, state.handshake[side as usize]);
                self.guards[side as usize].change(Epoch::Handshake, keys);
                return;
            }
            Handshake::Finished(verify_data) => {
                self.check_finished(state, side, step, verify_data);
                self.add(side, message, bytes);
                self.finished(state, side, step);
                return;
            }
            // Tickets and updates are no part of the handshake, though a server may send them early.
            Handshake::NewSessionTicket(_) | Handshake::KeyUpdate(_) => {
                self.tell_after(state, side, step, message, bytes);
                return;
            }
            _ => {}
        }
        self.add(side, message, bytes);
    }

    fn encrypted_extensions(&mut self, extensions: &Extensions<'_>) {
        let mut is_accepted = false;
        for extension in &extensions.0 {
            is_accepted |= *extension == Extension::Present(ExtensionType::EARLY_DATA);
            self.server_extension(extension);
        }
        let agreement = &mut self.story.agreement;
        agreement.early_data = match agreement.early_data {
            EarlyData::None => EarlyData::None,
            _ if is_accepted => EarlyData::Accepted,
            _ => EarlyData::Rejected,
        };
    }

    /// Reads a certificate that was compressed (RFC 8879).
    fn compressed(&mut self, side: Side, step: usize, compressed: &CompressedCertificate<'_>) {
        let body = proof::decompress(compressed, self.limits.message_octets);
        let read = body.as_ref().ok().and_then(|body| {
            let certificate = Certificate::decode_tls13(body).ok()?;
            Some((body, certificate))
        });
        if let Some((body, certificate)) = read {
            self.certificate(side, body, &certificate);
        } else if let Some(step) = self.story.steps.get(step) {
            // The octets that are compressed are behind the header, the algorithm and both lengths.
            let error = DecodeError {
                at: step.bytes.len() - compressed.compressed_certificate_message.len(),
                field: "compressed_certificate_message",
                problem: Problem::Value {
                    value: u64::from(compressed.uncompressed_length),
                },
            };
            self.fault(
                side,
                Some(self.story.steps.len() - 1),
                FaultKind::Malformed(error),
            );
        }
    }

    /// Checks the signature that proves the certificate.
    fn check_certificate_verify(
        &mut self,
        state: &Tls13,
        side: Side,
        step: usize,
        signed: &DigitallySigned<'_>,
    ) {
        match side {
            Side::Client => self.story.agreement.client_signature = signed.algorithm,
            Side::Server => self.story.agreement.server_signature = signed.algorithm,
        }
        if self.limits.signatures {
            let transcript = state.later.as_ref().unwrap_or(&self.transcript);
            let (last, digest) = (transcript.last(), transcript.digest());
            let hash = self.story.ledger.transcript(state.hash, last, digest);
            self.check_signature_over_hash(side, step, signed, hash);
        }
    }

    /// Whether a Finished message says what it must (RFC 8446, section 4.4.4).
    fn check_finished(&mut self, state: &Tls13, side: Side, step: usize, said: &[u8]) {
        let transcript = state.later.as_ref().unwrap_or(&self.transcript);
        let secret = match (state.finished[side as usize], state.application) {
            (true, Some(application)) => application[side as usize].secret,
            _ => state.handshake[side as usize].secret,
        };
        let ledger = &mut self.story.ledger;
        let before = ledger.transcript(state.hash, transcript.last(), transcript.digest());
        let id = state.schedule.verify_data(ledger, side, secret, before);
        let verdict = match ledger.value(id) {
            Some(computed) if computed == said => Verdict::Confirmed,
            Some(_) => Verdict::Refuted(Refutation::Differs),
            None if transcript.is_whole() => Verdict::NotDerivable(Missing::Keys),
            None => Verdict::NotDerivable(Missing::Transcript),
        };
        if verdict != Verdict::NotDerivable(Missing::Keys)
            && verdict != Verdict::NotDerivable(Missing::Transcript)
        {
            ledger.witness(id, said, By::Peer);
        }
        self.check(step, Claim::Finished(side), verdict, vec![id, before]);
    }

    /// A Finished message is in the transcript: other keys follow.
    fn finished(&mut self, state: &mut Tls13, side: Side, step: usize) {
        state.finished[side as usize] = true;
        if state.application.is_none() || side == Side::Server {
            self.application_keys(state, side == Side::Server);
        }
        if let Some(keys) = state.application {
            let keys = self.traffic_keys(Epoch::Application(0), keys[side as usize]);
            self.guards[side as usize].change(Epoch::Application(0), keys);
        }
        if side == Side::Client {
            self.story.agreement.complete = Some(step);
            let ledger = &mut self.story.ledger;
            let last = self.transcript.last();
            let whole = ledger.transcript(state.hash, last, self.transcript.digest());
            state.resumption = Some(state.schedule.resumption(ledger, whole));
            ledger.settle();
            self.transcript.forget();
        }
    }

    /// Derives the keys of application data; `is_through`, if the transcript goes to the server's Finished.
    fn application_keys(&mut self, state: &mut Tls13, is_through: bool) {
        let digest = if is_through {
            self.transcript.digest()
        } else {
            None
        };
        let ledger = &mut self.story.ledger;
        let finished = ledger.transcript(state.hash, "server finished", digest);
        let keys = [Side::Client, Side::Server].map(|side| {
            let (label, name) = match side {
                Side::Client => (
                    "CLIENT_TRAFFIC_SECRET_0",
                    "client_application_traffic_secret_0",
                ),
                Side::Server => (
                    "SERVER_TRAFFIC_SECRET_0",
                    "server_application_traffic_secret_0",
                ),
            };
            self.testify_logged(label, name, Some(side));
            let ledger = &mut self.story.ledger;
            state.schedule.application_traffic(ledger, side, finished)
        });
        state.application = Some(keys);
        self.testify_logged("EXPORTER_SECRET", "exporter_secret", None);
        state.schedule.exporter(&mut self.story.ledger, finished);
    }

    /// What may follow a handshake (RFC 8446, section 4.6).
    fn tell_after(
        &mut self,
        state: &mut Tls13,
        side: Side,
        step: usize,
        message: &Handshake<'_>,
        bytes: &[u8],
    ) {
        match message {
            Handshake::NewSessionTicket(NewSessionTicket::Tls13 { ticket_nonce, .. }) => {
                self.story.agreement.tickets += 1;
                if let Some(resumption) = state.resumption {
                    let ledger = &mut self.story.ledger;
                    state.schedule.ticket_psk(ledger, resumption, ticket_nonce);
                }
            }
            Handshake::KeyUpdate(_) => self.update(state, side),
            Handshake::CertificateRequest(request) => {
                self.certificate_request(request);
                let mut later = self.transcript.clone();
                later.add("certificate_request", bytes);
                state.later = Some(later);
            }
            Handshake::Certificate(certificate) => {
                self.certificate(side, body_of(bytes), certificate);
                if let Some(later) = &mut state.later {
                    later.add("client certificate", bytes);
                }
            }
            Handshake::CompressedCertificate(compressed) => {
                self.compressed(side, step, compressed);
                if let Some(later) = &mut state.later {
                    later.add("client certificate", bytes);
                }
            }
            Handshake::CertificateVerify(signed) => {
                self.check_certificate_verify(state, side, step, signed);
                if let Some(later) = &mut state.later {
                    later.add("client certificate_verify", bytes);
                }
            }
            Handshake::Finished(verify_data) if state.later.is_some() => {
                self.check_finished(state, side, step, verify_data);
                state.later = None;
            }
            _ => {}
        }
    }

    fn update(&mut self, state: &mut Tls13, side: Side) {
        let Some(keys) = &mut state.application else {
            return;
        };
        let updates = &mut state.updates[side as usize];
        *updates += 1;
        self.story.agreement.rekeyed[side as usize] = *updates;
        let (label, name) = match side {
            Side::Client => (
                format!("CLIENT_TRAFFIC_SECRET_{updates}"),
                "client_application_traffic_secret_N",
            ),
            Side::Server => (
                format!("SERVER_TRAFFIC_SECRET_{updates}"),
                "server_application_traffic_secret_N",
            ),
        };
        let epoch = Epoch::Application(*updates);
        let now = keys[side as usize];
        self.testify_logged(&label, name, Some(side));
        let now = state.schedule.updated(&mut self.story.ledger, side, now);
        keys[side as usize] = now;
        let keys = self.traffic_keys(epoch, now);
        self.guards[side as usize].change(epoch, keys);
    }
}

/// A message without its header.
pub(super) fn body_of(bytes: &[u8]) -> &[u8] {
    bytes.get(HEADER_OCTETS..).unwrap_or_default()
}
