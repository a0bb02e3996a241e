//! Servers that say what no server should: dialogues that are changed, cut and drawn out without end.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::dialogues;
use crate::starttls::{MOST_OCTETS, Protocol, StartTls, StartTlsError};

/// The longest piece that a server is read in here.
const MOST_PIECE: usize = 4096;

/// What is done to what a server says.
#[derive(Debug, Clone)]
enum Change {
    Cut(Index),
    Flip(Index, u8),
    Repeat(Index, Index),
    Insert(Index, Vec<u8>),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            any::<Index>().prop_map(Self::Cut),
            (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Self::Flip(at, bits)),
            any::<(Index, Index)>().prop_map(|(from, to)| Self::Repeat(from, to)),
            (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, new)| Self::Insert(at, new)),
        ]
    }

    fn make(self, said: &mut Vec<u8>) {
        if said.is_empty() {
            return;
        }
        match self {
            Self::Cut(at) => said.truncate(at.index(said.len())),
            Self::Flip(at, bits) => {
                let at = at.index(said.len());
                said[at] ^= bits;
            }
            Self::Repeat(one, other) => {
                let [one, other] = [one, other].map(|at| at.index(said.len()));
                said.extend_from_within(one.min(other)..=one.max(other));
            }
            Self::Insert(at, new) => {
                let at = at.index(said.len());
                said.splice(at..at, new);
            }
        }
    }
}

/// How a dialogue ended.
struct Followed {
    /// How often we spoke, and how many octets that were.
    turns: usize,
    spoken: usize,
    /// How many octets of the server were taken, and how many were still kept at the end.
    taken: usize,
    kept: usize,
    end: Option<Result<(), StartTlsError>>,
}

fn follow<'p>(protocol: Protocol, pieces: impl Iterator<Item = &'p [u8]>) -> Followed {
    let mut dialogue = StartTls::new(protocol, "mail.test");
    let mut followed = Followed {
        turns: 0,
        spoken: dialogue.begin().say.len(),
        taken: 0,
        kept: 0,
        end: None,
    };
    for piece in pieces {
        followed.taken += piece.len();
        match dialogue.receive(piece) {
            Ok(turn) => {
                followed.turns += usize::from(!turn.say.is_empty());
                followed.spoken += turn.say.len();
                if turn.begin {
                    followed.end = Some(Ok(()));
                }
            }
            Err(error) => followed.end = Some(Err(error)),
        }
        if followed.end.is_some() {
            break;
        }
    }
    followed.kept = dialogue.heard.len();
    followed
}

/// A dialogue is short whoever speaks, and its end is told in one line that is fit for a terminal.
fn is_bounded(followed: &Followed) {
    assert!(followed.taken <= MOST_OCTETS + MOST_PIECE);
    assert!(followed.kept <= MOST_OCTETS);
    assert!(followed.turns <= 2 && followed.spoken <= 300);
    match &followed.end {
        Some(Ok(())) => assert_eq!(followed.kept, 0),
        Some(Err(error)) => {
            let told = error.to_string();
            assert!((10..300).contains(&told.chars().count()), "{told:?}");
            assert!(!told.contains(char::is_control), "{told:?}");
        }
        None => {}
    }
}

proptest! {
    #[test]
    fn a_dialogue_that_is_changed_ends_or_waits_and_says_why(
        which in 0..Protocol::ALL.len(),
        changes in vec(Change::any(), 0..4),
        piece in 1..MOST_PIECE,
    ) {
        let (protocol, server, _) = dialogues().swap_remove(which);
        let mut said = server.concat();
        for change in changes {
            change.make(&mut said);
        }
        is_bounded(&follow(protocol, said.chunks(piece)));
    }

    #[test]
    fn a_server_that_says_anything_without_end_is_left(
        which in 0..Protocol::ALL.len(),
        turns in 0..3_usize,
        over_and_over in vec(any::<u8>(), 1..200),
    ) {
        let (protocol, server, _) = dialogues().swap_remove(which);
        // It begins well.
        let well: Vec<u8> = server.into_iter().take(turns).flatten().collect();
        let endless = over_and_over.repeat(MOST_PIECE / over_and_over.len());
        let pieces = std::iter::once(&well[..]).chain(std::iter::repeat(&endless[..]));
        let followed = follow(protocol, pieces.take(100));
        is_bounded(&followed);
        prop_assert!(followed.end.is_some());
    }
}
