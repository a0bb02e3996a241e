//! TLS between records and plaintext, whatever carries them.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{ClientConfig, CommonState, Error};

use super::buffer::Buffer;

/// TLS, between records and plaintext.
pub(super) struct Records {
    connection: UnbufferedClientConnection,
    /// Those that came.
    pub(super) incoming: Buffer,
    /// Those that are to go out.
    pub(super) outgoing: Buffer,
    /// Whether the server said that it sends no more.
    pub(super) is_ended: bool,
}

pub(super) type Traffic<'c> = WriteTraffic<'c, ClientConnectionData>;

/// Writes where TLS is open.
pub(super) type Write<'a> = dyn FnMut(&mut Traffic<'_>, &mut Buffer) -> Result<(), Error> + 'a;

/// What TLS wants.
pub(super) enum Turn {
    /// Another turn.
    Another,
    /// More from the server: the handshake goes on.
    More,
    /// Nothing, and takes plaintext.
    Open,
    /// Nothing, and takes nothing any more.
    Over,
}

impl Records {
    pub(super) fn new(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Error> {
        Ok(Self {
            connection: UnbufferedClientConnection::new(config, name)?,
            incoming: Buffer::at_page(),
            outgoing: Buffer::beside_page(),
            is_ended: false,
        })
    }

    /// What was agreed on.
    pub(super) fn agreed(&self) -> &CommonState {
        &self.connection
    }

    /// Goes one step through what came, tells `plain` what was deciphered, and lets `write` write when TLS is open.
    pub(super) fn turn(
        &mut self,
        plain: &mut dyn FnMut(&[u8]),
        write: Option<&mut Write<'_>>,
    ) -> Result<Turn, Error> {
        let incoming = &mut self.incoming;
        let processed = self.connection.process_tls_records(incoming.octets_mut());
        let UnbufferedStatus { mut discard, state } = processed;
        let turn = match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
                match traffic.next_record() {
                    Some(Ok(record)) => {
                        plain(record.payload);
                        discard += record.discard;
                    }
                    Some(Err(error)) => break Err(error),
                    None => break Ok(Turn::Another),
                }
            },
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                let octets = match data.encode(&mut []) {
                    Err(EncodeError::InsufficientSize(size)) => size.required_size,
                    _ => 0,
                };
                let encoded = data.encode(self.outgoing.room(octets));
                self.outgoing.add(encoded.unwrap_or_default());
                Ok(Turn::Another)
            }
            Ok(ConnectionState::TransmitTlsData(data)) => {
                // It is among what goes out.
                data.done();
                Ok(Turn::Another)
            }
            Ok(ConnectionState::PeerClosed) => {
                self.is_ended = true;
                Ok(Turn::Another)
            }
            Ok(ConnectionState::BlockedHandshake) => Ok(Turn::More),
            Ok(ConnectionState::WriteTraffic(mut traffic)) => match write {
                Some(write) => write(&mut traffic, &mut self.outgoing).map(|()| Turn::Open),
                None => Ok(Turn::Open),
            },
            Ok(_) => Ok(Turn::Over),
            Err(error) => Err(error),
        };
        incoming.consume(discard);
        turn
    }

    /// Goes through what came up to where TLS is open, and lets `write` write.
    pub(super) fn open(
        &mut self,
        plain: &mut dyn FnMut(&[u8]),
        write: &mut Write<'_>,
    ) -> Result<(), Error> {
        while let Turn::Another = self.turn(plain, Some(write))? {}
        Ok(())
    }
}

/// Encrypts a record's plaintext.
pub(super) fn encrypt(
    traffic: &mut Traffic<'_>,
    plain: &[u8],
    outgoing: &mut Buffer,
) -> Result<(), Error> {
    put(outgoing, plain.len() + OVERHEAD, |room| {
        traffic.encrypt(plain, room)
    })
}

/// Says that no more is sent: `close_notify`, an alert of two octets.
pub(super) fn close(traffic: &mut Traffic<'_>, outgoing: &mut Buffer) -> Result<(), Error> {
    put(outgoing, 2 + OVERHEAD, |room| {
        traffic.queue_close_notify(room)
    })
}

/// Puts behind what is to go out what `make` makes where there is room, of `octets` or as much more as it takes.
fn put(
    outgoing: &mut Buffer,
    mut octets: usize,
    mut make: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(), Error> {
    loop {
        match make(outgoing.room(octets)) {
            Ok(octets) => {
                outgoing.add(octets);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(size)) => octets = size.required_size,
            Err(EncryptError::EncryptExhausted) => return Err(Error::EncryptError),
        }
    }
}

/// What a record has besides its plaintext: 5 octets before it, and 24 more in TLS 1.2 (RFC 5288, section 3), 17 in
/// TLS 1.3 (RFC 8446, section 5.2).
const OVERHEAD: usize = 5 + 24;
