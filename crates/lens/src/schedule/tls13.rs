//! The key schedule of TLS 1.3 (RFC 8446, section 7).

use crate::digest::{Hash, Octets};
use crate::ledger::{Formula, Ledger, QuantityId, Side};

/// Walks the schedule down: early secret, handshake secret, main secret, and what is derived of each. All
/// that it derives is in the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    hash: Hash,
    key_octets: usize,
    iv_octets: usize,
    /// What the key and the IV are derived by.
    labels: [&'static str; 2],
    /// The zeros that stand for an input that there is not.
    zeros: QuantityId,
    /// The hash of nothing, which is the context of what derives from one stage to the next.
    nothing: QuantityId,
    /// The secret of the stage that was reached.
    stage: QuantityId,
}

/// What protects the records of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficKeys {
    /// What they are derived from.
    pub secret: QuantityId,
    /// The key.
    pub key: QuantityId,
    /// What the number of each record is added to.
    pub iv: QuantityId,
}

/// What enters the schedule from outside.
#[derive(Debug)]
pub enum Input {
    /// There is none: zeros stand for it.
    Absent,
    /// There is one, and it is not known.
    Unknown,
    /// There is this one.
    Known(Octets),
}

/// Where a pre-shared key is from, which its binder says (section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PskKind {
    /// From a ticket.
    Resumption,
    /// From elsewhere.
    External,
}

impl Input {
    fn note(self, ledger: &mut Ledger, name: &'static str, zeros: QuantityId) -> QuantityId {
        match self {
            Self::Absent => zeros,
            Self::Unknown => ledger.given(name, None, None),
            Self::Known(value) => ledger.given(name, None, Some(value)),
        }
    }
}

impl Schedule {
    /// Begins with the early secret. `psk` is the key that both have from before.
    pub fn new(
        ledger: &mut Ledger,
        hash: Hash,
        key_octets: usize,
        iv_octets: usize,
        psk: Input,
    ) -> Self {
        let zeros = ledger.derive("0", None, Formula::Zeros(hash.octets()));
        let nothing = ledger.derive("empty hash", None, Formula::EmptyHash(hash));
        let secret = psk.note(ledger, "PSK", zeros);
        let early = Formula::Extract {
            hash,
            salt: zeros,
            secret,
        };
        let stage = ledger.derive("early_secret", None, early);
        Self {
            hash,
            key_octets,
            iv_octets,
            labels: ["key", "iv"],
            zeros,
            nothing,
            stage,
        }
    }

    /// Goes on with the lengths of another cipher: which one is agreed on can be later than the early secret.
    #[must_use]
    pub fn with_cipher(self, key_octets: usize, iv_octets: usize) -> Self {
        Self {
            key_octets,
            iv_octets,
            ..self
        }
    }

    /// Goes on with keys for the packets of QUIC in place of records (RFC 9001, section 5.1).
    #[must_use]
    pub fn for_quic(self) -> Self {
        Self {
            labels: ["quic key", "quic iv"],
            ..self
        }
    }

    /// The secret of the stage that was reached.
    #[must_use]
    pub fn stage(&self) -> QuantityId {
        self.stage
    }

    /// What proves that the client has the pre-shared key: an HMAC over the hash of its hello without the
    /// proofs (section 4.2.11.2).
    pub fn binder(&self, ledger: &mut Ledger, kind: PskKind, hello: QuantityId) -> QuantityId {
        let label = match kind {
            PskKind::Resumption => "res binder",
            PskKind::External => "ext binder",
        };
        let key = self.derive_secret(ledger, "binder_key", None, label, self.nothing);
        self.verify_data_by(ledger, "binder", Some(Side::Client), key, hello)
    }

    /// What protects 0-RTT data; `hello` is the hash of the client's hello.
    pub fn early_traffic(&self, ledger: &mut Ledger, hello: QuantityId) -> TrafficKeys {
        let name = "client_early_traffic_secret";
        let secret = self.derive_secret(ledger, name, Some(Side::Client), "c e traffic", hello);
        self.traffic_keys(ledger, Some(Side::Client), secret)
    }

    /// What others derive keys from before the handshake is over (section 7.5).
    pub fn early_exporter(&self, ledger: &mut Ledger, hello: QuantityId) -> QuantityId {
        self.derive_secret(ledger, "early_exporter_secret", None, "e exp master", hello)
    }

    /// Goes on to the handshake secret, and says which quantity entered. `shared_secret` is what the key exchange
    /// agreed on.
    pub fn handshake(&mut self, ledger: &mut Ledger, shared_secret: Input) -> QuantityId {
        let secret = shared_secret.note(ledger, "shared_secret", self.zeros);
        self.next_stage(ledger, "handshake_secret", secret);
        secret
    }

    /// What protects the rest of the handshake; `hellos` is its hash up to the server's hello.
    pub fn handshake_traffic(
        &self,
        ledger: &mut Ledger,
        side: Side,
        hellos: QuantityId,
    ) -> TrafficKeys {
        let (name, label) = match side {
            Side::Client => ("client_handshake_traffic_secret", "c hs traffic"),
            Side::Server => ("server_handshake_traffic_secret", "s hs traffic"),
        };
        let secret = self.derive_secret(ledger, name, Some(side), label, hellos);
        self.traffic_keys(ledger, Some(side), secret)
    }

