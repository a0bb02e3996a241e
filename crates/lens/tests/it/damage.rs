//! Connections that are cut, changed, lost in part or no TLS: what is wrong is told, with its place.

use std::time::SystemTime;

use proptest::prelude::*;
use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::digest::Octets;
use ravelin_lens::knowledge::{Knowledge, Nothing};
use ravelin_lens::ledger::Side;
use ravelin_lens::story::{
    Claim, End, Epoch, FaultKind, Missing, Refutation, Sealed, Story, Verdict, What,
};
use ravelin_lens::tickets::Memory;
use ravelin_wire::record::Foreign;
use ravelin_wire::registry::{ContentType, HandshakeType};

use crate::traces::Trace;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn simple() -> Trace {
    Trace::read(include_str!("rfc8448/section-3.txt"))
}

fn retried() -> Trace {
    Trace::read(include_str!("rfc8448/section-5.txt"))
}

fn told(knowledge: impl Knowledge, pieces: &[(Side, Vec<u8>)]) -> Story {
    let mut connection = Connection::new(knowledge, Limits::default());
    for (side, octets) in pieces {
        connection.receive(*side, NOW, octets);
    }
    connection.finish()
}

/// All of a story, with what its debug output keeps to itself.
fn all(story: &Story) -> String {
    let steps: Vec<_> = story.steps.iter().map(|step| step.bytes.to_vec()).collect();
    let ids = story.ledger.iter().map(|(id, _)| id);
    let values: Vec<_> = ids.map(|id| story.ledger.value(id)).collect();
    format!("{story:?}\n{steps:?}\n{values:?}")
}

fn whats(story: &Story) -> Vec<What> {
    story.steps.iter().map(|step| step.what).collect()
}

fn faults(story: &Story) -> Vec<(Side, u64, &FaultKind)> {
    let of = |fault: &ravelin_lens::story::Fault| (fault.side, fault.offset);
    let all = story.faults.iter();
    all.map(|fault| (of(fault).0, of(fault).1, &fault.what))
        .collect()
}

#[test]
fn without_keys_what_is_in_clear_is_told_and_the_rest_is_sealed() {
    let story = told(Nothing, &simple().records);
    let sealed = What::Sealed(Sealed::NoKeys);
    assert_eq!(
        whats(&story)[..4],
        [
            What::Handshake(HandshakeType::CLIENT_HELLO),
            What::Handshake(HandshakeType::SERVER_HELLO),
            sealed,
            sealed,
        ]
    );
    assert_eq!(story.faults, []);
    assert_eq!(story.agreement.server_name.as_deref(), Some("server"));
    assert_eq!(story.agreement.complete, None);
    for side in [Side::Client, Side::Server] {
        let check = story
            .checks
            .iter()
            .find(|it| it.claim == Claim::Records(side))
            .unwrap();
        assert_eq!(check.verdict, Verdict::NotDerivable(Missing::Keys));
    }
}

/// Another secret than that of the connection.
struct Wrong;

impl Knowledge for Wrong {
    fn logged(&self, _: &[u8; 32], _: &str) -> Option<Octets> {
        Some(Octets::new(vec![7; 32]))
    }
}

#[test]
fn wrong_keys_are_said_to_be_wrong_and_show_no_garbage() {
    let story = told(Wrong, &simple().records);
    assert_eq!(
        whats(&story)[2],
        What::Sealed(Sealed::WrongKeys { after: 0 })
    );
    let undecryptable = FaultKind::Undecryptable { sequence: 0 };
    assert_eq!(
        faults(&story),
        [
            (Side::Server, 95, &undecryptable),
            (Side::Client, 201, &undecryptable)
        ]
    );
    assert_eq!(story.faults[0].step, Some(2));
    let is_shown = |what: &What| matches!(what, What::ApplicationData | What::Alert);
    assert!(!whats(&story).iter().any(is_shown));
}

#[test]
fn a_changed_record_is_refuted_behind_good_ones() {
    let mut trace = simple();
    let last = trace.records.len() - 3;
    let (side, record) = &mut trace.records[last];
    assert_eq!(*side, Side::Server);
    record[20] ^= 1;
    let story = told(&trace, &trace.records);
    assert!(whats(&story).contains(&What::Sealed(Sealed::WrongKeys { after: 1 })));
    let check = story
        .checks
        .iter()
        .find(|it| it.claim == Claim::Records(Side::Server));
    assert_eq!(
        check.unwrap().verdict,
        Verdict::Refuted(Refutation::Differs)
    );
}

