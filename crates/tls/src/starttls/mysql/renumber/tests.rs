use proptest::collection::vec;
use proptest::prelude::*;

use super::Renumber;

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32;
    [&length.to_le_bytes()[..3], &[number], body].concat()
}

/// What each side says until a query is answered, in turn, with TLS or without: the client first.
fn session(tls: bool) -> [Vec<Vec<u8>>; 2] {
    let ahead = u8::from(tls);
    let capabilities: &[u8] = if tls { &[0x85, 0xae] } else { &[0x85, 0xa6] };
    let response = [capabilities, &[0xff, 0x19, 0, 0, 0, 1], &[7; 40]].concat();
    let client = vec![
        packet(1 + ahead, &response),
        // No password: a packet of nothing.
        packet(3 + ahead, b""),
        packet(0, b"\x03SELECT 1 \0\x08"),
        packet(0, b"\x01"),
    ];
    let server = vec![
        packet(
            2 + ahead,
            b"\xfemysql_native_password\0challengechallenge12\0",
        ),
        packet(4 + ahead, b"\0\0\0\x02\0\0\0"),
        [
            packet(1, b"\x01"),
            packet(2, &[9; 300]),
            packet(3, b"\xfe\0\0\x02\0"),
        ]
        .concat(),
    ];
    [client, server]
}

fn changed(one: &mut impl FnMut(&mut [u8]), said: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut said = said.to_vec();
    let mut rest = &mut said[..];
    let mut pieces = pieces.iter().copied().cycle();
    while !rest.is_empty() {
        let piece = pieces.next().unwrap_or(1).min(rest.len());
        let (now, later) = rest.split_at_mut(piece);
        one(now);
        rest = later;
    }
    said
}

proptest! {
    #[test]
    fn each_side_hears_its_own_numbers_however_they_are_cut(
        pieces in vec(1..50_usize, 1..5),
        tls_of_client in any::<bool>(),
    ) {
        let [client, heard_by_client] = session(tls_of_client);
        let [heard_by_server, server] = session(!tls_of_client);
        let mut numbers = if tls_of_client { Renumber::terminate() } else { Renumber::originate() };
        for turn in 0..client.len() {
            prop_assert_eq!(numbers.is_over(), turn == 3);
            let mut one = |octets: &mut [u8]| numbers.client_to_server(octets);
            prop_assert_eq!(&changed(&mut one, &client[turn], &pieces), &heard_by_server[turn]);
            let Some(said) = server.get(turn) else { break };
            let mut one = |octets: &mut [u8]| numbers.server_to_client(octets);
            prop_assert_eq!(&changed(&mut one, said, &pieces), &heard_by_client[turn]);
        }
    }

    #[test]
    fn any_octets_are_passed_on_and_cuts_change_nothing(
        said in vec(prop_oneof![0..4_u8, any::<u8>()], 0..200),
        pieces in vec(1..9_usize, 1..5),
    ) {
        for new in [Renumber::terminate, Renumber::originate] {
            let (mut whole, mut cut) = (new(), new());
            let mut at_once = said.clone();
            whole.client_to_server(&mut at_once);
            let mut one = |octets: &mut [u8]| cut.client_to_server(octets);
            prop_assert_eq!(&changed(&mut one, &said, &pieces), &at_once);
            let mut at_once = said.clone();
            whole.server_to_client(&mut at_once);
            let mut one = |octets: &mut [u8]| cut.server_to_client(octets);
            prop_assert_eq!(&changed(&mut one, &said, &pieces), &at_once);
            prop_assert_eq!(whole.is_over(), cut.is_over());
        }
    }
}

#[test]
fn an_answer_that_is_late_is_renumbered_behind_the_command_that_did_not_wait_for_it() {
    let mut numbers = Renumber::terminate();
    numbers.client_to_server(&mut packet(2, &[0; 32]));
    numbers.client_to_server(&mut packet(0, b"\x0e"));
    let mut late = [packet(2, b"\0\0\0"), packet(1, b"\0\0\0")].concat();
    numbers.server_to_client(&mut late);
    assert_eq!(late, [packet(3, b"\0\0\0"), packet(1, b"\0\0\0")].concat());
    assert!(numbers.is_over());
}
