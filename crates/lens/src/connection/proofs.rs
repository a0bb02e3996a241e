//! Signatures of the handshake, and what its hellos must not do: whatever [`crate::proof`] is asked.

use std::time::SystemTime;

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{
    Certificate, CertificateRequest, ClientHello, DigitallySigned, Handshake, ServerHello,
    ServerKeyExchange,
};
use ravelin_wire::registry::{CertificateType, HandshakeType, SignatureScheme};

use super::Connection;
use crate::digest::Octets;
use crate::knowledge::Knowledge;
use crate::ledger::{QuantityId, Side, Standing};
use crate::proof::{self, HandshakeSignature, Signer};
use crate::story::{Claim, Missing, Refutation, Verdict, What};

/// Who a side says that it is, and how it may prove it.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// The body of its certificate message, in the form of its version.
    certificate: Option<Vec<u8>>,
    /// What kind its certificates are of.
    pub(super) kind: CertificateKind,
    /// The signatures that the other would take, where it said so.
    pub(super) offered: Option<Vec<SignatureScheme>>,
}

/// A key exchange whose secret may be known.
#[derive(Debug)]
pub(super) struct Exchange {
    step: usize,
    secret: QuantityId,
    /// The first secrets that are derived of it.
    leads_to: Vec<QuantityId>,
}

/// What kind certificates are of; X.509 where nothing was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct CertificateKind(pub(super) CertificateType);

impl Default for CertificateKind {
    fn default() -> Self {
        Self(CertificateType::X509)
    }
}

impl<K: Knowledge> Connection<K> {
    /// Keeps who `side` is; `body` is its certificate message, without the header.
    pub(super) fn certificate(&mut self, side: Side, body: &[u8], certificate: &Certificate<'_>) {
        let chain = match certificate {
            Certificate::RawPublicKey(key) => vec![key.to_vec()],
            certificate => certificate
                .chain()
                .into_iter()
                .map(<[u8]>::to_vec)
                .collect(),
        };
        let agreement = &mut self.story.agreement;
        match side {
            Side::Client => agreement.client_chain = chain,
            Side::Server => agreement.server_chain = chain,
        }
        if let (
            Side::Server,
            Certificate::Tls13 {
                certificate_list, ..
            },
        ) = (side, certificate)
        {
            let first = certificate_list.first();
            for extension in first.into_iter().flat_map(|entry| &entry.extensions.0) {
                if let Extension::CertificateStatus(status) = extension {
                    agreement.ocsp_response = super::hello::ocsp_response(status);
                }
            }
        }
        self.identities[side as usize].certificate = Some(body.to_vec());
    }

    /// What the client may sign with, as the server says.
    pub(super) fn certificate_request(&mut self, request: &CertificateRequest<'_>) {
        self.story.agreement.client_certificate_asked = true;
        let offered = match request {
            CertificateRequest::Tls13 { extensions, .. } => schemes(&extensions.0),
            CertificateRequest::Tls12 {
                supported_signature_algorithms,
                ..
            } => supported_signature_algorithms.clone(),
        };
        self.identities[Side::Client as usize].offered = offered;
    }

    /// What the server may sign with, as the client says.
    pub(super) fn client_schemes(&mut self, hello: &ClientHello<'_>) {
        let extensions = hello.extensions.as_ref();
        let offered = extensions.and_then(|extensions| schemes(&extensions.0));
        self.identities[Side::Server as usize].offered = offered;
    }

    /// Checks the signature of TLS 1.3 over the hash of the handshake.
    pub(super) fn check_signature_over_hash(
        &mut self,
        side: Side,
        step: usize,
        signed: &DigitallySigned<'_>,
        hash: QuantityId,
    ) {
        if !self.limits.signatures {
            return;
        }
        let verdict = match self.story.ledger.value(hash) {
            Some(digest) => {
                let digest = Octets::new(digest.to_vec());
                self.with_signature(side, step, signed, |signature| signature.over_hash(&digest))
            }
            None => Verdict::NotDerivable(Missing::Transcript),
        };
        self.check(step, Claim::HandshakeSignature(side), verdict, vec![hash]);
    }

    /// Checks the signature of TLS 1.2 and before over all messages.
    pub(super) fn check_signature_over_messages(
        &mut self,
        side: Side,
        step: usize,
        signed: &DigitallySigned<'_>,
        main_secret: Option<QuantityId>,
    ) {
        if !self.limits.signatures {
            return;
        }
        let main_secret = main_secret.and_then(|id| self.story.ledger.value(id));
        let verdict = match self.transcript.messages() {
            Some(messages) => self.with_signature(side, step, signed, |signature| {
                signature.over_messages(&[messages], main_secret)
            }),
            None => Verdict::NotDerivable(Missing::Transcript),
        };
        self.check(step, Claim::HandshakeSignature(side), verdict, Vec::new());
    }

