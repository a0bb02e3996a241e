//! So many certificates that the index sorts their names in: whatever is sorted yet and what is not,
//! answers are the same.

use ravelin_certs::Journal;
use ravelin_certs::inventory::{NamePattern, Query};
use ravelin_certs::journal::event::Issued;
use ravelin_certs::journal::{Event, JournalError};

use super::{DAY, record, serials};
use crate::journal::{Place, event, now};

/// More than are left unsorted, and fewer than the journal issues before the index catches up.
const MANY: u32 = 17_000;

#[test]
fn names_and_numbers_of_many_are_found_before_and_after_they_are_sorted_in() {
    let place = Place::new();
    let mut journal = place.journal();
    let many: Vec<Event> = (0..MANY).map(|number| event(&one(number))).collect();
    journal.append(&many, now()).unwrap();
    let sql = rusqlite::Connection::open(place.database()).unwrap();
    let told = |what: &str| -> u32 {
        let statement = format!("SELECT {what}");
        sql.query_row(&statement, [], |row| row.get(0)).unwrap()
    };
    // Sorting in that does not end leaves nothing half done, and is no fault of who issues.
    sql.execute_batch(
        "CREATE TRIGGER stop BEFORE INSERT ON named WHEN new.certificate = 99
         BEGIN SELECT RAISE(ABORT, 'stopped'); END",
    )
    .unwrap();
    assert_answers(&mut journal, MANY);
    journal.append(&[event(&one(MANY))], now()).unwrap();
    assert_answers(&mut journal, MANY + 1);
    assert_eq!(told("named FROM built"), 0);
    assert_eq!(told("count(*) FROM named"), 0);
    // The next that is issued makes up for it.
    sql.execute_batch("DROP TRIGGER stop").unwrap();
    journal.append(&[event(&one(MANY + 1))], now()).unwrap();
    assert_eq!(told("named FROM built"), MANY + 2);
    assert_eq!(told("count(*) FROM named"), MANY + 2);
    // Some sorted, some not, of which some are not in the index at all when they are asked for.
    journal.append(&[event(&one(MANY + 2))], now()).unwrap();
    let more: Vec<Event> = (3..23).map(|more| event(&one(MANY + more))).collect();
    journal.append(&more, now()).unwrap();
    for given in [1, MANY + 2, MANY + 10] {
        for several in [1, 20] {
            let new = (1..several).map(|new| event(&one(2 * MANY + new)));
            let events: Vec<Event> = new.chain([event(&one(given))]).collect();
            let twice = journal.append(&events, now()).unwrap_err();
            let refused = matches!(twice, JournalError::Refused(_));
            assert!(refused, "{given}: {twice:?}");
        }
    }
    assert_answers(&mut journal, MANY + 23);
    assert_eq!(told("named FROM built"), MANY + 2);

    sql.execute_batch("DELETE FROM named WHERE certificate = 2")
        .unwrap();
    let report = place.audit(None);
    // No certificate of `record` fits its entry; and one name is no longer in the table.
    let faults = report.findings.len() as u64 + report.more_findings;
    assert_eq!(faults, u64::from(MANY + 23 + 1));
}

/// Serial numbers as they are made: later ones are greater.
fn one(number: u32) -> Issued {
    let serial = [&[0x5a][..], &number.to_be_bytes()].concat();
    let name = format!("host-{number}.test");
    record(&serial, &[&name], now(), now() + DAY * (number % 300))
}

/// Asks for one of the first, one of the last, and what there is not, each in all ways.
fn assert_answers(journal: &mut Journal, issued: u32) {
    let named = |name: &str| Query::default().name(NamePattern::Is(name.to_owned()));
    for number in [0, 98, issued - 1] {
        let leaf = one(number);
        let serial = leaf.serial.to_string();
        let query = Query::default().serial(serial.parse().unwrap());
        assert_eq!(serials(journal, &query), [serial.as_str()]);
        assert_eq!(serials(journal, &named(&leaf.names[0])), [serial.as_str()]);
        let upper = leaf.names[0].to_ascii_uppercase();
        assert_eq!(serials(journal, &named(&upper)), [serial]);
    }
    let next = one(issued);
    assert_eq!(serials(journal, &named(&next.names[0])), [""; 0]);
    assert_eq!(serials(journal, &named("host-1")), [""; 0], "of a part");
}
