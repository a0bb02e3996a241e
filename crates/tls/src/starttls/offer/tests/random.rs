//! Clients that say what no client should, cut anywhere.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{BEGINNINGS, Ended, speak};
use crate::starttls::{Offer, OfferFault, Protocol};

/// Octets of two dialogues, mixed and changed.
fn client() -> impl Strategy<Value = (Protocol, Vec<u8>)> {
    let part = (0..BEGINNINGS.len(), any::<Index>(), any::<Index>());
    let flips = vec((any::<Index>(), any::<u8>()), 0..3);
    (0..BEGINNINGS.len(), vec(part, 0..4), flips).prop_map(|(which, parts, flips)| {
        let (protocol, whole, _) = BEGINNINGS[which];
        let mut said = Vec::new();
        for (other, from, to) in parts {
            // Mostly of the same protocol.
            let (_, other, _) = BEGINNINGS[if other < 2 { other } else { which }];
            let [from, to] = [from, to].map(|at| at.index(other.len()));
            said.extend_from_slice(&other[from.min(to)..=from.max(to)]);
        }
        said.extend_from_slice(whole);
        for (at, octet) in flips {
            let at = at.index(said.len());
            said[at] = octet;
        }
        (protocol, said)
    })
}

/// What ends a dialogue, without the text that was shown of it, which depends on how much had come.
fn kind(ended: &Ended) -> String {
    match &ended.end {
        Ok(begun) => format!("{}", begun.is_some()),
        Err(OfferFault::Unexpected { .. }) => "unexpected".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

proptest! {
    #[test]
    fn cuts_change_nothing_and_answers_are_short((protocol, said) in client(), pieces in 1..64_usize) {
        let octets = speak(protocol, &said, 1);
        let whole = speak(protocol, &said, pieces);
        // What comes behind the word that begins TLS is injected if it comes with it, and TLS if it comes later.
        if !matches!(whole.end, Err(OfferFault::Injected(_))) {
            prop_assert_eq!(kind(&octets), kind(&whole));
            prop_assert_eq!(&octets.said, &whole.said);
        }
        prop_assert!(whole.said.len() < 2000);
        if let Err(fault) = whole.end {
            prop_assert!(!fault.to_string().contains(char::is_control));
        }
    }

    #[test]
    fn a_service_may_greet_with_anything(
        which in 0..Protocol::ALL.len(),
        begins in select(vec!["", "220 ", "* OK [", "+OK", "\x30\0\0\0\x0a8\0"]),
        octets in vec(any::<u8>(), 0..80),
    ) {
        let protocol = Protocol::ALL[which];
        let greeting = [begins.as_bytes(), &octets].concat();
        if let Ok(Some(length)) = Offer::read_greeting(protocol, &greeting) {
            prop_assert!(length <= greeting.len());
            let _ = Offer::new(protocol, &greeting[..length]);
        }
        let _ = Offer::new(protocol, &greeting);
    }
}
