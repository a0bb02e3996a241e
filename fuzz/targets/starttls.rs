//! What services say in clear, before TLS begins between them and us.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_tls::starttls::postgres::Unbind;
use ravelin_tls::starttls::{Protocol, StartTls, StartTlsError};

// A protocol, where to cut, and what the service says.
fuzz_target!(|octets: &[u8]| {
    let [which, piece, service @ ..] = octets else {
        return;
    };
    let protocol = Protocol::ALL[usize::from(*which) % Protocol::ALL.len()];
    let piece = usize::from(*piece).max(1);
    let at_once = speak(protocol, service, service.len().max(1));
    let cut = speak(protocol, service, piece);
    // What comes later than the word that begins TLS is TLS, and with it, it is injected.
    if at_once.1 == Ok(true) {
        assert_eq!(at_once, cut);
    }
    // In XMPP an error of the stream may come behind other words.
    if protocol != Protocol::Xmpp && is_no(&at_once.1) {
        assert!(is_no(&cut.1));
    }
    unbound(service, piece);
});

type Ended = (Vec<u8>, Result<bool, StartTlsError>);

fn speak(protocol: Protocol, service: &[u8], piece: usize) -> Ended {
    let mut dialogue = StartTls::new(protocol, "service.test");
    let mut said = dialogue.begin().say;
    let mut end = Ok(false);
    'said: for piece in service.chunks(piece) {
        let mut heard = piece;
        loop {
            let turn = match dialogue.receive(heard) {
                Ok(turn) => turn,
                Err(error) => {
                    end = Err(error);
                    break 'said;
                }
            };
            said.extend(&turn.say);
            if turn.begin {
                end = Ok(true);
                break 'said;
            }
            if turn.say.is_empty() {
                break;
            }
            // It may have said more already.
            heard = &[];
        }
    }
    assert!(said.len() < 500);
    assert!(dialogue.greeting().len() <= 2 * service.len() + 20);
    if let Err(error) = &end {
        let told = error.to_string();
        assert!(told.chars().count() < 300 && !told.contains(char::is_control));
    }
    (said, end)
}

fn is_no(end: &Result<bool, StartTlsError>) -> bool {
    matches!(
        end,
        Err(StartTlsError::NotOffered | StartTlsError::Refused(_))
    )
}

/// What a server of `PostgreSQL` says over TLS stays as long as it is, and loses the end of one word at most.
fn unbound(octets: &[u8], piece: usize) {
    let (mut whole, mut cut) = (Unbind::default(), Unbind::default());
    let [mut at_once, mut in_pieces] = [octets.to_vec(), octets.to_vec()];
    whole.server_to_client(&mut at_once);
    for piece in in_pieces.chunks_mut(piece) {
        cut.server_to_client(piece);
    }
    assert_eq!((&at_once, whole.is_over()), (&in_pieces, cut.is_over()));
    for (before, after) in octets.iter().zip(&at_once) {
        assert!(before == after || (*before, *after) == (b'S', b'-'));
    }
}