    /// Checks the signature over the server's share.
    pub(super) fn check_share(
        &mut self,
        step: usize,
        exchange: &ServerKeyExchange<'_>,
        randoms: (QuantityId, QuantityId),
    ) {
        let Some(signed) = &exchange.signature else {
            return;
        };
        if !self.limits.signatures {
            return;
        }
        let random = |id| self.story.ledger.value(id)?.try_into().ok();
        let verdict = match (random(randoms.0), random(randoms.1)) {
            (Some(client), Some(server)) => {
                self.with_signature(Side::Server, step, signed, |signature| {
                    signature.over_share(client, server, &exchange.parameters)
                })
            }
            _ => Verdict::NotDerivable(Missing::Transcript),
        };
        let inputs = vec![randoms.0, randoms.1];
        self.check(step, Claim::ShareSignature, verdict, inputs);
    }

    /// Finds whose key must have signed.
    fn with_signature(
        &self,
        side: Side,
        step: usize,
        signed: &DigitallySigned<'_>,
        check: impl FnOnce(&HandshakeSignature<'_>) -> Verdict,
    ) -> Verdict {
        let missing = Verdict::NotDerivable(Missing::Certificate);
        let identity = &self.identities[side as usize];
        let Some(body) = &identity.certificate else {
            return missing;
        };
        let CertificateKind(kind) = identity.kind;
        let at = self.story.steps.get(step).map(|step| step.at);
        let at = at.unwrap_or(SystemTime::UNIX_EPOCH);
        let chain = match side {
            Side::Client => &self.story.agreement.client_chain,
            Side::Server => &self.story.agreement.server_chain,
        };
        let certificate = if self.agreed.is_tls13() {
            Certificate::decode_tls13(body).ok()
        } else {
            None
        };
        let whose = match (&certificate, chain.first()) {
            (
                Some(Certificate::Tls13 {
                    certificate_list, ..
                }),
                _,
            ) => match certificate_list.first() {
                Some(entry) => Signer::of_entry(entry, kind, at),
                None => return missing,
            },
            (_, Some(key)) if kind == CertificateType::RAW_PUBLIC_KEY => Signer::RawKey(key),
            (_, Some(der)) => Signer::Certificate(der),
            (_, None) => return missing,
        };
        check(&HandshakeSignature {
            version: self.agreed.version,
            side,
            signer: whose,
            signed,
            offered: identity.offered.as_deref(),
        })
    }

    /// Keeps in mind what the key exchange agreed on, and what is derived of it: whether that is right shows later.
    pub(super) fn exchanged(&mut self, secret: QuantityId, leads_to: Vec<QuantityId>) {
        self.check_exchange();
        self.exchange = Some(Exchange {
            step: self.story.steps.len().saturating_sub(1),
            secret,
            leads_to,
        });
    }

    /// Checks that the secret of the key exchange, where it is known, leads to what the connection used: what the
    /// libraries of its ends logged, or what opens their records.
    pub(super) fn check_exchange(&mut self) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        let ledger = &self.story.ledger;
        if !exchange.leads_to.iter().all(|id| ledger.is_computed(*id)) {
            return;
        }
        let standing = |id: &QuantityId| &ledger.get(*id).standing;
        let mut standings = exchange.leads_to.iter().map(standing);
        let verdict = if standings
            .clone()
            .any(|it| matches!(it, Standing::Refuted(_)))
        {
            Verdict::Refuted(Refutation::Differs)
        } else if standings.any(|it| matches!(it, Standing::Confirmed(_))) {
            Verdict::Confirmed
        } else {
            // The connection ended before anything came that could tell.
            return;
        };
        let inputs = [&[exchange.secret], &exchange.leads_to[..]].concat();
        self.check(exchange.step, Claim::SharedSecret, verdict, inputs);
    }

    /// Checks that nobody talked the two into an old version.
    pub(super) fn check_downgrade(&mut self, step: usize, hello: &ServerHello<'_>) {
        let Some(offer) = &self.hello else { return };
        let verdict = proof::no_downgrade(hello, &offer.versions);
        self.check(step, Claim::NoDowngrade, verdict, Vec::new());
    }

    /// Checks that the second hello of the client differs from the first only where it may.
    pub(super) fn check_retry(&mut self, step: usize, second: &ClientHello<'_>) {
        let of = |wanted| {
            let mut steps = self.story.steps.iter().take(step);
            steps.find(|step| step.what == What::Handshake(wanted))
        };
        let read = |wanted| {
            let step = of(wanted)?;
            Handshake::decode(&step.bytes, step.agreed).ok()
        };
        let verdict = match (
            read(HandshakeType::CLIENT_HELLO),
            read(HandshakeType::SERVER_HELLO),
        ) {
            (Some(Handshake::ClientHello(first)), Some(Handshake::ServerHello(request))) => {
                proof::retry_kept(&first, &request, second)
            }
            _ => Verdict::NotDerivable(Missing::Transcript),
        };
        self.check(step, Claim::RetryKept, verdict, Vec::new());
    }
}

fn schemes(extensions: &[Extension<'_>]) -> Option<Vec<SignatureScheme>> {
    extensions.iter().find_map(|extension| match extension {
        Extension::SignatureAlgorithms(schemes) => Some(schemes.clone()),
        _ => None,
    })
}
