//! What clients and services say in clear, before TLS begins between a client and us.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_tls::starttls::mysql::{Originate, Renumber};
use ravelin_tls::starttls::{Decline, Offer, OfferError, OfferFault, Protocol, Turn};

// A protocol, where to cut, the length of a greeting, the greeting, and what the client says.
fuzz_target!(|octets: &[u8]| {
    let [which, piece, greeting, said @ ..] = octets else {
        return;
    };
    let protocol = Protocol::ALL[usize::from(*which) % Protocol::ALL.len()];
    let piece = usize::from(*piece).max(1);
    let (greeting, client) = said.split_at(usize::from(*greeting).min(said.len()));
    let greeting = match Offer::read_greeting(protocol, greeting) {
        Ok(Some(length)) => &greeting[..length],
        _ => usual(protocol),
    };
    offered(protocol, greeting, client, piece);
    match protocol {
        Protocol::Postgres => originated(client, piece, Decline::new, Decline::receive),
        Protocol::Mysql => {
            if let Ok(originate) = Originate::new(greeting) {
                assert_eq!(originate.greeting().len(), greeting.len());
                let new = || Originate::new(greeting).unwrap();
                originated(client, piece, new, Originate::receive);
            }
            for new in [Renumber::terminate, Renumber::originate] {
                renumbered(client, piece, new(), new());
            }
        }
        _ => {}
    }
});

fn usual(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Imap => b"* OK Ready\r\n",
        Protocol::Mysql => b"\x19\0\0\0\x0a8.0.36\0\x01\0\0\0challeng\0\xff\xf7\0\0",
        _ => b"",
    }
}

fn offered(protocol: Protocol, greeting: &[u8], client: &[u8], piece: usize) {
    let (Ok(whole), Ok(pieces)) = (
        Offer::new(protocol, greeting),
        Offer::new(protocol, greeting),
    ) else {
        return;
    };
    let (said, end) = speak(client, client.len().max(1), whole, Offer::receive);
    assert!(said.len() < 20 << 10);
    // What comes with the word that begins TLS is injected, and what comes later is TLS.
    if !matches!(end, Err(OfferFault::Injected(_))) {
        let (cut_said, cut_end) = speak(client, piece, pieces, Offer::receive);
        assert_eq!((said, end.ok()), (cut_said, cut_end.ok()));
    }
}

type Ended = (Vec<u8>, Result<bool, OfferFault>);
type Receive<D> = fn(&mut D, &[u8]) -> Result<Turn, OfferError>;

fn speak<D>(client: &[u8], piece: usize, mut dialogue: D, receive: Receive<D>) -> Ended {
    let mut said = Vec::new();
    for piece in client.chunks(piece) {
        match receive(&mut dialogue, piece) {
            Ok(turn) => {
                said.extend(turn.say);
                if turn.begin {
                    return (said, Ok(true));
                }
            }
            Err(error) => {
                said.extend(error.farewell());
                return (said, Err(error.fault().clone()));
            }
        }
    }
    (said, Ok(false))
}

/// Where a tunnel begins TLS itself, its client's dialogue is one whatever the pieces.
fn originated<D>(client: &[u8], piece: usize, new: impl Fn() -> D, receive: Receive<D>) {
    let (said, end) = speak(client, client.len().max(1), new(), receive);
    let (cut_said, cut_end) = speak(client, piece, new(), receive);
    assert_eq!((said, end.ok()), (cut_said, cut_end.ok()));
}

fn renumbered(octets: &[u8], piece: usize, mut whole: Renumber, mut cut: Renumber) {
    let [mut at_once, mut in_pieces] = [octets.to_vec(), octets.to_vec()];
    whole.client_to_server(&mut at_once);
    for piece in in_pieces.chunks_mut(piece) {
        cut.client_to_server(piece);
    }
    assert_eq!(at_once, in_pieces);
    whole.server_to_client(&mut at_once);
    for piece in in_pieces.chunks_mut(piece) {
        cut.server_to_client(piece);
    }
    assert_eq!((at_once, whole.is_over()), (in_pieces, cut.is_over()));
}