#[test]
fn a_cut_is_told_with_what_is_missing() {
    let trace = simple();
    let (_, hello) = &trace.records[0];
    let mut connection = Connection::new(Nothing, Limits::default());
    connection.receive(Side::Client, NOW, &hello[..100]);
    connection.ended(Side::Client, false);
    connection.ended(Side::Server, true);
    let story = connection.finish();
    let truncated = FaultKind::Truncated { missing: 101 };
    assert_eq!(faults(&story), [(Side::Client, 0, &truncated)]);
    assert_eq!(story.end, [End::Cut, End::Reset]);
}

#[test]
fn a_message_that_is_cut_between_records_is_told() {
    let trace = simple();
    let (_, hello) = &trace.records[0];
    // A whole record with the first 40 of the 196 octets of the hello.
    let record = [&[22, 3, 1, 0, 40], &hello[5..45]].concat();
    let mut connection = Connection::new(Nothing, Limits::default());
    connection.receive(Side::Client, NOW, &record);
    connection.ended(Side::Client, false);
    let story = connection.finish();
    let truncated = FaultKind::Truncated { missing: 156 };
    assert_eq!(faults(&story), [(Side::Client, 45, &truncated)]);
}

#[test]
fn what_is_no_tls_is_named_with_its_place() {
    let request = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    let story = told(
        Nothing,
        &[
            (Side::Client, request.to_vec()),
            (Side::Server, answer.to_vec()),
        ],
    );
    assert_eq!(
        faults(&story),
        [
            (Side::Client, 0, &FaultKind::Foreign(Foreign::HttpRequest)),
            (Side::Server, 0, &FaultKind::Foreign(Foreign::HttpResponse)),
        ]
    );
    assert_eq!(story.steps[0].bytes[..], request[..]);

    let mut trace = simple();
    trace.records.insert(5, (Side::Client, b"garbage".to_vec()));
    let story = told(&trace, &trace.records);
    let foreign = FaultKind::Foreign(Foreign::Unknown);
    assert_eq!(faults(&story), [(Side::Client, 259, &foreign)]);
    assert!(story.agreement.complete.is_some());
}

#[test]
fn records_that_are_empty_or_too_long_are_told() {
    let mut trace = simple();
    let long = [&[23, 3, 3, 255, 255][..], &vec![0; 65_535]].concat();
    trace
        .records
        .insert(0, (Side::Client, vec![22, 3, 1, 0, 0]));
    trace
        .records
        .insert(3, (Side::Server, vec![21, 3, 3, 0, 0]));
    trace.records.push((Side::Client, long));
    let story = told(&trace, &trace.records);
    let empty = |content_type| FaultKind::EmptyRecord(content_type);
    let too_long = FaultKind::RecordTooLong {
        octets: 65_535,
        limit: 18_432,
    };
    let undecryptable = FaultKind::Undecryptable { sequence: 2 };
    let end = story.traffic[0].octets - 65_540;
    assert_eq!(
        faults(&story),
        [
            (Side::Client, 0, &empty(ContentType::HANDSHAKE)),
            (Side::Server, 95, &empty(ContentType::ALERT)),
            (Side::Client, end, &too_long),
            (Side::Client, end, &undecryptable),
        ]
    );
}

#[test]
fn a_message_with_another_record_in_it_is_told() {
    let trace = simple();
    let (_, hello) = &trace.records[0];
    let pieces = [
        (Side::Client, [&[22, 3, 1, 0, 40], &hello[5..45]].concat()),
        (Side::Client, vec![21, 3, 1, 0, 2, 1, 90]),
        (Side::Client, [&[22, 3, 1, 0, 156], &hello[45..]].concat()),
    ];
    let story = told(Nothing, &pieces);
    let interleaved = FaultKind::Interleaved(ContentType::ALERT);
    assert_eq!(faults(&story), [(Side::Client, 45, &interleaved)]);
    assert_eq!(
        whats(&story)[1],
        What::Handshake(HandshakeType::CLIENT_HELLO)
    );
    assert_eq!(story.steps[1].records, 0..3);
}

#[test]
fn a_message_without_end_is_not_waited_for() {
    let record = [&[22, 3, 1, 0, 8, 1, 255, 255, 255][..], &[0; 4]].concat();
    let story = told(
        Nothing,
        &[(Side::Client, record.clone()), (Side::Client, record)],
    );
    let too_long = FaultKind::MessageTooLong {
        octets: 4 + 0xff_ffff,
        limit: Limits::default().message_octets,
    };
    assert_eq!(faults(&story), [(Side::Client, 5, &too_long)]);
}

