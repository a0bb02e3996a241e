//! What is said in clear before TLS: headers of the PROXY protocol, and STARTTLS on both sides.

use std::cell::RefCell;
use std::io;

use ravelin_tls::proxy_protocol::{self, Header};
use ravelin_tls::starttls::{Decline, Offer, OfferError, Protocol, StartTls, Turn, mysql};

use crate::end::{End, Scratch, Sink, Taken, send_all};
use crate::record::{Ending, ServiceError};
use crate::secure::read_more;
use crate::socket::Socket;

/// Reads the header that a proxy begins with. What comes behind it stays in `early`.
pub(crate) async fn proxy_header(
    socket: &Socket,
    early: &mut Vec<u8>,
    scratch: &Scratch,
) -> Result<Header, Ending> {
    loop {
        match proxy_protocol::read(early) {
            Ok(Some((header, octets))) => {
                early.drain(..octets);
                return Ok(header);
            }
            Ok(None) => {}
            Err(error) => return Err(Ending::ProxyHeader(error.to_string())),
        }
        read_more(socket, early, scratch)
            .await
            .map_err(|error| Ending::ProxyHeader(error.to_string()))?;
    }
}

/// Has a client begin TLS, which is required of it: returns what it asked with. What is TLS already stays in `early`.
pub(crate) async fn offer(
    socket: &Socket,
    early: &mut Vec<u8>,
    mut offer: Offer,
    scratch: &Scratch,
) -> Result<Vec<u8>, Ending> {
    let greeting = offer.begin();
    send_all(socket, &greeting.say)
        .await
        .map_err(Ending::Client)?;
    answer(socket, early, scratch, |octets| offer.receive(octets)).await?;
    let request = offer.request().to_vec();
    *early = offer.left();
    Ok(request)
}

/// Greets a client of `MySQL` that has no TLS: returns what its server is to be asked for TLS with. What the client has
/// said stays in `early`.
pub(crate) async fn introduce(
    socket: &Socket,
    early: &mut Vec<u8>,
    mut originate: mysql::Originate,
    scratch: &Scratch,
) -> Result<Vec<u8>, Ending> {
    send_all(socket, originate.greeting())
        .await
        .map_err(Ending::Client)?;
    let mut request = Vec::new();
    answer(socket, early, scratch, |octets| {
        let Turn { say, begin } = originate.receive(octets)?;
        // It is the server's to hear.
        request.extend(say);
        let say = Vec::new();
        Ok(Turn { say, begin })
    })
    .await?;
    *early = originate.left();
    Ok(request)
}

/// Tells a client of `PostgreSQL` that there is no encryption to be had, before it goes on without it.
pub(crate) async fn decline(
    socket: &Socket,
    early: &mut Vec<u8>,
    scratch: &Scratch,
) -> Result<(), Ending> {
    let mut decline = Decline::new();
    answer(socket, early, scratch, |octets| decline.receive(octets)).await?;
    *early = decline.left();
    Ok(())
}

/// Answers what a client says until it has said enough.
async fn answer(
    socket: &Socket,
    early: &mut Vec<u8>,
    scratch: &Scratch,
    mut receive: impl FnMut(&[u8]) -> Result<Turn, OfferError>,
) -> Result<(), Ending> {
    loop {
        if early.is_empty() {
            read_more(socket, early, scratch)
                .await
                .map_err(Ending::Client)?;
        }
        match receive(&std::mem::take(early)) {
            Ok(Turn { say, begin }) => {
                send_all(socket, &say).await.map_err(Ending::Client)?;
                if begin {
                    return Ok(());
                }
            }
            Err(error) => {
                let _ = send_all(socket, error.farewell()).await;
                return Err(Ending::StartTls(error.to_string()));
            }
        }
    }
}

/// Begins TLS with a server: returns what it greeted with.
pub(crate) async fn begin_tls(
    socket: &Socket,
    protocol: Protocol,
    host: &str,
    scratch: &Scratch,
) -> Result<Vec<u8>, ServiceError> {
    let mut dialogue = StartTls::new(protocol, host);
    let mut turn = dialogue.begin();
    loop {
        send_all(socket, &turn.say)
            .await
            .map_err(ServiceError::Connect)?;
        if turn.begin {
            return Ok(dialogue.greeting().to_vec());
        }
        let mut said = Vec::new();
        read_more(socket, &mut said, scratch)
            .await
            .map_err(|error| ServiceError::StartTls(ended(&error)))?;
        turn = dialogue
            .receive(&said)
            .map_err(|error| ServiceError::StartTls(error.to_string()))?;
    }
}

/// Reads what a service greets its clients with.
pub(crate) async fn greeting(
    service: &End,
    protocol: Protocol,
    scratch: &Scratch,
) -> Result<Vec<u8>, ServiceError> {
    let wrong = |error: OfferError| ServiceError::StartTls(error.to_string());
    let heard = Heard::default();
    loop {
        let taken = service
            .take(scratch, &heard)
            .map_err(|error| ServiceError::StartTls(ended(&error)))?;
        let said = heard.0.borrow().clone();
        match Offer::read_greeting(protocol, &said).map_err(wrong)? {
            Some(octets) if octets == said.len() => return Ok(said),
            Some(_) => {
                let why = "the service says more than its greeting, before anybody has answered";
                return Err(ServiceError::StartTls(why.to_owned()));
            }
            None => {}
        }
        match taken {
            Taken::Some(_) => {}
            Taken::Nothing => service.readable().await.map_err(ServiceError::Connect)?,
            Taken::End => {
                let error = io::ErrorKind::UnexpectedEof.into();
                return Err(ServiceError::StartTls(ended(&error)));
            }
        }
    }
}

fn ended(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection ended before it".to_owned(),
        _ => error.to_string(),
    }
}

/// Octets that are kept.
#[derive(Default)]
struct Heard(RefCell<Vec<u8>>);

impl Sink for Heard {
    fn put(&self, octets: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().extend_from_slice(octets);
        Ok(())
    }
}