    /// What a Finished message must say (section 4.4.4); `secret` is the traffic secret of who sends it,
    /// `before` the hash of the handshake up to it.
    pub fn verify_data(
        &self,
        ledger: &mut Ledger,
        side: Side,
        secret: QuantityId,
        before: QuantityId,
    ) -> QuantityId {
        self.verify_data_by(ledger, "verify_data", Some(side), secret, before)
    }

    fn verify_data_by(
        &self,
        ledger: &mut Ledger,
        name: &'static str,
        side: Option<Side>,
        secret: QuantityId,
        message: QuantityId,
    ) -> QuantityId {
        let key = self.expand(
            ledger,
            "finished_key",
            side,
            secret,
            "finished",
            self.hash.octets(),
        );
        let hash = self.hash;
        ledger.derive(name, side, Formula::Hmac { hash, key, message })
    }

    /// Goes on to the main secret, which TLS 1.3 called the master secret at first.
    pub fn main(&mut self, ledger: &mut Ledger) {
        self.next_stage(ledger, "main_secret", self.zeros);
    }

    /// What protects application data; `finished` is the hash of the handshake up to the server's Finished.
    pub fn application_traffic(
        &self,
        ledger: &mut Ledger,
        side: Side,
        finished: QuantityId,
    ) -> TrafficKeys {
        let (name, label) = match side {
            Side::Client => ("client_application_traffic_secret_0", "c ap traffic"),
            Side::Server => ("server_application_traffic_secret_0", "s ap traffic"),
        };
        let secret = self.derive_secret(ledger, name, Some(side), label, finished);
        self.traffic_keys(ledger, Some(side), secret)
    }

    /// What others derive keys from (section 7.5); `finished` is the hash of the handshake up to the
    /// server's Finished.
    pub fn exporter(&self, ledger: &mut Ledger, finished: QuantityId) -> QuantityId {
        self.derive_secret(ledger, "exporter_secret", None, "exp master", finished)
    }

    /// What the keys of tickets are derived from; `whole` is the hash of the whole handshake.
    pub fn resumption(&self, ledger: &mut Ledger, whole: QuantityId) -> QuantityId {
        self.derive_secret(ledger, "resumption_secret", None, "res master", whole)
    }

    /// The key that comes with a ticket (section 4.6.1).
    pub fn ticket_psk(
        &self,
        ledger: &mut Ledger,
        resumption: QuantityId,
        nonce: &[u8],
    ) -> QuantityId {
        let nonce = ledger.given("ticket_nonce", None, Some(Octets::new(nonce.to_vec())));
        let formula = Formula::ExpandLabel {
            hash: self.hash,
            secret: resumption,
            label: "resumption",
            context: Some(nonce),
            octets: self.hash.octets(),
        };
        ledger.derive("PSK of the ticket", None, formula)
    }

    /// The keys after a `KeyUpdate` of `side` (section 7.2).
    pub fn updated(&self, ledger: &mut Ledger, side: Side, keys: TrafficKeys) -> TrafficKeys {
        let name = match side {
            Side::Client => "client_application_traffic_secret_N",
            Side::Server => "server_application_traffic_secret_N",
        };
        let octets = self.hash.octets();
        let secret = self.expand(ledger, name, Some(side), keys.secret, "traffic upd", octets);
        self.traffic_keys(ledger, Some(side), secret)
    }

    fn traffic_keys(
        &self,
        ledger: &mut Ledger,
        side: Option<Side>,
        secret: QuantityId,
    ) -> TrafficKeys {
        let [key, iv] = self.labels;
        TrafficKeys {
            secret,
            key: self.expand(ledger, "write_key", side, secret, key, self.key_octets),
            iv: self.expand(ledger, "write_iv", side, secret, iv, self.iv_octets),
        }
    }

    fn next_stage(&mut self, ledger: &mut Ledger, name: &'static str, secret: QuantityId) {
        let salt = self.derive_secret(ledger, "derived", None, "derived", self.nothing);
        let hash = self.hash;
        self.stage = ledger.derive(name, None, Formula::Extract { hash, salt, secret });
    }

    /// Derive-Secret of the stage that was reached.
    fn derive_secret(
        &self,
        ledger: &mut Ledger,
        name: &'static str,
        side: Option<Side>,
        label: &'static str,
        context: QuantityId,
    ) -> QuantityId {
        let formula = Formula::ExpandLabel {
            hash: self.hash,
            secret: self.stage,
            label,
            context: Some(context),
            octets: self.hash.octets(),
        };
        ledger.derive(name, side, formula)
    }

    fn expand(
        &self,
        ledger: &mut Ledger,
        name: &'static str,
        side: Option<Side>,
        secret: QuantityId,
        label: &'static str,
        octets: usize,
    ) -> QuantityId {
        let formula = Formula::ExpandLabel {
            hash: self.hash,
            secret,
            label,
            context: None,
            octets,
        };
        ledger.derive(name, side, formula)
    }
}
