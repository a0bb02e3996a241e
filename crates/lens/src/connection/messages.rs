//! Handshake messages: each becomes a step, and moves the handshake on.

use std::time::SystemTime;

use ravelin_wire::handshake::Handshake;
use ravelin_wire::registry::{CodePoint as _, HandshakeType};

use super::records::Content;
use super::{Connection, Phase, Place};
use crate::knowledge::Knowledge;
use crate::ledger::Side;
use crate::story::{FaultKind, What};

impl<K: Knowledge> Connection<K> {
    /// Tells a message, whole, the last octets of which are in `content`.
    pub(super) fn message(
        &mut self,
        side: Side,
        at: SystemTime,
        bytes: &[u8],
        content: &Content<'_>,
        began: Place,
    ) {
        let handshake_type = HandshakeType(bytes.first().copied().unwrap_or_default());
        let what = What::Handshake(handshake_type);
        let step = self.push_step(side, at, what, content.epoch, bytes, bytes.len(), began);
        if !self.is_in_order(side, handshake_type) {
            let what = FaultKind::OutOfOrder(handshake_type);
            self.fault_at(side, began.offset, Some(step), what);
        }
        match Handshake::decode(bytes, self.agreed_with(side)) {
            Ok(message) => self.tell(side, step, &message, bytes),
            Err(error) => {
                let at = if content.exact { error.at as u64 } else { 0 };
                let what = FaultKind::Malformed(error);
                self.fault_at(side, began.offset + at, Some(step), what);
                self.transcript.add(name(side, handshake_type), bytes);
            }
        }
        self.settle(step);
    }

    fn tell(&mut self, side: Side, step: usize, message: &Handshake<'_>, bytes: &[u8]) {
        match (side, message) {
            (Side::Client, Handshake::ClientHello(hello)) => {
                self.client_hello(step, hello, bytes);
                return;
            }
            (Side::Server, Handshake::ServerHello(hello)) => {
                self.server_hello(step, hello, bytes);
                return;
            }
            _ => {}
        }
        // The state is taken out, so that the message may change all else with it in hand.
        match std::mem::take(&mut self.phase) {
            Phase::Hello => {
                if *message != Handshake::HelloRequest {
                    self.transcript
                        .add(name(side, message.handshake_type()), bytes);
                }
            }
            Phase::Tls13(mut state) => {
                self.tell_tls13(&mut state, side, step, message, bytes);
                self.phase = Phase::Tls13(state);
            }
            Phase::Tls12(mut state) => {
                self.tell_tls12(&mut state, side, step, message, bytes);
                self.phase = Phase::Tls12(state);
            }
        }
    }

    /// Whether a message can come now, as far as can be told without the whole of the handshake's grammar.
    fn is_in_order(&self, side: Side, handshake_type: HandshakeType) -> bool {
        use HandshakeType as T;
        let is_complete = self.story.agreement.complete.is_some();
        let from = match handshake_type {
            T::CLIENT_HELLO | T::CLIENT_KEY_EXCHANGE | T::END_OF_EARLY_DATA | T::NEXT_PROTOCOL => {
                Some(Side::Client)
            }
            T::HELLO_REQUEST
            | T::SERVER_HELLO
            | T::NEW_SESSION_TICKET
            | T::ENCRYPTED_EXTENSIONS
            | T::SERVER_KEY_EXCHANGE
            | T::CERTIFICATE_REQUEST
            | T::SERVER_HELLO_DONE
            | T::CERTIFICATE_STATUS => Some(Side::Server),
            _ => None,
        };
        if from.is_some_and(|from| from != side) {
            return false;
        }
        match (&self.phase, handshake_type) {
            (Phase::Hello, T::CLIENT_HELLO) => self.hello.is_none() || self.story.agreement.retried,
            (Phase::Hello, T::SERVER_HELLO) => self.hello.is_some(),
            (Phase::Hello, T::HELLO_REQUEST) => self.hello.is_none(),
            (Phase::Tls13(_), T::NEW_SESSION_TICKET | T::KEY_UPDATE) => {
                is_complete || side == Side::Server
            }
            (Phase::Hello, _)
            | (
                Phase::Tls13(_),
                T::CLIENT_HELLO
                | T::SERVER_HELLO
                | T::HELLO_REQUEST
                | T::SERVER_KEY_EXCHANGE
                | T::CLIENT_KEY_EXCHANGE
                | T::SERVER_HELLO_DONE
                | T::CERTIFICATE_STATUS
                | T::NEXT_PROTOCOL,
            )
            | (
                Phase::Tls12(_),
                T::ENCRYPTED_EXTENSIONS
                | T::END_OF_EARLY_DATA
                | T::KEY_UPDATE
                | T::COMPRESSED_CERTIFICATE
                | T::SERVER_HELLO,
            ) => false,
            (Phase::Tls12(_), T::CLIENT_HELLO | T::HELLO_REQUEST) => is_complete,
            _ => true,
        }
    }

    /// Adds a message to the transcript.
    pub(super) fn add(&mut self, side: Side, message: &Handshake<'_>, bytes: &[u8]) {
        self.transcript
            .add(name(side, message.handshake_type()), bytes);
    }
}

/// What the transcript calls a message.
fn name(side: Side, handshake_type: HandshakeType) -> &'static str {
    match (side, handshake_type) {
        (Side::Client, HandshakeType::FINISHED) => "client finished",
        (Side::Server, HandshakeType::FINISHED) => "server finished",
        (Side::Client, HandshakeType::CERTIFICATE) => "client certificate",
        (Side::Client, HandshakeType::CERTIFICATE_VERIFY) => "client certificate_verify",
        _ => handshake_type
            .assignment()
            .map_or("unknown message", |it| it.name),
    }
}
