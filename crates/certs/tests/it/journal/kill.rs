//! `kill -9` while certificates are issued: none was handed out that the journal lacks, and none has
//! the number of another.

use std::time::Duration;

use ravelin_certs::FileStore;
use ravelin_certs::journal::{Event, Journal};

use super::{Place, authority, event, issue, now};
use crate::victim::Victim;

/// The variable that makes [`issues_until_it_is_killed`] the victim.
const VICTIM_HOME: &str = "RAVELIN_TEST_ISSUING_HOME";

/// How often to kill; `RAVELIN_TEST_KILLS` names another number.
const KILLS: u32 = 150;

#[test]
fn whatever_is_told_before_a_process_is_killed_is_in_the_journal() {
    let kills = std::env::var("RAVELIN_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let place = Place::new();
    let mut told: Vec<String> = Vec::new();
    for kill in 0..kills {
        // From the first instant to that of many entries, in steps that are no multiple of each
        // other.
        let span = Duration::from_micros(u64::from(kill * 7919 % 20_011));
        told.extend(serials_of_a_victim(&place, span));
        // What is wrong stays wrong, so that it is enough to look now and then: first as it was
        // left, then caught up.
        if kill % 10 == 9 || kill + 1 == kills {
            let report = place.audit(None);
            assert!(report.is_clean(), "after kill {kill}: {report:?}");
            place.journal();
            assert!(place.audit(None).is_clean(), "after kill {kill}, caught up");
        }
    }
    let mut kept: Vec<String> = place
        .journal()
        .entries(1)
        .unwrap()
        .filter_map(|entry| match entry.unwrap().event {
            Event::Issued(issued) => Some(issued.serial.to_string()),
            _ => None,
        })
        .collect();
    let count = kept.len();
    kept.sort();
    kept.dedup();
    assert_eq!(kept.len(), count, "a serial number twice");
    for serial in &told {
        assert!(
            kept.binary_search(serial).is_ok(),
            "{serial} was told and is not kept"
        );
    }
    println!("{kills} kills: {} told, {count} kept", told.len());
    // Else the moments missed what they were to hit.
    assert!(
        told.len() > kills as usize / 5,
        "only {} were told",
        told.len()
    );
}

/// The victim, run by the test above in a process of its own. It issues one at a time, a few, and as
/// many as go past the index.
#[test]
fn issues_until_it_is_killed() {
    let Some(home) = std::env::var_os(VICTIM_HOME) else {
        return;
    };
    let authority = authority();
    let leaves: Vec<_> = (0..64).map(|_| issue(&authority, "a.localhost")).collect();
    println!("\nready");
    let store = FileStore::open(std::path::Path::new(&home)).unwrap();
    let mut journal = Journal::open(&store).unwrap();
    let mut rest = leaves.as_slice();
    while !rest.is_empty() {
        let (now_issued, later) = rest.split_at(rest.len().min([1, 2, 9][rest.len() % 3]));
        let events: Vec<Event> = now_issued.iter().map(event).collect();
        journal.append(&events, now()).unwrap();
        for leaf in now_issued {
            println!("issued {}", leaf.serial);
        }
        rest = later;
    }
    println!("done");
    loop {
        std::thread::park();
    }
}

fn serials_of_a_victim(place: &Place, span: Duration) -> Vec<String> {
    let test = "journal::kill::issues_until_it_is_killed";
    let lines = Victim::start(test, VICTIM_HOME, place.store.folder()).kill_after(span);
    lines
        .iter()
        .filter_map(|line| line.strip_prefix("issued ").map(str::to_owned))
        // What was cut off while it was told is shorter.
        .filter(|serial| serial.len() == 2 * 18)
        .collect()
}