#[test]
fn a_malformed_message_is_told_at_its_octet() {
    let mut trace = simple();
    // The length of the cipher suites, which is behind the headers, the version, the random and the session.
    trace.records[0].1[5 + 4 + 2 + 32 + 1] = 0xff;
    let story = told(&trace, &trace.records);
    let (side, offset, kind) = faults(&story)[0];
    assert_eq!((side, offset), (Side::Client, 44));
    assert!(matches!(kind, FaultKind::Malformed(_)), "{kind:?}");
}

#[test]
fn records_behind_a_gap_are_read_again() {
    let mut trace = simple();
    let lost = trace.records.remove(5).1;
    let mut connection = Connection::new(&trace, Limits::default());
    for (index, (side, record)) in trace.records.iter().enumerate() {
        if index == 5 {
            connection.lost(Side::Client, NOW, lost.len() as u64);
        }
        connection.receive(*side, NOW, record);
    }
    let story = connection.finish();
    let gap = FaultKind::Lost { octets: 72 };
    assert_eq!(faults(&story), [(Side::Client, 259, &gap)]);
    assert_eq!(
        story.end,
        [End::Said; 2],
        "the alert behind the gap is read"
    );
    assert_eq!(story.steps.last().unwrap().epoch, Epoch::Application(0));
}

#[test]
fn the_rest_of_a_record_whose_beginning_is_lost_is_passed_over() {
    let trace = simple();
    let mut connection = Connection::new(&trace, Limits::default());
    for (index, (side, record)) in trace.records.iter().enumerate() {
        if index == 5 {
            connection.receive(*side, NOW, &record[..10]);
            connection.lost(*side, NOW, 20);
            connection.receive(*side, NOW, &record[30..]);
        } else {
            connection.receive(*side, NOW, record);
        }
    }
    let story = connection.finish();
    assert_eq!(story.end, [End::Said; 2]);
    assert_eq!(story.faults.len(), 1, "{:?}", story.faults);
}

#[test]
fn what_the_handshake_lacks_is_said_to_be_missing() {
    let mut trace = simple();
    trace.records.remove(0);
    let story = told(&trace, &trace.records);
    let out_of_order = FaultKind::OutOfOrder(HandshakeType::SERVER_HELLO);
    assert_eq!(faults(&story)[0], (Side::Server, 5, &out_of_order));
    assert!(story.agreement.complete.is_none());
}

#[test]
fn no_more_steps_are_told_than_are_wanted() {
    let trace = simple();
    let limits = Limits {
        steps: 7,
        records: 3,
        data_octets: 0,
        keep_bytes: false,
        ..Limits::default()
    };
    let mut connection = Connection::new(&trace, limits);
    for (side, record) in &trace.records {
        connection.receive(*side, NOW, record);
    }
    let story = connection.finish();
    assert_eq!(story.steps.len(), 7);
    assert_eq!(story.records.len(), 3);
    assert!(story.records.iter().all(|record| record.bytes.is_empty()));
    assert_eq!(story.traffic[0].records, 4);
    assert_eq!(story.agreement.complete, Some(6));
}

#[test]
fn early_data_behind_the_answer_is_told_too() {
    let mut memory = Memory::new(1);
    memory.remember(&simple().tell());
    let mut trace = Trace::read(include_str!("rfc8448/section-4.txt"));
    let early = trace.records.remove(1);
    trace.records.insert(3, early);
    let story = told((&trace, &memory), &trace.records);
    assert_eq!(story.faults, []);
    assert_eq!(story.agreement.complete, Some(6), "{:?}", whats(&story));
    assert!(whats(&story).contains(&What::ApplicationData));
    for check in &story.checks {
        assert_eq!(check.verdict, Verdict::Confirmed, "{check:?}");
    }
}

#[test]
fn early_data_with_wrong_keys_is_passed_over() {
    struct WrongEarly<'t>(&'t Trace);
    impl Knowledge for WrongEarly<'_> {
        fn logged(&self, random: &[u8; 32], label: &str) -> Option<Octets> {
            (label == "CLIENT_EARLY_TRAFFIC_SECRET").then(|| Wrong.logged(random, label))?
        }

        fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
            self.0.shared_secret(server_share)
        }
    }
    let trace = Trace::read(include_str!("rfc8448/section-4.txt"));
    let story = told(WrongEarly(&trace), &trace.records);
    assert_eq!(
        whats(&story)[1],
        What::Sealed(Sealed::WrongKeys { after: 0 })
    );
    let undecryptable = FaultKind::Undecryptable { sequence: 0 };
    assert_eq!(faults(&story)[0], (Side::Client, 517, &undecryptable));
}

