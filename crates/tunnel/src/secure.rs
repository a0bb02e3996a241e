//! TLS handshakes over sockets.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ravelin_tls::{NotAllowed, Refusal, Refused, ServerTls};
use rustls::client::ClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{Accepted, Acceptor};
use rustls::{ClientConfig, Connection};

use crate::end::{End, Scratch, send_all, send_records};
use crate::socket::Socket;

/// How long a client's first message may be, in octets: two records and what is around them.
const LONGEST_HELLO: usize = 64 << 10;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The socket failed or ended.
    #[error("the connection ended during the handshake")]
    Io(#[from] io::Error),
    /// What came is not TLS.
    #[error("what came is not TLS")]
    NotTls,
    /// There is no certificate for what the client asked for, or none yet. It was told by an alert.
    #[error("there is no certificate for what it asked for")]
    NoCertificate,
    /// The server is not believed. It was told by an alert.
    #[error("the server's certificate is not believed: {0}")]
    NotBelieved(Refusal),
    /// No rule lets the client in that has this certificate. It was told by an alert.
    #[error("no rule fits the client's certificate")]
    NotAllowed(Box<CertificateDer<'static>>),
    /// TLS that failed. The other end was told by an alert.
    #[error(transparent)]
    Tls(rustls::Error),
}

impl From<rustls::Error> for HandshakeError {
    fn from(error: rustls::Error) -> Self {
        if let Some(NotAllowed { certificate }) = NotAllowed::in_error(&error) {
            return Self::NotAllowed(Box::new(certificate.clone()));
        }
        match error {
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            error => match Refused::in_error(&error) {
                Some(refused) => Self::NotBelieved(refused.why.clone()),
                None => Self::Tls(error),
            },
        }
    }
}

/// Reads what a client begins with; `early` is what was read already, and all that was read afterwards.
pub(crate) async fn hello(
    socket: &Socket,
    early: &mut Vec<u8>,
    scratch: &Scratch,
) -> Result<(Accepted, usize), HandshakeError> {
    let mut acceptor = Acceptor::default();
    let mut looked = 0;
    loop {
        while looked < early.len() {
            looked += acceptor.read_tls(&mut &early[looked..])?;
            match acceptor.accept() {
                Ok(Some(accepted)) => return Ok((accepted, looked)),
                Ok(None) => {}
                Err((error, mut alert)) => {
                    let mut octets = Vec::new();
                    // A vector takes all.
                    let _ = alert.write_all(&mut octets);
                    let _ = send_all(socket, &octets).await;
                    return Err(error.into());
                }
            }
        }
        if early.len() > LONGEST_HELLO {
            return Err(HandshakeError::NotTls);
        }
        read_more(socket, early, scratch).await?;
    }
}

/// Shakes hands with a client that has sent `early`.
pub(crate) async fn accept(
    socket: Socket,
    mut early: Vec<u8>,
    tls: &ServerTls,
    scratch: &Scratch,
) -> Result<End, HandshakeError> {
    let (accepted, looked) = hello(&socket, &mut early, scratch).await?;
    let local = socket
        .local()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |local| local.ip());
    let config = tls.for_client(&accepted.client_hello(), local);
    early.drain(..looked);
    match accepted.into_connection(config) {
        Ok(connection) => shake_hands(socket, connection.into(), early, scratch).await,
        Err((error, mut alert)) => {
            let mut octets = Vec::new();
            let _ = alert.write_all(&mut octets);
            let _ = send_all(&socket, &octets).await;
            Err(match error {
                // So it says that there is no certificate to show.
                rustls::Error::General(_) => HandshakeError::NoCertificate,
                error => error.into(),
            })
        }
    }
}

/// Shakes hands with a server that has to be `name`.
pub(crate) async fn connect(
    socket: Socket,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    scratch: &Scratch,
) -> Result<End, HandshakeError> {
    let connection = ClientConnection::new(config, name)?;
    shake_hands(socket, connection.into(), Vec::new(), scratch).await
}

async fn shake_hands(
    socket: Socket,
    mut tls: Connection,
    mut early: Vec<u8>,
    scratch: &Scratch,
) -> Result<End, HandshakeError> {
    loop {
        // What a client has already sent behind its part of the handshake is not looked at here: it is for the service.
        let used = feed(&mut tls, &early);
        let used = match used {
            Ok(used) => used,
            Err(error) => {
                let _ = send_records(&mut tls, &socket);
                return Err(error);
            }
        };
        early.drain(..used);
        while !send_records(&mut tls, &socket)? {
            socket.writable().await?;
        }
        if !tls.is_handshaking() {
            return Ok(End::tls(socket, tls, early));
        }
        read_more(&socket, &mut early, scratch).await?;
    }
}

/// Hands octets to TLS for as long as it shakes hands. How many it took.
fn feed(tls: &mut Connection, octets: &[u8]) -> Result<usize, HandshakeError> {
    // What an acceptor has read is in there already.
    tls.process_new_packets()?;
    let mut used = 0;
    while used < octets.len() && tls.is_handshaking() {
        used += tls.read_tls(&mut &octets[used..] as &mut dyn Read)?;
        tls.process_new_packets()?;
    }
    Ok(used)
}

/// Appends what has come, of which there has to be something.
pub(crate) async fn read_more(
    socket: &Socket,
    octets: &mut Vec<u8>,
    scratch: &Scratch,
) -> io::Result<()> {
    loop {
        socket.readable().await?;
        let read = scratch.read(socket, |read| {
            octets.extend_from_slice(read);
            read.len()
        });
        match read {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
