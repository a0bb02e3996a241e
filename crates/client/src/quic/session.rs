//! TLS inside QUIC (RFC 9001), between rustls and quinn.
//!
//! quinn brings the same, and tells neither suite nor group, nor what rustls found wrong: of a server that is not
//! believed, the chain would be lost.

use std::any::Any;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead;
use quinn::crypto::{
    ClientConfig, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, Session,
};
use quinn::{ConnectError, ConnectionId, Side, TransportErrorCode};
use quinn_proto::TransportError;
use quinn_proto::transport_parameters::TransportParameters;
use rustls::CipherSuite;
use rustls::pki_types::ServerName;
use rustls::quic::{ClientConnection, KeyChange, Secrets, Suite, Version};

use crate::connect::Look;
use crate::response::TlsFacts;

/// TLS of one connection, which has not begun.
pub(crate) struct Beginning {
    tls: Arc<rustls::ClientConfig>,
    seen: Arc<Seen>,
    /// Who looks at it, until it begins.
    look: Mutex<Option<Box<dyn Look>>>,
}

impl Beginning {
    pub(crate) fn new(
        tls: Arc<rustls::ClientConfig>,
        seen: Arc<Seen>,
        look: Option<Box<dyn Look>>,
    ) -> Self {
        Self {
            tls,
            seen,
            look: Mutex::new(look),
        }
    }
}

/// What TLS agreed on, or found wrong.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Found>);

type Found = (Option<TlsFacts>, Option<rustls::Error>);

impl Seen {
    /// What was agreed on, once the client is done.
    pub(crate) fn facts(&self) -> Option<TlsFacts> {
        self.with(|(facts, _)| facts.clone())
    }

    /// What was found wrong here.
    pub(crate) fn error(&self) -> Option<rustls::Error> {
        self.with(|(_, error)| error.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Found) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientConfig for Beginning {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        parameters: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        // Version 1 of QUIC alone is offered.
        if version != 1 {
            return Err(ConnectError::UnsupportedVersion);
        }
        let no_name = |_| ConnectError::InvalidServerName(server_name.to_owned());
        let name = ServerName::try_from(server_name.to_owned()).map_err(no_name)?;
        let mut encoded = Vec::new();
        parameters.write(&mut encoded);
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let look = Looking(look.take());
        let begin = || ClientConnection::new(self.tls.clone(), Version::V1, name, encoded);
        let tls = look
            .within(begin)
            .map_err(|_| ConnectError::UnsupportedVersion)?;
        let suites = &self.tls.crypto_provider().cipher_suites;
        // RFC 9001, section 5.2: the first packets are under this suite, whatever is agreed on.
        let initial = suites
            .iter()
            .find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256)
            .and_then(|suite| suite.tls13()?.quic_suite())
            .ok_or(ConnectError::UnsupportedVersion)?;
        Ok(Box::new(Handshake {
            tls,
            initial,
            next: None,
            look,
            seen: self.seen.clone(),
        }))
    }
}

struct Handshake {
    tls: ClientConnection,
    initial: Suite,
    /// The secrets of the keys behind the next update.
    next: Option<Secrets>,
    look: Looking,
    seen: Arc<Seen>,
}

/// Who looks at a handshake, where somebody does.
struct Looking(Option<Box<dyn Look>>);

impl Looking {
    /// Calls rustls.
    fn within<T>(&self, call: impl FnOnce() -> T) -> T {
        let Some(look) = &self.0 else {
            return call();
        };
        let (mut call, mut made) = (Some(call), None);
        look.within(&mut || made = call.take().map(|call| call()));
        made.unwrap_or_else(|| unreachable!("who looks at a call lets it be made"))
    }

    fn heard(&self, is_of_server: bool, octets: &[u8]) {
        if let Some(look) = &self.0 {
            look.heard(is_of_server, octets);
        }
    }
}

impl Handshake {
    /// Whether the client is done, for the first time.
    fn is_newly_done(&self) -> bool {
        if self.tls.is_handshaking() {
            return false;
        }
        self.seen.with(|(facts, _)| {
            let is_new = facts.is_none();
            facts.get_or_insert_with(|| TlsFacts::of(&self.tls));
            is_new
        })
    }

    fn failed(&self, error: rustls::Error) -> TransportError {
        let reason = error.to_string();
        self.seen.with(|(_, found)| *found = Some(error));
        let alert = self.tls.alert();
        TransportError {
            code: alert.map_or(TransportErrorCode::PROTOCOL_VIOLATION, |alert| {
                TransportErrorCode::crypto(alert.into())
            }),
            frame: None,
            reason,
        }
    }
}

impl Session for Handshake {
    fn initial_keys(&self, destination: &ConnectionId, side: Side) -> Keys {
        let side = match side {
            Side::Client => rustls::Side::Client,
            Side::Server => rustls::Side::Server,
        };
        keys(self.initial.keys(destination, side, Version::V1))
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        // It is in `seen`.
        None
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        None
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }

    fn early_data_accepted(&self) -> Option<bool> {
        Some(false)
    }

    fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    fn read_handshake(&mut self, octets: &[u8]) -> Result<bool, TransportError> {
        self.look.heard(true, octets);
        match self.look.within(|| self.tls.read_hs(octets)) {
            Ok(()) => Ok(self.is_newly_done()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        let Some(octets) = self.tls.quic_transport_parameters() else {
            return Ok(None);
        };
        let parameters = TransportParameters::read(Side::Client, &mut Cursor::new(octets))?;
        Ok(Some(parameters))
    }

    fn write_handshake(&mut self, octets: &mut Vec<u8>) -> Option<Keys> {
        let before = octets.len();
        let change = self.look.within(|| self.tls.write_hs(octets));
        self.look.heard(false, &octets[before..]);
        match change? {
            KeyChange::Handshake { keys: found } => Some(keys(found)),
            KeyChange::OneRtt { keys: found, next } => {
                self.next = Some(next);
                Some(keys(found))
            }
        }
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        let found = self.next.as_mut()?.next_packet_keys();
        Some(KeyPair {
            local: Box::new(found.local),
            remote: Box::new(found.remote),
        })
    }

    fn is_valid_retry(&self, first: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        let Some(tag_at) = payload.len().checked_sub(aead::AES_128_GCM.tag_len()) else {
            return false;
        };
        let (token, tag) = payload.split_at(tag_at);
        let mut packet = vec![first.len() as u8];
        for part in [&first[..], header, token] {
            packet.extend_from_slice(part);
        }
        let Ok(key) = aead::UnboundKey::new(&aead::AES_128_GCM, &RETRY_KEY) else {
            return false;
        };
        let nonce = aead::Nonce::assume_unique_for_key(RETRY_NONCE);
        let mut tag = tag.to_vec();
        aead::LessSafeKey::new(key)
            .open_in_place(nonce, aead::Aad::from(packet), &mut tag)
            .is_ok()
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        let _ = (output, label, context);
        // Nobody asks for it.
        Err(ExportKeyingMaterialError)
    }
}

fn keys(found: rustls::quic::Keys) -> Keys {
    Keys {
        header: KeyPair {
            local: Box::new(found.local.header),
            remote: Box::new(found.remote.header),
        },
        packet: KeyPair {
            local: Box::new(found.local.packet),
            remote: Box::new(found.remote.packet),
        },
    }
}

/// RFC 9001, section 5.8: known to all, against what happens by mistake.
const RETRY_KEY: [u8; 16] = [
    0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e,
];
const RETRY_NONCE: [u8; 12] = [
    0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb,
];