/// Nothing of a hello was seen: what follows a change of ciphers is no message in clear.
#[test]
fn a_connection_of_which_the_beginning_is_missing_is_sealed() {
    let pieces = [
        (Side::Server, vec![20, 3, 3, 0, 1, 1]),
        (Side::Server, [&[22, 3, 3, 0, 40][..], &[0xa5; 40]].concat()),
        (Side::Server, [&[23, 3, 3, 0, 30][..], &[0x5a; 30]].concat()),
        (Side::Client, [&[23, 3, 3, 0, 30][..], &[0x5a; 30]].concat()),
    ];
    let story = told(Nothing, &pieces);
    let lost = What::Sealed(Sealed::Lost);
    assert_eq!(whats(&story), [What::ChangeCipherSpec, lost, lost]);
    assert_eq!(story.faults, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_split_gives_the_same_story(cuts in prop::collection::vec(1_usize..1000, 1..30)) {
        for trace in [simple(), retried()] {
            let whole = told(&trace, &trace.records);
            // What one side sends in one go, and then cut elsewhere.
            let mut goes: Vec<(Side, Vec<u8>)> = Vec::new();
            for (side, record) in &trace.records {
                match goes.last_mut() {
                    Some((last, octets)) if last == side => octets.extend_from_slice(record),
                    _ => goes.push((*side, record.clone())),
                }
            }
            let mut sizes = cuts.iter().cycle();
            let mut pieces = Vec::new();
            for (side, go) in &goes {
                let mut rest = &go[..];
                while !rest.is_empty() {
                    let (piece, more) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                    pieces.push((*side, piece.to_vec()));
                    rest = more;
                }
            }
            let split = told(&trace, &pieces);
            prop_assert_eq!(all(&whole), all(&split));
            let octets = |go: &(Side, Vec<u8>)| {
                let each = go.1.iter().map(|octet| (go.0, vec![*octet]));
                each.collect::<Vec<_>>()
            };
            let single: Vec<_> = goes.iter().flat_map(octets).collect();
            prop_assert_eq!(all(&whole), all(&told(&trace, &single)));
        }
    }

    /// Records and messages that look right from outside, of any kind, in any order.
    #[test]
    fn any_records_are_borne(
        records in prop::collection::vec(
            (any::<bool>(), 20_u8..26, 0_u8..25, prop::collection::vec(any::<u8>(), 0..60)),
            1..40,
        ),
        gap in 0_usize..40,
    ) {
        let limits = Limits { steps: 20, records: 15, data_octets: 50, ..Limits::default() };
        let tell = |most: usize| {
            let mut connection = Connection::new(&Wrong, limits);
            for (index, (is_server, content, message, body)) in records.iter().enumerate() {
                let side = if *is_server { Side::Server } else { Side::Client };
                let body = match content {
                    22 => [&[*message, 0, 0, body.len() as u8], &body[..]].concat(),
                    _ => body.clone(),
                };
                let record = [&[*content, 3, 3, 0, body.len() as u8], &body[..]].concat();
                for piece in record.chunks(most) {
                    connection.receive(side, NOW, piece);
                }
                if index == gap {
                    connection.lost(side, NOW, 7);
                }
            }
            connection.finish()
        };
        let story = tell(usize::MAX);
        prop_assert_eq!(all(&story), all(&tell(1)));
        prop_assert!(story.steps.len() <= 22);
        prop_assert!(story.records.len() <= 15);
    }

    #[test]
    fn any_change_of_an_octet_is_borne(at in 0_usize..4000, mask in 1_u8.., cut in 0_usize..4000) {
        for trace in [simple(), retried()] {
            let mut pieces = trace.records.clone();
            let all: usize = pieces.iter().map(|(_, record)| record.len()).sum();
            let mut at = at % all;
            for (_, record) in &mut pieces {
                if let Some(octet) = record.get_mut(at) {
                    *octet ^= mask;
                    break;
                }
                at -= record.len();
            }
            let mut connection = Connection::new(&trace, Limits::default());
            let mut left = cut;
            for (side, record) in &pieces {
                let octets = &record[..left.min(record.len())];
                left -= octets.len();
                connection.receive(*side, NOW, octets);
            }
            connection.lost(Side::Client, NOW, 100);
            connection.ended(Side::Client, false);
            connection.ended(Side::Server, false);
            let story = connection.finish();
            for step in &story.steps {
                let _ = step.value();
                prop_assert!(step.records.end <= story.records.len());
                prop_assert!(step.records.start <= step.records.end);
            }
        }
    }
}
