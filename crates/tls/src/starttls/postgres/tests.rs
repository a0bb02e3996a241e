use proptest::collection::vec;
use proptest::prelude::*;

use super::Unbind;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

fn offer(names: &[u8]) -> Vec<u8> {
    message(b'R', &[b"\0\0\0\x0a", names].concat())
}

fn changed(said: &[u8], pieces: &[usize]) -> (Vec<u8>, bool) {
    let mut unbind = Unbind::default();
    let mut said = said.to_vec();
    let mut rest = &mut said[..];
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at_mut(*piece.min(&rest.len()));
        unbind.server_to_client(now);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    (said, unbind.is_over())
}

proptest! {
    #[test]
    fn binding_is_no_longer_offered_however_the_offer_is_cut(pieces in vec(1..30_usize, 1..5)) {
        let before = [
            message(b'v', b"\0\x03\0\0\0\0\0\x01_pq_.x\0"),
            message(b'N', b"SNOTICE\0MSCRAM-SHA-256-PLUS\0\0"),
        ]
        .concat();
        let said = [&before[..], &offer(b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")].concat();
        let heard = [&before[..], &offer(b"SCRAM-SHA-256-PLU-\0SCRAM-SHA-256\0\0")].concat();
        // What comes later is not looked at.
        let later = offer(b"SCRAM-SHA-256-PLUS\0\0");
        let (said, heard) = ([&said[..], &later].concat(), [&heard[..], &later].concat());
        prop_assert_eq!(changed(&said, &pieces), (heard, true));
    }

    #[test]
    fn any_octets_are_passed_on_and_cuts_change_nothing(
        said in vec(prop_oneof![Just(b'R'), Just(b'N'), 0..12_u8, any::<u8>()], 1..80),
        pieces in vec(1..9_usize, 1..5),
    ) {
        prop_assert_eq!(changed(&said, &pieces), changed(&said, &[1000]));
    }
}

#[test]
fn other_offers_are_left_as_they_are() {
    for said in [
        offer(b"SCRAM-SHA-256\0\0"),
        offer(b"X-SCRAM-SHA-256-PLUS\0OAUTHBEARER\0\0"),
        message(b'R', b"\0\0\0\x05salt"),
        message(b'R', b"\0\0\0\0"),
        message(b'E', b"SFATAL\0MSCRAM-SHA-256-PLUS\0\0"),
    ] {
        assert_eq!(changed(&said, &[1000]), (said.clone(), true));
    }
}
