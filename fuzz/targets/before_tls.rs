//! What clients and services say in clear, before TLS begins between a client and us.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_tls::starttls::mysql::{Originate, Renumber};
use ravelin_tls::starttls::{Decline, Offer, OfferFault, Protocol};

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
    let at_once = speak(protocol, greeting, client, client.len().max(1));
    let cut = speak(protocol, greeting, client, piece);
    if let (Some((said, end)), Some((cut_said, cut_end))) = (at_once, cut) {
        assert!(said.len() < 20 << 10);
        // What comes with the word that begins TLS is injected, and what comes later is TLS.
        if !matches!(end, Err(OfferFault::Injected(_))) {
            assert_eq!((said, end.is_ok()), (cut_said, cut_end.is_ok()));
        }
    }
    let _ = Decline::new().receive(client);
    if let Ok(mut originate) = Originate::new(greeting) {
        let _ = originate.receive(client);
    }
    renumbered(client, piece);
});

fn usual(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Imap => b"* OK Ready\r\n",
        Protocol::Mysql => b"\x19\0\0\0\x0a8.0.36\0\x01\0\0\0challeng\0\xff\xf7\0\0",
        _ => b"",
    }
}

type Ended = (Vec<u8>, Result<bool, OfferFault>);

fn speak(protocol: Protocol, greeting: &[u8], client: &[u8], piece: usize) -> Option<Ended> {
    let mut offer = Offer::new(protocol, greeting).ok()?;
    let mut said = Vec::new();
    for piece in client.chunks(piece) {
        match offer.receive(piece) {
            Ok(turn) => {
                said.extend(turn.say);
                if turn.begin {
                    return Some((said, Ok(true)));
                }
            }
            Err(error) => {
                said.extend(error.farewell());
                return Some((said, Err(error.fault().clone())));
            }
        }
    }
    Some((said, Ok(false)))
}

fn renumbered(octets: &[u8], piece: usize) {
    let (mut whole, mut cut) = (Renumber::terminate(), Renumber::terminate());
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
    assert_eq!(at_once, in_pieces);
}
